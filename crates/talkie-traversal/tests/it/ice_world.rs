//! Two ICE agents behind whatever networks, the real STUN and TURN server on the internet, and signaling
//! that carries lines of SDP between the two.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use talkie_sansio::Transport;
use talkie_sim::nat::Prefix;
use talkie_sim::net::{
    Attachment, Courier, Duplex, Host, Link, NatBox, Network, Post, Resolver, Router,
};
use talkie_traversal::ice::gather::Server;
use talkie_traversal::ice::{
    AddError, Agent, Candidate, Config, ConnectionState, Event, GatheringState, Pair, Parameters,
    Role,
};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::turn::server::{self, PeerPolicy, TurnServer};

use crate::discover_world::{genesis, ip};
use crate::ice_matrix_gateway::Porch;
use crate::ice_spots::{Ground, LOTS, Spot};

pub(crate) const SERVER_V4: &str = "192.0.2.1";
/// Its second one, if it is asked what a NAT does (RFC 5780).
const SERVER_ALTERNATE: &str = "192.0.2.2";
pub(crate) const SERVER_V6: &str = "2001:db8:1::1";
/// From the internet to either side's NAT.
pub(crate) const FAR: Duration = Duration::from_millis(10);

/// How a session is set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) spots: [Spot; 2],
    /// Of each side, between its NAT and the internet.
    pub(crate) links: [Duplex; 2],
    /// What each side gets its signaling by.
    pub(crate) post: [Post; 2],
    pub(crate) roles: [Role; 2],
    /// The servers that both are told of.
    pub(crate) urls: Vec<String>,
    /// Whether the server has addresses of these families.
    pub(crate) server: Families,
    /// Whether it has a second address and port, and names them.
    pub(crate) names_others: bool,
    /// How much later each begins.
    pub(crate) starts: [Duration; 2],
    /// Changes each side's agent.
    pub(crate) adjust: [fn(&mut Config); 2],
    /// Changes it further.
    pub(crate) also: [fn(&mut Config); 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Families {
    V4,
    Both,
}

impl Setup {
    pub(crate) fn new(left: Spot, right: Spot) -> Self {
        let link: Duplex = Link::with_delay(FAR).into();
        let url = |scheme: &str, query: &str| format!("{scheme}:{SERVER_V4}{query}");
        Self {
            seed: 1,
            spots: [left, right],
            links: [link.clone(), link],
            post: [Post::default(), Post::default()],
            roles: [Role::Controlling, Role::Controlled],
            urls: vec![
                url("stun", ""),
                url("turn", "?transport=udp"),
                url("turn", "?transport=tcp"),
            ],
            server: Families::V4,
            names_others: false,
            starts: [Duration::ZERO; 2],
            adjust: [|_| (); 2],
            also: [|_| (); 2],
        }
    }

    pub(crate) fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Without any relay.
    pub(crate) fn without_relay(mut self) -> Self {
        self.urls.retain(|url| url.starts_with("stun"));
        self
    }

    /// With the server by its name, which those behind a NAT64 need.
    pub(crate) fn named(mut self) -> Self {
        for url in &mut self.urls {
            *url = url.replace(SERVER_V4, "turn.example");
        }
        self
    }

    pub(crate) fn with_links(mut self, change: impl Fn(&mut Link)) -> Self {
        for link in &mut self.links {
            change(&mut link.up);
            change(&mut link.down);
        }
        self
    }
}

pub(crate) struct Side {
    pub(crate) host: Host<Agent>,
    pub(crate) attachment: Attachment,
    pub(crate) nats: Vec<NatBox>,
    /// With the time since the session began.
    pub(crate) events: Vec<(Duration, Event)>,
    /// The fragment that was told last.
    told: Option<String>,
    /// How many candidates of it were told.
    candidates: usize,
    /// Whether they were said to be all.
    has_ended: bool,
    /// When the other side's last candidate so far came.
    pub(crate) learned_at: Option<Duration>,
    heard: Heard,
}

/// What came of the other side's candidates of one generation.
#[derive(Default)]
struct Heard {
    fragment: String,
    candidates: usize,
    /// How many there are, once known.
    of: Option<usize>,
}

/// What signaling carries, as lines of SDP.
#[derive(Clone, Debug)]
enum Mail {
    Parameters(Vec<String>),
    Candidate(String),
    /// There were so many candidates of this fragment.
    End(String, usize),
}

/// How a session ended up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Direct,
    Relayed,
    Failed,
}

impl Outcome {
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Direct => 'd',
            Self::Relayed => 'r',
            Self::Failed => '-',
        }
    }
}

pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) internet: Router,
    pub(crate) server: Host<TurnServer>,
    pub(crate) sides: [Side; 2],
    /// A gateway that gives ports away, if there is one.
    pub(crate) porch: Option<Porch>,
    courier: Courier<Mail>,
    began: Instant,
    setup: Setup,
    has_begun: [bool; 2],
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        Self::with(setup, |network, internet, setup| {
            [0, 1].map(|index| {
                let far = setup.links[index].clone();
                setup.spots[index].build(network, internet, far, &LOTS[index])
            })
        })
    }

    /// A session on ground of the caller's own.
    pub(crate) fn with(
        setup: Setup,
        build: impl FnOnce(&mut Network, Router, &Setup) -> [Ground; 2],
    ) -> Self {
        let mut network = Network::new(&genesis(setup.seed));
        let internet = network.add_internet("internet");
        let server = add_server(&mut network, internet, &setup);
        let grounds = build(&mut network, internet, &setup);
        let mut index = 0;
        let sides = grounds.map(|ground| {
            let side = add_side(&mut network, ground, &setup, index);
            index += 1;
            side
        });
        let courier = Courier::new(setup.seed, setup.post.clone());
        let began = network.now();
        let (porch, has_begun) = (None, [false; 2]);
        Self { network, internet, server, sides, porch, courier, began, setup, has_begun }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.network.now() - self.began
    }

    /// Lets time pass until `is_it`, for `most` at the longest; whether it came to that.
    pub(crate) fn run_until(&mut self, most: Duration, is_it: impl Fn(&Self) -> bool) -> bool {
        let until = self.network.now() + most;
        loop {
            self.begin();
            self.deliver();
            self.collect();
            if is_it(self) {
                return true;
            }
            let waiting = (0..2).filter(|index| !self.has_begun[*index]);
            let starts = waiting.map(|index| self.began + self.setup.starts[index]).min();
            let next = [self.network.next_at(), self.courier.next_at(), starts];
            let next = next.into_iter().flatten().min();
            match next {
                Some(at) if at <= until => self.network.run_until(at),
                _ => {
                    self.network.run_until(until);
                    return false;
                }
            }
        }
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        self.run_until(span, |_| false);
    }

    /// Lets both sides come to an end: an agreed pair on both that is the same, or failure on both.
    pub(crate) fn outcome(&mut self) -> Outcome {
        // Where each check shows another address there are 26 pairs at most, so that RTO is 26 Ta (RFC 8445
        // §14.3) and a check takes 63 RTO and 8 s, 90 s; the last one begins after two patiences, at 79 s.
        let most = Duration::from_secs(180);
        let is_over = self.run_until(most, |world| {
            world.agreed().is_some()
                || (0..2).all(|index| world.state(index) == ConnectionState::Failed)
        });
        assert!(is_over, "no end in sight; {self}");
        let Some([left, right]) = self.agreed() else {
            assert!(
                (0..2).all(|index| self.state(index) == ConnectionState::Failed),
                "one side only; {self}"
            );
            return Outcome::Failed;
        };
        self.assert_never(ConnectionState::Failed);
        self.assert_data_flows();
        let is_direct = left.is_direct() && right.is_direct();
        // By an address that a NAT64 has made nobody knows a relay again.
        let knows = left.is_direct() == right.is_direct() || self.is_translated();
        assert!(knows, "both agree; {self}");
        if is_direct { Outcome::Direct } else { Outcome::Relayed }
    }

    /// Lets both sides come to the best that there is: on a bad line what comes first may be worse.
    pub(crate) fn settle(&mut self, expected: Outcome) {
        assert_ne!(expected, Outcome::Failed);
        let is_there = self.run_until(Duration::from_secs(120), |world| {
            let direct = expected == Outcome::Direct;
            world.agreed().is_some_and(|pair| pair.iter().all(|it| it.is_direct() == direct))
        });
        assert!(is_there, "not {expected:?}; {self}");
        self.assert_data_flows();
        self.assert_never(ConnectionState::Failed);
    }

    /// The pair that both have agreed on, as each sees it.
    pub(crate) fn agreed(&self) -> Option<[Pair; 2]> {
        let [left, right] = [0, 1].map(|index| self.agent(index).selected());
        let (left, right) = (left?, right?);
        let is_same = left.local.socket_address() == Some(right.remote_address)
            && right.local.socket_address() == Some(left.remote_address);
        (left.is_nominated && right.is_nominated && (is_same || self.is_translated()))
            .then_some([left, right])
    }

    /// Behind a NAT64 a side knows the other by an address that the other never sees.
    fn is_translated(&self) -> bool {
        self.setup.spots.iter().any(|spot| matches!(spot, Spot::Nat64(_) | Spot::Xlat(_)))
    }

    pub(crate) fn agent(&self, index: usize) -> &Agent {
        self.network.machine(self.sides[index].host)
    }

    pub(crate) fn state(&self, index: usize) -> ConnectionState {
        self.agent(index).connection_state()
    }

    /// When a side first came to a state.
    pub(crate) fn since(&self, index: usize, state: ConnectionState) -> Option<Duration> {
        let is_it = |event: &Event| *event == Event::ConnectionState(state);
        self.sides[index].events.iter().find(|(_, event)| is_it(event)).map(|(at, _)| *at)
    }

    /// When a side had a pair that worked.
    pub(crate) fn connected_at(&self, index: usize) -> Option<Duration> {
        let states = [ConnectionState::Connected, ConnectionState::Completed];
        states.iter().filter_map(|state| self.since(index, *state)).min()
    }

    /// Whether a side tells names in place of addresses.
    pub(crate) fn hides(&self, index: usize) -> bool {
        config(&self.setup, index).hide_addresses
    }

    pub(crate) fn assert_never(&self, state: ConnectionState) {
        for index in [0, 1] {
            assert_eq!(self.since(index, state), None, "side {index} was never {state:?}; {self}");
        }
    }

    /// Sends both ways and looks whether it arrives.
    pub(crate) fn assert_data_flows(&mut self) {
        // On a bad line one of twenty arrives.
        for turn in 0..20_u8 {
            for index in [0, 1] {
                let host = self.sides[index].host;
                let sent = self
                    .network
                    .call(host, |agent, now| agent.send(now, &[0x80, turn, index as u8]));
                assert_eq!(sent, Ok(()), "side {index} can send; {self}");
            }
            self.run_for(Duration::from_millis(20));
        }
        self.run_for(Duration::from_secs(1));
        // Over a relay by TCP what is lost holds up all that comes after it.
        let is_there = |world: &Self| (0..2).all(|index| world.data(index).next().is_some());
        self.run_until(Duration::from_secs(10), is_there);
        for index in [0, 1] {
            let from = 1 - index as u8;
            let got: Vec<&Vec<u8>> = self.data(index).collect();
            assert!(!got.is_empty(), "data reaches side {index}; {self}");
            assert!(got.iter().all(|data| data.last() == Some(&from)), "{got:?}");
        }
    }

    pub(crate) fn data(&self, index: usize) -> impl Iterator<Item = &Vec<u8>> {
        self.sides[index].events.iter().filter_map(|(_, event)| match event {
            Event::Data(data) => Some(data),
            _ => None,
        })
    }

    /// Restarts a side, as an application does that makes a new offer.
    pub(crate) fn restart(&mut self, index: usize) {
        self.network.call(self.sides[index].host, Agent::restart);
        self.tell_parameters(index);
    }

    /// Closes both sides, and looks whether anything is left of them anywhere.
    pub(crate) fn assert_nothing_is_left(&mut self) {
        for index in [0, 1] {
            self.network.call(self.sides[index].host, Agent::close);
        }
        self.run_for(Duration::from_secs(20));
        for side in &self.sides {
            assert_eq!(self.network.sockets(side.host), [], "{self}");
            assert_eq!(self.network.streams(side.host), [], "{self}");
            let pairs = self.network.machine(side.host).stats().candidate_pairs;
            assert!(pairs.is_empty(), "{pairs:?} {self}");
        }
        let stats = self.network.machine(self.server).stats();
        assert_eq!(stats.relays_now, 0, "{stats:?} {self}");
        let before = self.network.counters().sent;
        self.run_for(Duration::from_secs(3600));
        assert_eq!(self.network.counters().sent, before, "whoever is closed is silent; {self}");
    }

    fn begin(&mut self) {
        for index in [0, 1] {
            if !self.has_begun[index] && self.elapsed() >= self.setup.starts[index] {
                self.has_begun[index] = true;
                self.network.call(self.sides[index].host, Agent::gather);
                self.tell_parameters(index);
            }
        }
    }

    pub(crate) fn tell_parameters(&mut self, index: usize) {
        let parameters = self.agent(index).local_parameters().clone();
        let fragment = &parameters.username_fragment;
        if self.sides[index].told.as_ref() == Some(fragment) {
            return;
        }
        self.sides[index].told = Some(fragment.clone());
        self.sides[index].candidates = 0;
        self.sides[index].has_ended = false;
        let lines = parameters.attributes().map(|attribute| attribute.to_string()).collect();
        self.courier.send(self.network.now(), 1 - index, Mail::Parameters(lines));
    }

    fn deliver(&mut self) {
        while let Some((index, mail)) = self.courier.poll(self.network.now()) {
            self.hand_over(index, mail);
        }
    }

    fn hand_over(&mut self, index: usize, mail: Mail) {
        let elapsed = self.elapsed();
        let side = &mut self.sides[index];
        let host = side.host;
        match mail {
            Mail::Parameters(lines) => {
                let remote = Parameters::from_lines(lines.iter().map(String::as_str)).unwrap();
                side.heard.expect(&remote.username_fragment);
                self.network.call(host, |agent, now| agent.set_remote_parameters(now, remote));
                // It may have restarted in answer.
                self.tell_parameters(index);
            }
            Mail::Candidate(line) => {
                let candidate: Candidate = line.parse().unwrap();
                let fragment = candidate.username_fragment.clone().unwrap_or_default();
                side.heard.expect(&fragment);
                side.heard.candidates += usize::from(side.heard.fragment == fragment);
                side.learned_at = Some(elapsed);
                let taken = self
                    .network
                    .call(host, |agent, now| agent.add_remote_candidate(now, candidate));
                let is_late = matches!(taken, Err(AddError::Generation | AddError::Closed));
                assert!(taken.is_ok() || is_late, "{taken:?} {self}");
            }
            Mail::End(fragment, of) => {
                side.heard.expect(&fragment);
                if side.heard.fragment == fragment {
                    side.heard.of = Some(of);
                }
            }
        }
        let side = &mut self.sides[index];
        // RFC 8838 §9: the end comes after all candidates, which signaling without order must see to.
        let remote = self.network.machine(host).remote_parameters();
        let is_current =
            remote.is_some_and(|remote| remote.username_fragment == side.heard.fragment);
        if is_current && side.heard.of == Some(side.heard.candidates) {
            side.heard.of = None;
            self.network.call(host, Agent::end_of_remote_candidates);
        }
    }

    fn collect(&mut self) {
        let (elapsed, now) = (self.elapsed(), self.network.now());
        if let Some(porch) = self.porch {
            porch.keep(&mut self.network);
        }
        for index in [0, 1] {
            while let Some(event) = self.network.poll_event(self.sides[index].host) {
                let side = &mut self.sides[index];
                let mail = match &event {
                    // RFC 8838 §13: after the end there are no more without a restart. The other side
                    // learns of what comes later by checks.
                    Event::Candidate(_) if side.has_ended => None,
                    Event::Candidate(candidate) => {
                        side.candidates += 1;
                        Some(Mail::Candidate(candidate.to_string()))
                    }
                    Event::GatheringState(GatheringState::Complete) if !side.has_ended => {
                        side.has_ended = true;
                        side.told.clone().map(|told| Mail::End(told, side.candidates))
                    }
                    _ => None,
                };
                if let Some(mail) = mail {
                    self.courier.send(now, 1 - index, mail);
                }
                side.events.push((elapsed, event));
            }
        }
    }
}

impl Heard {
    /// Forgets the generation before.
    fn expect(&mut self, fragment: &str) {
        if self.fragment != fragment {
            *self = Self { fragment: fragment.to_owned(), ..Self::default() };
        }
    }
}

impl std::fmt::Display for World {
    /// All that is needed to see what went wrong.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {}, {:?}, at {:?}", self.setup.seed, self.setup.spots, self.elapsed())?;
        for (index, side) in self.sides.iter().enumerate() {
            writeln!(
                f,
                "side {index}: {:?}, {:?}",
                self.state(index),
                self.agent(index).selected()
            )?;
            for (at, event) in &side.events {
                match event {
                    Event::Story(story) => writeln!(f, "  {at:?} {story}")?,
                    Event::Candidate(candidate) => writeln!(f, "  {at:?} {candidate}")?,
                    Event::Data(_) => {}
                    _ => writeln!(f, "  {at:?} {event:?}")?,
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn add_server(
    network: &mut Network,
    internet: Router,
    setup: &Setup,
) -> Host<TurnServer> {
    let families = setup.server;
    let names = (0..8).map(|number| format!("ann{number}"));
    let users = names.chain(["ann".into()]).map(|name| (name, "pass".into())).collect();
    let allow = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"];
    let peers =
        PeerPolicy { allow: allow.map(|it| it.parse().unwrap()).into(), ..PeerPolicy::default() };
    let mut addresses: Vec<IpAddr> = vec![ip(SERVER_V4)];
    if families == Families::Both {
        addresses.push(ip(SERVER_V6));
    }
    let mut discovery = Vec::new();
    if setup.names_others {
        let both = [SERVER_V4, SERVER_ALTERNATE].map(ip);
        addresses.push(both[1]);
        discovery.push(server::Discovery::full(both, [3478, 3479]));
    }
    let config = server::Config {
        realm: "test".into(),
        relay_v4: Some(server::RelayAddress::local(ip(SERVER_V4))),
        relay_v6: (families == Families::Both).then(|| server::RelayAddress::local(ip(SERVER_V6))),
        // Who reaches the server by the other family is not told that address.
        advertise_local: false,
        credentials: server::Credentials { secret: None, users },
        peers,
        discovery,
        ..server::Config::default()
    };
    let machine = TurnServer::new(network.genesis(), config).unwrap();
    let host = network.add_answered_host("server", machine, |now, server, event| {
        if let server::Event::OpenRelay { relay, .. } = event {
            server.handle_relay_opened(now, relay, Ok(()));
        }
        None
    });
    network.set_name("turn.example", addresses.clone());
    network.attach(host, internet, Link::default(), addresses);
    network.listen(host, Transport::Tcp, 3478);
    host
}

fn add_side(network: &mut Network, ground: Ground, setup: &Setup, index: usize) -> Side {
    let config = config(setup, index);
    let machine = Agent::new(&network.genesis(), config);
    let host = network.add_hosted(["left", "right"][index], machine);
    let Ground { place, link, addresses, nats } = ground;
    let attachment = network.attach(host, place, link, addresses);
    if let Spot::Nat64(_) | Spot::Xlat(_) = setup.spots[index] {
        let dns64 = Some(Prefix::WELL_KNOWN);
        network.set_resolver(host, Resolver { dns64, ..Resolver::default() });
    }
    Side {
        host,
        attachment,
        nats,
        events: Vec::new(),
        told: None,
        candidates: 0,
        has_ended: false,
        learned_at: None,
        heard: Heard::default(),
    }
}

pub(crate) fn config(setup: &Setup, index: usize) -> Config {
    let mut config = Config::default();
    config.role = setup.roles[index];
    let server = |url: &String| {
        let credential = url.starts_with("turn").then(|| LongTerm::new("ann", "pass").unwrap());
        Server { uri: url.parse().unwrap(), credential }
    };
    config.gather.servers = setup.urls.iter().map(server).collect();
    setup.adjust[index](&mut config);
    setup.also[index](&mut config);
    config
}

/// How many seeds a scenario is played with: 200, or what `TALKIE_SEEDS` says.
pub(crate) fn seeds(usual: u64) -> std::ops::Range<u64> {
    let wanted = std::env::var("TALKIE_SEEDS").ok().and_then(|text| text.parse().ok());
    0..wanted.unwrap_or(usual)
}
