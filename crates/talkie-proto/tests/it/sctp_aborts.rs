//! What ends an association at once and what only looks like it (RFC 9260 §3.3.7, §8.5.1).

use talkie_proto::sctp::End;
use talkie_proto::sctp::wire::{Header, Writer, error, kind};

use crate::sctp_hostile::{Known, ended, known, packet};
use crate::sctp_world::{ADA, BOB};

fn abort(tag: u32, flags: u8, value: &[u8]) -> Vec<u8> {
    packet(tag, kind::ABORT, flags, |buf| buf.extend_from_slice(value))
}

#[test]
fn an_abort_with_a_format_error_is_dropped() {
    let broken: [&[u8]; 7] = [
        &[0],
        &[0, 12, 0],
        // Shorter than its own header.
        &[0, 12, 0, 0],
        &[0, 12, 0, 3],
        // Longer than the chunk.
        &[0, 12, 0, 9, 1, 2, 3, 4],
        &[0, 12, 255, 255],
        // The second of two.
        &[0, 12, 0, 4, 0, 13, 0, 0],
    ];
    for value in broken {
        let Known { mut world, tags, .. } = known();
        world.inject(BOB, &abort(tags[BOB], 0, value));
        world.inject(BOB, &abort(tags[ADA], 1, value));
        assert_eq!(ended(&world, BOB), None, "{value:?}");
        assert_eq!(world.ends[BOB].counters().unexpected, 2);
    }
    // A chunk that is longer than its packet is none.
    let Known { mut world, tags, .. } = known();
    for length in [0, 3, 5, 200] {
        let mut bytes = packet(tags[BOB], kind::PAD, 0, |_| {});
        bytes.truncate(12);
        bytes[8..12].fill(0);
        bytes.extend_from_slice(&[kind::ABORT, 0, 0, length]);
        world.inject(BOB, &bytes);
    }
    assert_eq!(ended(&world, BOB), None);
}

#[test]
fn an_abort_tells_its_first_cause_if_there_is_one() {
    let causes: [(&[u8], _); 4] = [
        (&[], None),
        (&[0, 12, 0, 4], Some(error::USER_ABORT)),
        // The padding of the last may be missing.
        (&[0, 13, 0, 5, 7], Some(error::PROTOCOL_VIOLATION)),
        (&[0, 13, 0, 5, 7, 0, 0, 0, 0, 12, 0, 4], Some(error::PROTOCOL_VIOLATION)),
    ];
    for (value, cause) in causes {
        let Known { mut world, tags, .. } = known();
        world.inject(BOB, &abort(tags[BOB], 0, value));
        assert_eq!(ended(&world, BOB), Some(End::AbortedByPeer(cause)));
    }
}

/// The tag has to be our own, or with the T bit the peer's; nothing else ends it.
#[test]
fn each_chunk_with_a_t_bit_is_held_against_the_tag_of_its_packet() {
    for first in [kind::ABORT, kind::SHUTDOWN_COMPLETE] {
        let Known { mut world, tags, .. } = known();
        world.inject(BOB, &packet(tags[BOB], first, 1, |_| {}));
        world.inject(BOB, &packet(tags[ADA], first, 0, |_| {}));
        assert_eq!(ended(&world, BOB), None);
        assert_eq!(world.ends[BOB].counters().wrong_tag, 2);
        // Behind a chunk for which the tag is right.
        let mut bytes = Vec::new();
        let header = Header { source: 5000, destination: 5000, tag: tags[BOB] };
        let mut writer = Writer::new(&mut bytes, header);
        writer.chunk(kind::PAD, 0, |_| {});
        writer.chunk(first, 1, |_| {});
        writer.finish(true);
        world.inject(BOB, &bytes);
        assert_eq!(ended(&world, BOB), None);
        assert_eq!(world.ends[BOB].counters().wrong_tag, 3);
    }
    for (flags, end) in [(0, BOB), (1, ADA)] {
        let Known { mut world, tags, .. } = known();
        world.inject(BOB, &abort(tags[end], flags, &[]));
        assert_eq!(ended(&world, BOB), Some(End::AbortedByPeer(None)));
    }
}
