//! What an operator may set. The defaults are the ones that `docs/signaling.md` promises.

use std::time::Duration;

use super::Card;

/// Limits and times of the signaling server.
#[derive(Clone, Debug)]
pub struct SignalingConfig {
    /// Largest frame in bytes. An offer with many codecs and candidates is some 10 kB.
    pub message_bytes: usize,
    /// Lasting rate of messages per session. A peer that trickles candidates to five others sends
    /// some hundred messages in its first second and hardly any later.
    pub messages_per_second: u32,
    /// Messages that may come at once above the rate.
    pub burst: u32,
    /// How long a session may keep sending too fast before it is ended.
    pub flood_patience: Duration,
    /// Malformed messages after which a session is ended.
    pub bad_messages: u32,
    /// Peers in a room: in a mesh of six each encodes for five others, what a laptop still does.
    pub room_peers: usize,
    /// Those who may wait before a locked room: 8, as many as people look through at a glance.
    pub room_knocks: usize,
    /// Lasting rate of knocks at one room. Who knocks and goes, again and again, would otherwise
    /// bury those inside in messages, against whom the lock is to protect them.
    pub knocks_per_second: u32,
    /// Knocks at one room that may come at once above the rate.
    pub knock_burst: u32,
    /// Rooms that one address has made and that are still open.
    pub rooms_per_address: usize,
    /// Rooms in this process.
    pub rooms: usize,
    /// Sessions of one address: a household or an office behind one NAT.
    pub sessions_per_address: usize,
    /// Sessions in this process.
    pub sessions: usize,
    /// Messages that may wait for a client's acknowledgement.
    pub replay_messages: usize,
    /// Their bytes.
    pub replay_bytes: usize,
    /// The bytes of all sessions of one address: 32 MiB, 32 clients that are as far behind as one
    /// may be. Without this bound its 256 sessions could keep 256 MiB.
    pub replay_bytes_per_address: usize,
    /// The bytes of all sessions: 256 MiB, an offer of 13 kB for each of the 20,000 at the same time.
    /// Without this bound 625 addresses could keep 20 GB. Small messages take up to twice their
    /// bytes in memory.
    pub replay_bytes_total: usize,
    /// A socket must say `hello` within this time.
    pub hello_within: Duration,
    /// A client pings at least this often; a socket silent for twice as long is given up.
    pub heartbeat: Duration,
    /// How long a session outlives its socket.
    pub resume_within: Duration,
    /// How long an acknowledgement may wait for company. The protocol allows a second.
    pub ack_within: Duration,
    /// A socket must take a message within this time.
    pub write_within: Duration,
    /// How long a socket is kept open after its last message, so that the client reads it before
    /// the connection is torn down.
    pub linger: Duration,
    /// Origins (`https://example.org`) that may connect beside the one that the page came from:
    /// for a reverse proxy that rewrites `Host`, or an app on another host.
    pub origins: Vec<String>,
}

impl Default for SignalingConfig {
    fn default() -> Self {
        Self {
            message_bytes: 65_536,
            messages_per_second: 50,
            burst: 200,
            flood_patience: Duration::from_secs(10),
            bad_messages: 10,
            room_peers: 6,
            room_knocks: 8,
            knocks_per_second: 2,
            knock_burst: 32,
            rooms_per_address: 32,
            rooms: 20_000,
            sessions_per_address: 256,
            sessions: 20_000,
            replay_messages: 256,
            replay_bytes: 1 << 20,
            replay_bytes_per_address: 32 << 20,
            replay_bytes_total: 256 << 20,
            hello_within: Duration::from_secs(10),
            heartbeat: Duration::from_secs(15),
            resume_within: Duration::from_secs(30),
            ack_within: Duration::from_millis(250),
            write_within: Duration::from_secs(10),
            linger: Duration::from_secs(1),
            origins: Vec::new(),
        }
    }
}

impl SignalingConfig {
    /// Sockets of one address: each session's own and, for the moment of a resume, its successor.
    pub(super) fn sockets_per_address(&self) -> usize {
        self.sessions_per_address.saturating_mul(2)
    }

    /// What may wait to be written to a socket beside its outbox: one frame of any kind. Without
    /// this bound the answers to the pings of a client that reads nothing would pile up.
    pub(super) fn write_buffer(&self) -> usize {
        // A peer's id, its name of 64 characters of at most 4 bytes, its card; and all else there
        // is.
        let joined = self.room_peers.saturating_mul(512 + Card::MAX_CHARACTERS);
        self.message_bytes.saturating_add(joined).saturating_add(16_384)
    }

    /// Sockets in this process, by the same reasoning.
    pub(super) fn sockets(&self) -> usize {
        self.sessions.saturating_mul(2)
    }
}
