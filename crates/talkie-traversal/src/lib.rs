//! NAT traversal as protocol machines without I/O: STUN (RFC 8489), TURN (RFC 8656),
//! the discovery of what NAT there is (RFC 5780), port mappings by the gateway, and ICE (RFC 8445).

pub mod demux;
pub mod discover;
pub mod ice;
pub mod mdns;
pub mod portmap;
pub mod stun;
pub mod turn;
pub mod uri;
