//! How sessions lose their sockets, and how they end.

use std::time::Instant;

use bytes::Bytes;

use super::super::backend::{Command, LeaveReason};
use super::super::backlog::Keeper;
use super::super::ids::{SessionId, SocketId};
use super::super::message::Outgoing;
use super::super::session::Link;
use super::super::{Code, PeerId};
use super::{Hub, Phase, Timer};

impl Hub {
    /// Tells a socket, outside of any session, why it is closed. Takes the socket from its session
    /// only if [`release`](Self::release) was called before.
    pub(super) fn refuse(&mut self, id: SocketId, code: Code, words: &str) {
        self.stats.count(code);
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        socket.urgent.push_back(Outgoing::error(code, words, None, true).encode(None));
        self.close(id, code.close_status(), code.as_str());
    }

    pub(super) fn close(&mut self, id: SocketId, status: u16, reason: &'static str) {
        self.timers.set(Timer::Socket(id), None);
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.phase = Phase::Closing;
            socket.close = Some((status, reason));
        }
        self.wake(id);
    }

    /// Takes a socket from its session, which now waits for another.
    pub(super) fn release(&mut self, now: Instant, id: SocketId) {
        let Some(socket) = self.sockets.get(&id) else { return };
        let Phase::Open(session) = socket.phase else { return };
        if let Some(state) = self.sessions.get_mut(&session)
            && state.link == Link::Attached(id)
        {
            state.detach(now + self.config.resume_within);
            self.arm(session);
        }
    }

    /// Ends a session because of an error.
    pub(super) fn fail(&mut self, now: Instant, id: SessionId, code: Code, words: &str) {
        match self.end(now, id, LeaveReason::Ended) {
            Some(socket) => self.refuse(socket, code, words),
            // Nobody to tell now; a resume finds that the session is gone.
            None => self.stats.count(code),
        }
    }

    /// Ends a session because its client said so.
    pub(super) fn farewell(&mut self, now: Instant, id: SessionId) {
        if let Some(socket) = self.end(now, id, LeaveReason::Ended) {
            self.close(socket, 1000, "bye");
        }
    }

    /// Removes a session and hands back its socket, which still writes what waited in the outbox.
    pub(super) fn end(
        &mut self,
        now: Instant,
        id: SessionId,
        reason: LeaveReason,
    ) -> Option<SocketId> {
        let mut session = self.sessions.remove(&id)?;
        self.timers.set(Timer::Session(id), None);
        let account = session.account();
        self.accounts.change(account, |holding| holding.sessions -= 1);
        self.backlog.remove(Keeper::Session(id));
        if let Some(peer) = session.place.peer() {
            self.depart(now, peer, reason);
        }
        if let Some(peek) = session.peek.take() {
            self.members.remove(&peek.asker);
        }
        let socket = session.socket()?;
        if let Some(state) = self.sockets.get_mut(&socket) {
            let rest: Vec<_> = std::iter::from_fn(|| session.outbox.give()).collect();
            self.backlog.set(Keeper::Socket(socket), account, rest.iter().map(Bytes::len).sum());
            state.urgent.extend(rest);
        }
        Some(socket)
    }

    /// Brings what waits for all clients below its bound.
    pub(super) fn shed(&mut self, now: Instant) {
        while self.backlog.total() > self.config.replay_bytes_total {
            match self.backlog.heaviest() {
                Some(Keeper::Session(id)) => {
                    // Else it would only move on to the socket.
                    if let Some(session) = self.sessions.get_mut(&id) {
                        session.outbox.clear();
                    }
                    let words = "too many messages wait at the server, most of them for you";
                    self.fail(now, id, Code::ReplayOverflow, words);
                }
                Some(Keeper::Socket(id)) => {
                    if let Some(socket) = self.sockets.get_mut(&id) {
                        socket.urgent.clear();
                    }
                    self.backlog.remove(Keeper::Socket(id));
                }
                None => return,
            }
        }
    }

    pub(super) fn depart(&mut self, now: Instant, peer: PeerId, reason: LeaveReason) {
        self.members.remove(&peer);
        self.backend.handle_command(now, Command::Leave { peer, reason });
    }
}
