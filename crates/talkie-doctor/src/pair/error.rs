//! Why nothing was tried, or not to the end.

use std::time::Duration;

use talkie_signaling::pair::MeetError;

/// Why nothing was tried, or not to the end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairError {
    /// It was ended from here.
    #[error("stopped")]
    Stopped,
    /// The two do not meet, or not any more.
    #[error(transparent)]
    Meet(#[from] MeetError),
    /// The other side says nothing.
    #[error("the other side has said nothing for {} s", .0.as_secs())]
    Silent(Duration),
    /// The other side's version can't be talked to.
    #[error(
        "the other side has talkie {theirs}, which this one ({ours}) does not understand; use the same version on both"
    )]
    Version {
        /// This program's.
        ours: &'static str,
        /// The other's.
        theirs: String,
    },
    /// This host does not do its part.
    #[error("cannot try: {0}")]
    Local(String),
}

impl PairError {
    pub(super) fn local(why: &dyn std::fmt::Display) -> Self {
        Self::Local(why.to_string())
    }
}
