//! A hub with clients at the other end of simulated sockets: frames in flight are lost with them.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use talkie_sansio::Genesis;

use super::super::super::ids::SocketId;
use super::super::super::limits::Holding;
use super::super::super::message::Incoming;
use super::super::super::{
    AddressKey, Backend, Client, IceGrant, IceServer, Invitation, LeaveReason, Rooms,
    SignalingConfig,
};
use super::super::{Event, Hub, Output};

pub(super) const TTL: Duration = Duration::from_secs(3_600);
const ADDRESS: [u8; 4] = [192, 0, 2, 1];

/// The client's side of a session.
#[derive(Default)]
pub(super) struct Peer {
    socket: Option<SocketId>,
    credentials: Option<(String, String)>,
    welcomed: bool,
    up: VecDeque<String>,
    down: VecDeque<Output>,
    sent: u64,
    unacknowledged: VecDeque<(u64, String)>,
    received: u64,
    pub(super) id: String,
    /// Where it comes from, if not from where all do.
    pub(super) address: Option<[u8; 4]>,
    /// Everything but what only keeps the session going.
    pub(super) heard: Vec<Value>,
    pub(super) closed: Option<(u16, &'static str)>,
}

pub(super) struct World {
    pub(super) hub: Hub,
    pub(super) now: Instant,
    pub(super) peers: Vec<Peer>,
    owners: BTreeMap<SocketId, usize>,
}

impl World {
    pub(super) fn new(config: SignalingConfig, peers: usize) -> Self {
        let rooms = Rooms::new(&config);
        Self::with_backend(config, peers, Box::new(rooms), 7)
    }

    pub(super) fn with_backend(
        config: SignalingConfig,
        peers: usize,
        backend: Box<dyn Backend>,
        seed: u8,
    ) -> Self {
        let now = Instant::now();
        let genesis = Genesis { now, unix: Duration::ZERO, seed: [seed; 32] };
        Self {
            hub: Hub::new(config, &genesis, backend),
            now,
            peers: (0..peers).map(|_| Peer::default()).collect(),
            owners: BTreeMap::new(),
        }
    }

    /// What the address of all peers holds.
    pub(super) fn holding(&self) -> Holding {
        self.hub.accounts.of(AddressKey::from(IpAddr::from(ADDRESS)))
    }

    /// The bytes that wait for the clients of that address.
    pub(super) fn kept(&self) -> usize {
        self.hub.backlog.of(AddressKey::from(IpAddr::from(ADDRESS)))
    }

    /// Does what the hub asks for; frames stay in flight.
    pub(super) fn pump(&mut self) {
        while let Some(event) = self.hub.poll_event() {
            match event {
                Event::Grant { session, .. } => {
                    let server = IceServer {
                        urls: vec!["stun:192.0.2.1".to_owned()],
                        username: None,
                        credential: None,
                    };
                    let grant = IceGrant { servers: vec![server], ttl: TTL, discovery: Vec::new() };
                    self.hub.handle_grant(self.now, session, &grant);
                }
                Event::Wake(socket) => {
                    while let Some(output) = self.hub.poll_transmit(socket) {
                        if let Some(&owner) = self.owners.get(&socket) {
                            self.peers[owner].down.push_back(output);
                        }
                    }
                }
            }
        }
    }

    pub(super) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(at) = self.hub.poll_timeout().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.hub.handle_timeout(self.now);
            assert!(self.hub.poll_timeout().is_none_or(|next| next > self.now), "busy loop");
            self.pump();
        }
        self.now = end;
    }

    pub(super) fn connect(&mut self, index: usize) {
        if self.peers[index].socket.is_some() {
            return;
        }
        let client = Client {
            address: self.peers[index].address.unwrap_or(ADDRESS).into(),
            host: None,
            origin: None,
            secure: true,
            invitation: Invitation::default(),
        };
        let socket = self.hub.handle_connect(self.now, client);
        self.owners.insert(socket, index);
        let peer = &mut self.peers[index];
        peer.socket = Some(socket);
        let hello = match &peer.credentials {
            Some((session, token)) => json!({"type": "hello", "version": 1,
                "resume": {"session": session, "token": token, "ack": peer.received}}),
            None => json!({"type": "hello", "version": 1}),
        };
        peer.up.push_back(hello.to_string());
        self.pump();
    }

    /// The network breaks; what is in flight is lost.
    pub(super) fn cut(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        peer.lose_all();
        if let Some(socket) = peer.socket.take() {
            self.owners.remove(&socket);
            self.hub.handle_disconnect(self.now, socket);
        }
        self.pump();
    }

    /// The client loses its side without the server noticing: the old socket stays.
    pub(super) fn abandon(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        peer.lose_all();
        if let Some(socket) = peer.socket.take() {
            self.owners.remove(&socket);
        }
    }

    /// Sends a message with a sequence number, or keeps it until there is a welcome.
    pub(super) fn send(&mut self, index: usize, mut message: Value) {
        let peer = &mut self.peers[index];
        peer.sent += 1;
        message["seq"] = peer.sent.into();
        peer.unacknowledged.push_back((peer.sent, message.to_string()));
        if peer.welcomed {
            peer.up.push_back(message.to_string());
        }
    }

    /// Sends a message while no socket takes anything.
    pub(super) fn send_to_deaf(&mut self, index: usize, mut message: Value) {
        let peer = &mut self.peers[index];
        peer.sent += 1;
        message["seq"] = peer.sent.into();
        let socket = peer.socket.unwrap();
        self.hub.handle_frame(self.now, socket, Incoming::parse(&message.to_string()));
    }

    pub(super) fn send_raw(&mut self, index: usize, text: &str) {
        self.peers[index].up.push_back(text.to_owned());
    }

    /// One frame from a client arrives.
    pub(super) fn carry_up(&mut self, index: usize) -> bool {
        let Some(text) = self.peers[index].up.pop_front() else { return false };
        if let Some(socket) = self.peers[index].socket {
            self.hub.handle_frame(self.now, socket, Incoming::parse(&text));
            self.pump();
        }
        true
    }

    /// One frame to a client arrives.
    pub(super) fn carry_down(&mut self, index: usize) -> bool {
        let peer = &mut self.peers[index];
        match peer.down.pop_front() {
            None => false,
            Some(Output::Close { status, reason }) => {
                peer.closed = Some((status, reason));
                self.cut(index);
                true
            }
            Some(Output::Frame(frame)) => {
                peer.hear(serde_json::from_slice(&frame).unwrap());
                true
            }
        }
    }

    /// Carries everything until nothing moves.
    pub(super) fn settle(&mut self) {
        let mut moved = true;
        while moved {
            moved = false;
            for index in 0..self.peers.len() {
                moved |= self.carry_up(index) | self.carry_down(index);
            }
            if self.peers.iter().any(|peer| peer.received > 0) {
                self.pump();
            }
        }
    }

    pub(super) fn acknowledge(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        if peer.welcomed {
            peer.up.push_back(json!({"type": "ack", "ack": peer.received}).to_string());
        }
    }

    pub(super) fn join(&mut self, index: usize, room: &str) {
        self.send(index, json!({"type": "join", "room": room, "name": format!("peer {index}")}));
        self.settle();
    }

    /// What a peer has heard since it was last asked.
    pub(super) fn take(&mut self, index: usize) -> Vec<Value> {
        std::mem::take(&mut self.peers[index].heard)
    }

    pub(super) fn types(&mut self, index: usize) -> Vec<String> {
        let text = |value: Value| value["type"].as_str().unwrap().to_owned();
        self.take(index).into_iter().map(text).collect()
    }

    pub(super) fn left_reasons(&mut self, index: usize) -> Vec<LeaveReason> {
        let reason = |value: &Value| match value["reason"].as_str() {
            Some("left") => LeaveReason::Left,
            Some("lost") => LeaveReason::Lost,
            Some("ended") => LeaveReason::Ended,
            other => panic!("reason {other:?}"),
        };
        let heard = self.take(index);
        heard.iter().filter(|value| value["type"] == "peer-left").map(reason).collect()
    }
}

impl Peer {
    fn lose_all(&mut self) {
        self.up.clear();
        self.down.clear();
        self.welcomed = false;
    }

    fn hear(&mut self, message: Value) {
        if let Some(seq) = message["seq"].as_u64() {
            if seq <= self.received {
                return;
            }
            assert_eq!(seq, self.received + 1, "gap at {message}");
            self.received = seq;
        }
        if message["type"] == "welcome" {
            // Everything goes again, also what the server says it has: it must sort that out.
            self.up.extend(self.unacknowledged.iter().map(|(_, text)| text.clone()));
        }
        if let Some(ack) = message["ack"].as_u64() {
            self.unacknowledged.retain(|&(seq, _)| seq > ack);
        }
        match message["type"].as_str().unwrap() {
            "welcome" => self.welcome(&message),
            "ack" | "pong" => return,
            "joined" => message["self"].as_str().unwrap().clone_into(&mut self.id),
            _ => {}
        }
        self.heard.push(message);
    }

    fn welcome(&mut self, message: &Value) {
        if self.credentials.is_some() {
            assert_eq!(message["resumed"], true, "{message}");
        }
        let text = |key: &str| message[key].as_str().unwrap().to_owned();
        self.credentials = Some((text("session"), text("token")));
        self.welcomed = true;
    }
}
