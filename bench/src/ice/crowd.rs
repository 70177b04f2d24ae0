//! What an agent costs that is connected and has nothing to do: a mux of many, in virtual time.
//!
//! Each agent has a peer, an agent of its own at an address of its own, 10 ms away. The session is played
//! once, and what the mux was told is kept. As a machine that is told the same says the same, it can be told
//! it again without the peers, and only that is measured: consent checks of either side and the answers,
//! timers, and the tables.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use talkie_sansio::conformance::genesis;
use talkie_sansio::{
    Answer, Datagram, Genesis, Hosted as _, Interface, Machine as _, Path, Transport, Want,
};
use talkie_traversal::ice::mux::{self, AgentId, Mux};
use talkie_traversal::ice::{Agent, Config, ConnectionState, Parameters, Role};

use super::median;
use crate::process::cpu_of_thread;

const DELAY: Duration = Duration::from_millis(10);
const PORT: u16 = 3478;
/// How far apart agents begin, so that they do not all ask at the same moment.
const APART: Duration = Duration::from_micros(500);
/// By then the last has been connected for so long that nothing is left of it.
const SETTLING: Duration = Duration::from_secs(45);
/// How long idling is measured.
const SPAN: Duration = Duration::from_secs(60);

fn server() -> SocketAddr {
    SocketAddr::new(IpAddr::from([192, 0, 2, 1]), PORT)
}

pub(super) fn address(index: usize) -> SocketAddr {
    let [.., high, middle, low] = index.to_be_bytes();
    SocketAddr::new(IpAddr::from([10, high, middle, low]), 5000)
}

/// What a mux is told.
pub(super) enum Input {
    /// A new agent, for the peer of that number.
    Begin(usize),
    Datagram(SocketAddr, Vec<u8>),
    Timeout,
}

/// A mux and the parameters of its agents' peers.
pub(super) struct Crowd {
    pub(super) mux: Mux,
    pub(super) ids: Vec<AgentId>,
    theirs: Vec<Parameters>,
    genesis: Genesis,
    buffer: Vec<u8>,
    /// Packets sent.
    sent: u64,
}

impl Crowd {
    fn new(genesis: &Genesis, theirs: Vec<Parameters>) -> Self {
        let config = mux::Config { ports: PORT..=PORT, ..mux::Config::default() };
        let mut mux = Mux::new(genesis, config);
        let interface = Interface::new("eth0", server().ip());
        mux.handle_interfaces(genesis.now, &[interface]);
        let (ids, buffer) = (Vec::new(), Vec::new());
        Self { mux, ids, theirs, genesis: genesis.clone(), buffer, sent: 0 }
    }

    /// Tells the mux something, and takes all that it says.
    pub(super) fn tell(
        &mut self,
        now: Instant,
        input: &mut Input,
        mut send: impl FnMut(SocketAddr, &[u8]),
    ) -> Result<()> {
        match input {
            Input::Begin(index) => {
                let genesis = Genesis { now, ..self.genesis.clone() };
                let id = self.mux.add(&genesis, config(Role::Controlled))?;
                let theirs = self.theirs[*index].clone();
                self.mux.call(now, id, |agent| {
                    agent.set_remote_parameters(now, theirs);
                    agent.gather(now);
                });
                self.ids.push(id);
            }
            Input::Datagram(remote, payload) => {
                let path = Path { transport: Transport::Udp, local: server(), remote: *remote };
                self.mux.handle_datagram(now, Datagram { path, payload });
            }
            Input::Timeout => self.mux.handle_timeout(now),
        }
        while let Some(want) = self.mux.poll_want() {
            if let Want::Bind { id, .. } = want {
                self.mux.handle_answer(now, Answer::Bound { id, local: server() });
            }
        }
        self.buffer.clear();
        while let Some(transmit) = self.mux.poll_transmit(&mut self.buffer) {
            send(transmit.path.remote, &self.buffer);
            self.sent += 1;
            self.buffer.clear();
        }
        while self.mux.poll_event().is_some() {}
        Ok(())
    }

    pub(super) fn are_connected(&self) -> bool {
        let is_up = |id: &AgentId| {
            let state = self.mux.agent(*id).map(Agent::connection_state);
            matches!(state, Some(ConnectionState::Connected | ConnectionState::Completed))
        };
        self.ids.iter().all(is_up)
    }
}

fn config(role: Role) -> Config {
    let mut config = Config::default();
    config.role = role;
    config
}

/// What happens next, by its time.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Begin(usize),
    ToMux(SocketAddr, Vec<u8>),
    ToPeer(usize, Vec<u8>),
    PeerTimeout(usize),
}

/// Both sides of all sessions.
struct Play {
    crowd: Crowd,
    peers: Vec<Agent>,
    /// The address of each, to find it.
    numbers: BTreeMap<SocketAddr, usize>,
    queue: BinaryHeap<Reverse<(Instant, Next)>>,
    /// When each peer is woken, if it is in the queue.
    wakes: Vec<Option<Instant>>,
    told: Vec<(Instant, Input)>,
}

impl Play {
    fn new(genesis: &Genesis, count: usize) -> Result<Self> {
        let peer = |index: usize| {
            let mut seed = [1; 32];
            seed[..8].copy_from_slice(&(index as u64).to_be_bytes());
            Agent::new(&Genesis { seed, ..genesis.clone() }, config(Role::Controlling))
        };
        let peers: Vec<Agent> = (0..count).map(peer).collect();
        let theirs = peers.iter().map(|peer| peer.local_parameters().clone()).collect();
        let begin = |index: usize| {
            let index32 = u32::try_from(index)?;
            anyhow::Ok(Reverse((genesis.now + APART * index32, Next::Begin(index))))
        };
        Ok(Self {
            crowd: Crowd::new(genesis, theirs),
            peers,
            numbers: (0..count).map(|index| (address(index), index)).collect(),
            queue: (0..count).map(begin).collect::<Result<_>>()?,
            wakes: vec![None; count],
            told: Vec::new(),
        })
    }

    fn run_until(&mut self, end: Instant) -> Result<()> {
        loop {
            let next = self.queue.peek().map(|Reverse((at, _))| *at);
            let timer = self.crowd.mux.poll_timeout();
            let Some(now) = next.into_iter().chain(timer).min().filter(|at| *at <= end) else {
                return Ok(());
            };
            if timer == Some(now) {
                self.tell(now, Input::Timeout)?;
                continue;
            }
            let Some(Reverse((_, next))) = self.queue.pop() else { return Ok(()) };
            match next {
                Next::Begin(index) => {
                    self.tell(now, Input::Begin(index))?;
                    self.begin_peer(now, index)?;
                }
                Next::ToMux(from, bytes) => self.tell(now, Input::Datagram(from, bytes))?,
                Next::ToPeer(index, mut payload) => {
                    let (local, remote) = (address(index), server());
                    let path = Path { transport: Transport::Udp, local, remote };
                    let datagram = Datagram { path, payload: &mut payload };
                    self.peers[index].handle_datagram(now, datagram);
                    self.settle(now, index);
                }
                Next::PeerTimeout(index) => {
                    if self.wakes[index] == Some(now) {
                        self.wakes[index] = None;
                        self.peers[index].handle_timeout(now);
                        self.settle(now, index);
                    }
                }
            }
        }
    }

    fn begin_peer(&mut self, now: Instant, index: usize) -> Result<()> {
        let (peer, id) = (&mut self.peers[index], self.crowd.ids[index]);
        let agent = self.crowd.mux.agent(id).context("it was added")?;
        let address = address(index).ip();
        peer.handle_interfaces(now, &[Interface::new("eth0", address)]);
        peer.gather(now);
        peer.set_remote_parameters(now, agent.local_parameters().clone());
        let server = server();
        let line = format!("candidate:1 1 udp 2130706431 {} {PORT} typ host", server.ip());
        peer.add_remote_candidate(now, line.parse()?)?;
        self.settle(now, index);
        Ok(())
    }

    fn tell(&mut self, now: Instant, mut input: Input) -> Result<()> {
        // A machine may write into what it is given.
        let kept = match &input {
            Input::Begin(index) => Input::Begin(*index),
            Input::Datagram(from, bytes) => Input::Datagram(*from, bytes.clone()),
            Input::Timeout => Input::Timeout,
        };
        self.told.push((now, kept));
        let (queue, numbers) = (&mut self.queue, &self.numbers);
        self.crowd.tell(now, &mut input, |remote, bytes| {
            if let Some(index) = numbers.get(&remote) {
                queue.push(Reverse((now + DELAY, Next::ToPeer(*index, bytes.to_vec()))));
            }
        })
    }

    /// Takes all that a peer says.
    fn settle(&mut self, now: Instant, index: usize) {
        let (peer, local) = (&mut self.peers[index], address(index));
        while let Some(want) = peer.poll_want() {
            if let Want::Bind { id, .. } = want {
                peer.handle_answer(now, Answer::Bound { id, local });
            }
        }
        let mut buffer = Vec::new();
        while peer.poll_transmit(&mut buffer).is_some() {
            let bytes = std::mem::take(&mut buffer);
            self.queue.push(Reverse((now + DELAY, Next::ToMux(local, bytes))));
        }
        while peer.poll_event().is_some() {}
        if let Some(at) = peer.poll_timeout()
            && self.wakes[index].is_none_or(|wake| at < wake)
        {
            self.wakes[index] = Some(at);
            self.queue.push(Reverse((at, Next::PeerTimeout(index))));
        }
    }
}

/// What a mux of `count` agents was told from the beginning until the end of the idle span, and when that
/// begins.
pub(super) struct Story {
    genesis: Genesis,
    theirs: Vec<Parameters>,
    told: Vec<(Instant, Input)>,
    idles_at: Instant,
}

impl Story {
    pub(super) fn of(count: usize, span: Duration) -> Result<Self> {
        let genesis = genesis();
        let mut play = Play::new(&genesis, count)?;
        let idles_at = genesis.now + APART * u32::try_from(count)? + SETTLING;
        play.run_until(idles_at)?;
        ensure!(play.crowd.are_connected(), "not all are connected");
        play.run_until(idles_at + span)?;
        ensure!(play.crowd.are_connected(), "not all are connected still");
        let theirs = play.crowd.theirs.clone();
        Ok(Self { genesis, theirs, told: play.told, idles_at })
    }

    /// A mux that has been told everything until it idles, and what is left to tell.
    pub(super) fn idle(&mut self) -> Result<(Crowd, &mut [(Instant, Input)])> {
        let mut crowd = Crowd::new(&self.genesis, self.theirs.clone());
        let at = self.told.partition_point(|(at, _)| *at < self.idles_at);
        let (before, rest) = self.told.split_at_mut(at);
        for (now, input) in before {
            crowd.tell(*now, input, |_, _| ())?;
        }
        ensure!(crowd.are_connected(), "told the same, it does not do the same");
        Ok((crowd, rest))
    }

    /// The parameters of a peer.
    pub(super) fn theirs(&self, index: usize) -> &Parameters {
        &self.theirs[index]
    }

    pub(super) fn end(&self) -> Instant {
        self.told.last().map_or(self.idles_at, |(at, _)| *at)
    }
}

/// What idling cost.
struct Cost {
    cpu: Duration,
    received: u64,
    sent: u64,
}

fn measure(story: &mut Story) -> Result<Cost> {
    let (mut crowd, rest) = story.idle()?;
    let (sent, before) = (crowd.sent, cpu_of_thread()?);
    let mut received = 0;
    for (now, input) in rest {
        received += u64::from(matches!(input, Input::Datagram(..)));
        crowd.tell(*now, input, |_, _| ())?;
    }
    Ok(Cost { cpu: cpu_of_thread()? - before, received, sent: crowd.sent - sent })
}

pub(crate) fn run(words: &[&str]) -> Result<()> {
    let most: usize = match words {
        [] => 10_000,
        ["--agents", count] => count.parse()?,
        other => bail!("unknown option {other:?}"),
    };
    println!("{} s of agents that are connected and idle, in virtual time", SPAN.as_secs());
    println!(
        "{:>8} {:>22} {:>14} {:>20} {:>14}",
        "agents", "CPU-ms/agent and hour", "of the first", "packets/agent and min", "CPU-µs/packet"
    );
    let mut first = None;
    for count in [most / 100, most / 10, most] {
        let count = count.max(1);
        let mut story = Story::of(count, SPAN)?;
        let rounds = (most / count).clamp(3, 50);
        let costs = (0..rounds).map(|_| measure(&mut story)).collect::<Result<Vec<_>>>()?;
        let cpu = median(costs.iter().map(|cost| cost.cpu.as_secs_f64()));
        let packets = costs.first().map_or(0, |cost| cost.received + cost.sent) as f64;
        let hours = count as f64 * SPAN.as_secs_f64() / 3600.0;
        let hourly = cpu * 1e3 / hours;
        let ratio = hourly / *first.get_or_insert(hourly);
        println!(
            "{count:>8} {hourly:>22.2} {ratio:>14.2} {:>20.1} {:>14.2}",
            packets / (hours * 60.0),
            cpu * 1e6 / packets
        );
    }
    Ok(())
}
