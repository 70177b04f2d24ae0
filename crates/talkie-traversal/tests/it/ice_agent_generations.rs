//! Several generations at once: what one of them does must be told apart from what another does, and what was agreed
//! on last is what a restart that is taken back goes back to.

use std::time::Duration;

use crate::ice_agent_world::{DELAY, Sent, World, ms};

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
