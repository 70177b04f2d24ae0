//! NAT traversal as protocol machines without I/O: STUN (RFC 8489) and TURN (RFC 8656).

pub mod demux;
pub mod stun;
pub mod turn;
