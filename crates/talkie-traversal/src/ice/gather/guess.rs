//! Which ports a NAT that maps by destination gives our sockets next: looked for, guessed and told.
//!
//! Of each IPv4 socket it is noted to whom it sends for the first time, servers and peers alike, since that is
//! what makes mappings. Once a server has told one, another address is asked, and only if that one sees
//! another port, two more: four in all show an order ([`predict`](crate::ice::predict)). Where these addresses
//! come from: other configured servers, further addresses of a server's name, and what a server names as its
//! other address (RFC 5780 §7.4), with both ports. One server at one address shows two mappings, by its two ports;
//! then a second socket is opened, a *scout*, which asks them as well: where the NAT counts for all of its hosts, and
//! only there can an order be of use to somebody else, its mappings come next in the same order.
//!
//! A NAT may also keep a socket's port for the first destination alone, and give any to the others. Then another
//! socket is opened that sends to nobody but the other side: its first destination is the one that counts.
//!
//! What is guessed is the port that the other side's own address sees. If a check has gone there already,
//! between two of these requests, its port lies between theirs; if it went after them, it is so many steps
//! on; and if none has gone yet, it is the next one, because then such a pair comes first
//! ([`Gatherer::foretells()`]).

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use talkie_sansio::{Scope, Transport};

use super::emit::{Found, Source};
use super::reflexive::Purpose;
use super::{Event, Gatherer, LocalId, Policy, Start};
use crate::ice::predict::{Guess, NoGuess, Observed, Pattern, Question};
use crate::ice::{CandidateType, Protocol};

/// To whom a socket has sent, in this order.
#[derive(Debug, Default)]
pub(super) struct Trail {
    steps: Vec<Step>,
    /// Where a server may answer, too.
    others: Vec<SocketAddr>,
    stage: Stage,
    /// How many guesses were told.
    told: usize,
    /// Whether a scout was sent.
    is_scouted: bool,
}

#[derive(Debug)]
struct Step {
    remote: SocketAddr,
    at: Instant,
    /// As a server saw us.
    mapped: Option<SocketAddr>,
    /// Whether it is an address of the other side that its NAT may have given it.
    is_peer: bool,
    /// Whether a scout has sent it, and not the socket itself.
    is_scouts: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Looking,
    /// An order was seen, and guesses were told.
    Foretold,
    /// There is nothing to guess, or nothing more.
    Over,
}

/// How many mappings are to be seen where they differ. Three are an order; the fourth tells it from chance.
const ENOUGH: usize = 4;
/// The most further addresses of servers.
const MOST_OTHERS: usize = 8;
/// The most destinations of a socket that are followed.
const MOST_STEPS: usize = 48;
/// The most guesses: with the measured ones they have to find room among the candidates of one base.
const MOST_GUESSES: usize = 12;

impl Trail {
    /// That of a socket that is kept for the other side.
    fn reserved() -> Self {
        Self { stage: Stage::Foretold, ..Self::default() }
    }

    /// The NAT's address, if it kept the port for the first destination and not for others. That a port is the
    /// same by chance happens once in 64,512 times.
    fn kept_once(&self, local: SocketAddr) -> Option<IpAddr> {
        let mut seen = self.steps.iter().filter_map(|step| step.mapped);
        let first = seen.next().filter(|mapped| mapped.port() == local.port())?;
        let is_first = self.steps.first().is_some_and(|step| step.mapped == Some(first));
        let mut others = seen.filter(|mapped| mapped.ip() == first.ip());
        (is_first && others.any(|mapped| mapped != first)).then_some(first.ip())
    }

    fn has(&self, remote: SocketAddr, is_scouts: bool) -> bool {
        self.steps.iter().any(|step| (step.remote, step.is_scouts) == (remote, is_scouts))
    }

    /// An address of a server that was not asked yet.
    fn next_other(&mut self) -> Option<SocketAddr> {
        let steps = &self.steps;
        self.others.retain(|other| steps.iter().all(|step| step.remote != *other));
        (!self.others.is_empty()).then(|| self.others.remove(0))
    }

    /// The mappings that were seen, with their places.
    fn observed(&self, local: SocketAddr) -> Vec<Observed> {
        let places = self.places();
        let seen = self.steps.iter().zip(places).filter_map(|(step, place)| {
            Some(Observed { at: step.at, local, place, mapped: step.mapped? })
        });
        seen.collect()
    }

    /// The place of each step among those that made a mapping of their own.
    fn places(&self) -> Vec<u16> {
        let is_by_address = self.is_by_address();
        let mut known: Vec<(SocketAddr, bool)> = Vec::new();
        let mut place = |step: &Step| {
            let same = |(it, is_scouts): &(SocketAddr, bool)| {
                let is_same = *it == step.remote || (is_by_address && it.ip() == step.remote.ip());
                is_same && *is_scouts == step.is_scouts
            };
            let at = known.iter().position(same).unwrap_or_else(|| {
                known.push((step.remote, step.is_scouts));
                known.len() - 1
            });
            u16::try_from(at).unwrap_or(u16::MAX)
        };
        self.steps.iter().map(&mut place).collect()
    }

    /// Why there is nothing to be told.
    fn no_guess(&self, local: SocketAddr) -> NoGuess {
        let observed = self.observed(local);
        let seen = || self.steps.iter().filter(|step| step.mapped.is_some());
        let mut hosts = seen().map(|step| step.remote.ip());
        let first = hosts.next();
        match Pattern::of(local, &observed).no_guess(&observed) {
            NoGuess::SamePort if hosts.all(|ip| Some(ip) == first) => NoGuess::OneAddress,
            why => why,
        }
    }

    /// Whether two ports of one address saw the same port of ours, so that the address alone counts (RFC 4787
    /// §4.1).
    fn is_by_address(&self) -> bool {
        let seen = || self.steps.iter().filter(|step| step.mapped.is_some());
        seen().any(|one| {
            seen().any(|other| {
                one.remote.ip() == other.remote.ip()
                    && one.is_scouts == other.is_scouts
                    && one.remote != other.remote
                    && one.mapped == other.mapped
            })
        })
    }

    /// Guesses for the other side's addresses that were sent to, or for the next one.
    fn guesses(&self, local: SocketAddr, most: usize) -> Vec<SocketAddr> {
        let observed = self.observed(local);
        let pattern = Pattern::of(local, &observed);
        let places = self.places();
        let peers = self.steps.iter().zip(&places).filter(|(step, _)| step.is_peer);
        let mut guesses: Vec<Guess> = Vec::new();
        for (step, place) in peers {
            guesses.extend(guesses_at(&pattern, &observed, (step.at, *place), most));
        }
        if guesses.is_empty() {
            let last = observed.last().map_or(0, |last| last.place);
            let newest = places.iter().copied().max().unwrap_or(last);
            let question =
                Question { before: newest - last.min(newest), most, ..Question::default() };
            guesses = pattern.guesses(question);
        }
        guesses.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for Guess { address, .. } in guesses {
            let is_known = self.steps.iter().any(|step| step.mapped == Some(address));
            if !is_known && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses.truncate(most);
        addresses
    }
}

/// Guesses for a destination that was sent to at a time and place.
fn guesses_at(
    pattern: &Pattern,
    observed: &[Observed],
    (at, place): (Instant, u16),
    most: usize,
) -> Vec<Guess> {
    let behind = observed.iter().position(|it| it.place > place);
    let before = observed.iter().rfind(|it| it.place < place);
    match (before, behind) {
        (Some(before), Some(behind)) => pattern.between(before, &observed[behind], place, most),
        (Some(last), None) => {
            let after = at.saturating_duration_since(last.at);
            pattern.guesses(Question { after, before: place - last.place - 1, most })
        }
        // Before the first one: the order says nothing of what it began with.
        (None, _) => Vec::new(),
    }
}

impl Gatherer {
    /// What a new socket is followed by, if guesses are wanted of it.
    pub(super) fn new_trail(&self, ip: IpAddr, is_spare: bool) -> Option<Trail> {
        let is_wanted = self.config.predict > 0 && self.config.policy == Policy::All;
        (is_wanted && ip.is_ipv4() && !is_spare).then(Trail::default)
    }

    /// A socket is about to send to somebody.
    pub(super) fn note_sent(
        &mut self,
        now: Instant,
        id: LocalId,
        remote: SocketAddr,
        is_server: bool,
    ) {
        let (id, is_scouts) = self.trail_of(id);
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let Some(trail) = &mut socket.trail else { return };
        if trail.stage == Stage::Over || trail.has(remote, is_scouts) {
            return;
        }
        if trail.steps.len() >= MOST_STEPS {
            trail.stage = Stage::Over;
            return;
        }
        // Behind another NAT nobody sees our port at a private address; and who lets in whole addresses, as
        // relays beside a server do, needs no guess.
        let is_beside = |step: &Step| step.mapped.is_some() && step.remote.ip() == remote.ip();
        let is_peer = !is_server
            && Scope::of(remote.ip()) >= Scope::Shared
            && !trail.steps.iter().any(is_beside);
        trail.steps.push(Step { remote, at: now, mapped: None, is_peer, is_scouts });
        if is_peer && trail.stage == Stage::Foretold {
            self.foretell_last(id);
        }
    }

    /// Whose trail a socket is followed by, and whether as its scout.
    fn trail_of(&self, id: LocalId) -> (LocalId, bool) {
        let main = self.sockets.get(&id).and_then(|socket| socket.scouts_for);
        main.map_or((id, false), |main| (main, true))
    }

    /// A server has told how it sees a socket.
    pub(super) fn note_mapped(&mut self, id: LocalId, remote: SocketAddr, mapped: SocketAddr) {
        let (id, is_scouts) = self.trail_of(id);
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let Some(trail) = &mut socket.trail else { return };
        let is_it = |step: &&mut Step| (step.remote, step.is_scouts) == (remote, is_scouts);
        if let Some(step) = trail.steps.iter_mut().find(is_it) {
            step.is_peer = false;
            step.mapped.get_or_insert(mapped);
        }
    }

    /// A server has told its other address (RFC 5780 §7.4): with its own it makes four.
    pub(super) fn note_other(&mut self, id: LocalId, remote: SocketAddr, other: SocketAddr) {
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let Some(trail) = &mut socket.trail else { return };
        // Nobody sends us elsewhere than where it is itself: into our network, say.
        let is_alike = other.is_ipv4() == remote.is_ipv4()
            && other.port() != 0
            && !other.ip().is_unspecified()
            && !other.ip().is_multicast()
            && Scope::of(other.ip()) == Scope::of(remote.ip());
        if !is_alike {
            return;
        }
        let ports = |address: SocketAddr, port| SocketAddr::new(address.ip(), port);
        // What differs in both first: whatever the NAT looks at, it shows.
        for address in [other, ports(other, remote.port()), ports(remote, other.port())] {
            if trail.others.len() < MOST_OTHERS && !trail.others.contains(&address) {
                trail.others.push(address);
            }
        }
    }

    /// Asks further where more can be seen, and concludes where all was.
    pub(super) fn look_ahead(&mut self) {
        if self.config.predict == 0 || !matches!(self.stage, super::Stage::Gathering { .. }) {
            return;
        }
        let looks = |trail: &Trail| trail.stage == Stage::Looking;
        let sockets = self.sockets.iter();
        let looking = sockets.filter(|(_, socket)| socket.trail.as_ref().is_some_and(looks));
        for id in looking.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.look_further(id);
        }
    }

    fn look_further(&mut self, id: LocalId) {
        let mut pending = self.pending_looks(id);
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let (Some(local), Some(trail)) = (socket.local, &mut socket.trail) else { return };
        let seen = trail.observed(local);
        let wanted = match seen.first() {
            None => 0,
            Some(first) if seen.iter().any(|it| it.mapped != first.mapped) => ENOUGH,
            Some(_) => 2,
        };
        while seen.len() + pending < wanted
            && let Some(remote) = trail.next_other()
        {
            self.starts.push_back(Start::Look { socket: id, remote });
            pending += 1;
        }
        if pending > 0 || seen.is_empty() {
            return;
        }
        // Two mappings are an order of nothing, but show that there may be one.
        if (2..wanted).contains(&seen.len()) && !trail.is_scouted {
            trail.is_scouted = true;
            let ip = socket.ip;
            let scout = self.open_socket(ip, true);
            if let Some(scout) = self.sockets.get_mut(&scout) {
                scout.scouts_for = Some(id);
            }
            return;
        }
        self.dismiss_scouts(|main| main == id);
        self.foretell(id);
    }

    /// A scout's socket is open: it asks whom the socket has asked.
    pub(super) fn send_scout(&mut self, scout: LocalId, main: LocalId) {
        let trail = self.sockets.get(&main).and_then(|socket| socket.trail.as_ref());
        let seen = trail.iter().flat_map(|trail| &trail.steps).filter(|step| step.mapped.is_some());
        let remotes: Vec<_> = seen.map(|step| step.remote).take(ENOUGH - 2).collect();
        self.starts.extend(remotes.iter().map(|it| Start::Look { socket: scout, remote: *it }));
    }

    /// Scouts have seen what they can.
    pub(super) fn dismiss_scouts(&mut self, is_served: impl Fn(LocalId) -> bool) {
        let scouts = self.sockets.iter();
        let scouts = scouts.filter(|(_, socket)| socket.scouts_for.is_some_and(&is_served));
        for id in scouts.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.lose_socket(id, self.sockets.get(&id).is_some_and(|it| it.local.is_some()));
        }
    }

    /// How many questions under way will show another mapping of this socket.
    fn pending_looks(&self, id: LocalId) -> usize {
        let Some(trail) = self.sockets.get(&id).and_then(|socket| socket.trail.as_ref()) else {
            return 0;
        };
        let is_its = |socket: LocalId| self.trail_of(socket).0 == id;
        let is_of = |start: &&Start| match start {
            Start::Query { socket, .. } | Start::Look { socket, .. } => is_its(*socket),
            Start::Leg(_) => false,
        };
        let scouts = self.sockets.values().filter(|it| it.scouts_for == Some(id));
        let opening = scouts.filter(|it| it.local.is_none()).count();
        let is_seen = |remote: SocketAddr| {
            trail.steps.iter().any(|step| step.remote == remote && step.mapped.is_some())
        };
        let asked =
            self.queries.iter().filter(|it| is_its(it.socket) && it.purpose != Purpose::Renewal);
        let legs = self.legs.values().filter_map(|leg| leg.asks_from(id));
        opening
            + self.starts.iter().filter(is_of).count()
            + asked.count()
            + legs.filter(|remote| !is_seen(*remote)).count()
    }

    /// Tells what can be guessed.
    fn foretell(&mut self, id: LocalId) {
        let most = self.config.predict.min(MOST_GUESSES);
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let (Some(local), Some(trail)) = (socket.local, &mut socket.trail) else { return };
        let guesses = trail.guesses(local, most);
        trail.stage = if guesses.is_empty() { Stage::Over } else { Stage::Foretold };
        trail.told = guesses.len();
        let kept_at = trail.kept_once(local).filter(|_| guesses.is_empty());
        if guesses.is_empty() && kept_at.is_none() {
            let why = trail.no_guess(local);
            self.events.push_back(Event::Unguessed { base: local, why });
        }
        for address in guesses {
            self.tell_guess(id, local, address);
        }
        if let Some(outside) = kept_at {
            let id = self.open_socket(local.ip(), true);
            if let Some(socket) = self.sockets.get_mut(&id) {
                socket.kept_at = Some(outside);
                socket.trail = Some(Trail::reserved());
            }
        }
    }

    /// All is gathered: what was still looked for has not been found.
    pub(super) fn end_looking(&mut self) {
        self.dismiss_scouts(|_| true);
        for socket in self.sockets.values() {
            let looking = socket.trail.as_ref().filter(|trail| trail.stage == Stage::Looking);
            if let (Some(base), Some(trail)) = (socket.local, looking) {
                let event = Event::Unguessed { base, why: trail.no_guess(base) };
                // Told again by each restart, it would pile up where nobody listens.
                if !self.events.contains(&event) {
                    self.events.push_back(event);
                }
            }
        }
    }

    /// Whether a base is for the other side's outside addresses only.
    pub(in crate::ice) fn is_reserved(&self, id: LocalId) -> bool {
        self.sockets.get(&id).is_some_and(|socket| socket.kept_at.is_some())
    }

    /// Another address of the other side was sent to: now its place is known for sure.
    fn foretell_last(&mut self, id: LocalId) {
        let bound = self.config.predict.min(MOST_GUESSES);
        let Some(socket) = self.sockets.get(&id) else { return };
        let (Some(local), Some(trail)) = (socket.local, &socket.trail) else { return };
        let observed = trail.observed(local);
        let pattern = Pattern::of(local, &observed);
        let (Some(step), Some(place)) = (trail.steps.last(), trail.places().last().copied()) else {
            return;
        };
        // Half as many again in all, a few for each.
        let most = (bound + bound / 2).saturating_sub(trail.told).min(bound.div_ceil(4));
        let guesses = guesses_at(&pattern, &observed, (step.at, place), most);
        for Guess { address, .. } in guesses {
            let was_told = !self.tell_guess(id, local, address);
            if let Some(trail) = self.sockets.get_mut(&id).and_then(|it| it.trail.as_mut()) {
                trail.told += usize::from(!was_told);
            }
        }
    }

    /// Whether the next address of the other side that this base sends to was guessed for.
    pub(in crate::ice) fn foretells(&self, id: LocalId) -> bool {
        let trail = self.sockets.get(&id).and_then(|socket| socket.trail.as_ref());
        trail.is_some_and(|trail| {
            trail.stage == Stage::Foretold && trail.steps.iter().all(|step| !step.is_peer)
        })
    }

    /// Whether it was not told before.
    pub(super) fn tell_guess(
        &mut self,
        id: LocalId,
        local: SocketAddr,
        address: SocketAddr,
    ) -> bool {
        let related = self.config.outside(local);
        self.tell(&Found {
            id,
            kind: CandidateType::ServerReflexive,
            protocol: Protocol::Udp,
            address,
            base: local,
            ip: local.ip(),
            related: Some(related),
            source: Source::Guess,
        })
    }

    /// Asks an address of a server only to see the mapping.
    pub(super) fn start_look(&mut self, now: Instant, socket: LocalId, remote: SocketAddr) -> bool {
        self.ask(now, socket, 0, remote, Purpose::Look)
    }

    /// Further addresses of a server's name answer as well as the first, and so may further ports.
    pub(super) fn note_siblings(&mut self, id: LocalId, server: usize) {
        let Some(socket) = self.sockets.get(&id) else { return };
        let is_udp = self.config.servers[server].transport() == Transport::Udp;
        if socket.trail.is_none() || !is_udp {
            return;
        }
        let mut siblings = self.addresses_of(server, socket.ip);
        if let Some(first) = siblings.first().map(SocketAddr::ip) {
            let ports = self.config.other_ports.iter();
            siblings.extend(ports.map(|port| SocketAddr::new(first, *port)));
        }
        let Some(trail) = self.sockets.get_mut(&id).and_then(|it| it.trail.as_mut()) else {
            return;
        };
        for address in siblings.into_iter().skip(1) {
            if trail.others.len() < MOST_OTHERS && !trail.others.contains(&address) {
                trail.others.push(address);
            }
        }
    }
}
