//! Which peers a client may reach through the relay.
//!
//! A relay stands inside somebody's network: without a policy it is a door into it. Every peer
//! address is therefore first brought to its canonical forms, because IPv6 has many ways to write an
//! IPv4 address, and then each form is judged by its class. Only globally routable unicast
//! addresses pass; everything else is refused unless the operator allows it by name, and what the
//! operator denies is refused whatever else says otherwise.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The operator's word on peers. The default allows the public Internet and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerPolicy {
    /// Networks that are allowed though their [`Class`] is refused by default.
    pub allow: Vec<IpNet>,
    /// Networks that are refused; wins over `allow`.
    pub deny: Vec<IpNet>,
}

/// What kind of address a peer has (the IANA special-purpose registries of RFC 6890).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Globally routable unicast: the only class that is allowed by default.
    Global,
    /// `0.0.0.0/8`, `::`: reaches the host itself on many systems.
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// RFC 1918 and unique local addresses (RFC 4193), and the old site-local ones.
    Private,
    /// `100.64.0.0/10`, the carrier's side of a NAT (RFC 6598).
    CarrierNat,
    /// `169.254.0.0/16`, `fe80::/10`; the metadata services of clouds live there.
    LinkLocal,
    /// A cloud's metadata service at an address that looks public.
    Metadata,
    /// Reserved for documentation (RFC 5737, 3849, 9637).
    Documentation,
    /// Reserved for benchmarks (RFC 2544, 5180).
    Benchmarking,
    /// Multicast.
    Multicast,
    /// `255.255.255.255`.
    Broadcast,
    /// Reserved, unassigned, discard-only or local translation prefixes.
    Reserved,
}

impl PeerPolicy {
    /// Whether a peer at `ip` may be reached.
    #[must_use]
    pub fn allows(&self, ip: IpAddr) -> bool {
        let forms = Forms::of(ip);
        !self.denies_any(&forms)
            && forms.iter().all(|form| Class::of(form) == Class::Global || self.names(form))
    }

    /// Whether the operator allows every canonical form of `ip` by name.
    #[must_use]
    pub fn allows_by_name(&self, ip: IpAddr) -> bool {
        let forms = Forms::of(ip);
        !self.denies_any(&forms) && forms.iter().all(|form| self.names(form))
    }

    fn names(&self, ip: IpAddr) -> bool {
        self.allow.iter().any(|net| net.contains(&ip))
    }

    fn denies_any(&self, forms: &Forms) -> bool {
        forms.iter().any(|form| self.deny.iter().any(|net| net.contains(&form)))
    }
}

impl Class {
    /// The class of `ip` as it stands; see [`canonical`] for the addresses inside it.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Self {
        match ip.octets() {
            [0, ..] => Self::Unspecified,
            [127, ..] => Self::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Self::Private,
            [100, 64..=127, ..] => Self::CarrierNat,
            [169, 254, ..] => Self::LinkLocal,
            // The host agent of one large cloud, reachable from every machine in it.
            [168, 63, 129, 16] => Self::Metadata,
            [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Self::Documentation,
            [198, 18..=19, ..] => Self::Benchmarking,
            [224..=239, ..] => Self::Multicast,
            [255, 255, 255, 255] => Self::Broadcast,
            // IETF protocol assignments, the retired 6to4 relay anycast, and class E.
            [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => Self::Reserved,
            _ => Self::Global,
        }
    }

    fn of_v6(ip: Ipv6Addr) -> Self {
        if ip.is_unspecified() {
            return Self::Unspecified;
        }
        if ip.is_loopback() {
            return Self::Loopback;
        }
        match ip.segments() {
            [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Self::Private,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            [0xff00..=0xffff, ..] => Self::Multicast,
            [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Self::Documentation,
            [0x2001, 0x0002, 0, ..] => Self::Benchmarking,
            // ORCHID and ORCHIDv2 are hashes, not addresses (RFC 4843, 7343).
            [0x2001, 0x0010..=0x002f, ..] => Self::Reserved,
            // Everything outside 2000::/3 is unassigned or special; that includes the local
            // translation prefix 64:ff9b:1::/48 (RFC 8215), whose layout only its operator knows.
            [0x2000..=0x3fff, ..] => Self::Global,
            _ => Self::Reserved,
        }
    }
}

/// The address that a packet to `ip` ends at, if `ip` merely writes it in another way.
///
/// IPv4-mapped, IPv4-compatible, IPv4-translated (RFC 2765) and the well-known NAT64 prefix
/// (RFC 6052) become the IPv4 address; any other address stays.
#[must_use]
pub fn canonical(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    match v6.segments() {
        // `::` and `::1` have meanings of their own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => ip,
        [0, 0, 0, 0, 0, 0 | 0xffff, a, b]
        | [0, 0, 0, 0, 0xffff, 0, a, b]
        | [0x64, 0xff9b, 0, 0, 0, 0, a, b] => IpAddr::V4(v4(a, b)),
        _ => ip,
    }
}

/// All addresses that a packet to one address may end at; at most four.
pub(super) struct Forms([Option<IpAddr>; 4]);

impl Forms {
    pub(super) fn of(ip: IpAddr) -> Self {
        let ip = canonical(ip);
        let mut forms = [Some(ip), None, None, None];
        let IpAddr::V6(v6) = ip else { return Self(forms) };
        let segments = v6.segments();
        match segments {
            // 6to4 (RFC 3056): the tunnel ends at the embedded IPv4 address.
            [0x2002, a, b, ..] => forms[1] = Some(v4(a, b).into()),
            // Teredo (RFC 4380): the server, and the client with its bits flipped.
            [0x2001, 0, a, b, _, _, c, d] => {
                forms[1] = Some(v4(a, b).into());
                forms[2] = Some(v4(!c, !d).into());
            }
            _ => {}
        }
        // ISATAP (RFC 5214 §6.1): an interface identifier, under any prefix.
        if let [.., 0 | 0x0200, 0x5efe, a, b] = segments {
            forms[3] = Some(v4(a, b).into());
        }
        Self(forms)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.0.iter().flatten().copied()
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
