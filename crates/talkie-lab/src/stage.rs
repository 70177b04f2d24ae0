//! Where pairs are played: two hosts, a NAT before each, and a server on the Internet that is STUN
//! server and relay, all of them talkie's own machines on a simulated network.
//!
//! ```text
//!  left host ── left NAT ──┐                      ┌── right NAT ── right host
//!  192.168.1.2             ├─────── Internet ─────┤                10.0.0.2
//!                198.51.100.10          │         203.0.113.20
//!                                  192.0.2.1:3478
//! ```
//!
//! A host uses the relay over UDP, and over TCP where its network lets no UDP out, as talkie's own
//! drivers do.
//!
//! The left side calls: it gathers, and its description goes to the right side by signaling, which begins
//! to check as soon as it has it; its own description is back at the left side one trip later. So the
//! right side's first packets are at the left NAT before the left host has sent any, as in real calls.
//! How long the trips take is chosen by the seed.
//!
//! Private addresses are left out of the descriptions: the other side is never in the same network here,
//! and checks to them say nothing about NATs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use ipnet::{IpNet, Ipv4Net};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde::Serialize;
use talkie_sansio::{Genesis, Path, Transport};
use talkie_sim::nat::{Config, Filtering, Preset, Row};
use talkie_sim::net::{Host, Link, Loss, NatBox, Network, NodeId};
use talkie_sim::trace::Trace;
use talkie_traversal::punch::{self, Description, Punch, Relay};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::turn::server::{self, Credentials, PeerPolicy, RelayAddress, TurnServer};

use crate::outcome::{Outcome, milliseconds};
use crate::story::Note;

/// The STUN server and relay.
pub(crate) const SERVER: SocketAddr = endpoint([192, 0, 2, 1], 3478);
const HOSTS: [SocketAddr; 2] = [endpoint([192, 168, 1, 2], 5000), endpoint([10, 0, 0, 2], 6000)];
const OUTSIDE: [[u8; 4]; 2] = [[198, 51, 100, 10], [203, 0, 113, 20]];
/// What the right to use the relay costs here.
const USER: (&str, &str) = ("lab", "lab");
/// Nobody tries for longer.
const LONGEST: Duration = Duration::from_secs(90);
/// 2026-01-01, for the time-stamps of captures.
const UNIX: Duration = Duration::from_secs(1_767_225_600);

/// How a pair is played.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// From which all chance follows.
    pub seed: u64,
    /// From host to host, one way.
    #[serde(serialize_with = "as_milliseconds", rename = "delay_ms")]
    pub delay: Duration,
    /// The share of packets that are lost between the hosts, 0 to 1.
    pub loss: f64,
}

impl Default for Setting {
    /// Across a continent, nothing lost.
    fn default() -> Self {
        Self { seed: 1, delay: Duration::from_millis(40), loss: 0.0 }
    }
}

impl Setting {
    pub(crate) fn words(&self) -> String {
        let loss = match self.loss {
            0.0 => "nothing lost".to_owned(),
            loss => format!("{}% lost", (loss * 1000.0).round() / 10.0),
        };
        let delay = milliseconds(self.delay);
        format!("{delay} ms from host to host, {loss}, seed {}", self.seed)
    }
}

/// What happened.
pub struct Run {
    network: Network,
    nodes: [NodeId; 5],
    configs: [Config; 2],
    /// What each side's server saw of it.
    pub(crate) learned: [Option<SocketAddr>; 2],
    /// Everything but packets.
    pub(crate) notes: Vec<Note>,
    /// The tables when the first description arrived, and when that was.
    pub(crate) before: [(Vec<Row>, Instant); 2],
    /// The tables at the end.
    pub(crate) after: [Vec<Row>; 2],
    /// When it was over.
    pub(crate) ended: Instant,
    pub(crate) outcome: Outcome,
}

const fn endpoint([a, b, c, d]: [u8; 4], port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), port)
}

/// How a pair ends.
pub(crate) fn outcome(left: Preset, right: Preset, setting: &Setting, now: Instant) -> Outcome {
    let mut stage = Stage::new([left, right], setting, now);
    stage.perform();
    stage.outcome()
}

/// Plays a pair and remembers all of it.
pub(crate) fn run(kinds: [Preset; 2], setting: &Setting, now: Instant) -> Run {
    let mut stage = Stage::new(kinds, setting, now);
    stage.network.record(1 << 20);
    stage.perform();
    let outcome = stage.outcome();
    let after = stage.nats.map(|nat| stage.network.rows(nat));
    let ended = stage.network.now();
    let [left, right] = stage.hosts;
    let [left_nat, right_nat] = stage.nats;
    Run {
        nodes: [left.into(), left_nat.into(), stage.server, right_nat.into(), right.into()],
        configs: [0, 1].map(|side| config(side, kinds[side])),
        learned: stage.learned,
        notes: stage.notes,
        before: stage.before.unwrap_or_else(|| [(Vec::new(), now), (Vec::new(), now)]),
        after,
        ended,
        outcome,
        network: stage.network,
    }
}

impl Run {
    /// Every packet at every box.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        self.network.trace()
    }

    /// In which lane a box stands; `None` for the Internet.
    pub(crate) fn lane(&self, node: NodeId) -> Option<usize> {
        self.nodes.iter().position(|known| *known == node)
    }

    /// On whose side an address is; `None` for the server's.
    pub(crate) fn side_of(&self, address: IpAddr) -> Option<usize> {
        (0..2).find(|side| {
            HOSTS[*side].ip() == address || outside(*side, 4).any(|own| own == address)
        })
    }

    pub(crate) fn config(&self, side: usize) -> &Config {
        &self.configs[side]
    }

    /// How that side's host reaches the relay.
    pub(crate) fn relay_over(&self, side: usize) -> Transport {
        relay_over(&self.configs[side])
    }

    pub(crate) fn is_translated(&self, side: usize) -> bool {
        !self.configs[side].outside.is_empty()
    }

    /// Whether the NAT of that lane tells the ports of a remote apart.
    pub(crate) fn filters_ports(&self, lane: usize) -> bool {
        self.configs[lane / 2].filtering == Filtering::AddressAndPortDependent
    }

    /// What to write above each lane.
    pub(crate) fn addresses(&self) -> [String; 5] {
        let nat = |side: usize| {
            let config = &self.configs[side];
            match config.outside.as_slice() {
                [] => "no translation".to_owned(),
                [one] => one.to_string(),
                [first, .., last] => match last {
                    IpAddr::V4(last) => format!("{first}–{}", last.octets()[3]),
                    IpAddr::V6(_) => first.to_string(),
                },
            }
        };
        let host = |side: usize| host(side, &self.configs[side]).ip().to_string();
        [host(0), nat(0), SERVER.ip().to_string(), nat(1), host(1)]
    }
}

fn outside(side: usize, count: u8) -> impl Iterator<Item = IpAddr> {
    let [a, b, c, d] = OUTSIDE[side];
    (0..count).map(move |n| IpAddr::V4(Ipv4Addr::new(a, b, c, d + n)))
}

fn config(side: usize, kind: Preset) -> Config {
    // Providers have pools.
    let pool = match kind {
        Preset::Cgnat | Preset::CgnatSymmetric => 4,
        _ => 1,
    };
    kind.config(outside(side, pool))
}

/// Behind a firewall that translates nothing a host has a public address.
fn host(side: usize, config: &Config) -> SocketAddr {
    let mut host = HOSTS[side];
    if config.outside.is_empty() {
        host.set_ip(outside(side, 1).next().expect("there is one"));
    }
    host
}

/// How a host behind such a NAT reaches the relay.
pub(crate) fn relay_of(kind: Preset) -> Transport {
    relay_over(&config(0, kind))
}

fn relay_over(config: &Config) -> Transport {
    if config.udp { Transport::Udp } else { Transport::Tcp }
}

struct Letter {
    at: Instant,
    to: usize,
    text: Description,
}

struct Stage {
    network: Network,
    began: Instant,
    setting: Setting,
    rng: ChaCha8Rng,
    server: NodeId,
    nats: [NatBox; 2],
    hosts: [Host<Punch>; 2],
    /// The descriptions that were made, and those under way.
    described: [Option<Description>; 2],
    /// Whether a side knows of the other one.
    knows: [bool; 2],
    letters: Vec<Letter>,
    connected: [Option<(Instant, punch::Connection)>; 2],
    failed: [bool; 2],
    first_check: Option<Instant>,
    learned: [Option<SocketAddr>; 2],
    notes: Vec<Note>,
    before: Option<[(Vec<Row>, Instant); 2]>,
}

impl Stage {
    fn new(kinds: [Preset; 2], setting: &Setting, now: Instant) -> Self {
        let mut rng = ChaCha8Rng::from_seed(pair_seed(setting.seed, kinds));
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let mut network = Network::new(&Genesis { now, unix: UNIX, seed });
        let internet = network.add_internet("internet");
        let genesis = network.genesis();
        let server = add_server(&mut network, &genesis);
        network.attach(server, internet, Link::with_delay(setting.delay / 8), [SERVER.ip()]);
        network.listen(server, Transport::Tcp, SERVER.port());
        // Two such links are between the hosts.
        let loss = Loss::Random(1.0 - (1.0 - setting.loss).sqrt());
        let far = Link { loss, ..Link::with_delay(setting.delay * 3 / 8) };
        let names = [("left host", "left NAT"), ("right host", "right NAT")];
        let sides = [0, 1].map(|side| {
            let config = config(side, kinds[side]);
            let local = host(side, &config);
            let punch_config = punch_config(local, relay_over(&config), setting);
            let nat = network.add_nat(names[side].1, internet, far.clone(), config);
            let genesis = network.genesis();
            let punch = Punch::new(&genesis, punch_config).expect("one socket, one relay");
            let host = network.add_host(names[side].0, punch);
            network.attach(host, nat, Link::with_delay(setting.delay / 8), [local.ip()]);
            (nat, host)
        });
        Self {
            began: network.now(),
            network,
            setting: *setting,
            rng,
            server: server.into(),
            nats: sides.map(|side| side.0),
            hosts: sides.map(|side| side.1),
            described: [None, None],
            knows: [false; 2],
            letters: Vec::new(),
            connected: [None; 2],
            failed: [false; 2],
            first_check: None,
            learned: [None; 2],
            notes: Vec::new(),
            before: None,
        }
    }

    /// Until both sides know how it ended, and a little longer: one of them may think again.
    fn perform(&mut self) {
        let limit = self.began + LONGEST;
        let mut until = limit;
        for side in 0..2 {
            self.network.call(self.hosts[side], |_, _| ());
        }
        loop {
            for side in 0..2 {
                while let Some(event) = self.network.poll_event(self.hosts[side]) {
                    self.hear(side, event);
                }
            }
            let is_over = |side: usize| self.connected[side].is_some() || self.failed[side];
            if until == limit && is_over(0) && is_over(1) {
                until = self.network.now() + self.setting.delay * 3;
            }
            self.letters.sort_by_key(|letter| letter.at);
            let letter = self.letters.first().map(|letter| letter.at);
            let packet = self.network.next_at();
            let Some(next) = letter.into_iter().chain(packet).min() else { break };
            if next > until {
                break;
            }
            if letter == Some(next) {
                self.network.run_until(next);
                let letter = self.letters.remove(0);
                self.deliver(letter);
            } else {
                self.network.step();
            }
        }
    }

    fn hear(&mut self, side: usize, event: punch::Event) {
        match event {
            punch::Event::Gathered(description) => {
                let found = |kind| {
                    let mut all = description.candidates().iter();
                    all.find(|candidate| candidate.kind == kind).map(|candidate| candidate.address)
                };
                let host = found(punch::Kind::Host);
                // Where nothing is translated, the server sees the host's own address.
                let own = host.filter(|host| !HOSTS.contains(host));
                self.learned[side] = found(punch::Kind::ServerReflexive)
                    .or_else(|| own.filter(|_| found(punch::Kind::Relayed).is_some()));
                self.note(side, addresses_words(&description), false);
                self.described[side] = Some(description);
                self.write(side);
            }
            punch::Event::Connected(connection) => {
                let way = match connection.is_direct {
                    true => "directly",
                    false => "by the relay",
                };
                let remote = connection.remote;
                self.note(side, format!("has a way: {way}, to {remote}"), true);
                self.connected[side] = Some((self.network.now(), connection));
            }
            punch::Event::Failed(failure) => {
                self.note(side, format!("gives up: {failure}"), true);
                self.failed[side] = true;
            }
            _ => {}
        }
    }

    /// The left side writes as soon as it can, the right one when it has the left one's letter.
    fn write(&mut self, side: usize) {
        if side == 1 && !self.knows[1] {
            return;
        }
        let Some(description) = &self.described[side] else { return };
        let text = without_private(description);
        // Host to server and server to host, and up to a quarter more for whoever carries it.
        let trip = self.setting.delay * 5 / 4;
        let more = f64::from(self.rng.next_u32()) / f64::from(u32::MAX) / 4.0;
        let at = self.network.now() + trip + trip.mul_f64(more);
        self.letters.push(Letter { at, to: 1 - side, text });
    }

    fn deliver(&mut self, letter: Letter) {
        let Letter { to, text, .. } = letter;
        if self.before.is_none() {
            let now = self.network.now();
            self.before = Some(self.nats.map(|nat| (self.network.rows(nat), now)));
        }
        let other = ["left", "right"][1 - to];
        self.note(to, format!("is told the {other} side's addresses, and sends there"), false);
        let now = self.network.now();
        self.first_check.get_or_insert(now);
        self.knows[to] = true;
        let taken = self.network.call(self.hosts[to], |punch, now| punch.handle_remote(now, &text));
        debug_assert!(taken.is_ok(), "there is one description for each side: {taken:?}");
        if to == 1 {
            self.write(1);
        }
    }

    fn note(&mut self, side: usize, text: String, ends: bool) {
        let name = ["left host", "right host"][side];
        let at = self.network.elapsed();
        let note = Note::new(at, side * 4, format!("{name} {text}"));
        self.notes.push(Note { ends, ..note });
    }

    fn outcome(&self) -> Outcome {
        let ([Some(left), Some(right)], Some(first)) = (self.connected, self.first_check) else {
            return Outcome::Failed;
        };
        if self.failed != [false; 2] {
            return Outcome::Failed;
        }
        let after = left.0.max(right.0).saturating_duration_since(first);
        match left.1.is_direct && right.1.is_direct {
            true => Outcome::Direct { after },
            false => Outcome::Relayed { after },
        }
    }
}

/// Each pair has chances of its own, and the same ones in the matrix as alone.
fn pair_seed(seed: u64, kinds: [Preset; 2]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    for (byte, kind) in bytes[8..].iter_mut().zip(kinds) {
        let place = Preset::all().position(|known| known == kind).unwrap_or_default();
        *byte = u8::try_from(place).unwrap_or(u8::MAX);
    }
    bytes
}

fn add_server(network: &mut Network, genesis: &Genesis) -> Host<TurnServer> {
    let networks = OUTSIDE.map(|[a, b, c, _]| {
        IpNet::V4(Ipv4Net::new(Ipv4Addr::new(a, b, c, 0), 24).expect("24 is a prefix's length"))
    });
    let config = server::Config {
        relay_v4: Some(RelayAddress::local(SERVER.ip())),
        relay_v6: None,
        listeners: vec![SERVER],
        credentials: Credentials {
            users: vec![(USER.0.to_owned(), USER.1.to_owned())],
            ..Credentials::default()
        },
        // Addresses for documentation are no public ones, but here they play them.
        peers: PeerPolicy { allow: networks.to_vec(), ..PeerPolicy::default() },
        ..server::Config::default()
    };
    let server = TurnServer::new(genesis.clone(), config).expect("the lab's own setup is right");
    network.add_answered_host("server", server, |now, server, event| {
        if let server::Event::OpenRelay { relay, .. } = event {
            server.handle_relay_opened(now, relay, Ok(()));
        }
        None
    })
}

fn punch_config(local: SocketAddr, relay: Transport, setting: &Setting) -> punch::Config {
    let credential = LongTerm::new(USER.0, USER.1).expect("plain words");
    // Whoever calls has spoken to the server before, and so has learned how far it is.
    let round_trip = setting.delay * 5 / 4;
    let stun = vec![SERVER];
    let mut config = punch::Config { stun, round_trip, ..punch::Config::new(vec![local]) };
    let mut path = Path { transport: relay, local, remote: SERVER };
    if relay.is_reliable() {
        // Another number than the UDP socket's, so that the two can be told apart.
        path.local.set_port(local.port() + 1);
        // A driver connects first, which takes a round trip, and begins to gather then.
        config.gather += round_trip;
    }
    config.relays = vec![Relay { path, credential }];
    config
}

fn without_private(description: &Description) -> Description {
    let hidden = |word: &&str| {
        let address = word.strip_prefix("host=").and_then(|it| it.parse::<SocketAddr>().ok());
        address.is_some_and(|it| HOSTS.contains(&it))
    };
    let text = description.to_string();
    let words: Vec<_> = text.split(' ').filter(|word| !hidden(word)).collect();
    words.join(" ").parse().expect("fewer addresses are a description as well")
}

fn addresses_words(description: &Description) -> String {
    let of = |kind| {
        let mut all = description.candidates().iter();
        all.find(|it| it.kind == kind && !HOSTS.contains(&it.address)).map(|it| it.address)
    };
    let words: Vec<_> = [
        ("own address", punch::Kind::Host),
        ("outside", punch::Kind::ServerReflexive),
        ("relay", punch::Kind::Relayed),
    ]
    .into_iter()
    .filter_map(|(word, kind)| of(kind).map(|address| format!("{word} {address}")))
    .collect();
    match words.is_empty() {
        true => "knows no address to tell the other side".to_owned(),
        false => format!("knows: {}", words.join(", ")),
    }
}

fn as_milliseconds<S: serde::Serializer>(
    span: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_micros() as f64 / 1000.0)
}
