//! A relay tried to the end: an allocation, a permission for its own relayed address, and a packet
//! that goes out there and comes back in. The allocation is given back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_net::driver::{self, Running, Wires};
use talkie_net::{BadFrame, UdpOptions, UdpSocket};
use talkie_sansio::{Path, Transport};
use talkie_traversal::stun::credential::{ChallengeError, LongTerm};
use talkie_traversal::stun::transaction;
use talkie_traversal::turn::channel_data::stream::frame_length;
use talkie_traversal::turn::client::{Client, Config, End, Event, Failure as Trouble, Families};
use tokio::time::{sleep, timeout};

use super::{PATIENCE, silent};
use crate::Stop;
use crate::report::{Echo, Failure, FailureKind, Millis};

const PROBE: &[u8] = b"talkie doctor";
/// Allocation, permission and echo: each may lose a packet.
const WHOLE: Duration = Duration::from_millis(3000);
/// A packet that is not back by then is sent again: both ways may lose one.
const AGAIN: Duration = Duration::from_millis(400);
/// How long to wait until the allocation is given back.
const FAREWELL: Duration = Duration::from_millis(300);

/// What became of a try.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) mapped: Option<SocketAddr>,
    pub(crate) echo: Echo,
    pub(crate) failure: Option<Failure>,
}

impl Tried {
    fn failed(failure: Failure) -> Self {
        Self { mapped: None, echo: Echo::Refused, failure: Some(failure) }
    }
}

/// Tries the relay over UDP.
pub(crate) async fn over_udp(
    server: SocketAddr,
    credential: Option<LongTerm>,
    stop: Stop,
) -> Tried {
    let local = |why: &dyn std::fmt::Display| Tried::failed(Failure::new(FailureKind::Local, why));
    let Some(source) = talkie_net::source_address(server.ip()) else {
        let error = std::io::ErrorKind::NetworkUnreachable.into();
        return Tried::failed(super::unreachable(server, "UDP", &error));
    };
    // A probe needs no megabytes.
    let options = UdpOptions { receive_buffer: 64 << 10, ..UdpOptions::default() };
    let socket = match UdpSocket::bind(SocketAddr::new(source, 0), &options) {
        Ok(socket) => socket,
        Err(error) => return local(&error),
    };
    let path = Path { transport: Transport::Udp, local: socket.local(), remote: server };
    let wires = Wires { sockets: vec![socket], stream: None };
    run(path, wires, credential, stop).await
}

/// Tries the relay over a stream.
pub(crate) async fn over_stream(
    path: Path,
    stream: impl driver::Stream,
    credential: Option<LongTerm>,
    stop: Stop,
) -> Tried {
    let wires = Wires { sockets: Vec::new(), stream: Some((Box::new(stream), path, framer as _)) };
    run(path, wires, credential, stop).await
}

fn framer(stream: &[u8]) -> Result<Option<usize>, BadFrame> {
    frame_length(stream).map_err(|_| BadFrame)
}

async fn run(path: Path, wires: Wires, credential: Option<LongTerm>, stop: Stop) -> Tried {
    let local = |error: std::io::Error| Tried::failed(Failure::new(FailureKind::Local, error));
    let genesis = match talkie_net::genesis() {
        Ok(genesis) => genesis,
        Err(error) => return local(error),
    };
    let config = Config {
        // Every relay has IPv4 addresses, unless there is no IPv4 at all.
        families: if path.local.is_ipv4() { Families::Ipv4 } else { Families::Both },
        transaction: transaction::Config {
            requests: 3,
            // The last wait is Rm × RTO: 1 s.
            last_wait: 2,
            reliable_timeout: PATIENCE,
            ..transaction::Config::default()
        },
        ..Config::default()
    };
    let client = Client::new(&genesis, path, credential, config);
    let mut running = match driver::spawn(client, wires) {
        Ok(running) => running,
        Err(error) => return local(error),
    };
    let mut seen = Seen::default();
    let outcome = tokio::select! {
        outcome = converse(&mut running, &mut seen) => outcome,
        () = sleep(WHOLE) => Err(Fault::Silent),
        () = stop.wait() => Err(Fault::Silent),
    };
    give_back(&mut running).await;
    seen.conclude(path, outcome)
}

/// Over UDP the server would keep the allocation for ten minutes.
async fn give_back(running: &mut Running<Client>) {
    if running.handle.call(Client::close).await.is_ok() {
        let ended = async {
            while let Some(event) = running.events.recv().await {
                if matches!(event, Event::Ended(_)) {
                    break;
                }
            }
        };
        // It expires by itself if this is lost.
        let _ = timeout(FAREWELL, ended).await;
    }
}

#[derive(Default)]
struct Seen {
    mapped: Option<SocketAddr>,
    relayed: Option<SocketAddr>,
}

enum Fault {
    Silent,
    Refused(Trouble),
    NotAllowed,
    Gone,
}

async fn converse(running: &mut Running<Client>, seen: &mut Seen) -> Result<Millis, Fault> {
    // When each packet was sent; its number is its last byte.
    let mut sent: Vec<Instant> = Vec::new();
    loop {
        let patience = if sent.is_empty() { WHOLE } else { AGAIN };
        let event = match timeout(patience, running.events.recv()).await {
            Ok(Some(event)) => event,
            Ok(None) => return Err(Fault::Gone),
            Err(_) if sent.is_empty() => return Err(Fault::Silent),
            Err(_) => {
                send(running, seen, &mut sent).await?;
                continue;
            }
        };
        match event {
            Event::Allocated { relayed, mapped, .. } => {
                seen.mapped = Some(mapped);
                seen.relayed = Some(relayed);
                let permitted = running.handle.call(move |it, now| it.permit(now, relayed.ip()));
                permitted.await.map_err(|_| Fault::Gone)?.map_err(|_| Fault::Gone)?;
            }
            Event::Permitted(_) if sent.is_empty() => send(running, seen, &mut sent).await?,
            Event::Data { payload, .. } => {
                let number = payload.strip_prefix(PROBE).and_then(|rest| rest.first());
                if let Some(sent) = number.and_then(|number| sent.get(usize::from(*number))) {
                    return Ok(Millis(sent.elapsed()));
                }
            }
            Event::NotPermitted(_, Trouble::Forbidden) => return Err(Fault::NotAllowed),
            Event::NotPermitted(_, trouble) | Event::Ended(End::Failed(trouble)) => {
                return Err(Fault::Refused(trouble));
            }
            Event::Ended(End::Closed) => return Err(Fault::Gone),
            _ => {}
        }
    }
}

/// Sends a packet to ourselves.
async fn send(
    running: &Running<Client>,
    seen: &Seen,
    sent: &mut Vec<Instant>,
) -> Result<(), Fault> {
    let (Some(relayed), Ok(number)) = (seen.relayed, u8::try_from(sent.len())) else {
        return Err(Fault::Gone);
    };
    sent.push(Instant::now());
    let packet = [PROBE, &[number]].concat();
    let result = running.handle.call(move |it, now| it.send(now, relayed, &packet));
    result.await.map_err(|_| Fault::Gone)?.map_err(|_| Fault::Gone)
}

impl Seen {
    fn conclude(self, path: Path, outcome: Result<Millis, Fault>) -> Tried {
        let transport = path.transport.to_string().to_uppercase();
        let server = path.remote;
        let (echo, failure) = match (self.relayed, outcome) {
            (Some(relayed), Ok(rtt)) => (Echo::Returned { relayed, rtt }, None),
            (Some(relayed), Err(Fault::NotAllowed)) => (Echo::NotAllowed { relayed }, None),
            (Some(relayed), Err(Fault::Silent | Fault::Gone)) => {
                let lost = Failure::new(
                    FailureKind::NotRelayed,
                    format_args!(
                        "{server} gave the relayed address {relayed}, but packets to it don't \
                         come back"
                    ),
                );
                (Echo::Lost { relayed }, Some(lost))
            }
            (_, Err(Fault::Refused(trouble))) => {
                (Echo::Refused, Some(failure(&trouble, server, &transport)))
            }
            (None, _) => (Echo::Refused, Some(silent(server, &transport))),
        };
        Tried { mapped: self.mapped, echo, failure }
    }
}

fn failure(trouble: &Trouble, server: SocketAddr, transport: &str) -> Failure {
    let refused = |kind| Failure::new(kind, format_args!("the relay at {server}: {trouble}"));
    match trouble {
        Trouble::TimedOut => silent(server, transport),
        Trouble::Challenge(ChallengeError::Refused) => Failure::new(
            FailureKind::Credentials,
            format_args!("the relay at {server} does not accept this user and password"),
        ),
        Trouble::CredentialNeeded | Trouble::Challenge(_) | Trouble::WrongCredentials => {
            refused(FailureKind::Credentials)
        }
        Trouble::IntegrityViolated | Trouble::Incomprehensible => refused(FailureKind::Unexpected),
        _ => refused(FailureKind::Rejected),
    }
}
