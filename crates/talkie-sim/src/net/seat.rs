//! Where a host's machine sits. The network holds machines of many types behind one trait; a
//! [`Host`](super::Host) knows the type again.

use std::any::Any;
use std::collections::VecDeque;
use std::time::Instant;

use talkie_sansio::{
    Answer as IoAnswer, Datagram, Interface, Machine, Path, Sink, Transmit, drain,
};

use super::fabric::Fabric;
use super::hosted::Voice;

/// How many events of a machine wait for whoever takes them. What comes beyond is counted and lost.
pub(super) const MOST_EVENTS: usize = 4096;

/// Answers a machine's events at once; what it returns waits for `poll_event`.
pub(super) type Answer<M> =
    Box<dyn FnMut(Instant, &mut M, <M as Machine>::Event) -> Option<<M as Machine>::Event> + Send>;

pub(super) trait Seat: Any + Send {
    fn handle_datagram(&mut self, now: Instant, path: Path, payload: &mut [u8]);
    /// Tells a hosted machine what came of a want.
    fn handle_answer(&mut self, now: Instant, answer: IoAnswer);
    /// Tells a hosted machine its addresses.
    fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]);
    /// Sends what the machine has to send as `node`, fires its timers that are due, and returns when it
    /// wants to be woken.
    fn drain(
        &mut self,
        now: Instant,
        buf: &mut Vec<u8>,
        fabric: &mut Fabric,
        node: u32,
    ) -> Option<Instant>;
}

pub(super) struct Chair<M: Machine> {
    pub(super) machine: M,
    pub(super) events: VecDeque<M::Event>,
    pub(super) lost_events: u64,
    pub(super) answer: Option<Answer<M>>,
    /// If it is hosted.
    pub(super) voice: Option<Voice<M>>,
}

impl<M> Seat for Chair<M>
where
    M: Machine + Send + 'static,
    M::Event: Send,
{
    fn handle_datagram(&mut self, now: Instant, path: Path, payload: &mut [u8]) {
        self.machine.handle_datagram(now, Datagram { path, payload });
    }

    fn handle_answer(&mut self, now: Instant, answer: IoAnswer) {
        if let Some(voice) = self.voice {
            (voice.handle_answer)(&mut self.machine, now, answer);
        }
    }

    fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]) {
        if let Some(voice) = self.voice {
            (voice.handle_interfaces)(&mut self.machine, now, interfaces);
        }
    }

    fn drain(
        &mut self,
        now: Instant,
        buf: &mut Vec<u8>,
        fabric: &mut Fabric,
        node: u32,
    ) -> Option<Instant> {
        let Self { machine, events, lost_events, answer, voice } = self;
        loop {
            let mut outlet = Outlet { fabric, node, events, lost_events, answer };
            let deadline = drain(machine, now, buf, &mut outlet);
            let Some(first) = voice.and_then(|voice| (voice.poll_want)(machine)) else {
                return deadline;
            };
            fabric.handle_want(node, first);
        }
    }
}

struct Outlet<'a, M: Machine> {
    fabric: &'a mut Fabric,
    node: u32,
    events: &'a mut VecDeque<M::Event>,
    lost_events: &'a mut u64,
    answer: &'a mut Option<Answer<M>>,
}

impl<M: Machine> Sink<M> for Outlet<'_, M> {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.fabric.send(self.node, transmit.path, payload);
    }

    fn event(&mut self, now: Instant, machine: &mut M, event: M::Event) {
        let event = match self.answer {
            Some(answer) => answer(now, machine, event),
            None => Some(event),
        };
        let Some(event) = event else { return };
        if self.events.len() < MOST_EVENTS {
            self.events.push_back(event);
        } else {
            *self.lost_events += 1;
        }
    }
}
