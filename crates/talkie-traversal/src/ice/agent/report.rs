//! The agent's statistics.

use std::time::{Duration, Instant};

use super::Agent;
use super::generation::Generation;
use super::pair::{Pair, State};
use crate::ice::candidate::{Candidate, TcpType};
use crate::ice::stats::{
    CandidatePairState, CandidatePairStats, CandidateStats, Stats, TransportStats,
};

impl Agent {
    /// What the agent knows of itself now; of two generations, of that which carries data.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let generation = self.carrier().unwrap_or(&self.current);
        let mut pairs: Vec<&Pair> = generation.pairs.iter().collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.priority));
        let traffic = self.traffic;
        Stats {
            transport: TransportStats {
                selected_candidate_pair_id: generation.selected,
                selected_candidate_pair_changes: self.changes,
                ice_role: generation.role,
                ice_local_username_fragment: generation.session.local().username_fragment.clone(),
                ice_state: self.connection,
                packets_sent: traffic.packets_sent,
                packets_received: traffic.packets_received,
                bytes_sent: traffic.bytes_sent,
                bytes_received: traffic.bytes_received,
            },
            candidate_pairs: pairs.iter().map(|pair| self.pair_stats(pair)).collect(),
            local_candidates: local_stats(generation),
            remote_candidates: remote_stats(generation),
        }
    }

    fn pair_stats(&self, pair: &Pair) -> CandidatePairStats {
        let unix =
            |at: Instant| -> Duration { self.unix + at.saturating_duration_since(self.born) };
        let counts = pair.counts;
        CandidatePairStats {
            id: pair.id,
            local_candidate_id: pair.local,
            remote_candidate_id: pair.remote,
            state: match pair.state {
                State::Frozen => CandidatePairState::Frozen,
                State::Waiting => CandidatePairState::Waiting,
                State::InProgress => CandidatePairState::InProgress,
                State::Failed => CandidatePairState::Failed,
                State::Succeeded => CandidatePairState::Succeeded,
            },
            nominated: pair.nominated.is_some(),
            priority: pair.priority,
            packets_sent: counts.packets_sent,
            packets_received: counts.packets_received,
            bytes_sent: counts.bytes_sent,
            bytes_received: counts.bytes_received,
            last_packet_sent_timestamp: counts.last_sent.map(unix),
            last_packet_received_timestamp: counts.last_received.map(unix),
            total_round_trip_time: counts.total_round_trip,
            current_round_trip_time: pair.round_trip,
            requests_received: counts.requests_received,
            requests_sent: counts.requests_sent,
            responses_received: counts.responses_received,
            responses_sent: counts.responses_sent,
            consent_requests_sent: counts.consent_requests_sent,
            packets_discarded_on_send: counts.packets_discarded,
            bytes_discarded_on_send: counts.bytes_discarded,
        }
    }
}

fn local_stats(generation: &Generation) -> Vec<CandidateStats> {
    let locals = generation.locals.iter();
    locals.map(|local| candidate_stats(local.number, &local.candidate)).collect()
}

fn remote_stats(generation: &Generation) -> Vec<CandidateStats> {
    let remotes = generation.remotes.iter();
    remotes.map(|remote| candidate_stats(remote.number, &remote.candidate)).collect()
}

fn candidate_stats(id: u32, candidate: &Candidate) -> CandidateStats {
    CandidateStats {
        id,
        address: candidate.address.to_string(),
        port: candidate.port,
        protocol: candidate.protocol.word(),
        candidate_type: candidate.kind.word(),
        priority: candidate.priority,
        url: candidate.url.clone(),
        relay_protocol: candidate.relay_protocol,
        foundation: candidate.foundation.clone(),
        related_address: candidate.related_address().map(|address| address.to_string()),
        related_port: candidate.related_port(),
        username_fragment: candidate.username_fragment.clone(),
        tcp_type: candidate.tcp_type().map(TcpType::word),
    }
}
