//! What bounds memory reckons with what a message takes beside its bytes.

use bytes::Bytes;
use talkie_proto::sctp::{Config, SendError, SendOptions};

use crate::sctp_world::{ADA, Link, World};

#[test]
fn the_shortest_messages_fill_the_send_buffer_long_before_their_bytes_do() {
    let config = Config { send_buffer: 1 << 20, ..Config::default() };
    let mut world = World::with(Link::default(), &config, &config);
    world.connect();
    let now = world.now;
    let send = |world: &mut World, payload: Bytes| {
        world.ends[ADA].send(now, 0, 51, payload, SendOptions::default())
    };
    let mut messages = 0;
    while send(&mut world, Bytes::from_static(b"x")).is_ok() {
        messages += 1;
        assert!(messages < 10_000, "a megabyte has no room for so many");
    }
    assert_eq!(send(&mut world, Bytes::from_static(b"x")), Err(SendError::Full));
    assert_eq!(world.ends[ADA].buffered(), messages);
    assert!(messages > 5000);
    // Once they have left there is room again, for one of any length too.
    world.run_for(std::time::Duration::from_secs(5));
    assert_eq!(world.ends[ADA].buffered(), 0);
    assert_eq!(send(&mut world, Bytes::from(vec![0; 200_000])), Ok(()));
}
