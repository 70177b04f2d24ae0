//! ChannelBind requests (RFC 8656 §12.2).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::auth::Caller;
use super::reply::Asker;
use super::table::{Channel, Id};
use super::{Outcome, TurnServer};
use crate::stun::Message;
use crate::stun::attributes::{ChannelNumber, ErrorCode, XorPeerAddress};

/// RFC 8656 §12: a binding lasts ten minutes.
const BINDING: Duration = Duration::from_secs(600);

impl TurnServer {
    pub(super) fn channel_bind(
        &mut self,
        now: Instant,
        asker: Asker,
        caller: &Caller,
        request: &Message<'_>,
    ) -> Outcome {
        let id = self.allocation_of(asker, caller)?;
        let bad = |_| ErrorCode::BAD_REQUEST;
        // A number outside 0x4000–0x4FFF does not decode.
        let number = request.get::<ChannelNumber>().map_err(bad)?;
        let peer = request.get::<XorPeerAddress>().map_err(bad)?;
        let (Some(number), Some(XorPeerAddress(peer))) = (number, peer) else {
            return Err(ErrorCode::BAD_REQUEST);
        };
        self.check_clash(id, now, number, peer)?;
        self.check_peer_ip(id, peer.ip())?;
        if !self.may_send_to(id, peer) {
            self.stats.denied_peers += 1;
            return Err(ErrorCode::FORBIDDEN);
        }
        self.make_room(id, now, std::iter::once(peer.ip()))?;
        self.bind(id, now, number, peer)?;
        self.permit(id, peer.ip(), now);
        asker.success(&mut self.outbox, Some(&caller.signer), |_| {});
        Ok(())
    }

    /// One channel for one peer (RFC 8656 §12.2).
    fn check_clash(
        &self,
        id: Id,
        now: Instant,
        number: ChannelNumber,
        peer: SocketAddr,
    ) -> Outcome {
        let allocation = self.table.get(id).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        let number_taken =
            allocation.channel(number, now).is_some_and(|channel| channel.peer != peer);
        let peer_taken = allocation.number(peer, now).is_some_and(|(bound, _)| bound != number);
        if number_taken || peer_taken { Err(ErrorCode::BAD_REQUEST) } else { Ok(()) }
    }

    fn bind(&mut self, id: Id, now: Instant, number: ChannelNumber, peer: SocketAddr) -> Outcome {
        let limit = self.config.limits.channels_per_allocation;
        let allocation = self.table.get_mut(id).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        let (channels, numbers) = (&mut allocation.channels, &mut allocation.numbers);
        if !channels.contains_key(&number) && channels.len() >= limit {
            channels.retain(|_, channel| now < channel.expires);
            if channels.len() >= limit {
                return Err(ErrorCode::INSUFFICIENT_CAPACITY);
            }
        }
        if let Some(old) = channels.insert(number, Channel { peer, expires: now + BINDING })
            && old.peer != peer
            && numbers.get(&old.peer) == Some(&number)
        {
            numbers.remove(&old.peer);
        }
        numbers.insert(peer, number);
        // Those of channels that were swept above.
        if numbers.len() > channels.len() {
            numbers.retain(|peer, number| {
                channels.get(number).is_some_and(|channel| channel.peer == *peer)
            });
        }
        Ok(())
    }
}
