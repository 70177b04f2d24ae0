//! WebRTC's protocols as machines without I/O: SCTP as data channels use it (RFC 9260, RFC 8261), and data
//! channels (RFC 8831, RFC 8832).

pub mod datachannel;
pub mod sctp;
