//! Two machines to play with, and the smallest network that has everything.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::conformance::genesis;
use talkie_sansio::{Datagram, Genesis, Machine, Path, Transmit, Transport};
use talkie_sim::nat::Config;
use talkie_sim::net::{Attachment, Host, Link, NatBox, Network, Router};

/// Sends what it is told to, tells what it gets, and sends it back if it is to answer.
#[derive(Default)]
pub(crate) struct Echo {
    answers: bool,
    out: VecDeque<(Path, Vec<u8>)>,
    seen: VecDeque<Seen>,
    /// Sends `beat` again and again.
    beat: Option<(Path, Instant, Duration)>,
}

/// What a machine got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) path: Path,
    pub(crate) payload: Vec<u8>,
}

impl Echo {
    pub(crate) fn answering() -> Self {
        Self { answers: true, ..Self::default() }
    }

    pub(crate) fn send(&mut self, local: &str, remote: SocketAddr, payload: &[u8]) {
        self.send_by(udp(local, remote), payload);
    }

    pub(crate) fn send_by(&mut self, path: Path, payload: &[u8]) {
        self.out.push_back((path, payload.to_vec()));
    }

    pub(crate) fn beat(&mut self, now: Instant, every: Duration, local: &str, remote: SocketAddr) {
        self.beat = Some((udp(local, remote), now, every));
    }
}

impl Machine for Echo {
    type Event = Seen;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        let payload = datagram.payload.to_vec();
        if self.answers {
            self.out.push_back((datagram.path, payload.clone()));
        }
        self.seen.push_back(Seen { at: now, path: datagram.path, payload });
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some((path, next, every)) = &mut self.beat
            && *next <= now
        {
            *next = now + *every;
            self.out.push_back((*path, b"beat".to_vec()));
        }
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, payload) = self.out.pop_front()?;
        buf.extend_from_slice(&payload);
        Some(Transmit { path, len: payload.len() })
    }

    fn poll_event(&mut self) -> Option<Seen> {
        self.seen.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.beat.map(|(_, next, _)| next)
    }
}

pub(crate) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn udp(local: &str, remote: SocketAddr) -> Path {
    Path { transport: Transport::Udp, local: at(local), remote }
}

pub(crate) fn seeded(seed: u8) -> Genesis {
    Genesis { seed: [seed; 32], ..genesis() }
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const SERVER: &str = "198.51.100.1:3478";

/// Ada behind a NAT, Grace behind another, and a server that answers.
pub(crate) struct Street {
    pub(crate) network: Network,
    pub(crate) internet: Router,
    pub(crate) server: Host<Echo>,
    pub(crate) ada: Host<Echo>,
    pub(crate) grace: Host<Echo>,
    pub(crate) nats: [NatBox; 2],
    pub(crate) ada_link: Attachment,
}

impl Street {
    pub(crate) fn new(left: Config, right: Config) -> Self {
        let mut network = Network::new(&seeded(1));
        network.record(10_000);
        let internet = network.add_internet("internet");
        let server = network.add_host("server", Echo::answering());
        network.attach(server, internet, Link::default(), [ip("198.51.100.1")]);
        let link = Link::with_delay(Duration::from_millis(10));
        let nats = [("left", left), ("right", right)]
            .map(|(name, config)| network.add_nat(name, internet, link.clone(), config));
        let ada = network.add_host("ada", Echo::default());
        let ada_link = network.attach(ada, nats[0], Link::default(), [ip("10.0.0.2")]);
        let grace = network.add_host("grace", Echo::default());
        network.attach(grace, nats[1], Link::default(), [ip("10.0.0.2")]);
        Self { network, internet, server, ada, grace, nats, ada_link }
    }

    pub(crate) fn send(&mut self, from: Host<Echo>, local: &str, remote: SocketAddr) {
        self.network.call(from, |machine, _| machine.send(local, remote, b"hello"));
        self.network.run_for(SECOND);
    }

    /// What the server sees of a host.
    pub(crate) fn outside(&mut self, host: Host<Echo>) -> SocketAddr {
        self.send(host, "10.0.0.2:5000", at(SERVER));
        let seen = self.network.poll_event(self.server).unwrap();
        assert_eq!(self.network.poll_event(host).unwrap().path.remote, at(SERVER));
        seen.path.remote
    }
}
