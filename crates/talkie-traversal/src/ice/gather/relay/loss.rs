//! What becomes of a leg whose server gives nothing, sends on, or loses what it gave.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::WantError;

use super::{Leg, LegId, State};
use crate::ice::gather::{Gatherer, LocalId, Start};
use crate::turn::client::{self, End, Failure};

/// RFC 8489 §10 bounds no chain of servers; two steps lead from a balancer to a server.
const MOST_STEPS: usize = 2;
/// RFC 8656 §7.4: three of our ports before the server is given up.
const MOST_MISMATCHES: u32 = 2;
/// How often a lost allocation is asked for again, after 0, 1, 2, 4… s: a server that restarts is back by
/// then.
const MOST_LOSSES: u32 = 6;
/// What was allocated for so long counts as no loss in a row.
const STEADY: Duration = Duration::from_secs(60);
/// RFC 8656 §7.4: after 486 and 508 the server is left alone for a minute.
const CROWDED: Duration = Duration::from_secs(60);

impl Gatherer {
    /// An allocation is no more, or was not given.
    pub(super) fn leg_ended(&mut self, now: Instant, id: LegId, end: &End) {
        let failure = match end {
            End::Failed(failure) => failure.clone(),
            End::Closed => return self.drop_leg(id),
        };
        let was_given = self.forget_bases(id);
        if self.is_given_up(id) {
            return self.drop_leg(id);
        }
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match failure {
            Failure::TryAlternate(Some(server))
                if leg.left.len() < MOST_STEPS
                    && server != leg.remote
                    && !leg.left.contains(&server) =>
            {
                leg.left.push(std::mem::replace(&mut leg.remote, server));
                // Which it has is another server's matter.
                leg.families = client::Families::Both;
                self.start_again(id);
            }
            Failure::AddressFamilyNotSupported if leg.families == client::Families::Both => {
                leg.families = client::Families::Ipv6;
                self.start_again(id);
            }
            Failure::AllocationMismatch if !was_given && leg.mismatches < MOST_MISMATCHES => {
                leg.mismatches += 1;
                self.start_elsewhere(id);
            }
            failure if leg.was_allocated && (was_given || !is_final(&failure)) => {
                self.lost(now, id, &failure);
            }
            failure => self.not_given(id, &failure),
        }
    }

    /// Whether it is not asked for again: nobody is to be told of what a server would give that is left, or too late.
    fn is_given_up(&self, id: LegId) -> bool {
        let is_over = |leg: &Leg| leg.is_abandoned || self.asked[leg.server].is_left;
        self.is_closed() || self.legs.get(&id).is_some_and(is_over)
    }

    /// RFC 8656 §3.2: one 5-tuple has one allocation, and that is somebody else's on this server. Where every socket
    /// has the same port another is of no use.
    pub(super) fn avoid_other_leg(&mut self, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.mismatches >= MOST_MISMATCHES {
            return self.not_given(id, &Failure::AllocationMismatch);
        }
        leg.mismatches += 1;
        self.start_elsewhere(id);
    }

    /// From another port of ours, because the server holds the present one to be somebody else's.
    pub(super) fn start_elsewhere(&mut self, id: LegId) {
        let Some(Leg { socket: Some(old), ip, .. }) = self.legs.get(&id) else {
            return self.start_again(id);
        };
        let (old, ip) = (*old, *ip);
        let spare = self.open_socket(ip, true);
        self.set_state(id, State::Waiting);
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.socket = Some(spare);
        }
        self.drop_spare(old);
    }

    pub(in crate::ice::gather) fn start_legs_of(&mut self, socket: LocalId) {
        let of_it = self.legs.iter().filter(|(_, leg)| leg.socket == Some(socket));
        self.starts.extend(of_it.map(|(id, _)| Start::Leg(*id)));
    }

    pub(super) fn drop_spare(&mut self, socket: LocalId) {
        if self.sockets.get(&socket).is_some_and(|socket| socket.is_spare) {
            self.lose_socket(socket, true);
        }
    }

    fn start_again(&mut self, id: LegId) {
        self.hang_up_leg(id);
        self.set_state(id, State::Waiting);
        self.starts.push_back(Start::Leg(id));
    }

    /// An allocation that was there is asked for again, over and over while the server restarts.
    fn lost(&mut self, now: Instant, id: LegId, failure: &Failure) {
        self.hang_up_leg(id);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.since.take().is_some_and(|since| now.saturating_duration_since(since) >= STEADY) {
            leg.losses = 0;
        }
        if leg.losses >= MOST_LOSSES {
            return self.not_given(id, failure);
        }
        let pause = match leg.losses {
            0 => Duration::ZERO,
            losses => Duration::from_secs(1 << (losses - 1)),
        };
        leg.losses += 1;
        let pause = if is_crowded(failure) { pause.max(CROWDED) } else { pause };
        // Who sent us on knows better than we where to go now.
        if let Some(first) = leg.left.first().copied() {
            leg.left.clear();
            leg.remote = first;
        }
        if pause.is_zero() {
            self.set_state(id, State::Waiting);
            self.starts.push_back(Start::Leg(id));
        } else {
            self.set_state(id, State::Pausing(now + pause));
        }
    }

    /// The server gives nothing: its next address is tried, or it is told.
    fn not_given(&mut self, id: LegId, failure: &Failure) {
        self.hang_up_leg(id);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let (server, local) =
            (leg.server, SocketAddr::new(leg.ip, leg.path().map_or(0, |path| path.local.port())));
        // Behind a name there may be several servers, and what one has no room for another has; what one forbids
        // all of them do.
        let is_settled = failure.code().is_some() && !is_crowded(failure);
        let next = leg.others.pop_front().filter(|_| !is_settled);
        if let Some(next) = next {
            (leg.remote, leg.families) = (next, client::Families::Both);
            self.start_again(id);
        } else {
            self.drop_leg(id);
        }
        match failure.code() {
            Some(code) => self.refused(server, local, code, failure.to_string()),
            None if next.is_none() => self.unreached(server, failure.to_string()),
            None => {}
        }
    }

    /// A connection to a server that was not made.
    pub(in crate::ice::gather) fn leg_failed(
        &mut self,
        now: Instant,
        id: LegId,
        error: &WantError,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.state = State::Waiting;
        let server = leg.server;
        if leg.was_allocated {
            return self.lost(now, id, &Failure::TimedOut);
        }
        if let Some(next) = leg.others.pop_front() {
            leg.remote = next;
            self.starts.push_back(Start::Leg(id));
            return;
        }
        self.drop_leg(id);
        self.unreached(server, format!("the server cannot be reached: {error}"));
    }

    /// The stream to a server has ended.
    pub(in crate::ice::gather) fn leg_closed(&mut self, now: Instant, id: LegId) {
        self.forget_bases(id);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let was_allocated = leg.was_allocated;
        if self.is_given_up(id) {
            self.drop_leg(id);
        } else if was_allocated {
            self.set_state(id, State::Waiting);
            self.lost(now, id, &Failure::TimedOut);
        } else {
            self.leg_failed(now, id, &WantError::Io(std::io::ErrorKind::ConnectionReset));
        }
    }

    /// Our address is no more: nothing can be given back from there.
    pub(in crate::ice::gather) fn lose_legs_on(&mut self, ip: IpAddr) {
        self.lose_legs(|leg| leg.ip == ip);
    }

    pub(in crate::ice::gather) fn lose_legs_of_socket(&mut self, socket: LocalId) {
        self.lose_legs(|leg| leg.socket == Some(socket));
    }

    fn lose_legs(&mut self, is_lost: impl Fn(&Leg) -> bool) {
        let ids: Vec<_> =
            self.legs.iter().filter(|(_, leg)| is_lost(leg)).map(|(id, _)| *id).collect();
        for id in ids {
            self.forget_bases(id);
            self.drop_leg(id);
        }
    }

    /// Whether there was an allocation.
    pub(super) fn forget_bases(&mut self, id: LegId) -> bool {
        let Some(leg) = self.legs.get_mut(&id) else { return false };
        leg.held.clear();
        leg.used.clear();
        leg.refused.clear();
        let bases = std::mem::take(&mut leg.bases);
        for (base, _) in &bases {
            self.tell_gone(*base);
        }
        !bases.is_empty()
    }
}

/// Whether there is no room now.
fn is_crowded(failure: &Failure) -> bool {
    matches!(failure, Failure::AllocationQuotaReached | Failure::InsufficientCapacity)
}

/// Whether asking again is of no use: RFC 8656 §7.4 has the client stop until the reason is gone.
fn is_final(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Forbidden
            | Failure::CredentialNeeded
            | Failure::Challenge(_)
            | Failure::WrongCredentials
            | Failure::UnsupportedTransport
    )
}
