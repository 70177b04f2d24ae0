//! Candidates over UDP: who is told of, once, and how packets travel from them.

use std::time::Duration;

use talkie_sansio::{Interface, Path, Transport, Want};
use talkie_traversal::ice::CandidateType::{Host, Relayed, ServerReflexive};
use talkie_traversal::ice::gather::{Config, Event, Policy, Problem, SendError};
use talkie_traversal::stun::attributes::ErrorCode;
use talkie_traversal::stun::{Class, Writer};

use crate::ice_gather_world::{HERE, OUTSIDE, STUNS, Site, config, interfaces, ip, stun, turn};
use crate::turn_world::{SERVER, addr, secs};

const PEER: &str = "203.0.113.9:7000";

fn stuns() -> Vec<talkie_traversal::ice::gather::Server> {
    STUNS.map(|at| stun(&format!("stun:{at}"))).into()
}

#[test]
fn a_host_behind_a_nat_has_one_candidate_of_each_type() {
    let mut servers = stuns();
    servers.push(turn(Transport::Udp, "ann"));
    let site = Site::gathered(config(servers));
    assert!(site.is_complete());
    assert_eq!(site.problems(), []);
    let host = site.of_kind(Host);
    assert_eq!(host.len(), 1);
    // Two servers and the relay see the same: one candidate.
    let reflexive = site.of_kind(ServerReflexive);
    assert_eq!(reflexive.len(), 1);
    assert_eq!(reflexive[0], (host[0].0, site.outside(host[0].1)));
    let relayed = site.of_kind(Relayed);
    assert_eq!(relayed.len(), 1);
    assert_eq!(relayed[0].1.ip(), addr(SERVER).ip());
    let candidates = site.candidates();
    let by_kind = |kind| candidates.iter().find(|(_, it)| it.kind == kind).unwrap().1.clone();
    let (host, reflexive, relayed) = (by_kind(Host), by_kind(ServerReflexive), by_kind(Relayed));
    assert!(host.priority > reflexive.priority && reflexive.priority > relayed.priority);
    assert_eq!(reflexive.related, host.socket_address());
    assert_eq!(relayed.related, reflexive.socket_address());
    assert_eq!(relayed.relay_protocol, Some(Transport::Udp));
    assert_eq!(reflexive.url.as_deref(), Some("stun:192.0.2.50:3478"));
    assert_eq!(relayed.url.as_deref(), Some("turn:192.0.2.1:3478?transport=udp"));
    assert!(candidates.iter().all(|(_, it)| it.username_fragment.as_deref() == Some("frag")));
    let mut foundations: Vec<_> = candidates.iter().map(|(_, it)| &it.foundation).collect();
    foundations.sort_unstable();
    foundations.dedup();
    assert_eq!(foundations.len(), 3);
}

#[test]
fn without_a_nat_there_is_no_reflexive_candidate() {
    let mut site = Site::new(config(stuns()));
    site.nat.clear();
    site.gather(&[OUTSIDE]);
    assert!(site.is_complete());
    assert_eq!(site.of_kind(Host).len(), 1);
    assert_eq!(site.of_kind(ServerReflexive), []);
}

#[test]
fn requests_leave_one_by_one_at_the_pace() {
    let mut servers = stuns();
    servers.push(turn(Transport::Udp, "ann"));
    let mut site = Site::new(config(servers));
    site.nat.insert(ip("10.1.0.2"), ip("198.51.100.8"));
    site.gather(&[HERE, "10.1.0.2"]);
    let first: Vec<_> =
        site.sent.iter().map(|(at, path, _)| (*at, path.local, path.remote)).collect();
    let mut starts = Vec::new();
    for (at, local, remote) in first {
        if !starts.iter().any(|(_, l, r)| (*l, *r) == (local, remote)) {
            starts.push((at, local, remote));
        }
    }
    assert_eq!(starts.len(), 6, "two addresses ask three servers");
    for pair in starts.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= Duration::from_millis(20), "{starts:?}");
    }
}

#[test]
fn a_server_that_is_silent_is_named_and_does_not_hold_up_gathering_for_ever() {
    let mut site = Site::new(config(stuns()));
    site.dark.insert(addr(STUNS[0]));
    site.gather(&[HERE]);
    assert!(!site.is_complete());
    assert_eq!(site.of_kind(ServerReflexive).len(), 1, "what is known is told at once");
    site.elapse(secs(10));
    assert!(site.is_complete());
    let problems = site.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].url.as_deref(), Some("stun:192.0.2.50:3478"));
    assert_eq!(problems[0].code, Problem::UNREACHABLE);
}

#[test]
fn names_are_resolved_and_those_that_are_unknown_are_told() {
    let servers = ["stun:stun.example", "stun:nowhere.example"].map(stun).into();
    let mut site = Site::new(config(servers));
    site.names.insert("stun.example".into(), vec![addr(STUNS[1]).ip()]);
    site.gather(&[HERE]);
    assert!(site.is_complete());
    assert_eq!(site.of_kind(ServerReflexive).len(), 1);
    let problems = site.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].url.as_deref(), Some("stun:nowhere.example:3478"));
    assert_eq!((problems[0].code, problems[0].address), (701, None));
}

#[test]
fn a_refusal_is_told_with_the_servers_code() {
    let site = Site::gathered(config(vec![turn(Transport::Udp, "nobody")]));
    assert!(site.is_complete());
    let problems = site.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code, 401);
    assert_eq!(problems[0].url.as_deref(), Some("turn:192.0.2.1:3478?transport=udp"));
    assert_eq!(problems[0].address.unwrap().ip(), ip(HERE));
}

#[test]
fn a_host_without_addresses_says_so_and_gathers_nothing() {
    let mut site = Site::new(config(stuns()));
    site.gather(&["127.0.0.1"]);
    assert!(site.is_complete());
    assert_eq!(site.candidates(), []);
    let problems = site.problems();
    assert_eq!(problems[0].url, None);
    assert_eq!(problems.len(), 3, "this host's own, and each server's: {problems:?}");
}

#[test]
fn packets_over_the_relay_wait_for_its_permission_and_come_back_unwrapped() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    let (id, relayed) = site.of_kind(Relayed)[0];
    site.send(id, PEER, b"first").unwrap();
    let (path, bytes) = site.relayed.pop_front().unwrap();
    assert_eq!((path.local, path.remote, &bytes[..]), (relayed, addr(PEER), &b"first"[..]));
    site.peer_sends(PEER, relayed, b"answer");
    assert_eq!(site.received.pop(), Some((id, addr(PEER), b"answer".to_vec())));
    // With a channel the packet is four bytes longer than its payload, and works as well.
    site.gatherer.bind(site.world.now, id, addr(PEER));
    site.settle();
    site.send(id, PEER, b"second").unwrap();
    assert_eq!(site.sent.last().unwrap().2.len(), 10);
    assert_eq!(site.relayed.pop_front().unwrap().1, b"second");
    site.peer_sends(PEER, relayed, b"by channel");
    assert_eq!(site.received.pop(), Some((id, addr(PEER), b"by channel".to_vec())));
}

#[test]
fn few_packets_wait_for_a_permission_and_none_for_one_that_is_refused() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    let (id, _) = site.of_kind(Relayed)[0];
    let now = site.world.now;
    let sent: Vec<_> = (0..20).map(|_| site.gatherer.send(now, id, addr(PEER), b"hello")).collect();
    assert_eq!(sent.iter().filter(|it| it.is_ok()).count(), 16);
    assert_eq!(sent[19], Err(SendError::Full));
    site.settle();
    assert_eq!(site.relayed.len(), 16);
    // 10.0.0.0/8 is not the relay's to reach.
    site.send(id, "10.9.9.9:1", b"hello").unwrap();
    assert_eq!(site.send(id, "10.9.9.9:1", b"hello"), Err(SendError::Forbidden));
    assert_eq!(site.send(id, "[2001:db8::1]:1", b"hello"), Err(SendError::Unreachable));
}

#[test]
fn a_peers_packet_on_a_socket_is_handed_on_as_it_is() {
    let mut site = Site::gathered(config(stuns()));
    let (id, local) = site.of_kind(Host)[0];
    let path = Path { transport: Transport::Udp, local, remote: addr(PEER) };
    site.hear(path, b"hello");
    assert_eq!(site.received, [(id, addr(PEER), b"hello".to_vec())]);
    site.send(id, PEER, b"hello yourself").unwrap();
    assert_eq!(site.direct, [(path, b"hello yourself".to_vec())]);
    site.hear(Path { local: addr("10.0.0.2:1"), ..path }, b"nobody's");
    assert_eq!(site.received.len(), 1);
}

#[test]
fn relay_only_tells_no_address_of_ours() {
    let mut servers = stuns();
    servers.push(turn(Transport::Udp, "ann"));
    let mut site = Site::gathered(Config { policy: Policy::Relay, ..config(servers) });
    assert!(site.is_complete());
    let candidates = site.candidates();
    assert_eq!(candidates.len(), 1);
    assert_eq!(candidates[0].1.kind, Relayed);
    assert_eq!(candidates[0].1.related, Some(addr("0.0.0.0:9")));
    // Nobody hears us at our own address either.
    let local = site.sent[0].1.local;
    let path = Path { transport: Transport::Udp, local, remote: addr(PEER) };
    site.hear(path, b"are you there?");
    assert_eq!(site.received, []);
}

#[test]
fn a_restart_tells_the_same_bases_under_the_new_fragment() {
    let mut servers = stuns();
    servers.push(turn(Transport::Udp, "ann"));
    let mut site = Site::gathered(config(servers));
    let before = site.candidates();
    let sent = site.sent.len();
    site.events.clear();
    site.gatherer.gather(site.world.now, "next");
    site.settle();
    let after = site.candidates();
    assert!(site.is_complete());
    assert_eq!(site.sent.len(), sent, "nothing has to be asked");
    assert_eq!(after.len(), before.len());
    for ((old_id, old), (id, new)) in before.iter().zip(&after) {
        assert_eq!((old_id, old.port, old.kind), (id, new.port, new.kind));
        assert_eq!(new.username_fragment.as_deref(), Some("next"));
    }
}

#[test]
fn an_address_that_comes_gets_candidates_and_one_that_goes_loses_them() {
    let mut servers = stuns();
    servers.push(turn(Transport::Udp, "ann"));
    let mut site = Site::gathered(config(servers));
    let old: Vec<_> = site.candidates().iter().map(|(id, _)| *id).collect();
    site.events.clear();
    site.nat.insert(ip("10.1.0.2"), ip("198.51.100.8"));
    let now = site.world.now;
    site.gatherer.handle_interfaces(now, &interfaces(&["10.1.0.2"]));
    site.settle();
    site.elapse(secs(1));
    let mut gone = site.gone();
    gone.sort_unstable();
    let mut lost = old.clone();
    lost.sort_unstable();
    lost.dedup();
    assert_eq!(gone, lost);
    assert!(site.is_complete());
    for kind in [Host, ServerReflexive, Relayed] {
        assert_eq!(site.of_kind(kind).len(), 1, "{kind:?}");
    }
    assert!(site.wants.iter().any(|want| matches!(want, Want::Close { .. })));
    assert_eq!(site.send(old[0], PEER, b"from nowhere"), Err(SendError::NoBase));
}

#[test]
fn a_static_nat_is_seen_through() {
    let external = vec![(ip(HERE), ip(OUTSIDE))];
    let site = Site::gathered(Config { external, ..config(stuns()) });
    // As the STUN servers see it, which adds nothing.
    assert_eq!(site.of_kind(Host)[0].1.ip(), ip(OUTSIDE));
    assert_eq!(site.of_kind(ServerReflexive), []);
}

#[test]
fn both_families_are_gathered_and_neither_waits_for_the_other() {
    let mut site = Site::new(config(stuns()));
    let addresses = [HERE, "2001:db8::2"].map(ip);
    let interfaces: Vec<_> = addresses.map(|address| Interface::new("eth0", address)).into();
    let now = site.world.now;
    site.gatherer.handle_interfaces(now, &interfaces);
    site.gatherer.gather(now, "frag");
    site.settle();
    site.elapse(secs(1));
    let hosts = site.of_kind(Host);
    assert_eq!(hosts.len(), 2);
    let candidates = site.candidates();
    let priority = |v6: bool| {
        let is_it = |it: &&(_, talkie_traversal::ice::Candidate)| {
            it.1.kind == Host && it.1.socket_address().unwrap().is_ipv6() == v6
        };
        candidates.iter().find(is_it).unwrap().1.priority
    };
    assert!(priority(true) > priority(false), "RFC 8421: IPv6 first");
    assert_eq!(site.send(hosts[0].0, "[2001:db8::3]:1", b"x").is_ok(), hosts[0].1.is_ipv6());
}

#[test]
fn what_is_closed_gives_back_its_allocation_and_its_sockets() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    assert_eq!(site.world.server.allocations(), 1);
    site.gatherer.close(site.world.now);
    site.settle();
    assert_eq!(site.world.server.allocations(), 0);
    assert!(matches!(site.wants.last(), Some(Want::Close { .. })));
    assert_eq!(site.gatherer.poll_timeout(), None);
}

#[test]
fn a_mapping_is_kept_open_and_its_change_told() {
    let mut site = Site::gathered(config(stuns()));
    let sent = site.sent.len();
    site.elapse(secs(60));
    assert_eq!(site.sent.len() - sent, 2, "every 25 s, to one server");
    site.nat.insert(ip(HERE), ip("198.51.100.99"));
    site.elapse(secs(25));
    let reflexive = site.of_kind(ServerReflexive);
    assert_eq!(reflexive.last().unwrap().1.ip(), ip("198.51.100.99"));
    assert_eq!(reflexive.len(), 2);
}

/// RFC 8445 §5.1.1.4: it is kept until ICE ends.
#[test]
fn a_mapping_is_kept_open_also_where_the_server_once_says_no() {
    let mut site = Site::gathered(config(stuns()));
    let asked = |site: &Site| {
        let sent = site.sent.iter();
        sent.filter(|(_, path, _)| path.remote == addr(STUNS[0])).count()
    };
    let before = asked(&site);
    site.scripted = |_, request| {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, Class::Error, request.method(), request.transaction_id())
            .attribute(&ErrorCode { code: 500, reason: "" });
        Some(bytes)
    };
    site.elapse(secs(26));
    assert_eq!(asked(&site), before + 1);
    site.scripted = |_, _| None;
    site.elapse(secs(250));
    assert_eq!(asked(&site), before + 11);
}

/// A server that was reached from one of our addresses only is asked from the others by the next gathering.
#[test]
fn a_restart_asks_from_where_no_answer_came_before() {
    let away = "10.1.0.2";
    let mut site = Site::new(config(vec![stun("stun:192.0.2.50")]));
    site.nat.insert(ip(away), ip("198.51.100.8"));
    // Nothing comes back there.
    site.scripted = |path, _| (path.local.ip() != ip(HERE)).then(Vec::new);
    site.gather(&[HERE, away]);
    site.elapse(secs(11));
    assert!(site.is_complete());
    assert_eq!(site.of_kind(ServerReflexive).len(), 1);
    site.scripted = |_, _| None;
    site.events.clear();
    site.gatherer.gather(site.world.now, "next");
    site.elapse(secs(1));
    assert!(site.is_complete());
    assert_eq!(site.of_kind(ServerReflexive).len(), 2);
}

#[test]
fn gathering_without_servers_is_complete_at_once() {
    let site = Site::gathered(config(Vec::new()));
    assert!(matches!(site.events[..], [Event::Candidate { .. }, Event::Complete]));
    assert_eq!(site.sent.len(), 0);
    assert!(site.gatherer.poll_timeout().is_none());
}

#[test]
fn ports_are_asked_for_from_the_range() {
    let ports = 40_000..=40_010;
    let site = Site::gathered(Config { ports: ports.clone(), ..config(Vec::new()) });
    let is_in_range = |want: &Want| matches!(want, Want::Bind { ports: of, .. } if *of == ports);
    assert!(site.wants.iter().all(is_in_range) && site.wants.len() == 1);
}

#[test]
fn restarts_that_nobody_listens_to_pile_up_nothing() {
    let mut servers = stuns();
    servers.push(turn(Transport::Udp, "ann"));
    let mut site = Site::gathered(config(servers));
    let candidates = site.candidates().len();
    // Nothing is up that a server could be asked from.
    let mut lonely = Site::new(config(stuns()));
    for number in 0..1000 {
        lonely.gatherer.handle_interfaces(lonely.world.now, &[]);
        lonely.gatherer.gather(lonely.world.now, &format!("frag{number}"));
    }
    lonely.settle();
    assert!(lonely.events.len() <= STUNS.len() + 2, "{:?}", lonely.events);
    for number in 0..1000 {
        site.gatherer.gather(site.world.now, &format!("frag{number}"));
    }
    site.events.clear();
    site.settle();
    assert_eq!(site.events.len(), candidates + 1, "{:?}", site.events);
    let told = site.candidates();
    assert_eq!(told.len(), candidates);
    assert!(told.iter().all(|(_, it)| it.username_fragment.as_deref() == Some("frag999")));
    assert!(matches!(site.events.last(), Some(Event::Complete)));
}

#[test]
fn what_is_never_to_end_lasts_as_long_as_anything_can() {
    let endless = Duration::MAX;
    for config in [
        Config { limit: endless, keepalive: Some(endless), ..config(stuns()) },
        Config { pace: endless, ..config(stuns()) },
    ] {
        let site = Site::gathered(config);
        assert!(!site.of_kind(ServerReflexive).is_empty());
    }
}
