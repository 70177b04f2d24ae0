//! Names that hide the addresses of candidates (draft-ietf-mmusic-mdns-ice-candidates) by multicast DNS
//! (RFC 6762).
//!
//! A host candidate tells a stranger the addresses of somebody's home network. So an agent that has not
//! been told to trust its peers gives each address a random name, `39023af8-….local`, and sends that;
//! only who is on the same link gets the address from us, and only it could use the address. [`Mdns`] is
//! both halves: it answers for [the names it gave](Mdns::register), and [asks](Mdns::resolve) for those
//! of others.
//!
//! It is a [`Hosted`] machine that wants one socket for each interface and family, joined to the group,
//! as soon as there is something to say or ask. One serves any number of agents.
//!
//! Everybody on the link may send anything. Hence: what does not come from the link, as far as addresses
//! tell, is dropped; a name is multicast once a second at most; answers to one asker are limited
//! altogether and are hardly longer than their question; questions are for names given, so that nothing
//! is stored that nobody asked for; everything has a bound.
//!
//! What of RFC 6762 is left out, because a candidate's name needs none of it: probing (a UUID is unique),
//! the cache, service discovery, suppression of questions that others ask.

mod links;
pub mod message;
mod resolver;
mod responder;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use talkie_sansio::{
    Answer, Datagram, Genesis, Hosted, Interface, Machine, Path, Transmit, Transport, Want,
    WantError,
};

use self::links::{Links, PORT};
use self::message::{Message, Name};
use self::resolver::Resolver;
use self::responder::{Responder, Said};

/// How it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long a name is asked for: at 0, 1, 3 and 7 s, and three more for the last answer.
    pub patience: Duration,
    /// The most names of ours: a few addresses of each of sixteen interfaces.
    pub most_names: usize,
    /// The most names of others that are asked for at once.
    pub most_queries: usize,
    /// The first of the numbers of its wants, for a parent that has wants of its own.
    pub first_want: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { patience: Duration::from_secs(10), most_names: 64, most_queries: 64, first_want: 0 }
    }
}

/// What has become of names and sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Somebody has told a name's address.
    Resolved {
        /// As it was asked for.
        name: String,
        /// Never none.
        addresses: Vec<IpAddr>,
    },
    /// A name's address is not to be had.
    Unresolved {
        /// As it was asked for.
        name: String,
        /// Why.
        why: Why,
    },
    /// There is no multicast at an interface: names of its addresses will not be found.
    Unavailable {
        /// An address of the interface.
        interface: IpAddr,
        /// Why.
        error: WantError,
    },
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// Nobody has answered.
    #[error("nobody on the local network has answered")]
    NoAnswer,
    /// There was no link to ask on.
    #[error("there is no multicast on any interface")]
    NoMulticast,
}

/// Why nobody is asked for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// It is not one label and `.local`.
    #[error("the name is not of the form `….local`")]
    Name,
    /// Too many are being asked for.
    #[error("too many names are being asked for")]
    Full,
}

/// Why an address gets no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many addresses have names")]
pub struct TooMany;

/// What was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counters {
    /// No message, or on no socket of ours.
    pub malformed: u64,
    /// From another network.
    pub off_link: u64,
    /// Answers beyond the limit.
    pub limited: u64,
    /// Messages that nobody took from the queue.
    pub overrun: u64,
}

/// Tells and asks names on the local network.
#[derive(Debug)]
pub struct Mdns {
    config: Config,
    rng: ChaCha20Rng,
    links: Links,
    responder: Responder,
    resolver: Resolver,
    /// How many answers to one asker may go now, and when that was counted.
    budget: (u32, Instant),
    outbox: VecDeque<(Path, Vec<u8>)>,
    events: VecDeque<Event>,
    counters: Counters,
    deadline: Option<Instant>,
}

/// The most messages that wait to be sent: two questions for each name that is asked for, on two links.
const MOST_WAITING: usize = 256;
/// The most events that wait for the application.
const MOST_EVENTS: usize = 256;
/// Answers to one asker: so many at once, and one more after each interval.
const BURST: u32 = 20;
const INTERVAL: Duration = Duration::from_millis(100);

impl Mdns {
    /// Idle until there is a name.
    #[must_use]
    pub fn new(genesis: &Genesis, config: Config) -> Self {
        Self {
            links: Links::new(config.first_want),
            config,
            rng: ChaCha20Rng::from_seed(genesis.seed),
            responder: Responder::new(),
            resolver: Resolver::new(),
            budget: (BURST, genesis.now),
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            deadline: None,
        }
    }

    /// The name of an address of this host from now on; the same for the same address.
    ///
    /// # Errors
    /// If too many addresses have names.
    pub fn register(&mut self, now: Instant, address: IpAddr) -> Result<String, TooMany> {
        if let Some(name) = self.responder.name_of(address) {
            return Ok(name.to_owned());
        }
        if self.responder.len() >= self.config.most_names {
            return Err(TooMany);
        }
        self.links.open();
        let name = self.responder.add(now, address, &self.links, &mut self.rng);
        self.advance(now);
        Ok(name)
    }

    /// The address has no name any more; who knows it is told.
    pub fn unregister(&mut self, now: Instant, address: IpAddr) {
        let goodbyes = self.responder.remove(address, &self.links);
        self.say(goodbyes);
        self.advance(now);
    }

    /// Asks for a name's address; an event tells it, or that there is none. Of a name that is being asked
    /// for already there will be one event.
    ///
    /// # Errors
    /// If the name is not one label and `.local`, or too many are being asked for.
    pub fn resolve(&mut self, now: Instant, name: &str) -> Result<(), ResolveError> {
        // draft-ietf-mmusic-mdns-ice-candidates §3.2.1: no other dot than that before `local`.
        let label = name.strip_suffix('.').unwrap_or(name);
        let label = label.split_at_checked(label.len().saturating_sub(".local".len()));
        let is_one = |(label, end): &(&str, &str)| {
            end.eq_ignore_ascii_case(".local") && !label.is_empty() && !label.contains('.')
        };
        let wire = label.filter(is_one).and_then(|_| Name::from_text(name));
        let wire = wire.ok_or(ResolveError::Name)?;
        if let Some(address) = self.responder.address_of(&wire) {
            self.tell(Event::Resolved { name: name.to_owned(), addresses: vec![address] });
            return Ok(());
        }
        if self.resolver.has(&wire) {
            return Ok(());
        }
        if self.resolver.len() >= self.config.most_queries {
            return Err(ResolveError::Full);
        }
        self.links.open();
        self.resolver.add(now, wire, name, now + self.config.patience);
        self.advance(now);
        Ok(())
    }

    /// A name's address is not of interest any more.
    pub fn forget(&mut self, now: Instant, name: &str) {
        if let Some(name) = Name::from_text(name) {
            self.resolver.remove(&name);
        }
        self.advance(now);
    }

    /// Takes all names back, asks for none, and gives the sockets up. What is left to be sent is sent
    /// before they are closed.
    pub fn close(&mut self, now: Instant) {
        let goodbyes = self.responder.clear(&self.links);
        self.say(goodbyes);
        self.resolver.clear();
        self.links.close();
        self.advance(now);
    }

    /// What was dropped.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Says and asks what is due, and finds out when something is again.
    fn advance(&mut self, now: Instant) {
        let answers = self.responder.handle_timeout(now, &self.links);
        self.say(answers);
        let (questions, events) = self.resolver.handle_timeout(now, &self.links);
        self.say(questions);
        for event in events {
            self.tell(event);
        }
        let deadlines = [self.responder.deadline(), self.resolver.deadline()];
        self.deadline = deadlines.into_iter().flatten().min();
    }

    fn say(&mut self, all: Vec<Said>) {
        for Said { local, remote, message } in all {
            if self.outbox.len() >= MOST_WAITING {
                self.counters.overrun += 1;
                continue;
            }
            let path = Path { transport: Transport::Udp, local, remote };
            self.outbox.push_back((path, message.to_bytes()));
        }
    }

    fn tell(&mut self, event: Event) {
        if self.events.len() < MOST_EVENTS {
            self.events.push_back(event);
        } else {
            self.counters.overrun += 1;
        }
    }

    fn handle_message(&mut self, now: Instant, path: Path, message: &Message) {
        let Some(link) = self.links.at(path.local) else {
            self.counters.malformed += 1;
            return;
        };
        // RFC 6762 §11: of others than this link's nothing is taken.
        if !link.is_near(path.remote.ip()) {
            self.counters.off_link += 1;
            return;
        }
        if message.is_response {
            // RFC 6762 §6: responses from other ports MUST be ignored.
            if path.remote.port() == PORT {
                for event in self.resolver.handle_response(message) {
                    self.tell(event);
                }
            }
        } else if let Some(message) = self.responder.handle_query(now, link, path.remote, message) {
            if self.spend(now) {
                self.say(vec![Said { local: path.local, remote: path.remote, message }]);
            } else {
                self.counters.limited += 1;
            }
        }
        self.advance(now);
    }

    /// Whether one more answer to one asker may go.
    fn spend(&mut self, now: Instant) -> bool {
        let (left, counted) = self.budget;
        let passed = now.saturating_duration_since(counted).as_millis() / INTERVAL.as_millis();
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        let counted = if passed >= BURST { now } else { counted + INTERVAL * passed };
        let left = left.saturating_add(passed).min(BURST);
        self.budget = (left.saturating_sub(1), counted);
        left > 0
    }
}

impl Machine for Mdns {
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        match Message::parse(datagram.payload) {
            Some(message) => self.handle_message(now, datagram.path, &message),
            None => self.counters.malformed += 1,
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.advance(now);
        }
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, bytes) = self.outbox.pop_front()?;
        buf.extend_from_slice(&bytes);
        Some(Transmit { path, len: bytes.len() })
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }
}

impl Hosted for Mdns {
    fn poll_want(&mut self) -> Option<Want> {
        let is_silent = self.outbox.is_empty();
        self.links.poll_want(is_silent)
    }

    fn handle_answer(&mut self, now: Instant, answer: Answer) {
        match answer {
            Answer::Bound { id, local } => {
                if let Some(index) = self.links.handle_bound(id, local) {
                    self.responder.meet(now, &self.links.links[index]);
                    self.resolver.meet(now);
                }
            }
            Answer::Failed { id, error } => {
                if let Some(interface) = self.links.handle_failed(id) {
                    self.responder.part(&self.links);
                    self.tell(Event::Unavailable { interface, error });
                }
            }
            _ => {}
        }
        self.advance(now);
    }

    fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]) {
        self.links.handle_interfaces(interfaces);
        self.responder.part(&self.links);
        // An address may have come to a link that is there already.
        for index in 0..self.links.links.len() {
            if self.links.links[index].local.is_some() {
                self.responder.meet(now, &self.links.links[index]);
            }
        }
        self.advance(now);
    }
}
