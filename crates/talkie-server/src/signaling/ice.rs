//! Where a session's ICE servers come from. The relay implements [`IceServers`]; signaling asks it
//! at each welcome and again when three quarters of a grant's life are over.

use std::time::Duration;

use serde::Serialize;

use super::Client;

/// One entry of `RTCConfiguration.iceServers`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` URLs.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl std::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The credential is a secret.
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// What a session may use, and for how long.
#[derive(Clone, Debug, Default)]
pub struct IceGrant {
    /// The servers, best first.
    pub servers: Vec<IceServer>,
    /// How long their credentials are good; zero: for ever.
    pub ttl: Duration,
    /// `stun:` URLs of sockets that differ in their port or address alone, for a page that wants to
    /// know how its NAT maps; empty if there are no two. They are apart from `servers`, since each
    /// one there costs every socket of every call a request.
    pub discovery: Vec<String>,
}

/// Issues ICE servers with credentials to clients.
pub trait IceServers: Send + Sync {
    /// A fresh grant for a session. Must not block: it is called on the socket's task.
    fn issue(&self, client: &Client, session: &str) -> IceGrant;
}
