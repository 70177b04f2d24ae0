//! Allocations on TURN servers, and sending over them.
//!
//! One leg is one server asked from one of our addresses. It is followed to another server if it says
//! so, and asked again if it loses what it gave (`loss`); packets and permissions are in `send`.

mod loss;
mod send;

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use talkie_sansio::{BadFrame, Genesis, Machine as _, Path, Transmit, Transport, Want, WantId};

use super::emit::{Found, Source};
use super::server::From;
use super::{Gatherer, LocalId, Start};
use crate::ice::{CandidateType, Protocol};
use crate::turn::channel_data::stream;
use crate::turn::client::{self, Client};
use crate::uri::Host;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LegId(u32);

#[derive(Debug)]
pub(super) struct Leg {
    server: usize,
    /// Our address.
    ip: IpAddr,
    /// The socket, if the server is spoken to over UDP.
    socket: Option<LocalId>,
    remote: SocketAddr,
    /// The server's other addresses.
    others: VecDeque<SocketAddr>,
    families: client::Families,
    /// Servers that it was sent on from.
    left: Vec<SocketAddr>,
    state: State,
    /// How our socket looked to the server that gave the allocation.
    mapped: Option<SocketAddr>,
    /// The relayed addresses.
    bases: Vec<(LocalId, SocketAddr)>,
    held: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Whom it has asked a permission for, and when something was sent there last.
    used: BTreeMap<IpAddr, Instant>,
    /// Whom the server lets nothing through to, and until when that is believed; `None` for good.
    refused: BTreeMap<IpAddr, Option<Instant>>,
    /// How many of our ports the server has turned away as in use.
    mismatches: u32,
    /// How often it was asked for again since it last held for a while.
    losses: u32,
    was_allocated: bool,
    /// Since when what we send has been followed by nothing from the server.
    doubted_since: Option<Instant>,
    /// When it last got an allocation.
    since: Option<Instant>,
    /// Whether it came too late, or is of no use any more.
    is_abandoned: bool,
}

#[derive(Debug)]
enum State {
    /// For its turn.
    Waiting,
    Connecting(WantId),
    Running {
        path: Path,
        client: Box<Client>,
    },
    /// Until then, to ask again.
    Pausing(Instant),
}

impl Leg {
    /// Whether gathering has to wait for it.
    pub(super) fn is_gathering(&self) -> bool {
        !self.was_allocated && !self.is_abandoned
    }

    /// The server that will tell how this socket looks to it.
    pub(super) fn asks_from(&self, socket: LocalId) -> Option<SocketAddr> {
        (self.socket == Some(socket) && self.is_gathering()).then_some(self.remote)
    }

    pub(super) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        match &mut self.state {
            State::Running { client, .. } => client.poll_transmit(buf),
            _ => None,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Running { client, .. } => client.poll_timeout(),
            State::Pausing(until) => Some(*until),
            State::Waiting | State::Connecting(_) => None,
        }
    }

    /// Whether it asks this server from this address, and not only waits to give back what that may still give.
    pub(super) fn is_of(&self, server: usize, ip: IpAddr) -> bool {
        !self.is_abandoned && (self.server, self.ip) == (server, ip)
    }

    pub(super) fn server(&self) -> usize {
        self.server
    }

    pub(super) fn bases(&self) -> impl Iterator<Item = LocalId> {
        self.bases.iter().map(|(id, _)| *id)
    }

    pub(super) fn has_base(&self, base: LocalId) -> bool {
        self.bases().any(|id| id == base)
    }

    fn path(&self) -> Option<Path> {
        match &self.state {
            State::Running { path, .. } => Some(*path),
            _ => None,
        }
    }

    fn base_of(&self, remote: SocketAddr) -> Option<LocalId> {
        let same_family = |base: &&(LocalId, SocketAddr)| base.1.is_ipv4() == remote.is_ipv4();
        self.bases.iter().find(same_family).map(|(id, _)| *id)
    }
}

impl Gatherer {
    /// Makes a leg from each of our addresses that the server's family fits.
    pub(super) fn ask_for_relays(&mut self, server: usize) {
        let transport = self.config.servers[server].transport();
        // Each server gets its share, so that a relay over TLS is not left out for several over UDP.
        let servers = self.config.servers.iter().zip(&self.asked);
        let is_relay = |server: &super::Server| server.uri.scheme().is_turn();
        let relays = servers.filter(|(it, asked)| is_relay(it) && !asked.is_left).count();
        let share = (self.config.allocations / relays.max(1)).max(1);
        let mut ips: Vec<_> = self.ranks.iter().map(|(ip, rank)| (*rank, *ip)).collect();
        ips.sort_unstable();
        for (_, ip) in ips {
            let open = self
                .sockets
                .iter()
                .find(|(_, socket)| socket.ip == ip && socket.local.is_some() && !socket.is_spare);
            let socket = open.map(|(id, _)| *id);
            let mut others: VecDeque<_> = self.addresses_of(server, ip).into();
            let is_ready = transport != Transport::Udp || socket.is_some();
            let legs = self.legs.values().filter(|leg| leg.server == server && !leg.is_abandoned);
            if !is_ready || others.is_empty() || legs.count() >= share {
                continue;
            }
            if !self.asks(server, From::Address(ip)) {
                continue;
            }
            let Some(remote) = others.pop_front() else { continue };
            let id = LegId(self.new_id().0);
            let leg = Leg {
                server,
                ip,
                socket: socket.filter(|_| transport == Transport::Udp),
                remote,
                others,
                families: client::Families::Both,
                left: Vec::new(),
                state: State::Waiting,
                mapped: None,
                bases: Vec::new(),
                held: VecDeque::new(),
                used: BTreeMap::new(),
                refused: BTreeMap::new(),
                mismatches: 0,
                losses: 0,
                was_allocated: false,
                doubted_since: None,
                since: None,
                is_abandoned: false,
            };
            self.legs.insert(id, leg);
            self.starts.push_back(Start::Leg(id));
        }
    }

    /// Whether something goes out.
    pub(super) fn start_leg(&mut self, now: Instant, id: LegId) -> bool {
        let Some(leg) = self.legs.get(&id).filter(|leg| matches!(leg.state, State::Waiting)) else {
            return false;
        };
        let (remote, ip, socket) = (leg.remote, leg.ip, leg.socket);
        if let Some(socket) = socket {
            let local = self.sockets.get(&socket).and_then(|socket| socket.local);
            let Some(local) = local else { return false };
            let path = Path { transport: Transport::Udp, local, remote };
            if self.leg_of(path).is_some() {
                self.avoid_other_leg(id);
                return false;
            }
            self.note_sent(now, socket, remote, true);
            self.run_leg(now, id, path);
            return true;
        }
        let server = &self.config.servers[leg.server];
        let transport = server.transport();
        let server_name = match (transport, server.uri.host()) {
            (Transport::Tls, Host::Name(name)) => Some(name.clone()),
            (Transport::Tls, Host::Ip(ip)) => Some(ip.to_string()),
            _ => None,
        };
        let want = self.new_want();
        let local = Some(SocketAddr::new(ip, 0));
        let framer = frame_length;
        let connect = Want::Connect { id: want, transport, local, remote, server_name, framer };
        self.wants.push_back(connect);
        self.set_state(id, State::Connecting(want));
        true
    }

    fn set_state(&mut self, id: LegId, state: State) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.state = state;
        }
    }

    fn run_leg(&mut self, now: Instant, id: LegId, path: Path) {
        let seed = self.seed();
        let genesis = Genesis { now, unix: self.genesis.unix_at(now), seed };
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let credential = self.config.servers[leg.server].credential.clone();
        let config = client::Config { families: leg.families, ..client::Config::default() };
        let client = Box::new(Client::new(&genesis, path, credential, config));
        leg.state = State::Running { path, client };
    }

    /// Whether it is a leg that this stream is for.
    pub(super) fn leg_connected(&mut self, now: Instant, want: WantId, path: Path) -> bool {
        let Some(id) = self.leg_connecting(want) else { return false };
        self.run_leg(now, id, path);
        true
    }

    pub(super) fn leg_connecting(&self, want: WantId) -> Option<LegId> {
        let is_it = |leg: &Leg| matches!(leg.state, State::Connecting(id) if id == want);
        self.legs.iter().find(|(_, leg)| is_it(leg)).map(|(id, _)| *id)
    }

    pub(super) fn leg_of(&self, path: Path) -> Option<LegId> {
        self.legs.iter().find(|(_, leg)| leg.path() == Some(path)).map(|(id, _)| *id)
    }

    fn leg_with(&self, base: LocalId) -> Option<LegId> {
        self.legs.iter().find(|(_, leg)| leg.has_base(base)).map(|(id, _)| *id)
    }

    /// Hears what a leg's client has to say.
    fn drain_leg(&mut self, now: Instant, id: LegId) {
        while let Some(leg) = self.legs.get_mut(&id)
            && let State::Running { client, .. } = &mut leg.state
            && let Some(event) = client.poll_event()
        {
            match event {
                client::Event::Allocated { relayed, relayed_v6, mapped } => {
                    self.allocated(now, id, [Some(relayed), relayed_v6], mapped);
                }
                client::Event::Permitted(ip) => self.let_go(now, id, ip),
                client::Event::NotPermitted(ip, failure) => leg.refuse(now, ip, &failure),
                client::Event::Ended(end) => self.leg_ended(now, id, &end),
                client::Event::Bound(..)
                | client::Event::NotBound(..)
                | client::Event::Data { .. }
                | client::Event::Undeliverable { .. } => {}
            }
        }
    }

    fn allocated(
        &mut self,
        now: Instant,
        id: LegId,
        relayed: [Option<SocketAddr>; 2],
        mapped: SocketAddr,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.was_allocated = true;
        leg.mismatches = 0;
        leg.since = Some(now);
        leg.mapped = Some(mapped);
        let (server, socket, ip, remote) = (leg.server, leg.socket, leg.ip, leg.remote);
        self.asked[server].has_answered = true;
        let transport = self.config.servers[server].transport();
        let url = self.url(server);
        for address in relayed.into_iter().flatten() {
            let base = self.new_id();
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.bases.push((base, address));
            }
            self.tell(&Found {
                id: base,
                kind: CandidateType::Relayed,
                protocol: Protocol::Udp,
                address,
                base: address,
                ip,
                related: Some(mapped),
                source: Source::Server(&url, remote.ip(), transport),
            });
        }
        // RFC 8445 §5.1.1.2: the relay tells what a STUN server would, too.
        if let Some(socket) = socket {
            self.tell_reflexive(socket, mapped, server, remote);
            self.note_siblings(socket, server);
        }
    }

    /// Tells once more how our sockets look to relays, where other servers that did so are left.
    pub(super) fn tell_as_relays_see(&mut self) {
        let stays = |leg: &&Leg| !leg.bases.is_empty() && !self.asked[leg.server].is_left;
        let legs = self.legs.values().filter(stays);
        let seen: Vec<_> = legs
            .filter_map(|leg| Some((leg.socket?, leg.mapped?, leg.server, leg.remote)))
            .collect();
        for (socket, mapped, server, remote) in seen {
            self.tell_reflexive(socket, mapped, server, remote);
        }
    }

    pub(super) fn time_out_legs(&mut self, now: Instant) {
        let ids: Vec<_> = self.legs.keys().copied().collect();
        for id in ids {
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.let_lapse(now);
            }
            match self.legs.get_mut(&id).map(|leg| &mut leg.state) {
                Some(State::Running { client, .. }) => {
                    client.handle_timeout(now);
                    self.drain_leg(now, id);
                }
                Some(State::Pausing(until)) if *until <= now => {
                    self.set_state(id, State::Waiting);
                    self.starts.push_back(Start::Leg(id));
                }
                _ => {}
            }
        }
    }

    /// Gives up what has not been given by the end of gathering.
    pub(super) fn abandon_legs(&mut self, now: Instant) {
        let ids: Vec<_> =
            self.legs.iter().filter(|(_, leg)| leg.is_gathering()).map(|(id, _)| *id).collect();
        for id in ids {
            let Some(leg) = self.legs.get_mut(&id) else { continue };
            let unreachable = &mut self.asked[leg.server].unreachable;
            unreachable.get_or_insert_with(|| "the server does not answer".into());
            // An allocation that is given after all is given back.
            leg.is_abandoned = true;
            self.close_leg(now, id);
        }
    }

    pub(super) fn close_legs(&mut self, now: Instant) {
        let ids: Vec<_> = self.legs.keys().copied().collect();
        for id in ids {
            self.forget_bases(id);
            self.close_leg(now, id);
        }
    }

    /// Gives back what is on servers that are left and of no use.
    pub(super) fn close_left_legs(&mut self, now: Instant, is_useless: impl Fn(&Leg) -> bool) {
        let asked = &self.asked;
        let is_it = |leg: &Leg| asked[leg.server].is_left && is_useless(leg);
        let legs = self.legs.iter().filter(|(_, leg)| is_it(leg));
        for id in legs.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.forget_bases(id);
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.is_abandoned = true;
            }
            self.close_leg(now, id);
        }
    }

    fn close_leg(&mut self, now: Instant, id: LegId) {
        match self.legs.get_mut(&id).map(|leg| &mut leg.state) {
            Some(State::Running { client, .. }) => {
                client.close(now);
                self.drain_leg(now, id);
            }
            _ => self.drop_leg(id),
        }
    }

    /// Ends a leg's stream, if it has one.
    fn hang_up_leg(&mut self, id: LegId) {
        let Some(leg) = self.legs.get(&id) else { return };
        match &leg.state {
            State::Running { path, .. } if path.transport != Transport::Udp => {
                self.wants.push_back(Want::HangUp { path: *path });
            }
            State::Connecting(want) => self.wants.push_back(Want::Close { id: *want }),
            _ => {}
        }
    }

    fn drop_leg(&mut self, id: LegId) {
        self.hang_up_leg(id);
        if let Some(Leg { socket: Some(socket), .. }) = self.legs.remove(&id) {
            self.drop_spare(socket);
        }
    }
}

/// Cuts the stream to a TURN server.
fn frame_length(bytes: &[u8]) -> Result<Option<usize>, BadFrame> {
    stream::frame_length(bytes).map_err(|_| BadFrame)
}
