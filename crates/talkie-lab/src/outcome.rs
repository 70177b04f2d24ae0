//! How two peers met, or that they did not.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// What became of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Packets go from NAT to NAT.
    Direct {
        /// The time from the first check until the last of the two sides knew it.
        after: Duration,
    },
    /// They go by the server.
    Relayed {
        /// Likewise.
        after: Duration,
    },
    /// There is no way.
    Failed,
}

/// What became of many attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All were direct.
    Direct {
        /// The median.
        after: Duration,
    },
    /// Some were.
    Sometimes {
        /// How many of them.
        direct: usize,
        /// Of how many.
        of: usize,
    },
    /// None was direct, and not all failed.
    Relay,
    /// None worked.
    Failed,
}

/// The words that stand for a verdict in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// See [`Verdict::Direct`].
    Direct,
    /// See [`Verdict::Sometimes`].
    Sometimes,
    /// See [`Verdict::Relay`].
    Relay,
    /// See [`Verdict::Failed`].
    None,
}

impl Outcome {
    /// Whether packets go from NAT to NAT.
    #[must_use]
    pub fn is_direct(self) -> bool {
        matches!(self, Self::Direct { .. })
    }
}

impl Verdict {
    /// The sum of the outcomes, which are not none.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut direct: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Direct { after } => Some(*after),
                _ => None,
            })
            .collect();
        direct.sort_unstable();
        match direct.get(direct.len() / 2) {
            Some(after) if direct.len() == outcomes.len() => Self::Direct { after: *after },
            Some(_) => Self::Sometimes { direct: direct.len(), of: outcomes.len() },
            None if outcomes.iter().any(|outcome| *outcome != Outcome::Failed) => Self::Relay,
            None => Self::Failed,
        }
    }

    /// What it is, without figures.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Direct { .. } => Kind::Direct,
            Self::Sometimes { .. } => Kind::Sometimes,
            Self::Relay => Kind::Relay,
            Self::Failed => Kind::None,
        }
    }

    /// In as many columns as there are, three or more.
    #[must_use]
    pub fn label(self, columns: usize) -> String {
        match self {
            Self::Direct { after } if columns >= 7 => format!("{} ms", milliseconds(after)),
            Self::Direct { after } => match milliseconds(after) {
                ms @ ..1000 => ms.to_string(),
                ms => format!("{}s", (ms + 500) / 1000),
            },
            Self::Sometimes { direct, of } => format!("{}%", percent(direct, of)),
            Self::Relay if columns >= 5 => "relay".into(),
            Self::Relay => "R".into(),
            Self::Failed if columns >= 5 => "none".into(),
            Self::Failed => "×".into(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct { after } => write!(f, "direct after {} ms", milliseconds(*after)),
            Self::Sometimes { direct, of } => {
                write!(f, "direct in {}% of {of} runs, else relayed", percent(*direct, *of))
            }
            Self::Relay => f.write_str("relayed"),
            Self::Failed => f.write_str("no connection"),
        }
    }
}

/// The nearest whole percent that isn't a lie: some is never 0, and not all is never 100.
fn percent(part: usize, of: usize) -> usize {
    ((part * 200 + of) / (2 * of.max(1))).clamp(1, 99)
}

pub(crate) fn milliseconds(span: Duration) -> u128 {
    (span.as_micros() + 500) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn direct(ms: u64) -> Outcome {
        Outcome::Direct { after: Duration::from_millis(ms) }
    }

    const RELAYED: Outcome = Outcome::Relayed { after: Duration::from_millis(900) };

    #[test]
    fn only_attempts_that_all_were_direct_are_called_so() {
        let sum = |outcomes: &[Outcome]| Verdict::of(outcomes).to_string();
        assert_eq!(sum(&[direct(80), direct(300), direct(90)]), "direct after 90 ms");
        assert_eq!(sum(&[direct(80), RELAYED]), "direct in 50% of 2 runs, else relayed");
        assert_eq!(sum(&[RELAYED, Outcome::Failed]), "relayed");
        assert_eq!(sum(&[Outcome::Failed]), "no connection");
        let mut nearly = vec![direct(80); 999];
        nearly.push(RELAYED);
        assert_eq!(sum(&nearly), "direct in 99% of 1000 runs, else relayed");
    }

    #[test]
    fn labels_fit_their_columns() {
        let verdicts = [
            Verdict::Direct { after: Duration::from_millis(80) },
            Verdict::Direct { after: Duration::from_millis(1740) },
            Verdict::Sometimes { direct: 1, of: 3 },
            Verdict::Relay,
            Verdict::Failed,
        ];
        let labels = |columns| verdicts.map(|verdict| verdict.label(columns)).join(" ");
        assert_eq!(labels(3), "80 2s 33% R ×");
        assert_eq!(labels(5), "80 2s 33% relay none");
        assert_eq!(labels(8), "80 ms 1740 ms 33% relay none");
    }
}
