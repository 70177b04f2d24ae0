use std::sync::atomic::{AtomicU64, Ordering};

use talkie_sansio::{Datagram, Machine, Transmit};
use tokio::time::timeout;

use super::*;

/// Tells the time of what it is told, and of an alarm an hour after the first.
#[derive(Default)]
struct Sleeper {
    told: Vec<(&'static str, Instant)>,
    alarm: Option<Instant>,
}

const HOUR: Duration = Duration::from_secs(3600);

impl Machine for Sleeper {
    type Event = (&'static str, Instant);

    fn handle_datagram(&mut self, _now: Instant, _datagram: Datagram<'_>) {}

    fn handle_timeout(&mut self, now: Instant) {
        if self.alarm.take_if(|at| *at <= now).is_some() {
            self.told.push(("alarm", now));
        }
    }

    fn poll_transmit(&mut self, _buf: &mut Vec<u8>) -> Option<Transmit> {
        None
    }

    fn poll_event(&mut self) -> Option<Self::Event> {
        if self.told.is_empty() { None } else { Some(self.told.remove(0)) }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.alarm
    }
}

impl Hosted for Sleeper {
    fn poll_want(&mut self) -> Option<Want> {
        None
    }

    fn handle_answer(&mut self, _now: Instant, _answer: Answer) {}

    fn handle_interfaces(&mut self, now: Instant, _interfaces: &[Interface]) {
        if self.told.is_empty() && self.alarm.is_none() {
            self.alarm = Some(now + HOUR);
        }
        self.told.push(("interfaces", now));
    }
}

#[tokio::test]
async fn a_machines_time_goes_on_while_the_host_sleeps() {
    let slept = Arc::new(AtomicU64::new(5));
    let mut running = run(Sleeper::default(), Options::default(), Watch::asleep_for(&slept));
    let mut next = async || timeout(Duration::from_secs(5), running.events.recv()).await.unwrap();
    let (what, born) = next().await.unwrap();
    assert_eq!(what, "interfaces");
    slept.store(5 + 3600, Ordering::Relaxed);
    let (what, woken) = next().await.unwrap();
    assert_eq!(what, "interfaces");
    assert!(woken >= born + HOUR && woken < born + HOUR + Duration::from_secs(60));
    let (what, rung) = next().await.unwrap();
    assert_eq!(what, "alarm", "it was due while the host slept");
    assert!(rung >= woken);
    // From now on it is later to the machine than to the runtime, and a timer still keeps its time.
    let soon = Duration::from_millis(200);
    let set = running.handle.call(move |it, now| {
        it.alarm = Some(now + soon);
        now
    });
    let set = set.await.unwrap();
    assert!(set >= rung);
    let before = Instant::now();
    let (what, rung) =
        timeout(Duration::from_secs(5), running.events.recv()).await.unwrap().unwrap();
    assert_eq!(what, "alarm");
    assert!(rung >= set + soon && before.elapsed() >= soon / 2);
}
