use std::fmt;
use std::net::SocketAddr;

/// What did not work while gathering: the W3C's `RTCPeerConnectionIceErrorEvent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The server, as it was configured; none if it is this host's own.
    pub url: Option<String>,
    /// Our address that the server was asked from, if it was a single one.
    pub address: Option<SocketAddr>,
    /// The server's STUN error code, or [`UNREACHABLE`](Self::UNREACHABLE).
    pub code: u16,
    /// What it means.
    pub text: String,
}

impl Problem {
    /// No address of this host reaches the server (W3C webrtc-pc §4.8.3).
    pub const UNREACHABLE: u16 = 701;
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.url {
            Some(url) => write!(f, "{url}: {} ({})", self.text, self.code),
            None => write!(f, "{} ({})", self.text, self.code),
        }
    }
}

/// Why a packet is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no such base, or it is there no longer.
    #[error("there is nothing to send from")]
    NoBase,
    /// The base cannot reach such an address.
    #[error("the address cannot be reached from there")]
    Unreachable,
    /// The relay does not let packets through to this address.
    #[error("the relay forbids it")]
    Forbidden,
    /// Not now: too many packets wait, or a relay that was out of reach is asked again in a moment.
    #[error("too many packets wait")]
    Full,
    /// It does not fit into a datagram.
    #[error("the packet is too long")]
    TooLong,
}
