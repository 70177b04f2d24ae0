//! A session that has a pair agrees on one soon after: whoever says to control, whoever hears first, with one
//! address family or two, on good lines and on bad ones.

use std::time::Duration;

use talkie_sim::nat::Preset;
use talkie_sim::net::{Loss, Post};
use talkie_traversal::ice::{ConnectionState, Role};

use crate::ice_spots::Spot;
use crate::ice_world::{Setup, World, seeds};

const ROLES: [[Role; 2]; 4] = [
    [Role::Controlling, Role::Controlled],
    [Role::Controlled, Role::Controlling],
    [Role::Controlling, Role::Controlling],
    [Role::Controlled, Role::Controlled],
];

/// How long both know a pair before they have agreed on one, with lines that lose so many packets.
fn play(seed: u64, loss: f64) -> Duration {
    let spots = [Spot::Open, Spot::Dual, Spot::Preset(Preset::FullCone)];
    let [left, right] = [spots[seed as usize % 3], spots[seed as usize / 3 % 3]];
    let mut setup = Setup::new(left, right).seeded(seed).without_relay().with_links(|link| {
        link.delay = Duration::from_millis(1 + seed * 7 % 150);
        link.jitter = Duration::from_millis(seed % 4 * 5);
        link.loss = Loss::Random(loss);
    });
    setup.roles = ROLES[seed as usize / 9 % 4];
    for (side, post) in setup.post.iter_mut().enumerate() {
        let delay = Duration::from_millis(seed * (3 + 8 * side as u64) % 400);
        let jitter = Duration::from_millis(seed % 7 * 100);
        *post = Post { delay, jitter, is_ordered: seed.is_multiple_of(2), ..Post::default() };
    }
    let mut world = World::new(setup);
    let is_over = world.run_until(Duration::from_secs(90), |world| world.agreed().is_some());
    assert!(is_over, "seed {seed}: {world}");
    let states = [ConnectionState::Connected, ConnectionState::Completed];
    let connected = |side| states.iter().filter_map(|it| world.since(side, *it)).min();
    let both = connected(0).max(connected(1)).expect("it is over");
    world.elapsed().saturating_sub(both)
}

#[test]
fn where_nothing_is_lost_it_takes_less_than_two_seconds() {
    for seed in seeds(200) {
        let took = play(seed, 0.0);
        assert!(took < Duration::from_secs(2), "seed {seed}: {took:?}");
    }
}

#[test]
fn where_a_tenth_is_lost_it_is_agreed_all_the_same() {
    // In the 208th all seven packets of a nomination or their answers are lost, while others pass.
    for seed in seeds(220) {
        play(seed, 0.1);
    }
}
