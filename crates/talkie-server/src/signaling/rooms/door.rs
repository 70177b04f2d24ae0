//! The lock of a room and those who knock.
//!
//! Who knocks is known by the id that it will have inside. A knock ends when somebody inside
//! answers it, when the one who knocks goes away, or when the room is unlocked, be it because
//! nobody is left inside: then all who wait come in, as far as there is place.

use std::time::Instant;

use super::super::PeerId;
use super::super::backend::{KnockEnd, News, Peer, Refusal};
use super::{RoomName, Rooms};

impl Rooms {
    /// Somebody comes to a locked room.
    pub(super) fn knock(&mut self, now: Instant, name: RoomName, peer: Peer) {
        let room = self.rooms.get_mut(&name).expect("a locked room is there");
        if !room.may_knock(now, self.max_knocks, self.knock_rate) {
            return self.tell(peer.id, News::Refused(Refusal::TooManyKnocks));
        }
        room.knocks.push(peer.clone());
        self.whereabouts.insert(peer.id, name.clone());
        self.tell(peer.id, News::Knocking);
        self.tell_all(&name, || News::Knock(peer.clone()));
    }

    pub(super) fn lock(&mut self, by: PeerId, locked: bool) {
        let Some(name) = self.whereabouts.get(&by).cloned() else { return };
        let Some(room) = self.rooms.get_mut(&name).filter(|room| room.has(by)) else { return };
        room.locked = locked;
        self.tell_all(&name, || News::Locked { locked, by });
        if !locked {
            self.let_all_in(&name);
        }
    }

    pub(super) fn answer_knock(&mut self, by: PeerId, knocker: PeerId, admit: bool, about: u64) {
        let Some(name) = self.whereabouts.get(&by).cloned() else { return };
        let max_peers = self.max_peers;
        let Some(room) = self.rooms.get_mut(&name).filter(|room| room.has(by)) else { return };
        let waits = room.knocks.iter().any(|peer| peer.id == knocker);
        if waits && admit && room.peers.len() >= max_peers {
            return self.tell(by, News::NoPlace { about });
        }
        match room.take_knock(knocker) {
            Some(peer) if admit => self.let_in(&name, peer),
            Some(peer) => self.turn_away(&name, peer.id, Refusal::TurnedAway),
            None => self.tell(by, News::Undelivered { about }),
        }
    }

    /// Who knocks goes away. False if it does not knock.
    pub(super) fn withdraw(&mut self, name: &RoomName, peer: PeerId) -> bool {
        let room = self.rooms.get_mut(name).expect("whereabouts point to rooms");
        let knocked = room.take_knock(peer).is_some();
        if knocked {
            self.tell_all(name, || News::KnockEnded { peer, reason: KnockEnd::Gone });
        }
        knocked
    }

    /// The room is locked no more.
    pub(super) fn let_all_in(&mut self, name: &RoomName) {
        let room = self.rooms.get_mut(name).expect("named by the caller");
        room.locked = false;
        for peer in std::mem::take(&mut room.knocks) {
            if self.rooms[name].peers.len() < self.max_peers {
                self.let_in(name, peer);
            } else {
                self.turn_away(name, peer.id, Refusal::RoomFull);
            }
        }
    }

    fn let_in(&mut self, name: &RoomName, peer: Peer) {
        let id = peer.id;
        self.tell_all(name, || News::KnockEnded { peer: id, reason: KnockEnd::Admitted });
        self.enter(name, peer);
    }

    fn turn_away(&mut self, name: &RoomName, knocker: PeerId, why: Refusal) {
        self.whereabouts.remove(&knocker);
        self.tell(knocker, News::Refused(why));
        let ended = || News::KnockEnded { peer: knocker, reason: KnockEnd::Refused };
        self.tell_all(name, ended);
    }
}
