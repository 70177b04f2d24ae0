//! What idle agents cost that share one real UDP socket: a server's process on loopback, and the peers of
//! all its agents, each at an address of its own, in this one.
//!
//! The peers have one socket as well: every address of 127.0.0.0/8 is this host's, so that it can send from
//! any and is told where what comes was sent to.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufRead as _, BufReader, IoSliceMut, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::SockRef;
use talkie_net::driver::Running;
use talkie_net::host;
use talkie_sansio::{
    Answer, Datagram, Genesis, Hosted as _, Interface, Machine as _, Path, Transport, Want,
};
use talkie_traversal::ice::gather::Families;
use talkie_traversal::ice::mux::{self, Mux};
use talkie_traversal::ice::{Agent, Config, ConnectionState, Parameters, Role};
use tokio::sync::mpsc;

use super::lab::Program;
use crate::process::{cpu_of, free_address, memory_of};

/// How long it all may take to be connected.
const PATIENCE: Duration = Duration::from_secs(60);
/// By then nothing is left of connecting.
const SETTLING: Duration = Duration::from_secs(10);
const SPAN: Duration = Duration::from_secs(20);

/// On loopback, over IPv4.
fn config(role: Role) -> Config {
    let mut config = Config::default();
    config.role = role;
    config.gather.filter.loopback = true;
    config.gather.filter.only = vec!["lo".to_owned()];
    config.gather.filter.families = Families::Ipv4;
    config
}

fn line_of(parameters: &Parameters) -> String {
    format!("{} {}\n", parameters.username_fragment, parameters.password)
}

fn read(line: &str) -> Result<Parameters> {
    let (fragment, password) = line.trim().split_once(' ').context("no parameters")?;
    Ok(Parameters::new(fragment, password)?)
}

/// Has agents at one port of loopback: one for each line with a peer's fragment and password, which is
/// answered by one with its own.
pub(crate) fn serve(port: u16) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let genesis = talkie_net::genesis()?;
        let shared = mux::Config { ports: port..=port, ..mux::Config::default() };
        let running = host::spawn(Mux::new(&genesis, shared), host::Options::default())?;
        let Running { handle, mut events, .. } = running;
        tokio::spawn(async move { while events.recv().await.is_some() {} });
        let (sender, mut lines) = mpsc::channel(64);
        std::thread::spawn(move || {
            let mut all = io::stdin().lines().map_while(Result::ok);
            all.try_for_each(|line| sender.blocking_send(line))
        });
        while let Some(line) = lines.recv().await {
            let (theirs, genesis) = (read(&line)?, genesis.clone());
            let begin = move |mux: &mut Mux, now| {
                let id = mux.add(&Genesis { now, ..genesis }, config(Role::Controlled))?;
                let ours = mux.call(now, id, |agent| {
                    agent.set_remote_parameters(now, theirs);
                    agent.gather(now);
                    line_of(agent.local_parameters())
                });
                ours.context("it was added")
            };
            print!("{}", handle.call(begin).await??);
            io::stdout().flush()?;
        }
        Ok(())
    })
}

/// The peers.
struct Peers {
    socket: UdpSocket,
    state: UdpSocketState,
    server: SocketAddr,
    agents: Vec<Agent>,
    queue: BinaryHeap<Reverse<(Instant, usize)>>,
    /// When each is woken, if it is in the queue.
    wakes: Vec<Option<Instant>>,
    port: u16,
}

fn address(index: usize) -> IpAddr {
    let [.., high, middle, low] = (index + 1).to_be_bytes();
    IpAddr::from([127, 1 + high, middle, low])
}

fn index_of(address: IpAddr) -> Option<usize> {
    let IpAddr::V4(v4) = address else { return None };
    let [127, high, middle, low] = v4.octets() else { return None };
    let number =
        usize::from(high.checked_sub(1)?) << 16 | usize::from(middle) << 8 | usize::from(low);
    number.checked_sub(1)
}

impl Peers {
    fn new(server: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        // May be granted less.
        let _ = SockRef::from(&socket).set_recv_buffer_size(4 << 20);
        let state = UdpSocketState::new((&socket).into())?;
        socket.set_nonblocking(false)?;
        let port = socket.local_addr()?.port();
        let (agents, wakes) = (Vec::new(), Vec::new());
        Ok(Self { socket, state, server, agents, queue: BinaryHeap::new(), wakes, port })
    }

    /// One more, which is introduced to an agent of the server's.
    fn add(&mut self, input: &mut ChildStdin, output: &mut BufReader<ChildStdout>) -> Result<()> {
        let (index, genesis) = (self.agents.len(), talkie_net::genesis()?);
        let now = genesis.now;
        let mut agent = Agent::new(&genesis, config(Role::Controlling));
        input.write_all(line_of(agent.local_parameters()).as_bytes())?;
        let mut line = String::new();
        output.read_line(&mut line)?;
        agent.handle_interfaces(now, &[Interface::new("lo", address(index))]);
        agent.gather(now);
        agent.set_remote_parameters(now, read(&line)?);
        let SocketAddr::V4(server) = self.server else { bail!("not IPv4") };
        let line =
            format!("candidate:1 1 udp 2130706431 {} {} typ host", server.ip(), server.port());
        agent.add_remote_candidate(now, line.parse()?)?;
        self.agents.push(agent);
        self.wakes.push(None);
        self.settle(now, index)
    }

    fn run_until(&mut self, end: Instant) -> Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let now = Instant::now();
            while let Some(Reverse((at, index))) = self.queue.peek().copied()
                && at <= now
            {
                self.queue.pop();
                if self.wakes[index] == Some(at) {
                    self.wakes[index] = None;
                    self.agents[index].handle_timeout(now);
                    self.settle(now, index)?;
                }
            }
            if now >= end {
                return Ok(());
            }
            let next = self.queue.peek().map_or(end, |Reverse((at, _))| end.min(*at));
            let rest = next.saturating_duration_since(now).max(Duration::from_micros(100));
            self.socket.set_read_timeout(Some(rest))?;
            self.receive(&mut buffer)?;
        }
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<()> {
        let mut meta = [RecvMeta::default()];
        let mut slices = [IoSliceMut::new(buffer)];
        if self.state.recv((&self.socket).into(), &mut slices, &mut meta).is_err() {
            // Nothing came in time.
            return Ok(());
        }
        let (now, RecvMeta { addr, len, stride, dst_ip, .. }) = (Instant::now(), meta[0]);
        let Some(index) = dst_ip.and_then(index_of).filter(|it| *it < self.agents.len()) else {
            return Ok(());
        };
        let local = SocketAddr::new(address(index), self.port);
        let path = Path { transport: Transport::Udp, local, remote: addr };
        for payload in buffer[..len].chunks_mut(stride.max(1)) {
            self.agents[index].handle_datagram(now, Datagram { path, payload });
        }
        self.settle(now, index)
    }

    /// Takes all that a peer says.
    fn settle(&mut self, now: Instant, index: usize) -> Result<()> {
        let (agent, address) = (&mut self.agents[index], address(index));
        while let Some(want) = agent.poll_want() {
            if let Want::Bind { id, .. } = want {
                let local = SocketAddr::new(address, self.port);
                agent.handle_answer(now, Answer::Bound { id, local });
            }
        }
        let mut contents = Vec::new();
        while let Some(transmit) = agent.poll_transmit(&mut contents) {
            let transmit = Transmit {
                destination: transmit.path.remote,
                ecn: None,
                contents: &contents,
                segment_size: None,
                src_ip: Some(address),
            };
            self.state.try_send((&self.socket).into(), &transmit)?;
            contents.clear();
        }
        while agent.poll_event().is_some() {}
        if let Some(at) = agent.poll_timeout()
            && self.wakes[index].is_none_or(|wake| at < wake)
        {
            self.wakes[index] = Some(at);
            self.queue.push(Reverse((at, index)));
        }
        Ok(())
    }

    fn connected(&self) -> usize {
        let is_up = |agent: &&Agent| {
            let state = agent.connection_state();
            matches!(state, ConnectionState::Connected | ConnectionState::Completed)
        };
        self.agents.iter().filter(is_up).count()
    }
}

pub(crate) fn run(words: &[&str]) -> Result<()> {
    let count: usize = match words {
        [] => 10_000,
        ["--agents", count] => count.parse()?,
        other => bail!("unknown option {other:?}"),
    };
    ensure!((2..60_000).contains(&count), "from 2 to 60,000 agents");
    let server = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve-agents", &server.port().to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = Program(command.spawn()?);
    let process = program.0.id();
    let mut input = program.0.stdin.take().context("piped")?;
    let mut output = BufReader::new(program.0.stdout.take().context("piped")?);
    let mut peers = Peers::new(server)?;
    // With the first one the socket and all that is there only once have come.
    peers.add(&mut input, &mut output)?;
    peers.run_until(Instant::now() + Duration::from_secs(1))?;
    ensure!(peers.connected() == 1, "the first one is not connected");
    let one = memory_of(process)?;
    for number in 1..count {
        peers.add(&mut input, &mut output)?;
        if number % 20 == 0 {
            peers.run_until(Instant::now())?;
        }
    }
    let start = Instant::now();
    while peers.connected() < count {
        ensure!(start.elapsed() < PATIENCE, "only {} of {count} are connected", peers.connected());
        peers.run_until(Instant::now() + Duration::from_millis(100))?;
    }
    peers.run_until(Instant::now() + SETTLING)?;
    let before = cpu_of(process)?;
    peers.run_until(Instant::now() + SPAN)?;
    let cpu = cpu_of(process)? - before;
    ensure!(peers.connected() == count, "only {} are connected still", peers.connected());
    let bytes = memory_of(process)?.saturating_sub(one) / (count as u64 - 1);
    let hours = count as f64 * SPAN.as_secs_f64() / 3600.0;
    println!("{count} idle agents at one UDP socket, {} s", SPAN.as_secs());
    println!("resident memory: {bytes} bytes each");
    println!("CPU: {:.1} ms per agent and hour", cpu.as_secs_f64() * 1e3 / hours);
    println!("     {:.1} % of a core for all", cpu.as_secs_f64() / SPAN.as_secs_f64() * 100.0);
    Ok(())
}
