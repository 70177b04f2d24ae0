//! Allocations on TURN servers, and sending over them.
//!
//! One leg is one server asked from one of our addresses. It is followed to another server if it says
//! so, and asked again if it loses what it gave.

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{BadFrame, Genesis, Machine as _, Path, Transmit, Transport, Want, WantId};

use super::emit::Found;
use super::server::From;
use super::{Gatherer, LocalId, Received, SendError, Start};
use crate::ice::{CandidateType, Protocol};
use crate::turn::channel_data::stream;
use crate::turn::client::{self, Client, CommandError, End, Failure};
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
    /// The relayed addresses.
    bases: Vec<(LocalId, SocketAddr)>,
    held: VecDeque<(SocketAddr, Vec<u8>)>,
    refused: BTreeSet<IpAddr>,
    /// How many of our ports the server has turned away as in use.
    mismatches: u32,
    /// How often it was asked for again since it last held for a while.
    losses: u32,
    was_allocated: bool,
    /// Since when what we send has been followed by nothing from the server.
    doubted_since: Option<Instant>,
    /// When it last got an allocation.
    since: Option<Instant>,
    /// Whether it came too late.
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

/// How many packets wait for a permission.
const MOST_HELD: usize = 16;
/// The most addresses that are known to be refused.
const MOST_REFUSED: usize = 128;
/// RFC 8489 §10 bounds no chain of servers; two steps lead from a balancer to a server.
const MOST_STEPS: usize = 2;
/// RFC 8656 §7.4: three of our ports before the server is given up.
const MOST_MISMATCHES: u32 = 2;
/// How often a lost allocation is asked for again, after 0, 1, 2, 4… s: a server that restarts is back by
/// then.
const MOST_LOSSES: u32 = 6;
/// How long we send without hearing anything until the server is asked whether it still knows the
/// allocation: one that was restarted drops what we send without a word. Consent checks (RFC 7675) are
/// answered every 5 s where all is well.
const DOUBT: Duration = Duration::from_secs(7);
/// What was allocated for so long counts as no loss in a row.
const STEADY: Duration = Duration::from_secs(60);

impl Leg {
    /// Whether gathering has to wait for it.
    pub(super) fn is_gathering(&self) -> bool {
        !self.was_allocated && !self.is_abandoned
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
        let relays = self.config.servers.iter().filter(|it| it.uri.scheme().is_turn()).count();
        let share = (self.config.allocations / relays.max(1)).max(1);
        let mut ips: Vec<_> = self.ranks.iter().map(|(ip, rank)| (*rank, *ip)).collect();
        ips.sort_unstable();
        for (_, ip) in ips {
            let open = |(_, socket): &(&LocalId, &super::Socket)| {
                socket.ip == ip && socket.local.is_some() && !socket.is_spare
            };
            let socket = self.sockets.iter().find(open).map(|(id, _)| *id);
            let mut others: VecDeque<_> = self.addresses_of(server, ip).into();
            let is_ready = transport != Transport::Udp || socket.is_some();
            let legs = self.legs.values().filter(|leg| leg.server == server).count();
            if !is_ready || others.is_empty() || legs >= share {
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
                bases: Vec::new(),
                held: VecDeque::new(),
                refused: BTreeSet::new(),
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
            self.run_leg(now, id, Path { transport: Transport::Udp, local, remote });
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
        let has = |leg: &Leg| leg.bases.iter().any(|(id, _)| *id == base);
        self.legs.iter().find(|(_, leg)| has(leg)).map(|(id, _)| *id)
    }

    pub(super) fn receive_relayed<'p>(
        &mut self,
        now: Instant,
        id: LegId,
        path: Path,
        payload: &'p mut [u8],
    ) -> Received<'p> {
        let Some(leg) = self.legs.get_mut(&id) else { return Received::Dropped };
        leg.doubted_since = None;
        let State::Running { client, .. } = &mut leg.state else { return Received::Dropped };
        if let Some((remote, range)) = client.receive(now, path, payload) {
            return match (leg.base_of(remote), payload.get_mut(range)) {
                (Some(local), Some(payload)) => Received::From { local, remote, payload },
                _ => Received::Dropped,
            };
        }
        self.drain_leg(now, id);
        self.settle(now);
        Received::Taken
    }

    pub(super) fn send_relayed(
        &mut self,
        now: Instant,
        local: LocalId,
        remote: SocketAddr,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let id = self.leg_with(local).ok_or(SendError::NoBase)?;
        let leg = self.legs.get_mut(&id).ok_or(SendError::NoBase)?;
        if leg.base_of(remote) != Some(local) {
            return Err(SendError::Unreachable);
        }
        if leg.refused.contains(&remote.ip()) {
            return Err(SendError::Forbidden);
        }
        let State::Running { client, .. } = &mut leg.state else { return Err(SendError::NoBase) };
        let since = *leg.doubted_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= DOUBT {
            leg.doubted_since = Some(now);
            client.verify(now);
        }
        match client.send(now, remote, payload) {
            Ok(()) => Ok(()),
            Err(client::SendError::NotPermitted) => {
                client.permit(now, remote.ip()).map_err(|error| match error {
                    CommandError::Full => SendError::Full,
                    CommandError::Ended => SendError::NoBase,
                })?;
                if leg.held.len() >= MOST_HELD {
                    return Err(SendError::Full);
                }
                leg.held.push_back((remote, payload.to_vec()));
                Ok(())
            }
            Err(client::SendError::NotAllocated) => Err(SendError::NoBase),
            Err(client::SendError::Full) => Err(SendError::Full),
            Err(client::SendError::TooLong) => Err(SendError::TooLong),
        }
    }

    pub(super) fn bind_relayed(&mut self, now: Instant, local: LocalId, remote: SocketAddr) {
        let leg = self.leg_with(local).and_then(|id| self.legs.get_mut(&id));
        if let Some(Leg { state: State::Running { client, .. }, .. }) = leg {
            // Without a channel packets go as indications: longer, but they go.
            let _ = client.bind(now, remote);
        }
    }

    /// Asks all relays whether they still know their allocations.
    pub(super) fn verify_legs(&mut self, now: Instant) {
        for leg in self.legs.values_mut() {
            if let State::Running { client, .. } = &mut leg.state {
                client.verify(now);
            }
        }
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
                client::Event::NotPermitted(ip, _) => {
                    leg.held.retain(|(remote, _)| remote.ip() != ip);
                    if leg.refused.len() < MOST_REFUSED {
                        leg.refused.insert(ip);
                    }
                }
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
        leg.since = Some(now);
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
                server: Some((&url, remote.ip(), transport)),
            });
        }
        // RFC 8445 §5.1.1.2: the relay tells what a STUN server would, too.
        if let Some(socket) = socket {
            self.tell_reflexive(socket, mapped, server, remote);
        }
    }

    /// Sends what waited for a permission.
    fn let_go(&mut self, now: Instant, id: LegId, ip: IpAddr) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.refused.remove(&ip);
        let State::Running { client, .. } = &mut leg.state else { return };
        let (waiting, held): (VecDeque<_>, _) =
            leg.held.drain(..).partition(|(remote, _)| remote.ip() == ip);
        leg.held = held;
        for (remote, payload) in waiting {
            // A packet lost like any other.
            let _ = client.send(now, remote, &payload);
        }
    }

    /// An allocation is no more, or was not given.
    fn leg_ended(&mut self, now: Instant, id: LegId, end: &End) {
        let failure = match end {
            End::Failed(failure) => failure.clone(),
            End::Closed => return self.drop_leg(id),
        };
        if self.is_closed() {
            return self.drop_leg(id);
        }
        let was_given = self.forget_bases(id);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match failure {
            Failure::TryAlternate(Some(server))
                if leg.left.len() < MOST_STEPS
                    && server != leg.remote
                    && !leg.left.contains(&server) =>
            {
                leg.left.push(std::mem::replace(&mut leg.remote, server));
                self.start_again(id);
            }
            Failure::AddressFamilyNotSupported if leg.families == client::Families::Both => {
                leg.families = client::Families::Ipv6;
                self.start_again(id);
            }
            Failure::AllocationMismatch if !was_given && leg.mismatches < MOST_MISMATCHES => {
                leg.mismatches += 1;
                self.start_elsewhere(id);
            }
            failure if leg.was_allocated => self.lost(now, id, &failure),
            failure => self.not_given(id, &failure),
        }
    }

    /// From another port of ours, because the server holds the present one to be somebody else's.
    fn start_elsewhere(&mut self, id: LegId) {
        let Some(Leg { socket: Some(old), ip, .. }) = self.legs.get(&id) else {
            return self.start_again(id);
        };
        let (old, ip) = (*old, *ip);
        let spare = self.open_socket(ip, true);
        self.set_state(id, State::Waiting);
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.socket = Some(spare);
        }
        self.drop_spare(old);
    }

    pub(super) fn start_legs_of(&mut self, socket: LocalId) {
        let of_it = self.legs.iter().filter(|(_, leg)| leg.socket == Some(socket));
        self.starts.extend(of_it.map(|(id, _)| Start::Leg(*id)));
    }

    fn drop_spare(&mut self, socket: LocalId) {
        if self.sockets.get(&socket).is_some_and(|socket| socket.is_spare) {
            self.lose_socket(socket, true);
        }
    }

    fn start_again(&mut self, id: LegId) {
        self.hang_up_leg(id);
        self.set_state(id, State::Waiting);
        self.starts.push_back(Start::Leg(id));
    }

    /// An allocation that was there is asked for again, over and over while the server restarts.
    fn lost(&mut self, now: Instant, id: LegId, failure: &Failure) {
        self.hang_up_leg(id);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.since.take().is_some_and(|since| now.saturating_duration_since(since) >= STEADY) {
            leg.losses = 0;
        }
        if leg.losses >= MOST_LOSSES {
            return self.not_given(id, failure);
        }
        let pause = match leg.losses {
            0 => Duration::ZERO,
            losses => Duration::from_secs(1 << (losses - 1)),
        };
        leg.losses += 1;
        if pause.is_zero() {
            self.set_state(id, State::Waiting);
            self.starts.push_back(Start::Leg(id));
        } else {
            self.set_state(id, State::Pausing(now + pause));
        }
    }

    /// The server gives nothing: its next address is tried, or it is told.
    fn not_given(&mut self, id: LegId, failure: &Failure) {
        self.hang_up_leg(id);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let (server, local) =
            (leg.server, SocketAddr::new(leg.ip, leg.path().map_or(0, |path| path.local.port())));
        if let Some(code) = failure.code() {
            self.drop_leg(id);
            return self.refused(server, local, code, failure.to_string());
        }
        if let Some(next) = leg.others.pop_front() {
            leg.remote = next;
            return self.start_again(id);
        }
        self.drop_leg(id);
        self.unreached(server, failure.to_string());
    }

    /// A connection to a server that was not made.
    pub(super) fn leg_failed(&mut self, now: Instant, id: LegId, error: &talkie_sansio::WantError) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.state = State::Waiting;
        let server = leg.server;
        if leg.was_allocated {
            return self.lost(now, id, &Failure::TimedOut);
        }
        if let Some(next) = leg.others.pop_front() {
            leg.remote = next;
            self.starts.push_back(Start::Leg(id));
            return;
        }
        self.drop_leg(id);
        self.unreached(server, format!("the server cannot be reached: {error}"));
    }

    /// The stream to a server has ended.
    pub(super) fn leg_closed(&mut self, now: Instant, id: LegId) {
        self.forget_bases(id);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let was_allocated = leg.was_allocated;
        if self.is_closed() {
            self.drop_leg(id);
        } else if was_allocated {
            self.set_state(id, State::Waiting);
            self.lost(now, id, &Failure::TimedOut);
        } else {
            self.leg_failed(
                now,
                id,
                &talkie_sansio::WantError::Io(std::io::ErrorKind::ConnectionReset),
            );
        }
    }

    pub(super) fn time_out_legs(&mut self, now: Instant) {
        let ids: Vec<_> = self.legs.keys().copied().collect();
        for id in ids {
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

    fn close_leg(&mut self, now: Instant, id: LegId) {
        match self.legs.get_mut(&id).map(|leg| &mut leg.state) {
            Some(State::Running { client, .. }) => {
                client.close(now);
                self.drain_leg(now, id);
            }
            _ => self.drop_leg(id),
        }
    }

    /// Our address is no more: nothing can be given back from there.
    pub(super) fn lose_legs_on(&mut self, ip: IpAddr) {
        self.lose_legs(|leg| leg.ip == ip);
    }

    pub(super) fn lose_legs_of_socket(&mut self, socket: LocalId) {
        self.lose_legs(|leg| leg.socket == Some(socket));
    }

    fn lose_legs(&mut self, is_lost: impl Fn(&Leg) -> bool) {
        let ids: Vec<_> =
            self.legs.iter().filter(|(_, leg)| is_lost(leg)).map(|(id, _)| *id).collect();
        for id in ids {
            self.forget_bases(id);
            self.drop_leg(id);
        }
    }

    /// Whether there was an allocation.
    fn forget_bases(&mut self, id: LegId) -> bool {
        let Some(leg) = self.legs.get_mut(&id) else { return false };
        leg.held.clear();
        leg.refused.clear();
        let bases = std::mem::take(&mut leg.bases);
        for (base, _) in &bases {
            self.tell_gone(*base);
        }
        !bases.is_empty()
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
