//! Restarts (RFC 8445 §9) and moves to another path while data flows.

use std::time::Duration;

use talkie_traversal::ice::ConnectionState::{Connected, Failed};
use talkie_traversal::ice::{AddError, Role};

use crate::ice_agent_puppet::Puppet;
use crate::ice_agent_world::{DELAY, World, config, ms};

fn connected() -> World {
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    world.begin();
    assert!(world.run_until(ms(1000), World::agree));
    world.run(ms(200));
    world
}

/// Sends a numbered packet both ways every 5 ms.
fn talk(world: &mut World, span: Duration, count: &mut u32) {
    let end = world.elapsed() + span;
    while world.elapsed() < end {
        for side in 0..2 {
            world.send(side, &count.to_be_bytes());
        }
        *count += 1;
        world.run(ms(5));
    }
}

fn assert_lossless(world: &World, count: u32) {
    for side in &world.sides {
        let numbers = side.data.iter().map(|data| u32::from_be_bytes(data[..].try_into().unwrap()));
        assert!(numbers.eq(0..count), "{} of {count}", side.data.len());
    }
}

#[test]
fn data_flows_through_a_restart() {
    let mut world = connected();
    let mut count = 0;
    talk(&mut world, ms(50), &mut count);
    let old = world.sides[0].agent.local_parameters().clone();
    for side in &mut world.sides {
        side.candidates.clear();
    }
    let new = world.sides[0].agent.restart(world.now);
    assert_ne!(old.username_fragment, new.username_fragment);
    assert_ne!(old.password, new.password);
    world.settle();
    // Signaling takes its time.
    talk(&mut world, ms(300), &mut count);
    world.tell_parameters(1);
    world.settle();
    talk(&mut world, ms(100), &mut count);
    world.tell_parameters(0);
    let candidates = [0, 1].map(|side: usize| world.sides[side].candidates.clone());
    for (side, candidates) in candidates.into_iter().enumerate() {
        for candidate in candidates {
            let _ = world.sides[1 - side].agent.add_remote_candidate(world.now, candidate);
        }
    }
    talk(&mut world, ms(500), &mut count);
    world.run(ms(50));
    assert_lossless(&world, count);
    assert!(world.agree());
    let selected = world.sides[0].agent.selected().unwrap();
    assert_eq!(selected.local.username_fragment, Some(new.username_fragment));
    assert!(world.sides.iter().all(|side| side.state() == Connected));
}

#[test]
fn both_may_restart_at_once() {
    let mut world = connected();
    let mut count = 0;
    for side in 0..2 {
        world.sides[side].candidates.clear();
        world.sides[side].agent.restart(world.now);
    }
    world.settle();
    talk(&mut world, ms(100), &mut count);
    world.introduce();
    talk(&mut world, ms(300), &mut count);
    world.run(ms(50));
    assert!(world.agree());
    assert_lossless(&world, count);
}

#[test]
fn a_restart_that_comes_to_nothing_leaves_the_old_path() {
    let mut world = connected();
    world.sides[0].agent.restart(world.now);
    world.settle();
    // The other side never hears of it.
    let mut count = 0;
    talk(&mut world, Duration::from_secs(60), &mut count);
    world.run(ms(50));
    assert_lossless(&world, count);
}

#[test]
fn a_failed_agent_can_be_restarted() {
    let mut world = connected();
    world.set_fate(Box::new(|_| vec![]));
    assert!(world.run_until(Duration::from_secs(100), |world| world.both(Failed)));
    world.set_fate(Box::new(|_| vec![DELAY]));
    for side in 0..2 {
        world.sides[side].candidates.clear();
        world.sides[side].agent.restart(world.now);
    }
    world.settle();
    world.introduce();
    assert!(world.run_until(ms(1000), World::agree), "{:?}", world.sides[0].states);
    assert!(world.both(Connected));
}

#[test]
fn candidates_of_an_earlier_generation_are_refused() {
    let mut world = connected();
    let old = world.sides[1].candidates[0].clone();
    for side in 0..2 {
        world.sides[side].agent.restart(world.now);
    }
    world.tell_parameters(0);
    world.settle();
    let added = world.sides[0].agent.add_remote_candidate(world.now, old);
    assert_eq!(added, Err(AddError::Generation));
}

#[test]
fn a_late_end_of_candidates_does_not_end_those_of_a_restart() {
    for names_whose in [false, true] {
        let mut world = connected();
        let old = world.sides[1].agent.local_parameters().username_fragment.clone();
        for side in 0..2 {
            world.sides[side].candidates.clear();
            world.sides[side].agent.restart(world.now);
        }
        world.settle();
        let theirs = world.sides[1].agent.local_parameters().clone();
        let (now, told) = (world.now, world.sides[1].candidates[0].clone());
        let agent = &mut world.sides[0].agent;
        if names_whose {
            agent.set_remote_parameters(now, theirs.clone());
            agent.end_of_remote_candidates_of(now, &old);
        } else {
            agent.end_of_remote_candidates(now);
            agent.set_remote_parameters(now, theirs.clone());
        }
        assert_eq!(agent.add_remote_candidate(now, told.clone()), Ok(()), "{names_whose}");
        agent.end_of_remote_candidates_of(now, &theirs.username_fragment);
        let mut other = told;
        other.port += 1;
        assert_eq!(agent.add_remote_candidate(now, other), Err(AddError::Ended));
    }
}

#[test]
fn an_end_of_candidates_that_overtakes_its_credentials_holds_when_they_come() {
    let mut world = connected();
    for side in 0..2 {
        world.sides[side].candidates.clear();
        world.sides[side].agent.restart(world.now);
    }
    world.settle();
    let theirs = world.sides[1].agent.local_parameters().clone();
    let (now, told) = (world.now, world.sides[1].candidates[0].clone());
    let agent = &mut world.sides[0].agent;
    agent.end_of_remote_candidates_of(now, &theirs.username_fragment);
    agent.set_remote_parameters(now, theirs);
    assert_eq!(agent.add_remote_candidate(now, told), Err(AddError::Ended));
}

#[test]
fn an_end_that_comes_too_early_and_one_that_comes_too_late_are_both_kept_apart() {
    for is_taken_back in [false, true] {
        let mut world = connected();
        let old = world.sides[1].agent.local_parameters().username_fragment.clone();
        for side in 0..2 {
            world.sides[side].candidates.clear();
            world.sides[side].agent.restart(world.now);
        }
        world.settle();
        let theirs = world.sides[1].agent.local_parameters().clone();
        let (now, mut other) = (world.now, world.sides[1].candidates[0].clone());
        let agent = &mut world.sides[0].agent;
        let ends = [old, theirs.username_fragment.clone()];
        for end in if is_taken_back { [0, 1] } else { [1, 0] } {
            agent.end_of_remote_candidates_of(now, &ends[end]);
        }
        if is_taken_back {
            assert!(agent.undo_restart(now));
            other.username_fragment = Some(ends[0].clone());
        } else {
            agent.set_remote_parameters(now, theirs);
        }
        other.port += 1;
        let added = agent.add_remote_candidate(now, other);
        assert_eq!(added, Err(AddError::Ended), "{is_taken_back}");
    }
}

/// A restart that has come to nothing so far is followed by another one.
#[test]
fn a_late_end_of_what_still_carries_data_takes_no_early_ones_place() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    puppet.answer_all();
    let first = puppet.parameters.username_fragment.clone();
    for fragment in ["second", "third"] {
        puppet.agent.restart(puppet.now);
        if fragment == "third" {
            for end in ["third", first.as_str()] {
                puppet.agent.end_of_remote_candidates_of(puppet.now, end);
            }
        }
        puppet.parameters.username_fragment = fragment.to_owned();
        puppet.introduce();
        assert!(puppet.agent.selected().is_some());
    }
    let told = "candidate:1 1 udp 1000 10.0.0.2 10 typ host".parse().unwrap();
    assert_eq!(puppet.agent.add_remote_candidate(puppet.now, told), Err(AddError::Ended));
}

#[test]
fn candidates_of_a_restart_may_overtake_its_credentials() {
    for both in [false, true] {
        let mut world = connected();
        world.is_signaling = false;
        world.sides[0].candidates.clear();
        world.sides[0].agent.restart(world.now);
        world.settle();
        for candidate in world.sides[0].candidates.clone() {
            world.sides[1].agent.add_remote_candidate(world.now, candidate).unwrap();
        }
        if both {
            world.sides[1].agent.restart(world.now);
        }
        for side in [1, 0] {
            world.tell_parameters(side);
        }
        world.run(ms(1000));
        assert!(world.agree(), "{both}: {:?}", world.sides[1].stories);
        let new = &world.sides[0].agent.local_parameters().username_fragment;
        let known = world.sides[1].agent.stats().remote_candidates;
        assert_eq!(known.len(), world.sides[0].candidates.len(), "{known:?}");
        for candidate in known {
            assert_eq!(candidate.candidate_type, "host", "told, and not only shown by a check");
            assert_eq!(candidate.username_fragment.as_ref(), Some(new));
        }
    }
}

#[test]
fn after_a_restart_the_old_generation_selects_nothing_any_more() {
    // Whichever of the old pairs is the last to lose consent.
    for age in (20..32).map(Duration::from_secs) {
        let mut world = World::new(&["10.0.0.1", "10.0.1.1"], &["10.0.0.2", "10.0.1.2"]);
        world.begin();
        world.run(age);
        for side in 0..2 {
            world.sides[side].candidates.clear();
            world.sides[side].agent.restart(world.now);
        }
        world.settle();
        world.introduce();
        let is_new = |world: &World, side: usize| {
            let fragment = world.sides[side].agent.local_parameters().username_fragment.clone();
            world.sides[side].agent.selected().unwrap().local.username_fragment == Some(fragment)
        };
        world.run(Duration::from_secs(2));
        assert!((0..2).all(|side| is_new(&world, side)));
        let told = [0, 1].map(|side: usize| world.sides[side].selected.len());
        world.run(Duration::from_secs(60));
        let since = [0, 1].map(|side: usize| world.sides[side].selected.len());
        assert_eq!(since, told, "{age:?}");
    }
}

#[test]
fn a_better_path_that_comes_later_is_taken_without_loss() {
    let configs = [config(Role::Controlling), config(Role::Controlled)];
    // The better path, between the first addresses, is blocked at first.
    let fate = |sent: &crate::ice_agent_world::Sent| {
        let is_good = sent.from.ip().to_string().starts_with("10.0.0.")
            && sent.to.ip().to_string().starts_with("10.0.0.");
        if is_good { vec![] } else { vec![DELAY] }
    };
    let left = ["10.0.0.1", "10.0.1.1"];
    let mut world = World::with(configs, &left, &["10.0.0.2", "10.0.1.2"], Box::new(fate));
    world.begin();
    assert!(world.run_until(ms(2000), World::agree));
    let is_best = |world: &World| {
        let selected = world.sides[0].agent.selected().unwrap();
        let ends = [selected.base.ip(), selected.remote_address.ip()];
        ends == [World::ip("10.0.0.1"), World::ip("10.0.0.2")]
    };
    assert!(!is_best(&world));
    world.set_fate(Box::new(|_| vec![DELAY]));
    let mut count = 0;
    talk(&mut world, Duration::from_secs(9), &mut count);
    world.run(ms(50));
    assert!(is_best(&world), "{:?}", world.sides[0].stories);
    assert!(world.agree());
    assert_lossless(&world, count);
}

#[test]
fn the_other_path_is_taken_when_the_first_breaks() {
    let left = ["10.0.0.1", "10.0.1.1"];
    let mut world = World::new(&left, &["10.0.0.2", "10.0.1.2"]);
    world.begin();
    assert!(world.run_until(ms(2000), World::agree));
    world.run(Duration::from_secs(3));
    let broken = world.sides[0].agent.selected().unwrap().base;
    world.set_fate(Box::new(move |sent| {
        if [sent.from, sent.to].contains(&broken) { vec![] } else { vec![DELAY] }
    }));
    let moved =
        |world: &World| world.agree() && world.sides[0].agent.selected().unwrap().base != broken;
    assert!(world.run_until(Duration::from_secs(15), moved), "{:?}", world.sides[0].stories);
    assert!(world.sides.iter().all(|side| side.reached(Failed).is_none()));
}

#[test]
fn the_controlling_side_follows_when_the_other_loses_its_interface() {
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2", "10.0.1.2"]);
    world.begin();
    assert!(world.run_until(ms(2000), World::agree));
    world.run(Duration::from_secs(3));
    let lost = world.sides[1].agent.selected().unwrap().base.ip();
    let left = if lost == World::ip("10.0.0.2") { "10.0.1.2" } else { "10.0.0.2" };
    world.set_interfaces(1, &[left]);
    let gone_at = world.elapsed();
    while !world.agree() && world.elapsed() < gone_at + Duration::from_secs(10) {
        let _ = world.sides[1].agent.send(world.now, b"over here");
        world.run(ms(20));
    }
    let took = world.elapsed() - gone_at;
    assert!(took < Duration::from_secs(3), "{took:?}");
}
