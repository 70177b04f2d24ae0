//! Candidates of the other side as the application gives them.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use talkie_sansio::{Answer, Want, WantId};

use super::Agent;
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

/// Names that are being resolved, and candidates that came before the credentials.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The question, and the number of the candidate that waits for it.
    questions: Vec<(WantId, u32)>,
    next: u64,
    waiting: Vec<Candidate>,
}

/// The wants of the gatherer count from below.
const FIRST_WANT: u64 = 1 << 63;
/// The most names asked for at a time.
const MOST_QUESTIONS: usize = 16;

impl Names {
    pub(super) fn are_pending(&self) -> bool {
        !self.questions.is_empty()
    }
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
        if let Some(address) = candidate.socket_address()
            // RFC 6544 §4.5: an active one has no port of its own; nobody sends to it.
            && candidate.protocol != Protocol::Tcp(TcpType::Active)
            && !is_sendable(address)
        {
            return Err(AddError::Address);
        }
        let fragment = candidate.username_fragment.as_deref();
        let is_of = |theirs: &Parameters| fragment.is_none_or(|it| it == theirs.username_fragment);
        let replaced = self.previous.as_ref().and_then(|(old, _)| old.session.remote());
        if fragment.is_some() && replaced.is_some_and(is_of) {
            return Err(AddError::Generation);
        }
        if !self.current.session.remote().is_some_and(is_of) {
            // Late signaling: the candidate has overtaken the credentials.
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
        if name.is_some() && self.names.questions.len() >= MOST_QUESTIONS {
            self.counters.overflowing += 1;
            return Err(AddError::Full);
        }
        let known = self.current.remotes.len();
        let taken = self.with_current(now, |generation, context| {
            generation.add_remote(context, candidate, address)
        });
        if !taken {
            return Err(AddError::Full);
        }
        // As long as candidates come, so may more (RFC 8863 §3 asks for the least only).
        let patience = now + self.config.timers.patience;
        self.current.patience_until = Some(patience);
        if let Some(name) = name.filter(|_| self.current.remotes.len() > known) {
            let number = self.current.last_number();
            self.names.next += 1;
            let id = WantId(FIRST_WANT + self.names.next);
            self.names.questions.push((id, number));
            self.wants.push_back(Want::Resolve { id, name });
        }
        Ok(())
    }

    /// The other side has no more candidates (RFC 8838 §13).
    pub fn end_of_remote_candidates(&mut self, now: Instant) {
        self.current.remote_ended = true;
        self.advance(now);
    }

    /// Adds the candidates that came before the credentials.
    pub(super) fn add_waiting(&mut self, now: Instant) {
        let theirs = self.current.session.remote().map(|theirs| theirs.username_fragment.clone());
        for candidate in std::mem::take(&mut self.names.waiting) {
            let fragment = &candidate.username_fragment;
            if fragment.is_none() || *fragment == theirs {
                // What finds no room is counted.
                let _ = self.add_known(now, candidate);
            }
        }
    }

    /// Takes the answer to a question for a name; says whether it was one.
    pub(super) fn handle_name(&mut self, now: Instant, answer: &Answer) -> bool {
        let (id, addresses): (WantId, &[IpAddr]) = match answer {
            Answer::Resolved { id, addresses } => (*id, addresses),
            Answer::Failed { id, .. } => (*id, &[]),
            _ => return false,
        };
        if id.0 < FIRST_WANT {
            return false;
        }
        let Some(at) = self.names.questions.iter().position(|(known, _)| *known == id) else {
            return true;
        };
        let (_, number) = self.names.questions.swap_remove(at);
        // draft-ietf-mmusic-mdns-ice-candidates §3.2.1: a name with several addresses is no candidate's;
        // RFC 8839 §5.1: one address is taken.
        let usable = addresses.iter().find(|ip| is_sendable(SocketAddr::new(**ip, 9)));
        if let Some(ip) = usable {
            self.with_current(now, |generation, context| generation.resolve(context, number, *ip));
        }
        true
    }

    /// The questions belong to candidates that are no more.
    pub(super) fn forget_names(&mut self) {
        for (id, _) in self.names.questions.drain(..) {
            self.wants.push_back(Want::Close { id });
        }
        self.names.waiting.clear();
    }
}

/// Whether a packet to it can be meant for one host.
fn is_sendable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast
}
