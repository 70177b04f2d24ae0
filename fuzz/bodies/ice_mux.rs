//! Agents at one socket, whose peers, network, application and clock are the input: no panic, tables that
//! stay within their bounds and are empty when nobody is left, never woken in the past.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{
    Answer, Datagram, Genesis, Hosted as _, Interface, Machine as _, Path, Sink, Transmit,
    Transport, Want, WantError, conformance, drain,
};
use talkie_traversal::ice::mux::{AgentId, Config as MuxConfig, Mux};
use talkie_traversal::ice::{Candidate, CandidateType, Config, Event, Parameters, Protocol, Role};
use talkie_traversal::stun::attributes::{IceControlling, Priority, Username, XorMappedAddress};
use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};

use super::input::Input;

const PASSWORD: &str = "0123456789abcdefghijkl";
const MOST_AGENTS: usize = 5;
const MOST_ADDRESSES: usize = 3;

#[derive(Default)]
struct Out {
    requests: Vec<(Path, Vec<u8>)>,
    datagrams: usize,
}

impl Sink<Mux> for Out {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.datagrams += 1;
        if self.requests.len() < 64 {
            self.requests.push((transmit.path, payload.to_vec()));
        }
    }

    fn event(&mut self, _now: Instant, mux: &mut Mux, (id, _): (AgentId, Event)) {
        assert!(mux.agent(id).is_some(), "it speaks of {id:?}, who is gone");
    }
}

fn local(byte: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1 + byte % 2], 3478))
}

/// Few, so that agents meet at the same.
fn peer(byte: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + byte % 3], 6000 + u16::from(byte / 3 % 4)))
}

fn interfaces(byte: u8) -> Vec<Interface> {
    let up = (0..2).filter(|index| byte & (1 << index) != 0);
    let interface = |index| Interface::new(format!("eth{index}"), local(index).ip());
    up.map(interface).collect()
}

fn check(input: &mut Input<'_>, ours: &Parameters) -> Vec<u8> {
    let shape = input.byte();
    let id = TransactionId([input.byte(); 12]);
    let name = match shape & 3 {
        0 => "nobody:peer".to_owned(),
        _ => format!("{}:peer", ours.username_fragment),
    };
    let password = if shape & 12 == 12 { PASSWORD } else { &*ours.password };
    let mut bytes = Vec::new();
    let class = if shape & 16 == 0 { Class::Request } else { Class::Indication };
    let mut writer = Writer::new(&mut bytes, class, Method::BINDING, id);
    writer.attribute(&Username::new(&name).expect("short"));
    writer.attribute(&Priority(u32::from(input.byte()) << 22));
    writer.attribute(&IceControlling(u64::from(shape) << 56));
    writer.integrity(&Key::short_term(password)).fingerprint();
    bytes
}

fn answer(input: &mut Input<'_>, request: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let id = request.transaction_id();
    let mut writer = Writer::new(&mut bytes, Class::Success, request.method(), id);
    writer.attribute(&XorMappedAddress(peer(input.byte())));
    let password = if input.byte() & 7 == 7 { "another" } else { PASSWORD };
    writer.integrity(&Key::short_term(password)).fingerprint();
    bytes
}

/// Answers what the mux wants; what it does not get it is told.
fn grant(mux: &mut Mux, now: Instant, refuses: bool) {
    while let Some(want) = mux.poll_want() {
        let answer = match want {
            Want::Bind { id, .. } if refuses => {
                Answer::Failed { id, error: WantError::Unsupported }
            }
            Want::Bind { id, local, .. } => {
                Answer::Bound { id, local: SocketAddr::new(local, 3478) }
            }
            Want::Resolve { id, .. } => {
                Answer::Resolved { id, addresses: vec![IpAddr::from([192, 0, 2, 3])] }
            }
            other => match other.refusal() {
                Some(answer) => answer,
                None => continue,
            },
        };
        mux.handle_answer(now, answer);
    }
}

struct World {
    mux: Mux,
    ids: Vec<AgentId>,
    genesis: Genesis,
    now: Instant,
    out: Out,
    deadline: Option<Instant>,
}

impl World {
    fn id(&self, byte: u8) -> Option<AgentId> {
        self.ids.get(usize::from(byte) % self.ids.len().max(1)).copied()
    }

    fn parameters(&self, byte: u8) -> Option<Parameters> {
        Some(self.mux.agent(self.id(byte)?)?.local_parameters().clone())
    }

    fn hear(&mut self, path: Path, mut bytes: Vec<u8>) {
        self.mux.handle_datagram(self.now, Datagram { path, payload: &mut bytes });
    }

    fn add(&mut self, shape: u8) {
        let mut config = Config::default();
        config.role = if shape & 1 == 0 { Role::Controlling } else { Role::Controlled };
        let genesis = Genesis { now: self.now, ..self.genesis.clone() };
        let Ok(id) = self.mux.add(&genesis, config) else {
            assert_eq!(self.ids.len(), MOST_AGENTS, "there was room");
            return;
        };
        self.ids.push(id);
        let now = self.now;
        self.mux.call(now, id, |agent| {
            agent.gather(now);
            if shape & 2 == 0 {
                let theirs = Parameters::new("peer", PASSWORD).expect("long enough");
                agent.set_remote_parameters(now, theirs);
            }
        });
    }

    fn command(&mut self, choice: u8, input: &mut Input<'_>) {
        let now = self.now;
        let Some(id) = self.id(input.byte()) else { return };
        let address = peer(input.byte());
        let fragment = format!("peer{}", choice >> 6);
        self.mux.call(now, id, |agent| match choice >> 4 & 7 {
            0 if choice & 1 == 0 => drop(agent.restart(now)),
            0 => drop(agent.undo_restart(now)),
            1 | 2 => {
                let theirs = Parameters::new(&fragment, PASSWORD).expect("long enough");
                agent.set_remote_parameters(now, theirs);
            }
            3 => agent.close(now),
            _ => {
                let foundation = "1".to_owned();
                let (host, udp) = (CandidateType::Host, Protocol::Udp);
                let candidate = Candidate::new(host, udp, address, 1 << 24, foundation);
                let _ = agent.add_remote_candidate(now, candidate);
            }
        });
    }

    fn settle(&mut self, refuses: bool) {
        let before = self.out.datagrams;
        let mut buf = Vec::new();
        grant(&mut self.mux, self.now, refuses);
        let _ = drain(&mut self.mux, self.now, &mut buf, &mut self.out);
        grant(&mut self.mux, self.now, false);
        self.deadline = drain(&mut self.mux, self.now, &mut buf, &mut self.out);
        assert!(self.deadline.is_none_or(|at| at > self.now), "it wants to be woken in the past");
        assert!(self.out.datagrams - before < 600, "no end of datagrams");
        assert_eq!(self.mux.len(), self.ids.len());
        let [fragments, transactions, addresses] = self.mux.entries();
        assert!(fragments <= 2 * self.ids.len());
        assert!(transactions <= 256 * self.ids.len());
        assert!(addresses <= MOST_ADDRESSES * self.ids.len());
    }
}

pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let genesis = conformance::genesis();
    let config =
        MuxConfig { ports: 3478..=3478, most_agents: MOST_AGENTS, most_addresses: MOST_ADDRESSES };
    let mut world = World {
        mux: Mux::new(&genesis, config),
        ids: Vec::new(),
        now: genesis.now,
        genesis,
        out: Out::default(),
        deadline: None,
    };
    world.mux.handle_interfaces(world.now, &interfaces(input.byte() | 1));
    while !input.0.is_empty() {
        step(&mut world, &mut input);
    }
    let now = world.now;
    world.ids.clear();
    world.mux.close(now);
    world.settle(false);
    assert_eq!(world.mux.entries(), [0, 0, 0], "something is left behind");
}

fn step(world: &mut World, input: &mut Input<'_>) {
    let choice = input.byte();
    let now = world.now;
    let from = |input: &mut Input<'_>| {
        let (transport, remote) = (Transport::Udp, peer(input.byte()));
        Path { transport, local: local(choice >> 7), remote }
    };
    match choice % 12 {
        0 => world.add(choice >> 4),
        1 if choice > 192 => {
            if let Some(id) = world.id(input.byte()) {
                world.ids.retain(|known| *known != id);
                world.mux.remove(now, id);
            }
        }
        1 => world.command(choice, input),
        2..=4 => {
            if let Some(ours) = world.parameters(input.byte()) {
                let (bytes, path) = (check(input, &ours), from(input));
                world.hear(path, bytes);
            }
        }
        5 | 6 => {
            if let Some((path, request)) = world.out.requests.pop()
                && let Ok(request) = Message::parse(&request)
            {
                let bytes = answer(input, &request);
                // Now and then from elsewhere.
                let path = if choice > 240 { from(input) } else { path };
                world.hear(path, bytes);
            }
        }
        7 => {
            let path = from(input);
            world.hear(path, input.block().to_vec());
        }
        8 => {
            if let Some(id) = world.id(input.byte()) {
                let _ = world.mux.send(now, id, b"data");
            }
        }
        9 if choice > 200 => world.mux.handle_interfaces(now, &interfaces(input.byte())),
        _ => {
            let most = now + Duration::from_millis(u64::from(input.byte()) * 64);
            world.now = world.deadline.map_or(most, |at| at.min(most)).max(now);
            world.mux.handle_timeout(world.now);
        }
    }
    world.settle(choice & 64 != 0);
}
