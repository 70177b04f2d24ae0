//! A NAT box for IP packets: [`Nat`] with everything that a router does around it.
//!
//! Packets are translated where they lie. [`Gateway::handle_outbound`] takes one from inside,
//! [`Gateway::handle_inbound`] one from outside; what comes back says to which side the caller is to
//! send the packet now, or why it goes no further. What the gateway has to say itself (ICMP errors) and
//! the fragments that it held back come out of [`Gateway::poll_transmit`]. An ordinary packet costs no
//! allocation.
//!
//! - UDP, TCP and ICMP queries of both families are translated or, where the NAT has no outside address
//!   of the family, only filtered. Other protocols are dropped.
//! - Fragments behind the first follow it, and wait for it where they are earlier (RFC 4787 §11).
//! - ICMP errors are translated together with the packet that they quote (RFC 5508 §4).
//! - Each packet loses a hop, and one without hops left is answered.
//! - Its outside addresses are its own, and those inside may ping them. Where nothing stands before it
//!   ([`Unsolicited::Tracked`]), it answers everybody as a host does where nobody listens: UDP by an ICMP
//!   error, TCP by a reset, which RFC 5382 REQ-4 forbids for six seconds, since it ends what two sides
//!   would open at the same time.

mod answers;
mod config;
mod errors;
mod fragments;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::nat::{Nat, Protocol, Unsolicited, Verdict};
use crate::packet::build::Problem;
use crate::packet::{End, Packet, Transport};

pub use config::{Config, Counters, Outcome, Reason, Side};

use answers::Answers;
use fragments::{Fragments, Whole};

/// A NAT box. See the [module documentation](self).
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    nat: Nat,
    fragments: Fragments,
    answers: Answers,
    counters: Counters,
}

/// Whether packets come with their transport checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checksums {
    /// They are complete.
    Complete,
    /// They cover the pseudo header only; a network card, or who stands for it, is to finish them
    /// (`VIRTIO_NET_HDR_F_NEEDS_CSUM`).
    Partial,
}

impl Gateway {
    /// A box that knows nobody yet. The same seed and the same packets give the same packets.
    #[must_use]
    pub fn new(now: Instant, config: Config, seed: [u8; 32]) -> Self {
        Self {
            nat: Nat::new(config.nat.clone(), seed),
            fragments: Fragments::new(&config, seed),
            answers: Answers::new(now, config.answers_per_second),
            counters: Counters::default(),
            config,
        }
    }

    /// A packet from inside.
    pub fn handle_outbound(&mut self, now: Instant, packet: &mut [u8]) -> Outcome {
        self.handle_packet(now, Side::Inside, packet, Checksums::Complete)
    }

    /// A packet from outside.
    pub fn handle_inbound(&mut self, now: Instant, packet: &mut [u8]) -> Outcome {
        self.handle_packet(now, Side::Outside, packet, Checksums::Complete)
    }

    /// A packet that came from the side `from`.
    pub fn handle_packet(
        &mut self,
        now: Instant,
        from: Side,
        packet: &mut [u8],
        checksums: Checksums,
    ) -> Outcome {
        let outcome = match Packet::parse(packet) {
            Ok(packet) => {
                let packet = match checksums {
                    Checksums::Complete => packet,
                    Checksums::Partial => packet.with_partial_checksum(),
                };
                self.route(now, from, packet)
            }
            Err(_) => Outcome::Dropped(Reason::Malformed),
        };
        self.counters.count(from, outcome);
        outcome
    }

    /// The next packet that the gateway itself has for a side: an ICMP error, or a fragment that waited.
    /// Replaces what is in `buf`. Asking when there is none is cheap.
    pub fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Side> {
        if let Some(side) = self.answers.poll_transmit(buf) {
            return Some(side);
        }
        self.fragments.poll_transmit(buf)
    }

    /// Forgets what has been silent for too long. Packets do so, too.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.nat.handle_timeout(now);
        self.fragments.expire(now);
    }

    /// When something will be forgotten, at the earliest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.nat.poll_timeout(), self.fragments.next_deadline()].into_iter().flatten().min()
    }

    /// What it does.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The NAT in it, whose table can be read.
    #[must_use]
    pub fn nat(&self) -> &Nat {
        &self.nat
    }

    /// What became of the packets so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn route(&mut self, now: Instant, from: Side, mut packet: Packet<&mut [u8]>) -> Outcome {
        if !packet.verify_header() {
            return Outcome::Dropped(Reason::Malformed);
        }
        if !self.may_pass(from, packet.source(), packet.destination()) {
            return Outcome::Dropped(Reason::Address);
        }
        if packet.hops() <= 1 {
            // RFC 5508 REQ-10 (RFC 1812 §5.3.1).
            self.answer(now, from, Problem::TimeExceeded, &packet);
            return Outcome::Dropped(Reason::Expired);
        }
        let Some(fragment) = packet.fragment() else {
            return match self.translate(now, from, &mut packet) {
                Ok(to) if packet.take_hop() => Outcome::Forwarded(to),
                Ok(_) => Outcome::Dropped(Reason::Expired),
                Err(reason) => Outcome::Dropped(reason),
            };
        };
        self.fragments.expire(now);
        let whole = Whole::of(from, &packet, fragment);
        if fragment.offset != 0 {
            return self.fragments.handle_later(now, whole, fragment, packet);
        }
        let original = [packet.source(), packet.destination()];
        let translated = self.translate(now, from, &mut packet);
        self.fragments.handle_first(now, whole, original, translated, packet)
    }

    /// Changes the packet into what it is on the other side, and says which one that is.
    fn translate(
        &mut self,
        now: Instant,
        from: Side,
        packet: &mut Packet<&mut [u8]>,
    ) -> Result<Side, Reason> {
        let (protocol, source, destination) = match packet.transport() {
            Transport::Udp { source, destination } => (Protocol::Udp, source, destination),
            // RFC 1858 §4.2: a first fragment so short that its flags are in the next one.
            Transport::Tcp { .. } if packet.payload().len() < 20 => return Err(Reason::Malformed),
            Transport::Tcp { source, destination, flags } => {
                (Protocol::Tcp(flags), source, destination)
            }
            // RFC 5508 §3: the identifier stands for the port of whoever is inside.
            Transport::Query { is_request: true, .. } if self.is_asked(from, packet) => {
                self.answers.echo(now, from, packet);
                return Err(Reason::Answered);
            }
            Transport::Query { identifier, .. } => match from {
                Side::Inside => (Protocol::Icmp, identifier, 0),
                Side::Outside => (Protocol::Icmp, 0, identifier),
            },
            Transport::Error { .. } => return errors::translate(&self.nat, now, from, packet),
            Transport::Other => return Err(Reason::Protocol),
        };
        let source = SocketAddr::new(packet.source(), source);
        let destination = SocketAddr::new(packet.destination(), destination);
        let verdict = match from {
            Side::Inside => self.nat.handle_outbound(now, protocol, source, destination),
            Side::Outside => self.nat.handle_inbound(now, protocol, destination, source),
        };
        match verdict {
            Verdict::Outside { source } => {
                packet.set_end(End::Source, source);
                Ok(Side::Outside)
            }
            Verdict::Inside { source: seen, to } => {
                if seen != source {
                    packet.set_end(End::Source, seen);
                }
                packet.set_end(End::Destination, to);
                Ok(Side::Inside)
            }
            Verdict::Dropped(reason) => {
                let reason = Reason::from(reason);
                if from == Side::Inside && matches!(reason, Reason::NoPort | Reason::TableFull) {
                    // RFC 5508 REQ-8.
                    self.answer(now, from, Problem::Prohibited, packet);
                } else if self.is_host() && self.is_own(packet) {
                    self.answers.refuse(now, from, packet);
                }
                Err(reason)
            }
        }
    }

    /// Whether an echo request is for the gateway: nobody behind it can be meant, since what would tell
    /// them apart is the sender's own choice.
    fn is_asked(&self, from: Side, packet: &Packet<&mut [u8]>) -> bool {
        self.is_own(packet) && (from == Side::Inside || self.is_host())
    }

    /// Whether nothing keeps the world from what the gateway itself would answer.
    fn is_host(&self) -> bool {
        self.config.nat.unsolicited == Unsolicited::Tracked
    }

    fn is_own(&self, packet: &Packet<&mut [u8]>) -> bool {
        self.config.nat.outside.contains(&packet.destination())
    }

    /// Whether routers forward packets between such addresses at all (RFC 1812 §5.3.7, RFC 4291 §2.5).
    fn may_pass(&self, from: Side, source: IpAddr, destination: IpAddr) -> bool {
        // What comes from outside under our own name is forged.
        let is_forged = from == Side::Outside && self.config.nat.outside.contains(&source);
        is_routable(source) && is_routable(destination) && !is_forged
    }

    fn answer(&mut self, now: Instant, to: Side, problem: Problem, about: &Packet<&mut [u8]>) {
        let own = match to {
            Side::Inside => self.config.inside.iter().chain(&self.config.nat.outside),
            Side::Outside => self.config.nat.outside.iter().chain(&[]),
        };
        let own = own.copied().find(|address| address.is_ipv4() == about.is_ipv4());
        if let Some(own) = own {
            self.answers.say(now, to, own, problem, about);
        }
    }
}

fn is_routable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            // 0/8, 127/8, 169.254/16, multicast, reserved and broadcast.
            first != 0 && first != 127 && first < 224 && (first, second) != (169, 254)
        }
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            // Unspecified, loopback and v4-mapped ones are all in 0000::/16, which nobody has.
            first != 0 && first < 0xfe80
        }
    }
}
