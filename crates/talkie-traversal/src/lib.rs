//! NAT traversal as protocol machines without I/O: STUN (RFC 8489), TURN (RFC 8656),
//! and the discovery of what NAT there is (RFC 5780).

pub mod demux;
pub mod discover;
pub mod stun;
pub mod turn;
