//! Answers wants: finds addresses and ports, opens and closes.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use talkie_sansio::{Answer, Framer, Path, Want, WantError, WantId};

use super::streams::Stream;
use crate::net::fabric::Fabric;

/// A socket that hears a group.
#[derive(Debug)]
pub(super) struct Membership {
    pub(super) group: SocketAddr,
    /// The interface's address and the group's port.
    pub(super) local: SocketAddr,
}

/// A port that takes streams.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) local: SocketAddr,
    pub(super) framer: Framer,
}

/// Linux' choice of ports for those who do not care (`ip_local_port_range`).
const ANY_PORT: RangeInclusive<u16> = 32_768..=60_999;

impl Fabric {
    pub(in crate::net) fn handle_want(&mut self, node: u32, want: Want) {
        let (id, outcome) = match want {
            Want::Bind { id, local, ports } => (id, self.bind(node, id, local, &ports)),
            Want::Join { id, interface, group } => (id, self.join(node, id, interface, group)),
            Want::Listen { id, local, ports, framer } => {
                (id, self.listen_at(node, id, local, &ports, framer))
            }
            Want::Connect { id, transport, local, remote, framer, .. } => {
                let any: IpAddr = match remote.is_ipv4() {
                    true => Ipv4Addr::UNSPECIFIED.into(),
                    false => Ipv6Addr::UNSPECIFIED.into(),
                };
                let local = local.unwrap_or_else(|| SocketAddr::new(any, 0));
                match self.connect_from(node, id, Path { transport, local, remote }, framer) {
                    Ok(()) => return,
                    Err(error) => (id, Err(error)),
                }
            }
            Want::Resolve { id, name } => return self.resolve_name(node, id, &name),
            Want::Close { id } => return self.close_want(node, id),
            Want::HangUp { path } => return self.hang_up(node, path),
            Want::Gateway { id, local } => {
                let answer = match self.gateway(node, local) {
                    Some(gateway) => Answer::Gateway { id, gateway },
                    None => Answer::Failed { id, error: WantError::NoGateway },
                };
                return self.owe(node, self.now, answer);
            }
            // What is added to the enum is not possible until somebody writes it.
            other => {
                if let Some(refusal) = other.refusal() {
                    self.owe(node, self.now, refusal);
                }
                return;
            }
        };
        let answer = match outcome {
            Ok(local) => Answer::Bound { id, local },
            Err(error) => Answer::Failed { id, error: WantError::Io(error) },
        };
        self.owe(node, self.now, answer);
    }

    /// The inside address of the box that packets from `local` go to.
    fn gateway(&self, node: u32, local: IpAddr) -> Option<IpAddr> {
        let (via, _) = self.addresses(node).find(|(_, address)| *address == local)?;
        let parent = self.attached[via as usize].parent;
        let fits = |it: &&(u32, IpAddr)| it.0 == parent && it.1.is_ipv4() == local.is_ipv4();
        self.gateways.iter().find(fits).map(|(_, gateway)| *gateway)
    }

    fn bind(
        &mut self,
        node: u32,
        id: WantId,
        local: IpAddr,
        ports: &RangeInclusive<u16>,
    ) -> Result<SocketAddr, ErrorKind> {
        let local = self.free_port(node, local, ports, |fabric, local| {
            fabric.hosting(node).is_some_and(|hosting| hosting.has_socket(local))
        })?;
        let hosting = self.hosting_mut(node).ok_or(ErrorKind::Unsupported)?;
        hosting.sockets.insert(id, local);
        Ok(local)
    }

    fn join(
        &mut self,
        node: u32,
        id: WantId,
        interface: IpAddr,
        group: SocketAddr,
    ) -> Result<SocketAddr, ErrorKind> {
        if !group.ip().is_multicast() || group.is_ipv4() != interface.is_ipv4() {
            return Err(ErrorKind::InvalidInput);
        }
        if !self.has_address(node, interface) {
            return Err(ErrorKind::AddrNotAvailable);
        }
        let local = SocketAddr::new(interface, group.port());
        let hosting = self.hosting_mut(node).ok_or(ErrorKind::Unsupported)?;
        hosting.memberships.insert(id, Membership { group, local });
        Ok(local)
    }

    fn listen_at(
        &mut self,
        node: u32,
        id: WantId,
        local: IpAddr,
        ports: &RangeInclusive<u16>,
        framer: Framer,
    ) -> Result<SocketAddr, ErrorKind> {
        let local = self.free_port(node, local, ports, |fabric, local| {
            fabric.hosting(node).is_some_and(|it| it.listeners.values().any(|it| it.local == local))
        })?;
        let hosting = self.hosting_mut(node).ok_or(ErrorKind::Unsupported)?;
        hosting.listeners.insert(id, Listener { local, framer });
        Ok(local)
    }

    fn connect_from(
        &mut self,
        node: u32,
        id: WantId,
        mut path: Path,
        framer: Framer,
    ) -> Result<(), ErrorKind> {
        if !path.transport.is_reliable() || path.remote.ip().is_multicast() {
            return Err(ErrorKind::InvalidInput);
        }
        let (_, address) = self.interface(node, path.local.ip(), path.remote).map_err(|_| {
            match path.local.ip().is_unspecified() {
                true => ErrorKind::NetworkUnreachable,
                false => ErrorKind::AddrNotAvailable,
            }
        })?;
        let port = path.local.port();
        let remote = path.remote;
        // A listener's port may be used as well (RFC 6544 §4.1: sockets that share a port).
        path.local = self.free_port(node, address, &(port..=port), |fabric, local| {
            fabric.streams.has(node, local, remote)
        })?;
        let hosting = self.hosting_mut(node).ok_or(ErrorKind::Unsupported)?;
        hosting.streams.insert(path, Stream::wanted(id, framer));
        self.open_stream(node, path);
        Ok(())
    }

    /// The first port of those allowed that is free.
    fn free_port(
        &mut self,
        node: u32,
        address: IpAddr,
        ports: &RangeInclusive<u16>,
        is_taken: impl Fn(&Self, SocketAddr) -> bool,
    ) -> Result<SocketAddr, ErrorKind> {
        if !self.has_address(node, address) {
            return Err(ErrorKind::AddrNotAvailable);
        }
        let is_any = *ports == (0..=0);
        let range = if is_any { ANY_PORT } else { ports.clone() };
        let count = u64::from(range.end().saturating_sub(*range.start())) + 1;
        let first = if is_any { self.dice.below(count) } else { 0 };
        (0..count)
            .map(|turn| range.start() + ((first + turn) % count) as u16)
            .map(|port| SocketAddr::new(address, port))
            .find(|local| local.port() != 0 && !is_taken(self, *local))
            .ok_or(ErrorKind::AddrInUse)
    }

    fn close_want(&mut self, node: u32, id: WantId) {
        let Some(hosting) = self.hosting_mut(node) else { return };
        hosting.sockets.remove(&id);
        hosting.memberships.remove(&id);
        hosting.listeners.remove(&id);
        hosting.owed.retain(|_, answer| answer_to(answer) != Some(id));
        let opening = hosting.streams.iter().find(|(_, stream)| stream.wanted == Some(id));
        if let Some(path) = opening.map(|(path, _)| *path) {
            hosting.streams.remove(&path);
            self.abandon_stream(node, path);
        }
    }
}

/// The want that an answer is to.
fn answer_to(answer: &Answer) -> Option<WantId> {
    match answer {
        Answer::Bound { id, .. }
        | Answer::Connected { id, .. }
        | Answer::Resolved { id, .. }
        | Answer::Failed { id, .. } => Some(*id),
        _ => None,
    }
}
