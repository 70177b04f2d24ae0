//! Peers that are older, smaller or stranger than we are.

use std::time::Duration;

use talkie_traversal::ice::ConnectionState::{Checking, Connected};
use talkie_traversal::ice::{
    Candidate, CandidatePairState, CandidateType, Event, Protocol, Role, priority,
};
use talkie_traversal::stun::attributes::{ErrorCode, Nomination};
use talkie_traversal::stun::{AttributeType, Message};

use crate::ice_agent_puppet::{CONTROLLED, CONTROLLING, Puppet, Says};
use crate::ice_agent_world::{World, config, ms};

fn nominated(puppet: &Puppet) -> Option<String> {
    let selected = puppet.agent.selected().filter(|pair| pair.is_nominated)?;
    Some(selected.remote_address.to_string())
}

fn has(check: &[u8], attribute: AttributeType) -> bool {
    Message::parse(check).unwrap().contains(attribute)
}

#[test]
fn a_lite_peer_is_nominated_to_though_it_sends_no_checks() {
    let mut puppet = Puppet::new(config(Role::Controlled), &[]);
    puppet.parameters.lite = true;
    puppet.introduce();
    assert_eq!(puppet.agent.role(), Role::Controlling, "a full agent controls a lite one");
    puppet.agent.set_role(puppet.now, Role::Controlled);
    assert_eq!(puppet.agent.role(), Role::Controlling, "whatever signaling says");
    puppet.candidate("10.0.0.2:9", 2_130_706_431);
    assert_eq!(puppet.answer_all(), 1);
    assert_eq!(puppet.state(), Connected);
    let checks = puppet.checks();
    assert!(has(&checks[0].1, AttributeType::USE_CANDIDATE));
    assert!(!has(&checks[0].1, AttributeType::NOMINATION), "it does not know renomination");
    let answer = puppet.success(&checks[0].1);
    puppet.give("10.0.0.2:9", &answer);
    assert_eq!(nominated(&puppet).as_deref(), Some("10.0.0.2:9"));
}

#[test]
fn of_an_aggressive_nominators_pairs_the_best_is_taken() {
    let mut puppet = Puppet::new(config(Role::Controlled), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:1", 1000);
    puppet.candidate("10.0.0.2:2", 2_130_706_431);
    puppet.run(ms(60));
    let says = Says { nominates: true, ..CONTROLLING };
    for from in ["10.0.0.2:1", "10.0.0.2:2"] {
        let check = puppet.check(says);
        puppet.give(from, &check);
        puppet.run(ms(1));
        puppet.answer_all();
    }
    assert_eq!(nominated(&puppet).as_deref(), Some("10.0.0.2:2"));
    let check = puppet.check(says);
    puppet.give("10.0.0.2:1", &check);
    assert_eq!(nominated(&puppet).as_deref(), Some("10.0.0.2:2"), "repeated");
}

#[test]
fn the_last_of_numbered_nominations_counts() {
    let mut puppet = Puppet::new(config(Role::Controlled), &["renomination"]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:1", 1000);
    puppet.candidate("10.0.0.2:2", 2_130_706_431);
    puppet.run(ms(60));
    puppet.answer_all();
    for (from, number) in [("10.0.0.2:2", 1), ("10.0.0.2:1", 2)] {
        let check = puppet.check(Says { nominates: true, number: Some(number), ..CONTROLLING });
        puppet.give(from, &check);
        assert_eq!(nominated(&puppet).as_deref(), Some(from));
    }
    // An older one that was overtaken on the way.
    let check = puppet.check(Says { nominates: true, number: Some(1), ..CONTROLLING });
    puppet.give("10.0.0.2:2", &check);
    assert_eq!(nominated(&puppet).as_deref(), Some("10.0.0.2:1"));
}

#[test]
fn a_nomination_counts_when_the_pair_works_and_not_before() {
    let mut puppet = Puppet::new(config(Role::Controlled), &[]);
    puppet.introduce();
    let check = puppet.check(Says { nominates: true, ..CONTROLLING });
    puppet.give("203.0.113.9:9", &check);
    assert_eq!(nominated(&puppet), None);
    assert_eq!(puppet.state(), Checking);
    puppet.run(ms(1));
    puppet.answer_all();
    assert_eq!(nominated(&puppet).as_deref(), Some("203.0.113.9:9"));
    let selected = puppet.agent.selected().unwrap();
    assert_eq!(selected.remote.kind, CandidateType::PeerReflexive);
    assert_eq!(selected.remote.priority, 0x6E00_00FF, "as its check said");
}

#[test]
fn a_candidate_that_was_shown_before_it_was_told_is_one_candidate() {
    let mut puppet = Puppet::new(config(Role::Controlled), &[]);
    puppet.introduce();
    let check = puppet.check(CONTROLLING);
    puppet.give("10.0.0.2:9", &check);
    puppet.candidate("10.0.0.2:9", 2_130_706_431);
    puppet.run(ms(1));
    puppet.answer_all();
    let stats = puppet.agent.stats();
    assert_eq!(stats.remote_candidates.len(), 1);
    assert_eq!(stats.remote_candidates[0].candidate_type, "host");
    assert_eq!(stats.candidate_pairs.len(), 1);
    assert_eq!(stats.candidate_pairs[0].requests_received, 1);
}

#[test]
fn the_smaller_tie_breaker_yields() {
    // The agent's is random; the least and the greatest there are leave no doubt.
    for (tie_breaker, stays) in [(0, true), (u64::MAX, false)] {
        for role in [Role::Controlling, Role::Controlled] {
            let mut puppet = Puppet::new(config(role), &[]);
            puppet.introduce();
            let controlling = role == Role::Controlling;
            let check = puppet.check(Says { controlling, tie_breaker, ..CONTROLLED });
            puppet.give("10.0.0.2:9", &check);
            // RFC 8445 §7.3.1.1: the greater one is to be controlling.
            let refuses = stays == controlling;
            let answer = Message::parse(&puppet.sent[0].2).unwrap();
            let code = answer.get::<ErrorCode<'_>>().unwrap().map(|error| error.code);
            assert_eq!(code, refuses.then_some(487), "{role:?} {tie_breaker}");
            let expected = if refuses { role } else { role.other() };
            assert_eq!(puppet.agent.role(), expected, "{role:?} {tie_breaker}");
        }
    }
}

#[test]
fn who_is_told_of_a_conflict_changes_its_role_and_asks_again() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    let check = puppet.checks().remove(0).1;
    assert!(has(&check, AttributeType::ICE_CONTROLLING));
    let refusal = puppet.error(&check, ErrorCode::ROLE_CONFLICT);
    puppet.give("10.0.0.2:9", &refusal);
    assert_eq!(puppet.agent.role(), Role::Controlled);
    puppet.run(ms(50));
    let check = puppet.checks().remove(0).1;
    assert!(has(&check, AttributeType::ICE_CONTROLLED));
    // The same refusal again is nothing new.
    puppet.give("10.0.0.2:9", &refusal);
    assert_eq!(puppet.agent.role(), Role::Controlled);
}

#[test]
fn who_is_content_with_no_role_is_not_asked_for_ever() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    let mut asked = 0;
    for _ in 0..200 {
        for (to, check) in puppet.checks() {
            asked += 1;
            let refusal = puppet.error(&check, ErrorCode::ROLE_CONFLICT);
            puppet.give(&to.to_string(), &refusal);
        }
        puppet.run(ms(50));
    }
    // After each change it is asked at its turn and as one that was triggered.
    assert!(asked <= 20, "{asked}");
}

#[test]
fn nothing_of_a_role_is_left_when_it_changes() {
    let mut puppet = Puppet::new(config(Role::Controlling), &["renomination"]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:1", 1000);
    puppet.answer_all();
    let nomination = puppet.checks().remove(0).1;
    assert!(has(&nomination, AttributeType::USE_CANDIDATE));
    puppet.candidate("10.0.0.2:2", 2000);
    puppet.run(ms(60));
    assert_eq!(puppet.checks().len(), 1, "to the second address");
    let check = puppet.check(Says { tie_breaker: u64::MAX, ..CONTROLLING });
    puppet.give("10.0.0.2:3", &check);
    assert_eq!(puppet.agent.role(), Role::Controlled);
    puppet.run(Duration::from_secs(20));
    let checks = puppet.checks();
    assert!(checks.iter().any(|(to, _)| to.port() == 2), "it is asked anew");
    for (to, check) in checks {
        assert!(has(&check, AttributeType::ICE_CONTROLLED), "{to}");
        assert!(!has(&check, AttributeType::USE_CANDIDATE), "{to}");
        assert!(!has(&check, AttributeType::NOMINATION), "{to}");
    }
}

#[test]
fn a_change_of_role_turns_priorities_round_and_leaves_the_order() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:1", 2_130_706_431);
    let (to, check) = puppet.checks().remove(0);
    // Behind a NAT that it has not known of.
    let answer = puppet.success_at(&check, "198.51.100.1:7".parse().unwrap());
    puppet.give_from(to, &answer);
    let ours = puppet.agent.stats().local_candidates[0].priority;
    let shown = |puppet: &Puppet| puppet.agent.stats().candidate_pairs[0].priority;
    assert_eq!(shown(&puppet), priority::pair(ours, 2_130_706_431));
    puppet.agent.set_role(puppet.now, Role::Controlled);
    assert_eq!(shown(&puppet), priority::pair(2_130_706_431, ours));
}

#[test]
fn numbers_of_the_other_sides_nominations_end_with_its_role() {
    let mut puppet = Puppet::new(config(Role::Controlled), &["renomination"]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:1", 1000);
    puppet.answer_all();
    let check = puppet.check(Says { nominates: true, number: Some(u32::MAX), ..CONTROLLING });
    puppet.give("10.0.0.2:1", &check);
    assert_eq!(nominated(&puppet).as_deref(), Some("10.0.0.2:1"));
    puppet.checks();
    // It says that it is controlled, with the smaller tie-breaker: so we are to nominate.
    let check = puppet.check(Says { tie_breaker: 0, ..CONTROLLED });
    puppet.give("10.0.0.2:1", &check);
    assert_eq!(puppet.agent.role(), Role::Controlling);
    let nomination = puppet.checks().remove(0).1;
    let number = Message::parse(&nomination).unwrap().get::<Nomination>().unwrap();
    assert_eq!(number, Some(Nomination(1)));
}

#[test]
fn a_pair_whose_nomination_is_refused_makes_room_for_another() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:1", 2000);
    puppet.candidate("10.0.0.2:2", 1000);
    puppet.answer_all();
    let (to, nomination) = puppet.checks().remove(0);
    assert!(has(&nomination, AttributeType::USE_CANDIDATE));
    assert_eq!(to.port(), 1);
    puppet.run(ms(60));
    puppet.answer_all();
    let refusal = puppet.error(&nomination, ErrorCode::BAD_REQUEST);
    puppet.give("10.0.0.2:1", &refusal);
    assert_eq!(puppet.agent.selected().unwrap().remote_address.port(), 2);
    puppet.run(ms(1000));
    puppet.answer_all();
    assert_eq!(nominated(&puppet).as_deref(), Some("10.0.0.2:2"));
    // The other one is left alone.
    let mut sent = 0;
    for _ in 0..100 {
        puppet.run(ms(100));
        sent += puppet.answer_all();
    }
    assert!(sent <= 4, "consent alone: {sent}");
}

#[test]
fn a_nomination_that_is_answered_late_counts() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:1", 1000);
    puppet.answer_all();
    // For so long nothing comes through, whatever is asked meanwhile.
    puppet.run(Duration::from_secs(14));
    let checks = puppet.checks();
    assert!(checks.len() > 12, "the nomination and many questions");
    let nomination = &checks[0].1;
    assert!(has(nomination, AttributeType::USE_CANDIDATE));
    let answer = puppet.success(nomination);
    puppet.give("10.0.0.2:1", &answer);
    assert_eq!(nominated(&puppet).as_deref(), Some("10.0.0.2:1"));
    puppet.run(Duration::from_secs(2));
    assert!(puppet.checks().iter().all(|(_, check)| !has(check, AttributeType::USE_CANDIDATE)));
}

#[test]
fn a_nomination_that_is_settled_by_another_answer_is_repeated_no_more() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:1", 1000);
    puppet.answer_all();
    let (_, nomination) = puppet.checks().remove(0);
    assert!(has(&nomination, AttributeType::USE_CANDIDATE));
    // The answers to it are lost, those to all other questions are not.
    let mut repeated = 0;
    for _ in 0..600 {
        puppet.run(ms(100));
        for (to, check) in puppet.checks() {
            if check == nomination {
                repeated += 1;
            } else {
                let answer = puppet.success(&check);
                puppet.give_from(to, &answer);
            }
        }
        assert_eq!(puppet.state(), Connected);
    }
    assert_eq!(nominated(&puppet).as_deref(), Some("10.0.0.2:1"));
    assert!(repeated <= 4, "{repeated}: until the first consent check was answered");
}

#[test]
fn a_late_answer_to_an_earlier_nomination_settles_no_later_one() {
    let number = |check: &[u8]| {
        Message::parse(check).unwrap().get::<Nomination>().unwrap().map(|number| number.0)
    };
    let mut puppet = Puppet::new(config(Role::Controlling), &["renomination"]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:1", 2000);
    puppet.candidate("10.0.0.2:2", 1000);
    puppet.answer_all();
    // The first pair falls silent when it is nominated, so that the other one is; then it answers again, all but
    // that it is nominated once more.
    let (mut earlier, mut later) = (None, None);
    for _ in 0..1000 {
        puppet.run(ms(10));
        let is_other = nominated(&puppet).as_deref() == Some("10.0.0.2:2");
        for (to, check) in puppet.checks() {
            match (to.port(), number(&check)) {
                (1, Some(1)) => earlier = Some(check),
                (1, Some(3)) => later = Some(check),
                (1, _) if !is_other => {}
                _ => {
                    let answer = puppet.success(&check);
                    puppet.give_from(to, &answer);
                }
            }
        }
        if later.is_some() {
            break;
        }
    }
    let (earlier, later) = (earlier.unwrap(), later.expect("it is the better one"));
    let answer = puppet.success(&earlier);
    puppet.give("10.0.0.2:1", &answer);
    assert_eq!(nominated(&puppet).as_deref(), Some("10.0.0.2:2"));
    // The other side may not have heard of it yet.
    puppet.run(ms(1000));
    assert!(puppet.checks().iter().any(|(_, check)| *check == later));
    let answer = puppet.success(&later);
    puppet.give("10.0.0.2:1", &answer);
    assert_eq!(nominated(&puppet).as_deref(), Some("10.0.0.2:1"));
}

#[test]
fn another_error_ends_the_pair() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    let check = puppet.checks().remove(0).1;
    let refusal = puppet.error(&check, ErrorCode::BAD_REQUEST);
    puppet.give("10.0.0.2:9", &refusal);
    puppet.run(Duration::from_secs(20));
    assert_eq!(puppet.checks().len(), 0);
    let told = puppet.events.iter().any(|event| {
        matches!(event, Event::Story(story) if story.to_string().ends_with("refused with error 400"))
    });
    assert!(told, "{:?}", puppet.events);
}

#[test]
fn the_first_check_goes_at_once_and_the_others_50_ms_apart() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    let begin = puppet.now;
    puppet.introduce();
    for port in 1..=5 {
        puppet.candidate(&format!("10.0.0.2:{port}"), 1000 + port);
    }
    puppet.run(ms(240));
    let first = puppet.sent.iter().map(|(at, to, _)| ((*at - begin).as_millis(), to.port()));
    // The first was alone when it came; of the others the best goes first.
    assert_eq!(first.collect::<Vec<_>>(), [(0, 1), (50, 5), (100, 4), (150, 3), (200, 2)]);
}

#[test]
fn the_best_pair_of_a_foundation_does_not_wait_for_a_worse_one() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    for priority in [1000, 2000, 500] {
        let address = format!("10.0.0.2:{priority}").parse().unwrap();
        let candidate =
            Candidate::new(CandidateType::Host, Protocol::Udp, address, priority, "1".into());
        puppet.agent.add_remote_candidate(puppet.now, candidate).unwrap();
    }
    let states = puppet.agent.stats().candidate_pairs.into_iter().map(|pair| pair.state);
    let expected =
        [CandidatePairState::Waiting, CandidatePairState::InProgress, CandidatePairState::Frozen];
    assert_eq!(states.collect::<Vec<_>>(), expected, "the best first");
}

#[test]
fn a_check_is_repeated_as_stun_has_it() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    let begin = puppet.now;
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    puppet.run(Duration::from_secs(45));
    let times = puppet.sent.iter().map(|(at, ..)| (*at - begin).as_millis());
    // At 100 and 250 ms it is another one.
    let repeated = [0, 100, 250, 500, 1500, 3500, 7500, 15_500, 31_500];
    assert_eq!(times.collect::<Vec<_>>(), repeated);
    assert_eq!(puppet.state(), talkie_traversal::ice::ConnectionState::Failed);
}

#[test]
fn who_is_told_late_is_answered_early() {
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    world.is_signaling = false;
    world.gather(0);
    world.gather(1);
    // Only the left side knows the right one.
    world.tell_parameters(0);
    let theirs = world.sides[1].candidates.clone();
    for candidate in theirs {
        world.sides[0].agent.add_remote_candidate(world.now, candidate).unwrap();
    }
    world.run(Duration::from_secs(8));
    assert_eq!(world.sides[0].state(), Connected);
    assert_eq!(world.sides[1].agent.selected(), None, "it does not know whom to trust yet");
    world.sides[0].agent.send(world.now, b"already").unwrap();
    world.run(ms(100));
    assert_eq!(world.sides[1].data, [b"already"], "whoever may send is heard");
    world.tell_parameters(1);
    let told = world.elapsed();
    // Not one candidate of the left side was told: its checks have shown where it is.
    assert!(world.run_until(ms(1000), World::agree), "{:?}", world.sides[1].stories);
    assert!(world.elapsed() - told <= ms(20), "one round trip");
}

#[test]
fn a_peer_that_wants_to_be_checked_more_slowly_is() {
    for (wanted, granted) in [(10, 50), (200, 200), (100_000, 1000)] {
        let mut puppet = Puppet::new(config(Role::Controlling), &[]);
        puppet.parameters.pacing = Some(ms(wanted));
        let begin = puppet.now;
        puppet.introduce();
        puppet.candidate("10.0.0.2:1", 1000);
        puppet.candidate("10.0.0.2:2", 1000);
        puppet.run(ms(1010));
        let second = puppet.sent.iter().find(|(_, to, _)| to.port() == 2).unwrap().0;
        assert_eq!(second - begin, ms(granted));
    }
}
