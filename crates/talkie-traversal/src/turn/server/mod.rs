//! The TURN server (RFC 8656), the Binding part of a STUN server (RFC 8489) and the server of NAT
//! behaviour discovery (RFC 5780) as a machine without I/O.
//!
//! [`TurnServer`] takes what clients and peers send, by the local address it arrived at: a listener's
//! for clients, a relay's for peers. It asks the driver for relay sockets by events and answers, and
//! says what to send. Relayed payload has a second way in beside [`Machine`]:
//! [`TurnServer::forward`] rewrites a packet in the buffer it was received in.
//!
//! Built for the open Internet. Before a client has proven that it knows a password it costs no
//! memory and gets a reply of about twice its own bytes at most, save that NAT behaviour
//! [discovery](Discovery) gives out three times that by a budget; after that it meets the bounds of
//! [`Limits`].
//! Peers are judged by [`PeerPolicy`]; packets between two relays of one server never leave it.

mod allocate;
mod auth;
mod binding;
mod budget;
mod channel;
mod classic;
mod config;
mod credentials;
mod deadlines;
mod discovery;
mod event;
mod forward;
mod lifecycle;
mod nonce;
mod outbox;
mod permission;
mod policy;
mod ports;
mod refresh;
mod relay;
mod reply;
mod route;
mod stats;
mod table;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use rustc_hash::FxSeededState;
use talkie_sansio::{Datagram, Genesis, Machine, Path, Transmit};

pub use config::{Config, ConfigError, Limits, OfferSha256, RelayAddress};
pub use credentials::{Credentials, Issued, Secret};
pub use discovery::{Discovery, OwnAddress};
pub use event::{Event, OpenError, RelayId, ReleaseReason, Traffic};
pub use forward::{Forward, HEADROOM, Packet, TAILROOM};
pub use policy::{Class as PeerClass, PeerPolicy, canonical as canonical_peer};
pub use stats::{Allocations, Drops, Stats};
pub use table::Family;

use budget::Budget;
use credentials::Accounts;
use deadlines::Deadlines;
use nonce::Nonces;
use outbox::Outbox;
use table::{Id, Table};

use crate::stun::attributes::{AttributeType, ErrorCode, ReservationToken};
use crate::stun::{Class, Message, Method};

/// A TURN and STUN server. See the [module documentation](self).
pub struct TurnServer {
    config: Config,
    accounts: Accounts,
    nonces: Nonces,
    budget: Budget,
    rng: ChaCha20Rng,
    /// An instant and the wall clock at it.
    clock: (Instant, Duration),
    /// The addresses that are ours by configuration.
    own: Vec<IpAddr>,
    table: Table,
    deadlines: Deadlines<Timer>,
    relay_serial: u64,
    outbox: Outbox,
    events: VecDeque<Event>,
    flows: forward::Flows,
    stats: Stats,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Allocation(Id),
    Reservation(ReservationToken),
}

impl TurnServer {
    /// A server without allocations.
    ///
    /// # Errors
    /// If the configuration cannot work.
    pub fn new(genesis: Genesis, config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let mut rng = ChaCha20Rng::from_seed(genesis.seed);
        let mut nonce_key = [0; 32];
        rng.fill_bytes(&mut nonce_key);
        #[expect(clippy::cast_possible_truncation, reason = "any bits make a seed")]
        let hasher = FxSeededState::with_seed(rng.next_u64() as usize);
        Ok(Self {
            accounts: Accounts::new(&config.credentials, &config.realm, &hasher),
            nonces: Nonces::new(nonce_key, config.nonce_lifetime),
            budget: Budget::new(hasher.clone()),
            rng,
            clock: (genesis.now, genesis.unix),
            own: route::own_addresses(&config),
            table: Table::new(hasher),
            deadlines: Deadlines::new(),
            relay_serial: 0,
            outbox: Outbox::new(config.limits.queued_datagrams, config.limits.queued_bytes),
            events: VecDeque::new(),
            flows: forward::Flows::new(),
            stats: Stats::default(),
            config,
        })
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            relays_now: self.table.relays.len(),
            reservations_now: self.table.reservations.len(),
            users_now: self.table.users(),
            ..self.stats.clone()
        }
    }

    /// How many allocations there are, those being opened included.
    #[must_use]
    pub fn allocations(&self) -> usize {
        self.table.len()
    }

    /// Tells the time since the Unix epoch, by which time-limited credentials and nonces end; until
    /// it is told again it goes on with `now`. That is not enough for long: `now` may stand still
    /// while a host sleeps, and the wall clock may be set.
    pub fn handle_clock(&mut self, now: Instant, unix: Duration) {
        self.clock = (now, unix);
    }

    fn unix(&self, now: Instant) -> Duration {
        let (at, unix) = self.clock;
        unix + now.saturating_duration_since(at)
    }

    fn count_error(&mut self, code: ErrorCode<'_>) {
        *self.stats.errors.entry(code.code).or_insert(0) += 1;
    }

    /// Takes one message from a client.
    fn client_message(&mut self, now: Instant, path: Path, bytes: &[u8]) {
        // RFC 8656 §12, table 3.
        match bytes.first() {
            Some(0..=3) => {}
            Some(64..=79) => return self.channel_data(now, path, bytes),
            _ => return self.malformed(path),
        }
        let Ok(message) = Message::parse(bytes) else {
            if !self.classic(path, bytes) {
                self.malformed(path);
            }
            return;
        };
        if message.check_fingerprint() == Some(false) {
            self.stats.drops.fingerprint += 1;
            return;
        }
        match (message.class(), message.method()) {
            (Class::Request, _) => self.request(now, path, &message),
            (Class::Indication, Method::SEND) => self.send_indication(now, path, &message),
            // RFC 8489 §6.3.2: a keepalive.
            (Class::Indication, Method::BINDING) => {}
            _ => self.stats.drops.malformed += 1,
        }
    }

    fn malformed(&mut self, path: Path) {
        self.stats.drops.malformed += 1;
        // On a stream nothing that follows can be trusted either.
        if path.transport.is_reliable() && self.events.len() < self.config.limits.queued_events {
            self.events.push_back(Event::Disconnect { path });
        }
    }

    fn request(&mut self, now: Instant, path: Path, request: &Message<'_>) {
        if self.outbox.is_full() || self.events.len() >= self.config.limits.queued_events {
            self.stats.drops.queue_full += 1;
            return;
        }
        let handle = match request.method() {
            Method::BINDING => return self.binding(now, path, request),
            Method::ALLOCATE => Self::allocate,
            Method::REFRESH => Self::refresh,
            Method::CREATE_PERMISSION => Self::create_permission,
            Method::CHANNEL_BIND => Self::channel_bind,
            // RFC 8489 §6.3: an unknown method is ignored.
            _ => return self.stats.drops.malformed += 1,
        };
        let unix = self.unix(now);
        let Some(caller) = self.authenticate(unix, path, request) else { return };
        // What a route was made of may change.
        self.flows.forget();
        let asker = reply::Asker::of(path, request);
        let unknown = unknown_attributes(request);
        let outcome = if unknown.is_empty() {
            handle(self, now, asker, &caller, request)
        } else {
            Err(ErrorCode::UNKNOWN_ATTRIBUTE)
        };
        if let Err(code) = outcome {
            self.count_error(code);
            asker.error(&mut self.outbox, Some(&caller.signer), code, &unknown);
        }
    }
}

/// What a request handler comes to: `Ok` when it has answered, or will.
type Outcome = Result<(), ErrorCode<'static>>;

/// The comprehension-required attributes of `request` that this server does not know, DONT-FRAGMENT
/// among them: a driver cannot set the bit packet by packet (RFC 8656 §7.2, step 4).
fn unknown_attributes(request: &Message<'_>) -> Vec<AttributeType> {
    use AttributeType as T;
    request
        .unknown_required(&[
            T::USERNAME,
            T::USERHASH,
            T::REALM,
            T::NONCE,
            T::PASSWORD_ALGORITHM,
            T::MESSAGE_INTEGRITY,
            T::MESSAGE_INTEGRITY_SHA256,
            T::CHANNEL_NUMBER,
            T::LIFETIME,
            T::XOR_PEER_ADDRESS,
            T::DATA,
            T::REQUESTED_ADDRESS_FAMILY,
            T::EVEN_PORT,
            T::REQUESTED_TRANSPORT,
            T::RESERVATION_TOKEN,
            // Understood, though meaningless in a request to a server.
            T::MAPPED_ADDRESS,
            T::XOR_MAPPED_ADDRESS,
            T::XOR_RELAYED_ADDRESS,
            T::ERROR_CODE,
            T::UNKNOWN_ATTRIBUTES,
            // What an ICE agent's connectivity check carries (RFC 8445 §16.1).
            T::PRIORITY,
            T::USE_CANDIDATE,
        ])
        .collect()
}

impl Machine for TurnServer {
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        let path = datagram.path;
        if self.table.relay_at(&path).is_some() {
            self.peer_datagram(now, path, datagram.payload);
        } else {
            self.client_message(now, path, datagram.payload);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.expire(now);
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.outbox.pop(buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }
}

impl std::fmt::Debug for TurnServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TurnServer")
            .field("allocations", &self.table.len())
            .field("relays", &self.table.relays.len())
            .finish_non_exhaustive()
    }
}

const _: fn() = || {
    fn assert_send<T: Send>() {}
    assert_send::<TurnServer>();
};
