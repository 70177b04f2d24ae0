//! Restarts that are prepared, and those that are taken back before the other side has followed (RFC 9429
//! §4.1.10.2).

use std::time::Duration;

use talkie_traversal::ice::ConnectionState::{Connected, Failed};
use talkie_traversal::ice::{Candidate, GatheringState};

use crate::ice_agent_world::{DELAY, World, ms};

fn connected() -> World {
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    world.begin();
    assert!(world.run_until(ms(1000), World::agree));
    world.run(ms(200));
    world.sides[0].candidates.clear();
    world
}

fn fragments(candidates: &[Candidate]) -> Vec<&str> {
    candidates.iter().filter_map(|candidate| candidate.username_fragment.as_deref()).collect()
}

#[test]
fn credentials_that_are_prepared_change_nothing_until_they_are_taken() {
    let mut world = connected();
    let before = world.sides[0].agent.local_parameters().clone();
    let prepared = world.sides[0].agent.prepare_restart();
    world.run(Duration::from_secs(10));
    let side = &world.sides[0];
    assert_eq!(*side.agent.local_parameters(), before);
    assert!(side.candidates.is_empty() && side.agent.gathering_state() == GatheringState::Complete);
    assert_ne!(prepared.username_fragment, before.username_fragment);
    assert!(world.both(Connected));
    // A description may be set more than once.
    for _ in 0..2 {
        world.sides[0].agent.restart_with(world.now, prepared.clone());
        world.settle();
        assert_eq!(*world.sides[0].agent.local_parameters(), prepared);
        assert_eq!(fragments(&world.sides[0].candidates), [&prepared.username_fragment]);
    }
}

#[test]
fn a_restart_that_is_taken_back_is_as_if_it_had_never_been() {
    let mut world = connected();
    let before = world.sides[0].agent.local_parameters().clone();
    let selected = world.sides[0].selected.len();
    // Once more before that is settled: it goes back to what was agreed on.
    for _ in 0..2 {
        world.sides[0].agent.restart(world.now);
        world.run(ms(100));
    }
    world.sides[0].candidates.clear();
    assert!(world.sides[0].agent.undo_restart(world.now));
    assert!(!world.sides[0].agent.undo_restart(world.now));
    world.settle();
    assert_eq!(*world.sides[0].agent.local_parameters(), before);
    assert!(world.sides[0].candidates.is_empty(), "the other side knows them");
    for count in 0..60_u8 {
        world.send(0, &[count]);
        world.send(1, &[count]);
        world.run(Duration::from_secs(1));
    }
    world.run(ms(100));
    assert!(world.sides.iter().all(|side| side.data.len() == 60));
    assert!(world.agree() && world.both(Connected));
    assert_eq!(world.sides[0].selected.len(), selected);
    // And a restart is possible as ever.
    let restarted = world.sides[0].agent.restart(world.now);
    world.settle();
    world.tell_parameters(1);
    world.tell_parameters(0);
    assert!(!world.sides[0].agent.undo_restart(world.now), "the other side has followed");
    world.run(ms(1000));
    let selected = world.sides[0].agent.selected().unwrap();
    assert_eq!(selected.local.username_fragment, Some(restarted.username_fragment));
}

#[test]
fn what_was_under_way_goes_on_when_a_restart_is_taken_back() {
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    world.set_fate(Box::new(|_| vec![]));
    world.is_signaling = false;
    world.gather(0);
    world.gather(1);
    for side in 0..2 {
        world.tell_parameters(side);
    }
    world.run(ms(300));
    world.sides[0].agent.restart(world.now);
    world.run(ms(300));
    // The other side knows nothing of it, and tells a candidate as of before.
    let told = world.sides[1].candidates[0].clone();
    assert_eq!(world.sides[0].agent.add_remote_candidate(world.now, told), Ok(()));
    world.sides[0].agent.end_of_remote_candidates(world.now);
    world.set_fate(Box::new(|_| vec![DELAY]));
    assert!(world.sides[0].agent.undo_restart(world.now));
    assert!(world.run_until(ms(500), World::agree), "{:?}", world.sides[0].stories);
    world.run(ms(500));
    assert_eq!(world.sides[0].state(), talkie_traversal::ice::ConnectionState::Completed);
}

#[test]
fn checks_under_way_are_begun_anew_when_a_restart_is_taken_back() {
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    world.set_fate(Box::new(|_| vec![]));
    world.begin();
    world.run(ms(100));
    world.sides[0].agent.restart(world.now);
    world.run(ms(100));
    world.set_fate(Box::new(|sent| {
        if sent.from.ip() == World::ip("10.0.0.1") { vec![DELAY] } else { vec![] }
    }));
    let sent = world.sent.len();
    assert!(world.sides[0].agent.undo_restart(world.now));
    world.run(ms(100));
    let from = |at: usize| world.sent[at].from.ip() == World::ip("10.0.0.1");
    assert!((sent..world.sent.len()).any(from), "a check goes at once");
}

#[test]
fn what_is_found_during_a_restart_that_is_taken_back_is_told_as_of_before() {
    let mut world = connected();
    let before = world.sides[0].agent.local_parameters().username_fragment.clone();
    world.sides[0].agent.restart(world.now);
    world.settle();
    world.set_interfaces(0, &["10.0.0.1", "10.0.1.1"]);
    world.sides[0].candidates.clear();
    assert!(world.sides[0].agent.undo_restart(world.now));
    world.run(ms(500));
    let told = &world.sides[0].candidates;
    assert_eq!(fragments(told), [&before]);
    assert_eq!(told[0].socket_address().unwrap().ip(), World::ip("10.0.1.1"));
    // What is gone since, is gone.
    world.sides[0].agent.restart(world.now);
    world.settle();
    world.set_interfaces(0, &["10.0.1.1"]);
    assert!(world.sides[0].agent.undo_restart(world.now));
    assert!(world.run_until(ms(1000), World::agree));
    assert_eq!(world.sides[0].agent.selected().unwrap().base.ip(), World::ip("10.0.1.1"));
}

#[test]
fn what_had_failed_has_failed_when_its_restart_is_taken_back() {
    let mut world = connected();
    world.set_fate(Box::new(|_| vec![]));
    assert!(world.run_until(Duration::from_secs(100), |world| world.both(Failed)));
    world.sides[0].agent.restart(world.now);
    world.run(ms(100));
    assert_ne!(world.sides[0].state(), Failed);
    assert!(world.sides[0].agent.undo_restart(world.now));
    assert_eq!(world.sides[0].state(), Failed);
}

#[test]
fn who_gives_way_to_the_other_sides_restart_keeps_the_candidates_that_came_before_it() {
    let mut world = connected();
    world.is_signaling = false;
    // Both restart at once, and the candidates of the second overtake its offer.
    for side in 0..2 {
        world.sides[side].candidates.clear();
        world.sides[side].agent.restart(world.now);
    }
    world.settle();
    for candidate in world.sides[1].candidates.clone() {
        assert_eq!(world.sides[0].agent.add_remote_candidate(world.now, candidate), Ok(()));
    }
    // Then that comes, and the first takes its own back.
    assert!(world.sides[0].agent.undo_restart(world.now));
    world.tell_parameters(0);
    world.settle();
    world.tell_parameters(1);
    world.run(ms(1000));
    assert!(world.agree(), "{:?}", world.sides[0].stories);
    let theirs = &world.sides[1].agent.local_parameters().username_fragment;
    let known = world.sides[0].agent.stats().remote_candidates;
    assert_eq!(known.len(), 1, "{known:?}");
    assert_eq!(known[0].candidate_type, "host", "told, and not only shown by a check");
    assert_eq!(known[0].username_fragment.as_ref(), Some(theirs));
}
