//! Candidates of the other side as the application gives them.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::Agent;
use super::generation::Generation;
use crate::ice::candidate::{Candidate, CandidateAddress, Protocol, TcpType};
use crate::ice::parameters::Parameters;

/// Why a candidate of the other side is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The agent has one component.
    #[error("the candidate is of component {0}; everything goes over component 1 here")]
    Component(u16),
    /// It belongs to credentials that the other side has replaced.
    #[error("the candidate belongs to an earlier generation of the other side's credentials")]
    Generation,
    /// Nothing can be sent there.
    #[error("the candidate's address is none that a packet can be sent to")]
    Address,
    /// The other side has said before that there are no more.
    #[error("the other side has said that there are no more candidates")]
    Ended,
    /// There are too many.
    #[error("the other side has too many candidates")]
    Full,
    /// It is over.
    #[error("the agent is closed")]
    Closed,
}

impl Agent {
    /// Takes a candidate of the other side. One that came before is no error.
    ///
    /// # Errors
    /// If it is of no use.
    pub fn add_remote_candidate(
        &mut self,
        now: Instant,
        candidate: Candidate,
    ) -> Result<(), AddError> {
        if self.is_closed() {
            return Err(AddError::Closed);
        }
        if candidate.component != 1 {
            return Err(AddError::Component(candidate.component));
        }
        let leads_nowhere = match candidate.socket_address() {
            Some(address) => !is_sendable(address),
            None => candidate.port == 0,
        };
        // RFC 6544 §4.5: an active one has no port of its own; nobody sends to it.
        if leads_nowhere && candidate.protocol != Protocol::Tcp(TcpType::Active) {
            return Err(AddError::Address);
        }
        let fragment = candidate.username_fragment.as_deref();
        let is_of = |theirs: &Parameters| fragment.is_none_or(|it| it == theirs.username_fragment);
        let previous = self.previous.as_ref();
        let replaced = previous.and_then(|previous| previous.generation.session.remote());
        if fragment.is_some() && replaced.is_some_and(is_of) && !self.is_restart_open() {
            return Err(AddError::Generation);
        }
        if !self.current.session.remote().is_some_and(is_of) {
            // Late signaling: the candidate has overtaken the credentials. Or it belongs to those before a restart
            // that may yet be taken back.
            if self.names.waiting.len() >= self.config.limits.remote_candidates {
                self.counters.overflowing += 1;
                return Err(AddError::Full);
            }
            self.names.waiting.push(candidate);
            return Ok(());
        }
        if self.current.remote_ended {
            return Err(AddError::Ended);
        }
        self.add_known(now, candidate)?;
        self.advance(now);
        Ok(())
    }

    fn add_known(&mut self, now: Instant, candidate: Candidate) -> Result<(), AddError> {
        let address = candidate.socket_address();
        let name = match &candidate.address {
            CandidateAddress::Ip(_) => None,
            CandidateAddress::Name(name) => Some(name.clone()),
        };
        if name.is_some() && self.names.are_full() {
            self.counters.overflowing += 1;
            return Err(AddError::Full);
        }
        let known = self.current.remotes.len();
        let plain = candidate.clone();
        let taken = self.with_current(now, |generation, context| {
            generation.add_remote(context, candidate, address)
        });
        if !taken {
            return Err(AddError::Full);
        }
        self.lead_through_nat64(now, &plain);
        // As long as candidates come, so may more (RFC 8863 §3 asks for the least only).
        let patience = now + self.config.timers.patience;
        self.current.patience_until = Some(patience);
        if let Some(name) = name.filter(|_| self.current.remotes.len() > known) {
            let number = self.last_number;
            self.ask_for_name(now, name, number).inspect_err(|_| {
                self.current.remotes.retain(|remote| remote.number != number);
            })?;
        }
        Ok(())
    }

    /// The other side has no more candidates (RFC 8838 §14). After a restart, as long as the other side's new
    /// credentials are not known, it is taken for a late one of the generation before and means nothing; where
    /// signaling says whose it is, [`end_of_remote_candidates_of()`](Self::end_of_remote_candidates_of) knows
    /// better.
    pub fn end_of_remote_candidates(&mut self, now: Instant) {
        let before = self.previous.as_mut().map(|previous| previous.before());
        if let Some(before) = before.filter(|before| before.session.remote().is_some())
            && self.current.session.remote().is_none()
        {
            // It counts if the restart is taken back.
            before.remote_ended = true;
            return;
        }
        self.current.remote_ended = true;
        self.advance(now);
    }

    /// The other side has no more candidates with this user name fragment: a late end of credentials that are
    /// replaced means nothing unless they come back, one that has overtaken its credentials holds when they come.
    pub fn end_of_remote_candidates_of(&mut self, now: Instant, username_fragment: &str) {
        let is_of = |generation: &Generation| {
            let theirs = generation.session.remote();
            theirs.is_some_and(|theirs| theirs.username_fragment == username_fragment)
        };
        if is_of(&self.current) {
            self.end_of_remote_candidates(now);
        } else if let Some(previous) = self.previous.as_deref_mut()
            && let Some(generation) = previous.generations_mut().find(|it| is_of(it))
        {
            // It counts if the restart is taken back.
            generation.remote_ended = true;
        } else {
            self.names.ended = Some(username_fragment.to_owned());
        }
    }

    /// Adds the candidates that came before the credentials. Those that are of others go on waiting.
    pub(super) fn add_waiting(&mut self, now: Instant) {
        let Some(theirs) = self.current.session.remote() else { return };
        let theirs = theirs.username_fragment.clone();
        let is_it = |candidate: &mut Candidate| {
            candidate.username_fragment.as_ref().is_none_or(|fragment| *fragment == theirs)
        };
        for candidate in self.names.waiting.extract_if(.., is_it).collect::<Vec<_>>() {
            // What finds no room is counted.
            let _ = self.add_known(now, candidate);
        }
        self.current.remote_ended |= self.names.ended == Some(theirs);
    }
}

/// Whether a packet to it can be meant for one host.
pub(super) fn is_sendable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    // RFC 8445 §5.1.1.1: nobody has such a candidate; it would be another way to write any of the others.
    let is_mapped = matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some());
    let is_one = !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast && !is_mapped;
    address.port() != 0 && is_one
}
