//! One generation: what stands between two restarts (RFC 8445 §9). It has credentials, the candidates of
//! both sides, and the checklist of pairs.
//!
//! Pairs are formed as candidates of either side come (RFC 8838 §10): a base of ours with an address of
//! theirs that it can send to. The first candidate of a base gives the pair its priority and foundation;
//! later ones of the same base only name what the other side sees.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::Scope;

use super::context::Context;
use super::detour::Detour;
use super::pair::{Counts, Pair, State, rank};
use super::requests::Early;
use super::session::Session;
use crate::ice::candidate::{Candidate, CandidateType, Protocol, TcpType};
use crate::ice::config::Role;
use crate::ice::event::{Chapter, PairFailure, PairId};
use crate::ice::gather::LocalId;
use crate::ice::parameters::Parameters;
use crate::stun::TransactionId;

/// A candidate of ours.
#[derive(Clone, Debug)]
pub(super) struct Local {
    pub(super) number: u32,
    pub(super) id: LocalId,
    pub(super) base: SocketAddr,
    pub(super) candidate: Candidate,
}

impl Local {
    /// Whether the other side was told of it, and has not only shown it to us.
    pub(super) fn is_told(&self) -> bool {
        self.candidate.kind != CandidateType::PeerReflexive
    }
}

/// A candidate of theirs.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub(super) number: u32,
    /// Where it is; `None` until its name is resolved.
    pub(super) address: Option<SocketAddr>,
    pub(super) candidate: Candidate,
    /// The check that showed it, and when, if nobody has told of it.
    pub(super) shown_by: Option<(TransactionId, Instant)>,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) session: Session,
    pub(super) role: Role,
    pub(super) tie_breaker: u64,
    /// How often the other side has said that the role is its own.
    pub(super) conflicts: u32,
    pub(super) locals: Vec<Local>,
    pub(super) remotes: Vec<Remote>,
    pub(super) pairs: Vec<Pair>,
    /// New pairs over a relay, whose permission is to be asked for: the base, and the peer.
    pub(super) unpermitted: Vec<(LocalId, IpAddr)>,
    pub(super) triggered: VecDeque<PairId>,
    pub(super) early: Vec<Early>,
    /// The pair that data takes.
    pub(super) selected: Option<PairId>,
    /// How often it has changed.
    pub(super) changes: u32,
    /// Whether the application knows that it is nominated.
    pub(super) is_selection_told_nominated: bool,
    /// The greatest number of a nomination so far.
    pub(super) orders: u32,
    /// The nomination that is not answered yet.
    pub(super) proposed: Option<(PairId, u32)>,
    pub(super) first_valid_at: Option<Instant>,
    pub(super) was_nominated: bool,
    pub(super) remote_ended: bool,
    /// RFC 8863: no failure before.
    pub(super) patience_until: Option<Instant>,
    pub(super) is_failed: bool,
    /// Ta: the longer of what either side wants (RFC 8839 §5.5).
    pub(super) interval: Duration,
    pub(super) paced_at: Instant,
    pub(super) tokens: u32,
    pub(super) granted_at: Instant,
    /// Whether pairs were checked again since the selected one fell silent.
    pub(super) is_alarmed: bool,
    /// Whether the other side sends along another pair than the selected one.
    pub(super) is_deserted: bool,
    /// When it last turned out that the selected pair works all the same.
    pub(super) reassured_at: Option<Instant>,
    pub(super) is_retired: bool,
    /// When the other side last answered a check.
    pub(super) answered_at: Option<Instant>,
    pub(super) detour: Option<Detour>,
    /// How many addresses that nobody has told of may be followed now, as of when.
    pub(super) strangers: (u32, Instant),
    next: u32,
}

/// How many peer-reflexive candidates may come at once; one more is granted each [`STRANGERS_APART`]. Two NATs
/// that give each remote a port of its own, and let everybody in, show a new address with each check that
/// answers one, and anybody can repeat a check of the other side from wherever he likes. The other side's own
/// checks are repeated as well, so that one of them finds a gap.
const MOST_STRANGERS: u32 = 16;
const STRANGERS_APART: Duration = Duration::from_millis(500);
/// From how many addresses one and the same check is followed: the NAT may have changed its mapping since the
/// first time. Whoever repeats one that he has seen gets no further.
const MOST_PLACES: usize = 4;
/// How long an address that was shown has to be answered from, before another one may take its place.
const LEAST_STAY: Duration = Duration::from_secs(3);

impl Generation {
    /// A generation without candidates, which sends a check each `interval`. Its pairs and candidates are numbered from `first`.
    pub(super) fn new(
        now: Instant,
        parameters: Parameters,
        (role, tie_breaker): (Role, u64),
        interval: Duration,
        first: u32,
    ) -> Self {
        Self {
            session: Session::new(parameters),
            role,
            tie_breaker,
            conflicts: 0,
            locals: Vec::new(),
            remotes: Vec::new(),
            pairs: Vec::new(),
            unpermitted: Vec::new(),
            triggered: VecDeque::new(),
            early: Vec::new(),
            selected: None,
            changes: 0,
            is_selection_told_nominated: false,
            orders: 0,
            proposed: None,
            first_valid_at: None,
            was_nominated: false,
            remote_ended: false,
            patience_until: None,
            is_failed: false,
            interval,
            paced_at: now,
            tokens: 0,
            granted_at: now,
            is_alarmed: false,
            is_deserted: false,
            reassured_at: None,
            is_retired: false,
            answered_at: None,
            detour: None,
            strangers: (MOST_STRANGERS, now),
            next: first,
        }
    }

    /// A number that neither a pair nor a candidate of this agent has had.
    pub(super) fn number(&mut self) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    pub(super) fn last_number(&self) -> u32 {
        self.next
    }

    pub(super) fn index(&self, id: PairId) -> Option<usize> {
        self.pairs.iter().position(|pair| pair.id == id)
    }

    pub(super) fn pair(&self, id: PairId) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.id == id)
    }

    pub(super) fn local(&self, number: u32) -> Option<&Local> {
        self.locals.iter().find(|local| local.number == number)
    }

    pub(super) fn remote(&self, number: u32) -> Option<&Remote> {
        self.remotes.iter().find(|remote| remote.number == number)
    }

    /// The pair that a packet belongs to.
    pub(super) fn find(&self, base: LocalId, address: SocketAddr) -> Option<usize> {
        self.pairs.iter().position(|pair| pair.base == base && pair.address == address)
    }

    /// Takes a candidate of ours; says whether it is new to the other side.
    pub(super) fn add_local(
        &mut self,
        context: &mut Context<'_>,
        id: LocalId,
        base: SocketAddr,
        candidate: &Candidate,
    ) -> bool {
        let place = (&candidate.address, candidate.port, candidate.protocol);
        let same = |known: &&mut Local| {
            known.id == id
                && (&known.candidate.address, known.candidate.port, known.candidate.protocol)
                    == place
        };
        if let Some(known) = self.locals.iter_mut().find(same) {
            // The other side may have shown it to us before the server did.
            let was_shown = known.candidate.kind == CandidateType::PeerReflexive;
            known.candidate = candidate.clone();
            return was_shown;
        }
        if !self.has_room_for_local(context.config.limits.local_candidates) {
            context.counters.overflowing += 1;
            return false;
        }
        let is_first = self.locals.iter().all(|known| known.id != id);
        let number = self.number();
        self.locals.push(Local { number, id, base, candidate: candidate.clone() });
        if is_first {
            let remotes: Vec<u32> = self.remotes.iter().map(|remote| remote.number).collect();
            for remote in remotes {
                self.form(context, number, remote);
            }
        }
        true
    }

    /// Whether there is room for one more candidate to tell; forgets one that no pair is known by if need
    /// be. A NAT that changes its mind every few minutes, or somebody who says so, would otherwise leave
    /// no room for those of a network that comes up.
    fn has_room_for_local(&mut self, room: usize) -> bool {
        if self.locals.iter().filter(|known| known.is_told()).count() < room {
            return true;
        }
        let is_reflexive = |local: &Local| local.candidate.kind == CandidateType::ServerReflexive;
        let is_idle = |local: &Local| {
            is_reflexive(local)
                && self.pairs.iter().all(|pair| pair.local != local.number)
                && self
                    .locals
                    .iter()
                    .any(|other| other.id == local.id && other.is_told() && !is_reflexive(other))
        };
        let Some(at) = self.locals.iter().position(is_idle) else { return false };
        self.locals.remove(at);
        true
    }

    /// Takes a candidate of theirs; says whether there was room.
    pub(super) fn add_remote(
        &mut self,
        context: &mut Context<'_>,
        candidate: Candidate,
        address: Option<SocketAddr>,
    ) -> bool {
        let place = (&candidate.address, candidate.port, candidate.protocol);
        let is_known = |known: &Remote| {
            let theirs = (&known.candidate.address, known.candidate.port, known.candidate.protocol);
            known.candidate.kind != CandidateType::PeerReflexive && theirs == place
        };
        if self.remotes.iter().any(is_known) {
            return true;
        }
        if address.is_some_and(|address| self.adopt(context, &candidate, address)) {
            return true;
        }
        let is_told = |known: &&Remote| known.candidate.kind != CandidateType::PeerReflexive;
        let room = context.config.limits.remote_candidates;
        if self.remotes.iter().filter(is_told).count() >= room {
            context.counters.overflowing += 1;
            return false;
        }
        let number = self.number();
        self.remotes.push(Remote { number, address, candidate, shown_by: None });
        self.form_remote(context, number);
        true
    }

    /// RFC 8445 §7.3.1.3, RFC 8838 §11: what was known as peer-reflexive has been told of by now.
    fn adopt(
        &mut self,
        context: &mut Context<'_>,
        candidate: &Candidate,
        address: SocketAddr,
    ) -> bool {
        let is_shown = |known: &&mut Remote| {
            known.candidate.kind == CandidateType::PeerReflexive
                && known.address == Some(address)
                && (known.candidate.protocol == Protocol::Udp)
                    == (candidate.protocol == Protocol::Udp)
        };
        let Some(known) = self.remotes.iter_mut().find(is_shown) else { return false };
        known.candidate = candidate.clone();
        known.shown_by = None;
        let number = known.number;
        for pair in self.pairs.iter_mut().filter(|pair| pair.remote == number) {
            pair.foundation.1.clone_from(&candidate.foundation);
        }
        self.prioritize();
        self.form_remote(context, number);
        true
    }

    /// A name of theirs has got an address.
    pub(super) fn resolve(&mut self, context: &mut Context<'_>, number: u32, ip: IpAddr) {
        let Some(at) = self.remotes.iter().position(|remote| remote.number == number) else {
            return;
        };
        let candidate = self.remotes[at].candidate.clone();
        let address = SocketAddr::new(ip, candidate.port);
        if self.adopt(context, &candidate, address) {
            self.remotes.retain(|remote| remote.number != number);
            return;
        }
        self.remotes[at].address = Some(address);
        self.form_remote(context, number);
    }

    /// Whether there is room for one more peer-reflexive candidate; forgets one that came to nothing if
    /// need be. They are bounded apart from those that are told, so that whoever repeats a check of the
    /// other side from many addresses can crowd out none of those.
    fn has_room_to_learn(&mut self, now: Instant, room: usize) -> bool {
        let is_learned = |remote: &&Remote| remote.candidate.kind == CandidateType::PeerReflexive;
        if self.remotes.iter().filter(is_learned).count() < room {
            return true;
        }
        let of = |remote: &Remote| {
            let number = remote.number;
            self.pairs.iter().filter(move |pair| pair.remote == number)
        };
        let has_failed = |remote: &Remote| of(remote).all(|pair| pair.state == State::Failed);
        let is_silent = |remote: &Remote| {
            let since = remote.shown_by.map(|(_, since)| since);
            since.is_none_or(|since| since + LEAST_STAY <= now)
                && of(remote).all(|pair| pair.state != State::Succeeded)
        };
        let learned = || self.remotes.iter().filter(is_learned);
        // Who came first has had the longest time to answer.
        let gone = learned()
            .find(|remote| has_failed(remote))
            .or_else(|| learned().find(|remote| is_silent(remote)));
        let Some(number) = gone.map(|remote| remote.number) else { return false };
        self.remotes.retain(|remote| remote.number != number);
        self.pairs.retain(|pair| pair.remote != number);
        true
    }

    /// Whether one more address that nobody has told of may be followed.
    fn admits_stranger(&mut self, now: Instant, check: TransactionId) -> bool {
        let is_same = |remote: &&Remote| remote.shown_by.is_some_and(|(by, _)| by == check);
        if self.remotes.iter().filter(is_same).count() >= MOST_PLACES {
            return false;
        }
        let (left, since) = &mut self.strangers;
        let passed = now.saturating_duration_since(*since).as_millis();
        let granted = passed / STRANGERS_APART.as_millis();
        if granted >= u128::from(MOST_STRANGERS - *left) {
            (*left, *since) = (MOST_STRANGERS, now);
        } else {
            let granted = u32::try_from(granted).unwrap_or(MOST_STRANGERS);
            *left += granted;
            *since += STRANGERS_APART * granted;
        }
        *left > 0
    }

    /// The candidate of an address that a check of theirs came from (RFC 8445 §7.3.1.3).
    pub(super) fn learn(&mut self, context: &mut Context<'_>, check: Early) -> Option<usize> {
        let Early { base, address, priority, id, .. } = check;
        let is_tcp = |local: &Local| matches!(local.candidate.protocol, Protocol::Tcp(_));
        let local = self.locals.iter().find(|local| local.id == base)?;
        let (tcp, local) = (is_tcp(local), local.number);
        let same = |remote: &Remote| {
            let theirs = matches!(remote.candidate.protocol, Protocol::Tcp(_));
            remote.address == Some(address) && theirs == tcp
        };
        let known = self.remotes.iter().find(|remote| same(remote)).map(|remote| remote.number);
        if let Some(remote) = known {
            return self.insert(context, local, remote, address);
        }
        let room = context.config.limits.learned_candidates;
        if !self.admits_stranger(context.now, id) || !self.has_room_to_learn(context.now, room) {
            context.counters.overflowing += 1;
            return None;
        }
        self.strangers.0 -= 1;
        let number = self.number();
        let protocol = if tcp { Protocol::Tcp(TcpType::Active) } else { Protocol::Udp };
        // RFC 8445 §7.3.1.3: a foundation different from all others.
        let foundation = format!("prflx{number}");
        let kind = CandidateType::PeerReflexive;
        let mut candidate = Candidate::new(kind, protocol, address, priority, foundation);
        candidate.username_fragment =
            self.session.remote().map(|theirs| theirs.username_fragment.clone());
        let shown_by = Some((id, context.now));
        self.remotes.push(Remote { number, address: Some(address), candidate, shown_by });
        self.insert(context, local, number, address)
    }

    fn form_remote(&mut self, context: &mut Context<'_>, remote: u32) {
        let mut bases = Vec::new();
        let mut firsts = Vec::new();
        for local in &self.locals {
            if !bases.contains(&local.id) {
                bases.push(local.id);
                firsts.push(local.number);
            }
        }
        for local in firsts {
            self.form(context, local, remote);
        }
    }

    /// Forms a pair if the two can send to each other and it is not there yet (RFC 8445 §6.1.2.2).
    fn form(&mut self, context: &mut Context<'_>, local: u32, remote: u32) {
        let (Some(ours), Some(theirs)) = (self.local(local), self.remote(remote)) else { return };
        let Some(address) = theirs.address else { return };
        // What is kept for one address shall not be spent on another.
        let is_meant =
            is_outside(theirs.candidate.kind, address) || !context.gatherer.is_reserved(ours.id);
        let fits = speak_to_each_other(ours.candidate.protocol, theirs.candidate.protocol)
            && are_reachable(ours.base, address)
            && is_meant;
        if fits {
            let address = scoped(ours.base, address);
            self.insert(context, local, remote, address);
        }
    }

    fn insert(
        &mut self,
        context: &mut Context<'_>,
        local: u32,
        remote: u32,
        address: SocketAddr,
    ) -> Option<usize> {
        let (ours, theirs) = (self.local(local)?, self.remote(remote)?);
        if let Some(known) = self.find(ours.id, address) {
            return Some(known);
        }
        let is_relayed = ours.candidate.kind == CandidateType::Relayed;
        let mut pair = Pair {
            id: PairId(0),
            base: ours.id,
            base_address: ours.base,
            address,
            local,
            remote,
            foundation: (ours.candidate.foundation.clone(), theirs.candidate.foundation.clone()),
            priority: rank(self.role, ours.candidate.priority, theirs.candidate.priority),
            state: State::Waiting,
            is_refused: false,
            was_answered_elsewhere: false,
            checks: VecDeque::new(),
            active: None,
            triggered_at: None,
            was_heard: false,
            asked: None,
            nominated: None,
            life: None,
            round_trip: None,
            counts: Counts::default(),
        };
        if self.pairs.len() >= context.config.limits.pairs && !self.prune(context, pair.priority) {
            context.counters.overflowing += 1;
            return None;
        }
        // RFC 8838 §12: it waits for its turn if it is the best of its foundation or another one of that has
        // succeeded; else until one has.
        let alike = || self.pairs.iter().filter(|other| other.foundation == pair.foundation);
        let is_best = alike().all(|other| other.priority < pair.priority);
        if !is_best && alike().all(|other| other.state != State::Succeeded) {
            pair.state = State::Frozen;
        }
        if is_relayed {
            self.unpermitted.push((pair.base, address.ip()));
        }
        pair.id = PairId(self.number());
        let is_frozen = pair.state == State::Frozen;
        context.story(&pair, if is_frozen { Chapter::Frozen } else { Chapter::Waiting });
        self.pairs.push(pair);
        Some(self.pairs.len() - 1)
    }

    /// RFC 8445 §6.1.2.5: makes room for a pair by leaving out the one with the lowest priority, if it is
    /// lower and has not begun.
    fn prune(&mut self, context: &mut Context<'_>, priority: u64) -> bool {
        let is_idle = |pair: &Pair| !pair.is_valid() && pair.state != State::InProgress;
        let candidates = self.pairs.iter().enumerate().filter(|(_, pair)| is_idle(pair));
        // What has failed already goes before what has not been tried.
        let least = candidates.min_by_key(|(_, pair)| (pair.state != State::Failed, pair.priority));
        match least.map(|(at, pair)| (at, pair.state == State::Failed || pair.priority < priority))
        {
            Some((at, true)) => {
                let pair = self.pairs.remove(at);
                context.story(&pair, Chapter::Removed);
                true
            }
            _ => false,
        }
    }

    /// RFC 8445 §6.1.2.3, again when the role or a candidate's priority has changed. Ours is the priority of
    /// the base's first candidate, as when the pair was formed, whatever the other side sees: so a pair keeps
    /// its place among the others.
    pub(super) fn prioritize(&mut self) {
        for pair in &mut self.pairs {
            let ours = self.locals.iter().find(|local| local.id == pair.base);
            let theirs = self.remotes.iter().find(|remote| remote.number == pair.remote);
            let ours = ours.map_or(0, |local| local.candidate.priority);
            let theirs = theirs.map_or(0, |remote| remote.candidate.priority);
            pair.priority = rank(self.role, ours, theirs);
        }
    }

    /// Another generation takes its place: what it has goes on, and nothing new is begun.
    pub(super) fn retire(&mut self) {
        self.is_retired = true;
        self.triggered.clear();
        self.early.clear();
        self.proposed = None;
        self.detour = None;
        for pair in &mut self.pairs {
            pair.active = None;
        }
    }

    /// Forgets a candidate of ours whose base stays. Whoever was reached by it is asked whether he still is.
    pub(super) fn withdraw(&mut self, context: &Context<'_>, base: LocalId, address: SocketAddr) {
        let is_it =
            |local: &Local| local.id == base && local.candidate.socket_address() == Some(address);
        let Some(gone) = self.locals.iter().find(|local| is_it(local)).map(|it| it.number) else {
            return;
        };
        let mut others =
            self.locals.iter().filter(|local| local.id == base && local.number != gone);
        let Some(other) = others.next().map(|local| local.number) else { return };
        self.locals.retain(|local| local.number != gone);
        for pair in self.pairs.iter_mut().filter(|pair| pair.local == gone) {
            pair.local = other;
            if let Some(life) = &mut pair.life {
                life.probe_at = context.now;
            }
        }
    }

    /// A stream has ended or was never there, and with it what it carried. The other side may open another one,
    /// and so do we, if it worked and is ours to open.
    pub(super) fn end_stream(
        &mut self,
        context: &mut Context<'_>,
        base: LocalId,
        address: SocketAddr,
    ) {
        let Some(index) = self.find(base, address) else { return };
        let pair = &self.pairs[index];
        let (id, has_worked) = (pair.id, pair.is_valid());
        if pair.state == State::Failed {
            return;
        }
        let ours = self.local(pair.local).map(|local| local.candidate.protocol);
        let is_ours = !matches!(ours, Some(Protocol::Tcp(TcpType::Passive)));
        self.fail(context, index, PairFailure::Disconnected);
        if self.selected == Some(id) {
            self.selected = None;
        }
        if !has_worked {
            return;
        }
        // RFC 8863 §4: somebody may still come.
        let until = context.now + context.config.timers.consent_expiry;
        self.patience_until = self.patience_until.map(|patience| patience.max(until));
        if is_ours && !self.is_retired {
            self.pairs[index].state = State::Waiting;
        }
    }

    /// Forgets a base that is gone, and all pairs on it.
    pub(super) fn drop_base(&mut self, context: &mut Context<'_>, base: LocalId) {
        self.locals.retain(|local| local.id != base);
        self.pairs.retain(|pair| {
            let stays = pair.base != base;
            if !stays {
                context.story(pair, Chapter::Failed(PairFailure::AddressGone));
            }
            stays
        });
        if self.proposed.is_some_and(|(id, _)| self.index(id).is_none()) {
            self.proposed = None;
        }
    }
}

/// Whether an address of theirs may be one that a NAT of theirs lets us in at, if we come from where we were
/// expected.
pub(super) fn is_outside(kind: CandidateType, address: SocketAddr) -> bool {
    kind != CandidateType::Relayed && Scope::of(address.ip()) >= Scope::Shared
}

/// Whether a candidate of ours opens a way to one of theirs (RFC 6544 §6.2: who is passive waits).
fn speak_to_each_other(ours: Protocol, theirs: Protocol) -> bool {
    use Protocol::{Tcp, Udp};
    use TcpType::{Active, Passive, SimultaneousOpen};
    matches!(
        (ours, theirs),
        (Udp, Udp) | (Tcp(Active), Tcp(Passive)) | (Tcp(SimultaneousOpen), Tcp(SimultaneousOpen))
    )
}

/// RFC 8445 §6.1.2.2: the same family, and link-local addresses only with each other; and nobody makes us
/// speak to ourselves.
fn are_reachable(ours: SocketAddr, theirs: SocketAddr) -> bool {
    let is_local = |ip: IpAddr| match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    ours.is_ipv4() == theirs.is_ipv4()
        && is_local(ours.ip()) == is_local(theirs.ip())
        && (ours.ip().is_loopback() || !theirs.ip().is_loopback())
}

/// A link-local address means something only with an interface, which is that of our base.
fn scoped(ours: SocketAddr, theirs: SocketAddr) -> SocketAddr {
    match (ours, theirs) {
        (SocketAddr::V6(ours), SocketAddr::V6(mut theirs))
            if theirs.ip().is_unicast_link_local() =>
        {
            theirs.set_scope_id(ours.scope_id());
            SocketAddr::V6(theirs)
        }
        _ => theirs,
    }
}
