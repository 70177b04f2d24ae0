//! Hole punching: two hosts behind NATs find a direct path, or one over a relay.
//!
//! [`Punch`] is one side. It gathers where it may be reached and says so ([`Event::Gathered`]); the
//! [`Description`] is carried to the other side by somebody else, and the other side's is given to
//! [`Punch::handle_remote`]. Then both send checks (authenticated Binding requests) from each of their
//! sockets and relays to each of the other's addresses, at the same time: a check that the other's NAT
//! drops has opened one's own NAT for those that come back. What a check comes from is an address to
//! try as well, which is how a NAT that maps by destination is met. The side with the greater name
//! chooses: the quickest direct pair, or, if there is none after a short while, the quickest that goes
//! over a relay; it says so by a nomination. [`Event::Connected`] names the path on both sides, and
//! [`Event::Measured`] follows with the round trips of the best direct and the best relayed path.
//!
//! This is a small relative of ICE (RFC 8445): one component, no trickling, no role conflicts, and the
//! clock of somebody who has nothing else to send.
//!
//! ```
//! use talkie_sansio::Machine as _;
//! use talkie_traversal::punch::{Config, Event, Punch};
//!
//! # let genesis = talkie_sansio::conformance::genesis();
//! let mut punch = Punch::new(&genesis, Config::new(vec!["10.0.0.2:50001".parse()?]))?;
//! // Without servers to ask there is only the socket's own address, and it is known at once.
//! let Some(Event::Gathered(description)) = punch.poll_event() else { panic!() };
//! let line = description.to_string();
//! assert!(line.ends_with(" host=10.0.0.2:50001"));
//! // At the other side: `punch.handle_remote(now, &line.parse()?)`.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod config;
mod description;
mod gather;
mod pair;
mod path;
mod patience;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::{Datagram, Genesis, Machine, Path, Transmit, Transport};

pub use config::{Config, Relay};
pub use description::{Candidate, Description, DescriptionError, Kind};

use self::check::Session;
use self::gather::{Base, Leg};
use self::pair::Pair;
use crate::turn::client;

/// What one side tells its application.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Where this side may be reached, for the other side.
    Gathered(Description),
    /// A relay that will not be there, and why.
    NoRelay(client::Failure),
    /// There is a path. If the other side changes its mind within the first moments, once more.
    Connected(Connection),
    /// How quick direct and relayed paths are.
    Measured(RoundTrips),
    /// There is no path, or none any more. Nothing follows.
    Failed(Failure),
}

/// The path that both sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Connection {
    /// What our end of it is.
    pub local_kind: Kind,
    /// What theirs is.
    pub remote_kind: Kind,
    /// Our socket, or our address on the relay.
    pub local: SocketAddr,
    /// Their address, as we reach it.
    pub remote: SocketAddr,
    /// How they see us.
    pub mapped: Option<SocketAddr>,
    /// Whether no relay is on the way.
    pub is_direct: bool,
    /// The shortest round trip so far.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "round_trip_ms", serialize_with = "crate::discover::millis")
    )]
    pub round_trip: Duration,
    /// How long it took from the other side's description.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "after_ms", serialize_with = "crate::discover::millis")
    )]
    pub after: Duration,
}

/// The shortest round trips seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RoundTrips {
    /// Of the best direct path, if there is one.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "direct_ms", serialize_with = "crate::discover::millis_of")
    )]
    pub direct: Option<Duration>,
    /// Of the best path over a relay, if there is one.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "relayed_ms", serialize_with = "crate::discover::millis_of")
    )]
    pub relayed: Option<Duration>,
}

/// Why there is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Failure {
    /// Not one packet of the other side arrived.
    #[error("nothing arrived from the other side")]
    Silence,
    /// Packets of the other side arrive, but no path carries both ways.
    #[error("packets arrive from the other side, but none of ours arrives there")]
    OneWay,
    /// The path was there and works no longer.
    #[error("the path has stopped working")]
    Lost,
}

/// Why a side cannot begin or go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No socket, or more than are of use; or too many relays.
    #[error("hole punching needs one to eight sockets and at most four relays")]
    Setup,
    /// A socket's address is not that of an interface.
    #[error("local addresses must be those of an interface, with their ports")]
    Unspecified,
    /// It is our own.
    #[error("the description is our own")]
    Mirrored,
    /// There was one already, or it is over.
    #[error("there is a description of the other side already")]
    Late,
}

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams that are not from the other side or answer nothing.
    pub unexpected: u64,
    /// Answers that nobody fetched in time.
    pub overrun: u64,
}

/// One of two sides.
#[derive(Debug)]
pub struct Punch {
    config: Config,
    rng: ChaCha20Rng,
    ufrag: String,
    password: String,
    bases: Vec<Base>,
    legs: Vec<Leg>,
    /// Until when candidates are gathered; `None` when it is told.
    gathers_until: Option<Instant>,
    is_extended: bool,
    began: Instant,
    /// The STUN and TURN servers that have been heard.
    heard: Vec<(Transport, SocketAddr)>,
    /// To the farthest of them.
    round_trip: Duration,
    remote: Option<Description>,
    session: Option<Session>,
    pairs: Vec<Pair>,
    stage: Stage,
    /// When the next check may go.
    paced_at: Option<Instant>,
    first_success: Option<Instant>,
    nominated_at: Option<Instant>,
    /// When anything of the other side came first.
    heard_at: Option<Instant>,
    outbox: VecDeque<Outgoing>,
    events: VecDeque<Event>,
    counters: Counters,
    deadline: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The other side's description is not there yet.
    Alone,
    Checking {
        since: Instant,
    },
    /// Round trips are measured until then.
    Connected {
        since: Instant,
        index: usize,
        until: Option<Instant>,
    },
    Over,
}

#[derive(Debug)]
struct Outgoing {
    base: usize,
    remote: SocketAddr,
    payload: Vec<u8>,
}

/// The most answers and checks that wait for the driver, which drains after each input.
const MOST_QUEUED: usize = 64;
/// The most events that wait for the application. There are fewer than that in a whole life.
const MOST_EVENTS: usize = 64;

impl Punch {
    /// Starts to gather; the sockets have to be open.
    ///
    /// # Errors
    /// If the setup cannot work.
    pub fn new(genesis: &Genesis, config: Config) -> Result<Self, Error> {
        let too_many =
            config.local.len() > Config::MOST_LOCAL || config.relays.len() > Config::MOST_RELAYS;
        if config.local.is_empty() || too_many {
            return Err(Error::Setup);
        }
        if config.local.iter().any(|local| local.ip().is_unspecified() || local.port() == 0) {
            return Err(Error::Unspecified);
        }
        let mut rng = ChaCha20Rng::from_seed(genesis.seed);
        let mut punch = Self {
            // RFC 8445 §5.3: at least 24 bits and 128 bits; here 48 and 144.
            ufrag: word(&mut rng, 8),
            password: word(&mut rng, 24),
            rng,
            bases: Vec::new(),
            legs: Vec::new(),
            gathers_until: None,
            is_extended: false,
            began: genesis.now,
            heard: Vec::new(),
            round_trip: config.round_trip.min(patience::LONGEST_ROUND_TRIP),
            remote: None,
            session: None,
            pairs: Vec::new(),
            stage: Stage::Alone,
            paced_at: None,
            first_success: None,
            nominated_at: None,
            heard_at: None,
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            deadline: None,
            config,
        };
        punch.gathers_until = Some(genesis.now + punch.patience().gather);
        punch.begin_gathering(genesis);
        punch.advance(genesis.now);
        Ok(punch)
    }

    /// Takes the other side's description and begins to check. May come before
    /// [`Event::Gathered`].
    ///
    /// # Errors
    /// If it is our own, or not the first.
    pub fn handle_remote(&mut self, now: Instant, remote: &Description) -> Result<(), Error> {
        if !matches!(self.stage, Stage::Alone) {
            return Err(Error::Late);
        }
        if remote.ufrag() == self.ufrag {
            return Err(Error::Mirrored);
        }
        let ours = (&*self.ufrag, &*self.password);
        let theirs = (remote.ufrag(), remote.password());
        // No role can conflict where the names decide (RFC 8445 §6.1.1 leaves it to signaling).
        let is_controlling = *self.ufrag > *remote.ufrag();
        let session = Session::new(ours, theirs, is_controlling, self.rng.next_u64());
        self.session = Some(session);
        self.remote = Some(remote.clone());
        self.stage = Stage::Checking { since: now };
        for base in 0..self.bases.len() {
            self.pair_base(now, base);
        }
        self.advance(now);
        Ok(())
    }

    /// Gives the relays back. After it there are only their farewells to send.
    pub fn close(&mut self, now: Instant) {
        self.stage = Stage::Over;
        self.gathers_until = None;
        self.pairs.clear();
        self.outbox.clear();
        for leg in &mut self.legs {
            leg.client.close(now);
        }
        self.advance(now);
    }

    /// What was dropped so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn tell(&mut self, event: Event) {
        if self.events.len() < MOST_EVENTS {
            self.events.push_back(event);
        }
    }

    fn advance(&mut self, now: Instant) {
        self.drain_relays(now);
        self.tell_gathered(now);
        self.choose(now);
        self.check(now);
        self.keep(now);
        self.schedule(now);
    }

    fn schedule(&mut self, now: Instant) {
        let checks = self.pairs.iter().filter_map(|pair| pair.due).min();
        let paced = checks.map(|due| self.paced_at.map_or(due, |at| at.max(due)));
        let queries = self.bases.iter().filter_map(Base::next_timeout);
        let relays = self.legs.iter().filter_map(|leg| leg.client.poll_timeout());
        let due = queries.chain(relays).chain(paced).chain(self.gathers_until).min();
        // A time that has passed without a choice is no time to wake up at.
        let choice = self.choice_times().into_iter().flatten().filter(|at| *at > now).min();
        self.deadline = due.into_iter().chain(choice).min();
    }

    fn pop_outgoing(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let Outgoing { base, remote, payload } = self.outbox.pop_front()?;
        buf.extend_from_slice(&payload);
        let local = self.bases[base].address;
        let path = Path { transport: Transport::Udp, local, remote };
        Some(Transmit { path, len: payload.len() })
    }
}

/// Random letters and digits, six bits each.
fn word(rng: &mut ChaCha20Rng, length: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..length).map(|_| char::from(LETTERS[rng.next_u32() as usize % 64])).collect()
}

impl Machine for Punch {
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, mut datagram: Datagram<'_>) {
        if !self.handle_server(now, &mut datagram) {
            let path = datagram.path;
            let is_here = |base: &Base| base.relay.is_none() && base.address == path.local;
            let base = self.bases.iter().position(is_here);
            match base.filter(|_| path.transport == Transport::Udp) {
                Some(base) => self.handle_peer(now, base, path.remote, datagram.payload),
                None => self.counters.unexpected += 1,
            }
        }
        self.advance(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.time_out_gathering(now);
        self.advance(now);
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        if let Some(transmit) = self.pop_outgoing(buf) {
            return Some(transmit);
        }
        let queries = self.bases.iter_mut().filter_map(Base::query_mut);
        for query in queries {
            if let Some(transmit) = query.poll_transmit(buf) {
                return Some(transmit);
            }
        }
        self.legs.iter_mut().find_map(|leg| leg.client.poll_transmit(buf))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }
}

const _: fn() = || {
    fn assert_send<T: Send>() {}
    assert_send::<Punch>();
};
