//! The fast path: a packet relayed in the buffer that it was received in.
//!
//! ChannelData differs from its payload by four bytes in front (and padding behind, on a stream), so
//! relaying it is a look-up and at most one small write. Packets come in runs of few flows, whose
//! routes are kept until something that they rest on ends or changes. What needs more than that
//! (requests, indications) is left to [`handle_datagram`](talkie_sansio::Machine::handle_datagram),
//! which does the same to these packets, only slower.

use std::ops::Range;
use std::time::Instant;

use talkie_sansio::Path;

use super::TurnServer;
use super::route::{NoRoute, Route, Way};
use crate::stun::attributes::ChannelNumber;
use crate::turn::channel_data::{self, ChannelData};

/// The free bytes that [`TurnServer::forward`] may need in front of a packet: ChannelData's header.
pub const HEADROOM: usize = channel_data::HEADER_LENGTH;

/// The free bytes that it may need behind a packet: the padding on a stream.
pub const TAILROOM: usize = 3;

/// A received packet with room around it.
#[derive(Debug)]
pub struct Packet<'a> {
    /// The buffer.
    pub buffer: &'a mut [u8],
    /// Where the packet is in it; at least [`HEADROOM`] from the start and [`TAILROOM`] from the
    /// end for the fast path to take it.
    pub range: Range<usize>,
}

/// What to do with the packet.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forward {
    /// Send this range of the buffer along `path`.
    Send {
        /// The way out.
        path: Path,
        /// What to send; may reach beyond the packet as it was received.
        range: Range<usize>,
    },
    /// Not for the fast path: hand it to `handle_datagram`. The buffer is unchanged.
    Slow,
    /// Nothing; it is counted.
    Drop,
}

/// The route of a recent packet.
#[derive(Clone, Copy)]
struct Flow {
    path: Path,
    /// The channel, if the packet came from a client.
    channel: Option<ChannelNumber>,
    route: Route,
    /// The [`Flows::epoch`] that it belongs to.
    epoch: u64,
}

/// The routes of recent packets: one place for each value of a cheap hash, overwritten by the next
/// flow that falls on it. Colliding on purpose only slows the collider down.
pub(super) struct Flows {
    places: Box<[Option<Flow>]>,
    epoch: u64,
}

/// A quarter of a kilobyte each.
const PLACES: usize = 256;

impl Flows {
    pub(super) fn new() -> Self {
        Self { places: vec![None; PLACES].into(), epoch: 0 }
    }

    /// Forgets every route: what they rest on may have changed.
    pub(super) fn forget(&mut self) {
        self.epoch += 1;
    }

    fn get(&self, path: &Path, channel: Option<ChannelNumber>, now: Instant) -> Option<&Route> {
        let flow = self.places[place(path, channel)].as_ref()?;
        let same = flow.epoch == self.epoch && flow.channel == channel && flow.path == *path;
        (same && now < flow.route.until).then_some(&flow.route)
    }

    fn put(&mut self, path: Path, channel: Option<ChannelNumber>, route: Route) {
        let flow = Flow { path, channel, route, epoch: self.epoch };
        self.places[place(&path, channel)] = Some(flow);
    }
}

/// Ports tell flows apart well enough.
fn place(path: &Path, channel: Option<ChannelNumber>) -> usize {
    let channel = channel.map_or(0, ChannelNumber::number);
    let mix = path.remote.port() ^ path.local.port().rotate_left(5) ^ channel.rotate_left(3);
    usize::from(mix) % PLACES
}

impl TurnServer {
    /// Relays a packet that came along `path`, if it is client's ChannelData or a peer's datagram
    /// for a channel.
    pub fn forward(&mut self, now: Instant, path: Path, packet: &mut Packet<'_>) -> Forward {
        let Some(bytes) = packet.buffer.get(packet.range.clone()) else { return Forward::Drop };
        let (channel, payload) = if self.table.relay_at(&path).is_some() {
            (None, packet.range.clone())
        } else {
            if !matches!(bytes.first(), Some(64..=79)) {
                return Forward::Slow;
            }
            // What is malformed may have to end a connection.
            let Ok(message) = ChannelData::parse(bytes) else { return Forward::Slow };
            let start = packet.range.start + channel_data::HEADER_LENGTH;
            (Some(message.channel), start..start + message.data.len())
        };
        match self.way(now, path, channel) {
            Ok(way) => self.rewrite(&way, packet, payload),
            Err(cause) => {
                self.count_no_route(cause);
                Forward::Drop
            }
        }
    }

    /// The way of a packet, from a recent one of the same flow if there was one.
    fn way(
        &mut self,
        now: Instant,
        path: Path,
        channel: Option<ChannelNumber>,
    ) -> Result<Way, NoRoute> {
        if let Some(route) = self.flows.get(&path, channel, now) {
            return Ok(route.way);
        }
        let route = match channel {
            Some(channel) => self.route_channel(now, &path, channel),
            None => self.route_in(now, &path),
        }?;
        self.flows.put(path, channel, route);
        Ok(route.way)
    }

    fn rewrite(&mut self, way: &Way, packet: &mut Packet<'_>, payload: Range<usize>) -> Forward {
        let bytes = payload.len();
        let (path, range) = match way {
            Way::ToPeer { path, .. } => (*path, payload),
            Way::ToClient(delivery) | Way::Inside { to: delivery, .. } => {
                let Some(channel) = delivery.channel else { return Forward::Slow };
                let padded = delivery.path.transport.is_reliable();
                let Some(range) = wrap(packet.buffer, payload, channel, padded) else {
                    return Forward::Slow;
                };
                (delivery.path, range)
            }
        };
        self.count_relayed(way, bytes);
        Forward::Send { path, range }
    }
}

/// Puts ChannelData around `payload`. `None`, and nothing is changed, if there is no room.
fn wrap(
    buffer: &mut [u8],
    payload: Range<usize>,
    channel: ChannelNumber,
    padded: bool,
) -> Option<Range<usize>> {
    let header = channel_data::header(channel, payload.len())?;
    let start = payload.start.checked_sub(header.len())?;
    let padding = if padded { payload.len().next_multiple_of(4) - payload.len() } else { 0 };
    let end = payload.end + padding;
    buffer.get_mut(payload.end..end)?.fill(0);
    buffer[start..payload.start].copy_from_slice(&header);
    Some(start..end)
}
