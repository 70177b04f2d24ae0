//! Data between clients and peers (RFC 8656 §9 to §12).

use talkie_sansio::{Path, Transport};

use crate::turn_world::{
    Client, World, addr, channel_data, config, read_data, secs, send_indication,
};

const PEER: &str = "8.8.8.8:5000";

#[test]
fn data_passes_both_ways_by_indication_and_by_channel() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    let relayed = ann.allocate(&mut world);
    assert_eq!(relayed.ip(), addr(crate::turn_world::SERVER).ip());
    let bound = world.open_relays()[0];
    assert_eq!(bound.port(), relayed.port());
    let to_peer = Path { transport: Transport::Udp, local: bound, remote: addr(PEER) };

    // Nothing passes without a permission.
    assert_eq!(world.exchange(ann.path, &send_indication(addr(PEER), b"x")), None);
    assert_eq!(world.exchange(to_peer, b"x"), None);

    assert_eq!(ann.permit(&mut world, "8.8.8.8:1"), 0);
    let sent = world.exchange(ann.path, &send_indication(addr(PEER), b"hello")).unwrap();
    assert_eq!(sent, (to_peer, b"hello".to_vec()));
    let (path, bytes) = world.exchange(to_peer, b"world!").unwrap();
    assert_eq!(path, ann.path);
    assert_eq!(read_data(&bytes), (addr(PEER), b"world!".to_vec()));

    assert_eq!(ann.bind(&mut world, 0x4000, addr(PEER)), 0);
    let sent = world.exchange(ann.path, &channel_data(0x4000, b"again")).unwrap();
    assert_eq!(sent, (to_peer, b"again".to_vec()));
    let sent = world.exchange(to_peer, b"and back").unwrap();
    assert_eq!(sent, (ann.path, channel_data(0x4000, b"and back")));
    // Another port of the permitted address has no channel.
    let other = Path { remote: addr("8.8.8.8:5001"), ..to_peer };
    let (_, bytes) = world.exchange(other, b"").unwrap();
    assert_eq!(read_data(&bytes), (addr("8.8.8.8:5001"), Vec::new()));

    let stats = world.server.stats();
    assert_eq!((stats.to_peers.packets, stats.to_peers.bytes), (2, 10));
    assert_eq!((stats.to_clients.packets, stats.to_clients.bytes), (3, 14));
    assert_eq!(stats.drops.no_permission, 2);
    world.elapse(secs(1));
}
