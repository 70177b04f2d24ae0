//! Signaling that is late, lost for seconds or out of order, roles that clash, and restarts.

use std::time::Duration;

use talkie_sim::nat::Preset;
use talkie_sim::net::{Loss, Post};
use talkie_traversal::ice::{ConnectionState, Role};

use crate::ice_spots::Spot;
use crate::ice_world::{Outcome, Setup, World, seeds};

const CONE: Spot = Spot::Preset(Preset::PortRestricted);
const SYMMETRIC: Spot = Spot::Preset(Preset::Symmetric);

/// A direct pair and a relayed one, by turns.
fn pair(seed: u64) -> (Setup, Outcome) {
    match seed % 2 {
        0 => (Setup::new(CONE, CONE).seeded(seed), Outcome::Direct),
        _ => (Setup::new(CONE, SYMMETRIC).seeded(seed), Outcome::Relayed),
    }
}

fn play(change: impl Fn(&mut Setup, u64)) {
    for seed in seeds(200) {
        let (mut setup, expected) = pair(seed);
        change(&mut setup, seed);
        let mut world = World::new(setup);
        world.settle(expected);
    }
}

#[test]
fn one_side_hears_seconds_later_than_the_other() {
    play(|setup, seed| setup.post[1].delay = Duration::from_millis(100 * (seed % 100)));
}

#[test]
fn one_side_begins_much_later() {
    play(|setup, seed| setup.starts[0] = Duration::from_millis(300 * (seed % 100)));
}

#[test]
fn signaling_that_is_lost_is_sent_again() {
    play(|setup, _| {
        for post in &mut setup.post {
            (post.loss, post.retry) = (0.5, Duration::from_secs(1));
        }
    });
}

#[test]
fn candidates_may_overtake_each_other_and_the_credentials() {
    play(|setup, _| {
        for post in &mut setup.post {
            (post.is_ordered, post.jitter) = (false, Duration::from_secs(2));
        }
    });
}

#[test]
fn nothing_fails_while_signaling_is_down_for_half_a_minute() {
    for seed in seeds(200) {
        let (setup, expected) = pair(seed);
        let mut world = World::new(setup.clone());
        let begin = world.network.now();
        let closed = begin + Duration::from_millis(50 + seed)..begin + Duration::from_secs(30);
        let post = Post { closed: vec![closed], ..Post::default() };
        world = World::new(Setup { post: [post.clone(), post], ..setup });
        world.settle(expected);
    }
}

#[test]
fn who_is_mistaken_about_its_role_yields() {
    for roles in
        [[Role::Controlling; 2], [Role::Controlled; 2], [Role::Controlled, Role::Controlling]]
    {
        play(|setup, _| setup.roles = roles);
    }
}

#[test]
fn data_goes_on_while_one_side_restarts() {
    for seed in seeds(200) {
        let (setup, expected) = pair(seed);
        let mut world = World::new(setup);
        world.settle(expected);
        let before = world.agreed().unwrap();
        world.restart(seed as usize / 2 % 2);
        world.assert_data_flows();
        world.settle(expected);
        let after = world.agreed().unwrap();
        assert_ne!(before[0].id, after[0].id, "it is another generation's; {world}");
        world.assert_never(ConnectionState::Disconnected);
    }
}

#[test]
fn both_may_restart_at_once() {
    for seed in seeds(200) {
        let (setup, expected) = pair(seed);
        let mut world = World::new(setup);
        world.settle(expected);
        world.restart(0);
        // At the same time, or while the other's is on its way, or right after it came.
        world.run_for(Duration::from_millis(seed % 120));
        world.restart(1);
        world.assert_data_flows();
        world.run_for(Duration::from_secs(5));
        world.settle(expected);
        world.assert_never(ConnectionState::Failed);
        let fragments = [0, 1].map(|index| world.agent(index).local_parameters().clone());
        for index in [0, 1] {
            assert_eq!(
                world.agent(index).remote_parameters(),
                Some(&fragments[1 - index]),
                "{world}"
            );
        }
    }
}

/// With a tenth of all packets lost, and half of what signaling carries delayed by a second.
#[test]
fn both_may_restart_at_once_on_a_bad_line() {
    for seed in seeds(100) {
        let (mut setup, expected) = pair(seed);
        setup = setup.with_links(|link| link.loss = Loss::Random(0.1));
        for post in &mut setup.post {
            (post.loss, post.retry) = (0.5, Duration::from_secs(1));
        }
        let mut world = World::new(setup);
        world.settle(expected);
        // A better pair may just be on its way to being agreed on.
        assert!(world.run_until(Duration::from_secs(60), |world| world.agreed().is_some()));
        let before = world.agreed().unwrap();
        world.restart(0);
        world.run_for(Duration::from_millis(seed * 13 % 700));
        world.restart(1);
        let is_over = world.run_until(Duration::from_secs(60), |world| {
            let others = [1, 0].map(|index| world.agent(index).local_parameters().clone());
            let knows = (0..2).all(|it| world.agent(it).remote_parameters() == Some(&others[it]));
            knows && world.agreed().is_some_and(|pair| pair[0].id != before[0].id)
        });
        assert!(is_over, "{world}");
        world.settle(expected);
        world.assert_never(ConnectionState::Failed);
    }
}
