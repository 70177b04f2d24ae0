//! A host that discovers its NAT, and the real server with two addresses, on a simulated internet.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use talkie_sansio::{Datagram, Genesis, Machine, Transmit, conformance};
use talkie_sim::nat;
use talkie_sim::net::{Host, Link, Loss, Network, Oversize, Place, Router};
use talkie_traversal::discover::{Config, Discovery, Event, Report};
use talkie_traversal::stun::{AttributeType, Message};
use talkie_traversal::turn::server::{self, TurnServer};

use crate::turn_world::addr;

pub(crate) const PRIMARY: &str = "192.0.2.1:3478";
pub(crate) const ALTERNATE: &str = "192.0.2.2";
pub(crate) const PRIMARY_V6: &str = "[2001:db8:1::1]:3478";
pub(crate) const ALTERNATE_V6: &str = "2001:db8:1::2";
pub(crate) const SECOND: &str = "192.0.2.129:3478";
pub(crate) const OUTSIDE: &str = "198.51.100.1";
const INSIDE: &str = "10.0.0.2";

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A seed that stands for a number.
pub(crate) fn genesis(seed: u64) -> Genesis {
    let mut bytes = [0x5d; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    Genesis { seed: bytes, ..conformance::genesis() }
}

fn fragmenting() -> Link {
    Link { oversize: Oversize::Fragmented, ..Link::default() }
}

/// The lab: a server, and whatever the host is put behind.
pub(crate) struct Lab {
    pub(crate) network: Network,
    pub(crate) internet: Router,
    /// Of each link on the host's side.
    pub(crate) link: Link,
}

/// What the server is.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    TwoAddresses,
    OneAddress,
    /// No server for RFC 5780.
    Plain,
    /// It names an address from which nothing comes.
    DeadAlternate,
    /// It does not answer who wants to be answered from elsewhere.
    Unchanging,
    /// It knows no RESPONSE-PORT.
    WithoutResponsePort,
}

/// A server that leaves requests with an attribute unanswered.
#[derive(Debug)]
struct Deaf {
    server: TurnServer,
    to: Option<AttributeType>,
}

impl Machine for Deaf {
    type Event = server::Event;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        let message = Message::parse(datagram.payload).ok();
        let is_deaf = message.zip(self.to).is_some_and(|(message, to)| message.contains(to));
        if !is_deaf {
            self.server.handle_datagram(now, datagram);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.server.handle_timeout(now);
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.server.poll_transmit(buf)
    }

    fn poll_event(&mut self) -> Option<server::Event> {
        self.server.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }
}

impl Lab {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, Kind::TwoAddresses)
    }

    pub(crate) fn with(seed: u64, kind: Kind) -> Self {
        let mut network = Network::new(&genesis(seed));
        let internet = network.add_internet("internet");
        let discovery = match kind {
            Kind::OneAddress => {
                vec![server::Discovery::ports_only(addr(PRIMARY).ip(), [3478, 3479])]
            }
            Kind::Plain => Vec::new(),
            _ => {
                let v4 = [addr(PRIMARY).ip(), ip(ALTERNATE)];
                let v6 = [addr(PRIMARY_V6).ip(), ip(ALTERNATE_V6)];
                [v4, v6].map(|both| server::Discovery::full(both, [3478, 3479])).to_vec()
            }
        };
        let config = server::Config { discovery, ..server::Config::default() };
        let to = match kind {
            Kind::Unchanging => Some(AttributeType::CHANGE_REQUEST),
            Kind::WithoutResponsePort => Some(AttributeType::RESPONSE_PORT),
            _ => None,
        };
        let server = TurnServer::new(network.genesis(), config).unwrap();
        let server = network.add_host("server", Deaf { server, to });
        let mut addresses = vec![addr(PRIMARY).ip(), addr(PRIMARY_V6).ip()];
        if matches!(kind, Kind::TwoAddresses | Kind::Unchanging | Kind::WithoutResponsePort) {
            addresses.extend([ip(ALTERNATE), ip(ALTERNATE_V6)]);
        }
        network.attach(server, internet, fragmenting(), addresses);
        let second = TurnServer::new(network.genesis(), server::Config::default()).unwrap();
        let second = network.add_host("second server", second);
        network.attach(second, internet, Link::default(), [addr(SECOND).ip()]);
        Self { network, internet, link: fragmenting() }
    }

    /// Loses this share of the packets in each direction.
    pub(crate) fn lossy(mut self, share: f64) -> Self {
        self.link.loss = Loss::Random(share);
        self
    }

    /// Puts a NAT before the internet.
    pub(crate) fn nat(&mut self, config: nat::Config) -> Place {
        self.network.add_nat("nat", self.internet, self.link.clone(), config).into()
    }

    /// Starts a discovery at `place`.
    pub(crate) fn start(&mut self, place: Place, config: Config) -> Host<Discovery> {
        let address = config.local[0].ip();
        let machine = Discovery::new(&self.network.genesis(), config).unwrap();
        let host = self.network.add_host("host", machine);
        // One link is enough to lose packets.
        let near = Link { loss: Loss::None, delay: Duration::from_millis(1), ..self.link.clone() };
        self.network.attach(host, place, near, [address]);
        host
    }

    /// Runs a discovery to its end.
    pub(crate) fn discover(&mut self, place: Place, config: Config) -> Report {
        let host = self.start(place, config);
        self.finish(host, secs(3600))
    }

    pub(crate) fn finish(&mut self, host: Host<Discovery>, most: Duration) -> Report {
        loop {
            let event = self.network.run_until_event(host, most).expect("it ends");
            if let Event::Report(report) = event {
                return *report;
            }
        }
    }

    /// Runs a discovery behind a NAT.
    pub(crate) fn behind(&mut self, nat: nat::Config) -> Report {
        let place = self.nat(nat);
        self.discover(place, config())
    }
}

/// The usual four sockets.
pub(crate) fn config() -> Config {
    config_at(INSIDE, Config::SOCKETS)
}

pub(crate) fn config_at(address: &str, sockets: usize) -> Config {
    let local = [50_001, 50_008, 50_015, 50_022, 50_029].map(|port| (ip(address), port).into());
    Config::new(addr(PRIMARY), local[..sockets].to_vec())
}
