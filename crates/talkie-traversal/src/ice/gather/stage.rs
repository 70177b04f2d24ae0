//! How far gathering is: what it waits for, whose turn it is, and when all has been told.
//!
//! Transactions with servers begin one per pace (RFC 8445 §14.2), in the order in which they were thought of.
//! Whatever changes ends in [`Gatherer::settle()`], which begins what may begin and sees whether all is done.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::reflexive::Purpose;
use super::relay::{Leg, LegId};
use super::{Event, Gatherer, LocalId};

/// How far gathering is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    New,
    Gathering {
        until: Instant,
    },
    Complete,
    /// What servers hold for us is given back.
    Closing {
        until: Instant,
    },
    Closed,
}

/// A transaction that waits for its turn (RFC 8445 §14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Query { socket: LocalId, server: usize },
    Look { socket: LocalId, remote: SocketAddr },
    Leg(LegId),
}

impl Gatherer {
    /// What follows from any change.
    pub(super) fn settle(&mut self, now: Instant) {
        self.follow_doors(now);
        self.ask_servers();
        self.look_ahead();
        self.start(now);
        self.complete(now);
        self.finish_closing(now);
        self.schedule();
    }

    /// Begins transactions, one per pace.
    fn start(&mut self, now: Instant) {
        while now >= self.next_start
            && let Some(start) = self.starts.pop_front()
        {
            let has_begun = match start {
                Start::Query { socket, server } => self.start_query(now, socket, server),
                Start::Look { socket, remote } => self.start_look(now, socket, remote),
                Start::Leg(leg) => self.start_leg(now, leg),
            };
            if has_begun {
                // RFC 8445 §14.2: never less than 5 ms.
                self.next_start = now + self.config.pace.max(Duration::from_millis(5));
            }
        }
    }

    /// Says that all is gathered, if it is or if it took too long.
    fn complete(&mut self, now: Instant) {
        let Stage::Gathering { until } = self.stage else { return };
        let is_done = self.interfaces.is_some()
            && self.wants_are_answered()
            && self.starts.is_empty()
            && self.queries.iter().all(|query| query.purpose == Purpose::Renewal)
            && self.doors.have_spoken(now)
            && self.legs.values().all(|leg| !leg.is_gathering());
        if !is_done && now < until {
            return;
        }
        self.stage = Stage::Complete;
        // What was there before and is asked for again is no part of the gathering.
        let legs = &self.legs;
        self.starts.retain(|start| match start {
            Start::Query { .. } | Start::Look { .. } => false,
            Start::Leg(id) => legs.get(id).is_some_and(|leg| !leg.is_gathering()),
        });
        let unanswered = self.queries.extract_if(.., |it| it.purpose != Purpose::Renewal);
        for query in unanswered.filter(|it| it.purpose == Purpose::Candidate) {
            let asked = &mut self.asked[query.server];
            asked.unreachable = Some("the server does not answer".into());
            asked.untold.push(query.socket);
        }
        self.end_looking();
        self.abandon_legs(now);
        self.report_unreached();
        self.events.push_back(Event::Complete);
    }

    fn wants_are_answered(&self) -> bool {
        self.sockets.values().all(|socket| socket.local.is_some())
            && self.tcp.values().all(|base| !base.is_opening())
            && self.names.values().all(|name| !name.is_asked())
    }

    fn finish_closing(&mut self, now: Instant) {
        let Stage::Closing { until } = self.stage else { return };
        if now < until && !(self.legs.is_empty() && self.doors.are_closed()) {
            return;
        }
        self.stage = Stage::Closed;
        self.abandon_doors(now);
        self.legs.clear();
        self.outbox.clear();
        self.close_sockets();
    }

    /// Settles when to be woken next.
    pub(super) fn schedule(&mut self) {
        let stage = match self.stage {
            Stage::Gathering { until } | Stage::Closing { until } => Some(until),
            Stage::New | Stage::Complete | Stage::Closed => None,
        };
        let start = (!self.starts.is_empty()).then_some(self.next_start);
        let queries = self.queries.iter().filter_map(|query| query.transaction.poll_timeout());
        let sockets = self.sockets.values().filter_map(|socket| socket.renew_at);
        let legs = self.legs.values().filter_map(Leg::poll_timeout);
        self.deadline = [stage, start, self.streams.poll_timeout(), self.doors.poll_timeout()]
            .into_iter()
            .flatten()
            .chain(queries)
            .chain(sockets)
            .chain(legs)
            .min();
    }
}
