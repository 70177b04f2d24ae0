use std::time::{Duration, Instant};

use super::super::path::Path;
use super::{PACKET, acked, birth, ms};

/// A packet each millisecond, the first at birth, with these round trips; the path then, and when it began.
fn measured(rtts: impl IntoIterator<Item = u64>) -> (Path, Instant) {
    let born = birth();
    let mut path = Path::new(born);
    let mut delivered = 10 * PACKET;
    for (number, rtt) in (0..).zip(rtts) {
        let left = born + ms(number);
        delivered += PACKET;
        let acked = acked(left, PACKET, delivered, delivered - 5 * PACKET, ms(rtt));
        path.on_acked(left + ms(rtt), &acked);
    }
    (path, born)
}

#[test]
fn a_full_queue_is_seen_after_a_report_that_came_late() {
    let saw = (40..=60).chain((40..60).rev());
    let (path, _) = measured(saw.clone().chain([240]).chain(41..=58));
    assert!(path.is_waiting());
    let (path, _) = measured(saw.chain([240]).chain(41..=45));
    assert!(!path.is_waiting());
}

#[test]
fn a_loss_is_judged_by_those_that_left_with_it() {
    let (path, born) = measured([40, 40, 60, 60, 60, 60, 60, 60, 40, 40, 40, 40]);
    assert!(!path.is_waiting());
    assert!(path.was_waiting(born + ms(5)));
    assert!(!path.was_waiting(born + ms(1)));
    assert!(!path.was_waiting(born + ms(500)));
}

#[test]
fn only_what_leaves_while_it_is_watched_tells() {
    let born = birth();
    let mut path = Path::new(born);
    let tell = |path: &mut Path, left: u64, rtt: u64| {
        let left = born + ms(left);
        path.on_acked(left + ms(rtt), &acked(left, PACKET, 20 * PACKET, 15 * PACKET, ms(rtt)));
    };
    tell(&mut path, 0, 40);
    path.watch(born + ms(100));
    tell(&mut path, 90, 45);
    assert_eq!(path.watched(), None);
    tell(&mut path, 100, 70);
    path.watch(born + ms(200));
    tell(&mut path, 150, 50);
    tell(&mut path, 160, 65);
    assert_eq!(path.watched(), Some(Duration::from_millis(50)));
    path.unwatch();
    assert_eq!(path.watched(), None);
}
