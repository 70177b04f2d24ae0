//! Hidden addresses: names in place of host candidates, which only the local network has an answer for.

use std::time::Duration;

use talkie_sim::nat::{self, Preset};
use talkie_sim::net::{Duplex, Link, Loss, Network, Router};
use talkie_traversal::ice::{CandidateAddress, CandidateType, Config, Event};

use crate::discover_world::ip;
use crate::ice_spots::{Ground, NEAR, Spot};
use crate::ice_world::{Outcome, Setup, World, seeds};

const INSIDE: [&str; 2] = ["10.0.0.2", "10.0.0.3"];
const HIDE: fn(&mut Config) = |config| config.hide_addresses = true;
const SHOW: fn(&mut Config) = |_| ();

/// Two hosts behind one NAT that sends nothing back inside.
fn at_home(near: Duplex) -> impl FnOnce(&mut Network, Router, &Setup) -> [Ground; 2] {
    move |network, internet, setup| {
        let config = nat::Config::symmetric([ip("198.51.100.1")]);
        let nat = network.add_nat("home", internet, setup.links[0].clone(), config);
        INSIDE.map(|address| Ground {
            place: nat.into(),
            link: near.clone(),
            addresses: vec![ip(address)],
            nats: vec![nat],
        })
    }
}

fn setup(adjust: [fn(&mut Config); 2], seed: u64) -> Setup {
    Setup { adjust, ..Setup::new(Spot::Open, Spot::Open) }.seeded(seed)
}

/// No candidate of a side that hides says where it is: neither as its address nor as a related one.
fn assert_hidden(world: &World) {
    for (side, hides) in world.sides.iter().zip([0, 1].map(|index| world.hides(index))) {
        let candidates = side.events.iter().filter_map(|(_, event)| match event {
            Event::Candidate(candidate) => Some(candidate),
            _ => None,
        });
        for candidate in candidates.filter(|_| hides) {
            let is_named = matches!(candidate.address, CandidateAddress::Name(_));
            assert_eq!(is_named, candidate.kind == CandidateType::Host, "{candidate}");
            assert!(!candidate.to_string().contains(" 10."), "{candidate}");
        }
    }
}

#[test]
fn who_hides_is_found_by_its_name_on_the_same_network() {
    for seed in seeds(20) {
        for adjust in [[HIDE, HIDE], [HIDE, SHOW], [SHOW, HIDE]] {
            let near = Link::with_delay(NEAR).into();
            let mut world = World::with(setup(adjust, seed).without_relay(), at_home(near));
            assert_eq!(world.outcome(), Outcome::Direct, "{world}");
            assert_hidden(&world);
            world.assert_nothing_is_left();
        }
    }
}

/// RFC 6762 §5.2: a question that is lost is asked again.
#[test]
fn questions_and_answers_may_be_lost() {
    for seed in seeds(50) {
        let near = Link { loss: Loss::Random(0.2), ..Link::with_delay(NEAR) };
        let mut world = World::with(setup([HIDE; 2], seed), at_home(near.into()));
        world.settle(Outcome::Direct);
        assert_hidden(&world);
    }
}

/// Across networks a name has no answer, and is of no use; all else is as without.
#[test]
fn across_networks_nobody_is_worse_off() {
    let presets = [
        Preset::FullCone,
        Preset::AddressRestricted,
        Preset::PortRestricted,
        Preset::Symmetric,
        Preset::UdpBlocked,
    ];
    let table = ["d", "dd", "ddd", "ddrr", "rrrrr"];
    for seed in seeds(2) {
        for (row, left) in presets.into_iter().enumerate() {
            for (column, right) in presets.into_iter().enumerate().take(row + 1) {
                let spots = [left, right].map(Spot::Preset);
                let setup = Setup { spots, ..setup([HIDE; 2], seed) };
                for (setup, none) in [(setup.clone(), 'r'), (setup.without_relay(), '-')] {
                    let mut world = World::new(setup);
                    let letter = world.outcome().letter();
                    let expected = match table[row].as_bytes()[column] {
                        b'r' => none,
                        cell => cell.into(),
                    };
                    assert_eq!(letter, expected, "{world}");
                    assert_hidden(&world);
                    world.assert_nothing_is_left();
                }
            }
        }
    }
}

/// What is asked for in vain holds up nobody.
#[test]
fn an_unanswered_name_delays_nothing() {
    let cone = Spot::Preset(Preset::PortRestricted);
    for seed in seeds(20) {
        let connected = [HIDE, SHOW].map(|adjust| {
            let spots = [cone; 2];
            let mut world = World::new(Setup { spots, ..setup([adjust; 2], seed) });
            assert_eq!(world.outcome(), Outcome::Direct, "{world}");
            let at = [0, 1].map(|side| world.connected_at(side).expect("it is"));
            at[0].max(at[1])
        });
        // A name is announced when it has been asked for three times, 250 ms apart, and nobody has it
        // (RFC 6762 §8.1); that is told later, and not the rest.
        assert!(connected[0] <= connected[1] + Duration::from_millis(100), "{connected:?}");
    }
}
