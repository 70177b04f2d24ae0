//! What happens on a network that changes, and on one with multicast: in a network namespace of its
//! own, where this test is root whoever runs it.

use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

use talkie_net::host::Options;
use talkie_sansio::{Answer, Path, Transport, Want, WantError};
use talkie_traversal::ice::Pair;
use talkie_traversal::ice::gather::Tcp;

use crate::agents::{agents, talk};
use crate::guest::{Heard, Lodger};

/// Runs one of the ignored tests below as [`alone`] does.
fn in_a_network_of_its_own(test: &str) {
    alone(&format!("host_network::{test}"));
}

/// Runs an ignored test, alone in a process in a namespace with a pair of network cards `near` and `far`
/// that are up.
pub(crate) fn alone(name: &str) {
    let root = std::fs::metadata("/proc/self").is_ok_and(|it| {
        use std::os::unix::fs::MetadataExt as _;
        it.uid() == 0
    });
    let script = "ip link set lo up && ip link add near type veth peer name far \
                  && ip link set near up && ip link set far up && exec \"$@\"";
    let ran = Command::new("unshare")
        .args(if root { ["-n", "--"] } else { ["-rn", "--"] })
        .args(["sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("running 1 test"), "needs root, or user namespaces for all:\n{said}");
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

pub(crate) fn ip(command: &str) {
    let done = Command::new("ip").args(command.split(' ')).status().unwrap();
    assert!(done.success(), "ip {command}");
}

async fn list(it: &mut Lodger) -> Vec<IpAddr> {
    match it.hears().await {
        Heard::Interfaces(list) => list.into_iter().map(|entry| entry.address).collect(),
        other => panic!("{other:?}"),
    }
}

async fn until(it: &mut Lodger, holds: impl Fn(&[IpAddr]) -> bool) -> usize {
    let mut lists = 1;
    while !holds(&list(it).await) {
        lists += 1;
    }
    lists
}

#[test]
fn changes_of_the_interfaces_are_told_together_and_soon() {
    in_a_network_of_its_own("interfaces_change");
}

#[tokio::test]
#[ignore = "run by the test above, in a namespace"]
async fn interfaces_change() {
    let mut it = Lodger::new(Options::default()).await;
    let addresses: Vec<IpAddr> = (1..=20).map(|last| [10, 77, 0, last].into()).collect();
    for address in &addresses {
        ip(&format!("addr add {address}/24 dev near"));
    }
    let start = Instant::now();
    let all = |list: &[IpAddr]| addresses.iter().all(|address| list.contains(address));
    let lists = until(&mut it, all).await;
    assert!(lists <= 6, "told {lists} times of twenty changes");
    // Looking every two seconds would take longer.
    assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
    // The cable is pulled out and put in again; its address stays configured all the while.
    ip("link set far down");
    until(&mut it, |list| !list.contains(&addresses[0])).await;
    ip("link set far up");
    until(&mut it, all).await;
    ip("addr del 10.77.0.20/24 dev near");
    until(&mut it, |list| !list.contains(&addresses[19])).await;
    // IPv6 looks first whether somebody else has the address, and until then it can't be bound.
    let local: IpAddr = "fd77::1".parse().unwrap();
    ip("addr add fd77::1/64 dev near");
    until(&mut it, |list| list.contains(&local)).await;
    it.is_bound(|id| Want::Bind { id, local, ports: 0..=0 }).await;
    ip("link del near");
    until(&mut it, |list| list.iter().all(IpAddr::is_loopback)).await;
}

#[test]
fn everybody_on_the_link_and_on_this_host_hears_a_group() {
    in_a_network_of_its_own("a_group_is_heard");
}

#[tokio::test]
#[ignore = "run by the test above, in a namespace"]
async fn a_group_is_heard() {
    ip("addr add 10.77.0.1/24 dev near");
    ip("addr add 10.77.1.1/24 dev far");
    ip("addr add fe80::77/64 dev near nodad");
    let groups = [("10.77.0.1", "224.0.0.251:5353"), ("fe80::77", "[ff02::fb]:5353")];
    for (interface, group) in groups {
        let interface: IpAddr = interface.parse().unwrap();
        let remote: SocketAddr = group.parse().unwrap();
        let (mut a, mut b) =
            (Lodger::new(Options::default()).await, Lodger::new(Options::default()).await);
        let mut elsewhere = Lodger::new(Options::default()).await;
        for it in [&mut a, &mut b] {
            let (_, local) = it.is_bound(|id| Want::Join { id, interface, group: remote }).await;
            assert_eq!(local, SocketAddr::new(interface, 5353));
        }
        let local = SocketAddr::new(interface, 5353);
        let far: IpAddr = "10.77.1.1".parse().unwrap();
        if remote.is_ipv4() {
            elsewhere.is_bound(|id| Want::Join { id, interface: far, group: remote }).await;
        }
        let path = Path { transport: Transport::Udp, local, remote };
        a.says(path, b"who has it?").await;
        let question = Path { remote: local, ..path };
        for it in [&mut a, &mut b] {
            assert_eq!(it.hears().await, Heard::Datagram(question, b"who has it?".to_vec()));
        }
        // A program that asks from a port of its own is answered there, and by nobody else.
        let (_, own) =
            elsewhere.is_bound(|id| Want::Bind { id, local: interface, ports: 0..=0 }).await;
        b.says(Path { remote: own, ..path }, b"me").await;
        loop {
            match elsewhere.hears().await {
                Heard::Datagram(path, payload) if path.local == own => {
                    assert_eq!((path.remote, &payload[..]), (local, &b"me"[..]));
                    break;
                }
                // What was sent on `near` comes out at `far`, which is the same link.
                Heard::Datagram(path, _) => assert_eq!(path.local.ip(), far),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn the_gateway_is_told_of_the_address_that_the_default_route_leaves_from() {
    in_a_network_of_its_own("a_gateway_is_told");
}

#[tokio::test]
#[ignore = "run by the test above, in a namespace"]
async fn a_gateway_is_told() {
    ip("addr add 10.77.0.2/24 dev near");
    ip("addr add 10.78.0.2/24 dev far");
    ip("route add default via 10.77.0.1 dev near");
    let mut it = Lodger::new(Options::default()).await;
    let of = |local: [u8; 4]| move |id| Want::Gateway { id, local: local.into() };
    match it.gets(of([10, 77, 0, 2])).await {
        Answer::Gateway { gateway, .. } => assert_eq!(gateway, IpAddr::from([10, 77, 0, 1])),
        other => panic!("{other:?}"),
    }
    for elsewhere in [[10, 78, 0, 2], [127, 0, 0, 1], [10, 99, 0, 1]] {
        assert_eq!(it.fails(of(elsewhere)).await, WantError::NoGateway, "{elsewhere:?}");
    }
}

#[test]
fn agents_go_on_at_new_addresses_when_the_old_ones_are_gone() {
    in_a_network_of_its_own("agents_move");
}

#[tokio::test]
#[ignore = "run by the test above, in a namespace"]
async fn agents_move() {
    ip("addr add 10.77.0.1/24 dev near");
    let [mut a, mut b] = agents("near", Tcp::Off, |_| true).await;
    tokio::join!(a.agrees(|_| true), b.agrees(|_| true));
    talk(&mut a, &mut b).await;
    ip("addr add 10.78.0.1/24 dev near");
    ip("addr del 10.77.0.1/24 dev near");
    let moved = |pair: &Pair| {
        let new = IpAddr::from([10, 78, 0, 1]);
        pair.base.ip() == new && pair.remote_address.ip() == new
    };
    let start = Instant::now();
    tokio::join!(a.agrees(moved), b.agrees(moved));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    talk(&mut a, &mut b).await;
}
