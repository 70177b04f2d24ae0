//! Rooms in this process: the default [`Backend`], which answers every command at once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::backend::{Backend, Command, LeaveReason, News, Peer, Refusal, RoomEvent};
use super::{AddressKey, PeerId, RoomName, SignalingConfig};

#[derive(Debug)]
struct Room {
    owner: AddressKey,
    /// In order of arrival.
    peers: Vec<Peer>,
}

/// All rooms of this process. A room exists while somebody is in it.
#[derive(Debug)]
pub struct Rooms {
    rooms: BTreeMap<RoomName, Room>,
    whereabouts: BTreeMap<PeerId, RoomName>,
    owned: BTreeMap<AddressKey, usize>,
    /// The hub empties it after each command, so it holds at most one room's worth.
    events: VecDeque<RoomEvent>,
    max_peers: usize,
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
            max_owned: config.rooms_per_address,
            max_rooms: config.rooms,
        }
    }

    fn tell(&mut self, to: PeerId, news: News) {
        self.events.push_back(RoomEvent { to, news });
    }

    fn admit(
        &self,
        room: &RoomName,
        owner: AddressKey,
        may_create: bool,
    ) -> Result<Vec<Peer>, Refusal> {
        match self.rooms.get(room) {
            Some(room) if room.peers.len() >= self.max_peers => Err(Refusal::RoomFull),
            Some(room) => Ok(room.peers.clone()),
            None if !may_create => Err(Refusal::NoSuchRoom),
            None if self.rooms.len() >= self.max_rooms => Err(Refusal::ServerFull),
            None if self.owned.get(&owner).is_some_and(|&count| count >= self.max_owned) => {
                Err(Refusal::TooManyRooms)
            }
            None => Ok(Vec::new()),
        }
    }

    fn join(&mut self, name: RoomName, peer: Peer, owner: AddressKey, may_create: bool) {
        let peers = match self.admit(&name, owner, may_create) {
            Ok(peers) => peers,
            Err(refusal) => return self.tell(peer.id, News::Refused(refusal)),
        };
        for other in &peers {
            self.tell(other.id, News::PeerJoined(peer.clone()));
        }
        self.tell(peer.id, News::Joined { peers });
        self.whereabouts.insert(peer.id, name.clone());
        let owned = &mut self.owned;
        let room = self.rooms.entry(name).or_insert_with(|| {
            *owned.entry(owner).or_default() += 1;
            Room { owner, peers: Vec::new() }
        });
        room.peers.push(peer);
    }

    fn leave(&mut self, peer: PeerId, reason: LeaveReason) {
        let Some(name) = self.whereabouts.remove(&peer) else { return };
        let room = self.rooms.get_mut(&name).expect("whereabouts point to rooms");
        room.peers.retain(|other| other.id != peer);
        if room.peers.is_empty() {
            let owner = room.owner;
            self.rooms.remove(&name);
            self.disown(owner);
            return;
        }
        let news = |to: &Peer| RoomEvent { to: to.id, news: News::PeerLeft { peer, reason } };
        self.events.extend(room.peers.iter().map(news));
    }

    fn disown(&mut self, owner: AddressKey) {
        let count = self.owned.get_mut(&owner).expect("each room is counted");
        *count -= 1;
        if *count == 0 {
            self.owned.remove(&owner);
        }
    }
}

impl Backend for Rooms {
    fn handle_command(&mut self, _now: Instant, command: Command) {
        match command {
            Command::Join { room, peer, owner, may_create } => {
                self.join(room, peer, owner, may_create);
            }
            Command::Leave { peer, reason } => self.leave(peer, reason),
            Command::Signal { from, to, payload, about } => {
                let room = self.whereabouts.get(&from);
                if from != to && room.is_some() && room == self.whereabouts.get(&to) {
                    self.tell(to, News::Signal { from, payload });
                } else {
                    self.tell(from, News::Undelivered { about });
                }
            }
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
