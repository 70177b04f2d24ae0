//! What a box does to a packet: nothing, or what the gateway of the simulator does.

use std::net::IpAddr;
use std::time::Instant;

use talkie_net::tun::Header;
use talkie_sim::gateway::{Checksums, Config, Gateway, Outcome, Side};
use talkie_sim::nat;

use super::super::addresses::Addresses;
use super::super::plan::Type;
use super::control::TableRow;

/// A gateway; `None` is a router without opinions.
pub(super) struct Translation(Option<Gateway>);

impl Translation {
    pub(super) fn new(now: Instant, kind: Type, at: &Addresses, seed: [u8; 32]) -> Self {
        let Type::Nat(preset) = kind else { return Self(None) };
        let nat = preset.config(at.outside.iter().copied());
        let inside: Vec<IpAddr> = vec![at.gateway.into(), at.v6.gateway.into()];
        let config = Config { inside, ..Config::new(nat) };
        Self(Some(Gateway::new(now, config, seed)))
    }

    /// Translates a packet that was read from the side `from`, header and all, where it lies; to which
    /// side it goes, if to any.
    pub(super) fn handle_packet(
        &mut self,
        now: Instant,
        from: Side,
        read: &mut [u8],
    ) -> Option<Side> {
        let (header, packet) = Header::split(read)?;
        let Some(gateway) = &mut self.0 else {
            return Some(if from == Side::Inside { Side::Outside } else { Side::Inside });
        };
        let checksums =
            if header.needs_checksum() { Checksums::Partial } else { Checksums::Complete };
        match gateway.handle_packet(now, from, packet, checksums) {
            Outcome::Forwarded(to) => Some(to),
            Outcome::Held | Outcome::Dropped(_) => None,
        }
    }

    /// A packet of the gateway's own, without a header before it.
    pub(super) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Side> {
        self.0.as_mut()?.poll_transmit(buf)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some(gateway) = &mut self.0 {
            gateway.handle_timeout(now);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.0.as_ref()?.poll_timeout()
    }

    pub(super) fn rows(&self, now: Instant) -> Vec<TableRow> {
        let rows = self.0.as_ref().map(|gateway| gateway.nat().rows()).unwrap_or_default();
        rows.iter().map(|row| written(row, now)).collect()
    }

    /// Why packets went no further, and how many.
    pub(super) fn drops(&self) -> Vec<(String, u64)> {
        let drops = self.0.iter().flat_map(|gateway| gateway.counters().drops());
        drops.map(|(reason, count)| (reason.to_string(), count)).collect()
    }
}

fn written(row: &nat::Row, now: Instant) -> TableRow {
    TableRow {
        protocol: row.protocol.to_string(),
        inside: row.inside.to_string(),
        outside: row.outside.to_string(),
        to: row.to.to_string(),
        from: row.from.to_string(),
        idle: Some(now.saturating_duration_since(row.used).as_secs_f64()),
    }
}
