//! The mappings, found from either side, and forgotten in time.
//!
//! Traffic only notes when it came; a mapping's place in the queue of deadlines is put right when its
//! turn comes. So a packet costs no reordering.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::mapping::{Inner, MappingState, Row};
use super::protocol::Kind;

#[derive(Debug, Default)]
pub(super) struct Table {
    /// By the order in which they were made, which numbers never repeat.
    mappings: FxHashMap<u32, MappingState>,
    last_id: u32,
    by_inside: FxHashMap<Inner, u32>,
    /// Several only where ports are overloaded.
    by_outside: FxHashMap<(Kind, SocketAddr), Vec<u32>>,
    ports_in_use: FxHashMap<(Kind, IpAddr), usize>,
    deadlines: BinaryHeap<Reverse<(Instant, u32)>>,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.mappings.len()
    }

    pub(super) fn by_inside(&self, inner: Inner) -> Option<u32> {
        self.by_inside.get(&inner).copied()
    }

    pub(super) fn by_outside(&self, kind: Kind, outside: SocketAddr) -> &[u32] {
        self.by_outside.get(&(kind, outside)).map_or(&[], Vec::as_slice)
    }

    /// How many different ports of an outside address are taken.
    pub(super) fn ports_in_use(&self, kind: Kind, address: IpAddr) -> usize {
        self.ports_in_use.get(&(kind, address)).copied().unwrap_or(0)
    }

    pub(super) fn get(&self, id: u32) -> &MappingState {
        self.mappings.get(&id).expect("the indexes name mappings that are there")
    }

    /// The mapping, which was used just now.
    pub(super) fn touch(&mut self, id: u32, now: Instant) -> &mut MappingState {
        let mapping = self.mappings.get_mut(&id).expect("the indexes name mappings that are there");
        mapping.used = now;
        mapping
    }

    pub(super) fn insert(
        &mut self,
        now: Instant,
        lifetime: Duration,
        inner: Inner,
        outside: SocketAddr,
    ) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        let id = self.last_id;
        self.mappings.insert(id, MappingState::new(now, inner, outside));
        self.by_inside.insert(inner, id);
        let sharing = self.by_outside.entry((inner.0, outside)).or_default();
        sharing.push(id);
        if sharing.len() == 1 {
            *self.ports_in_use.entry((inner.0, outside.ip())).or_default() += 1;
        }
        self.deadlines.push(Reverse((now + lifetime, id)));
        id
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn expire(&mut self, now: Instant, lifetime: Duration) {
        while let Some(&Reverse((at, id))) = self.deadlines.peek()
            && at <= now
        {
            self.deadlines.pop();
            let until = self.get(id).used + lifetime;
            if until > now {
                self.deadlines.push(Reverse((until, id)));
            } else {
                self.remove(id);
            }
        }
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let mut ids: Vec<_> = self.mappings.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().flat_map(|id| self.get(id).rows()).collect()
    }

    fn remove(&mut self, id: u32) {
        let Some(mapping) = self.mappings.remove(&id) else { return };
        let kind = mapping.kind;
        self.by_inside.remove(&(kind, mapping.inside, mapping.scope));
        let Some(sharing) = self.by_outside.get_mut(&(kind, mapping.outside)) else { return };
        sharing.retain(|other| *other != id);
        if sharing.is_empty() {
            self.by_outside.remove(&(kind, mapping.outside));
            let address = mapping.outside.ip();
            let left = self.ports_in_use(kind, address).saturating_sub(1);
            match left {
                0 => drop(self.ports_in_use.remove(&(kind, address))),
                _ => drop(self.ports_in_use.insert((kind, address), left)),
            }
        }
    }
}
