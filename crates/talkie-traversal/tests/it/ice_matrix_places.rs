//! Who connects where networks are more than one NAT each: two levels, one NAT for both, IPv4 and IPv6,
//! NAT64, UDP blocked.

use std::time::Duration;

use talkie_sim::nat::{self, Filtering, Hairpinning, Preset};
use talkie_sim::net::{Change, Duplex, Link, Network, Router};

use crate::discover_world::ip;
use crate::ice_spots::{Ground, LOTS, NEAR, Spot};
use crate::ice_world::{Families, Outcome, Setup, World, seeds};

fn assert_outcome(setup: Setup, expected: char) {
    let mut world = World::new(setup);
    let letter = world.outcome().letter();
    assert_eq!(letter, expected, "{world}");
}

/// Plays a table whose cells stand for a relay and for none: what is to be expected with, then without.
fn play(spots: &[Spot], table: &[&[(char, char)]], change: impl Fn(Setup) -> Setup) {
    for seed in seeds(3) {
        for (row, left) in spots.iter().enumerate() {
            for (column, right) in spots.iter().enumerate().take(row + 1) {
                let (with, without) = table[row][column];
                let setup = change(Setup::new(*left, *right)).seeded(seed);
                assert_outcome(setup.clone().without_relay(), without);
                assert_outcome(setup, with);
            }
        }
    }
}

/// A home router behind the provider's: what passes must pass both.
#[test]
fn two_levels_are_as_strict_as_the_stricter_one() {
    let spots = [
        Spot::TwoLevels(Preset::Cgnat, Preset::HomeRouter),
        Spot::TwoLevels(Preset::FullCone, Preset::AddressRestricted),
        Spot::TwoLevels(Preset::CgnatSymmetric, Preset::PortRestricted),
        Spot::TwoLevels(Preset::FullCone, Preset::Symmetric),
    ];
    const D: (char, char) = ('d', 'd');
    const R: (char, char) = ('r', '-');
    play(&spots, &[&[D], &[D, D], &[R, D, R], &[R, D, R, R]], |setup| setup);
}

/// Which families two sides share decides; the relay has both, so that it joins what shares none.
#[test]
fn families_meet_directly_where_both_have_them() {
    let spots = [Spot::Preset(Preset::PortRestricted), Spot::V6, Spot::Dual];
    const D: (char, char) = ('d', 'd');
    const R: (char, char) = ('r', '-');
    let change = |setup: Setup| Setup { server: Families::Both, ..setup }.named();
    play(&spots, &[&[D], &[R, D], &[D, D, D]], change);
}

/// A NAT64 is a NAT to those with IPv4, since the host behind it finds out its prefix and sends to IPv4 addresses
/// through it (RFC 7050).
#[test]
fn behind_a_nat64_all_are_reached() {
    let open = Filtering::EndpointIndependent;
    let strict = Filtering::AddressDependent;
    let change = |setup: Setup| Setup { server: Families::V4, ..setup }.named();
    for seed in seeds(3) {
        for (filtering, other, (with, without)) in [
            (open, Spot::Open, ('d', 'd')),
            (open, Spot::Preset(Preset::PortRestricted), ('d', 'd')),
            (open, Spot::Preset(Preset::Symmetric), ('d', 'd')),
            (strict, Spot::Open, ('d', 'd')),
            (strict, Spot::Preset(Preset::PortRestricted), ('d', 'd')),
            (strict, Spot::Preset(Preset::Symmetric), ('d', 'd')),
            (strict, Spot::V6, ('d', 'd')),
            (strict, Spot::Nat64(strict), ('d', 'd')),
        ] {
            let setup = change(Setup::new(Spot::Nat64(filtering), other)).seeded(seed);
            assert_outcome(setup.clone().without_relay(), without);
            assert_outcome(setup, with);
        }
    }
}

/// With IPv4 on top of a NAT64 whoever has IPv4 only is met as behind any NAT, and whoever has IPv6 by that.
#[test]
fn with_464xlat_both_families_are_of_use() {
    let (strict, stricter) = (Filtering::AddressDependent, Filtering::AddressAndPortDependent);
    let change = |setup: Setup| Setup { server: Families::V4, ..setup }.named();
    for seed in seeds(3) {
        for (filtering, other, (with, without)) in [
            (strict, Spot::Open, ('d', 'd')),
            (stricter, Spot::Preset(Preset::PortRestricted), ('d', 'd')),
            (strict, Spot::Preset(Preset::Symmetric), ('d', 'd')),
            (stricter, Spot::Preset(Preset::Symmetric), ('r', '-')),
            (stricter, Spot::V6, ('d', 'd')),
            (stricter, Spot::Dual, ('d', 'd')),
            (stricter, Spot::Nat64(stricter), ('d', 'd')),
            (stricter, Spot::Xlat(stricter), ('d', 'd')),
            (stricter, Spot::Preset(Preset::UdpBlocked), ('r', '-')),
        ] {
            let setup = change(Setup::new(Spot::Xlat(filtering), other)).seeded(seed);
            assert_outcome(setup.clone().without_relay(), without);
            assert_outcome(setup, with);
        }
    }
}

/// What a host has an address for, and no way to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Nothing,
    V4,
    V6,
}

/// Both sides have both families, by a box each.
fn dual(setup: Setup, broken: [Broken; 2]) -> World {
    let setup = Setup { server: Families::Both, ..setup }.named();
    let mut boxes = Vec::new();
    let mut world = World::with(setup, |network, internet, setup| {
        [0, 1].map(|index| {
            let far = &setup.links[index];
            let home = nat::Config::port_restricted_cone([ip(LOTS[index].outside[0])]);
            let nat = network.add_nat("nat", internet, far.clone(), home);
            let firewall = nat::Config::firewall();
            let firewall = network.add_nat("firewall", internet, far.clone(), firewall);
            boxes.push((nat, firewall));
            Ground {
                place: nat.into(),
                link: Link::with_delay(NEAR).into(),
                addresses: vec![ip(LOTS[index].inside)],
                nats: vec![nat],
            }
        })
    });
    for (index, (nat, firewall)) in boxes.into_iter().enumerate() {
        let host = world.sides[index].host;
        world.network.attach(host, firewall, Link::with_delay(NEAR), [ip(LOTS[index].v6)]);
        let uplink = match broken[index] {
            Broken::Nothing => continue,
            Broken::V4 => world.network.uplink(nat),
            Broken::V6 => world.network.uplink(firewall),
        };
        world.network.change(Change::Cut(uplink.unwrap()));
    }
    world
}

/// RFC 8421 §4: the families take turns, so that one that does not work costs the other a few turns.
#[test]
fn a_family_that_leads_nowhere_costs_a_few_turns_and_no_more() {
    use Broken::{Nothing, V4, V6};
    let (direct, apart) = (('d', 'd'), ('r', '-'));
    for seed in seeds(5) {
        let setup = || Setup::new(Spot::Dual, Spot::Dual).seeded(seed);
        let mut whole = dual(setup(), [Nothing; 2]);
        assert_eq!(whole.outcome(), Outcome::Direct, "{whole}");
        let usual = [0, 1].map(|side| whole.connected_at(side).unwrap());
        for (broken, (with, without)) in [
            ([V6, Nothing], direct),
            ([Nothing, V4], direct),
            ([V6, V6], direct),
            ([V4, V4], direct),
            ([V4, V6], apart),
            ([V6, V4], apart),
        ] {
            let mut world = dual(setup().without_relay(), broken);
            assert_eq!(world.outcome().letter(), without, "{broken:?} {world}");
            let mut world = dual(setup(), broken);
            assert_eq!(world.outcome().letter(), with, "{broken:?} {world}");
            for side in [0, 1].into_iter().filter(|_| with == 'd') {
                let later = world.connected_at(side).unwrap().saturating_sub(usual[side]);
                // Six pairs of what the hosts themselves have, and one of a server-reflexive address.
                assert!(later <= Duration::from_millis(7 * 50), "{broken:?}: {later:?} {world}");
            }
            world.assert_nothing_is_left();
        }
    }
}

/// Two homes behind one provider's NAT.
fn under_one_roof(roof: nat::Config) -> impl FnOnce(&mut Network, Router, &Setup) -> [Ground; 2] {
    move |network, internet, setup| {
        let near: Duplex = Link::with_delay(NEAR).into();
        let outer = network.add_nat("roof", internet, setup.links[0].clone(), roof);
        [0, 1].map(|index| {
            let home = ip(["100.64.0.2", "100.64.0.3"][index]);
            let home = nat::Config::port_restricted_cone([home]);
            let inner = network.add_nat("home", outer, near.clone(), home);
            Ground {
                place: inner.into(),
                link: near.clone(),
                addresses: vec![ip(LOTS[index].inside)],
                nats: vec![outer, inner],
            }
        })
    }
}

#[test]
fn two_homes_behind_one_nat_meet_by_its_hairpin_or_by_the_relay() {
    let outside = [ip("198.51.100.1")];
    for seed in seeds(20) {
        for (hairpinning, with, without) in [
            (Hairpinning::ExternalSource, Outcome::Direct, Outcome::Direct),
            (Hairpinning::Unsupported, Outcome::Relayed, Outcome::Failed),
        ] {
            let roof = nat::Config { hairpinning, ..nat::Config::carrier_grade(outside) };
            let setup = Setup::new(Spot::Open, Spot::Open).seeded(seed);
            let mut world = World::with(setup.clone(), under_one_roof(roof.clone()));
            assert_eq!(world.outcome(), with, "{world}");
            let mut world = World::with(setup.without_relay(), under_one_roof(roof));
            assert_eq!(world.outcome(), without, "{world}");
        }
    }
}

#[test]
fn two_in_one_network_meet_there_and_no_packet_leaves_it() {
    for seed in seeds(20) {
        let mut setup = Setup::new(Spot::Open, Spot::Open).seeded(seed);
        // Not even with a server is there a better way, nor is one needed.
        setup.urls.clear();
        let mut world = World::with(setup, |network, internet, setup| {
            let config = nat::Config::symmetric([ip("198.51.100.1")]);
            let nat = network.add_nat("home", internet, setup.links[0].clone(), config);
            [0, 1].map(|index| Ground {
                place: nat.into(),
                link: Link::with_delay(NEAR).into(),
                addresses: vec![ip(["10.0.0.2", "10.0.0.3"][index])],
                nats: vec![nat],
            })
        });
        assert_eq!(world.outcome(), Outcome::Direct, "{world}");
        assert!(world.network.rows(world.sides[0].nats[0]).is_empty(), "{world}");
    }
}

/// Both have the same private address, so that each finds itself where it looks for the other.
#[test]
fn the_same_address_on_both_sides_misleads_nobody() {
    for seed in seeds(50) {
        let setup = Setup::new(Spot::Open, Spot::Open).seeded(seed);
        let mut world = World::with(setup, |network, internet, setup| {
            [0, 1].map(|index| {
                let config = nat::Config::port_restricted_cone([ip(LOTS[index].outside[0])]);
                let link = setup.links[index].clone();
                let nat = network.add_nat("home", internet, link, config);
                Ground {
                    place: nat.into(),
                    link: Link::with_delay(NEAR).into(),
                    addresses: vec![ip("192.168.1.2")],
                    nats: vec![nat],
                }
            })
        });
        assert_eq!(world.outcome(), Outcome::Direct, "{world}");
    }
}

#[test]
fn where_udp_is_blocked_the_relay_is_reached_by_tcp() {
    let blocked = Spot::Preset(Preset::UdpBlocked);
    for seed in seeds(20) {
        for other in [blocked, Spot::Open, Spot::Preset(Preset::Symmetric)] {
            let setup = Setup::new(blocked, other).seeded(seed);
            assert_outcome(setup.clone(), 'r');
            assert_outcome(setup.without_relay(), '-');
        }
    }
}

#[test]
fn nobody_fails_before_the_other_side_has_had_its_time() {
    let mut world = World::new(
        Setup::new(Spot::Preset(Preset::Symmetric), Spot::Preset(Preset::Symmetric))
            .without_relay(),
    );
    assert_eq!(world.outcome(), Outcome::Failed, "{world}");
    for index in [0, 1] {
        let failed = world.since(index, talkie_traversal::ice::ConnectionState::Failed).unwrap();
        // RFC 8863 §3: 39.5 s, from when it knows of the other side.
        assert!(failed >= Duration::from_millis(39_500), "{failed:?}");
        assert!(failed < Duration::from_secs(60), "{failed:?}");
    }
}
