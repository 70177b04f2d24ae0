//! Names resolved by the system, within a bounded time.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use talkie_sansio::WantError;
use tokio::net::lookup_host;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The longest name (RFC 1035 §2.3.4), with its final dot.
const LONGEST: usize = 254;
/// Addresses of one name that are of use.
const MOST: usize = 16;

/// The addresses of `name`, of both families, in the order the system prefers.
pub(super) async fn resolve(
    name: String,
    lookups: Arc<Semaphore>,
    patience: Duration,
) -> Result<Vec<IpAddr>, WantError> {
    if name.is_empty() || name.len() > LONGEST {
        return Err(WantError::NoAddress);
    }
    let looked_up = async {
        let permit = lookups.acquire_owned().await.map_err(|_| WantError::NoAddress)?;
        // The system's resolver can't be interrupted: the permit stays with it, not with who waits.
        let lookup = tokio::spawn(async move {
            let found = lookup_host((name.as_str(), 0)).await.map(distinct);
            drop(permit);
            found
        });
        match lookup.await {
            Ok(Ok(addresses)) if addresses.is_empty() => Err(WantError::NoAddress),
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(refusal(&error)),
            Err(_) => Err(WantError::NoAddress),
        }
    };
    timeout(patience, looked_up).await.unwrap_or(Err(WantError::TimedOut))
}

fn distinct(found: impl Iterator<Item = SocketAddr>) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for address in found.map(|address| address.ip()) {
        if !addresses.contains(&address) && addresses.len() < MOST {
            addresses.push(address);
        }
    }
    addresses
}

/// The resolver's own errors have no kind and no number: they mean that there is no such name.
fn refusal(error: &io::Error) -> WantError {
    tracing::debug!(%error, "not resolved");
    match error.raw_os_error() {
        Some(_) => WantError::Io(error.kind()),
        None => WantError::NoAddress,
    }
}
