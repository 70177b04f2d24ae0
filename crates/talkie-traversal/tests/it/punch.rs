//! Who reaches whom: hole punching between all sorts of NATs.

use std::time::Duration;

use talkie_sim::net::Change;
use talkie_traversal::punch::{Event, Failure, Kind};

use crate::discover_world::secs;
use crate::punch_world::{Behind, Pair, Setup};

/// What a pair comes to.
fn outcome(left: Behind, right: Behind, setup: Setup) -> &'static str {
    let mut pair = Pair::new(left, right, setup);
    pair.introduce(setup.skew);
    pair.run_until(secs(60), |event| matches!(event, Event::Measured(_) | Event::Failed(_)));
    let [left, right] = pair.connections();
    match (left, right) {
        (Some(left), Some(right)) => {
            assert_eq!(left.is_direct, right.is_direct, "both sides agree: {left:?} {right:?}");
            if left.is_direct { "direct" } else { "relay" }
        }
        (None, None) => {
            assert!(pair.failures().iter().all(Option::is_some), "{:?}", pair.sides[0].events);
            "none"
        }
        other => panic!("one side only: {other:?}"),
    }
}

/// Rows and columns as in [`Behind::ALL`]; d is direct, r is over the relay, which a side
/// without UDP reaches by TCP.
const TABLE: [&str; 10] = [
    "dddddddddr",
    "dddddrdrdr",
    "dddddddddr",
    "dddddddddr",
    "dddddrdrdr",
    "drddrrrrrr",
    "dddddrdrdr",
    "drddrrrrrr",
    "dddddrdrdr",
    "rrrrrrrrrr",
];

#[test]
fn who_reaches_whom_is_an_exact_table() {
    let row = |left: Behind| -> String {
        let letter = |right: &Behind| match outcome(left, *right, Setup::default()) {
            "direct" => 'd',
            "relay" => 'r',
            _ => '-',
        };
        Behind::ALL.iter().map(letter).collect()
    };
    assert_eq!(Behind::ALL.map(row), TABLE);
}

#[test]
fn without_a_relay_what_would_need_one_fails_and_says_so() {
    let setup = Setup { has_relay: false, ..Setup::default() };
    let mut pair = Pair::new(Behind::Symmetric, Behind::PortRestricted, setup);
    pair.introduce(Duration::ZERO);
    pair.run_until(secs(15), |event| matches!(event, Event::Failed(_)));
    assert_eq!(pair.failures(), [Some(Failure::Silence); 2]);
    assert_eq!(outcome(Behind::FullCone, Behind::Symmetric, setup), "direct");
}

#[test]
fn linux_masquerade_fails_where_it_hears_before_it_speaks() {
    // The packet that comes too early makes a note of its flow, which then takes another port.
    let setup = Setup { skew: Duration::from_millis(60), ..Setup::default() };
    assert_eq!(outcome(Behind::Masquerade, Behind::Masquerade, setup), "relay");
    assert_eq!(outcome(Behind::PortRestricted, Behind::Masquerade, setup), "relay");
    assert_eq!(outcome(Behind::PortRestricted, Behind::PortRestricted, setup), "direct");
}

#[test]
fn who_begins_late_is_waited_for() {
    for seconds in [1, 3, 8] {
        let setup = Setup { skew: secs(seconds), ..Setup::default() };
        assert_eq!(outcome(Behind::PortRestricted, Behind::PortRestricted, setup), "direct");
        assert_eq!(outcome(Behind::Symmetric, Behind::PortRestricted, setup), "relay");
    }
}

#[test]
fn a_long_way_takes_longer_and_comes_to_the_same() {
    use Behind::{PortRestricted, Symmetric, UdpBlocked};
    // Two such ways are between the sides, and the description takes one way more.
    for (millis, is_known) in [(250, false), (500, false), (800, false), (800, true), (1300, true)]
    {
        let delay = Duration::from_millis(millis);
        let setup = Setup { delay, is_known, skew: delay * 2, ..Setup::default() };
        assert_eq!(outcome(PortRestricted, PortRestricted, setup), "direct", "{millis} ms");
        assert_eq!(outcome(Symmetric, PortRestricted, setup), "relay", "{millis} ms");
        assert_eq!(outcome(Symmetric, Symmetric, setup), "relay", "{millis} ms");
        // To open a stream takes a round trip, after which nothing is heard for another.
        if is_known || millis < 500 {
            assert_eq!(outcome(UdpBlocked, Symmetric, setup), "relay", "{millis} ms");
            assert_eq!(outcome(UdpBlocked, UdpBlocked, setup), "relay", "{millis} ms");
        }
    }
}

#[test]
fn round_trips_over_a_long_way_are_measured() {
    let setup = Setup { delay: Duration::from_millis(500), ..Setup::default() };
    let mut pair = Pair::new(Behind::PortRestricted, Behind::PortRestricted, setup);
    pair.introduce(Duration::ZERO);
    pair.run_until(secs(60), |event| matches!(event, Event::Measured(_)));
    for round_trips in pair.round_trips().map(Option::unwrap) {
        assert_eq!(
            round_trips.direct,
            Some(Duration::from_millis(2004)),
            "{:?}",
            pair.connections()
        );
        assert!(round_trips.relayed > round_trips.direct, "{round_trips:?}");
    }
}

#[test]
fn who_has_only_a_stream_waits_for_udp_no_longer_than_its_time() {
    let mut pair = Pair::new(Behind::UdpBlocked, Behind::UdpBlocked, Setup::default());
    let began = pair.network.now();
    pair.run_until(secs(10), |event| matches!(event, Event::Gathered(_)));
    let took = pair.network.now() - began;
    assert!(took <= secs(2) + Duration::from_millis(1), "{took:?}");
    for side in &pair.sides {
        let Some(Event::Gathered(description)) = side.events.first() else { panic!() };
        let has_relay = description.candidates().iter().any(|it| it.kind == Kind::Relayed);
        assert!(has_relay, "{description}");
    }
}

#[test]
fn a_direct_path_is_named_alike_on_both_sides() {
    let mut pair = Pair::new(Behind::PortRestricted, Behind::FullCone, Setup::default());
    pair.introduce(Duration::ZERO);
    pair.run_until(secs(5), |event| matches!(event, Event::Measured(_)));
    let [left, right] = pair.connections().map(Option::unwrap);
    assert_eq!((left.local_kind, left.remote_kind), (Kind::ServerReflexive, Kind::ServerReflexive));
    assert_eq!((left.mapped, left.remote), (Some(right.remote), right.mapped.unwrap()));
    // 1 + 10 + 10 + 1 ms each way.
    assert_eq!(left.round_trip, Duration::from_millis(44));
    assert!(left.after < Duration::from_millis(500), "{:?}", left.after);
    for round_trips in pair.round_trips().map(Option::unwrap) {
        assert_eq!(round_trips.direct, Some(Duration::from_millis(44)));
        // By the relay it is 5 ms to the server and back more, on one leg or on both.
        assert!(round_trips.relayed > Some(Duration::from_millis(44)), "{round_trips:?}");
    }
}

#[test]
fn a_symmetric_nat_is_met_by_the_address_that_the_other_side_sees() {
    let mut pair = Pair::new(Behind::Symmetric, Behind::FullCone, Setup::default());
    pair.introduce(Duration::ZERO);
    pair.run_until(secs(5), |event| matches!(event, Event::Measured(_)));
    let [left, right] = pair.connections().map(Option::unwrap);
    assert_eq!(left.local_kind, Kind::PeerReflexive);
    assert_eq!(right.remote_kind, Kind::PeerReflexive);
    assert_eq!(Some(right.remote), left.mapped);
}

#[test]
fn loss_makes_it_later_and_not_different() {
    for seed in 0..50 {
        let setup = Setup { seed, loss: 0.1, ..Setup::default() };
        assert_eq!(
            outcome(Behind::PortRestricted, Behind::PortRestricted, setup),
            "direct",
            "{seed}"
        );
        assert_eq!(outcome(Behind::Symmetric, Behind::Symmetric, setup), "relay", "{seed}");
        assert_eq!(
            outcome(Behind::Symmetric, Behind::AddressRestricted, setup),
            "direct",
            "{seed}"
        );
    }
}

#[test]
fn both_sides_agree_whatever_is_lost() {
    let mut failures = 0;
    for seed in 0..81 {
        let setup = Setup { seed, loss: 0.3, ..Setup::default() };
        let left = Behind::ALL[seed as usize % 9];
        let right = Behind::ALL[seed as usize / 9];
        // `outcome` compares the sides. Half of all round trips fail, and by a relay three of four: not
        // every allocation is there in time.
        failures += usize::from(outcome(left, right, setup) == "none");
    }
    assert!(failures <= 3, "{failures} of 81");
}

#[test]
fn a_path_that_stops_working_is_lost() {
    let mut pair = Pair::new(Behind::PortRestricted, Behind::PortRestricted, Setup::default());
    pair.introduce(Duration::ZERO);
    pair.run_until(secs(5), |event| matches!(event, Event::Measured(_)));
    pair.run_until(secs(600), |event| matches!(event, Event::Failed(_)));
    assert_eq!(pair.failures(), [None; 2], "as long as it works it is kept");
    let cut = pair.sides[0].attachment;
    pair.network.change(Change::Cut(cut));
    pair.run_until(secs(60), |event| matches!(event, Event::Failed(_)));
    assert_eq!(pair.failures(), [Some(Failure::Lost); 2]);
}
