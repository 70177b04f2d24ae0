//! The four-way handshake (RFC 9260 §5), both at once, and beginning anew.

use std::time::{Duration, Instant};

use rand_core::Rng as _;

use super::cookie::Cookie;
use super::peer::{Capabilities, Peer, Told, write_init};
use super::streams::ReconfigError;
use super::timers::Heartbeat;
use super::{Association, ConnectError, End, Event, Link, State, Streams};
use crate::sctp::congestion;
use crate::sctp::receive::{Limits, Receiver};
use crate::sctp::send::{Agreed, Sender};
use crate::sctp::serial::Tsn;
use crate::sctp::wire::packet::HEADER;
use crate::sctp::wire::{Chunk, Chunks, Init, error, kind, packet, parameter};

impl Association {
    /// Begins. Both sides may.
    ///
    /// # Errors
    /// If it has begun already.
    pub fn connect(&mut self, now: Instant) -> Result<(), ConnectError> {
        if self.state != State::Closed {
            return Err(ConnectError::Begun);
        }
        self.now = now;
        self.state = State::CookieWait;
        self.asked_at = Some(now);
        self.repeats = 0;
        self.repeat_at = Some(now + self.round_trip.timeout());
        self.send_init();
        Ok(())
    }

    /// Our INIT chunk, for a peer that is told of it by signaling (draft-hancke-tsvwg-snap).
    #[must_use]
    pub fn init_chunk(&self) -> Vec<u8> {
        write_init(kind::INIT, self.tag, self.tsn, &self.config, &[])
    }

    /// Begins without a handshake: the peer's INIT chunk came by signaling, and it has ours
    /// ([`init_chunk()`](Self::init_chunk)).
    ///
    /// # Errors
    /// If it has begun already, or that is no INIT chunk.
    pub fn connect_with(&mut self, now: Instant, peer: &[u8]) -> Result<(), ConnectError> {
        if self.state != State::Closed {
            return Err(ConnectError::Begun);
        }
        let chunk = Chunks::new(peer).next().filter(|chunk| chunk.kind == kind::INIT);
        let init = chunk.and_then(|chunk| Init::parse(&chunk).ok()).ok_or(ConnectError::BadInit)?;
        self.now = now;
        self.establish(now, Told::read(&init).peer);
        self.become_established(now);
        Ok(())
    }

    pub(super) fn send_init(&mut self) {
        let chunk = self.init_chunk();
        // RFC 9260 §8.5.1: its sender has not heard of a tag to use.
        self.answer(0, chunk);
    }

    /// RFC 9260 §5.1 B, §5.2.1, §5.2.2: answered without remembering anything.
    pub(super) fn handle_init(&mut self, now: Instant, chunk: &Chunk<'_>) {
        let init = match Init::parse(chunk) {
            Ok(init) => init,
            Err(flaw) => return self.refuse_init(flaw),
        };
        if self.state == State::ShutdownAckSent {
            // RFC 9260 §9.2: the peer has not heard that it is over.
            self.send_shutdown_ack();
            return;
        }
        if self.state == State::Ended {
            // An INIT of the association that has ended is late, and its sender may still wait for the end.
            if self.link.as_ref().is_none_or(|link| link.peer.tag != init.tag) {
                self.refuse_another(init.tag);
            }
            return;
        }
        let told = Told::read(&init);
        if let Some(host_name) = told.host_name {
            self.refuse_host_name(init.tag, host_name);
            return;
        }
        let (tag, tsn, ties) = match self.state {
            // RFC 9260 §5.2.1: the parameters of our own INIT, so that both end up with one association.
            State::CookieWait | State::CookieEchoed => {
                let peer = self.link.as_ref().map_or(0, |link| link.peer.tag);
                (self.tag, self.tsn, (self.tag, peer))
            }
            // Nothing is begun: the same tag for everyone who asks costs nothing and gives nothing away.
            State::Closed => (self.tag, self.tsn, (0, 0)),
            // RFC 9260 §5.2.2: a new tag, and both of the old ones in the cookie.
            _ => {
                let peer = self.link.as_ref().map_or(0, |link| link.peer.tag);
                (self.rng.next_u32().max(1), Tsn(self.rng.next_u32()), (self.tag, peer))
            }
        };
        let peer_tag = told.peer.tag;
        let made = now.saturating_duration_since(self.born);
        let cookie = Cookie { made, own_tag: tag, own_tsn: tsn, peer: told.peer, ties };
        let sealed = self.jar.seal(&cookie);
        let mut further: Vec<(u16, &[u8])> = vec![(parameter::STATE_COOKIE, &sealed)];
        if !told.unrecognized.is_empty() {
            further.push((parameter::UNRECOGNIZED, &told.unrecognized));
        }
        let chunk = write_init(kind::INIT_ACK, tag, tsn, &self.config, &further);
        self.answer(peer_tag, chunk);
    }

    /// RFC 9260 §5.1 C.
    pub(super) fn handle_init_ack(&mut self, now: Instant, chunk: &Chunk<'_>) {
        // RFC 9260 §5.2.3: at any other time it is old.
        if self.state != State::CookieWait {
            self.counters.unexpected += 1;
            return;
        }
        let init = match Init::parse(chunk) {
            Ok(init) => init,
            Err(flaw) => return self.refuse_init_ack(flaw),
        };
        let told = Told::read(&init);
        if let Some(host_name) = told.host_name {
            self.refuse_host_name(init.tag, host_name);
            self.end(End::Violation);
            return;
        }
        let fits = |cookie: &&[u8]| cookie.len() + HEADER + 4 <= self.config.packet;
        let Some(cookie) = told.cookie.filter(fits) else {
            self.refuse_cookie(init.tag, told.cookie);
            return;
        };
        self.cookie = cookie.to_vec();
        if let Some(at) = self.asked_at.take() {
            self.round_trip.handle_sample(now.saturating_duration_since(at));
        }
        // After a cookie that came too late the count goes on: a peer that refuses each would keep us at it.
        if self.link.is_none() {
            self.repeats = 0;
        }
        self.establish(now, told.peer);
        self.state = State::CookieEchoed;
        self.repeat_at = Some(now + self.timeout());
        self.asked_at = Some(now);
        self.send_cookie();
        self.report_parameters(&told.unrecognized);
    }

    pub(super) fn send_cookie(&mut self) {
        let mut chunk = Vec::new();
        packet::write_chunk(&mut chunk, kind::COOKIE_ECHO, 0, |buf| {
            buf.extend_from_slice(&self.cookie);
        });
        // RFC 9260 §5.1 C: the first chunk of its packet.
        self.controls.push_front(chunk);
    }

    /// RFC 9260 §5.1 D, §5.2.4. Tells whether the packet belongs to the association from now on.
    pub(super) fn handle_cookie_echo(&mut self, now: Instant, tag: u32, value: &[u8]) -> bool {
        // Cookies of ours only, and the tag of the packet is the one that the cookie names (§8.5.1 C).
        let cookie = self.jar.open(value).filter(|cookie| cookie.own_tag == tag);
        let Some(cookie) = cookie.filter(|_| self.state != State::Ended) else {
            self.counters.bad_cookies += 1;
            return false;
        };
        let age = now.saturating_duration_since(self.born).saturating_sub(cookie.made);
        let peer_tag = self.link.as_ref().map(|link| link.peer.tag);
        let same = cookie.own_tag == self.tag && peer_tag == Some(cookie.peer.tag);
        if age > self.config.cookie_life && !same {
            self.counters.bad_cookies += 1;
            self.refuse_stale_cookie(&cookie, age);
            return false;
        }
        match self.state {
            State::Closed | State::CookieWait => {
                self.tsn = cookie.own_tsn;
                // A millisecond more: a cookie does not know of less.
                self.round_trip.handle_age(age + Duration::from_millis(1));
                self.establish(now, cookie.peer);
                self.become_established(now);
            }
            // D: both tags are known.
            _ if same => {
                if self.state == State::CookieEchoed {
                    self.become_established(now);
                }
            }
            // B: both began at once, and the peer's tag was another before.
            State::CookieEchoed if cookie.own_tag == self.tag => {
                self.establish(now, cookie.peer);
                self.become_established(now);
            }
            // B, later: the tag is all that changes. What has been received stays.
            _ if cookie.own_tag == self.tag => {
                if !self.rename_peer(&cookie.peer) {
                    self.counters.bad_cookies += 1;
                    return false;
                }
            }
            // A: the peer has begun anew under another tag; it knew those of the association that there is.
            _ if Some(cookie.ties.1) == peer_tag
                && cookie.ties.0 == self.tag
                && cookie.ties.1 != cookie.peer.tag =>
            {
                if self.state == State::ShutdownAckSent {
                    self.refuse_restart(cookie.peer.tag);
                    return false;
                }
                self.restart(now, cookie);
            }
            // C, and everything else: from before.
            _ => {
                self.counters.bad_cookies += 1;
                return false;
            }
        }
        let mut chunk = Vec::new();
        packet::write_chunk(&mut chunk, kind::COOKIE_ACK, 0, |_| {});
        // RFC 9260 §5.1 D: the first chunk of its packet. One is enough for a cookie that comes repeatedly.
        if self.controls.front().is_none_or(|first| first[0] != kind::COOKIE_ACK) {
            self.controls.push_front(chunk);
        }
        true
    }

    /// The peer goes by another tag, in the same association: its TSNs begin where they did.
    fn rename_peer(&mut self, peer: &Peer) -> bool {
        let same = self.link.as_mut().filter(|link| link.peer.tsn == peer.tsn);
        let Some(link) = same else { return false };
        link.peer.tag = peer.tag;
        true
    }

    fn restart(&mut self, now: Instant, cookie: Cookie) {
        self.heartbeat = Heartbeat::default();
        self.tag = cookie.own_tag;
        self.tsn = cookie.own_tsn;
        self.outbox = self.outbox.renewed();
        self.controls.clear();
        self.repeat_at = None;
        self.readable = false;
        self.reset_told = false;
        // They would be taken for those of the new one.
        self.events.retain(|event| !matches!(event, Event::StreamsReset(_)));
        self.reconfig = Streams::default();
        self.link = None;
        self.establish(now, cookie.peer);
        // Who wanted to end the old one does not want a new one.
        self.state = if self.unwanted { State::ShutdownPending } else { State::Established };
        self.events.push_back(Event::Restarted);
    }

    /// RFC 9260 §5.1 E.
    pub(super) fn handle_cookie_ack(&mut self, now: Instant) {
        if self.state == State::CookieEchoed {
            // RFC 9260 §6.3.1 C5: unless it was sent twice.
            if let Some(at) = self.asked_at.take() {
                self.round_trip_mut().handle_sample(now.saturating_duration_since(at));
            }
            self.become_established(now);
        }
    }

    /// A cookie of the peer's was too old when it came back (RFC 9260 §5.2.6): once more from the beginning.
    pub(super) fn handle_error(&mut self, now: Instant, value: &[u8]) {
        if self.state != State::CookieEchoed || error::first(value) != Some(error::STALE_COOKIE) {
            return;
        }
        self.repeats += 1;
        if self.repeats > self.config.handshake_retransmissions {
            self.end(End::Unreachable);
            return;
        }
        self.cookie = Vec::new();
        self.controls.clear();
        self.state = State::CookieWait;
        self.repeat_at = Some(now + self.round_trip.timeout());
        self.send_init();
    }

    /// Everything is agreed: the two halves come to be.
    fn establish(&mut self, now: Instant, peer: Peer) {
        self.reconfig.begin(self.tsn, peer.tsn);
        let own = Capabilities::of(&self.config);
        let interleaved = own.interleaving && peer.capabilities.interleaving;
        self.outbox.interleaved = interleaved;
        let agreed = Agreed {
            first: self.tsn,
            peer_window: peer.window,
            interleaved,
            partial: peer.capabilities.partial,
        };
        let start = self.congestion_start(now);
        let limits = Limits {
            initial: self.config.receive_initial,
            most: self.config.receive_most,
            message: self.config.message_most,
        };
        let round_trip = self.round_trip.clone();
        // What left with a cookie that was for nothing is still to be delivered, under the same TSNs.
        let sender = match self.link.take().filter(|link| link.interleaved == interleaved) {
            Some(link) => link.sender,
            None => {
                let mut sender = Sender::new(agreed, round_trip, &start, self.config.congestion);
                sender.set_packet(self.path_size.size() - HEADER, self.config.packet - HEADER);
                sender
            }
        };
        self.link = Some(Box::new(Link {
            sender,
            receiver: Receiver::new(now, peer.tsn, limits),
            outbound: peer.inbound.min(self.config.streams),
            inbound: peer.outbound.min(self.config.streams),
            interleaved,
            echo: None,
            zero_checksum: own.zero_checksum && peer.capabilities.zero_checksum,
            peer,
        }));
        // What was queued for streams that the peer does not have.
        let (outbound, _) = self.streams();
        self.outbox.discard_from(outbound);
    }

    /// What a controller begins with.
    pub(super) fn congestion_start(&mut self, now: Instant) -> congestion::Start {
        congestion::Start {
            now,
            packet: (self.config.packet - HEADER) as u64,
            most: self.config.window_most,
            seed: self.rng.next_u64(),
        }
    }

    fn become_established(&mut self, now: Instant) {
        self.state = State::Established;
        self.repeat_at = None;
        self.repeats = 0;
        self.cookie = Vec::new();
        self.heard(now);
        self.events.push_back(Event::Connected);
        self.path_size.search();
        if self.may_reconfigure() == Err(ReconfigError::Unsupported) {
            self.cancel_resets();
        }
        self.advance_streams(now);
    }
}
