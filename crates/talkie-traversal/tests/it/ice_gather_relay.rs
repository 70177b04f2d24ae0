//! Relays over streams, relays that send on, refuse, forget and vanish.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use talkie_sansio::{Answer, Genesis, Path, Transport, Want, conformance};
use talkie_traversal::ice::CandidateType::{Relayed, ServerReflexive};
use talkie_traversal::ice::gather::{Config, Gatherer, Problem, SendError, Server};
use talkie_traversal::stun::attributes::{AlternateServer, ErrorCode, Nonce, Realm};
use talkie_traversal::stun::auth::{Key, PasswordAlgorithm};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::stun::{AttributeType, Class, Message, Writer};
use talkie_traversal::turn::server;

use crate::ice_gather_world::{HERE, Site, config, interfaces, ip, relay, stun, turn};
use crate::turn_world::{SERVER, addr, secs};

const PEER: &str = "203.0.113.9:7000";

fn connects(site: &Site) -> Vec<(Transport, Option<String>)> {
    let is_connect = |want: &Want| match want {
        Want::Connect { transport, server_name, .. } => Some((*transport, server_name.clone())),
        _ => None,
    };
    site.wants.iter().filter_map(is_connect).collect()
}

#[test]
fn relays_over_tcp_and_tls_give_candidates_that_say_so() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let mut site = Site::gathered(config(vec![turn(transport, "ann")]));
        assert!(site.is_complete());
        assert_eq!(connects(&site).len(), 1);
        let candidates = site.candidates();
        let relayed: Vec<_> = candidates.iter().filter(|(_, it)| it.kind == Relayed).collect();
        assert_eq!(relayed.len(), 1);
        assert_eq!(relayed[0].1.relay_protocol, Some(transport));
        // The address of a connection says nothing of the sockets.
        assert_eq!(site.of_kind(ServerReflexive), []);
        let (id, address) = site.of_kind(Relayed)[0];
        site.send(id, PEER, b"hello").unwrap();
        assert_eq!(site.relayed.pop_front().unwrap().1, b"hello");
        site.gatherer.bind(site.world.now, id, addr(PEER));
        site.settle();
        site.send(id, PEER, b"hello").unwrap();
        assert_eq!(site.sent.last().unwrap().2.len(), 12, "padded to four bytes");
        site.peer_sends(PEER, address, b"hi");
        assert_eq!(site.received.pop(), Some((id, addr(PEER), b"hi".to_vec())));
    }
}

#[test]
fn a_tls_relay_is_held_to_the_name_that_was_configured() {
    let server = Server {
        uri: "turns:turn.example:3478".parse().unwrap(),
        credential: Some(LongTerm::new("ann", "pass").unwrap()),
    };
    let mut site = Site::new(config(vec![server]));
    site.names.insert("turn.example".into(), vec![addr(SERVER).ip()]);
    site.gather(&[HERE]);
    assert_eq!(connects(&site), [(Transport::Tls, Some("turn.example".into()))]);
    assert_eq!(site.of_kind(Relayed).len(), 1);
}

#[test]
fn a_relay_that_refuses_connections_is_named() {
    let mut site = Site::new(config(vec![turn(Transport::Tcp, "ann")]));
    site.refuses_streams = true;
    site.gather(&[HERE]);
    assert!(site.is_complete());
    let problems = site.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code, Problem::UNREACHABLE);
    assert!(problems[0].text.contains("refused"), "{}", problems[0].text);
}

#[test]
fn the_next_address_of_a_name_is_tried_where_the_first_does_not_answer() {
    let server = Server {
        uri: "turn:turn.example?transport=tcp".parse().unwrap(),
        credential: Some(LongTerm::new("ann", "pass").unwrap()),
    };
    let mut site = Site::new(config(vec![server]));
    site.names.insert("turn.example".into(), vec![ip("192.0.2.77"), addr(SERVER).ip()]);
    site.refuses_streams = true;
    site.gatherer.gather(site.world.now, "frag");
    site.gatherer.handle_interfaces(site.world.now, &interfaces(&[HERE]));
    site.settle();
    assert_eq!(connects(&site).len(), 1);
    site.refuses_streams = false;
    site.elapse(secs(1));
    assert_eq!(site.of_kind(Relayed).len(), 1);
    assert_eq!(site.problems(), []);
}

#[test]
fn a_connection_that_breaks_takes_the_candidate_and_brings_a_new_one() {
    let mut site = Site::gathered(config(vec![turn(Transport::Tcp, "ann")]));
    let (old, _) = site.of_kind(Relayed)[0];
    let path = site.sent.last().unwrap().1;
    site.tell(Answer::Closed { path });
    site.elapse(secs(1));
    assert_eq!(site.gone(), [old]);
    assert_eq!(site.send(old, PEER, b"hello"), Err(SendError::NoBase));
    let relayed = site.of_kind(Relayed);
    assert_eq!(relayed.len(), 2);
    site.send(relayed[1].0, PEER, b"hello").unwrap();
    assert_eq!(site.relayed.len(), 1);
}

#[test]
fn a_server_that_was_restarted_gives_a_new_allocation_as_soon_as_it_is_missed() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    let (old, _) = site.of_kind(Relayed)[0];
    site.send(old, PEER, b"hello").unwrap();
    site.restart_server();
    for _ in 0..4 {
        site.elapse(secs(3));
        let _ = site.send(old, PEER, b"are you there?");
    }
    site.elapse(secs(1));
    assert_eq!(site.gone(), [old]);
    let (new, address) = site.of_kind(Relayed)[1];
    site.send(new, PEER, b"hello").unwrap();
    site.peer_sends(PEER, address, b"hi");
    assert_eq!(site.received.pop(), Some((new, addr(PEER), b"hi".to_vec())));
}

#[test]
fn an_idle_allocation_on_a_restarted_server_is_found_out_by_its_refresh() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    site.restart_server();
    site.elapse(secs(301));
    assert_eq!(site.gone().len(), 1);
    assert_eq!(site.of_kind(Relayed).len(), 2);
}

#[test]
fn a_server_that_is_away_for_a_while_is_asked_again_and_again_but_not_for_ever() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    site.dark.insert(addr(SERVER));
    // The refresh at 300 s, 39.5 s for it and for each new request, the pauses between.
    site.elapse(secs(450));
    assert_eq!(site.gone().len(), 1);
    site.dark.clear();
    site.elapse(secs(60));
    assert_eq!(site.of_kind(Relayed).len(), 2);
    site.dark.insert(addr(SERVER));
    site.elapse(secs(1200));
    assert_eq!(site.gone().len(), 2);
    let asked = site.allocations_asked();
    site.elapse(secs(1200));
    assert_eq!(site.allocations_asked(), asked, "given up");
    assert_eq!(site.problems().last().map(|it| it.code), Some(Problem::UNREACHABLE));
}

/// RFC 8656 §7.4.
#[test]
fn a_port_that_a_crashed_process_had_is_given_up_for_another() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    let mut later = Site::new(config(vec![turn(Transport::Udp, "ann")]));
    // The same port, another process.
    let genesis = Genesis { now: site.world.now, seed: [9; 32], ..conformance::genesis() };
    later.gatherer = Gatherer::new(&genesis, config(vec![turn(Transport::Udp, "ann")]));
    std::mem::swap(&mut later.world, &mut site.world);
    later.gather(&[HERE]);
    assert_eq!(later.world.server.stats().errors[&437], 1);
    assert_eq!(later.of_kind(Relayed).len(), 1);
    assert_eq!(later.problems(), []);
    let locals: Vec<_> = later.sent.iter().map(|(_, path, _)| path.local.port()).collect();
    assert!(locals.contains(&50_000) && locals.iter().any(|port| *port != 50_000));
    // It is the relay's alone.
    assert_eq!(later.candidates().len(), 2, "host and relayed: {:?}", later.candidates());
}

#[test]
fn a_users_quota_is_told_by_its_code() {
    let limits = server::Limits { allocations_per_user: 1, ..server::Limits::default() };
    let server = server::Config { limits, ..relay() };
    let mut site = Site::with(config(vec![turn(Transport::Udp, "ann")]), server);
    site.nat.insert(ip("10.1.0.2"), ip("198.51.100.8"));
    site.gather(&[HERE, "10.1.0.2"]);
    assert!(site.is_complete());
    assert_eq!(site.of_kind(Relayed).len(), 1, "the other address has its own");
    let problems = site.problems();
    assert_eq!((problems.len(), problems[0].code), (1, 486));
}

#[test]
fn who_is_permitted_early_is_sent_to_at_once_and_a_long_list_has_to_wait() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    let (id, _) = site.of_kind(Relayed)[0];
    let peers: Vec<_> = (1..=100).map(|last| IpAddr::from([8, 8, 8, last])).collect();
    let before = site.sent.len();
    site.gatherer.permit(site.world.now, id, &peers);
    site.settle();
    assert_eq!(site.sent.len() - before, 2, "sixteen, eight in each request");
    site.gatherer.permit(site.world.now, id, &peers[..1]);
    site.settle();
    assert_eq!(site.sent.len() - before, 2, "nobody is asked for twice");
    site.send(id, "8.8.8.16:5", b"hello").unwrap();
    assert_eq!(site.sent.len() - before, 3);
    assert_eq!(site.relayed.len(), 1);
    // The others when they are needed.
    site.send(id, "8.8.8.17:5", b"hello").unwrap();
    assert_eq!(site.sent.len() - before, 5);
    assert_eq!(site.relayed.len(), 2);
}

/// Challenges, and sends on to where `to` says by the server's own address.
fn redirect(
    path: Path,
    request: &Message<'_>,
    to: impl Fn(&str) -> Option<&'static str>,
) -> Option<Vec<u8>> {
    let to = addr(to(&path.remote.to_string())?);
    let mut bytes = Vec::new();
    let mut writer =
        Writer::new(&mut bytes, Class::Error, request.method(), request.transaction_id());
    if request.contains(AttributeType::MESSAGE_INTEGRITY) {
        let key = Key::long_term(PasswordAlgorithm::Md5, "ann", "test", "pass");
        writer
            .attribute(&ErrorCode { code: 300, reason: "" })
            .attribute(&AlternateServer(to))
            .integrity(&key);
    } else {
        challenge(&mut writer);
    }
    Some(bytes)
}

/// Challenges, and refuses, unless it is the real server.
fn refuse(path: Path, request: &Message<'_>, why: ErrorCode<'_>) -> Option<Vec<u8>> {
    if path.remote == addr(SERVER) {
        return None;
    }
    let mut bytes = Vec::new();
    let mut writer =
        Writer::new(&mut bytes, Class::Error, request.method(), request.transaction_id());
    if request.contains(AttributeType::MESSAGE_INTEGRITY) {
        let key = Key::long_term(PasswordAlgorithm::Md5, "ann", "test", "pass");
        writer.attribute(&why).integrity(&key);
    } else {
        challenge(&mut writer);
    }
    Some(bytes)
}

fn challenge(writer: &mut Writer<'_>) {
    writer
        .attribute(&ErrorCode { code: 401, reason: "" })
        .attribute(&Realm::new("test").unwrap())
        .attribute(&Nonce::new("nonce").unwrap());
}

fn at(host: &str) -> Server {
    Server {
        uri: format!("turn:{host}").parse().unwrap(),
        credential: Some(LongTerm::new("ann", "pass").unwrap()),
    }
}

#[test]
fn a_server_that_sends_on_is_followed() {
    let mut site = Site::new(config(vec![at("192.0.2.60")]));
    site.scripted = |path, request| {
        redirect(path, request, |server| match server {
            "192.0.2.60:3478" => Some("192.0.2.61:3478"),
            "192.0.2.61:3478" => Some(SERVER),
            _ => None,
        })
    };
    site.gather(&[HERE]);
    assert!(site.is_complete());
    assert_eq!(site.of_kind(Relayed).len(), 1);
    assert_eq!(site.problems(), []);
}

/// The first server has IPv6 alone, and knows one that has both.
#[test]
fn whom_a_server_without_ipv4_sends_on_to_is_asked_for_ipv4_again() {
    let mut site = Site::new(config(vec![at("192.0.2.60")]));
    site.scripted = |path, request| {
        if request.contains(AttributeType::REQUESTED_ADDRESS_FAMILY) {
            return redirect(path, request, |server| (server != SERVER).then_some(SERVER));
        }
        refuse(path, request, ErrorCode { code: 440, reason: "" })
    };
    site.gather(&[HERE]);
    assert!(site.is_complete());
    assert_eq!(site.of_kind(Relayed).len(), 1);
    assert_eq!(site.problems(), []);
}

#[test]
fn the_next_address_of_a_name_is_tried_where_the_first_has_no_room() {
    for (code, told) in [(486, 1), (508, 1), (403, 0)] {
        let mut site = Site::new(config(vec![at("turn.example")]));
        site.names.insert("turn.example".into(), vec![ip("192.0.2.60"), addr(SERVER).ip()]);
        site.scripted = match code {
            486 => |path, request| refuse(path, request, ErrorCode { code: 486, reason: "" }),
            508 => |path, request| refuse(path, request, ErrorCode { code: 508, reason: "" }),
            _ => |path, request| refuse(path, request, ErrorCode { code: 403, reason: "" }),
        };
        site.gather(&[HERE]);
        assert!(site.is_complete(), "{code}");
        assert_eq!(site.of_kind(Relayed).len(), told, "{code}");
        let problems = site.problems();
        assert_eq!((problems.len(), problems[0].code), (1, code));
    }
}

/// What was given up still waits for an answer when gathering begins anew.
#[test]
fn a_relay_that_was_given_up_is_asked_again_by_the_next_gathering() {
    let named = || vec![ip("192.0.2.60"), addr(SERVER).ip()];
    for (allocations, host) in [(1, "192.0.2.1"), (8, "turn.example")] {
        let mut site = Site::new(Config { allocations, ..config(vec![at(host)]) });
        site.names.insert("turn.example".into(), named());
        site.scripted = |path, request| refuse(path, request, ErrorCode { code: 508, reason: "" });
        site.dark.insert(addr(SERVER));
        site.gather(&[HERE]);
        site.elapse(secs(10));
        assert!(site.is_complete());
        site.dark.clear();
        site.gatherer.gather(site.world.now, "next");
        site.elapse(secs(1));
        assert_eq!(site.of_kind(Relayed).len(), 1, "{host}");
        assert!(site.is_complete());
        site.elapse(secs(60));
        assert_eq!(site.world.server.allocations(), 1);
        assert_eq!(site.of_kind(Relayed).len(), 1, "{host}");
    }
}

#[test]
fn a_relay_that_was_given_up_is_not_looked_for_elsewhere() {
    let server = Server {
        uri: "turn:turn.example?transport=tcp".parse().unwrap(),
        credential: Some(LongTerm::new("ann", "pass").unwrap()),
    };
    let mut site = Site::new(config(vec![server]));
    site.names.insert("turn.example".into(), vec![ip("192.0.2.60"), addr(SERVER).ip()]);
    site.dark.insert(addr("192.0.2.60:3478"));
    site.gather(&[HERE]);
    let path = site.sent.last().unwrap().1;
    site.elapse(secs(10));
    assert!(site.is_complete());
    site.tell(Answer::Closed { path });
    site.elapse(secs(60));
    assert_eq!(connects(&site).len(), 1);
    assert_eq!(site.of_kind(Relayed), []);
}

#[test]
fn servers_that_send_in_a_circle_or_on_and_on_are_left() {
    let circle: fn(Path, &Message<'_>) -> _ = |path, request| {
        redirect(path, request, |server| match server {
            "192.0.2.60:3478" => Some("192.0.2.61:3478"),
            _ => Some("192.0.2.60:3478"),
        })
    };
    let chain: fn(Path, &Message<'_>) -> _ = |path, request| {
        redirect(path, request, |server| match server {
            "192.0.2.60:3478" => Some("192.0.2.61:3478"),
            "192.0.2.61:3478" => Some("192.0.2.62:3478"),
            "192.0.2.62:3478" => Some("192.0.2.63:3478"),
            _ => None,
        })
    };
    for (scripted, asked) in [(circle, 4), (chain, 6)] {
        let mut site = Site::new(config(vec![at("192.0.2.60")]));
        site.scripted = scripted;
        site.gather(&[HERE]);
        assert!(site.is_complete());
        assert_eq!(site.allocations_asked(), asked);
        assert_eq!(site.problems().len(), 1);
        assert_eq!(site.problems()[0].code, 300);
    }
}

#[test]
fn after_a_sleep_what_servers_gave_is_looked_after_at_once() {
    let servers = vec![turn(Transport::Udp, "ann"), stun("stun:192.0.2.50")];
    let mut site = Site::gathered(config(servers));
    let old = site.of_kind(Relayed)[0].0;
    // Asleep: the server forgot, and the NAT chose another address.
    site.restart_server();
    site.nat.insert(ip(HERE), ip("198.51.100.99"));
    site.gatherer.handle_interfaces(site.world.now, &interfaces(&[HERE]));
    site.settle();
    site.elapse(Duration::from_millis(100));
    assert_eq!(site.gone(), [old]);
    assert_eq!(site.of_kind(Relayed).len(), 2);
    let reflexive = site.of_kind(ServerReflexive);
    assert!(reflexive.iter().any(|(_, at)| at.ip() == ip("198.51.100.99")), "{reflexive:?}");
}

#[test]
fn every_relay_has_its_share_of_the_allocations() {
    let transports = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let servers = transports.map(|transport| turn(transport, "ann")).into();
    let mut site = Site::new(Config { allocations: 3, ..config(servers) });
    for host in 3..6 {
        site.nat.insert(ip(&format!("10.0.0.{host}")), ip(&format!("198.51.100.{host}")));
    }
    site.gather(&["10.0.0.3", "10.0.0.4", "10.0.0.5"]);
    assert!(site.is_complete());
    let candidates = site.candidates();
    let relayed = candidates.iter().filter_map(|(_, it)| it.relay_protocol);
    assert_eq!(relayed.collect::<BTreeSet<_>>(), transports.into());
    assert_eq!(site.world.server.allocations(), 3);
}
