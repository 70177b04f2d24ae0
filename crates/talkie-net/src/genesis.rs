use std::io;
use std::time::{Duration, Instant, SystemTime};

use talkie_sansio::Genesis;

/// A machine's genesis from the operating system: both clocks, and a seed from its CSPRNG.
///
/// # Errors
/// If the operating system has no randomness to give.
pub fn genesis() -> io::Result<Genesis> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(Genesis { now: Instant::now(), unix: unix_time(), seed })
}

/// The wall clock as time since the Unix epoch; a clock before 1970 counts as 1970.
#[must_use]
pub fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ() {
        assert_ne!(genesis().unwrap().seed, genesis().unwrap().seed);
    }
}
