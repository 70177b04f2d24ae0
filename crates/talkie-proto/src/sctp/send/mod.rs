//! What goes out: pieces of messages into chunks, chunks into packets, and each of them again until it is
//! acknowledged or given up.
//!
//! [`Sender::fill`] decides what goes into a packet: first what was lost, then what is new. Three things
//! hold it back: the controller's window and rate ([`congestion`]) and the peer's
//! window. Losses are found out by [`recovery`] as acknowledgments come; if none come, a probe goes out
//! after two round trips (RFC 8985 §7), and after the retransmission timeout (RFC 9260 §6.3) everything
//! counts as lost until [`spurious`] has found out that it was only late.

mod books;
mod feedback;
mod flight;
mod outbox;
mod pacer;
mod partial;
mod recovery;
mod round_trip;
mod spurious;
mod tail;
mod turns;

use std::time::{Duration, Instant};

use self::books::Books;
use self::flight::{Flight, Sent};
pub(crate) use self::outbox::Outbox;
use self::pacer::Pacer;
use self::partial::Skips;
use self::recovery::Recovery;
pub(crate) use self::round_trip::{Bounds, RoundTrip};
use self::spurious::Trial;
use self::tail::Tail;
use super::congestion::{self, Controller};
use super::serial::{self, Tsn};
use super::wire::data::IMMEDIATE;
use super::wire::{Data, IData, Writer, data, i_data, kind, padded};

/// TSNs in flight at most: a SACK's blocks reach 65,535 beyond the cumulative TSN.
const SPAN: u64 = 65_000;

/// The same with DATA: an SSN has 16 bits, and the receiver takes one that is more than 32,767 ahead of the
/// one it waits for to be behind it (RFC 9260 §6.5, RFC 1982).
const SPAN_OF_DATA: u64 = 32_000;

/// What a probe waits beyond two round trips. Not the longest that a peer may wait with an acknowledgment
/// (RFC 8985 §7.2): what leaves last asks for one at once.
const PROBE_SLACK: Duration = Duration::from_millis(10);

/// Timeouts in a row after which the path is thought to take short packets only.
const SILENCE: u32 = 2;

/// Long packets lost in a row after which they are thought not to get through any more.
const STREAK: u32 = 6;

/// How long packets fare that are longer than those which are sure to get through.
#[derive(Debug, Default)]
struct Long {
    least: u64,
    /// Lost since one was acknowledged, and when the first of them had left.
    lost: u32,
    since: Option<Instant>,
    is_lost: bool,
}

impl Long {
    fn handle_acked(&mut self, bytes: u64) {
        if bytes > self.least {
            *self = Self { least: self.least, ..Self::default() };
        }
    }

    /// Bad luck and full queues last no longer than `patience`.
    fn handle_lost(&mut self, bytes: u64, sent_at: Instant, patience: Duration) {
        if bytes <= self.least {
            return;
        }
        self.lost += 1;
        let since = *self.since.get_or_insert(sent_at);
        self.is_lost |= self.lost >= STREAK && sent_at > since + patience;
    }
}

/// The sending half of an established association.
#[derive(Debug)]
pub(crate) struct Sender {
    flight: Flight,
    books: Books,
    pub(crate) round_trip: RoundTrip,
    controller: Box<dyn Controller>,
    pacer: Pacer,
    /// What left earlier took another path.
    since: Instant,
    recovery: Recovery,
    /// What the peer has room for beyond what it has acknowledged.
    peer_window: u64,
    /// A window with less room than this, a packet's payload, is as good as closed.
    reserve: u64,
    interleaved: bool,
    /// Whether the peer understands that messages are given up.
    partial: bool,
    retransmit_at: Option<Instant>,
    probe_at: Option<Instant>,
    /// A probe has been sent and nothing acknowledged since.
    probed: bool,
    /// What the last probe has sent again, until it is known if that was lost.
    tail: Option<Tail>,
    /// One packet may leave whatever the windows say.
    forced: bool,
    window_limited: bool,
    /// Whether the last timeout was one is still to be found out.
    trial: Option<Trial>,
    /// Timeouts since the peer was last heard of.
    pub(crate) errors: u32,
    renegings: u32,
    forward_pending: bool,
    /// How far the peer has been told that it need not wait, and when.
    forward_told: Option<(u64, Instant)>,
    /// The furthest that it has been told, and when, if only once.
    forward_most: u64,
    forward_once: Option<Instant>,
    /// How far it had been told before the timeout that is to be judged, and the first time after it.
    told_before: u64,
    told_first: Option<u64>,
    skips: Skips,
    /// The last TSN of which the peer has told that its packet was marked.
    marked: u64,
    /// Bytes of a chunk at most, its header included.
    chunk_most: usize,
    /// Packets longer than the shortest that is sure to get through, which do not.
    long: Long,
}

/// What was agreed in the handshake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agreed {
    pub(crate) first: Tsn,
    pub(crate) peer_window: u32,
    pub(crate) interleaved: bool,
    pub(crate) partial: bool,
}

impl Sender {
    pub(crate) fn new(
        agreed: Agreed,
        round_trip: RoundTrip,
        start: &congestion::Start,
        algorithm: congestion::Algorithm,
    ) -> Self {
        let now = start.now;
        Self {
            flight: Flight::new(serial::beginning(agreed.first.0)),
            books: Books::new(now),
            round_trip,
            controller: algorithm.start(start),
            pacer: Pacer::new(now),
            since: now,
            recovery: Recovery::default(),
            peer_window: agreed.peer_window.into(),
            reserve: start.packet,
            interleaved: agreed.interleaved,
            partial: agreed.partial,
            retransmit_at: None,
            probe_at: None,
            probed: false,
            tail: None,
            forced: false,
            window_limited: false,
            trial: None,
            errors: 0,
            renegings: 0,
            forward_pending: false,
            forward_told: None,
            forward_most: 0,
            forward_once: None,
            told_before: 0,
            told_first: None,
            skips: Skips::default(),
            marked: 0,
            chunk_most: usize::MAX,
            long: Long::default(),
        }
    }

    /// Lets go of everything that has not been acknowledged; nothing is sent any more.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.flight = Flight::new(self.flight.next_tsn());
        self.trial = None;
        self.books = Books::new(now);
        self.skips = Skips::default();
        self.tail = None;
    }

    /// Packets carry this many bytes of chunks from now on, and never less than `least`. Chunks are cut so
    /// that the shortest packet takes one, and a whole number of them fills a packet.
    pub(crate) fn set_packet(&mut self, bytes: usize, least: usize) {
        self.chunk_most = (bytes / bytes.div_ceil(least).max(1)) & !3;
        self.reserve = least as u64;
        self.long = Long { least: least as u64, ..Long::default() };
        self.controller.on_packet_size(bytes as u64);
    }

    /// Whether long packets have stopped to get through (RFC 8899 §4.3).
    pub(crate) fn is_black_hole(&self) -> bool {
        self.errors >= SILENCE || self.long.is_lost
    }

    /// Whether everything sent has been acknowledged.
    pub(crate) fn is_settled(&self) -> bool {
        self.flight.is_empty()
    }

    /// The last TSN that has been given to a chunk.
    pub(crate) fn last_tsn(&self) -> Tsn {
        Tsn::of(self.flight.next_tsn() - 1)
    }

    /// What the peer said last that it has room for.
    pub(crate) fn peer_window(&self) -> u32 {
        u32::try_from(self.peer_window).unwrap_or(u32::MAX)
    }

    /// Bytes that may be in flight and that are.
    pub(crate) fn window(&self) -> (u64, u64) {
        (self.controller.window(), self.books.in_flight)
    }

    /// Bytes taken for lost so far.
    pub(crate) fn lost(&self) -> u64 {
        self.books.lost
    }

    pub(crate) fn next_wake(&self, now: Instant, outbox: &Outbox) -> Option<Instant> {
        let paced = self
            .pacer
            .blocked_until(now)
            .filter(|_| self.books.in_flight < self.controller.window() && self.has_work(outbox));
        [self.retransmit_at, self.probe_at, self.recovery.deadline, paced]
            .into_iter()
            .flatten()
            .min()
    }

    fn has_work(&self, outbox: &Outbox) -> bool {
        self.may_send_lost(outbox) || outbox.has_pieces() && self.may_send_new()
    }

    /// What is to be sent again comes before anything new.
    fn may_send_new(&self) -> bool {
        (!self.flight.has_lost() || self.may_overtake()) && self.has_room()
    }

    fn has_room(&self) -> bool {
        // RFC 9260 §6.1 A: nothing that the peer may have no room for, nor less than a packet because there is
        // no room for more (silly windows). One chunk may be in flight all the same, to find out when the
        // window opens.
        let outstanding = self.flight.outstanding();
        let span = if self.interleaved { SPAN } else { SPAN_OF_DATA };
        (outstanding + self.reserve <= self.peer_window || outstanding == 0)
            && self.flight.next_tsn() - self.flight.first() < span
    }

    /// Whether the peer has no room for another packet.
    fn is_closed(&self) -> bool {
        self.peer_window < self.reserve
    }

    /// Whether no more is under way than what asks if a closed window has opened.
    fn is_probing(&self) -> bool {
        self.flight.outstanding() <= self.reserve
    }

    fn lose_newest(&mut self) {
        if let Some(newest) = self.flight.newest_packet() {
            self.flight.lose(newest, &mut self.books);
        }
    }

    /// Whether [`fill()`](Self::fill) would add something to a packet with room.
    pub(crate) fn is_ready(&self, now: Instant, outbox: &Outbox) -> bool {
        let free = self.books.in_flight < self.controller.window()
            && self.pacer.blocked_until(now).is_none();
        (free || self.forced) && self.has_work(outbox)
    }

    /// Adds chunks to the packet up to `most` bytes; tells whether it added any.
    pub(crate) fn fill(
        &mut self,
        now: Instant,
        outbox: &mut Outbox,
        packet: &mut Writer<'_>,
        most: usize,
    ) -> bool {
        if !self.has_work(outbox) {
            if !self.flight.has_lost() && self.books.in_flight < self.controller.window() {
                self.books.handle_app_limited();
                self.window_limited = false;
            }
            return false;
        }
        if !self.forced {
            if self.books.in_flight >= self.controller.window() {
                self.window_limited = true;
                return false;
            }
            if self.pacer.blocked_until(now).is_some() {
                return false;
            }
        }
        self.flight.begin_packet(self.books.snapshot(now, 0));
        let lost = self.may_send_lost(outbox) && self.fill_lost(now, packet, most);
        let new = self.fill_new(now, outbox, packet, most);
        if !lost && !new {
            self.flight.cancel_packet();
            return false;
        }
        self.finish_packet(now, outbox, new);
        true
    }

    /// What was lost goes first (RFC 9260 §6.1 C).
    fn fill_lost(&mut self, now: Instant, packet: &mut Writer<'_>, most: usize) -> bool {
        let mut last = None;
        while let Some(tsn) = self.flight.next_lost(last) {
            let Some(chunk) = self.flight.chunk(tsn) else { break };
            // What is to be given up is, before the next packet.
            if packet.len() + chunk.size as usize > most || self.is_over(now, chunk) {
                break;
            }
            write(packet, tsn, chunk, self.interleaved);
            self.flight.take_lost();
            self.flight.add(tsn);
            last = Some(tsn);
        }
        last.is_some()
    }

    fn fill_new(
        &mut self,
        now: Instant,
        outbox: &mut Outbox,
        packet: &mut Writer<'_>,
        most: usize,
    ) -> bool {
        let overhead = if self.interleaved { i_data::OVERHEAD } else { data::OVERHEAD };
        outbox.window = outbox.window.max(self.peer_window);
        let mut any = false;
        while self.may_send_new() {
            let room = most.saturating_sub(packet.len()).min(self.chunk_most);
            let Some(mut piece) = outbox.take(now, room, packet.is_empty()) else { break };
            if !outbox.has_pieces() {
                // RFC 7053 §4: nothing follows that would make the peer acknowledge it.
                piece.flags |= IMMEDIATE;
            }
            let size = padded(overhead + piece.payload.len());
            let tsn = self.flight.next_tsn();
            let chunk = Sent::new(piece, u32::try_from(size).expect("it fits into a packet"));
            write(packet, tsn, &chunk, self.interleaved);
            self.flight.add_new(chunk);
            any = true;
        }
        any
    }

    fn finish_packet(&mut self, now: Instant, outbox: &Outbox, new: bool) {
        if std::mem::take(&mut self.forced) {
            self.note_probe(self.flight.next_packet() - 1);
        }
        let snapshot = self.flight.end_packet(now, &mut self.books);
        let drained = !self.has_work(outbox);
        let app_limited = drained && self.books.in_flight < self.controller.window();
        if app_limited {
            self.books.handle_app_limited();
        }
        let sent = congestion::Sent {
            bytes: snapshot.bytes,
            in_flight: self.books.in_flight,
            app_limited,
        };
        self.controller.on_sent(now, &sent);
        if let Some(rate) = self.rate() {
            self.pacer.handle_sent(now, snapshot.bytes, rate);
        }
        if self.retransmit_at.is_none() {
            self.retransmit_at = Some(now + self.round_trip.timeout());
        }
        if new {
            self.handle_fresh();
        }
        if new && !self.probed {
            self.probe_at = self.probe_time(now);
        }
    }

    /// The controller's rate, or twice a window in a round trip: enough to let the window double.
    pub(crate) fn rate(&self) -> Option<u64> {
        self.controller.pacing_rate().or_else(|| {
            let nanos = self.round_trip.smoothed()?.as_nanos().max(1);
            let rate = u128::from(self.controller.window()) * 2_000_000_000 / nanos;
            Some(u64::try_from(rate).unwrap_or(u64::MAX))
        })
    }

    /// RFC 8985 §7.2.
    fn probe_time(&self, now: Instant) -> Option<Instant> {
        let smoothed = self.round_trip.smoothed()?;
        let wait = smoothed * 2 + PROBE_SLACK;
        Some(now + wait.min(self.round_trip.timeout()))
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, outbox: &Outbox) {
        if self.recovery.deadline.is_some_and(|at| at <= now) {
            self.detect_losses(now);
        }
        if self.retransmit_at.is_some_and(|at| at <= now) {
            self.handle_retransmission_timeout(now);
        } else if self.probe_at.is_some_and(|at| at <= now) {
            self.probe(now, outbox);
        }
    }

    /// RFC 9260 §7.2.5.2: along another path congestion control begins anew, and what was sent before tells it
    /// nothing. What waits for a timeout of the old path goes along the new one at once.
    pub(crate) fn handle_path_change(
        &mut self,
        start: &congestion::Start,
        algorithm: congestion::Algorithm,
        outbox: &Outbox,
    ) {
        let now = start.now;
        self.since = now;
        self.controller = algorithm.start(start);
        self.pacer = Pacer::new(now);
        self.round_trip.handle_path_change();
        self.end_trial();
        self.errors = 0;
        if !self.flight.is_empty() {
            self.probe(now, outbox);
        }
    }

    /// RFC 8985 §7.3: something new if there is, else the last packet once more.
    fn probe(&mut self, now: Instant, outbox: &Outbox) {
        self.probe_at = None;
        self.probed = true;
        self.retransmit_at = Some(now + self.round_trip.timeout());
        if !self.has_work(outbox) {
            self.probe_tail();
        }
        self.forced = true;
    }

    /// RFC 9260 §6.3.3.
    fn handle_retransmission_timeout(&mut self, now: Instant) {
        self.retransmit_at = None;
        self.probe_at = None;
        if self.flight.is_empty() {
            return;
        }
        self.errors += 1;
        self.round_trip.back_off();
        self.tail = None;
        // RFC 9260 §6.1 A: that a closed window stays closed says nothing of the path.
        let says_nothing = self.is_closed() && self.is_probing();
        if !says_nothing {
            self.begin_trial();
        }
        self.books.lost += self.flight.lose_all(&mut self.books);
        self.recovery.handle_timeout();
        if says_nothing || !self.flight.has_lost() || !self.believes_blocks() {
            self.end_trial();
        }
        if !says_nothing {
            self.controller.on_timeout(now);
        }
        self.forced = true;
        self.retransmit_at = Some(now + self.round_trip.timeout());
        self.forward_told = None;
        self.advance_forward(now);
    }
}

/// Appends a chunk.
fn write(packet: &mut Writer<'_>, tsn: u64, chunk: &Sent, interleaved: bool) {
    let (tsn, payload) = (Tsn::of(tsn), &chunk.payload[..]);
    let &Sent { flags, stream, number, fsn, ppid, .. } = chunk;
    if interleaved {
        let data = IData { flags, tsn, stream, mid: number, fsn, ppid, payload };
        packet.chunk(kind::I_DATA, flags, |buf| data.write(buf));
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "an SSN has 16 bits")]
        let data = Data { flags, tsn, stream, ssn: number as u16, ppid, payload };
        packet.chunk(kind::DATA, flags, |buf| data.write(buf));
    }
}
