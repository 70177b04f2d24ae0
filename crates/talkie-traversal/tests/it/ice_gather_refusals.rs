//! Relays that say no: for good, for a minute, for a moment. And relays in both families.

use std::time::Duration;

use talkie_sansio::{Answer, Path, Transport};
use talkie_traversal::ice::CandidateType::{Relayed, ServerReflexive};
use talkie_traversal::ice::gather::{Config, Problem, SendError, Tcp};
use talkie_traversal::stun::attributes::{ErrorCode, Nonce, Realm};
use talkie_traversal::stun::auth::{Key, PasswordAlgorithm};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::stun::{AttributeType, Class, Message, Method, Writer};
use talkie_traversal::turn::server;

use crate::ice_gather_world::{HERE, STUNS, Site, config, interfaces, ip, relay, stun, turn};
use crate::turn_world::{SERVER, addr, secs};

const PEER: &str = "203.0.113.9:7000";

/// Refuses every allocation with this code: challenged first, then signed.
fn refuses<const CODE: u16>(_path: Path, request: &Message<'_>) -> Option<Vec<u8>> {
    if request.method() != Method::ALLOCATE {
        return None;
    }
    let mut bytes = Vec::new();
    let mut writer =
        Writer::new(&mut bytes, Class::Error, request.method(), request.transaction_id());
    if request.contains(AttributeType::MESSAGE_INTEGRITY) {
        let key = Key::long_term(PasswordAlgorithm::Md5, "ann", "test", "pass");
        writer.attribute(&ErrorCode { code: CODE, reason: "no" }).integrity(&key);
    } else {
        writer
            .attribute(&ErrorCode { code: 401, reason: "" })
            .attribute(&Realm::new("test").unwrap())
            .attribute(&Nonce::new("nonce").unwrap());
    }
    Some(bytes)
}

#[test]
fn each_refusal_is_told_by_its_code_and_ends_the_asking() {
    type Script = fn(Path, &Message<'_>) -> Option<Vec<u8>>;
    let scripts: [(u16, Script); 5] = [
        (403, refuses::<403>),
        (441, refuses::<441>),
        (442, refuses::<442>),
        (486, refuses::<486>),
        (508, refuses::<508>),
    ];
    for (code, script) in scripts {
        let mut site =
            Site::new(config(vec![turn(Transport::Udp, "ann"), stun("stun:192.0.2.50")]));
        site.scripted = script;
        site.gather(&[HERE]);
        assert!(site.is_complete(), "{code}");
        let problems = site.problems();
        assert_eq!((problems.len(), problems[0].code), (1, code));
        assert_eq!(problems[0].url.as_deref(), Some("turn:192.0.2.1:3478?transport=udp"));
        assert_eq!(site.allocations_asked(), 2, "{code}: unsigned and signed");
        assert_eq!(site.of_kind(ServerReflexive).len(), 1, "{code}: the others go on");
        site.elapse(secs(1200));
        assert_eq!(site.allocations_asked(), 2, "{code}");
    }
}

/// The server has forgotten its allocation, and the gatherer finds out.
fn forget(site: &mut Site) {
    site.restart_server();
    site.gatherer.handle_interfaces(site.world.now, &interfaces(&[HERE]));
    site.settle();
}

/// RFC 8656 §7.4.
#[test]
fn a_server_without_room_is_left_alone_for_a_minute() {
    for script in [refuses::<486>, refuses::<508>] {
        let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
        site.scripted = script;
        forget(&mut site);
        site.elapse(secs(1));
        assert_eq!(site.gone().len(), 1);
        let asked = site.allocations_asked();
        site.elapse(secs(58));
        assert_eq!(site.allocations_asked(), asked);
        site.scripted = |_, _| None;
        site.elapse(secs(3));
        assert_eq!(site.of_kind(Relayed).len(), 2);
    }
}

#[test]
fn a_server_that_refuses_for_good_is_not_asked_over_and_over() {
    for script in [refuses::<403>, refuses::<441>, refuses::<442>] {
        let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
        site.scripted = script;
        forget(&mut site);
        site.elapse(secs(1));
        let asked = site.allocations_asked();
        site.elapse(secs(600));
        assert_eq!(site.allocations_asked(), asked);
        assert_eq!(site.problems().len(), 1);
    }
}

#[test]
fn a_permission_that_an_outage_has_cost_is_asked_for_again() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    let (id, _) = site.of_kind(Relayed)[0];
    site.dark.insert(addr(SERVER));
    site.send(id, PEER, b"lost").unwrap();
    // RFC 8489 §6.2.1: as long as one request may take.
    site.elapse(secs(40));
    site.dark.clear();
    assert_eq!(site.send(id, PEER, b"too early"), Err(SendError::Full));
    site.elapse(secs(6));
    site.send(id, PEER, b"hello").unwrap();
    assert_eq!(site.relayed.pop_front().unwrap().1, b"hello");
}

#[test]
fn a_peer_that_the_server_forbids_stays_forbidden() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    let (id, _) = site.of_kind(Relayed)[0];
    site.send(id, "127.0.0.1:7000", b"hello").unwrap();
    for _ in 0..3 {
        assert_eq!(site.send(id, "127.0.0.1:7000", b"hello"), Err(SendError::Forbidden));
        site.elapse(secs(30));
    }
    site.send(id, PEER, b"hello").unwrap();
    assert_eq!(site.relayed.len(), 1);
}

#[test]
fn peers_of_no_use_any_more_leave_their_permissions_to_others() {
    let limits = server::Limits { permissions_per_allocation: 1000, ..server::Limits::default() };
    let server = server::Config { limits, ..relay() };
    let mut site = Site::with(config(vec![turn(Transport::Udp, "ann")]), server);
    site.gather(&[HERE]);
    let (id, _) = site.of_kind(Relayed)[0];
    for host in 1..=128 {
        site.send(id, &format!("203.0.113.{host}:7000"), b"check").unwrap();
    }
    assert_eq!(site.relayed.len(), 128);
    assert_eq!(site.send(id, "203.0.113.200:7000", b"check"), Err(SendError::Full));
    for _ in 0..7 {
        site.elapse(secs(10));
        site.send(id, "203.0.113.1:7000", b"in use").unwrap();
    }
    site.send(id, "203.0.113.200:7000", b"check").unwrap();
    assert_eq!(site.relayed.pop_back().unwrap().1, b"check");
    // Only those in use are renewed.
    let asked = |site: &Site| {
        let is_it = |bytes: &[u8]| {
            Message::parse(bytes).is_ok_and(|it| it.method() == Method::CREATE_PERMISSION)
        };
        site.sent.iter().filter(|(_, _, bytes)| is_it(bytes)).count()
    };
    let before = asked(&site);
    for _ in 0..60 {
        site.elapse(secs(10));
        site.send(id, "203.0.113.1:7000", b"in use").unwrap();
    }
    let renewals = asked(&site) - before;
    assert!((2..=4).contains(&renewals), "{renewals}");
}

#[test]
fn a_restart_asks_a_relay_again_that_was_given_up() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    site.dark.insert(addr(SERVER));
    site.elapse(secs(1500));
    assert_eq!(site.gone().len(), 1);
    assert_eq!(site.problems().last().map(|it| it.code), Some(Problem::UNREACHABLE));
    site.dark.clear();
    site.elapse(secs(100));
    assert_eq!(site.of_kind(Relayed).len(), 1, "given up");
    site.gatherer.gather(site.world.now, "next");
    site.settle();
    site.elapse(secs(1));
    assert_eq!(site.of_kind(Relayed).len(), 2);
}

#[test]
fn an_allocation_that_is_lost_while_others_are_gathered_is_asked_for_again() {
    // The next transaction begins long after gathering has ended.
    let pace = Duration::from_secs(30);
    let mut site = Site::gathered(Config { pace, ..config(vec![turn(Transport::Udp, "ann")]) });
    let (id, _) = site.of_kind(Relayed)[0];
    site.send(id, PEER, b"hello").unwrap();
    site.nat.insert(ip("10.0.0.3"), ip("198.51.100.8"));
    site.gatherer.handle_interfaces(site.world.now, &interfaces(&[HERE, "10.0.0.3"]));
    site.settle();
    site.restart_server();
    for _ in 0..9 {
        site.elapse(secs(1));
        let _ = site.send(id, PEER, b"are you there?");
    }
    assert_eq!(site.gone(), [id], "it is missed");
    site.elapse(secs(60));
    assert_eq!(site.of_kind(Relayed).len(), 2);
}

#[test]
fn a_relay_in_both_families_gives_a_base_in_each() {
    let v6 = ip("2001:db8:1::1");
    let peers = server::PeerPolicy {
        allow: ["203.0.113.0/24", "2001:db8::/32"].map(|it| it.parse().unwrap()).into(),
        ..server::PeerPolicy::default()
    };
    let relay_v6 = Some(server::RelayAddress::local(v6));
    let server = server::Config { peers, relay_v6, ..relay() };
    let mut site = Site::with(config(vec![turn(Transport::Udp, "ann")]), server);
    site.gather(&[HERE]);
    let bases = site.of_kind(Relayed);
    assert_eq!(bases.len(), 2);
    assert_eq!(site.allocations_asked(), 2, "one allocation for both");
    let (four, six) = match bases[0].1.is_ipv4() {
        true => (bases[0], bases[1]),
        false => (bases[1], bases[0]),
    };
    assert_eq!(six.1.ip(), v6);
    let peer = "[2001:db8:2::9]:7000";
    assert_eq!(site.send(four.0, peer, b"hello"), Err(SendError::Unreachable));
    assert_eq!(site.send(six.0, PEER, b"hello"), Err(SendError::Unreachable));
    site.send(six.0, peer, b"hello").unwrap();
    let (path, bytes) = site.relayed.pop_front().unwrap();
    assert_eq!((path.local, path.remote, &bytes[..]), (six.1, addr(peer), &b"hello"[..]));
    site.peer_sends(peer, six.1, b"hi");
    assert_eq!(site.received.pop(), Some((six.0, addr(peer), b"hi".to_vec())));
    // A channel is one of the allocation, whatever the family.
    site.gatherer.bind(site.world.now, six.0, addr(peer));
    site.settle();
    site.send(six.0, peer, b"hello").unwrap();
    assert_eq!(site.sent.last().unwrap().2.len(), 9);
    // Both go with the allocation.
    forget(&mut site);
    let mut gone = site.gone();
    gone.sort_unstable();
    let mut both = [four.0, six.0];
    both.sort_unstable();
    assert_eq!(gone, both);
}

#[test]
fn a_stun_server_over_tls_is_told_to_be_of_no_use() {
    let servers = vec![stun("stuns:192.0.2.50"), stun("stun:192.0.2.51")];
    let site = Site::gathered(config(servers));
    assert!(site.is_complete());
    let problems = site.problems();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].text.contains("TLS"), "{}", problems[0].text);
    assert!(site.sent.iter().all(|(_, path, _)| path.remote == addr(STUNS[1])));
}

#[test]
fn what_a_server_says_of_its_refusal_moves_no_cursor() {
    let mut site = Site::new(config(vec![stun("stun:192.0.2.50")]));
    site.scripted = |_, request| {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, Class::Error, request.method(), request.transaction_id())
            .attribute(&ErrorCode { code: 400, reason: "go\u{1b}[2J a\u{202e}way\r\n" });
        Some(bytes)
    };
    site.gather(&[HERE]);
    assert_eq!(site.problems()[0].text, "go[2J away");
}

#[test]
fn a_peer_that_connects_anew_from_its_port_is_heard() {
    let tcp = Tcp::Passive;
    let mut site = Site::gathered(Config { tcp, ..config(Vec::new()) });
    let local = site.candidates().last().unwrap().1.socket_address().unwrap();
    let path = Path { transport: Transport::Tcp, local, remote: addr(PEER) };
    let id = site.listeners()[0];
    site.tell(Answer::Accepted { id, path });
    // The end of the first is not known here when the second comes.
    site.tell(Answer::Accepted { id, path });
    assert_eq!(site.hung_up(), []);
    site.hear(path, b"\0\x05hello");
    assert_eq!(site.received.len(), 1);
}

/// RFC 8656 §3.2: one 5-tuple has one allocation. Another socket is asked for, but not for ever.
#[test]
fn where_every_socket_has_the_same_port_a_server_gives_one_allocation() {
    let mut other = turn(Transport::Udp, "bob");
    other.credential = Some(LongTerm::new("bob", "word").unwrap());
    let mut site = Site::new(config(vec![turn(Transport::Udp, "ann"), other]));
    site.shares_port = true;
    site.gather(&[HERE]);
    assert!(site.is_complete());
    assert_eq!(site.of_kind(Relayed).len(), 1);
    let problems = site.problems();
    assert_eq!((problems.len(), problems[0].code), (1, 437), "{problems:?}");
    let wants = site.wants.len();
    site.elapse(secs(600));
    assert_eq!(site.wants.len(), wants);
}

#[test]
fn an_address_that_flickers_while_candidates_are_gathered_loses_no_relay() {
    let mut site = Site::new(config(vec![turn(Transport::Udp, "ann"), stun("stun:192.0.2.50")]));
    let now = site.world.now;
    site.gatherer.handle_interfaces(now, &interfaces(&[HERE]));
    site.gatherer.gather(now, "frag");
    site.settle();
    assert!(!site.is_complete());
    for addresses in [&[][..], &[HERE]] {
        site.events.clear();
        site.gatherer.handle_interfaces(now, &interfaces(addresses));
        site.settle();
    }
    site.elapse(secs(1));
    assert!(site.is_complete());
    assert_eq!(site.of_kind(Relayed).len(), 1);
    assert_eq!(site.of_kind(ServerReflexive).len(), 1);
}
