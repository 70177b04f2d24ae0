//! One question: a request sent again and again until it is answered, or until silence is an answer.
//!
//! [`stun::transaction`](crate::stun::transaction) cannot ask it: an answer may come from another
//! address than was asked, or to another port, and the waits are not those of a client that wants to
//! be sure to get through, but of one that wants to be sure that nothing came.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::stun::attributes::{
    ChangeRequest, MappedAddress, Nonce, OtherAddress, Padding, ResponsePort, XorMappedAddress,
};
use crate::stun::{AttributeType, Class, HEADER_LENGTH, Message, Method, TransactionId, Writer};

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// RFC 5780 §4.2: a plain request from this socket to the primary address, test I of all tests.
    Contact(usize),
    /// §4.3, test II: to the alternate address, primary port.
    MappingAddress,
    /// §4.3, test III: to the alternate address and port.
    MappingBoth,
    /// To the primary address, alternate port: where there is no alternate address.
    MappingPort,
    /// To the second server.
    MappingSecond,
    /// §4.4, test II: an answer from the alternate address and port.
    FilterBoth,
    /// §4.4, test III: an answer from the alternate port.
    FilterPort,
    /// As test II, but to a port that the alternate address may send to: whether the server does what
    /// the test asks for.
    Calibrate,
    /// §3.4: lets the hairpinned request in.
    Opener,
    /// §3.4: to our own outside address.
    Hairpin,
    /// §3.5: a long one.
    Fragments,
    /// §4.6: the mapping whose end is waited for.
    Bind(u32),
    /// §4.6: an answer to the port of that mapping.
    Check(u32),
}

impl Purpose {
    /// Whether nothing but loss can keep the answer away.
    pub(super) fn must_be_answered(self) -> bool {
        matches!(
            self,
            Self::Contact(_)
                | Self::Bind(_)
                | Self::MappingAddress
                | Self::MappingBoth
                | Self::MappingPort
                | Self::MappingSecond
        )
    }

    /// Whether silence takes proof.
    pub(super) fn is_doubtful(self) -> bool {
        !self.must_be_answered() && self != Self::Opener
    }

    /// Whether the answer may come from another address or port of the server than was asked.
    pub(super) fn changes_source(self) -> bool {
        matches!(self, Self::FilterBoth | Self::FilterPort | Self::Calibrate)
    }
}

/// How it ended.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Answer(Answer),
    Refused(u16),
    Silent,
    /// Silent, but so is much else.
    Unsure,
}

/// What an answer says.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) source: SocketAddr,
    /// The socket that it came to.
    pub(super) on: usize,
    pub(super) mapped: Option<SocketAddr>,
    /// The mapped address in plain form, where both were there.
    pub(super) plain: Option<SocketAddr>,
    pub(super) other: Option<SocketAddr>,
    pub(super) extent: Extent,
    pub(super) padding: usize,
}

/// What an answer holds beside the mapped address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    names_other: bool,
    is_plain: bool,
}

impl Extent {
    fn of(message: &Message<'_>) -> Self {
        let is_plain = message.contains(AttributeType::MAPPED_ADDRESS)
            && message.contains(AttributeType::XOR_MAPPED_ADDRESS);
        Self { names_other: message.contains(AttributeType::OTHER_ADDRESS), is_plain }
    }

    /// RFC 5780 §6.1: a server for behaviour discovery sends more than one of RFC 8489 must.
    pub(super) fn is_bare(self) -> bool {
        !self.names_other && !self.is_plain
    }
}

impl Answer {
    /// Reads a response; the code if it is a refusal.
    pub(super) fn read(message: &Message<'_>, source: SocketAddr, on: usize) -> Result<Self, u16> {
        use crate::stun::attributes::ErrorCode;
        if message.class() == Class::Error {
            return Err(message.get::<ErrorCode<'_>>().ok().flatten().map_or(0, |it| it.code));
        }
        let obfuscated = message.get::<XorMappedAddress>().ok().flatten().map(|it| it.0);
        let plain = message.get::<MappedAddress>().ok().flatten().map(|it| it.0);
        Ok(Self {
            source,
            on,
            // A server of RFC 3489 has the plain one only.
            mapped: obfuscated.or(plain),
            plain: plain.filter(|_| obfuscated.is_some()),
            other: message.get::<OtherAddress>().ok().flatten().map(|it| it.0),
            extent: Extent::of(message),
            padding: message.get::<Padding<'_>>().ok().flatten().map_or(0, |it| it.0.len()),
        })
    }
}

/// What a request asks for beside an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) change: ChangeRequest,
    pub(super) response_port: Option<u16>,
    /// The length to fill the message up to.
    pub(super) fill: usize,
    pub(super) is_indication: bool,
    /// What shows that we receive here, from an earlier refusal.
    pub(super) nonce: Option<String>,
}

impl Wish {
    pub(super) fn write(&self, id: TransactionId) -> Vec<u8> {
        let class = if self.is_indication { Class::Indication } else { Class::Request };
        let mut request = Vec::new();
        let mut writer = Writer::new(&mut request, class, Method::BINDING, id);
        if self.change != ChangeRequest::default() {
            writer.attribute(&self.change);
        }
        writer.optional(self.response_port.map(ResponsePort).as_ref());
        if let Some(nonce) = self.nonce.as_deref().and_then(|nonce| Nonce::new(nonce).ok()) {
            writer.attribute(&nonce);
        }
        if let Some(room @ 1..) = self.fill.checked_sub(HEADER_LENGTH + 4) {
            writer.raw(AttributeType::PADDING, |out| out.resize(out.len() + room, 0));
        }
        request
    }
}

#[derive(Debug)]
pub(super) struct Probe {
    pub(super) purpose: Purpose,
    /// Index of the local address.
    pub(super) local: usize,
    pub(super) to: SocketAddr,
    pub(super) id: TransactionId,
    request: Vec<u8>,
    pub(super) begun: Instant,
    /// When it was sent.
    pub(super) times: Vec<Instant>,
    /// How many answers came: a server answers each copy.
    pub(super) answers: usize,
    /// When one of them last told less or more than the first one: some servers answer shortly, or
    /// not at all, who asks much.
    pub(super) throttled_at: Option<Instant>,
    /// How often it was formed anew with a nonce.
    pub(super) challenges: u8,
    pub(super) outcome: Option<Outcome>,
    /// Whether it goes on after its answer, beside tests that may end in silence.
    pub(super) repeats: bool,
    /// Whether the last try was made.
    pub(super) is_closing: bool,
    is_pending: bool,
    pub(super) deadline: Option<Instant>,
}

impl Probe {
    pub(super) fn new(
        now: Instant,
        purpose: Purpose,
        local: usize,
        to: SocketAddr,
        id: TransactionId,
        wish: &Wish,
    ) -> Self {
        Self {
            purpose,
            local,
            to,
            id,
            request: wish.write(id),
            begun: now,
            times: Vec::new(),
            answers: 0,
            throttled_at: None,
            challenges: 0,
            outcome: None,
            repeats: false,
            is_closing: false,
            is_pending: false,
            deadline: None,
        }
    }

    /// Counts an answer, and compares it with the first one.
    pub(super) fn note_answer(&mut self, now: Instant, message: &Message<'_>) {
        self.answers += 1;
        let is_other = self.answer().is_some_and(|first| first.extent != Extent::of(message));
        if is_other {
            self.throttled_at = Some(now);
        }
    }

    /// Asks again in other words.
    pub(super) fn rephrase(&mut self, id: TransactionId, wish: &Wish) {
        self.id = id;
        self.request = wish.write(id);
        self.challenges += 1;
        self.forget_tries();
    }

    pub(super) fn send(&mut self, now: Instant, wait: Duration) {
        self.is_pending = true;
        self.is_closing = false;
        self.times.push(now);
        self.wait(now, wait);
    }

    /// At least a millisecond, whatever the configuration: no busy loop.
    pub(super) fn wait(&mut self, now: Instant, wait: Duration) {
        self.deadline = Some(now + wait.max(Duration::from_millis(1)));
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        if self.outcome.is_none() {
            self.outcome = Some(outcome);
            if !self.repeats {
                self.stop();
            }
        }
    }

    /// No more tries.
    pub(super) fn stop(&mut self) {
        self.repeats = false;
        self.is_pending = false;
        self.deadline = None;
        if self.purpose == Purpose::Opener {
            self.outcome = Some(Outcome::Silent);
        }
    }

    pub(super) fn forget_tries(&mut self) {
        self.times.clear();
        self.answers = 0;
    }

    pub(super) fn sent(&self) -> usize {
        self.times.len()
    }

    pub(super) fn answer(&self) -> Option<&Answer> {
        match &self.outcome {
            Some(Outcome::Answer(answer)) => Some(answer),
            _ => None,
        }
    }

    pub(super) fn take_pending(&mut self) -> Option<&[u8]> {
        std::mem::take(&mut self.is_pending).then_some(&*self.request)
    }
}
