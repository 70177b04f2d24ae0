//! The machine contract, and what an allocation weighs.

#![allow(clippy::unwrap_used, reason = "a test is allowed to end here")]

use std::time::Duration;

use proptest::prelude::*;
use talkie_sansio::conformance::{Input, check};
use talkie_sansio::{Genesis, Machine as _, Path, Transport};
use talkie_traversal::stun::attributes::{
    AdditionalAddressFamily, AddressFamily, ChannelNumber, EvenPort, Lifetime,
    RequestedAddressFamily, RequestedTransport, ReservationToken, XorPeerAddress,
};
use talkie_traversal::stun::{Class, Method, Writer};
use talkie_traversal::turn::server::{
    Config, Credentials, Event, Limits, OpenError, RelayAddress, Secret, TurnServer,
};

use crate::turn_world::{Client, UNIX, World, addr, channel_data, secs, send_indication, udp};

fn open_relays(now: std::time::Instant, server: &mut TurnServer, event: Event) {
    if let Event::OpenRelay { relay, .. } = event {
        server.handle_relay_opened(now, relay, Ok(()));
    }
}

fn config() -> Config {
    let v6 = RelayAddress { bind: "::".parse().unwrap(), advertise: "2600::1".parse().unwrap() };
    Config { relay_v6: Some(v6), ..crate::turn_world::config() }
}

/// A script of everything at once, recorded from a world with the kit's genesis.
fn script() -> Vec<Input> {
    let mut world = World::new(config());
    let mut script = Vec::new();
    let mut clients = [Client::ann("198.51.100.1:1"), Client::bob("198.51.100.2:1")];
    clients[1].path.transport = Transport::Tcp;
    let receive = |world: &mut World, script: &mut Vec<Input>, path: Path, bytes: Vec<u8>| {
        world.receive(path, &bytes);
        script.push(Input::Datagram(path, bytes));
    };
    for client in &mut clients {
        let id = world.id();
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, Class::Request, Method::ALLOCATE, id);
        receive(&mut world, &mut script, client.path, bytes);
        let challenge = crate::turn_world::Response { bytes: world.sent.pop_back().unwrap().1 };
        client.learn(&challenge);
        let id = world.id();
        let bytes = client.signed(id, Method::ALLOCATE, |writer| {
            writer.attribute(&RequestedTransport::UDP);
            if client.path.transport == Transport::Tcp {
                writer.attribute(&AdditionalAddressFamily(AddressFamily::IPV6));
            } else {
                writer.attribute(&EvenPort { reserve_next: true });
            }
        });
        for _ in 0..2 {
            receive(&mut world, &mut script, client.path, bytes.clone());
        }
        let id = world.id();
        let bytes = client.signed(id, Method::CHANNEL_BIND, |writer| {
            writer
                .attribute(&ChannelNumber::new(0x4000).unwrap())
                .attribute(&XorPeerAddress(addr("8.8.8.8:1")));
        });
        receive(&mut world, &mut script, client.path, bytes);
        for bytes in [
            channel_data(0x4000, b"data"),
            send_indication(addr("8.8.8.8:2"), b"data"),
            vec![0xff; 30],
            vec![0; 20],
        ] {
            receive(&mut world, &mut script, client.path, bytes);
        }
        for relay in world.open_relays() {
            for peer in ["8.8.8.8:1", "8.8.8.8:2", "9.9.9.9:1"] {
                let path = Path { transport: Transport::Udp, local: relay, remote: addr(peer) };
                receive(&mut world, &mut script, path, b"from a peer".to_vec());
            }
        }
        script.push(Input::Elapse(Duration::from_millis(7)));
        world.elapse(Duration::from_millis(7));
    }
    for seconds in [31, 299, 301, 3600] {
        script.push(Input::Elapse(secs(seconds)));
        script.push(Input::Datagram(clients[0].path, channel_data(0x4000, b"late")));
    }
    script
}

#[test]
fn the_machine_keeps_the_contract() {
    let make = |genesis: Genesis| {
        assert_eq!(genesis.unix, UNIX);
        TurnServer::new(genesis, config()).unwrap()
    };
    let script = script();
    check(make, || open_relays, &script, Limits::default().queued_datagrams + 8);
    let record = talkie_sansio::conformance::run(make, open_relays, &script);
    let count = |name: &str| record.events.iter().filter(|event| event.starts_with(name)).count();
    assert_eq!((count("Allocated"), count("Released")), (2, 2), "{:?}", record.events);
    assert_eq!(count("OpenRelay"), count("CloseRelay"));
    assert!(record.transmits.len() > 15);
}

#[test]
fn requests_beyond_what_the_driver_takes_are_dropped_and_counted() {
    let limits = Limits { queued_events: 8, ..Limits::default() };
    let mut world = World::new(Config { limits, ..config() });
    let mut requests = Vec::new();
    for port in 1..=20 {
        let mut ann = Client::ann(&format!("198.51.100.1:{port}"));
        assert_eq!(ann.refresh(&mut world, 600).code(), 437, "learns its nonce");
        let id = world.id();
        let bytes = ann.signed(id, Method::ALLOCATE, |writer| {
            writer.attribute(&RequestedTransport::UDP);
        });
        requests.push((ann.path, bytes));
    }
    for (path, mut payload) in requests {
        let payload = &mut payload[..];
        world.server.handle_datagram(world.now, talkie_sansio::Datagram { path, payload });
    }
    let garbage = Path { transport: Transport::Tcp, ..udp("192.0.2.1:3478", "198.51.100.9:1") };
    for _ in 0..100 {
        let payload = &mut [0xff; 8][..];
        world.server.handle_datagram(world.now, talkie_sansio::Datagram { path: garbage, payload });
    }
    assert_eq!(world.server.stats().drops.queue_full, 12);
    world.drain();
    assert_eq!(world.server.allocations(), 8);
    assert!(world.events.len() <= 16, "an opening and an allocation each");
}

#[test]
fn quotas_are_per_user_and_overall() {
    let limits = Limits {
        allocations: 5,
        allocations_per_user: 3,
        permissions_per_allocation: 2,
        channels_per_allocation: 2,
        ..Limits::default()
    };
    let mut world = World::new(Config { limits, ..config() });
    let allocate =
        |world: &mut World, client: &mut Client| client.allocate_with(world, |_| {}).code();
    let mut anns: Vec<_> =
        (1..=4).map(|port| Client::ann(&format!("198.51.100.1:{port}"))).collect();
    let codes: Vec<_> = anns.iter_mut().map(|ann| allocate(&mut world, ann)).collect();
    assert_eq!(codes, [0, 0, 0, 486]);
    // The parts of a limited name that change do not make another user.
    let limited = |port: u16, expiry: u64| {
        let issued = Secret::new(crate::turn_world::SECRET).issue(
            UNIX + secs(expiry),
            "call",
            (expiry == 20).then(|| "1.2.3.4".parse().unwrap()),
        );
        let path = udp(crate::turn_world::SERVER, &format!("198.51.100.3:{port}"));
        Client::new(path, &issued.username, &issued.password)
    };
    assert_eq!(allocate(&mut world, &mut limited(1, 10)), 0);
    assert_eq!(allocate(&mut world, &mut limited(2, 20)), 0);
    assert_eq!(allocate(&mut world, &mut limited(3, 30)), 508, "the server is full");
    assert_eq!(world.server.stats().users_now, 2);
    // What ends makes room.
    anns[0].refresh(&mut world, 0);
    assert_eq!(allocate(&mut world, &mut limited(3, 30)), 0);
    assert_eq!(anns[3].allocate_with(&mut world, |_| {}).code(), 508);

    let ann = &mut anns[1];
    for (peer, code) in [("1.1.1.1:1", 0), ("1.1.1.2:1", 0), ("1.1.1.3:1", 508), ("1.1.1.1:9", 0)] {
        assert_eq!(ann.permit(&mut world, peer), code, "{peer}");
    }
    assert_eq!(ann.bind(&mut world, 0x4000, addr("1.1.1.1:1")), 0);
    assert_eq!(ann.bind(&mut world, 0x4001, addr("1.1.1.1:2")), 0);
    assert_eq!(ann.bind(&mut world, 0x4002, addr("1.1.1.1:3")), 508);
    assert_eq!(ann.bind(&mut world, 0x4003, addr("1.1.1.4:3")), 508);
    // Permissions that ended are no burden.
    world.elapse(secs(300));
    assert_eq!(ann.permit(&mut world, "1.1.1.3:1"), 0);
}

#[test]
fn a_reservation_counts_against_its_user() {
    let limits = Limits { allocations_per_user: 3, ..Limits::default() };
    let mut world = World::new(Config { limits, ..config() });
    let reserve = |world: &mut World, port: u16| {
        let mut ann = Client::ann(&format!("198.51.100.1:{port}"));
        let response = ann.allocate_with(world, |writer| {
            writer.attribute(&EvenPort { reserve_next: true });
        });
        ann.refresh(world, 0);
        response.code()
    };
    assert_eq!(reserve(&mut world, 1), 0);
    assert_eq!(reserve(&mut world, 2), 0);
    // Both allocations are gone, both reservations remain.
    assert_eq!(reserve(&mut world, 3), 486);
    world.elapse(secs(30));
    assert_eq!(reserve(&mut world, 4), 0);
}

#[test]
fn an_address_has_its_share_whatever_names_it_brings() {
    let limits = Limits { allocations_per_address: 3, ..Limits::default() };
    // Whichever way a client comes, it is told an IPv4 relay.
    let [bind, advertise] = ["0.0.0.0", "9.9.9.9"].map(|ip| ip.parse().unwrap());
    let relay_v4 = Some(RelayAddress { bind, advertise });
    let mut world = World::new(Config { limits, relay_v4, ..config() });
    let mut serial = 0;
    let mut visitor = |world: &mut World, local: &str, ip: &str, reserve_next: bool| {
        serial += 1;
        let path = udp(local, &format!("{ip}:{serial}"));
        let mut client = Client::limited(path, &format!("visitor {serial}"), None);
        let response = client.allocate_with(world, |writer| {
            let even = EvenPort { reserve_next };
            writer.optional(Some(&even).filter(|_| reserve_next));
        });
        (response.code(), client)
    };
    let v4 = crate::turn_world::SERVER;
    let (first, mut reserver) = visitor(&mut world, v4, "198.51.100.1", true);
    assert_eq!((first, visitor(&mut world, v4, "198.51.100.1", false).0), (0, 0));
    // A socket of another kind makes no other address.
    let (local, mapped) = ("[::ffff:192.0.2.1]:3478", "[::ffff:198.51.100.1]");
    assert_eq!(visitor(&mut world, local, mapped, false).0, 486);
    assert_eq!(visitor(&mut world, v4, "198.51.100.2", false).0, 0);
    // The reserved port counts until its time is over.
    reserver.refresh(&mut world, 0);
    assert_eq!(visitor(&mut world, v4, "198.51.100.1", false).0, 0);
    assert_eq!(visitor(&mut world, v4, "198.51.100.1", false).0, 486);
    world.elapse(secs(30));
    assert_eq!(visitor(&mut world, v4, "198.51.100.1", false).0, 0);

    let v6 = "[2001:470::1]:3478";
    for (ip, code) in [
        ("[2600::1]", 0),
        ("[2600::2]", 0),
        ("[2600::1:2:3:4]", 0),
        ("[2600::ffff:1:1:1]", 486),
        ("[2600:0:0:1::1]", 0),
    ] {
        assert_eq!(visitor(&mut world, v6, ip, false).0, code, "{ip}");
    }
}

#[test]
fn a_token_is_no_way_around_a_quota() {
    let limits = Limits { allocations_per_user: 2, ..Limits::default() };
    let mut world = World::new(Config { limits, ..config() });
    let mut ann = Client::ann("198.51.100.1:1");
    let response = ann.allocate_with(&mut world, |writer| {
        writer.attribute(&EvenPort { reserve_next: true });
    });
    let token = response.message().get::<ReservationToken>().unwrap().unwrap();
    let bring = |world: &mut World, mut client: Client| {
        let bring = |writer: &mut Writer<'_>| {
            writer.attribute(&token);
        };
        client.allocate_with(world, bring).code()
    };
    for port in 1..=2 {
        Client::bob(&format!("198.51.100.2:{port}")).allocate(&mut world);
    }
    assert_eq!(bring(&mut world, Client::bob("198.51.100.2:3")), 486);
    // For who made the reservation it takes the place that it held.
    assert_eq!(bring(&mut world, Client::ann("198.51.100.1:2")), 0);
    assert_eq!(bring(&mut world, Client::ann("198.51.100.1:3")), 508, "it was good once");
    assert_eq!(Client::ann("198.51.100.1:4").allocate_with(&mut world, |_| {}).code(), 486);
}

#[test]
fn every_port_of_the_range_is_found_and_no_other() {
    let ports = 50_000..=50_019;
    let config = Config { ports: ports.clone(), ..config() };
    let mut world = World::new(Config { listeners: vec![addr("192.0.2.1:50007")], ..config });
    let mut taken: Vec<_> = (1..=19)
        .map(|port| Client::ann(&format!("198.51.100.1:{port}")).allocate(&mut world).port())
        .collect();
    let mut late = Client::ann("198.51.100.1:99");
    assert_eq!(late.allocate_with(&mut world, |_| {}).code(), 508);
    taken.sort_unstable();
    assert_eq!(taken, ports.filter(|port| *port != 50_007).collect::<Vec<_>>());
}

#[test]
fn thousands_of_allocations_end_on_time() {
    let limits = Limits { allocations_per_user: 5000, ..Limits::default() };
    let mut world = World::new(Config { limits, ..config() });
    for port in 1..=3000 {
        let mut ann = Client::ann(&format!("198.51.100.1:{port}"));
        ann.allocate(&mut world);
        world.elapse(Duration::from_millis(10));
    }
    assert_eq!(world.server.allocations(), 3000);
    world.elapse(secs(600) - secs(15));
    let halfway = world.server.allocations();
    assert!((1490..=1510).contains(&halfway), "{halfway}");
    world.elapse(secs(16));
    assert_eq!(world.server.allocations(), 0);
    assert_eq!(world.server.poll_timeout(), None);
    assert_eq!(world.server.stats().relays_now, 0);
}

/// What may happen to a server, openings that fail or are never answered included.
#[derive(Clone, Debug)]
enum Step {
    /// Allocate with EVEN-PORT (R), a second family, or the last token.
    Allocate(usize, Option<bool>, bool, bool),
    Refresh(usize, u64, Option<AddressFamily>),
    Bind(usize, u16),
    Disconnect(usize),
    Opening(Option<OpenError>),
    Silent(bool),
    Elapse(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..4_usize;
    let failure = prop_oneof![Just(OpenError::PortTaken), Just(OpenError::Failed)];
    let family = prop_oneof![Just(AddressFamily::IPV4), Just(AddressFamily::IPV6)];
    prop_oneof![
        6 => (client.clone(), any::<Option<bool>>(), any::<bool>(), any::<bool>())
            .prop_map(|(client, even, dual, token)| Step::Allocate(client, even, dual, token)),
        3 => (client.clone(), prop_oneof![Just(0), Just(600), Just(3600)], prop::option::of(family))
            .prop_map(|(client, lifetime, family)| Step::Refresh(client, lifetime, family)),
        1 => (client.clone(), 0x4000..0x4002_u16)
            .prop_map(|(client, number)| Step::Bind(client, number)),
        1 => client.prop_map(Step::Disconnect),
        3 => prop::option::of(failure).prop_map(Step::Opening),
        1 => any::<bool>().prop_map(Step::Silent),
        2 => prop_oneof![Just(1), Just(11), Just(31), Just(601)].prop_map(Step::Elapse),
    ]
}

/// Sends a request without expecting an answer.
fn ask(world: &mut World, client: &mut Client, method: Method, fill: impl Fn(&mut Writer<'_>)) {
    for _ in 0..2 {
        let id = world.id();
        world.receive(client.path, &client.signed(id, method, &fill));
        let Some((_, bytes)) = world.sent.pop_back() else { return };
        let response = crate::turn_world::Response { bytes };
        world.sent.clear();
        if !matches!(response.code(), 401 | 438) {
            return;
        }
        client.learn(&response);
    }
}

fn apply(world: &mut World, clients: &mut [Client], token: &mut ReservationToken, step: Step) {
    match step {
        Step::Allocate(index, even, dual, with_token) => {
            let brought = *token;
            let client = &mut clients[index];
            ask(world, client, Method::REFRESH, |_| {});
            let id = world.id();
            let bytes = client.signed(id, Method::ALLOCATE, |writer| {
                writer.attribute(&RequestedTransport::UDP);
                writer.optional(Some(&brought).filter(|_| with_token));
                let even = even.map(|reserve_next| EvenPort { reserve_next });
                writer.optional(even.as_ref());
                let second = AdditionalAddressFamily(AddressFamily::IPV6);
                writer.optional(Some(&second).filter(|_| dual));
            });
            world.receive(client.path, &bytes);
            while let Some((_, bytes)) = world.sent.pop_front() {
                let response = crate::turn_world::Response { bytes };
                if let Ok(Some(new)) = response.message().get::<ReservationToken>() {
                    *token = new;
                }
            }
        }
        Step::Refresh(index, lifetime, family) => {
            ask(world, &mut clients[index], Method::REFRESH, |writer| {
                let family = family.map(RequestedAddressFamily);
                writer.attribute(&Lifetime(secs(lifetime))).optional(family.as_ref());
            });
        }
        Step::Bind(index, number) => {
            ask(world, &mut clients[index], Method::CHANNEL_BIND, |writer| {
                writer
                    .attribute(&ChannelNumber::new(number).unwrap())
                    .attribute(&XorPeerAddress(addr("8.8.8.8:1")));
            });
        }
        Step::Disconnect(index) => {
            world.server.handle_disconnect(world.now, clients[index].path);
            world.drain();
        }
        Step::Opening(failure) => world.openings.push_back(failure.map_or(Ok(()), Err)),
        Step::Silent(silent) => world.silent = silent,
        Step::Elapse(seconds) => world.elapse(secs(seconds)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happened_nothing_is_left_behind(steps in prop::collection::vec(step(), 1..80)) {
        // Few ports, so that they run out.
        let limits = Limits { allocations_per_address: 8, ..Limits::default() };
        let mut world = World::new(Config { ports: 50_000..=50_007, limits, ..config() });
        let mut clients: Vec<_> =
            (1..=4).map(|port| Client::ann(&format!("198.51.100.1:{port}"))).collect();
        let mut token = ReservationToken([0; 8]);
        for step in steps {
            apply(&mut world, &mut clients, &mut token, step);
            // What the driver holds is what the server thinks it holds.
            let open = world.open_relays();
            prop_assert_eq!(open.len(), world.server.stats().relays_now);
        }
        world.elapse(secs(3601));
        let stats = world.server.stats();
        prop_assert_eq!((stats.relays_now, stats.reservations_now, stats.users_now), (0, 0, 0));
        prop_assert!(stats.allocations.values().all(|kind| kind.now == 0));
        prop_assert_eq!(world.server.allocations(), 0);
        prop_assert_eq!(world.server.poll_timeout(), None);
        prop_assert!(world.open_relays().is_empty());
        // The whole share of the address is there again.
        world.sent.clear();
        (world.silent, world.openings) = (false, [].into());
        for port in 1..=8 {
            Client::ann(&format!("198.51.100.1:{port}")).allocate(&mut world);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn damaged_packets_do_no_harm(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..200),
    ) {
        let mut world = World::new(config());
        let script = script();
        for (index, value) in damage {
            for input in &script {
                let Input::Datagram(path, bytes) = input else { continue };
                let mut bytes = bytes.clone();
                if !bytes.is_empty() {
                    *index.get_mut(&mut bytes) ^= value;
                }
                world.receive(*path, &bytes);
            }
            world.sent.clear();
        }
        prop_assert!(world.server.allocations() <= 2);
        world.elapse(secs(3601));
        prop_assert_eq!(world.server.stats().relays_now, 0);
    }
}

#[test]
fn a_setup_that_cannot_work_is_refused() {
    let refusal = |config: Config| {
        TurnServer::new(talkie_sansio::conformance::genesis(), config).err().map(|e| e.to_string())
    };
    assert_eq!(refusal(config()), None);
    let relay = |bind: &str, advertise: &str| {
        let [bind, advertise] = [bind, advertise].map(|ip| ip.parse().unwrap());
        Some(RelayAddress { bind, advertise })
    };
    let user = |name: &str, password: &str| Credentials {
        secret: None,
        users: vec![(name.to_owned(), password.to_owned())],
    };
    let open = Credentials { secret: Some(Secret::new(*b"")), users: Vec::new() };
    let short = Duration::from_millis(999);
    let mut reversed = 50_000..=50_001;
    reversed.nth(1);
    let table = [
        ("realm", Config { realm: String::new(), ..config() }),
        ("realm", Config { realm: "r".repeat(128), ..config() }),
        ("secret", Config { credentials: open, ..config() }),
        ("passwords", Config { credentials: user("eve", ""), ..config() }),
        ("names", Config { credentials: user("", "pass"), ..config() }),
        ("ports", Config { ports: 0..=1, ..config() }),
        ("ports", Config { ports: reversed, ..config() }),
        ("family", Config { relay_v4: relay("::", "8.8.4.4"), ..config() }),
        ("family", Config { relay_v6: relay("::", "8.8.4.4"), ..config() }),
        ("advertise", Config { advertise_local: false, ..config() }),
        ("lifetimes", Config { default_lifetime: short, ..config() }),
        ("lifetimes", Config { max_lifetime: secs(599), ..config() }),
        ("lifetimes", Config { nonce_lifetime: Duration::ZERO, ..config() }),
        ("lifetimes", Config { reservation_lifetime: short, ..config() }),
    ];
    for (word, config) in table {
        let refusal = refusal(config).unwrap();
        assert!(refusal.contains(word), "{word}: {refusal}");
    }
}
