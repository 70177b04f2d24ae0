//! Why nothing was tried, or not to the end.

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
    /// This host does not do its part.
    #[error("cannot try: {0}")]
    Local(String),
}

impl PairError {
    pub(super) fn local(why: &dyn std::fmt::Display) -> Self {
        Self::Local(why.to_string())
    }
}
