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
//! Several levels, such as a home router behind a provider's NAT, are several `Nat`s, one after the
//! other.

mod behavior;
mod catalog;
mod mapping;
mod notes;
mod ports;
mod presets;
mod protocol;
mod table;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

pub use behavior::{Config, Filtering, Hairpinning, Mapping, Pooling, Ports, Unsolicited};
pub use catalog::{Preset, UnknownPreset};
pub use mapping::{Row, Scope};
pub use protocol::{Flags, Kind, Protocol};

use notes::Notes;
use ports::Chooser;
use table::Table;

/// A NAT: two sides, and a table of mappings between them.
#[derive(Debug)]
pub struct Nat {
    config: Config,
    table: Table,
    notes: Notes,
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
    /// No mapping has this outside address.
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
        Self { config, table: Table::default(), notes: Notes::default(), chooser }
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
        let kind = protocol.kind();
        if !self.config.passes(kind) {
            return Verdict::Dropped(Reason::Blocked);
        }
        self.expire(now);
        let hairpin = self.config.outside.contains(&remote.ip());
        if hairpin && self.config.hairpinning == Hairpinning::Unsupported {
            return Verdict::Dropped(Reason::NoHairpinning);
        }
        let source = match self.map(now, kind, inside, remote) {
            Ok(outside) => outside,
            Err(reason) => return Verdict::Dropped(reason),
        };
        if !hairpin {
            return Verdict::Outside { source };
        }
        match self.admit(now, kind, remote, source) {
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
        match self.admit(now, kind, outside, remote) {
            Ok(to) => Verdict::Inside { source: remote, to },
            Err(reason) => {
                if self.config.unsolicited == Unsolicited::Tracked
                    && self.config.outside.contains(&outside.ip())
                {
                    let until = now + self.config.lifetime;
                    self.notes.set((kind, outside, remote), until, self.config.most_mappings);
                }
                Verdict::Dropped(reason)
            }
        }
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
        let permitted = self.config.filter_scope(remote);
        let lifetime = self.config.lifetime;
        let ids = self.table.by_outside(kind, outside).iter();
        let mut mappings = ids.map(|id| self.table.get(*id));
        let mapping = mappings.find(|mapping| mapping.lets_in(now, permitted, lifetime))?;
        Some(mapping.inside)
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
        let is_alive = mapping.used + self.config.lifetime > now;
        is_alive.then_some(mapping.outside)
    }

    /// Forgets what has been silent for too long. Packets do so, too; this is for whoever reads the
    /// table, and for the deadline.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expire(now);
    }

    /// When something will be forgotten, at the earliest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.table.next_deadline(), self.notes.next_deadline()].into_iter().flatten().min()
    }

    /// The table as of the last packet or timeout, oldest mapping first; one row for each remote that
    /// a mapping lets in.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.table.rows()
    }

    /// Forgets everything, as a box does that is switched off and on.
    pub fn reboot(&mut self) {
        self.table = Table::default();
        self.notes = Notes::default();
    }

    fn expire(&mut self, now: Instant) {
        self.table.expire(now, self.config.lifetime);
        self.notes.expire(now);
    }

    /// The outside address of `inside` towards `remote`, which may answer from now on.
    fn map(
        &mut self,
        now: Instant,
        kind: Kind,
        inside: SocketAddr,
        remote: SocketAddr,
    ) -> Result<SocketAddr, Reason> {
        let scope = self.config.mapping_scope(remote);
        let id = match self.table.by_inside((kind, inside, scope)) {
            Some(id) => id,
            None if self.table.len() >= self.config.most_mappings => return Err(Reason::TableFull),
            None => {
                let outside = self
                    .chooser
                    .choose(&self.config, &self.table, &self.notes, (kind, inside, remote))
                    .ok_or(Reason::NoPort)?;
                self.table.insert(now, self.config.lifetime, (kind, inside, scope), outside)
            }
        };
        let permitted = self.config.filter_scope(remote);
        let mapping = self.table.touch(id, now);
        mapping.permit(now, permitted, self.config.lifetime, self.config.most_remotes);
        Ok(mapping.outside)
    }

    /// Who inside is meant by `outside`, if `remote` may send there.
    fn admit(
        &mut self,
        now: Instant,
        kind: Kind,
        outside: SocketAddr,
        remote: SocketAddr,
    ) -> Result<SocketAddr, Reason> {
        let permitted = self.config.filter_scope(remote);
        let ids = self.table.by_outside(kind, outside);
        if ids.is_empty() {
            return Err(Reason::NoMapping);
        }
        let lifetime = self.config.lifetime;
        let lets_in = |id: &u32| self.table.get(*id).lets_in(now, permitted, lifetime);
        let id = ids.iter().copied().find(lets_in).ok_or(Reason::Filtered)?;
        if self.config.inbound_refresh {
            let mapping = self.table.touch(id, now);
            mapping.permit(now, permitted, lifetime, self.config.most_remotes);
        }
        Ok(self.table.get(id).inside)
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
            Mapping::AddressDependent => Scope::Address(remote.ip()),
            Mapping::AddressAndPortDependent => Scope::Endpoint(remote),
        }
    }

    /// Which remotes are let in with this one.
    fn filter_scope(&self, remote: SocketAddr) -> Scope {
        match self.filtering {
            Filtering::EndpointIndependent => Scope::Any,
            Filtering::AddressDependent => Scope::Address(remote.ip()),
            Filtering::AddressAndPortDependent => Scope::Endpoint(remote),
        }
    }
}
