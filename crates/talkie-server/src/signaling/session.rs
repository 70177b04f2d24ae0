//! A session: what outlives a socket. It keeps both directions' sequence numbers, what the client
//! has not yet acknowledged, and where the client is.

use std::time::{Duration, Instant};

use super::ids::{SocketId, Token};
use super::outbox::{OutOfRange, Outbox};
use super::{AddressKey, Client, PeerId, RoomName, SignalingConfig};
use crate::token_bucket::TokenBucket;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Attached(SocketId),
    /// Since the socket dropped.
    Detached {
        until: Instant,
    },
}

#[derive(Debug, Clone)]
pub(super) enum Place {
    Nowhere,
    /// The backend has not answered yet; `about` is the request's number.
    Joining {
        peer: PeerId,
        room: RoomName,
        about: u64,
    },
    /// Before a locked room.
    Knocking {
        peer: PeerId,
        room: RoomName,
        about: u64,
    },
    In {
        peer: PeerId,
        room: RoomName,
    },
}

impl Place {
    pub(super) fn peer(&self) -> Option<PeerId> {
        match self {
            Self::Nowhere => None,
            Self::Joining { peer, .. } | Self::Knocking { peer, .. } | Self::In { peer, .. } => {
                Some(*peer)
            }
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Peek {
    /// Whom the backend answers.
    pub(super) asker: PeerId,
    pub(super) room: RoomName,
}

/// What to do with a client's sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    New,
    Again,
    Gap,
}

pub(super) struct Session {
    pub(super) token: Token,
    pub(super) client: Client,
    pub(super) link: Link,
    pub(super) place: Place,
    /// A look at a room that the backend has not answered yet.
    pub(super) peek: Option<Peek>,
    pub(super) outbox: Outbox,
    /// The highest number received from the client in order.
    pub(super) received: u64,
    /// When the client must have heard of `received`.
    ack_at: Option<Instant>,
    ack_due: bool,
    pub(super) bucket: TokenBucket,
    /// Since when the client has been sending too fast.
    pub(super) flooding_since: Option<Instant>,
    /// Malformed messages.
    pub(super) bad: u32,
    /// A welcome is owed to the present socket; its value says whether the session was resumed.
    pub(super) welcome: Option<bool>,
    /// When the ICE servers' credentials want to be renewed.
    pub(super) renew_at: Option<Instant>,
}

impl Session {
    pub(super) fn new(
        now: Instant,
        token: Token,
        client: Client,
        config: &SignalingConfig,
    ) -> Self {
        Self {
            token,
            client,
            link: Link::Detached { until: now },
            place: Place::Nowhere,
            peek: None,
            outbox: Outbox::new(config.replay_messages, config.replay_bytes),
            received: 0,
            ack_at: None,
            ack_due: false,
            bucket: TokenBucket::full(now),
            flooding_since: None,
            bad: 0,
            welcome: None,
            renew_at: None,
        }
    }

    pub(super) fn account(&self) -> AddressKey {
        AddressKey::from(self.client.address)
    }

    pub(super) fn socket(&self) -> Option<SocketId> {
        match self.link {
            Link::Attached(socket) => Some(socket),
            Link::Detached { .. } => None,
        }
    }

    /// Goes on from `ack`, if that can be.
    pub(super) fn resume(&mut self, ack: u64) -> Result<(), OutOfRange> {
        self.outbox.rewind(ack)
    }

    pub(super) fn attach(&mut self, socket: SocketId, client: Client, resumed: bool) {
        self.client = client;
        self.link = Link::Attached(socket);
        self.welcome = Some(resumed);
        // The welcome tells both.
        self.ack_at = None;
        self.ack_due = false;
        self.renew_at = None;
    }

    pub(super) fn detach(&mut self, until: Instant) {
        self.link = Link::Detached { until };
        self.welcome = None;
        self.ack_at = None;
        self.ack_due = false;
        self.renew_at = None;
    }

    /// Takes a client's sequence number.
    pub(super) fn arrive(&mut self, now: Instant, seq: u64, ack_within: Duration) -> Arrival {
        if seq > self.received + 1 {
            return Arrival::Gap;
        }
        // A repetition too is acknowledged: the first acknowledgement may have been lost.
        if !self.ack_due {
            self.ack_at.get_or_insert(now + ack_within);
        }
        if seq <= self.received {
            return Arrival::Again;
        }
        self.received = seq;
        Arrival::New
    }

    /// Marks an acknowledgement whose time has come, so that it goes out alone.
    pub(super) fn ack_comes_due(&mut self, now: Instant) -> bool {
        if self.ack_at.is_some_and(|at| at <= now) {
            self.ack_at = None;
            self.ack_due = true;
        }
        self.ack_due
    }

    pub(super) fn ack_is_due(&self) -> bool {
        self.ack_due
    }

    /// The acknowledgement to send along, if one is owed at all.
    pub(super) fn take_ack(&mut self) -> Option<u64> {
        let waiting = self.ack_at.take().is_some();
        let due = std::mem::take(&mut self.ack_due);
        (waiting || due).then_some(self.received)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.link {
            Link::Detached { until } => Some(until),
            Link::Attached(_) => [self.ack_at, self.renew_at].into_iter().flatten().min(),
        }
    }
}
