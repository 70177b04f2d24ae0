//! What the security considerations of RFC 8445 §19 come to.

use std::net::SocketAddr;
use std::time::Duration;

use talkie_sansio::conformance::{self, Input};
use talkie_sansio::{Answer, Hosted as _, Interface, Path, Transport, Want};
use talkie_traversal::ice::ConnectionState::{Checking, Connected, New};
use talkie_traversal::ice::{
    AddError, Agent, Candidate, CandidateType, Chapter, Event, PairFailure, Parameters, Protocol,
    Role, SendError,
};

use crate::ice_agent_puppet::{CONTROLLED, CONTROLLING, OURS, Puppet, open};
use crate::ice_agent_world::{config, ms};

#[test]
fn wrong_credentials_get_no_answer() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    let check = puppet.check(CONTROLLED);
    puppet.sent.clear();
    for at in [22, 30, 60, check.len() - 12] {
        let mut forged = check.clone();
        forged[at] ^= 1;
        puppet.give("10.0.0.2:9", &forged);
    }
    assert_eq!(puppet.sent.len(), 0);
    assert_eq!(puppet.state(), New);
    assert_eq!(puppet.agent.counters().unproven, 4);
}

#[test]
fn forged_and_repeated_answers_prove_nothing() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    let check = puppet.checks().remove(0).1;
    // By somebody who saw the check but does not know the password.
    let forged = puppet.success_with(&check, "anotheranotheranotherone");
    puppet.give("10.0.0.2:9", &forged);
    // The agent's own check, thrown back.
    puppet.give("10.0.0.2:9", &check);
    let answer = puppet.success(&check);
    puppet.give("203.0.113.9:9", &answer);
    assert_eq!(puppet.state(), Checking);
    puppet.give("10.0.0.2:9", &answer);
    assert_eq!(puppet.state(), Connected);
    let before = puppet.agent.stats().candidate_pairs[0].responses_received;
    puppet.give("10.0.0.2:9", &answer);
    assert_eq!(puppet.agent.stats().candidate_pairs[0].responses_received, before, "only once");
}

#[test]
fn a_pair_that_is_answered_from_elsewhere_only_fails_for_that_reason() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    puppet.candidate("10.0.0.2:10", 900);
    let check = puppet.checks().remove(0).1;
    let answer = puppet.success(&check);
    puppet.give("203.0.113.9:9", &answer);
    puppet.run(Duration::from_secs(120));
    let mut failed = puppet.events.iter().filter_map(|event| match event {
        Event::Story(story) => match story.chapter {
            Chapter::Failed(why) => Some((story.remote.port(), why)),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(failed.next(), Some((9, PairFailure::Asymmetric)));
    assert_eq!(failed.next(), Some((10, PairFailure::TimedOut)));
}

#[test]
fn repeated_answers_do_not_prolong_consent() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    let check = puppet.checks().remove(0).1;
    let answer = puppet.success(&check);
    puppet.give("10.0.0.2:9", &answer);
    for _ in 0..31 {
        puppet.run(Duration::from_secs(1));
        puppet.give("10.0.0.2:9", &answer);
    }
    assert_eq!(puppet.agent.send(puppet.now, b"x"), Err(SendError::NotConnected));
}

#[test]
fn without_consent_no_data_is_ever_sent() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("192.0.2.1:80", 1000);
    for _ in 0..60 {
        assert_eq!(puppet.agent.send(puppet.now, b"flood"), Err(SendError::NotConnected));
        puppet.run(Duration::from_secs(1));
        // It even sends checks, from another address: that is no consent of the victim's.
        let check = puppet.check(CONTROLLED);
        puppet.give("203.0.113.9:9", &check);
    }
    assert!(puppet.sent.iter().all(|(_, _, bytes)| bytes != b"flood"));
    let victim = "192.0.2.1:80".parse().unwrap();
    let hits = puppet.sent.iter().filter(|(_, to, _)| *to == victim).count();
    assert_eq!(hits, 9, "one check, repeated as STUN has it, and two second looks");
}

#[test]
fn ten_thousand_candidates_are_a_hundred_pairs() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    let mut refused = 0;
    for index in 0..10_000_u32 {
        let address = format!("192.0.2.{}:{}", index % 250 + 1, index / 250 + 1).parse().unwrap();
        let kind = CandidateType::ServerReflexive;
        let candidate = Candidate::new(kind, Protocol::Udp, address, index + 1, format!("{index}"));
        let added = puppet.agent.add_remote_candidate(puppet.now, candidate);
        refused += u32::from(added == Err(AddError::Full));
    }
    assert_eq!(refused, 9900);
    assert_eq!(puppet.agent.stats().candidate_pairs.len(), 100);
    puppet.run(Duration::from_secs(120));
    assert!(puppet.sent.len() <= 700, "{}", puppet.sent.len());
}

#[test]
fn candidates_that_are_said_to_be_peer_reflexive_are_bounded_like_all_others() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    let told = |index: u32| {
        let address = format!("192.0.2.{}:{}", index % 250 + 1, index / 250 + 1).parse().unwrap();
        let kind = CandidateType::PeerReflexive;
        Candidate::new(kind, Protocol::Udp, address, index + 1, format!("{index}"))
    };
    let mut refused = 0;
    for index in 0..1000_u32 {
        let added = puppet.agent.add_remote_candidate(puppet.now, told(index));
        refused += u32::from(added == Err(AddError::Full));
    }
    assert_eq!(refused, 900);
    assert_eq!(puppet.agent.stats().remote_candidates.len(), 100);
    // One that came before is no error, and no second one.
    assert_eq!(puppet.agent.add_remote_candidate(puppet.now, told(0)), Ok(()));
    assert_eq!(puppet.agent.stats().remote_candidates.len(), 100);
}

#[test]
fn candidates_that_are_shown_before_they_are_told_are_bounded_like_all_others() {
    let mut puppet = Puppet::new(config(Role::Controlled), &[]);
    puppet.introduce();
    let mut refused = 0;
    for index in 0..150_u32 {
        let address = format!("192.0.2.{}:9", index + 1);
        let check = puppet.check(CONTROLLING);
        puppet.give(&address, &check);
        let (kind, address) = (CandidateType::Host, address.parse().unwrap());
        let told = Candidate::new(kind, Protocol::Udp, address, index + 1, format!("{index}"));
        let added = puppet.agent.add_remote_candidate(puppet.now, told);
        refused += u32::from(added == Err(AddError::Full));
        puppet.run(ms(500));
    }
    assert_eq!(refused, 50);
    assert!(puppet.agent.stats().remote_candidates.len() <= 124);
}

#[test]
fn restarts_without_end_bring_no_more_checks() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    for index in 0..500 {
        let fragment = format!("puppet{index}");
        puppet.parameters = Parameters::new(&fragment, "puppetpuppetpuppetpuppet").unwrap();
        puppet.introduce();
        puppet.candidate("192.0.2.1:80", 1000);
        puppet.run(ms(2));
    }
    let checks = puppet.checks().len();
    assert!((18..=22).contains(&checks), "{checks}: one each 50 ms");
}

#[test]
fn a_check_repeated_from_everywhere_costs_little() {
    let mut puppet = Puppet::new(config(Role::Controlled), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    let check = puppet.check(CONTROLLING);
    puppet.sent.clear();
    for index in 0..10_000_u16 {
        let from = format!("198.51.{}.{}:1000", index / 250, index % 250 + 1);
        puppet.give(&from, &check);
    }
    let stats = puppet.agent.stats();
    assert!(stats.candidate_pairs.len() <= 25, "{}", stats.candidate_pairs.len());
    assert!(stats.remote_candidates.iter().any(|candidate| candidate.candidate_type == "host"));
    puppet.run(Duration::from_secs(1));
    let checks = puppet.checks().len();
    assert!(checks <= 60, "{checks}");
    // The true one still gets through.
    let check = puppet.check(CONTROLLING);
    puppet.give("10.0.0.2:9", &check);
    puppet.run(ms(500));
    puppet.answer_all();
    assert_eq!(puppet.state(), Connected);
}

/// Checks go on until the puppet, whose address nobody was told of, has answered one.
fn meets_within(puppet: &mut Puppet, peer: &str, span: Duration) -> bool {
    let check = puppet.check(CONTROLLING);
    // Repeated as STUN has it.
    for wait in [500, 1000, 2000, 4000] {
        puppet.give(peer, &check);
        puppet.run(ms(wait).min(span));
        for (to, check) in puppet.checks() {
            if to.to_string() == peer {
                let answer = puppet.success(&check);
                puppet.give_from(to, &answer);
                return puppet.state() == Connected;
            }
        }
        if ms(wait) >= span {
            break;
        }
    }
    false
}

#[test]
fn one_check_repeated_from_everywhere_does_not_shut_out_who_was_never_told_of() {
    let mut puppet = Puppet::new(config(Role::Controlled), &[]);
    puppet.introduce();
    let captured = puppet.check(CONTROLLING);
    for round in 0..20 {
        for index in 1..=100 {
            puppet.give(&format!("198.51.100.{index}:{}", 1000 + round), &captured);
        }
        puppet.run(ms(100));
    }
    assert!(meets_within(&mut puppet, "10.0.0.2:9", ms(500)));
}

#[test]
fn many_strangers_make_each_other_wait_and_nobody_for_ever() {
    let mut puppet = Puppet::new(config(Role::Controlled), &[]);
    puppet.introduce();
    // As if the other side's NAT gave each packet a port of its own.
    for port in 1..=300 {
        let check = puppet.check(CONTROLLING);
        puppet.give(&format!("198.51.100.7:{port}"), &check);
    }
    assert!(puppet.agent.stats().candidate_pairs.len() <= 24);
    assert!(meets_within(&mut puppet, "10.0.0.2:9", ms(4000)));
}

/// docs/ice.md says so.
#[test]
fn no_check_is_longer_than_356_bytes() {
    let mut longest = [0; 2];
    for (at, length) in [(0, 8), (1, 256)] {
        let mut puppet = Puppet::new(config(Role::Controlling), &[]);
        puppet.parameters = Parameters::new(&"u".repeat(length), &"p".repeat(256)).unwrap();
        puppet.parameters.options = puppet.parameters.options.with("renomination");
        puppet.introduce();
        puppet.candidate("10.0.0.2:9", 1000);
        for _ in 0..20 {
            for (to, check) in puppet.checks() {
                longest[at] = longest[at].max(check.len());
                let answer = puppet.success(&check);
                puppet.give_from(to, &answer);
            }
            puppet.run(ms(500));
        }
        assert!(puppet.agent.selected().unwrap().is_nominated);
    }
    assert_eq!(longest[1], 356);
    assert!(longest[0] <= 112, "{longest:?}");
}

#[test]
fn of_each_stranger_that_makes_room_for_another_it_is_told() {
    let mut puppet = Puppet::new(config(Role::Controlled), &[]);
    puppet.introduce();
    for port in 1..=60 {
        let check = puppet.check(CONTROLLING);
        puppet.give(&format!("198.51.100.7:{port}"), &check);
        puppet.run(ms(500));
    }
    let told = |is_it: fn(&Chapter) -> bool| {
        let is_it = |event: &&Event| matches!(event, Event::Story(story) if is_it(&story.chapter));
        puppet.events.iter().filter(is_it).count()
    };
    let begun = told(|chapter| matches!(chapter, Chapter::Waiting | Chapter::Frozen));
    let left = puppet.agent.stats().candidate_pairs.len();
    assert!(begun > left, "{begun} {left}");
    assert_eq!(told(|chapter| *chapter == Chapter::Removed), begun - left);
}

#[test]
fn who_is_seen_elsewhere_each_time_still_takes_another_interface() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    // A NAT that forgets within seconds, or a peer that says so.
    for port in 1..=100 {
        for (to, check) in puppet.checks() {
            let answer = puppet.success_at(&check, ([198, 51, 100, 1], port).into());
            puppet.give_from(to, &answer);
        }
        puppet.run(Duration::from_secs(6));
    }
    let stats = puppet.agent.stats();
    assert!(stats.local_candidates.len() <= 3, "{:?}", stats.local_candidates);
    let selected = puppet.agent.selected().unwrap();
    assert_eq!(selected.local.kind, CandidateType::PeerReflexive, "{selected:?}");
    let interfaces =
        ["10.0.0.1", "10.0.1.1"].map(|address| Interface::new(address, address.parse().unwrap()));
    puppet.agent.handle_interfaces(puppet.now, &interfaces);
    while let Some(want) = puppet.agent.poll_want() {
        if let Want::Bind { id, local, .. } = want {
            let local = SocketAddr::new(local, 5001);
            puppet.agent.handle_answer(puppet.now, Answer::Bound { id, local });
        }
    }
    puppet.settle();
    let is_new = |event: &Event| {
        matches!(event, Event::Candidate(candidate)
            if candidate.socket_address() == Some("10.0.1.1:5001".parse().unwrap()))
    };
    assert!(puppet.events.iter().any(is_new));
}

#[test]
fn addresses_that_are_nobodys_are_refused() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    let add = |puppet: &mut Puppet, address: &str| {
        let address = address.parse().unwrap();
        let candidate =
            Candidate::new(CandidateType::Host, Protocol::Udp, address, 1, address.to_string());
        puppet.agent.add_remote_candidate(puppet.now, candidate)
    };
    for address in [
        "0.0.0.0:1",
        "224.0.0.251:5353",
        "255.255.255.255:9",
        "[ff02::1]:9",
        "[::ffff:127.0.0.1]:9",
        "10.0.0.2:0",
    ] {
        assert_eq!(add(&mut puppet, address), Err(AddError::Address), "{address}");
    }
    // Ourselves, and the other family: no error, and no pair.
    for address in ["127.0.0.1:22", "[2001:db8::1]:9"] {
        assert_eq!(add(&mut puppet, address), Ok(()));
    }
    assert_eq!(puppet.agent.stats().candidate_pairs.len(), 0);
    let mut second = Candidate::new(
        CandidateType::Host,
        Protocol::Udp,
        "10.0.0.2:9".parse().unwrap(),
        1,
        "1".into(),
    );
    second.component = 2;
    let added = puppet.agent.add_remote_candidate(puppet.now, second);
    assert_eq!(added, Err(AddError::Component(2)));
}

#[test]
fn data_of_strangers_is_dropped() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    puppet.give("10.0.0.2:9", b"before anything is proven");
    puppet.give("203.0.113.9:9", b"from a stranger");
    assert_eq!(puppet.agent.counters().foreign, 2);
    let is_data = |event: &_| matches!(event, Event::Data(_));
    assert!(!puppet.events.iter().any(is_data));
}

#[test]
fn the_contract_of_machines_is_kept() {
    let make = |genesis: talkie_sansio::Genesis| {
        let mut agent = Agent::new(&genesis, config(Role::Controlling));
        open(&mut agent, genesis.now);
        let parameters = Parameters::new("puppet", "puppetpuppetpuppetpuppet").unwrap();
        agent.set_remote_parameters(genesis.now, parameters);
        for port in 1..=3 {
            let address = format!("10.0.0.2:{port}").parse().unwrap();
            let foundation = port.to_string();
            let candidate =
                Candidate::new(CandidateType::Host, Protocol::Udp, address, port, foundation);
            agent.add_remote_candidate(genesis.now, candidate).unwrap();
        }
        agent
    };
    // The same seed gives the same password, so that the puppet's checks are good.
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    let mut script = Vec::new();
    for round in 0..40_u16 {
        let path = Path {
            transport: Transport::Udp,
            local: OURS.parse().unwrap(),
            remote: format!("10.0.0.2:{}", round % 5 + 1).parse().unwrap(),
        };
        let check = puppet.check(if round % 3 == 0 { CONTROLLING } else { CONTROLLED });
        script.push(Input::Datagram(path, check.clone()));
        script.push(Input::Elapse(ms(u64::from(round) * 7)));
        let mut broken = check;
        broken[usize::from(round) * 3 % 80] ^= 0x11;
        script.push(Input::Datagram(path, broken));
        script.push(Input::Datagram(path, b"data".to_vec()));
        script.push(Input::Elapse(Duration::from_secs(u64::from(round % 4))));
    }
    script.push(Input::Elapse(Duration::from_secs(100)));
    conformance::check(make, || (), &script, 1024);
}
