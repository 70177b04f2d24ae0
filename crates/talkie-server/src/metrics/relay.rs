//! The relay's counters as Prometheus families.

use talkie_traversal::turn::server::Family;

use super::{Exposition, Kind};
use crate::relay::RelayStats;

pub(crate) fn write(text: &mut Exposition, stats: &RelayStats) {
    allocations(text, stats);
    traffic(text, stats);
    drops(text, stats);
    let turn = &stats.turn;
    for (name, help, value) in [
        ("talkie_relay_sockets", "Relay sockets, reserved ones included.", turn.relays_now),
        ("talkie_relay_users", "Users with an allocation or a reservation.", turn.users_now),
        ("talkie_relay_streams", "TCP and TLS connections of the relay.", stats.streams),
    ] {
        text.single(name, Kind::Gauge, help, value);
    }
    for (name, help, value) in [
        ("talkie_stun_bindings_total", "Binding requests answered.", turn.bindings),
        ("talkie_relay_denied_peers_total", "Peers refused by policy.", turn.denied_peers),
        ("talkie_relay_streams_refused_total", "Connections refused.", stats.streams_refused),
    ] {
        text.single(name, Kind::Counter, help, value);
    }
    let name = "talkie_relay_errors_total";
    text.family(name, Kind::Counter, "Error responses by code; 401 is how each client begins.");
    for (code, count) in &turn.errors {
        text.sample(name, &[("code", &code.to_string())], count);
    }
}

fn allocations(text: &mut Exposition, stats: &RelayStats) {
    let name = "talkie_relay_allocations";
    text.family(name, Kind::Gauge, "Allocations now; one of both families counts in both.");
    let family = |family: &Family| match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    };
    let kinds = &stats.turn.allocations;
    for ((transport, relayed), count) in kinds {
        let labels = [("transport", &*transport.to_string()), ("family", family(relayed))];
        text.sample(name, &labels, count.now);
    }
    let name = "talkie_relay_allocations_total";
    text.family(name, Kind::Counter, "Allocations since the start.");
    for ((transport, relayed), count) in kinds {
        let labels = [("transport", &*transport.to_string()), ("family", family(relayed))];
        text.sample(name, &labels, count.total);
    }
}

fn traffic(text: &mut Exposition, stats: &RelayStats) {
    let turn = &stats.turn;
    let directions =
        [("to_peers", &turn.to_peers), ("to_clients", &turn.to_clients), ("inside", &turn.inside)];
    let name = "talkie_relay_packets_total";
    text.family(name, Kind::Counter, "Relayed packets; inside: between two clients of ours.");
    for (direction, traffic) in directions {
        text.sample(name, &[("direction", direction)], traffic.packets);
    }
    let name = "talkie_relay_bytes_total";
    text.family(name, Kind::Counter, "Relayed payload in bytes.");
    for (direction, traffic) in directions {
        text.sample(name, &[("direction", direction)], traffic.bytes);
    }
}

fn drops(text: &mut Exposition, stats: &RelayStats) {
    let name = "talkie_relay_drops_total";
    text.family(name, Kind::Counter, "Packets dropped by cause.");
    let (drops, packets) = (&stats.turn.drops, &stats.packets);
    for (cause, count) in [
        ("malformed", drops.malformed),
        ("fingerprint", drops.fingerprint),
        ("no_allocation", drops.no_allocation),
        ("no_channel", drops.no_channel),
        ("no_permission", drops.no_permission),
        ("own_address", drops.own_address),
        ("unsupported", drops.unsupported),
        ("over_budget", drops.over_budget),
        ("queue_full", drops.queue_full),
        ("too_long", drops.too_long),
        ("busy", packets.dropped_busy),
        ("slow_reader", packets.dropped_slow_reader),
        ("no_path", packets.dropped_no_path),
        ("unreachable", packets.dropped_unreachable),
    ] {
        text.sample(name, &[("cause", cause)], count);
    }
    if let Some(count) = stats.kernel_drops {
        text.sample(name, &[("cause", "kernel")], count);
    }
}
