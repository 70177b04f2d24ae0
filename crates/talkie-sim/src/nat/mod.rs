//! A NAT, in the words of RFC 4787.
//!
//! [`Nat`] is told of each packet by its addresses and answers with what they become, or why the packet
//! goes no further. Every behaviour is a field of [`Config`]; the classic names are presets of it:
//!
//! | | mapping | filtering |
//! |---|---|---|
//! | full cone | endpoint-independent | endpoint-independent |
//! | address-restricted cone | endpoint-independent | address-dependent |
//! | port-restricted cone | endpoint-independent | address-and-port-dependent |
//! | symmetric | address-and-port-dependent | address-and-port-dependent |
//!
//! Mappings of UDP, TCP and ICMP queries are apart. TCP adds connections to them, which live for hours
//! once both sides have agreed and minutes otherwise (RFC 5382 REQ-5).
//!
//! Several levels, such as a home router behind a provider's NAT, are several `Nat`s, one after the
//! other.

mod behavior;
mod catalog;
mod connection;
mod descriptions;
mod forwards;
mod index;
mod keyed;
mod mapping;
mod notes;
mod port_set;
mod ports;
mod prefix;
mod presets;
mod protocol;
mod table;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

pub use behavior::{Config, Filtering, Hairpinning, Mapping, Pooling, Ports, Unsolicited};
pub use catalog::{Preset, UnknownPreset};
pub use connection::Phase;
pub use mapping::{Row, Scope};
pub use prefix::Prefix;
pub use protocol::{Flags, Kind, Protocol};

use connection::Sender;
use forwards::Forwards;
use keyed::Keyed;
use mapping::{MappingState, Sent};
use notes::Notes;
use ports::Chooser;
use table::Table;

/// A NAT: two sides, and a table of mappings between them.
#[derive(Debug)]
pub struct Nat {
    config: Config,
    keyed: Keyed,
    table: Table,
    notes: Notes,
    forwards: Forwards,
    chooser: Chooser,
}

/// What becomes of a packet: where it goes on to, and from whom it then seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Out into the world.
    Outside {
        /// The source that the world sees.
        source: SocketAddr,
    },
    /// To a host inside.
    Inside {
        /// The source that the host sees.
        source: SocketAddr,
        /// The host's own address.
        to: SocketAddr,
    },
    /// Nowhere.
    Dropped(Reason),
}

/// Why a packet went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The protocol does not pass.
    Blocked,
    /// No mapping has this outside address, or it is a TCP reset from inside of what nobody knows.
    NoMapping,
    /// There is a mapping, which does not let this remote in.
    Filtered,
    /// Those inside do not reach each other by their outside addresses.
    NoHairpinning,
    /// No outside port is free.
    NoPort,
    /// There are as many mappings as there may be.
    TableFull,
}

impl Nat {
    /// A NAT that knows nobody yet. The same seed and the same packets give the same ports.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let chooser = Chooser::new(ChaCha8Rng::from_seed(seed));
        let keyed = Keyed::new(seed);
        let table = Table::new(config.overloading, keyed);
        Self {
            config,
            keyed,
            table,
            notes: Notes::new(keyed),
            forwards: Forwards::default(),
            chooser,
        }
    }

    /// What it does.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A packet from inside, from `inside` to `remote`.
    pub fn handle_outbound(
        &mut self,
        now: Instant,
        protocol: Protocol,
        inside: SocketAddr,
        remote: SocketAddr,
    ) -> Verdict {
        if !self.config.passes(protocol.kind()) {
            return Verdict::Dropped(Reason::Blocked);
        }
        self.expire(now);
        let hairpin = self.config.outside.contains(&remote.ip());
        if hairpin && self.config.hairpinning == Hairpinning::Unsupported {
            return Verdict::Dropped(Reason::NoHairpinning);
        }
        let source = match self.map(now, protocol, inside, remote) {
            Ok(outside) => outside,
            Err(reason) => return Verdict::Dropped(reason),
        };
        if !hairpin {
            return Verdict::Outside { source };
        }
        match self.admit(now, protocol, remote, source) {
            // RFC 4787 REQ-9: the receiver must see the address that it can answer to.
            Ok(to) if self.config.hairpinning == Hairpinning::InternalSource => {
                Verdict::Inside { source: inside, to }
            }
            Ok(to) => Verdict::Inside { source, to },
            Err(reason) => Verdict::Dropped(reason),
        }
    }

    /// A packet from outside, from `remote` to `outside`.
    pub fn handle_inbound(
        &mut self,
        now: Instant,
        protocol: Protocol,
        outside: SocketAddr,
        remote: SocketAddr,
    ) -> Verdict {
        let kind = protocol.kind();
        if !self.config.passes(kind) {
            return Verdict::Dropped(Reason::Blocked);
        }
        self.expire(now);
        match self.admit(now, protocol, outside, remote) {
            Ok(to) => Verdict::Inside { source: remote, to },
            Err(reason) => {
                // RFC 5382 REQ-4: a SYN that comes before ours is dropped without a word, so that ours
                // can meet the next one; REQ-4 (a) allows it to stay so.
                if self.config.unsolicited == Unsolicited::Tracked
                    && kind == Kind::Udp
                    && self.config.outside.contains(&outside.ip())
                {
                    let until = now + self.config.lifetime_of(kind, false);
                    self.notes.set((kind, outside, remote), until, self.config.most_mappings);
                }
                Verdict::Dropped(reason)
            }
        }
    }

    /// Holds a port outside open for `inside` until then, for whoever comes to it, as a box does that was asked
    /// to (RFC 6887 §11.3, MAP). What `inside` sends to who has come by it, and what it sends anew, is seen from
    /// there. Says whether it can be had: not if somebody else has it, or another box. A time that has passed
    /// takes it back.
    pub fn forward(
        &mut self,
        now: Instant,
        kind: Kind,
        outside: SocketAddr,
        inside: SocketAddr,
        until: Instant,
    ) -> bool {
        self.expire(now);
        let is_free = match self.forwards.holder(kind, outside) {
            Some(holder) => holder == inside,
            None => !self.table.is_anothers(kind, outside, inside),
        };
        if !is_free || !self.config.outside.contains(&outside.ip()) {
            return false;
        }
        self.forwards.set(kind, outside, inside, until);
        true
    }

    /// Who inside sent a packet that the world saw go from `outside` to `remote`. Keeps nothing alive:
    /// it is for ICMP errors, which are about a packet and part of no flow (RFC 5508 REQ-4, REQ-6).
    #[must_use]
    pub fn inside_of(
        &self,
        now: Instant,
        kind: Kind,
        outside: SocketAddr,
        remote: SocketAddr,
    ) -> Option<SocketAddr> {
        let scope = self.config.mapping_scope(remote);
        let mapping = self.table.get(self.table.by_outside(kind, outside, scope)?);
        mapping.lets_in(now, self.config.filter_scope(remote)).then_some(mapping.inside)
    }

    /// How the world sees `inside` in what goes to `remote`, if it sees it at all (RFC 5508 REQ-5). Keeps
    /// nothing alive.
    #[must_use]
    pub fn outside_of(
        &self,
        now: Instant,
        kind: Kind,
        inside: SocketAddr,
        remote: SocketAddr,
    ) -> Option<SocketAddr> {
        let scope = self.config.mapping_scope(remote);
        let mapping = self.table.get(self.table.by_inside((kind, inside, scope))?);
        (mapping.until > now).then_some(mapping.outside)
    }

    /// Forgets what has been silent for too long. Packets do so, too; this is for whoever reads the
    /// table, and for the deadline.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expire(now);
    }

    /// When something will be forgotten, at the earliest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let deadlines =
            [self.table.next_deadline(), self.notes.next_deadline(), self.forwards.next_deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// The table as of the last packet or timeout, oldest mapping first; one row for each remote that
    /// a mapping lets in.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.table.rows()
    }

    /// Forgets everything, as a box does that is switched off and on.
    pub fn reboot(&mut self) {
        self.table = Table::new(self.config.overloading, self.keyed);
        self.notes = Notes::new(self.keyed);
        self.forwards = Forwards::default();
    }

    fn expire(&mut self, now: Instant) {
        self.table.expire(now);
        self.notes.expire(now);
        self.forwards.expire(now);
    }

    /// The outside address of `inside` towards `remote`, which may answer from now on.
    fn map(
        &mut self,
        now: Instant,
        protocol: Protocol,
        inside: SocketAddr,
        remote: SocketAddr,
    ) -> Result<SocketAddr, Reason> {
        let inner = (protocol.kind(), inside, self.config.mapping_scope(remote));
        if let Some(outside) = self.forwards.come_by(inner.0, inside, remote) {
            return Ok(outside);
        }
        let sent = Sent { by: Sender::Inside, protocol, remote };
        if let Some(id) = self.table.by_inside(inner) {
            let mapping = self.table.get(id);
            let outside = mapping.outside;
            // A reset of what nobody knows may be the answer to a stray segment, and opens nothing.
            if !protocol.is_reset() || mapping.has_connection(remote) {
                self.refresh(now, id, sent);
            }
            return Ok(outside);
        }
        if let Some(outside) = self.forwards.held_by(inner.0, inside) {
            return Ok(outside);
        }
        if protocol.is_reset() {
            return Err(Reason::NoMapping);
        }
        if self.table.len() >= self.config.most_mappings {
            return Err(Reason::TableFull);
        }
        let flow = (inner.0, inside, remote);
        let outside = self
            .chooser
            .choose(&self.config, &self.table, (&self.notes, &self.forwards), flow)
            .ok_or(Reason::NoPort)?;
        let mut mapping = MappingState::new(now, inner, outside, self.config.filter_scope(remote));
        mapping.refresh(now, &self.config, sent, 1);
        self.table.insert(mapping);
        Ok(outside)
    }

    /// Who inside is meant by `outside`, if `remote` may send there.
    fn admit(
        &mut self,
        now: Instant,
        protocol: Protocol,
        outside: SocketAddr,
        remote: SocketAddr,
    ) -> Result<SocketAddr, Reason> {
        let most = self.config.most_remotes;
        if let Some(inside) = self.forwards.admit(protocol.kind(), outside, remote, most) {
            return Ok(inside);
        }
        let scope = self.config.mapping_scope(remote);
        let id = self.table.by_outside(protocol.kind(), outside, scope);
        let id = id.ok_or(Reason::NoMapping)?;
        let mapping = self.table.get(id);
        if !mapping.lets_in(now, self.config.filter_scope(remote)) {
            return Err(Reason::Filtered);
        }
        let inside = mapping.inside;
        let is_kept_alive = match protocol {
            Protocol::Udp | Protocol::Icmp => {
                self.config.inbound_refresh || mapping.will_last(&self.config)
            }
            // RFC 5382 REQ-2: one that is let in may also begin a connection.
            Protocol::Tcp(flags) => {
                let begins = flags.contains(Flags::SYN) && !protocol.is_reset();
                begins || mapping.has_connection(remote)
            }
        };
        if is_kept_alive {
            self.refresh(now, id, Sent { by: Sender::Outside, protocol, remote });
        }
        Ok(inside)
    }

    fn refresh(&mut self, now: Instant, id: u32, sent: Sent) {
        let most = match self.table.remotes() >= self.config.most_remotes_in_all {
            true => self.table.get(id).remotes(),
            false => self.config.most_remotes.max(1),
        };
        let config = &self.config;
        self.table.change(id, |mapping| mapping.refresh(now, config, sent, most));
    }
}

impl Config {
    fn passes(&self, kind: Kind) -> bool {
        self.udp || kind != Kind::Udp
    }

    /// Which remotes share a mapping with this one.
    fn mapping_scope(&self, remote: SocketAddr) -> Scope {
        match self.mapping {
            Mapping::EndpointIndependent => Scope::Any,
            // What is not translated has nothing that could depend on anything.
            _ if !self.translates(remote.ip()) => Scope::Any,
            Mapping::AddressDependent => Scope::Address(remote.ip()),
            Mapping::AddressAndPortDependent => Scope::Endpoint(remote),
        }
    }

    fn translates(&self, address: IpAddr) -> bool {
        self.outside.iter().any(|outside| outside.is_ipv4() == address.is_ipv4())
    }

    /// Which remotes are let in with this one.
    fn filter_scope(&self, remote: SocketAddr) -> Scope {
        match self.filtering {
            Filtering::EndpointIndependent => Scope::Any,
            Filtering::AddressDependent => Scope::Address(remote.ip()),
            Filtering::AddressAndPortDependent => Scope::Endpoint(remote),
        }
    }

    /// How long silence lasts that ends a mapping of UDP or ICMP.
    fn lifetime_of(&self, kind: Kind, is_stream: bool) -> Duration {
        match kind {
            Kind::Icmp => self.icmp_lifetime,
            Kind::Udp if is_stream => self.lifetime_answered.unwrap_or(self.lifetime),
            Kind::Udp => self.lifetime,
            Kind::Tcp => self.tcp_transitory,
        }
    }
}
