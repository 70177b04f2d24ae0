//! Candidates as they are told: each once (RFC 8445 §5.1.3), with foundation and priority.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use talkie_sansio::Transport;

use super::config::Policy;
use super::{Event, Gatherer, LocalId};
use crate::ice::priority::{self, Foundations};
use crate::ice::{Candidate, CandidateAddress, CandidateType, Protocol};

/// The candidates that there are.
#[derive(Debug)]
pub(super) struct Emitted {
    list: Vec<Entry>,
    foundations: Foundations,
}

#[derive(Debug)]
struct Entry {
    id: LocalId,
    base: SocketAddr,
    /// The local address that it goes back to.
    ip: IpAddr,
    /// Among those of the same type and local address.
    place: u16,
    candidate: Candidate,
}

/// What is learned of a candidate.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) id: LocalId,
    pub(super) kind: CandidateType,
    pub(super) protocol: Protocol,
    pub(super) address: SocketAddr,
    /// What packets leave from.
    pub(super) base: SocketAddr,
    /// The interface's address that it goes back to.
    pub(super) ip: IpAddr,
    pub(super) related: Option<SocketAddr>,
    pub(super) source: Source<'a>,
}

/// From whom it is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// From nobody else.
    Ourselves,
    /// A server: its URI, its address, and how it was spoken to.
    Server(&'a str, IpAddr, Transport),
    /// The gateway, which leads a port to us.
    Gateway(IpAddr),
    /// From nobody: it is what a NAT is expected to do.
    Guess,
}

/// How many candidates of one type and one local address have priorities of their own.
const SIBLINGS: u16 = 16;

/// Where guesses stand: behind all that was measured, whatever the interface.
const BEHIND_ALL: u16 = 4096;

/// The most candidates of one base: a server, or what plays one, that sees us elsewhere each time adds
/// no more.
const PER_BASE: usize = 16;

impl Emitted {
    pub(super) fn new(secret: [u8; 16]) -> Self {
        Self { list: Vec::new(), foundations: Foundations::new(secret) }
    }

    /// Gives room back that is not needed.
    pub(super) fn shrink(&mut self) {
        self.list.shrink_to_fit();
    }

    /// Forgets some without a word; says of which bases.
    pub(super) fn forget(&mut self, is_gone: impl Fn(&Candidate) -> bool) -> Vec<LocalId> {
        let gone = self.list.extract_if(.., |entry| is_gone(&entry.candidate));
        gone.map(|entry| entry.id).collect()
    }

    /// Whether it adds nothing to what is there: the same address from the same base.
    fn is_redundant(&self, found: &Found<'_>) -> bool {
        let of_base = || self.list.iter().filter(|entry| entry.id == found.id);
        of_base().count() >= PER_BASE
            || of_base().any(|entry| {
                entry.candidate.protocol == found.protocol
                    && entry.candidate.socket_address() == Some(found.address)
            })
    }

    /// Its place among those of the same type and local address: the first that none of them has.
    fn place_of(&self, found: &Found<'_>) -> u16 {
        let is_sibling = |entry: &&Entry| {
            entry.candidate.kind == found.kind
                && entry.ip == found.ip
                && entry.candidate.relay_protocol == found.relay_protocol()
        };
        let taken: Vec<u16> = self.list.iter().filter(is_sibling).map(|it| it.place).collect();
        (0..SIBLINGS).find(|place| !taken.contains(place)).unwrap_or(SIBLINGS - 1)
    }
}

impl Found<'_> {
    fn relay_protocol(&self) -> Option<Transport> {
        match self.source {
            Source::Server(_, _, transport) if self.kind == CandidateType::Relayed => {
                Some(transport)
            }
            _ => None,
        }
    }

    /// Who told of it, and how: part of the foundation (RFC 8445 §5.1.1.3).
    fn teller(&self) -> Option<(IpAddr, Transport)> {
        match self.source {
            Source::Server(_, ip, transport) => Some((ip, transport)),
            Source::Gateway(ip) => Some((ip, Transport::Udp)),
            Source::Ourselves | Source::Guess => None,
        }
    }
}

impl Gatherer {
    /// Tells a candidate, unless it is redundant or must not be told; whether it did.
    pub(super) fn tell(&mut self, found: &Found<'_>) -> bool {
        let is_relayed = found.kind == CandidateType::Relayed;
        let is_hidden = self.config.policy == Policy::Relay && !is_relayed;
        if is_hidden || !can_be_sent_to(found) || self.emitted.is_redundant(found) {
            return false;
        }
        let is_guess = matches!(found.source, Source::Guess);
        let related = match self.config.policy {
            Policy::All => found.related,
            // RFC 8839 §5.1: what stands there if nothing shall be told.
            Policy::Relay => found.related.map(hidden),
        };
        let place = self.emitted.place_of(found);
        let rank = self.ranks.get(&found.ip).copied().unwrap_or_default();
        let rank = rank
            .saturating_mul(SIBLINGS)
            .saturating_add(place)
            .saturating_add(if is_guess { BEHIND_ALL } else { 0 });
        let relay_protocol = found.relay_protocol();
        let foundations = &self.emitted.foundations;
        // RFC 8445 §5.1.1.3: a relayed candidate's base is itself, so that its server's address and its own
        // tell it from others.
        let mut foundation =
            foundations.of(found.kind, found.protocol, found.base.ip(), found.teller());
        if is_guess {
            // Of guesses only one can work: none is to wait for another (RFC 8445 §6.1.2.6).
            foundation.push_str(&found.address.port().to_string());
        }
        let candidate = Candidate {
            foundation,
            component: 1,
            protocol: found.protocol,
            priority: priority::of(found.kind, found.protocol, relay_protocol, rank, 1),
            address: CandidateAddress::Ip(found.address.ip()),
            port: found.address.port(),
            kind: found.kind,
            related,
            username_fragment: Some(self.username_fragment.clone()),
            relay_protocol,
            extensions: Vec::new(),
            url: match found.source {
                Source::Server(url, ..) => Some(url.to_owned()),
                _ => None,
            },
        };
        let (id, base, ip) = (found.id, found.base, found.ip);
        self.events.push_back(Event::Candidate { id, base, candidate: candidate.clone() });
        self.emitted.list.push(Entry { id, base, ip, place, candidate });
        true
    }

    /// Tells one candidate away; its base stays.
    pub(super) fn tell_withdrawn(&mut self, id: LocalId, address: SocketAddr) {
        let is_it =
            |entry: &mut Entry| entry.id == id && entry.candidate.socket_address() == Some(address);
        if self.emitted.list.extract_if(.., is_it).count() > 0 {
            self.events.push_back(Event::Withdrawn { id, address });
        }
    }

    /// Forgets how a server saw a base before.
    pub(super) fn forget_reflexive(&mut self, id: LocalId, url: &str, now_at: SocketAddr) {
        self.emitted.list.retain(|entry| {
            let candidate = &entry.candidate;
            entry.id != id
                || candidate.kind != CandidateType::ServerReflexive
                || candidate.url.as_deref() != Some(url)
                || candidate.socket_address() == Some(now_at)
        });
    }

    /// Tells all candidates of a base away.
    pub(super) fn tell_gone(&mut self, id: LocalId) {
        let before = self.emitted.list.len();
        self.emitted.list.retain(|entry| entry.id != id);
        // Of what was never told of, or hidden, nobody knows.
        if self.emitted.list.len() < before {
            self.events.push_back(Event::Gone(id));
        }
    }

    /// Tells all that there is under the present user name fragment.
    pub(super) fn tell_again(&mut self) {
        // It is not, any more.
        self.events.retain(|event| !matches!(event, Event::Complete));
        let left: Vec<bool> =
            self.emitted.list.iter().map(|it| self.is_left(it.id, &it.candidate)).collect();
        for (entry, is_left) in self.emitted.list.iter_mut().zip(left) {
            if is_left {
                continue;
            }
            if self.config.policy == Policy::Relay {
                entry.candidate.related = entry.candidate.related.map(hidden);
            }
            entry.candidate.username_fragment = Some(self.username_fragment.clone());
            let candidate = entry.candidate.clone();
            let is_it = |told: &Candidate| {
                (told.kind, told.port, &told.address)
                    == (candidate.kind, candidate.port, &candidate.address)
            };
            // What nobody has taken yet is told anew in its place, so that the queue does not grow with restarts.
            let waiting = self.events.iter_mut().rev().find_map(|event| match event {
                Event::Candidate { id, candidate, .. } => {
                    (*id == entry.id && is_it(candidate)).then_some(candidate)
                }
                _ => None,
            });
            match waiting {
                Some(waiting) => *waiting = candidate,
                None => {
                    let (id, base) = (entry.id, entry.base);
                    self.events.push_back(Event::Candidate { id, base, candidate });
                }
            }
        }
    }
}

/// Whether an address that somebody claims is one at all. Port 9 is an active TCP candidate's.
fn can_be_sent_to(found: &Found<'_>) -> bool {
    let ip = found.address.ip();
    !ip.is_unspecified() && !ip.is_multicast() && found.address.port() != 0
}

fn hidden(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 9)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 9)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_after_one_that_is_forgotten_gets_its_place_and_nobody_elses() {
        let mut emitted = Emitted::new([0; 16]);
        let base = SocketAddr::from(([10, 0, 0, 1], 5000));
        let kind = CandidateType::ServerReflexive;
        let found = |port: u16| Found {
            id: LocalId(1),
            kind,
            protocol: Protocol::Udp,
            address: SocketAddr::from(([192, 0, 2, 1], port)),
            base,
            ip: base.ip(),
            related: Some(base),
            source: Source::Ourselves,
        };
        for port in 1..=3 {
            let place = emitted.place_of(&found(port));
            assert_eq!(place, port - 1);
            let address = found(port).address;
            let candidate = Candidate::new(kind, Protocol::Udp, address, 1, String::new());
            emitted.list.push(Entry { id: LocalId(1), base, ip: base.ip(), place, candidate });
        }
        emitted.list.remove(1);
        assert_eq!(emitted.place_of(&found(4)), 1);
    }
}
