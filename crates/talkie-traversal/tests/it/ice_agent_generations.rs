//! Several generations at once: what one of them does must be told apart from what another does, and what was agreed
//! on last is what a restart that is taken back goes back to.

use std::collections::BTreeSet;
use std::time::Duration;

use talkie_sansio::conformance::genesis;
use talkie_sansio::{Answer, Hosted as _, Interface, Want};
use talkie_traversal::ice::gather::Policy;
use talkie_traversal::ice::{
    Agent, Candidate, CandidateType, Config, ConnectionState, Event, Parameters, Protocol, Stats,
};
use talkie_traversal::stun::attributes::ErrorCode;
use talkie_traversal::stun::{Class, Message};

use crate::ice_agent_puppet::{CONTROLLED, Puppet};
use crate::ice_agent_world::{DELAY, Sent, World, ms};

const THEIRS: &str = "10.0.0.2:6000";

fn connected() -> Puppet {
    let mut puppet = Puppet::new(Config::default(), &["renomination"]);
    puppet.introduce();
    puppet.candidate(THEIRS, 1000);
    assert_eq!(puppet.answer_all(), 1);
    puppet.run(ms(600));
    puppet.answer_all();
    assert_eq!(puppet.state(), ConnectionState::Connected);
    puppet
}

fn next_parameters() -> Parameters {
    Parameters::new("puppet2", "puppetpuppetpuppetpuppet2").expect("long enough")
}

/// All numbers of pairs and candidates.
fn ids(stats: &Stats) -> BTreeSet<u32> {
    let pairs = stats.candidate_pairs.iter().map(|pair| pair.id.0);
    let candidates = stats.local_candidates.iter().chain(&stats.remote_candidates);
    pairs.chain(candidates.map(|candidate| candidate.id)).collect()
}

#[test]
fn a_number_never_names_two_things() {
    let mut puppet = connected();
    let check = puppet.check(CONTROLLED);
    puppet.agent.restart(puppet.now);
    puppet.settle();
    // The generation before learns of an address while the next has candidates already.
    puppet.give("10.0.0.9:7000", &check);
    let old = ids(&puppet.agent.stats());
    puppet.parameters = next_parameters();
    puppet.introduce();
    puppet.candidate(THEIRS, 1000);
    puppet.answer_all();
    let stats = puppet.agent.stats();
    let ours = puppet.agent.local_parameters().username_fragment.clone();
    assert_eq!(stats.transport.ice_local_username_fragment, ours, "the new one carries data");
    let new = ids(&stats);
    assert!(old.len() >= 5 && new.len() >= 3);
    assert!(old.is_disjoint(&new), "{old:?} {new:?}");
}

/// Whether a check of the other side was answered since.
fn is_answered(puppet: &mut Puppet) -> bool {
    let is_answer =
        |bytes: &[u8]| Message::parse(bytes).is_ok_and(|message| message.class() == Class::Success);
    std::mem::take(&mut puppet.sent).iter().any(|(_, _, bytes)| is_answer(bytes))
}

#[test]
fn a_direct_pair_answers_again_when_the_restart_that_was_to_hide_it_is_taken_back() {
    for restarts in 1..3 {
        let mut puppet = connected();
        let check = puppet.check(CONTROLLED);
        puppet.agent.set_servers(Vec::new(), Policy::Relay).unwrap();
        for _ in 0..restarts {
            puppet.agent.restart(puppet.now);
            puppet.settle();
            puppet.sent.clear();
            puppet.give(THEIRS, &check);
            assert!(is_answered(&mut puppet), "data goes on");
        }
        let new = puppet.check(CONTROLLED);
        puppet.give(THEIRS, &new);
        assert!(!is_answered(&mut puppet), "nobody shall know that we can be reached so");
        assert!(puppet.agent.undo_restart(puppet.now));
        puppet.settle();
        for _ in 0..60 {
            puppet.sent.clear();
            let check = puppet.check(CONTROLLED);
            puppet.give(THEIRS, &check);
            assert!(is_answered(&mut puppet), "{restarts}");
            puppet.run(Duration::from_secs(1));
            puppet.answer_all();
            assert_eq!(puppet.state(), ConnectionState::Connected);
        }
    }
}

#[test]
fn a_direct_pair_that_was_to_be_hidden_and_is_not_outlives_the_generation_before() {
    let mut puppet = connected();
    puppet.agent.restart(puppet.now);
    puppet.settle();
    puppet.parameters = next_parameters();
    puppet.introduce();
    puppet.agent.set_servers(Vec::new(), Policy::Relay).unwrap();
    puppet.agent.restart(puppet.now);
    puppet.settle();
    assert!(puppet.agent.undo_restart(puppet.now));
    puppet.settle();
    puppet.sent.clear();
    // What both sides have agreed on finds its pair, and the generation before is let go.
    puppet.candidate(THEIRS, 1000);
    for second in 0..60 {
        puppet.answer_all();
        puppet.run(Duration::from_secs(1));
        puppet.answer_all();
        let check = puppet.check(CONTROLLED);
        puppet.give(THEIRS, &check);
        assert!(is_answered(&mut puppet), "{second}");
        assert_eq!(puppet.state(), ConnectionState::Connected, "{second}");
    }
}

/// Two sides that have agreed on a path by a restart which the first has lost, so that the generation before carries
/// its data again.
fn fallen_back() -> World {
    let mut world = World::new(&["10.0.0.1", "10.0.1.1"], &["10.0.0.2"]);
    world.begin();
    assert!(world.run_until(ms(1000), World::agree));
    world.run(ms(1000));
    let first = World::ip("10.0.0.1");
    assert_eq!(world.sides[0].agent.selected().unwrap().base.ip(), first);
    world.set_fate(Box::new(move |sent: &Sent| {
        if [sent.from.ip(), sent.to.ip()].contains(&first) { vec![] } else { vec![DELAY] }
    }));
    for side in 0..2 {
        world.sides[side].candidates.clear();
        world.sides[side].agent.restart(world.now);
    }
    world.settle();
    world.introduce();
    let is_new = |world: &World| world.agree() && base(world) == World::ip("10.0.1.1");
    assert!(world.run_until(ms(3000), is_new));
    world.set_interfaces(0, &["10.0.0.1"]);
    assert_eq!(base(&world), first, "back on what was before");
    world
}

fn base(world: &World) -> std::net::IpAddr {
    world.sides[0].agent.selected().unwrap().base.ip()
}

#[test]
fn a_restart_upon_one_that_has_lost_its_path_again_waits_in_peace() {
    let mut world = fallen_back();
    world.sides[0].agent.restart(world.now);
    world.settle();
    world.set_fate(Box::new(|_| vec![DELAY]));
    world.run(Duration::from_secs(40));
}

#[test]
fn what_carries_data_again_carries_on_when_another_restart_is_followed() {
    let mut world = fallen_back();
    world.set_fate(Box::new(|_| vec![DELAY]));
    let parameters = world.sides[0].agent.restart(world.now);
    world.settle();
    // Both still keep the generation that carries data; the new one is followed when the one between would have let
    // it go.
    world.run(Duration::from_secs(29));
    let selected = world.sides[0].agent.selected();
    assert!(selected.is_some());
    world.run(ms(1500));
    assert_eq!(world.sides[0].agent.selected(), selected);
    let theirs = next_parameters();
    world.sides[0].agent.set_remote_parameters(world.now, theirs);
    world.settle();
    assert_eq!(*world.sides[0].agent.local_parameters(), parameters);
    assert_eq!(world.sides[0].agent.selected().map(|it| it.base), selected.map(|it| it.base));
}

#[test]
fn a_restart_that_is_taken_back_goes_back_to_what_was_agreed_on_last() {
    let mut puppet = connected();
    let first = puppet.agent.local_parameters().clone();
    let second = puppet.agent.restart(puppet.now);
    puppet.settle();
    let before = puppet.parameters.clone();
    puppet.parameters = next_parameters();
    puppet.introduce();
    // It is followed, and nothing works yet, when one more is begun, several times, and taken back.
    for _ in 0..3 {
        puppet.agent.restart(puppet.now);
        puppet.settle();
        puppet.run(ms(100));
    }
    assert!(puppet.agent.undo_restart(puppet.now));
    assert!(!puppet.agent.undo_restart(puppet.now), "both sides know of the first one");
    puppet.settle();
    assert_eq!(*puppet.agent.local_parameters(), second);
    assert_eq!(puppet.agent.remote_parameters(), Some(&puppet.parameters));
    // Data goes on along the old one.
    let carrier = puppet.agent.selected().unwrap().local.username_fragment;
    assert_eq!(carrier, Some(first.username_fragment));
    assert_eq!(puppet.agent.send(puppet.now, b"still here"), Ok(()));
    puppet.checks();
    puppet.candidate(THEIRS, 1000);
    puppet.run(ms(100));
    assert!(puppet.answer_all() > 0);
    let carrier = puppet.agent.selected().unwrap().local.username_fragment;
    assert_eq!(carrier, Some(second.username_fragment));
    assert_ne!(before, puppet.parameters);
}

#[test]
fn what_was_agreed_on_last_takes_over_when_the_path_before_is_gone() {
    let mut puppet = connected();
    let before = puppet.parameters.clone();
    let second = puppet.agent.restart(puppet.now);
    puppet.settle();
    puppet.parameters = next_parameters();
    puppet.introduce();
    puppet.checks();
    puppet.candidate(THEIRS, 1000);
    let checks = puppet.checks();
    assert_eq!(checks.len(), 1);
    let theirs = puppet.check(CONTROLLED);
    puppet.agent.restart(puppet.now);
    puppet.settle();
    puppet.give(THEIRS, &theirs);
    assert!(is_answered(&mut puppet), "it is still heard");
    let answer = puppet.success(&checks[0].1);
    puppet.give(THEIRS, &answer);
    puppet.run(Duration::from_secs(7));
    let checks = puppet.checks();
    assert!(!checks.is_empty(), "the path of before is asked");
    puppet.parameters = before;
    let refusal = puppet.error(&checks[0].1, ErrorCode::FORBIDDEN);
    puppet.give(THEIRS, &refusal);
    let carrier = puppet.agent.selected().expect("it answers").local.username_fragment;
    assert_eq!(carrier.as_ref(), Some(&second.username_fragment));
    assert!(puppet.agent.undo_restart(puppet.now));
    assert_eq!(*puppet.agent.local_parameters(), second);
    assert!(!puppet.agent.undo_restart(puppet.now));
}

#[test]
fn the_pair_that_data_falls_back_to_is_told() {
    let world = fallen_back();
    let told = &world.sides[0].selected.last().unwrap().1;
    assert_eq!(told.base.ip(), World::ip("10.0.0.1"));
    assert_eq!(Some(told), world.sides[0].agent.selected().as_ref());
    let changes =
        |world: &World| world.sides[0].agent.stats().transport.selected_candidate_pair_changes;
    assert_eq!(changes(&world), 3, "there, elsewhere, and back");
}

#[test]
fn who_was_heard_early_is_not_forgotten_by_a_restart_that_is_taken_back() {
    let mut puppet = Puppet::new(Config::default(), &[]);
    let check = puppet.check(CONTROLLED);
    puppet.give(THEIRS, &check);
    puppet.agent.restart(puppet.now);
    puppet.settle();
    let data = |puppet: &mut Puppet| {
        puppet.events.clear();
        puppet.give(THEIRS, b"first line");
        puppet.events.iter().filter(|event| matches!(event, Event::Data(_))).count()
    };
    assert_eq!(data(&mut puppet), 1, "its path has not changed");
    assert!(puppet.agent.undo_restart(puppet.now));
    assert_eq!(data(&mut puppet), 1);
    puppet.introduce();
    assert_eq!(puppet.answer_all(), 1, "its check is followed");
    assert_eq!(puppet.state(), ConnectionState::Connected);
    puppet.agent.close(puppet.now);
    assert_eq!(data(&mut puppet), 0);
}

/// A host with IPv6 only asks for the NAT64's prefix when it learns of an IPv4 candidate.
#[test]
fn a_nat64_that_is_found_during_a_restart_is_used_when_that_is_taken_back() {
    let genesis = genesis();
    let now = genesis.now;
    let mut agent = Agent::new(&genesis, Config::default());
    agent.handle_interfaces(now, &[Interface::new("eth0", World::ip("2001:db8::1"))]);
    agent.gather(now);
    agent.set_remote_parameters(now, next_parameters());
    let address = "198.51.100.1:6000".parse().unwrap();
    let candidate = Candidate::new(CandidateType::Host, Protocol::Udp, address, 1000, "f".into());
    agent.add_remote_candidate(now, candidate).unwrap();
    let mut asked = None;
    while let Some(want) = agent.poll_want() {
        match want {
            Want::Bind { id, .. } => {
                let local = "[2001:db8::1]:5000".parse().unwrap();
                agent.handle_answer(now, Answer::Bound { id, local });
            }
            Want::Resolve { id, .. } => asked = Some(id),
            _ => {}
        }
    }
    agent.restart(now);
    let addresses = vec![World::ip("64:ff9b::192.0.0.170")];
    agent.handle_answer(now, Answer::Resolved { id: asked.unwrap(), addresses });
    assert!(agent.undo_restart(now));
    let remotes = agent.stats().remote_candidates;
    assert!(remotes.iter().any(|it| it.address == "64:ff9b::c633:6401"), "{remotes:?}");
}
