//! What a crowd of peers can make a server send to somebody who never asked for it (RFC 8445 §19.5.1).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{Datagram, Hosted as _, Machine as _, Want, conformance};
use talkie_traversal::ice::gather::Tcp;
use talkie_traversal::ice::mux::{AgentId, Mux};
use talkie_traversal::ice::{Candidate, CandidateType, Protocol, TcpType};
use talkie_traversal::stun::{Class, Message};

use crate::ice_mux::{answer_to, check, path, waiting, waiting_with};

const VICTIM: [u8; 4] = [203, 0, 113, 9];
/// One each 5 ms, after a burst of 64.
const APART: u32 = 5;
const BURST: usize = 64;

/// Signaling says that an agent's peer is there.
fn list(mux: &mut Mux, now: Instant, id: AgentId, address: SocketAddr) {
    list_by(mux, now, id, (address, Protocol::Udp));
}

fn list_by(mux: &mut Mux, now: Instant, id: AgentId, (at, by): (SocketAddr, Protocol)) {
    let foundation = format!("f{}", at.port());
    let kind = CandidateType::ServerReflexive;
    let candidate = Candidate::new(kind, by, at, 1000, foundation);
    mux.call(now, id, |agent| agent.add_remote_candidate(now, candidate).unwrap());
}

/// The checks that go out until `end`, with where they go.
fn run(mux: &mut Mux, now: &mut Instant, end: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
    let mut checks = Vec::new();
    loop {
        let mut buf = Vec::new();
        while let Some(transmit) = mux.poll_transmit(&mut buf) {
            let bytes = std::mem::take(&mut buf);
            if Message::parse(&bytes).unwrap().class() == Class::Request {
                checks.push((transmit.path.remote, bytes));
            }
        }
        while mux.poll_event().is_some() {}
        let Some(next) = mux.poll_timeout().filter(|next| *next <= end) else { break };
        *now = (*now).max(next);
        mux.handle_timeout(*now);
    }
    *now = end;
    checks
}

#[test]
fn a_crowd_that_names_one_victim_is_bounded_together_and_nobody_else_is_slower() {
    let genesis = conformance::genesis();
    let (mut mux, ids) = waiting(&genesis, 150);
    let mut now = genesis.now;
    let (honest, crowd) = ids.split_last().unwrap();
    for id in crowd {
        for port in 1..=10 {
            list(&mut mux, now, *id, (VICTIM, port).into());
        }
    }
    let peer: SocketAddr = "198.51.100.1:5".parse().unwrap();
    list(&mut mux, now, *honest, peer);
    let mut hits = 0;
    for second in 1..=5 {
        let end = genesis.now + Duration::from_secs(second);
        let checks = run(&mut mux, &mut now, end);
        if second == 1 {
            let to_peer = checks.iter().filter(|(to, _)| *to == peer).count();
            assert_eq!(to_peer, 4, "at once, two more soon, and after an RTO");
        }
        hits += checks.iter().filter(|(to, _)| to.ip() == IpAddr::from(VICTIM)).count();
    }
    let most = BURST + 5000 / APART as usize;
    assert!(hits <= most, "{hits}");
    assert!(hits > most / 2, "{hits}: what is granted is made use of");
    assert!(mux.counters().restrained > 1000);
}

/// A stream to nobody costs a victim the packets that the kernel repeats.
#[test]
fn a_crowd_that_names_one_victims_tcp_ports_opens_few_streams_to_it() {
    let genesis = conformance::genesis();
    let (mut mux, ids) = waiting_with(&genesis, 150, |config| config.gather.tcp = Tcp::Active);
    let mut now = genesis.now;
    for id in &ids {
        for port in 1..=3 {
            let place = ((VICTIM, port).into(), Protocol::Tcp(TcpType::Passive));
            list_by(&mut mux, now, *id, place);
        }
    }
    run(&mut mux, &mut now, genesis.now + Duration::from_secs(5));
    let opened = std::iter::from_fn(|| mux.poll_want())
        .filter(|want| matches!(want, Want::Connect { .. }))
        .count();
    let most = (BURST + 5000 / APART as usize) / 6;
    assert!(opened <= most, "{opened}");
    assert!(opened >= BURST / 6, "{opened}: what is granted is made use of");
    assert_eq!(mux.counters().restrained, (450 - opened) as u64);
}

#[test]
fn many_clients_behind_one_address_are_each_answered_with_a_check_at_once() {
    let genesis = conformance::genesis();
    let (mut mux, ids) = waiting(&genesis, 300);
    let mut now = genesis.now;
    let mut asked = 0;
    for (port, id) in (1000..).zip(&ids) {
        let own = mux.agent(*id).unwrap().local_parameters();
        let mut payload = check(&own.username_fragment, &own.password, 1);
        let path = path(&format!("198.51.100.1:{port}"));
        mux.handle_datagram(now, Datagram { path, payload: &mut payload });
        asked += run(&mut mux, &mut now, genesis.now).len();
    }
    assert_eq!(asked, 300);
    assert_eq!(mux.counters().restrained, 0);
}

/// How often somebody who has answered once is asked in 9 s, beside so many who name his host.
fn asked_beside(neighbours: usize) -> usize {
    let genesis = conformance::genesis();
    let (mut mux, ids) = waiting(&genesis, 1 + neighbours);
    let mut now = genesis.now;
    let there = SocketAddr::from((VICTIM, 7));
    list(&mut mux, now, ids[0], there);
    let checks = run(&mut mux, &mut now, genesis.now);
    let mut answer = answer_to(&checks[0].1);
    let path = path(&there.to_string());
    mux.handle_datagram(now, Datagram { path, payload: &mut answer });
    let mut checks = Vec::new();
    for (index, id) in (1..).zip(&ids[1..]) {
        for port in 100..200 {
            list(&mut mux, now, *id, (VICTIM, port).into());
        }
        // Not all at the same moments of a Ta.
        checks.extend(run(&mut mux, &mut now, genesis.now + Duration::from_micros(833 * index)));
    }
    checks.extend(run(&mut mux, &mut now, genesis.now + Duration::from_secs(9)));
    assert!(neighbours == 0 || mux.counters().restrained > 1000);
    checks.iter().filter(|(to, _)| *to == there).count()
}

#[test]
fn who_has_answered_is_asked_however_much_his_neighbours_are() {
    assert_eq!(asked_beside(60), asked_beside(0));
}
