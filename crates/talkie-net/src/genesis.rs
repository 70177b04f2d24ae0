use std::io;
use std::time::{Instant, SystemTime};

use talkie_sansio::Genesis;

/// A machine's genesis from the operating system: both clocks, and a seed from its CSPRNG.
///
/// # Errors
/// If the operating system has no randomness to give. A clock before 1970 counts as 1970.
pub fn genesis() -> io::Result<Genesis> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(Genesis { now: Instant::now(), unix, seed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ() {
        assert_ne!(genesis().unwrap().seed, genesis().unwrap().seed);
    }
}
