//! What is bounded, and what goes on while the application does nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use talkie_net::host::{Limits, Options};
use talkie_sansio::{Answer, Path, Transport, Want, WantError, WantId};

use crate::guest::{Guest, Heard, Lodger};
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
    let start = move |guest: &mut Guest, now| guest.tick = Some((now + every, every));
    it.running.handle.call(start).await.unwrap();
    // Events of timers alone fill the channel and the task's own queue, and then wait in the machine.
    ticks(&it, 2 * 256 + 100).await;
    let socket = UdpSocket::bind((V4, 0)).unwrap();
    for _ in 0..50 {
        socket.send_to(b"unread", at).unwrap();
    }
    ticks(&it, 2 * 256 + 200).await;
    let look = |guest: &mut Guest, _| {
        guest.tick = None;
        (guest.heard.len(), guest.heard.iter().all(|heard| *heard == Heard::Tick))
    };
    let (held, are_ticks) = it.running.handle.call(look).await.unwrap();
    assert!(held > 100, "the machine was emptied into a queue without a bound");
    assert!(are_ticks, "the network was read while there was no room");
    let mut heard = 0;
    while heard < 50 {
        if let Heard::Datagram(..) = it.hears().await {
            heard += 1;
        }
    }
}

/// Waits until the timer has fired so many times.
async fn ticks(it: &Lodger, count: usize) {
    while it.running.handle.call(|guest, _| guest.ticks).await.unwrap() < count {
        tokio::time::sleep(Duration::from_millis(10)).await;
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

#[tokio::test]
async fn what_is_lost_on_the_way_out_is_counted() {
    let mut it = Lodger::new(Options::default()).await;
    let (_, local) = it.is_bound(bind).await;
    let nowhere = Path { transport: Transport::Udp, local: (V4, 1).into(), remote: (V4, 9).into() };
    it.says(nowhere, b"no such socket").await;
    it.says(Path { transport: Transport::Tcp, ..nowhere }, b"no such stream").await;
    it.says(Path { local, remote: (V4, 0).into(), ..nowhere }, b"no such port").await;
    // By then the last is sent.
    it.running.handle.call(|_, _| ()).await.unwrap();
    let drops = it.running.handle.drops();
    assert_eq!((drops.homeless, drops.refused, drops.overrun), (2, 1, 0));
}
