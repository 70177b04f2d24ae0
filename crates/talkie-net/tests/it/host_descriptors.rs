//! Descriptors are given back: counted in a process of its own, since other tests open some at the
//! same time.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::time::{Duration, Instant};

use talkie_net::host::Options;
use talkie_sansio::{Answer, Transport, Want, WantId};

use crate::guest::Lodger;
use crate::toy::{framed, framer};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn listen(id: WantId) -> Want {
    Want::Listen { id, local: V4, ports: 0..=0, framer }
}

#[test]
fn closing_and_hanging_up_give_the_descriptors_back() {
    let counted = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "host_descriptors::descriptors_are_given_back",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&counted.stdout);
    assert!(counted.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "run by the test above, alone in a process"]
async fn descriptors_are_given_back() {
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let without = open();
    let (mut it, mut other) =
        (Lodger::new(Options::default()).await, Lodger::new(Options::default()).await);
    let (_, remote) = other.is_bound(listen).await;
    let connect = |id| Want::Connect {
        id,
        transport: Transport::Tcp,
        local: None,
        remote,
        server_name: None,
        framer,
    };
    // The thread that watches the interfaces opens its own a moment later.
    let idle = settled(open).await;
    let (socket, _) = it.is_bound(|id| Want::Bind { id, local: V4, ports: 0..=0 }).await;
    let (listener, at) = it.is_bound(listen).await;
    let Answer::Connected { path, .. } = it.gets(connect).await else { panic!() };
    let Answer::Accepted { path: theirs, .. } = other.answer().await else { panic!() };
    eventually(|| open() == idle + 4).await;
    it.tell(Want::Close { id: socket }).await;
    it.tell(Want::Close { id: listener }).await;
    // A command is answered after the wants of the one before.
    it.running.handle.call(|_, _| ()).await.unwrap();
    eventually(|| open() == idle + 2).await;
    let port = at.port();
    let again = it.is_bound(|id| Want::Listen { id, local: V4, ports: port..=port, framer }).await;
    it.tell(Want::Close { id: again.0 }).await;
    it.tell(Want::HangUp { path }).await;
    assert_eq!(other.answer().await, Answer::Closed { path: theirs });
    eventually(|| open() == idle).await;
    // Somebody who does not read can't hold a stream either.
    let deaf = std::net::TcpListener::bind((V4, 0)).unwrap();
    let remote = deaf.local_addr().unwrap();
    let (transport, server_name) = (Transport::Tcp, None);
    let connect = |id| Want::Connect { id, transport, local: None, remote, server_name, framer };
    let Answer::Connected { path, .. } = it.gets(connect).await else { panic!() };
    for _ in 0..200 {
        it.says(path, &framed(&[0; 60_000])).await;
    }
    let held = open();
    it.tell(Want::HangUp { path }).await;
    eventually(|| open() == held - 1).await;
    drop((it, other, deaf));
    eventually(|| open() == without).await;
}

/// The count once it has stayed the same for a while.
async fn settled(count: impl Fn() -> usize) -> usize {
    let (mut last, mut same) = (count(), 0);
    while same < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let now = count();
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    last
}

async fn eventually(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(2), "never");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
