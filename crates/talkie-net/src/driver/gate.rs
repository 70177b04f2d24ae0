//! Holds a machine's events back in the machine, where their number is bounded, while there is no
//! room for more of them outside.

use std::time::Instant;

use talkie_sansio::{Datagram, Machine, Transmit};

/// A machine that gives out at most `room` events.
pub(super) struct Gate<'a, M> {
    pub(super) machine: &'a mut M,
    pub(super) room: usize,
}

impl<M: Machine> Machine for Gate<'_, M> {
    type Event = M::Event;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        self.machine.handle_datagram(now, datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.machine.handle_timeout(now);
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.machine.poll_transmit(buf)
    }

    fn poll_event(&mut self) -> Option<M::Event> {
        self.room = self.room.checked_sub(1)?;
        self.machine.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }
}
