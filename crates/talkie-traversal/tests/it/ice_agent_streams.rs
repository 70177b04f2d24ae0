//! TCP pairs end with their streams.

use std::net::SocketAddr;
use std::time::Instant;

use talkie_sansio::conformance::genesis;
use talkie_sansio::{
    Answer, Datagram, Hosted as _, Interface, Machine as _, Path, Transport, Want, WantError,
    WantId,
};
use talkie_traversal::ice::gather::Tcp;
use talkie_traversal::ice::{
    Agent, Candidate, CandidateType, Chapter, Config, ConnectionState, Event, PairFailure,
    Parameters, Protocol, TcpType,
};
use talkie_traversal::stun::attributes::XorMappedAddress;
use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::{Class, Message, Method, Writer};

const PEER: &str = "203.0.113.9:7000";
const PASSWORD: &str = "puppetpuppetpuppetpuppet";

/// An agent that connects to a peer.
struct Side {
    agent: Agent,
    now: Instant,
    /// Connections that it wants.
    calls: Vec<WantId>,
    sent: Vec<(Path, Vec<u8>)>,
    events: Vec<Event>,
}

impl Side {
    fn new() -> Self {
        let genesis = genesis();
        let mut config = Config::default();
        config.gather.tcp = Tcp::Active;
        let agent = Agent::new(&genesis, config);
        let mut side = Self {
            agent,
            now: genesis.now,
            calls: Vec::new(),
            sent: Vec::new(),
            events: Vec::new(),
        };
        let interface = Interface::new("eth0", [10, 0, 0, 1].into());
        side.agent.handle_interfaces(side.now, &[interface]);
        side.agent.gather(side.now);
        side.agent.set_remote_parameters(side.now, Parameters::new("puppet", PASSWORD).unwrap());
        let (kind, protocol) = (CandidateType::Host, Protocol::Tcp(TcpType::Passive));
        let candidate = Candidate::new(kind, protocol, PEER.parse().unwrap(), 1000, "1".into());
        side.agent.add_remote_candidate(side.now, candidate).unwrap();
        side.settle();
        side
    }

    fn settle(&mut self) {
        let mut buf = Vec::new();
        loop {
            if let Some(transmit) = self.agent.poll_transmit(&mut buf) {
                self.sent.push((transmit.path, buf.split_off(buf.len() - transmit.len)));
            } else if let Some(event) = self.agent.poll_event() {
                self.events.push(event);
            } else if let Some(want) = self.agent.poll_want() {
                match want {
                    Want::Bind { id, local, .. } => {
                        let local = SocketAddr::new(local, 5000);
                        self.agent.handle_answer(self.now, Answer::Bound { id, local });
                    }
                    Want::Connect { id, .. } => self.calls.push(id),
                    _ => {}
                }
            } else if self.agent.poll_timeout().is_some_and(|at| at <= self.now) {
                self.agent.handle_timeout(self.now);
            } else {
                return;
            }
        }
    }

    fn tell(&mut self, answer: Answer) {
        self.agent.handle_answer(self.now, answer);
        self.settle();
    }

    /// The stream is there, and the peer answers the check on it.
    fn connect(&mut self, port: u16) -> Path {
        let id = self.calls.pop().unwrap();
        let local = SocketAddr::from(([10, 0, 0, 1], port));
        let path = Path { transport: Transport::Tcp, local, remote: PEER.parse().unwrap() };
        self.tell(Answer::Connected { id, path });
        // And the nomination after it.
        for _ in 0..2 {
            for (path, frame) in std::mem::take(&mut self.sent) {
                let request = Message::parse(&frame[2..]).unwrap();
                let mut response = Vec::new();
                let id = request.transaction_id();
                Writer::new(&mut response, Class::Success, Method::BINDING, id)
                    .attribute(&XorMappedAddress(local))
                    .integrity(&Key::short_term(PASSWORD))
                    .fingerprint();
                let length = u16::try_from(response.len()).unwrap().to_be_bytes();
                let mut payload = [&length[..], &response].concat();
                self.agent.handle_datagram(self.now, Datagram { path, payload: &mut payload });
                self.settle();
            }
        }
        path
    }

    fn failures(&self) -> usize {
        let is_it = |event: &&Event| match event {
            Event::Story(story) => story.chapter == Chapter::Failed(PairFailure::Disconnected),
            _ => false,
        };
        self.events.iter().filter(is_it).count()
    }
}

#[test]
fn a_stream_that_ends_ends_its_pair_at_once_and_is_opened_again() {
    let mut side = Side::new();
    let path = side.connect(40_000);
    assert_eq!(side.agent.connection_state(), ConnectionState::Connected);
    side.tell(Answer::Closed { path });
    assert_eq!(side.failures(), 1);
    assert!(side.agent.selected().is_none());
    assert_eq!(side.agent.connection_state(), ConnectionState::Disconnected);
    assert!(side.agent.send(side.now, b"x").is_err());
    // Once Ta has passed at the latest.
    side.now = side.agent.poll_timeout().unwrap();
    side.agent.handle_timeout(side.now);
    side.settle();
    side.connect(40_001);
    assert_eq!(side.agent.connection_state(), ConnectionState::Connected);
}

#[test]
fn a_stream_that_cannot_be_opened_fails_its_pair_at_once() {
    let mut side = Side::new();
    let id = side.calls.pop().unwrap();
    let error = WantError::Io(std::io::ErrorKind::ConnectionRefused);
    side.tell(Answer::Failed { id, error });
    assert_eq!(side.failures(), 1);
    assert_eq!(side.calls, []);
    // Others may still come.
    assert_eq!(side.agent.connection_state(), ConnectionState::Checking);
}
