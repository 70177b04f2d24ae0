//! Candidates of this side: told by the gatherer, shown by the other side's answers, and gone again.

use std::net::SocketAddr;

use super::context::Context;
use super::generation::Generation;
use crate::ice::candidate::{Candidate, CandidateType};
use crate::ice::event::{Chapter, PairFailure};
use crate::ice::gather::LocalId;

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

impl Generation {
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
        let number = context.number();
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
