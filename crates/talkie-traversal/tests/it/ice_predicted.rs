//! Guessed ports in use: who meets directly that could not, and that nobody is worse off for it.

use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::{Datagram, Machine, Path, Transmit, Transport};
use talkie_sim::nat::{self, Ports, Preset};
use talkie_sim::net::{Link, Network, Post, Router};
use talkie_traversal::ice::predict::NoGuess;
use talkie_traversal::ice::{Config, Event, Role};

use crate::discover_world::ip;
use crate::ice_spots::{Ground, LOTS, NEAR, Spot, is_direct};
use crate::ice_world::{Outcome, Setup, World, seeds};

const STRICT: Spot = Spot::Preset(Preset::PortRestricted);

fn guessing(left: Spot, right: Spot) -> Setup {
    let adjust: fn(&mut Config) = |config| config.gather.predict = 8;
    Setup { names_others: true, adjust: [adjust; 2], ..Setup::new(left, right) }
}

/// A NAT that maps by destination and gives ports in an order, on the left.
fn counting(ports: Ports) -> impl FnOnce(&mut Network, Router, &Setup) -> [Ground; 2] {
    behind(nat::Config { ports, ..nat::Config::symmetric([ip(LOTS[0].outside[0])]) }, None)
}

/// A NAT on the left, and somebody else behind it who opens a mapping each `others`, more or less.
fn behind(
    config: nat::Config,
    others: Option<Duration>,
) -> impl FnOnce(&mut Network, Router, &Setup) -> [Ground; 2] {
    move |network, internet, setup| {
        let nat = network.add_nat("nat", internet, setup.links[0].clone(), config);
        if let Some(mean) = others {
            let rng = ChaCha8Rng::from_seed(network.genesis().seed);
            let talker = Talker { mean, next: network.now(), sent: 0, is_due: false, rng };
            let talker = network.add_host("talker", talker);
            network.attach(talker, nat, Link::with_delay(NEAR), [ip("10.0.0.77")]);
        }
        let left = Ground {
            place: nat.into(),
            link: Link::with_delay(NEAR).into(),
            addresses: vec![ip(LOTS[0].inside)],
            nats: vec![nat],
        };
        let right = setup.spots[1].build(network, internet, setup.links[1].clone(), &LOTS[1]);
        [left, right]
    }
}

/// Sends to ever new destinations, at any time (a Poisson process).
struct Talker {
    mean: Duration,
    next: Instant,
    sent: u16,
    is_due: bool,
    rng: ChaCha8Rng,
}

impl Machine for Talker {
    type Event = ();

    fn handle_datagram(&mut self, _now: Instant, _datagram: Datagram<'_>) {}

    fn handle_timeout(&mut self, now: Instant) {
        if self.next <= now {
            self.is_due = true;
            let dice = f64::from(self.rng.next_u32().max(1)) / f64::from(u32::MAX);
            self.next = now + self.mean.mul_f64(-dice.ln()).max(Duration::from_micros(1));
        }
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        if !std::mem::take(&mut self.is_due) {
            return None;
        }
        self.sent = self.sent.wrapping_add(1).max(1);
        buf.push(0);
        let local = (ip("10.0.0.77"), 9).into();
        let remote = (ip("192.0.2.99"), self.sent).into();
        Some(Transmit { path: Path { transport: Transport::Udp, local, remote }, len: 1 })
    }

    fn poll_event(&mut self) -> Option<()> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.next)
    }
}

/// How many of the seeds connect directly.
fn direct(count: u64, play: impl Fn(u64) -> World) -> f64 {
    let seeds = seeds(count);
    let all = seeds.clone().count();
    let met = seeds.filter(|seed| play(*seed).outcome() == Outcome::Direct).count();
    let part = |number: usize| f64::from(u32::try_from(number).unwrap());
    part(met) / part(all)
}

#[test]
fn a_nat_that_counts_meets_a_port_restricted_one_without_a_relay() {
    let spots = [Spot::Preset(Preset::HomeSequential), STRICT];
    let share = direct(200, |seed| {
        let mut setup = guessing(spots[0], spots[1]).without_relay().seeded(seed);
        if seed % 2 == 1 {
            setup.roles = [Role::Controlled, Role::Controlling];
        }
        World::new(setup)
    });
    assert!(share >= 0.9, "{share}");
    // And without guesses never.
    let never =
        direct(20, |seed| World::new(Setup::new(spots[0], spots[1]).without_relay().seeded(seed)));
    assert!(never < 0.01, "{never}");
}

#[test]
fn other_orders_are_followed_too() {
    for ports in [Ports::Sequential { step: 2 }, Ports::Sequential { step: 5 }, Ports::Preserving] {
        let share = direct(40, |seed| {
            let setup = guessing(STRICT, STRICT).without_relay().seeded(seed);
            World::with(setup, counting(ports))
        });
        assert!(share >= 0.9, "{ports:?}: {share}");
    }
}

/// Where even ports get even ones (RFC 4787 §4.2.2), a NAT that counts takes steps of two.
#[test]
fn the_parity_of_ports_is_no_obstacle() {
    for step in [1, 3] {
        let share = direct(40, |seed| {
            let config = nat::Config {
                ports: Ports::Sequential { step },
                parity: true,
                ..nat::Config::symmetric([ip(LOTS[0].outside[0])])
            };
            World::with(guessing(STRICT, STRICT).without_relay().seeded(seed), behind(config, None))
        });
        println!("parity, step {step}: {share}");
        assert!(share >= 0.9, "{step}: {share}");
    }
}

/// One server at one address, as most are, whose other port is known: it shows two mappings, and a second socket two
/// more.
#[test]
fn two_ports_of_one_server_show_the_order_too() {
    for (rate, least) in [(None, 0.9), (Some(20), 0.9)] {
        let share = direct(100, |seed| {
            let mut setup = guessing(STRICT, STRICT).without_relay().seeded(seed);
            setup.names_others = false;
            setup.also = [|config| config.gather.other_ports = vec![3479]; 2];
            let config = Preset::HomeSequential.config([ip(LOTS[0].outside[0])]);
            let others = rate.map(|rate| Duration::from_secs(1) / rate);
            World::with(setup, behind(config, others))
        });
        println!("two ports, {rate:?} others a second: {share}");
        assert!(share >= least, "{rate:?} each second: {share}");
    }
}

/// The socket that was opened only to look is closed again, also where nothing was to be seen.
#[test]
fn who_only_looked_is_gone_when_all_is_gathered() {
    for left in [Preset::HomeSequential, Preset::Symmetric, Preset::PortRestricted] {
        let mut setup = guessing(Spot::Preset(left), STRICT).seeded(1);
        setup.names_others = false;
        setup.also = [|config| config.gather.other_ports = vec![3479]; 2];
        let mut world = World::new(setup);
        world.outcome();
        let sockets = world.network.sockets(world.sides[0].host);
        assert_eq!(sockets.len(), 1, "{left:?}: {sockets:?}");
        world.assert_nothing_is_left();
    }
}

/// A person who has asked for guesses is told why there are none.
#[test]
fn where_nothing_is_guessed_it_is_told_why() {
    let reasons = |setup: Setup, build: nat::Config| {
        let mut world = World::with(setup.without_relay().seeded(1), behind(build, None));
        world.outcome();
        let told = world.sides[0].events.iter().filter_map(|(_, event)| match event {
            Event::Unguessed { why, .. } => Some(*why),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    let outside = [ip(LOTS[0].outside[0])];
    let by_dice = || nat::Config { ports: Ports::Random, ..nat::Config::symmetric(outside) };
    let setup = || guessing(STRICT, STRICT);
    let alone = || Setup { names_others: false, ..setup() };
    assert_eq!(reasons(setup(), by_dice()), [NoGuess::NoOrder]);
    assert_eq!(reasons(alone(), by_dice()), [NoGuess::TooFew(1)]);
    let also: fn(&mut Config) = |config| config.gather.other_ports = vec![3479];
    let ports = Setup { also: [also; 2], ..alone() };
    assert_eq!(
        reasons(ports.clone(), nat::Config::port_restricted_cone(outside)),
        [NoGuess::OneAddress]
    );
    assert_eq!(reasons(setup(), nat::Config::port_restricted_cone(outside)), [NoGuess::SamePort]);
    let two = [ip(LOTS[0].outside[0]), ip("203.0.113.200")];
    let spread = nat::Config { pooling: nat::Pooling::Arbitrary, ..nat::Config::symmetric(two) };
    assert_eq!(reasons(setup(), spread), [NoGuess::Addresses]);
    let counts =
        nat::Config { ports: Ports::Sequential { step: 1 }, ..nat::Config::symmetric(outside) };
    assert_eq!(reasons(setup(), counts), []);
}

/// Others behind the same NAT, who open so many mappings each second.
#[test]
fn a_busy_line_makes_guesses_worse_and_not_useless() {
    for (rate, least) in [(20, 0.95), (200, 0.85)] {
        let share = direct(100, |seed| {
            let config = Preset::HomeSequential.config([ip(LOTS[0].outside[0])]);
            let others = Some(Duration::from_secs(1) / rate);
            World::with(
                guessing(STRICT, STRICT).without_relay().seeded(seed),
                behind(config, others),
            )
        });
        println!("{rate} others a second: {share}");
        assert!(share >= least, "{rate} each second: {share}");
    }
}

/// The first destination of each socket sees its own port, and others any.
#[test]
fn a_port_that_is_kept_once_is_kept_for_the_other_side() {
    let share = direct(40, |seed| {
        let setup = guessing(STRICT, STRICT).without_relay().seeded(seed);
        World::with(setup, counting(Ports::PreservingOrRandom))
    });
    assert!(share >= 0.9, "{share}");
}

/// Whenever the other side's addresses come: before the order is seen, while it is looked at, and long after.
#[test]
fn it_does_not_matter_when_signaling_brings_the_other_sides_addresses() {
    for delay in [5, 20, 100, 300, 1000] {
        let delay = Duration::from_millis(delay);
        let share = direct(40, |seed| {
            let post = Post { delay, ..Post::default() };
            let setup = guessing(Spot::Preset(Preset::HomeSequential), STRICT);
            World::new(Setup { post: [post.clone(), post], ..setup }.without_relay().seeded(seed))
        });
        assert!(share >= 0.9, "{delay:?}: {share}");
    }
}

#[test]
fn with_a_relay_the_direct_way_is_taken_in_the_end() {
    for seed in seeds(40) {
        let setup = guessing(Spot::Preset(Preset::HomeSequential), STRICT).seeded(seed);
        World::new(setup).settle(Outcome::Direct);
    }
}

#[test]
fn nobody_is_worse_off() {
    let spots: Vec<Spot> = Preset::all().map(Spot::Preset).collect();
    let rank = |outcome: Outcome| match outcome {
        Outcome::Direct => 0,
        Outcome::Relayed => 1,
        Outcome::Failed => 2,
    };
    for (row, left) in spots.iter().enumerate() {
        for (column, right) in spots.iter().enumerate().take(row + 1) {
            let kinds = left.kind().zip(right.kind());
            let meets = kinds.is_some_and(|(left, right)| is_direct(left, right));
            let setup = guessing(*left, *right).seeded((row * 16 + column) as u64);
            for (setup, otherwise) in
                [(setup.clone().without_relay(), Outcome::Failed), (setup, Outcome::Relayed)]
            {
                let expected = if meets { Outcome::Direct } else { otherwise };
                let mut world = World::new(setup);
                let outcome = world.outcome();
                assert!(rank(outcome) <= rank(expected), "{outcome:?}, not {expected:?}; {world}");
            }
        }
    }
}
