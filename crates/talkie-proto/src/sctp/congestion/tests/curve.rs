use std::time::{Duration, Instant};

use super::super::curve::Curve;
use super::{PACKET, birth, ms};

const MOST: u64 = 1 << 40;

fn curve(packets: u64) -> Curve {
    Curve::new(PACKET, packets * PACKET)
}

/// In packets.
fn window(curve: &Curve) -> f64 {
    curve.window() as f64 / PACKET as f64
}

/// A window is acknowledged in each round trip, for so long; the time after.
fn grow(curve: &mut Curve, mut now: Instant, rtt: Duration, span: Duration) -> Instant {
    let end = now + span;
    while now < end {
        curve.grow(now, rtt, curve.window(), MOST);
        now += rtt;
    }
    now
}

fn assert_near(curve: &Curve, packets: f64) {
    let window = window(curve);
    assert!((window / packets - 1.0).abs() < 0.02, "{window:.1} packets, and not {packets:.1}");
}

/// RFC 9438 §4.2: K is the cube root of (1000 − 700) / 0.4, 9.09 s.
#[test]
fn the_window_is_where_it_was_after_k_and_rises_slowly_around_there() {
    let mut curve = curve(1000);
    curve.reduce();
    assert_near(&curve, 700.0);
    let now = grow(&mut curve, birth(), ms(100), ms(4500));
    assert_near(&curve, 1000.0 - 0.4 * (9.09_f64 - 4.5).powi(3));
    let now = grow(&mut curve, now, ms(100), ms(4600));
    assert_near(&curve, 1000.0);
    grow(&mut curve, now, ms(100), ms(9100));
    assert_near(&curve, 1000.0 + 0.4 * 9.1_f64.powi(3));
}

#[test]
fn a_round_trip_adds_half_a_window_at_most() {
    let mut curve = curve(1000);
    curve.reduce();
    let now = birth();
    curve.grow(now, ms(100), PACKET, MOST);
    let before = window(&curve);
    curve.grow(now + Duration::from_secs(100), ms(100), curve.window(), MOST);
    let after = window(&curve);
    assert!((1.45..=1.51).contains(&(after / before)), "{before:.1} and then {after:.1}");
}

/// RFC 9438 §4.3: at α, 0.53 packets in a round trip, until it is where it was, then at one.
#[test]
fn on_a_short_path_it_grows_as_reno_does() {
    let mut curve = curve(10);
    curve.reduce();
    grow(&mut curve, birth(), ms(1), ms(100));
    // Six round trips to ten packets, and 94 of one packet each; the curve alone would have 7.4.
    let window = window(&curve);
    assert!((90.0..115.0).contains(&window), "{window:.1}");
}

#[test]
fn who_did_not_get_back_makes_room() {
    let mut curve = curve(1000);
    curve.reduce();
    let now = grow(&mut curve, birth(), ms(100), ms(2000));
    let reached = window(&curve);
    assert!(reached < 900.0, "{reached:.1}");
    curve.reduce();
    let k = (reached * (0.85 - 0.7) / 0.4).cbrt();
    grow(&mut curve, now, ms(100), Duration::from_secs_f64(k));
    assert_near(&curve, reached * 0.85);
}

#[test]
fn a_pause_is_no_time() {
    let now = birth();
    let mut paused = curve(1000);
    paused.reduce();
    grow(&mut paused, now, ms(100), ms(1000));
    let mut other = paused.clone();
    let pause = Duration::from_secs(5);
    paused.pause(pause);
    grow(&mut paused, now + ms(1000) + pause, ms(100), ms(1000));
    grow(&mut other, now + ms(1000), ms(100), ms(1000));
    assert_eq!(paused.window(), other.window());
}

/// RFC 9438 §4.8.
#[test]
fn after_a_timeout_the_curve_is_flat_where_slow_start_ends() {
    let mut curve = curve(1000);
    curve.collapse();
    assert_eq!(curve.window(), PACKET);
    curve.double(499 * PACKET, MOST);
    grow(&mut curve, birth(), ms(100), ms(1000));
    let window = window(&curve);
    assert!((500.0..510.0).contains(&window), "{window:.1}");
}

#[test]
fn larger_packets_are_fewer() {
    let mut curve = curve(1000);
    curve.reduce();
    let before = curve.window();
    curve.resize(2 * PACKET);
    assert!(curve.window().abs_diff(before) <= 1);
}
