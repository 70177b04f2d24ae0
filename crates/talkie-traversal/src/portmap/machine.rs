//! The machine: three protocols, of which one is chosen.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::{
    Answer, Datagram, Genesis, Hosted, Interface, Machine, Path, Transmit, Transport, Want,
    WantError, WantId,
};

use super::config::Config;
use super::door::{Dialect, Door, PORT};
use super::event::{Event, Loss, Mapping, Protocol, Reason, Reasons};
use super::igd;
use super::lease::Lease;
use super::pcp::Nonce;
use super::ssdp;
use super::wants::Wants;

/// Where gateways say that they have started anew (RFC 6886 §3.2.1, RFC 6887 §14.1.2).
const ANNOUNCEMENTS: SocketAddr =
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(224, 0, 0, 1), 5350));
/// How long the next protocol waits for a better one: a gateway is one hop away, and who speaks PCP answers
/// at once.
const GRACE: Duration = Duration::from_millis(300);
/// When a gateway that gave nothing is asked again.
const RETRY: Duration = Duration::from_secs(600);
/// RFC 6887 §14.1.3: a client waits for up to five seconds, so that not all ask at once.
const SPREAD_MS: u32 = 5000;
/// Anybody on the link can forge announcements: more than one in this time is not heeded.
const DEAF: Duration = Duration::from_secs(10);
/// The most datagrams that wait for the driver. A round of all questions is seven.
const MOST_QUEUED: usize = 64;
/// The most events that wait for the application.
const MOST_EVENTS: usize = 64;

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams that are not the gateway's, or answer nothing.
    pub unexpected: u64,
    /// Datagrams and events that nobody fetched in time.
    pub overrun: u64,
}

/// Looks after one mapping. See the [module's documentation](super).
#[derive(Debug)]
pub struct Portmap {
    config: Config,
    rng: ChaCha20Rng,
    wants: Wants,
    socket: Socket,
    /// Hears what gateways announce.
    group: Socket,
    pcp: Door,
    nat_pmp: Door,
    igd: igd::Client,
    stage: Stage,
    told: Option<Mapping>,
    reasons: Option<Reasons>,
    deaf_until: Instant,
    /// The gateway has started anew while it was asked: when to ask again if that came to nothing.
    again_at: Option<Instant>,
    outbox: VecDeque<(Path, Vec<u8>)>,
    events: VecDeque<Event>,
    counters: Counters,
    deadline: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Socket {
    None,
    Wanted(WantId),
    Open(WantId, SocketAddr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Without a socket so far.
    Opening,
    Asking {
        since: Instant,
    },
    Held(Protocol),
    /// Nobody gives one.
    Idle {
        until: Instant,
    },
    /// The interface is not there.
    Away,
    Closing,
    Closed,
}

impl Portmap {
    /// Begins to ask as soon as there is a socket.
    #[must_use]
    pub fn new(genesis: &Genesis, config: Config) -> Self {
        let now = genesis.now;
        let mut rng = ChaCha20Rng::from_seed(genesis.seed);
        let mut nonce = Nonce([0; 12]);
        rng.fill_bytes(&mut nonce.0);
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let lifetime = config.lifetime.max(Config::SHORTEST);
        let Config { gateway, internal, .. } = config;
        let mut portmap = Self {
            rng,
            wants: Wants::after(config.first_want),
            socket: Socket::None,
            group: Socket::None,
            pcp: Door::new(now, Dialect::Pcp(nonce), internal, lifetime),
            nat_pmp: Door::new(now, Dialect::NatPmp(None), internal, lifetime),
            igd: igd::Client::new(now, seed, gateway, internal, lifetime),
            stage: Stage::Opening,
            told: None,
            reasons: None,
            deaf_until: now,
            again_at: None,
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            deadline: None,
            config,
        };
        portmap.open();
        portmap
    }

    /// Removes the mapping. [`Event::Closed`] follows when that is done or was tried for a few seconds;
    /// until then the machine wants to be run.
    pub fn close(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Closing | Stage::Closed) {
            return;
        }
        self.stage = Stage::Closing;
        self.pcp.remove(now);
        self.nat_pmp.remove(now);
        self.igd.remove(now, &mut self.wants);
        self.advance(now);
    }

    /// Whether [`Event::Closed`] was told, or is about to be.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// The mapping that is there, and is not being removed.
    #[must_use]
    pub fn mapping(&self) -> Option<Mapping> {
        self.told.filter(|_| !matches!(self.stage, Stage::Closing | Stage::Closed))
    }

    /// What was dropped so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn open(&mut self) {
        self.stage = Stage::Opening;
        let interface = IpAddr::V4(*self.config.internal.ip());
        let bind = |id| Want::Bind { id, local: interface, ports: 0..=0 };
        self.socket = Socket::Wanted(self.wants.ask(bind));
        if self.group == Socket::None {
            let join = |id| Want::Join { id, interface, group: ANNOUNCEMENTS };
            self.group = Socket::Wanted(self.wants.ask(join));
        }
    }

    fn shut(&mut self) {
        for socket in [&mut self.socket, &mut self.group] {
            match std::mem::replace(socket, Socket::None) {
                Socket::Wanted(id) | Socket::Open(id, _) => self.wants.tell(Want::Close { id }),
                Socket::None => {}
            }
        }
    }

    /// Asks by all protocols.
    fn begin(&mut self, now: Instant) {
        self.stage = Stage::Asking { since: now };
        let Config { pcp, nat_pmp, igd, .. } = self.config;
        for (door, is_wanted) in [(&mut self.pcp, pcp), (&mut self.nat_pmp, nat_pmp)] {
            if is_wanted {
                door.begin(now);
            } else {
                door.refuse(Reason::Disabled);
            }
        }
        if igd {
            self.igd.begin(now, &mut self.wants);
        } else {
            self.igd.refuse(Reason::Disabled, &mut self.wants);
        }
    }

    fn advance(&mut self, now: Instant) {
        self.send_what_is_due(now);
        match self.stage {
            Stage::Asking { since } => self.choose(now, since),
            Stage::Held(protocol) => self.watch(now, protocol),
            Stage::Idle { until } if until <= now => match self.socket {
                Socket::Open(..) => self.begin(now),
                _ => self.open(),
            },
            Stage::Closing => self.say_farewell(),
            Stage::Opening | Stage::Idle { .. } | Stage::Away | Stage::Closed => {}
        }
        // What was begun just now goes out at once.
        self.send_what_is_due(now);
        self.schedule(now);
    }

    fn send_what_is_due(&mut self, now: Instant) {
        let door = SocketAddr::from((self.config.gateway, PORT));
        for question in self.pcp.handle_timeout(now) {
            self.send(door, question);
        }
        for question in self.nat_pmp.handle_timeout(now) {
            self.send(door, question);
        }
        if self.igd.handle_timeout(now, &mut self.wants) {
            for kind in ssdp::KINDS {
                // A host without multicast still reaches the gateway itself.
                let gateway = SocketAddrV4::new(self.config.gateway, ssdp::GROUP.port());
                for to in [ssdp::GROUP, gateway] {
                    self.send(to.into(), ssdp::search(kind));
                }
            }
        }
    }

    fn send(&mut self, remote: SocketAddr, payload: Vec<u8>) {
        let Socket::Open(_, local) = self.socket else { return };
        let path = Path { transport: Transport::Udp, local, remote };
        self.queue(path, payload);
    }

    fn queue(&mut self, path: Path, payload: Vec<u8>) {
        if self.outbox.len() < MOST_QUEUED {
            self.outbox.push_back((path, payload));
        } else {
            self.counters.overrun += 1;
        }
    }

    /// Takes the first mapping there is, or asks for one by the next protocol.
    fn choose(&mut self, now: Instant, since: Instant) {
        let protocols = [Protocol::Pcp, Protocol::NatPmp, Protocol::Igd];
        if let Some(protocol) = protocols.into_iter().find(|it| self.lease(*it).is_some()) {
            self.hold(now, protocol);
            return;
        }
        let pcp = self.pcp.refusal().map(|(reason, pause)| (reason.clone(), pause));
        let nat_pmp = self.nat_pmp.refusal().map(|(reason, _)| reason.clone());
        let igd = self.igd.refusal().cloned();
        if pcp.is_some() || now >= since + GRACE {
            self.nat_pmp.map(now);
        }
        if pcp.is_some() && nat_pmp.is_some() || now >= since + 2 * GRACE {
            self.igd.map(now, &mut self.wants);
        }
        if let (Some((pcp, pause)), Some(nat_pmp), Some(igd)) = (pcp, nat_pmp, igd) {
            let reasons = Reasons { pcp, nat_pmp, igd };
            // RFC 6887 §11.4: not within the lifetime of an error.
            self.rest(now, reasons, pause);
        }
    }

    fn hold(&mut self, now: Instant, protocol: Protocol) {
        self.stage = Stage::Held(protocol);
        self.again_at = None;
        self.reasons = None;
        if protocol != Protocol::Pcp {
            self.pcp.stand_down();
        }
        if protocol != Protocol::NatPmp {
            self.nat_pmp.stand_down();
        }
        if protocol != Protocol::Igd {
            self.igd.stand_down(&mut self.wants);
        }
        self.watch(now, protocol);
    }

    /// Tells what has become of the mapping.
    fn watch(&mut self, now: Instant, protocol: Protocol) {
        let Some(lease) = self.lease(protocol) else {
            self.lose(Loss::Expired);
            self.begin(now);
            return;
        };
        let Lease { external, lifetime, .. } = *lease;
        if self.told.is_some_and(|told| told.external == external) {
            return;
        }
        self.lose(Loss::Changed);
        let internal = self.config.internal;
        let mapping = Mapping { external, internal, lifetime, protocol };
        self.told = Some(mapping);
        self.tell(Event::Mapped(mapping));
    }

    fn lose(&mut self, why: Loss) {
        if self.told.take().is_some() {
            self.tell(Event::Lost(why));
        }
    }

    fn rest(&mut self, now: Instant, reasons: Reasons, pause: Duration) {
        let pause = pause.clamp(RETRY, Duration::from_secs(24 * 60 * 60));
        let until = self.again_at.take().map_or(now + pause, |at| at.max(now + GRACE));
        self.stage = Stage::Idle { until };
        if self.reasons.as_ref() != Some(&reasons) {
            self.reasons = Some(reasons.clone());
            self.tell(Event::Unavailable(reasons));
        }
    }

    /// There is no way to the gateway.
    fn abandon(&mut self) {
        self.pcp.abandon();
        self.nat_pmp.abandon();
        self.igd.abandon(&mut self.wants);
        self.outbox.clear();
        self.lose(Loss::Interface);
    }

    fn say_farewell(&mut self) {
        let is_done = self.pcp.is_removed() && self.nat_pmp.is_removed() && self.igd.is_removed();
        if is_done {
            self.stage = Stage::Closed;
            self.told = None;
            self.shut();
            self.tell(Event::Closed);
        }
    }

    fn lease(&self, protocol: Protocol) -> Option<&Lease> {
        match protocol {
            Protocol::Pcp => self.pcp.lease(),
            Protocol::NatPmp => self.nat_pmp.lease(),
            Protocol::Igd => self.igd.lease(),
        }
    }

    fn tell(&mut self, event: Event) {
        if self.events.len() < MOST_EVENTS {
            self.events.push_back(event);
        } else {
            self.counters.overrun += 1;
        }
    }

    fn schedule(&mut self, now: Instant) {
        let own = match self.stage {
            Stage::Asking { since } => [since + GRACE, since + 2 * GRACE].map(Some),
            Stage::Idle { until } => [Some(until), None],
            _ => [None, None],
        };
        // A time of patience that has passed is no time to wake up at.
        let own = own.into_iter().flatten().filter(|at| *at > now);
        let children = [self.pcp.due(), self.nat_pmp.due(), self.igd.due()];
        self.deadline = children.into_iter().flatten().chain(own).min();
    }

    fn handle_udp(&mut self, now: Instant, path: &Path, payload: &[u8]) -> bool {
        // RFC 6886 §3.1, RFC 6887 §8.3: nobody but the gateway.
        if path.remote.ip() != IpAddr::V4(self.config.gateway) {
            return false;
        }
        let is_at = |socket| matches!(socket, Socket::Open(_, local) if local == path.local);
        let is_door = path.remote.port() == PORT;
        if is_at(self.group) && is_door {
            return self.handle_announcement(now, payload);
        }
        if !is_at(self.socket) {
            return false;
        }
        if is_door {
            let is_pcp = self.pcp.handle_answer(now, payload);
            return is_pcp || self.nat_pmp.handle_answer(now, payload);
        }
        self.igd.handle_search_answer(now, &mut self.wants, payload)
    }

    fn handle_announcement(&mut self, now: Instant, payload: &[u8]) -> bool {
        let is_pcp = self.pcp.handle_announcement(now, payload);
        let is_news = is_pcp || self.nat_pmp.handle_announcement(now, payload);
        if !is_news || now < self.deaf_until {
            return is_news;
        }
        self.deaf_until = now + DEAF;
        let wait = Duration::from_millis(u64::from(self.rng.next_u32() % SPREAD_MS));
        self.hurry(now + wait);
        true
    }

    /// What is known of the gateway may be outdated: it is asked at `at`.
    fn hurry(&mut self, at: Instant) {
        match &mut self.stage {
            Stage::Held(Protocol::Pcp) => self.pcp.hurry(at),
            Stage::Held(Protocol::NatPmp) => self.nat_pmp.hurry(at),
            Stage::Held(Protocol::Igd) => self.igd.hurry(at),
            Stage::Idle { until } => *until = at.min(*until),
            Stage::Asking { .. } => self.again_at = Some(at),
            _ => {}
        }
    }

    fn handle_bound(&mut self, now: Instant, id: WantId, local: SocketAddr) {
        if self.socket == Socket::Wanted(id) {
            self.socket = Socket::Open(id, local);
            if self.stage == Stage::Opening {
                self.begin(now);
            }
        } else if self.group == Socket::Wanted(id) {
            self.group = Socket::Open(id, local);
        }
    }

    /// Whether the failure is about one of our sockets.
    fn handle_failed(&mut self, now: Instant, id: WantId, error: &WantError) -> bool {
        let is_about =
            |socket| matches!(socket, Socket::Wanted(it) | Socket::Open(it, _) if it == id);
        if is_about(self.group) {
            // Without it a gateway that starts anew is noticed when the mapping is renewed.
            self.group = Socket::None;
            return true;
        }
        if !is_about(self.socket) {
            return false;
        }
        self.socket = Socket::None;
        self.abandon();
        if self.stage != Stage::Closing {
            let reason = |is_wanted| {
                if is_wanted { Reason::Socket(error.clone()) } else { Reason::Disabled }
            };
            let Config { pcp, nat_pmp, igd, .. } = self.config;
            let reasons = Reasons { pcp: reason(pcp), nat_pmp: reason(nat_pmp), igd: reason(igd) };
            self.rest(now, reasons, RETRY);
        }
        true
    }
}

impl Machine for Portmap {
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        let Datagram { path, payload } = datagram;
        let is_expected = match path.transport {
            Transport::Udp => self.handle_udp(now, &path, payload),
            _ => self.igd.handle_bytes(now, &mut self.wants, &path, payload),
        };
        if !is_expected {
            self.counters.unexpected += 1;
        }
        self.advance(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.advance(now);
        }
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, payload) = self.outbox.pop_front()?;
        buf.extend_from_slice(&payload);
        Some(Transmit { path, len: payload.len() })
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }
}

impl Hosted for Portmap {
    fn poll_want(&mut self) -> Option<Want> {
        self.wants.poll()
    }

    fn handle_answer(&mut self, now: Instant, answer: Answer) {
        match &answer {
            Answer::Bound { id, local } => self.handle_bound(now, *id, *local),
            Answer::Failed { id, error } if self.handle_failed(now, *id, error) => {}
            _ => {
                let sent = self.igd.handle_answer(now, &mut self.wants, &answer);
                if let Some((path, payload)) = sent {
                    self.queue(path, payload);
                }
            }
        }
        self.advance(now);
    }

    fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]) {
        let ours = IpAddr::V4(*self.config.internal.ip());
        let is_up = interfaces.iter().any(|interface| interface.address == ours);
        match (self.stage, is_up) {
            (Stage::Closed, _) => {}
            (Stage::Away, true) => self.open(),
            // Told again what it knows: the host has slept, or something else has changed that may be the
            // way to the gateway.
            (Stage::Held(_) | Stage::Idle { .. }, true) if now >= self.deaf_until => {
                self.deaf_until = now + DEAF;
                self.hurry(now);
            }
            (Stage::Away, false) | (_, true) => {}
            (Stage::Closing, false) => self.abandon(),
            (_, false) => {
                self.abandon();
                self.shut();
                self.stage = Stage::Away;
            }
        }
        self.advance(now);
    }
}

const _: fn() = || {
    fn assert_send<T: Send>() {}
    assert_send::<Portmap>();
};
