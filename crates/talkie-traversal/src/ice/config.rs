//! What an agent is told at birth.

use std::time::Duration;

use super::gather;

/// Which of the two agents decides (RFC 8445 §6.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It nominates the pair that is used. Usually who made the offer.
    #[default]
    Controlling,
    /// It takes what the other nominates.
    Controlled,
}

impl Role {
    /// The W3C's word for it (`RTCIceRole`).
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Controlling => "controlling",
            Self::Controlled => "controlled",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Controlling => Self::Controlled,
            Self::Controlled => Self::Controlling,
        }
    }
}

/// What an agent is told at birth. The default works between hosts that reach each other directly.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The role to begin with. A conflict is repaired (RFC 8445 §7.3.1.1), so a wrong guess costs one
    /// round trip.
    pub role: Role,
    /// What is gathered, and from whom.
    pub gather: gather::Config,
    /// Whether the other side is told random names in place of this host's addresses, which only the
    /// local network gets an answer for (draft-ietf-mmusic-mdns-ice-candidates). Names of the other side
    /// are asked for in any case.
    pub hide_addresses: bool,
    /// How the checks are spread.
    pub pace: Pace,
    /// How long things take.
    pub timers: Timers,
    /// The bounds of what the other side can make this one keep or do.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            role: Role::Controlling,
            gather: gather::Config::default(),
            hide_addresses: false,
            pace: Pace::default(),
            timers: Timers::default(),
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// With spans that can be added to any time without an overflow (whoever wants one never to end gives the
    /// longest that there is), and with some time between two questions.
    pub(super) fn bounded(mut self) -> Self {
        let Timers {
            consent_interval,
            consent_expiry,
            keepalive,
            disconnected,
            patience,
            settle_direct,
            settle_relayed,
            retry,
        } = &mut self.timers;
        let timers = [
            consent_interval,
            consent_expiry,
            keepalive,
            disconnected,
            patience,
            settle_direct,
            settle_relayed,
            retry,
        ];
        for timer in timers {
            *timer = (*timer).min(NEVER);
        }
        for timer in
            [&mut self.timers.consent_interval, &mut self.timers.keepalive, &mut self.timers.retry]
        {
            *timer = (*timer).max(LEAST_APART);
        }
        self.pace.interval = self.pace.interval.clamp(LEAST_PACE, LONGEST_PACE);
        self.pace.timeout = self.pace.timeout.clamp(LEAST_APART, LONGEST_PACE);
        self
    }
}

/// Ten years.
pub(super) const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// Between two questions of a kind: with no time between them an agent would do nothing else.
const LEAST_APART: Duration = Duration::from_millis(20);
/// RFC 8445 §14.2: never less.
const LEAST_PACE: Duration = Duration::from_millis(5);
/// A check is repeated after up to 2¹⁶ of them.
const LONGEST_PACE: Duration = Duration::from_secs(60);

/// How the checks are spread over time.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Pace {
    /// Ta: between two ordinary checks, the first of which goes at once. RFC 8445 §14.2: 50 ms.
    pub interval: Duration,
    /// How many triggered checks may go at once; one more is granted each Ta. RFC 8445 §6.1.4.2 would
    /// have each wait for its turn, which costs a round trip's worth of time where the other side has
    /// shown already that it listens.
    pub burst: u32,
    /// The least RTO of a check. RFC 8445 §14.3: 500 ms.
    pub timeout: Duration,
    /// Rc: how often a check is sent before it fails. RFC 8489 §6.2.1: 7.
    pub requests: u32,
    /// Rm: how many RTOs to wait after the last. RFC 8489 §6.2.1: 16.
    pub last_wait: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(50),
            burst: 8,
            timeout: Duration::from_millis(500),
            requests: 7,
            last_wait: 16,
        }
    }
}

/// How long things take.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Timers {
    /// Between two consent checks, spread by ±20 %. RFC 7675 §5.1: 5 s, and never less than 4 s between
    /// two.
    pub consent_interval: Duration,
    /// How long consent lasts without an answer. RFC 7675 §5.1: 30 s.
    pub consent_expiry: Duration,
    /// Between two checks of a valid pair that is kept for when the selected one breaks, and of the
    /// selected one's relatives. RFC 8445 §11 wants at least one packet each 15 s.
    pub keepalive: Duration,
    /// How long without an answer until the state is `Disconnected`. The W3C leaves it open; browsers take
    /// about this long.
    pub disconnected: Duration,
    /// RFC 8863 §3: the least time before the state is `Failed` while the other side may still come: as
    /// long as one check may take, 39.5 s. Where signaling takes longer (people who carry it), as long as that.
    pub patience: Duration,
    /// How long the controlling side waits for a better pair once a direct one works.
    pub settle_direct: Duration,
    /// The same if all that works is over a relay.
    pub settle_relayed: Duration,
    /// How often direct pairs that failed are asked again while data goes over a relay, and all of them while
    /// none works and patience lasts. 5 s, as consent is.
    pub retry: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            consent_interval: Duration::from_secs(5),
            consent_expiry: Duration::from_secs(30),
            keepalive: Duration::from_secs(12),
            disconnected: Duration::from_secs(5),
            patience: Duration::from_millis(39_500),
            settle_direct: Duration::from_millis(500),
            settle_relayed: Duration::from_secs(2),
            retry: Duration::from_secs(5),
        }
    }
}

/// The bounds of what the other side can make this one keep or do.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Pairs. RFC 8445 §6.1.2.5: 100.
    pub pairs: usize,
    /// Pairs that work and are kept beside the selected one, for when it breaks. Default 3.
    pub spare_pairs: usize,
    /// Candidates that the other side tells.
    pub remote_candidates: usize,
    /// Candidates that the other side shows by its checks.
    pub learned_candidates: usize,
    /// Candidates of this side.
    pub local_candidates: usize,
    /// Events that wait for the application; of those beyond, [`Story`](super::Story) and data are dropped
    /// and counted.
    pub events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pairs: 100,
            spare_pairs: 3,
            remote_candidates: 100,
            learned_candidates: 24,
            local_candidates: 64,
            events: 512,
        }
    }
}
