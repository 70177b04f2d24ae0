//! What a person who wants to know why is told of a pair.

use std::time::Duration;

use talkie_sim::nat::Preset;
use talkie_traversal::ice::{CandidateType, Chapter, Event, PairFailure};

use crate::ice_spots::Spot;
use crate::ice_world::{Setup, World};

const SYMMETRIC: Spot = Spot::Preset(Preset::Symmetric);

/// Why pairs over the first side's relays have failed, and how many relays it has.
fn failures_over_relays(world: &World) -> (Vec<PairFailure>, usize) {
    let events = &world.sides[0].events;
    let relays: Vec<_> = events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Candidate(it) if it.kind == CandidateType::Relayed => it.socket_address(),
            _ => None,
        })
        .collect();
    let failures = events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Story(story) if relays.contains(&story.base) => Some(&story.chapter),
            _ => None,
        })
        .filter_map(|chapter| match chapter {
            Chapter::Failed(why) => Some(*why),
            _ => None,
        });
    (failures.collect(), relays.len())
}

#[test]
fn what_a_relay_forbids_is_told_as_such() {
    let mut world = World::new(Setup::new(SYMMETRIC, SYMMETRIC));
    world.run_for(Duration::from_secs(20));
    // The relay lets nothing through to private addresses, which both sides' own are.
    let (failures, _) = failures_over_relays(&world);
    assert!(failures.contains(&PairFailure::Forbidden), "{failures:?}; {world}");
    assert!(!failures.contains(&PairFailure::Unsendable), "{failures:?}; {world}");
}

#[test]
fn what_a_relay_forbids_is_told_once_and_asked_no_more() {
    let mut setup = Setup::new(SYMMETRIC, SYMMETRIC);
    setup.also[0] = |config| config.timers.patience = Duration::from_secs(600);
    // It tells of its private address alone, so that nothing works.
    setup.adjust[1] = |config| config.gather.servers.clear();
    let mut world = World::new(setup);
    world.run_for(Duration::from_secs(300));
    let (failures, relays) = failures_over_relays(&world);
    let forbidden = failures.iter().filter(|why| **why == PairFailure::Forbidden).count();
    assert_eq!(forbidden, relays, "{failures:?}; {world}");
}
