//! One mapping, and whom it lets in.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::protocol::Kind;

/// Remotes, as far as a NAT tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All of them.
    Any,
    /// Whoever is at an address.
    Address(IpAddr),
    /// An address and port.
    Endpoint(SocketAddr),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Endpoint(endpoint) => write!(f, "{endpoint}"),
        }
    }
}

/// A line of the table, as textbooks draw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Of which protocol it is.
    pub protocol: Kind,
    /// The host's own address and port.
    pub inside: SocketAddr,
    /// What the world sees in its place.
    pub outside: SocketAddr,
    /// For packets to whom the mapping is used.
    pub to: Scope,
    /// From whom it lets packets in.
    pub from: Scope,
    /// When it was last used.
    pub used: Instant,
}

/// What a mapping is found by from inside.
pub(super) type Inner = (Kind, SocketAddr, Scope);

#[derive(Debug)]
pub(super) struct MappingState {
    pub(super) kind: Kind,
    pub(super) inside: SocketAddr,
    pub(super) outside: SocketAddr,
    pub(super) scope: Scope,
    /// When traffic last kept it alive.
    pub(super) used: Instant,
    /// Who is let in, and when that was last confirmed.
    permitted: FxHashMap<Scope, Instant>,
}

impl MappingState {
    pub(super) fn new(now: Instant, (kind, inside, scope): Inner, outside: SocketAddr) -> Self {
        Self { kind, inside, outside, scope, used: now, permitted: FxHashMap::default() }
    }

    pub(super) fn permit(&mut self, now: Instant, from: Scope, lifetime: Duration, most: usize) {
        if !self.permitted.contains_key(&from) && self.permitted.len() >= most {
            self.permitted.retain(|_, used| is_alive(now, *used, lifetime));
            if self.permitted.len() >= most {
                let oldest = self.permitted.iter().min_by_key(|(scope, used)| (**used, **scope));
                let oldest = oldest.map(|(scope, _)| *scope);
                oldest.map(|scope| self.permitted.remove(&scope));
            }
        }
        self.permitted.insert(from, now);
    }

    pub(super) fn lets_in(&self, now: Instant, from: Scope, lifetime: Duration) -> bool {
        self.permitted.get(&from).is_some_and(|used| is_alive(now, *used, lifetime))
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row> {
        let mut permitted: Vec<_> =
            self.permitted.iter().map(|(from, used)| (*from, *used)).collect();
        permitted.sort_unstable();
        permitted.into_iter().map(|(from, used)| Row {
            protocol: self.kind,
            inside: self.inside,
            outside: self.outside,
            to: self.scope,
            from,
            used,
        })
    }
}

pub(super) fn is_alive(now: Instant, used: Instant, lifetime: Duration) -> bool {
    now.saturating_duration_since(used) < lifetime
}
