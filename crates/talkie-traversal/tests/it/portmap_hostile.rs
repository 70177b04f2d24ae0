//! Gateways that lie, and neighbours that pretend to be one.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use talkie_traversal::portmap::{Event, Reason};

use crate::portmap_world::{GATEWAY, Gateway, OUTSIDE, Speaks, World, description, page};

const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 66);

fn igd_only(gateway: &mut Gateway) {
    gateway.igd = Speaks::Well;
}

fn nat_pmp_answers() -> [Vec<u8>; 2] {
    let address = [&[0, 128, 0, 0, 0, 0, 1, 0][..], &OUTSIDE.octets()].concat();
    let mapping = vec![0, 129, 0, 0, 0, 0, 1, 0, 0x13, 0x88, 0x13, 0x88, 0, 0, 2, 0x58];
    [address, mapping]
}

/// What a PCP gateway would say to us, but for the nonce.
fn pcp_answer() -> Vec<u8> {
    let mut answer = vec![2, 0x81, 0, 0, 0, 0, 2, 0x58, 0, 0, 1, 0];
    answer.resize(24, 0);
    answer.extend([0xaa; 12]);
    answer.extend([17, 0, 0, 0, 0x13, 0x88, 0x13, 0x88]);
    answer.extend(OUTSIDE.to_ipv6_mapped().octets());
    answer
}

#[test]
fn nobody_but_the_gateway_gives_mappings() {
    let mut world = World::new(|_| {});
    world.run(Duration::from_millis(100));
    for from in [(NEIGHBOUR, 5351), (GATEWAY, 5352), (GATEWAY, 1900)] {
        for answer in nat_pmp_answers() {
            world.hear(from, &answer);
        }
        world.hear(from, &pcp_answer());
        world.run(Duration::from_millis(1));
    }
    assert_eq!(world.told(), []);
    assert_eq!(world.portmap.counters().unexpected, 9);
    // Not even on the gateway's address, for who does not know the nonce.
    world.hear((GATEWAY, 5351), &pcp_answer());
    world.seconds(10);
    assert!(matches!(world.told().as_slice(), [Event::Unavailable(_)]));
}

#[test]
fn a_mapping_for_another_port_is_not_ours() {
    let mut world = World::new(|_| {});
    world.run(Duration::from_millis(400));
    let [address, mut mapping] = nat_pmp_answers();
    world.hear((GATEWAY, 5351), &address);
    world.run(Duration::from_millis(1));
    mapping[9] = 0x89;
    world.hear((GATEWAY, 5351), &mapping);
    world.run(Duration::from_millis(1));
    assert_eq!(world.told(), []);
    mapping[9] = 0x88;
    world.hear((GATEWAY, 5351), &mapping);
    world.run(Duration::from_millis(1));
    assert!(matches!(world.told().as_slice(), [Event::Mapped(_)]));
}

#[test]
fn a_mapping_for_no_time_or_at_no_port_is_none() {
    for (at, bytes) in [(12, [0, 0, 0, 0]), (8, [0x13, 0x88, 0, 0])] {
        let mut world = World::new(|_| {});
        world.run(Duration::from_millis(400));
        let [address, mut mapping] = nat_pmp_answers();
        mapping[at..at + 4].copy_from_slice(&bytes);
        world.hear((GATEWAY, 5351), &address);
        world.run(Duration::from_millis(1));
        world.hear((GATEWAY, 5351), &mapping);
        world.seconds(10);
        let told = world.told();
        let [Event::Unavailable(reasons)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(reasons.nat_pmp, Reason::Nonsense);
    }
}

#[test]
fn a_description_is_fetched_from_the_gateway_only() {
    for location in [
        "http://192.168.1.66:5555/root.xml",
        "http://127.0.0.1:5555/",
        "http://192.168.1.1:5555@10.0.0.1/",
        "http://router.example/",
        "https://192.168.1.1:5555/",
        "http://192.168.1.1:5555/a b",
    ] {
        let mut world = World::new(|gateway| {
            igd_only(gateway);
            gateway.location = location.to_owned();
        });
        world.seconds(10);
        assert_eq!(world.connected, [], "{location}");
        assert!(matches!(world.told().as_slice(), [Event::Unavailable(_)]), "{location}");
    }
    // A neighbour that answers the search in the gateway's place.
    let mut world = World::new(|_| {});
    world.run(Duration::from_millis(1));
    let kind = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
    let answer =
        format!("HTTP/1.1 200 OK\r\nST: {kind}\r\nLOCATION: http://192.168.1.1:1/\r\n\r\n");
    world.hear((NEIGHBOUR, 1900), answer.as_bytes());
    world.seconds(10);
    assert_eq!(world.connected, []);
}

#[test]
fn a_service_is_controlled_on_the_gateway_only() {
    for control in ["http://10.0.0.1/control", "http://192.168.1.66:5555/c", "/c HTTP/1.1\r\nX: y"]
    {
        let mut world = World::new(|gateway| {
            igd_only(gateway);
            gateway.page = Some(page(200, &description(control)));
        });
        world.seconds(10);
        let gateway = SocketAddr::from((GATEWAY, 5555));
        assert!(world.connected.iter().all(|it| *it == gateway), "{:?}", world.connected);
        let mut asked = world.asked();
        asked.retain(|it| it.starts_with("igd"));
        assert_eq!(asked, ["igd description"], "{control}");
    }
}

#[test]
fn pages_without_end_or_sense_are_given_up() {
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'<'; 1 << 20]].concat();
    let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><root>&b;</root>";
    let nested = "<a>".repeat(20_000);
    for bad in [
        endless,
        b"\xff\xfe\x00".repeat(10_000),
        page(200, bomb),
        page(200, &nested),
        page(404, &description("/control")),
        page(200, ""),
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort".to_vec(),
        Vec::new(),
    ] {
        let mut world = World::new(|gateway| {
            igd_only(gateway);
            gateway.page = Some(bad.clone());
        });
        world.seconds(10);
        let told = world.told();
        let [Event::Unavailable(reasons)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(
            reasons.igd,
            Reason::Nonsense,
            "{}",
            String::from_utf8_lossy(&bad[..bad.len().min(60)])
        );
        assert_eq!(world.open.len(), 2, "no stream is left: {:?}", world.open);
    }
}

#[test]
fn a_gateway_whose_ports_are_all_taken_is_not_asked_without_end() {
    let mut world = World::new(|gateway| gateway.igd = Speaks::Error(718));
    world.seconds(10);
    let told = world.told();
    let [Event::Unavailable(reasons)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(reasons.igd, Reason::Failed(718));
    let tries = world.asked().iter().filter(|it| *it == "igd AddPortMapping").count();
    assert_eq!(tries, 5);
}

#[test]
fn forged_announcements_do_not_make_us_shout() {
    let mut world = World::new(|gateway| gateway.pcp = Speaks::Well);
    world.seconds(10);
    world.told();
    let before = world.sent;
    for second in 0..600_u32 {
        // Each says that the gateway has started anew.
        for from in [(NEIGHBOUR, 5351), (GATEWAY, 5351)] {
            let mut forged = vec![2, 0x80, 0, 0, 0, 0, 0, 0];
            forged.extend((second % 2 * 100_000).to_be_bytes());
            forged.extend([0; 12]);
            world.announce(from, &forged);
        }
        world.seconds(1);
    }
    let sent = world.sent - before;
    assert!((30..=62).contains(&sent), "{sent} datagrams in ten minutes");
    assert_eq!(world.told(), []);
    let before = world.sent;
    for _ in 0..1000 {
        world.announce((NEIGHBOUR, 5351), &[2, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    assert!(world.sent - before <= 1, "a neighbour is not heeded");
}

#[test]
fn a_gateway_that_gives_a_second_at_a_time_is_not_asked_all_the_time() {
    let mut world = World::new(|_| {});
    world.run(Duration::from_millis(400));
    let before = world.sent;
    for _ in 0..600 {
        let [address, mut mapping] = nat_pmp_answers();
        mapping[12..16].copy_from_slice(&1_u32.to_be_bytes());
        world.hear((GATEWAY, 5351), &address);
        world.run(Duration::from_millis(1));
        world.hear((GATEWAY, 5351), &mapping);
        world.run(Duration::from_millis(999));
    }
    let sent = world.sent - before;
    assert!(sent < 620, "{sent} datagrams in ten minutes");
}
