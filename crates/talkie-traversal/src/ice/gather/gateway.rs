//! Ports of the gateway that lead to our sockets, asked for by [`portmap`]: one machine for each
//! IPv4 socket, and what it is given is a server-reflexive candidate of that socket.
//!
//! Such a machine has sockets, streams and wants of its own; those are passed on under numbers by which its
//! answers find it again. Gathering waits for it a moment. It is closed when its socket goes and when all is
//! closed, and may then take as long as a relay may to take back what it asked for.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use talkie_sansio::{
    Answer, Datagram, Genesis, Hosted as _, Interface, Machine as _, Path, Transmit, Want, WantId,
};

use super::emit::{Found, Source};
use super::{Gatherer, LocalId, Policy, PortMapping, Problem, Stage};
use crate::ice::{CandidateType, Protocol};
use crate::portmap::{self, Portmap};

/// All machines that ask gateways.
#[derive(Debug, Default)]
pub(super) struct Doors {
    list: BTreeMap<u64, Door>,
    /// The sockets whose gateway is being asked for.
    questions: BTreeMap<WantId, LocalId>,
    last: u64,
}

/// One of them.
#[derive(Debug)]
struct Door {
    portmap: Portmap,
    gateway: Ipv4Addr,
    /// The socket that it is for.
    base: LocalId,
    local: SocketAddr,
    sockets: BTreeMap<WantId, SocketAddr>,
    streams: Vec<Path>,
    /// The candidate that is there by it.
    told: Option<SocketAddr>,
    /// Until when gathering waits for its first word; `None` if that has come.
    awaited_until: Option<Instant>,
}

/// The wants of the gatherer itself count from below; each machine has 2³² of them.
const FIRST_WANT: u64 = 1 << 48;
const SHARE: u32 = 32;
/// How long gathering waits: PCP and NAT-PMP take a round trip or two, UPnP about a second.
const PATIENCE: Duration = Duration::from_millis(1500);

impl Doors {
    pub(super) fn are_closed(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether gathering need not wait for them.
    pub(super) fn have_spoken(&self, now: Instant) -> bool {
        self.questions.is_empty()
            && self.list.values().all(|door| door.awaited_until.is_none_or(|until| until <= now))
    }

    pub(super) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.list.values_mut().find_map(|door| door.portmap.poll_transmit(buf))
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for door in self.list.values_mut() {
            door.portmap.handle_timeout(now);
            door.awaited_until = door.awaited_until.filter(|until| *until > now);
        }
    }

    pub(super) fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]) {
        for door in self.list.values_mut() {
            door.portmap.handle_interfaces(now, interfaces);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let each = |door: &Door| [door.portmap.poll_timeout(), door.awaited_until];
        self.list.values().flat_map(each).flatten().min()
    }

    /// Hands in a datagram, if it came to one of their sockets or streams.
    pub(super) fn receive(&mut self, now: Instant, path: Path, payload: &mut [u8]) -> bool {
        let is_its = |door: &&mut Door| {
            door.streams.contains(&path) || door.sockets.values().any(|local| *local == path.local)
        };
        let Some(door) = self.list.values_mut().find(is_its) else { return false };
        door.portmap.handle_datagram(now, Datagram { path, payload });
        true
    }

    /// Hands in an answer, if it is to one of their wants.
    fn handle_answer(&mut self, now: Instant, answer: &Answer) -> bool {
        let number = match answer {
            Answer::Bound { id, .. }
            | Answer::Connected { id, .. }
            | Answer::Accepted { id, .. }
            | Answer::Resolved { id, .. }
            | Answer::Failed { id, .. } => id.0.checked_sub(FIRST_WANT).map(|it| it >> SHARE),
            Answer::Closed { path } => {
                let mut doors = self.list.iter();
                doors.find_map(|(number, door)| door.streams.contains(path).then_some(*number))
            }
            _ => None,
        };
        let Some(number) = number else { return false };
        if let Some(door) = self.list.get_mut(&number) {
            door.note(answer);
            door.portmap.handle_answer(now, answer.clone());
        }
        true
    }

    /// What they want, in their order.
    fn poll_want(&mut self) -> Option<Want> {
        self.list.values_mut().find_map(|door| {
            let want = door.portmap.poll_want()?;
            match &want {
                Want::Close { id } => {
                    door.sockets.remove(id);
                }
                Want::HangUp { path } => door.streams.retain(|it| it != path),
                _ => {}
            }
            Some(want)
        })
    }

    /// Nobody waits for them any more: what they have is given up.
    fn abandon(&mut self, now: Instant) {
        self.questions.clear();
        for door in self.list.values_mut() {
            door.portmap.close(now);
            // Without an interface there is nothing that could be taken back.
            door.portmap.handle_interfaces(now, &[]);
        }
    }
}

impl Door {
    /// Keeps what belongs to it by an answer.
    fn note(&mut self, answer: &Answer) {
        match answer {
            Answer::Bound { id, local } => {
                self.sockets.insert(*id, *local);
            }
            Answer::Failed { id, .. } => {
                self.sockets.remove(id);
            }
            Answer::Connected { path, .. } => self.streams.push(*path),
            Answer::Closed { path } => self.streams.retain(|it| it != path),
            _ => {}
        }
    }
}

impl Gatherer {
    /// Hands in an answer, if it is about gateways.
    pub(super) fn door_answered(&mut self, now: Instant, answer: &Answer) -> bool {
        let (Answer::Gateway { id, .. } | Answer::Failed { id, .. }) = answer else {
            return self.doors.handle_answer(now, answer);
        };
        let Some(base) = self.doors.questions.remove(id) else {
            return self.doors.handle_answer(now, answer);
        };
        match answer {
            Answer::Gateway { gateway: IpAddr::V4(gateway), .. } => {
                self.open_door(now, base, *gateway);
            }
            Answer::Failed { error, .. } => {
                let address = self.sockets.get(&base).and_then(|socket| socket.local);
                let text = format!("no gateway can be asked for a port: {error}");
                let code = Problem::UNREACHABLE;
                self.tell_problem(Problem { url: None, address, code, text });
            }
            _ => {}
        }
        true
    }

    /// Opens a door for each new socket, shuts those that are of no use any more, and hears what they say.
    pub(super) fn follow_doors(&mut self, now: Instant) {
        if self.config.portmap == PortMapping::Off {
            return;
        }
        let is_hidden = self.config.policy == Policy::Relay;
        if !is_hidden && matches!(self.stage, Stage::Gathering { .. } | Stage::Complete) {
            self.ask_for_gateways(now);
        }
        if is_hidden || self.is_closed() {
            self.withdraw_questions();
        }
        // What was agreed on before our own addresses were to be told no more may still need them.
        let is_over = self.is_closed() || is_hidden && !self.is_closing_up;
        for number in self.doors.list.keys().copied().collect::<Vec<_>>() {
            self.shut_door(now, number, is_over);
        }
        if self.hear_doors() {
            // Its socket may have another one now.
            self.follow_doors(now);
        }
    }

    /// No gateway needs to be known any more.
    fn withdraw_questions(&mut self) {
        for (id, base) in std::mem::take(&mut self.doors.questions) {
            self.wants.push_back(Want::Close { id });
            if let Some(socket) = self.sockets.get_mut(&base) {
                socket.has_door = false;
            }
        }
    }

    /// Gives a port of the gateway back if nobody is to come by it any more.
    fn shut_door(&mut self, now: Instant, number: u64, is_over: bool) {
        let Some(door) = self.doors.list.get_mut(&number) else { return };
        let socket = self.sockets.get_mut(&door.base);
        if !is_over && socket.is_some() {
            return;
        }
        door.portmap.close(now);
        door.awaited_until = None;
        if let Some(socket) = socket {
            socket.has_door = false;
        }
        if !self.is_closed() {
            self.unmapped(number);
        }
    }

    /// Tells the ports that are there and are no candidates: they were hidden, or a server's that is left.
    pub(super) fn tell_mappings(&mut self) {
        for number in self.doors.list.keys().copied().collect::<Vec<_>>() {
            let door = self.doors.list.get(&number).filter(|door| door.told.is_none());
            if let Some(mapping) = door.and_then(|door| door.portmap.mapping()) {
                self.mapped(number, mapping.external);
            }
        }
    }

    fn ask_for_gateways(&mut self, now: Instant) {
        let config = &self.config;
        let new = self.sockets.iter_mut().filter(|(_, socket)| {
            // Whoever is known to be elsewhere needs no second way there.
            let is_mappable = |local: SocketAddr| {
                let ip = local.ip();
                ip.is_ipv4() && !ip.is_loopback() && config.outside(local) == local
            };
            !socket.is_spare && !socket.has_door && socket.local.is_some_and(is_mappable)
        });
        // The one before it may still be giving the same port back.
        let doors = &self.doors.list;
        let new = new.filter(|(id, _)| doors.values().all(|door| door.base != **id));
        let new: Vec<_> = new
            .map(|(id, socket)| {
                socket.has_door = true;
                (*id, socket.ip)
            })
            .collect();
        for (base, local) in new {
            match self.config.portmap {
                PortMapping::At(gateway) => self.open_door(now, base, gateway),
                _ => {
                    let id = self.new_want();
                    self.doors.questions.insert(id, base);
                    self.wants.push_back(Want::Gateway { id, local });
                }
            }
        }
    }

    fn open_door(&mut self, now: Instant, base: LocalId, gateway: Ipv4Addr) {
        let local = self.sockets.get(&base).and_then(|socket| socket.local);
        let Some(SocketAddr::V4(internal)) = local.filter(|_| !self.is_closed()) else { return };
        let seed = self.seed();
        let genesis = Genesis { now, unix: self.genesis.unix_at(now), seed };
        let number = self.doors.last;
        self.doors.last += 1;
        let first_want = FIRST_WANT + (number << SHARE);
        let config = portmap::Config { first_want, ..portmap::Config::new(gateway, internal) };
        let door = Door {
            portmap: Portmap::new(&genesis, config),
            gateway,
            base,
            local: internal.into(),
            sockets: BTreeMap::new(),
            streams: Vec::new(),
            told: None,
            awaited_until: Some(now + PATIENCE),
        };
        self.doors.list.insert(number, door);
    }

    /// Whether one of them is no more.
    fn hear_doors(&mut self) -> bool {
        while let Some(want) = self.doors.poll_want() {
            self.wants.push_back(want);
        }
        for number in self.doors.list.keys().copied().collect::<Vec<_>>() {
            while let Some(door) = self.doors.list.get_mut(&number)
                && let Some(event) = door.portmap.poll_event()
            {
                match event {
                    portmap::Event::Mapped(mapping) => self.mapped(number, mapping.external),
                    portmap::Event::Lost(_) => self.unmapped(number),
                    portmap::Event::Unavailable(reasons) => self.unavailable(number, &reasons),
                    portmap::Event::Closed => {}
                }
            }
        }
        // All that they had to say was heard.
        let before = self.doors.list.len();
        self.doors.list.retain(|_, door| !door.portmap.is_closed());
        self.doors.list.len() < before
    }

    fn mapped(&mut self, number: u64, external: SocketAddrV4) {
        let Some(door) = self.doors.list.get_mut(&number) else { return };
        door.awaited_until = None;
        let (id, local, gateway) = (door.base, door.local, door.gateway);
        if !self.sockets.contains_key(&id) {
            return;
        }
        let is_new = self.tell(&Found {
            id,
            kind: CandidateType::ServerReflexive,
            protocol: Protocol::Udp,
            address: external.into(),
            base: local,
            ip: local.ip(),
            related: Some(local),
            source: Source::Gateway(gateway.into()),
        });
        if let Some(door) = self.doors.list.get_mut(&number).filter(|_| is_new) {
            door.told = Some(external.into());
        }
    }

    fn unmapped(&mut self, number: u64) {
        let Some(door) = self.doors.list.get_mut(&number) else { return };
        let (id, told) = (door.base, door.told.take());
        if let Some(address) = told {
            self.tell_withdrawn(id, address);
        }
    }

    fn unavailable(&mut self, number: u64, reasons: &portmap::Reasons) {
        let Some(door) = self.doors.list.get_mut(&number) else { return };
        door.awaited_until = None;
        let address = Some(door.local);
        let text = format!("the gateway {} leads no port here: {reasons}", door.gateway);
        let code = Problem::UNREACHABLE;
        self.tell_problem(Problem { url: None, address, code, text });
    }

    /// Gives up all doors, whatever is left behind them.
    pub(super) fn abandon_doors(&mut self, now: Instant) {
        self.doors.abandon(now);
        self.hear_doors();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use talkie_sansio::conformance;

    use super::*;
    use crate::ice::gather::{Config, Policy};

    /// Answers all wants for sockets; each gets a port of its own.
    fn settle(gatherer: &mut Gatherer, now: Instant) {
        while gatherer.poll_transmit(&mut Vec::new()).is_some() {}
        while let Some(want) = gatherer.poll_want() {
            if let Want::Bind { id, local, .. } = want {
                let port = 50_000 + u16::try_from(id.0 % 1000).unwrap();
                let local = SocketAddr::new(local, port);
                gatherer.handle_answer(now, Answer::Bound { id, local });
            }
        }
        while gatherer.poll_event().is_some() {}
    }

    #[test]
    fn a_gateway_is_asked_again_as_soon_as_the_door_before_is_shut() {
        let genesis = conformance::genesis();
        let mut now = genesis.now;
        let portmap = PortMapping::At(Ipv4Addr::new(10, 0, 0, 254));
        let mut gatherer = Gatherer::new(&genesis, Config { portmap, ..Config::default() });
        let interface = Interface::new("eth0", "10.0.0.1".parse().unwrap());
        gatherer.handle_interfaces(now, &[interface]);
        gatherer.gather(now, "frag");
        settle(&mut gatherer, now);
        assert!(gatherer.doors.list.contains_key(&0));
        // Only relays are told, nothing uses our own addresses any more, and the gateway does not answer.
        gatherer.set_servers(Vec::new(), Policy::Relay).unwrap();
        gatherer.gather(now, "next");
        gatherer.release(now, |_| false);
        settle(&mut gatherer, now);
        assert!(gatherer.doors.list.contains_key(&0), "it is asked to take the port back");
        gatherer.set_servers(Vec::new(), Policy::All).unwrap();
        gatherer.gather(now, "again");
        settle(&mut gatherer, now);
        while gatherer.doors.list.contains_key(&0) {
            now = gatherer.poll_timeout().unwrap();
            gatherer.handle_timeout(now);
            settle(&mut gatherer, now);
        }
        assert!(gatherer.doors.list.contains_key(&1));
    }
}
