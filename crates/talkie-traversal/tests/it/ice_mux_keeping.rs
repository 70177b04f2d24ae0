//! The NAT's mapping of a shared socket is looked after by one agent for all.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_sansio::{
    Answer, Datagram, Hosted as _, Interface, Machine as _, Path, Transport, Want, conformance,
};
use talkie_traversal::ice::gather::Server;
use talkie_traversal::ice::mux::{AgentId, Config as MuxConfig, Mux};
use talkie_traversal::ice::{CandidateType, Config, Event};
use talkie_traversal::stun::attributes::XorMappedAddress;
use talkie_traversal::stun::{Class, Message, Method, Writer};

const SECOND: Duration = Duration::from_secs(1);
const HERE: &str = "10.0.0.2:3478";
const SERVER: &str = "192.0.2.50:3478";
const AGENTS: usize = 40;

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Many agents at one socket behind a NAT, and a STUN server that answers at once.
struct Site {
    mux: Mux,
    now: Instant,
    ids: Vec<AgentId>,
    mapped: SocketAddr,
    /// When the server was asked.
    asked: Vec<Instant>,
    /// Who has told of which server-reflexive address.
    told: Vec<(AgentId, SocketAddr)>,
}

impl Site {
    fn new() -> Self {
        Self::with(Some(25 * SECOND))
    }

    fn with(keepalive: Option<Duration>) -> Self {
        let genesis = conformance::genesis();
        let mux = Mux::new(&genesis, MuxConfig::default());
        let mapped = addr("198.51.100.7:40000");
        let (asked, told) = (Vec::new(), Vec::new());
        let mut site = Self { mux, now: genesis.now, ids: Vec::new(), mapped, asked, told };
        site.wake();
        for _ in 0..AGENTS {
            let mut config = Config::default();
            config.gather.servers.push(Server::new("stun:192.0.2.50", None).unwrap());
            config.gather.keepalive = keepalive;
            let id = site.mux.add(&genesis, config).unwrap();
            site.mux.call(genesis.now, id, |agent| agent.gather(genesis.now));
            site.ids.push(id);
        }
        site.run(SECOND);
        assert_eq!(site.told.len(), AGENTS);
        site.forget();
        site
    }

    /// The host's addresses are told again, as after a sleep.
    fn wake(&mut self) {
        self.mux.handle_interfaces(self.now, &[Interface::new("eth0", addr(HERE).ip())]);
    }

    fn forget(&mut self) {
        self.asked.clear();
        self.told.clear();
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        self.settle();
        while let Some(next) = self.mux.poll_timeout().filter(|next| *next <= end) {
            assert!(next >= self.now);
            self.now = next;
            self.mux.handle_timeout(self.now);
            self.settle();
            assert!(self.mux.poll_timeout().is_none_or(|at| at > self.now), "a busy loop");
        }
        self.now = end;
    }

    fn settle(&mut self) {
        while let Some(want) = self.mux.poll_want() {
            if let Want::Bind { id, .. } = want {
                self.mux.handle_answer(self.now, Answer::Bound { id, local: addr(HERE) });
            }
        }
        let mut buf = Vec::new();
        while let Some(transmit) = self.mux.poll_transmit(&mut buf) {
            assert_eq!(transmit.path.remote, addr(SERVER));
            self.asked.push(self.now);
            let id = Message::parse(&buf).unwrap().transaction_id();
            let mut answer = Vec::new();
            Writer::new(&mut answer, Class::Success, Method::BINDING, id)
                .attribute(&XorMappedAddress(self.mapped));
            let path = Path { transport: Transport::Udp, local: addr(HERE), remote: addr(SERVER) };
            self.mux.handle_datagram(self.now, Datagram { path, payload: &mut answer });
            buf.clear();
        }
        while let Some((id, event)) = self.mux.poll_event() {
            if let Event::Candidate(candidate) = event
                && candidate.kind == CandidateType::ServerReflexive
            {
                self.told.push((id, candidate.socket_address().unwrap()));
            }
        }
    }
}

#[test]
fn one_agent_keeps_the_mapping_for_all_and_another_when_it_is_gone() {
    let mut site = Site::new();
    for gone in [0, 10, AGENTS - 11] {
        for id in site.ids.drain(..gone).collect::<Vec<_>>() {
            site.mux.remove(site.now, id);
        }
        site.forget();
        site.run(100 * SECOND);
        assert_eq!(site.asked.len(), 4, "each 25 s");
    }
    let last = site.ids.remove(0);
    site.mux.remove(site.now, last);
    site.settle();
    assert_eq!(site.mux.poll_timeout(), None, "who has no agent keeps nothing");
}

#[test]
fn a_mapping_that_changes_is_told_by_all_one_after_the_other() {
    let mut site = Site::new();
    site.mapped = addr("198.51.100.7:40001");
    site.run(26 * SECOND);
    let mut told: Vec<_> = site.told.iter().map(|(id, _)| *id).collect();
    told.sort_unstable();
    assert_eq!(told, site.ids);
    assert!(site.told.iter().all(|(_, address)| *address == site.mapped));
    assert!(
        site.asked.windows(2).skip(1).all(|pair| pair[1] - pair[0] >= Duration::from_millis(5))
    );
    site.forget();
    site.run(100 * SECOND);
    assert_eq!((site.asked.len(), site.told.len()), (4, 0));
}

#[test]
fn after_a_sleep_the_mapping_is_looked_at_at_once() {
    let mut site = Site::new();
    site.run(10 * SECOND);
    site.forget();
    site.wake();
    site.settle();
    assert!(site.mux.poll_timeout().is_none_or(|at| at > site.now));
    assert_eq!(site.asked.len(), 1);
}

#[test]
fn a_mapping_may_be_left_alone_for_ever() {
    let mut site = Site::with(Some(Duration::MAX));
    site.run(1000 * SECOND);
    assert_eq!(site.asked.len(), 0);
    site.wake();
    site.run(SECOND);
    assert_eq!(site.asked.len(), 1, "but after a sleep");
}
