//! How our sockets look from outside: Binding requests to STUN servers (RFC 8445 §5.1.1.2).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand_core::Rng as _;
use talkie_sansio::{Path, Transport};

use super::emit::{Found, Source};
use super::{Gatherer, LocalId, Stage};
use crate::ice::{CandidateType, Protocol};
use crate::stun::attributes::{ErrorCode, MappedAddress, OtherAddress, XorMappedAddress};
use crate::stun::transaction::{self, Protection, Transaction};
use crate::stun::{Class, Message, Method, TransactionId, Writer};

/// A question under way.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) socket: LocalId,
    pub(super) server: usize,
    remote: SocketAddr,
    pub(super) purpose: Purpose,
    pub(super) transaction: Transaction,
}

/// Why a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// For a candidate.
    Candidate,
    /// It only looks after a mapping that is known.
    Renewal,
    /// It only looks what the NAT does; the server is none of those that were configured.
    Look,
}

/// Five requests in 7.5 s and 2 s for the last: gathering is not to take longer than people wait. The
/// RTO is RFC 8489 §6.2.1's.
const TIMERS: transaction::Config = transaction::Config {
    rto: Duration::from_millis(500),
    requests: 5,
    last_wait: 4,
    reliable_timeout: Duration::from_millis(9500),
};

/// How much of what a server says about its refusal is passed on.
const MOST_WORDS: usize = 128;
/// What only shows more of the NAT is not waited for as long: three requests in 2.5 s.
const GLANCE: transaction::Config = transaction::Config { requests: 3, last_wait: 2, ..TIMERS };

impl Gatherer {
    /// Whether a question goes out.
    pub(super) fn start_query(&mut self, now: Instant, socket: LocalId, server: usize) -> bool {
        self.query(now, socket, server, Purpose::Candidate)
    }

    fn query(&mut self, now: Instant, id: LocalId, server: usize, purpose: Purpose) -> bool {
        let Some(socket) = self.sockets.get(&id) else { return false };
        let Some(remote) = self.addresses_of(server, socket.ip).first().copied() else {
            return false;
        };
        self.ask(now, id, server, remote, purpose)
    }

    pub(super) fn ask(
        &mut self,
        now: Instant,
        id: LocalId,
        server: usize,
        remote: SocketAddr,
        purpose: Purpose,
    ) -> bool {
        let Some(local) = self.sockets.get(&id).and_then(|socket| socket.local) else {
            return false;
        };
        self.note_sent(now, id, remote, true);
        let mut transaction_id = [0; 12];
        self.rng.fill_bytes(&mut transaction_id);
        let transaction_id = TransactionId(transaction_id);
        let mut request = Vec::new();
        Writer::new(&mut request, Class::Request, Method::BINDING, transaction_id);
        let path = Path { transport: Transport::Udp, local, remote };
        let method = (transaction_id, Method::BINDING);
        let timers = if purpose == Purpose::Look { GLANCE } else { TIMERS };
        let transaction = Transaction::new(now, path, method, request, Protection::None, timers);
        self.queries.push(Query { socket: id, server, remote, purpose, transaction });
        true
    }

    /// Whether a datagram answers a question.
    pub(super) fn answers_query(&mut self, now: Instant, path: Path, payload: &[u8]) -> bool {
        if self.queries.is_empty() || path.transport != Transport::Udp {
            return false;
        }
        let Ok(message) = Message::parse(payload) else { return false };
        let mut queries = self.queries.iter_mut();
        let is_answer = queries.any(|query| query.transaction.handle_datagram(now, path, &message));
        if is_answer {
            self.conclude_queries(now);
        }
        is_answer
    }

    pub(super) fn time_out_queries(&mut self, now: Instant) {
        for query in &mut self.queries {
            query.transaction.handle_timeout(now);
        }
        self.conclude_queries(now);
        self.renew_mappings(now);
    }

    fn conclude_queries(&mut self, now: Instant) {
        let mut ended = Vec::new();
        for index in (0..self.queries.len()).rev() {
            if let Some(event) = self.queries[index].transaction.poll_event() {
                ended.push((self.queries.swap_remove(index), event));
            }
        }
        for (query, event) in ended {
            self.conclude_query(now, &query, event);
        }
    }

    fn conclude_query(&mut self, now: Instant, query: &Query, event: transaction::Event) {
        let Some(local) = self.sockets.get(&query.socket).and_then(|socket| socket.local) else {
            return;
        };
        let transaction::Event::Response { message, .. } = event else {
            if query.purpose == Purpose::Look {
                return;
            }
            let asked = &mut self.asked[query.server];
            asked.unreachable.get_or_insert_with(|| "the server does not answer".into());
            if query.purpose == Purpose::Candidate {
                asked.untold.push(query.socket);
            }
            self.renew_later(now, query);
            return;
        };
        let Ok(message) = Message::parse(&message) else { return };
        if query.purpose == Purpose::Look {
            if let Some(mapped) = mapped_in(&message) {
                self.note_mapped(query.socket, query.remote, mapped);
            }
            return;
        }
        if let Ok(Some(ErrorCode { code, reason })) = message.get() {
            // It may be shown to somebody: no control characters, nothing that turns a line around.
            let is_plain = |c: &char| c.is_alphanumeric() || c.is_ascii_graphic() || *c == ' ';
            let reason = reason.chars().filter(is_plain).take(MOST_WORDS).collect();
            self.refused(query.server, local, code, reason);
            if query.purpose == Purpose::Renewal {
                // What it refuses is to say how it sees us: the NAT has seen the request all the same.
                self.renew_later(now, query);
            }
            return;
        }
        self.asked[query.server].has_answered = true;
        if let Ok(Some(OtherAddress(other))) = message.get() {
            self.note_other(query.socket, query.remote, other);
        }
        self.note_siblings(query.socket, query.server);
        if let Some(mapped) = mapped_in(&message) {
            self.tell_reflexive(query.socket, mapped, query.server, query.remote);
            if mapped != local {
                self.renew_later(now, query);
            }
            if let Some(socket) = self.sockets.get_mut(&query.socket)
                && socket.renew_by == Some(query.server)
            {
                socket.mapped = Some(mapped);
            }
        }
    }

    /// Tells how a socket looks to a server.
    pub(super) fn tell_reflexive(
        &mut self,
        id: LocalId,
        mapped: SocketAddr,
        server: usize,
        remote: SocketAddr,
    ) {
        self.note_mapped(id, remote, mapped);
        let Some(socket) = self.sockets.get(&id) else { return };
        let Some(local) = socket.local else { return };
        let ip = socket.ip;
        // RFC 8445 §5.1.3: it is the socket's own address, there is no NAT. An IPv4 address of an IPv6
        // socket is what a NAT64 makes of it (RFC 6146); the other way round there is nothing.
        let is_impossible = mapped.is_ipv6() && local.is_ipv4();
        if socket.is_spare || mapped == local || is_impossible {
            return;
        }
        let url = self.url(server);
        self.forget_reflexive(id, &url, mapped);
        self.tell(&Found {
            id,
            kind: CandidateType::ServerReflexive,
            protocol: Protocol::Udp,
            address: mapped,
            base: local,
            ip,
            related: Some(self.config.outside(local)),
            source: Source::Server(&url, remote.ip(), Transport::Udp),
        });
    }

    /// RFC 8445 §5.1.1.4: the mapping is kept until ICE ends. One server is enough for it.
    fn renew_later(&mut self, now: Instant, query: &Query) {
        let Some(socket) = self.sockets.get_mut(&query.socket) else { return };
        if socket.renew_by.is_none_or(|by| by == query.server)
            && self.asked[query.server].has_answered
        {
            socket.renew_by = Some(query.server);
            let keepalive = self.config.keepalive;
            socket.renew_at = keepalive.map(|pause| now + pause.max(Duration::from_secs(1)));
        }
    }

    /// Sockets behind a NAT, and how a server saw them last that may be asked again.
    pub(in crate::ice) fn mappings(&self) -> impl Iterator<Item = (SocketAddr, SocketAddr)> {
        self.sockets.values().filter_map(|socket| socket.local.zip(socket.mapped))
    }

    /// Asks that server about this socket now.
    pub(in crate::ice) fn renew_mapping(&mut self, now: Instant, local: SocketAddr) {
        let mut sockets = self.sockets.iter();
        let Some((id, socket)) = sockets.find(|(_, socket)| socket.local == Some(local)) else {
            return;
        };
        let (id, server) = (*id, socket.renew_by);
        let is_asked = self.queries.iter().any(|query| query.socket == id);
        if let Some(server) = server.filter(|_| !is_asked) {
            self.query(now, id, server, Purpose::Renewal);
            self.settle(now);
        }
    }

    pub(super) fn renew_mappings_now(&mut self, now: Instant) {
        for socket in self.sockets.values_mut() {
            // `None` while one is under way.
            socket.renew_at = socket.renew_at.map(|_| now);
        }
        self.renew_mappings(now);
    }

    fn renew_mappings(&mut self, now: Instant) {
        let mut due = Vec::new();
        for (id, socket) in &mut self.sockets {
            if socket.renew_at.take_if(|at| *at <= now).is_some()
                && let Some(server) = socket.renew_by
            {
                due.push((*id, server));
            }
        }
        if !matches!(self.stage, Stage::Gathering { .. } | Stage::Complete) {
            return;
        }
        for (id, server) in due {
            self.query(now, id, server, Purpose::Renewal);
        }
    }
}

/// How a server sees us, if it says so.
fn mapped_in(message: &Message<'_>) -> Option<SocketAddr> {
    let mapped = message.get::<XorMappedAddress>().ok().flatten().map(|mapped| mapped.0);
    // RFC 8489 §12: servers older than RFC 5389 know only the plain one.
    let plain = || message.get::<MappedAddress>().ok().flatten().map(|mapped| mapped.0);
    mapped.or_else(plain)
}
