//! Servers and policies that are set later: they hold from the next gathering on, and what goes over the old ones
//! goes on until then.

use std::time::Duration;

use talkie_sansio::{Answer, Transport};
use talkie_sim::nat::Preset;
use talkie_traversal::ice::gather::{Policy, Server};
use talkie_traversal::ice::{Agent, Candidate, CandidateType, ConnectionState, Event};

use crate::ice_gather_world::{HERE, STUNS, Site, config, interfaces, stun, turn};
use crate::ice_spots::Spot;
use crate::ice_world::{Outcome, Setup, World};
use crate::turn_world::{SERVER, addr};

const SECOND: Duration = Duration::from_secs(1);
const URIS: [&str; 2] = ["stun:192.0.2.50", "stun:192.0.2.51"];

/// How often each STUN server was asked since.
fn asked(site: &mut Site) -> [usize; 2] {
    let sent = std::mem::take(&mut site.sent);
    STUNS.map(|server| sent.iter().filter(|(_, path, _)| path.remote == addr(server)).count())
}

#[test]
fn servers_that_are_set_before_gathering_are_the_only_ones_asked() {
    let mut site = Site::new(config(vec![stun(URIS[0])]));
    site.gatherer.set_servers(vec![stun(URIS[1])], Policy::All).unwrap();
    site.gather(&[HERE]);
    assert_eq!(asked(&mut site), [0, 1]);
}

#[test]
fn servers_that_are_set_later_are_asked_by_the_next_gathering() {
    let mut site = Site::gathered(config(vec![stun(URIS[0])]));
    site.gatherer.set_servers(vec![stun(URIS[1])], Policy::All).unwrap();
    asked(&mut site);
    site.elapse(51 * SECOND);
    assert_eq!(asked(&mut site), [2, 0], "only the mapping is kept");
    site.events.clear();
    site.gatherer.gather(site.world.now, "next");
    site.elapse(SECOND);
    assert!(site.is_complete());
    assert_eq!(asked(&mut site), [0, 1]);
    let told = site.candidates();
    let reflexive = told.iter().find(|(_, it)| it.kind == CandidateType::ServerReflexive);
    let reflexive = &reflexive.expect("the same address, as another server sees it").1;
    assert_eq!(reflexive.url.as_deref(), Some("stun:192.0.2.51:3478"));
    assert!(told.iter().all(|(_, it)| it.username_fragment.as_deref() == Some("next")));
    site.elapse(51 * SECOND);
    assert_eq!(asked(&mut site), [0, 2]);
    // And back, and forth: nothing grows, and each is asked again.
    for turn in 0..20 {
        let uri = URIS[turn % 2];
        site.gatherer.set_servers(vec![stun(uri)], Policy::All).unwrap();
        site.events.clear();
        site.gatherer.gather(site.world.now, "again");
        site.elapse(SECOND);
        let of_kind = site.of_kind(CandidateType::ServerReflexive);
        assert_eq!(of_kind.len(), 1, "{turn}");
    }
}

/// What two servers have seen alike is told as of one of them; without that one it is the other's.
#[test]
fn a_server_that_stays_tells_what_one_that_is_left_had_told_before() {
    let relay = turn(Transport::Udp, "ann");
    for (stays, url) in
        [(stun(URIS[1]), "stun:192.0.2.51:3478"), (relay, "turn:192.0.2.1:3478?transport=udp")]
    {
        let mut site = Site::gathered(config(vec![stun(URIS[0]), stays.clone()]));
        let before = site.of_kind(CandidateType::ServerReflexive);
        assert_eq!(before.len(), 1);
        site.gatherer.set_servers(vec![stays], Policy::All).unwrap();
        site.events.clear();
        site.gatherer.gather(site.world.now, "next");
        site.elapse(SECOND);
        assert!(site.is_complete());
        let told = site.candidates();
        let reflexive: Vec<_> =
            told.iter().filter(|(_, it)| it.kind == CandidateType::ServerReflexive).collect();
        let [(_, reflexive)] = reflexive[..] else { panic!("{url}: {told:?}") };
        assert_eq!(reflexive.url.as_deref(), Some(url));
        assert_eq!(reflexive.username_fragment.as_deref(), Some("next"));
        assert_eq!(site.of_kind(CandidateType::ServerReflexive), before);
        // And looks after the mapping.
        asked(&mut site);
        site.elapse(51 * SECOND);
        assert_eq!(asked(&mut site), if url.starts_with("stun") { [0, 2] } else { [0, 0] });
    }
}

pub(crate) fn set(world: &mut World, uris: &[&str], policy: Policy) {
    set_as(world, "ann", uris, policy);
}

fn set_as(world: &mut World, user: &str, uris: &[&str], policy: Policy) {
    let login = |uri: &str| uri.starts_with("turn").then_some((user, "pass"));
    let servers: Vec<_> = uris.iter().map(|uri| Server::new(uri, login(uri)).unwrap()).collect();
    world.network.call(world.sides[0].host, |agent, _| agent.set_servers(servers, policy).unwrap());
}

/// What the left side has told under its present credentials.
fn told(world: &World) -> Vec<Candidate> {
    let fragment = &world.agent(0).local_parameters().username_fragment;
    let told = world.sides[0].events.iter().filter_map(|(_, event)| match event {
        Event::Candidate(candidate) => Some(candidate.clone()),
        _ => None,
    });
    told.filter(|it| it.username_fragment.as_ref() == Some(fragment)).collect()
}

/// Lets both talk until they use a pair of the present credentials; whether nothing was lost.
pub(crate) fn talk_until_new(world: &mut World) {
    let fragment = world.agent(0).local_parameters().username_fragment.clone();
    let before = [0, 1].map(|side| world.data(side).count());
    let mut sent = 0;
    let is_new = |world: &World| {
        let pair = world.agreed();
        pair.is_some_and(|[left, _]| left.local.username_fragment.as_ref() == Some(&fragment))
    };
    while sent < 1000 && (sent < 50 || !is_new(world)) {
        for side in 0..2 {
            let host = world.sides[side].host;
            assert_eq!(
                world.network.call(host, |agent, now| agent.send(now, &[0x80, side as u8])),
                Ok(())
            );
        }
        sent += 1;
        world.run_for(Duration::from_millis(20));
    }
    assert!(is_new(world), "{world}");
    world.run_for(SECOND);
    let got = [0, 1].map(|side| world.data(side).count() - before[side]);
    assert_eq!(got, [sent, sent], "{world}");
}

#[test]
fn a_relay_that_is_left_carries_data_until_the_restart_is_over() {
    let symmetric = Spot::Preset(Preset::Symmetric);
    let mut setup = Setup::new(symmetric, symmetric);
    setup.urls.retain(|url| url.ends_with("udp"));
    let mut world = World::new(setup);
    world.settle(Outcome::Relayed);
    let relays = |world: &World| world.network.machine(world.server).stats().relays_now;
    let before = relays(&world);
    // The same server under another name, at the same port of ours.
    set(&mut world, &["turn:turn.example"], Policy::All);
    world.run_for(20 * SECOND);
    assert_eq!(relays(&world), before);
    world.restart(0);
    talk_until_new(&mut world);
    let told = told(&world);
    let relayed: Vec<_> = told.iter().filter(|it| it.kind == CandidateType::Relayed).collect();
    assert!(!relayed.is_empty());
    let is_new =
        |it: &&Candidate| it.url.as_deref().is_some_and(|url| url.contains("turn.example"));
    assert!(relayed.iter().all(is_new), "{told:?}");
    world.run_for(40 * SECOND);
    assert_eq!(relays(&world), before, "what is left is given back");
    world.assert_data_flows();
    world.assert_never(ConnectionState::Failed);
    world.assert_nothing_is_left();
}

#[test]
fn a_policy_that_is_set_holds_from_the_next_gathering_on() {
    let restricted = Spot::Preset(Preset::PortRestricted);
    let mut world = World::new(Setup::new(restricted, restricted));
    world.settle(Outcome::Direct);
    let uris = ["stun:192.0.2.1", "turn:192.0.2.1?transport=udp"];
    set(&mut world, &uris, Policy::Relay);
    world.run_for(20 * SECOND);
    assert!(world.agreed().unwrap()[0].is_direct());
    world.restart(0);
    talk_until_new(&mut world);
    let candidates = told(&world);
    assert!(!candidates.is_empty());
    for candidate in candidates {
        assert_eq!(candidate.kind, CandidateType::Relayed, "{candidate}");
        assert!(candidate.related.is_some_and(|it| it.ip().is_unspecified()), "{candidate}");
    }
    for span in [SECOND, 60 * SECOND] {
        world.run_for(span);
        assert!(!world.agreed().unwrap()[0].is_direct(), "{world}");
    }
    set(&mut world, &uris, Policy::All);
    world.restart(0);
    talk_until_new(&mut world);
    world.settle(Outcome::Direct);
    world.assert_nothing_is_left();
}

#[test]
fn who_told_only_relays_can_tell_all() {
    let restricted = Spot::Preset(Preset::PortRestricted);
    let mut setup = Setup::new(restricted, restricted);
    setup.adjust[0] = |config| config.gather.policy = Policy::Relay;
    // Over TCP there was no socket before.
    for query in ["udp", "tcp"] {
        let mut setup = setup.clone();
        setup.urls.retain(|url| url.starts_with("stun") || url.ends_with(query));
        let mut world = World::new(setup);
        world.settle(Outcome::Relayed);
        let turn = format!("turn:192.0.2.1?transport={query}");
        set(&mut world, &["stun:192.0.2.1", &turn], Policy::All);
        world.restart(0);
        world.settle(Outcome::Direct);
        world.assert_nothing_is_left();
    }
}

/// Credentials for a relay are fresh each time they are asked for. What a generation that nobody follows has got with
/// them is given back, what carries data is not.
#[test]
fn relays_of_restarts_that_come_to_nothing_are_given_back() {
    let symmetric = Spot::Preset(Preset::Symmetric);
    let mut setup = Setup::new(symmetric, symmetric);
    setup.urls.retain(|url| url.starts_with("turn") && url.ends_with("udp"));
    let mut world = World::new(setup);
    world.settle(Outcome::Relayed);
    let relays = |world: &World| world.network.machine(world.server).stats().relays_now;
    let (before, relay) = (relays(&world), "turn:192.0.2.1?transport=udp");
    let host = world.sides[0].host;
    let restart_without_answer = |world: &mut World, user: usize| {
        set_as(world, &format!("ann{user}"), &[relay], Policy::All);
        world.network.call(host, Agent::restart);
        world.run_for(2 * SECOND);
    };
    for user in 0..6 {
        restart_without_answer(&mut world, user);
        assert!(relays(&world) <= 2 * before, "{user}: {} of {before}", relays(&world));
    }
    assert!(world.network.call(host, Agent::undo_restart));
    world.run_for(60 * SECOND);
    world.assert_data_flows();
    for user in 6..8 {
        restart_without_answer(&mut world, user);
    }
    world.tell_parameters(0);
    talk_until_new(&mut world);
    world.run_for(40 * SECOND);
    assert_eq!(relays(&world), before, "what is left is given back");
    world.assert_data_flows();
    world.assert_never(ConnectionState::Failed);
    world.assert_nothing_is_left();
}

/// Servers that are set take nothing from a generation that goes on.
#[test]
fn a_relay_that_is_left_without_a_restart_outlives_the_generation_before() {
    let symmetric = Spot::Preset(Preset::Symmetric);
    let mut setup = Setup::new(symmetric, symmetric);
    setup.urls.retain(|url| url.starts_with("turn") && url.ends_with("udp"));
    let mut world = World::new(setup);
    world.settle(Outcome::Relayed);
    world.restart(0);
    talk_until_new(&mut world);
    // The generation before is still heard.
    let servers = [Server::new("turn:192.0.2.1?transport=udp", Some(("ann2", "pass"))).unwrap()];
    for side in 0..2 {
        let servers = servers.to_vec();
        world.network.call(world.sides[side].host, |agent, now| {
            agent.set_servers(servers, Policy::All).unwrap();
            agent.gather(now);
        });
    }
    let before = world.agreed().unwrap().map(|pair| pair.id);
    for _ in 0..6 {
        world.run_for(10 * SECOND);
        assert_eq!(world.agreed().unwrap().map(|pair| pair.id), before, "{world}");
    }
    world.assert_data_flows();
    world.assert_nothing_is_left();
}

#[test]
fn an_allocation_that_was_lost_when_its_server_was_left_is_not_told_when_it_is_back() {
    let mut site = Site::gathered(config(vec![turn(Transport::Udp, "ann")]));
    site.dark.insert(addr(SERVER));
    site.elapse(450 * SECOND);
    assert_eq!(site.gone().len(), 1, "it is asked for again and again");
    site.gatherer.set_servers(Vec::new(), Policy::All).unwrap();
    site.gatherer.gather(site.world.now, "next");
    site.settle();
    site.restart_server();
    site.dark.clear();
    site.elapse(100 * SECOND);
    assert_eq!(site.of_kind(CandidateType::Relayed).len(), 1);
    assert_eq!(site.world.server.allocations(), 0);
}

#[test]
fn an_allocation_on_a_server_that_is_left_is_not_asked_for_again() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut site = Site::gathered(config(vec![turn(transport, "ann")]));
        let (base, _) = site.of_kind(CandidateType::Relayed)[0];
        site.gatherer.set_servers(Vec::new(), Policy::All).unwrap();
        site.gatherer.gather(site.world.now, "next");
        site.elapse(SECOND);
        assert_eq!(site.gone(), []);
        let asked = site.allocations_asked();
        // What the server gave is lost.
        if transport == Transport::Udp {
            site.restart_server();
            site.gatherer.handle_interfaces(site.world.now, &interfaces(&[HERE]));
            site.settle();
        } else {
            let path = site.sent.last().unwrap().1;
            site.tell(Answer::Closed { path });
        }
        assert_eq!(site.gone(), [base]);
        site.elapse(100 * SECOND);
        assert_eq!(site.allocations_asked(), asked);
        assert_eq!(site.of_kind(CandidateType::Relayed).len(), 1);
    }
}
