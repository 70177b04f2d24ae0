//! Which servers are asked from where: names, families, and what is said of those that none reached.

use std::net::{IpAddr, SocketAddr};

use talkie_sansio::{Want, WantError, WantId};

use super::{Gatherer, LocalId, Problem, Stage, Start};
use crate::uri::{Host, Scheme};

/// A server's name on its way to addresses.
#[derive(Debug)]
pub(super) enum Name {
    Asked(WantId),
    Known(Vec<IpAddr>),
    Failed,
}

impl Name {
    pub(super) fn is_asked(&self) -> bool {
        matches!(self, Self::Asked(_))
    }
}

/// What has come of a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The bases that asked or are about to.
    pub(super) from: Vec<From>,
    /// The sockets that it told nothing.
    pub(super) untold: Vec<LocalId>,
    /// Whether it has answered, be it with an error.
    pub(super) has_answered: bool,
    /// Why it was not reached.
    pub(super) unreachable: Option<String>,
    /// Whether it is none of those that are asked any more.
    pub(super) is_left: bool,
    /// Which error codes were told.
    codes: Vec<u16>,
}

/// What asks a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Socket(LocalId),
    Address(IpAddr),
}

/// The most addresses taken of one name.
const ADDRESSES: usize = 8;

impl Gatherer {
    /// Asks for the addresses of names not known.
    pub(super) fn resolve_names(&mut self) {
        for index in 0..self.config.servers.len() {
            if self.asked[index].is_left {
                continue;
            }
            let Host::Name(name) = &self.config.servers[index].uri.host() else { continue };
            if !matches!(self.names.get(name), None | Some(Name::Failed)) {
                continue;
            }
            let name = name.clone();
            let id = self.new_want();
            self.names.insert(name.clone(), Name::Asked(id));
            self.wants.push_back(Want::Resolve { id, name });
        }
    }

    pub(super) fn resolved(&mut self, want: WantId, mut addresses: Vec<IpAddr>) {
        let Some(name) = self.asked_name(want) else { return };
        addresses.retain(|ip| !ip.is_unspecified() && !ip.is_multicast());
        addresses.truncate(ADDRESSES);
        if addresses.is_empty() {
            self.name_failed(want, &WantError::NoAddress);
        } else {
            self.names.insert(name, Name::Known(addresses));
        }
    }

    /// Whether it was a name.
    pub(super) fn name_failed(&mut self, want: WantId, error: &WantError) -> bool {
        let Some(name) = self.asked_name(want) else { return false };
        for (server, asked) in self.config.servers.iter().zip(&mut self.asked) {
            if matches!(server.uri.host(), Host::Name(of) if *of == name) {
                asked.unreachable = Some(format!("{name} is not found: {error}"));
            }
        }
        self.names.insert(name, Name::Failed);
        true
    }

    fn asked_name(&self, want: WantId) -> Option<String> {
        let mut names = self.names.iter();
        let is_it = |name: &Name| matches!(name, Name::Asked(id) if *id == want);
        names.find_map(|(text, name)| is_it(name).then(|| text.clone()))
    }

    /// The addresses of a server in the family of `ip`, best first.
    pub(super) fn addresses_of(&self, server: usize, ip: IpAddr) -> Vec<SocketAddr> {
        let server = &self.config.servers[server];
        let ips = match server.uri.host() {
            Host::Ip(ip) => std::slice::from_ref(ip),
            Host::Name(name) => match self.names.get(name) {
                Some(Name::Known(addresses)) => addresses.as_slice(),
                _ => &[],
            },
        };
        let same_family = |it: &&IpAddr| it.is_ipv4() == ip.is_ipv4();
        ips.iter().filter(same_family).map(|ip| SocketAddr::new(*ip, server.uri.port())).collect()
    }

    /// Has each server asked from each base that can and has not yet.
    pub(super) fn ask_servers(&mut self) {
        if !matches!(self.stage, Stage::Gathering { .. }) {
            return;
        }
        for server in 0..self.config.servers.len() {
            if self.asked[server].is_left {
                continue;
            }
            match self.config.servers[server].uri.scheme() {
                Scheme::Stun => self.ask_from_sockets(server),
                Scheme::Stuns => {}
                Scheme::Turn | Scheme::Turns => self.ask_for_relays(server),
            }
        }
    }

    fn ask_from_sockets(&mut self, server: usize) {
        let open =
            self.sockets.iter().filter(|(_, socket)| socket.local.is_some() && !socket.is_spare);
        let open: Vec<_> = open.map(|(id, socket)| (*id, socket.ip)).collect();
        for (socket, ip) in open {
            if !self.addresses_of(server, ip).is_empty() && self.asks(server, From::Socket(socket))
            {
                self.starts.push_back(Start::Query { socket, server });
            }
        }
    }

    pub(super) fn url(&self, server: usize) -> String {
        self.config.servers[server].uri.to_string()
    }

    /// Whether this base has not asked yet; it has from now on.
    pub(super) fn asks(&mut self, server: usize, from: From) -> bool {
        let list = &mut self.asked[server].from;
        let is_new = !list.contains(&from);
        if is_new {
            list.push(from);
        }
        is_new
    }

    /// Lets relays be asked again that have given nothing or have lost it for good.
    pub(super) fn forget_lost_legs(&mut self) {
        for (server, asked) in self.asked.iter_mut().enumerate() {
            asked.codes.clear();
            asked.from.retain(|from| match from {
                From::Socket(_) => true,
                From::Address(ip) => self.legs.values().any(|leg| leg.is_of(server, *ip)),
            });
        }
    }

    /// Lets servers that were not reached be asked again.
    pub(super) fn forget_failures(&mut self) {
        for asked in self.asked.iter_mut().filter(|asked| !asked.has_answered) {
            *asked = Asked { is_left: asked.is_left, ..Asked::default() };
        }
        for Asked { from, untold, .. } in &mut self.asked {
            from.retain(|it| !matches!(it, From::Socket(id) if untold.contains(id)));
            untold.clear();
        }
        self.forget_lost_bases();
    }

    /// Lets servers be asked from what comes in the place of bases that are gone.
    pub(super) fn forget_lost_bases(&mut self) {
        let sockets = &self.sockets;
        let ranks = &self.ranks;
        for asked in &mut self.asked {
            asked.from.retain(|from| match from {
                From::Socket(id) => sockets.contains_key(id),
                From::Address(ip) => ranks.contains_key(ip),
            });
        }
    }

    /// A server said no: told once for each code.
    pub(super) fn refused(&mut self, server: usize, local: SocketAddr, code: u16, text: String) {
        self.asked[server].has_answered = true;
        if self.asked[server].codes.contains(&code) {
            return;
        }
        self.asked[server].codes.push(code);
        let url = Some(self.url(server));
        self.tell_problem(Problem { url, address: Some(local), code, text });
    }

    /// A server was not reached: to be told at the end of gathering, unless another address reaches it.
    pub(super) fn unreached(&mut self, server: usize, text: String) {
        if matches!(self.stage, Stage::Gathering { .. }) {
            self.asked[server].unreachable = Some(text);
            return;
        }
        let url = Some(self.url(server));
        self.tell_problem(Problem { url, address: None, code: Problem::UNREACHABLE, text });
    }

    /// W3C webrtc-pc §4.8.3: 701, once for each server that no address reached.
    pub(super) fn report_unreached(&mut self) {
        for index in 0..self.asked.len() {
            let scheme = self.config.servers[index].uri.scheme();
            let asked = &mut self.asked[index];
            if asked.has_answered || asked.is_left {
                continue;
            }
            let text = asked.unreachable.take().unwrap_or_else(|| match scheme {
                Scheme::Stuns => "a STUN server over TLS sees nothing of the sockets here".into(),
                _ => "no address of this host leads to the server".into(),
            });
            let url = Some(self.url(index));
            let code = Problem::UNREACHABLE;
            self.tell_problem(Problem { url, address: None, code, text });
        }
    }
}
