//! Where answers of NAT behaviour discovery come from (RFC 5780 §6).
//!
//! A client that asks two addresses with two ports each learns what its NAT does: whether another
//! destination gets another mapping, and whose packets come in. So an answer may have to leave from
//! another socket than the one that the request came to (CHANGE-REQUEST), must say from which
//! (RESPONSE-ORIGIN), and names the socket that differs in both (OTHER-ADDRESS).
//!
//! Most hosts have one public address. RFC 5780 §6 and §7.4 then forbid OTHER-ADDRESS, with good
//! reason: clients take it for another address, ask there, get the same mapping from a NAT that
//! maps by address, and call it endpoint-independent. The second port is served all the same, to who
//! knows of it, and the port alone can be changed to. That is the one thing in which this server goes
//! beyond §6, which answers any CHANGE-REQUEST with 420 there.

use std::net::{IpAddr, SocketAddr};

use talkie_sansio::{Path, Transport};

use super::config::ConfigError;
use crate::stun::attributes::ChangeRequest;

/// Sockets that belong together in NAT behaviour discovery: two ports, on one address or on two.
///
/// Each port must be bound on each of the addresses, and datagrams must leave from exactly the
/// local address that [`Transmit`](talkie_sansio::Transmit) says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// What the sockets are bound to. Unspecified: every address of its family.
    pub listener: IpAddr,
    /// The primary and the alternate port.
    pub ports: [u16; 2],
    /// None; or the only address, where clients know it by another; or the primary and the
    /// alternate one.
    pub addresses: Vec<OwnAddress>,
    /// Whether the ports are listened on over TCP as well.
    pub tcp: bool,
}

/// An address of ours, and what clients know it by: another one where a one-to-one NAT is in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnAddress {
    /// As packets carry it on this host.
    pub local: IpAddr,
    /// As clients are told it.
    pub told: IpAddr,
}

impl From<IpAddr> for OwnAddress {
    fn from(ip: IpAddr) -> Self {
        Self { local: ip, told: ip }
    }
}

impl Discovery {
    /// Two ports on each of two addresses.
    #[must_use]
    pub fn full([primary, alternate]: [IpAddr; 2], ports: [u16; 2]) -> Self {
        let addresses = vec![primary.into(), alternate.into()];
        Self { listener: primary, ports, addresses, tcp: false }
    }

    /// Two ports on one address; on all of its family if it is unspecified.
    #[must_use]
    pub fn ports_only(listener: IpAddr, ports: [u16; 2]) -> Self {
        Self { listener, ports, addresses: Vec::new(), tcp: false }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let [first, second] = self.ports;
        let alike = match self.addresses[..] {
            [] | [_] => false,
            [first, second] => first.local == second.local || first.told == second.told,
            _ => return Err(ConfigError::Discovery),
        };
        let foreign = |ip: IpAddr| ip.is_ipv6() != self.listener.is_ipv6() || ip.is_unspecified();
        let unusable = self.addresses.iter().any(|it| foreign(it.local) || foreign(it.told));
        if first == 0 || second == 0 || first == second || alike || unusable {
            return Err(ConfigError::Discovery);
        }
        Ok(())
    }

    /// Whether a request on `path` came to one of these sockets.
    pub(super) fn serves(&self, path: &Path) -> bool {
        let ip = path.local.ip().to_canonical();
        let transport = match path.transport {
            Transport::Udp => true,
            Transport::Tcp => self.tcp,
            Transport::Tls => false,
        };
        transport
            && self.ports.contains(&path.local.port())
            && ip.is_ipv6() == self.listener.is_ipv6()
            && (self.listener.is_unspecified()
                || self.listener == ip
                || self.addresses.iter().any(|own| own.local == ip))
    }

    /// The socket that answers a request which came to `local`; `None` if there is no such
    /// (RFC 5780 §6.1, table 1).
    pub(super) fn origin(&self, local: SocketAddr, change: ChangeRequest) -> Option<SocketAddr> {
        let mut origin = local;
        if change.ip {
            origin.set_ip(self.other_ip(local.ip())?);
        }
        if change.port {
            origin.set_port(self.other_port(local.port()));
        }
        Some(origin)
    }

    /// OTHER-ADDRESS for a request that came to `local` (RFC 5780 §7.4).
    pub(super) fn other(&self, local: SocketAddr) -> Option<SocketAddr> {
        self.told(self.origin(local, ChangeRequest { ip: true, port: true })?)
    }

    /// How clients know `local`; `None` where the driver could not tell the address either.
    pub(super) fn told(&self, local: SocketAddr) -> Option<SocketAddr> {
        let ip = local.ip().to_canonical();
        let own = self.addresses.iter().find(|own| own.local == ip);
        let told = own.map_or(ip, |own| own.told);
        (!told.is_unspecified()).then_some(SocketAddr::new(told, local.port()))
    }

    /// Of a host with more than two addresses each has the alternate one for its other.
    fn other_ip(&self, ip: IpAddr) -> Option<IpAddr> {
        let [primary, alternate] = self.addresses[..] else { return None };
        let ip = ip.to_canonical();
        if ip.is_unspecified() {
            return None;
        }
        Some(if ip == alternate.local { primary.local } else { alternate.local })
    }

    fn other_port(&self, port: u16) -> u16 {
        let [primary, alternate] = self.ports;
        if port == primary { alternate } else { primary }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let [one, two] = [ip("192.0.2.1"), ip("192.0.2.2")];
        assert_eq!(Discovery::full([one, two], [3478, 3479]).check(), Ok(()));
        assert_eq!(Discovery::ports_only(ip("::"), [3478, 3479]).check(), Ok(()));
        let wrong = [
            Discovery::full([one, two], [3478, 3478]),
            Discovery::full([one, two], [3478, 0]),
            Discovery::full([one, one], [3478, 3479]),
            Discovery::full([one, ip("2001:db8::1")], [3478, 3479]),
            Discovery::full([one, ip("0.0.0.0")], [3478, 3479]),
            Discovery {
                addresses: vec![one.into(), two.into(), ip("192.0.2.3").into()],
                ..Discovery::ports_only(one, [3478, 3479])
            },
        ];
        for discovery in wrong {
            assert_eq!(discovery.check(), Err(ConfigError::Discovery), "{discovery:?}");
        }
    }

    #[test]
    fn a_third_address_has_the_alternate_one_for_its_other() {
        let [one, two] = [ip("192.0.2.1"), ip("192.0.2.2")];
        let anywhere =
            Discovery { listener: ip("0.0.0.0"), ..Discovery::full([one, two], [3478, 3479]) };
        let other = |local: &str| anywhere.other(local.parse().unwrap());
        assert_eq!(other("192.0.2.1:3478"), Some("192.0.2.2:3479".parse().unwrap()));
        assert_eq!(other("192.0.2.2:3479"), Some("192.0.2.1:3478".parse().unwrap()));
        assert_eq!(other("192.0.2.3:3478"), Some("192.0.2.2:3479".parse().unwrap()));
        assert_eq!(other("0.0.0.0:3478"), None, "which one it is is not known");
    }
}
