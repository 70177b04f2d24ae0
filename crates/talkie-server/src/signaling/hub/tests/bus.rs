//! One room over two hubs: a backend that answers later, as one on a message bus does.
//!
//! The bus keeps the rooms and hands each hub its peers' news when the test lets it. It shows that
//! the hub needs nothing from a backend but the trait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::json;

use super::super::super::backend::{Backend, Command, RoomEvent};
use super::super::super::{PeerId, Rooms, SignalingConfig};
use super::world::World;

struct Bus {
    rooms: Rooms,
    /// Commands on their way, with the hub they come from.
    commands: VecDeque<(usize, Command)>,
    homes: BTreeMap<PeerId, usize>,
    news: [VecDeque<RoomEvent>; 2],
}

#[derive(Clone)]
struct Node {
    number: usize,
    bus: Arc<Mutex<Bus>>,
}

impl Backend for Node {
    fn handle_command(&mut self, _now: Instant, command: Command) {
        self.bus.lock().unwrap().commands.push_back((self.number, command));
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_event(&mut self) -> Option<RoomEvent> {
        self.bus.lock().unwrap().news[self.number].pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn rooms(&self) -> usize {
        self.bus.lock().unwrap().rooms.rooms()
    }
}

impl Bus {
    /// Lets everything on the way arrive.
    fn carry(&mut self, now: Instant) {
        while let Some((hub, command)) = self.commands.pop_front() {
            match &command {
                Command::Join(wish) => drop(self.homes.insert(wish.peer.id, hub)),
                Command::Peek { asker, .. } => drop(self.homes.insert(*asker, hub)),
                _ => {}
            }
            self.rooms.handle_command(now, command);
            while let Some(event) = self.rooms.poll_event() {
                let home = self.homes[&event.to];
                self.news[home].push_back(event);
            }
        }
    }
}

struct Pair {
    bus: Arc<Mutex<Bus>>,
    worlds: [World; 2],
}

impl Pair {
    fn new() -> Self {
        let config = SignalingConfig::default();
        let bus = Arc::new(Mutex::new(Bus {
            rooms: Rooms::new(&config),
            commands: VecDeque::new(),
            homes: BTreeMap::new(),
            news: Default::default(),
        }));
        let worlds = [0, 1].map(|number| {
            let node = Node { number, bus: Arc::clone(&bus) };
            let seed = u8::try_from(number).unwrap();
            let mut world = World::with_backend(config.clone(), 1, Box::new(node), seed);
            world.connect(0);
            world.settle();
            world.take(0);
            world
        });
        Self { bus, worlds }
    }

    /// The bus and then both hubs.
    fn carry(&mut self) {
        for _ in 0..3 {
            for world in &mut self.worlds {
                self.bus.lock().unwrap().carry(world.now);
                world.hub.handle_backend(world.now);
                world.pump();
                world.settle();
            }
        }
    }

    fn meet(&mut self) {
        for number in 0..2 {
            self.worlds[number].join(0, "room");
            self.carry();
        }
    }
}

#[test]
fn peers_of_two_processes_meet_in_one_room() {
    let mut pair = Pair::new();
    pair.worlds[0].join(0, "room");
    assert!(pair.worlds[0].take(0).is_empty(), "the room has not answered yet");
    pair.carry();
    assert_eq!(pair.worlds[0].types(0), ["joined"]);
    pair.worlds[1].join(0, "room");
    pair.carry();
    assert_eq!(pair.worlds[0].types(0), ["peer-joined"]);
    let joined = pair.worlds[1].take(0);
    assert_eq!(joined[0]["peers"][0]["id"], *pair.worlds[0].peers[0].id);

    let to = pair.worlds[1].peers[0].id.clone();
    pair.worlds[0].send(0, json!({"type": "signal", "to": to, "payload": {"sdp": 1}}));
    pair.worlds[0].settle();
    pair.carry();
    let heard = pair.worlds[1].take(0);
    assert_eq!(heard[0]["payload"], json!({"sdp": 1}));
    assert_eq!(heard[0]["from"], *pair.worlds[0].peers[0].id);
}

#[test]
fn who_leaves_before_the_room_answers_hears_nothing_of_it() {
    let mut pair = Pair::new();
    pair.worlds[0].join(0, "room");
    pair.worlds[0].send(0, json!({"type": "leave"}));
    pair.worlds[0].settle();
    pair.carry();
    assert_eq!(pair.worlds[0].types(0), ["left"]);
    assert_eq!(pair.bus.lock().unwrap().rooms.rooms(), 0);
}

#[test]
fn a_signal_that_crosses_its_addressee_s_leave_is_answered() {
    let mut pair = Pair::new();
    pair.meet();
    pair.worlds[0].take(0);
    let to = pair.worlds[1].peers[0].id.clone();
    pair.worlds[1].send(0, json!({"type": "leave"}));
    pair.worlds[1].settle();
    pair.worlds[0].send(0, json!({"type": "signal", "to": to, "payload": 1}));
    pair.worlds[0].settle();
    pair.carry();
    let heard = pair.worlds[0].take(0);
    assert_eq!(heard[0]["type"], "peer-left");
    assert_eq!((&heard[1]["code"], &heard[1]["about"]), (&json!("no-such-peer"), &json!(2)));
}

#[test]
fn a_session_that_ends_while_it_joins_is_taken_out_again() {
    let mut pair = Pair::new();
    pair.worlds[0].join(0, "room");
    pair.worlds[0].send(0, json!({"type": "bye"}));
    pair.worlds[0].settle();
    pair.carry();
    assert_eq!(pair.worlds[0].peers[0].closed, Some((1000, "bye")));
    assert_eq!(pair.bus.lock().unwrap().rooms.rooms(), 0);
    assert_eq!(pair.worlds[0].hub.stats().sessions, 0);
}

#[test]
fn a_knock_and_its_answer_cross_from_one_process_to_the_other() {
    let mut pair = Pair::new();
    pair.worlds[0].join(0, "room");
    pair.carry();
    pair.worlds[0].send(0, json!({"type": "lock", "locked": true}));
    pair.worlds[0].settle();
    pair.carry();
    assert_eq!(pair.worlds[0].types(0), ["joined", "room-locked"]);
    pair.worlds[1].join(0, "room");
    pair.carry();
    assert_eq!(pair.worlds[1].types(0), ["knocking"]);
    let id = pair.worlds[0].take(0)[0]["peer"]["id"].clone();
    // The answer crosses the withdrawal.
    pair.worlds[1].send(0, json!({"type": "leave"}));
    pair.worlds[1].settle();
    pair.worlds[0].send(0, json!({"type": "answer-knock", "id": id, "admit": true}));
    pair.worlds[0].settle();
    pair.carry();
    assert_eq!(pair.worlds[1].types(0), ["left"]);
    let heard = pair.worlds[0].take(0);
    let hears_of_it = |type_: &str| heard.iter().any(|message| message["type"] == type_);
    // Whichever came first: in the end it is outside and everybody knows.
    assert!(hears_of_it("knock-ended"), "{heard:?}");
    assert_eq!(hears_of_it("peer-joined"), hears_of_it("peer-left"), "{heard:?}");
    assert_eq!(pair.bus.lock().unwrap().rooms.rooms(), 1);
}

#[test]
fn a_second_peek_waits_for_the_answer_to_the_first() {
    let mut pair = Pair::new();
    for _ in 0..2 {
        pair.worlds[0].send(0, json!({"type": "peek", "room": "room"}));
    }
    pair.worlds[0].settle();
    assert_eq!(pair.worlds[0].take(0)[0]["code"], "too-fast");
    pair.carry();
    assert_eq!(pair.worlds[0].take(0)[0]["key"], "new");
    // A session that ends meanwhile is not waited for.
    pair.worlds[0].send(0, json!({"type": "peek", "room": "room"}));
    pair.worlds[0].send(0, json!({"type": "bye"}));
    pair.worlds[0].settle();
    assert!(pair.worlds[0].hub.is_empty());
    pair.carry();
}
