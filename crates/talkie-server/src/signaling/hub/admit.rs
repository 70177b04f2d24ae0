//! From the first frame of a socket to the welcome: opening a session, or taking one up again.

use std::time::{Duration, Instant};

use super::super::ids::{SessionId, SocketId, Token};
use super::super::message::{Incoming, Malformed, Outgoing, Request, Resume, VERSION};
use super::super::session::Session;
use super::super::{AddressKey, Code, IceGrant};
use super::{Hub, Phase};

/// A grant is renewed no more often than this, whatever its life.
const MIN_RENEWAL: Duration = Duration::from_millis(100);

impl Hub {
    pub(super) fn first_frame(
        &mut self,
        now: Instant,
        socket: SocketId,
        frame: Result<Incoming, Malformed>,
    ) {
        let request = frame.and_then(|incoming| incoming.request);
        match request {
            Ok(Request::Hello { version: VERSION, resume }) => self.hello(now, socket, resume),
            Ok(Request::Hello { .. }) => {
                self.refuse(socket, Code::BadVersion, "this server speaks version 1");
            }
            Ok(_) => self.refuse(socket, Code::HelloFirst, "the first message is a hello"),
            Err(Malformed(words)) => self.refuse(socket, Code::BadMessage, &words),
        }
    }

    fn hello(&mut self, now: Instant, socket: SocketId, resume: Option<Resume>) {
        let Some(client) = self.sockets.get(&socket).map(|socket| socket.client.clone()) else {
            return;
        };
        let account = AddressKey::from(client.address);
        let is_full = self.accounts.of(account).sessions >= self.config.sessions_per_address;
        let words = "too many sessions from this address";
        if let Some((resume, id)) =
            resume.and_then(|resume| Some((resume.ack, self.find(&resume)?)))
        {
            // A session that moves counts for its new address, or the bound could be had around.
            // It stays as it was, for whoever comes from elsewhere.
            if is_full && self.sessions.get(&id).is_some_and(|it| it.account() != account) {
                return self.refuse(socket, Code::TooManySessions, words);
            }
            if self.rewind(now, id, resume) {
                return self.take_over(now, socket, id);
            }
        } else if is_full {
            return self.refuse(socket, Code::TooManySessions, words);
        }
        if self.sessions.len() >= self.config.sessions {
            return self.refuse(socket, Code::ServerFull, "the server is full");
        }
        self.accounts.change(account, |holding| holding.sessions += 1);
        let id = SessionId(self.bytes());
        let token = Token::new(self.bytes());
        let mut session = Session::new(now, token, client.clone(), &self.config);
        session.attach(socket, client, false);
        self.sessions.insert(id, session);
        self.stats.opened += 1;
        self.open(now, socket, id);
        if let Some(until) = self.draining_until {
            self.tell_draining(now, id, until.saturating_duration_since(now));
        }
    }

    /// The session that the client proves to own.
    fn find(&self, resume: &Resume) -> Option<SessionId> {
        let id = SessionId::parse(&resume.session)?;
        let session = self.sessions.get(&id)?;
        session.token.matches(&resume.token).then_some(id)
    }

    /// Whether the session can go on from `ack`. It ends if not: its owner has lost the thread and
    /// gets a new one.
    fn rewind(&mut self, now: Instant, id: SessionId, ack: u64) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        if session.resume(ack).is_err() {
            self.fail(now, id, Code::BadSequence, "the session was resumed from an unknown place");
            return false;
        }
        self.weigh(id);
        true
    }

    fn take_over(&mut self, now: Instant, socket: SocketId, id: SessionId) {
        if let Some(old) = self.sessions.get(&id).and_then(Session::socket) {
            self.release(now, old);
            self.refuse(old, Code::Replaced, "the session goes on over another connection");
        }
        let Some(client) = self.sockets.get(&socket).map(|socket| socket.client.clone()) else {
            return;
        };
        let session = self.sessions.get_mut(&id).expect("found by the caller");
        let before = session.account();
        session.attach(socket, client, true);
        let after = session.account();
        self.accounts.change(before, |holding| holding.sessions -= 1);
        self.accounts.change(after, |holding| holding.sessions += 1);
        self.weigh(id);
        self.stats.resumes += 1;
        self.open(now, socket, id);
    }

    fn open(&mut self, now: Instant, socket: SocketId, id: SessionId) {
        if let Some(socket) = self.sockets.get_mut(&socket) {
            socket.phase = Phase::Open(id);
        }
        self.timers.set(super::Timer::Socket(socket), Some(now + self.config.heartbeat * 2));
        self.arm(id);
        self.grants.insert(id);
    }

    /// The answer to [`Event::Grant`](super::Event::Grant).
    pub(in super::super) fn handle_grant(&mut self, now: Instant, id: SessionId, grant: &IceGrant) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        // A session without a socket gets a fresh grant with its next welcome.
        let Some(socket) = session.socket() else { return };
        session.renew_at =
            (!grant.ttl.is_zero()).then(|| now + (grant.ttl * 3 / 4).max(MIN_RENEWAL));
        let Some(resumed) = session.welcome.take() else {
            let renewal = Outgoing::IceServers { ice_servers: &grant.servers, ice_ttl: grant.ttl };
            self.post(now, id, &renewal);
            self.arm(id);
            return self.deliver(now);
        };
        let welcome = Outgoing::Welcome {
            version: VERSION,
            session: id.to_string(),
            token: session.token.encode(),
            resumed,
            ack: session.received,
            heartbeat: self.config.heartbeat,
            resume_within: self.config.resume_within,
            limits: (&self.config).into(),
            ice_servers: &grant.servers,
            ice_ttl: grant.ttl,
            discovery: &grant.discovery,
            invitation: &session.client.invitation,
        }
        .encode(None);
        if let Some(socket) = self.sockets.get_mut(&socket) {
            socket.urgent.push_back(welcome);
        }
        self.wake(socket);
        self.arm(id);
    }
}
