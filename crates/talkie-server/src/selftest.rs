//! The server tries its own STUN and TURN once at start, the way a browser would: by every door,
//! with a credential of its own, and to the end, which is a packet that goes out through a relayed
//! address and comes back in.
//!
//! It can only say what works from this host. Whether a firewall in front lets others through it
//! can't know.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use talkie_net::driver::{self, Running, Wires};
use talkie_net::{BadFrame, UdpOptions, UdpSocket};
use talkie_sansio::{Path, Transport};
use talkie_traversal::stun::attributes::XorMappedAddress;
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};
use talkie_traversal::turn::channel_data::stream::frame_length;
use talkie_traversal::turn::client::{Client, Config, End, Event, Failure};
use talkie_traversal::turn::server::Secret;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::certificate::Certificates;
use crate::report::{Leg, Purpose, Report};

/// On loopback everything takes milliseconds; whoever started the server waits for this, twice at most.
const PATIENCE: Duration = Duration::from_secs(2);
/// UDP may lose a packet, also on the way through this host.
const AGAIN: Duration = Duration::from_millis(300);
/// How long the credential holds.
const CREDENTIAL_LIFETIME: Duration = Duration::from_secs(60);
const PROBE: &[u8] = b"talkie self test";

/// Tries every door of `report`, all at once.
pub(crate) async fn run(
    report: &Report,
    secret: &Secret,
    certificates: Option<&Arc<Certificates>>,
) -> Vec<Leg> {
    let mut legs = JoinSet::new();
    let mut order = 0;
    let mut add = |name, purpose, door: Door| {
        let Some(address) = report.addresses(purpose).next() else { return };
        let target = reachable(address);
        let trial = Trial { purpose, target, secret: secret.clone() };
        order += 1;
        let at = order;
        legs.spawn(async move {
            let mut outcome = trial.run(&door).await;
            // A machine that is busy while it starts would be said to have a firewall.
            if matches!(outcome, Err(Trouble::Silent | Trouble::NotRelayed(_))) {
                outcome = trial.run(&door).await;
            }
            (at, Leg { name, address, outcome: outcome.map_err(|it| it.words(purpose, target)) })
        });
    };
    add("STUN", Purpose::TurnUdp, Door::Stun);
    add("STUN on the second port", Purpose::StunUdp, Door::Stun);
    if report.relay.is_some() {
        add("TURN over UDP", Purpose::TurnUdp, Door::Udp);
        add("TURN over TCP", Purpose::TurnTcp, Door::Tcp);
        if let Some(certificates) = certificates {
            add("TURN over TLS", Purpose::Turns, Door::Tls(Arc::clone(certificates)));
            add("TURN on the HTTPS port", Purpose::Https, Door::Tls(Arc::clone(certificates)));
        }
    }
    let mut done: Vec<_> = legs.join_all().await;
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, leg)| leg).collect()
}

/// A wildcard is reached by loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// What is tried.
enum Door {
    Stun,
    Udp,
    Tcp,
    Tls(Arc<Certificates>),
}

/// One try.
struct Trial {
    purpose: Purpose,
    target: SocketAddr,
    secret: Secret,
}

/// Why a try failed.
#[derive(Debug)]
enum Trouble {
    Silent,
    Connect(io::Error),
    Handshake(io::Error),
    Socket(io::Error),
    Refused(Failure),
    /// The allocation is there, but its packets don't come back.
    NotRelayed(SocketAddr),
    Nonsense,
}

impl Trial {
    async fn run(&self, door: &Door) -> Result<Duration, Trouble> {
        timeout(PATIENCE, self.knock(door)).await.unwrap_or(Err(Trouble::Silent))
    }

    async fn knock(&self, door: &Door) -> Result<Duration, Trouble> {
        match door {
            Door::Stun => self.stun().await,
            Door::Udp => {
                let any = if self.target.is_ipv4() {
                    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
                } else {
                    SocketAddr::from((Ipv6Addr::LOCALHOST, 0))
                };
                // A listener on another address is reached from that address.
                let from = if self.target.ip().is_loopback() {
                    any
                } else {
                    SocketAddr::new(self.target.ip(), 0)
                };
                let socket = UdpSocket::bind(from, &UdpOptions::default())
                    .map_err(|error| Trouble::Socket(io::Error::other(error)))?;
                let path =
                    Path { transport: Transport::Udp, local: socket.local(), remote: self.target };
                self.turn(path, Wires { sockets: vec![socket], stream: None }).await
            }
            Door::Tcp => {
                let stream = self.connect().await?;
                let path = self.path(Transport::Tcp, &stream)?;
                let stream = Some((Box::new(stream) as _, path, framer as _));
                self.turn(path, Wires { sockets: Vec::new(), stream }).await
            }
            Door::Tls(certificates) => {
                let stream = self.connect().await?;
                let path = self.path(Transport::Tls, &stream)?;
                let connector = TlsConnector::from(certificates.client_config());
                let name = ServerName::IpAddress(self.target.ip().into());
                let stream = connector.connect(name, stream).await.map_err(Trouble::Handshake)?;
                let stream = Some((Box::new(stream) as _, path, framer as _));
                self.turn(path, Wires { sockets: Vec::new(), stream }).await
            }
        }
    }

    async fn connect(&self) -> Result<TcpStream, Trouble> {
        TcpStream::connect(self.target).await.map_err(Trouble::Connect)
    }

    fn path(&self, transport: Transport, stream: &TcpStream) -> Result<Path, Trouble> {
        let local = stream.local_addr().map_err(Trouble::Socket)?;
        Ok(Path { transport, local, remote: self.target })
    }

    /// A Binding request over UDP, sent again when it gets lost.
    async fn stun(&self) -> Result<Duration, Trouble> {
        let unspecified = if self.target.is_ipv4() {
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
        } else {
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
        };
        let socket = tokio::net::UdpSocket::bind(unspecified).await.map_err(Trouble::Socket)?;
        socket.connect(self.target).await.map_err(Trouble::Connect)?;
        let mut id = [0; 12];
        getrandom::fill(&mut id).map_err(|error| Trouble::Socket(io::Error::other(error)))?;
        let id = TransactionId(id);
        let mut request = Vec::new();
        // Begins and, without attributes, is the whole message.
        Writer::new(&mut request, Class::Request, Method::BINDING, id);
        let mut buffer = [0; 512];
        loop {
            let sent = Instant::now();
            socket.send(&request).await.map_err(Trouble::Connect)?;
            // RFC 8489 §6.2.1: 500 ms before the first retransmission.
            let received = timeout(Duration::from_millis(500), socket.recv(&mut buffer)).await;
            let Ok(received) = received else { continue };
            let len = received.map_err(Trouble::Connect)?;
            let reply = Message::parse(&buffer[..len]).map_err(|_| Trouble::Nonsense)?;
            let ours = reply.transaction_id() == id && reply.class() == Class::Success;
            let mapped = reply.get::<XorMappedAddress>().ok().flatten();
            return match mapped.filter(|_| ours) {
                Some(_) => Ok(sent.elapsed()),
                None => Err(Trouble::Nonsense),
            };
        }
    }

    /// An allocation, and a packet through it back to itself.
    async fn turn(&self, path: Path, wires: Wires) -> Result<Duration, Trouble> {
        let genesis = talkie_net::genesis().map_err(Trouble::Socket)?;
        let expiry = genesis.unix + CREDENTIAL_LIFETIME;
        let issued = self.secret.issue(expiry, &format!("self-test-{}", self.purpose.flag()), None);
        let credential =
            LongTerm::new(&issued.username, &issued.password).map_err(|_| Trouble::Nonsense)?;
        let client = Client::new(&genesis, path, Some(credential), Config::default());
        let mut running = driver::spawn(client, wires).map_err(Trouble::Socket)?;
        let outcome = probe(&mut running).await;
        // Over UDP the server would keep the allocation for ten minutes.
        let closed = running.handle.call(Client::close).await;
        if closed.is_ok() {
            let ended = async {
                while let Some(event) = running.events.recv().await {
                    if matches!(event, Event::Ended(_)) {
                        break;
                    }
                }
            };
            let _ = timeout(Duration::from_millis(300), ended).await;
        }
        outcome
    }
}

async fn probe(running: &mut Running<Client>) -> Result<Duration, Trouble> {
    let mut own = None;
    let mut sent = None;
    // Less than the whole, so that this trouble has its own words.
    let mut limit = Box::pin(tokio::time::sleep(PATIENCE - Duration::from_millis(400)));
    let mut again = tokio::time::interval(AGAIN);
    loop {
        let event = tokio::select! {
            event = running.events.recv() => event,
            _ = again.tick(), if sent.is_some() => {
                let Some(relayed) = own else { continue };
                send_probe(running, relayed).await?;
                continue;
            }
            () = &mut limit => {
                return Err(own.map_or(Trouble::Silent, Trouble::NotRelayed));
            }
        };
        match event {
            Some(Event::Allocated { relayed, .. }) => {
                own = Some(relayed);
                let permitted = running.handle.call(move |it, now| it.permit(now, relayed.ip()));
                if !matches!(permitted.await, Ok(Ok(()))) {
                    return Err(Trouble::Nonsense);
                }
            }
            Some(Event::Permitted(_)) => {
                let Some(relayed) = own else { return Err(Trouble::Nonsense) };
                sent = Some(Instant::now());
                again.reset();
                send_probe(running, relayed).await?;
            }
            Some(Event::Data { payload, .. }) => {
                return match sent.filter(|_| payload == PROBE) {
                    Some(sent) => Ok(sent.elapsed()),
                    None => Err(Trouble::Nonsense),
                };
            }
            Some(Event::NotPermitted(_, failure) | Event::Ended(End::Failed(failure))) => {
                return Err(Trouble::Refused(failure));
            }
            Some(Event::Ended(End::Closed)) | None => {
                return Err(own.map_or(Trouble::Silent, Trouble::NotRelayed));
            }
            Some(_) => {}
        }
    }
}

async fn send_probe(running: &Running<Client>, relayed: SocketAddr) -> Result<(), Trouble> {
    let result = running.handle.call(move |it, now| it.send(now, relayed, PROBE)).await;
    if matches!(result, Ok(Ok(()))) { Ok(()) } else { Err(Trouble::Nonsense) }
}

impl Trouble {
    /// What happened and what to do about it.
    fn words(&self, purpose: Purpose, target: SocketAddr) -> String {
        let transport = purpose.transport();
        match self {
            Self::Silent => format!(
                "no answer from {target}: a firewall on this host may drop {transport} to port {}; \
                 open it or choose another with {}",
                target.port(),
                purpose.flag()
            ),
            Self::Connect(error) => format!(
                "cannot reach {target}: {error}; check this host's firewall, or choose another \
                 address with {}",
                purpose.flag()
            ),
            Self::Handshake(error) => {
                format!("the TLS handshake failed: {error}; check --tls-cert and --tls-key")
            }
            Self::Socket(error) => format!("no socket to try it with: {error}"),
            Self::Refused(Failure::InsufficientCapacity) => {
                "no relay port can be opened: check that --relay-ports are free and that enough \
                 files may be open"
                    .to_owned()
            }
            Self::Refused(failure) => format!("refused: {failure}"),
            Self::NotRelayed(relayed) => format!(
                "packets through the relayed address {relayed} don't come back: check \
                 --external-ip, and that a firewall lets UDP through to --relay-ports"
            ),
            Self::Nonsense => format!("what answers at {target} is not this server"),
        }
    }
}

fn framer(stream: &[u8]) -> Result<Option<usize>, BadFrame> {
    frame_length(stream).map_err(|_| BadFrame)
}
