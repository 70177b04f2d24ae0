//! A netcat over ICE. Run `cargo run -p talkie-traversal --example ice -- stun:IP turn:IP,USER,PASSWORD`
//! on one host and with `controlled` on another, paste what each prints into the other, type, and end it by Ctrl-D.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "somebody does the I/O")]
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant, UNIX_EPOCH};
use std::{collections::BTreeMap, error::Error, io, sync::mpsc, thread};

use talkie_sansio::{Answer, Datagram, Genesis, Hosted, Interface, Machine, Path, Transport, Want};
use talkie_traversal::ice::gather::{Policy, Server};
use talkie_traversal::ice::{Agent, Attribute, Config, ConnectionState, Event, GatheringState};
use talkie_traversal::{ice::Parameters, ice::Role, stun::credential::LongTerm};

type Sockets = BTreeMap<SocketAddr, UdpSocket>;
type Input = (Option<Path>, Vec<u8>); // a datagram with its path, or a line that was typed
type Outcome = Result<(), Box<dyn Error>>;
fn obey(want: &Want, sockets: &mut Sockets, inputs: mpsc::Sender<Input>) -> Option<Answer> {
    let Want::Bind { id, local, .. } = *want else { return want.refusal() };
    let Ok(socket) = UdpSocket::bind((local, 0)) else { return want.refusal() };
    let (local, reader) = (socket.local_addr().ok()?, socket.try_clone().ok()?);
    sockets.insert(local, socket);
    thread::spawn(move || {
        let mut buf = [0; 65_535];
        while let Ok((len, remote)) = reader.recv_from(&mut buf) {
            let path = Path { transport: Transport::Udp, local, remote };
            let _ = inputs.send((Some(path), buf[..len].to_vec()));
        }
    });
    Some(Answer::Bound { id, local })
}
fn take(agent: &mut Agent, theirs: &mut String, (path, mut bytes): Input) -> Outcome {
    let (now, line) = (Instant::now(), String::from_utf8_lossy(&bytes).into_owned());
    match (path, line.strip_prefix("a=").map(str::parse::<Attribute>)) {
        (Some(path), _) => agent.handle_datagram(now, Datagram { path, payload: &mut bytes }),
        (None, Some(attribute)) => match attribute? {
            Attribute::Candidate(candidate) => {
                agent.set_remote_parameters(now, Parameters::from_lines(theirs.lines())?);
                agent.add_remote_candidate(now, candidate)?;
            }
            Attribute::EndOfCandidates => agent.end_of_remote_candidates(now),
            _ => *theirs += &(line + "\n"),
        },
        (None, None) if line == "\x04" => agent.close(now), // gives back what relays hold
        (None, None) if line.starts_with('#') => {}
        (None, None) => agent.send(now, &bytes)?,
    }
    Ok(())
}
fn main() -> Outcome {
    let mut config = Config::default();
    for word in std::env::args().skip(1) {
        let (uri, login) = word.split_once(',').unwrap_or((&word, ""));
        let credential = login.split_once(',').map(|it| LongTerm::new(it.0, it.1)).transpose()?;
        match uri {
            "controlled" => config.role = Role::Controlled,
            "relay-only" => config.gather.policy = Policy::Relay,
            _ => config.gather.servers.push(Server { uri: uri.parse()?, credential }),
        }
    }
    let (now, mut seed) = (Instant::now(), [0; 32]);
    getrandom::fill(&mut seed)?;
    let mut agent = Agent::new(&Genesis { now, unix: UNIX_EPOCH.elapsed()?, seed }, config);
    let found = if_addrs::get_if_addrs()?.into_iter();
    let found = found.map(|it| Interface::new(it.name.clone(), it.ip()));
    agent.handle_interfaces(now, &found.collect::<Vec<_>>());
    agent.local_parameters().attributes().for_each(|attribute| println!("a={attribute}"));
    agent.gather(now);
    let (sender, inputs) = mpsc::channel();
    let typed = sender.clone();
    thread::spawn(move || {
        let mut lines = io::stdin().lines().map_while(Result::ok).chain(["\x04".into()]);
        lines.try_for_each(|line| typed.send((None, line.into())))
    });
    let (mut sockets, mut theirs, mut buf) = (Sockets::new(), String::new(), Vec::new());
    while agent.connection_state() != ConnectionState::Closed || agent.poll_timeout().is_some() {
        let now = Instant::now();
        agent.handle_timeout(now);
        while let Some(want) = agent.poll_want() {
            let answer = obey(&want, &mut sockets, sender.clone());
            answer.into_iter().for_each(|answer| agent.handle_answer(now, answer));
        }
        while let Some(transmit) = agent.poll_transmit(&mut buf) {
            let _ = sockets[&transmit.path.local].send_to(&buf, transmit.path.remote);
            buf.clear();
        }
        while let Some(event) = agent.poll_event() {
            match event {
                Event::Candidate(candidate) => println!("a={candidate}"),
                Event::GatheringState(GatheringState::Complete) => println!("a=end-of-candidates"),
                Event::Selected(pair) => println!("# selected {} | {}", pair.local, pair.remote),
                Event::Data(data) => println!("{}", String::from_utf8_lossy(&data)),
                Event::Story(story) => println!("# {story}"),
                other => println!("# {other:?}"),
            }
        }
        let until = agent.poll_timeout().unwrap_or(now + Duration::from_secs(1));
        let Ok(input) = inputs.recv_timeout(until - now) else { continue };
        take(&mut agent, &mut theirs, input).unwrap_or_else(|error| println!("# {error}"));
    }
    Ok(())
}
