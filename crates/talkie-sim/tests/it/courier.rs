//! Messages that travel outside of the network.

use std::time::{Duration, Instant};

use talkie_sansio::conformance::genesis;
use talkie_sim::net::{Courier, Post};

use crate::echo::SECOND;

/// What arrives when, in milliseconds from the beginning.
fn arrivals(courier: &mut Courier<u32>, begin: Instant) -> Vec<(u128, usize, u32)> {
    std::iter::from_fn(|| {
        let at = courier.next_at()?;
        assert!(courier.poll(at - Duration::from_nanos(1)).is_none(), "not before its time");
        let (to, message) = courier.poll(at)?;
        Some(((at - begin).as_millis(), to, message))
    })
    .collect()
}

#[test]
fn each_direction_takes_its_own_time() {
    let begin = genesis().now;
    let post = [10, 300].map(|delay| Post::with_delay(Duration::from_millis(delay)));
    let mut courier = Courier::new(1, post);
    courier.send(begin, 1, 7);
    courier.send(begin, 0, 8);
    assert_eq!(arrivals(&mut courier, begin), [(10, 0, 8), (300, 1, 7)]);
    assert_eq!(courier.next_at(), None);
}

#[test]
fn nothing_is_lost_for_good_and_a_stream_keeps_its_order() {
    let begin = genesis().now;
    for is_ordered in [true, false] {
        let jitter = Duration::from_millis(200);
        let post = Post { loss: 0.3, jitter, is_ordered, ..Post::default() };
        let mut courier = Courier::new(2, [post]);
        (0..50).for_each(|number| courier.send(begin + number * SECOND / 100, 0, number));
        let numbers: Vec<u32> =
            arrivals(&mut courier, begin).iter().map(|(_, _, number)| *number).collect();
        assert_eq!(numbers.is_sorted(), is_ordered, "{numbers:?}");
        assert_eq!(numbers.len(), 50);
    }
}

#[test]
fn while_it_is_closed_nothing_gets_through() {
    let begin = genesis().now;
    let closed = vec![begin..begin + 3 * SECOND];
    let mut courier = Courier::new(3, [Post { closed, ..Post::default() }]);
    courier.send(begin, 0, 1);
    courier.send(begin + 4 * SECOND, 0, 2);
    assert_eq!(arrivals(&mut courier, begin), [(3050, 0, 1), (4050, 0, 2)]);
}
