//! Names and who resolves them. There is one table for all; each host has a resolver of its own, which
//! takes its time, and may be a DNS64.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use talkie_sansio::{Answer, WantError, WantId};

use crate::nat::Prefix;
use crate::net::fabric::Fabric;
use crate::net::link::nanos;

/// Whom a host asks for names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// How long an answer takes.
    pub delay: Duration,
    /// The prefix of a DNS64 (RFC 6147): a name that has IPv4 addresses only has IPv6 addresses of this
    /// prefix as well.
    pub dns64: Option<Prefix>,
    /// Whether it answers at all. If not, the question fails after 10 s, as with the usual two tries of
    /// five seconds (resolv.conf(5)).
    pub answers: bool,
}

/// All names.
#[derive(Debug)]
pub(in crate::net) struct Names(BTreeMap<String, Vec<IpAddr>>);

const GIVEN_UP: Duration = Duration::from_secs(10);

impl Default for Resolver {
    /// Twenty milliseconds, a provider's resolver with a warm cache.
    fn default() -> Self {
        Self { delay: Duration::from_millis(20), dns64: None, answers: true }
    }
}

impl Default for Names {
    /// RFC 7050 §2.2: the name by which a host finds out whether its resolver is a DNS64.
    fn default() -> Self {
        let known = [170, 171].map(|last| IpAddr::from([192, 0, 0, last]));
        Self(BTreeMap::from([("ipv4only.arpa".to_owned(), known.to_vec())]))
    }
}

impl Names {
    pub(super) fn set(&mut self, name: &str, addresses: Vec<IpAddr>) {
        self.0.insert(canonical(name), addresses);
    }

    fn get(&self, name: &str) -> Vec<IpAddr> {
        match name.parse() {
            Ok(address) => vec![address],
            Err(_) => self.0.get(&canonical(name)).cloned().unwrap_or_default(),
        }
    }
}

/// RFC 4343: case tells no names apart; a dot at the end says that nothing follows.
fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

impl Fabric {
    pub(super) fn resolve_name(&mut self, node: u32, id: WantId, name: &str) {
        let Some(resolver) = self.hosting(node).map(|hosting| hosting.resolver) else { return };
        if !resolver.answers {
            let answer = Answer::Failed { id, error: WantError::TimedOut };
            return self.owe(node, self.now + nanos(GIVEN_UP), answer);
        }
        let mut addresses = self.names.get(name);
        let is_name = name.parse::<IpAddr>().is_err();
        if let Some(prefix) = resolver.dns64.filter(|_| is_name)
            && addresses.iter().all(IpAddr::is_ipv4)
        {
            // RFC 6147 §5.1.4: names that have IPv6 addresses keep just those.
            let embedded: Vec<IpAddr> = addresses
                .iter()
                .filter_map(|address| match address {
                    IpAddr::V4(address) => Some(prefix.embed(*address).into()),
                    IpAddr::V6(_) => None,
                })
                .collect();
            addresses.splice(0..0, embedded);
        }
        // RFC 6724 §6, rule 1 and §2.1: what the host has no address for comes last, IPv6 comes first.
        addresses.sort_by_key(|address| (!self.has_family(node, *address), address.is_ipv4()));
        let answer = match addresses.is_empty() {
            true => Answer::Failed { id, error: WantError::NoAddress },
            false => Answer::Resolved { id, addresses },
        };
        self.owe(node, self.now + nanos(resolver.delay), answer);
    }

    fn has_family(&self, node: u32, address: IpAddr) -> bool {
        self.addresses(node).any(|(_, own)| own.is_ipv4() == address.is_ipv4())
    }
}
