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
mod data;
mod detour;
mod generation;
mod names;
mod nat64;
mod nomination;
mod ours;
mod pair;
mod pairing;
mod remote;
mod report;
mod requests;
mod responses;
mod restart;
mod session;
mod state;
mod strangers;
mod theirs;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::{Answer, Datagram, Genesis, Hosted, Interface, Machine, Transmit, Want};

pub use context::Counters;
pub use data::SendError;
pub use remote::AddError;

use self::context::{Context, Events};
use self::data::Traffic;
use self::generation::Generation;
use self::names::Names;
use self::nat64::Nat64;
use super::config::{Config, Role};
use super::event::{ConnectionState, Event, GatheringState, Pair};
use super::gather::{self, Gatherer, LocalId};
use super::parameters::{Options, Parameters};
use crate::mdns::Mdns;
use crate::stun::{Class, Message, Method};

/// One side of one transport. See the [module documentation](crate::ice).
pub struct Agent {
    config: Config,
    rng: ChaCha20Rng,
    gatherer: Gatherer,
    current: Generation,
    /// What carries data until the current generation has a pair.
    previous: Option<Box<Previous>>,
    names: Names,
    nat64: Nat64,
    /// The local network's names, once there are any: most agents never need them.
    mdns: Option<Box<Mdns>>,
    wants: VecDeque<Want>,
    events: Events,
    counters: Counters,
    gathering: GatheringState,
    connection: ConnectionState,
    deadline: Option<Instant>,
    restarts: u32,
    /// The last that named a pair or a candidate.
    last_number: u32,
    /// How often data has taken another pair.
    changes: u32,
    /// Whether servers may be left that only the generation before needs.
    has_left: bool,
    born: Instant,
    /// The wall clock then.
    unix: Duration,
    traffic: Traffic,
}

/// What there was before the last restart.
struct Previous {
    /// What carries data, or was the last to do so.
    generation: Generation,
    /// Until when it is listened to once the other side has followed.
    until: Option<Instant>,
    /// What both sides have agreed on since, if that has come to no pair: an open restart that is taken back goes back
    /// to it.
    agreed: Option<Box<Generation>>,
}

impl Previous {
    fn new(generation: Generation) -> Box<Self> {
        Box::new(Self { generation, until: None, agreed: None })
    }

    fn carries(&self) -> bool {
        self.generation.selected.is_some()
    }

    /// What an open restart goes back to.
    fn before(&mut self) -> &mut Generation {
        self.agreed.as_deref_mut().unwrap_or(&mut self.generation)
    }

    fn generations(&self) -> impl Iterator<Item = &Generation> {
        std::iter::once(&self.generation).chain(self.agreed.as_deref())
    }

    fn generations_mut(&mut self) -> impl Iterator<Item = &mut Generation> {
        std::iter::once(&mut self.generation).chain(self.agreed.as_deref_mut())
    }
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
        let mut config = config.bounded();
        let mut rng = ChaCha20Rng::from_seed(genesis.seed);
        let parameters = fresh_parameters(&mut rng, config.pace.interval);
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let tie_breaker = rng.next_u64();
        // It is the gatherer's alone: ten thousand agents need no second copy.
        let gather = std::mem::take(&mut config.gather);
        let gatherer = Gatherer::new(&Genesis { seed, ..genesis.clone() }, gather);
        Self {
            gatherer,
            current: Generation::new(
                genesis.now,
                parameters,
                (config.role, tie_breaker),
                config.pace.interval,
            ),
            previous: None,
            names: Names::default(),
            nat64: Nat64::default(),
            mdns: None,
            wants: VecDeque::new(),
            events: Events::new(config.limits.events),
            counters: Counters::default(),
            gathering: GatheringState::New,
            connection: ConnectionState::New,
            deadline: None,
            restarts: 0,
            last_number: 0,
            changes: 0,
            has_left: false,
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

    /// Takes other servers and another policy (`setConfiguration`), which hold when it gathers next: by
    /// [`gather()`](Self::gather) or a restart. Data goes on along the old pair until there is a new one, also over a
    /// server that is none of these.
    ///
    /// # Errors
    /// If one cannot be used here: an agent of a [`Mux`](crate::ice::mux::Mux) can have no relay over UDP. Those of
    /// before stay then.
    pub fn set_servers(
        &mut self,
        servers: Vec<gather::Server>,
        policy: gather::Policy,
    ) -> Result<(), gather::SetServersError> {
        self.gatherer.set_servers(servers, policy)
    }

    /// Its UDP sockets are those of other agents as well.
    pub(in crate::ice) fn share_sockets(&mut self) {
        self.gatherer.share_sockets();
    }

    /// Takes the other side's credentials. If they differ from those known, the other side has restarted:
    /// so does this one, unless [`restart()`](Self::restart) was called before, and then
    /// [`local_parameters()`](Self::local_parameters) are others as well. A restart of ours is settled by it:
    /// there is no [way back](Self::undo_restart) any more.
    pub fn set_remote_parameters(&mut self, now: Instant, parameters: Parameters) {
        if self.is_closed() {
            return;
        }
        match self.current.session.remote() {
            Some(known) if same_session(known, &parameters) => return,
            Some(_) => {
                let ours = self.prepare_restart();
                self.begin_restart(now, ours);
                if self.gathering != GatheringState::New {
                    self.gather_again(now);
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
        self.settle_restart();
        self.current.session.set_remote(parameters);
        self.current.patience_until = Some(now + self.config.timers.patience);
        self.add_waiting(now);
        // They are of credentials that were skipped.
        self.names.waiting.clear();
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

    /// Ends it. Sockets and relays are given back.
    pub fn close(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        // First: what follows is no failure.
        self.set_connection(ConnectionState::Closed);
        self.current.pairs.clear();
        self.current.early.clear();
        self.current.selected = None;
        self.previous = None;
        self.forget_names(now);
        self.forget_nat64();
        if let Some(mdns) = &mut self.mdns {
            mdns.close(now);
        }
        self.gatherer.close(now);
        self.handle_gathered(now);
        self.deadline = None;
    }

    /// Sockets behind a NAT, and how a server saw them last.
    pub(in crate::ice) fn mappings(
        &self,
    ) -> impl Iterator<Item = (std::net::SocketAddr, std::net::SocketAddr)> {
        self.gatherer.mappings()
    }

    /// Asks the server that told it how a socket looks from outside now.
    pub(in crate::ice) fn renew_mapping(&mut self, now: Instant, local: std::net::SocketAddr) {
        self.gatherer.renew_mapping(now, local);
        self.advance(now);
    }

    /// The user name fragments that it answers to.
    pub(in crate::ice) fn fragments(&self) -> impl Iterator<Item = &str> {
        self.generations().map(|generation| &*generation.session.local().username_fragment)
    }

    /// What changes whenever the [`fragments()`](Self::fragments) do: how often this side has got other credentials,
    /// and how many it has, as old ones are let go in between.
    pub(in crate::ice) fn edition(&self) -> (u32, u8) {
        let older = self.previous.as_ref().map_or(0, |it| 1 + u8::from(it.agreed.is_some()));
        (self.restarts, older)
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
        let previous = self.previous.as_ref().map(|previous| &previous.generation);
        previous.filter(|generation| generation.selected.is_some())
    }

    /// The present one, and those before it.
    fn generations(&self) -> impl Iterator<Item = &Generation> {
        let previous = self.previous.iter().flat_map(|previous| previous.generations());
        std::iter::once(&self.current).chain(previous)
    }

    /// All generations, and what they work with.
    fn parts(&mut self, now: Instant) -> (&mut Generation, Option<&mut Previous>, Context<'_>) {
        let context = Context {
            now,
            config: &self.config,
            gatherer: &mut self.gatherer,
            events: &mut self.events,
            rng: &mut self.rng,
            counters: &mut self.counters,
            last_number: &mut self.last_number,
            changes: &mut self.changes,
        };
        (&mut self.current, self.previous.as_deref_mut(), context)
    }

    fn with_current<T>(
        &mut self,
        now: Instant,
        work: impl FnOnce(&mut Generation, &mut Context<'_>) -> T,
    ) -> T {
        let (current, _, mut context) = self.parts(now);
        work(current, &mut context)
    }

    /// Does it with each; says whether any of them has agreed.
    fn with_previous(
        &mut self,
        now: Instant,
        mut work: impl FnMut(&mut Generation, &mut Context<'_>) -> bool,
    ) -> bool {
        let (_, previous, mut context) = self.parts(now);
        let mut any = false;
        for generation in previous.into_iter().flat_map(Previous::generations_mut) {
            any |= work(generation, &mut context);
        }
        any
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
        if self.is_closed() {
            return;
        }
        // Whoever comes to an address that this generation does not tell shall not learn that it is ours.
        let is_told = || self.current.locals.iter().any(|known| known.id == local);
        let is_for_current = !self.gatherer.is_closing_up(local) || is_told();
        let is_taken =
            (is_for_current && self.with_current(now, take)) || self.with_previous(now, take);
        if !is_taken {
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
                gather::Event::Unguessed { base, why } => {
                    self.events.tell(&mut self.counters, Event::Unguessed { base, why });
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
        self.watch_previous(now);
        self.leave_previous(now);
        if self.has_left && self.previous.is_none() {
            self.has_left = false;
            let used: Vec<_> = self.current.locals.iter().map(|local| local.id).collect();
            self.gatherer.release(now, |id| used.contains(&id));
        }
        self.handle_gathered(now);
        self.tell_state(now);
        self.schedule(now);
    }

    fn schedule(&mut self, now: Instant) {
        let patience = self.patience_wake(now);
        let leave = self.previous.as_ref().and_then(|previous| previous.until);
        let current = self.with_current(now, |generation, context| generation.next(context));
        let mut previous = None;
        self.with_previous(now, |generation, context| {
            previous = [previous, generation.next(context)].into_iter().flatten().min();
            true
        });
        self.deadline = [patience, leave, current, previous].into_iter().flatten().min();
    }
}

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
        if let Some(mdns) = &mut self.mdns {
            mdns.handle_timeout(now);
            self.handle_local_names(now);
        }
        self.advance(now);
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.gatherer.poll_transmit(buf).or_else(|| self.mdns.as_mut()?.poll_transmit(buf))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.poll()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let names = self.mdns.as_ref().and_then(|mdns| mdns.poll_timeout());
        [self.gatherer.poll_timeout(), names, self.deadline].into_iter().flatten().min()
    }
}

impl Hosted for Agent {
    fn poll_want(&mut self) -> Option<Want> {
        let own = self.wants.pop_front();
        own.or_else(|| self.gatherer.poll_want()).or_else(|| self.mdns.as_mut()?.poll_want())
    }

    fn handle_answer(&mut self, now: Instant, answer: Answer) {
        if !self.handle_name(now, &answer) {
            self.gatherer.handle_answer(now, answer);
        }
        self.advance(now);
    }

    fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]) {
        self.gatherer.handle_interfaces(now, interfaces);
        if let Some(mdns) = &mut self.mdns {
            mdns.handle_interfaces(now, interfaces);
        }
        self.note_families(now, interfaces);
        self.advance(now);
    }
}

const _: fn() = || {
    fn assert_send<T: Send>() {}
    assert_send::<Agent>();
};
