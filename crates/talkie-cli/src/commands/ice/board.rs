//! The pairs of candidates as they are now: what the agent's statistics say, and what its stories say of why
//! one failed.

use std::collections::BTreeMap;
use std::time::Duration;

use talkie_traversal::ice::{
    CandidatePairState, CandidatePairStats, CandidateStats, Chapter, PairFailure, PairId, Stats,
    Story,
};

use super::words::place;

/// All pairs, those first that matter most.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Board {
    pub(super) rows: Vec<Row>,
    pub(super) packets_sent: u64,
    pub(super) packets_received: u64,
}

impl Board {
    /// How many pairs have had their turn. They come first.
    pub(super) fn tried(&self) -> usize {
        self.rows.iter().filter(|row| row.state < State::Waiting).count()
    }
}

/// One pair.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) id: PairId,
    pub(super) state: State,
    pub(super) is_selected: bool,
    pub(super) is_nominated: bool,
    pub(super) local: String,
    pub(super) remote: String,
    pub(super) round_trip: Option<Duration>,
    /// Why it does not work.
    pub(super) why: Option<PairFailure>,
}

/// How far a pair is, in the order in which it is shown: what has not had its turn tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Works,
    Silent,
    Checked,
    Failed,
    Waiting,
    Frozen,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Silent => "silent",
            Self::Checked => "checked",
            Self::Waiting => "waiting",
            Self::Frozen => "frozen",
            Self::Failed => "failed",
        }
    }
}

/// What stories have told of pairs.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<PairId, Fate>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Silent,
    Failed(PairFailure),
}

impl Told {
    pub(super) fn hear(&mut self, story: &Story) {
        match story.chapter {
            Chapter::Silent => self.0.insert(story.pair, Fate::Silent),
            Chapter::Failed(why) => self.0.insert(story.pair, Fate::Failed(why)),
            Chapter::Answered { .. } | Chapter::Selected | Chapter::Removed => {
                self.0.remove(&story.pair)
            }
            _ => None,
        };
    }

    /// What is told of pairs that are there no more is forgotten.
    pub(super) fn board(&mut self, stats: &Stats) -> Board {
        self.0.retain(|id, _| stats.candidate_pairs.iter().any(|pair| pair.id == *id));
        let selected = stats.transport.selected_candidate_pair_id;
        let rows = stats.candidate_pairs.iter().map(|pair| self.row(pair, stats, selected));
        let mut rows: Vec<Row> = rows.collect();
        // Of equals the one with the higher priority stays first.
        rows.sort_by_key(|row| (!row.is_selected, row.state));
        Board {
            rows,
            packets_sent: stats.transport.packets_sent,
            packets_received: stats.transport.packets_received,
        }
    }

    fn row(&self, pair: &CandidatePairStats, stats: &Stats, selected: Option<PairId>) -> Row {
        let fate = self.0.get(&pair.id);
        let state = match pair.state {
            CandidatePairState::Succeeded if fate == Some(&Fate::Silent) => State::Silent,
            CandidatePairState::Succeeded => State::Works,
            CandidatePairState::InProgress => State::Checked,
            CandidatePairState::Waiting => State::Waiting,
            CandidatePairState::Frozen => State::Frozen,
            CandidatePairState::Failed => State::Failed,
        };
        let why = match fate {
            Some(Fate::Failed(why)) if state == State::Failed => Some(*why),
            _ => None,
        };
        Row {
            id: pair.id,
            state,
            is_selected: selected == Some(pair.id),
            is_nominated: pair.nominated,
            local: end(&stats.local_candidates, pair.local_candidate_id),
            remote: end(&stats.remote_candidates, pair.remote_candidate_id),
            round_trip: pair.current_round_trip_time,
            why,
        }
    }
}

/// `srflx 198.51.100.7:5000`.
fn end(candidates: &[CandidateStats], id: u32) -> String {
    let Some(candidate) = candidates.iter().find(|candidate| candidate.id == id) else {
        return "?".to_owned();
    };
    let kind = candidate.candidate_type;
    let tcp = if candidate.tcp_type.is_some() { "/tcp" } else { "" };
    format!("{kind}{tcp} {}", place(&candidate.address, candidate.port))
}

#[cfg(test)]
mod tests {
    use talkie_traversal::ice::{Agent, Config, Parameters};

    use super::*;

    fn stats(states: &[CandidatePairState]) -> Stats {
        let mut genesis = talkie_net::genesis().unwrap();
        genesis.seed = [1; 32];
        let mut agent = Agent::new(&genesis, Config::default());
        let theirs = Parameters::new("abcd", "0123456789abcdefghijkl").unwrap();
        agent.set_remote_parameters(genesis.now, theirs);
        let mut stats = agent.stats();
        let pairs = states.iter().zip(0..).map(|(state, number)| CandidatePairStats {
            state: *state,
            priority: 100 - u64::from(number),
            ..CandidatePairStats::new(PairId(number), 0, 0)
        });
        stats.candidate_pairs = pairs.collect();
        stats
    }

    fn story(pair: u32, chapter: Chapter) -> Story {
        let [base, remote] = ["10.0.0.1:1", "192.0.2.1:2"].map(|text| text.parse().unwrap());
        Story { pair: PairId(pair), base, remote, chapter }
    }

    #[test]
    fn what_carries_data_comes_first_and_what_failed_has_its_reason() {
        use CandidatePairState::{Failed, InProgress, Succeeded};
        let mut stats = stats(&[Failed, InProgress, Succeeded, Succeeded]);
        stats.transport.selected_candidate_pair_id = Some(PairId(3));
        let mut told = Told::default();
        told.hear(&story(0, Chapter::Failed(PairFailure::TimedOut)));
        told.hear(&story(2, Chapter::Silent));
        let board = told.board(&stats);
        let rows: Vec<_> = board.rows.iter().map(|row| (row.id.0, row.state.word())).collect();
        assert_eq!(rows, [(3, "works"), (2, "silent"), (1, "checked"), (0, "failed")]);
        assert_eq!(board.rows[3].why, Some(PairFailure::TimedOut));
        let mapped = "192.0.2.7:1".parse().unwrap();
        told.hear(&story(2, Chapter::Answered { round_trip: None, mapped }));
        assert_eq!(told.board(&stats).rows[1].state, State::Works);
    }
}
