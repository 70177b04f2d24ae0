//! A client's side of one request (RFC 8489 §6.2, §6.3.3, §6.3.4).
//!
//! Over UDP the request is sent again after RTO, 2 RTO, 4 RTO…, at most Rc times, and given up
//! Rm × RTO after the last; over a stream it is sent once and given up after Ti. A response is one
//! from the server's address, with the request's transaction id and, where the request was
//! protected, with integrity by the same key. What fails the last is dropped as if it never came,
//! so that a stranger who guesses the id cannot end the transaction; but on a stream, where nobody
//! else can write, it ends it at once (§9.1.4, §9.2.5).

use std::time::{Duration, Instant};

use talkie_sansio::{Path, Transmit};

use super::attributes::{AttributeType, ErrorCode, Nonce};
use super::auth::{Key, SecurityFeatures};
use super::header::{Class, Method, TransactionId};
use super::message::Message;

/// The timers.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// RTO: the first wait of a request over UDP. RFC 8489 §6.2.1: 500 ms.
    pub rto: Duration,
    /// Rc: how often a request is sent over UDP. RFC 8489 §6.2.1: 7.
    pub requests: u32,
    /// Rm: how many RTOs to wait after the last. RFC 8489 §6.2.1: 16.
    pub last_wait: u32,
    /// Ti: how long to wait on a stream. RFC 8489 §6.2.2: 39.5 s, as long as it takes over UDP.
    pub reliable_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rto: Duration::from_millis(500),
            requests: 7,
            last_wait: 16,
            reliable_timeout: Duration::from_millis(39_500),
        }
    }
}

/// What a response has to prove.
#[derive(Clone, Debug)]
pub enum Protection {
    /// Nothing: the request was not protected.
    None,
    /// RFC 8489 §9.1.4: integrity, by the algorithm of the request if it was only one.
    ShortTerm(Key, Algorithms),
    /// RFC 8489 §9.2.5: integrity, except for the errors 401 and 438, which a server sends that
    /// does not know the client.
    LongTerm(Key),
}

/// Which integrity attributes a request carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithms {
    /// MESSAGE-INTEGRITY.
    Sha1,
    /// MESSAGE-INTEGRITY-SHA256.
    Sha256,
    /// Both.
    Both,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A response that passed all checks: success or error.
    Response {
        /// The message; it parses.
        message: Vec<u8>,
        /// How long it took, if the request was sent once (Karn's algorithm).
        round_trip: Option<Duration>,
    },
    /// The response cannot be understood: it has an unknown comprehension-required attribute, or it
    /// is an error without a code.
    Incomprehensible,
    /// Nothing came.
    TimedOut,
    /// All that came, or what came on the stream, had no or the wrong integrity.
    IntegrityViolated,
}

/// One request on its way.
#[derive(Debug)]
pub struct Transaction {
    config: Config,
    path: Path,
    id: TransactionId,
    method: Method,
    request: Vec<u8>,
    protection: Protection,
    started: Instant,
    sent: u32,
    pending: bool,
    violated: bool,
    deadline: Option<Instant>,
    event: Option<Event>,
}

/// What to do with a message of this transaction.
enum Verdict {
    Accept,
    /// As if it never came.
    Ignore,
    Violation,
    Incomprehensible,
}

impl Transaction {
    /// Starts a transaction; `request` is the whole message, made by a
    /// [`Writer`](super::Writer) with this id and method.
    #[must_use]
    pub fn new(
        now: Instant,
        path: Path,
        (id, method): (TransactionId, Method),
        request: Vec<u8>,
        protection: Protection,
        config: Config,
    ) -> Self {
        let mut transaction = Self {
            config,
            path,
            id,
            method,
            request,
            protection,
            started: now,
            sent: 0,
            pending: false,
            violated: false,
            deadline: None,
            event: None,
        };
        transaction.send(now);
        transaction
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// Takes a message if it answers this transaction; says whether it does, right or wrong.
    pub fn handle_datagram(&mut self, now: Instant, path: Path, message: &Message<'_>) -> bool {
        if !self.matches(path, message) {
            return false;
        }
        match self.judge(message) {
            Verdict::Accept => {
                let round_trip =
                    (self.sent == 1).then(|| now.saturating_duration_since(self.started));
                self.end(Event::Response { message: message.as_bytes().to_vec(), round_trip });
            }
            Verdict::Ignore => {}
            Verdict::Violation if self.path.transport.is_reliable() => {
                self.end(Event::IntegrityViolated);
            }
            Verdict::Violation => self.violated = true,
            Verdict::Incomprehensible => self.end(Event::Incomprehensible),
        }
        true
    }

    /// Sends again or gives up, if it is time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        if !self.path.transport.is_reliable() && self.sent < self.config.requests {
            self.send(now);
        } else if self.violated {
            // RFC 8489 §9.1.4, §9.2.5: not a mere timeout if forged responses came.
            self.end(Event::IntegrityViolated);
        } else {
            self.end(Event::TimedOut);
        }
    }

    /// Appends the request if it is to be sent.
    pub fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        if !std::mem::take(&mut self.pending) {
            return None;
        }
        buf.extend_from_slice(&self.request);
        Some(Transmit { path: self.path, len: self.request.len() })
    }

    /// How it ended; told once.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.event.take()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    fn send(&mut self, now: Instant) {
        self.pending = true;
        self.sent += 1;
        let wait = if self.path.transport.is_reliable() {
            self.config.reliable_timeout
        } else if self.sent < self.config.requests {
            self.config.rto.saturating_mul(1 << (self.sent - 1).min(16))
        } else {
            self.config.rto.saturating_mul(self.config.last_wait)
        };
        // At least a millisecond, whatever the configuration: no busy loop.
        self.deadline = now.checked_add(wait.max(Duration::from_millis(1)));
    }

    fn end(&mut self, event: Event) {
        self.pending = false;
        self.deadline = None;
        self.event = Some(event);
    }

    /// RFC 8489 §6.3: a response's id is that of a transaction in progress. Its source has to be
    /// the server's address, too.
    fn matches(&self, path: Path, message: &Message<'_>) -> bool {
        self.deadline.is_some()
            && message.class().is_response()
            && message.transaction_id() == self.id
            && message.method() == self.method
            && (path.transport, path.remote) == (self.path.transport, self.path.remote)
    }

    fn judge(&self, message: &Message<'_>) -> Verdict {
        let code = message.get::<ErrorCode<'_>>().ok().flatten().map(|error| error.code);
        match self.authenticate(message, code) {
            Verdict::Accept => {}
            other => return other,
        }
        // RFC 8489 §6.3.3, §6.3.4.
        let lacks_code = message.class() == Class::Error && code.is_none();
        if lacks_code || message.unknown_required(AttributeType::KNOWN).next().is_some() {
            return Verdict::Incomprehensible;
        }
        Verdict::Accept
    }

    fn authenticate(&self, message: &Message<'_>, code: Option<u16>) -> Verdict {
        match &self.protection {
            Protection::None => Verdict::Accept,
            Protection::ShortTerm(key, algorithms) => {
                let mismatch = match algorithms {
                    Algorithms::Both => false,
                    Algorithms::Sha1 => message.contains(AttributeType::MESSAGE_INTEGRITY_SHA256),
                    Algorithms::Sha256 => message.contains(AttributeType::MESSAGE_INTEGRITY),
                };
                if mismatch { Verdict::Violation } else { integrity(message, key) }
            }
            Protection::LongTerm(key) => {
                let error = message.class() == Class::Error;
                if error && matches!(code, Some(401 | 438)) {
                    return Verdict::Accept;
                }
                // RFC 8489 §9.2.5: such a nonce without the list was tampered with.
                let stripped = announces_algorithms(message)
                    && !message.contains(AttributeType::PASSWORD_ALGORITHMS);
                let bare = !message.contains(AttributeType::MESSAGE_INTEGRITY)
                    && !message.contains(AttributeType::MESSAGE_INTEGRITY_SHA256);
                if stripped || (error && code == Some(400) && bare) {
                    return Verdict::Ignore;
                }
                integrity(message, key)
            }
        }
    }
}

/// Whether the stronger of the integrity attributes that are there is right.
fn integrity(message: &Message<'_>, key: &Key) -> Verdict {
    match message.check_integrity_sha256(key).or_else(|| message.check_integrity(key)) {
        Some(true) => Verdict::Accept,
        Some(false) | None => Verdict::Violation,
    }
}

/// Whether the nonce says that PASSWORD-ALGORITHMS has to be there.
pub(super) fn announces_algorithms(message: &Message<'_>) -> bool {
    message
        .get::<Nonce<'_>>()
        .ok()
        .flatten()
        .and_then(|nonce| SecurityFeatures::of_nonce(nonce.as_str().as_bytes()))
        .is_some_and(|features| features.password_algorithms)
}
