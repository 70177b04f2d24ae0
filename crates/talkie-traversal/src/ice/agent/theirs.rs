//! Candidates of the other side that it has told of. Each is kept once, whether it came by signaling first or was
//! shown by a check.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::context::Context;
use super::generation::Generation;
use crate::ice::candidate::{Candidate, Protocol};
use crate::stun::TransactionId;

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

impl Remote {
    /// Whether the other side has told of it, whatever it calls it, and has not only shown it by a check.
    pub(super) fn is_told(&self) -> bool {
        self.shown_by.is_none()
    }
}

impl Generation {
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
            known.is_told() && theirs == place
        };
        if self.remotes.iter().any(is_known) {
            return true;
        }
        let room = context.config.limits.remote_candidates;
        if self.remotes.iter().filter(|known| known.is_told()).count() >= room {
            context.counters.overflowing += 1;
            return false;
        }
        if address.is_some_and(|address| self.adopt(context, &candidate, address)) {
            return true;
        }
        let number = context.number();
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
            !known.is_told()
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
}
