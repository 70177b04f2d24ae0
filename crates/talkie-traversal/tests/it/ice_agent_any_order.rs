//! Restarts of all kinds, one upon the other, in any order.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use talkie_traversal::ice::PairId;
use talkie_traversal::ice::gather::Policy;

use crate::ice_agent_world::{DELAY, Sent, World, ms};

/// What must hold whatever has happened.
struct Watch {
    pairs: [HashMap<PairId, (SocketAddr, SocketAddr)>; 2],
    seen: [usize; 2],
}

impl Watch {
    fn look(&mut self, world: &World, seed: u64) {
        for (index, side) in world.sides.iter().enumerate() {
            for (_, story) in side.stories.iter().skip(self.seen[index]) {
                let ends = (story.base, story.remote);
                let known = *self.pairs[index].entry(story.pair).or_insert(ends);
                assert_eq!(known, ends, "seed {seed}");
            }
            self.seen[index] = side.stories.len();
            let told = side.selected.last().map(|(_, pair)| pair);
            if let Some(selected) = side.agent.selected() {
                let told = told.expect("told");
                assert_eq!(
                    (told.id, told.is_nominated),
                    (selected.id, selected.is_nominated),
                    "seed {seed} side {index}"
                );
            }
            for window in side.selected.windows(2) {
                let [one, two] = [&window[0].1, &window[1].1];
                assert!(
                    (one.id, one.is_nominated) != (two.id, two.is_nominated)
                        || window[0].0 != window[1].0,
                    "seed {seed}: told twice"
                );
            }
        }
    }
}

fn play(seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    let addresses = [["10.0.0.1", "10.0.1.1"], ["10.0.0.2", "10.0.1.2"]];
    let mut world = World::new(&addresses[0], &addresses[1][..1]);
    world.begin();
    let mut watch = Watch { pairs: [HashMap::new(), HashMap::new()], seen: [0, 0] };
    let mut prepared = [None, None];
    for _ in 0..60 {
        let side = random(2) as usize;
        let now = world.now;
        match random(14) {
            0 => drop(world.sides[side].agent.restart(now)),
            1 => prepared[side] = Some(world.sides[side].agent.prepare_restart()),
            2 => {
                if let Some(parameters) = prepared[side].take() {
                    world.sides[side].agent.restart_with(now, parameters);
                }
            }
            3 => drop(world.sides[side].agent.undo_restart(now)),
            4 | 5 => world.tell_parameters(side),
            6 => {
                for candidate in world.sides[1 - side].candidates.clone() {
                    let _ = world.sides[side].agent.add_remote_candidate(now, candidate);
                }
            }
            7 => {
                let blocked = World::ip(addresses[0][random(2) as usize]);
                world.set_fate(Box::new(move |sent: &Sent| {
                    let is_lost = [sent.from.ip(), sent.to.ip()].contains(&blocked);
                    if is_lost { vec![] } else { vec![DELAY] }
                }));
            }
            8 => world.set_fate(Box::new(|_| vec![DELAY])),
            9 => {
                let policy = if random(2) == 0 { Policy::Relay } else { Policy::All };
                world.sides[side].agent.set_servers(Vec::new(), policy).unwrap();
            }
            10 => {
                let up: &[&str] = match random(3) {
                    0 => &addresses[side][..1],
                    1 => &addresses[side][1..],
                    _ => &addresses[side],
                };
                world.set_interfaces(side, up);
            }
            11 => {
                world.sides[side].agent.end_of_remote_candidates(now);
            }
            12 => world.set_fate(Box::new(|_| vec![])),
            _ => world.run(Duration::from_millis(random(45_000))),
        }
        world.settle();
        let span = ms(random(400));
        world.run(span);
        watch.look(&world, seed);
    }
    world.set_fate(Box::new(|_| vec![DELAY]));
    for (side, addresses) in addresses.iter().enumerate() {
        world.set_interfaces(side, addresses);
        world.sides[side].agent.set_servers(Vec::new(), Policy::All).unwrap();
        world.sides[side].candidates.clear();
        world.sides[side].agent.restart(world.now);
    }
    world.settle();
    world.introduce();
    world.run(Duration::from_secs(10));
    watch.look(&world, seed);
    assert!(world.agree(), "seed {seed}: {:?}", world.sides.each_ref().map(|side| side.state()));
    world.run(Duration::from_secs(100));
    assert!(world.agree(), "seed {seed}");
    watch.look(&world, seed);
}

#[test]
fn restarts_in_any_order_leave_an_agent_that_works() {
    for seed in 1..40 {
        play(seed);
    }
}
