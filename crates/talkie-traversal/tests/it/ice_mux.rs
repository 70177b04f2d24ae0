//! Many agents at one socket: each gets its own packets and nobody else's, and leaves nothing behind.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use talkie_sansio::conformance::{self, Input};
use talkie_sansio::{
    Answer, Datagram, Genesis, Hosted as _, Interface, Machine as _, Path, Transport, Want,
};
use talkie_sim::nat::Config as Nat;
use talkie_sim::net::{Host, Link, Network};
use talkie_traversal::ice::gather::{Policy, Server, SetServersError};
use talkie_traversal::ice::mux::{AgentId, Config as MuxConfig, Mux, Refused};
use talkie_traversal::ice::{Agent, Config, ConnectionState, Event, Parameters, Role};
use talkie_traversal::stun::attributes::{Priority, Username, XorMappedAddress};
use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};

const SECOND: Duration = Duration::from_secs(1);
const SERVER: &str = "192.0.2.1";
const THEIR_PASSWORD: &str = "0123456789abcdef012345";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn config(role: Role) -> Config {
    let mut config = Config::default();
    config.role = role;
    config
}

/// A server and its clients, each of which is behind a NAT of its own.
struct World {
    network: Network,
    server: Host<Mux>,
    clients: Vec<(Host<Agent>, AgentId)>,
    /// What each end has got, and which states it was in.
    heard: Vec<[Vec<Vec<u8>>; 2]>,
    states: Vec<[Option<ConnectionState>; 2]>,
}

impl World {
    fn new(clients: u8) -> Self {
        let mut network = Network::new(&conformance::genesis());
        let internet = network.add_internet("internet");
        let link = Link::with_delay(Duration::from_millis(5));
        let genesis = network.genesis();
        let config = MuxConfig { ports: 3478..=3478, ..MuxConfig::default() };
        let server = network.add_hosted("server", Mux::new(&genesis, config));
        network.attach(server, internet, link.clone(), [ip(SERVER)]);
        network.run_for(SECOND);
        let mut world =
            Self { network, server, clients: Vec::new(), heard: Vec::new(), states: Vec::new() };
        for index in 0..clients {
            let outside = IpAddr::from([198, 51, 100, index]);
            let nat = Nat::port_restricted_cone([outside]);
            let home = world.network.add_nat("home", internet, link.clone(), nat);
            let genesis = world.network.genesis();
            let agent = Agent::new(&genesis, self::config(Role::Controlling));
            let client = world.network.add_hosted("client", agent);
            world.network.attach(client, home, link.clone(), [ip("192.168.1.2")]);
            world.meet(client);
        }
        world
    }

    /// A new agent at the server for a client, and each told of the other.
    fn meet(&mut self, client: Host<Agent>) {
        let genesis = self.network.genesis();
        let id = self.network.call(self.server, |mux, now| {
            let genesis = Genesis { now, ..genesis };
            mux.add(&genesis, config(Role::Controlled)).unwrap()
        });
        self.network.call(client, Agent::gather);
        self.network.call(self.server, |mux, now| mux.call(now, id, |agent| agent.gather(now)));
        self.clients.push((client, id));
        self.heard.push([Vec::new(), Vec::new()]);
        self.states.push([None, None]);
        self.introduce(self.clients.len() - 1);
    }

    fn introduce(&mut self, index: usize) {
        let (client, id) = self.clients[index];
        let theirs = self.network.machine(client).local_parameters().clone();
        let ours = self.network.machine(self.server).agent(id).unwrap().local_parameters().clone();
        self.network.call(client, |agent, now| agent.set_remote_parameters(now, ours));
        self.network.call(self.server, |mux, now| {
            mux.call(now, id, |agent| agent.set_remote_parameters(now, theirs))
        });
    }

    /// Lets time pass in steps of 50 ms; candidates reach the other side at each.
    fn run(&mut self, span: Duration) {
        let until = self.network.now() + span;
        while self.network.now() < until {
            self.network.run_for(Duration::from_millis(50));
            while let Some((id, event)) = self.network.poll_event(self.server) {
                let Some(index) = self.clients.iter().position(|(_, of)| *of == id) else {
                    continue;
                };
                let client = self.clients[index].0;
                match event {
                    Event::Candidate(candidate) => {
                        self.network.call(client, |agent, now| {
                            agent.add_remote_candidate(now, candidate).unwrap();
                        });
                    }
                    Event::Data(data) => self.heard[index][0].push(data),
                    Event::ConnectionState(state) => self.states[index][0] = Some(state),
                    _ => {}
                }
            }
            for index in 0..self.clients.len() {
                let (client, _) = self.clients[index];
                while let Some(event) = self.network.poll_event(client) {
                    match event {
                        Event::Data(data) => self.heard[index][1].push(data),
                        Event::ConnectionState(state) => self.states[index][1] = Some(state),
                        _ => {}
                    }
                }
            }
        }
    }

    fn say(&mut self, index: usize) {
        let (client, id) = self.clients[index];
        let text = format!("{index}");
        self.network.call(client, |agent, now| agent.send(now, text.as_bytes()).unwrap());
        self.network.call(self.server, |mux, now| mux.send(now, id, text.as_bytes()).unwrap());
    }

    fn are_connected(&self) -> bool {
        let is_up = |state: &Option<ConnectionState>| {
            matches!(state, Some(ConnectionState::Connected | ConnectionState::Completed))
        };
        self.states.iter().flatten().all(is_up)
    }

    fn mux(&self) -> &Mux {
        self.network.machine(self.server)
    }
}

#[test]
fn thirty_clients_share_one_port_and_each_gets_its_own() {
    let mut world = World::new(30);
    world.run(3 * SECOND);
    assert!(world.are_connected(), "{:?}", world.states);
    assert_eq!(world.network.sockets(world.server), [SocketAddr::new(ip(SERVER), 3478)]);
    for index in 0..30 {
        world.say(index);
    }
    world.run(SECOND);
    for (index, heard) in world.heard.iter().enumerate() {
        let own = vec![index.to_string().into_bytes()];
        assert_eq!(*heard, [own.clone(), own], "{index}");
    }
    // Later there is no more in the tables than then: one fragment each, one address, and at most one consent
    // check that is not answered yet.
    world.run(60 * SECOND);
    let [fragments, transactions, addresses] = world.mux().entries();
    assert_eq!((fragments, addresses), (30, 30));
    assert!(transactions <= 30, "{transactions}");
    assert!(world.are_connected());
}

#[test]
fn who_is_removed_leaves_nothing_behind() {
    let mut world = World::new(6);
    world.run(3 * SECOND);
    assert!(world.are_connected());
    for (index, (_, id)) in world.clients.clone().into_iter().enumerate() {
        world.network.call(world.server, |mux, now| mux.remove(now, id));
        assert_eq!(world.mux().len(), 5 - index);
        assert_eq!(world.mux().entries()[0], 5 - index);
        assert_eq!(world.mux().entries()[2], 5 - index);
    }
    assert_eq!(world.mux().entries(), [0, 0, 0]);
    // What the clients still send is for nobody, and nobody answers.
    let before = world.mux().counters();
    world.run(20 * SECOND);
    assert!(world.mux().counters().unknown_fragment > before.unknown_fragment);
    assert!(world.states.iter().all(|states| states[1] == Some(ConnectionState::Disconnected)));
    assert_eq!(world.network.sockets(world.server).len(), 1, "the port stays");
    assert_eq!(world.mux().poll_timeout(), None, "and is idle");
    world.network.call(world.server, |mux, now| mux.close(now));
    assert_eq!(world.network.sockets(world.server), []);
}

#[test]
fn a_restart_goes_on_at_the_same_socket() {
    let mut world = World::new(3);
    world.run(3 * SECOND);
    let (client, id) = world.clients[1];
    let old = world.mux().agent(id).unwrap().local_parameters().username_fragment.clone();
    world.network.call(world.server, |mux, now| {
        mux.call(now, id, |agent| agent.restart(now)).unwrap();
    });
    world.network.call(client, |agent, now| drop(agent.restart(now)));
    assert_eq!(world.mux().entries()[0], 4, "the old fragment and the new one");
    world.introduce(1);
    world.run(3 * SECOND);
    assert!(world.are_connected(), "{:?}", world.states);
    assert_ne!(world.mux().agent(id).unwrap().local_parameters().username_fragment, old);
    world.say(1);
    world.run(SECOND);
    assert_eq!(world.heard[1], [vec![b"1".to_vec()], vec![b"1".to_vec()]]);
    world.run(40 * SECOND);
    assert_eq!(world.mux().entries()[0], 3, "nobody is known by the old one any more");
}

#[test]
fn an_agent_is_found_by_what_it_goes_back_to_when_restarts_are_taken_back() {
    let mut world = World::new(1);
    world.run(3 * SECOND);
    let (_, id) = world.clients[0];
    for restarts in 1..4 {
        for _ in 0..restarts {
            world.network.call(world.server, |mux, now| {
                mux.call(now, id, |agent| agent.restart(now)).unwrap();
            });
            // The checks of the client's consent are for the fragment of before all the while.
            world.run(20 * SECOND);
        }
        assert_eq!(world.mux().entries()[0], 2);
        world.network.call(world.server, |mux, now| {
            assert_eq!(mux.call(now, id, |agent| agent.undo_restart(now)), Some(true));
        });
        world.run(20 * SECOND);
    }
    assert_eq!(world.mux().entries()[0], 1);
    assert_eq!(world.mux().counters().unknown_fragment, 0);
    assert!(world.are_connected(), "{:?}", world.states);
}

/// A mux with a socket and agents that wait for their peers, and its time.
pub(crate) fn waiting(genesis: &Genesis, agents: usize) -> (Mux, Vec<AgentId>) {
    waiting_with(genesis, agents, |_| ())
}

/// The same with agents of another configuration.
pub(crate) fn waiting_with(
    genesis: &Genesis,
    agents: usize,
    adjust: fn(&mut Config),
) -> (Mux, Vec<AgentId>) {
    let mut mux = Mux::new(genesis, MuxConfig::default());
    let interface = Interface::new("eth0", ip(SERVER));
    mux.handle_interfaces(genesis.now, &[interface]);
    let ids = (0..agents).map(|_| {
        let mut config = config(Role::Controlled);
        adjust(&mut config);
        let id = mux.add(genesis, config).unwrap();
        mux.call(genesis.now, id, |agent| {
            let theirs = Parameters::new("peer", THEIR_PASSWORD).unwrap();
            agent.set_remote_parameters(genesis.now, theirs);
            agent.gather(genesis.now);
        });
        id
    });
    let ids = ids.collect();
    let mut binds = 0;
    while let Some(want) = mux.poll_want() {
        let Want::Bind { id, local, .. } = want else { panic!("{want:?}") };
        binds += 1;
        mux.handle_answer(genesis.now, Answer::Bound { id, local: SocketAddr::new(local, 3478) });
    }
    assert!(binds <= 1, "one socket for all");
    (mux, ids)
}

pub(crate) fn path(remote: &str) -> Path {
    let local = SocketAddr::new(ip(SERVER), 3478);
    Path { transport: Transport::Udp, local, remote: remote.parse().unwrap() }
}

/// A check for `fragment`, signed with `password`.
pub(crate) fn check(fragment: &str, password: &str, number: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let id = TransactionId([number; 12]);
    let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, id);
    writer.attribute(&Username::new(&format!("{fragment}:peer")).unwrap());
    writer.attribute(&Priority(1));
    writer.attribute(&talkie_traversal::stun::attributes::IceControlling(1));
    writer.integrity(&Key::short_term(password));
    writer.fingerprint();
    bytes
}

/// The peer's answer to a check of ours.
fn success(check: &Message<'_>, mapped: SocketAddr) -> Vec<u8> {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Success, Method::BINDING, check.transaction_id())
        .attribute(&XorMappedAddress(mapped))
        .integrity(&Key::short_term("0123456789abcdef012345"))
        .fingerprint();
    bytes
}

fn sent(mux: &mut Mux) -> usize {
    let mut buf = Vec::new();
    std::iter::from_fn(|| mux.poll_transmit(&mut buf)).count()
}

fn data(mux: &mut Mux) -> Vec<AgentId> {
    std::iter::from_fn(|| mux.poll_event())
        .filter_map(|(id, event)| matches!(event, Event::Data(_)).then_some(id))
        .collect()
}

#[test]
fn only_what_is_signed_makes_an_entry_and_strangers_get_no_answer() {
    let genesis = conformance::genesis();
    let now = genesis.now;
    let (mut mux, ids) = waiting(&genesis, 2);
    let own = mux.agent(ids[0]).unwrap().local_parameters().clone();
    let hear = |mux: &mut Mux, remote: &str, payload: &[u8]| {
        mux.handle_datagram(now, Datagram { path: path(remote), payload: &mut payload.to_vec() });
        sent(mux)
    };
    sent(&mut mux);
    // For nobody; for one, but with another's password; data from there; what is no STUN although it
    // begins so; a response that nobody waits for.
    let other = mux.agent(ids[1]).unwrap().local_parameters().password.clone();
    assert_eq!(hear(&mut mux, "198.51.100.1:5", &check("nobody", &own.password, 1)), 0);
    let wrong = check(&own.username_fragment, &other, 2);
    // RFC 8489 §9.1.3 has it answered with an error, no longer than the check.
    assert!(hear(&mut mux, "198.51.100.1:5", &wrong) <= 1);
    assert_eq!(hear(&mut mux, "198.51.100.1:5", b"data"), 0);
    assert_eq!(hear(&mut mux, "198.51.100.1:5", &wrong[..24]), 0);
    let mut response = wrong;
    response[0] = 1;
    assert_eq!(hear(&mut mux, "198.51.100.1:5", &response), 0);
    assert_eq!(mux.entries(), [2, 0, 0]);
    assert_eq!(data(&mut mux), []);
    let counters = mux.counters();
    assert_eq!(counters.unknown_fragment, 1);
    assert_eq!(counters.unknown_address, 1);
    assert_eq!(counters.unknown_transaction, 1);
    assert_eq!(counters.malformed, 1);

    // Signed, it is answered, and data from there is that agent's from now on; from elsewhere it is not.
    let right = check(&own.username_fragment, &own.password, 3);
    assert!(hear(&mut mux, "198.51.100.1:5", &right) >= 1);
    assert_eq!(mux.entries()[2], 1);
    hear(&mut mux, "198.51.100.1:5", b"data");
    hear(&mut mux, "198.51.100.1:6", b"data");
    assert_eq!(data(&mut mux), [ids[0]]);
}

#[test]
fn data_that_raises_a_doubt_is_followed_by_a_question_at_once() {
    let genesis = conformance::genesis();
    let (mut mux, ids) = waiting(&genesis, 1);
    let mut now = genesis.now;
    let own = mux.agent(ids[0]).unwrap().local_parameters().clone();
    let remotes = ["198.51.100.1:5", "198.51.100.1:6"];
    for (number, remote) in (1..).zip(remotes) {
        let mut payload = check(&own.username_fragment, &own.password, number);
        mux.handle_datagram(now, Datagram { path: path(remote), payload: &mut payload });
        // It is answered, and followed by a check, which is answered as well.
        let mut buf = Vec::new();
        while let Some(transmit) = mux.poll_transmit(&mut buf) {
            let sent = buf.split_off(buf.len() - transmit.len);
            let message = Message::parse(&sent).unwrap();
            if message.class() == Class::Request {
                let mut answer = success(&message, transmit.path.local);
                let datagram = Datagram { path: transmit.path, payload: &mut answer };
                mux.handle_datagram(now, datagram);
            }
        }
    }
    now += SECOND;
    mux.handle_timeout(now);
    sent(&mut mux);
    let selected = mux.agent(ids[0]).unwrap().selected().unwrap().remote_address;
    let other = remotes.into_iter().find(|remote| path(remote).remote != selected).unwrap();
    let mut payload = b"data".to_vec();
    assert!(mux.receive(now, Datagram { path: path(other), payload: &mut payload }).is_some());
    let mut buf = Vec::new();
    let question = mux.poll_transmit(&mut buf).expect("is the selected pair still there?");
    assert_eq!(question.path.remote, selected);
}

#[test]
fn an_address_in_use_is_not_taken_over() {
    let genesis = conformance::genesis();
    let (mut mux, ids) = waiting(&genesis, 2);
    let mut now = genesis.now;
    let signed = |mux: &Mux, index: usize, number: u8| {
        let own = mux.agent(ids[index]).unwrap().local_parameters();
        check(&own.username_fragment, &own.password, number)
    };
    let hear = |mux: &mut Mux, now, mut payload: Vec<u8>| {
        mux.handle_datagram(now, Datagram { path: path("198.51.100.1:5"), payload: &mut payload });
        sent(mux);
    };
    let first = signed(&mux, 0, 1);
    hear(&mut mux, now, first);
    for number in 2..5 {
        // The second's peer says that it is where the first's is. As long as the first's shows itself,
        // that changes nothing.
        now += 10 * SECOND;
        mux.handle_timeout(now);
        let (second, first) = (signed(&mux, 1, 10 + number), signed(&mux, 0, 20 + number));
        hear(&mut mux, now, second);
        hear(&mut mux, now, first);
        hear(&mut mux, now, b"data".to_vec());
        assert_eq!(data(&mut mux), [ids[0]]);
    }
    assert_eq!(mux.counters().contested, 3);
    now += 15 * SECOND;
    mux.handle_timeout(now);
    let second = signed(&mux, 1, 99);
    hear(&mut mux, now, second);
    hear(&mut mux, now, b"data".to_vec());
    assert_eq!(data(&mut mux), [ids[1]], "the first's has been silent");
    mux.remove(now, ids[0]);
    assert_eq!(mux.entries()[2], 1, "what went over to the second stays");
    mux.remove(now, ids[1]);
    assert_eq!(mux.entries(), [0, 0, 0]);
}

/// What agents ask of others, and along which path.
fn asked(mux: &mut Mux) -> Vec<(Path, Vec<u8>)> {
    let mut all = Vec::new();
    let mut buf = Vec::new();
    while let Some(transmit) = mux.poll_transmit(&mut buf) {
        all.push((transmit.path, std::mem::take(&mut buf)));
    }
    let is_request =
        |bytes: &[u8]| Message::parse(bytes).is_ok_and(|it| it.class() == Class::Request);
    all.retain(|(_, bytes)| is_request(bytes));
    all
}

pub(crate) fn answer_to(request: &[u8]) -> Vec<u8> {
    let id = Message::parse(request).unwrap().transaction_id();
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Class::Success, Method::BINDING, id);
    writer.attribute(&XorMappedAddress(SocketAddr::new(ip(SERVER), 3478)));
    writer.integrity(&Key::short_term(THEIR_PASSWORD)).fingerprint();
    bytes
}

#[test]
fn who_answers_at_an_address_gets_it_before_who_only_says_to_be_there() {
    let genesis = conformance::genesis();
    let (mut mux, ids) = waiting(&genesis, 2);
    let mut now = genesis.now;
    let there = path("198.51.100.1:5");
    let signed = |mux: &Mux, index: usize, number: u8| {
        let own = mux.agent(ids[index]).unwrap().local_parameters();
        check(&own.username_fragment, &own.password, number)
    };
    let hear = |mux: &mut Mux, now, mut payload: Vec<u8>| {
        mux.handle_datagram(now, Datagram { path: there, payload: &mut payload });
    };
    // The first's peer writes the second's peer's address on its checks, and was here before.
    let forged = signed(&mux, 0, 1);
    hear(&mut mux, now, forged);
    asked(&mut mux);
    let true_one = signed(&mux, 1, 2);
    hear(&mut mux, now, true_one);
    assert_eq!(mux.counters().contested, 1);
    let (to, request) = asked(&mut mux).pop().expect("a triggered check");
    assert_eq!(to, there);
    hear(&mut mux, now, answer_to(&request));
    hear(&mut mux, now, b"data".to_vec());
    assert_eq!(data(&mut mux), [ids[1]]);
    // And it stays the second's, whatever the first's says.
    for number in 3..6 {
        now += 4 * SECOND;
        mux.handle_timeout(now);
        let forged = signed(&mux, 0, number);
        hear(&mut mux, now, forged);
        hear(&mut mux, now, b"data".to_vec());
        assert_eq!(data(&mut mux), [ids[1]]);
    }
    // An indication says nothing at all.
    let mut indication = signed(&mux, 0, 9);
    indication[1] |= 0x10;
    now += 15 * SECOND;
    hear(&mut mux, now, indication);
    hear(&mut mux, now, b"data".to_vec());
    assert_eq!(data(&mut mux), [ids[1]]);
}

#[test]
fn a_peer_that_comes_from_everywhere_has_a_bounded_number_of_addresses() {
    let genesis = conformance::genesis();
    let (mut mux, ids) = waiting(&genesis, 1);
    let own = mux.agent(ids[0]).unwrap().local_parameters().clone();
    for port in 1..2000_u16 {
        let mut payload = check(&own.username_fragment, &own.password, port as u8);
        let path = path(&format!("198.51.100.1:{port}"));
        mux.handle_datagram(genesis.now, Datagram { path, payload: &mut payload });
        sent(&mut mux);
        assert!(mux.entries()[2] <= 16);
    }
    assert!(mux.entries()[1] <= 256);
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let genesis = conformance::genesis();
    let few = MuxConfig { most_agents: 1, ..MuxConfig::default() };
    let mut mux = Mux::new(&genesis, few);
    let mut relayed = config(Role::Controlled);
    let uri = "turn:relay.example.org".parse().unwrap();
    relayed.gather.servers.push(Server { uri, credential: None });
    assert_eq!(mux.add(&genesis, relayed), Err(Refused::Relay));
    let id = mux.add(&genesis, config(Role::Controlled)).unwrap();
    assert_eq!(mux.add(&genesis, config(Role::Controlled)), Err(Refused::Full));
    mux.remove(genesis.now, id);
    let next = mux.add(&genesis, config(Role::Controlled)).unwrap();
    assert_ne!(next, id, "a number is never used again");
    assert_eq!(mux.call(genesis.now, id, |_| ()), None);
    assert!(mux.send(genesis.now, id, b"data").is_err());
}

#[test]
fn the_contract_of_machines_is_kept() {
    let genesis = conformance::genesis();
    let (mux, ids) = waiting(&genesis, 3);
    let own = mux.agent(ids[1]).unwrap().local_parameters().clone();
    let mut script = Vec::new();
    for (number, remote) in
        ["198.51.100.1:5", "198.51.100.2:5", "198.51.100.1:6"].into_iter().enumerate()
    {
        for payload in [
            check(&own.username_fragment, &own.password, number as u8),
            check(&own.username_fragment, "wrong", 100 + number as u8),
            check("nobody", &own.password, 200),
            b"data".to_vec(),
            vec![0, 1, 0, 0],
            Vec::new(),
        ] {
            script.push(Input::Datagram(path(remote), payload));
            script.push(Input::Elapse(Duration::from_millis(70)));
        }
    }
    script.push(Input::Elapse(60 * SECOND));
    conformance::check(|genesis| waiting(&genesis, 3).0, || (), &script, 1024);
}

#[test]
fn servers_that_cannot_be_shared_are_refused_later_as_well() {
    let genesis = conformance::genesis();
    let mut mux = Mux::new(&genesis, MuxConfig::default());
    let id = mux.add(&genesis, config(Role::Controlled)).unwrap();
    let server = |uri: &str| Server::new(uri, Some(("ann", "pass"))).unwrap();
    let shareable =
        ["stun:192.0.2.50", "turn:192.0.2.1?transport=tcp", "turns:turn.example"].map(server);
    let relay = server("turn:192.0.2.1");
    let mut set = |servers: Vec<Server>| {
        mux.call(genesis.now, id, |agent| agent.set_servers(servers, Policy::All)).unwrap()
    };
    assert_eq!(set(shareable.to_vec()), Ok(()));
    let with_relay = shareable.iter().cloned().chain([relay.clone()]).collect();
    let error = set(with_relay).unwrap_err();
    assert_eq!(error, SetServersError::UdpRelay(relay.uri));
    assert!(error.to_string().contains("turn:192.0.2.1"), "{error}");
}
