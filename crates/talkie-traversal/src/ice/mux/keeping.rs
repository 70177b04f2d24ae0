//! The NAT's mappings of the shared sockets, looked after once and not by each agent: ten thousand that ask a STUN
//! server every 25 s would be 400 requests a second for one mapping.
//!
//! Of each socket one agent is the keeper. When it is time it asks the server that it knows, as it would at a socket
//! of its own (RFC 8445 §5.1.1.4). When it is gone another is. What it learns of the mapping holds for all: if that has
//! changed, the others ask as well, one after the other, so that each tells its peer.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{AgentId, Mux};
use crate::ice::config::NEVER;

/// Between two agents that ask because the mapping has changed. RFC 8445 §14.2: never less than 5 ms.
const PACE: Duration = Duration::from_millis(5);
/// Whoever asks one socket's server more often is no keeper but a load.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// Whose turn it is, and when.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// The shortest pause that an agent's configuration asks for; `None`: none does.
    pause: Option<Duration>,
    sockets: BTreeMap<SocketAddr, Kept>,
    /// Who is to ask because a mapping has changed.
    asking: VecDeque<(AgentId, SocketAddr)>,
    next_ask: Option<Instant>,
}

/// A socket behind a NAT.
#[derive(Debug)]
struct Kept {
    keeper: AgentId,
    /// How the keeper's server saw it last.
    mapped: SocketAddr,
    next: Instant,
}

impl Keeping {
    /// An agent comes that would ask so often by itself.
    pub(super) fn add(&mut self, pause: Option<Duration>) {
        let pause = pause.map(|pause| pause.clamp(LEAST_PAUSE, NEVER));
        self.pause = [self.pause, pause].into_iter().flatten().min();
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let sockets = self.sockets.values().map(|kept| kept.next);
        sockets.chain(self.next_ask.filter(|_| !self.asking.is_empty())).min()
    }

    /// All is looked after now: the host may have slept.
    pub(super) fn doubt(&mut self, now: Instant) {
        for kept in self.sockets.values_mut() {
            kept.next = now;
        }
    }

    /// There is nobody any more.
    pub(super) fn clear(&mut self) {
        self.sockets.clear();
        self.asking.clear();
    }

    /// An agent knows how a socket looks from outside; says whether that is news to the others.
    fn note(&mut self, now: Instant, id: AgentId, local: SocketAddr, mapped: SocketAddr) -> bool {
        let Some(pause) = self.pause else { return false };
        let next = now + pause;
        let kept = self.sockets.entry(local).or_insert(Kept { keeper: id, mapped, next });
        kept.keeper == id && std::mem::replace(&mut kept.mapped, mapped) != mapped
    }
}

impl Mux {
    /// Sees how the sockets of an agent look from outside.
    pub(super) fn note_mappings(&mut self, now: Instant, id: AgentId) {
        let Some(slot) = self.agents.get(&id) else { return };
        for (local, mapped) in slot.agent.mappings() {
            if self.keeping.note(now, id, local, mapped) {
                let others = self.sockets.users(local).filter(|other| *other != id);
                self.keeping.asking.retain(|(_, asked)| *asked != local);
                self.keeping.asking.extend(others.map(|other| (other, local)));
                self.keeping.next_ask.get_or_insert(now + PACE);
            }
        }
    }

    /// Has the keepers ask whose time has come, and those who have heard that something has changed.
    pub(super) fn keep_mappings(&mut self, now: Instant) {
        let Some(pause) = self.keeping.pause else { return };
        let sockets = self.keeping.sockets.iter();
        let due: Vec<_> =
            sockets.filter(|(_, kept)| kept.next <= now).map(|(local, _)| *local).collect();
        for local in due {
            let Some(kept) = self.keeping.sockets.get_mut(&local) else { continue };
            kept.next = now + pause;
            let mapping = |id: AgentId| {
                let mut all = self.agents.get(&id)?.agent.mappings();
                all.find_map(|(socket, mapped)| (socket == local).then_some((id, mapped)))
            };
            let mut others = self.sockets.users(local);
            let found = mapping(kept.keeper).or_else(|| others.find_map(mapping));
            drop(others);
            match found {
                Some((keeper, mapped)) => {
                    if kept.keeper != keeper {
                        (kept.keeper, kept.mapped) = (keeper, mapped);
                    }
                    self.call(now, keeper, |agent| agent.renew_mapping(now, local));
                }
                None => drop(self.keeping.sockets.remove(&local)),
            }
        }
        while self.keeping.next_ask.is_some_and(|at| at <= now) {
            let Some((id, local)) = self.keeping.asking.pop_front() else {
                self.keeping.next_ask = None;
                break;
            };
            self.keeping.next_ask = Some(now + PACE);
            self.call(now, id, |agent| agent.renew_mapping(now, local));
        }
    }
}
