//! The sockets that NAT behaviour discovery needs beside the listeners (RFC 5780 §6): for each UDP
//! listener a second port, and both ports on a second address where there is one.
//!
//! A socket bound to all addresses answers from whichever of them the machine says, so that there the
//! second address needs no sockets of its own. Without a second port nothing is lost but discovery:
//! unless somebody asked for it by name, a port that is taken is told and gone without.

use std::net::SocketAddr;

use talkie_net::{BindError, UdpOptions, UdpSocket};
use talkie_sansio::Transport;
use talkie_traversal::turn::server::{Discovery, OwnAddress};
use tokio::net::TcpListener;

use super::tcp;

/// Which further sockets to bind.
#[derive(Clone, Debug, Default)]
pub struct Alternates {
    /// The second port; 0: any free one.
    pub port: AlternatePort,
    /// Pairs of a primary and an alternate address, and addresses that clients know by another.
    pub addresses: Vec<Vec<OwnAddress>>,
    /// Whether not to start without them.
    pub required: bool,
}

/// The second port of each listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlternatePort {
    /// None, and so no discovery.
    None,
    /// The listener's plus one; any free one for a listener that asked for any. The default.
    #[default]
    Next,
    /// This one.
    Fixed(u16),
}

/// What could be bound.
#[derive(Default)]
pub(super) struct Bound {
    pub(super) udp: Vec<UdpSocket>,
    pub(super) tcp: Vec<(TcpListener, SocketAddr)>,
    pub(super) discovery: Vec<Discovery>,
    /// What could not be, and is gone without.
    pub(super) troubles: Vec<(Transport, BindError)>,
}

/// The listeners there are.
pub(super) struct Listeners<'l> {
    /// As they were asked for, in the order of `udp`.
    pub(super) asked: &'l [SocketAddr],
    pub(super) udp: &'l [SocketAddr],
    pub(super) tcp: &'l [SocketAddr],
}

impl Alternates {
    /// Binds what goes with `listeners`.
    pub(super) fn bind(
        &self,
        listeners: &Listeners<'_>,
        options: &UdpOptions,
    ) -> Result<Bound, BindError> {
        let mut bound = Bound::default();
        for (asked, local) in listeners.asked.iter().zip(listeners.udp) {
            // The second of a pair that was configured as two listeners.
            if bound.discovery.iter().any(|known| belongs(known, *local)) {
                continue;
            }
            let port = match self.port {
                AlternatePort::None => return Ok(bound),
                // One pair of ports is enough for each address, and this one is taken by now.
                AlternatePort::Fixed(_)
                    if bound.discovery.iter().any(|known| known.listener == local.ip()) =>
                {
                    continue;
                }
                AlternatePort::Fixed(port) => port,
                AlternatePort::Next if asked.port() == 0 => 0,
                AlternatePort::Next => local.port().checked_add(1).unwrap_or(u16::MAX - 1),
            };
            match self.group(*local, port, listeners, options) {
                Ok(group) => bound.extend(group),
                Err(error) if self.required => return Err(error),
                Err(error) => bound.troubles.push((Transport::Udp, error)),
            }
        }
        Ok(bound)
    }

    /// What belongs to one listener.
    fn group(
        &self,
        local: SocketAddr,
        port: u16,
        listeners: &Listeners<'_>,
        options: &UdpOptions,
    ) -> Result<Bound, BindError> {
        let mut bound = Bound::default();
        let second = bound.datagrams(SocketAddr::new(local.ip(), port), listeners, options)?;
        let mut others = vec![second];
        let ports = [local.port(), second.port()];
        let addresses = self.addresses_of(local);
        if let [_, alternate] = addresses[..] {
            if local.ip().is_unspecified() {
                // Covered, if it is an address of this host at all.
                UdpSocket::bind(SocketAddr::new(alternate.local, 0), options)?;
            } else {
                for port in ports {
                    let address = SocketAddr::new(alternate.local, port);
                    others.push(bound.datagrams(address, listeners, options)?);
                }
            }
        }
        let tcp = listeners.tcp.contains(&local) && bound.streams(&others, listeners);
        bound.discovery.push(Discovery { listener: local.ip(), ports, addresses, tcp });
        Ok(bound)
    }

    fn addresses_of(&self, local: SocketAddr) -> Vec<OwnAddress> {
        let ip = local.ip();
        let concerns = |first: &OwnAddress| {
            first.local == ip || (ip.is_unspecified() && first.local.is_ipv6() == ip.is_ipv6())
        };
        let mut known = self.addresses.iter();
        known.find(|them| them.first().is_some_and(concerns)).cloned().unwrap_or_default()
    }
}

/// Whether a listener has its part in `discovery` already.
fn belongs(discovery: &Discovery, local: SocketAddr) -> bool {
    let ip = local.ip();
    discovery.ports.contains(&local.port())
        && (discovery.listener == ip || discovery.addresses.iter().any(|own| own.local == ip))
}

impl Bound {
    fn extend(&mut self, other: Self) {
        self.udp.extend(other.udp);
        self.tcp.extend(other.tcp);
        self.discovery.extend(other.discovery);
        self.troubles.extend(other.troubles);
    }

    /// Binds `address`, unless it is a listener anyway; returns it with its real port.
    fn datagrams(
        &mut self,
        address: SocketAddr,
        listeners: &Listeners<'_>,
        options: &UdpOptions,
    ) -> Result<SocketAddr, BindError> {
        if !listeners.udp.contains(&address) {
            self.udp.push(UdpSocket::bind(address, options)?);
            return Ok(self.udp.last().map_or(address, UdpSocket::local));
        }
        Ok(address)
    }

    /// Listens on all of `addresses`; false, and on none, if one is refused: over TCP discovery
    /// tells of mappings only, and is nothing to fail for.
    fn streams(&mut self, addresses: &[SocketAddr], listeners: &Listeners<'_>) -> bool {
        let mut all = Vec::new();
        for address in addresses.iter().filter(|address| !listeners.tcp.contains(address)) {
            match tcp::bind(*address) {
                Ok(listener) => all.push(listener),
                Err(error) => {
                    self.troubles.push((Transport::Tcp, error));
                    return false;
                }
            }
        }
        self.tcp.extend(all);
        true
    }
}
