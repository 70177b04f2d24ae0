//! What happened to each packet, box by box.
//!
//! A [`Trace`] is a list of [`Entry`]s in the order of time: at which box, on which side of it, the packet
//! as it was there, and what the box did. It remembers the newest ones up to a bound. It can be written
//! as [pcapng](Trace::pcapng), which Wireshark opens with a network card for each side of each box and
//! the box's verdict as each packet's comment, and as [JSON](Trace::json).

mod json;
mod pcapng;
#[cfg(test)]
mod tests;
mod words;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::nat::Reason;
use crate::net::{Content, NodeId};

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The wall clock at the network's beginning, as time since the Unix epoch.
    unix: Duration,
    boxes: Vec<Named>,
    entries: VecDeque<Entry>,
    most: usize,
    forgotten: u64,
}

/// A box of the network.
#[derive(Clone, Debug)]
struct Named {
    name: String,
    kind: BoxKind,
}

/// What a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoxKind {
    /// A host with a machine.
    Host,
    /// A router, or the internet.
    Router,
    /// A NAT.
    Nat,
}

/// Where on a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// A host's interface, counted from 0 as they were attached.
    Interface(u16),
    /// A NAT's side towards its hosts.
    Inside,
    /// A NAT's side towards the world.
    Outside,
    /// A router, whose sides are all alike.
    Any,
}

/// A packet at a box.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When, since the network began.
    pub at: Duration,
    /// Which packet: packets are counted as they are sent, copies have numbers of their own.
    pub packet: u64,
    /// The box.
    pub node: NodeId,
    /// On which of its sides the packet came in; if the box sent it, or the link behind the box lost
    /// it, on which it goes out.
    pub side: Side,
    /// The packet's source as it was there, before any translation.
    pub source: SocketAddr,
    /// Its destination as it was there.
    pub destination: SocketAddr,
    /// Its protocol.
    pub content: Content,
    /// Its payload, headers left out.
    pub payload: Arc<[u8]>,
    /// What the box did.
    pub what: What,
}

/// What a box did to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A host sent it.
    Sent,
    /// A router handed it on, or a NAT that had no need to change it: a firewall, or between two hosts
    /// inside.
    Forwarded,
    /// A NAT handed it on with other addresses.
    Translated {
        /// Which way.
        way: Way,
        /// The source that it has from here on.
        source: SocketAddr,
        /// The destination that it has from here on.
        destination: SocketAddr,
    },
    /// The link behind the box made a copy.
    Duplicated {
        /// The copy's number.
        copy: u64,
    },
    /// It went no further.
    Dropped(Cause),
    /// A host's machine has it.
    Delivered,
}

/// Which way a packet takes through a NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From inside into the world.
    Out,
    /// From the world to the inside.
    In,
    /// From inside by an outside address back to the inside.
    Hairpin,
}

/// Why a packet went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A NAT's reason.
    Nat(Reason),
    /// The link lost it.
    Loss,
    /// The link's queue had no room.
    QueueFull,
    /// It was larger than the link's MTU and vanished.
    TooBig {
        /// The link's MTU.
        mtu: usize,
    },
    /// It was larger than the link's MTU, and the box said so.
    FragmentationNeeded {
        /// The link's MTU.
        mtu: usize,
    },
    /// No box knows the way to its destination.
    NoRoute,
    /// A private address was on its way across the internet.
    PrivateAddress,
    /// The link is down, or was cut while the packet was on it.
    LinkDown,
    /// The host does not have the address, or has it no more.
    NoSuchAddress,
    /// No socket of the host is open there.
    NoSocket,
    /// It went in circles.
    TooManyHops,
    /// More packets are on their way than a network takes.
    TooManyPackets,
}

impl Trace {
    pub(crate) fn new(unix: Duration) -> Self {
        Self { unix, ..Self::default() }
    }

    /// Keeps the newest `most` entries from here on.
    pub(crate) fn limit(&mut self, most: usize) {
        self.most = most;
        while self.entries.len() > most {
            self.entries.pop_front();
            self.forgotten += 1;
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.most > 0
    }

    pub(crate) fn name(&mut self, name: &str, kind: BoxKind) {
        self.boxes.push(Named { name: name.to_owned(), kind });
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        if self.entries.len() >= self.most {
            self.entries.pop_front();
            self.forgotten += 1;
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.forgotten = 0;
    }

    /// The wall clock when the network began, as time since the Unix epoch.
    #[must_use]
    pub fn began(&self) -> Duration {
        self.unix
    }

    /// What happened, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// How many older entries were forgotten since there were too many.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// A box's name.
    #[must_use]
    pub fn box_name(&self, node: NodeId) -> &str {
        self.boxes.get(node.index()).map_or("?", |named| &named.name)
    }

    /// What a box is.
    #[must_use]
    pub fn box_kind(&self, node: NodeId) -> Option<BoxKind> {
        self.boxes.get(node.index()).map(|named| named.kind)
    }
}
