//! Ports that are held open: by somebody inside who asked for one (PCP, NAT-PMP, UPnP-IGD), or by hand.
//!
//! What comes to such a port goes to one address inside, from whomever (RFC 6887 §11.3). Answers leave from
//! it too: who has come by it is remembered, since to others the same inside port may be seen as another
//! mapping, which was there before.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Instant;

use super::protocol::Kind;

#[derive(Debug, Default)]
pub(super) struct Forwards(BTreeMap<(Kind, SocketAddr), Forward>);

#[derive(Debug)]
struct Forward {
    inside: SocketAddr,
    until: Instant,
    /// Who has come by it.
    remotes: BTreeSet<SocketAddr>,
}

impl Forwards {
    pub(super) fn set(
        &mut self,
        kind: Kind,
        outside: SocketAddr,
        inside: SocketAddr,
        until: Instant,
    ) {
        let new = || Forward { inside, until, remotes: BTreeSet::new() };
        let forward = self.0.entry((kind, outside)).or_insert_with(new);
        (forward.inside, forward.until) = (inside, until);
    }

    pub(super) fn has(&self, kind: Kind, outside: SocketAddr) -> bool {
        self.0.contains_key(&(kind, outside))
    }

    /// Who inside holds that port.
    pub(super) fn holder(&self, kind: Kind, outside: SocketAddr) -> Option<SocketAddr> {
        self.0.get(&(kind, outside)).map(|forward| forward.inside)
    }

    /// Who inside is meant by what comes from `remote`, of whom it remembers at most so many.
    pub(super) fn admit(
        &mut self,
        kind: Kind,
        outside: SocketAddr,
        remote: SocketAddr,
        most: usize,
    ) -> Option<SocketAddr> {
        let forward = self.0.get_mut(&(kind, outside))?;
        if forward.remotes.len() < most {
            forward.remotes.insert(remote);
        }
        Some(forward.inside)
    }

    /// The port that `remote` has come by to `inside`.
    pub(super) fn come_by(
        &self,
        kind: Kind,
        inside: SocketAddr,
        remote: SocketAddr,
    ) -> Option<SocketAddr> {
        self.of(kind, inside).find(|(_, it)| it.remotes.contains(&remote)).map(|(out, _)| out)
    }

    /// A port that `inside` holds.
    pub(super) fn held_by(&self, kind: Kind, inside: SocketAddr) -> Option<SocketAddr> {
        self.of(kind, inside).next().map(|(outside, _)| outside)
    }

    pub(super) fn expire(&mut self, now: Instant) {
        self.0.retain(|_, forward| forward.until > now);
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.0.values().map(|forward| forward.until).min()
    }

    fn of(&self, kind: Kind, inside: SocketAddr) -> impl Iterator<Item = (SocketAddr, &Forward)> {
        let is_its =
            move |(key, it): &(&(Kind, SocketAddr), &Forward)| key.0 == kind && it.inside == inside;
        self.0.iter().filter(is_its).map(|(key, forward)| (key.1, forward))
    }
}
