//! Deadlines: silence, acknowledgements, renewals, sessions that nobody takes up again.

use std::time::Instant;

use super::super::Code;
use super::super::backend::LeaveReason;
use super::super::ids::{SessionId, SocketId};
use super::super::session::Link;
use super::{Hub, Phase, Timer};

impl Hub {
    pub(in super::super) fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Socket(id) => self.socket_timeout(now, id),
                Timer::Session(id) => self.session_timeout(now, id),
                Timer::Backend => self.backend.handle_timeout(now),
            }
            self.deliver(now);
        }
    }

    fn socket_timeout(&mut self, now: Instant, id: SocketId) {
        let Some(socket) = self.sockets.get(&id) else { return };
        match socket.phase {
            Phase::Hello => self.refuse(id, Code::HelloFirst, "no hello in time"),
            Phase::Open(_) => {
                // The timer is not moved at each frame, only when it fires.
                let silent_at = socket.last_heard + self.config.heartbeat * 2;
                if silent_at > now {
                    self.timers.set(Timer::Socket(id), Some(silent_at));
                } else {
                    self.release(now, id);
                    self.close(id, 1001, "heartbeat");
                }
            }
            Phase::Closing => {}
        }
    }

    fn session_timeout(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match session.link {
            Link::Detached { until } if until <= now => {
                self.end(now, id, LeaveReason::Lost);
                return;
            }
            Link::Detached { .. } => {}
            Link::Attached(socket) => {
                if session.renew_at.is_some_and(|at| at <= now) {
                    session.renew_at = None;
                    self.grants.insert(id);
                }
                if session.ack_comes_due(now) {
                    self.wake(socket);
                }
            }
        }
        self.arm(id);
    }
}
