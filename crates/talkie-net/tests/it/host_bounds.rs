//! What is bounded, what is given back, and what goes on while the application does nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use talkie_net::host::{Limits, Options};
use talkie_sansio::{Answer, Path, Transport, Want, WantError, WantId};

use crate::guest::{Heard, Lodger};
use crate::toy::framer;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn bind(id: WantId) -> Want {
    Want::Bind { id, local: V4, ports: 0..=0 }
}

fn listen(id: WantId) -> Want {
    Want::Listen { id, local: V4, ports: 0..=0, framer }
}

fn connect(remote: SocketAddr) -> impl FnOnce(WantId) -> Want {
    let transport = Transport::Tcp;
    move |id| Want::Connect { id, transport, local: None, remote, server_name: None, framer }
}

async fn limited(limits: Limits) -> Lodger {
    Lodger::new(Options { limits, ..Options::default() }).await
}

#[tokio::test]
async fn timers_go_on_while_the_application_takes_no_events_and_nothing_piles_up() {
    let mut it = Lodger::new(Options::default()).await;
    let (_, at) = it.is_bound(bind).await;
    let every = Duration::from_micros(500);
    let start = move |guest: &mut crate::guest::Guest, now| guest.tick = Some((now + every, every));
    it.running.handle.call(start).await.unwrap();
    // Events of timers alone would fill every queue in this time.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let socket = UdpSocket::bind((V4, 0)).unwrap();
    for _ in 0..50 {
        socket.send_to(b"unread", at).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    let look = |guest: &mut crate::guest::Guest, _| {
        guest.tick = None;
        (guest.ticks, guest.heard.len(), guest.overrun)
    };
    let (ticks, held, overrun) = it.running.handle.call(look).await.unwrap();
    // The channel, the task's own queue, and what the machine itself held.
    assert!(ticks > 2 * 256 + 100, "the timers stood still: {ticks}");
    assert!(held > 100, "the machine was emptied into a queue without a bound: {held}, {ticks}");
    assert_eq!(overrun, 0, "the network was read while there was no room");
    let mut heard = 0;
    for _ in 0..2 * 256 + held {
        if let Heard::Datagram(..) = it.hears().await {
            heard += 1;
        }
    }
    while heard < 50 {
        assert!(matches!(it.hears().await, Heard::Datagram(..)));
        heard += 1;
    }
}

#[tokio::test]
async fn more_sockets_streams_or_names_than_agreed_are_refused() {
    let limits = Limits { sockets: 2, streams: 1, names: 0, ..Limits::default() };
    let mut it = limited(limits).await;
    let full = WantError::Io(std::io::ErrorKind::QuotaExceeded);
    let (first, _) = it.is_bound(bind).await;
    let (_, listener) = it.is_bound(listen).await;
    assert_eq!(it.fails(bind).await, full);
    it.tell(Want::Close { id: first }).await;
    it.is_bound(bind).await;
    assert_eq!(it.fails(|id| Want::Resolve { id, name: "localhost".into() }).await, full);
    // One may come in; the second waits in the kernel until the first is gone.
    let mut other = Lodger::new(Options::default()).await;
    other.gets(connect(listener)).await;
    let Answer::Accepted { path, .. } = it.answer().await else { panic!() };
    other.gets(connect(listener)).await;
    it.hears_nothing().await;
    assert_eq!(it.fails(connect(listener)).await, full);
    it.tell(Want::HangUp { path }).await;
    assert!(matches!(it.answer().await, Answer::Accepted { .. }));
}

#[tokio::test]
async fn what_icmp_says_of_one_destination_ends_no_socket() {
    let mut it = Lodger::new(Options::default()).await;
    let (_, local) = it.is_bound(bind).await;
    let gone = UdpSocket::bind((V4, 0)).unwrap().local_addr().unwrap();
    let there = UdpSocket::bind((V4, 0)).unwrap();
    there.set_read_timeout(Some(crate::guest::SOON)).unwrap();
    for _ in 0..10 {
        for remote in [gone, (V4, 0).into(), there.local_addr().unwrap()] {
            it.says(Path { transport: Transport::Udp, local, remote }, b"x").await;
        }
        there.recv_from(&mut [0; 8]).unwrap();
    }
    there.send_to(b"still here", local).unwrap();
    assert!(matches!(it.hears().await, Heard::Datagram(_, payload) if payload == b"still here"));
}

/// Descriptors are counted in a process of their own, since other tests open some at the same time.
#[cfg(target_os = "linux")]
#[test]
fn closing_and_hanging_up_give_the_descriptors_back() {
    let counted = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "host_bounds::descriptors_are_given_back", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&counted.stdout);
    assert!(counted.status.success() && said.contains("1 passed"), "{said}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "run by the test above, alone in a process"]
async fn descriptors_are_given_back() {
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let without = open();
    let (mut it, mut other) =
        (Lodger::new(Options::default()).await, Lodger::new(Options::default()).await);
    let (_, remote) = other.is_bound(listen).await;
    let idle = open();
    let (socket, _) = it.is_bound(bind).await;
    let (listener, at) = it.is_bound(listen).await;
    let Answer::Connected { path, .. } = it.gets(connect(remote)).await else { panic!() };
    let Answer::Accepted { path: theirs, .. } = other.answer().await else { panic!() };
    assert_eq!(open(), idle + 4);
    it.tell(Want::Close { id: socket }).await;
    it.tell(Want::Close { id: listener }).await;
    // A command is answered after the wants of the one before.
    it.running.handle.call(|_, _| ()).await.unwrap();
    assert_eq!(open(), idle + 2);
    let port = at.port();
    let again = it.is_bound(|id| Want::Listen { id, local: V4, ports: port..=port, framer }).await;
    it.tell(Want::Close { id: again.0 }).await;
    it.tell(Want::HangUp { path }).await;
    assert_eq!(other.answer().await, Answer::Closed { path: theirs });
    eventually(|| open() == idle).await;
    drop((it, other));
    eventually(|| open() == without).await;
}

async fn eventually(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(2), "never");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
