//! While data goes over a relay, straight ways are looked for again; while it goes no way, any.

use std::net::SocketAddr;
use std::time::Duration;

use talkie_sansio::Machine as _;
use talkie_traversal::ice::{Candidate, CandidateType, ConnectionState, Protocol, Role};

use crate::ice_agent_puppet::Puppet;
use crate::ice_agent_world::config;

const RELAY: &str = "192.0.2.1:50000";
const STRAIGHT: &str = "203.0.113.9:9";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A puppet that answers at its relay only, for a minute.
fn relayed() -> Puppet {
    let mut puppet = Puppet::new(config(Role::Controlling), &["renomination"]);
    puppet.introduce();
    puppet.candidate(STRAIGHT, 2_000_000_000);
    let candidate =
        Candidate::new(CandidateType::Relayed, Protocol::Udp, address(RELAY), 1000, "r".into());
    puppet.agent.add_remote_candidate(puppet.now, candidate).unwrap();
    puppet.settle();
    run(&mut puppet, 60);
    assert_eq!(puppet.agent.selected().unwrap().remote_address, address(RELAY));
    puppet
}

/// Lets seconds pass; how many checks went straight.
fn run(puppet: &mut Puppet, seconds: u64) -> usize {
    let mut straight = 0;
    for _ in 0..seconds * 10 {
        puppet.run(Duration::from_millis(100));
        for (to, check) in puppet.checks() {
            if to == address(RELAY) {
                let answer = puppet.success(&check);
                puppet.give_from(to, &answer);
            } else {
                straight += 1;
            }
        }
    }
    straight
}

#[test]
fn a_direct_pair_that_failed_is_asked_again_every_few_seconds_for_a_while() {
    let mut puppet = relayed();
    let asked = run(&mut puppet, 30);
    assert!((5..=7).contains(&asked), "{asked} in 30 s");
    // Not for ever.
    let asked = run(&mut puppet, 600);
    assert!(asked <= 20, "{asked}");
    assert_eq!(run(&mut puppet, 600), 0);
}

#[test]
fn data_moves_to_the_direct_pair_once_it_answers() {
    let mut puppet = relayed();
    // As quick as the relay.
    for _ in 0..1000 {
        puppet.run(Duration::from_millis(10));
        puppet.answer_all();
    }
    let selected = puppet.agent.selected().unwrap();
    assert_eq!(selected.remote_address, address(STRAIGHT));
    assert!(selected.is_nominated && selected.is_direct());
}

/// People who paste take minutes: who was told first asks on, so that the other side's first check finds the way
/// open, and is no failure meanwhile.
#[test]
fn while_patience_lasts_pairs_are_asked_again_and_the_late_side_is_met() {
    let mut patient = config(Role::Controlling);
    patient.timers.patience = Duration::from_secs(600);
    let mut puppet = Puppet::new(patient.clone(), &[]);
    puppet.introduce();
    puppet.candidate(STRAIGHT, 2_000_000_000);
    puppet.agent.end_of_remote_candidates(puppet.now);
    run(&mut puppet, 120);
    let asked = run(&mut puppet, 60);
    assert!((11..=13).contains(&asked), "{asked} in a minute");
    assert_eq!(puppet.agent.connection_state(), ConnectionState::Checking);
    for _ in 0..10 {
        puppet.run(Duration::from_secs(1));
        puppet.answer_all();
    }
    assert_eq!(puppet.agent.selected().unwrap().remote_address, address(STRAIGHT));
    // Who never comes is given up in the end, and asked no more.
    let mut puppet = Puppet::new(patient, &[]);
    puppet.introduce();
    puppet.candidate(STRAIGHT, 2_000_000_000);
    run(&mut puppet, 601);
    assert_eq!(puppet.agent.connection_state(), ConnectionState::Failed);
    assert_eq!(run(&mut puppet, 60), 0);
}

/// What was asked just before the end is answered just after it.
#[test]
fn an_answer_that_comes_after_the_failure_changes_nothing() {
    let mut patient = config(Role::Controlling);
    patient.timers.patience = Duration::from_secs(60);
    let mut puppet = Puppet::new(patient, &[]);
    puppet.introduce();
    puppet.candidate(STRAIGHT, 2_000_000_000);
    let mut last = None;
    while puppet.state() != ConnectionState::Failed {
        puppet.run(Duration::from_millis(100));
        last = puppet.checks().pop().or(last);
    }
    let (to, check) = last.unwrap();
    let answer = puppet.success(&check);
    puppet.give_from(to, &answer);
    assert_eq!(puppet.state(), ConnectionState::Failed);
    let mut wakes = 0;
    let end = puppet.now + Duration::from_secs(600);
    while let Some(next) = puppet.agent.poll_timeout().filter(|next| *next <= end) {
        puppet.now = puppet.now.max(next);
        puppet.agent.handle_timeout(puppet.now);
        wakes += 1;
        assert!(wakes < 100, "it never rests");
    }
    assert_eq!(puppet.agent.selected(), None);
    // Asking anew is what helps.
    puppet.agent.restart(puppet.now);
    puppet.introduce();
    puppet.candidate(STRAIGHT, 2_000_000_000);
    puppet.answer_all();
    assert!(puppet.agent.selected().is_some());
}
