//! How far it is, in the W3C's words, and when the agent wakes up.

use std::time::{Duration, Instant};

use super::context::Context;
use super::generation::Generation;
use super::{Agent, Previous};
use crate::ice::event::{ConnectionState, Event, GatheringState};

impl Agent {
    pub(super) fn set_gathering(&mut self, state: GatheringState) {
        if self.gathering != state {
            self.gathering = state;
            self.events.tell(&mut self.counters, Event::GatheringState(state));
        }
    }

    pub(super) fn set_connection(&mut self, state: ConnectionState) {
        if self.connection != state {
            self.connection = state;
            self.events.tell(&mut self.counters, Event::ConnectionState(state));
        }
    }

    pub(super) fn tell_state(&mut self, now: Instant) {
        let state = self.judge_state(now);
        if state == ConnectionState::Failed {
            self.current.is_failed = true;
            self.current.selected = None;
            self.previous = None;
        }
        if self.connection != state {
            // What comes now are checks of pairs that are there.
            self.current.shrink();
        }
        self.set_connection(state);
    }

    fn judge_state(&self, now: Instant) -> ConnectionState {
        let current = &self.current;
        if current.is_failed {
            return ConnectionState::Failed;
        }
        if let Some(carrier) = self.carrier() {
            let selected = carrier.selected.and_then(|id| carrier.pair(id));
            let silence = selected
                .and_then(|pair| pair.life)
                .map_or(Duration::ZERO, |life| now.saturating_duration_since(life.proven_at));
            let is_healthy = selected.is_some_and(|pair| pair.is_healthy());
            if !is_healthy && silence >= self.config.timers.disconnected {
                return ConnectionState::Disconnected;
            }
            let is_complete = self.gathering == GatheringState::Complete && current.is_settled();
            return if is_complete {
                ConnectionState::Completed
            } else {
                ConnectionState::Connected
            };
        }
        let Some(patience) = current.patience_until else {
            // Nothing is known of the other side; or it was, and this side has restarted.
            let was_connected = self.connection != ConnectionState::New;
            return if was_connected { ConnectionState::Checking } else { ConnectionState::New };
        };
        // RFC 8863 §4: as long as the other side may still come, there is no failure; nor, in the W3C's words,
        // as long as we are not done with gathering ourselves.
        let is_asking = self.names.are_pending() || self.nat64.is_asked();
        let is_expecting = self.gathering == GatheringState::Gathering || is_asking;
        if now >= patience && current.is_exhausted() && !is_expecting {
            return ConnectionState::Failed;
        }
        if current.first_valid_at.is_some() {
            return ConnectionState::Disconnected;
        }
        let is_idle = current.remotes.is_empty() && current.pairs.is_empty();
        if is_idle && self.connection == ConnectionState::New {
            return ConnectionState::New;
        }
        ConnectionState::Checking
    }

    /// A base is gone. That alone is no failure (webrtc-pc has it as an example of `disconnected`): another
    /// interface may come up, and gets the time that a whole check takes.
    pub(super) fn wait_for_another_base(&mut self, now: Instant) {
        let patience = now + self.config.timers.patience;
        if let Some(until) = &mut self.current.patience_until {
            *until = patience.max(*until);
        }
    }

    /// When nobody needs to be waited for any more.
    pub(super) fn patience_wake(&self, now: Instant) -> Option<Instant> {
        let waits = !self.current.is_failed && self.carrier().is_none();
        self.current.patience_until.filter(|until| waits && *until > now)
    }

    /// Lets the old generation go once the new one has an agreed pair: it is still heard for as long as a
    /// packet may take that was sent along its pair.
    pub(super) fn leave_previous(&mut self, now: Instant) {
        if self.is_restart_open() {
            return;
        }
        let is_agreed = self.current.was_nominated;
        let expiry = self.config.timers.consent_expiry;
        let Some(Previous { generation, until, .. }) = self.previous.as_deref_mut() else { return };
        if is_agreed && until.is_none() {
            *until = Some(now + expiry);
        }
        let is_over = until.is_some_and(|until| until <= now);
        if is_over || generation.pairs.iter().all(|pair| !pair.is_valid() && !pair.was_heard) {
            self.previous = None;
        }
    }
}

impl Generation {
    /// Whether the pair is agreed on and neither side looks for another.
    fn is_settled(&self) -> bool {
        let best = self.selected.and_then(|id| self.pair(id)).map_or(0, |pair| pair.priority);
        let nominated =
            self.selected.and_then(|id| self.pair(id)).is_some_and(|pair| pair.nominated.is_some());
        let looks = self.pairs.iter().any(|pair| pair.is_unfinished() && pair.priority > best);
        nominated && self.remote_ended && !looks && self.proposed.is_none()
    }

    /// Whether no pair works and none is left to try.
    fn is_exhausted(&self) -> bool {
        self.pairs.iter().all(|pair| !pair.is_unfinished() && !pair.is_valid())
            && self.triggered.is_empty()
    }

    /// When something is to be done.
    pub(super) fn next(&self, context: &Context<'_>) -> Option<Instant> {
        let all = [
            self.next_check(context),
            self.next_choice(context),
            self.next_expiry(context),
            self.next_look(),
        ];
        all.into_iter().flatten().min()
    }
}
