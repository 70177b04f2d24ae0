//! A bulk sender and its receiver as an association has them, without chunks: packets have numbers, the
//! receiver reports every second one (RFC 9260 §6.2), the sender keeps the books of which controllers
//! are told. Data never ends, and what is lost is sent again under a new number.
//!
//! The path is in order, so that a packet is lost when the third one after it is acknowledged.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use talkie_proto::sctp::congestion::{Acked, Controller, Lost, RateSample, Sent};
use talkie_sim::flow::{Flow, Gauge};

/// Bytes of a packet, all of which count as chunks.
pub(crate) const PACKET: u64 = 1200;
const REORDERING: u64 = 3;
/// RFC 9260 §16: RTO.Min.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(1);
/// RFC 9260 §6.2.
const REPORT_DELAY: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) enum Packet {
    Data { number: u64, immediate: bool },
    Report { numbers: [u64; 2], len: usize, marked: bool },
}

#[derive(Debug)]
struct InFlight {
    sent_at: Instant,
    first_sent_at: Instant,
    delivered: u64,
    delivered_at: Instant,
    in_flight: u64,
    lost: u64,
    is_settled: bool,
}

#[derive(Debug)]
pub(crate) struct Model {
    controller: Box<dyn Controller>,
    // Sender.
    ring: VecDeque<InFlight>,
    /// The number of the ring's first packet.
    base: u64,
    /// Everything before it is acknowledged or lost.
    judged: u64,
    highest: Option<u64>,
    in_flight: u64,
    delivered: u64,
    delivered_at: Instant,
    first_sent_at: Instant,
    lost: u64,
    next_send: Instant,
    smoothed: Option<Duration>,
    variation: Duration,
    shortest: Duration,
    latest: Duration,
    timeout_at: Option<Instant>,
    probes: u32,
    // Receiver.
    expected: u64,
    unreported: Vec<u64>,
    has_gap: bool,
    marked: bool,
    report_at: Option<Instant>,
}

impl Model {
    pub(crate) fn new(now: Instant, controller: Box<dyn Controller>) -> Self {
        Self {
            controller,
            ring: VecDeque::new(),
            base: 0,
            judged: 0,
            highest: None,
            in_flight: 0,
            delivered: 0,
            delivered_at: now,
            first_sent_at: now,
            lost: 0,
            next_send: now,
            smoothed: None,
            variation: Duration::ZERO,
            shortest: Duration::MAX,
            latest: Duration::ZERO,
            timeout_at: None,
            probes: 0,
            expected: 0,
            unreported: Vec::new(),
            has_gap: false,
            marked: false,
            report_at: None,
        }
    }

    fn rate(&self) -> u64 {
        let smoothed = self.smoothed.unwrap_or(Duration::from_millis(100));
        let spread = || (1.25 * self.controller.window() as f64 / smoothed.as_secs_f64()) as u64;
        self.controller.pacing_rate().unwrap_or_else(spread).max(PACKET)
    }

    fn send(&mut self, now: Instant) -> (usize, Packet) {
        let number = self.base + self.ring.len() as u64;
        if self.in_flight == 0 {
            self.first_sent_at = now;
            self.delivered_at = now;
        }
        self.in_flight += PACKET;
        self.ring.push_back(InFlight {
            sent_at: now,
            first_sent_at: self.first_sent_at,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            in_flight: self.in_flight,
            lost: self.lost,
            is_settled: false,
        });
        self.controller
            .on_sent(now, &Sent { bytes: PACKET, in_flight: self.in_flight, app_limited: false });
        let span = Duration::from_nanos(PACKET * 1_000_000_000 / self.rate());
        // What a timer came late for may be made good, within a millisecond.
        self.next_send = self.next_send.max(now - Duration::from_millis(1).min(span * 2)) + span;
        if self.timeout_at.is_none() {
            self.arm(now);
        }
        (PACKET as usize, Packet::Data { number, immediate: self.probes > 0 })
    }

    fn arm(&mut self, now: Instant) {
        let smoothed = self.smoothed.unwrap_or(SHORTEST_TIMEOUT / 2);
        // RFC 8985 §7.2: a probe after two round trips; then RFC 9260 §6.3.
        let span = if self.probes == 0 {
            smoothed * 2 + REPORT_DELAY
        } else {
            (smoothed + self.variation * 4).max(SHORTEST_TIMEOUT) * (1 << self.probes.min(6))
        };
        self.timeout_at = (self.in_flight > 0).then(|| now + span);
    }

    fn measure(&mut self, rtt: Duration) {
        self.latest = rtt;
        self.shortest = self.shortest.min(rtt);
        // RFC 9260 §6.3.1.
        match self.smoothed {
            None => {
                self.smoothed = Some(rtt);
                self.variation = rtt / 2;
            }
            Some(smoothed) => {
                self.variation = self.variation * 3 / 4 + smoothed.abs_diff(rtt) / 4;
                self.smoothed = Some(smoothed * 7 / 8 + rtt / 8);
            }
        }
    }

    fn acknowledge(&mut self, now: Instant, numbers: &[u64]) {
        let prior_in_flight = self.in_flight;
        let mut newest = None;
        for &number in numbers {
            let Some(index) = number.checked_sub(self.base).map(|index| index as usize) else {
                continue;
            };
            let Some(packet) = self.ring.get_mut(index).filter(|packet| !packet.is_settled) else {
                continue;
            };
            packet.is_settled = true;
            self.in_flight -= PACKET;
            self.delivered += PACKET;
            self.delivered_at = now;
            self.highest = self.highest.max(Some(number));
            newest = Some(index);
        }
        let Some(index) = newest else { return };
        let packet = &self.ring[index];
        let rtt = now - packet.sent_at;
        let send_span = packet.sent_at - packet.first_sent_at;
        let interval = send_span.max(now - packet.delivered_at).max(Duration::from_nanos(1));
        let rate = RateSample {
            delivered: self.delivered - packet.delivered,
            interval,
            delivered_at_send: packet.delivered,
            in_flight_at_send: packet.in_flight,
            lost: self.lost - packet.lost,
            app_limited: false,
        };
        let sent_at = packet.sent_at;
        self.first_sent_at = sent_at;
        self.measure(rtt);
        let acked = Acked {
            bytes: prior_in_flight - self.in_flight,
            prior_in_flight,
            in_flight: self.in_flight,
            newest_sent: sent_at,
            rtt: Some(rtt),
            smoothed_rtt: self.smoothed.unwrap_or(rtt),
            min_rtt: self.shortest,
            delivered: self.delivered,
            lost: self.lost,
            rate: Some(rate),
            window_limited: true,
        };
        self.controller.on_acked(now, &acked);
        self.probes = 0;
        self.find_losses(now);
        self.arm(now);
    }

    fn find_losses(&mut self, now: Instant) {
        let Some(highest) = self.highest else { return };
        while self.judged + REORDERING <= highest {
            self.lose(now);
        }
        while self.ring.front().is_some_and(|packet| packet.is_settled) && self.base < self.judged {
            self.ring.pop_front();
            self.base += 1;
        }
    }

    /// The next packet that is not judged, if it isn't acknowledged, is lost.
    fn lose(&mut self, now: Instant) {
        let packet = &mut self.ring[(self.judged - self.base) as usize];
        self.judged += 1;
        if packet.is_settled {
            return;
        }
        packet.is_settled = true;
        self.in_flight -= PACKET;
        self.lost += PACKET;
        let lost = Lost {
            bytes: PACKET,
            sent_at: packet.sent_at,
            in_flight: self.in_flight,
            in_flight_at_send: packet.in_flight,
            delivered_at_send: packet.delivered,
            lost_at_send: packet.lost,
            lost: self.lost,
            app_limited: false,
        };
        self.controller.on_lost(now, &lost);
    }
}

impl Flow for Model {
    type Packet = Packet;

    fn poll_data(&mut self, now: Instant) -> Option<(usize, Packet)> {
        if self.probes == 1 && self.timeout_at.is_none() {
            return Some(self.send(now));
        }
        let is_full = self.in_flight + PACKET > self.controller.window().max(PACKET);
        if is_full || now < self.next_send {
            return None;
        }
        Some(self.send(now))
    }

    fn handle_data(&mut self, now: Instant, packet: Packet, marked: bool) {
        let Packet::Data { number, immediate } = packet else { return };
        self.has_gap |= number != self.expected || immediate;
        self.expected = number + 1;
        self.marked |= marked;
        self.unreported.push(number);
        self.report_at.get_or_insert(now + REPORT_DELAY);
    }

    fn poll_report(&mut self, now: Instant) -> Option<Packet> {
        let len = self.unreported.len();
        let is_due = len >= 2 || self.has_gap || self.report_at.is_some_and(|at| at <= now);
        if len == 0 || !is_due {
            return None;
        }
        let mut numbers = [0; 2];
        for (slot, number) in numbers.iter_mut().zip(self.unreported.drain(..)) {
            *slot = number;
        }
        (self.has_gap, self.report_at) = (false, None);
        let marked = std::mem::take(&mut self.marked);
        Some(Packet::Report { numbers, len, marked })
    }

    fn handle_report(&mut self, now: Instant, report: Packet) {
        let Packet::Report { numbers, len, marked } = report else { return };
        let newest = numbers[len - 1].checked_sub(self.base);
        let sent_at = newest.and_then(|index| self.ring.get(index as usize)).map(|it| it.sent_at);
        self.acknowledge(now, &numbers[..len]);
        if let Some(sent_at) = sent_at.filter(|_| marked) {
            self.controller.on_ecn(now, sent_at);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let is_full = self.in_flight + PACKET > self.controller.window().max(PACKET);
        let send = (!is_full).then_some(self.next_send);
        [send, self.timeout_at, self.report_at].into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.timeout_at.is_none_or(|at| at > now) {
            return;
        }
        self.timeout_at = None;
        self.probes += 1;
        if self.probes > 1 {
            while self.judged < self.base + self.ring.len() as u64 {
                let packet = &mut self.ring[(self.judged - self.base) as usize];
                self.lost += if packet.is_settled { 0 } else { PACKET };
                packet.is_settled = true;
                self.judged += 1;
            }
            self.base = self.judged;
            self.ring.clear();
            self.in_flight = 0;
            self.controller.on_timeout(now);
        }
    }

    fn gauge(&self) -> Gauge {
        Gauge {
            window: self.controller.window(),
            in_flight: self.in_flight,
            pacing_rate: self.rate(),
            rtt: self.latest,
            delivered: self.delivered,
            lost: self.lost,
        }
    }
}
