//! What happens to a session that stands: other addresses, NATs that forget, links that break, silence for
//! hours, the end.

use std::time::Duration;

use talkie_sim::nat::Preset;
use talkie_sim::net::{Change, Link};
use talkie_traversal::ice::ConnectionState;

use crate::discover_world::ip;
use crate::ice_spots::{LOTS, NEAR, Spot};
use crate::ice_world::{Outcome, Setup, World, seeds};

const CONE: Spot = Spot::Preset(Preset::PortRestricted);
const SYMMETRIC: Spot = Spot::Preset(Preset::Symmetric);

fn connected(left: Spot, right: Spot, seed: u64) -> World {
    let mut world = World::new(Setup::new(left, right).seeded(seed));
    assert_ne!(world.outcome(), Outcome::Failed, "{world}");
    world.run_for(Duration::from_secs(10));
    world
}

/// Sends from both sides every 20 ms; returns how long each side heard nothing at the longest.
fn longest_gaps(world: &mut World, span: Duration) -> [Duration; 2] {
    let step = Duration::from_millis(20);
    let begin = world.elapsed();
    let mut seen = [world.sides[0].events.len(), world.sides[1].events.len()];
    let mut last = [begin; 2];
    let mut gaps = [Duration::ZERO; 2];
    while world.elapsed() < begin + span {
        for index in [0, 1] {
            let host = world.sides[index].host;
            // While there is no way it is lost, as any packet is.
            let _ = world.network.call(host, |agent, now| agent.send(now, &[0x80, 1, index as u8]));
        }
        world.run_for(step);
        for index in [0, 1] {
            let new = &world.sides[index].events[seen[index]..];
            let is_data = |event: &talkie_traversal::ice::Event| {
                matches!(event, talkie_traversal::ice::Event::Data(_))
            };
            if let Some((at, _)) = new.iter().rev().find(|(_, event)| is_data(event)) {
                gaps[index] = gaps[index].max(at.saturating_sub(last[index]));
                last[index] = *at;
            }
            seen[index] = world.sides[index].events.len();
        }
    }
    let end = world.elapsed();
    [0, 1].map(|index| gaps[index].max(end - last[index]))
}

#[test]
fn an_idle_session_stays_and_costs_the_same_each_hour() {
    for (left, right) in [(CONE, CONE), (CONE, SYMMETRIC)] {
        let mut setup = Setup::new(left, right);
        setup.urls.retain(|url| !url.ends_with("tcp"));
        let mut world = World::new(setup);
        assert_ne!(world.outcome(), Outcome::Failed, "{world}");
        world.run_for(Duration::from_secs(60));
        let hour = Duration::from_secs(3600);
        let (mut costs, mut wakes) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let before = world.network.counters().clone();
            world.run_for(hour);
            let after = world.network.counters();
            costs.push(after.sent - before.sent);
            wakes.push(after.wakes - before.wakes);
        }
        println!("{left:?} {right:?}: packets {costs:?}, timers {wakes:?}");
        world.assert_never(ConnectionState::Disconnected);
        assert!(world.agreed().is_some(), "{world}");
        let (least, most) = (*costs.iter().min().unwrap(), *costs.iter().max().unwrap());
        assert!(most - least <= most / 20, "flat: {costs:?}");
        // In packets that anybody sends, and the relay counts as somebody. RFC 7675 §5.1: each side asks
        // along the selected pair each 5 s and is answered; each asks along three spare ones each 12 s, all
        // of them relayed here; each asks a STUN server each 25 s for its mapping. An allocation and its
        // peers are refreshed every few minutes.
        let hops = if right == CONE { 1 } else { 2 };
        let selected = 2 * 2 * hops * 3600 / 5;
        let spare = 2 * 3 * 2 * 2 * 3600 / 12;
        let mappings = 2 * 2 * 3600 / 25;
        assert!(most <= (selected + spare + mappings) * 11 / 10, "{costs:?}");
        // Nobody is woken but to send something: a timer for each request, and a few that find out that
        // another has done it.
        let (least, most) = (*wakes.iter().min().unwrap(), *wakes.iter().max().unwrap());
        assert!(most - least <= most / 20, "flat: {wakes:?}");
    }
}

#[test]
fn who_closes_leaves_nothing_behind() {
    for seed in seeds(50) {
        for (left, right) in [(CONE, CONE), (SYMMETRIC, SYMMETRIC)] {
            let mut world = connected(left, right, seed);
            world.assert_nothing_is_left();
        }
    }
}

#[test]
fn who_closes_in_the_middle_of_it_leaves_nothing_behind_either() {
    for seed in seeds(100) {
        let mut world = World::new(Setup::new(CONE, SYMMETRIC).seeded(seed));
        world.run_for(Duration::from_millis(7 * seed));
        world.assert_nothing_is_left();
    }
}

/// Another network instead of the one before, as when a phone leaves the Wi-Fi.
fn move_left(world: &mut World) {
    let config = Preset::PortRestricted.config([ip(LOTS[0].outside[1])]);
    let link = Link::with_delay(Duration::from_millis(30));
    let other = world.network.add_nat("mobile", world.internet, link, config);
    world.network.change(Change::Move {
        attachment: world.sides[0].attachment,
        to: other.into(),
        link: Link::with_delay(NEAR).into(),
        addresses: vec![ip("10.9.0.2")],
    });
}

/// Without a word of signaling: whoever lets everybody in learns of the new address by a check, and where
/// nobody does there is the relay.
#[test]
fn a_side_that_moves_to_another_network_finds_its_way_back() {
    let open = Spot::Preset(Preset::FullCone);
    for seed in seeds(100) {
        for (right, expected) in [(open, Outcome::Direct), (CONE, Outcome::Relayed)] {
            let mut world = connected(CONE, right, seed);
            move_left(&mut world);
            let gaps = longest_gaps(&mut world, Duration::from_secs(10));
            assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(2)), "{gaps:?} {world}");
            world.settle(expected);
        }
    }
}

/// As when the Wi-Fi is gone some time before the mobile network is there.
#[test]
fn a_side_without_any_network_for_seconds_finds_its_way_back() {
    let open = Spot::Preset(Preset::FullCone);
    for seed in seeds(40) {
        for (right, expected) in [(open, Outcome::Direct), (CONE, Outcome::Relayed)] {
            let mut world = connected(CONE, right, seed);
            // Long after nobody is waited for any more.
            world.run_for(Duration::from_secs(60));
            let attachment = world.sides[0].attachment;
            world.network.change(Change::Readdress(attachment, Vec::new()));
            world.run_for(Duration::from_millis(500 * (1 + seed % 40)));
            assert_eq!(world.state(0), ConnectionState::Disconnected, "{world}");
            world.network.change(Change::Readdress(attachment, vec![ip("10.0.0.9")]));
            world.settle(expected);
        }
    }
}

#[test]
fn after_a_move_a_restart_finds_the_best_way_again() {
    for seed in seeds(100) {
        let mut world = connected(CONE, CONE, seed);
        move_left(&mut world);
        world.run_for(Duration::from_secs(1));
        world.restart(0);
        world.settle(Outcome::Direct);
        let pair = world.agreed().unwrap();
        assert_eq!(pair[1].remote_address.ip(), ip(LOTS[0].outside[1]), "{world}");
    }
}

#[test]
fn with_a_second_interface_up_the_path_is_switched_without_a_gap() {
    for seed in seeds(100) {
        let mut world = connected(CONE, CONE, seed);
        let config = Preset::PortRestricted.config([ip(LOTS[0].outside[1])]);
        let link = Link::with_delay(Duration::from_millis(30));
        let mobile = world.network.add_nat("mobile", world.internet, link, config);
        let near = Link::with_delay(NEAR);
        let host = world.sides[0].host;
        world.network.attach(host, mobile, near, [ip("10.9.0.2")]);
        let gaps = longest_gaps(&mut world, Duration::from_secs(5));
        assert!(gaps.iter().all(|gap| *gap < Duration::from_millis(200)), "{gaps:?} {world}");
        // The first one goes away: what it carried is carried by the other.
        let old = world.sides[0].attachment;
        world.network.change(Change::Readdress(old, Vec::new()));
        let gaps = longest_gaps(&mut world, Duration::from_secs(10));
        assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(1)), "{gaps:?} {world}");
        assert!(world.agreed().is_some(), "{world}");
    }
}

#[test]
fn a_nat_that_forgets_is_passed_again() {
    for seed in seeds(100) {
        let mut world = connected(CONE, CONE, seed);
        let nat = world.sides[0].nats[0];
        world.network.change(Change::Reboot(nat));
        world.run_for(Duration::from_secs(30));
        assert_eq!(world.outcome(), Outcome::Direct, "{world}");
    }
}

#[test]
fn a_link_that_breaks_is_disconnected_then_failed_and_not_before() {
    for seed in seeds(20) {
        let mut world = connected(CONE, CONE, seed);
        let cut = world.elapsed();
        world.network.change(Change::Cut(world.sides[0].attachment));
        let failed = world.run_until(Duration::from_secs(120), |world| {
            (0..2).all(|index| world.state(index) == ConnectionState::Failed)
        });
        assert!(failed, "{world}");
        for index in [0, 1] {
            let after = |state| world.since(index, state).unwrap() - cut;
            let disconnected = after(ConnectionState::Disconnected);
            assert!(disconnected <= Duration::from_secs(15), "{disconnected:?} {world}");
            // RFC 7675 §5.1: 30 s from the last proof, which is up to 6 s old.
            assert!(after(ConnectionState::Failed) >= Duration::from_secs(24), "{world}");
        }
        let host = world.sides[0].host;
        let sent = world.network.call(host, |agent, now| agent.send(now, b"\x80"));
        assert!(sent.is_err(), "no data without consent");
    }
}

#[test]
fn a_link_that_is_mended_in_time_goes_on() {
    for seed in seeds(100) {
        let mut world = connected(CONE, CONE, seed);
        let attachment = world.sides[0].attachment;
        world.network.change(Change::Cut(attachment));
        world.run_for(Duration::from_millis(12_000 + 50 * seed));
        world.network.change(Change::Mend(attachment));
        let back = world.run_until(Duration::from_secs(10), |world| {
            (0..2).all(|index| {
                let state = world.state(index);
                matches!(state, ConnectionState::Connected | ConnectionState::Completed)
            })
        });
        assert!(back, "{world}");
        world.assert_never(ConnectionState::Failed);
        world.assert_data_flows();
    }
}
