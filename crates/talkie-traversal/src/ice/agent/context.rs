//! What a generation works with besides itself.

use std::collections::VecDeque;
use std::time::Instant;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;

use super::pair::Pair;
use crate::ice::config::Config;
use crate::ice::event::{Chapter, Event, Story};
use crate::ice::gather::Gatherer;
use crate::stun::TransactionId;

/// The time, and what the generations of an agent share.
pub(super) struct Context<'a> {
    pub(super) now: Instant,
    pub(super) config: &'a Config,
    pub(super) gatherer: &'a mut Gatherer,
    pub(super) events: &'a mut Events,
    pub(super) rng: &'a mut ChaCha20Rng,
    pub(super) counters: &'a mut Counters,
    pub(super) last_number: &'a mut u32,
    /// How often data has taken another pair.
    pub(super) changes: &'a mut u32,
}

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams that are not from the other side, or not on a pair that it has shown to be its own.
    pub foreign: u64,
    /// STUN messages that prove nothing or answer nothing.
    pub unproven: u64,
    /// Candidates and checks beyond what is kept.
    pub overflowing: u64,
    /// Events that nobody fetched in time.
    pub overrun: u64,
}

/// How many events there is room for while none waits: where data comes, one after the other.
const FEW: usize = 1;

/// Events that wait for the application.
#[derive(Debug)]
pub(super) struct Events {
    queue: VecDeque<Event>,
    bound: usize,
}

impl Events {
    pub(super) fn new(bound: usize) -> Self {
        Self { queue: VecDeque::new(), bound }
    }

    /// Queues an event. Of those that only inform, and of data, no more than the bound wait; what the
    /// application must know has four times the room, so that nobody's packets push it out.
    pub(super) fn tell(&mut self, counters: &mut Counters, event: Event) {
        let room = match event {
            Event::Story(_) | Event::Unguessed { .. } | Event::Data(_) => self.bound,
            _ => self.bound.saturating_mul(4),
        };
        if self.queue.len() < room {
            self.queue.push_back(event);
        } else {
            counters.overrun += 1;
        }
    }

    pub(super) fn poll(&mut self) -> Option<Event> {
        let event = self.queue.pop_front();
        // Connecting tells dozens at once; an agent that idles among thousands needs no room for them.
        if self.queue.is_empty() {
            self.queue.shrink_to(FEW);
        }
        event
    }
}

impl Context<'_> {
    pub(super) fn tell(&mut self, event: Event) {
        self.events.tell(self.counters, event);
    }

    /// A number that neither a pair nor a candidate of this agent has had, whatever its generation.
    pub(super) fn number(&mut self) -> u32 {
        *self.last_number = self.last_number.wrapping_add(1);
        *self.last_number
    }

    pub(super) fn story(&mut self, pair: &Pair, chapter: Chapter) {
        let story = Story { pair: pair.id, base: pair.base_address, remote: pair.address, chapter };
        self.tell(Event::Story(story));
    }

    /// RFC 8489 §5: uniformly and randomly chosen, from a cryptographically strong source.
    pub(super) fn transaction_id(&mut self) -> TransactionId {
        let mut id = [0; 12];
        self.rng.fill_bytes(&mut id);
        TransactionId(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ice::event::ConnectionState;

    #[test]
    fn what_many_events_took_is_given_back_when_they_are_fetched() {
        let (mut events, mut counters) = (Events::new(512), Counters::default());
        for _ in 0..100 {
            events.tell(&mut counters, Event::ConnectionState(ConnectionState::Checking));
        }
        while events.poll().is_some() {}
        assert!(events.queue.capacity() <= FEW, "{}", events.queue.capacity());
    }
}
