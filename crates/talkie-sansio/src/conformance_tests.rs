use std::collections::VecDeque;
use std::net::SocketAddr;

use super::*;
use crate::Transport;

/// Echoes each datagram, and says "tick" every second.
struct Echo {
    queue: VecDeque<(Path, Vec<u8>)>,
    bound: usize,
    next: Option<Instant>,
    tick: Duration,
}

impl Echo {
    fn new(genesis: &Genesis) -> Self {
        let tick = Duration::from_secs(1);
        Self { queue: VecDeque::new(), bound: 8, next: Some(genesis.now + tick), tick }
    }
}

impl Machine for Echo {
    type Event = &'static str;

    fn handle_datagram(&mut self, _now: Instant, datagram: Datagram<'_>) {
        if self.queue.len() < self.bound {
            self.queue.push_back((datagram.path, datagram.payload.to_vec()));
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.next.is_some_and(|next| next <= now) {
            self.next = Some(now + self.tick);
            self.queue.push_back((path(), b"tick".to_vec()));
        }
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, payload) = self.queue.pop_front()?;
        buf.extend_from_slice(&payload);
        Some(Transmit { path, len: payload.len() })
    }

    fn poll_event(&mut self) -> Option<Self::Event> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }
}

fn path() -> Path {
    let local: SocketAddr = "192.0.2.1:1000".parse().unwrap();
    Path { transport: Transport::Udp, local, remote: "192.0.2.2:2000".parse().unwrap() }
}

fn script() -> Vec<Input> {
    vec![
        Input::Datagram(path(), b"hello".to_vec()),
        Input::Elapse(Duration::from_millis(2500)),
        Input::Datagram(path(), b"again".to_vec()),
    ]
}

#[test]
fn a_sound_machine_passes() {
    check(|genesis| Echo::new(&genesis), || (), &script(), 8);
}

#[test]
fn timers_fire_at_their_own_time() {
    let record = run(|genesis| Echo::new(&genesis), (), &script());
    let ticks: Vec<_> =
        record.transmits.iter().filter(|sent| sent.2 == b"tick").map(|sent| sent.0).collect();
    assert_eq!(ticks, [Duration::from_secs(1), Duration::from_secs(2)]);
}

#[test]
#[should_panic(expected = "rule 2")]
fn an_unbounded_queue_is_caught() {
    check(|genesis| Echo { bound: usize::MAX, ..Echo::new(&genesis) }, || (), &script(), 8);
}

#[test]
#[should_panic(expected = "handle_timeout left its own deadline due")]
fn a_busy_loop_is_caught() {
    struct Stuck(Instant);
    impl Machine for Stuck {
        type Event = ();
        fn handle_datagram(&mut self, _now: Instant, _datagram: Datagram<'_>) {}
        fn handle_timeout(&mut self, _now: Instant) {}
        fn poll_transmit(&mut self, _buf: &mut Vec<u8>) -> Option<Transmit> {
            None
        }
        fn poll_event(&mut self) -> Option<()> {
            None
        }
        fn poll_timeout(&self) -> Option<Instant> {
            Some(self.0)
        }
    }
    check(|genesis| Stuck(genesis.now), || (), &[], 8);
}

#[test]
#[should_panic(expected = "rule 4")]
fn ambient_randomness_is_caught() {
    let counter = std::sync::atomic::AtomicU64::new(1);
    let make = |genesis: Genesis| {
        let tick = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Echo { tick: Duration::from_millis(tick * 100), ..Echo::new(&genesis) }
    };
    check(make, || (), &script(), 64);
}

#[test]
fn the_seed_is_not_printed() {
    assert!(!format!("{:?}", genesis()).contains("seed"));
}
