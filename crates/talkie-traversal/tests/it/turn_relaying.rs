//! Data between clients and peers (RFC 8656 §9 to §12).

#![allow(clippy::unwrap_used, reason = "a test is allowed to end here")]

use talkie_sansio::{Datagram, Machine as _, Path, Transport};
use talkie_traversal::stun::attributes::{
    AddressFamily, AttributeType, ChannelNumber, Data, DontFragment, RequestedAddressFamily,
    XorPeerAddress,
};
use talkie_traversal::stun::{Class, Method, TransactionId, Writer};

use crate::turn_world::{
    Client, World, addr, channel_data, config, read_data, secs, send_indication, udp,
};

const PEER: &str = "8.8.8.8:5000";

#[test]
fn data_passes_both_ways_by_indication_and_by_channel() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    let relayed = ann.allocate(&mut world);
    assert_eq!(relayed.ip(), addr(crate::turn_world::SERVER).ip());
    let bound = world.open_relays()[0];
    assert_eq!(bound.port(), relayed.port());
    let to_peer = Path { transport: Transport::Udp, local: bound, remote: addr(PEER) };

    // Nothing passes without a permission.
    assert_eq!(world.exchange(ann.path, &send_indication(addr(PEER), b"x")), None);
    assert_eq!(world.exchange(to_peer, b"x"), None);

    assert_eq!(ann.permit(&mut world, "8.8.8.8:1"), 0);
    let sent = world.exchange(ann.path, &send_indication(addr(PEER), b"hello")).unwrap();
    assert_eq!(sent, (to_peer, b"hello".to_vec()));
    let (path, bytes) = world.exchange(to_peer, b"world!").unwrap();
    assert_eq!(path, ann.path);
    assert_eq!(read_data(&bytes), (addr(PEER), b"world!".to_vec()));

    assert_eq!(ann.bind(&mut world, 0x4000, addr(PEER)), 0);
    let sent = world.exchange(ann.path, &channel_data(0x4000, b"again")).unwrap();
    assert_eq!(sent, (to_peer, b"again".to_vec()));
    let sent = world.exchange(to_peer, b"and back").unwrap();
    assert_eq!(sent, (ann.path, channel_data(0x4000, b"and back")));
    // Another port of the permitted address has no channel.
    let other = Path { remote: addr("8.8.8.8:5001"), ..to_peer };
    let (_, bytes) = world.exchange(other, b"").unwrap();
    assert_eq!(read_data(&bytes), (addr("8.8.8.8:5001"), Vec::new()));

    let stats = world.server.stats();
    assert_eq!((stats.to_peers.packets, stats.to_peers.bytes), (2, 10));
    assert_eq!((stats.to_clients.packets, stats.to_clients.bytes), (3, 14));
    assert_eq!(stats.drops.no_permission, 2);
    world.elapse(secs(1));
}

fn relay_path(world: &World, peer: &str) -> Path {
    let local = *world.open_relays().last().unwrap();
    Path { transport: Transport::Udp, local, remote: addr(peer) }
}

#[test]
fn permissions_last_five_minutes() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    ann.refresh(&mut world, 3600);
    let peer = relay_path(&world, PEER);
    assert_eq!(ann.permit(&mut world, PEER), 0);
    world.elapse(secs(299));
    assert!(world.exchange(peer, b"x").is_some());
    assert!(world.exchange(ann.path, &send_indication(addr(PEER), b"x")).is_some());
    // Traffic does not prolong a permission (RFC 8656 §9).
    world.elapse(secs(1));
    assert_eq!(world.exchange(peer, b"x"), None);
    assert_eq!(world.exchange(ann.path, &send_indication(addr(PEER), b"x")), None);
    // A request does.
    assert_eq!(ann.permit(&mut world, PEER), 0);
    world.elapse(secs(200));
    assert_eq!(ann.permit(&mut world, PEER), 0);
    world.elapse(secs(200));
    assert!(world.exchange(peer, b"x").is_some());
}

#[test]
fn channels_last_ten_minutes_and_permissions_not_longer_for_it() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    ann.refresh(&mut world, 3600);
    let peer = relay_path(&world, PEER);
    assert_eq!(ann.bind(&mut world, 0x4000, addr(PEER)), 0);
    world.elapse(secs(299));
    assert_eq!(world.exchange(peer, b"x").unwrap().1, channel_data(0x4000, b"x"));
    world.elapse(secs(1));
    assert_eq!(world.exchange(peer, b"x"), None, "the permission that came with it is over");
    assert!(world.exchange(ann.path, &channel_data(0x4000, b"x")).is_some());
    // A permission alone brings the channel back into use.
    assert_eq!(ann.permit(&mut world, PEER), 0);
    assert_eq!(world.exchange(peer, b"x").unwrap().1, channel_data(0x4000, b"x"));
    world.elapse(secs(299));
    assert!(world.exchange(ann.path, &channel_data(0x4000, b"x")).is_some());
    world.elapse(secs(1));
    assert_eq!(world.exchange(ann.path, &channel_data(0x4000, b"x")), None);
    assert_eq!(world.server.stats().drops.no_channel, 1);
}

#[test]
fn a_channel_is_refreshed_by_binding_it_again() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    ann.refresh(&mut world, 3600);
    for _ in 0..5 {
        assert_eq!(ann.bind(&mut world, 0x4000, addr(PEER)), 0);
        world.elapse(secs(500));
    }
    assert!(world.exchange(ann.path, &channel_data(0x4000, b"x")).is_some());
}

#[test]
fn one_channel_has_one_peer_and_one_peer_one_channel() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    ann.refresh(&mut world, 3600);
    let (one, two) = (addr(PEER), addr("8.8.8.8:5001"));
    assert_eq!(ann.bind(&mut world, 0x4000, one), 0);
    assert_eq!(ann.bind(&mut world, 0x4000, two), 400);
    assert_eq!(ann.bind(&mut world, 0x4001, one), 400);
    assert_eq!(ann.bind(&mut world, 0x4001, two), 0);
    for outside in [0x0000, 0x3fff, 0x5000, 0x7fff, 0xffff] {
        assert_eq!(ann.bind(&mut world, outside, addr("8.8.8.8:9")), 400, "{outside:#x}");
    }
    assert_eq!(ann.bind(&mut world, 0x4fff, addr("8.8.8.8:9")), 0);
    // Once unbound, both may be bound anew.
    world.elapse(secs(600));
    assert_eq!(ann.bind(&mut world, 0x4001, one), 0);
    assert_eq!(ann.bind(&mut world, 0x4000, two), 0);
    let peer = relay_path(&world, PEER);
    assert_eq!(world.exchange(peer, b"x").unwrap().1, channel_data(0x4001, b"x"));
    let (path, _) = world.exchange(ann.path, &channel_data(0x4000, b"x")).unwrap();
    assert_eq!(path.remote, two);
}

#[test]
fn a_bind_without_its_attributes_is_malformed() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    let number = ChannelNumber::new(0x4000).unwrap();
    let peer = XorPeerAddress(addr(PEER));
    let without = |world: &mut World, ann: &mut Client, number: Option<_>, peer: Option<_>| {
        ann.request(world, Method::CHANNEL_BIND, |writer| {
            writer.optional(number.as_ref()).optional(peer.as_ref());
        })
        .code()
    };
    assert_eq!(without(&mut world, &mut ann, Some(number), None), 400);
    assert_eq!(without(&mut world, &mut ann, None, Some(peer)), 400);
    assert_eq!(without(&mut world, &mut ann, Some(number), Some(peer)), 0);
}

#[test]
fn channel_data_on_a_stream_is_padded_and_on_udp_it_is_not() {
    let mut world = World::new(config());
    let over_udp = Client::ann("198.51.100.1:1000");
    let path = Path { transport: Transport::Tcp, ..over_udp.path };
    let mut tcp = Client { path, ..over_udp };
    tcp.allocate(&mut world);
    assert_eq!(tcp.bind(&mut world, 0x4000, addr(PEER)), 0);
    let peer = relay_path(&world, PEER);
    for payload in [&b""[..], b"a", b"ab", b"abc", b"abcd"] {
        let mut padded = channel_data(0x4000, payload);
        padded.resize(padded.len().next_multiple_of(4), 0);
        let (_, received) = world.exchange(peer, payload).unwrap();
        assert_eq!(received, padded);
        let (_, sent) = world.exchange(tcp.path, &padded).unwrap();
        assert_eq!(sent, payload, "the padding is not data");
    }
}

#[test]
fn malformed_data_is_dropped() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    assert_eq!(ann.bind(&mut world, 0x4000, addr(PEER)), 0);
    let mut lying = channel_data(0x4000, b"abc");
    lying[3] = 200;
    let mut no_peer = Vec::new();
    Writer::new(&mut no_peer, Class::Indication, Method::SEND, TransactionId([0; 12]))
        .attribute(&Data(b"x"));
    let mut no_data = Vec::new();
    Writer::new(&mut no_data, Class::Indication, Method::SEND, TransactionId([0; 12]))
        .attribute(&XorPeerAddress(addr(PEER)));
    // RFC 8656 §11.2: acts as if the attribute were unknown.
    let mut whole = Vec::new();
    Writer::new(&mut whole, Class::Indication, Method::SEND, TransactionId([0; 12]))
        .attribute(&XorPeerAddress(addr(PEER)))
        .attribute(&DontFragment)
        .attribute(&Data(b"x"));
    for bytes in [&lying[..], &[0x40, 0][..], &[0x4f; 4], &no_peer, &no_data, &whole] {
        assert_eq!(world.exchange(ann.path, bytes), None, "{bytes:x?}");
    }
    let drops = world.server.stats().drops;
    assert_eq!((drops.malformed, drops.unsupported), (5, 1));
}

#[test]
fn dont_fragment_is_ignored_where_addresses_are_ipv6() {
    let mut world = World::new(config());
    let path = udp("[2001:db8:1::1]:3478", "[2001:db8:2::2]:1000");
    let mut ann = Client::new(path, "ann", "pass");
    let response = ann.allocate_with(&mut world, |writer| {
        writer.attribute(&RequestedAddressFamily(AddressFamily::IPV6));
    });
    assert!(response.is_success());
    let peer = addr("[2001:4860:4860::8888]:1");
    assert_eq!(ann.permit_at(&mut world, peer), 0);
    for (unknown, passes) in [(AttributeType::DONT_FRAGMENT, true), (AttributeType(0x7f00), false)]
    {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, Class::Indication, Method::SEND, TransactionId([0; 12]))
            .attribute(&XorPeerAddress(peer))
            .raw(unknown, |_| {})
            .attribute(&Data(b"x"));
        assert_eq!(world.exchange(path, &bytes).is_some(), passes, "{unknown:?}");
    }
}

#[test]
fn an_ended_allocation_relays_nothing() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    assert_eq!(ann.bind(&mut world, 0x4000, addr(PEER)), 0);
    let peer = relay_path(&world, PEER);
    ann.refresh(&mut world, 0);
    assert_eq!(world.exchange(ann.path, &channel_data(0x4000, b"x")), None);
    assert_eq!(world.exchange(peer, b"\x00\x01\x00\x00"), None);
    // What it had is not there for the next one on the same 5-tuple.
    ann.allocate(&mut world);
    assert_eq!(world.exchange(ann.path, &channel_data(0x4000, b"x")), None);
}

#[test]
fn the_longest_datagrams_pass_or_are_dropped_whole() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    assert_eq!(ann.permit(&mut world, PEER), 0);
    let peer = relay_path(&world, PEER);
    for length in [65_000, 65_504, 65_505, 65_507, 65_535] {
        let payload = vec![7; length];
        match world.exchange(peer, &payload) {
            Some((_, bytes)) => assert_eq!(read_data(&bytes).1.len(), length),
            None => assert!(length > 65_504, "{length} bytes were dropped"),
        }
    }
    assert_eq!(world.server.stats().drops.too_long, 3);
}

#[test]
fn waiting_datagrams_are_bounded() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    assert_eq!(ann.bind(&mut world, 0x4000, addr(PEER)), 0);
    let peer = relay_path(&world, PEER);
    for _ in 0..5000 {
        let payload = &mut [1; 100][..];
        world.server.handle_datagram(world.now, Datagram { path: peer, payload });
    }
    world.drain();
    assert_eq!(world.sent.len(), 1024);
    assert_eq!(world.server.stats().drops.queue_full, 5000 - 1024);
    world.sent.clear();
    assert!(world.exchange(peer, b"x").is_some());
}
