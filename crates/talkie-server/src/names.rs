//! The addresses behind the DNS names that browsers use for this server.
//!
//! Anybody can put any name into a `Host` field, so the cache is small, few look-ups run at once,
//! and nobody waits long for one. Both are shared out by the address that asks: whoever brings many
//! names displaces their own, and takes few of the look-ups.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::address_key::AddressKey;

const ENTRIES: usize = 256;
/// A look-up takes a thread until the operating system's resolver gives up.
const AT_ONCE: usize = 8;
const AT_ONCE_PER_ADDRESS: usize = 2;
/// A host with dynamic DNS changes its address while it runs.
const FRESH: Duration = Duration::from_secs(60);
/// What a browser's first message may wait.
const PATIENCE: Duration = Duration::from_millis(800);

/// A cache of look-ups; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    cache: HashMap<String, Entry>,
    running: HashMap<String, Lookup>,
}

#[derive(Debug)]
struct Entry {
    asked: Instant,
    /// Who brought the name first.
    by: AddressKey,
    addresses: Vec<IpAddr>,
}

#[derive(Clone, Debug)]
struct Lookup {
    by: AddressKey,
    /// Closed when it ends.
    ended: watch::Receiver<()>,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self { state: Arc::default() }
    }

    /// Looks `name` up for `client` unless that was done a moment ago. Returns when it is known, or
    /// after a while all the same.
    pub(crate) async fn prepare(&self, name: &str, client: IpAddr) {
        if let Some(mut ended) = self.lookup(name, AddressKey::from(client)) {
            let _ = tokio::time::timeout(PATIENCE, ended.changed()).await;
        }
    }

    /// What to wait for: the look-up that runs already, or one that begins if there is a place.
    fn lookup(&self, name: &str, by: AddressKey) -> Option<watch::Receiver<()>> {
        let mut state = self.state();
        if state.cache.get(name).is_some_and(|entry| entry.asked.elapsed() < FRESH) {
            return None;
        }
        if let Some(lookup) = state.running.get(name) {
            return Some(lookup.ended.clone());
        }
        let own = state.running.values().filter(|lookup| lookup.by == by).count();
        if state.running.len() >= AT_ONCE || own >= AT_ONCE_PER_ADDRESS {
            return None;
        }
        let (end, ended) = watch::channel(());
        state.running.insert(name.to_owned(), Lookup { by, ended: ended.clone() });
        let (names, name) = (self.clone(), name.to_owned());
        // In a task of its own, so that its place is taken until the look-up has really ended.
        tokio::spawn(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            // When the resolver fails, an old answer is better than none.
            let found = found.map(|found| found.map(|address| address.ip()).collect());
            names.state().running.remove(&name);
            names.insert(name, by, found.unwrap_or_default());
            drop(end);
        });
        Some(ended)
    }

    /// What is known of `name`, without asking anybody.
    pub(crate) fn known(&self, name: &str) -> Vec<IpAddr> {
        self.state().cache.get(name).map(|entry| entry.addresses.clone()).unwrap_or_default()
    }

    pub(crate) fn insert(&self, name: String, by: AddressKey, addresses: Vec<IpAddr>) {
        let mut state = self.state();
        if !state.cache.contains_key(&name) {
            state.make_room();
        }
        let asked = Instant::now();
        let new = || Entry { asked, by, addresses: Vec::new() };
        let entry = state.cache.entry(name).or_insert_with(new);
        entry.asked = asked;
        if !addresses.is_empty() {
            entry.addresses = addresses;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Drops the oldest name of whoever brought most of them.
    fn make_room(&mut self) {
        if self.cache.len() < ENTRIES {
            return;
        }
        let mut brought: HashMap<AddressKey, usize> = HashMap::new();
        self.cache.values().for_each(|entry| *brought.entry(entry.by).or_default() += 1);
        let most = brought.into_iter().max_by_key(|(_, count)| *count).map(|(by, _)| by);
        let oldest = self
            .cache
            .iter()
            .filter(|(_, entry)| Some(entry.by) == most)
            .min_by_key(|(_, entry)| entry.asked)
            .map(|(name, _)| name.clone());
        oldest.and_then(|name| self.cache.remove(&name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[tokio::test]
    async fn a_name_is_looked_up_and_known_from_then_on() {
        let names = Names::new();
        assert!(names.known("localhost").is_empty());
        names.prepare("localhost", CLIENT).await;
        assert!(names.known("localhost").iter().any(IpAddr::is_loopback));
        assert!(names.state().running.is_empty());
    }

    #[test]
    fn the_cache_is_bounded_and_an_old_answer_outlives_a_failure() {
        let names = Names::new();
        let ip = IpAddr::from([203, 0, 113, 1]);
        for number in 0..1000 {
            names.insert(format!("{number}.example"), CLIENT.into(), vec![ip]);
        }
        assert_eq!(names.state().cache.len(), ENTRIES);
        names.insert("999.example".to_owned(), CLIENT.into(), Vec::new());
        assert_eq!(names.known("999.example"), [ip]);
    }

    #[test]
    fn who_brings_many_names_displaces_nobody_else_s() {
        let names = Names::new();
        let ip = IpAddr::from([203, 0, 113, 1]);
        names.insert("talk.example".to_owned(), CLIENT.into(), vec![ip]);
        let flooder = IpAddr::from([192, 0, 2, 2]);
        for number in 0..1000 {
            names.insert(format!("{number}.example"), flooder.into(), vec![ip]);
        }
        assert_eq!(names.known("talk.example"), [ip]);
        assert_eq!(names.known("999.example"), [ip]);
    }

    #[tokio::test]
    async fn a_flood_of_names_takes_few_look_ups() {
        let names = Names::new();
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        // No look-up makes progress while this test doesn't wait.
        let begins = |name: u8, by: u8| {
            names.lookup(&format!("{name}.invalid"), address(by).into()).is_some()
        };
        assert_eq!((0..10).filter(|name| begins(*name, 1)).count(), AT_ONCE_PER_ADDRESS);
        assert!(begins(0, 9), "it runs already, and many may wait for it");
        assert_eq!((10..100).filter(|name| begins(*name, *name)).count(), AT_ONCE - 2);
        assert_eq!(names.state().running.len(), AT_ONCE);
    }
}
