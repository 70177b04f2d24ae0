//! Permissions and channels: which there are, until when they live, and when to renew them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::failure::CommandError;
use super::requests::Purpose;
use crate::stun::attributes::ChannelNumber;

/// RFC 8656 §9: a permission, and the one that comes with a channel, lives five minutes.
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);
/// RFC 8656 §12: a channel lives ten minutes.
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// As many as there are numbers.
const MAX_CHANNELS: usize = 0x1000;

/// All peers of an allocation.
#[derive(Debug, Default)]
pub(super) struct Peers {
    permissions: BTreeMap<IpAddr, Grant>,
    channels: BTreeMap<SocketAddr, Channel>,
    /// The peer of each channel number given out, from the lowest. A number is never given to
    /// another peer (RFC 8656 §12 allows it only after a pause).
    numbers: Vec<SocketAddr>,
}

#[derive(Debug)]
struct Channel {
    number: ChannelNumber,
    grant: Grant,
}

/// What a server granted for a while.
#[derive(Clone, Copy, Debug, Default)]
struct Grant {
    since: Option<Instant>,
    /// `None` while a request is waiting or under way.
    refresh_at: Option<Instant>,
}

impl Grant {
    fn lives(&self, now: Instant, lifetime: Duration) -> bool {
        self.since.is_some_and(|since| now.saturating_duration_since(since) < lifetime)
    }

    /// Takes it up for a refresh if it is time.
    fn take_due(&mut self, now: Instant) -> bool {
        self.refresh_at.take_if(|at| *at <= now).is_some()
    }
}

impl Peers {
    /// Whether a request is needed.
    pub(super) fn permit(&mut self, peer: IpAddr, most: usize) -> Result<bool, CommandError> {
        if self.permissions.contains_key(&peer) {
            return Ok(false);
        }
        if self.permissions.len() >= most {
            return Err(CommandError::Full);
        }
        self.permissions.insert(peer, Grant::default());
        Ok(true)
    }

    /// Whether a request is needed.
    pub(super) fn bind(&mut self, peer: SocketAddr, most: usize) -> Result<bool, CommandError> {
        if self.channels.contains_key(&peer) {
            return Ok(false);
        }
        // A peer that was refused keeps its number.
        let known = self.numbers.iter().position(|known| *known == peer);
        let index = known.unwrap_or(self.numbers.len());
        let number = u16::try_from(index)
            .ok()
            .filter(|_| index < most.min(MAX_CHANNELS))
            .and_then(|index| ChannelNumber::new(ChannelNumber::MIN.number() + index))
            .ok_or(CommandError::Full)?;
        if known.is_none() {
            self.numbers.push(peer);
        }
        self.channels.insert(peer, Channel { number, grant: Grant::default() });
        Ok(true)
    }

    /// The number to ask for.
    pub(super) fn number_of(&self, peer: SocketAddr) -> Option<ChannelNumber> {
        self.channels.get(&peer).map(|channel| channel.number)
    }

    /// The channel to send through.
    pub(super) fn channel_of(&self, now: Instant, peer: SocketAddr) -> Option<ChannelNumber> {
        let channel = self.channels.get(&peer)?;
        channel.grant.lives(now, CHANNEL_LIFETIME).then_some(channel.number)
    }

    /// The peer behind a channel, which may be one whose binding is yet to be confirmed: the answer may
    /// be lost or late, and by then the server sends through it. So it does for as long as the channel lives
    /// there (RFC 8656 §12), though it was forgotten here or could not be renewed; whoever is permitted is heard
    /// through it.
    pub(super) fn peer_of(&self, now: Instant, number: ChannelNumber) -> Option<SocketAddr> {
        let index = usize::from(number.number() - ChannelNumber::MIN.number());
        let peer = *self.numbers.get(index)?;
        let lives = |grant: Grant| grant.since.is_none() || grant.lives(now, CHANNEL_LIFETIME);
        let is_bound = self.channels.get(&peer).is_some_and(|channel| lives(channel.grant));
        (is_bound || self.is_permitted(now, peer.ip())).then_some(peer)
    }

    pub(super) fn is_permitted(&self, now: Instant, peer: IpAddr) -> bool {
        let lives = |grant: &Grant| grant.lives(now, PERMISSION_LIFETIME);
        self.permissions.get(&peer).is_some_and(lives)
            || self
                .channels
                .iter()
                .any(|(bound, channel)| bound.ip() == peer && lives(&channel.grant))
    }

    /// Whether it is new. One that was forgotten meanwhile is left to lapse.
    pub(super) fn permitted(&mut self, now: Instant, peer: IpAddr, refresh: Duration) -> bool {
        let Some(known) = self.permissions.get_mut(&peer) else { return false };
        let grant = Grant { since: Some(now), refresh_at: Some(now + refresh) };
        std::mem::replace(known, grant).since.is_none()
    }

    /// The channel's number if it is new.
    pub(super) fn bound(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        refresh: Duration,
    ) -> Option<ChannelNumber> {
        let channel = self.channels.get_mut(&peer)?;
        let grant = Grant { since: Some(now), refresh_at: Some(now + refresh) };
        let old = std::mem::replace(&mut channel.grant, grant);
        old.since.is_none().then_some(channel.number)
    }

    pub(super) fn not_permitted(&mut self, peer: IpAddr) {
        self.permissions.remove(&peer);
    }

    pub(super) fn not_bound(&mut self, peer: SocketAddr) {
        self.channels.remove(&peer);
    }

    pub(super) fn forget(&mut self, peer: IpAddr) {
        self.permissions.remove(&peer);
        self.channels.retain(|bound, _| bound.ip() != peer);
    }

    /// The next request for a channel that is to be renewed.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<Purpose> {
        self.channels
            .iter_mut()
            .find_map(|(peer, channel)| channel.grant.take_due(now).then_some(*peer))
            .map(Purpose::Bind)
    }

    /// All permissions that are to be renewed.
    pub(super) fn due_permissions(&mut self, now: Instant) -> Vec<IpAddr> {
        let due = self.permissions.iter_mut();
        due.filter_map(|(peer, grant)| grant.take_due(now).then_some(*peer)).collect()
    }

    pub(super) fn next_refresh(&self) -> Option<Instant> {
        let grants = self.channels.values().map(|channel| &channel.grant);
        self.permissions.values().chain(grants).filter_map(|grant| grant.refresh_at).min()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
