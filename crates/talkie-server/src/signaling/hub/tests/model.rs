//! Whatever is cut and resumed, and whenever: nothing is lost, repeated or reordered.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::SignalingConfig;
use super::world::World;

const PEERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Send { from: usize, to: usize },
    CarryUp(usize),
    CarryDown(usize),
    Cut(usize),
    Abandon(usize),
    Connect(usize),
    Acknowledge(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let peer = 0..PEERS;
    prop_oneof![
        6 => (peer.clone(), peer.clone()).prop_map(|(from, to)| Step::Send { from, to }),
        8 => peer.clone().prop_map(Step::CarryUp),
        8 => peer.clone().prop_map(Step::CarryDown),
        1 => peer.clone().prop_map(Step::Cut),
        1 => peer.clone().prop_map(Step::Abandon),
        3 => peer.clone().prop_map(Step::Connect),
        2 => peer.prop_map(Step::Acknowledge),
        1 => (0_u64..2_000).prop_map(Step::Wait),
    ]
}

fn patient() -> SignalingConfig {
    SignalingConfig {
        // The test's clock hardly moves: neither a rate nor a lifetime is its subject.
        burst: 1_000_000,
        resume_within: Duration::from_secs(1_000_000),
        heartbeat: Duration::from_secs(1_000_000),
        hello_within: Duration::from_secs(1_000_000),
        ..SignalingConfig::default()
    }
}

fn run(steps: &[Step]) {
    let mut world = World::new(patient(), PEERS);
    for index in 0..PEERS {
        world.connect(index);
        world.settle();
        world.join(index, "room");
    }
    let ids: Vec<String> = world.peers.iter().map(|peer| peer.id.clone()).collect();
    for index in 0..PEERS {
        world.take(index);
    }
    // By sender and addressee.
    let mut sent: BTreeMap<(usize, usize), Vec<u64>> = BTreeMap::new();
    let mut number = 0;
    for step in steps {
        match *step {
            Step::Send { from, to } if from != to => {
                number += 1;
                sent.entry((from, to)).or_default().push(number);
                let message = json!({"type": "signal", "to": ids[to], "payload": number});
                world.send(from, message);
            }
            Step::Send { .. } => {}
            Step::CarryUp(index) => drop(world.carry_up(index)),
            Step::CarryDown(index) => drop(world.carry_down(index)),
            Step::Cut(index) => world.cut(index),
            Step::Abandon(index) => world.abandon(index),
            Step::Connect(index) => world.connect(index),
            Step::Acknowledge(index) => world.acknowledge(index),
            Step::Wait(millis) => world.advance(Duration::from_millis(millis)),
        }
    }
    (0..PEERS).for_each(|index| world.connect(index));
    world.settle();
    for to in 0..PEERS {
        let heard = world.take(to);
        let others: Vec<&Value> =
            heard.iter().filter(|m| m["type"] != "welcome" && m["type"] != "signal").collect();
        assert!(others.is_empty(), "{others:?}");
        for (from, id) in ids.iter().enumerate() {
            let got: Vec<u64> = heard
                .iter()
                .filter(|message| message["type"] == "signal" && message["from"] == **id)
                .map(|message| message["payload"].as_u64().unwrap())
                .collect();
            let expected = sent.remove(&(from, to)).unwrap_or_default();
            assert_eq!(got, expected, "from {from} to {to}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn drops_and_resumes_lose_and_repeat_nothing(steps in prop::collection::vec(step(), 0..150)) {
        run(&steps);
    }
}

#[test]
fn the_client_s_resent_messages_are_not_done_twice() {
    use Step::{CarryUp, Connect, Cut, Send};
    // The signal arrives, its acknowledgement does not; after the resume the client sends it again.
    run(&[Send { from: 0, to: 1 }, CarryUp(0), Cut(0), Connect(0), Send { from: 0, to: 1 }]);
}
