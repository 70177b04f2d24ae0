//! Work per packet stays the same however much is under way: the same is done at one size and at eight times
//! that, and each unit of it may not cost much more. What costs as much again for everything that there is,
//! costs eight times as much.
//!
//! It is the thread's own time that counts, and the least of several runs, so that a busy machine does not
//! matter.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use talkie_proto::datachannel::Options;
use talkie_proto::sctp::serial::Tsn;
use talkie_proto::sctp::wire::{IData, Sack, kind};
use talkie_proto::sctp::{Config, Event, Reliability, SendOptions};
use talkie_sansio::{Datagram, Machine as _};

use crate::datachannel_world as channels;
use crate::sctp_hostile::{Known, known_with, packet};
use crate::sctp_world::{ADA, BOB, Link, World, path};

/// How many times the size.
const TIMES: usize = 8;

/// How much more a unit may cost: caches are no longer large enough, and trees are deeper.
const MOST: f64 = 3.0;

fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What it costs.
fn cost(work: impl FnOnce()) -> Duration {
    let before = spent();
    work();
    spent().saturating_sub(before)
}

/// Holds the work at `size` against that at a multiple of it; `run` gives what it has cost and how many units
/// that was.
fn holds_flat(size: usize, mut run: impl FnMut(usize) -> (Duration, usize)) {
    let mut least = [f64::MAX; 2];
    for _ in 0..6 {
        for (least, size) in least.iter_mut().zip([size, size * TIMES]) {
            let (spent, units) = run(size);
            *least = least.min(spent.as_nanos() as f64 / units as f64);
        }
        if least[1] < least[0] * MOST {
            return;
        }
    }
    let [small, large] = least;
    panic!("{small:.0} ns each at {size}, and {large:.0} ns at {}", size * TIMES);
}

fn config() -> Config {
    Config { send_buffer: 256 << 20, receive_initial: 16 << 20, ..Config::default() }
}

/// Connected, and with a window in which a long flight leaves at once.
fn grown() -> Known {
    let mut known = known_with(&config());
    let world = &mut known.world;
    (0..60).for_each(|_| world.send(ADA, 1, vec![0; 250_000]));
    world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 60);
    world.run_for(Duration::from_secs(1));
    world.received[BOB].clear();
    known
}

/// The same with so many messages on their way that nothing is heard of, and what they have as TSNs.
fn flying(messages: usize, options: SendOptions) -> (World, u32, Tsn) {
    let Known { mut world, tags, .. } = grown();
    world.lose = Some(Box::new(|_, _| true));
    world.sent = Some(vec![]);
    (0..messages).for_each(|_| world.send_with(ADA, 0, vec![7; 4], options));
    world.run_for(Duration::from_millis(35));
    assert_eq!(world.ends[ADA].buffered(), 0, "all of it is on its way");
    let sent = world.sent.take().expect("recorded");
    let first = sent.iter().find(|(from, packet)| *from == ADA && packet[12] == kind::I_DATA);
    let first = first.expect("data").1[16..].first_chunk().expect("a TSN");
    let first = Tsn(u32::from_be_bytes(*first));
    (world, tags[ADA], first)
}

fn hand(world: &mut World, to: usize, packet: &mut [u8]) {
    let now = world.now;
    world.ends[to].handle_datagram(now, Datagram { path: path(9), payload: packet });
}

fn fragment(tag: u32, tsn: Tsn, flags: u8, (mid, fsn): (u32, u32)) -> Vec<u8> {
    let data = IData { flags, tsn, stream: 0, mid, fsn, ppid: 51, payload: &[7; 8] };
    packet(tag, kind::I_DATA, flags, |buf| data.write(buf))
}

fn before(first: Tsn) -> Tsn {
    Tsn(first.0.wrapping_sub(1))
}

#[test]
fn acknowledgments_cost_the_same_however_much_is_in_flight() {
    holds_flat(4000, |size| {
        let (mut world, tag, first) = flying(size, SendOptions::default());
        let last = u16::try_from(size).expect("a window");
        let mut sacks: Vec<_> = (0..1000_u16)
            .map(|at| {
                let gaps = [(last - 1000 + at, last - 1000 + at)];
                packet(tag, kind::SACK, 0, |buf| {
                    Sack::write(buf, before(first), 16 << 20, &gaps, &[]);
                })
            })
            .collect();
        let spent = cost(|| sacks.iter_mut().for_each(|sack| hand(&mut world, ADA, sack)));
        (spent, sacks.len())
    });
}

#[test]
fn messages_cost_the_same_on_however_many_streams() {
    holds_flat(1000, |size| {
        let mut world = World::with(Link::default(), &config(), &config());
        world.connect();
        let spent = cost(|| {
            for round in 0..2 {
                (0..size).for_each(|stream| world.send(ADA, stream as u16, vec![round; 100]));
            }
            world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 2 * size);
        });
        (spent, 2 * size)
    });
}

#[test]
fn messages_cost_the_same_however_many_are_queued() {
    holds_flat(2000, |size| {
        let mut world = World::with(Link::default(), &config(), &config());
        world.connect();
        let spent = cost(|| {
            (0..size).for_each(|_| world.send(ADA, 0, vec![7; 100]));
            world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == size);
        });
        (spent, size)
    });
}

#[test]
fn giving_up_costs_the_same_however_much_is_given_up() {
    let options =
        SendOptions { reliability: Reliability::Retransmits(0), ..SendOptions::default() };
    holds_flat(2000, |size| {
        let (mut world, ..) = flying(size, options);
        let spent = cost(|| world.run_for(Duration::from_secs(3)));
        assert_eq!(world.ends[ADA].window().expect("it is connected").in_flight, 0);
        (spent, size)
    });
}

/// Each message has a fragment in flight and others that wait, and all of them are mixed.
#[test]
fn giving_up_half_of_many_messages_costs_the_same_for_each() {
    holds_flat(400, |size| {
        let mut world = grown().world;
        let reliability = Reliability::Lifetime(Duration::from_millis(500));
        let options = SendOptions { reliability, unordered: false };
        world.lose = Some(Box::new(|_, _| true));
        (0..size).for_each(|stream| {
            world.send_with(ADA, stream as u16, vec![7; 1800], options);
        });
        world.run_for(Duration::from_millis(200));
        let spent = cost(|| world.run_for(Duration::from_secs(3)));
        assert_eq!(world.ends[ADA].buffered(), 0);
        (spent, size)
    });
}

#[test]
fn what_is_too_late_before_it_has_left_costs_the_same_however_much_it_is() {
    holds_flat(5000, |size| {
        let mut world = World::with(Link::default(), &config(), &config());
        world.connect();
        world.link.loss = 1000;
        let reliability = Reliability::Lifetime(Duration::from_millis(500));
        let options = SendOptions { reliability, unordered: false };
        let spent = cost(|| {
            (0..size).for_each(|at| {
                world.send_with(ADA, (at % 500) as u16, vec![7; 1000], options);
            });
            world.run_for(Duration::from_secs(3));
        });
        assert_eq!(world.ends[ADA].buffered(), 0);
        (spent, size)
    });
}

#[test]
fn data_costs_the_same_however_many_gaps_it_leaves() {
    holds_flat(1000, |size| {
        let Known { mut world, tags, tsns } = known_with(&config());
        let mut buf = Vec::new();
        let spent = cost(|| {
            for at in 0..size as u32 {
                let mut data = fragment(tags[BOB], tsns[ADA].plus(2 * at + 1), 3, (2 * at + 1, 0));
                hand(&mut world, BOB, &mut data);
                buf.clear();
                while world.ends[BOB].poll_transmit(&mut buf).is_some() {}
            }
        });
        (spent, size)
    });
}

#[test]
fn acknowledgments_cost_the_same_however_many_gaps_were_told() {
    holds_flat(4000, |size| {
        let (mut world, tag, first) = flying(size, SendOptions::default());
        // Every second one, in blocks as a packet has room for.
        let gaps: Vec<_> = (1..size as u16 / 2).map(|at| (2 * at, 2 * at)).collect();
        for gaps in gaps.chunks(250) {
            let mut sack = packet(tag, kind::SACK, 0, |buf| {
                Sack::write(buf, before(first), 16 << 20, gaps, &[]);
            });
            hand(&mut world, ADA, &mut sack);
        }
        let empty = packet(tag, kind::SACK, 0, |buf| {
            Sack::write(buf, before(first), 16 << 20, &gaps[..1], &[]);
        });
        let mut sacks = vec![empty; 1000];
        let spent = cost(|| sacks.iter_mut().for_each(|sack| hand(&mut world, ADA, sack)));
        (spent, sacks.len())
    });
}

#[test]
fn pieces_cost_the_same_however_many_there_are_and_in_whatever_order() {
    // From the last to the first, and the even ones before the odd ones.
    for order in [|at: u32, size: u32| size - 1 - at, |at: u32, size: u32| at * 2 % (size - 1)] {
        holds_flat(1000, |size| {
            let Known { mut world, tags, tsns } = known_with(&config());
            let count = size as u32;
            let spent = cost(|| {
                for at in 0..count - 1 {
                    let fsn = order(at, count);
                    let flags = if fsn == 0 { 2 } else { 0 };
                    let mut data = fragment(tags[BOB], tsns[ADA].plus(fsn), flags, (0, fsn));
                    hand(&mut world, BOB, &mut data);
                }
            });
            (spent, size)
        });
    }
}

#[test]
fn duplicates_cost_the_same_however_much_has_come() {
    holds_flat(1000, |size| {
        let Known { mut world, tags, tsns } = known_with(&config());
        let of = |at: u32| fragment(tags[BOB], tsns[ADA].plus(2 * at + 1), 3, (2 * at + 1, 0));
        let mut data: Vec<_> = (0..size as u32).map(of).collect();
        data.iter_mut().for_each(|data| hand(&mut world, BOB, data));
        let mut buf = Vec::new();
        let spent = cost(|| {
            for at in 0..1000 {
                hand(&mut world, BOB, &mut data[at * 7 % size]);
                buf.clear();
                while world.ends[BOB].poll_transmit(&mut buf).is_some() {}
            }
        });
        (spent, 1000)
    });
}

#[test]
fn resets_cost_the_same_however_many_streams_are_reset() {
    holds_flat(500, |size| {
        let mut world = World::with(Link::default(), &config(), &config());
        world.connect();
        let streams: Vec<u16> = (0..size as u16).collect();
        let spent = cost(|| {
            streams.iter().for_each(|stream| world.send(ADA, *stream, vec![7; 100]));
            let now = world.now;
            world.ends[ADA].reset_streams(now, &streams).expect("it can");
            world.run_until(Duration::from_secs(600), |world| {
                let done = |event: &Event| match event {
                    Event::ResetDone { streams, done: true } => streams.len(),
                    _ => 0,
                };
                world.events[ADA].iter().map(done).sum::<usize>() == size
            });
        });
        (spent, size)
    });
}

#[test]
fn who_may_not_send_is_asked_for_the_same_however_much_waits() {
    holds_flat(1000, |size| {
        let mut world = World::with(Link::default(), &config(), &config());
        world.connect();
        world.lose = Some(Box::new(|_, _| true));
        for at in 0..4 * size {
            world.send(ADA, (at % size) as u16, vec![7; 1000]);
        }
        world.run_for(Duration::from_millis(5));
        let mut buf = Vec::new();
        let spent = cost(|| {
            for _ in 0..2000 {
                assert!(world.ends[ADA].poll_transmit(&mut buf).is_none());
                assert!(world.ends[ADA].poll_timeout().is_some());
                assert!(world.ends[ADA].poll_event().is_none());
            }
        });
        (spent, 2000)
    });
}

#[test]
fn messages_cost_the_same_on_however_many_channels() {
    holds_flat(40, |size| {
        let mut world = channels::World::connected(channels::Link::default());
        let now = world.now;
        let open = |_| world.ada.open(now, Options::default()).expect("it may");
        let ids: Vec<_> = (0..size).map(open).collect();
        world.run_until(Duration::from_secs(60), |world| world.incoming(BOB).len() == size);
        let spent = cost(|| {
            for _ in 0..10 {
                ids.iter().for_each(|id| world.send_from(ADA, *id, vec![7; 1000]));
            }
            world.run_until(Duration::from_secs(60), |world| {
                world.seen[BOB].messages.len() == 10 * size
            });
        });
        (spent, 10 * size)
    });
}
