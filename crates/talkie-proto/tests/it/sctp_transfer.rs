//! Messages on good paths and bad.

use std::time::Duration;

use talkie_proto::sctp::congestion::Algorithm;
use talkie_proto::sctp::wire::{Packet, kind};
use talkie_proto::sctp::{Config, Reliability, SendOptions};

use crate::sctp_world::{ADA, BOB, Link, World};

/// Bytes that differ from place to place.
fn pattern(length: usize, salt: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 251 + salt) as u8).collect()
}

#[test]
fn messages_of_any_length_arrive_whole_and_in_order() {
    for interleaving in [false, true] {
        let config = Config { interleaving, message_most: 4 << 20, ..Config::default() };
        let link = Link { loss: 20, reorder: 20, duplicate: 20, seed: 5, ..Link::default() };
        let mut world = World::with(link, &config, &config);
        world.connect();
        let lengths = [1, 2, 3, 1000, 1160, 1161, 1164, 1165, 2400, 65_536, 300_000, 3 << 20, 7];
        for (salt, length) in lengths.into_iter().enumerate() {
            world.send(ADA, 5, pattern(length, salt));
        }
        world.run_until(Duration::from_secs(600), |world| {
            world.received[BOB].len() == lengths.len()
        });
        for (salt, (length, message)) in lengths.into_iter().zip(&world.received[BOB]).enumerate() {
            assert!(message.payload == pattern(length, salt), "message {salt}");
        }
    }
}

#[test]
fn an_unordered_message_does_not_wait_for_a_lost_one() {
    let mut world = World::connected(Link::default());
    let mut first = true;
    world.lose = Some(Box::new(move |from, _| from == ADA && std::mem::take(&mut first)));
    world.send(ADA, 0, vec![1; 1000]);
    world.run_for(Duration::from_millis(1));
    let unordered = SendOptions { unordered: true, ..SendOptions::default() };
    world.send_with(ADA, 0, vec![2; 1000], unordered);
    world.send(ADA, 0, vec![3; 1000]);
    world.run_for(Duration::from_secs(5));
    let order: Vec<u8> = world.received[BOB].iter().map(|message| message.payload[0]).collect();
    assert_eq!(order, [2, 1, 3]);
}

#[test]
fn a_short_message_overtakes_a_long_one_of_another_stream_with_interleaving() {
    for interleaving in [false, true] {
        let config = Config { interleaving, ..Config::default() };
        let link = Link { rate: Some(1_000_000), ..Link::default() };
        let mut world = World::with(link, &config, &config);
        world.connect();
        world.send(ADA, 0, vec![1; 250_000]);
        world.run_for(Duration::from_millis(10));
        world.send(ADA, 1, "quick");
        world.run_until(Duration::from_secs(10), |world| world.received[BOB].len() == 2);
        assert_eq!(world.received[BOB][0].payload == "quick", interleaving);
    }
}

#[test]
fn streams_share_by_weight() {
    let link = Link { rate: Some(1_000_000), ..Link::default() };
    let mut world = World::connected(link);
    world.ends[ADA].set_weight(0, 768);
    for _ in 0..200 {
        world.send(ADA, 0, vec![0; 16_000]);
        world.send(ADA, 1, vec![1; 16_000]);
    }
    world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 160);
    let heavy = world.received[BOB].iter().filter(|message| message.stream == 0).count();
    assert!((116..=124).contains(&heavy), "{heavy} of 160");
}

#[test]
fn a_lost_packet_is_sent_again_within_a_round_trip_and_no_timeout() {
    let mut world = World::connected(Link::default());
    world.send(ADA, 0, vec![0; 20_000]);
    world.run_for(Duration::from_secs(1));
    let mut count = 0;
    world.lose = Some(Box::new(move |from, packet| {
        count += usize::from(from == ADA && packet.len() > 500);
        count == 3
    }));
    let begun = world.now;
    world.send(ADA, 0, vec![1; 20_000]);
    world.run_until(Duration::from_secs(1), |world| world.received[BOB].len() == 2);
    let took = world.now - begun;
    assert!(took < Duration::from_millis(100), "took {took:?}");
}

#[test]
fn a_lost_tail_is_probed_for_before_the_timeout() {
    let mut world = World::connected(Link::default());
    world.send(ADA, 0, vec![0; 20_000]);
    world.run_for(Duration::from_secs(1));
    let mut lost = false;
    world.lose = Some(Box::new(move |from, packet| {
        let tail = from == ADA && packet.len() > 100 && packet.len() < 1188 && !lost;
        lost |= tail;
        tail
    }));
    let begun = world.now;
    world.send(ADA, 0, vec![1; 6000]);
    world.run_until(Duration::from_secs(1), |world| world.received[BOB].len() == 2);
    let took = world.now - begun;
    assert!(took < Duration::from_millis(200), "took {took:?}");
    assert_eq!(world.lost, 1);
}

#[test]
fn a_reader_that_stops_stops_the_sender_and_one_that_goes_on_lets_it_go_on() {
    let config = Config { receive_initial: 100_000, ..Config::default() };
    let mut world = World::with(Link::default(), &config, &config);
    world.connect();
    world.reads[BOB] = false;
    for _ in 0..100 {
        world.send(ADA, 0, vec![9; 10_000]);
    }
    world.run_for(Duration::from_secs(30));
    let sent = 1_000_000 - world.ends[ADA].buffered();
    assert!((80_000..200_000).contains(&sent), "{sent} bytes left against a window of 100,000");
    world.reads[BOB] = true;
    world.run_until(Duration::from_secs(20), |world| world.received[BOB].len() == 100);
}

#[test]
fn a_path_that_comes_back_is_used_again() {
    let mut world = World::connected(Link::default());
    world.send(ADA, 0, vec![0; 250_000]);
    world.run_for(Duration::from_millis(60));
    world.link.loss = 1000;
    world.run_for(Duration::from_secs(8));
    world.link.loss = 0;
    let back = world.now;
    world.run_until(Duration::from_secs(20), |world| world.received[BOB].len() == 1);
    let took = world.now - back;
    assert!(took < Duration::from_secs(12), "took {took:?}");
}

#[test]
fn a_path_that_is_a_black_hole_one_way_only_is_used_again() {
    for hole in [ADA, BOB] {
        for seconds in [1, 4, 15] {
            let mut world = World::connected(Link::default());
            (0..8).for_each(|_| world.send(ADA, 0, vec![0; 250_000]));
            world.run_for(Duration::from_millis(100));
            world.lose = Some(Box::new(move |from, _| from == hole));
            world.run_for(Duration::from_secs(seconds));
            world.lose = None;
            let back = world.now;
            world.run_until(Duration::from_secs(30), |world| world.received[BOB].len() == 8);
            // The timeout doubles, up to ten seconds.
            let (took, most) = (world.now - back, Duration::from_secs(seconds.min(10) + 2));
            assert!(took < most, "{took:?} after {seconds} s without packets of {hole}");
        }
    }
}

#[test]
fn a_good_path_is_filled() {
    let config = Config { send_buffer: 64 << 20, ..Config::default() };
    let link = Link { rate: Some(25_000_000), queue: 1 << 20, ..Link::default() };
    let mut world = World::with(link, &config, &config);
    world.connect();
    for _ in 0..200 {
        world.send(ADA, 0, vec![0; 250_000]);
    }
    // Until the window has found its size.
    world.run_until(Duration::from_secs(30), |world| world.received[BOB].len() == 80);
    let begun = world.now;
    world.run_until(Duration::from_secs(30), |world| world.received[BOB].len() == 200);
    let rate = 30e6 / (world.now - begun).as_secs_f64();
    assert!(rate > 0.9 * 25e6, "{rate:.0} bytes per second");
}

#[test]
fn a_message_given_up_half_sent_is_not_waited_for() {
    for interleaving in [false, true] {
        let config = Config { interleaving, ..Config::default() };
        let link = Link { rate: Some(100_000), ..Link::default() };
        let mut world = World::with(link, &config, &config);
        world.connect();
        let reliability = Reliability::Lifetime(Duration::from_millis(150));
        let options = SendOptions { reliability, unordered: false };
        world.send_with(ADA, 0, vec![1; 200_000], options);
        world.run_for(Duration::from_millis(200));
        // All that has left arrives; its acknowledgments do not.
        world.lose = Some(Box::new(|from, _| from == BOB));
        world.run_for(Duration::from_secs(2));
        world.lose = None;
        world.send(ADA, 0, "next");
        world.run_until(Duration::from_secs(20), |world| !world.received[BOB].is_empty());
        assert_eq!(world.received[BOB][0].payload, "next");
        assert!(world.ends[ADA].buffered() == 0);
    }
}

#[test]
fn what_is_given_up_is_told_once_in_a_round_trip() {
    for interleaving in [false, true] {
        let config = Config { interleaving, ..Config::default() };
        let mut world = World::with(Link::default(), &config, &config);
        world.connect();
        let options = SendOptions { reliability: Reliability::Retransmits(0), unordered: false };
        // A window as large as it comes.
        for _ in 0..40 {
            world.send(ADA, 0, vec![0; 100_000]);
        }
        world.run_for(Duration::from_secs(1));
        world.sent = Some(vec![]);
        let mut first = true;
        world.lose = Some(Box::new(move |from, packet| {
            let data = from == ADA && matches!(packet[12], kind::DATA | kind::I_DATA);
            data && std::mem::take(&mut first)
        }));
        for _ in 0..400 {
            world.send_with(ADA, 1, vec![1; 1000], options);
        }
        world.run_for(Duration::from_secs(5));
        let got = world.received[BOB].iter().filter(|message| message.stream == 1);
        assert_eq!(got.count(), 399);
        let forward = if interleaving { kind::I_FORWARD_TSN } else { kind::FORWARD_TSN };
        let sent = world.sent.as_ref().expect("recorded").iter();
        let told = sent.filter(|(_, packet)| {
            let packet = Packet::parse(packet).expect("a packet");
            packet.chunks().any(|chunk| chunk.kind == forward)
        });
        let told = told.count();
        assert!((1..=2).contains(&told), "{told} times");
    }
}

#[test]
fn a_queue_that_marks_loses_nothing() {
    let run = |ecn: bool| {
        let config = Config {
            ecn,
            congestion: Algorithm::Cubic,
            send_buffer: 64 << 20,
            ..Config::default()
        };
        let link = Link { rate: Some(5_000_000), queue: 150_000, marks: 50_000, ..Link::default() };
        let mut world = World::with(link, &config, &config);
        world.connect();
        for _ in 0..120 {
            world.send(ADA, 0, vec![0; 250_000]);
        }
        let begun = world.now;
        world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 120);
        (world.lost, 30e6 / (world.now - begun).as_secs_f64())
    };
    let (lost, _) = run(false);
    assert!(lost > 0);
    let (lost, rate) = run(true);
    assert!(lost == 0 && rate > 0.75 * 5e6, "{lost} lost, {rate:.0} bytes per second");
}

#[test]
fn a_message_lives_until_its_lifetime_is_over_be_that_none() {
    let mut world = World::connected(Link::default());
    let at_once = SendOptions {
        reliability: Reliability::Lifetime(Duration::ZERO),
        ..SendOptions::default()
    };
    world.send_with(ADA, 0, "now", at_once);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.received[BOB].len(), 1, "there was nothing in its way");
    // It has one try.
    world.lose = Some(Box::new(|from, _| from == ADA));
    world.send_with(ADA, 0, "or never", at_once);
    world.run_for(Duration::from_millis(30));
    world.lose = None;
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.received[BOB].len(), 1);
}
