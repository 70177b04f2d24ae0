//! What kind of NAT it is: the behaviours that RFC 4787 tells apart, each a choice of its own.

use std::net::IpAddr;
use std::time::Duration;

/// What a mapping, the outside port that an inside port is given, depends on (RFC 4787 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mapping {
    /// An inside port has the same outside port whomever it talks to. What one remote learns of it is
    /// true for all.
    EndpointIndependent,
    /// Each remote address sees another outside port.
    AddressDependent,
    /// Each remote address and port sees another outside port.
    AddressAndPortDependent,
}

/// Whom a mapping lets in (RFC 4787 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Filtering {
    /// Everybody, as long as the mapping lasts.
    EndpointIndependent,
    /// Whoever is at an address that the inside port has sent to.
    AddressDependent,
    /// Only an address and port that the inside port has sent to.
    AddressAndPortDependent,
}

/// How an outside port is chosen for a new mapping (RFC 4787 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ports {
    /// The inside port's number where it is free, else the next free one.
    Preserving,
    /// As Linux does it: the port that the inside port was given last, where it still has one, else its
    /// own number, also below 1024, else any.
    PreservingOrRandom,
    /// One after the other, `step` apart.
    Sequential {
        /// What is added for the next mapping; many boxes add 1, some 2.
        step: u16,
    },
    /// Any.
    Random,
}

/// Whether an inside host keeps its outside address where the NAT has several (RFC 4787 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pooling {
    /// All mappings of an inside host have the same outside address (REQ-2).
    Paired,
    /// Each mapping gets the next one.
    Arbitrary,
}

/// What becomes of a packet from inside to an outside address of the same NAT (RFC 4787 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hairpinning {
    /// It is lost.
    Unsupported,
    /// It comes from the sender's outside address, as REQ-9 wants it.
    ExternalSource,
    /// It comes from the sender's inside address; replies go around the NAT.
    InternalSource,
}

/// What a packet from outside that is let in by no mapping leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unsolicited {
    /// Nothing.
    Forgotten,
    /// A note of the flow, as Linux' connection tracking makes one for the box itself. It occupies the
    /// outside port towards that remote: who is inside and preserves that port gets another one for
    /// it, and hole punching fails. UDP only: the box resets a TCP connection that it does not want and
    /// forgets it at once, and an echo request that came in is no obstacle to one that goes out. A
    /// [`Gateway`](crate::gateway::Gateway) sends these resets, and what else the box answers.
    Tracked,
}

/// All about one NAT. Start from a preset and change what matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The addresses outside, at least one. Those of a family that is missing here are not translated:
    /// their packets keep their addresses and are only filtered.
    pub outside: Vec<IpAddr>,
    /// Which outside port an inside port is given.
    pub mapping: Mapping,
    /// Whom it lets in.
    pub filtering: Filtering,
    /// How a port is chosen.
    pub ports: Ports,
    /// Whether mappings to different remotes may share an outside port (RFC 4787 §4.2.1, port
    /// overloading): then only the whole flow must be unlike all others.
    pub overloading: bool,
    /// Whether even inside ports get even outside ports (RFC 4787 §4.2.2).
    pub parity: bool,
    /// Whether the next inside port of a host gets the next outside port (RFC 4787 §4.2.3).
    pub contiguous: bool,
    /// Which address a host is given.
    pub pooling: Pooling,
    /// Whether those inside reach each other by their outside addresses.
    pub hairpinning: Hairpinning,
    /// What comes uninvited.
    pub unsolicited: Unsolicited,
    /// How long a UDP mapping lasts without traffic: two minutes at least, five recommended (RFC 4787
    /// REQ-5); real boxes take 30 s and more.
    pub lifetime: Duration,
    /// How long it lasts once a remote has answered, where that is longer.
    pub lifetime_answered: Option<Duration>,
    /// How old a mapping has to be when it is used for that to count. A query and its answer are soon
    /// over, and Linux keeps room for what goes on.
    pub answered_from: Duration,
    /// How long a mapping for ICMP queries lasts: a minute at least (RFC 5508 REQ-2).
    pub icmp_lifetime: Duration,
    /// How long a TCP connection lasts without traffic that both sides have agreed to: 2 h 4 min at
    /// least, a little more than what keepalives come after (RFC 5382 REQ-5).
    pub tcp_established: Duration,
    /// How long one lasts that is opening or closing: 4 min at least (RFC 5382 REQ-5).
    pub tcp_transitory: Duration,
    /// Whether packets from outside keep a mapping alive, too (RFC 4787 §4.3; those from inside always
    /// do). TCP connections are kept alive by both.
    pub inbound_refresh: bool,
    /// Whether UDP passes at all.
    pub udp: bool,
    /// The most mappings at once. What would be one more is dropped.
    pub most_mappings: usize,
    /// The most remotes that one mapping remembers; the one that was silent longest gives way.
    pub most_remotes: usize,
    /// The most that all together remember, but for one each.
    pub most_remotes_in_all: usize,
}

/// The outside ports that are given away: those that are nobody's by custom (RFC 4787 §4.2.1 asks for
/// 1024 to 65535 where the inside port is from there).
pub(super) const LOWEST_PORT: u16 = 1024;
