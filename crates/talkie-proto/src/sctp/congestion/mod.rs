//! How much may be in flight, and how fast it may leave.
//!
//! The sender keeps the books: what is in flight, what has been delivered, what is lost, and for each
//! packet the state of these books when it left. A [`Controller`] is told what happens and answers two
//! questions, [`window()`](Controller::window) and [`pacing_rate()`](Controller::pacing_rate). It reads no
//! clock and knows neither packets nor streams, so that it can be judged alone, on a path of a few lines.
//!
//! The delivery rate is sampled as draft-ietf-ccwg-bbr-06 §4.1 tells: a packet remembers how much had been
//! delivered when it left; when it is acknowledged, what was delivered since, over the longer of the time
//! it took to send and the time it took to be acknowledged, is what the path carried. Bytes are those of
//! chunks with their headers and padding, in all figures here.

mod adaptive;
mod bbr;
mod cubic;
mod curve;
mod hystart;
mod ledger;
mod new_reno;
mod path;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::time::{Duration, Instant};

pub use adaptive::Adaptive;
pub use bbr::Bbr;
pub use cubic::Cubic;
pub use new_reno::NewReno;

/// Decides how much may be in flight and how fast it leaves.
pub trait Controller: Debug + Send {
    /// A packet with new data or a retransmission has left.
    fn on_sent(&mut self, now: Instant, sent: &Sent);

    /// The peer has acknowledged something new. Losses that the same acknowledgment reveals are told
    /// afterwards.
    fn on_acked(&mut self, now: Instant, acked: &Acked);

    /// One packet is taken for lost. Several that are found out at once are told one after another, in
    /// the order in which they left.
    fn on_lost(&mut self, now: Instant, lost: &Lost);

    /// What was told as lost last (since the window was last reduced) had not been: it was acknowledged
    /// after all, before its retransmission could have been.
    fn on_spurious_loss(&mut self, now: Instant);

    /// Nothing has been acknowledged for a whole retransmission timeout; everything in flight is taken
    /// for lost, without [`on_lost()`](Self::on_lost) being called for it.
    fn on_timeout(&mut self, now: Instant);

    /// The last timeout was for nothing, and so were those right before it: what was taken for lost has been
    /// acknowledged without having been sent again.
    fn on_spurious_timeout(&mut self, now: Instant);

    /// The path has marked a packet that left at `sent_at` (explicit congestion notification).
    fn on_ecn(&mut self, now: Instant, sent_at: Instant);

    /// Packets carry this many bytes of chunks from now on.
    fn on_packet_size(&mut self, bytes: u64);

    /// How many bytes may be in flight.
    fn window(&self) -> u64;

    /// How many bytes per second may leave; `None` to let the sender spread a window over a round trip.
    fn pacing_rate(&self) -> Option<u64>;
}

/// A packet that has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its bytes.
    pub bytes: u64,
    /// What is in flight, it included.
    pub in_flight: u64,
    /// Whether the application has nothing more to send, and the window is not full.
    pub app_limited: bool,
}

/// What one acknowledgment has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acked {
    /// Bytes newly acknowledged.
    pub bytes: u64,
    /// What was in flight before.
    pub prior_in_flight: u64,
    /// What is in flight still.
    pub in_flight: u64,
    /// When the newest of the acknowledged packets had left.
    pub newest_sent: Instant,
    /// The round trip that this acknowledgment measured; none if only retransmissions were acknowledged.
    pub rtt: Option<Duration>,
    /// The smoothed round trip.
    pub smoothed_rtt: Duration,
    /// The shortest round trip there has been.
    pub min_rtt: Duration,
    /// All bytes delivered so far, these included.
    pub delivered: u64,
    /// All bytes taken for lost so far, but for those of spurious timeouts.
    pub lost: u64,
    /// What the path carried while the newest of the packets was under way.
    pub rate: Option<RateSample>,
    /// Whether the window, not the application or the peer, was what held the sender back.
    pub window_limited: bool,
}

/// What the path carried between the sending of a packet and its acknowledgment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSample {
    /// Bytes delivered since the packet left.
    pub delivered: u64,
    /// In this time: never zero.
    pub interval: Duration,
    /// All bytes that had been delivered when the packet left: a round trip ends when this reaches what
    /// [`Acked::delivered`] was at its beginning.
    pub delivered_at_send: u64,
    /// Bytes in flight when the packet left, it included.
    pub in_flight_at_send: u64,
    /// Bytes taken for lost since the packet left.
    pub lost: u64,
    /// Whether there was not enough to send: then the path may carry more than this.
    pub app_limited: bool,
}

impl RateSample {
    /// In bytes per second.
    #[must_use]
    pub fn bytes_per_second(&self) -> u64 {
        let rate = u128::from(self.delivered) * 1_000_000_000 / self.interval.as_nanos().max(1);
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

/// A packet that is taken for lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its bytes.
    pub bytes: u64,
    /// When it left.
    pub sent_at: Instant,
    /// What is in flight now, without it.
    pub in_flight: u64,
    /// Bytes in flight when it left, it included.
    pub in_flight_at_send: u64,
    /// All bytes that had been delivered when it left.
    pub delivered_at_send: u64,
    /// All bytes that had been taken for lost when it left.
    pub lost_at_send: u64,
    /// All bytes taken for lost so far, its own included.
    pub lost: u64,
    /// Whether it left when there was not enough to send.
    pub app_limited: bool,
}

/// What a controller starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The time.
    pub now: Instant,
    /// How many bytes of chunks a packet carries.
    pub packet: u64,
    /// How far a window may grow, in bytes.
    pub most: u64,
    /// Feeds what the controller decides by chance.
    pub seed: u64,
}

impl Start {
    /// The window before anything is known of the path: ten packets (RFC 6928).
    #[must_use]
    pub fn window(&self) -> u64 {
        self.packet * 10
    }
}

/// Which controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// RFC 9260 §7.2: the reference.
    NewReno,
    /// RFC 9438.
    Cubic,
    /// draft-ietf-ccwg-bbr.
    Bbr,
    /// Fills a path that loses packets by chance, keeps its queue short when nobody else uses it, and shares
    /// it with CUBIC flows as one of them.
    #[default]
    Adaptive,
}

impl Algorithm {
    /// A controller of that kind.
    #[must_use]
    pub fn start(self, start: &Start) -> Box<dyn Controller> {
        match self {
            Self::NewReno => Box::new(NewReno::new(start)),
            Self::Cubic => Box::new(Cubic::new(start)),
            Self::Bbr => Box::new(Bbr::new(start)),
            Self::Adaptive => Box::new(Adaptive::new(start)),
        }
    }
}
