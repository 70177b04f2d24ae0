//! Hosts whose machines ask for their own sockets, streams and names ([`Hosted`]).
//!
//! A want is answered at the time at which it is said, or when it has come true: a stream takes its
//! handshake, a name its resolver's time. Such a host has no ports open but those that its machine asked
//! for: what is sent to others, or from others, is dropped ([`Cause::NoSocket`](crate::trace::Cause)).
//! Its machine is told of its addresses at the start, and at each change of them (a
//! [`Change`](super::Change) of kind `Readdress` or `Move`); it is not told when a link is cut, which is like a cable that breaks
//! somewhere behind the next switch.

mod names;
mod streams;
mod wants;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use talkie_sansio::{Answer, Hosted, Interface, Path, Want, WantId};

use super::fabric::{Fabric, Happening, Kind};
use super::{Host, Network, Place};

pub(super) use names::Names;
pub use names::Resolver;
use streams::Stream;
use wants::{Listener, Membership};

/// What a hosted machine has of its host.
#[derive(Debug, Default)]
pub(super) struct Hosting {
    sockets: BTreeMap<WantId, SocketAddr>,
    memberships: BTreeMap<WantId, Membership>,
    listeners: BTreeMap<WantId, Listener>,
    streams: BTreeMap<Path, Stream>,
    resolver: Resolver,
    /// What it is yet to be told, by time and in order.
    owed: BTreeMap<(u64, u64), Answer>,
    answers: u64,
    /// Whether it will be told of its addresses.
    is_news_due: bool,
    told: Option<Vec<Interface>>,
}

/// How a hosted machine is spoken to. The network holds machines of all kinds, of which few are hosted.
pub(super) struct Voice<M> {
    pub(super) poll_want: fn(&mut M) -> Option<Want>,
    pub(super) handle_answer: fn(&mut M, Instant, Answer),
    pub(super) handle_interfaces: fn(&mut M, Instant, &[Interface]),
}

impl<M: Hosted> Voice<M> {
    const fn new() -> Self {
        Self {
            poll_want: M::poll_want,
            handle_answer: M::handle_answer,
            handle_interfaces: M::handle_interfaces,
        }
    }
}

impl<M> Clone for Voice<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Voice<M> {}

impl Network {
    /// Adds a host whose machine asks for its sockets, streams and names. It is told of its addresses
    /// when the network runs.
    pub fn add_hosted<M>(&mut self, name: &str, machine: M) -> Host<M>
    where
        M: Hosted + Send + 'static,
        M::Event: Send,
    {
        let host = self.seat(name, machine, None, Some(Voice::new()));
        if let Kind::Host { hosting, .. } = &mut self.fabric.nodes[host.0 as usize].kind {
            *hosting = Some(Box::default());
        }
        self.fabric.announce_interfaces(host.0);
        host
    }

    /// Gives a name addresses, in place of those it had. Without any it exists no more.
    pub fn set_name(&mut self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        self.fabric.names.set(name, addresses.into_iter().collect());
    }

    /// Changes whom a hosted host asks for names from now on.
    pub fn set_resolver<M: Hosted>(&mut self, host: Host<M>, resolver: Resolver) {
        if let Some(hosting) = self.fabric.hosting_mut(host.0) {
            hosting.resolver = resolver;
        }
    }

    /// Gives a NAT or router an address inside, by which hosted machines know it as their gateway. A NAT or
    /// router answers nothing; who wants to ask it something finds a host that is attached with this address.
    pub fn set_gateway(&mut self, place: impl Into<Place>, gateway: IpAddr) {
        self.fabric.gateways.push((place.into().0, gateway));
    }

    /// The UDP sockets that a hosted host has open, multicast apart.
    #[must_use]
    pub fn sockets<M: Hosted>(&self, host: Host<M>) -> Vec<SocketAddr> {
        self.fabric
            .hosting(host.0)
            .map_or_else(Vec::new, |it| it.sockets.values().copied().collect())
    }

    /// The streams that a hosted host has open or is opening.
    #[must_use]
    pub fn streams<M: Hosted>(&self, host: Host<M>) -> Vec<Path> {
        self.fabric.hosting(host.0).map_or_else(Vec::new, |it| it.streams.keys().copied().collect())
    }

    /// Tells a machine all that it is owed by now.
    pub(super) fn hand_answers(&mut self, node: u32) {
        let now = self.now();
        while let Some(answer) = self.fabric.owed(node) {
            self.hand_answer(node, now, answer);
        }
    }

    pub(super) fn hand_answer(&mut self, node: u32, now: Instant, answer: Answer) {
        if let Some(seat) = &mut self.seats[node as usize] {
            seat.handle_answer(now, answer);
            self.drain(node);
        }
    }

    /// Tells a machine its addresses, if they are others than it was told.
    pub(super) fn hand_interfaces(&mut self, node: u32) {
        let now = self.now();
        let Some(interfaces) = self.fabric.news(node) else { return };
        if let Some(seat) = &mut self.seats[node as usize] {
            seat.handle_interfaces(now, &interfaces);
            self.drain(node);
        }
    }
}

impl Hosting {
    /// The socket that hears a group on one of the interfaces that fit.
    pub(super) fn member(
        &self,
        group: SocketAddr,
        mut fits: impl FnMut(IpAddr) -> bool,
    ) -> Option<SocketAddr> {
        self.memberships
            .values()
            .find(|it| it.group == group && fits(it.local.ip()))
            .map(|it| it.local)
    }

    /// Whether a UDP socket is open there.
    pub(super) fn has_socket(&self, local: SocketAddr) -> bool {
        self.sockets.values().any(|socket| *socket == local)
            || self.memberships.values().any(|it| it.local == local)
    }
}

impl Fabric {
    pub(super) fn hosting(&self, node: u32) -> Option<&Hosting> {
        match &self.nodes[node as usize].kind {
            Kind::Host { hosting, .. } => hosting.as_deref(),
            Kind::Router { .. } | Kind::Nat { .. } => None,
        }
    }

    pub(super) fn hosting_mut(&mut self, node: u32) -> Option<&mut Hosting> {
        match &mut self.nodes[node as usize].kind {
            Kind::Host { hosting, .. } => hosting.as_deref_mut(),
            Kind::Router { .. } | Kind::Nat { .. } => None,
        }
    }

    /// Lets a hosted machine be told of its addresses as soon as time goes on.
    pub(super) fn announce_interfaces(&mut self, node: u32) {
        let now = self.now;
        let Some(hosting) = self.hosting_mut(node) else { return };
        if !hosting.is_news_due {
            hosting.is_news_due = true;
            self.queue.push(now, Happening::Interfaces { node });
        }
    }

    /// A host's addresses, if its machine has been told others.
    fn news(&mut self, node: u32) -> Option<Vec<Interface>> {
        let Kind::Host { interfaces, hosting: Some(hosting), .. } =
            &mut self.nodes[node as usize].kind
        else {
            return None;
        };
        hosting.is_news_due = false;
        let now: Vec<Interface> = interfaces
            .iter()
            .enumerate()
            .flat_map(|(number, via)| {
                let addresses = self.attached[*via as usize].addresses.iter();
                addresses.map(move |address| Interface::new(format!("eth{number}"), *address))
            })
            .collect();
        if hosting.told.as_ref() == Some(&now) {
            return None;
        }
        hosting.told = Some(now.clone());
        Some(now)
    }

    /// Lets a machine be told something at a time.
    fn owe(&mut self, node: u32, at: u64, answer: Answer) {
        let Some(hosting) = self.hosting_mut(node) else { return };
        let number = hosting.answers;
        hosting.answers += 1;
        hosting.owed.insert((at, number), answer);
        self.queue.push(at, Happening::Answer { node });
    }

    /// The next thing that a machine is to be told by now.
    fn owed(&mut self, node: u32) -> Option<Answer> {
        let now = self.now;
        let first = self.hosting_mut(node)?.owed.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}
