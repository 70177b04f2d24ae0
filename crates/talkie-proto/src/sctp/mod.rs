//! SCTP (RFC 9260) as WebRTC uses it: one association, one path, over DTLS (RFC 8261).

pub mod congestion;
