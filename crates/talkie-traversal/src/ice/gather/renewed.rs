//! Other servers and another policy than in the beginning (W3C webrtc-pc, `setConfiguration`; RFC 9429 §4.1.18):
//! they hold from the next gathering on.
//!
//! What goes over the old ones goes on meanwhile. A server that is not among the new ones is *left*: it is asked
//! nothing more and its candidates are told no more, but allocations on it stay until nothing of before goes on
//! ([`Gatherer::release()`]). The same holds for our own addresses where they are to be told no more.

use std::net::SocketAddr;
use std::time::Instant;

use super::config::{Policy, Server, SetServersError};
use super::server::{Asked, From};
use super::{Gatherer, LocalId, Stage, Start};
use crate::ice::{Candidate, CandidateType, Protocol};

/// What was set and does not hold yet.
#[derive(Debug)]
pub(super) struct Renewed {
    servers: Vec<Server>,
    policy: Policy,
}

impl Gatherer {
    /// From the next [`gather()`](Self::gather) on these servers are asked, and this may be told.
    ///
    /// # Errors
    /// If there is one that cannot be used here; everything stays as it is.
    pub fn set_servers(
        &mut self,
        servers: Vec<Server>,
        policy: Policy,
    ) -> Result<(), SetServersError> {
        let shares = self.shares_sockets;
        if let Some(server) = servers.iter().find(|it| shares && it.needs_own_sockets()) {
            return Err(SetServersError::UdpRelay(server.uri.clone()));
        }
        self.renewed = Some(Box::new(Renewed { servers, policy }));
        Ok(())
    }

    /// Its UDP sockets are others' as well.
    pub(in crate::ice) fn share_sockets(&mut self) {
        self.shares_sockets = true;
    }

    /// Gathering begins.
    pub(super) fn apply_renewed(&mut self, now: Instant) {
        let Some(renewed) = self.renewed.take() else { return };
        let Renewed { servers, policy } = *renewed;
        if self.stage == Stage::New {
            self.asked = vec![Asked::default(); servers.len()];
            self.config.servers = servers;
            self.config.policy = policy;
            return;
        }
        for (known, asked) in self.config.servers.iter().zip(&mut self.asked) {
            asked.is_left = !servers.iter().any(|server| server.is_same(known));
        }
        self.leave(now, &servers);
        for server in servers {
            if !self.config.servers.iter().any(|known| known.is_same(&server)) {
                self.place(server);
            }
        }
        match (std::mem::replace(&mut self.config.policy, policy), policy) {
            (Policy::All, Policy::Relay) => self.is_closing_up = true,
            (Policy::Relay, Policy::All) => self.open_up(),
            _ => {}
        }
        self.tell_mappings();
        self.tell_as_relays_see();
    }

    /// A new server takes the place of one that is left and of which nothing remains, or one more.
    fn place(&mut self, server: Server) {
        let is_free = |index: &usize| {
            self.asked[*index].is_left && self.legs.values().all(|leg| leg.server() != *index)
        };
        if let Some(index) = (0..self.asked.len()).find(is_free) {
            self.config.servers[index] = server;
            self.asked[index] = Asked::default();
        } else {
            self.config.servers.push(server);
            self.asked.push(Asked::default());
        }
    }

    /// Asks nothing more of servers that are left.
    fn leave(&mut self, now: Instant, servers: &[Server]) {
        let left: Vec<bool> = self.asked.iter().map(|asked| asked.is_left).collect();
        self.queries.retain(|query| !left[query.server]);
        self.starts.retain(|start| match start {
            Start::Query { server, .. } => !left[*server],
            Start::Look { .. } | Start::Leg(_) => true,
        });
        for socket in self.sockets.values_mut() {
            if socket.renew_by.is_some_and(|server| left[server]) {
                (socket.renew_by, socket.renew_at, socket.mapped) = (None, None, None);
            }
        }
        self.close_left_legs(now, |leg| leg.bases().next().is_none());
        // The same address as another server sees it is to be told as of that one, which may have been asked
        // before and told nothing new then.
        let stays: Vec<String> = servers.iter().map(|server| server.uri.to_string()).collect();
        let forgotten = self.emitted.forget(|candidate| {
            let url = candidate.url.as_ref();
            candidate.kind == CandidateType::ServerReflexive
                && url.is_some_and(|url| !stays.contains(url))
        });
        for asked in &mut self.asked {
            asked.from.retain(|from| !matches!(from, From::Socket(id) if forgotten.contains(id)));
        }
    }

    /// Our own addresses may be told.
    fn open_up(&mut self) {
        self.is_closing_up = false;
        // What servers said of our sockets was kept to ourselves.
        for asked in &mut self.asked {
            asked.from.retain(|from| !matches!(from, From::Socket(_)));
        }
        let sockets = self.sockets.iter().filter(|(_, socket)| !socket.is_spare);
        let open: Vec<(LocalId, SocketAddr)> =
            sockets.filter_map(|(id, socket)| Some((*id, socket.local?))).collect();
        for (id, local) in open {
            self.tell_host(id, Protocol::Udp, local);
        }
        for ip in self.ranks.keys().copied().collect::<Vec<_>>() {
            if !self.sockets.values().any(|socket| socket.ip == ip && !socket.is_spare) {
                self.open_socket(ip, false);
            }
            if !self.tcp.values().any(|base| base.ip == ip) {
                self.use_tcp(ip);
            }
        }
    }

    /// Whether a candidate is not to be told any more.
    pub(super) fn is_left(&self, id: LocalId, candidate: &Candidate) -> bool {
        if candidate.kind != CandidateType::Relayed {
            return self.config.policy == Policy::Relay;
        }
        let leg = self.legs.values().find(|leg| leg.has_base(id));
        leg.is_some_and(|leg| self.asked[leg.server()].is_left)
    }

    /// Whether a base is only for what was agreed on before our own addresses were to be told no more.
    pub(in crate::ice) fn is_closing_up(&self, id: LocalId) -> bool {
        self.is_closing_up && (self.sockets.contains_key(&id) || self.tcp.contains_key(&id))
    }

    /// Nothing of before goes on: gives back what is left. What is still used was told before it was left, by a
    /// restart that was taken back or by none.
    pub(in crate::ice) fn release(&mut self, now: Instant, is_used: impl Fn(LocalId) -> bool) {
        let mut own = self.sockets.keys().chain(self.tcp.keys());
        if self.is_closing_up && !own.any(|id| is_used(*id)) {
            self.is_closing_up = false;
            self.close_tcp();
        }
        self.release_unused(now, is_used);
    }

    /// Gives those back of what is left that nothing uses: a restart that came to nothing leaves its own behind.
    pub(in crate::ice) fn release_unused(
        &mut self,
        now: Instant,
        is_used: impl Fn(LocalId) -> bool,
    ) {
        self.close_left_legs(now, |leg| !leg.bases().any(&is_used));
        self.settle(now);
    }
}
