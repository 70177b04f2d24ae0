//! How many connections there may be, and whose.
//!
//! A connection is *half open* until it has said what it wants. Those are cheap to make for who
//! means harm, so they have a bound of their own; at the bound the oldest gives way to the new one.
//! An honest client needs milliseconds to get past this state and is not hurt, even when it shares
//! its address with the attacker.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::address_key::AddressKey;
use crate::arrivals::Arrivals;
use crate::config::ConnectionLimits;
use crate::proxies::Proxies;
use crate::token_bucket::Rate;

/// All connections of the public listeners.
#[derive(Debug)]
pub(crate) struct Connections {
    limits: ConnectionLimits,
    proxies: Proxies,
    arrivals: Mutex<Arrivals>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// Whose they are; a proxy's is nobody's until its first request.
    live: HashMap<u64, Option<AddressKey>>,
    per_address: HashMap<AddressKey, usize>,
    half_open: BTreeMap<u64, HalfOpen>,
    half_open_per_address: HashMap<AddressKey, BTreeSet<u64>>,
    refused: u64,
    too_fast: u64,
    evicted: u64,
}

#[derive(Debug)]
struct HalfOpen {
    address: Option<AddressKey>,
    evict: oneshot::Sender<()>,
}

/// A connection's place; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Admission {
    id: u64,
    connections: Arc<Connections>,
}

/// Resolves when a half-open connection has to give way, and never once it is established.
#[derive(Debug)]
pub(crate) struct Eviction(oneshot::Receiver<()>);

/// A snapshot for the metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) open: usize,
    pub(crate) half_open: usize,
    pub(crate) refused: u64,
    pub(crate) too_fast: u64,
    pub(crate) evicted: u64,
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits, proxies: Proxies) -> Arc<Self> {
        let rate = Rate::new(limits.arrivals_per_second, limits.arrival_burst);
        let arrivals = Mutex::new(Arrivals::new(rate));
        Arc::new(Self { limits, proxies, arrivals, state: Mutex::default() })
    }

    pub(crate) fn limits(&self) -> &ConnectionLimits {
        &self.limits
    }

    pub(crate) fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    pub(crate) fn counts(&self) -> Counts {
        let state = self.state();
        Counts {
            open: state.live.len(),
            half_open: state.half_open.len(),
            refused: state.refused,
            too_fast: state.too_fast,
            evicted: state.evicted,
        }
    }

    /// Counts a connection from `ip`, or a WebSocket that a proxy brings from there. An error tells
    /// how long it must wait, for it and its like come too fast.
    pub(crate) fn arrives(&self, ip: IpAddr) -> Result<(), Duration> {
        let counted = lock(&self.arrivals).count(Instant::now(), ip);
        self.state().too_fast += u64::from(counted.is_err());
        counted
    }

    /// Takes a place for a connection from `ip`; `None` if there is none.
    pub(crate) fn admit(self: &Arc<Self>, ip: IpAddr) -> Option<(Admission, Eviction)> {
        let address = (!self.proxies.contains(ip)).then(|| AddressKey::from(ip));
        // Before it can push others out.
        if address.is_some() && self.arrives(ip).is_err() {
            return None;
        }
        let mut state = self.state();
        self.make_room(&mut state, address);
        if self.is_full_for(&state, address) || state.live.len() >= self.limits.total {
            state.refused += 1;
            return None;
        }
        let id = state.next;
        state.next += 1;
        state.live.insert(id, address);
        state.count(address);
        let (evict, evicted) = oneshot::channel();
        state.half_open.insert(id, HalfOpen { address, evict });
        if let Some(address) = address {
            state.half_open_per_address.entry(address).or_default().insert(id);
        }
        Some((Admission { id, connections: Arc::clone(self) }, Eviction(evicted)))
    }

    /// Whether `address` has all that one may have.
    fn is_full_for(&self, state: &State, address: Option<AddressKey>) -> bool {
        let open = address.and_then(|address| state.per_address.get(&address));
        open.is_some_and(|open| *open >= self.limits.per_address)
    }

    /// Closes the oldest half-open connection of `address`, or of all, where a bound is reached.
    fn make_room(&self, state: &mut State, address: Option<AddressKey>) {
        let half_open = address.and_then(|address| state.half_open_per_address.get(&address));
        let own_oldest = half_open.and_then(|ids| ids.first().copied());
        let own_count = half_open.map_or(0, BTreeSet::len);
        if own_count >= self.limits.half_open_per_address || self.is_full_for(state, address) {
            own_oldest.into_iter().for_each(|id| state.evict(id));
        }
        if state.half_open.len() >= self.limits.half_open || state.live.len() >= self.limits.total {
            let oldest = state.half_open.keys().next().copied();
            oldest.into_iter().for_each(|id| state.evict(id));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn evict(&mut self, id: u64) {
        if let Some(half_open) = self.establish(id) {
            self.evicted += 1;
            // A task that has just ended is not there to hear it.
            let _ = half_open.evict.send(());
            self.release(id);
        }
    }

    fn establish(&mut self, id: u64) -> Option<HalfOpen> {
        let half_open = self.half_open.remove(&id)?;
        if let Some(address) = half_open.address
            && let Some(ids) = self.half_open_per_address.get_mut(&address)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.half_open_per_address.remove(&address);
            }
        }
        Some(half_open)
    }

    fn release(&mut self, id: u64) {
        if let Some(address) = self.live.remove(&id) {
            self.uncount(address);
        }
    }

    fn count(&mut self, address: Option<AddressKey>) {
        if let Some(address) = address {
            *self.per_address.entry(address).or_default() += 1;
        }
    }

    fn uncount(&mut self, address: Option<AddressKey>) {
        if let Some(address) = address
            && let Some(count) = self.per_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&address);
            }
        }
    }
}

impl Admission {
    /// The client has said what it wants: it is no longer half open.
    pub(crate) fn established(&self) {
        self.connections.state().establish(self.id);
    }

    /// A proxy has told whose request it brings: from now on the connection is that client's. False
    /// if the client has no place left; then it stays whose it was.
    pub(crate) fn belongs_to(&self, client: IpAddr) -> bool {
        let client = Some(AddressKey::from(client));
        let mut state = self.connections.state();
        let Some(&before) = state.live.get(&self.id) else { return false };
        if before == client {
            return true;
        }
        if self.connections.is_full_for(&state, client) {
            state.refused += 1;
            return false;
        }
        state.uncount(before);
        state.count(client);
        state.live.insert(self.id, client);
        true
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut state = self.connections.state();
        state.establish(self.id);
        state.release(self.id);
    }
}

impl Eviction {
    pub(crate) async fn wait(self) {
        if self.0.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
#[path = "connections_tests.rs"]
mod tests;
