//! Second looks: what is asked while a check waits for its answer and must not be repeated yet.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use talkie_traversal::ice::{ConnectionState, Role};
use talkie_traversal::stun::{Message, TransactionId};

use crate::ice_agent_puppet::Puppet;
use crate::ice_agent_world::{config, ms};

/// The transactions of each address so far.
fn asked(puppet: &mut Puppet) -> BTreeMap<SocketAddr, BTreeSet<[u8; 12]>> {
    let mut asked: BTreeMap<SocketAddr, BTreeSet<[u8; 12]>> = BTreeMap::new();
    for (to, check) in puppet.checks() {
        let TransactionId(id) = Message::parse(&check).unwrap().transaction_id();
        asked.entry(to).or_default().insert(id);
    }
    asked
}

#[test]
fn an_early_check_that_is_lost_is_followed_by_another_before_its_rto() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    let begin = puppet.now;
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    puppet.run(ms(110));
    let times: Vec<_> = puppet.sent.iter().map(|(at, ..)| (*at - begin).as_millis()).collect();
    assert_eq!(times, [0, 100]);
    // The first was lost, and the other one is answered.
    let (to, check) = puppet.checks().pop().unwrap();
    let answer = puppet.success(&check);
    puppet.give_from(to, &answer);
    assert_eq!(puppet.state(), ConnectionState::Connected);
    let pairs = puppet.agent.stats().candidate_pairs;
    assert_eq!(pairs[0].current_round_trip_time, Some(ms(10)), "it was sent once");
    puppet.answer_all();
    // Nothing of the first is left.
    puppet.run(ms(3000));
    assert_eq!(puppet.checks(), []);
}

#[test]
fn second_looks_are_few_and_end_when_something_works() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    for port in 1..=30 {
        puppet.candidate(&format!("10.0.0.2:{port}"), 1000 - port);
    }
    puppet.run(ms(60_000));
    let asked_for = asked(&mut puppet);
    assert_eq!(asked_for.len(), 30);
    assert!(asked_for.values().all(|ids| ids.len() <= 3), "{asked_for:?}");
    let transactions: usize = asked_for.values().map(BTreeSet::len).sum();
    assert_eq!(transactions, 30 + 16);

    let mut puppet = Puppet::new(config(Role::Controlled), &[]);
    puppet.introduce();
    for port in 1..=3 {
        puppet.candidate(&format!("10.0.0.2:{port}"), 1000 - port);
    }
    let first = puppet.checks().remove(0);
    let answer = puppet.success(&first.1);
    puppet.give_from(first.0, &answer);
    puppet.run(ms(450));
    assert!(asked(&mut puppet).values().all(|ids| ids.len() == 1));
}
