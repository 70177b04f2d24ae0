//! Rooms in this process: the default [`Backend`], which answers every command at once.

mod door;
mod room;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use room::Room;
use serde_json::value::RawValue;

use super::backend::{
    Backend, Command, Glimpse, KeyFit, LeaveReason, News, Peer, Refusal, RoomEvent, Wish,
};
use super::{AddressKey, Check, PeerId, RoomName, SignalingConfig};
use crate::token_bucket::Rate;

/// All rooms of this process. A room exists while somebody is in it.
#[derive(Debug)]
pub struct Rooms {
    rooms: BTreeMap<RoomName, Room>,
    /// Of those inside and of those who knock.
    whereabouts: BTreeMap<PeerId, RoomName>,
    owned: BTreeMap<AddressKey, usize>,
    /// The hub empties it after each command, so it holds at most one room's worth.
    events: VecDeque<RoomEvent>,
    max_peers: usize,
    max_knocks: usize,
    knock_rate: Rate,
    max_owned: usize,
    max_rooms: usize,
}

impl Rooms {
    /// No rooms yet; the limits are taken from `config`.
    #[must_use]
    pub fn new(config: &SignalingConfig) -> Self {
        Self {
            rooms: BTreeMap::new(),
            whereabouts: BTreeMap::new(),
            owned: BTreeMap::new(),
            events: VecDeque::new(),
            max_peers: config.room_peers,
            max_knocks: config.room_knocks,
            knock_rate: Rate::new(config.knocks_per_second, config.knock_burst),
            max_owned: config.rooms_per_address,
            max_rooms: config.rooms,
        }
    }

    fn tell(&mut self, to: PeerId, news: News) {
        self.events.push_back(RoomEvent { to, news });
    }

    /// Tells all who are inside.
    fn tell_all(&mut self, room: &RoomName, news: impl Fn() -> News) {
        let Some(room) = self.rooms.get(room) else { return };
        self.events.extend(room.peers.iter().map(|peer| RoomEvent { to: peer.id, news: news() }));
    }

    fn join(&mut self, now: Instant, wish: Wish) {
        let Some(room) = self.rooms.get(&wish.room) else { return self.open(now, wish) };
        let refusal = if !room.is_opened_by(wish.check.as_ref()) {
            Refusal::WrongKey
        } else if room.is_locked_to(wish.pass.as_deref()) {
            return self.knock(now, wish.room, wish.peer);
        } else if room.peers.len() >= self.max_peers {
            Refusal::RoomFull
        } else {
            return self.enter(&wish.room, wish.peer);
        };
        self.tell(wish.peer.id, News::Refused(refusal));
    }

    /// Makes a room for its first peer.
    fn open(&mut self, now: Instant, wish: Wish) {
        let owned = self.owned.get(&wish.owner).copied().unwrap_or_default();
        let refusal = if !wish.may_create {
            Refusal::NoSuchRoom
        } else if self.rooms.len() >= self.max_rooms {
            Refusal::ServerFull
        } else if owned >= self.max_owned {
            Refusal::TooManyRooms
        } else {
            self.owned.insert(wish.owner, owned + 1);
            let room = Room::new(now, wish.owner, wish.check, wish.fresh_pass);
            self.rooms.insert(wish.room.clone(), room);
            return self.enter(&wish.room, wish.peer);
        };
        self.tell(wish.peer.id, News::Refused(refusal));
    }

    /// Lets a peer into a room that has place for it.
    fn enter(&mut self, name: &RoomName, peer: Peer) {
        self.tell_all(name, || News::PeerJoined(peer.clone()));
        let room = self.rooms.get_mut(name).expect("named by the caller");
        let to = peer.id;
        let (peers, locked, pass) = (room.peers.clone(), room.locked, room.pass);
        let joined = RoomEvent { to, news: News::Joined { peers, locked, pass } };
        let knocks =
            room.knocks.iter().map(|knock| RoomEvent { to, news: News::Knock(knock.clone()) });
        self.events.extend(std::iter::once(joined).chain(knocks));
        room.peers.push(peer);
        self.whereabouts.insert(to, name.clone());
    }

    fn peek(&mut self, asker: PeerId, room: &RoomName, check: Option<&Check>) {
        let none = Glimpse { key: KeyFit::New, people: Some(0), locked: Some(false) };
        let glimpse = self.rooms.get(room).map_or(none, |room| room.glimpse(check));
        self.tell(asker, News::Peeked(glimpse));
    }

    fn leave(&mut self, peer: PeerId, reason: LeaveReason) {
        let Some(name) = self.whereabouts.remove(&peer) else { return };
        if self.withdraw(&name, peer) {
            return;
        }
        let room = self.rooms.get_mut(&name).expect("whereabouts point to rooms");
        room.peers.retain(|other| other.id != peer);
        if !room.peers.is_empty() {
            return self.tell_all(&name, || News::PeerLeft { peer, reason });
        }
        self.let_all_in(&name);
        if let Some(room) = self.rooms.get(&name).filter(|room| room.peers.is_empty()) {
            let owner = room.owner;
            self.rooms.remove(&name);
            self.disown(owner);
        }
    }

    fn disown(&mut self, owner: AddressKey) {
        let count = self.owned.get_mut(&owner).expect("each room is counted");
        *count -= 1;
        if *count == 0 {
            self.owned.remove(&owner);
        }
    }

    fn signal(&mut self, from: PeerId, to: PeerId, payload: Box<RawValue>, about: u64) {
        let room = self.whereabouts.get(&from).and_then(|name| self.rooms.get(name));
        if from != to && room.is_some_and(|room| room.has(from) && room.has(to)) {
            self.tell(to, News::Signal { from, payload });
        } else {
            self.tell(from, News::Undelivered { about });
        }
    }
}

impl Backend for Rooms {
    fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Join(wish) => self.join(now, wish),
            Command::Peek { asker, room, check } => self.peek(asker, &room, check.as_ref()),
            Command::Lock { by, locked } => self.lock(by, locked),
            Command::AnswerKnock { by, knocker, admit, about } => {
                self.answer_knock(by, knocker, admit, about);
            }
            Command::Leave { peer, reason } => self.leave(peer, reason),
            Command::Signal { from, to, payload, about } => self.signal(from, to, payload, about),
        }
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_event(&mut self) -> Option<RoomEvent> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn rooms(&self) -> usize {
        self.rooms.len()
    }
}
