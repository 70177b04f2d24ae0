//! ICE: Interactive Connectivity Establishment (RFC 8445).
//!
//! Two hosts, each behind whatever NATs and firewalls, find the best path between them. Each gathers
//! [candidates](Candidate) — addresses at which it may be reached — and tells them to the other by some
//! way that exists already; then both check pairs of them at the same time and agree on one.
//!
//! One [`Agent`] is one transport of one component, which is what bundled, multiplexed WebRTC needs
//! (RFC 9143, RFC 5761).

mod agent;
mod attribute;
mod candidate;
mod config;
mod event;
pub mod gather;
pub mod mux;
mod parameters;
pub mod predict;
pub mod priority;
mod stats;

pub use agent::{AddError, Agent, Counters, SendError};
pub use attribute::{Attribute, Flaw, ParseError, RemoteCandidate};
pub use candidate::{Candidate, CandidateAddress, CandidateType, Protocol, TcpType};
pub use config::{Config, Limits, Pace, Role, Timers};
pub use event::{
    Chapter, ConnectionState, Event, GatheringState, Pair, PairFailure, PairId, Story,
};
pub use parameters::{Options, Parameters};
pub use stats::{CandidatePairState, CandidatePairStats, CandidateStats, Stats, TransportStats};
