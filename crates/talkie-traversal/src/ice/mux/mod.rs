//! Thousands of agents behind one UDP port, as servers have them: one hole in the firewall, one socket
//! for the kernel, and packets of all peers in one batch.
//!
//! [`Mux`] owns its agents, and an agent knows nothing of it. When one wants a socket at an address, it
//! gets the one that all share. What comes in is handed to one agent:
//!
//! - a Binding request by the user name fragment before the colon of its USERNAME (RFC 8445 §7.2.2),
//!   which the agent made up;
//! - a response by its transaction, which the agent began;
//! - everything else by the address that it comes from, if an agent has found a check or an answer from
//!   there to have the right password. Nothing that can be forged makes an entry; and since whoever has a
//!   password of his own may still write another's address on his checks, who answers at an address gets
//!   it before who only sends from it.
//!
//! What fits nobody is dropped without an answer. Every table is bounded for each agent, and what an agent
//! has in them goes with it.
//!
//! It is a machine that owns the agents, not a table beside them, because of time and of output: it knows
//! after each input which agent has something to say, so that an idle agent costs nothing but an entry in
//! a heap of deadlines. What wakes one is looked at without touching it: ten thousand agents do not fit into a
//! processor's cache, and fetching one costs more than what it does then; those that only wait are woken a few at a
//! time. A table would leave a driver to ask ten thousand agents each time. And a table
//! would have to be told of each restart, candidate and end, which an owner sees.
//!
//! An agent here has neither guesses of ports nor ports of the gateway: both are about a socket of its own.
//!
//! The NAT's mapping of a shared socket is kept by one of them for all (`keeping`).
//!
//! All agents together are bounded in what they send to a host that has never answered (`restraint`).
//!
//! One 5-tuple has one allocation (RFC 8656 §3.2), so that agents here have no relays that are spoken to
//! over UDP; over TCP and TLS they may. Two servers of this kind that meet at one port each are told apart
//! by checks but not by data: the address belongs to who proved it first, until that one is silent.

mod demux;
mod keeping;
mod restraint;
mod sockets;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use rustc_hash::FxHashMap;
use talkie_sansio::{
    Answer, Datagram, Genesis, Hosted, Interface, Machine, Path, Transmit, Transport, Want,
    WantError, WantId,
};

use self::demux::{Belongings, Demux, Proof};
use self::keeping::Keeping;
use self::restraint::Restraint;
use self::sockets::Sockets;
use super::agent::{Agent, SendError};
use super::event::Event;

/// One agent of a [`Mux`]. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId(u64);

/// What all agents share.
#[derive(Clone, Debug)]
pub struct Config {
    /// The ports that the shared sockets may have; `0..=0` for any.
    pub ports: RangeInclusive<u16>,
    /// The most agents. Default 65,536.
    pub most_agents: usize,
    /// The most addresses of the other side that are known of one agent; of more, who was silent longest
    /// is forgotten. Default 16: both families of a few networks, before and after a change.
    pub most_addresses: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { ports: 0..=0, most_agents: 65_536, most_addresses: 16 }
    }
}

/// Why there is no new agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// As many as there may be.
    #[error("there are too many agents")]
    Full,
    /// Relays that are spoken to over UDP need a socket for each agent.
    #[error("an agent at a shared socket can have no relay over UDP")]
    Relay,
}

/// What was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counters {
    /// Checks for nobody here.
    pub unknown_fragment: u64,
    /// Responses that nobody waits for.
    pub unknown_transaction: u64,
    /// From addresses that nobody has proven.
    pub unknown_address: u64,
    /// STUN that is none, or on no socket of ours.
    pub malformed: u64,
    /// Proofs of addresses that are another agent's, and in use.
    pub contested: u64,
    /// Checks that were not sent, and streams that were not opened, because all agents together had sent enough to a host that does not answer.
    pub restrained: u64,
}

/// Many agents at one socket. See the [module documentation](self).
#[derive(Debug)]
pub struct Mux {
    config: Config,
    rng: ChaCha20Rng,
    agents: FxHashMap<AgentId, Slot>,
    next_id: u64,
    demux: Demux,
    restraint: Restraint,
    sockets: Sockets,
    keeping: Keeping,
    interfaces: Vec<Interface>,
    /// Agents that may have something to send, and to tell.
    speaking: VecDeque<AgentId>,
    telling: VecDeque<AgentId>,
    /// What agents that are gone have left to be sent.
    outbox: VecDeque<(Path, Vec<u8>)>,
    heap: BinaryHeap<Reverse<(Instant, AgentId)>>,
    /// Agents whose time has come; kept for its room.
    due: Vec<AgentId>,
    born: Instant,
    /// The time of the last input.
    clock: Instant,
    counters: Counters,
}

/// One agent, and what is known of it.
#[derive(Debug)]
struct Slot {
    /// Boxed, so that what follows is found without it.
    agent: Box<Agent>,
    /// The edition of the agent's fragments when they were noted.
    noted: Option<(u32, u8)>,
    belongings: Belongings,
    is_speaking: bool,
    is_telling: bool,
    /// When it wants to be woken.
    wake: Option<Instant>,
    /// The earliest of its entries in the heap, which may be for an earlier wish.
    queued: Option<Instant>,
}

/// The most packets of agents that are gone.
const MOST_LEFT: usize = 256;
/// Who wants nothing for so long only looks after a path, by timers that are spread by a second and more…
const IDLE: Duration = Duration::from_secs(1);
/// …and is woken together with whoever else is due in these few milliseconds.
const TOGETHER: Duration = Duration::from_millis(8);

impl Mux {
    /// No agent yet.
    #[must_use]
    pub fn new(genesis: &Genesis, config: Config) -> Self {
        let mut rng = ChaCha20Rng::from_seed(genesis.seed);
        Self {
            sockets: Sockets::new(config.ports.clone()),
            restraint: Restraint::new(genesis.now, rng.next_u64()),
            rng,
            agents: FxHashMap::default(),
            next_id: 0,
            demux: Demux::new(config.most_addresses),
            keeping: Keeping::default(),
            interfaces: Vec::new(),
            speaking: VecDeque::new(),
            telling: VecDeque::new(),
            outbox: VecDeque::new(),
            heap: BinaryHeap::new(),
            due: Vec::new(),
            born: genesis.now,
            clock: genesis.now,
            counters: Counters::default(),
            config,
        }
    }

    /// A new agent, which has not begun to gather.
    ///
    /// # Errors
    /// If there are too many, or it is to have a relay over UDP.
    pub fn add(
        &mut self,
        genesis: &Genesis,
        mut config: super::Config,
    ) -> Result<AgentId, Refused> {
        if self.agents.len() >= self.config.most_agents {
            return Err(Refused::Full);
        }
        if config.gather.servers.iter().any(super::gather::Server::needs_own_sockets) {
            return Err(Refused::Relay);
        }
        config.gather.predict = 0;
        config.gather.portmap = super::gather::PortMapping::Off;
        self.keeping.add(config.gather.keepalive.take());
        let id = AgentId(self.next_id);
        self.next_id += 1;
        let agent = loop {
            let mut seed = [0; 32];
            self.rng.fill_bytes(&mut seed);
            let mut agent = Agent::new(&Genesis { seed, ..genesis.clone() }, config.clone());
            agent.share_sockets();
            // Once in 2⁴⁸ for each agent that there is.
            if !self.demux.has_fragment(&agent.local_parameters().username_fragment) {
                break agent;
            }
        };
        let slot = Slot {
            agent: Box::new(agent),
            noted: None,
            belongings: Belongings::default(),
            is_speaking: false,
            is_telling: false,
            wake: None,
            queued: None,
        };
        self.agents.insert(id, slot);
        let interfaces = std::mem::take(&mut self.interfaces);
        self.call(genesis.now, id, |agent| agent.handle_interfaces(genesis.now, &interfaces));
        self.interfaces = interfaces;
        Ok(id)
    }

    /// Looks at an agent.
    #[must_use]
    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.get(&id).map(|slot| &*slot.agent)
    }

    /// Does something with an agent. For packets of data there is [`Mux::send`], which costs less.
    pub fn call<R>(
        &mut self,
        now: Instant,
        id: AgentId,
        act: impl FnOnce(&mut Agent) -> R,
    ) -> Option<R> {
        let result = act(&mut self.agents.get_mut(&id)?.agent);
        self.settle(now, id);
        Some(result)
    }

    /// Sends a datagram to an agent's other side.
    ///
    /// # Errors
    /// If there is no way to send it now, or no such agent.
    pub fn send(&mut self, now: Instant, id: AgentId, payload: &[u8]) -> Result<(), SendError> {
        let slot = self.agents.get_mut(&id).ok_or(SendError::NotConnected)?;
        slot.agent.send(now, payload)?;
        if !slot.is_speaking {
            slot.is_speaking = true;
            self.speaking.push_back(id);
        }
        Ok(())
    }

    /// Takes a datagram from the network and returns data in it with the agent that it is for, in place.
    /// What [`Machine::handle_datagram`] does as well, with an event.
    pub fn receive<'a>(
        &mut self,
        now: Instant,
        datagram: Datagram<'a>,
    ) -> Option<(AgentId, &'a mut [u8])> {
        self.deliver(now, datagram, |agent, datagram| agent.receive(now, datagram))
    }

    /// Ends an agent. Everything it had here is free at once.
    pub fn remove(&mut self, now: Instant, id: AgentId) {
        if self.call(now, id, |agent| agent.close(now)).is_none() {
            return;
        }
        let Some(mut slot) = self.agents.remove(&id) else { return };
        let mut buf = Vec::new();
        while let Some(transmit) = slot.agent.poll_transmit(&mut buf) {
            if self.outbox.len() < MOST_LEFT {
                self.outbox.push_back((transmit.path, buf.clone()));
            }
            buf.clear();
        }
        self.demux.forget(id, &slot.belongings);
        self.sockets.forget(id);
        if self.agents.is_empty() {
            self.keeping.clear();
        }
        self.sweep();
    }

    /// Drops what is outdated in the heap once it is more than half: left by agents that are gone, or that
    /// were called earlier than they had asked for. Otherwise it comes up some time, and is dropped then.
    fn sweep(&mut self) {
        if self.heap.len() > 64 + 2 * self.agents.len() {
            let agents = &self.agents;
            let is_wanted = |at: Instant, id: AgentId| {
                agents.get(&id).is_some_and(|slot| slot.queued == Some(at))
            };
            self.heap.retain(|Reverse((at, id))| is_wanted(*at, *id));
        }
    }

    /// Ends all agents and gives the sockets up.
    pub fn close(&mut self, now: Instant) {
        for id in self.ids() {
            self.remove(now, id);
        }
        self.sockets.close();
    }

    /// All agents, in the order in which they came.
    fn ids(&self) -> Vec<AgentId> {
        let mut ids: Vec<_> = self.agents.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// How many agents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    /// How many entries there are in the tables: fragments, transactions, addresses.
    #[must_use]
    pub fn entries(&self) -> [usize; 3] {
        self.demux.entries()
    }

    /// What was dropped.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Hands a datagram to whom it is for. What is returned is data, which seldom changes anything else: only
    /// where it raises a doubt about the agent's own path there is a question to be sent.
    fn deliver<'a, R>(
        &mut self,
        now: Instant,
        datagram: Datagram<'a>,
        take: impl FnOnce(&mut Agent, Datagram<'a>) -> Option<R>,
    ) -> Option<(AgentId, R)> {
        self.clock = self.clock.max(now);
        let path = datagram.path;
        let id = if path.transport == Transport::Udp {
            if !self.sockets.is_ours(path.local) {
                self.counters.malformed += 1;
                return None;
            }
            self.demux.route(path, datagram.payload, &mut self.counters)?
        } else {
            self.sockets.agent_of(&path)?
        };
        let slot = self.agents.get_mut(&id)?;
        let unproven = slot.agent.counters().unproven;
        let was_in_doubt = slot.agent.is_in_doubt();
        let proof = demux::proof_of(datagram.payload);
        let taken = take(&mut slot.agent, datagram);
        if taken.is_none() {
            let is_taken = slot.agent.counters().unproven == unproven;
            if let Some(proof) = proof.filter(|_| is_taken)
                && path.transport == Transport::Udp
                && slot.agent.is_proven(path.remote)
            {
                match proof {
                    Proof::Check => self.restraint.credit(path.remote.ip()),
                    Proof::Answer(to) => self.demux.note_answered(to, &mut slot.belongings),
                }
                self.learn(now, id, path, proof);
            }
            self.settle(now, id);
        } else if slot.agent.is_in_doubt() && !was_in_doubt {
            self.settle(now, id);
        }
        taken.map(|taken| (id, taken))
    }

    /// An agent's other side has proven to be at an address.
    fn learn(&mut self, now: Instant, id: AgentId, path: Path, proof: Proof) {
        let Some(slot) = self.agents.get_mut(&id) else { return };
        let learned = self.demux.learn(now, id, (path, proof), &mut slot.belongings);
        match learned {
            Ok(None) => {}
            Ok(Some(loser)) => {
                if let Some(slot) = self.agents.get_mut(&loser) {
                    slot.belongings.lose(&path);
                }
            }
            Err(demux::Contested) => self.counters.contested += 1,
        }
    }

    /// After each input of an agent: its wants are seen to, and it is noted what else it has.
    fn settle(&mut self, now: Instant, id: AgentId) {
        self.clock = self.clock.max(now);
        let Some(slot) = self.agents.get_mut(&id) else { return };
        while let Some(want) = slot.agent.poll_want() {
            let blind = blind_stream(&want, &slot.agent);
            let refused =
                blind.filter(|(_, ip)| !self.restraint.admits(self.clock, *ip, restraint::STREAM));
            let answer = match refused {
                Some((id, _)) => {
                    self.counters.restrained += 1;
                    Some(Answer::Failed { id, error: WantError::TimedOut })
                }
                None => self.sockets.handle_want(id, want),
            };
            if let Some(answer) = answer {
                slot.agent.handle_answer(now, answer);
            }
        }
        let edition = slot.agent.edition();
        if slot.noted != Some(edition) {
            slot.noted = Some(edition);
            self.demux.note_fragments(id, slot.agent.fragments(), &mut slot.belongings);
        }
        if !slot.is_speaking {
            slot.is_speaking = true;
            self.speaking.push_back(id);
        }
        if !slot.is_telling {
            slot.is_telling = true;
            self.telling.push_back(id);
        }
        slot.wake = slot.agent.poll_timeout().map(|at| together(self.born, now, at));
        if let Some(at) = slot.wake
            && slot.queued.is_none_or(|queued| at < queued)
        {
            slot.queued = Some(at);
            self.heap.push(Reverse((at, id)));
            self.sweep();
        }
        self.note_mappings(now, id);
    }
}

/// A stream that an agent wants to a peer that has not answered it, and that host.
fn blind_stream(want: &Want, agent: &Agent) -> Option<(WantId, IpAddr)> {
    let Want::Connect { id, remote, .. } = want else { return None };
    let is_blind = agent.opens_to_peer(*id) && !agent.is_answered_from(*remote);
    is_blind.then_some((*id, remote.ip()))
}

/// When an agent is woken that wants to be at a time: a little later if it only looks after a path.
fn together(born: Instant, now: Instant, at: Instant) -> Instant {
    if at < now + IDLE {
        return at;
    }
    let since = at.saturating_duration_since(born).as_nanos();
    let over = since % TOGETHER.as_nanos();
    let rest = u64::try_from(TOGETHER.as_nanos() - over).unwrap_or_default();
    if over == 0 { at } else { at + Duration::from_nanos(rest) }
}

impl Machine for Mux {
    type Event = (AgentId, Event);

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        // The agent makes its own event of data, so that nothing is ever returned and all is settled.
        self.deliver(now, datagram, |agent, datagram| {
            agent.handle_datagram(now, datagram);
            None::<()>
        });
    }

    fn handle_timeout(&mut self, now: Instant) {
        let mut due = std::mem::take(&mut self.due);
        while let Some(Reverse((at, id))) = self.heap.peek().copied().filter(|e| e.0.0 <= now) {
            self.heap.pop();
            let slot = self.agents.get_mut(&id).filter(|slot| slot.queued == Some(at));
            let Some(slot) = slot else { continue };
            slot.queued = None;
            match slot.wake {
                Some(wake) if wake <= now => due.push(id),
                // A packet came meanwhile, and there is nothing to do before that.
                Some(wake) => {
                    slot.queued = Some(wake);
                    self.heap.push(Reverse((wake, id)));
                }
                None => {}
            }
        }
        for id in due.drain(..) {
            self.call(now, id, |agent| agent.handle_timeout(now));
        }
        self.due = due;
        self.keep_mappings(now);
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        if let Some((path, bytes)) = self.outbox.pop_front() {
            buf.extend_from_slice(&bytes);
            return Some(Transmit { path, len: bytes.len() });
        }
        while let Some(id) = self.speaking.front().copied() {
            if let Some(slot) = self.agents.get_mut(&id) {
                while let Some(transmit) = slot.agent.poll_transmit(buf) {
                    let payload = &buf[buf.len() - transmit.len..];
                    let remote = transmit.path.remote;
                    let is_blind = demux::is_check(payload) && !slot.agent.is_answered_from(remote);
                    if is_blind && !self.restraint.admits(self.clock, remote.ip(), 1) {
                        self.counters.restrained += 1;
                        buf.truncate(buf.len() - transmit.len);
                        continue;
                    }
                    self.demux.note_sent(self.clock, id, payload, &mut slot.belongings);
                    return Some(transmit);
                }
                slot.is_speaking = false;
            }
            self.speaking.pop_front();
        }
        None
    }

    fn poll_event(&mut self) -> Option<(AgentId, Event)> {
        while let Some(id) = self.telling.front().copied() {
            if let Some(slot) = self.agents.get_mut(&id) {
                if let Some(event) = slot.agent.poll_event() {
                    return Some((id, event));
                }
                slot.is_telling = false;
            }
            self.telling.pop_front();
        }
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let agents = self.heap.peek().map(|Reverse((at, _))| *at);
        [agents, self.keeping.poll_timeout()].into_iter().flatten().min()
    }
}

impl Hosted for Mux {
    fn poll_want(&mut self) -> Option<Want> {
        let is_silent = self.outbox.is_empty();
        self.sockets.poll_want(is_silent)
    }

    fn handle_answer(&mut self, now: Instant, answer: Answer) {
        for (id, answer) in self.sockets.handle_answer(answer) {
            self.call(now, id, |agent| agent.handle_answer(now, answer));
        }
    }

    fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]) {
        if self.interfaces == interfaces {
            self.keeping.doubt(now);
        }
        self.interfaces = interfaces.to_vec();
        for id in self.ids() {
            self.call(now, id, |agent| agent.handle_interfaces(now, interfaces));
        }
        self.sockets.retain_addresses(interfaces);
        self.keep_mappings(now);
    }
}

const _: fn() = || {
    fn assert_send<T: Send>() {}
    assert_send::<Mux>();
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_looks_after_a_path_is_woken_with_others_and_never_early() {
        let born = talkie_sansio::conformance::genesis().now;
        let now = born + Duration::from_secs(100);
        let wake = |after: u64| together(born, now, now + Duration::from_micros(after)) - now;
        assert_eq!(wake(0), Duration::ZERO);
        assert_eq!(wake(999_999), Duration::from_micros(999_999));
        for after in [4_000_001, 4_003_000, 4_008_000] {
            assert_eq!(wake(after), Duration::from_millis(4_008));
        }
    }

    /// Of ten thousand the first part is in the cache; of the second each costs a server its size in memory.
    #[test]
    fn what_wakes_an_agent_is_small_and_the_agent_not_large() {
        let sizes = [size_of::<Slot>(), size_of::<Agent>()];
        assert!(sizes[0] <= 192 && sizes[1] <= 3500, "{sizes:?}");
    }
}
