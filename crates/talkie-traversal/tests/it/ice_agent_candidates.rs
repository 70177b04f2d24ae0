//! Which candidates an agent takes, and for how many it has room.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{Answer, Datagram, Hosted as _, Interface, Machine as _, Want, conformance};
use talkie_traversal::ice::gather::Server;
use talkie_traversal::ice::{
    AddError, Agent, Candidate, CandidateType, Config, Event, Parameters, Protocol,
};
use talkie_traversal::stun::attributes::XorMappedAddress;
use talkie_traversal::stun::{Class, Message, Method, Writer};

const PASSWORD: &str = "0123456789abcdef012345";

fn theirs(fragment: &str) -> Parameters {
    Parameters::new(fragment, PASSWORD).unwrap()
}

fn candidate(port: u16) -> Candidate {
    let address = SocketAddr::from(([192, 0, 2, 1], port));
    Candidate::new(CandidateType::Host, Protocol::Udp, address, 1 << 30, "1".to_owned())
}

/// RFC 8838 §13.
#[test]
fn after_the_end_of_candidates_only_a_restart_brings_more() {
    let genesis = conformance::genesis();
    let now = genesis.now;
    let mut agent = Agent::new(&genesis, Config::default());
    agent.set_remote_parameters(now, theirs("peer"));
    assert_eq!(agent.add_remote_candidate(now, candidate(1)), Ok(()));
    agent.end_of_remote_candidates(now);
    assert_eq!(agent.add_remote_candidate(now, candidate(2)), Err(AddError::Ended));
    agent.set_remote_parameters(now, theirs("anew"));
    assert_eq!(agent.add_remote_candidate(now, candidate(2)), Ok(()));
}

const SERVER: &str = "192.0.2.50:3478";

/// An agent, and a STUN server that sees it at another port each time.
struct Wanderer {
    agent: Agent,
    now: Instant,
    port: u16,
}

impl Wanderer {
    fn settle(&mut self) -> Vec<Candidate> {
        while let Some(want) = self.agent.poll_want() {
            let Want::Bind { id, local, .. } = want else { continue };
            let local = SocketAddr::new(local, 5000);
            self.agent.handle_answer(self.now, Answer::Bound { id, local });
        }
        let mut buf = Vec::new();
        while let Some(transmit) = self.agent.poll_transmit(&mut buf) {
            let request = std::mem::take(&mut buf);
            assert_eq!(transmit.path.remote, SERVER.parse().unwrap());
            self.port += 1;
            let id = Message::parse(&request).unwrap().transaction_id();
            let mut bytes = Vec::new();
            Writer::new(&mut bytes, Class::Success, Method::BINDING, id)
                .attribute(&XorMappedAddress(SocketAddr::from(([198, 51, 100, 1], self.port))));
            let datagram = Datagram { path: transmit.path, payload: &mut bytes };
            self.agent.handle_datagram(self.now, datagram);
        }
        let mut told = Vec::new();
        while let Some(event) = self.agent.poll_event() {
            if let Event::Candidate(candidate) = event {
                told.push(candidate);
            }
        }
        told
    }

    fn elapse(&mut self, span: Duration) -> Vec<Candidate> {
        self.now += span;
        self.agent.handle_timeout(self.now);
        self.settle()
    }
}

#[test]
fn a_nat_that_changes_its_mind_leaves_room_for_the_next_network() {
    let genesis = conformance::genesis();
    let mut config = Config::default();
    let uri = format!("stun:{SERVER}").parse().unwrap();
    config.gather.servers.push(Server { uri, credential: None });
    let mut it = Wanderer { agent: Agent::new(&genesis, config), now: genesis.now, port: 10_000 };
    let home = Interface::new("eth0", IpAddr::from([10, 0, 0, 2]));
    it.agent.handle_interfaces(it.now, std::slice::from_ref(&home));
    it.agent.gather(it.now);
    it.settle();
    let mut seen = 0;
    for _ in 0..200 {
        seen += it.elapse(Duration::from_secs(26)).len();
    }
    assert!(seen >= 199, "each place is told: {seen}");
    let wifi = Interface::new("wlan0", IpAddr::from([10, 1, 0, 2]));
    it.agent.handle_interfaces(it.now, &[home, wifi.clone()]);
    let mut told = it.settle();
    told.extend(it.elapse(Duration::from_secs(1)));
    let is_new = |candidate: &Candidate| {
        candidate.socket_address().is_some_and(|at| at.ip() == wifi.address)
    };
    assert!(told.iter().any(is_new), "{told:?}");
}
