//! Counters for an operator's metrics. They only grow, except those that say `now`.

use std::collections::BTreeMap;

use talkie_sansio::Transport;

use super::event::Traffic;
use super::table::Family;

/// What the server has done since its birth, and holds now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Allocations by the client's transport and the relayed family; a dual one counts in both.
    pub allocations: BTreeMap<(Transport, Family), Allocations>,
    /// Relay sockets open or being opened now, reserved ones included.
    pub relays_now: usize,
    /// Reserved ports now.
    pub reservations_now: usize,
    /// Users with an allocation or a reservation now.
    pub users_now: usize,
    /// Binding requests answered.
    pub bindings: u64,
    /// Payload relayed from clients to peers through the network.
    pub to_peers: Traffic,
    /// Payload relayed from peers to clients.
    pub to_clients: Traffic,
    /// Payload relayed from client to client inside the server; in none of the two above.
    pub inside: Traffic,
    /// Error responses by code; 401 counts every challenge, which is how each client begins.
    pub errors: BTreeMap<u16, u64>,
    /// Peers refused by policy, in requests.
    pub denied_peers: u64,
    /// Packets dropped, by cause.
    pub drops: Drops,
}

/// Allocations of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    /// Now.
    pub now: u64,
    /// Since birth.
    pub total: u64,
}

/// Packets dropped, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Neither STUN nor ChannelData, or malformed, or a message that no server takes.
    pub malformed: u64,
    /// A wrong FINGERPRINT.
    pub fingerprint: u64,
    /// Data for or from no allocation.
    pub no_allocation: u64,
    /// Data on a channel that is not bound.
    pub no_channel: u64,
    /// Data to or from a peer without permission.
    pub no_permission: u64,
    /// Data to an address of our own that is not a live relay, or was one that is now forbidden.
    pub own_address: u64,
    /// Send indications that ask for what cannot be done (DONT-FRAGMENT, unknown attributes).
    pub unsupported: u64,
    /// Requests of NAT behaviour discovery from a source that asks too much.
    pub over_budget: u64,
    /// Too much waits for the driver already.
    pub queue_full: u64,
    /// Data too long for the framing of the other side.
    pub too_long: u64,
}
