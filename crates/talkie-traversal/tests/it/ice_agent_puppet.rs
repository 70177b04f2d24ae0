//! One agent against a peer whose every packet is written by hand.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_sansio::conformance::genesis;
use talkie_sansio::{
    Answer, Datagram, Hosted as _, Interface, Machine as _, Path, Transport, Want,
};
use talkie_traversal::ice::{
    Agent, Candidate, CandidateType, Config, ConnectionState, Event, Parameters, Protocol,
};
use talkie_traversal::stun::attributes::{
    ErrorCode, IceControlled, IceControlling, Nomination, Priority, UseCandidate, Username,
    XorMappedAddress,
};
use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};

/// The agent's socket.
pub(crate) const OURS: &str = "10.0.0.1:5000";

/// What a hand-made check says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Says {
    pub(crate) controlling: bool,
    pub(crate) tie_breaker: u64,
    pub(crate) nominates: bool,
    pub(crate) number: Option<u32>,
}

pub(crate) const CONTROLLED: Says =
    Says { controlling: false, tie_breaker: 1, nominates: false, number: None };
pub(crate) const CONTROLLING: Says =
    Says { controlling: true, tie_breaker: 1, nominates: false, number: None };

pub(crate) struct Puppet {
    pub(crate) agent: Agent,
    pub(crate) now: Instant,
    /// The puppet's own.
    pub(crate) parameters: Parameters,
    pub(crate) sent: Vec<(Instant, SocketAddr, Vec<u8>)>,
    pub(crate) events: Vec<Event>,
    last_id: u64,
}

impl Puppet {
    pub(crate) fn new(config: Config, options: &[&str]) -> Self {
        let genesis = genesis();
        let mut agent = Agent::new(&genesis, config);
        open(&mut agent, genesis.now);
        let mut parameters =
            Parameters::new("puppet", "puppetpuppetpuppetpuppet").expect("long enough");
        for option in options {
            parameters.options = parameters.options.with(option);
        }
        let mut puppet = Self {
            agent,
            now: genesis.now,
            parameters,
            sent: Vec::new(),
            events: Vec::new(),
            last_id: 0,
        };
        puppet.settle();
        puppet
    }

    /// The agent learns the puppet's credentials.
    pub(crate) fn introduce(&mut self) {
        self.agent.set_remote_parameters(self.now, self.parameters.clone());
        self.settle();
    }

    /// The agent learns of an address of the puppet; the earlier the better.
    pub(crate) fn candidate(&mut self, address: &str, priority: u32) {
        let address = address.parse().unwrap();
        let foundation = format!("f{priority}");
        let candidate =
            Candidate::new(CandidateType::Host, Protocol::Udp, address, priority, foundation);
        self.agent.add_remote_candidate(self.now, candidate).unwrap();
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        let mut buf = Vec::new();
        while let Some(transmit) = self.agent.poll_transmit(&mut buf) {
            let payload = buf[buf.len() - transmit.len..].to_vec();
            self.sent.push((self.now, transmit.path.remote, payload));
        }
        while let Some(event) = self.agent.poll_event() {
            self.events.push(event);
        }
        while self.agent.poll_want().is_some() {}
    }

    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(next) = self.agent.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.agent.handle_timeout(self.now);
            self.settle();
            assert!(self.agent.poll_timeout().is_none_or(|at| at > self.now), "a busy loop");
        }
        self.now = end;
    }

    pub(crate) fn give(&mut self, from: &str, bytes: &[u8]) {
        self.give_from(from.parse().unwrap(), bytes);
    }

    pub(crate) fn give_from(&mut self, from: SocketAddr, bytes: &[u8]) {
        let path = Path { transport: Transport::Udp, local: OURS.parse().unwrap(), remote: from };
        let mut payload = bytes.to_vec();
        self.agent.handle_datagram(self.now, Datagram { path, payload: &mut payload });
        self.settle();
    }

    /// A check of the puppet.
    pub(crate) fn check(&mut self, says: Says) -> Vec<u8> {
        self.last_id += 1;
        let mut id = [0x50; 12];
        id[..8].copy_from_slice(&self.last_id.to_be_bytes());
        let theirs = self.agent.local_parameters();
        let name = format!("{}:{}", theirs.username_fragment, self.parameters.username_fragment);
        let key = Key::short_term(&theirs.password);
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, Class::Request, Method::BINDING, TransactionId(id));
        writer.attribute(&Username::new(&name).unwrap()).attribute(&Priority(0x6E00_00FF));
        match says.controlling {
            true => writer.attribute(&IceControlling(says.tie_breaker)),
            false => writer.attribute(&IceControlled(says.tie_breaker)),
        };
        writer
            .optional(says.nominates.then_some(UseCandidate).as_ref())
            .optional(says.number.map(Nomination).as_ref())
            .integrity(&key)
            .fingerprint();
        out
    }

    /// The puppet's answer to a check of the agent.
    pub(crate) fn success(&self, check: &[u8]) -> Vec<u8> {
        self.success_with(check, &self.parameters.password)
    }

    pub(crate) fn success_with(&self, check: &[u8], password: &str) -> Vec<u8> {
        success(check, password, OURS.parse().unwrap())
    }

    /// An answer that claims that the agent is seen at `mapped`.
    pub(crate) fn success_at(&self, check: &[u8], mapped: SocketAddr) -> Vec<u8> {
        success(check, &self.parameters.password, mapped)
    }

    pub(crate) fn error(&self, check: &[u8], code: ErrorCode<'static>) -> Vec<u8> {
        let id = Message::parse(check).unwrap().transaction_id();
        let mut out = Vec::new();
        Writer::new(&mut out, Class::Error, Method::BINDING, id)
            .attribute(&code)
            .integrity(&Key::short_term(&self.parameters.password))
            .fingerprint();
        out
    }

    /// The checks sent since the last call, with where they went.
    pub(crate) fn checks(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let is_check = |bytes: &[u8]| {
            Message::parse(bytes).is_ok_and(|message| message.class() == Class::Request)
        };
        let sent = std::mem::take(&mut self.sent).into_iter();
        sent.filter(|(_, _, bytes)| is_check(bytes)).map(|(_, to, bytes)| (to, bytes)).collect()
    }

    /// Answers all checks so far.
    pub(crate) fn answer_all(&mut self) -> usize {
        let checks = self.checks();
        for (to, check) in &checks {
            let answer = self.success(check);
            self.give_from(*to, &answer);
        }
        checks.len()
    }

    pub(crate) fn state(&self) -> ConnectionState {
        self.agent.connection_state()
    }
}

fn success(check: &[u8], password: &str, mapped: SocketAddr) -> Vec<u8> {
    let id = Message::parse(check).unwrap().transaction_id();
    let mut out = Vec::new();
    Writer::new(&mut out, Class::Success, Method::BINDING, id)
        .attribute(&XorMappedAddress(mapped))
        .integrity(&Key::short_term(password))
        .fingerprint();
    out
}

/// Gives an agent its one socket.
pub(crate) fn open(agent: &mut Agent, now: Instant) {
    let interface = Interface::new("eth0", "10.0.0.1".parse().unwrap());
    agent.handle_interfaces(now, &[interface]);
    agent.gather(now);
    while let Some(want) = agent.poll_want() {
        if let Want::Bind { id, .. } = want {
            agent.handle_answer(now, Answer::Bound { id, local: OURS.parse().unwrap() });
        }
    }
}
