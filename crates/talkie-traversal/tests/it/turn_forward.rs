//! The fast path does what the slow one does.

#![allow(clippy::unwrap_used, reason = "a test is allowed to end here")]

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;
use talkie_sansio::{Path, Transport};
use talkie_traversal::stun::Method;
use talkie_traversal::stun::attributes::{
    AdditionalAddressFamily, AddressFamily, Lifetime, RequestedAddressFamily,
};
use talkie_traversal::turn::server::{Config, Forward, HEADROOM, Packet, RelayAddress, TAILROOM};

use crate::turn_world::{
    Client, SERVER, World, addr, channel_data, config, secs, send_indication, udp,
};

/// What a scenario consists of; the indices choose among few clients, channels and peers, so that
/// they meet.
#[derive(Clone, Debug)]
enum Step {
    Allocate(usize),
    Refresh(usize, u64),
    Disconnect(usize),
    Permit(usize, usize),
    Bind(usize, u16, usize),
    ChannelData(usize, u16, usize),
    Send(usize, usize, usize),
    FromPeer(usize, usize, usize),
    Raw(usize, Vec<u8>),
    Elapse(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (client, peer) = (0..4_usize, 0..8_usize);
    let channel = prop_oneof![4 => 0x4000..0x4003_u16, 1 => Just(0x5000)];
    let size = prop_oneof![0..5_usize, Just(172), Just(1200)];
    prop_oneof![
        2 => client.clone().prop_map(Step::Allocate),
        1 => (client.clone(), prop_oneof![Just(0), Just(600), Just(3600)])
            .prop_map(|(client, lifetime)| Step::Refresh(client, lifetime)),
        1 => client.clone().prop_map(Step::Disconnect),
        2 => (client.clone(), peer.clone()).prop_map(|(client, peer)| Step::Permit(client, peer)),
        4 => (client.clone(), channel.clone(), peer.clone())
            .prop_map(|(client, channel, peer)| Step::Bind(client, channel, peer)),
        10 => (client.clone(), channel, size.clone())
            .prop_map(|(client, channel, size)| Step::ChannelData(client, channel, size)),
        2 => (client.clone(), peer.clone(), size.clone())
            .prop_map(|(client, peer, size)| Step::Send(client, peer, size)),
        10 => (client.clone(), peer, size)
            .prop_map(|(client, peer, size)| Step::FromPeer(client, peer, size)),
        1 => (client, prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(client, bytes)| Step::Raw(client, bytes)),
        1 => prop_oneof![Just(1), Just(60), Just(299), Just(301), Just(601)].prop_map(Step::Elapse),
    ]
}

fn clients() -> Vec<Client> {
    let udp = |remote| Client::ann(remote);
    let tcp = Client::bob("198.51.100.2:2000");
    let tcp = Client { path: Path { transport: Transport::Tcp, ..tcp.path }, ..tcp };
    let named =
        Client::limited(super::turn_world::udp(SERVER, "198.51.100.3:1"), "n", Some("7.7.7.7"));
    vec![udp("198.51.100.1:1000"), udp("198.51.100.1:1001"), tcp, named]
}

/// A world in which packets take one of the two paths.
struct Side {
    world: World,
    clients: Vec<Client>,
    relayed: Vec<SocketAddr>,
    bound: Vec<SocketAddr>,
    fast: bool,
}

impl Side {
    fn new(fast: bool) -> Self {
        let relay = |bind: &str, advertise: &str| {
            Some(RelayAddress {
                bind: bind.parse().unwrap(),
                advertise: advertise.parse().unwrap(),
            })
        };
        let config = Config { relay_v6: relay("::", "2600::1"), ..config() };
        let unknown = addr("1.1.1.1:1");
        Self {
            world: World::new(config),
            clients: clients(),
            relayed: vec![unknown; 4],
            bound: vec![unknown; 4],
            fast,
        }
    }

    /// Peers: four on the network, of which two share an address, and the clients' relays.
    fn peer(&self, index: usize) -> SocketAddr {
        match index {
            0 => addr("8.8.8.8:1"),
            1 => addr("8.8.8.8:2"),
            2 => addr("9.9.9.9:1"),
            3 => addr("[2600::2]:1"),
            relay => self.relayed[relay - 4],
        }
    }

    fn packet(&mut self, path: Path, bytes: &[u8]) {
        if !self.fast {
            return self.world.receive(path, bytes);
        }
        let mut buffer = vec![0xee; HEADROOM];
        buffer.extend_from_slice(bytes);
        buffer.extend([0xee; TAILROOM]);
        let range = HEADROOM..HEADROOM + bytes.len();
        let mut packet = Packet { buffer: &mut buffer, range: range.clone() };
        match self.world.server.forward(self.world.now, path, &mut packet) {
            Forward::Send { path, range } => {
                self.world.sent.push_back((path, buffer[range].to_vec()));
            }
            Forward::Drop => {}
            Forward::Slow => {
                assert_eq!(&buffer[range], bytes, "the buffer was changed");
                self.world.receive(path, bytes);
            }
        }
        self.world.drain();
    }

    fn apply(&mut self, step: &Step) -> Vec<(Path, Vec<u8>)> {
        let payload = |size| vec![0x55; size];
        match step {
            Step::Allocate(index) => {
                let before = self.world.open_relays();
                let family = if *index == 1 { AddressFamily::IPV6 } else { AddressFamily::IPV4 };
                let response = self.clients[*index].allocate_with(&mut self.world, |writer| {
                    writer.attribute(&RequestedAddressFamily(family));
                });
                if let Some(relayed) = response.relayed().first() {
                    self.relayed[*index] = *relayed;
                    let open = self.world.open_relays();
                    let new = open.iter().find(|local| !before.contains(local));
                    self.bound[*index] = *new.unwrap();
                }
            }
            Step::Refresh(index, lifetime) => {
                let lifetime = *lifetime;
                self.clients[*index].request(&mut self.world, Method::REFRESH, |writer| {
                    writer.attribute(&Lifetime(secs(lifetime)));
                });
            }
            Step::Disconnect(index) => {
                let path = self.clients[*index].path;
                self.world.server.handle_disconnect(self.world.now, path);
                self.world.drain();
            }
            Step::Permit(index, peer) => {
                let peer = self.peer(*peer);
                self.clients[*index].permit_at(&mut self.world, peer);
            }
            Step::Bind(index, number, peer) => {
                let peer = self.peer(*peer);
                self.clients[*index].bind(&mut self.world, *number, peer);
            }
            Step::ChannelData(index, number, size) => {
                let path = self.clients[*index].path;
                let mut bytes = channel_data(*number, &payload(*size));
                if path.transport.is_reliable() {
                    bytes.resize(bytes.len().next_multiple_of(4), 0);
                }
                self.packet(path, &bytes);
            }
            Step::Send(index, peer, size) => {
                let bytes = send_indication(self.peer(*peer), &payload(*size));
                self.packet(self.clients[*index].path, &bytes);
            }
            Step::FromPeer(index, peer, size) => {
                let (local, remote) = (self.bound[*index], self.peer(*peer));
                let path = Path { transport: Transport::Udp, local, remote };
                self.packet(path, &payload(*size));
            }
            Step::Raw(index, bytes) => self.packet(self.clients[*index].path, bytes),
            Step::Elapse(seconds) => self.world.elapse(Duration::from_secs(*seconds)),
        }
        std::mem::take(&mut self.world.sent).into()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn both_paths_send_the_same(steps in prop::collection::vec(step(), 1..120)) {
        let (mut slow, mut fast) = (Side::new(false), Side::new(true));
        // Begin with something to relay for.
        for index in 0..4 {
            for side in [&mut slow, &mut fast] {
                side.apply(&Step::Allocate(index));
                side.apply(&Step::Bind(index, 0x4000, if index == 1 { 3 } else { 0 }));
            }
        }
        for step in &steps {
            prop_assert_eq!(slow.apply(step), fast.apply(step), "{:?}", step);
        }
        prop_assert_eq!(slow.world.events, fast.world.events);
        prop_assert_eq!(slow.world.server.stats(), fast.world.server.stats());
    }
}

fn forward(world: &mut World, path: Path, bytes: &[u8], head: usize, tail: usize) -> Forward {
    let mut buffer = vec![0; head];
    buffer.extend_from_slice(bytes);
    buffer.extend(vec![0; tail]);
    let mut packet = Packet { buffer: &mut buffer, range: head..head + bytes.len() };
    world.server.forward(world.now, path, &mut packet)
}

#[test]
fn without_room_the_slow_path_is_asked_for() {
    let mut world = World::new(config());
    let tcp = Client::ann("198.51.100.1:1000");
    let mut tcp = Client { path: Path { transport: Transport::Tcp, ..tcp.path }, ..tcp };
    tcp.allocate(&mut world);
    let peer = addr("8.8.8.8:1");
    assert_eq!(tcp.bind(&mut world, 0x4000, peer), 0);
    let path = udp(&world.open_relays()[0].to_string(), "8.8.8.8:1");
    assert_eq!(forward(&mut world, path, b"abcde", 3, 3), Forward::Slow);
    assert_eq!(forward(&mut world, path, b"abcde", 4, 2), Forward::Slow);
    assert!(matches!(forward(&mut world, path, b"abcde", 4, 3), Forward::Send { .. }));
    assert!(matches!(forward(&mut world, path, b"abcd", 4, 0), Forward::Send { .. }));
    // From the client nothing is needed.
    let data = channel_data(0x4000, b"abcd");
    assert_eq!(forward(&mut world, tcp.path, &data, 0, 0), Forward::Send { path, range: 4..8 });
    // A range outside its buffer is a driver's mistake, not a panic.
    let mut packet = Packet { buffer: &mut [0; 4], range: 2..9 };
    assert_eq!(world.server.forward(world.now, tcp.path, &mut packet), Forward::Drop);
}

#[test]
fn a_kept_route_ends_with_what_it_rests_on() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    ann.refresh(&mut world, 3600);
    let peer = addr("8.8.8.8:1");
    assert_eq!(ann.bind(&mut world, 0x4000, peer), 0);
    let inward = udp(&world.open_relays()[0].to_string(), "8.8.8.8:1");
    let data = channel_data(0x4000, b"x");
    // No timer fires when a permission or a channel ends.
    assert!(sends(&mut world, inward, b"x"));
    world.elapse(secs(300));
    assert!(!sends(&mut world, inward, b"x"));
    assert!(sends(&mut world, ann.path, &data));
    world.elapse(secs(300));
    assert!(!sends(&mut world, ann.path, &data));
    // A request by anybody takes effect at once.
    assert_eq!(ann.bind(&mut world, 0x4000, addr("8.8.8.8:2")), 0);
    assert!(sends(&mut world, ann.path, &data));
    ann.refresh(&mut world, 0);
    assert!(!sends(&mut world, ann.path, &data));
}

fn sends(world: &mut World, path: Path, bytes: &[u8]) -> bool {
    matches!(forward(world, path, bytes, 4, 3), Forward::Send { .. })
}

#[test]
fn a_kept_route_ends_with_the_connection_of_its_client() {
    let mut world = World::new(config());
    let ann = Client::ann("198.51.100.1:1000");
    let mut ann = Client { path: Path { transport: Transport::Tls, ..ann.path }, ..ann };
    ann.allocate(&mut world);
    assert_eq!(ann.bind(&mut world, 0x4000, addr("8.8.8.8:1")), 0);
    let inward = udp(&world.open_relays()[0].to_string(), "8.8.8.8:1");
    let data = channel_data(0x4000, b"x");
    assert!(sends(&mut world, inward, b"x") && sends(&mut world, ann.path, &data));
    world.server.handle_disconnect(world.now, ann.path);
    assert!(!sends(&mut world, inward, b"x") && !sends(&mut world, ann.path, &data));
}

#[test]
fn a_kept_route_ends_with_its_half_of_an_allocation() {
    let mut world = Side::new(true).world;
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate_with(&mut world, |writer| {
        writer.attribute(&AdditionalAddressFamily(AddressFamily::IPV6));
    });
    assert_eq!(ann.bind(&mut world, 0x4000, addr("8.8.8.8:1")), 0);
    assert_eq!(ann.bind(&mut world, 0x4001, addr("[2600::2]:1")), 0);
    let [four, six] = [0x4000, 0x4001].map(|number| channel_data(number, b"x"));
    assert!(sends(&mut world, ann.path, &four) && sends(&mut world, ann.path, &six));
    let deleted = ann.request(&mut world, Method::REFRESH, |writer| {
        writer
            .attribute(&RequestedAddressFamily(AddressFamily::IPV6))
            .attribute(&Lifetime(secs(0)));
    });
    assert!(deleted.is_success());
    assert!(sends(&mut world, ann.path, &four) && !sends(&mut world, ann.path, &six));
}

#[test]
fn a_kept_route_inside_ends_with_either_side() {
    let start = || {
        let mut world = World::new(config());
        let (mut ann, mut bob) = (Client::ann("198.51.100.1:1"), Client::bob("198.51.100.2:1"));
        let to = [ann.allocate(&mut world), bob.allocate(&mut world)];
        assert_eq!(bob.bind(&mut world, 0x4000, to[0]), 0);
        world.elapse(secs(10));
        assert_eq!(ann.bind(&mut world, 0x4000, to[1]), 0);
        assert!(sends(&mut world, ann.path, &channel_data(0x4000, b"x")));
        (world, ann, bob)
    };
    let data = channel_data(0x4000, b"x");
    // Bob's permission is ten seconds older than ann's.
    let (mut world, ann, _) = start();
    world.elapse(secs(289));
    assert!(sends(&mut world, ann.path, &data));
    world.elapse(secs(1));
    assert!(!sends(&mut world, ann.path, &data), "the receiver's permission ended");
    let (mut world, ann, bob) = start();
    world.server.handle_disconnect(world.now, bob.path);
    assert!(!sends(&mut world, ann.path, &data), "the receiver is gone");
    let (mut world, ann, _) = start();
    world.server.handle_disconnect(world.now, ann.path);
    assert!(!sends(&mut world, ann.path, &data), "the sender is gone");
}
