//! Which peers a relay reaches, and which it must not. The tables are named after the holes that
//! other servers had.

#![allow(clippy::unwrap_used, reason = "a test is allowed to end here")]

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use talkie_sansio::{Path, Transport};
use talkie_traversal::stun::Method;
use talkie_traversal::stun::attributes::{
    AddressFamily, EvenPort, RequestedAddressFamily, ReservationToken, XorPeerAddress,
};
use talkie_traversal::turn::server::{Config, PeerPolicy, RelayAddress};

use crate::turn_world::{
    Client, SERVER, World, addr, channel_data, config, read_data, send_indication, udp,
};

fn policy(allow: &[&str], deny: &[&str]) -> PeerPolicy {
    let nets = |list: &[&str]| list.iter().map(|net| net.parse().unwrap()).collect();
    PeerPolicy { allow: nets(allow), deny: nets(deny) }
}

/// A client with an allocation of each family in `world`.
fn pair(world: &mut World) -> [Client; 2] {
    let mut v4 = Client::ann("198.51.100.1:1000");
    v4.allocate(world);
    let mut v6 = Client::new(udp("[2001:db8:1::1]:3478", "[2001:db8:2::2]:1000"), "ann", "pass");
    let response = v6.allocate_with(world, |writer| {
        writer.attribute(&RequestedAddressFamily(AddressFamily::IPV6));
    });
    assert!(response.is_success());
    [v4, v6]
}

/// Asserts that CreatePermission and ChannelBind answer `expected` for every peer.
fn assert_codes(config: Config, peers: &[&str], expected: u16) {
    let mut world = World::new(config);
    let [mut v4, mut v6] = pair(&mut world);
    for (index, peer) in (0x4000..).zip(peers) {
        let peer = SocketAddr::new(peer.parse().unwrap(), 80);
        let client = if peer.is_ipv4() { &mut v4 } else { &mut v6 };
        assert_eq!(client.permit_at(&mut world, peer), expected, "permission for {peer}");
        assert_eq!(client.bind(&mut world, index, peer), expected, "channel to {peer}");
        if expected != 0 {
            let path = client.path;
            assert_eq!(world.exchange(path, &send_indication(peer, b"x")), None, "{peer}");
            assert_eq!(world.exchange(path, &channel_data(index, b"x")), None, "{peer}");
        }
    }
    if expected == 403 {
        assert_eq!(world.server.stats().denied_peers, 2 * peers.len() as u64);
    }
}

/// Loopback peers reach services that trust the host.
#[test]
fn cve_2018_4058() {
    assert_codes(config(), &["127.0.0.1", "127.9.9.9", "127.255.255.255", "::1"], 403);
}

/// The unspecified address is the host itself on many systems.
#[test]
fn cve_2020_26262() {
    assert_codes(config(), &["0.0.0.0", "0.1.2.3", "::", "::1"], 403);
}

/// Ports, nonces and tokens come from the CSPRNG, so the past tells nothing of the future.
#[test]
fn cve_2025_69217() {
    let allocations = 2000;
    let run = |seed| {
        let limits = talkie_traversal::turn::server::Limits {
            allocations_per_user: 2 * allocations,
            ..Default::default()
        };
        let mut world = World::with_seed(Config { limits, ..config() }, [seed; 32]);
        let mut ports = Vec::new();
        let mut nonces = BTreeSet::new();
        for client in 0..allocations {
            let mut ann = Client::ann(&format!("198.51.100.1:{}", 1000 + client));
            ports.push(ann.allocate(&mut world).port());
            nonces.insert(ann.nonce);
        }
        assert_eq!(nonces.len(), allocations, "every source has its own nonce");
        ports
    };
    let ports = run(1);
    assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), allocations);
    // Spread over the range: each sixteenth of the 16,384 ports has 125 of 2,000, give or take six
    // standard deviations (σ ≈ 10.8).
    let mut sixteenths = [0; 16];
    for port in &ports {
        sixteenths[usize::from((port - 49_152) / 1024)] += 1;
    }
    assert!(sixteenths.iter().all(|count| (60..=190).contains(count)), "{sixteenths:?}");
    // In no order: about half of the neighbours ascend (σ ≈ 13), and steps seldom repeat.
    let ascending = ports.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((920..=1080).contains(&ascending), "{ascending}");
    let steps: BTreeSet<_> = ports.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    assert!(steps.len() > 1800, "{}", steps.len());
    // Another seed, other ports: only chance puts one at the same place (0.12 expected).
    let others = run(2);
    let same = ports.iter().zip(&others).filter(|(a, b)| a == b).count();
    assert!(same < 5, "{same}");
}

/// IPv4 addresses written as IPv6.
#[test]
fn cve_2026_27624() {
    let peers = [
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::127.0.0.1",
        "2002:7f00:1::1",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "::ffff:10.0.0.1",
        "::ffff:0.0.0.0",
        "::ffff:255.255.255.255",
        // Teredo with server 8.8.8.8 and client 127.0.0.1, and with server 10.0.0.1.
        "2001:0:808:808::80ff:fffe",
        "2001:0:a00:1::f7f7:fbfb",
        // ISATAP under any prefix, 6to4's included.
        "2600::5efe:7f00:1",
        "2600::200:5efe:a9fe:a9fe",
        "2002:808:808::5efe:a00:1",
    ];
    assert_codes(config(), &peers, 403);
}

#[test]
fn every_special_class_is_refused_by_default() {
    let peers = [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.8",
        "203.0.113.1",
        "198.18.0.1",
        "192.88.99.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "fd00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
        "2001:2::1",
        "100::1",
        "4000::1",
    ];
    assert_codes(config(), &peers, 403);
    assert_codes(config(), &["8.8.8.8", "1.1.1.1", "2001:4860:4860::8888"], 0);
}

#[test]
fn what_the_operator_names_is_allowed_and_what_it_denies_is_not() {
    let peers = policy(&["10.0.0.0/8", "fd00::/8", "127.0.0.1/32"], &["10.1.0.0/16", "8.8.8.8/32"]);
    let config = Config { peers, ..config() };
    assert_codes(config.clone(), &["10.2.0.1", "fd00::1", "127.0.0.1", "::ffff:10.2.0.1"], 0);
    assert_codes(
        config,
        &["10.1.0.1", "8.8.8.8", "::ffff:10.1.0.1", "64:ff9b::808:808", "127.0.0.2", "fe80::1"],
        403,
    );
}

#[test]
fn the_servers_own_addresses_can_be_permitted_but_only_relays_reached_there() {
    let mut world = World::new(config());
    let [mut ann, _] = pair(&mut world);
    let own = addr(SERVER);
    assert_eq!(ann.permit_at(&mut world, own), 0);
    for port in [3478, 22, 80, 50_000, 65_535, 0] {
        let peer = SocketAddr::new(own.ip(), port);
        assert_eq!(ann.bind(&mut world, 0x4000, peer), 403, "{peer}");
        assert_eq!(world.exchange(ann.path, &send_indication(peer, b"x")), None, "{peer}");
    }
    assert_eq!(world.server.stats().drops.own_address, 6);
}

#[test]
fn no_port_of_a_loopback_server_is_reached_but_a_relays() {
    let mut world = World::new(Config { listeners: vec![addr("127.0.0.1:3478")], ..config() });
    let mut ann = Client::new(udp("127.0.0.1:3478", "127.0.0.1:1000"), "ann", "pass");
    let relay = ann.allocate(&mut world);
    assert_eq!(ann.permit(&mut world, "127.0.0.1:1"), 0);
    for port in 0..=u16::MAX {
        let peer = SocketAddr::new(relay.ip(), port);
        let sent = world.exchange(ann.path, &send_indication(peer, b"x"));
        // Its own relay is where it meets itself.
        assert_eq!(sent.map(|(path, _)| path), (peer == relay).then_some(ann.path), "{peer}");
    }
    for elsewhere in ["127.0.0.2:1", "127.255.255.255:1", "0.0.0.0:1"] {
        assert_eq!(ann.permit(&mut world, elsewhere), 403, "{elsewhere}");
    }
}

#[test]
fn listeners_are_out_of_reach_even_when_allowed() {
    let config = |listeners: &[&str]| Config {
        listeners: listeners.iter().map(|listener| addr(listener)).collect(),
        peers: policy(&["0.0.0.0/0", "::/0"], &[]),
        ..config()
    };
    let reach = |config: Config, peer: &str| {
        let mut world = World::new(config);
        let [mut v4, mut v6] = pair(&mut world);
        let peer = addr(peer);
        let client = if peer.is_ipv4() { &mut v4 } else { &mut v6 };
        let permitted = client.permit_at(&mut world, peer);
        let bound = client.bind(&mut world, 0x4000, peer);
        let sent = world.exchange(client.path, &send_indication(peer, b"x")).is_some();
        assert_eq!(bound == 0, sent, "{peer}");
        (permitted, bound)
    };
    let exact = ["192.0.2.1:3478", "192.0.2.1:5349", "[2001:db8:1::1]:3478"];
    for listener in exact.into_iter().chain(["[::ffff:192.0.2.1]:3478", "[::192.0.2.1]:5349"]) {
        assert_eq!(reach(config(&exact), listener), (0, 403), "{listener}");
    }
    // Other ports of our own address are allowed by name.
    assert_eq!(reach(config(&exact), "192.0.2.1:80"), (0, 0));
    // A wildcard is met at every address that is ours or may be.
    let wildcard = ["0.0.0.0:3478"];
    for listener in ["192.0.2.1:3478", "127.0.0.1:3478", "127.5.5.5:3478", "10.0.0.1:3478"] {
        assert_eq!(reach(config(&wildcard), listener), (0, 403), "{listener}");
    }
    assert_eq!(reach(config(&wildcard), "[::ffff:127.0.0.1]:3478"), (0, 403));
    assert_eq!(reach(config(&wildcard), "10.0.0.1:3479"), (0, 0));
    assert_eq!(reach(config(&wildcard), "8.8.8.8:3478"), (0, 0));
}

/// Two clients whose relays have channels to each other; what one sends the other receives.
fn assert_connected(world: &mut World, ann: &mut Client, bob: &mut Client, to: [SocketAddr; 2]) {
    assert_eq!(ann.bind(world, 0x4001, to[1]), 0);
    assert_eq!(bob.bind(world, 0x4002, to[0]), 0);
    let sent = world.exchange(ann.path, &channel_data(0x4001, b"from ann"));
    assert_eq!(sent, Some((bob.path, channel_data(0x4002, b"from ann"))));
    let sent = world.exchange(bob.path, &channel_data(0x4002, b"from bob"));
    assert_eq!(sent, Some((ann.path, channel_data(0x4001, b"from bob"))));
}

#[test]
fn relays_reach_each_other_inside_the_server() {
    // On loopback, on private addresses and behind a 1:1 NAT alike.
    for server in ["127.0.0.1:3478", "192.168.1.10:3478", "8.8.4.4:3478", "[::1]:3478"] {
        let mut world = World::new(Config { listeners: vec![addr(server)], ..config() });
        let client =
            |remote: &str, user, password| Client::new(udp(server, remote), user, password);
        let (mut ann, mut bob) = if addr(server).is_ipv4() {
            (client("198.51.100.1:1", "ann", "pass"), client("198.51.100.2:1", "bob", "word"))
        } else {
            (client("[2001:db8::1]:1", "ann", "pass"), client("[2001:db8::2]:1", "bob", "word"))
        };
        let wire = if addr(server).is_ipv4() { AddressFamily::IPV4 } else { AddressFamily::IPV6 };
        let [a, b] = [&mut ann, &mut bob].map(|client| {
            let response = client.allocate_with(&mut world, |writer| {
                writer.attribute(&RequestedAddressFamily(wire));
            });
            response.relayed()[0]
        });
        assert_eq!(a.ip(), addr(server).ip());
        // The receiver's own permission counts: bob has none yet.
        assert_eq!(ann.bind(&mut world, 0x4001, b), 0);
        assert_eq!(world.exchange(ann.path, &channel_data(0x4001, b"x")), None);
        // Without a channel it is a Data indication.
        assert_eq!(bob.permit_at(&mut world, a), 0);
        let (path, bytes) = world.exchange(ann.path, &send_indication(b, b"hi")).unwrap();
        assert_eq!((path, read_data(&bytes)), (bob.path, (a, b"hi".to_vec())));
        assert_connected(&mut world, &mut ann, &mut bob, [a, b]);
        let stats = world.server.stats();
        assert_eq!((stats.inside.packets, stats.to_peers.packets), (3, 0));
        // A relay that is gone is not a way to anything else.
        bob.refresh(&mut world, 0);
        assert_eq!(world.exchange(ann.path, &channel_data(0x4001, b"x")), None);
        assert_eq!(world.server.stats().drops.own_address, 1);
    }
}

#[test]
fn relays_reach_each_other_at_the_operators_address() {
    let relay =
        RelayAddress { bind: "0.0.0.0".parse().unwrap(), advertise: "8.8.4.4".parse().unwrap() };
    let config = Config {
        relay_v4: Some(relay),
        relay_v6: None,
        advertise_local: false,
        // Even the policy cannot forbid it: a call between two relayed clients has no other way.
        peers: policy(&[], &["0.0.0.0/0"]),
        ..config()
    };
    let mut world = World::new(config);
    let (mut ann, mut bob) = (Client::ann("198.51.100.1:1"), Client::bob("198.51.100.2:1"));
    let to = [ann.allocate(&mut world), bob.allocate(&mut world)];
    assert_eq!(to[0].ip(), relay.advertise);
    assert_connected(&mut world, &mut ann, &mut bob, to);
}

#[test]
fn relays_reach_each_other_at_a_named_address() {
    let mut world = World::new(config());
    let client = |remote: &str, name| Client::limited(udp(SERVER, remote), name, Some("8.8.4.4"));
    let (mut ann, mut bob) = (client("198.51.100.1:1", "a"), client("198.51.100.2:1", "b"));
    let to = [ann.allocate(&mut world), bob.allocate(&mut world)];
    assert_eq!(to[0].ip().to_string(), "8.8.4.4");
    assert_connected(&mut world, &mut ann, &mut bob, to);
}

#[test]
fn a_claimed_address_diverts_nobody_elses_traffic() {
    let victim: IpAddr = "8.8.8.8".parse().unwrap();
    let mut world = World::new(config());
    let mut liar = Client::limited(udp(SERVER, "198.51.100.66:1"), "liar", Some("8.8.8.8"));
    let lie = liar.allocate(&mut world);
    assert_eq!(lie.ip(), victim);
    assert_eq!(liar.permit(&mut world, SERVER), 0);

    // An honest client talks to a real peer that has the same address and port as the lie.
    let mut ann = Client::ann("198.51.100.1:1");
    let honest = ann.allocate(&mut world);
    assert_eq!(ann.bind(&mut world, 0x4000, lie), 0);
    let (path, bytes) = world.exchange(ann.path, &channel_data(0x4000, b"secret")).unwrap();
    assert_eq!((path.remote, path.transport, &bytes[..]), (lie, Transport::Udp, &b"secret"[..]));
    assert_eq!(path.local.port(), honest.port());

    // Nor does the liar get to speak for the claimed address: neither at the honest client's real
    // address, where it shows as what it is …
    assert_eq!(ann.permit_at(&mut world, SocketAddr::new(victim, 1)), 0);
    assert_eq!(liar.bind(&mut world, 0x4001, honest), 0);
    assert_eq!(world.exchange(liar.path, &channel_data(0x4001, b"x")), None);
    assert_eq!(ann.permit_at(&mut world, addr(SERVER)), 0);
    let (_, bytes) = world.exchange(liar.path, &channel_data(0x4001, b"x")).unwrap();
    assert_eq!(read_data(&bytes).0, SocketAddr::new(addr(SERVER).ip(), lie.port()));
    // … nor at the claimed one, where nobody else is.
    let wrong = SocketAddr::new(victim, honest.port());
    assert_eq!(liar.bind(&mut world, 0x4002, wrong), 403);
    assert_eq!(world.exchange(liar.path, &send_indication(wrong, b"x")), None);
}

#[test]
fn a_claimed_address_opens_nothing() {
    for claim in ["127.0.0.1", "169.254.169.254", "10.0.0.1"] {
        let mut world = World::new(config());
        let mut liar = Client::limited(udp(SERVER, "198.51.100.66:1"), "liar", Some(claim));
        liar.allocate(&mut world);
        let peer = addr(&format!("{claim}:80"));
        // It may be permitted, because it counts as the liar's own relay's; but nothing goes there.
        assert_eq!(liar.permit_at(&mut world, peer), 0);
        assert_eq!(liar.bind(&mut world, 0x4000, peer), 403);
        assert_eq!(world.exchange(liar.path, &send_indication(peer, b"x")), None);
        // And it opens it for nobody else.
        let mut ann = Client::ann("198.51.100.1:1");
        ann.allocate(&mut world);
        assert_eq!(ann.permit_at(&mut world, peer), 403);
    }
}

/// What is claimed is one writing of an address; what is judged is the address.
#[test]
fn a_claimed_address_opens_nothing_in_any_writing() {
    for claim in ["::ffff:127.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::1", "fd00::1"] {
        let mut world = World::new(config());
        let path = udp("[2001:db8:1::1]:3478", "[2001:db8:2::2]:1000");
        let mut liar = Client::limited(path, "liar", Some(claim));
        let response = liar.allocate_with(&mut world, |writer| {
            writer.attribute(&RequestedAddressFamily(AddressFamily::IPV6));
        });
        assert_eq!(response.relayed()[0].ip().to_string(), claim);
        let peer = addr(&format!("[{claim}]:80"));
        assert_eq!(liar.permit_at(&mut world, peer), 0);
        assert_eq!(liar.bind(&mut world, 0x4000, peer), 403, "{claim}");
        assert_eq!(world.exchange(path, &send_indication(peer, b"x")), None, "{claim}");
    }
}

#[test]
fn an_address_that_was_ours_opens_nothing_when_it_no_longer_is() {
    let mut world = World::new(Config { listeners: vec![addr("0.0.0.0:3478")], ..config() });
    // Clients reach the server at a private address; while they do, it is one of ours.
    let other = |remote, user, password| Client::new(udp("10.0.0.1:3478", remote), user, password);
    let mut bob = other("10.0.0.2:1", "bob", "word");
    let relay = bob.allocate(&mut world);
    let mut ann = Client::ann("198.51.100.1:1");
    ann.allocate(&mut world);
    assert_eq!(ann.permit_at(&mut world, relay), 0);
    assert_eq!(ann.bind(&mut world, 0x4000, relay), 0);
    bob.refresh(&mut world, 0);
    // What was permitted was bob's relay, not what else listens there.
    assert_eq!(world.exchange(ann.path, &channel_data(0x4000, b"x")), None);
    for port in [relay.port(), 22, 53] {
        let peer = SocketAddr::new(relay.ip(), port);
        assert_eq!(world.exchange(ann.path, &send_indication(peer, b"x")), None, "{peer}");
    }
    assert_eq!(ann.permit_at(&mut world, relay), 403);
}

#[test]
fn our_own_addresses_are_ours_in_any_writing() {
    let own = addr("[2001:470::1]:3478");
    let listeners = vec![own, addr("8.8.4.4:3478"), addr("0.0.0.0:5349")];
    let mut world = World::new(Config { listeners, ..config() });
    let mut ann = Client::new(udp("[2001:470::1]:3478", "[2600::2]:1"), "ann", "pass");
    let response = ann.allocate_with(&mut world, |writer| {
        writer.attribute(&RequestedAddressFamily(AddressFamily::IPV6));
    });
    assert!(response.is_success());
    let writings = [
        "::ffff:8.8.4.4",
        "64:ff9b::808:404",
        // 6to4, Teredo (as server and as client) and ISATAP end at 8.8.4.4 too.
        "2002:808:404::1",
        "2001:0:808:404::f7f7:f7f7",
        "2001:0:808:808::f7f7:fbfb",
        "2600::5efe:808:404",
        "2600::200:5efe:808:404",
    ];
    for ip in writings {
        for port in [3478, 5349, 53] {
            let peer = SocketAddr::new(ip.parse().unwrap(), port);
            assert_eq!(ann.bind(&mut world, 0x4000, peer), 403, "{peer}");
            ann.permit_at(&mut world, peer);
            assert_eq!(world.exchange(ann.path, &send_indication(peer, b"x")), None, "{peer}");
        }
    }
}

#[test]
fn an_address_of_ours_on_a_dual_stack_socket_is_ours() {
    // The listener is not named to the machine, so that only the packets tell.
    let mut world = World::new(Config { listeners: Vec::new(), ..config() });
    let path = udp("[::ffff:8.8.4.4]:3478", "[::ffff:198.51.100.1]:1");
    let mut ann = Client::new(path, "ann", "pass");
    assert_eq!(ann.allocate(&mut world).ip().to_string(), "8.8.4.4");
    let mut bob = Client::bob("198.51.100.2:1");
    bob.allocate(&mut world);
    assert_eq!(bob.bind(&mut world, 0x4000, addr("8.8.4.4:53")), 403);
}

#[test]
fn a_peer_of_the_other_family_is_a_mismatch() {
    let mut world = World::new(config());
    let [mut v4, mut v6] = pair(&mut world);
    let (four, six) = (addr("8.8.8.8:1"), addr("[2001:4860:4860::8888]:1"));
    assert_eq!(v4.permit_at(&mut world, six), 443);
    assert_eq!(v6.permit_at(&mut world, four), 443);
    assert_eq!(v4.bind(&mut world, 0x4000, six), 443);
    assert_eq!(world.exchange(v4.path, &send_indication(six, b"x")), None);
}

#[test]
fn permissions_come_all_or_none() {
    let mut world = World::new(config());
    let [mut ann, _] = pair(&mut world);
    let mut permit = |world: &mut World, peers: &[&str]| {
        ann.request(world, Method::CREATE_PERMISSION, |writer| {
            for peer in peers {
                writer.attribute(&XorPeerAddress(addr(peer)));
            }
        })
        .code()
    };
    assert_eq!(permit(&mut world, &[]), 400);
    assert_eq!(permit(&mut world, &["8.8.8.8:1", "10.0.0.1:1"]), 403);
    assert_eq!(permit(&mut world, &["8.8.8.8:1", "[2001:4860:4860::8888]:1"]), 443);
    let path = ann.path;
    assert_eq!(world.exchange(path, &send_indication(addr("8.8.8.8:1"), b"x")), None);
    let mut permit = |world: &mut World, peers: &[&str]| {
        ann.request(world, Method::CREATE_PERMISSION, |writer| {
            for peer in peers {
                writer.attribute(&XorPeerAddress(addr(peer)));
            }
        })
        .code()
    };
    assert_eq!(permit(&mut world, &["8.8.8.8:1", "1.1.1.1:1"]), 0);
    for peer in ["8.8.8.8:7", "1.1.1.1:7"] {
        assert!(world.exchange(path, &send_indication(addr(peer), b"x")).is_some());
    }
}

#[test]
fn a_reserved_port_is_not_a_way_in() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1");
    let response = ann.allocate_with(&mut world, |writer| {
        writer.attribute(&EvenPort { reserve_next: true });
    });
    assert!(response.message().get::<ReservationToken>().unwrap().is_some());
    let relayed = response.relayed()[0];
    let reserved = SocketAddr::new(relayed.ip(), relayed.port() + 1);
    assert_eq!(ann.permit_at(&mut world, reserved), 0);
    assert_eq!(world.exchange(ann.path, &send_indication(reserved, b"x")), None);
    let path = Path {
        transport: Transport::Udp,
        local: addr(&format!("0.0.0.0:{}", reserved.port())),
        remote: addr("8.8.8.8:1"),
    };
    assert_eq!(world.exchange(path, b"x"), None);
}
