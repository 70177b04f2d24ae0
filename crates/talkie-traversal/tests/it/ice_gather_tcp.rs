//! TCP candidates (RFC 6544): who listens, who connects, and what a stranger can do.

use std::net::SocketAddr;

use talkie_sansio::{Answer, Path, Transport, Want, WantError};
use talkie_traversal::ice::CandidateType::Host;
use talkie_traversal::ice::gather::{Config, LocalId, Policy, SendError, Tcp};
use talkie_traversal::ice::{Candidate, Protocol, TcpType};

use crate::ice_gather_world::{HERE, Site, config};
use crate::turn_world::{addr, secs};

const PEER: &str = "203.0.113.9:7000";

fn gathered(tcp: Tcp) -> Site {
    Site::gathered(Config { tcp, ..config(Vec::new()) })
}

fn base(site: &Site, kind: TcpType) -> (LocalId, Candidate) {
    let is_it = |it: &(LocalId, Candidate)| it.1.protocol == Protocol::Tcp(kind);
    site.candidates().into_iter().find(is_it).unwrap()
}

fn connects(site: &Site) -> Vec<(SocketAddr, SocketAddr)> {
    let is_connect = |want: &Want| match want {
        Want::Connect { local, remote, .. } => Some((local.unwrap(), *remote)),
        _ => None,
    };
    site.wants.iter().filter_map(is_connect).collect()
}

/// Somebody connects to the passive candidate.
fn accept(site: &mut Site, from: &str) -> Path {
    let (_, passive) = base(site, TcpType::Passive);
    let local = passive.socket_address().unwrap();
    let path = Path { transport: Transport::Tcp, local, remote: addr(from) };
    let id = site.listeners()[0];
    site.tell(Answer::Accepted { id, path });
    path
}

#[test]
fn each_direction_has_a_candidate_and_udp_comes_before_all() {
    let site = gathered(Tcp::SimultaneousOpen);
    assert!(site.is_complete());
    let (_, active) = base(&site, TcpType::Active);
    let (_, passive) = base(&site, TcpType::Passive);
    let (_, both) = base(&site, TcpType::SimultaneousOpen);
    assert_eq!(active.port, 9, "RFC 6544 §4.5");
    assert_ne!(passive.port, both.port);
    // RFC 6544 §4.2.
    assert!(active.priority > passive.priority && passive.priority > both.priority);
    let candidates = site.candidates();
    let udp = candidates.iter().find(|(_, it)| it.protocol == Protocol::Udp).unwrap();
    assert!(udp.1.priority > active.priority);
    assert_eq!(site.of_kind(Host).len(), 4);
}

#[test]
fn an_active_candidate_connects_when_it_first_sends() {
    let mut site = gathered(Tcp::Active);
    assert_eq!(site.listeners(), []);
    let (id, _) = base(&site, TcpType::Active);
    let now = site.world.now;
    for packet in [&b"one"[..], b"two"] {
        site.gatherer.send(now, id, addr(PEER), packet).unwrap();
    }
    site.settle();
    assert_eq!(connects(&site), [(SocketAddr::new(HERE.parse().unwrap(), 0), addr(PEER))]);
    let sent: Vec<_> = site.direct.iter().map(|(_, bytes)| &bytes[..]).collect();
    assert_eq!(sent, [b"\0\x03one", b"\0\x03two"], "RFC 4571");
    let path = site.direct[0].0;
    site.hear(path, b"\0\x05three");
    assert_eq!(site.received, [(id, addr(PEER), b"three".to_vec())]);
    site.send(id, PEER, b"four").unwrap();
    assert_eq!(connects(&site).len(), 1);
}

#[test]
fn a_connection_that_fails_or_ends_is_opened_again_by_the_next_packet() {
    let mut site = gathered(Tcp::Active);
    let (id, _) = base(&site, TcpType::Active);
    site.refuses_streams = true;
    site.send(id, PEER, b"lost").unwrap();
    site.refuses_streams = false;
    site.send(id, PEER, b"found").unwrap();
    assert_eq!(site.direct.len(), 1);
    let path = site.direct[0].0;
    site.tell(Answer::Closed { path });
    site.hear(path, b"\0\x01x");
    assert_eq!(site.received, []);
    site.send(id, PEER, b"again").unwrap();
    assert_eq!(connects(&site).len(), 3);
}

#[test]
fn a_passive_candidate_answers_who_connected_and_nobody_else() {
    let mut site = gathered(Tcp::Passive);
    let path = accept(&mut site, PEER);
    let (id, _) = base(&site, TcpType::Passive);
    site.hear(path, b"\0\x05hello");
    assert_eq!(site.received, [(id, addr(PEER), b"hello".to_vec())]);
    site.send(id, PEER, b"hi").unwrap();
    assert_eq!(site.direct, [(path, b"\0\x02hi".to_vec())]);
    assert_eq!(site.send(id, "203.0.113.10:1", b"hi"), Err(SendError::Unreachable));
    assert_eq!(connects(&site), []);
}

#[test]
fn simultaneous_open_leaves_from_the_port_that_listens() {
    let mut site = gathered(Tcp::SimultaneousOpen);
    let (id, both) = base(&site, TcpType::SimultaneousOpen);
    site.send(id, PEER, b"hi").unwrap();
    assert_eq!(connects(&site), [(both.socket_address().unwrap(), addr(PEER))]);
    assert_eq!(site.direct.len(), 1);
}

#[test]
fn strangers_who_connect_push_out_each_other_and_not_the_peer() {
    let mut site = gathered(Tcp::Passive);
    let peer = accept(&mut site, PEER);
    let (id, _) = base(&site, TcpType::Passive);
    site.send(id, PEER, b"hi").unwrap();
    for port in 1..100 {
        accept(&mut site, &format!("198.51.100.200:{port}"));
    }
    let hung_up = site.hung_up();
    assert_eq!(hung_up.len(), 100 - 32);
    assert!(!hung_up.contains(&peer));
    // And those that stay silent do not stay.
    site.elapse(secs(40));
    assert_eq!(site.hung_up().len(), 99);
    assert!(site.send(id, PEER, b"still there").is_ok());
    assert_eq!(site.gatherer.poll_timeout(), None);
}

#[test]
fn a_crowd_from_one_host_pushes_out_itself_and_not_who_was_there_before() {
    let mut site = gathered(Tcp::Passive);
    // Nothing has been answered yet.
    let peer = accept(&mut site, PEER);
    for port in 1..100 {
        accept(&mut site, &format!("198.51.100.200:{port}"));
    }
    assert_eq!(site.hung_up().len(), 100 - 32);
    assert!(!site.hung_up().contains(&peer));
}

#[test]
fn a_connection_that_is_of_no_use_any_more_makes_way() {
    let mut site = gathered(Tcp::Active);
    let (id, _) = base(&site, TcpType::Active);
    for port in 1..=32 {
        site.send(id, &format!("203.0.113.9:{port}"), b"check").unwrap();
    }
    assert_eq!(site.send(id, PEER, b"check"), Err(SendError::Full), "all are in use");
    site.elapse(secs(20));
    site.send(id, "203.0.113.9:1", b"check").unwrap();
    site.elapse(secs(20));
    site.send(id, PEER, b"check").unwrap();
    let hung_up = site.hung_up();
    assert_eq!(hung_up.len(), 1);
    assert_ne!(hung_up[0].remote, addr("203.0.113.9:1"), "this one was used since");
}

#[test]
fn few_packets_wait_for_a_connection() {
    let mut site = gathered(Tcp::Active);
    let (id, _) = base(&site, TcpType::Active);
    let now = site.world.now;
    let sent: Vec<_> = (0..20).map(|_| site.gatherer.send(now, id, addr(PEER), b"hello")).collect();
    assert_eq!(sent.iter().filter(|it| it.is_ok()).count(), 16);
    assert_eq!(sent[19], Err(SendError::Full));
    let long = vec![0; 65_536];
    assert_eq!(site.gatherer.send(now, id, addr(PEER), &long), Err(SendError::TooLong));
}

#[test]
fn a_port_that_cannot_be_had_is_told_and_udp_goes_on() {
    let mut site = gathered(Tcp::Passive);
    let (passive, _) = base(&site, TcpType::Passive);
    let id = site.listeners()[0];
    site.tell(Answer::Failed { id, error: WantError::Unsupported });
    assert_eq!(site.gone(), [passive]);
    assert_eq!(site.problems().len(), 1);
}

#[test]
fn relay_only_opens_no_tcp_port() {
    let policy = Policy::Relay;
    let config = Config { tcp: Tcp::SimultaneousOpen, policy, ..config(Vec::new()) };
    let site = Site::gathered(config);
    assert_eq!(site.candidates(), []);
    assert!(site.wants.is_empty(), "{:?}", site.wants);
    assert!(site.is_complete());
}
