//! Who connects to whom and how: all pairs of NATs, with and without a relay, against tables that follow
//! from theory ([`is_direct`]). Cells are d for direct, r for relayed, - for not at all.
//!
//! Each cell is played with one seed of its own, which takes seconds; `TALKIE_SEEDS=200 cargo test -p
//! talkie-traversal --test it ice_matrix:: -- --nocapture` plays each with 200, which takes minutes.

use std::time::Duration;

use talkie_sim::nat::{Filtering, Mapping, Preset};
use talkie_traversal::ice::Role;

use crate::ice_spots::{Spot, is_direct};
use crate::ice_world::{Outcome, Setup, World, seeds};

/// In the order of [`Preset::all`].
const PRESETS: [&str; 15] = [
    "ddddddddddddddr",
    "ddddddddddddddr",
    "dddrddrddrrdrdr",
    "ddrrrrrrrrrrrrr",
    "dddrddrddrrdrdr",
    "dddrddrddrrdrdr",
    "ddrrrrrrrrrrrrr",
    "dddrddrddrrdrdr",
    "dddrddrddrrdrdr",
    "ddrrrrrrrrrrrrr",
    "ddrrrrrrrrrrrrr",
    "dddrddrddrrdrdr",
    "ddrrrrrrrrrrrrr",
    "dddrddrddrrdrdr",
    "rrrrrrrrrrrrrrr",
];

/// In the order of [`kinds`]: endpoint-independent mapping with the three filterings, then
/// address-dependent, then address- and port-dependent.
const KINDS: [&str; 9] = [
    "ddddddddd",
    "ddddddddd",
    "dddrrrrrr",
    "ddrddrddr",
    "ddrdrrdrr",
    "ddrrrrrrr",
    "ddrddrrrr",
    "ddrdrrrrr",
    "ddrrrrrrr",
];

fn presets() -> Vec<Spot> {
    Preset::all().map(Spot::Preset).collect()
}

fn kinds() -> Vec<Spot> {
    use Filtering::{
        AddressAndPortDependent as Both, AddressDependent as One, EndpointIndependent as Any,
    };
    let mappings =
        [Mapping::EndpointIndependent, Mapping::AddressDependent, Mapping::AddressAndPortDependent];
    let each = |mapping| [Any, One, Both].map(|filtering| Spot::Kind(mapping, filtering));
    mappings.into_iter().flat_map(each).collect()
}

fn theory(left: Spot, right: Spot) -> char {
    match (left.kind(), right.kind()) {
        (Some(left), Some(right)) if is_direct(left, right) => 'd',
        _ => 'r',
    }
}

/// Each pair once: who is left and who controls takes turns.
fn play(spots: &[Spot], table: &[&str], change: fn(Setup) -> Setup) {
    for seed in seeds(1) {
        for (row, left) in spots.iter().enumerate() {
            for (column, right) in spots.iter().enumerate().take(row + 1) {
                let mut roles = [Role::Controlling, Role::Controlled];
                if (row + column) % 2 == 1 {
                    roles.reverse();
                }
                let number = seed * 1000 + (row * 16 + column) as u64;
                let setup = Setup { roles, ..Setup::new(*left, *right) };
                let setup = change(setup).seeded(number);
                let has_relay = setup.urls.iter().any(|url| url.starts_with("turn"));
                let expected = match table[row].as_bytes()[column] {
                    b'r' if !has_relay => Outcome::Failed.letter(),
                    letter => letter.into(),
                };
                let mut world = World::new(setup);
                let letter = world.outcome().letter();
                assert_eq!(letter, expected, "{world}");
            }
        }
    }
}

#[test]
fn the_tables_are_what_theory_says() {
    for (spots, table) in [(presets(), &PRESETS[..]), (kinds(), &KINDS[..])] {
        let row = |left: &Spot| spots.iter().map(|right| theory(*left, *right)).collect();
        let rows: Vec<String> = spots.iter().map(row).collect();
        assert_eq!(rows, table);
    }
}

/// A table as the documentation has it.
pub(crate) fn drawn(names: &[String], table: &[&str]) -> String {
    let mut text = String::from("| |");
    let cells = |text: &mut String, cells: &mut dyn Iterator<Item = String>| {
        cells.for_each(|cell| text.push_str(&format!(" {cell} |")));
        text.push('\n');
    };
    cells(&mut text, &mut (1..=names.len()).map(|number| number.to_string()));
    text.push('|');
    text.push_str(&"---|".repeat(names.len() + 1));
    text.push('\n');
    for (row, name) in names.iter().enumerate() {
        text.push_str(&format!("| {} {name} |", row + 1));
        cells(&mut text, &mut table[row].chars().map(String::from));
    }
    text
}

#[test]
fn the_documentation_has_these_tables() {
    let documentation = include_str!("../../../../docs/ice.md");
    let scopes = ["any", "address", "port"];
    let kinds: Vec<_> = scopes
        .into_iter()
        .flat_map(|mapping| scopes.map(|filtering| format!("{mapping}, {filtering}")))
        .collect();
    let presets: Vec<_> = Preset::all().map(|preset| preset.to_string()).collect();
    for table in [drawn(&presets, &PRESETS), drawn(&kinds, &KINDS)] {
        assert!(documentation.contains(&table), "docs/ice.md lacks\n{table}");
    }
}

#[test]
fn every_pair_of_presets_connects_with_a_relay() {
    play(&presets(), &PRESETS, |setup| setup);
}

#[test]
fn without_a_relay_presets_connect_exactly_where_theory_allows() {
    play(&presets(), &PRESETS, Setup::without_relay);
}

#[test]
fn every_mapping_and_filtering_connects_with_a_relay() {
    play(&kinds(), &KINDS, |setup| setup);
}

#[test]
fn without_a_relay_mappings_and_filterings_connect_exactly_where_theory_allows() {
    play(&kinds(), &KINDS, Setup::without_relay);
}

/// From the beginning to a pair that works on both sides, if nothing is lost.
///
/// 1. Gathering: transactions begin 20 ms apart, four of them. A server-reflexive address takes one round
///    trip S to the server, an allocation two (the first is refused for want of a nonce), over TCP three.
/// 2. Signaling: 50 ms.
/// 3. The check's turn: Ta for each pair that is begun before. For a direct one these are those of the
///    addresses that came earlier, the host's own and two relayed, and one that is due at the moment; for a
///    relayed one all that there are, three bases with four candidates each.
/// 4. Direct: one of both checks may find the other side's NAT still closed. Half a round trip R later its
///    side hears from the other, answers and checks at once: 1.5 R.
/// 5. Relayed: S for the permission, without which the check does not leave, then 1.5 round trips by the
///    relay, which are of 2 S each.
fn budget(outcome: Outcome, is_blocked: bool) -> Duration {
    let millis = Duration::from_millis;
    let (server, peer, turn, signaling) = (millis(32), millis(44), millis(50), millis(50));
    let paced = millis(20) * 3;
    match outcome {
        Outcome::Direct => paced + server + signaling + turn * 4 + peer * 3 / 2,
        _ => {
            let allocation = server * if is_blocked { 3 } else { 2 };
            paced + allocation + signaling + turn * 12 + server + server * 2 * 3 / 2
        }
    }
}

#[test]
fn nobody_takes_more_round_trips_than_it_takes() {
    let spots = presets();
    for seed in seeds(2) {
        for (row, left) in spots.iter().enumerate() {
            for (column, right) in spots.iter().enumerate() {
                let number = 77_000 + seed * 1000 + (row * 16 + column) as u64;
                let mut world = World::new(Setup::new(*left, *right).seeded(number));
                let outcome = world.outcome();
                let is_blocked = [left, right].contains(&&Spot::Preset(Preset::UdpBlocked));
                let budget = budget(outcome, is_blocked);
                for side in [0, 1] {
                    let since = world.connected_at(side).unwrap();
                    assert!(since <= budget, "side {side}: {since:?} of {budget:?}; {world}");
                }
            }
        }
    }
}
