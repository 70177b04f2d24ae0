//! Two agents that reach each other directly.

use std::time::Duration;

use talkie_traversal::ice::ConnectionState::{
    Checking, Closed, Completed, Connected, Disconnected, Failed,
};
use talkie_traversal::ice::gather::Server;
use talkie_traversal::ice::{Event, Role, SendError};

use crate::ice_agent_puppet::{CONTROLLED, CONTROLLING, Puppet};
use crate::ice_agent_world::{DELAY, World, config, ms};

#[test]
fn two_hosts_on_one_network_agree_within_two_round_trips() {
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    world.begin();
    world.end_of_candidates();
    assert!(world.run_until(ms(1000), World::agree), "{:?}", world.sides[0].stories);
    assert!(world.elapsed() <= DELAY * 4, "two round trips: {:?}", world.elapsed());
    for side in &world.sides {
        assert_eq!(side.reached(Checking), Some(ms(0)));
        // Data may go as soon as the first check is answered: one round trip.
        assert_eq!(side.reached(Connected), Some(DELAY * 2));
    }
    world.run(ms(100));
    assert!(world.both(Completed));
}

#[test]
fn data_flows_both_ways() {
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    let early = world.sides[0].agent.send(world.now, b"too early");
    assert_eq!(early, Err(SendError::NotConnected));
    world.begin();
    world.run_until(ms(1000), World::agree);
    let long = world.sides[0].agent.send(world.now, &[0x80; 65_508]);
    assert_eq!(long, Err(SendError::TooLong));
    world.send(0, b"from left");
    world.send(1, b"from right");
    world.run(ms(50));
    assert_eq!(world.sides[1].data, [b"from left"]);
    assert_eq!(world.sides[0].data, [b"from right"]);
}

#[test]
fn equal_roles_are_repaired() {
    for role in [Role::Controlling, Role::Controlled] {
        let configs = [config(role), config(role)];
        let fate = Box::new(|_: &_| vec![DELAY]);
        let mut world = World::with(configs, &["10.0.0.1"], &["10.0.0.2"], fate);
        world.begin();
        assert!(world.run_until(ms(1000), World::agree), "{role:?}");
        assert_ne!(world.sides[0].agent.role(), world.sides[1].agent.role());
    }
}

#[test]
fn an_answer_that_is_not_theirs_proves_nothing() {
    // Every answer comes back from elsewhere, as if somebody had caught and repeated it.
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    world.set_fate(Box::new(|sent| if sent.payload[0] == 1 { vec![] } else { vec![DELAY] }));
    world.begin();
    world.run(ms(100));
    let answers = world.sent.iter().filter(|sent| sent.payload[0] == 1).cloned();
    for answer in answers.collect::<Vec<_>>() {
        let elsewhere = "203.0.113.7:7".parse().unwrap();
        let side = usize::from(answer.to.ip() != World::ip("10.0.0.1"));
        world.inject(side, elsewhere, answer.to, &answer.payload);
    }
    assert!(world.both(Checking), "{:?} {:?}", world.sides[0].states, world.sides[1].states);
    assert!(world.sides.iter().all(|side| side.agent.counters().unproven > 0));
}

#[test]
fn an_interface_that_comes_and_one_that_goes_are_followed() {
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    world.begin();
    world.run_until(ms(1000), World::agree);
    world.set_interfaces(0, &["10.0.0.1", "10.0.1.1"]);
    world.run(ms(500));
    world.set_interfaces(0, &["10.0.1.1"]);
    assert!(world.run_until(ms(100), World::agree), "{:?}", world.sides[0].stories);
    let selected = world.sides[0].agent.selected().unwrap();
    assert_eq!(selected.base.ip(), World::ip("10.0.1.1"));
    world.send(0, b"still here");
    world.run(ms(20));
    assert_eq!(world.sides[1].data, [b"still here"]);
}

#[test]
fn the_only_interface_may_go_and_another_come_seconds_later() {
    for gap in [1, 10, 20] {
        let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
        world.begin();
        world.end_of_candidates();
        world.run_until(ms(1000), World::agree);
        // Long after the other side's time to come is over.
        world.run(Duration::from_secs(60));
        world.set_interfaces(0, &[]);
        world.run(ms(1));
        assert_eq!(world.sides[0].state(), Disconnected, "the interface in use is lost");
        world.run(Duration::from_secs(gap));
        world.set_interfaces(0, &["10.0.1.1"]);
        // Nobody tells the other side: a check does.
        assert!(world.run_until(ms(2000), World::agree), "{gap}: {:?}", world.sides[0].states);
        assert!(world.sides.iter().all(|side| side.reached(Failed).is_none()), "{gap}");
    }
}

#[test]
fn who_closes_says_so_and_nothing_else() {
    // Before and after the time in which the other side may still come.
    for age in [1, 60] {
        let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
        world.begin();
        world.end_of_candidates();
        world.run(Duration::from_secs(age));
        world.sides[0].states.clear();
        world.sides[0].agent.close(world.now);
        world.run(Duration::from_secs(10));
        let states = world.sides[0].states.iter().map(|(_, state)| *state);
        assert_eq!(states.collect::<Vec<_>>(), [Closed], "after {age} s");
    }
}

/// A relay is given back, and the sockets are still there.
#[test]
fn who_has_closed_hears_nothing_any_more() {
    let mut closing = config(Role::Controlled);
    closing.gather.servers = vec![Server::new("turn:192.0.2.1", Some(("ann", "pass"))).unwrap()];
    let mut puppet = Puppet::new(closing, &[]);
    let check = puppet.check(CONTROLLING);
    puppet.give("10.0.0.2:9", &check);
    puppet.give("10.0.0.2:9", b"\x16before");
    assert_eq!(data(&puppet), 1, "it was asked before it knew whom");
    puppet.agent.close(puppet.now);
    puppet.settle();
    puppet.give("10.0.0.2:9", b"\x16after");
    assert_eq!(data(&puppet), 1);
    assert_eq!(puppet.agent.counters().foreign, 1);
}

fn data(puppet: &Puppet) -> usize {
    puppet.events.iter().filter(|event| matches!(event, Event::Data(_))).count()
}

#[test]
fn statistics_count_each_thing_once_and_never_go_back() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    puppet.run(ms(1600));
    let pair = puppet.agent.stats().candidate_pairs.remove(0);
    assert_eq!((puppet.checks().len(), pair.requests_sent), (5, 3), "two are repetitions");
    let check = puppet.check(CONTROLLED);
    puppet.give("203.0.113.9:9", &check);
    let pairs = puppet.agent.stats().candidate_pairs;
    let learned = pairs.iter().find(|pair| pair.requests_received > 0).unwrap();
    assert_eq!((learned.requests_received, learned.responses_sent), (1, 1));

    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    world.begin();
    world.run_until(ms(1000), World::agree);
    world.send(0, b"before");
    world.run(ms(20));
    let changes = world.sides[0].agent.stats().transport.selected_candidate_pair_changes;
    // Another address, and a restart on top: nothing is left of the first pair.
    world.set_interfaces(0, &["10.0.1.1"]);
    world.run(ms(2000));
    for side in 0..2 {
        world.sides[side].candidates.clear();
        world.sides[side].agent.restart(world.now);
    }
    world.settle();
    world.introduce();
    world.run(ms(1000));
    world.send(0, b"after");
    world.run(ms(20));
    let [left, right] = [0, 1].map(|side: usize| world.sides[side].agent.stats().transport);
    assert_eq!((left.packets_sent, left.bytes_sent), (2, 11));
    assert_eq!((right.packets_received, right.bytes_received), (2, 11));
    assert!(left.selected_candidate_pair_changes >= changes + 2, "{left:?}");
}

#[test]
fn without_any_interface_the_end_comes_after_39_5_seconds() {
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    world.begin();
    world.run_until(ms(1000), World::agree);
    world.run(Duration::from_secs(60));
    world.set_interfaces(0, &[]);
    world.run(ms(39_400));
    assert_eq!(world.sides[0].state(), Disconnected);
    world.run(ms(200));
    assert_eq!(world.sides[0].state(), Failed);
}
