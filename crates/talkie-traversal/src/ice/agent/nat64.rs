//! The way from an IPv6-only host to IPv4 candidates: a NAT64, whose prefix is found out by asking the resolver
//! for a name that has IPv4 addresses only (RFC 7050 §3). A resolver that knows of a NAT64 answers with IPv6
//! addresses, which hold the two known IPv4 ones behind the prefix (RFC 6052 §2.2); every IPv4 candidate of the
//! other side then has an IPv6 address as well (RFC 8305 §7.1).
//!
//! Without that such a host is reached through NAT64s that let in anybody, but can open no other to an IPv4
//! address that has no name. Nobody is asked before there is such a candidate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use talkie_sansio::{Answer, Interface, Want, WantId};

use super::Agent;
use super::remote::is_sendable;
use crate::ice::candidate::{Candidate, CandidateAddress, CandidateType, Protocol};

/// RFC 7050 §8.2: the name, and what it stands for.
const NAME: &str = "ipv4only.arpa";
const KNOWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];
/// RFC 6052 §2.2, in bytes; the commonest first.
const LENGTHS: [usize; 6] = [12, 8, 7, 6, 5, 4];
/// RFC 6052 §2.2: bits 64 to 71 are zero, and no address stands in them.
const RESERVED: usize = 8;

/// What is known of a NAT64.
#[derive(Debug, Default)]
pub(super) struct Nat64 {
    /// Whether this host has IPv6 and no IPv4.
    is_needed: bool,
    knowledge: Knowledge,
}

#[derive(Clone, Copy, Debug, Default)]
enum Knowledge {
    #[default]
    None,
    Asked(WantId),
    /// One prefix is enough; `None` where there is no NAT64.
    Known(Option<Prefix>),
}

/// The first bytes of an address, and how many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Prefix {
    bytes: [u8; 16],
    length: usize,
}

impl Nat64 {
    pub(super) fn is_asked(&self) -> bool {
        matches!(self.knowledge, Knowledge::Asked(_))
    }
}

impl Prefix {
    /// That of an address in which one of the known ones is.
    fn of(address: Ipv6Addr) -> Option<Self> {
        LENGTHS.into_iter().find_map(|length| {
            let mut bytes = [0; 16];
            bytes[..length].copy_from_slice(&address.octets()[..length]);
            let prefix = Self { bytes, length };
            KNOWN.iter().any(|known| prefix.embed(*known) == address).then_some(prefix)
        })
    }

    fn embed(self, address: Ipv4Addr) -> Ipv6Addr {
        let mut bytes = self.bytes;
        let places = (self.length..16).filter(|place| *place != RESERVED);
        for (place, byte) in places.zip(address.octets()) {
            bytes[place] = byte;
        }
        bytes.into()
    }
}

impl Agent {
    /// The host's addresses are these now: what was known of another network is forgotten.
    pub(super) fn note_families(&mut self, now: Instant, interfaces: &[Interface]) {
        let leads_out = |interface: &&Interface| match interface.address {
            IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
            IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
        };
        let mut usable = interfaces.iter().filter(leads_out);
        let has_v4 = usable.clone().any(|interface| interface.address.is_ipv4());
        self.forget_nat64();
        self.nat64.is_needed = !has_v4 && usable.next().is_some();
        self.lead_all_through_nat64(now);
    }

    /// The same for all that there are.
    pub(super) fn lead_all_through_nat64(&mut self, now: Instant) {
        let known: Vec<Candidate> =
            self.current.remotes.iter().map(|remote| remote.candidate.clone()).collect();
        for candidate in known {
            self.lead_through_nat64(now, &candidate);
        }
    }

    pub(super) fn forget_nat64(&mut self) {
        if let Knowledge::Asked(id) = self.nat64.knowledge {
            self.wants.push_back(Want::Close { id });
        }
        self.nat64.knowledge = Knowledge::None;
    }

    /// Gives an IPv4 candidate of theirs an address beyond the NAT64, or asks whether there is one.
    pub(super) fn lead_through_nat64(&mut self, now: Instant, candidate: &Candidate) {
        let CandidateAddress::Ip(IpAddr::V4(ip)) = candidate.address else { return };
        // RFC 6052 §3.1: what is not global is nobody's beyond it.
        let is_reachable = !(ip.is_private() || ip.is_loopback() || ip.is_link_local());
        // One that is known by its checks has shown another way.
        let is_told = candidate.kind != CandidateType::PeerReflexive;
        let is_udp = candidate.protocol == Protocol::Udp;
        if !(self.nat64.is_needed && is_told && is_udp && is_reachable) {
            return;
        }
        match self.nat64.knowledge {
            Knowledge::None => {
                let id = self.new_name_want();
                self.nat64.knowledge = Knowledge::Asked(id);
                self.wants.push_back(Want::Resolve { id, name: NAME.to_owned() });
            }
            Knowledge::Known(Some(prefix)) => {
                let address = SocketAddr::new(prefix.embed(ip).into(), candidate.port);
                if !is_sendable(address) {
                    return;
                }
                let candidate =
                    Candidate { address: CandidateAddress::Ip(address.ip()), ..candidate.clone() };
                // What finds no room is counted.
                self.with_current(now, |generation, context| {
                    generation.add_remote(context, candidate, Some(address))
                });
            }
            Knowledge::Asked(_) | Knowledge::Known(None) => {}
        }
    }

    /// Takes an answer, if it is the one about the prefix.
    pub(super) fn handle_nat64(&mut self, now: Instant, id: WantId, answer: &Answer) -> bool {
        if !matches!(self.nat64.knowledge, Knowledge::Asked(asked) if asked == id) {
            return false;
        }
        let addresses = match answer {
            Answer::Resolved { addresses, .. } => addresses.as_slice(),
            _ => &[],
        };
        let prefix = addresses.iter().find_map(|address| match address {
            IpAddr::V6(address) => Prefix::of(*address),
            IpAddr::V4(_) => None,
        });
        self.nat64.knowledge = Knowledge::Known(prefix);
        self.lead_all_through_nat64(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6052 §2.4, with the known addresses in place of 192.0.2.33.
    #[test]
    fn a_prefix_of_each_length_is_found_and_used() {
        for (known, example) in [
            ("2001:db8:c000:aa::", "2001:db8:c000:221::"),
            ("2001:db8:1c0:0:aa::", "2001:db8:1c0:2:21::"),
            ("2001:db8:122:c000:0:aa00::", "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:3c0:0:aa:0:0", "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344:c0:0:aa00::", "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::192.0.0.170", "2001:db8:122:344::192.0.2.33"),
            ("64:ff9b::192.0.0.171", "64:ff9b::192.0.2.33"),
        ] {
            let prefix = Prefix::of(known.parse().unwrap()).expect(known);
            let embedded = prefix.embed(Ipv4Addr::new(192, 0, 2, 33));
            assert_eq!(embedded, example.parse::<Ipv6Addr>().unwrap());
        }
        for other in ["2001:db8::1", "64:ff9b::192.0.0.172", "::"] {
            assert_eq!(Prefix::of(other.parse().unwrap()), None, "{other}");
        }
    }
}
