//! One mapping, whom it lets in, and how long it lasts.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::behavior::Config;
use super::connection::{Connection, Phase, Sender};
use super::protocol::{Flags, Kind, Protocol};

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

impl Scope {
    fn contains(self, remote: SocketAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Address(address) => address == remote.ip(),
            Self::Endpoint(endpoint) => endpoint == remote,
        }
    }
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
    /// When it will be forgotten if it isn't used again.
    pub until: Instant,
    /// How far TCP has come, where `from` is a single connection.
    pub phase: Option<Phase>,
}

/// What a mapping is found by: from inside by its inside address, from outside by its outside one.
pub(super) type Inner = (Kind, SocketAddr, Scope);

/// A packet, as far as a mapping takes note of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) by: Sender,
    pub(super) protocol: Protocol,
    pub(super) remote: SocketAddr,
}

/// How long something is remembered.
#[derive(Clone, Copy, Debug)]
struct Life {
    used: Instant,
    until: Instant,
}

#[derive(Debug)]
pub(super) struct MappingState {
    pub(super) kind: Kind,
    pub(super) inside: SocketAddr,
    pub(super) outside: SocketAddr,
    pub(super) scope: Scope,
    created: Instant,
    /// Whether a remote has sent anything.
    is_answered: bool,
    /// Grows with each new mapping.
    pub(super) serial: u64,
    /// When it is forgotten.
    pub(super) until: Instant,
    /// When the queue of deadlines will look at it next.
    pub(super) queued: Instant,
    /// Who is let in. Most mappings have one remote, which is at hand.
    first: (Scope, Life),
    others: FxHashMap<Scope, Life>,
    /// TCP's, by their remotes.
    connections: FxHashMap<SocketAddr, (Connection, Instant)>,
}

impl MappingState {
    pub(super) fn new(now: Instant, inner: Inner, outside: SocketAddr, from: Scope) -> Self {
        let (kind, inside, scope) = inner;
        Self {
            kind,
            inside,
            outside,
            scope,
            created: now,
            is_answered: false,
            serial: 0,
            until: now,
            queued: now,
            first: (from, Life { used: now, until: now }),
            others: FxHashMap::default(),
            connections: FxHashMap::default(),
        }
    }

    /// How many remotes, or scopes of them, it remembers.
    pub(super) fn remotes(&self) -> usize {
        (1 + self.others.len()).max(self.connections.len())
    }

    pub(super) fn lets_in(&self, now: Instant, from: Scope) -> bool {
        let life = match self.first.0 == from {
            true => Some(&self.first.1),
            false if self.others.is_empty() => None,
            false => self.others.get(&from),
        };
        life.is_some_and(|life| life.until > now)
    }

    /// Whether there is or was just now a TCP connection with `remote`.
    pub(super) fn has_connection(&self, remote: SocketAddr) -> bool {
        self.connections.contains_key(&remote)
    }

    /// Whether the next packet from outside makes it last longer than those from inside do.
    pub(super) fn will_last(&self, config: &Config) -> bool {
        !self.is_answered && self.kind == Kind::Udp && config.lifetime_answered.is_some()
    }

    /// Notes a packet, which keeps the mapping alive and its remote let in. It remembers at most so many
    /// remotes.
    pub(super) fn refresh(&mut self, now: Instant, config: &Config, sent: Sent, most: usize) {
        let from = config.filter_scope(sent.remote);
        let Protocol::Tcp(flags) = sent.protocol else {
            self.is_answered |= sent.by == Sender::Outside;
            let is_stream = self.is_answered && now >= self.created + config.answered_from;
            let until = now + config.lifetime_of(self.kind, is_stream);
            self.until = self.until.max(until);
            self.permit(from, Life { used: now, until }, now, most);
            return;
        };
        let until = self.follow(now, config, sent, flags, most);
        // The longest of those that share the scope counts; only when one of them begins to close
        // does the time come nearer, and all have to be looked at.
        let longest = |lives: &mut dyn Iterator<Item = Instant>| lives.max().unwrap_or(until);
        let (mut scope_until, mut all_until) = (until, until);
        if self.until > until {
            let connections = || self.connections.iter();
            let in_scope = connections().filter(|(remote, _)| from.contains(**remote));
            scope_until = longest(&mut in_scope.map(|(_, (_, until))| *until));
            all_until = longest(&mut connections().map(|(_, (_, until))| *until));
        }
        self.until = all_until;
        self.permit(from, Life { used: now, until: scope_until }, now, most);
    }

    /// Takes a segment's flags into account, and says how long the connection is remembered.
    fn follow(
        &mut self,
        now: Instant,
        config: &Config,
        sent: Sent,
        flags: Flags,
        most: usize,
    ) -> Instant {
        let remote = sent.remote;
        if !self.connections.contains_key(&remote) && self.connections.len() >= most {
            // Those that are not established end soonest.
            let soonest = self.connections.iter().map(|(remote, (_, until))| (*until, *remote));
            let soonest = soonest.min_by_key(|(until, remote)| (*until, *remote));
            soonest.map(|(_, remote)| self.connections.remove(&remote));
        }
        let begin = || (Connection::begin(flags), now);
        let (connection, until) = self.connections.entry(remote).or_insert_with(begin);
        connection.handle_segment(sent.by, flags);
        *until = now
            + match connection.phase() {
                Phase::Established => config.tcp_established,
                Phase::Opening | Phase::Closing => config.tcp_transitory,
            };
        *until
    }

    fn permit(&mut self, from: Scope, life: Life, now: Instant, most: usize) {
        if self.first.0 == from {
            self.first.1 = life;
            return;
        }
        if let Some(known) = self.others.get_mut(&from) {
            *known = life;
            return;
        }
        if 1 + self.others.len() >= most {
            self.others.retain(|_, life| life.until > now);
        }
        if 1 + self.others.len() < most {
            self.others.insert(from, life);
            return;
        }
        // The one that was silent longest gives way.
        let others = self.others.iter().map(|(scope, life)| (life.used, *scope));
        match others.min().filter(|oldest| *oldest < (self.first.1.used, self.first.0)) {
            Some((_, oldest)) => {
                self.others.remove(&oldest);
                self.others.insert(from, life);
            }
            None => self.first = (from, life),
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row> {
        let others = self.others.iter().map(|(from, life)| (*from, *life));
        let mut permitted: Vec<_> = others.chain([self.first]).collect();
        permitted.sort_unstable_by_key(|(from, _)| *from);
        permitted.into_iter().map(|(from, life)| Row {
            protocol: self.kind,
            inside: self.inside,
            outside: self.outside,
            to: self.scope,
            from,
            used: life.used,
            until: life.until,
            phase: match from {
                Scope::Endpoint(remote) => {
                    self.connections.get(&remote).map(|(connection, _)| connection.phase())
                }
                Scope::Any | Scope::Address(_) => None,
            },
        })
    }
}
