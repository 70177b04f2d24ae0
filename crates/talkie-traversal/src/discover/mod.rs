//! What NAT is this? A client for NAT behaviour discovery (RFC 5780), as a machine.
//!
//! [`Discovery`] asks one server from several local ports and ends with one [`Event::Report`]: what an
//! outside port depends on (mapping), who is let in (filtering), how ports are chosen, whether hosts
//! inside reach each other (hairpinning), whether fragments pass, whether something rewrites addresses
//! (ALG), and, if asked for, how long a mapping lasts. It runs for one address family on one
//! interface; a host with both runs two.
//!
//! The tests run at the same time, on sockets of their own, because some spoil others: whoever has sent
//! to the server's alternate address has let it in. The first socket tests the mapping, the second the
//! filtering, the third the hairpinning, the fourth fragments; all four show how ports are chosen. A
//! fifth one stays silent for the lifetime.
//!
//! Filtering is known by what does *not* come, and packets get lost. So silence counts only if it is no
//! accident (`evidence`): each try is sent together with a request that has to be answered, and the
//! more of those fail, the more tries it takes. And it counts only if the alternate address answers
//! when it is asked directly, and the server has shown that it answers from there when it is asked to
//! (`Way`): else it may be the server that is silent, and the filtering is unknown.
//!
//! Each test is a function from the answers so far to what to ask next or what is found (`tests_of`);
//! it says *unknown* and why where a server has one address or is none for RFC 5780.
//!
//! ```
//! use talkie_sansio::{Genesis, Machine as _};
//! use talkie_traversal::discover::{Config, Discovery};
//!
//! # let genesis = talkie_sansio::conformance::genesis();
//! let sockets = ["10.0.0.2:50001", "10.0.0.2:50002", "10.0.0.2:50003", "10.0.0.2:50004"];
//! let local = sockets.map(|socket| socket.parse().unwrap()).to_vec();
//! let mut discovery = Discovery::new(&genesis, Config::new("192.0.2.1:3478".parse()?, local))?;
//! // The driver sends what comes out, hands in what arrives, and waits for `Event::Report`.
//! let mut packet = Vec::new();
//! assert!(discovery.poll_transmit(&mut packet).is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod evidence;
mod lifetime;
mod pace;
mod ports;
mod probe;
mod report;
mod tests_of;
mod words;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::{Datagram, Genesis, Machine, Path, Transmit, Transport};

pub use config::{Config, ConfigError};
pub use report::{
    Allocation, Filtering, Finding, Fragments, Hairpinning, Kind, Lifetime, Mapping, Pooling,
    Reason, Report, Seen,
};

use self::evidence::Evidence;
use self::lifetime::Search;
use self::pace::Pace;
use self::probe::{Answer, Outcome, Probe, Purpose, Wish};
use self::tests_of::{Findings, Way};
use crate::stun::attributes::{ChangeRequest, Nonce};
use crate::stun::{AttributeType, Class, Message, Method, Rto, TransactionId};

/// A test, as progress is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Test {
    /// Whether the server answers at all, and whether addresses are translated.
    Contact,
    /// What an outside port depends on.
    Mapping,
    /// Who is let in.
    Filtering,
    /// How ports and addresses are chosen.
    Allocation,
    /// Whether those inside reach each other.
    Hairpinning,
    /// Whether fragments pass.
    Fragments,
    /// Whether something rewrites addresses.
    Rewriting,
    /// How long a mapping lasts.
    Lifetime,
}

/// What a discovery tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// One test has ended; the words are for people who wait.
    Progress(Test, String),
    /// All is found that can be. Nothing follows.
    Report(Box<Report>),
}

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams that answer nothing, or not in the way they should.
    pub unexpected: u64,
}

/// A run of all tests against one server.
#[derive(Debug)]
pub struct Discovery {
    config: Config,
    rng: ChaCha20Rng,
    born: Instant,
    rto: Rto,
    /// Whether `rto` has learned anything.
    is_timed: bool,
    round_trip: Option<Duration>,
    pace: Pace,
    waiting: VecDeque<Purpose>,
    probes: Vec<Probe>,
    /// Whether a probe may have something to send.
    is_dirty: bool,
    found: Findings,
    search: Option<Search>,
    events: VecDeque<Event>,
    counters: Counters,
    deadline: Option<Instant>,
    is_over: bool,
    /// Shows the server that we receive what it sends.
    nonce: Option<String>,
}

/// The socket that tests who is let in; requests beside it measure loss.
const FILTERED: usize = 1;
const HAIRPINNING: usize = 2;
const FRAGMENTED: usize = 3;
/// The socket whose mapping may end.
const IDLE: usize = 4;

/// The first wait for an answer, before a round trip is known (RFC 8489 §6.2.1).
const FIRST_RTO: Duration = Duration::from_millis(500);
/// RFC 8489 §6.2.1 wants 500 ms at least from clients that ask for a service. This one measures, a few
/// dozen packets in all, and adapts to the round trip.
const LEAST_RTO: Duration = Duration::from_millis(100);
/// How often to ask where only loss can keep the answer away.
const EXPECTED_TRIES: usize = 16;

impl Discovery {
    /// Starts; the sockets have to be open.
    ///
    /// # Errors
    /// If the configuration cannot work.
    pub fn new(genesis: &Genesis, config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let searches = config.lifetime.is_some() && config.local.len() > IDLE;
        let mut discovery = Self {
            rng: ChaCha20Rng::from_seed(genesis.seed),
            born: genesis.now,
            rto: Rto::new(LEAST_RTO),
            is_timed: false,
            round_trip: None,
            pace: Pace::default(),
            waiting: (0..config.local.len())
                .filter(|index| *index != IDLE)
                .map(Purpose::Contact)
                .collect(),
            probes: Vec::new(),
            is_dirty: false,
            found: Findings::default(),
            search: config.lifetime.filter(|_| searches).map(Search::new),
            events: VecDeque::new(),
            counters: Counters::default(),
            deadline: None,
            is_over: false,
            nonce: None,
            config,
        };
        discovery.advance(genesis.now);
        Ok(discovery)
    }

    /// What was dropped so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// How long to wait for an answer.
    fn wait(&self, now: Instant) -> Duration {
        if self.is_timed { self.rto.current(now) } else { FIRST_RTO }
    }

    /// After so long an answer is not on its way any more.
    fn long_wait(&self, now: Instant) -> Duration {
        (self.wait(now) * 2).max(Duration::from_millis(250))
    }

    fn evidence(&self, now: Instant) -> Evidence {
        Evidence::of(&self.probes, now, self.long_wait(now))
    }

    fn control(&self) -> usize {
        FILTERED.min(self.config.local.len() - 1)
    }

    /// Goes on with all tests as far as the answers allow.
    fn advance(&mut self, now: Instant) {
        if self.is_over {
            return;
        }
        self.search(now);
        self.test();
        while !self.waiting.is_empty() && self.pace.next().is_none_or(|next| next <= now) {
            if let Some(purpose) = self.waiting.pop_front() {
                self.begin(now, purpose);
            }
        }
        self.measure_loss(now);
        if self.found.are_complete() {
            self.conclude(now);
        }
        self.schedule();
    }

    /// Sends what measures loss as long as there is something in doubt.
    fn measure_loss(&mut self, now: Instant) {
        let in_doubt = |probe: &Probe| probe.outcome.is_none() && probe.purpose.is_doubtful();
        let wanted = self.probes.iter().any(in_doubt);
        let control = Purpose::Contact(self.control());
        for probe in self.probes.iter_mut().filter(|probe| probe.answer().is_some()) {
            if probe.purpose != control || probe.repeats == wanted {
                continue;
            }
            if wanted && probe.sent() < 4 * evidence::MOST {
                if probe.sent() > evidence::MOST {
                    // Loss of long ago says little about now.
                    probe.forget_tries();
                }
                probe.repeats = true;
                probe.send(now, self.config.gap);
                self.is_dirty = true;
            } else {
                probe.stop();
            }
        }
        let hairpins = |probe: &Probe| probe.purpose == Purpose::Hairpin && probe.outcome.is_none();
        if !self.probes.iter().any(hairpins) {
            let openers = self.probes.iter_mut().filter(|it| it.purpose == Purpose::Opener);
            openers.for_each(Probe::stop);
        }
    }

    fn begin(&mut self, now: Instant, purpose: Purpose) {
        let Some((local, to, wish)) = self.request_of(purpose) else { return };
        let id = self.transaction_id();
        if !wish.is_indication {
            self.pace.note(now);
        }
        let mut probe = Probe::new(now, purpose, local, to, id, &wish);
        let wait = if purpose.must_be_answered() { self.wait(now) } else { self.config.gap };
        probe.send(now, wait);
        self.is_dirty = true;
        self.probes.push(probe);
    }

    fn transaction_id(&mut self) -> TransactionId {
        let mut id = [0; 12];
        self.rng.fill_bytes(&mut id);
        TransactionId(id)
    }

    /// From which socket, whereto, and what to ask.
    fn request_of(&self, purpose: Purpose) -> Option<(usize, SocketAddr, Wish)> {
        let server = self.config.server;
        let other = self.other();
        let change = |ip| Wish { change: ChangeRequest { ip, port: true }, ..Wish::default() };
        let plain = Wish::default();
        let nonce = self.nonce.clone();
        Some(match purpose {
            Purpose::Contact(local) => (local, server, plain),
            Purpose::MappingAddress => (0, SocketAddr::new(other?.ip(), server.port()), plain),
            Purpose::MappingBoth => (0, other?, plain),
            Purpose::MappingPort => (0, SocketAddr::new(server.ip(), other?.port()), plain),
            Purpose::MappingSecond => (0, self.config.second?, plain),
            Purpose::FilterBoth => (FILTERED, server, change(true)),
            Purpose::FilterPort => (FILTERED, server, change(false)),
            Purpose::Calibrate => {
                let wish = change(self.has_other_ip());
                match self.way_to_calibrate(self.has_other_ip())? {
                    Way::SamePort => (0, server, wish),
                    Way::Port(port) => {
                        (0, server, Wish { response_port: Some(port), nonce, ..wish })
                    }
                }
            }
            Purpose::Opener => {
                let opener = Wish { is_indication: true, ..plain };
                (0, self.hairpin_target(HAIRPINNING)?, opener)
            }
            Purpose::Hairpin => (HAIRPINNING, self.hairpin_target(0)?, plain),
            Purpose::Fragments => {
                let local = if self.config.local.len() > FRAGMENTED { FRAGMENTED } else { 0 };
                (local, server, Wish { fill: self.config.fragmented, ..plain })
            }
            Purpose::Bind(_) => (IDLE, server, plain),
            Purpose::Check(round) => {
                let port = self.answer(Purpose::Bind(round))?.mapped?.port();
                (FILTERED, server, Wish { response_port: Some(port), nonce, ..plain })
            }
        })
    }

    /// Sends again, or takes silence for an answer.
    fn time_out(&mut self, now: Instant) {
        let (wait, long_wait, gap) = (self.wait(now), self.long_wait(now), self.config.gap);
        let evidence = self.evidence(now);
        let is_timed = self.is_timed;
        let patience = self.config.patience;
        for probe in &mut self.probes {
            if probe.deadline.is_none_or(|deadline| now < deadline) {
                continue;
            }
            let tries = probe.sent();
            if probe.repeats || probe.purpose == Purpose::Opener {
                if tries < 4 * evidence::MOST {
                    probe.send(now, gap);
                } else {
                    probe.stop();
                }
            } else if probe.purpose.must_be_answered() {
                let is_last = match is_timed {
                    true => tries >= EXPECTED_TRIES,
                    false => now + wait > probe.begun + patience,
                };
                match is_last {
                    true if probe.is_closing || !is_timed => probe.end(Outcome::Silent),
                    true => {
                        probe.is_closing = true;
                        probe.wait(now, long_wait);
                    }
                    false => probe.send(now, wait),
                }
            } else if evidence.proves(tries) {
                if probe.is_closing {
                    probe.end(Outcome::Silent);
                } else {
                    probe.is_closing = true;
                    probe.wait(now, long_wait);
                }
            } else if tries >= evidence::MOST {
                probe.end(Outcome::Unsure);
            } else {
                probe.send(now, gap);
            }
        }
        self.is_dirty = true;
    }

    /// A message that answers one of ours, or is one of ours that came back.
    fn handle_message(&mut self, now: Instant, on: usize, from: SocketAddr, message: &Message<'_>) {
        let servers = [Some(self.config.server.ip()), self.other().map(|other| other.ip())];
        let id = message.transaction_id();
        let index = self.probes.iter().position(|probe| probe.id == id);
        let Some(probe) = index.and_then(|index| self.probes.get_mut(index)) else {
            return self.counters.unexpected += 1;
        };
        let fits = match probe.purpose {
            Purpose::Hairpin => message.class() == Class::Request,
            Purpose::Opener => false,
            purpose => {
                let from_server = match purpose.changes_source() {
                    true => servers.contains(&Some(from.ip())),
                    false => from == probe.to,
                };
                let is_here = on == probe.local || matches!(purpose, Purpose::Check(_));
                message.class().is_response() && from_server && is_here
            }
        };
        let unknown = message.unknown_required(AttributeType::KNOWN).next().is_some();
        if !fits || unknown || message.check_fingerprint() == Some(false) {
            return self.counters.unexpected += 1;
        }
        probe.note_answer(now, message);
        if probe.outcome.is_some() {
            return;
        }
        let sample = (probe.purpose.must_be_answered() && probe.sent() == 1)
            .then(|| now.saturating_duration_since(probe.begun));
        let purpose = probe.purpose;
        let outcome = match Answer::read(message, from, on) {
            Ok(answer) => Outcome::Answer(answer),
            Err(438)
                if matches!(purpose, Purpose::Check(_) | Purpose::Calibrate)
                    && probe.challenges == 0 =>
            {
                return self.rephrase(now, purpose, message);
            }
            Err(code) => Outcome::Refused(code),
        };
        probe.end(outcome);
        if let Some(sample) = sample {
            self.learn(now, sample);
        }
    }

    /// A server may want to see that we receive at the address that we ask for another port of. Its
    /// nonce, given back, shows it.
    fn rephrase(&mut self, now: Instant, purpose: Purpose, message: &Message<'_>) {
        let nonce = message.get::<Nonce<'_>>().ok().flatten();
        self.nonce = nonce.map(|nonce| nonce.as_str().to_owned());
        let id = self.transaction_id();
        let Some((_, _, wish)) = self.request_of(purpose) else { return };
        for probe in self.probes.iter_mut().filter(|probe| probe.purpose == purpose) {
            probe.rephrase(id, &wish);
            probe.send(now, self.config.gap);
            self.is_dirty = true;
        }
    }

    fn learn(&mut self, now: Instant, round_trip: Duration) {
        self.rto.sample(now, round_trip);
        self.round_trip = Some(self.round_trip.map_or(round_trip, |best| best.min(round_trip)));
        if !std::mem::replace(&mut self.is_timed, true) {
            // Those who wait as long as one does who knows nothing need not any more.
            let wait = self.rto.current(now);
            for probe in &mut self.probes {
                let sooner = probe.times.last().map(|last| (*last + wait).max(now));
                probe.deadline = probe.deadline.min(sooner).or(probe.deadline);
            }
        }
    }

    fn schedule(&mut self) {
        let pace = if self.waiting.is_empty() { None } else { self.pace.next() };
        let search = self.search.as_ref().and_then(Search::poll_timeout);
        let probes = self.probes.iter().filter_map(|probe| probe.deadline);
        self.deadline = probes.chain(pace).chain(search).min();
    }

    fn conclude(&mut self, now: Instant) {
        let report = self.report(now);
        self.events.push_back(Event::Report(Box::new(report)));
        self.is_over = true;
        self.waiting.clear();
        self.probes.clear();
        self.search = None;
    }
}

impl Machine for Discovery {
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        let path = datagram.path;
        let port = path.local.port();
        let on = self.config.local.iter().position(|local| local.port() == port);
        match (on, Message::parse(datagram.payload)) {
            (Some(on), Ok(message))
                if path.transport == Transport::Udp && message.method() == Method::BINDING =>
            {
                self.handle_message(now, on, path.remote, &message);
                self.advance(now);
            }
            _ => self.counters.unexpected += 1,
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.time_out(now);
        self.advance(now);
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        if !self.is_dirty {
            return None;
        }
        for probe in &mut self.probes {
            let local = self.config.local[probe.local];
            let path = Path { transport: Transport::Udp, local, remote: probe.to };
            if let Some(request) = probe.take_pending() {
                buf.extend_from_slice(request);
                return Some(Transmit { path, len: request.len() });
            }
        }
        self.is_dirty = false;
        None
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
    assert_send::<Discovery>();
};

/// A duration in whole milliseconds and their fractions.
#[cfg(feature = "serde")]
pub(crate) fn millis<S: serde::Serializer>(duration: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_f64(duration.as_secs_f64() * 1e3)
}

#[cfg(feature = "serde")]
pub(crate) fn millis_of<S: serde::Serializer>(
    duration: &Option<Duration>,
    out: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => out.serialize_some(&(duration.as_secs_f64() * 1e3)),
        None => out.serialize_none(),
    }
}
