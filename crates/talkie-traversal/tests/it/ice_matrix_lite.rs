//! A full agent and one that is lite (RFC 8445 §2.5): a server with a public address that sends no checks,
//! answers those that it gets, and takes the pair that the full side nominates.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_sansio::{Datagram, Machine, Path, Transmit};
use talkie_sim::nat::Preset;
use talkie_sim::net::{Host, Link, Network};
use talkie_traversal::ice::{
    Agent, Candidate, CandidateType, ConnectionState, Event, Parameters, Protocol, Role,
};
use talkie_traversal::stun::attributes::{UseCandidate, Username, XorMappedAddress};
use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::{Class, Message, Method, Writer};
use talkie_traversal::turn::server::TurnServer;

use crate::discover_world::genesis;
use crate::ice_spots::{LOTS, Spot};
use crate::ice_world::{FAR, Setup, add_server, config, seeds};

const LITE: &str = "203.0.113.1:7000";
const FRAGMENT: &str = "lite";
const PASSWORD: &str = "litelitelitelitelitelite";

/// It answers, and sends back what comes along the pair that was nominated.
#[derive(Default)]
struct Lite {
    out: VecDeque<(Path, Vec<u8>)>,
    nominated: BTreeSet<SocketAddr>,
    checks: usize,
}

impl Lite {
    /// RFC 8445 §7.3.1.1, §7.3.2.
    fn answer(&mut self, path: Path, request: &Message<'_>) {
        let key = Key::short_term(PASSWORD);
        let name = request.get::<Username<'_>>().ok().flatten();
        let is_ours = name.is_some_and(|name| name.as_str().starts_with("lite:"));
        if !is_ours || request.check_integrity(&key) != Some(true) {
            return;
        }
        self.checks += 1;
        if matches!(request.get::<UseCandidate>(), Ok(Some(_))) {
            self.nominated.insert(path.remote);
        }
        let mut answer = Vec::new();
        Writer::new(&mut answer, Class::Success, Method::BINDING, request.transaction_id())
            .attribute(&XorMappedAddress(path.remote))
            .integrity(&key)
            .fingerprint();
        self.out.push_back((path, answer));
    }
}

impl Machine for Lite {
    type Event = ();

    fn handle_datagram(&mut self, _now: Instant, datagram: Datagram<'_>) {
        let path = datagram.path;
        match Message::parse(datagram.payload) {
            Ok(message) => self.answer(path, &message),
            Err(_) if self.nominated.contains(&path.remote) => {
                self.out.push_back((path, datagram.payload.to_vec()));
            }
            Err(_) => {}
        }
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, payload) = self.out.pop_front()?;
        buf.extend_from_slice(&payload);
        Some(Transmit { path, len: payload.len() })
    }

    fn poll_event(&mut self) -> Option<()> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

struct Session {
    network: Network,
    agent: Host<Agent>,
    lite: Host<Lite>,
    server: Host<TurnServer>,
}

impl Session {
    fn begin(setup: &Setup) -> Self {
        let mut network = Network::new(&genesis(setup.seed));
        let internet = network.add_internet("internet");
        let server = add_server(&mut network, internet, setup);
        let ground = setup.spots[0].build(&mut network, internet, setup.links[0].clone(), &LOTS[0]);
        let machine = Agent::new(&network.genesis(), config(setup, 0));
        let agent = network.add_hosted("full", machine);
        network.attach(agent, ground.place, ground.link, ground.addresses);
        let lite = network.add_host("lite", Lite::default());
        let address: SocketAddr = LITE.parse().unwrap();
        network.attach(lite, internet, setup.links[1].clone(), [address.ip()]);
        let mut theirs = Parameters::new(FRAGMENT, PASSWORD).unwrap();
        theirs.lite = true;
        let candidate =
            Candidate::new(CandidateType::Host, Protocol::Udp, address, 1 << 24, "1".into());
        network.call(agent, |agent, now| {
            agent.gather(now);
            agent.set_remote_parameters(now, theirs);
            agent.add_remote_candidate(now, candidate).unwrap();
            agent.end_of_remote_candidates(now);
        });
        Self { network, agent, lite, server }
    }

    fn agent(&self) -> &Agent {
        self.network.machine(self.agent)
    }

    /// How it ends: d, r or -, as in the tables.
    fn outcome(&mut self) -> char {
        let until = self.network.now() + Duration::from_secs(180);
        while self.network.now() < until {
            match (self.agent().selected(), self.agent().connection_state()) {
                (Some(pair), ConnectionState::Completed) if pair.is_nominated => {
                    return if pair.is_direct() { 'd' } else { 'r' };
                }
                (_, ConnectionState::Failed) => return '-',
                _ => assert!(self.network.step(), "something is to come"),
            }
        }
        panic!("no end in sight: {:?}", self.agent().stats());
    }

    /// Whether what is sent comes back.
    fn is_echoed(&mut self) -> bool {
        while self.network.poll_event(self.agent).is_some() {}
        for _ in 0..20 {
            self.network.call(self.agent, |agent, now| agent.send(now, b"\x80echo")).unwrap();
            self.network.run_for(Duration::from_millis(100));
        }
        self.network.run_for(Duration::from_secs(2));
        std::iter::from_fn(|| self.network.poll_event(self.agent))
            .any(|event| event == Event::Data(b"\x80echo".to_vec()))
    }

    fn assert_closes(mut self) {
        self.network.call(self.agent, Agent::close);
        self.network.run_for(Duration::from_secs(20));
        assert_eq!(self.network.sockets(self.agent), []);
        assert_eq!(self.network.streams(self.agent), []);
        assert!(self.agent().stats().candidate_pairs.is_empty());
        assert_eq!(self.network.machine(self.server).stats().relays_now, 0);
    }
}

/// Whoever can send by UDP at all reaches it, whatever it stands behind and whatever role it was given.
#[test]
fn behind_every_nat_a_lite_agent_is_reached() {
    for seed in seeds(2) {
        for preset in Preset::all() {
            for role in [Role::Controlling, Role::Controlled] {
                let setup =
                    Setup { roles: [role; 2], ..Setup::new(Spot::Preset(preset), Spot::Open) };
                let setup = setup.seeded(seed);
                let is_blocked = preset == Preset::UdpBlocked;
                for (setup, without) in [(setup.clone(), 'r'), (setup.without_relay(), '-')] {
                    let expected = if is_blocked { without } else { 'd' };
                    let mut session = Session::begin(&setup);
                    assert_eq!(session.outcome(), expected, "seed {seed}, {preset} {role:?}");
                    assert_eq!(session.agent().role(), Role::Controlling);
                    if expected != '-' {
                        assert!(session.is_echoed(), "seed {seed}, {preset} {role:?}");
                    }
                    session.assert_closes();
                }
            }
        }
    }
}

#[test]
fn on_a_bad_line_as_well() {
    for seed in seeds(100) {
        let setup = Setup::new(Spot::Preset(Preset::Symmetric), Spot::Open).seeded(seed);
        let setup = setup.with_links(|link| link.loss = talkie_sim::net::Loss::Random(0.15));
        let mut session = Session::begin(&setup);
        assert_ne!(session.outcome(), '-', "seed {seed}");
        assert!(session.is_echoed(), "seed {seed}");
    }
}

/// Consent is asked for and given, hour after hour, by the full side's checks alone.
#[test]
fn it_stays_for_hours() {
    let setup = Setup::new(Spot::Preset(Preset::PortRestricted), Spot::Open);
    let mut session = Session::begin(&setup.without_relay());
    assert_eq!(session.outcome(), 'd');
    let hour = Duration::from_secs(3600);
    for _ in 0..2 {
        let before = session.network.machine(session.lite).checks;
        session.network.run_for(hour);
        let checks = session.network.machine(session.lite).checks - before;
        // RFC 7675 §5.1: each 5 s, by ±20 %.
        assert!((600..=900).contains(&checks), "{checks}");
    }
    assert!(session.is_echoed());
}

#[test]
fn it_takes_one_round_trip() {
    for delay in [20, 100, 300].map(Duration::from_millis) {
        let setup = Setup::new(Spot::Preset(Preset::PortRestricted), Spot::Open);
        let setup = setup.without_relay().with_links(|link| *link = Link::with_delay(delay));
        let mut session = Session::begin(&setup);
        let round_trip = (delay * 2 + FAR.min(Duration::from_millis(1))) * 2;
        session.network.run_for(round_trip + Duration::from_millis(1));
        assert!(session.agent().selected().is_some(), "{delay:?}");
    }
}
