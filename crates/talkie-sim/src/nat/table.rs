//! The mappings, found from either side, and forgotten in time.
//!
//! Traffic only notes until when a mapping lasts; its place in the queue of deadlines is put right when
//! its turn comes, and at once only where it lasts less long than before. So a packet costs no
//! reordering.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::index::Index;
use super::keyed::Keyed;
use super::mapping::{Inner, MappingState, Row, Scope};
use super::port_set::PortSet;
use super::protocol::Kind;

#[derive(Debug)]
pub(super) struct Table {
    mappings: Vec<Option<MappingState>>,
    /// Places in `mappings` that are free.
    free: Vec<u32>,
    last_serial: u64,
    by_inside: Index,
    /// Whether the mapping's scope is part of its key from outside, so that ports may be shared. Else
    /// [`Scope::Any`] stands for it.
    is_overloading: bool,
    by_outside: Index,
    /// Where ports may be shared: the outside addresses of each inside one, by the mappings' serials.
    given: BTreeMap<(Kind, SocketAddr, u64), SocketAddr>,
    /// Where ports are not shared: those that are taken.
    taken: FxHashMap<(Kind, IpAddr), PortSet>,
    deadlines: BinaryHeap<Reverse<(Instant, u32)>>,
    /// How many remotes all mappings remember.
    remotes: usize,
    /// Up to when everything has been forgotten that ended.
    expired: Option<Instant>,
}

const IS_THERE: &str = "the indexes name mappings that are there";

impl Table {
    pub(super) fn new(is_overloading: bool, keyed: Keyed) -> Self {
        Self {
            mappings: Vec::new(),
            free: Vec::new(),
            last_serial: 0,
            by_inside: Index::new(keyed),
            is_overloading,
            by_outside: Index::new(keyed),
            given: BTreeMap::new(),
            taken: FxHashMap::default(),
            deadlines: BinaryHeap::new(),
            remotes: 0,
            expired: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_inside.len()
    }

    /// How many remotes all mappings together remember.
    pub(super) fn remotes(&self) -> usize {
        self.remotes
    }

    pub(super) fn by_inside(&self, inner: Inner) -> Option<u32> {
        self.by_inside.get(&inner)
    }

    /// The mapping with this outside address, of which those towards `scope` count where several may
    /// share it.
    pub(super) fn by_outside(&self, kind: Kind, outside: SocketAddr, scope: Scope) -> Option<u32> {
        self.by_outside.get(&self.outer(kind, outside, scope))
    }

    /// Whether somebody else than `inside` has this outside address, whomever for.
    pub(super) fn is_anothers(&self, kind: Kind, outside: SocketAddr, inside: SocketAddr) -> bool {
        let mut mappings = self.mappings.iter().flatten();
        mappings.any(|it| (it.kind, it.outside) == (kind, outside) && it.inside != inside)
    }

    /// What `inside` was given last of what it still has.
    pub(super) fn given_last(&self, kind: Kind, inside: SocketAddr) -> Option<SocketAddr> {
        let all = (kind, inside, 0)..=(kind, inside, u64::MAX);
        self.given.range(all).next_back().map(|(_, outside)| *outside)
    }

    /// How many ports of an outside address are taken, where they are not shared.
    pub(super) fn ports_in_use(&self, kind: Kind, address: IpAddr) -> usize {
        self.taken.get(&(kind, address)).map_or(0, PortSet::len)
    }

    /// Ports that are free, where they are not shared, from the one behind `after` on; only those of one
    /// parity if there is one.
    pub(super) fn free_ports(
        &self,
        kind: Kind,
        address: IpAddr,
        after: u16,
        parity: Option<u16>,
    ) -> impl Iterator<Item = u16> {
        let taken = self.taken.get(&(kind, address));
        taken.into_iter().flat_map(move |taken| taken.free(after, parity))
    }

    pub(super) fn get(&self, id: u32) -> &MappingState {
        self.mappings[id as usize].as_ref().expect(IS_THERE)
    }

    /// Lets `change` change when a mapping ends and whom it remembers.
    pub(super) fn change(&mut self, id: u32, change: impl FnOnce(&mut MappingState)) {
        let mapping = self.mappings[id as usize].as_mut().expect(IS_THERE);
        let remotes = mapping.remotes();
        change(mapping);
        self.remotes = self.remotes + mapping.remotes() - remotes;
        if mapping.until < mapping.queued {
            mapping.queued = mapping.until;
            self.deadlines.push(Reverse((mapping.until, id)));
            self.forget_stale();
        }
    }

    /// A deadline that has come nearer leaves a late one behind in the queue. Where they pile up, as with
    /// connections that are reset again and again, they are taken out together.
    fn forget_stale(&mut self) {
        let Self { mappings, deadlines, .. } = self;
        if deadlines.len() > 2 * mappings.len() + 32 {
            deadlines.retain(|Reverse((at, id))| {
                mappings[*id as usize].as_ref().is_some_and(|mapping| mapping.queued == *at)
            });
        }
    }

    pub(super) fn insert(&mut self, mut mapping: MappingState) {
        self.last_serial += 1;
        mapping.serial = self.last_serial;
        mapping.queued = mapping.until;
        self.remotes += mapping.remotes();
        let (kind, outside) = (mapping.kind, mapping.outside);
        let inner = (kind, mapping.inside, mapping.scope);
        let outer = self.outer(kind, outside, mapping.scope);
        if self.is_overloading {
            self.given.insert((kind, mapping.inside, mapping.serial), outside);
        }
        let (inside, until) = (mapping.inside, mapping.until);
        let id = match self.free.pop() {
            Some(id) => {
                self.mappings[id as usize] = Some(mapping);
                id
            }
            None => {
                self.mappings.push(Some(mapping));
                self.mappings.len() as u32 - 1
            }
        };
        self.by_inside.insert(inner, id);
        self.by_outside.insert(outer, id);
        // What is not translated has the ports of many hosts, who do not share them.
        if !self.is_overloading && outside.ip() != inside.ip() {
            self.taken.entry((kind, outside.ip())).or_default().insert(outside.port());
        }
        self.deadlines.push(Reverse((until, id)));
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn expire(&mut self, now: Instant) {
        self.expired = Some(now);
        while let Some(&Reverse((at, id))) = self.deadlines.peek()
            && at <= now
        {
            self.deadlines.pop();
            let Some(mapping) = self.mappings[id as usize].as_mut() else { continue };
            if mapping.queued != at {
                // It was queued again since, or the place has another mapping.
                continue;
            }
            if mapping.until > now {
                mapping.queued = mapping.until;
                self.deadlines.push(Reverse((mapping.until, id)));
            } else {
                self.remove(id);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn queued_deadlines(&self) -> usize {
        self.deadlines.len()
    }

    /// What lasts beyond the time up to which [`Table::expire`] has been called.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut mappings: Vec<_> = self.mappings.iter().flatten().collect();
        mappings.sort_unstable_by_key(|mapping| mapping.serial);
        let rows = mappings.into_iter().flat_map(MappingState::rows);
        rows.filter(|row| self.expired.is_none_or(|expired| row.until > expired)).collect()
    }

    fn outer(&self, kind: Kind, outside: SocketAddr, scope: Scope) -> Inner {
        (kind, outside, if self.is_overloading { scope } else { Scope::Any })
    }

    fn remove(&mut self, id: u32) {
        let Some(mapping) = self.mappings[id as usize].take() else { return };
        self.free.push(id);
        self.remotes -= mapping.remotes();
        let (kind, address) = (mapping.kind, mapping.outside.ip());
        self.given.remove(&(kind, mapping.inside, mapping.serial));
        self.by_inside.remove(&(kind, mapping.inside, mapping.scope));
        self.by_outside.remove(&self.outer(kind, mapping.outside, mapping.scope));
        if let Some(taken) = self.taken.get_mut(&(kind, address)) {
            taken.remove(mapping.outside.port());
            if taken.len() == 0 {
                self.taken.remove(&(kind, address));
            }
        }
    }
}
