//! The addresses behind the DNS names that browsers use for this server.
//!
//! Anybody can put any name into a `Host` field, so the cache is small, few look-ups run at once,
//! and nobody waits long for one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

const ENTRIES: usize = 256;
/// A look-up takes a thread until the operating system's resolver gives up.
const AT_ONCE: usize = 4;
/// A host with dynamic DNS changes its address while it runs.
const FRESH: Duration = Duration::from_secs(60);
/// What a browser's first message may wait.
const PATIENCE: Duration = Duration::from_millis(800);

/// A cache of look-ups; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    cache: Arc<Mutex<HashMap<String, Entry>>>,
    lookups: Arc<Semaphore>,
}

#[derive(Debug)]
struct Entry {
    asked: Instant,
    addresses: Vec<IpAddr>,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self { cache: Arc::default(), lookups: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Looks `name` up unless that was done a moment ago. Returns when it is known, or after a
    /// while all the same.
    pub(crate) async fn prepare(&self, name: &str) {
        let is_fresh = self.cache().get(name).is_some_and(|entry| entry.asked.elapsed() < FRESH);
        if is_fresh {
            return;
        }
        let Ok(permit) = Arc::clone(&self.lookups).try_acquire_owned() else { return };
        let (names, name) = (self.clone(), name.to_owned());
        // In a task of its own, so that its place is taken until the look-up has really ended.
        let lookup = tokio::spawn(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            // When the resolver fails, an old answer is better than none.
            let found = found.map(|found| found.map(|address| address.ip()).collect());
            names.insert(name, found.unwrap_or_default());
            drop(permit);
        });
        let _ = tokio::time::timeout(PATIENCE, lookup).await;
    }

    /// What is known of `name`, without asking anybody.
    pub(crate) fn known(&self, name: &str) -> Vec<IpAddr> {
        self.cache().get(name).map(|entry| entry.addresses.clone()).unwrap_or_default()
    }

    fn insert(&self, name: String, addresses: Vec<IpAddr>) {
        let mut cache = self.cache();
        if cache.len() >= ENTRIES && !cache.contains_key(&name) {
            let oldest = cache.iter().min_by_key(|(_, entry)| entry.asked);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                cache.remove(&oldest);
            }
        }
        let asked = Instant::now();
        let entry = cache.entry(name).or_insert_with(|| Entry { asked, addresses: Vec::new() });
        entry.asked = asked;
        if !addresses.is_empty() {
            entry.addresses = addresses;
        }
    }

    fn cache(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_looked_up_and_known_from_then_on() {
        let names = Names::new();
        assert!(names.known("localhost").is_empty());
        names.prepare("localhost").await;
        assert!(names.known("localhost").iter().any(IpAddr::is_loopback));
    }

    #[test]
    fn the_cache_is_bounded_and_an_old_answer_outlives_a_failure() {
        let names = Names::new();
        let ip = IpAddr::from([203, 0, 113, 1]);
        for number in 0..1000 {
            names.insert(format!("{number}.example"), vec![ip]);
        }
        assert_eq!(names.cache().len(), ENTRIES);
        names.insert("999.example".to_owned(), Vec::new());
        assert_eq!(names.known("999.example"), [ip]);
    }

    #[tokio::test]
    async fn a_flood_of_names_takes_few_threads() {
        let names = Names::new();
        let _all = Arc::clone(&names.lookups).try_acquire_many_owned(4).unwrap();
        names.prepare("localhost").await;
        assert!(names.known("localhost").is_empty(), "no place was free");
    }
}
