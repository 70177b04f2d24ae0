//! What stands on the stage: addresses, the server, and how each host's agent is set up.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};
use talkie_sansio::Transport;
use talkie_sim::nat::{Config, Preset};
use talkie_sim::net::{Host, Link, Network, Router};
use talkie_traversal::ice::gather::Server;
use talkie_traversal::ice::{self, Role};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::turn::server::{
    self, Credentials, Discovery, PeerPolicy, RelayAddress, TurnServer,
};

use super::Setting;

/// The STUN server and relay.
pub(crate) const SERVER: SocketAddr = endpoint([192, 0, 2, 1], 3478);
/// Where it answers as well, to those who look for the order of a NAT's ports (RFC 5780).
const ALTERNATE: SocketAddr = endpoint([192, 0, 2, 2], 3479);
pub(super) const HOSTS: [SocketAddr; 2] =
    [endpoint([192, 168, 1, 2], 5000), endpoint([10, 0, 0, 2], 6000)];
const OUTSIDE: [[u8; 4]; 2] = [[198, 51, 100, 10], [203, 0, 113, 20]];
/// What the right to use the relay costs here.
const USER: (&str, &str) = ("lab", "lab");
/// A host that keeps a socket for the other side alone has this many.
const SOCKETS: u16 = 2;
/// The most guesses that a side tells the other one.
const GUESSES: usize = 8;

const fn endpoint([a, b, c, d]: [u8; 4], port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), port)
}

/// Whether an address is the server's.
pub(crate) fn is_server(address: IpAddr) -> bool {
    address == SERVER.ip() || address == ALTERNATE.ip()
}

pub(super) fn outside(side: usize, count: u8) -> impl Iterator<Item = IpAddr> {
    let [a, b, c, d] = OUTSIDE[side];
    (0..count).map(move |n| IpAddr::V4(Ipv4Addr::new(a, b, c, d + n)))
}

pub(super) fn config(side: usize, kind: Preset) -> Config {
    // Providers have pools.
    let pool = match kind {
        Preset::Cgnat | Preset::CgnatSymmetric => 4,
        _ => 1,
    };
    kind.config(outside(side, pool))
}

/// Behind a firewall that translates nothing a host has a public address.
pub(super) fn host(side: usize, config: &Config) -> SocketAddr {
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

pub(super) fn relay_over(config: &Config) -> Transport {
    if config.udp { Transport::Udp } else { Transport::Tcp }
}

pub(super) fn add_server(
    network: &mut Network,
    internet: Router,
    setting: &Setting,
) -> Host<TurnServer> {
    let networks = OUTSIDE.map(|[a, b, c, _]| {
        IpNet::V4(Ipv4Net::new(Ipv4Addr::new(a, b, c, 0), 24).expect("24 is a prefix's length"))
    });
    let (addresses, ports) = ([SERVER, ALTERNATE].map(|it| it.ip()), [SERVER, ALTERNATE]);
    let discovery = Discovery::full(addresses, ports.map(|it| it.port()));
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
        discovery: if setting.predict { vec![discovery] } else { Vec::new() },
        ..server::Config::default()
    };
    let genesis = network.genesis();
    let server = TurnServer::new(genesis, config).expect("the lab's own setup is right");
    let host = network.add_answered_host("server", server, |now, server, event| {
        if let server::Event::OpenRelay { relay, .. } = event {
            server.handle_relay_opened(now, relay, Ok(()));
        }
        None
    });
    network.attach(host, internet, Link::with_delay(setting.delay / 8), addresses);
    network.listen(host, Transport::Tcp, SERVER.port());
    host
}

/// The left side calls, and so decides.
pub(super) fn agent_config(side: usize, nat: &Config, setting: &Setting) -> ice::Config {
    let mut config = ice::Config::default();
    config.role = if side == 0 { Role::Controlling } else { Role::Controlled };
    let uri = |text: String| text.parse().expect("the lab's own server has an address");
    let ip = SERVER.ip();
    let stun = Server { uri: uri(format!("stun:{ip}")), credential: None };
    let credential = LongTerm::new(USER.0, USER.1).expect("plain words");
    let relay = uri(format!("turn:{ip}?transport={}", relay_over(nat)));
    config.gather.servers = vec![stun, Server { uri: relay, credential: Some(credential) }];
    let port = HOSTS[side].port();
    config.gather.ports = port..=port + SOCKETS - 1;
    config.gather.predict = if setting.predict { GUESSES } else { 0 };
    config
}
