//! How many connections there may be, in all and from one address, and how fast that may open them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::address_key::AddressKey;
use crate::arrivals::Arrivals;
use crate::token_bucket::Rate;

/// Bounds on TCP and TLS connections.
#[derive(Clone, Debug)]
pub struct StreamLimits {
    /// In all. Default 4,096: each takes a descriptor and up to some 400 kB when it is busy.
    pub total: usize,
    /// From one IPv4 address or one IPv6 /64. Default 256: an office behind one NAT.
    pub per_address: usize,
    /// New ones of one address that may come at once. Default 1,024: those of an office when the
    /// server restarts, by TCP and TLS for each peer of each member. Loopback is not bounded.
    pub arrival_burst: u32,
    /// New ones of one address in the long run. Default 50 a second.
    pub arrivals_per_second: u32,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { total: 4096, per_address: 256, arrival_burst: 1_024, arrivals_per_second: 50 }
    }
}

/// Why a connection was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// There are too many.
    #[error("too many connections")]
    Full,
    /// There are too many from its address.
    #[error("too many connections from this address")]
    AddressFull,
    /// Its address opens them too fast.
    #[error("too many new connections from this address")]
    AddressTooFast,
}

#[derive(Clone)]
pub(super) struct Admission {
    limits: StreamLimits,
    state: Arc<Mutex<State>>,
}

struct State {
    arrivals: Arrivals,
    total: usize,
    by_address: HashMap<AddressKey, usize>,
    refused: u64,
}

/// A connection's place, free again when this is dropped.
pub(super) struct Place {
    state: Arc<Mutex<State>>,
    key: AddressKey,
}

impl Admission {
    pub(super) fn new(limits: StreamLimits) -> Self {
        let rate = Rate::new(limits.arrivals_per_second, limits.arrival_burst);
        let arrivals = Arrivals::new(rate);
        let state = State { arrivals, total: 0, by_address: HashMap::new(), refused: 0 };
        Self { limits, state: Arc::new(Mutex::new(state)) }
    }

    pub(super) fn admit(&self, address: IpAddr) -> Result<Place, AttachError> {
        let key = AddressKey::from(address);
        let mut state = lock(&self.state);
        let held = state.by_address.get(&key).copied().unwrap_or(0);
        let refusal = if state.arrivals.count(Instant::now(), address).is_err() {
            Some(AttachError::AddressTooFast)
        } else if state.total >= self.limits.total {
            Some(AttachError::Full)
        } else if held >= self.limits.per_address {
            Some(AttachError::AddressFull)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            state.refused += 1;
            return Err(refusal);
        }
        state.total += 1;
        state.by_address.insert(key, held + 1);
        Ok(Place { state: Arc::clone(&self.state), key })
    }

    /// Connections now, and refused so far.
    pub(super) fn counts(&self) -> (usize, u64) {
        let state = lock(&self.state);
        (state.total, state.refused)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.total -= 1;
        if let Some(held) = state.by_address.get_mut(&self.key) {
            *held -= 1;
            if *held == 0 {
                state.by_address.remove(&self.key);
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Nothing panics while the counts are in between.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(total: usize, per_address: usize) -> Admission {
        Admission::new(StreamLimits { total, per_address, ..StreamLimits::default() })
    }

    #[test]
    fn places_are_bounded_and_come_free() {
        let admission = admission(3, 2);
        let [a, b, c] =
            ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"].map(|a| a.parse().unwrap());
        let first = admission.admit(a).unwrap_or_else(|_| panic!("there is room"));
        let _second = admission.admit(b).unwrap_or_else(|_| panic!("there is room"));
        assert_eq!(admission.admit(a).err(), Some(AttachError::AddressFull));
        let _third = admission.admit(c).unwrap_or_else(|_| panic!("there is room"));
        assert_eq!(admission.admit(c).err(), Some(AttachError::Full));
        assert_eq!(admission.counts(), (3, 2));
        drop(first);
        assert!(admission.admit(a).is_ok());
    }

    #[test]
    fn a_whole_64_counts_as_one_address() {
        let admission = admission(9, 1);
        let _place = admission.admit("2001:db8::1".parse().unwrap());
        let neighbour = admission.admit("2001:db8::ffff:2".parse().unwrap());
        assert_eq!(neighbour.err(), Some(AttachError::AddressFull));
        assert!(admission.admit("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }

    #[test]
    fn who_opens_and_closes_without_end_must_wait() {
        let limits = StreamLimits { arrival_burst: 9, ..StreamLimits::default() };
        let admission = Admission::new(limits);
        let (address, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let first = (0..99).map(|_| admission.admit(address).err()).find_map(|refusal| refusal);
        assert_eq!(first, Some(AttachError::AddressTooFast));
        assert!(admission.admit(other).is_ok());
    }
}
