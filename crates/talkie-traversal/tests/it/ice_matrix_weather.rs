//! Bad lines make it later and not different: loss, reordering, duplicates, delays that differ by
//! direction. Each of 200 seeds.

use std::time::Duration;

use talkie_sim::nat::Preset;
use talkie_sim::net::{Link, Loss, Reordering};

use crate::ice_spots::Spot;
use crate::ice_world::{Outcome, Setup, World, seeds};

/// The pairs that stand for all: direct by both sides' efforts, direct since one is found, relayed.
const PAIRS: [(Preset, Preset, Outcome); 3] = [
    (Preset::PortRestricted, Preset::PortRestricted, Outcome::Direct),
    (Preset::Symmetric, Preset::AddressRestricted, Outcome::Direct),
    (Preset::Symmetric, Preset::PortRestricted, Outcome::Relayed),
];

fn play(change: impl Fn(&mut Link)) {
    for seed in seeds(200) {
        // Each seed plays one of the pairs with both orders of sides.
        let (left, right, expected) = PAIRS[seed as usize % 3];
        let mut spots = [Spot::Preset(left), Spot::Preset(right)];
        if seed % 2 == 1 {
            spots.reverse();
        }
        let setup = Setup::new(spots[0], spots[1]).seeded(seed).with_links(&change);
        let mut world = World::new(setup);
        world.settle(expected);
    }
}

#[test]
fn with_little_loss() {
    play(|link| link.loss = Loss::Random(0.02));
}

#[test]
fn with_a_tenth_lost() {
    play(|link| link.loss = Loss::Random(0.1));
}

/// On each of the two lines that a packet takes: of three checks, two are not answered.
#[test]
fn with_a_fifth_lost() {
    play(|link| link.loss = Loss::Random(0.2));
}

#[test]
fn with_packets_that_overtake_each_other() {
    play(|link| {
        link.jitter = Duration::from_millis(20);
        link.reordering = Some(Reordering { probability: 0.2, by: Duration::from_millis(60) });
    });
}

#[test]
fn with_packets_that_arrive_twice() {
    play(|link| link.duplication = 0.3);
}

#[test]
fn with_bursts_of_loss() {
    play(|link| link.loss = Loss::Burst { worsens: 0.02, recovers: 0.2, good: 0.0, bad: 0.9 });
}

#[test]
fn with_one_direction_much_slower_than_the_other() {
    for seed in seeds(200) {
        let (left, right, expected) = PAIRS[seed as usize % 3];
        let mut setup = Setup::new(Spot::Preset(left), Spot::Preset(right)).seeded(seed);
        setup.links[0].up.delay = Duration::from_millis(400);
        setup.links[1].down.delay = Duration::from_millis(5 + seed % 200);
        let mut world = World::new(setup);
        world.settle(expected);
    }
}
