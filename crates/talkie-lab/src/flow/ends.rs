//! Two associations as a flow: one has always something to send, the other reads at once.

use std::time::{Duration, Instant};

use bytes::Bytes;
use talkie_proto::sctp::{Association, Config, End, Event, SendOptions};
use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};
use talkie_sim::flow::{Flow, Gauge};

use super::Fate;

/// What a packet carries on the line beside SCTP: a DTLS 1.2 record with AES-GCM (RFC 5288: 13 + 8 + 16), UDP
/// and IPv4.
pub(super) const AROUND: usize = 13 + 8 + 16 + 8 + 20;
/// What waits to be sent at least: a round trip must not wait for the application.
const WAITING: usize = 1 << 20;
/// WebRTC's PPID of binary messages (RFC 8831 §8).
const BINARY: u32 = 53;

#[derive(Debug)]
pub(super) struct Ends {
    sender: Association,
    receiver: Association,
    message: Bytes,
    delivered: u64,
    fate: Fate,
    /// Buffers of packets that have arrived.
    spare: Vec<Vec<u8>>,
}

fn path() -> Path {
    // Addresses that are kept for documentation; associations only hand them through.
    Path {
        transport: Transport::Udp,
        local: ([192, 0, 2, 1], 5000).into(),
        remote: ([192, 0, 2, 2], 5000).into(),
    }
}

impl Ends {
    /// Two ends that come to be at `now`; messages of `message` bytes go from one to the other.
    pub(super) fn new(now: Instant, seed: [u8; 32], config: &Config, message: usize) -> Self {
        let born = |side: u8| {
            let mut seed = seed;
            seed[31] ^= side;
            let genesis = Genesis { now, unix: Duration::ZERO, seed };
            Association::new(&genesis, path(), config.clone())
        };
        let mut sender = born(0);
        sender.connect(now).expect("it has not begun");
        Self {
            sender,
            receiver: born(1),
            message: vec![0x5a; message].into(),
            delivered: 0,
            fate: Fate::NeverConnected,
            spare: Vec::new(),
        }
    }

    pub(super) fn fate(&self) -> Fate {
        self.fate
    }

    fn feed(&mut self, now: Instant) {
        while self.fate == Fate::Connected && self.sender.buffered() < WAITING {
            // Unordered: what has arrived counts when it is there, not when all before it is.
            let options = SendOptions { unordered: true, ..SendOptions::default() };
            if self.sender.send(now, 0, BINARY, self.message.clone(), options).is_err() {
                break;
            }
        }
    }

    fn hear(&mut self) {
        while let Some(event) = self.sender.poll_event() {
            match event {
                Event::Connected => self.fate = Fate::Connected,
                Event::Ended(End::Unreachable) => self.fate = Fate::GaveUp,
                Event::Ended(_) => self.fate = Fate::Broke,
                _ => {}
            }
        }
        while self.receiver.poll_event().is_some() {}
        while let Some(message) = self.receiver.take_message() {
            self.delivered += message.payload.len() as u64;
        }
    }

    fn write(association: &mut Association, spare: &mut Vec<Vec<u8>>) -> Option<Vec<u8>> {
        let mut packet = spare.pop().unwrap_or_default();
        packet.clear();
        if association.poll_transmit(&mut packet).is_some() {
            return Some(packet);
        }
        spare.push(packet);
        None
    }
}

impl Flow for Ends {
    type Packet = Vec<u8>;

    fn poll_data(&mut self, now: Instant) -> Option<(usize, Vec<u8>)> {
        self.feed(now);
        let packet = Self::write(&mut self.sender, &mut self.spare)?;
        Some((packet.len() + AROUND, packet))
    }

    fn handle_data(&mut self, now: Instant, mut packet: Vec<u8>, marked: bool) {
        let datagram = Datagram { path: path(), payload: &mut packet };
        if marked {
            self.receiver.handle_marked(now, datagram);
        } else {
            self.receiver.handle_datagram(now, datagram);
        }
        self.spare.push(packet);
        self.hear();
    }

    fn poll_report(&mut self, _now: Instant) -> Option<Vec<u8>> {
        Self::write(&mut self.receiver, &mut self.spare)
    }

    fn handle_report(&mut self, now: Instant, mut report: Vec<u8>) {
        self.sender.handle_datagram(now, Datagram { path: path(), payload: &mut report });
        self.spare.push(report);
        self.hear();
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [&self.sender, &self.receiver].into_iter().filter_map(|end| end.poll_timeout()).min()
    }

    fn handle_timeout(&mut self, now: Instant) {
        for end in [&mut self.sender, &mut self.receiver] {
            if end.poll_timeout().is_some_and(|at| at <= now) {
                end.handle_timeout(now);
            }
        }
        self.hear();
    }

    fn gauge(&self) -> Gauge {
        let Some(window) = self.sender.window() else { return Gauge::default() };
        Gauge {
            window: window.window,
            in_flight: window.in_flight,
            pacing_rate: window.rate.unwrap_or_default(),
            rtt: window.round_trip.unwrap_or_default(),
            delivered: self.delivered,
            lost: window.lost,
        }
    }
}
