//! Two agents and the wires between their sockets, in virtual time.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::conformance::genesis;
use talkie_sansio::{Answer, Datagram, Genesis, Hosted as _, Interface, Machine as _, Path, Want};
use talkie_traversal::ice::{Agent, Candidate, Config, ConnectionState, Event, Pair, Role, Story};

/// What is to become of a packet.
pub(crate) type Fate = Box<dyn FnMut(&Sent) -> Vec<Duration>>;

/// A packet on its way.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) payload: Vec<u8>,
}

/// One agent and what it has said.
pub(crate) struct Side {
    pub(crate) agent: Agent,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) states: Vec<(Duration, ConnectionState)>,
    pub(crate) selected: Vec<(Duration, Pair)>,
    pub(crate) stories: Vec<(Duration, Story)>,
    pub(crate) data: Vec<Vec<u8>>,
    interfaces: Vec<Interface>,
    sockets: Vec<SocketAddr>,
    next_port: u16,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) born: Instant,
    pub(crate) sides: [Side; 2],
    pub(crate) sent: Vec<Sent>,
    /// Whether candidates are told to the other side as they come.
    pub(crate) is_signaling: bool,
    fate: Fate,
    flying: Vec<(Instant, Sent)>,
}

pub(crate) const DELAY: Duration = Duration::from_millis(10);

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn config(role: Role) -> Config {
    let mut config = Config::default();
    config.role = role;
    config
}

fn interfaces(addresses: &[&str]) -> Vec<Interface> {
    let named = addresses.iter().enumerate();
    let interface = |(index, address): (usize, &&str)| {
        Interface::new(format!("eth{index}"), address.parse().unwrap())
    };
    named.map(interface).collect()
}

impl Side {
    fn new(born: &Genesis, seed: u8, config: Config, addresses: &[&str]) -> Self {
        let genesis = Genesis { seed: [seed; 32], ..born.clone() };
        Self {
            agent: Agent::new(&genesis, config),
            candidates: Vec::new(),
            states: Vec::new(),
            selected: Vec::new(),
            stories: Vec::new(),
            data: Vec::new(),
            interfaces: interfaces(addresses),
            sockets: Vec::new(),
            next_port: 5000,
        }
    }

    pub(crate) fn state(&self) -> ConnectionState {
        self.agent.connection_state()
    }

    pub(crate) fn reached(&self, state: ConnectionState) -> Option<Duration> {
        self.states.iter().find(|(_, reached)| *reached == state).map(|(at, _)| *at)
    }
}

impl World {
    /// Two hosts with these addresses, the first of which controls; every packet takes [`DELAY`].
    pub(crate) fn new(left: &[&str], right: &[&str]) -> Self {
        let configs = [config(Role::Controlling), config(Role::Controlled)];
        Self::with(configs, left, right, Box::new(|_| vec![DELAY]))
    }

    pub(crate) fn with(configs: [Config; 2], left: &[&str], right: &[&str], fate: Fate) -> Self {
        let genesis = genesis();
        let [first, second] = configs;
        let sides = [Side::new(&genesis, 1, first, left), Side::new(&genesis, 2, second, right)];
        let now = genesis.now;
        Self {
            now,
            born: now,
            sides,
            sent: Vec::new(),
            is_signaling: true,
            fate,
            flying: Vec::new(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.born
    }

    /// Both gather and know each other's credentials.
    pub(crate) fn begin(&mut self) {
        for side in 0..2 {
            self.gather(side);
        }
        self.introduce();
    }

    pub(crate) fn gather(&mut self, side: usize) {
        let now = self.now;
        let own = &mut self.sides[side];
        own.agent.handle_interfaces(now, &own.interfaces.clone());
        own.agent.gather(now);
        self.settle();
    }

    /// Each learns the other's credentials and candidates so far, at the same time.
    pub(crate) fn introduce(&mut self) {
        for side in 0..2 {
            self.tell_parameters(side);
            for candidate in self.sides[1 - side].candidates.clone() {
                self.sides[side].agent.add_remote_candidate(self.now, candidate).unwrap();
            }
        }
        self.settle();
    }

    /// `side` learns of the other's credentials.
    pub(crate) fn tell_parameters(&mut self, side: usize) {
        let theirs = self.sides[1 - side].agent.local_parameters().clone();
        self.sides[side].agent.set_remote_parameters(self.now, theirs);
    }

    pub(crate) fn end_of_candidates(&mut self) {
        for side in &mut self.sides {
            side.agent.end_of_remote_candidates(self.now);
        }
        self.settle();
    }

    pub(crate) fn set_interfaces(&mut self, side: usize, addresses: &[&str]) {
        let own = &mut self.sides[side];
        own.interfaces = interfaces(addresses);
        own.agent.handle_interfaces(self.now, &own.interfaces.clone());
        let is_up = |socket: &SocketAddr| own.interfaces.iter().any(|up| up.address == socket.ip());
        own.sockets.retain(is_up);
        self.settle();
    }

    pub(crate) fn set_fate(&mut self, fate: Fate) {
        self.fate = fate;
    }

    pub(crate) fn send(&mut self, side: usize, payload: &[u8]) {
        self.sides[side].agent.send(self.now, payload).unwrap();
        self.settle();
    }

    /// Hands a datagram to a side as if it had come from anywhere.
    pub(crate) fn inject(&mut self, side: usize, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
        let path = Path { transport: talkie_sansio::Transport::Udp, local: to, remote: from };
        let mut payload = payload.to_vec();
        let datagram = Datagram { path, payload: &mut payload };
        self.sides[side].agent.handle_datagram(self.now, datagram);
        self.settle();
    }

    pub(crate) fn run(&mut self, span: Duration) {
        self.run_until(span, |_| false);
    }

    /// Runs until `done` or `span` has passed; says whether it was done.
    pub(crate) fn run_until(&mut self, span: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + span;
        self.settle();
        while !done(self) {
            let timers = self.sides.iter().filter_map(|side| side.agent.poll_timeout());
            let next = timers.chain(self.flying.iter().map(|(at, _)| *at)).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return done(self);
            };
            self.now = self.now.max(next);
            self.deliver();
            for side in &mut self.sides {
                side.agent.handle_timeout(self.now);
            }
            self.settle();
        }
        true
    }

    fn deliver(&mut self) {
        let now = self.now;
        for (_, packet) in self.flying.extract_if(.., |(at, _)| *at <= now) {
            for side in &mut self.sides {
                let is_meant = |socket: &&SocketAddr| {
                    let group = packet.to.ip().is_multicast() && **socket != packet.from;
                    **socket == packet.to || (group && socket.port() == packet.to.port())
                };
                let Some(local) = side.sockets.iter().copied().find(|socket| is_meant(&socket))
                else {
                    continue;
                };
                let path =
                    Path { transport: talkie_sansio::Transport::Udp, local, remote: packet.from };
                let mut payload = packet.payload.clone();
                side.agent.handle_datagram(now, Datagram { path, payload: &mut payload });
            }
        }
    }

    /// Empties both, and answers what they want.
    pub(crate) fn settle(&mut self) {
        let mut rounds = 0;
        while self.settle_side(0) | self.settle_side(1) {
            rounds += 1;
            assert!(rounds < 1000, "a busy loop");
        }
    }

    fn settle_side(&mut self, index: usize) -> bool {
        let mut is_busy = false;
        while let Some(want) = self.sides[index].agent.poll_want() {
            is_busy = true;
            self.answer(index, want);
        }
        let mut buf = Vec::new();
        while let Some(transmit) = self.sides[index].agent.poll_transmit(&mut buf) {
            is_busy = true;
            let payload = buf[buf.len() - transmit.len..].to_vec();
            let Path { local: from, remote: to, .. } = transmit.path;
            let sent = Sent { from, to, payload };
            for delay in (self.fate)(&sent) {
                self.flying.push((self.now + delay, sent.clone()));
            }
            self.sent.push(sent);
        }
        while let Some(event) = self.sides[index].agent.poll_event() {
            is_busy = true;
            self.note(index, event);
        }
        let due = self.sides[index].agent.poll_timeout().is_some_and(|at| at <= self.now);
        if due {
            self.sides[index].agent.handle_timeout(self.now);
        }
        is_busy || due
    }

    fn answer(&mut self, index: usize, want: Want) {
        let side = &mut self.sides[index];
        let (id, local) = match want {
            Want::Bind { id, local, .. } => {
                side.next_port += 1;
                (id, SocketAddr::new(local, side.next_port - 1))
            }
            Want::Join { id, interface, group } => (id, SocketAddr::new(interface, group.port())),
            _ => return,
        };
        side.sockets.push(local);
        side.agent.handle_answer(self.now, Answer::Bound { id, local });
    }

    fn note(&mut self, index: usize, event: Event) {
        let at = self.elapsed();
        let side = &mut self.sides[index];
        match event {
            Event::Candidate(candidate) => {
                side.candidates.push(candidate.clone());
                if self.is_signaling && self.sides[1 - index].agent.remote_parameters().is_some() {
                    let _ = self.sides[1 - index].agent.add_remote_candidate(self.now, candidate);
                }
            }
            Event::ConnectionState(state) => side.states.push((at, state)),
            Event::Selected(pair) => side.selected.push((at, *pair)),
            Event::Story(story) => side.stories.push((at, story)),
            Event::Data(data) => side.data.push(data),
            _ => {}
        }
    }

    /// Whether both sides are in this state.
    pub(crate) fn both(&self, state: ConnectionState) -> bool {
        self.sides.iter().all(|side| side.state() == state)
    }

    /// Whether both have the same nominated pair.
    pub(crate) fn agree(&self) -> bool {
        let [left, right] = [0, 1].map(|side| self.sides[side].agent.selected());
        let (Some(left), Some(right)) = (left, right) else { return false };
        let is_same = left.base == right.remote_address && right.base == left.remote_address;
        is_same && left.is_nominated && right.is_nominated
    }

    pub(crate) fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }
}
