//! What happens to a connection over time: consent (RFC 7675), loss, silence, patience (RFC 8863).

use std::time::Duration;

use talkie_sansio::Machine as _;
use talkie_traversal::ice::ConnectionState::{self, Checking, Connected, Disconnected, Failed};
use talkie_traversal::ice::{SendError, gather};
use talkie_traversal::stun::attributes::ErrorCode;

use crate::ice_agent_puppet::{CONTROLLED, Puppet};
use crate::ice_agent_world::{DELAY, World, config, ms};
use talkie_traversal::ice::Role;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn connected() -> World {
    let mut world = World::new(&["10.0.0.1"], &["10.0.0.2"]);
    world.begin();
    assert!(world.run_until(secs(1), World::agree));
    world
}

#[test]
fn consent_is_asked_for_every_four_to_six_seconds() {
    let mut world = connected();
    world.run(secs(1));
    world.sent.clear();
    let mut times = Vec::new();
    let mut seen = 0;
    while world.elapsed() < secs(120) {
        world.run(ms(10));
        let of_left = |sent: &&crate::ice_agent_world::Sent| {
            sent.from.ip() == World::ip("10.0.0.1") && sent.payload[0] == 0
        };
        let count = world.sent.iter().filter(of_left).count();
        if count > seen {
            seen = count;
            times.push(world.elapsed());
        }
    }
    assert!((19..=31).contains(&times.len()), "{}", times.len());
    for pair in times.windows(2) {
        let gap = pair[1] - pair[0];
        assert!(gap >= ms(3980) && gap <= ms(6020), "{gap:?}");
    }
    assert!(world.both(Connected), "nobody has said that there are no more candidates");
}

#[test]
fn who_has_just_answered_is_not_asked_again_for_four_seconds() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    assert_eq!(puppet.answer_all(), 1, "the check");
    assert_eq!(puppet.answer_all(), 1, "the nomination");
    puppet.run(ms(3990));
    assert_eq!(puppet.checks().len(), 0);
    puppet.run(ms(2020));
    assert!(!puppet.checks().is_empty());
}

#[test]
fn silence_is_told_then_consent_ends_and_nothing_is_sent_any_more() {
    let mut world = connected();
    let cut = world.elapsed();
    world.set_fate(Box::new(|_| vec![]));
    assert!(world.run_until(secs(60), |world| world.both(Disconnected)));
    let silence = world.elapsed() - cut;
    assert!(silence > secs(5) && silence < secs(13), "{silence:?}");
    // Consent still holds.
    world.sides[0].agent.send(world.now, b"hello?").unwrap();
    assert!(world.run_until(secs(60), |world| world.both(Failed)), "{:?}", world.sides[0].states);
    // At least the patience of RFC 8863 since the beginning, at least 30 s since the last answer.
    assert!(world.elapsed() >= ms(39_500));
    assert_eq!(world.sides[0].agent.send(world.now, b"x"), Err(SendError::NotConnected));
    world.run(secs(1));
    world.sent.clear();
    world.run(secs(600));
    assert_eq!(world.sent.len(), 0, "a failed agent is quiet");
    assert_eq!(world.sides[0].agent.counters().overrun, 0);
}

#[test]
fn consent_that_is_taken_back_is_gone_at_once() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    puppet.answer_all();
    puppet.answer_all();
    assert_eq!(puppet.agent.send(puppet.now, b"x"), Ok(()));
    puppet.run(secs(7));
    let question = puppet.checks().remove(0).1;
    // RFC 7675 §5.2; any other error says nothing about consent.
    for (code, expected) in
        [(ErrorCode::BAD_REQUEST, Ok(())), (ErrorCode::FORBIDDEN, Err(SendError::NotConnected))]
    {
        let question = if expected.is_ok() {
            question.clone()
        } else {
            puppet.run(secs(1));
            puppet.checks().remove(0).1
        };
        let refusal = puppet.error(&question, code);
        puppet.give("10.0.0.2:9", &refusal);
        assert_eq!(puppet.agent.send(puppet.now, b"x"), expected, "{code:?}");
    }
    puppet.checks();
    puppet.run(secs(60));
    assert_eq!(puppet.checks().len(), 0, "it does not ask again");
}

#[test]
fn an_answer_that_comes_after_consent_has_expired_brings_it_not_back() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    puppet.answer_all();
    puppet.answer_all();
    puppet.run(secs(7));
    let question = puppet.checks().remove(0).1;
    // The machine sleeps, and the answer is there before any timer.
    puppet.now += secs(40);
    let answer = puppet.success(&question);
    puppet.give("10.0.0.2:9", &answer);
    assert_eq!(puppet.agent.send(puppet.now, b"x"), Err(SendError::NotConnected));
    // It is asked anew.
    puppet.run(secs(1));
    assert!(puppet.answer_all() > 0);
    assert_eq!(puppet.agent.send(puppet.now, b"x"), Ok(()));
}

#[test]
fn who_asks_after_consent_has_expired_is_asked_too() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    puppet.answer_all();
    puppet.answer_all();
    puppet.run(secs(35));
    assert_eq!(puppet.agent.send(puppet.now, b"x"), Err(SendError::NotConnected));
    assert_eq!(puppet.state(), Disconnected);
    puppet.checks();
    let check = puppet.check(CONTROLLED);
    puppet.give("10.0.0.2:9", &check);
    assert_eq!(puppet.agent.send(puppet.now, b"x"), Err(SendError::NotConnected));
    assert_eq!(puppet.answer_all(), 1);
    assert_eq!(puppet.agent.send(puppet.now, b"x"), Ok(()));
}

#[test]
fn no_data_goes_after_consent_has_expired_even_if_nobody_let_the_time_out() {
    let mut world = connected();
    world.now += secs(31);
    assert_eq!(world.sides[0].agent.send(world.now, b"x"), Err(SendError::NotConnected));
}

#[test]
fn a_path_that_comes_back_is_used_again() {
    let mut world = connected();
    world.set_fate(Box::new(|_| vec![]));
    assert!(world.run_until(secs(20), |world| world.both(Disconnected)));
    world.set_fate(Box::new(|_| vec![DELAY]));
    assert!(world.run_until(secs(3), |world| world.both(Connected)));
    world.send(0, b"again");
    world.run(ms(20));
    assert_eq!(world.sides[1].data, [b"again"]);
}

#[test]
fn a_machine_that_slept_is_not_a_failure() {
    let mut world = connected();
    world.now += secs(600);
    world.settle();
    assert!(world.both(Disconnected));
    assert!(world.run_until(secs(2), |world| world.both(Connected)), "{:?}", world.sides[0].states);
    assert!(world.run_until(secs(2), World::agree));
}

#[test]
fn loss_delays_and_breaks_nothing() {
    let mut late = 0;
    for seed in 0..40_u64 {
        let mut dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut roll = move || {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % 100
        };
        let configs = [config(Role::Controlling), config(Role::Controlled)];
        // A fifth is lost, a tenth comes twice, and all of it in disorder.
        let fate = move |_: &_| match roll() {
            0..20 => vec![],
            20..30 => vec![ms(10), ms(10 + roll())],
            _ => vec![ms(10 + roll() % 30)],
        };
        let mut world = World::with(configs, &["10.0.0.1"], &["10.0.0.2"], Box::new(fate));
        world.begin();
        assert!(world.run_until(secs(39), World::agree), "{seed}");
        late += u32::from(world.elapsed() > secs(4));
        world.run(secs(120));
        let failures = world.sides.iter().filter(|side| side.reached(Failed).is_some());
        assert_eq!(failures.count(), 0, "{seed}");
        assert!(world.agree(), "{seed}: both have the same pair at the end");
    }
    assert!(late <= 3, "{late} of 40 took more than four seconds");
}

#[test]
fn nothing_fails_while_the_other_side_may_still_come() {
    let mut puppet = Puppet::new(config(Role::Controlling), &["trickle"]);
    puppet.introduce();
    puppet.agent.end_of_remote_candidates(puppet.now);
    puppet.run(secs(39));
    assert_eq!(puppet.state(), ConnectionState::New);
    // It has told no candidate, and comes all the same.
    let check = puppet.check(CONTROLLED);
    puppet.give("203.0.113.9:9", &check);
    assert_eq!(puppet.state(), Checking);
    puppet.run(ms(1));
    assert_eq!(puppet.answer_all(), 1, "a triggered check goes back at once");
    assert_eq!(puppet.state(), Connected);
}

#[test]
fn who_never_comes_is_given_up_after_39_5_seconds() {
    let mut puppet = Puppet::new(config(Role::Controlling), &["trickle"]);
    puppet.introduce();
    puppet.run(ms(39_499));
    assert_eq!(puppet.state(), ConnectionState::New);
    puppet.run(ms(2));
    assert_eq!(puppet.state(), Failed);
}

#[test]
fn data_that_comes_another_way_for_good_is_no_reason_to_ask_more_often() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:1", 2000);
    puppet.candidate("10.0.0.2:2", 1000);
    for _ in 0..20 {
        puppet.run(ms(50));
        puppet.answer_all();
    }
    assert_eq!(puppet.agent.selected().unwrap().remote_address.port(), 1);
    let mut asked = 0;
    for _ in 0..6000 {
        puppet.give("10.0.0.2:2", b"\x80 along the other one");
        let checks = puppet.checks();
        asked += checks.iter().filter(|(to, _)| to.port() == 1).count();
        for (to, check) in checks {
            let answer = puppet.success(&check);
            puppet.give_from(to, &answer);
        }
        puppet.run(ms(10));
    }
    // In a minute, 4 s apart at least.
    assert!(asked <= 17, "{asked}");
}

#[test]
fn nothing_fails_while_candidates_of_ours_are_still_to_come() {
    let mut config = config(Role::Controlling);
    // The name of a server that nobody answers for.
    let uri = "stun:stun.example".parse().unwrap();
    config.gather.servers = vec![gather::Server { uri, credential: None }];
    config.gather.limit = secs(60);
    let mut puppet = Puppet::new(config, &[]);
    puppet.introduce();
    puppet.agent.end_of_remote_candidates(puppet.now);
    puppet.run(secs(59));
    assert_eq!(puppet.state(), ConnectionState::New);
    puppet.run(secs(2));
    assert_eq!(puppet.state(), Failed);
}

#[test]
fn who_is_to_wait_for_ever_does() {
    let configs = [Role::Controlling, Role::Controlled].map(|role| {
        let mut config = config(role);
        let timers = &mut config.timers;
        timers.patience = Duration::MAX;
        timers.consent_expiry = Duration::MAX;
        timers.keepalive = Duration::MAX;
        timers.settle_direct = Duration::MAX;
        timers.settle_relayed = Duration::MAX;
        config.pace.last_wait = u32::MAX;
        config
    });
    let fate = Box::new(|_: &_| vec![]);
    let mut world = World::with(configs, &["10.0.0.1"], &["10.0.0.2"], fate);
    world.begin();
    world.run(secs(3600));
    assert!(world.both(Checking));
    world.set_fate(Box::new(|_| vec![DELAY]));
    world.set_interfaces(0, &["10.0.1.1"]);
    assert!(world.run_until(secs(2), World::agree));
    world.run(secs(60));
    assert!(world.both(Connected));
}

#[test]
fn who_is_to_ask_without_a_pause_has_one_all_the_same() {
    let mut config = config(Role::Controlling);
    let timers = &mut config.timers;
    (timers.consent_interval, timers.keepalive, timers.retry) = Default::default();
    let mut puppet = Puppet::new(config, &[]);
    puppet.introduce();
    puppet.candidate("10.0.0.2:9", 1000);
    puppet.answer_all();
    let (mut wakes, end) = (0, puppet.now + secs(1));
    while let Some(next) = puppet.agent.poll_timeout().filter(|next| *next <= end) {
        puppet.now = puppet.now.max(next);
        puppet.agent.handle_timeout(puppet.now);
        puppet.settle();
        puppet.answer_all();
        wakes += 1;
        assert!(wakes < 200, "it never rests");
    }
    assert!(puppet.agent.selected().is_some());
}

#[test]
fn who_is_to_repeat_without_a_pause_has_one_all_the_same() {
    let mut config = config(Role::Controlling);
    (config.pace.interval, config.pace.timeout) = Default::default();
    config.pace.requests = u32::MAX;
    let mut puppet = Puppet::new(config, &[]);
    puppet.introduce();
    for (address, priority) in [("10.0.0.2:9", 1002), ("10.0.0.3:9", 1001), ("10.0.0.4:9", 1000)] {
        puppet.candidate(address, priority);
    }
    puppet.run(secs(1) / 1000);
    let checks = puppet.checks();
    assert_eq!(checks.len(), 1, "the others wait for their turn");
    let answer = puppet.success(&checks[0].1);
    puppet.give_from(checks[0].0, &answer);
    // The nomination is never answered.
    let (mut wakes, end) = (0, puppet.now + secs(1));
    while let Some(next) = puppet.agent.poll_timeout().filter(|next| *next <= end) {
        puppet.now = puppet.now.max(next);
        puppet.agent.handle_timeout(puppet.now);
        puppet.settle();
        wakes += 1;
        assert!(wakes < 200, "it never rests");
    }
}

#[test]
fn an_idle_agent_wakes_up_for_consent_only() {
    let mut world = connected();
    world.run(secs(10));
    world.sent.clear();
    world.run(secs(1000));
    // Per side about 200 questions, and as many answers.
    assert!(world.sent.len() < 1000, "{}", world.sent.len());
}
