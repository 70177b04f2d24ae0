//! Messages of every mode both ways.

use std::time::Duration;

use talkie_proto::sctp::wire::{Packet, kind};
use talkie_proto::sctp::{Config, Event, Reliability, SendOptions};

use super::{Begins, MakePeer, Meeting, Peer, Said, Told, bad, dcsctp, meet, pattern, sctp_proto};
use crate::sctp_world::{Link, association};

/// The others, and what to call them.
fn others() -> [(&'static str, MakePeer); 4] {
    [
        ("dcsctp", || dcsctp::peer(&dcsctp::options())),
        ("dcsctp, interleaving", || dcsctp::peer(&dcsctp::interleaving())),
        ("dcsctp, without checksums", || dcsctp::peer(&dcsctp::zero_checksum())),
        ("sctp-proto", || sctp_proto::peer(sctp_proto::config())),
    ]
}

/// Bad links that each mode is tried on, with each of the others.
fn seeds() -> u64 {
    std::env::var("TALKIE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1)
}

fn config() -> Config {
    Config { message_most: 2 << 20, ..Config::default() }
}

fn modes() -> Vec<SendOptions> {
    let reliabilities = [
        Reliability::Reliable,
        Reliability::Retransmits(0),
        Reliability::Retransmits(2),
        Reliability::Lifetime(Duration::from_millis(80)),
    ];
    let both = |reliability| [false, true].map(|unordered| SendOptions { unordered, reliability });
    reliabilities.into_iter().flat_map(both).collect()
}

/// The number of a message is its salt.
fn said(stream: u16, number: usize, length: usize) -> Said {
    Said { stream, ppid: 53, payload: pattern(length, number) }
}

/// Which of the messages have arrived, in order of arrival.
fn numbers(got: &[Said], sent: &[Said]) -> Vec<usize> {
    let number = |one: &Said| sent.iter().position(|sent| sent == one).expect("as it was sent");
    got.iter().map(number).collect()
}

/// What a mode promises about the messages of a stream.
fn check(name: &str, link: &Link, got: &[Said], sent: &[Said], options: SendOptions) {
    let stream = |of: u16| got.iter().filter(|one| one.stream == of).cloned().collect::<Vec<_>>();
    let clean = link.loss == 0 && link.reorder == 0;
    for one in [0, 1] {
        let got = numbers(&stream(one), sent);
        let mut sorted = got.clone();
        sorted.sort_unstable();
        let length = sorted.len();
        sorted.dedup();
        assert_eq!(sorted.len(), length, "{name}, {options:?}: one came twice");
        assert!(
            options.unordered || sorted == got,
            "{name}, {options:?}, stream {one}: out of order: {got:?}"
        );
    }
    let timed = matches!(options.reliability, Reliability::Lifetime(_));
    if clean && !timed || options.reliability == Reliability::Reliable {
        assert_eq!(got.len(), sent.len(), "{name}, {options:?}: some are missing");
    }
}

/// Sends messages both ways and holds what arrives against what was promised.
fn play(name: &str, link: Link, theirs: Box<dyn Peer>, begins: Begins, options: SendOptions) {
    const LENGTHS: [usize; 10] = [1, 2, 1000, 1160, 1161, 5000, 3, 20_000, 60_000, 7];
    let mut meeting = meet(link, &config(), theirs, begins);
    let sent: Vec<Said> =
        (0..20).map(|number| said((number % 2) as u16, number, LENGTHS[number / 2])).collect();
    let timed = matches!(options.reliability, Reliability::Lifetime(_));
    for one in &sent {
        meeting.send(one.clone(), options);
        // See the module `dcsctp`: with interleaving only what leaves in one piece.
        let reliable = timed && meeting.ours.is_interleaved() && one.payload.len() > 1161;
        let theirs = if reliable { SendOptions::default() } else { options };
        meeting.they_send(one.clone(), theirs);
        meeting.run_for(Duration::from_millis(4));
    }
    meeting.run_for(Duration::from_secs(3));
    // Behind everything, on each stream: what was given up holds up nothing.
    let last: Vec<Said> = (0..2).map(|stream| said(stream, 100, 10)).collect();
    for one in &last {
        meeting.send(one.clone(), SendOptions::default());
        meeting.they_send(one.clone(), SendOptions::default());
    }
    let all = |got: &[Said]| last.iter().all(|last| got.contains(last));
    meeting.run_until(|meeting| all(&meeting.we_got()) && all(&meeting.they_got));
    let reliable = options.reliability == Reliability::Reliable;
    if reliable {
        let count = sent.len() + last.len();
        meeting.run_until(|meeting| meeting.got.len() == count && meeting.they_got.len() == count);
    }
    meeting.run_for(Duration::from_secs(1));
    let complaint = |told: &&Told| matches!(told, Told::Complained(_));
    assert_eq!(meeting.told.iter().find(complaint), None, "{name}");
    for (name, got) in
        [(format!("{name} to us"), meeting.we_got()), (format!("us to {name}"), meeting.they_got)]
    {
        let got: Vec<Said> = got.into_iter().filter(|one| !last.contains(one)).collect();
        check(&name, &link, &got, &sent, options);
    }
}

#[test]
fn every_mode_promises_the_same_with_every_peer() {
    for (name, other) in others() {
        for (number, options) in modes().into_iter().enumerate() {
            let begins = [Begins::We, Begins::They, Begins::Both][number % 3];
            // Both at once is nothing that sctp-proto could do.
            let begins =
                if begins == Begins::Both && name == "sctp-proto" { Begins::We } else { begins };
            play(name, Link::default(), other(), begins, options);
            for seed in 1..=seeds() {
                play(name, bad(seed * 10 + number as u64), other(), begins, options);
            }
        }
    }
}

#[test]
fn what_they_give_up_without_a_word_is_not_waited_for() {
    // A FORWARD TSN of theirs passes over the beginning of another message that will never be whole.
    let reliability = Reliability::Lifetime(Duration::from_millis(80));
    let options = SendOptions { unordered: false, reliability };
    for seed in [56, 57] {
        play("dcsctp", bad(seed), dcsctp::peer(&dcsctp::options()), Begins::We, options);
    }
}

#[test]
fn messages_of_a_mebibyte_go_both_ways() {
    for (name, other) in others() {
        for begins in [Begins::We, Begins::They] {
            let link = Link { loss: 10, reorder: 10, seed: 3, ..Link::default() };
            let mut meeting = meet(link, &config(), other(), begins);
            let long = said(1, 5, 1 << 20);
            meeting.send(long.clone(), SendOptions::default());
            meeting.they_send(long.clone(), SendOptions::default());
            meeting.run_until(|meeting| meeting.got.len() == 1 && meeting.they_got.len() == 1);
            assert!(meeting.we_got()[0] == long && meeting.they_got[0] == long, "{name}");
        }
    }
}

/// Chunks of a kind in packets of one side, and packets without a checksum.
fn count(meeting: &Meeting<talkie_proto::sctp::Association>, ours: bool, of: u8) -> (usize, usize) {
    let packets = meeting.sent.iter().filter(|(from, _)| *from == ours);
    packets.fold((0, 0), |(chunks, bare), (_, packet)| {
        let parsed = Packet::parse(packet).expect("a packet");
        let of_it = parsed.chunks().filter(|chunk| chunk.kind == of).count();
        (chunks + of_it, bare + usize::from(packet[8..12] == [0; 4]))
    })
}

#[test]
fn interleaving_and_zero_checksums_are_used_only_as_agreed() {
    for interleaving in [false, true] {
        for (ours_zero, theirs_zero) in [(false, true), (true, false), (true, true)] {
            for begins in [Begins::We, Begins::They, Begins::Both] {
                let mut options =
                    if theirs_zero { dcsctp::zero_checksum() } else { dcsctp::interleaving() };
                options.enable_message_interleaving = interleaving;
                let config = Config { zero_checksum: ours_zero, ..config() };
                let theirs = dcsctp::peer(&options);
                let mut meeting = meet(Link::default(), &config, theirs, begins);
                assert_eq!(meeting.ours.is_interleaved(), interleaving);
                for number in 0..4 {
                    meeting.send(said(0, number, 5000), SendOptions::default());
                    meeting.they_send(said(0, number, 5000), SendOptions::default());
                }
                meeting.run_until(|meeting| meeting.got.len() == 4 && meeting.they_got.len() == 4);
                for ours in [true, false] {
                    let (data, bare) = count(&meeting, ours, kind::DATA);
                    let (interleaved, _) = count(&meeting, ours, kind::I_DATA);
                    assert_eq!((data == 0, interleaved > 0), (interleaving, interleaving));
                    assert_eq!(bare > 10, ours_zero && theirs_zero, "{bare}");
                }
            }
        }
    }
}

#[test]
fn long_messages_hold_up_no_others_where_both_interleave() {
    for (interleaving, first) in [(true, 10), (false, 1 << 20)] {
        let options = if interleaving { dcsctp::interleaving() } else { dcsctp::options() };
        let mut meeting = meet(Link::default(), &config(), dcsctp::peer(&options), Begins::We);
        for number in 0..2 {
            let length = [1 << 20, 10][number];
            meeting.send(said(number as u16, number, length), SendOptions::default());
            meeting.they_send(said(number as u16, number, length), SendOptions::default());
        }
        meeting.run_until(|meeting| meeting.got.len() == 2 && meeting.they_got.len() == 2);
        assert_eq!(meeting.got[0].payload.len(), first);
        assert_eq!(meeting.they_got[0].payload.len(), first);
    }
}

#[test]
fn small_windows_slow_things_down_and_lose_nothing() {
    let clean = Link::default();
    // See the module `dcsctp`: on a bad link it would stand still.
    let small: [(MakePeer, Link); 4] = [
        (|| dcsctp::peer(&dcsctp_small(false)), clean),
        (|| dcsctp::peer(&dcsctp_small(true)), clean),
        (|| sctp_proto::peer(sctp_proto::config().with_max_receive_buffer_size(8000)), clean),
        (|| sctp_proto::peer(sctp_proto::config().with_max_receive_buffer_size(8000)), bad(7)),
    ];
    for (other, link) in small {
        let config = Config { receive_initial: 4000, receive_most: 8000, ..config() };
        let mut meeting = meet(link, &config, other(), Begins::We);
        let sent: Vec<Said> = (0..60).map(|number| said(0, number, 1 + number * 30)).collect();
        for one in &sent {
            meeting.send(one.clone(), SendOptions::default());
            meeting.they_send(one.clone(), SendOptions::default());
        }
        meeting.run_until(|meeting| meeting.got.len() == 60 && meeting.they_got.len() == 60);
        assert!(meeting.we_got() == sent && meeting.they_got == sent);
    }
}

#[test]
fn short_messages_of_theirs_are_not_refused_where_we_read_late() {
    const ALL: usize = 60_000;
    for options in [dcsctp::options(), dcsctp::interleaving()] {
        let mut meeting = meet(Link::default(), &config(), dcsctp::peer(&options), Begins::We);
        (0..ALL).for_each(|number| meeting.they_send(said(0, number, 10), SendOptions::default()));
        meeting.run_until(|meeting| meeting.got.len() > 5000);
        meeting.reads = false;
        meeting.run_for(Duration::from_secs(1));
        meeting.reads = true;
        let begun = meeting.now;
        meeting.run_until(|meeting| meeting.got.len() == ALL);
        let took = meeting.now - begun;
        let mut seen = std::collections::HashSet::new();
        for (_, packet) in meeting.sent.iter().filter(|(ours, _)| !ours) {
            for chunk in Packet::parse(packet).expect("a packet").chunks() {
                let data = matches!(chunk.kind, kind::DATA | kind::I_DATA);
                assert!(!data || seen.insert(chunk.value[..4].to_vec()), "one has left twice");
            }
        }
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

fn dcsctp_small(interleaving: bool) -> ::dcsctp::api::Options {
    let enable_message_interleaving = interleaving;
    let max_receiver_window_buffer_size = 8000;
    ::dcsctp::api::Options {
        enable_message_interleaving,
        max_receiver_window_buffer_size,
        ..dcsctp::options()
    }
}

#[test]
fn an_association_begins_with_init_chunks_from_signaling() {
    for link in [Link::default(), bad(4)] {
        let mut ours = association(3, &config());
        let (theirs, init) = sctp_proto::snap(ours.init_chunk());
        let now = super::birth();
        ours.connect_with(now, &init).expect("an INIT chunk");
        let mut meeting = Meeting::new(link, ours, theirs);
        meeting.theirs.connect(now);
        assert!(meeting.ours.is_established());
        let sent: Vec<Said> = (0..20).map(|number| said(0, number, 3000)).collect();
        for one in &sent {
            meeting.send(one.clone(), SendOptions::default());
            meeting.they_send(one.clone(), SendOptions::default());
        }
        meeting.run_until(|meeting| meeting.got.len() == 20 && meeting.they_got.len() == 20);
        assert!(meeting.we_got() == sent && meeting.they_got == sent);
        let init = |chunk| matches!(chunk, kind::INIT | kind::INIT_ACK | kind::COOKIE_ECHO);
        let shaken = meeting.sent.iter().any(|(_, packet)| {
            Packet::parse(packet)
                .is_some_and(|packet| packet.chunks().any(|chunk| init(chunk.kind)))
        });
        assert!(!shaken && meeting.events.contains(&Event::Connected));
    }
}
