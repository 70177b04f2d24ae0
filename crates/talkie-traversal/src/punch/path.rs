//! Which path it will be: checks in order, the choice, and what comes after it.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::check::Checked;
use super::description::Kind;
use super::pair::Pair;
use super::patience::Patience;
use super::{Connection, Event, Failure, Outgoing, Punch, RoundTrips, Stage};
use crate::stun::{Class, Message, Method};

/// The most pairs.
const MOST_PAIRS: usize = 96;
/// The most pairs with addresses that nobody told us of.
const MOST_STRANGERS: usize = 16;
/// The most checks of a pair that does not answer: at least 15 s of them.
const MOST_TRIES: u32 = 32;
/// How long better pairs than the first are waited for.
const SETTLE: Duration = Duration::from_millis(100);

impl Punch {
    /// Pairs a base with all their addresses.
    pub(super) fn pair_base(&mut self, now: Instant, base: usize) {
        let Some(remote) = &self.remote else { return };
        for candidate in remote.candidates().to_vec() {
            self.pair(now, base, candidate.address, candidate.kind);
        }
    }

    fn pair(&mut self, now: Instant, base: usize, remote: SocketAddr, kind: Kind) -> Option<usize> {
        let Base { address, relay } = self.base(base);
        if address.is_ipv4() != remote.is_ipv4() || address == remote {
            return None;
        }
        let is_untold =
            |remote| self.remote.as_ref().is_some_and(|it| it.kind_of(remote).is_none());
        let strangers = self.pairs.iter().filter(|pair| is_untold(pair.remote)).count();
        let no_more = is_untold(remote) && strangers >= MOST_STRANGERS;
        if self.pairs.len() >= MOST_PAIRS || no_more {
            return None;
        }
        let is_direct = relay.is_none() && kind != Kind::Relayed;
        let mut pair = Pair::new(base, remote, kind, is_direct);
        match relay {
            Some(relay) => {
                self.permit(now, relay, remote.ip());
                pair.due = self.legs[relay].lets(remote).then_some(now);
            }
            None => pair.due = Some(now),
        }
        self.pairs.push(pair);
        Some(self.pairs.len() - 1)
    }

    fn base(&self, index: usize) -> Base {
        let base = &self.bases[index];
        Base { address: base.address, relay: base.relay }
    }

    /// A relay lets packets to this address through.
    pub(super) fn wake_relayed(&mut self, now: Instant, relay: usize, ip: IpAddr) {
        for pair in &mut self.pairs {
            let is_meant = self.bases[pair.base].relay == Some(relay) && pair.remote.ip() == ip;
            if is_meant && pair.tries == 0 {
                pair.due = Some(now);
            }
        }
    }

    /// A datagram that came from no server.
    pub(super) fn handle_peer(
        &mut self,
        now: Instant,
        base: usize,
        from: SocketAddr,
        payload: &[u8],
    ) {
        let message = Message::parse(payload).ok();
        let message = message.filter(|message| message.method() == Method::BINDING);
        let (Some(message), Some(session)) = (message, &self.session) else {
            self.counters.unexpected += 1;
            return;
        };
        match message.class() {
            Class::Request => {
                let Some(Checked { answer, nominates, is_relayed }) =
                    session.answer(&message, from)
                else {
                    self.counters.unexpected += 1;
                    return;
                };
                self.send(now, base, from, answer);
                let unknown = if is_relayed { Kind::Relayed } else { Kind::PeerReflexive };
                self.checked(now, base, from, unknown, nominates);
            }
            Class::Success => {
                let id = message.transaction_id();
                let awaits =
                    |pair: &Pair| pair.base == base && pair.remote == from && pair.awaits(id);
                // RFC 8445 §7.2.5.2.1: from where the request went.
                let index = self.pairs.iter().position(awaits);
                match index.zip(session.mapped(&message)) {
                    Some((index, mapped)) => {
                        let to_nomination = self.pairs[index].answer(now, id, mapped);
                        self.succeeded(now, index, to_nomination);
                    }
                    None => self.counters.unexpected += 1,
                }
            }
            Class::Indication | Class::Error => self.counters.unexpected += 1,
        }
    }

    /// They checked this pair (RFC 8445 §7.3.1.3 to §7.3.1.5).
    fn checked(
        &mut self,
        now: Instant,
        base: usize,
        from: SocketAddr,
        unknown: Kind,
        nominates: bool,
    ) {
        // The other side may need an answer still, but nothing is tried any more.
        if matches!(self.stage, Stage::Over) {
            return;
        }
        self.heard_at.get_or_insert(now);
        let known = |pair: &Pair| pair.base == base && pair.remote == from;
        let index = match self.pairs.iter().position(known) {
            Some(index) => Some(index),
            None => {
                let told = self.remote.as_ref().and_then(|remote| remote.kind_of(from));
                self.pair(now, base, from, told.unwrap_or(unknown))
            }
        };
        let Some(index) = index else { return };
        let is_controlling = self.session.as_ref().is_some_and(super::Session::is_controlling);
        let pair = &mut self.pairs[index];
        pair.is_nominated |= nominates && !is_controlling;
        if !pair.works() {
            // Their packet came through, so now ours may.
            let relay = self.bases[base].relay;
            if relay.is_none_or(|relay| self.legs[relay].lets(from)) {
                pair.due = Some(now);
                pair.tries = pair.tries.min(1);
            }
        } else if pair.is_nominated {
            self.connect(now, index);
        }
    }

    /// They answered our check.
    fn succeeded(&mut self, now: Instant, index: usize, to_nomination: bool) {
        self.heard_at.get_or_insert(now);
        self.first_success.get_or_insert(now);
        let is_controlling = self.session.as_ref().is_some_and(super::Session::is_controlling);
        let measures = matches!(self.stage, Stage::Connected { .. });
        let pair = &mut self.pairs[index];
        if !measures && !pair.is_nominated {
            pair.due = None;
        }
        if pair.is_nominated && (to_nomination || !is_controlling) {
            self.connect(now, index);
        }
    }

    /// Sends what is due, one check at a time.
    pub(super) fn check(&mut self, now: Instant) {
        while self.paced_at.is_none_or(|at| at <= now) {
            let due = |(_, pair): &(usize, &Pair)| pair.due.is_some_and(|due| due <= now);
            let first = self.pairs.iter().enumerate().filter(due).min_by_key(|(_, it)| it.due);
            let Some((index, _)) = first else { return };
            self.check_pair(now, index);
            self.paced_at = Some(now + self.config.pace.max(Duration::from_millis(1)));
        }
    }

    fn check_pair(&mut self, now: Instant, index: usize) {
        let id = self.transaction_id();
        let Some(session) = &self.session else { return };
        let pair = &mut self.pairs[index];
        let nominates = pair.is_nominated && session.is_controlling();
        let is_relayed = self.bases[pair.base].relay.is_some();
        let request = session.request(id, nominates, is_relayed);
        pair.note(now, id, nominates);
        let pair = &self.pairs[index];
        let interval = match self.stage {
            Stage::Connected { until: Some(_), .. } => self.measure_interval(pair),
            Stage::Connected { until: None, .. } => self.config.keepalive,
            _ if pair.is_nominated => self.urgent_interval(pair),
            _ => self.interval(pair),
        };
        let pair = &mut self.pairs[index];
        pair.due = (pair.tries < MOST_TRIES).then_some(now + interval);
        let (base, remote) = (pair.base, pair.remote);
        self.send(now, base, remote, request);
    }

    fn send(&mut self, now: Instant, base: usize, remote: SocketAddr, payload: Vec<u8>) {
        match self.bases[base].relay {
            Some(relay) => {
                // What a full queue does not take is lost like any other packet.
                let _ = self.legs[relay].client.send(now, remote, &payload);
            }
            None if self.outbox.len() < super::MOST_QUEUED => {
                self.outbox.push_back(Outgoing { base, remote, payload });
            }
            None => self.counters.overrun += 1,
        }
    }

    /// RFC 8445 §8.1.1: the controlling side chooses; the quickest direct pair, or, when there was time
    /// enough for one, the quickest of all. A direct pair that comes late still takes a relay's place
    /// as long as round trips are measured.
    pub(super) fn choose(&mut self, now: Instant) {
        let wanted = match self.stage {
            Stage::Checking { .. } => self.best_now(now),
            Stage::Connected { index, until: Some(_), .. } if !self.pairs[index].is_direct => {
                self.best(true)
            }
            _ => return,
        };
        let is_controlling = self.session.as_ref().is_some_and(super::Session::is_controlling);
        if let Some(at) = self.nominated_at {
            if now.saturating_duration_since(at) >= self.patience().nomination {
                self.nominated_at = None;
                let taken = match self.stage {
                    Stage::Connected { index, .. } => Some(index),
                    _ => None,
                };
                for (at, pair) in self.pairs.iter_mut().enumerate() {
                    if pair.is_nominated && Some(at) != taken {
                        (pair.is_nominated, pair.is_dropped, pair.due) = (false, true, None);
                    }
                }
            }
        } else if is_controlling && let Some(index) = wanted {
            self.nominated_at = Some(now);
            let pair = &mut self.pairs[index];
            (pair.is_nominated, pair.due, pair.tries) = (true, Some(now), 0);
        }
        if let Stage::Checking { since } = self.stage
            && now >= self.gives_up_at(since)
        {
            let was_heard = self.heard_at.is_some();
            let failure = if was_heard { Failure::OneWay } else { Failure::Silence };
            self.fail(now, failure);
        }
    }

    /// Not between a nomination and its answer.
    fn gives_up_at(&self, since: Instant) -> Instant {
        let is_close = self.pairs.iter().any(|pair| pair.is_nominated);
        let Patience { give_up, nomination, .. } = self.patience();
        since + give_up + if is_close { nomination * 2 } else { Duration::ZERO }
    }

    fn best_now(&self, now: Instant) -> Option<usize> {
        let settled = self.first_success? + SETTLE;
        // The other side may have begun much later.
        let relay_at = self.heard_at? + self.patience().relay_after;
        match self.best(true) {
            Some(direct) if now >= settled => Some(direct),
            None if now >= relay_at => self.best(false),
            _ => None,
        }
    }

    /// The quickest pair that works; of equals the first, which both sides may see differently, but
    /// only one of them chooses.
    fn best(&self, is_direct: bool) -> Option<usize> {
        let fits = |(_, pair): &(usize, &Pair)| pair.works() && pair.is_direct == is_direct;
        let all = self.pairs.iter().enumerate().filter(fits);
        all.min_by_key(|(_, pair)| pair.round_trip).map(|(index, _)| index)
    }

    fn connect(&mut self, now: Instant, index: usize) {
        let since = match self.stage {
            Stage::Checking { since } => since,
            // Once more only for the better: what comes late does not turn it back.
            Stage::Connected { since, index: before, .. }
                if !self.pairs[before].is_direct && self.pairs[index].is_direct =>
            {
                since
            }
            _ => return,
        };
        self.nominated_at = None;
        let connection = self.connection(now, index, since);
        let until = now + self.patience().measure;
        self.stage = Stage::Connected { since, index, until: Some(until) };
        self.tell(Event::Connected(connection));
        // From now on the path taken and the best of the other sort are measured, no others.
        let is_direct = self.pairs[index].is_direct;
        let other = self.best(!is_direct);
        let none_yet = other.is_none();
        for (at, pair) in self.pairs.iter_mut().enumerate() {
            let is_wanted = at == index || Some(at) == other;
            let is_sought = none_yet && pair.is_direct != is_direct && pair.due.is_some();
            pair.due = (is_wanted || is_sought).then_some(now);
            pair.tries = 0;
            pair.is_nominated &= at == index;
        }
    }

    fn connection(&self, now: Instant, index: usize, since: Instant) -> Connection {
        let pair = &self.pairs[index];
        let base = &self.bases[pair.base];
        let local_kind = match pair.mapped {
            _ if base.relay.is_some() => Kind::Relayed,
            Some(mapped) if mapped == base.address => Kind::Host,
            mapped if mapped == base.mapped => Kind::ServerReflexive,
            _ => Kind::PeerReflexive,
        };
        Connection {
            local_kind,
            remote_kind: pair.remote_kind,
            local: base.address,
            remote: pair.remote,
            mapped: pair.mapped,
            is_direct: pair.is_direct,
            round_trip: pair.round_trip.unwrap_or_default(),
            after: now.saturating_duration_since(since),
        }
    }

    /// Ends the measurement, then keeps asking whether the path still works.
    pub(super) fn keep(&mut self, now: Instant) {
        let Stage::Connected { since, index, until } = self.stage else { return };
        if until.is_some_and(|until| until <= now) {
            if self.nominated_at.is_some() {
                let until = Some(
                    now + self.patience().measure.max(self.measure_interval(&self.pairs[index])),
                );
                self.stage = Stage::Connected { since, index, until };
                return;
            }
            let measured =
                |is_direct| self.best(is_direct).and_then(|index| self.pairs[index].round_trip);
            let round_trips = RoundTrips { direct: measured(true), relayed: measured(false) };
            self.tell(Event::Measured(round_trips));
            self.stage = Stage::Connected { since, index, until: None };
            for (at, pair) in self.pairs.iter_mut().enumerate() {
                pair.due = (at == index).then_some(now + self.config.keepalive);
            }
            return;
        }
        if until.is_some() {
            return;
        }
        let keepalive = self.config.keepalive.max(Duration::from_millis(100));
        let pair = &mut self.pairs[index];
        // What is due was set a moment ahead by the last check.
        pair.tries = 0;
        let last = pair.answered_at.unwrap_or(since);
        if now.saturating_duration_since(last) >= keepalive * 6 {
            self.fail(now, Failure::Lost);
        }
    }

    fn fail(&mut self, now: Instant, failure: Failure) {
        self.stage = Stage::Over;
        self.pairs.clear();
        for leg in &mut self.legs {
            leg.client.close(now);
        }
        self.tell(Event::Failed(failure));
    }

    /// When a choice may be due.
    pub(super) fn choice_times(&self) -> [Option<Instant>; 4] {
        let Patience { relay_after, nomination, .. } = self.patience();
        let nominated = self.nominated_at.map(|at| at + nomination);
        match self.stage {
            Stage::Checking { since } => [
                Some(self.gives_up_at(since)),
                self.heard_at.map(|at| at + relay_after),
                self.first_success.map(|at| at + SETTLE),
                nominated,
            ],
            Stage::Connected { until, .. } => [until, nominated, None, None],
            Stage::Alone | Stage::Over => [None; 4],
        }
    }
}

/// What a pair needs to know of its base.
struct Base {
    address: SocketAddr,
    relay: Option<usize>,
}
