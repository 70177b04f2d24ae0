//! Statistics with the W3C's names (webrtc-stats §8.12 to §8.15), in snake_case.
//!
//! Times are since the Unix epoch, spans in seconds as the W3C has them are [`Duration`]s here.

use std::time::Duration;

use talkie_sansio::Transport;

use super::config::Role;
use super::event::{ConnectionState, PairId};

/// What an agent knows of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    /// The transport as a whole.
    pub transport: TransportStats,
    /// The pairs, the best first.
    pub candidate_pairs: Vec<CandidatePairStats>,
    /// This side's candidates.
    pub local_candidates: Vec<CandidateStats>,
    /// The other side's.
    pub remote_candidates: Vec<CandidateStats>,
}

/// The ICE part of `RTCTransportStats`.
#[derive(Clone, Debug, PartialEq)]
pub struct TransportStats {
    /// The pair that data takes.
    pub selected_candidate_pair_id: Option<PairId>,
    /// How often it has changed, restarts included.
    pub selected_candidate_pair_changes: u32,
    /// The role.
    pub ice_role: Role,
    /// This side's user name fragment.
    pub ice_local_username_fragment: String,
    /// How far the connection is.
    pub ice_state: ConnectionState,
    /// Datagrams of data sent, over all pairs that there ever were.
    pub packets_sent: u64,
    /// Datagrams of data received.
    pub packets_received: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Their bytes.
    pub bytes_received: u64,
}

/// `RTCStatsIceCandidatePairState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CandidatePairState {
    /// Waits until one that looks alike has worked.
    Frozen,
    /// Waits for its turn.
    Waiting,
    /// A check is under way.
    InProgress,
    /// It will not be used.
    Failed,
    /// It works.
    Succeeded,
}

impl CandidatePairState {
    /// The W3C's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Waiting => "waiting",
            Self::InProgress => "in-progress",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
        }
    }
}

/// `RTCIceCandidatePairStats`.
#[derive(Clone, Debug, PartialEq)]
pub struct CandidatePairStats {
    /// Names it.
    pub id: PairId,
    /// The [`CandidateStats::id`] of ours.
    pub local_candidate_id: u32,
    /// The [`CandidateStats::id`] of theirs.
    pub remote_candidate_id: u32,
    /// Its state.
    pub state: CandidatePairState,
    /// Whether both sides have agreed on it.
    pub nominated: bool,
    /// RFC 8445 §6.1.2.3.
    pub priority: u64,
    /// Datagrams of data sent.
    pub packets_sent: u64,
    /// Datagrams of data received.
    pub packets_received: u64,
    /// Bytes of data sent.
    pub bytes_sent: u64,
    /// Bytes of data received.
    pub bytes_received: u64,
    /// When data was sent last.
    pub last_packet_sent_timestamp: Option<Duration>,
    /// When data was received last.
    pub last_packet_received_timestamp: Option<Duration>,
    /// The sum of all round trips measured.
    pub total_round_trip_time: Duration,
    /// The last round trip.
    pub current_round_trip_time: Option<Duration>,
    /// Checks received, repeated ones included, but none that could not be proven.
    pub requests_received: u64,
    /// Checks sent; one that is repeated counts once.
    pub requests_sent: u64,
    /// Answers received.
    pub responses_received: u64,
    /// Answers sent.
    pub responses_sent: u64,
    /// Of the checks sent, those that asked whether consent goes on.
    pub consent_requests_sent: u64,
    /// Datagrams of data that found no room.
    pub packets_discarded_on_send: u64,
    /// Their bytes.
    pub bytes_discarded_on_send: u64,
}

impl CandidatePairStats {
    /// A pair of these two candidates with which nothing has happened yet.
    #[must_use]
    pub fn new(id: PairId, local_candidate_id: u32, remote_candidate_id: u32) -> Self {
        Self {
            id,
            local_candidate_id,
            remote_candidate_id,
            state: CandidatePairState::Frozen,
            nominated: false,
            priority: 0,
            packets_sent: 0,
            packets_received: 0,
            bytes_sent: 0,
            bytes_received: 0,
            last_packet_sent_timestamp: None,
            last_packet_received_timestamp: None,
            total_round_trip_time: Duration::ZERO,
            current_round_trip_time: None,
            requests_received: 0,
            requests_sent: 0,
            responses_received: 0,
            responses_sent: 0,
            consent_requests_sent: 0,
            packets_discarded_on_send: 0,
            bytes_discarded_on_send: 0,
        }
    }
}

/// `RTCIceCandidateStats`.
#[derive(Clone, Debug, PartialEq)]
pub struct CandidateStats {
    /// Names it.
    pub id: u32,
    /// The address, or the name that hides it.
    pub address: String,
    /// The port.
    pub port: u16,
    /// `udp` or `tcp`.
    pub protocol: &'static str,
    /// `host`, `srflx`, `prflx` or `relay`.
    pub candidate_type: &'static str,
    /// Its priority.
    pub priority: u32,
    /// The server it was learned from.
    pub url: Option<String>,
    /// How this side speaks to the relay.
    pub relay_protocol: Option<Transport>,
    /// Its foundation.
    pub foundation: String,
    /// The base's address.
    pub related_address: Option<String>,
    /// The base's port.
    pub related_port: Option<u16>,
    /// The generation that it belongs to.
    pub username_fragment: Option<String>,
    /// How a TCP candidate takes part.
    pub tcp_type: Option<&'static str>,
}
