//! One room: who is in it, what opens it, who waits before it.

use std::time::Instant;

use super::super::backend::{Glimpse, KeyFit, Peer};
use super::super::{AddressKey, Check, Pass, PeerId};
use crate::token_bucket::{Rate, TokenBucket};

#[derive(Debug)]
pub(super) struct Room {
    /// Whom it counts for.
    pub(super) owner: AddressKey,
    /// In order of arrival.
    pub(super) peers: Vec<Peer>,
    /// Those who knock, in order of arrival.
    pub(super) knocks: Vec<Peer>,
    pub(super) locked: bool,
    check: Option<Check>,
    pub(super) pass: Pass,
    knocking: TokenBucket,
}

impl Room {
    pub(super) fn new(now: Instant, owner: AddressKey, check: Option<Check>, pass: Pass) -> Self {
        Self {
            owner,
            peers: Vec::new(),
            knocks: Vec::new(),
            locked: false,
            check,
            pass,
            knocking: TokenBucket::full(now),
        }
    }

    pub(super) fn is_opened_by(&self, check: Option<&Check>) -> bool {
        Check::agree(self.check.as_ref(), check)
    }

    /// Whether who brings `pass`, or none, has to knock.
    pub(super) fn is_locked_to(&self, pass: Option<&str>) -> bool {
        self.locked && !pass.is_some_and(|pass| self.pass.matches(pass))
    }

    pub(super) fn has(&self, peer: PeerId) -> bool {
        self.peers.iter().any(|other| other.id == peer)
    }

    /// Whether there is place and time for one more knock.
    pub(super) fn may_knock(&mut self, now: Instant, places: usize, rate: Rate) -> bool {
        self.knocks.len() < places && self.knocking.take(now, rate)
    }

    /// Takes away somebody who knocks.
    pub(super) fn take_knock(&mut self, knocker: PeerId) -> Option<Peer> {
        let at = self.knocks.iter().position(|peer| peer.id == knocker)?;
        Some(self.knocks.remove(at))
    }

    /// What it shows to somebody outside who has `check`.
    pub(super) fn glimpse(&self, check: Option<&Check>) -> Glimpse {
        if self.is_opened_by(check) {
            let (people, locked) = (Some(self.peers.len()), Some(self.locked));
            Glimpse { key: KeyFit::Match, people, locked }
        } else {
            Glimpse { key: KeyFit::Mismatch, people: None, locked: None }
        }
    }
}
