//! Which candidates make pairs, and in which order they stand (RFC 8445 §6.1.2, RFC 8838 §10).
//!
//! Pairs are formed as candidates of either side come: a base of ours with an address of theirs that it can send
//! to. The first candidate of a base gives the pair its priority and foundation; later ones of the same base only
//! name what the other side sees.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use talkie_sansio::Scope;

use super::context::Context;
use super::generation::Generation;
use super::pair::{Counts, Pair, State, rank};
use crate::ice::candidate::{CandidateType, Protocol, TcpType};
use crate::ice::event::{Chapter, PairFailure, PairId};
use crate::ice::gather::LocalId;

impl Generation {
    pub(super) fn form_remote(&mut self, context: &mut Context<'_>, remote: u32) {
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
    pub(super) fn form(&mut self, context: &mut Context<'_>, local: u32, remote: u32) {
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

    pub(super) fn insert(
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
            second_looks: 0,
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
        pair.id = PairId(context.number());
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
