use super::*;
use crate::ink::Ink;

fn plan(controllers: &[Controller]) -> Plan {
    Plan {
        rate: 20_000_000,
        rtt: Duration::from_millis(40),
        loss: 0.01,
        burst: 1.0,
        queue: Queue::DropTail,
        buffer: 100_000,
        controllers: controllers.to_vec(),
        stagger: Duration::ZERO,
        span: Duration::from_secs(4),
        seed: 1,
    }
}

fn run(plan: Plan) -> Recording {
    plan.run(Instant::now(), |_, _| ())
}

/// What is left of a line for messages: of 1253 bytes on it 1156 are a message's.
fn of_line(outcome: &Outcome) -> f64 {
    outcome.goodput / 20e6 * 1253.0 / 1156.0
}

/// What is drawn, without its lines.
fn words(recording: &Recording) -> String {
    recording.plot(80).text(Ink::PLAIN).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn an_association_fills_a_line_that_loses_packets_if_its_controller_can() {
    let outcome = run(plan(&[Controller::Adaptive])).outcomes()[0];
    assert!(of_line(&outcome) > 0.8, "{outcome:?}");
    assert!((0.002..0.03).contains(&outcome.lost), "{outcome:?}");
    let rtt = outcome.rtt.unwrap();
    assert!((40..60).contains(&rtt.as_millis()), "{outcome:?}");
    let outcome = run(plan(&[Controller::NewReno])).outcomes()[0];
    assert!(of_line(&outcome) < 0.5, "{outcome:?}");
}

#[test]
fn flows_share_and_are_counted_from_when_all_have_begun() {
    let two = [Controller::Cubic, Controller::Cubic];
    let stagger = Duration::from_secs(1);
    let span = Duration::from_secs(10);
    let recording = run(Plan { loss: 0.0, stagger, span, ..plan(&two) });
    assert!(recording.fairness().unwrap() > 0.7, "{:?}", recording.outcomes());
    let all: f64 = recording.outcomes().iter().map(of_line).sum();
    assert!((0.9..1.02).contains(&all), "{all:.3}");
    assert!((0.9..1.001).contains(&recording.line_used()), "{}", recording.line_used());
    let text = words(&recording);
    assert!(text.contains("Counted from 1 s on"), "{text}");
}

#[test]
fn the_same_seed_gives_the_same_recording_and_another_one_other_losses() {
    let short = |seed| {
        let span = Duration::from_secs(1);
        run(Plan { span, seed, ..plan(&[Controller::Adaptive]) })
    };
    assert_eq!(short(1), short(1));
    assert_ne!(short(1).samples, short(2).samples);
}

#[test]
fn plots_fit_their_columns_in_any_ink() {
    let three = [Controller::Adaptive, Controller::Cubic, Controller::Bbr];
    let span = Duration::from_secs(1);
    for controllers in [&three[..1], &three] {
        let recording = run(Plan { span, ..plan(controllers) });
        for columns in [80, 63, 60, 40, 32] {
            let plot = recording.plot(columns);
            for line in plot.lines(Ink::PLAIN) {
                assert!(line.chars().count() <= columns, "{columns} columns: {line}");
            }
            let text = plot.text(Ink::PLAIN);
            assert!(controllers.iter().all(|it| text.contains(&it.to_string())), "{text}");
            assert!(text.contains("goodput") && text.contains("messages that arrive"), "{text}");
        }
        let plot = recording.plot(80);
        assert!(plot.height() < 50);
        let ascii = plot.text(Ink { colour: false, unicode: false });
        assert!(ascii.is_ascii() && !ascii.contains('?'), "{ascii}");
        let text = plot.text(Ink::PLAIN);
        for word in ["Window", "Rate", "20 Mbit/s ┤", "Round trip", "Queue", "500 ms", "1 s"] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn how_far_it_is_is_told_soon_however_long_it_takes() {
    let (span, mut before, mut longest) =
        (Duration::from_secs(300), Duration::ZERO, Duration::ZERO);
    let slow = Plan { rate: 10_000, buffer: 3000, span, ..plan(&[Controller::Cubic]) };
    let _ = slow.run(Instant::now(), |done, _| {
        longest = longest.max(done - before);
        before = done;
    });
    assert!(before == span && longest <= Duration::from_millis(250), "{longest:?}");
}

#[test]
fn who_never_connects_is_told() {
    let span = Duration::from_secs(2);
    let recording = run(Plan { loss: 1.0, span, ..plan(&[Controller::Cubic]) });
    assert_eq!(recording.outcomes()[0].fate, Fate::NeverConnected);
    assert!(recording.plot(80).text(Ink::PLAIN).contains("never connected"));
    let svg = recording.svg();
    assert!(!svg.contains("NaN") && svg.contains("One flow on a line"), "{svg}");
}

#[test]
fn json_has_every_state() {
    let span = Duration::from_secs(1);
    let recording = run(Plan { span, ..plan(&[Controller::Bbr, Controller::Cubic]) });
    let json: serde_json::Value = serde_json::from_str(&recording.json()).unwrap();
    assert_eq!(json["samples"].as_array().unwrap().len(), 601);
    assert_eq!(json["flows"][0]["controller"], "bbr");
    assert_eq!(json["flows"][1]["fate"], "connected");
    let last = &json["samples"][600];
    assert!((last["seconds"].as_f64().unwrap() - 1.0).abs() < 1e-3);
    assert!(last["flows"][0]["delivered_bytes"].as_u64().unwrap() > 100_000);
    assert!(json["jain_index"].as_f64().unwrap() <= 1.0);
}

#[test]
fn the_picture_says_in_words_what_it_shows() {
    let span = Duration::from_secs(1);
    let svg = run(Plan { span, ..plan(&[Controller::Adaptive, Controller::Cubic]) }).svg();
    assert!(svg.contains("Flow 2, cubic: ") && svg.contains("Flows that share a line"), "{svg}");
    assert!(svg.contains("1 adaptive: ") && svg.contains("Jain's index"), "{svg}");
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    assert_eq!(svg.matches("<polyline").count(), 7, "three panels of two flows, and the queue");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

/// After slow start what was lost is sent again, and for a while nothing that is new: no round trip is measured
/// then, and those of before are no reason to think that others fill the queue.
#[test]
fn an_association_alone_takes_its_own_queue_for_its_own() {
    let lines = [
        (1, 40, 65_536, 0, 100),
        (5, 25, 64_000, 0, 13),
        (20, 40, 100_000, 0, 13),
        (50, 80, 1_000_000, 0, 23),
        (200, 40, 1_000_000, 1, 13),
    ];
    for (rate, rtt, buffer, percent, most) in lines {
        let plan = Plan {
            rate: rate * 1_000_000,
            rtt: Duration::from_millis(rtt),
            loss: f64::from(percent) / 100.0,
            buffer,
            span: Duration::from_secs(if rate > 100 { 4 } else { 10 }),
            ..plan(&[Controller::Adaptive])
        };
        let recording = run(plan);
        let (wait, used) = (recording.queue().mean_wait(), recording.line_used());
        assert!(wait < Duration::from_millis(most), "{rate} Mbit/s: {wait:?} in the queue");
        assert!(used > 0.8, "{rate} Mbit/s: {used:.3} of the line");
    }
}

#[test]
fn losses_may_come_in_a_row() {
    let recording = run(Plan { loss: 0.03, burst: 5.0, ..plan(&[Controller::Adaptive]) });
    let book = recording.queue();
    let share = book.lost as f64 / book.served as f64;
    assert!((0.01..0.06).contains(&share), "{share:.3}");
    assert!(words(&recording).contains("3% loss in bursts of 5"));
    assert!(of_line(&recording.outcomes()[0]) > 0.6, "{:?}", recording.outcomes());
}

#[test]
fn a_queue_that_marks_is_kept_short_without_a_loss() {
    let cubic = |queue| {
        let span = Duration::from_secs(10);
        let plan = Plan { queue, loss: 0.0, buffer: 400_000, span, ..plan(&[Controller::Cubic]) };
        run(plan)
    };
    let marking = cubic(Queue::CoDelEcn);
    let (book, full) = (marking.queue(), cubic(Queue::DropTail));
    assert!(book.marked > 0 && book.dropped == 0, "{book:?}");
    assert!(book.mean_wait() * 4 < full.queue().mean_wait(), "{book:?}, {:?}", full.queue());
    assert!(of_line(&marking.outcomes()[0]) > 0.8, "{:?}", marking.outcomes());
    assert!(words(&marking).contains(" and marked "));
    let dropping = cubic(Queue::CoDel);
    assert!(dropping.queue().dropped > 0 && dropping.queue().marked == 0, "{:?}", dropping.queue());
}

/// Slow start there loses more than a SACK has room to tell of, and finds it out over many round trips.
#[test]
fn what_slow_start_has_lost_on_a_fast_and_bad_line_takes_its_window_once() {
    let recording = run(Plan {
        rate: 1_000_000_000,
        loss: 0.05,
        buffer: 5_000_000,
        span: Duration::from_secs(3),
        ..plan(&[Controller::Adaptive])
    });
    let share = recording.outcomes()[0].goodput / 1e9;
    assert!(share > 0.4, "{share}");
}

/// A SACK has no room for all the holes there, and of those that are filled the sender hears all the same.
#[test]
fn what_has_been_sent_again_is_known_though_there_are_more_holes_than_a_sack_tells() {
    let recording = run(Plan {
        rate: 1_000_000_000,
        loss: 0.1,
        buffer: 5_000_000,
        span: Duration::from_secs(2),
        ..plan(&[Controller::Adaptive])
    });
    let outcome = recording.outcomes()[0];
    assert!(outcome.goodput / 1e9 > 0.55 && outcome.lost < 0.13, "{outcome:?}");
}
