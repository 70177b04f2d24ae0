use std::time::Instant;

use crate::{Machine, Transmit};

/// Where [`drain`] puts what comes out of a machine.
pub trait Sink<M: Machine> {
    /// Sends one datagram.
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]);

    /// Takes one event; may answer it at once by calling the machine.
    fn event(&mut self, now: Instant, machine: &mut M, event: M::Event);
}

/// Empties `machine` into `sink` and fires the timers that are due at `now`. Returns when it wants
/// to be woken next.
///
/// Call it after any call that takes the machine by `&mut`. `buf` is scratch space, handed in so
/// that its capacity is kept.
///
/// # Panics
/// In debug builds if the machine's deadline stays due after `handle_timeout`, which would be a
/// busy loop in a driver.
pub fn drain<M: Machine, S: Sink<M>>(
    machine: &mut M,
    now: Instant,
    buf: &mut Vec<u8>,
    sink: &mut S,
) -> Option<Instant> {
    loop {
        empty(machine, now, buf, sink);
        let deadline = machine.poll_timeout()?;
        if deadline > now {
            return Some(deadline);
        }
        machine.handle_timeout(now);
        let progressed = empty(machine, now, buf, sink);
        if !progressed && machine.poll_timeout() == Some(deadline) {
            debug_assert!(false, "handle_timeout left its own deadline due");
            return Some(deadline);
        }
    }
}

/// Whether anything came out.
fn empty<M: Machine, S: Sink<M>>(
    machine: &mut M,
    now: Instant,
    buf: &mut Vec<u8>,
    sink: &mut S,
) -> bool {
    let mut progressed = false;
    loop {
        buf.clear();
        if let Some(transmit) = machine.poll_transmit(buf) {
            let start = buf.len() - transmit.len;
            sink.transmit(transmit, &mut buf[start..]);
        } else if let Some(event) = machine.poll_event() {
            sink.event(now, machine, event);
        } else {
            return progressed;
        }
        progressed = true;
    }
}
