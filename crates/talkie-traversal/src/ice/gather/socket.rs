//! UDP sockets: one for each of this host's addresses.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use talkie_sansio::{Transport, Want, WantError, WantId};

use super::config::Policy;
use super::emit::{Found, Source};
use super::guess::Trail;
use super::{Event, Gatherer, LocalId, Problem, Stage, addresses};
use crate::ice::{CandidateType, Protocol};

#[derive(Debug)]
pub(super) struct Socket {
    pub(super) want: WantId,
    pub(super) ip: IpAddr,
    /// Its address, once it is open.
    pub(super) local: Option<SocketAddr>,
    /// Whether it is for one relay or one guess alone, and its own address no candidate.
    pub(super) is_spare: bool,
    /// The NAT's address, if its port is guessed to be the same there.
    pub(super) kept_at: Option<IpAddr>,
    /// The socket for whose sake it only looks what the NAT does.
    pub(super) scouts_for: Option<LocalId>,
    /// When to look at the NAT's mapping again, and by which server.
    pub(super) renew_at: Option<Instant>,
    pub(super) renew_by: Option<usize>,
    /// How that server saw it last.
    pub(super) mapped: Option<SocketAddr>,
    /// To whom it has sent, if guesses are wanted.
    pub(super) trail: Option<Trail>,
    /// Whether a port of the gateway was asked for.
    pub(super) has_door: bool,
}

impl Gatherer {
    /// The socket with this address.
    pub(super) fn socket_at(&self, local: SocketAddr) -> Option<LocalId> {
        let mut sockets = self.sockets.iter();
        sockets.find_map(|(id, socket)| {
            let is_for_peers = !socket.is_spare || socket.kept_at.is_some();
            (socket.local == Some(local) && is_for_peers).then_some(*id)
        })
    }

    /// Opens what new addresses need and gives up what was on lost ones.
    pub(super) fn follow_addresses(&mut self, now: Instant) {
        let Some(interfaces) = &self.interfaces else { return };
        let is_in_use = |ip| self.ranks.contains_key(&ip);
        let usable = addresses::usable(interfaces, &self.config, is_in_use);
        let lost: Vec<_> = self.ranks.keys().filter(|ip| !usable.contains(ip)).copied().collect();
        for ip in &lost {
            self.lose_address(*ip);
        }
        self.forget_lost_bases();
        if usable.is_empty() {
            let text = "this host has no address that can be used".to_owned();
            let code = Problem::UNREACHABLE;
            self.tell_problem(Problem { url: None, address: None, code, text });
        }
        let mut is_changed = !lost.is_empty();
        for (rank, ip) in (0..).zip(usable) {
            if !self.ranks.contains_key(&ip) {
                self.use_address(ip, rank);
                is_changed = true;
            }
        }
        if is_changed && self.stage == Stage::Complete {
            self.stage = Stage::Gathering { until: now + self.config.limit };
            self.forget_failures();
            self.resolve_names();
        }
    }

    fn use_address(&mut self, ip: IpAddr, rank: u16) {
        // No two with the same: who came first keeps its own.
        let rank = (rank..u16::MAX).find(|rank| !self.ranks.values().any(|taken| taken == rank));
        self.ranks.insert(ip, rank.unwrap_or(u16::MAX));
        let relays_by_udp =
            self.config.servers.iter().any(|server| {
                server.uri.scheme().is_turn() && server.transport() == Transport::Udp
            });
        if self.config.policy == Policy::All || relays_by_udp {
            self.open_socket(ip, false);
        }
        if self.config.policy == Policy::All {
            self.use_tcp(ip);
        }
    }

    pub(super) fn open_socket(&mut self, ip: IpAddr, is_spare: bool) -> LocalId {
        let (id, want) = (self.new_id(), self.new_want());
        self.wants.push_back(Want::Bind { id: want, local: ip, ports: self.config.ports.clone() });
        let trail = self.new_trail(ip, is_spare);
        let socket = Socket {
            want,
            ip,
            local: None,
            is_spare,
            kept_at: None,
            scouts_for: None,
            renew_at: None,
            renew_by: None,
            mapped: None,
            trail,
            has_door: false,
        };
        self.sockets.insert(id, Box::new(socket));
        id
    }

    fn lose_address(&mut self, ip: IpAddr) {
        self.ranks.remove(&ip);
        self.lose_legs_on(ip);
        self.lose_tcp_on(ip);
        let lost = self.sockets.iter().filter(|(_, socket)| socket.ip == ip);
        for id in lost.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.lose_socket(id, true);
        }
    }

    /// A socket or listener is open.
    pub(super) fn bound(&mut self, want: WantId, local: SocketAddr) {
        let is_closed = self.is_closed();
        let socket = self.sockets.iter_mut().find(|(_, socket)| socket.want == want);
        let Some((id, socket)) = socket else { return self.listening(want, local) };
        if is_closed || socket.local.is_some() {
            return;
        }
        socket.local = Some(local);
        let (id, is_spare, kept_at) = (*id, socket.is_spare, socket.kept_at);
        if let Some(main) = socket.scouts_for {
            self.send_scout(id, main);
        } else if let Some(outside) = kept_at {
            self.tell_guess(id, local, SocketAddr::new(outside, local.port()));
        } else if is_spare {
            self.start_legs_of(id);
        } else {
            self.tell_host(id, Protocol::Udp, local);
        }
    }

    pub(super) fn socket_failed(&mut self, id: LocalId, error: &WantError) {
        let Some(socket) = self.sockets.get(&id) else { return };
        let ip = socket.ip;
        let address = socket.local.unwrap_or_else(|| SocketAddr::new(ip, 0));
        self.lose_socket(id, false);
        self.lose_legs_of_socket(id);
        let text = format!("the socket cannot be had: {error}");
        let code = Problem::UNREACHABLE;
        self.tell_problem(Problem { url: None, address: Some(address), code, text });
        let is_used = self.sockets.values().any(|socket| socket.ip == ip)
            || self.tcp.values().any(|base| base.ip == ip);
        if !is_used {
            // Tried again when the addresses change.
            self.ranks.remove(&ip);
        }
    }

    pub(super) fn lose_socket(&mut self, id: LocalId, is_open: bool) {
        let Some(socket) = self.sockets.remove(&id) else { return };
        self.queries.retain(|query| query.socket != id);
        self.outbox.retain(|(path, _)| {
            path.transport != Transport::Udp || Some(path.local) != socket.local
        });
        if is_open {
            self.wants.push_back(Want::Close { id: socket.want });
        }
        self.tell_gone(id);
    }

    pub(super) fn close_sockets(&mut self) {
        let ids: BTreeSet<_> = self.sockets.keys().copied().collect();
        for id in ids {
            self.lose_socket(id, true);
        }
        self.ranks.clear();
    }

    pub(super) fn tell_problem(&mut self, problem: Problem) {
        // Told again by each restart, it would pile up where nobody listens.
        let is_it = |event: &Event| matches!(event, Event::Error(told) if *told == problem);
        if !self.events.iter().any(is_it) {
            self.events.push_back(Event::Error(problem));
        }
    }

    /// Tells a socket's or listener's own address.
    pub(super) fn tell_host(&mut self, id: LocalId, protocol: Protocol, local: SocketAddr) {
        self.tell(&Found {
            id,
            kind: CandidateType::Host,
            protocol,
            address: self.config.outside(local),
            base: local,
            ip: local.ip(),
            related: None,
            source: Source::Ourselves,
        });
    }
}
