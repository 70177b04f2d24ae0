//! Two sides behind NATs, and the real server between them, on a simulated internet.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use talkie_sansio::{Path, Transport};
use talkie_sim::nat;
use talkie_sim::net::{Attachment, Host, Link, Loss, Network, Place, Router};
use talkie_traversal::punch::{Config, Connection, Event, Failure, Punch, Relay, RoundTrips};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::turn::server::{self, PeerPolicy, TurnServer};

use crate::discover_world::{genesis, ip, secs};
use crate::turn_world::addr;

pub(crate) const SERVER: &str = "192.0.2.1:3478";

/// What stands between a side and the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    Nothing,
    Firewall,
    FullCone,
    AddressRestricted,
    PortRestricted,
    Symmetric,
    Masquerade,
    RandomFully,
    /// A port-restricted cone at home, and the provider's NAT before it.
    CarrierGrade,
    UdpBlocked,
}

impl Behind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Nothing,
        Self::Firewall,
        Self::FullCone,
        Self::AddressRestricted,
        Self::PortRestricted,
        Self::Symmetric,
        Self::Masquerade,
        Self::RandomFully,
        Self::CarrierGrade,
        Self::UdpBlocked,
    ];

    fn nat(self, outside: IpAddr) -> Option<nat::Config> {
        let outside = [outside];
        Some(match self {
            Self::Nothing => return None,
            Self::Firewall => nat::Config::firewall(),
            Self::FullCone => nat::Config::full_cone(outside),
            Self::AddressRestricted => nat::Config::address_restricted_cone(outside),
            Self::PortRestricted => nat::Config::port_restricted_cone(outside),
            Self::Symmetric => nat::Config::symmetric(outside),
            Self::Masquerade => nat::Config::linux_masquerade(outside),
            Self::RandomFully => nat::Config::linux_random_fully(outside),
            Self::CarrierGrade => nat::Config::carrier_grade(outside),
            Self::UdpBlocked => nat::Config::udp_blocked(outside),
        })
    }
}

pub(crate) struct Side {
    pub(crate) host: Host<Punch>,
    pub(crate) attachment: Attachment,
    pub(crate) events: Vec<Event>,
}

/// How a pair is set up beside its NATs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) loss: f64,
    pub(crate) has_relay: bool,
    /// How much later the right side learns of the left than the other way round.
    pub(crate) skew: Duration,
    /// From each side to the backbone, one way.
    pub(crate) delay: Duration,
    /// Whether both know beforehand how far the server is.
    pub(crate) is_known: bool,
}

impl Default for Setup {
    fn default() -> Self {
        let delay = Duration::from_millis(10);
        let skew = Duration::ZERO;
        Self { seed: 1, loss: 0.0, has_relay: true, skew, delay, is_known: false }
    }
}

pub(crate) struct Pair {
    pub(crate) network: Network,
    pub(crate) sides: [Side; 2],
}

fn server(network: &mut Network, internet: Router) {
    let credentials =
        server::Credentials { secret: None, users: vec![("ann".into(), "pass".into())] };
    let peers = PeerPolicy {
        allow: ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]
            .map(|it| it.parse().unwrap())
            .into(),
        ..PeerPolicy::default()
    };
    // Bound to one address: the network says which one a packet came to.
    let relay_v4 = Some(server::RelayAddress::local(addr(SERVER).ip()));
    let config = server::Config {
        realm: "test".into(),
        relay_v4,
        credentials,
        peers,
        ..server::Config::default()
    };
    let machine = TurnServer::new(network.genesis(), config).unwrap();
    let host = network.add_answered_host("server", machine, |now, server, event| {
        if let server::Event::OpenRelay { relay, .. } = event {
            server.handle_relay_opened(now, relay, Ok(()));
        }
        None
    });
    network.attach(host, internet, Link::default(), [addr(SERVER).ip()]);
    network.listen(host, Transport::Tcp, addr(SERVER).port());
}

impl Pair {
    pub(crate) fn new(left: Behind, right: Behind, setup: Setup) -> Self {
        let mut network = Network::new(&genesis(setup.seed));
        let internet = network.add_internet("internet");
        server(&mut network, internet);
        let sides = [(left, "198.51.100.1", "10.0.0.2"), (right, "203.0.113.1", "10.1.0.2")];
        let sides = sides.map(|(behind, outside, inside)| {
            side(&mut network, internet, behind, ip(outside), ip(inside), setup)
        });
        Self { network, sides }
    }

    /// Lets time pass until both sides have such an event, or `most` is over.
    pub(crate) fn run_until(&mut self, most: Duration, is_it: impl Fn(&Event) -> bool) {
        let until = self.network.now() + most;
        while !self.sides.iter().all(|side| side.events.iter().any(&is_it))
            && self.network.now() < until
        {
            self.network.run_for(Duration::from_millis(1));
            self.collect();
        }
    }

    fn collect(&mut self) {
        for side in &mut self.sides {
            while let Some(event) = self.network.poll_event(side.host) {
                side.events.push(event);
            }
        }
    }

    /// Carries the descriptions across.
    pub(crate) fn introduce(&mut self, skew: Duration) {
        self.run_until(secs(10), |event| matches!(event, Event::Gathered(_)));
        let [left, right] = [0, 1].map(|index| {
            let gathered = self.sides[index].events.iter().find_map(|event| match event {
                Event::Gathered(description) => Some(description.to_string()),
                _ => None,
            });
            gathered.expect("candidates are gathered in time").parse().unwrap()
        });
        let hosts = [self.sides[0].host, self.sides[1].host];
        self.network.call(hosts[0], |punch, now| punch.handle_remote(now, &right)).unwrap();
        self.network.run_for(skew);
        self.network.call(hosts[1], |punch, now| punch.handle_remote(now, &left)).unwrap();
    }

    pub(crate) fn connections(&self) -> [Option<Connection>; 2] {
        [0, 1].map(|index| {
            self.sides[index].events.iter().rev().find_map(|event| match event {
                Event::Connected(connection) => Some(*connection),
                _ => None,
            })
        })
    }

    pub(crate) fn round_trips(&self) -> [Option<RoundTrips>; 2] {
        [0, 1].map(|index| {
            self.sides[index].events.iter().find_map(|event| match event {
                Event::Measured(round_trips) => Some(*round_trips),
                _ => None,
            })
        })
    }

    pub(crate) fn failures(&self) -> [Option<Failure>; 2] {
        [0, 1].map(|index| {
            self.sides[index].events.iter().find_map(|event| match event {
                Event::Failed(failure) => Some(*failure),
                _ => None,
            })
        })
    }
}

fn side(
    network: &mut Network,
    internet: Router,
    behind: Behind,
    outside: IpAddr,
    inside: IpAddr,
    setup: Setup,
) -> Side {
    let far = Link { loss: Loss::Random(setup.loss), ..Link::with_delay(setup.delay) };
    let mut place: Place = internet.into();
    let mut near = Link::with_delay(Duration::from_millis(1));
    let mut address = inside;
    match behind.nat(outside) {
        None => (near, address) = (far, outside),
        Some(config) => {
            place = network.add_nat("nat", internet, far, config).into();
            if behind == Behind::CarrierGrade {
                let home = nat::Config::port_restricted_cone([ip("100.64.0.2")]);
                place = network.add_nat("home", place, near.clone(), home).into();
            }
            if behind == Behind::Firewall {
                address = outside;
            }
        }
    }
    let local = SocketAddr::new(address, 50_000);
    let mut config = Config { stun: vec![addr(SERVER)], ..Config::new(vec![local]) };
    if setup.is_known {
        config.round_trip = setup.delay * 2;
    }
    if setup.has_relay {
        // Where UDP is blocked the driver connects by TCP.
        let path = match behind {
            Behind::UdpBlocked => Path {
                transport: Transport::Tcp,
                local: SocketAddr::new(address, 50_001),
                remote: addr(SERVER),
            },
            _ => Path { transport: Transport::Udp, local, remote: addr(SERVER) },
        };
        let credential = LongTerm::new("ann", "pass").unwrap();
        config.relays = vec![Relay { path, credential }];
    }
    let machine = Punch::new(&network.genesis(), config).unwrap();
    let host = network.add_host("side", machine);
    let attachment = network.attach(host, place, near, [address]);
    Side { host, attachment, events: Vec::new() }
}
