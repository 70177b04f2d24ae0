//! The sockets: one for each interface and family, joined to the group when the first name is to be told
//! or asked for, and again when interfaces change.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use talkie_sansio::{Interface, Want, WantId};

/// RFC 6762 §3.
pub(super) const PORT: u16 = 5353;
const GROUP_V4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)), PORT);
const GROUP_V6: SocketAddr =
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb)), PORT);

/// One family at one interface.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: WantId,
    /// The interface's name.
    name: String,
    /// The address that it was joined by.
    pub(super) by: IpAddr,
    /// The socket, once it is there.
    pub(super) local: Option<SocketAddr>,
    /// It cannot be had.
    is_dead: bool,
    /// All addresses of the interface, of both families.
    pub(super) addresses: Vec<IpAddr>,
    /// The same with their networks.
    networks: Vec<Interface>,
}

impl Link {
    pub(super) fn group(&self) -> SocketAddr {
        if self.by.is_ipv4() { GROUP_V4 } else { GROUP_V6 }
    }

    /// Whether the address is one of this link's hosts (RFC 6762 §11): of the link's own scope, or of one
    /// of the interface's networks. Where the system does not tell how large those are, it is guessed: a
    /// /64, the private block, or, of public IPv4 addresses, a /24.
    pub(super) fn is_near(&self, remote: IpAddr) -> bool {
        let remote = remote.to_canonical();
        let is_near = |own: &Interface| match (own.address.to_canonical(), remote) {
            (_, remote) if is_nowhere(remote) => false,
            (IpAddr::V4(_), IpAddr::V4(remote)) if remote.is_link_local() => true,
            (IpAddr::V6(_), IpAddr::V6(remote)) if remote.is_unicast_link_local() => true,
            (IpAddr::V4(v4), IpAddr::V4(other)) => {
                own.is_on_link(remote).unwrap_or_else(|| is_near_v4(v4, other))
            }
            (IpAddr::V6(v6), IpAddr::V6(other)) => {
                let is_same = v6.segments()[..4] == other.segments()[..4];
                own.is_on_link(remote).unwrap_or(is_same)
            }
            _ => false,
        };
        self.networks.iter().any(is_near)
    }
}

fn is_nowhere(ip: IpAddr) -> bool {
    ip.is_unspecified() || ip.is_multicast()
}

fn is_near_v4(own: Ipv4Addr, remote: Ipv4Addr) -> bool {
    let block = |ip: Ipv4Addr| match ip.octets() {
        [10, ..] => Some(8),
        [172, second, ..] if second & 0xf0 == 16 => Some(12),
        [192, 168, ..] => Some(16),
        [100, second, ..] if second & 0xc0 == 64 => Some(10),
        [127, ..] => Some(127),
        _ => None,
    };
    match (block(own), block(remote)) {
        (None, None) => own.octets()[..3] == remote.octets()[..3],
        (own, remote) => own == remote,
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Links {
    interfaces: Vec<Interface>,
    is_needed: bool,
    pub(super) links: Vec<Link>,
    next_id: u64,
    wants: VecDeque<Want>,
    /// Closed once everything that was said on them is sent.
    leaving: Vec<WantId>,
}

impl Links {
    /// Two families at sixteen interfaces.
    const MOST: usize = 32;

    pub(super) fn new(first_want: u64) -> Self {
        Self {
            interfaces: Vec::new(),
            is_needed: false,
            links: Vec::new(),
            next_id: first_want,
            wants: VecDeque::new(),
            leaving: Vec::new(),
        }
    }

    /// Now there is something to say or ask.
    pub(super) fn open(&mut self) {
        if !self.is_needed {
            self.is_needed = true;
            self.join();
        }
    }

    /// No more, for now.
    pub(super) fn close(&mut self) {
        self.is_needed = false;
        self.leaving.extend(self.links.drain(..).filter(|link| !link.is_dead).map(|link| link.id));
    }

    pub(super) fn handle_interfaces(&mut self, interfaces: &[Interface]) {
        // Loopback only where there is nothing else: whoever is on this host hears the others as well.
        let is_outward = |interface: &&Interface| !interface.address.is_loopback();
        let outward: Vec<_> = interfaces.iter().filter(is_outward).cloned().collect();
        self.interfaces = if outward.is_empty() { interfaces.to_vec() } else { outward };
        if self.is_needed {
            self.join();
        }
    }

    fn join(&mut self) {
        let interfaces = std::mem::take(&mut self.interfaces);
        let is_there = |link: &Link| {
            interfaces.iter().any(|own| own.name == link.name && own.address == link.by)
        };
        let gone = self.links.extract_if(.., |link| !is_there(link));
        self.leaving.extend(gone.filter(|link| !link.is_dead).map(|link| link.id));
        for own in &interfaces {
            let is_same =
                |link: &Link| link.name == own.name && link.by.is_ipv4() == own.address.is_ipv4();
            if self.links.len() < Self::MOST && !self.links.iter().any(is_same) {
                self.add(own);
            }
        }
        for link in &mut self.links {
            let own = interfaces.iter().filter(|own| own.name == link.name);
            link.networks = own.cloned().collect();
            link.addresses = link.networks.iter().map(|own| own.address).collect();
        }
        self.interfaces = interfaces;
    }

    fn add(&mut self, own: &Interface) {
        let link = Link {
            id: WantId(self.next_id),
            name: own.name.clone(),
            by: own.address,
            local: None,
            is_dead: false,
            addresses: Vec::new(),
            networks: Vec::new(),
        };
        self.next_id += 1;
        let (id, interface, group) = (link.id, link.by, link.group());
        self.wants.push_back(Want::Join { id, interface, group });
        self.links.push(link);
    }

    /// A socket is there. Returns its link's index.
    pub(super) fn handle_bound(&mut self, id: WantId, local: SocketAddr) -> Option<usize> {
        let index = self.links.iter().position(|link| link.id == id)?;
        self.links[index].local = Some(local);
        Some(index)
    }

    /// A socket is not to be had, or no longer. Returns the address it was to be joined by.
    pub(super) fn handle_failed(&mut self, id: WantId) -> Option<IpAddr> {
        let link = self.links.iter_mut().find(|link| link.id == id)?;
        (link.local, link.is_dead) = (None, true);
        Some(link.by)
    }

    /// The link of a socket.
    pub(super) fn at(&self, local: SocketAddr) -> Option<&Link> {
        self.links.iter().find(|link| link.local == Some(local))
    }

    /// What is open.
    pub(super) fn open_ones(&self) -> impl Iterator<Item = (&Link, SocketAddr)> {
        self.links.iter().filter_map(|link| Some((link, link.local?)))
    }

    /// The next want; sockets are closed only when all that was said on them has gone.
    pub(super) fn poll_want(&mut self, is_silent: bool) -> Option<Want> {
        if let Some(want) = self.wants.pop_front() {
            return Some(want);
        }
        let id = if is_silent { self.leaving.pop() } else { None };
        id.map(|id| Want::Close { id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_near_is_told_by_addresses() {
        let of = |own: Interface, remote: &str| {
            let link = Link {
                id: WantId(0),
                name: String::new(),
                by: own.address,
                local: None,
                is_dead: false,
                addresses: vec![own.address],
                networks: vec![own],
            };
            link.is_near(remote.parse().unwrap())
        };
        let near =
            |own: &str, remote: &str| of(Interface::new("eth0", own.parse().unwrap()), remote);
        assert!(near("192.168.1.5", "192.168.7.9"));
        assert!(near("10.0.0.5", "10.200.0.9"));
        assert!(near("10.0.0.5", "169.254.3.4"));
        assert!(near("198.51.100.5", "198.51.100.77"));
        assert!(near("10.0.0.5", "::ffff:10.0.0.6"));
        assert!(!near("10.0.0.5", "192.168.1.5"));
        assert!(!near("10.0.0.5", "198.51.100.77"));
        assert!(!near("198.51.100.5", "198.51.101.77"));
        assert!(!near("198.51.100.5", "10.0.0.1"));
        assert!(near("2001:db8::5", "fe80::1"));
        assert!(near("2001:db8::5", "2001:db8::9"));
        assert!(!near("2001:db8::5", "2001:db8:1::9"));
        assert!(!near("2001:db8::5", "10.0.0.1"));
        assert!(!near("0.0.0.0", "0.0.0.0"));
        // Where the network's size is known, it alone counts.
        let network = |own: &str, prefix| {
            let own = Interface::new("eth0", own.parse().unwrap());
            Interface { prefix: Some(prefix), ..own }
        };
        assert!(of(network("10.0.0.5", 24), "10.0.0.9"));
        assert!(!of(network("10.0.0.5", 24), "10.200.0.9"));
        assert!(of(network("198.51.100.5", 23), "198.51.101.77"));
        assert!(of(network("10.0.0.5", 24), "169.254.3.4"));
        assert!(of(network("2001:db8::5", 48), "2001:db8:0:7::9"));
        assert!(of(network("2001:db8::5", 64), "fe80::1"));
        assert!(!of(network("2001:db8::5", 64), "::"));
    }
}
