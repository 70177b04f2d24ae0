//! Who takes part, and who waits for the other end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::WebSocket;
use tokio::sync::oneshot;

use super::{Limits, PairId};
use crate::address_key::AddressKey;

#[derive(Debug, Default)]
pub(super) struct Seats {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: HashMap<AddressKey, usize>,
    total: usize,
    /// Where the end that waits takes the other one from.
    waiting: HashMap<PairId, oneshot::Sender<End>>,
}

/// The right to be one end; free again when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    address: AddressKey,
}

/// One end of a pair.
#[derive(Debug)]
pub(super) struct End {
    pub(super) socket: WebSocket,
    /// Kept for as long as the socket is.
    pub(super) _seat: Seat,
}

/// Whether an end was the first of its pair.
#[derive(Debug)]
pub(super) enum Order {
    First(Box<End>, oneshot::Receiver<End>),
    /// The first one's task has both now.
    Second,
}

impl Seats {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(seats: &Arc<Self>, address: AddressKey, limits: &Limits) -> Option<Seat> {
        let mut state = seats.state();
        if state.total >= limits.total
            || state.taken.get(&address).is_some_and(|&n| n >= limits.per_address)
        {
            return None;
        }
        state.total += 1;
        *state.taken.entry(address).or_default() += 1;
        drop(state);
        Some(Seat { seats: Arc::clone(seats), address })
    }

    /// Brings `end` together with the one that waits, or makes it the one that does.
    pub(super) fn meet(&self, pair: &PairId, end: End) -> Order {
        let mut state = self.state();
        let end = match state.waiting.remove(pair) {
            Some(first) => match first.send(end) {
                Ok(()) => return Order::Second,
                // It has gone since.
                Err(end) => end,
            },
            None => end,
        };
        let (sender, receiver) = oneshot::channel();
        state.waiting.insert(pair.clone(), sender);
        Order::First(Box::new(end), receiver)
    }

    /// Nobody came, and the receiver is dropped. Another end that waits meanwhile is left alone.
    pub(super) fn stop_waiting(&self, pair: &PairId) {
        let mut state = self.state();
        if state.waiting.get(pair).is_some_and(oneshot::Sender::is_closed) {
            state.waiting.remove(pair);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.seats.state();
        state.total -= 1;
        if let Some(taken) = state.taken.get_mut(&self.address) {
            *taken -= 1;
            if *taken == 0 {
                state.taken.remove(&self.address);
            }
        }
    }
}
