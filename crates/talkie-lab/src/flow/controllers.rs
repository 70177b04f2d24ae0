//! Congestion controllers by name.

use std::fmt;
use std::str::FromStr;

use talkie_proto::sctp::congestion::Algorithm;

/// What decides how fast a flow sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// What talkie uses if nothing is said.
    Adaptive,
    /// RFC 9438, as most TCP senders.
    Cubic,
    /// draft-ietf-ccwg-bbr.
    Bbr,
    /// RFC 9260 §7.2, as most SCTP senders.
    NewReno,
}

/// A controller that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no congestion controller is called `{name}`; there are {}", Controller::names())]
pub struct UnknownController {
    /// What was asked for.
    pub name: String,
}

impl Controller {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Adaptive, Self::Cubic, Self::Bbr, Self::NewReno];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Adaptive => "adaptive",
            Self::Cubic => "cubic",
            Self::Bbr => "bbr",
            Self::NewReno => "newreno",
        }
    }

    /// All names in a sentence.
    fn names() -> String {
        let [first @ .., last] = Self::ALL.map(Self::name);
        format!("{} and {last}", first.join(", "))
    }

    pub(super) fn algorithm(self) -> Algorithm {
        match self {
            Self::Adaptive => Algorithm::Adaptive,
            Self::Cubic => Algorithm::Cubic,
            Self::Bbr => Algorithm::Bbr,
            Self::NewReno => Algorithm::NewReno,
        }
    }
}

impl FromStr for Controller {
    type Err = UnknownController;

    fn from_str(name: &str) -> Result<Self, UnknownController> {
        let folded: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let known = Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(&folded));
        known.ok_or_else(|| UnknownController { name: name.to_owned() })
    }
}

impl fmt::Display for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_write_them() {
        for (name, expected) in [
            ("adaptive", Controller::Adaptive),
            ("CUBIC", Controller::Cubic),
            ("new-reno", Controller::NewReno),
            ("NewReno", Controller::NewReno),
        ] {
            assert_eq!(name.parse(), Ok(expected));
        }
        let error = "vegas".parse::<Controller>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "no congestion controller is called `vegas`; there are adaptive, cubic, bbr and newreno"
        );
    }
}
