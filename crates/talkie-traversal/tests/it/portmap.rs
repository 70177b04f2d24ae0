//! Mappings are asked for, kept, noticed when they are gone, and always removed.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use talkie_sansio::{Hosted as _, conformance};
use talkie_traversal::portmap::{Config, Event, Loss, Mapping, Portmap, Protocol, Reason, Reasons};

use crate::portmap_world::{Entry, GATEWAY, Gateway, HOST, INTERNAL, OUTSIDE, Speaks, World};

fn mapped(external: u16, protocol: Protocol) -> Event {
    let external = SocketAddrV4::new(OUTSIDE, external);
    let lifetime = Duration::from_secs(600);
    Event::Mapped(Mapping { external, internal: INTERNAL, lifetime, protocol })
}

fn speaks(pcp: Speaks, nat_pmp: Speaks, igd: Speaks) -> impl FnOnce(&mut Gateway) {
    move |gateway| (gateway.pcp, gateway.nat_pmp, gateway.igd) = (pcp, nat_pmp, igd)
}

/// Each protocol by itself, and what its gateway says to the others.
const ALONE: [(Protocol, [Speaks; 3]); 3] = [
    (Protocol::Pcp, [Speaks::Well, Speaks::OtherOnly, Speaks::Silent]),
    (Protocol::NatPmp, [Speaks::OtherOnly, Speaks::Well, Speaks::Silent]),
    (Protocol::Igd, [Speaks::Silent, Speaks::Silent, Speaks::Well]),
];

#[test]
fn each_protocol_gives_a_mapping_that_is_removed_in_the_end() {
    for (protocol, [pcp, nat_pmp, igd]) in ALONE {
        let mut world = World::new(speaks(pcp, nat_pmp, igd));
        world.seconds(10);
        assert_eq!(world.told(), [mapped(5000, protocol)]);
        assert_eq!(world.gateway.table.keys().collect::<Vec<_>>(), [&5000], "{protocol}");
        let expires = world.gateway.table[&5000].expires - world.now;
        assert!(expires <= Duration::from_secs(600), "a crash would leave it for {expires:?}");
        world.portmap.close(world.now);
        world.seconds(5);
        assert_eq!(world.told(), [Event::Closed]);
        assert!(world.gateway.table.is_empty(), "{protocol}");
        assert!(world.open.is_empty(), "{protocol}: {:?}", world.open);
    }
}

#[test]
fn a_gateway_with_one_hop_answers_at_once() {
    for (protocol, [pcp, nat_pmp, igd]) in &ALONE[..2] {
        let mut world = World::new(speaks(*pcp, *nat_pmp, *igd));
        world.run(Duration::ZERO);
        assert_eq!(world.told(), [mapped(5000, *protocol)]);
    }
}

#[test]
fn the_better_protocol_is_taken_and_only_one_maps() {
    let mut world = World::new(speaks(Speaks::Well, Speaks::Well, Speaks::Well));
    world.seconds(10);
    assert_eq!(world.told(), [mapped(5000, Protocol::Pcp)]);
    let asked = world.asked();
    assert!(!asked.iter().any(|it| it == "nat-pmp 1" || it == "igd AddPortMapping"), "{asked:?}");
    assert!(world.open.len() == 2, "only its sockets: {:?}", world.open);
    let mut world = World::new(speaks(Speaks::Silent, Speaks::Well, Speaks::Well));
    world.seconds(10);
    assert_eq!(world.told(), [mapped(5000, Protocol::NatPmp)]);
    assert!(!world.asked().iter().any(|it| it == "igd AddPortMapping"));
}

#[test]
fn a_mapping_is_renewed_at_half_of_its_life_without_a_word() {
    for (protocol, [pcp, nat_pmp, igd]) in ALONE {
        let mut world = World::new(speaks(pcp, nat_pmp, igd));
        world.seconds(10);
        world.told();
        let first = world.gateway.table[&5000].expires;
        world.seconds(295);
        let second = world.gateway.table[&5000].expires;
        assert!(second > first + Duration::from_secs(290), "{protocol}");
        world.seconds(24 * 3600);
        assert_eq!(world.told(), [], "{protocol}");
        assert!(world.gateway.table[&5000].expires > world.now, "{protocol}");
    }
}

#[test]
fn a_port_that_is_taken_is_left_to_its_owner() {
    for (_, [pcp, nat_pmp, igd]) in ALONE {
        let mut world = World::new(speaks(pcp, nat_pmp, igd));
        let other = SocketAddrV4::new(Ipv4Addr::new(192, 168, 1, 77), 1);
        let theirs = Entry { internal: other, expires: world.now + Duration::from_secs(99_999) };
        world.gateway.table.insert(5000, theirs);
        world.seconds(10);
        let told = world.told();
        let [Event::Mapped(mapping)] = told.as_slice() else { panic!("{told:?}") };
        assert_ne!(mapping.external.port(), 5000);
        world.portmap.close(world.now);
        world.seconds(5);
        assert_eq!(world.gateway.table.into_iter().collect::<Vec<_>>(), [(5000, theirs)]);
    }
}

#[test]
fn a_gateway_that_starts_anew_and_says_so_is_asked_again_within_seconds() {
    for (protocol, [pcp, nat_pmp, igd]) in ALONE {
        let mut world = World::new(speaks(pcp, nat_pmp, igd));
        world.seconds(20);
        assert_eq!(world.told(), [mapped(5000, protocol)]);
        world.gateway.restart(world.now);
        let mut announcement = match protocol {
            Protocol::Pcp => vec![2, 0x80, 0, 0, 0, 0, 0, 0],
            _ => vec![0, 128, 0, 0],
        };
        announcement.extend(world.gateway.epoch(world.now));
        match protocol {
            Protocol::Pcp => announcement.extend([0; 12]),
            _ => announcement.extend(OUTSIDE.octets()),
        }
        world.announce((GATEWAY, 5351), &announcement);
        world.seconds(6);
        assert!(world.gateway.table.contains_key(&5000), "{protocol}");
        assert_eq!(world.told(), [], "it is the same again");
    }
}

#[test]
fn a_gateway_that_comes_up_while_it_is_asked_is_asked_again() {
    let mut world = World::new(|_| {});
    world.seconds(1);
    world.gateway.pcp = Speaks::Well;
    world.gateway.restart(world.now);
    // The questions that are under way are lost.
    world.is_cut = true;
    let announcement = [&[2, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..], &[0; 12]].concat();
    world.announce((GATEWAY, 5351), &announcement);
    world.seconds(3);
    assert!(matches!(world.told().as_slice(), [Event::Unavailable(_)]));
    world.is_cut = false;
    world.seconds(6);
    assert_eq!(world.told(), [mapped(5000, Protocol::Pcp)]);
}

#[test]
fn another_address_outside_is_another_mapping() {
    for (protocol, [pcp, nat_pmp, igd]) in ALONE {
        let mut world = World::new(speaks(pcp, nat_pmp, igd));
        world.seconds(10);
        world.told();
        world.gateway.external = Ipv4Addr::new(203, 0, 113, 10);
        world.seconds(300);
        let told = world.told();
        let [Event::Lost(Loss::Changed), Event::Mapped(mapping)] = told.as_slice() else {
            panic!("{protocol}: {told:?}")
        };
        assert_eq!(*mapping.external.ip(), Ipv4Addr::new(203, 0, 113, 10));
    }
}

#[test]
fn a_gateway_that_falls_silent_is_tried_until_the_mapping_is_over() {
    for (protocol, [pcp, nat_pmp, igd]) in ALONE {
        let mut world = World::new(speaks(pcp, nat_pmp, igd));
        world.seconds(10);
        world.told();
        world.is_cut = true;
        world.seconds(560);
        assert_eq!(world.told(), [], "{protocol}: there is time left");
        world.is_cut = false;
        world.seconds(60);
        assert_eq!(world.told(), [], "{protocol}: it came back in time");
        world.is_cut = true;
        world.seconds(1200);
        let told = world.told();
        assert!(
            matches!(told.as_slice(), [Event::Lost(Loss::Expired), Event::Unavailable(_)]),
            "{protocol}: {told:?}"
        );
        world.is_cut = false;
        world.seconds(1200);
        assert_eq!(world.told(), [mapped(5000, protocol)], "it is asked again");
    }
}

#[test]
fn where_nobody_gives_one_each_reason_is_told_once() {
    let mut world = World::new(speaks(Speaks::Error(2), Speaks::Error(3), Speaks::Error(725)));
    world.seconds(30);
    let reasons =
        Reasons { pcp: Reason::Refused(2), nat_pmp: Reason::Failed(3), igd: Reason::Permanent };
    assert_eq!(
        reasons.to_string(),
        "PCP: refused (code 2); NAT-PMP: failed (code 3); UPnP: only mappings without end"
    );
    assert_eq!(world.told(), [Event::Unavailable(reasons)]);
    world.seconds(3600);
    assert_eq!(world.told(), []);
    assert!(world.gateway.table.is_empty());
    let asked = world.asked().len();
    assert!((20..100).contains(&asked), "{asked} questions in an hour");
    let mut world = World::new(speaks(Speaks::Silent, Speaks::Silent, Speaks::Silent));
    world.seconds(10);
    let silent = Reasons { pcp: Reason::Silent, nat_pmp: Reason::Silent, igd: Reason::Silent };
    assert_eq!(world.told(), [Event::Unavailable(silent)]);
    assert!(world.sent <= 16, "{} datagrams", world.sent);
    world.portmap.close(world.now);
    world.run(Duration::ZERO);
    assert_eq!(world.told(), [Event::Closed], "there is nothing to remove");
}

#[test]
fn a_gateway_without_an_address_gives_nothing() {
    let mut world = World::new(|gateway| {
        (gateway.nat_pmp, gateway.igd) = (Speaks::Well, Speaks::Well);
        gateway.external = Ipv4Addr::UNSPECIFIED;
    });
    world.seconds(10);
    let told = world.told();
    let [Event::Unavailable(reasons)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(reasons.nat_pmp, Reason::NoAddress);
    assert_eq!(reasons.igd, Reason::NoAddress);
    assert!(world.gateway.table.is_empty());
}

#[test]
fn what_is_switched_off_is_not_asked() {
    let config = Config { pcp: false, nat_pmp: false, ..Config::new(GATEWAY, INTERNAL) };
    let mut world = World::with(config, speaks(Speaks::Well, Speaks::Well, Speaks::Well));
    world.seconds(10);
    assert_eq!(world.told(), [mapped(5000, Protocol::Igd)]);
    assert!(world.asked().iter().all(|it| it.starts_with("igd")));
}

#[test]
fn after_a_sleep_the_gateway_is_asked_whether_it_still_maps() {
    for (protocol, [pcp, nat_pmp, igd]) in ALONE {
        let mut world = World::new(speaks(pcp, nat_pmp, igd));
        world.seconds(20);
        assert_eq!(world.told(), [mapped(5000, protocol)]);
        world.asked();
        // The same addresses again; and again, as a card that comes and goes has it.
        world.interfaces(&[HOST]);
        world.interfaces(&[HOST]);
        world.seconds(2);
        assert!(!world.asked().is_empty(), "{protocol}");
        assert_eq!(world.told(), [], "{protocol}: it still does");
        world.seconds(5);
        world.interfaces(&[HOST]);
        world.seconds(2);
        assert_eq!(world.asked().len(), 0, "{protocol}: asked a moment ago");
    }
}

#[test]
fn an_interface_that_goes_takes_the_mapping_along_and_brings_it_back() {
    let mut world = World::new(speaks(Speaks::Well, Speaks::Silent, Speaks::Silent));
    world.interfaces(&[HOST]);
    world.seconds(10);
    assert_eq!(world.told(), [mapped(5000, Protocol::Pcp)]);
    world.interfaces(&[Ipv4Addr::new(10, 0, 0, 1)]);
    let before = world.sent;
    world.seconds(3600);
    assert_eq!(world.told(), [Event::Lost(Loss::Interface)]);
    assert_eq!(world.sent, before, "nobody is asked from there");
    assert!(world.open.is_empty(), "{:?}", world.open);
    world.interfaces(&[HOST]);
    world.seconds(10);
    assert_eq!(world.told(), [mapped(5000, Protocol::Pcp)]);
}

#[test]
fn it_is_closed_at_any_moment_without_a_trace() {
    for (_, [pcp, nat_pmp, igd]) in ALONE {
        for millis in (0..1500).step_by(50) {
            let mut world = World::new(speaks(pcp, nat_pmp, igd));
            world.run(Duration::from_millis(millis));
            world.portmap.close(world.now);
            world.portmap.close(world.now);
            world.seconds(10);
            assert_eq!(world.told().last(), Some(&Event::Closed), "after {millis} ms");
            assert!(world.gateway.table.is_empty(), "after {millis} ms");
            assert!(world.open.is_empty(), "{:?}", world.open);
            assert_eq!(world.settle(), None, "nothing is left to do");
        }
    }
}

#[test]
fn a_gateway_that_is_gone_does_not_hold_up_the_end() {
    for (protocol, [pcp, nat_pmp, igd]) in ALONE {
        let mut world = World::new(speaks(pcp, nat_pmp, igd));
        world.seconds(10);
        world.told();
        world.is_cut = true;
        assert!(world.portmap.mapping().is_some());
        world.portmap.close(world.now);
        assert_eq!(world.portmap.mapping(), None, "{protocol}: it is being removed");
        world.seconds(4);
        assert_eq!(world.told(), [Event::Closed], "{protocol}");
    }
}

#[test]
fn it_keeps_the_contract() {
    use talkie_sansio::conformance::Input;
    use talkie_sansio::{Answer, Path, Transport, Want};

    let local = std::net::SocketAddr::from((HOST, 40_000));
    let make = |genesis| {
        let mut portmap = Portmap::new(&genesis, Config::new(GATEWAY, INTERNAL));
        while let Some(want) = portmap.poll_want() {
            if let Want::Bind { id, .. } = want {
                portmap.handle_answer(genesis.now, Answer::Bound { id, local });
            }
        }
        portmap
    };
    let path = |port| Path { transport: Transport::Udp, local, remote: (GATEWAY, port).into() };
    let address = [&[0, 128, 0, 0, 0, 0, 1, 0][..], &OUTSIDE.octets()].concat();
    let mapping = vec![0, 129, 0, 0, 0, 0, 1, 0, 0x13, 0x88, 0x13, 0x88, 0, 0, 2, 0x58];
    let script = [
        Input::Datagram(path(5351), vec![0, 129, 0, 1, 0, 0, 1, 0]),
        Input::Datagram(path(5351), address),
        Input::Datagram(path(5351), mapping),
        Input::Elapse(Duration::from_secs(310)),
        Input::Datagram(path(1900), vec![0xff; 300]),
        Input::Datagram(path(5351), Vec::new()),
        Input::Elapse(Duration::from_secs(3000)),
    ];
    conformance::check(make, || (), &script, 64);
    let record = conformance::run(make, (), &script);
    assert!(record.events[0].starts_with("Mapped"), "{:?}", record.events);
}
