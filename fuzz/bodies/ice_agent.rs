//! An agent whose other side, network and clock are the input: no panic, bounded, never woken in the past,
//! no data to whom has not agreed to it, silent after its end.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{
    Answer, Datagram, Hosted as _, Interface, Machine as _, Path, Sink, Transmit, Transport, Want,
    WantError, conformance, drain,
};
use talkie_traversal::ice::{
    Agent, Candidate, CandidateAddress, CandidateType, Config, ConnectionState, Event, Parameters,
    Protocol, Role,
};
use talkie_traversal::stun::attributes::{
    ErrorCode, IceControlled, IceControlling, Nomination, Priority, UseCandidate, Username,
    XorMappedAddress,
};
use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};

use super::input::Input;

const PASSWORD: &str = "0123456789abcdefghijkl";
const DATA: &[u8] = b"what nobody gets who has not agreed";

#[derive(Default)]
struct Out {
    requests: Vec<(Path, Vec<u8>)>,
    /// Whom an answer was given for.
    agreed: Vec<SocketAddr>,
    is_closed: bool,
    datagrams: usize,
}

impl Sink<Agent> for Out {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.datagrams += 1;
        if payload == DATA {
            assert!(self.agreed.contains(&transmit.path.remote), "data to who has not agreed");
        } else if self.requests.len() < 64 {
            self.requests.push((transmit.path, payload.to_vec()));
        }
    }

    fn event(&mut self, _now: Instant, _agent: &mut Agent, event: Event) {
        match event {
            Event::ConnectionState(ConnectionState::Closed) => self.is_closed = true,
            event => assert!(!self.is_closed, "{event:?} after the end"),
        }
    }
}

fn peer(byte: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + byte % 4], 6000 + u16::from(byte / 4)))
}

fn parameters(byte: u8) -> Parameters {
    let mut parameters =
        Parameters::new(&format!("peer{}", byte % 3), PASSWORD).expect("long enough");
    parameters.lite = byte & 16 != 0;
    if byte & 32 != 0 {
        parameters.options = parameters.options.with("renomination");
    }
    parameters
}

fn check(input: &mut Input<'_>, agent: &Agent) -> Vec<u8> {
    let ours = agent.local_parameters();
    let shape = input.byte();
    let id = TransactionId([input.byte(); 12]);
    let name = format!("{}:peer{}", ours.username_fragment, shape % 3);
    let password = if shape & 4 == 0 { &*ours.password } else { PASSWORD };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, id);
    writer.attribute(&Username::new(&name).expect("short"));
    writer.attribute(&Priority(u32::from(input.byte()) << 22));
    let tie_breaker = u64::from(input.byte()) << 56;
    match shape & 8 == 0 {
        true => writer.attribute(&IceControlling(tie_breaker)),
        false => writer.attribute(&IceControlled(tie_breaker)),
    };
    writer.optional((shape & 16 != 0).then_some(UseCandidate).as_ref());
    writer.optional((shape & 32 != 0).then_some(Nomination(shape.into())).as_ref());
    writer.integrity(&Key::short_term(password)).fingerprint();
    bytes
}

/// What the other side might say to a check.
fn answer(input: &mut Input<'_>, request: &Message<'_>) -> (Vec<u8>, bool) {
    let shape = input.byte();
    let mut bytes = Vec::new();
    let class = if shape & 1 == 0 { Class::Success } else { Class::Error };
    let mut writer = Writer::new(&mut bytes, class, Method::BINDING, request.transaction_id());
    match shape & 3 {
        0 | 2 => writer.attribute(&XorMappedAddress(peer(input.byte()))),
        1 => writer.attribute(&ErrorCode::ROLE_CONFLICT),
        _ => writer.attribute(&ErrorCode::SERVER_ERROR),
    };
    let is_true = shape & 12 != 12;
    writer.integrity(&Key::short_term(if is_true { PASSWORD } else { "another" })).fingerprint();
    (bytes, is_true && class == Class::Success)
}

fn candidate(input: &mut Input<'_>) -> Candidate {
    let shape = input.byte();
    let kind = match shape & 3 {
        0 => CandidateType::Host,
        1 => CandidateType::ServerReflexive,
        2 => CandidateType::PeerReflexive,
        _ => CandidateType::Relayed,
    };
    let priority = u32::from(input.byte()) << 23;
    let foundation = (shape >> 5).to_string();
    let mut candidate =
        Candidate::new(kind, Protocol::Udp, peer(input.byte()), priority, foundation);
    if shape & 4 != 0 {
        candidate.username_fragment = Some(format!("peer{}", shape % 3));
    }
    if shape & 24 == 24 {
        let end = if shape & 128 == 0 { "example" } else { "local" };
        candidate.address = CandidateAddress::Name(format!("host{}.{end}", shape >> 5));
    }
    candidate
}

fn interfaces(byte: u8) -> Vec<Interface> {
    let address = |last: u8| IpAddr::from([10, 0, 0, last]);
    let up = (0..3).filter(|index| byte & (1 << index) != 0);
    up.map(|index| Interface::new(format!("eth{index}"), address(index + 1))).collect()
}

/// Answers what the agent wants; a few things it does not get.
fn grant(agent: &mut Agent, now: Instant, refuses: bool) {
    while let Some(want) = agent.poll_want() {
        match want {
            Want::Bind { id, local, .. } | Want::Join { id, interface: local, .. } => {
                let port = if matches!(want, Want::Join { .. }) { 5353 } else { 5000 };
                let answer = if refuses {
                    Answer::Failed { id, error: WantError::Unsupported }
                } else {
                    Answer::Bound { id, local: SocketAddr::new(local, port) }
                };
                agent.handle_answer(now, answer);
            }
            Want::Resolve { id, .. } => {
                let addresses = vec![IpAddr::from([192, 0, 2, 3])];
                agent.handle_answer(now, Answer::Resolved { id, addresses });
            }
            _ => {}
        }
    }
}

pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let shape = input.byte();
    let mut config = Config::default();
    config.role = if shape & 1 == 0 { Role::Controlling } else { Role::Controlled };
    config.hide_addresses = shape & 2 != 0;
    if shape & 32 != 0 {
        // Pairs fail long before all of it does, and are asked again.
        config.pace.requests = 2;
        config.timers.patience = Duration::from_secs(14);
    }
    let genesis = conformance::genesis();
    let mut now = genesis.now;
    let mut agent = Agent::new(&genesis, config);
    agent.handle_interfaces(now, &interfaces(shape >> 2 | 1));
    agent.gather(now);
    let mut out = Out::default();
    let mut buf = Vec::new();
    let mut deadline = Some(now);
    while !input.0.is_empty() {
        let choice = input.byte();
        let local = SocketAddr::from(([10, 0, 0, 1 + choice / 64], 5000));
        let hear = |agent: &mut Agent, remote, bytes: &mut Vec<u8>| {
            let path = Path { transport: Transport::Udp, local, remote };
            agent.handle_datagram(now, Datagram { path, payload: bytes });
        };
        match choice % 12 {
            0 => hear(&mut agent, peer(input.byte()), &mut input.block().to_vec()),
            1 | 2 => {
                let mut bytes = check(&mut input, &agent);
                hear(&mut agent, peer(input.byte()), &mut bytes);
            }
            3 | 4 => {
                if let Some((path, request)) = out.requests.pop()
                    && let Ok(request) = Message::parse(&request)
                {
                    let (mut bytes, agrees) = answer(&mut input, &request);
                    if agrees {
                        out.agreed.push(path.remote);
                    }
                    let datagram = Datagram { path, payload: &mut bytes };
                    agent.handle_datagram(now, datagram);
                }
            }
            5 => agent.set_remote_parameters(now, parameters(input.byte())),
            6 => drop(agent.add_remote_candidate(now, candidate(&mut input))),
            7 => drop(agent.send(now, DATA)),
            8 if choice > 192 => drop(agent.restart(now)),
            8 if choice > 128 => drop(agent.undo_restart(now)),
            8 => agent.handle_interfaces(now, &interfaces(input.byte())),
            9 if choice > 240 => agent.close(now),
            9 if choice > 200 => agent.end_of_remote_candidates(now),
            _ => {
                let most = now + Duration::from_millis(u64::from(input.byte()) * 64);
                now = deadline.map_or(most, |at| at.min(most)).max(now);
                agent.handle_timeout(now);
            }
        }
        let before = out.datagrams;
        grant(&mut agent, now, shape & 128 != 0);
        let _ = drain(&mut agent, now, &mut buf, &mut out);
        grant(&mut agent, now, false);
        deadline = drain(&mut agent, now, &mut buf, &mut out);
        assert!(deadline.is_none_or(|at| at > now), "it wants to be woken in the past");
        assert!(out.datagrams - before < 200);
        assert!(agent.stats().candidate_pairs.len() <= 100);
    }
}
