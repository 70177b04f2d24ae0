//! Who connects by TCP candidates (RFC 6544) where UDP does not pass on one side or on both.
//!
//! A connection needs one side that takes it, or two that open towards each other at once. There are no
//! server-reflexive TCP candidates here, so that nobody is ever reached behind a NAT that was not told to.

use std::time::Duration;

use talkie_sim::nat::{self, Filtering, Kind, Mapping};
use talkie_sim::net::{Duplex, Link, NatBox, Network, Router};
use talkie_traversal::ice::gather::Tcp;
use talkie_traversal::ice::{Config, Protocol};

use crate::discover_world::ip;
use crate::ice_matrix::drawn;
use crate::ice_spots::{Ground, LOTS, Lot, NEAR, Spot};
use crate::ice_world::{Outcome, Setup, World, seeds};

/// The port of everybody who listens.
const PORT: u16 = 5000;

/// What a side stands behind.
#[derive(Clone, Copy, Debug)]
enum Site {
    /// A NAT without UDP.
    Hidden,
    /// A firewall without UDP that lets in what was asked for; the address is public.
    Guarded,
    /// A one-to-one NAT without UDP that lets everybody in to [`PORT`].
    Served,
    /// Nothing.
    Open,
}

const SITES: [Site; 4] = [Site::Hidden, Site::Guarded, Site::Served, Site::Open];

/// With all kinds of candidates, in this order.
const ALL: [&str; 4] = ["--tt", "-ttt", "tttt", "tttu"];

impl Site {
    fn build(self, network: &mut Network, internet: Router, far: Duplex, lot: &Lot) -> Ground {
        let (outside, inside) = (ip(lot.outside[0]), ip(lot.inside));
        let near: Duplex = Link::with_delay(NEAR).into();
        let behind = |nat: NatBox, address| Ground {
            place: nat.into(),
            link: near.clone(),
            addresses: vec![address],
            nats: vec![nat],
        };
        match self {
            Self::Open => {
                Ground { place: internet.into(), link: far, addresses: vec![outside], nats: vec![] }
            }
            Self::Hidden | Self::Served => {
                let nat =
                    network.add_nat("nat", internet, far, nat::Config::udp_blocked([outside]));
                if let Self::Served = self {
                    let until = network.now() + Duration::from_secs(1_000_000);
                    let [to, from] = [inside, outside].map(|ip| (ip, PORT).into());
                    assert!(network.forward(nat, Kind::Tcp, from, to, until));
                }
                behind(nat, inside)
            }
            Self::Guarded => {
                let config = nat::Config { udp: false, ..nat::Config::firewall() };
                behind(network.add_nat("firewall", internet, far, config), outside)
            }
        }
    }

    /// What only who stands there can know of it.
    fn adjust(self, index: usize) -> fn(&mut Config) {
        let served: [fn(&mut Config); 2] =
            [|config| serve(config, &LOTS[0]), |config| serve(config, &LOTS[1])];
        match self {
            Self::Served => served[index],
            _ => |_| (),
        }
    }
}

fn serve(config: &mut Config, lot: &Lot) {
    config.gather.external = vec![(ip(lot.inside), ip(lot.outside[0]))];
}

fn session(sites: [Site; 2], tcp: [Tcp; 2], is_relayed: bool, seed: u64) -> World {
    let mut setup = Setup::new(Spot::Open, Spot::Open).seeded(seed);
    if !is_relayed {
        setup = setup.without_relay();
    }
    setup.adjust = [0, 1].map(|index| sites[index].adjust(index));
    setup.also = [0, 1].map(|index| match tcp[index] {
        Tcp::Active => |config: &mut Config| config.gather.tcp = Tcp::Active,
        Tcp::Passive => |config: &mut Config| {
            (config.gather.tcp, config.gather.ports) = (Tcp::Passive, PORT..=PORT);
        },
        _ => |config: &mut Config| {
            (config.gather.tcp, config.gather.ports) = (Tcp::SimultaneousOpen, PORT..=PORT + 1);
        },
    });
    World::with(setup, |network, internet, setup| {
        [0, 1].map(|index| {
            let far = setup.links[index].clone();
            sites[index].build(network, internet, far, &LOTS[index])
        })
    })
}

/// How they meet: by UDP, by TCP, over a relay, not at all.
fn meet(world: &mut World) -> char {
    match world.outcome() {
        Outcome::Direct => {
            let pair = world.agreed().expect("it is direct");
            let is_tcp = |protocol: Protocol| matches!(protocol, Protocol::Tcp(_));
            let is_it = [&pair[0].local, &pair[1].local].map(|it| is_tcp(it.protocol));
            assert_eq!(is_it[0], is_it[1], "{world}");
            if is_it[0] { 't' } else { 'u' }
        }
        other => other.letter(),
    }
}

/// In the order of [`SITES`].
fn play(kind: Tcp, table: [&str; 4]) {
    for seed in seeds(3) {
        for (row, left) in SITES.into_iter().enumerate() {
            for (column, right) in SITES.into_iter().enumerate() {
                let cell = table[row].as_bytes()[column].into();
                for (is_relayed, expected) in [(false, cell), (true, relayed(cell))] {
                    let mut world = session([left, right], [kind; 2], is_relayed, seed);
                    let found = meet(&mut world);
                    let what = format!("{left:?} {right:?} {kind:?} {is_relayed}");
                    assert_eq!(found, expected, "{what} {world}");
                    world.assert_nothing_is_left();
                }
            }
        }
    }
}

fn relayed(cell: char) -> char {
    if cell == '-' { 'r' } else { cell }
}

#[test]
fn who_listens_is_reached_by_who_cannot_use_udp() {
    play(Tcp::Passive, ["--tt", "--tt", "tttt", "tttu"]);
}

/// Two firewalls that let in what was asked for are passed by two that ask at once.
#[test]
fn two_that_open_at_once_pass_two_firewalls() {
    play(Tcp::SimultaneousOpen, ALL);
}

#[test]
fn the_documentation_has_this_table() {
    let names = ["NAT", "firewall", "open port", "nothing"].map(String::from);
    let table = drawn(&names, &ALL);
    let documentation = include_str!("../../../../docs/ice.md");
    assert!(documentation.contains(&table), "docs/ice.md lacks\n{table}");
}

#[test]
fn who_only_connects_meets_nobody_who_only_connects() {
    play(Tcp::Active, ["----", "----", "----", "---u"]);
}

#[test]
fn it_is_enough_if_one_side_listens() {
    for seed in seeds(20) {
        for (left, right) in [(Site::Hidden, Site::Open), (Site::Hidden, Site::Served)] {
            let mut world = session([left, right], [Tcp::Active, Tcp::Passive], false, seed);
            assert_eq!(meet(&mut world), 't', "{world}");
        }
    }
}

/// RFC 6544 §4.1: UDP is preferred; TCP only takes the place of nothing.
#[test]
fn tcp_candidates_change_nothing_where_udp_passes() {
    let cones = [
        Spot::Kind(Mapping::EndpointIndependent, Filtering::AddressAndPortDependent),
        Spot::Kind(Mapping::AddressAndPortDependent, Filtering::AddressAndPortDependent),
        Spot::Open,
    ];
    for seed in seeds(3) {
        for (row, left) in cones.into_iter().enumerate() {
            for (column, right) in cones.into_iter().enumerate().take(row + 1) {
                let mut setup = Setup::new(left, right).seeded(seed);
                setup.adjust = [|config| config.gather.tcp = Tcp::SimultaneousOpen; 2];
                let mut world = World::new(setup);
                let expected = match [row, column] {
                    [1, 0 | 1] => 'r',
                    _ => 'u',
                };
                assert_eq!(meet(&mut world), expected, "{world}");
            }
        }
    }
}
