//! The fast path: a packet relayed in the buffer that it was received in.
//!
//! ChannelData differs from its payload by four bytes in front (and padding behind, on a stream), so
//! relaying it is a look-up and at most one small write. Packets come in runs of one flow, and the
//! last flow's route is kept until something that it rests on changes. What needs more than that
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

/// The route of the last packet.
#[derive(Clone, Copy)]
pub(super) struct Flow {
    path: Path,
    /// The channel, if the packet came from a client.
    channel: Option<ChannelNumber>,
    route: Route,
}

impl TurnServer {
    /// Relays a packet that came along `path`, if it is client's ChannelData or a peer's datagram
    /// for a channel.
    pub fn forward(&mut self, now: Instant, path: Path, packet: &mut Packet<'_>) -> Forward {
        let Some(bytes) = packet.buffer.get(packet.range.clone()) else { return Forward::Drop };
        let from_peer = match &self.flow {
            Some(flow) if flow.path == path => flow.channel.is_none(),
            _ => self.table.relay_at(&path).is_some(),
        };
        let (channel, payload) = if from_peer {
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
        match self.route_run(now, path, channel) {
            Ok(way) => self.rewrite(&way, packet, payload),
            Err(cause) => {
                self.count_no_route(cause);
                Forward::Drop
            }
        }
    }

    /// The route of a packet, from the last flow if it is the same.
    fn route_run(
        &mut self,
        now: Instant,
        path: Path,
        channel: Option<ChannelNumber>,
    ) -> Result<Way, NoRoute> {
        if let Some(flow) = &self.flow
            && flow.path == path
            && flow.channel == channel
            && now < flow.route.until
        {
            return Ok(flow.route.way);
        }
        let route = match channel {
            Some(channel) => self.route_channel(now, &path, channel),
            None => self.route_in(now, &path),
        }?;
        self.flow = Some(Flow { path, channel, route });
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
