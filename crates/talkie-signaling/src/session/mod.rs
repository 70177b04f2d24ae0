//! A session with the server, without I/O: frames, time and requests go in, frames and events come
//! out.
//!
//! docs/signaling.md, "Reliable delivery over a socket that may drop": each side numbers what it
//! says, keeps it until it is acknowledged, and takes only the number that follows the last. A lost
//! socket changes nothing but that a `hello` with the session's name goes first over the next one.
//!
//! The server is not trusted: a gap, an acknowledgement of what was never sent, an answer that
//! nobody asked for or a frame that cannot be read end the session with a reason.

mod answers;
mod outbox;
mod pace;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use answers::Answers;
use outbox::Outbox;
use pace::{Pace, Turn};

use crate::error::{End, Refusal};
use crate::event::Event;
use crate::message::{
    Glimpse, Hello, Incoming, Joined, Message, Request, Resume, Unsequenced, Welcome, frame,
};

/// Events that wait for the application. Beyond it nothing more is read from the socket.
const MAX_EVENTS: usize = 256;
/// The same in bytes of the frames that they came in.
const MAX_EVENT_BYTES: usize = 4 * 1024 * 1024;
/// docs/signaling.md: who has nothing else to say acknowledges within a second.
const ACK_DELAY: Duration = Duration::from_millis(200);
/// Acknowledgements are not put off while the server has this much to keep.
const ACK_EVERY: u64 = 16;
/// How long a server may take to answer on a socket that is in doubt.
const DOUBT: Duration = Duration::from_secs(3);
/// Bounds on what a server may ask for as heartbeat.
const HEARTBEAT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// What came out of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    Joined(Joined),
    Knocking,
    Peeked(Glimpse),
    Left,
}

/// What a message means to the application.
#[derive(Debug)]
enum Output {
    /// To the request with that number.
    Answer(u64, Result<Answer, Refusal>),
    Event(Event),
}

/// Why the present socket is of no more use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The session may go on over another.
    Socket(String),
    /// Nothing goes on.
    Session(End),
}

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    /// Since the first `welcome`.
    open: Option<Open>,
    /// Whether the present socket has had its `welcome`.
    welcomed: bool,
    hello_due: bool,
    /// With the bytes that each came in.
    events: VecDeque<(Event, usize)>,
    event_bytes: usize,
    /// Beside the events, for who waits for an answer does not read events meanwhile.
    answers: VecDeque<(u64, Result<Answer, Refusal>)>,
}

#[derive(Debug)]
struct Open {
    welcome: Welcome,
    outbox: Outbox,
    answers: Answers,
    /// The highest of the server's numbers that came in order.
    received: u64,
    acknowledged: u64,
    ack_due: Option<Instant>,
    ping_due: Instant,
    /// The last time that anything was heard.
    heard: Instant,
    /// The network has changed since, and until then something must be heard.
    doubted_until: Option<Instant>,
}

impl Session {
    pub(crate) fn new() -> Self {
        Self {
            open: None,
            welcomed: false,
            hello_due: false,
            events: VecDeque::new(),
            event_bytes: 0,
            answers: VecDeque::new(),
        }
    }

    /// A socket is there.
    pub(crate) fn handle_connected(&mut self) {
        self.hello_due = true;
        self.welcomed = false;
    }

    /// Whether events may still be taken in.
    pub(crate) fn has_room(&self) -> bool {
        self.events.len() < MAX_EVENTS && self.event_bytes < MAX_EVENT_BYTES
    }

    /// Whether a request may be taken.
    pub(crate) fn takes_requests(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.outbox.has_room())
    }

    /// How long the session outlives its socket.
    pub(crate) fn resume_within(&self) -> Duration {
        self.open.as_ref().map_or(Duration::ZERO, |open| open.welcome.resume_within)
    }

    /// Takes a request, which [`Self::takes_requests`] has allowed; tells its number.
    pub(crate) fn handle_request(&mut self, request: &Request) -> Option<u64> {
        let open = self.open.as_mut()?;
        let seq = open.outbox.push(request);
        open.answers.expect(seq, request);
        Some(seq)
    }

    /// A frame came.
    pub(crate) fn handle_text(&mut self, now: Instant, text: &str) -> Result<(), Broken> {
        let Incoming { seq, ack, message } =
            Incoming::parse(text).map_err(|fault| violation(fault.0))?;
        if let Message::Error(error) = &message
            && error.fatal
        {
            return Err(self.fatal(&error.code, &error.message));
        }
        if let Message::Welcome(welcome) = message {
            return self.handle_welcome(now, *welcome);
        }
        let Some(open) = self.open.as_mut().filter(|_| self.welcomed) else {
            return Err(violation("it did not begin with a welcome"));
        };
        open.heard = now;
        open.doubted_until = None;
        if let Some(ack) = ack
            && !open.outbox.acknowledged(now, ack)
        {
            return Err(violation("it acknowledges what was never sent"));
        }
        let in_order = open.in_order(now, seq, &message)?;
        if in_order && let Some(output) = open.answers.sort(message).map_err(violation)? {
            match output {
                Output::Answer(seq, answer) => self.answers.push_back((seq, answer)),
                Output::Event(event) => self.keep(event, text.len()),
            }
        }
        Ok(())
    }

    fn handle_welcome(&mut self, now: Instant, mut welcome: Welcome) -> Result<(), Broken> {
        if self.welcomed || self.hello_due {
            return Err(violation("a welcome that was not asked for"));
        }
        self.welcomed = true;
        welcome.heartbeat = welcome.heartbeat.clamp(HEARTBEAT.0, HEARTBEAT.1);
        let limits = welcome.limits;
        let pace = Pace::new(now, limits.messages_per_second, limits.burst);
        match &mut self.open {
            Some(open) if welcome.resumed => {
                if !open.outbox.resume(now, welcome.ack) {
                    return Err(violation("it resumes where the session was not"));
                }
                open.acknowledged = open.received;
                open.ack_due = None;
                open.ping_due = now + welcome.heartbeat / 2;
                open.heard = now;
                open.doubted_until = None;
                let grant = welcome.ice.clone();
                open.welcome = welcome;
                self.keep(Event::Resumed, 0);
                self.keep(Event::IceServers(grant), 0);
            }
            None if welcome.resumed => return Err(violation("it resumes what was not asked for")),
            before => {
                let restarted = before.is_some();
                *before = Some(Open {
                    outbox: Outbox::new(pace),
                    answers: Answers::default(),
                    received: 0,
                    acknowledged: 0,
                    ack_due: None,
                    ping_due: now + welcome.heartbeat / 2,
                    heard: now,
                    doubted_until: None,
                    welcome: welcome.clone(),
                });
                if restarted {
                    self.keep(Event::Restarted(Box::new(welcome)), 0);
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, event: Event, bytes: usize) {
        self.event_bytes += bytes;
        self.events.push_back((event, bytes));
    }

    /// docs/signaling.md, "Server to client": after two of the fatal errors a session goes on over
    /// another socket. `replaced` is none of them for us: whoever holds the token now is not to be
    /// fought.
    fn fatal(&self, code: &str, message: &str) -> Broken {
        if self.open.is_some() && matches!(code, "slow-reader" | "too-many-sessions") {
            return Broken::Socket(format!("{message} ({code})"));
        }
        let (code, message) = (code.to_owned(), message.to_owned());
        Broken::Session(End::Refused(Refusal { code, message }))
    }

    /// The socket is gone, or did not come about.
    pub(crate) fn handle_disconnected(&mut self) {
        self.hello_due = false;
        if std::mem::take(&mut self.welcomed) {
            self.keep(Event::Disconnected, 0);
        }
    }

    /// The network has changed, so that the socket may be dead: it has little time to show that it is not.
    pub(crate) fn handle_doubt(&mut self, now: Instant) {
        let Some(open) = self.open.as_mut().filter(|_| self.welcomed) else { return };
        open.ping_due = now;
        open.doubted_until.get_or_insert(now + DOUBT);
    }

    /// Time has passed. An error if the server has been silent for too long.
    pub(crate) fn handle_timeout(&self, now: Instant) -> Result<(), Broken> {
        let Some(open) = self.open.as_ref().filter(|_| self.welcomed) else { return Ok(()) };
        if now >= open.silent_at() {
            return Err(Broken::Socket("the server is silent".to_owned()));
        }
        Ok(())
    }

    /// The next frame to send.
    pub(crate) fn poll_frame(&mut self, now: Instant) -> Option<String> {
        if std::mem::take(&mut self.hello_due) {
            let resume = self.open.as_ref().map(|open| Resume {
                session: &open.welcome.session,
                token: &open.welcome.token,
                ack: open.received,
            });
            return Some(frame(&Unsequenced::Hello(Hello::new(resume)), None, None));
        }
        let open = self.open.as_mut().filter(|_| self.welcomed)?;
        if let Some(text) = open.outbox.next(now, open.received) {
            open.has_acknowledged();
            return Some(text);
        }
        if now >= open.ping_due {
            open.ping_due = now + open.welcome.heartbeat / 2;
            let ack = open.received;
            open.has_acknowledged();
            return Some(frame(&Unsequenced::Ping, None, Some(ack)));
        }
        if open.ack_due.is_some_and(|due| now >= due) {
            let ack = open.received;
            open.has_acknowledged();
            return Some(frame(&Unsequenced::Ack, None, Some(ack)));
        }
        None
    }

    /// The answer to the request with that number.
    pub(crate) fn poll_answer(&mut self) -> Option<(u64, Result<Answer, Refusal>)> {
        self.answers.pop_front()
    }

    /// What happened beside that.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        let (event, bytes) = self.events.pop_front()?;
        self.event_bytes -= bytes;
        Some(event)
    }

    /// Whether there is an event.
    pub(crate) fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    /// Whether the present socket opened a session, instead of going on with one.
    pub(crate) fn has_restarted(&self) -> bool {
        self.welcome().is_some_and(|welcome| !welcome.resumed)
    }

    /// What the server said when the session opened, or was resumed.
    pub(crate) fn welcome(&self) -> Option<&Welcome> {
        self.open.as_ref().filter(|_| self.welcomed).map(|open| &open.welcome)
    }

    /// When [`Self::handle_timeout`] and [`Self::poll_frame`] are to be called again.
    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let open = self.open.as_ref().filter(|_| self.welcomed)?;
        let turn = match open.outbox.turn(now) {
            Some(Turn::Now) => Some(now),
            Some(Turn::At(at)) => Some(at),
            Some(Turn::AfterAck) | None => None,
        };
        let others = [Some(open.ping_due), Some(open.silent_at()), open.ack_due, turn];
        others.into_iter().flatten().min()
    }
}

impl Open {
    /// Whether a message is the next of the sequence or stands outside it; false for one that came
    /// before.
    fn in_order(
        &mut self,
        now: Instant,
        seq: Option<u64>,
        message: &Message,
    ) -> Result<bool, Broken> {
        let Some(seq) = seq else {
            if message.is_reliable() {
                return Err(violation("a message without its number"));
            }
            return Ok(true);
        };
        if seq > self.received + 1 {
            return Err(violation("a gap in the numbers of its messages"));
        }
        let is_new = seq == self.received + 1;
        if is_new {
            self.received = seq;
        }
        let soon =
            if self.received - self.acknowledged >= ACK_EVERY { now } else { now + ACK_DELAY };
        self.ack_due = Some(self.ack_due.map_or(soon, |due| due.min(soon)));
        Ok(is_new)
    }

    fn has_acknowledged(&mut self) {
        self.acknowledged = self.received;
        self.ack_due = None;
    }

    /// A ping goes out twice in a heartbeat, so that a server which says nothing for two is gone.
    fn silent_at(&self) -> Instant {
        let silent_at = self.heard + self.welcome.heartbeat * 2;
        self.doubted_until.map_or(silent_at, |until| until.min(silent_at))
    }
}

fn violation(what: impl Into<String>) -> Broken {
    Broken::Session(End::Protocol(what.into()))
}
