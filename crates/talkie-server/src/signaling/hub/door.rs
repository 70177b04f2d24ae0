//! The way in and out of a room: joining, looking in from outside, the lock, those who knock.

use std::time::Instant;

use super::super::backend::{Command, LeaveReason, Peer, Wish};
use super::super::ids::SessionId;
use super::super::message::{Join, Outgoing};
use super::super::session::{Peek, Place};
use super::super::{Check, Code, Pass, PeerId, RoomName, names};
use super::Hub;

impl Hub {
    pub(super) fn join(&mut self, now: Instant, id: SessionId, about: u64, join: Join) {
        let Some(room) = self.room_name(now, id, about, &join.room) else { return };
        let Some(name) = names::peer_name(&join.name) else {
            let words = "a name is at most 64 characters";
            return self.refuse_request(now, id, about, Code::BadName, words);
        };
        let peer = Peer { id: PeerId::from_bytes(self.bytes()), name, card: join.card };
        let fresh_pass = Pass::from_bytes(self.bytes());
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.place.peer().is_some() {
            let words = "leave the room first";
            return self.refuse_request(now, id, about, Code::AlreadyInRoom, words);
        }
        session.place = Place::Joining { peer: peer.id, room: room.clone(), about };
        let owner = session.account();
        self.members.insert(peer.id, id);
        let wish = Wish {
            room,
            peer,
            owner,
            may_create: self.draining_until.is_none(),
            check: join.check,
            fresh_pass,
            pass: join.pass.map(String::into_boxed_str),
        };
        self.backend.handle_command(now, Command::Join(wish));
    }

    pub(super) fn peek(
        &mut self,
        now: Instant,
        id: SessionId,
        about: u64,
        room: &str,
        check: Option<Check>,
    ) {
        let Some(room) = self.room_name(now, id, about, room) else { return };
        let asker = PeerId::from_bytes(self.bytes());
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.peek.is_some() {
            let words = "the last peek is not answered yet";
            return self.refuse_request(now, id, about, Code::TooFast, words);
        }
        session.peek = Some(Peek { asker, room: room.clone() });
        self.members.insert(asker, id);
        self.backend.handle_command(now, Command::Peek { asker, room, check });
    }

    pub(super) fn lock(&mut self, now: Instant, id: SessionId, about: u64, locked: bool) {
        if let Some(by) = self.member(now, id, about) {
            self.backend.handle_command(now, Command::Lock { by, locked });
        }
    }

    pub(super) fn answer_knock(
        &mut self,
        now: Instant,
        id: SessionId,
        about: u64,
        knocker: &str,
        admit: bool,
    ) {
        let Some(by) = self.member(now, id, about) else { return };
        match knocker.parse() {
            Ok(knocker) => {
                let command = Command::AnswerKnock { by, knocker, admit, about };
                self.backend.handle_command(now, command);
            }
            Err(_) => self.undelivered(now, id, about),
        }
    }

    pub(super) fn leave(&mut self, now: Instant, id: SessionId, about: u64) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match std::mem::replace(&mut session.place, Place::Nowhere) {
            Place::Nowhere => {
                self.refuse_request(now, id, about, Code::NotInRoom, "join a room first");
            }
            Place::Joining { peer, room, .. }
            | Place::Knocking { peer, room, .. }
            | Place::In { peer, room } => {
                self.depart(now, peer, LeaveReason::Left);
                self.post(now, id, &Outgoing::Left { room: room.as_str() });
            }
        }
    }

    fn room_name(
        &mut self,
        now: Instant,
        id: SessionId,
        about: u64,
        text: &str,
    ) -> Option<RoomName> {
        let name = RoomName::parse(text).ok();
        if name.is_none() {
            let words = "a room name is 1 to 64 letters, digits and inner hyphens";
            self.refuse_request(now, id, about, Code::BadRoomName, words);
        }
        name
    }
}
