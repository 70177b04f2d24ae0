//! The server's state: allocations, the relays they own, and what counts against their users.
//!
//! Allocations sit in slots and are found by 5-tuple; relays are found by family and port, which is
//! what is unique about them, because every relay of a family is bound to one address. Permissions
//! and channels carry their own expiry, looked at when they are used: they need no timer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::{FxHashMap, FxSeededState};
use talkie_sansio::{Path, Transport};

use super::event::{RelayId, Traffic};
use super::reply::Signer;
use crate::stun::TransactionId;
use crate::stun::attributes::{AddressFamily, ChannelNumber, ReservationToken};

/// A map whose keys others choose. Its hash is made for speed: who picks colliding keys on purpose
/// may find some, and makes look-ups among their own as slow as the limits let them be.
pub(super) type Map<K, V> = HashMap<K, V, FxSeededState>;

/// A family that can be relayed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    pub(super) const BOTH: [Self; 2] = [Self::V4, Self::V6];

    pub(super) fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    pub(super) fn from_wire(family: AddressFamily) -> Option<Self> {
        match family {
            AddressFamily::IPV4 => Some(Self::V4),
            AddressFamily::IPV6 => Some(Self::V6),
            _ => None,
        }
    }

    pub(super) fn to_wire(self) -> AddressFamily {
        match self {
            Self::V4 => AddressFamily::IPV4,
            Self::V6 => AddressFamily::IPV6,
        }
    }
}

/// A relay's place: its family and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RelayKey(pub(super) Family, pub(super) u16);

/// An allocation's place. The serial keeps a late timer from a new tenant of the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id {
    slot: u32,
    serial: u32,
}

/// A relay socket, opened or about to be.
pub(super) struct Relay {
    pub(super) id: RelayId,
    pub(super) bound: SocketAddr,
    pub(super) opened: bool,
    pub(super) owner: Owner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Allocation(Id),
    /// The odd port that an allocation still being opened reserves.
    Companion(Id),
    Reservation(ReservationToken),
}

/// A port that waits for the Allocate that brings its token.
pub(super) struct Reservation {
    pub(super) relay: RelayKey,
    pub(super) user: Arc<str>,
    pub(super) source: IpAddr,
    pub(super) advertise: IpAddr,
    pub(super) expires: Instant,
}

pub(super) struct Allocation {
    pub(super) path: Path,
    pub(super) username: Box<str>,
    pub(super) user: Arc<str>,
    /// The id of the Allocate that made it, to know its retransmissions by.
    pub(super) transaction: TransactionId,
    /// The relayed addresses by family.
    pub(super) halves: [Option<Half>; 2],
    /// What the Allocate was answered; `None` while relays are being opened.
    pub(super) answer: Option<Answer>,
    pub(super) opening: Option<Box<Opening>>,
    /// The deadline that is armed for it.
    pub(super) armed: Instant,
    pub(super) permissions: Map<IpAddr, Instant>,
    pub(super) channels: Map<ChannelNumber, Channel>,
    pub(super) numbers: Map<SocketAddr, ChannelNumber>,
    pub(super) to_peers: Traffic,
    pub(super) to_client: Traffic,
}

/// One relayed address of an allocation.
#[derive(Clone, Copy)]
pub(super) struct Half {
    pub(super) relay: RelayKey,
    pub(super) bound: SocketAddr,
    pub(super) advertised: SocketAddr,
    pub(super) expires: Instant,
}

#[derive(Clone, Copy)]
pub(super) struct Channel {
    pub(super) peer: SocketAddr,
    pub(super) expires: Instant,
}

/// What an Allocate was answered with, to answer its retransmission alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) relayed: [Option<SocketAddr>; 2],
    pub(super) seconds: u32,
    pub(super) token: Option<ReservationToken>,
    /// The family of a dual request that was not given, and why.
    pub(super) refused: Option<(Family, u16)>,
}

/// An Allocate whose relays are being opened.
pub(super) struct Opening {
    pub(super) signer: Signer,
    pub(super) seconds: u32,
    pub(super) even: Option<bool>,
    pub(super) companion: Option<RelayKey>,
    pub(super) refused: Option<(Family, u16)>,
    pub(super) tries: u8,
    pub(super) expires: Instant,
}

impl Allocation {
    pub(super) fn source(&self) -> IpAddr {
        source(&self.path)
    }

    pub(super) fn half(&self, family: Family) -> Option<&Half> {
        self.halves[family as usize].as_ref()
    }

    /// Whether it relays: its relays are open.
    pub(super) fn is_live(&self) -> bool {
        self.answer.is_some()
    }

    /// The first instant at which something of it ends.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if let Some(opening) = &self.opening {
            return Some(opening.expires);
        }
        self.halves.iter().flatten().map(|half| half.expires).min()
    }

    pub(super) fn permits(&self, ip: IpAddr, now: Instant) -> Option<Instant> {
        self.permissions.get(&ip).copied().filter(|expires| now < *expires)
    }

    pub(super) fn channel(&self, number: ChannelNumber, now: Instant) -> Option<Channel> {
        self.channels.get(&number).copied().filter(|channel| now < channel.expires)
    }

    pub(super) fn number(
        &self,
        peer: SocketAddr,
        now: Instant,
    ) -> Option<(ChannelNumber, Instant)> {
        let number = *self.numbers.get(&peer)?;
        let channel = self.channel(number, now).filter(|channel| channel.peer == peer)?;
        Some((number, channel.expires))
    }
}

/// All allocations, relays and reservations, and the counts that bound them.
pub(super) struct Table {
    slots: Vec<Option<Box<Allocation>>>,
    serials: Vec<u32>,
    free: Vec<u32>,
    by_path: Map<Path, Id>,
    pub(super) relays: FxHashMap<RelayKey, Relay>,
    pub(super) reservations: Map<ReservationToken, Reservation>,
    users: Map<Arc<str>, usize>,
    sources: Map<IpAddr, usize>,
    /// The addresses of ours that clients reached us at, with the number of their allocations.
    locals: Map<IpAddr, usize>,
    hasher: FxSeededState,
}

impl Table {
    pub(super) fn new(hasher: FxSeededState) -> Self {
        Self {
            slots: Vec::new(),
            serials: Vec::new(),
            free: Vec::new(),
            by_path: HashMap::with_hasher(hasher.clone()),
            relays: FxHashMap::default(),
            reservations: HashMap::with_hasher(hasher.clone()),
            users: HashMap::with_hasher(hasher.clone()),
            sources: HashMap::with_hasher(hasher.clone()),
            locals: HashMap::with_hasher(hasher.clone()),
            hasher,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_path.len()
    }

    /// What counts towards the limits: allocations and reserved ports.
    pub(super) fn load(&self) -> usize {
        self.by_path.len() + self.reservations.len()
    }

    pub(super) fn users(&self) -> usize {
        self.users.len()
    }

    pub(super) fn find(&self, path: &Path) -> Option<Id> {
        self.by_path.get(path).copied()
    }

    pub(super) fn get(&self, id: Id) -> Option<&Allocation> {
        let slot = id.slot as usize;
        if self.serials.get(slot) != Some(&id.serial) {
            return None;
        }
        self.slots[slot].as_deref()
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut Allocation> {
        let slot = id.slot as usize;
        if self.serials.get(slot) != Some(&id.serial) {
            return None;
        }
        self.slots[slot].as_deref_mut()
    }

    /// An empty map with the server's hash seed.
    pub(super) fn map<K, V>(&self) -> Map<K, V> {
        HashMap::with_hasher(self.hasher.clone())
    }

    pub(super) fn insert(&mut self, allocation: Allocation) -> Id {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.serials.push(0);
            u32::try_from(self.slots.len() - 1).expect("limits keep slots far below 2^32")
        });
        let id = Id { slot, serial: self.serials[slot as usize] };
        self.by_path.insert(allocation.path, id);
        let local = local(&allocation.path);
        if !local.is_unspecified() {
            *self.locals.entry(local).or_insert(0) += 1;
        }
        self.slots[slot as usize] = Some(Box::new(allocation));
        id
    }

    pub(super) fn remove(&mut self, id: Id) -> Option<Box<Allocation>> {
        self.get(id)?;
        let slot = id.slot as usize;
        let allocation = self.slots[slot].take()?;
        self.serials[slot] = self.serials[slot].wrapping_add(1);
        self.free.push(id.slot);
        self.by_path.remove(&allocation.path);
        let local = local(&allocation.path);
        if let Some(count) = self.locals.get_mut(&local) {
            *count -= 1;
            if *count == 0 {
                self.locals.remove(&local);
            }
        }
        Some(allocation)
    }

    /// Whether clients reach us at `ip` right now.
    pub(super) fn is_local(&self, ip: IpAddr) -> bool {
        self.locals.contains_key(&ip)
    }

    /// The allocations and reservations of `user`.
    pub(super) fn held_by(&self, user: &str) -> usize {
        self.users.get(user).copied().unwrap_or(0)
    }

    /// The allocations and reservations of clients at `source`.
    pub(super) fn held_from(&self, source: IpAddr) -> usize {
        self.sources.get(&source).copied().unwrap_or(0)
    }

    /// Counts one more allocation or reservation of `user` at `source`.
    pub(super) fn charge(&mut self, user: &str, source: IpAddr) -> Arc<str> {
        *self.sources.entry(source).or_insert(0) += 1;
        if let Some((name, _)) = self.users.get_key_value(user) {
            let name = Arc::clone(name);
            *self.users.get_mut(&name).expect("it was found just now") += 1;
            return name;
        }
        let name: Arc<str> = user.into();
        self.users.insert(Arc::clone(&name), 1);
        name
    }

    pub(super) fn discharge(&mut self, user: &str, source: IpAddr) {
        if let Some(count) = self.sources.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.sources.remove(&source);
            }
        }
        if let Some(count) = self.users.get_mut(user) {
            *count -= 1;
            if *count == 0 {
                self.users.remove(user);
            }
        }
    }

    /// The relay that is bound to a datagram's local address.
    pub(super) fn relay_at(&self, path: &Path) -> Option<&Relay> {
        let key = RelayKey(Family::of(path.local.ip()), path.local.port());
        let relay = self.relays.get(&key)?;
        (relay.bound == path.local && path.transport == Transport::Udp).then_some(relay)
    }
}

/// The address of ours that a client sends to: IPv4 is IPv4, on a dual-stack socket too.
fn local(path: &Path) -> IpAddr {
    path.local.ip().to_canonical()
}

/// Whom quotas take a client for: its address, or its network where one has 2^64 of them.
pub(super) fn source(path: &Path) -> IpAddr {
    match path.remote.ip().to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        ip => ip,
    }
}
