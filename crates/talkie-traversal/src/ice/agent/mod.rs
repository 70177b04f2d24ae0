//! The agent: one side of one transport.
//!
//! It owns a gatherer, which has the sockets and relays, and a [`Generation`], which has the credentials,
//! candidates and pairs of the time between two restarts. After a restart the old generation goes on
//! carrying data until the new one has a pair. All that happens ends in [`Agent::advance()`], which sends
//! what is due, chooses, tells the state and computes when to wake up; packets of data do not, so that
//! their cost does not depend on the number of pairs.

mod checks;
mod consent;
mod context;
mod detour;
mod generation;
mod names;
mod nat64;
mod nomination;
mod pair;
mod remote;
mod report;
mod requests;
mod responses;
mod session;
mod state;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::{Answer, Datagram, Genesis, Hosted, Interface, Machine, Transmit, Want};

pub use context::Counters;
pub use remote::AddError;

use self::context::{Context, Events};
use self::generation::Generation;
use self::names::{FIRST_LOCAL_WANT, LOCAL_NAMES_PORT, Names};
use self::nat64::Nat64;
use super::config::{Config, Role};
use super::event::{ConnectionState, Event, GatheringState, Pair};
use super::gather::{self, Gatherer, LocalId, Received};
use super::parameters::{Options, Parameters};
use crate::mdns::{self, Mdns};
use crate::stun::{Class, Message, Method};

/// Why data is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// No pair works, so the other side has not agreed to receive anything.
    #[error("there is no connection")]
    NotConnected,
    /// It does not fit into a datagram.
    #[error("the packet is too long")]
    TooLong,
    /// Too much waits to be sent.
    #[error("too many packets wait to be sent")]
    Full,
}

/// One side of one transport. See the [module documentation](crate::ice).
pub struct Agent {
    config: Config,
    rng: ChaCha20Rng,
    gatherer: Gatherer,
    current: Generation,
    /// What carries data until the current generation has a pair, and until when it is listened to.
    previous: Option<(Generation, Option<Instant>)>,
    names: Names,
    nat64: Nat64,
    mdns: Mdns,
    wants: VecDeque<Want>,
    events: Events,
    counters: Counters,
    gathering: GatheringState,
    connection: ConnectionState,
    deadline: Option<Instant>,
    has_restarted: bool,
    born: Instant,
    /// The wall clock then.
    unix: Duration,
    traffic: Traffic,
}

/// Data so far, over all pairs that there ever were.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    packets_sent: u64,
    packets_received: u64,
    bytes_sent: u64,
    bytes_received: u64,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("role", &self.current.role)
            .field("connection", &self.connection)
            .field("pairs", &self.current.pairs.len())
            .finish_non_exhaustive()
    }
}

impl Agent {
    /// An agent that has not begun to gather.
    #[must_use]
    pub fn new(genesis: &Genesis, config: Config) -> Self {
        let config = config.bounded();
        let mut rng = ChaCha20Rng::from_seed(genesis.seed);
        let parameters = fresh_parameters(&mut rng, config.pace.interval);
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let tie_breaker = rng.next_u64();
        let gatherer = Gatherer::new(&Genesis { seed, ..genesis.clone() }, config.gather.clone());
        rng.fill_bytes(&mut seed);
        let local_names = mdns::Config { first_want: FIRST_LOCAL_WANT, ..mdns::Config::default() };
        let mdns = Mdns::new(&Genesis { seed, ..genesis.clone() }, local_names);
        Self {
            gatherer,
            current: Generation::new(
                genesis.now,
                parameters,
                (config.role, tie_breaker),
                config.pace.interval,
                0,
            ),
            previous: None,
            names: Names::default(),
            nat64: Nat64::default(),
            mdns,
            wants: VecDeque::new(),
            events: Events::new(config.limits.events),
            counters: Counters::default(),
            gathering: GatheringState::New,
            connection: ConnectionState::New,
            deadline: None,
            has_restarted: false,
            born: genesis.now,
            unix: genesis.unix,
            traffic: Traffic::default(),
            rng,
            config,
        }
    }

    /// This side's credentials and abilities, for the other side. A restart changes them.
    #[must_use]
    pub fn local_parameters(&self) -> &Parameters {
        self.current.session.local()
    }

    /// What the other side has told, if it has.
    #[must_use]
    pub fn remote_parameters(&self) -> Option<&Parameters> {
        self.current.session.remote()
    }

    /// Starts to gather candidates.
    pub fn gather(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.set_gathering(GatheringState::Gathering);
        let fragment = self.current.session.local().username_fragment.clone();
        self.gatherer.gather(now, &fragment);
        self.advance(now);
    }

    /// Takes the other side's credentials. If they differ from those known, the other side has restarted:
    /// so does this one, unless [`restart()`](Self::restart) was called before, and then
    /// [`local_parameters()`](Self::local_parameters) are others as well.
    pub fn set_remote_parameters(&mut self, now: Instant, parameters: Parameters) {
        if self.is_closed() {
            return;
        }
        match self.current.session.remote() {
            Some(known) if same_session(known, &parameters) => return,
            Some(_) => {
                let fragment = self.begin_restart(now);
                if self.gathering != GatheringState::New {
                    self.set_gathering(GatheringState::Gathering);
                    self.gatherer.gather(now, &fragment);
                    self.handle_gathered(now);
                }
            }
            None => {}
        }
        if parameters.lite {
            // RFC 8445 §6.1.1: the full side controls.
            self.current.set_role(Role::Controlling);
        }
        if let Some(pacing) = parameters.pacing {
            self.current.interval = self.current.interval.max(pacing.min(LONGEST_INTERVAL));
        }
        self.current.session.set_remote(parameters);
        self.current.patience_until = Some(now + self.config.timers.patience);
        self.add_waiting(now);
        self.with_current(now, |generation, context| generation.follow_early(context));
        self.advance(now);
    }

    /// Takes a role given by signaling. Where the other side is lite it stays controlling.
    pub fn set_role(&mut self, now: Instant, role: Role) {
        // RFC 8445 §6.1.1: who sends no checks cannot nominate.
        if !self.current.session.remote().is_some_and(|theirs| theirs.lite) {
            self.current.set_role(role);
        }
        self.advance(now);
    }

    /// The role it has now.
    #[must_use]
    pub fn role(&self) -> Role {
        self.current.role
    }

    /// How far the connection is.
    #[must_use]
    pub fn connection_state(&self) -> ConnectionState {
        self.connection
    }

    /// How far the gathering is.
    #[must_use]
    pub fn gathering_state(&self) -> GatheringState {
        self.gathering
    }

    /// The pair that data takes now.
    #[must_use]
    pub fn selected(&self) -> Option<Pair> {
        let generation = self.carrier()?;
        generation.describe(generation.selected?)
    }

    /// Begins anew with other credentials (RFC 8445 §9), which are to be told to the other side. Data goes
    /// on along the old pair until there is a new one.
    pub fn restart(&mut self, now: Instant) -> Parameters {
        if !self.is_closed() {
            let fragment = self.begin_restart(now);
            self.set_gathering(GatheringState::Gathering);
            self.gatherer.gather(now, &fragment);
            self.advance(now);
        }
        self.current.session.local().clone()
    }

    fn begin_restart(&mut self, now: Instant) -> String {
        let parameters = fresh_parameters(&mut self.rng, self.config.pace.interval);
        let fragment = parameters.username_fragment.clone();
        // RFC 8445 §9: the roles stay; a new tie-breaker settles a conflict as well as the old one.
        let role = (self.current.role, self.rng.next_u64());
        let mut next = Generation::new(
            now,
            parameters,
            role,
            self.config.pace.interval,
            self.current.last_number(),
        );
        next.keep_pace_of(&self.current);
        let mut old = std::mem::replace(&mut self.current, next);
        self.current.changes = old.changes;
        old.retire();
        if old.selected.is_some() {
            self.previous = Some((old, None));
        }
        self.forget_names(now);
        self.has_restarted = true;
        fragment
    }

    /// Sends a datagram to the other side.
    ///
    /// # Errors
    /// If there is no way to send it now.
    pub fn send(&mut self, now: Instant, payload: &[u8]) -> Result<(), SendError> {
        let is_current = self.current.selected.is_some();
        let generation = match &mut self.previous {
            Some((previous, _)) if !is_current => previous,
            _ => &mut self.current,
        };
        let selected = generation.selected.ok_or(SendError::NotConnected)?;
        let pair = generation.pairs.iter_mut().find(|pair| pair.id == selected);
        let pair = pair.ok_or(SendError::NotConnected)?;
        // RFC 7675 §5.1: never a packet without consent, even if nobody has let the time out yet.
        let expiry = self.config.timers.consent_expiry;
        let consents = pair.life.is_some_and(|life| now < life.proven_at + expiry);
        if !consents {
            return Err(SendError::NotConnected);
        }
        let result = match payload.len() {
            0..=LONGEST_PAYLOAD => self.gatherer.send(now, pair.base, pair.address, payload),
            _ => Err(gather::SendError::TooLong),
        };
        match result {
            Ok(()) => {
                pair.counts.packets_sent += 1;
                pair.counts.bytes_sent += payload.len() as u64;
                pair.counts.last_sent = Some(now);
                self.traffic.packets_sent += 1;
                self.traffic.bytes_sent += payload.len() as u64;
                Ok(())
            }
            Err(error) => {
                pair.counts.packets_discarded += 1;
                pair.counts.bytes_discarded += payload.len() as u64;
                Err(match error {
                    gather::SendError::Full => SendError::Full,
                    gather::SendError::TooLong => SendError::TooLong,
                    _ => SendError::NotConnected,
                })
            }
        }
    }

    /// Takes a datagram from the network and returns the other side's data in it, in place. What
    /// [`Machine::handle_datagram`] does as well, with an event.
    pub fn receive<'a>(&mut self, now: Instant, datagram: Datagram<'a>) -> Option<&'a mut [u8]> {
        if datagram.path.local.port() == LOCAL_NAMES_PORT {
            self.mdns.handle_datagram(now, datagram);
            self.handle_local_names(now);
            self.advance(now);
            return None;
        }
        let received = self.gatherer.receive(now, datagram.path, datagram.payload);
        let Received::From { local, remote, payload } = received else {
            if matches!(received, Received::Dropped) {
                self.counters.foreign += 1;
            }
            self.advance(now);
            return None;
        };
        if is_stun(payload) {
            self.handle_stun(now, local, remote, payload);
            self.advance(now);
            return None;
        }
        let was_deserted = self.current.is_deserted;
        let is_theirs = self.count_data(now, local, remote, payload.len());
        if !is_theirs {
            self.counters.foreign += 1;
            return None;
        }
        if self.current.is_deserted && !was_deserted {
            self.advance(now);
        }
        Some(payload)
    }

    /// Whether data on a pair is the other side's: it has shown by a check or an answer that it is there.
    fn count_data(
        &mut self,
        now: Instant,
        local: LocalId,
        remote: std::net::SocketAddr,
        length: usize,
    ) -> bool {
        let previous = self.previous.iter_mut().map(|(generation, _)| generation);
        for generation in std::iter::once(&mut self.current).chain(previous) {
            let Some(index) = generation.find(local, remote) else { continue };
            let pair = &mut generation.pairs[index];
            if pair.was_heard || pair.is_valid() {
                pair.counts.packets_received += 1;
                pair.counts.bytes_received += length as u64;
                pair.counts.last_received = Some(now);
                let id = pair.id;
                generation.doubt(now, id);
                self.traffic.packets_received += 1;
                self.traffic.bytes_received += length as u64;
                return true;
            }
        }
        false
    }

    /// Whether the other side has shown, by a check or an answer with the right password, that it is at
    /// this address.
    pub(in crate::ice) fn is_proven(&self, remote: std::net::SocketAddr) -> bool {
        let previous = self.previous.iter().map(|(generation, _)| generation);
        let pairs = std::iter::once(&self.current).chain(previous).flat_map(|one| &one.pairs);
        let mut there = pairs.filter(|pair| pair.address == remote);
        there.any(|pair| pair.was_heard || pair.is_valid())
    }

    /// Whether what is sent to this address has reached somebody who answered, not long ago.
    pub(in crate::ice) fn is_answered_from(&self, remote: std::net::SocketAddr) -> bool {
        let previous = self.previous.iter().map(|(generation, _)| generation);
        let mut pairs = std::iter::once(&self.current).chain(previous).flat_map(|one| &one.pairs);
        pairs.any(|pair| pair.address == remote && pair.is_valid())
    }

    /// Whether data came another way than the one selected, and it is asked whether that is still there.
    pub(in crate::ice) fn is_in_doubt(&self) -> bool {
        self.current.is_deserted
    }

    /// Ends it. Sockets and relays are given back.
    pub fn close(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        // First: what follows is no failure.
        self.set_connection(ConnectionState::Closed);
        self.current.pairs.clear();
        self.current.selected = None;
        self.previous = None;
        self.forget_names(now);
        self.forget_nat64();
        self.mdns.close(now);
        self.gatherer.close(now);
        self.handle_gathered(now);
        self.deadline = None;
    }

    /// What was dropped so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn is_closed(&self) -> bool {
        self.connection == ConnectionState::Closed
    }

    /// The generation whose pair data takes.
    fn carrier(&self) -> Option<&Generation> {
        if self.current.selected.is_some() {
            return Some(&self.current);
        }
        let previous = self.previous.as_ref().map(|(generation, _)| generation);
        previous.filter(|generation| generation.selected.is_some())
    }

    /// Both generations, and what they work with.
    fn parts(&mut self, now: Instant) -> (&mut Generation, Option<&mut Generation>, Context<'_>) {
        let context = Context {
            now,
            config: &self.config,
            gatherer: &mut self.gatherer,
            events: &mut self.events,
            rng: &mut self.rng,
            counters: &mut self.counters,
        };
        let previous = self.previous.as_mut().map(|(generation, _)| generation);
        (&mut self.current, previous, context)
    }

    fn with_current<T>(
        &mut self,
        now: Instant,
        work: impl FnOnce(&mut Generation, &mut Context<'_>) -> T,
    ) -> T {
        let (current, _, mut context) = self.parts(now);
        work(current, &mut context)
    }

    fn with_previous(
        &mut self,
        now: Instant,
        work: impl FnOnce(&mut Generation, &mut Context<'_>) -> bool,
    ) -> bool {
        let (_, previous, mut context) = self.parts(now);
        previous.is_some_and(|previous| work(previous, &mut context))
    }

    fn handle_stun(
        &mut self,
        now: Instant,
        local: LocalId,
        remote: std::net::SocketAddr,
        payload: &[u8],
    ) {
        let message = Message::parse(payload).ok();
        let Some(message) = message.filter(|message| message.method() == Method::BINDING) else {
            self.counters.unproven += 1;
            return;
        };
        let take = |generation: &mut Generation, context: &mut Context<'_>| match message.class() {
            Class::Request => generation.handle_request(context, local, remote, &message),
            Class::Success | Class::Error => {
                generation.handle_response(context, local, remote, &message)
            }
            // RFC 8445 §11: a keepalive of somebody who uses indications.
            Class::Indication => true,
        };
        if !self.is_closed() && !self.with_current(now, take) && !self.with_previous(now, take) {
            self.counters.unproven += 1;
        }
    }

    fn handle_gathered(&mut self, now: Instant) {
        while let Some(event) = self.gatherer.poll_event() {
            match event {
                gather::Event::Candidate { id, base, candidate } => {
                    let is_new = self.with_current(now, |generation, context| {
                        generation.add_local(context, id, base, &candidate)
                    });
                    let told = is_new.then(|| self.hide(now, base.ip(), candidate)).flatten();
                    if let Some(candidate) = told {
                        self.events.tell(&mut self.counters, Event::Candidate(candidate));
                    }
                }
                gather::Event::Withdrawn { id, address } => {
                    let withdraw = |generation: &mut Generation, context: &mut Context<'_>| {
                        generation.withdraw(context, id, address);
                        true
                    };
                    self.with_current(now, withdraw);
                    self.with_previous(now, withdraw);
                }
                gather::Event::Ended { id, remote } => {
                    let end = |generation: &mut Generation, context: &mut Context<'_>| {
                        generation.end_stream(context, id, remote);
                        true
                    };
                    self.with_current(now, end);
                    self.with_previous(now, end);
                }
                gather::Event::Gone(id) => {
                    self.forget_own_name(now, id);
                    let leave = |generation: &mut Generation, context: &mut Context<'_>| {
                        generation.drop_base(context, id);
                        true
                    };
                    self.with_current(now, leave);
                    self.with_previous(now, leave);
                    self.wait_for_another_base(now);
                }
                gather::Event::Error(error) => {
                    self.events.tell(&mut self.counters, Event::CandidateError(error));
                }
                gather::Event::Complete => self.set_gathering(GatheringState::Complete),
            }
        }
    }

    /// Does what is due.
    fn advance(&mut self, now: Instant) {
        self.handle_gathered(now);
        if self.is_closed() {
            return;
        }
        self.with_current(now, |generation, context| {
            generation.watch(context, true);
            generation.check(context);
            generation.choose(context);
            generation.look_for_straight_way(context);
        });
        let is_current = self.current.selected.is_some();
        self.with_previous(now, |generation, context| {
            generation.watch(context, !is_current);
            // What it would choose is told to nobody while data does not take it.
            if !is_current {
                generation.select(context);
            }
            true
        });
        self.leave_previous(now);
        self.handle_gathered(now);
        self.tell_state(now);
        self.schedule(now);
    }

    fn schedule(&mut self, now: Instant) {
        let patience = self.patience_wake(now);
        let leave = self.previous.as_ref().and_then(|(_, until)| *until);
        let current = self.with_current(now, |generation, context| generation.next(context));
        let mut previous = None;
        self.with_previous(now, |generation, context| {
            previous = generation.next(context);
            true
        });
        self.deadline = [patience, leave, current, previous].into_iter().flatten().min();
    }
}

/// What fits into a UDP datagram over IPv4.
const LONGEST_PAYLOAD: usize = 65_507;
/// The longest pace that the other side is granted: more is a way to be never checked.
const LONGEST_INTERVAL: Duration = Duration::from_secs(1);
/// RFC 8839 §5.5: what is meant if nothing is said.
const USUAL_INTERVAL: Duration = Duration::from_millis(50);

fn fresh_parameters(rng: &mut ChaCha20Rng, interval: Duration) -> Parameters {
    let mut parameters = Parameters::generate(rng);
    parameters.pacing = (interval != USUAL_INTERVAL).then_some(interval);
    parameters.options =
        Options::none().with(Options::TRICKLE).with(Options::ICE2).with(Options::RENOMINATION);
    parameters
}

fn same_session(one: &Parameters, other: &Parameters) -> bool {
    one.username_fragment == other.username_fragment && one.password == other.password
}

/// RFC 7983 §7, with the cookie: DTLS and RTP begin otherwise, and whatever else an application sends has
/// no cookie there.
fn is_stun(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| *first < 4)
        && payload.get(4..8) == Some(&crate::stun::MAGIC_COOKIE.to_be_bytes())
}

impl Machine for Agent {
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        if let Some(payload) = self.receive(now, datagram) {
            let data = Event::Data(payload.to_vec());
            self.events.tell(&mut self.counters, data);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|at| now < at) {
            return;
        }
        self.gatherer.handle_timeout(now);
        self.mdns.handle_timeout(now);
        self.handle_local_names(now);
        self.advance(now);
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.gatherer.poll_transmit(buf).or_else(|| self.mdns.poll_transmit(buf))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.poll()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let children = [self.gatherer.poll_timeout(), self.mdns.poll_timeout()];
        children.into_iter().chain([self.deadline]).flatten().min()
    }
}

impl Hosted for Agent {
    fn poll_want(&mut self) -> Option<Want> {
        let own = self.wants.pop_front();
        own.or_else(|| self.gatherer.poll_want()).or_else(|| self.mdns.poll_want())
    }

    fn handle_answer(&mut self, now: Instant, answer: Answer) {
        if !self.handle_name(now, &answer) {
            self.gatherer.handle_answer(now, answer);
        }
        self.advance(now);
    }

    fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]) {
        self.gatherer.handle_interfaces(now, interfaces);
        self.mdns.handle_interfaces(now, interfaces);
        self.note_families(now, interfaces);
        self.advance(now);
    }
}

const _: fn() = || {
    fn assert_send<T: Send>() {}
    assert_send::<Agent>();
};
