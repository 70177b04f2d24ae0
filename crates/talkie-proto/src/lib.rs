//! WebRTC's protocols as machines without I/O: SCTP as data channels use it (RFC 9260, RFC 8261).

pub mod sctp;
