//! A client and the server machine: what an application sees.

use std::time::Duration;

use talkie_sansio::{Machine as _, Path, Transport};
use talkie_traversal::stun::attributes::{
    ChannelNumber, PasswordAlgorithms, RequestedTransport, UserHash,
};
use talkie_traversal::stun::auth::PasswordAlgorithm;
use talkie_traversal::stun::credential::{ChallengeError, LongTerm};
use talkie_traversal::stun::{Attribute, AttributeType, Message, Method};
use talkie_traversal::turn::client::{
    CommandError, Config, End, Event, Failure, Families, SendError,
};
use talkie_traversal::turn::server::{self, OfferSha256};

use crate::client_world::{HERE, Pair, ann, path};
use crate::turn_world::{SERVER, World, addr, config, secs};

const PEER: &str = "8.8.8.8:5000";

fn methods(pair: &Pair) -> Vec<Method> {
    pair.sent.iter().filter_map(|(_, bytes)| Some(Message::parse(bytes).ok()?.method())).collect()
}

#[test]
fn an_allocation_takes_two_requests() {
    let mut pair = Pair::new(config(), Config::default());
    pair.settle();
    let [Event::Allocated { relayed, relayed_v6: None, mapped }] = pair.events[..] else {
        panic!("{:?}", pair.events);
    };
    assert_eq!(relayed.ip(), addr(SERVER).ip());
    assert_eq!(mapped, addr(HERE));
    assert_eq!(methods(&pair), [Method::ALLOCATE, Method::ALLOCATE]);
    let first = Message::parse(&pair.sent[0].1).unwrap();
    assert_eq!(first.get::<RequestedTransport>().unwrap(), Some(RequestedTransport::UDP));
    // RFC 8489 §9.2.3.1: nothing about credentials before the challenge.
    assert_eq!(first.attributes().count(), 1);
    assert_eq!(pair.world.server.allocations(), 1);
}

#[test]
fn data_passes_both_ways_by_indication_and_by_channel() {
    let (mut pair, _) = Pair::allocated(config());
    let peer = addr(PEER);
    assert_eq!(pair.client.send(pair.now(), peer, b"x"), Err(SendError::NotPermitted));
    pair.client.permit(pair.now(), peer.ip()).unwrap();
    pair.settle();
    assert_eq!(pair.take_events(), [Event::Permitted(peer.ip())]);

    pair.client.send(pair.now(), peer, b"hello").unwrap();
    pair.settle();
    let (to, bytes) = pair.to_peers.pop_front().unwrap();
    assert_eq!((to.remote, &bytes[..]), (peer, &b"hello"[..]));
    pair.peer_sends(PEER, b"world");
    assert_eq!(pair.take_events(), [Event::Data { peer, payload: b"world".to_vec() }]);

    pair.client.bind(pair.now(), peer).unwrap();
    pair.settle();
    assert_eq!(pair.take_events(), [Event::Bound(peer, ChannelNumber::MIN)]);
    pair.client.send(pair.now(), peer, b"again").unwrap();
    pair.settle();
    assert_eq!(pair.sent.last().unwrap().1, b"\x40\x00\x00\x05again");
    assert_eq!(pair.to_peers.pop_front().unwrap().1, b"again");
    pair.peer_sends(PEER, b"and back");
    assert_eq!(pair.take_events(), [Event::Data { peer, payload: b"and back".to_vec() }]);
    // Another port of the peer's address has a permission and no channel.
    pair.peer_sends("8.8.8.8:5001", b"other");
    let other = Event::Data { peer: addr("8.8.8.8:5001"), payload: b"other".to_vec() };
    assert_eq!(pair.take_events(), [other]);
}

#[test]
fn over_a_stream_channel_data_is_padded_and_nothing_is_repeated() {
    let mut pair = Pair::with(World::new(config()), Transport::Tcp, ann(), Config::default());
    pair.settle();
    pair.client.bind(pair.now(), addr(PEER)).unwrap();
    pair.settle();
    pair.client.send(pair.now(), addr(PEER), b"again").unwrap();
    pair.settle();
    assert_eq!(pair.sent.last().unwrap().1, b"\x40\x00\x00\x05again\0\0\0");
    assert_eq!(pair.to_peers.pop_front().unwrap().1, b"again");
    let sent = pair.sent.len();
    pair.elapse(secs(60));
    assert_eq!(pair.sent.len(), sent, "no keepalive on a stream");
}

#[test]
fn an_allocation_with_its_peers_is_kept_for_hours() {
    let (mut pair, _) = Pair::allocated(config());
    let peer = addr(PEER);
    pair.client.permit(pair.now(), addr("9.9.9.9:1").ip()).unwrap();
    pair.client.bind(pair.now(), peer).unwrap();
    pair.settle();
    assert_eq!(pair.take_events().len(), 2);
    for _ in 0..60 {
        pair.elapse(secs(120));
        pair.client.send(pair.now(), peer, b"ping").unwrap();
        pair.client.send(pair.now(), addr("9.9.9.9:7"), b"ping").unwrap();
        pair.settle();
        assert_eq!(pair.to_peers.len(), 2);
        pair.to_peers.clear();
        pair.peer_sends(PEER, b"pong");
        pair.peer_sends("9.9.9.9:7", b"pong");
        assert_eq!(pair.take_events().len(), 2, "the nonce's renewal is not seen");
    }
    assert_eq!(pair.world.server.allocations(), 1);
    assert!(pair.world.server.stats().errors[&438] > 5, "nonces did go stale");
}

#[test]
fn silence_is_broken_by_keepalives() {
    let (mut pair, _) = Pair::allocated(config());
    let sent = pair.sent.len();
    pair.elapse(secs(101));
    let new: Vec<_> = pair.sent[sent..].iter().map(|(at, bytes)| (*at, bytes.len())).collect();
    assert_eq!(new, [(secs(25), 20), (secs(50), 20), (secs(75), 20), (secs(100), 20)]);
}

#[test]
fn closing_gives_the_allocation_back() {
    let (mut pair, _) = Pair::allocated(config());
    pair.client.permit(pair.now(), addr(PEER).ip()).unwrap();
    pair.settle();
    pair.take_events();
    pair.client.close(pair.now());
    pair.settle();
    assert_eq!(pair.take_events(), [Event::Ended(End::Closed)]);
    assert_eq!(pair.world.server.allocations(), 0);
    let now = pair.now();
    assert_eq!(pair.client.poll_timeout(), None);
    assert_eq!(pair.client.permit(now, addr(PEER).ip()), Err(CommandError::Ended));
    assert_eq!(pair.client.send(now, addr(PEER), b"x"), Err(SendError::NotAllocated));
}

#[test]
fn closing_while_allocating_gives_back_what_comes() {
    let mut pair = Pair::new(config(), Config::default());
    pair.is_up = false;
    pair.settle();
    // It is challenged and has asked once more.
    let there = Path { local: addr(SERVER), remote: addr(HERE), ..path(Transport::Udp) };
    let request = pair.sent[0].1.clone();
    pair.world.receive(there, &request);
    let (_, challenge) = pair.world.sent.pop_front().unwrap();
    pair.hear(path(Transport::Udp), &challenge);
    pair.client.close(pair.now());
    pair.is_up = true;
    pair.settle();
    assert_eq!(pair.take_events(), [Event::Ended(End::Closed)]);
    assert_eq!(pair.world.server.allocations(), 0);
    assert_eq!(methods(&pair).last(), Some(&Method::REFRESH));
}

#[test]
fn who_is_closed_before_the_challenge_asks_for_nothing_any_more() {
    let mut pair = Pair::new(config(), Config::default());
    pair.client.close(pair.now());
    pair.settle();
    assert_eq!(pair.take_events(), [Event::Ended(End::Closed)]);
    assert_eq!(methods(&pair), [Method::ALLOCATE]);
    assert_eq!(pair.world.server.allocations(), 0);
}

#[test]
fn a_wrong_password_ends_after_one_try() {
    let wrong = Some(LongTerm::new("ann", "wrong").unwrap());
    let mut pair = Pair::with(World::new(config()), Transport::Udp, wrong, Config::default());
    pair.settle();
    let refused = Failure::Challenge(ChallengeError::Refused);
    assert_eq!(pair.take_events(), [Event::Ended(End::Failed(refused))]);
    assert_eq!(pair.sent.len(), 2);
}

#[test]
fn without_credentials_a_challenge_ends_it() {
    let mut pair = Pair::with(World::new(config()), Transport::Udp, None, Config::default());
    pair.settle();
    let ended = Event::Ended(End::Failed(Failure::CredentialNeeded));
    assert_eq!(pair.take_events(), [ended]);
}

#[test]
fn the_servers_refusals_have_names() {
    let mut limited = config();
    limited.limits.allocations_per_user = 0;
    let mut pair = Pair::new(limited, Config::default());
    pair.settle();
    let quota = Event::Ended(End::Failed(Failure::AllocationQuotaReached));
    assert_eq!(pair.take_events(), [quota]);

    let without_v6 = server::Config { relay_v6: None, ..config() };
    let v6 = Config { families: Families::Ipv6, ..Config::default() };
    let mut pair = Pair::new(without_v6, v6);
    pair.settle();
    let family = Event::Ended(End::Failed(Failure::AddressFamilyNotSupported));
    assert_eq!(pair.take_events(), [family]);

    // A second allocation on the 5-tuple.
    let (first, _) = Pair::allocated(config());
    let mut second = Pair::with(first.world, Transport::Udp, ann(), Config::default());
    second.settle();
    let mismatch = Event::Ended(End::Failed(Failure::AllocationMismatch));
    assert_eq!(second.take_events(), [mismatch]);
}

#[test]
fn a_forbidden_peer_does_not_disturb_the_allocation() {
    let (mut pair, _) = Pair::allocated(config());
    let private = addr("192.168.1.1:9");
    pair.client.permit(pair.now(), private.ip()).unwrap();
    pair.client.bind(pair.now(), private).unwrap();
    pair.client.permit(pair.now(), addr(PEER).ip()).unwrap();
    pair.settle();
    let expected = [
        Event::NotPermitted(private.ip(), Failure::Forbidden),
        Event::NotBound(private, Failure::Forbidden),
        Event::Permitted(addr(PEER).ip()),
    ];
    assert_eq!(pair.take_events(), expected);
    pair.client.send(pair.now(), addr(PEER), b"x").unwrap();
    pair.settle();
    assert_eq!(pair.to_peers.len(), 1);
}

#[test]
fn peers_are_asked_for_together_and_a_forbidden_one_takes_none_with_it() {
    let (mut pair, _) = Pair::allocated(config());
    let outside: Vec<_> = (1..=9).map(|last| std::net::IpAddr::from([8, 8, 8, last])).collect();
    let before = pair.sent.len();
    pair.client.permit_all(pair.now(), &outside).unwrap();
    pair.settle();
    assert_eq!(pair.sent.len() - before, 2, "eight and one");
    let permitted: Vec<_> = outside.iter().map(|ip| Event::Permitted(*ip)).collect();
    assert_eq!(pair.take_events(), permitted);
    // They are renewed together as well.
    let before = pair.sent.len();
    pair.elapse(secs(250));
    let renewals = &methods(&pair)[before..];
    assert_eq!(renewals.iter().filter(|method| **method == Method::CREATE_PERMISSION).count(), 2);
    pair.take_events();
    // Multicast, which no server relays to.
    let (forbidden, fine) = (addr("233.252.0.1:1").ip(), addr("8.8.4.4:1").ip());
    let private = addr("192.168.1.1:9").ip();
    let before = pair.sent.len();
    pair.client.permit_all(pair.now(), &[forbidden, private, fine]).unwrap();
    pair.settle();
    assert_eq!(pair.sent.len() - before, 4, "apart, and again one by one");
    let expected = [
        Event::NotPermitted(private, Failure::Forbidden),
        Event::NotPermitted(forbidden, Failure::Forbidden),
        Event::Permitted(fine),
    ];
    assert_eq!(pair.take_events(), expected);
}

#[test]
fn peers_asked_for_early_wait_for_the_allocation_ten_at_a_time() {
    let mut pair = Pair::new(config(), Config::default());
    for last in 1..=30 {
        let peer = std::net::IpAddr::from([8, 8, 8, last]);
        pair.client.permit(pair.now(), peer).unwrap();
        pair.client.permit(pair.now(), peer).unwrap();
    }
    pair.is_up = false;
    pair.settle();
    assert_eq!(pair.sent.len(), 1, "nothing but the first request");
    pair.is_up = true;
    pair.elapse(secs(1));
    let permitted = pair.events.iter().filter(|event| matches!(event, Event::Permitted(_))).count();
    assert_eq!(permitted, 30);

    let sent = pair.sent.len();
    pair.is_up = false;
    for last in 31..=60 {
        pair.client.permit(pair.now(), std::net::IpAddr::from([8, 8, 8, last])).unwrap();
    }
    pair.settle();
    // RFC 8489 §6.2: ten outstanding transactions.
    assert_eq!(pair.sent.len() - sent, 10);
}

#[test]
fn a_permission_that_comes_when_nobody_wants_it_any_more_is_not_kept() {
    let mut pair = Pair::new(config(), Config::default());
    pair.settle();
    pair.take_events();
    let peer = addr("8.8.8.1:1").ip();
    pair.client.permit(pair.now(), peer).unwrap();
    pair.client.forget(peer);
    pair.settle();
    assert_eq!(pair.take_events(), []);
    let before = pair.sent.len();
    pair.elapse(secs(250));
    assert!(!methods(&pair)[before..].contains(&Method::CREATE_PERMISSION));
}

/// The server goes on to use a channel for as long as it lives (RFC 8656 §12.6), whoever has forgotten it.
#[test]
fn who_is_permitted_again_is_heard_through_the_channel_that_was_forgotten() {
    let (mut pair, _) = Pair::allocated(config());
    let peer = addr(PEER);
    pair.client.bind(pair.now(), peer).unwrap();
    pair.settle();
    pair.client.forget(peer.ip());
    pair.elapse(secs(60));
    pair.take_events();
    pair.peer_sends(PEER, b"too early");
    assert_eq!(pair.take_events(), []);
    pair.client.permit(pair.now(), peer.ip()).unwrap();
    pair.settle();
    assert_eq!(pair.take_events(), [Event::Permitted(peer.ip())]);
    pair.peer_sends(PEER, b"hi");
    assert_eq!(pair.take_events(), [Event::Data { peer, payload: b"hi".to_vec() }]);
}

#[test]
fn every_store_has_its_bound() {
    let small = Config { permissions: 2, channels: 1, queue: 3, ..Config::default() };
    let mut pair = Pair::new(config(), small);
    pair.settle();
    let now = pair.now();
    pair.client.permit(now, addr("8.8.8.1:1").ip()).unwrap();
    pair.client.permit(now, addr("8.8.8.2:1").ip()).unwrap();
    assert_eq!(pair.client.permit(now, addr("8.8.8.3:1").ip()), Err(CommandError::Full));
    pair.client.bind(now, addr(PEER)).unwrap();
    assert_eq!(pair.client.bind(now, addr("8.8.8.9:1")), Err(CommandError::Full));
    pair.settle();
    pair.take_events();
    for _ in 0..3 {
        pair.client.send(now, addr(PEER), b"x").unwrap();
    }
    assert_eq!(pair.client.send(now, addr(PEER), b"x"), Err(SendError::Full));
    let long = vec![0; 65_457];
    pair.settle();
    assert_eq!(pair.client.send(now, addr(PEER), &long), Err(SendError::TooLong));
    pair.client.send(now, addr(PEER), &long[1..]).unwrap();

    for _ in 0..5 {
        pair.hear(path(Transport::Udp), b"\x40\x00\x00\x01x\0\0\0");
    }
    pair.settle();
    assert_eq!(pair.take_events().len(), 3);
    assert_eq!(pair.client.counters().overrun, 2);
}

#[test]
fn with_sha256_offered_nothing_else_is_used() {
    let offering = server::Config { offer_sha256: OfferSha256::Always, ..config() };
    let (mut pair, _) = Pair::allocated(offering);
    pair.client.permit(pair.now(), addr(PEER).ip()).unwrap();
    pair.settle();
    assert_eq!(pair.take_events(), [Event::Permitted(addr(PEER).ip())]);
    for (_, bytes) in &pair.sent[1..] {
        let message = Message::parse(bytes).unwrap();
        assert!(message.contains(AttributeType::MESSAGE_INTEGRITY_SHA256));
        assert!(!message.contains(AttributeType::MESSAGE_INTEGRITY));
        assert!(message.contains(PasswordAlgorithms::TYPE));
        assert_eq!(message.get::<PasswordAlgorithm>().unwrap(), Some(PasswordAlgorithm::Sha256));
        assert_ne!(message.contains(UserHash::TYPE), message.contains(AttributeType::USERNAME));
    }
}

#[test]
fn a_dead_server_is_given_up_after_seven_requests() {
    let mut pair = Pair::new(config(), Config::default());
    pair.is_up = false;
    pair.settle();
    pair.elapse(Duration::from_millis(39_499));
    assert_eq!(pair.take_events(), []);
    let times: Vec<_> = pair.sent.iter().map(|(at, _)| at.as_millis()).collect();
    // RFC 8489 §6.2.1's own example.
    assert_eq!(times, [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    pair.elapse(Duration::from_millis(1));
    assert_eq!(pair.take_events(), [Event::Ended(End::Failed(Failure::TimedOut))]);
}

#[test]
fn a_server_that_vanishes_ends_the_allocation() {
    let (mut pair, _) = Pair::allocated(config());
    pair.is_up = false;
    // Refreshed at 300 s, given up 39.5 s later.
    pair.elapse(secs(339));
    assert_eq!(pair.take_events(), []);
    pair.elapse(secs(1));
    assert_eq!(pair.take_events(), [Event::Ended(End::Failed(Failure::TimedOut))]);
}

#[test]
fn what_does_not_come_from_the_server_is_dropped() {
    let (mut pair, _) = Pair::allocated(config());
    pair.client.bind(pair.now(), addr(PEER)).unwrap();
    pair.settle();
    pair.take_events();
    let stranger = Path { remote: addr("203.0.113.9:3478"), ..path(Transport::Udp) };
    let data = b"\x40\x00\x00\x01x\0\0\0";
    pair.hear(stranger, data);
    // A channel that is not bound, a protocol that is none, an empty datagram.
    pair.hear(path(Transport::Udp), b"\x40\x01\x00\x01x\0\0\0");
    pair.hear(path(Transport::Udp), b"\x80\x60\x00\x01x\0\0\0");
    pair.hear(path(Transport::Udp), b"");
    pair.settle();
    assert_eq!(pair.take_events(), []);
    assert_eq!(pair.client.counters().unexpected, 4);
    pair.hear(path(Transport::Udp), data);
    pair.settle();
    assert_eq!(pair.take_events().len(), 1);
}

/// The server in the place of the one that gave the allocation knows nothing of it.
fn restart(pair: &mut Pair) {
    let now = pair.now();
    pair.world = World::with_seed(config(), [8; 32]);
    pair.world.now = now;
}

#[test]
fn a_permission_on_a_lost_allocation_ends_it() {
    for is_channel in [false, true] {
        let (mut pair, _) = Pair::allocated(config());
        restart(&mut pair);
        let now = pair.now();
        if is_channel {
            pair.client.bind(now, addr(PEER)).unwrap();
        } else {
            pair.client.permit(now, addr(PEER).ip()).unwrap();
        }
        pair.settle();
        assert_eq!(pair.take_events(), [Event::Ended(End::Failed(Failure::AllocationMismatch))]);
    }
}

#[test]
fn an_allocation_in_doubt_is_verified_at_once() {
    let (mut pair, _) = Pair::allocated(config());
    let now = pair.now();
    pair.client.verify(now);
    pair.client.verify(now);
    pair.settle();
    assert_eq!(pair.take_events(), []);
    assert_eq!(pair.sent.len(), 3, "two for the allocation, one refresh");
    restart(&mut pair);
    pair.client.verify(now);
    pair.settle();
    assert_eq!(pair.take_events(), [Event::Ended(End::Failed(Failure::AllocationMismatch))]);
}

#[test]
fn a_peers_packet_is_told_in_place() {
    let (mut pair, relayed) = Pair::allocated(config());
    let peer = addr(PEER);
    let now = pair.now();
    pair.client.permit(now, peer.ip()).unwrap();
    pair.settle();
    let from = Path { transport: Transport::Udp, local: relayed, remote: peer };
    for is_bound in [false, true] {
        if is_bound {
            pair.client.bind(now, peer).unwrap();
            pair.settle();
        }
        let local = pair.world.open_relays()[0];
        pair.world.receive(Path { local, ..from }, b"payload");
        let (_, bytes) = pair.world.sent.pop_front().unwrap();
        let found = pair.client.receive(now, path(Transport::Udp), &bytes);
        let (who, range) = found.expect("a peer's packet");
        assert_eq!((who, &bytes[range]), (peer, &b"payload"[..]));
    }
    assert_eq!(pair.client.receive(now, path(Transport::Udp), b"\x40\x01\0\x01x"), None);
    assert_eq!(pair.client.counters().unexpected, 1);
}
