//! Relayed payload, packet by packet through the queue (RFC 8656 §11, §12.6, §12.7).

use std::net::SocketAddr;
use std::time::Instant;

use rand_core::Rng as _;
use talkie_sansio::{Path, Transport};

use super::TurnServer;
use super::route::{Delivery, NoRoute, Route, Way};
use crate::stun::attributes::{AttributeType, Data, XorPeerAddress};
use crate::stun::{Class, Message, Method, TransactionId, Writer};
use crate::turn::channel_data::ChannelData;

/// The longest payload that a Data indication from an IPv6 peer can carry: what a STUN message
/// holds, less XOR-PEER-ADDRESS and DATA's own header, in whole words.
const MAX_DATA: usize = 65_504;

impl TurnServer {
    pub(super) fn channel_data(&mut self, now: Instant, path: Path, bytes: &[u8]) {
        let Ok(message) = ChannelData::parse(bytes) else { return self.malformed(path) };
        let route = self.route_channel(now, &path, message.channel);
        self.relay(route, message.data);
    }

    pub(super) fn send_indication(&mut self, now: Instant, path: Path, message: &Message<'_>) {
        let (Ok(Some(XorPeerAddress(peer))), Ok(Some(Data(payload)))) =
            (message.get::<XorPeerAddress>(), message.get::<Data<'_>>())
        else {
            self.stats.drops.malformed += 1;
            return;
        };
        // RFC 8656 §11.2: DONT-FRAGMENT counts as unknown, because the bit cannot be set packet by
        // packet; between UDP legs with IPv6 on either side it is to be ignored (§13).
        let ignored = path.transport == Transport::Udp
            && (peer.is_ipv6() || path.remote.ip().to_canonical().is_ipv6());
        let hinders = |kind: &AttributeType| *kind != AttributeType::DONT_FRAGMENT || !ignored;
        if super::unknown_attributes(message).iter().any(hinders) {
            self.stats.drops.unsupported += 1;
            return;
        }
        let route = self.route_send(now, &path, peer);
        self.relay(route, payload);
    }

    pub(super) fn peer_datagram(&mut self, now: Instant, path: Path, payload: &[u8]) {
        let route = self.route_in(now, &path);
        self.relay(route, payload);
    }

    fn relay(&mut self, route: Result<Route, NoRoute>, payload: &[u8]) {
        let way = match route {
            Ok(route) => route.way,
            Err(cause) => return self.count_no_route(cause),
        };
        if self.outbox.is_full() {
            self.stats.drops.queue_full += 1;
            return;
        }
        let sent = match way {
            Way::ToPeer { path, .. } => {
                self.outbox.push(path, |buf| buf.extend_from_slice(payload));
                true
            }
            Way::ToClient(delivery) | Way::Inside { to: delivery, .. } => {
                self.deliver(&delivery, payload)
            }
        };
        if sent {
            self.count_relayed(&way, payload.len());
        } else {
            self.stats.drops.too_long += 1;
        }
    }

    /// RFC 8656 §11.3: ChannelData if the peer has a channel, else a Data indication.
    fn deliver(&mut self, delivery: &Delivery, payload: &[u8]) -> bool {
        let path = delivery.path;
        if let Some(channel) = delivery.channel {
            let message = ChannelData { channel, data: payload };
            let fits = payload.len() <= usize::from(u16::MAX);
            if fits {
                self.outbox.push(path, |buf| {
                    message.write(buf, path.transport.is_reliable());
                });
            }
            return fits;
        }
        if payload.len() > MAX_DATA {
            return false;
        }
        let mut id = [0; 12];
        self.rng.fill_bytes(&mut id);
        self.outbox.push(path, |buf| data_indication(buf, id, delivery.peer, payload));
        true
    }

    pub(super) fn count_no_route(&mut self, cause: NoRoute) {
        let drops = &mut self.stats.drops;
        *match cause {
            NoRoute::Allocation => &mut drops.no_allocation,
            NoRoute::Channel => &mut drops.no_channel,
            NoRoute::Permission => &mut drops.no_permission,
            NoRoute::OwnAddress => &mut drops.own_address,
        } += 1;
    }

    pub(super) fn count_relayed(&mut self, way: &Way, bytes: usize) {
        let (total, from, to) = match way {
            Way::ToPeer { from, .. } => (&mut self.stats.to_peers, Some(*from), None),
            Way::ToClient(delivery) => (&mut self.stats.to_clients, None, Some(delivery.to)),
            Way::Inside { from, to } => (&mut self.stats.inside, Some(*from), Some(to.to)),
        };
        total.add(bytes);
        if let Some(sender) = from.and_then(|id| self.table.get_mut(id)) {
            sender.to_peers.add(bytes);
        }
        if let Some(receiver) = to.and_then(|id| self.table.get_mut(id)) {
            receiver.to_client.add(bytes);
        }
    }
}

fn data_indication(buf: &mut Vec<u8>, id: [u8; 12], peer: SocketAddr, payload: &[u8]) {
    let mut writer = Writer::new(buf, Class::Indication, Method::DATA, TransactionId(id));
    writer.attribute(&XorPeerAddress(peer)).attribute(&Data(payload));
}
