//! Ports of the gateway as candidates: who asks for one is reached as if there were no filter.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use talkie_sansio::{Datagram, Machine, Path, Transmit};
use talkie_sim::nat::{Kind, Preset};
use talkie_sim::net::{Host, Link, NatBox, Network, Router};
use talkie_traversal::ice::gather::{Policy, PortMapping};
use talkie_traversal::ice::{CandidateType, Event};

use crate::discover_world::ip;
use crate::ice_renewed::{set, talk_until_new};
use crate::ice_spots::{Ground, LOTS, NEAR, Spot};
use crate::ice_world::{Outcome, Setup, World, seeds};
use crate::portmap_world::{GATEWAY, Gateway, HOST, Speaks};

/// The gateway's own machine, which answers on its inside address and tells of each port that it opens or
/// takes back.
pub(crate) struct Porter {
    gateway: Gateway,
    out: VecDeque<(Path, Vec<u8>)>,
    told: BTreeMap<u16, (SocketAddrV4, Instant)>,
    doors: VecDeque<Door>,
}

/// A port outside that leads inside until then.
pub(crate) struct Door {
    port: u16,
    inside: SocketAddrV4,
    until: Instant,
}

impl Porter {
    fn tell(&mut self, now: Instant) {
        let table: BTreeMap<_, _> = self
            .gateway
            .table
            .iter()
            .map(|(port, entry)| (*port, (entry.internal, entry.expires)))
            .collect();
        for (port, (inside, _)) in self.told.iter().filter(|(port, _)| !table.contains_key(port)) {
            self.doors.push_back(Door { port: *port, inside: *inside, until: now });
        }
        for (port, (inside, until)) in &table {
            self.doors.push_back(Door { port: *port, inside: *inside, until: *until });
        }
        self.told = table;
    }
}

impl Machine for Porter {
    type Event = Door;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        if datagram.path.local.port() == 5351
            && let Some(answer) = self.gateway.knock(now, datagram.payload)
        {
            self.out.push_back((datagram.path, answer));
            self.tell(now);
        }
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, payload) = self.out.pop_front()?;
        buf.extend_from_slice(&payload);
        Some(Transmit { path, len: payload.len() })
    }

    fn poll_event(&mut self) -> Option<Door> {
        self.doors.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

/// A gateway and the box that it speaks for.
#[derive(Clone, Copy)]
pub(crate) struct Porch {
    porter: Host<Porter>,
    nat: NatBox,
    outside: IpAddr,
}

impl Porch {
    fn add(
        network: &mut Network,
        nat: NatBox,
        outside: IpAddr,
        set: impl FnOnce(&mut Gateway),
    ) -> Self {
        let mut gateway = Gateway::new(network.now());
        let IpAddr::V4(external) = outside else { panic!("it is of IPv4") };
        gateway.external = external;
        set(&mut gateway);
        let (out, told, doors) = (VecDeque::new(), BTreeMap::new(), VecDeque::new());
        let porter = network.add_host("gateway", Porter { gateway, out, told, doors });
        network.attach(porter, nat, Link::default(), [IpAddr::V4(GATEWAY)]);
        network.set_gateway(nat, GATEWAY.into());
        Self { porter, nat, outside }
    }

    /// Lets the box do what its gateway has promised.
    pub(crate) fn keep(self, network: &mut Network) {
        while let Some(Door { port, inside, until }) = network.poll_event(self.porter) {
            let outside = SocketAddr::new(self.outside, port);
            network.forward(self.nat, Kind::Udp, outside, inside.into(), until);
        }
    }
}

/// The left side behind a NAT whose gateway speaks, or does not.
fn session(setup: Setup, set: fn(&mut Gateway)) -> World {
    let Spot::Preset(left) = setup.spots[0] else { panic!("a NAT with a name") };
    let mut porch = None;
    let build = |network: &mut Network, internet: Router, setup: &Setup| {
        let outside = ip(LOTS[0].outside[0]);
        let config = left.config([outside]);
        let nat = network.add_nat("nat", internet, setup.links[0].clone(), config);
        porch = Some(Porch::add(network, nat, outside, set));
        let link = Link::with_delay(NEAR).into();
        let ground =
            Ground { place: nat.into(), link, addresses: vec![HOST.into()], nats: vec![nat] };
        [ground, setup.spots[1].build(network, internet, setup.links[1].clone(), &LOTS[1])]
    };
    let setup =
        Setup { adjust: [|config| config.gather.portmap = PortMapping::Routed, |_| ()], ..setup };
    let mut world = World::with(setup, build);
    world.porch = porch;
    world
}

fn left_doors(world: &World) -> usize {
    let porch = world.porch.expect("there is one");
    world.network.machine(porch.porter).gateway.table.len()
}

const LEFTS: [Preset; 4] =
    [Preset::PortRestricted, Preset::Symmetric, Preset::HomeSequential, Preset::LinuxMasquerade];
const SPEAKERS: [fn(&mut Gateway); 2] =
    [|it| it.pcp = Speaks::Well, |it| it.nat_pmp = Speaks::Well];

/// The row of a full cone, whatever the NAT is. What is asked for is taken back.
#[test]
fn who_gets_a_port_of_the_gateway_is_met_directly_by_all_who_have_udp() {
    for seed in seeds(1) {
        for (row, left) in LEFTS.into_iter().enumerate() {
            for (column, right) in Preset::all().enumerate() {
                let setup = Setup::new(Spot::Preset(left), Spot::Preset(right)).seeded(seed);
                let is_blocked = right == Preset::UdpBlocked;
                for (setup, without) in [(setup.clone(), 'r'), (setup.without_relay(), '-')] {
                    let mut world = session(setup, SPEAKERS[(row + column) % 2]);
                    let letter = world.outcome().letter();
                    assert_eq!(letter, if is_blocked { without } else { 'd' }, "{world}");
                    assert_eq!(left_doors(&world), 1, "{world}");
                    world.assert_nothing_is_left();
                    assert_eq!(left_doors(&world), 0, "{world}");
                }
            }
        }
    }
}

/// It is renewed for as long as it is of use.
#[test]
fn the_port_is_there_hours_later() {
    let setup = Setup::new(Spot::Preset(Preset::Symmetric), Spot::Preset(Preset::Symmetric));
    let mut world = session(setup.without_relay(), SPEAKERS[0]);
    assert_eq!(world.outcome().letter(), 'd', "{world}");
    world.run_for(Duration::from_secs(3 * 3600));
    world.assert_never(talkie_traversal::ice::ConnectionState::Disconnected);
    world.assert_data_flows();
    assert_eq!(left_doors(&world), 1);
}

/// The gateway does not renew its word. The port is no candidate any more, whoever came by it is asked whether he is
/// still there, and the connection goes on by the mapping that this side's own packets have made.
#[test]
fn a_port_that_is_not_renewed_is_withdrawn_and_the_connection_goes_on() {
    let strict = Spot::Preset(Preset::PortRestricted);
    // No server tells of the same address.
    let mut world = session(Setup { urls: Vec::new(), ..Setup::new(strict, strict) }, SPEAKERS[0]);
    assert_eq!(world.outcome().letter(), 'd', "{world}");
    let porter = world.porch.expect("there is one").porter;
    let port = *world.network.machine(porter).gateway.table.keys().next().expect("one was given");
    let has_it = |world: &World| {
        let locals = world.agent(0).stats().local_candidates;
        locals.iter().any(|it| it.candidate_type == "srflx" && it.port == port && it.url.is_none())
    };
    assert!(has_it(&world), "{world}");
    world.network.call(porter, |porter, _| porter.gateway.pcp = Speaks::Error(2));
    world.run_for(Duration::from_secs(4 * 3600));
    assert!(!has_it(&world), "{world}");
    world.assert_never(talkie_traversal::ice::ConnectionState::Failed);
    world.assert_data_flows();
    // It is not told by a restart either.
    let before = world.sides[0].events.len();
    world.restart(0);
    world.run_for(Duration::from_secs(20));
    let is_it = |event: &Event| matches!(event, Event::Candidate(it) if it.url.is_none() && it.port == port && it.kind == CandidateType::ServerReflexive);
    assert!(!world.sides[0].events[before..].iter().any(|(_, event)| is_it(event)), "{world}");
}

/// It is kept for as long as what was agreed on before needs it, and asked for again where our own addresses are told
/// again.
#[test]
fn a_port_is_given_back_once_only_relays_are_told() {
    let strict = Spot::Preset(Preset::PortRestricted);
    for speaks in SPEAKERS {
        let mut world = session(Setup::new(strict, strict), speaks);
        world.settle(Outcome::Direct);
        assert_eq!(left_doors(&world), 1);
        let relay = "turn:192.0.2.1?transport=udp";
        set(&mut world, &[relay], Policy::Relay);
        world.restart(0);
        assert_eq!(left_doors(&world), 1);
        talk_until_new(&mut world);
        world.run_for(Duration::from_secs(60));
        assert!(!world.agreed().unwrap()[0].is_direct(), "{world}");
        assert_eq!(left_doors(&world), 0, "{world}");
        set(&mut world, &[relay], Policy::All);
        world.restart(0);
        talk_until_new(&mut world);
        world.settle(Outcome::Direct);
        assert_eq!(left_doors(&world), 1, "{world}");
        world.assert_nothing_is_left();
        assert_eq!(left_doors(&world), 0, "{world}");
    }
}

/// A gateway that says nothing, or no, changes nothing and delays nothing.
#[test]
fn a_gateway_that_does_not_help_does_not_harm() {
    let silent: fn(&mut Gateway) = |_| ();
    let unwilling: fn(&mut Gateway) = |it| it.pcp = Speaks::Error(2);
    for seed in seeds(3) {
        for (left, right, expected) in [
            (Preset::PortRestricted, Preset::PortRestricted, 'd'),
            (Preset::PortRestricted, Preset::Symmetric, 'r'),
            (Preset::Symmetric, Preset::Symmetric, 'r'),
        ] {
            let setup = Setup::new(Spot::Preset(left), Spot::Preset(right)).seeded(seed);
            let mut plain = World::new(setup.clone());
            assert_eq!(plain.outcome().letter(), expected, "{plain}");
            let took = [0, 1].map(|side| plain.connected_at(side).unwrap());
            for set in [silent, unwilling] {
                let mut world = session(setup.clone(), set);
                assert_eq!(world.outcome().letter(), expected, "{world}");
                for side in [0, 1] {
                    let slower = world.connected_at(side).unwrap().saturating_sub(took[side]);
                    assert!(slower <= Duration::from_millis(100), "{slower:?} {world}");
                }
            }
        }
    }
}
