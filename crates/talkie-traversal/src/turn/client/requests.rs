//! Requests under way and in line, and how each is formed.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{Scope, Transmit};

use super::{Client, End, Families, Phase};
use crate::stun::attributes::{
    AdditionalAddressFamily, AddressFamily, Lifetime, RequestedAddressFamily, RequestedTransport,
    XorPeerAddress,
};
use crate::stun::transaction::{self, Protection, Transaction};
use crate::stun::{Class, Message, Method, Writer};

/// RFC 8489 §6.2: at most ten outstanding transactions to one server.
const OUTSTANDING: usize = 10;

/// The most peers that one request asks permissions for (RFC 8656 §9 has no bound): with IPv6 they take 192
/// bytes, so that a request stays well below the least MTU.
const MOST_TOGETHER: usize = 8;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Allocate,
    Refresh,
    Release,
    /// One peer or several.
    Permit(Vec<IpAddr>),
    Bind(SocketAddr),
}

impl Purpose {
    fn method(&self) -> Method {
        match self {
            Self::Allocate => Method::ALLOCATE,
            Self::Refresh | Self::Release => Method::REFRESH,
            Self::Permit(_) => Method::CREATE_PERMISSION,
            Self::Bind(_) => Method::CHANNEL_BIND,
        }
    }
}

/// The requests under way and those in line.
#[derive(Debug, Default)]
pub(super) struct Requests {
    outstanding: Vec<Outstanding>,
    /// Each peer is at most once in here, so that the bounds on peers bound it.
    waiting: VecDeque<Purpose>,
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Outstanding {
    pub(super) purpose: Purpose,
    /// How many challenges it met.
    pub(super) challenges: u8,
    transaction: Transaction,
}

impl Requests {
    pub(super) fn enqueue(&mut self, purpose: Purpose) {
        self.waiting.push_back(purpose);
    }

    /// Asks for permissions in as few requests as can be. A server that forbids one peer refuses all that were
    /// asked for with it (RFC 8656 §10.2), and the peers it forbids are those on private networks: so these go
    /// apart from the others.
    pub(super) fn enqueue_permits(&mut self, peers: &[IpAddr]) {
        let is_outside = |ip: &IpAddr| Scope::of(*ip) >= Scope::Shared;
        let (outside, inside): (Vec<IpAddr>, Vec<IpAddr>) =
            peers.iter().copied().partition(is_outside);
        for together in outside.chunks(MOST_TOGETHER).chain(inside.chunks(MOST_TOGETHER)) {
            self.enqueue(Purpose::Permit(together.to_vec()));
        }
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.outstanding.clear();
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.outstanding.iter().filter_map(|request| request.transaction.poll_timeout()).min()
    }

    pub(super) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.outstanding.iter_mut().find_map(|request| request.transaction.poll_transmit(buf))
    }

    /// The next request that ended.
    fn poll_ended(&mut self) -> Option<(Outstanding, transaction::Event)> {
        let (index, event) = self
            .outstanding
            .iter_mut()
            .enumerate()
            .find_map(|(index, request)| Some((index, request.transaction.poll_event()?)))?;
        Some((self.outstanding.remove(index), event))
    }
}

impl Client {
    /// Sends a request that has met `challenges` challenges.
    pub(super) fn begin(&mut self, now: Instant, purpose: Purpose, challenges: u8) {
        let id = self.transaction_id();
        let method = purpose.method();
        let mut request = Vec::with_capacity(200);
        let mut writer = Writer::new(&mut request, Class::Request, method, id);
        match &purpose {
            Purpose::Allocate => {
                write_allocate(&mut writer, self.config.families, self.config.lifetime);
            }
            Purpose::Refresh => {
                writer.optional(self.config.lifetime.map(Lifetime).as_ref());
            }
            Purpose::Release => {
                writer.attribute(&Lifetime(Duration::ZERO));
            }
            Purpose::Permit(peers) => {
                for peer in peers {
                    writer.attribute(&XorPeerAddress(SocketAddr::new(*peer, 0)));
                }
            }
            Purpose::Bind(peer) => {
                writer
                    .optional(self.peers.number_of(*peer).as_ref())
                    .attribute(&XorPeerAddress(*peer));
            }
        }
        let protection = match &self.credential {
            Some(credential) => credential.protect(&mut writer),
            None => Protection::None,
        };
        let config = transaction::Config { rto: self.rto.current(now), ..self.config.transaction };
        let transaction =
            Transaction::new(now, self.path, (id, method), request, protection, config);
        self.requests.outstanding.push(Outstanding { purpose, challenges, transaction });
        self.last_sent = now;
    }

    /// Sends what is in line, as far as it may.
    pub(super) fn pump(&mut self, now: Instant) {
        while matches!(self.phase, Phase::Allocated { .. })
            && self.requests.outstanding.len() < OUTSTANDING
            && let Some(purpose) = self.requests.waiting.pop_front()
        {
            self.begin(now, purpose, 0);
        }
    }

    /// Gives the allocation back and forgets all else (RFC 8656 §8.1).
    pub(super) fn release(&mut self, now: Instant, end: End) {
        self.requests.clear();
        self.peers.clear();
        self.phase = Phase::Closing(end);
        self.begin(now, Purpose::Release, 0);
    }

    pub(super) fn handle_response(&mut self, now: Instant, message: &Message<'_>) {
        let path = self.path;
        let taken = self
            .requests
            .outstanding
            .iter_mut()
            .any(|request| request.transaction.handle_datagram(now, path, message));
        if !taken {
            self.counters.unexpected += 1;
        }
        self.conclude_ended(now);
    }

    pub(super) fn time_out_requests(&mut self, now: Instant) {
        for request in &mut self.requests.outstanding {
            request.transaction.handle_timeout(now);
        }
        self.conclude_ended(now);
    }

    fn conclude_ended(&mut self, now: Instant) {
        while let Some((request, event)) = self.requests.poll_ended() {
            self.conclude(now, &request, event);
        }
        self.pump(now);
    }

    /// Renews what is due.
    pub(super) fn refresh(&mut self, now: Instant) {
        let Phase::Allocated { refresh_at, .. } = &mut self.phase else {
            return;
        };
        if refresh_at.take_if(|at| *at <= now).is_some() {
            // Not in line behind the peers' requests: without it they are nothing.
            self.begin(now, Purpose::Refresh, 0);
        }
        let due = self.peers.due_permissions(now);
        self.requests.enqueue_permits(&due);
        while let Some(purpose) = self.peers.next_due(now) {
            self.requests.enqueue(purpose);
        }
        self.pump(now);
    }
}

/// RFC 8656 §7.1.
fn write_allocate(writer: &mut Writer<'_>, families: Families, lifetime: Option<Duration>) {
    writer.attribute(&RequestedTransport::UDP);
    match families {
        Families::Ipv4 => {}
        Families::Ipv6 => {
            writer.attribute(&RequestedAddressFamily(AddressFamily::IPV6));
        }
        Families::Both => {
            writer.attribute(&AdditionalAddressFamily(AddressFamily::IPV6));
        }
    }
    writer.optional(lifetime.map(Lifetime).as_ref());
}
