//! What a person who wants to know why is told of a pair.

use std::time::Duration;

use talkie_sim::nat::Preset;
use talkie_traversal::ice::{CandidateType, Chapter, Event, PairFailure};

use crate::ice_spots::Spot;
use crate::ice_world::{Setup, World};

#[test]
fn what_a_relay_forbids_is_told_as_such() {
    let symmetric = Spot::Preset(Preset::Symmetric);
    let mut world = World::new(Setup::new(symmetric, symmetric));
    world.run_for(Duration::from_secs(20));
    // The relay lets nothing through to private addresses, which both sides' own are.
    let events = &world.sides[0].events;
    let relays: Vec<_> = events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Candidate(it) if it.kind == CandidateType::Relayed => it.socket_address(),
            _ => None,
        })
        .collect();
    let failures: Vec<_> = events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Story(story) if relays.contains(&story.base) => Some(&story.chapter),
            _ => None,
        })
        .filter_map(|chapter| match chapter {
            Chapter::Failed(why) => Some(*why),
            _ => None,
        })
        .collect();
    assert!(failures.contains(&PairFailure::Forbidden), "{failures:?}; {world}");
    assert!(!failures.contains(&PairFailure::Unsendable), "{failures:?}; {world}");
}
