//! Where we may be reached: our sockets, how a STUN server sees them, and relays.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use rand_core::Rng as _;
use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};

use super::config::Relay;
use super::description::{Candidate, Description, Kind};
use super::{Event, Punch};
use crate::stun::attributes::XorMappedAddress;
use crate::stun::transaction::{self, Protection, Transaction};
use crate::stun::{Class, Message, Method, TransactionId, Writer};
use crate::turn::client::{self, Client, End};

/// What packets leave from.
#[derive(Debug)]
pub(super) struct Base {
    /// A socket's address, or the relayed one.
    pub(super) address: SocketAddr,
    /// Index of the relay.
    pub(super) relay: Option<usize>,
    /// How the STUN server sees it.
    pub(super) mapped: Option<SocketAddr>,
    query: Option<Transaction>,
}

#[derive(Debug)]
pub(super) struct Leg {
    pub(super) path: Path,
    pub(super) client: Client,
    /// Whether the allocation was neither given nor refused so far.
    is_open: bool,
    /// Whom packets may go to.
    permitted: BTreeSet<IpAddr>,
    asked: BTreeSet<IpAddr>,
}

impl Base {
    fn socket(address: SocketAddr) -> Self {
        Self { address, relay: None, mapped: None, query: None }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.query.as_ref()?.poll_timeout()
    }

    pub(super) fn query_mut(&mut self) -> Option<&mut Transaction> {
        self.query.as_mut()
    }
}

impl Leg {
    pub(super) fn lets(&self, remote: SocketAddr) -> bool {
        self.permitted.contains(&remote.ip())
    }
}

impl Punch {
    pub(super) fn begin_gathering(&mut self, genesis: &Genesis) {
        for index in 0..self.config.local.len() {
            let local = self.config.local[index];
            let mut base = Base::socket(local);
            if let Some(server) = self.stun_server(local) {
                let id = self.transaction_id();
                let mut request = Vec::new();
                Writer::new(&mut request, Class::Request, Method::BINDING, id);
                let path = Path { transport: Transport::Udp, local, remote: server };
                let method = (id, Method::BINDING);
                let config = transaction::Config::default();
                let none = Protection::None;
                let query = Transaction::new(genesis.now, path, method, request, none, config);
                base.query = Some(query);
            }
            self.bases.push(base);
        }
        for Relay { path, credential } in std::mem::take(&mut self.config.relays) {
            let mut seed = [0; 32];
            self.rng.fill_bytes(&mut seed);
            let genesis = Genesis { seed, ..genesis.clone() };
            let families = match path.remote.ip() {
                IpAddr::V4(_) => client::Families::Ipv4,
                IpAddr::V6(_) => client::Families::Ipv6,
            };
            let config = client::Config { families, ..client::Config::default() };
            let client = Client::new(&genesis, path, Some(credential), config);
            let (permitted, asked) = (BTreeSet::new(), BTreeSet::new());
            self.legs.push(Leg { path, client, is_open: true, permitted, asked });
        }
    }

    fn stun_server(&self, local: SocketAddr) -> Option<SocketAddr> {
        self.config.stun.iter().find(|server| server.is_ipv4() == local.is_ipv4()).copied()
    }

    /// Whether a datagram was from a STUN or TURN server, which has then been heard.
    pub(super) fn handle_server(&mut self, now: Instant, datagram: &mut Datagram<'_>) -> bool {
        let path = datagram.path;
        if let Ok(message) = Message::parse(datagram.payload) {
            for base in &mut self.bases {
                let here = base.address == path.local;
                let query = base.query.as_mut().filter(|_| here);
                if query.is_some_and(|query| query.handle_datagram(now, path, &message)) {
                    self.hear(now, path);
                    self.conclude_queries();
                    return true;
                }
            }
        }
        let Some(index) = self.legs.iter().position(|leg| leg.path == path) else { return false };
        self.hear(now, path);
        let payload = &mut *datagram.payload;
        self.legs[index].client.handle_datagram(now, Datagram { path, payload });
        true
    }

    pub(super) fn time_out_gathering(&mut self, now: Instant) {
        for base in &mut self.bases {
            if let Some(query) = &mut base.query {
                query.handle_timeout(now);
            }
        }
        self.conclude_queries();
        for leg in &mut self.legs {
            leg.client.handle_timeout(now);
        }
    }

    fn conclude_queries(&mut self) {
        for base in &mut self.bases {
            let Some(event) = base.query.as_mut().and_then(Transaction::poll_event) else {
                continue;
            };
            base.query = None;
            if let transaction::Event::Response { message, .. } = event {
                let message = Message::parse(&message).ok();
                let mapped = message.and_then(|it| it.get::<XorMappedAddress>().ok().flatten());
                base.mapped = mapped.map(|mapped| mapped.0);
            }
        }
    }

    /// Hears what the relays' clients have to say.
    pub(super) fn drain_relays(&mut self, now: Instant) {
        for index in 0..self.legs.len() {
            while let Some(event) = self.legs[index].client.poll_event() {
                self.relay_event(now, index, event);
            }
        }
    }

    fn relay_event(&mut self, now: Instant, index: usize, event: client::Event) {
        let leg = &mut self.legs[index];
        match event {
            client::Event::Allocated { relayed, mapped, .. } => {
                leg.is_open = false;
                // The relay tells what a STUN server would, too.
                let path = leg.path;
                let is_its = |base: &&mut Base| {
                    base.address == path.local && path.transport == Transport::Udp
                };
                if let Some(base) = self.bases.iter_mut().find(is_its) {
                    base.mapped.get_or_insert(mapped);
                }
                let relay = Some(index);
                self.bases.push(Base { address: relayed, relay, mapped: None, query: None });
                self.pair_base(now, self.bases.len() - 1);
            }
            client::Event::Permitted(ip) => {
                leg.permitted.insert(ip);
                self.wake_relayed(now, index, ip);
            }
            client::Event::NotPermitted(ip, _) => {
                leg.permitted.remove(&ip);
            }
            client::Event::Data { peer, payload } => {
                let base = self.bases.iter().position(|base| base.relay == Some(index));
                if let Some(base) = base {
                    self.handle_peer(now, base, peer, &payload);
                }
            }
            client::Event::Ended(end) => {
                leg.is_open = false;
                leg.permitted.clear();
                if let End::Failed(failure) = end {
                    self.tell(Event::NoRelay(failure));
                }
            }
            client::Event::Bound(..)
            | client::Event::NotBound(..)
            | client::Event::Undeliverable { .. } => {}
        }
    }

    /// Asks a relay to let packets from and to this address through.
    pub(super) fn permit(&mut self, now: Instant, index: usize, ip: IpAddr) {
        let leg = &mut self.legs[index];
        // A peer that cannot be permitted is a pair that does not work.
        if leg.asked.insert(ip) && leg.client.permit(now, ip).is_err() {
            leg.asked.remove(&ip);
        }
    }

    /// Tells of the candidates when all are there, or when there was time enough: more of it where the
    /// server has been heard that is to tell the rest, so that only loss can keep it away.
    pub(super) fn tell_gathered(&mut self, now: Instant) {
        let Some(until) = self.gathers_until else { return };
        if !self.is_gathered() {
            let is_hopeful = self.is_hopeful();
            if now < until && (is_hopeful || !self.is_extended) {
                return;
            }
            if is_hopeful && !std::mem::replace(&mut self.is_extended, true) {
                self.gathers_until = Some(until + self.patience().gather);
                return;
            }
        }
        self.gathers_until = None;
        let description = self.describe();
        self.tell(Event::Gathered(description));
    }

    /// Whether there is nothing more to come.
    fn is_gathered(&self) -> bool {
        self.bases.iter().all(|base| base.query.is_none())
            && self.legs.iter().all(|leg| !leg.is_open)
    }

    /// Whether a server that has been heard has more to say.
    fn is_hopeful(&self) -> bool {
        let asked = self.bases.iter().filter(|base| base.query.is_some());
        let servers = asked.filter_map(|base| self.stun_server(base.address));
        let queries = servers.map(|server| (Transport::Udp, server));
        let open = self.legs.iter().filter(|leg| leg.is_open);
        let relays = open.map(|leg| (leg.path.transport, leg.path.remote));
        queries.chain(relays).any(|server| self.heard.contains(&server))
    }

    fn describe(&self) -> Description {
        let mut candidates = Vec::new();
        let mut add = |kind, address: SocketAddr| {
            let is_known = candidates.iter().any(|it: &Candidate| it.address == address);
            if !is_known && super::description::can_be_sent_to(address) {
                candidates.push(Candidate { kind, address });
            }
        };
        for base in &self.bases {
            let kind = if base.relay.is_some() { Kind::Relayed } else { Kind::Host };
            add(kind, base.address);
        }
        for mapped in self.bases.iter().filter_map(|base| base.mapped) {
            add(Kind::ServerReflexive, mapped);
        }
        Description::new(self.ufrag.clone(), self.password.clone(), candidates)
    }

    pub(super) fn transaction_id(&mut self) -> TransactionId {
        let mut id = [0; 12];
        self.rng.fill_bytes(&mut id);
        TransactionId(id)
    }
}
