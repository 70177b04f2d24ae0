//! The shared sockets, and what agents want beside them.
//!
//! A want for a UDP socket is answered with the one that all share at that address. No agent has the local
//! network's multicast: ten thousand would hear each of its packets, and a peer whose candidates have names
//! shows by its checks where it is. Every other want is passed on under a number of our own, and its answer
//! back to whose it was.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use rustc_hash::FxHashMap;
use talkie_sansio::{Answer, Interface, Path, Want, WantError, WantId};

use super::AgentId;

/// A socket at one address.
#[derive(Debug)]
struct Shared {
    want: WantId,
    /// Once it is open.
    local: Option<SocketAddr>,
    users: BTreeSet<(AgentId, WantId)>,
}

/// What an agent's want has become.
#[derive(Clone, Copy, Debug)]
enum Held {
    Shared(IpAddr),
    Own(WantId),
}

#[derive(Debug)]
pub(super) struct Sockets {
    ports: RangeInclusive<u16>,
    shared: BTreeMap<IpAddr, Shared>,
    /// By agent, so that what one has is found together.
    held: BTreeMap<(AgentId, WantId), Held>,
    own: FxHashMap<WantId, (AgentId, WantId)>,
    streams: FxHashMap<Path, AgentId>,
    of_agents: BTreeMap<AgentId, BTreeSet<Path>>,
    wants: VecDeque<Want>,
    /// Closed once everything that was left is sent.
    leaving: Vec<WantId>,
    next_id: u64,
}

impl Sockets {
    pub(super) fn new(ports: RangeInclusive<u16>) -> Self {
        Self {
            ports,
            shared: BTreeMap::new(),
            held: BTreeMap::new(),
            own: FxHashMap::default(),
            streams: FxHashMap::default(),
            of_agents: BTreeMap::new(),
            wants: VecDeque::new(),
            leaving: Vec::new(),
            next_id: 0,
        }
    }

    pub(super) fn is_ours(&self, local: SocketAddr) -> bool {
        self.shared.get(&local.ip()).is_some_and(|shared| shared.local == Some(local))
    }

    /// The agents at a shared socket.
    pub(super) fn users(&self, local: SocketAddr) -> impl Iterator<Item = AgentId> {
        let shared = self.shared.get(&local.ip()).filter(|shared| shared.local == Some(local));
        shared.into_iter().flat_map(|shared| shared.users.iter().map(|(agent, _)| *agent))
    }

    /// Whose stream it is.
    pub(super) fn agent_of(&self, path: &Path) -> Option<AgentId> {
        self.streams.get(path).copied()
    }

    fn new_id(&mut self) -> WantId {
        self.next_id += 1;
        WantId(self.next_id - 1)
    }

    /// What an agent wants; the answer, if there is one already.
    pub(super) fn handle_want(&mut self, agent: AgentId, want: Want) -> Option<Answer> {
        match want {
            Want::Bind { id, local, .. } => return self.share(agent, id, local),
            Want::Close { id } => self.give_up(agent, id),
            Want::HangUp { path } => {
                self.drop_stream(agent, &path);
                self.wants.push_back(Want::HangUp { path });
            }
            Want::Join { id, .. } => {
                return Some(Answer::Failed { id, error: WantError::Unsupported });
            }
            Want::Listen { id, local, ports, framer } => {
                let id = self.pass(agent, id);
                self.wants.push_back(Want::Listen { id, local, ports, framer });
            }
            Want::Connect { id, transport, local, remote, server_name, framer } => {
                let id = self.pass(agent, id);
                let want = Want::Connect { id, transport, local, remote, server_name, framer };
                self.wants.push_back(want);
            }
            Want::Resolve { id, name } => {
                let id = self.pass(agent, id);
                self.wants.push_back(Want::Resolve { id, name });
            }
            // Of a kind that no agent has.
            _ => {}
        }
        None
    }

    fn share(&mut self, agent: AgentId, id: WantId, ip: IpAddr) -> Option<Answer> {
        self.held.insert((agent, id), Held::Shared(ip));
        if let Some(shared) = self.shared.get_mut(&ip) {
            shared.users.insert((agent, id));
            return shared.local.map(|local| Answer::Bound { id, local });
        }
        let want = self.new_id();
        let users = BTreeSet::from([(agent, id)]);
        self.shared.insert(ip, Shared { want, local: None, users });
        self.wants.push_back(Want::Bind { id: want, local: ip, ports: self.ports.clone() });
        None
    }

    fn pass(&mut self, agent: AgentId, id: WantId) -> WantId {
        let own = self.new_id();
        self.held.insert((agent, id), Held::Own(own));
        self.own.insert(own, (agent, id));
        own
    }

    fn give_up(&mut self, agent: AgentId, id: WantId) {
        match self.held.remove(&(agent, id)) {
            // The socket stays: the next agent's candidates have the same port.
            Some(Held::Shared(ip)) => {
                if let Some(shared) = self.shared.get_mut(&ip) {
                    shared.users.remove(&(agent, id));
                }
            }
            Some(Held::Own(own)) => {
                self.own.remove(&own);
                self.wants.push_back(Want::Close { id: own });
            }
            None => {}
        }
    }

    fn drop_stream(&mut self, agent: AgentId, path: &Path) {
        self.streams.remove(path);
        if let Some(paths) = self.of_agents.get_mut(&agent) {
            paths.remove(path);
        }
    }

    /// An agent is gone, and what it has left open with it.
    pub(super) fn forget(&mut self, agent: AgentId) {
        let all = (agent, WantId(0))..=(agent, WantId(u64::MAX));
        for (agent, id) in self.held.range(all).map(|(key, _)| *key).collect::<Vec<_>>() {
            self.give_up(agent, id);
        }
        for path in self.of_agents.remove(&agent).unwrap_or_default() {
            self.streams.remove(&path);
            self.wants.push_back(Want::HangUp { path });
        }
    }

    /// Gives the sockets up.
    pub(super) fn close(&mut self) {
        while let Some((_, shared)) = self.shared.pop_first() {
            self.leaving.push(shared.want);
        }
    }

    /// Gives up what is at addresses that are no more, and that nobody uses.
    pub(super) fn retain_addresses(&mut self, interfaces: &[Interface]) {
        let is_gone = |ip: &IpAddr, shared: &mut Shared| {
            shared.users.is_empty() && !interfaces.iter().any(|own| own.address == *ip)
        };
        let gone = self.shared.extract_if(.., is_gone);
        self.leaving.extend(gone.map(|(_, shared)| shared.want));
    }

    /// Whose answer it is, and under which number.
    pub(super) fn handle_answer(&mut self, answer: Answer) -> Vec<(AgentId, Answer)> {
        match answer {
            Answer::Bound { id, local } => {
                if let Some(shared) = self.shared.values_mut().find(|shared| shared.want == id) {
                    shared.local = Some(local);
                    let users = shared.users.iter();
                    return users
                        .map(|(agent, id)| (*agent, Answer::Bound { id: *id, local }))
                        .collect();
                }
                self.to_owner(id, |id| Answer::Bound { id, local })
            }
            Answer::Connected { id, path } => {
                let told = self.take(id, |id| Answer::Connected { id, path });
                self.begin_stream(&told, path);
                told
            }
            Answer::Accepted { id, path } => {
                let told = self.to_owner(id, |id| Answer::Accepted { id, path });
                self.begin_stream(&told, path);
                told
            }
            Answer::Resolved { id, addresses } => {
                self.take(id, |id| Answer::Resolved { id, addresses })
            }
            Answer::Failed { id, error } => self.fail(id, error),
            Answer::Closed { path } => {
                let Some(agent) = self.agent_of(&path) else { return Vec::new() };
                self.drop_stream(agent, &path);
                vec![(agent, Answer::Closed { path })]
            }
            _ => Vec::new(),
        }
    }

    fn to_owner(
        &self,
        id: WantId,
        answer: impl FnOnce(WantId) -> Answer,
    ) -> Vec<(AgentId, Answer)> {
        let owner = self.own.get(&id).copied();
        owner.map(|(agent, id)| (agent, answer(id))).into_iter().collect()
    }

    /// The last answer to a want.
    fn take(
        &mut self,
        id: WantId,
        answer: impl FnOnce(WantId) -> Answer,
    ) -> Vec<(AgentId, Answer)> {
        let Some((agent, inner)) = self.own.remove(&id) else { return Vec::new() };
        self.held.remove(&(agent, inner));
        vec![(agent, answer(inner))]
    }

    /// A stream of an agent that is gone is not needed.
    fn begin_stream(&mut self, told: &[(AgentId, Answer)], path: Path) {
        if let Some((agent, _)) = told.first() {
            self.streams.insert(path, *agent);
            self.of_agents.entry(*agent).or_default().insert(path);
        } else {
            self.wants.push_back(Want::HangUp { path });
        }
    }

    fn fail(&mut self, id: WantId, error: WantError) -> Vec<(AgentId, Answer)> {
        let lost = self.shared.iter().find(|(_, shared)| shared.want == id).map(|(ip, _)| *ip);
        let Some(shared) = lost.and_then(|ip| self.shared.remove(&ip)) else {
            return self.take(id, |id| Answer::Failed { id, error });
        };
        let told = |(agent, id): (AgentId, WantId)| {
            self.held.remove(&(agent, id));
            (agent, Answer::Failed { id, error: error.clone() })
        };
        shared.users.into_iter().map(told).collect()
    }

    /// The next want; shared sockets are closed only when all that was left has gone.
    pub(super) fn poll_want(&mut self, is_silent: bool) -> Option<Want> {
        if let Some(want) = self.wants.pop_front() {
            return Some(want);
        }
        let id = if is_silent { self.leaving.pop() } else { None };
        id.map(|id| Want::Close { id })
    }
}
