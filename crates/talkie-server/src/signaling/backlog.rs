//! What waits for clients to acknowledge it: how much for each address and in all, and who keeps most.
//!
//! The bound over all addresses must be no lever. If whoever gets the next message had to go, a few
//! addresses that leave everything unread could end everybody's sessions. So it is met where most is
//! kept: at the address that keeps most, and there by the one that does. To hurt others, an attacker
//! must keep less than they do at each of his addresses.

use std::collections::{BTreeMap, BTreeSet};

use crate::address_key::AddressKey;

use super::ids::{SessionId, SocketId};

/// Who has something waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Keeper {
    Session(SessionId),
    /// What an ended session left to be written.
    Socket(SocketId),
}

/// Forgets who keeps nothing.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    total: usize,
    kept: BTreeMap<Keeper, (AddressKey, usize)>,
    accounts: BTreeMap<AddressKey, Account>,
    by_weight: BTreeSet<(usize, AddressKey)>,
}

#[derive(Debug, Default)]
struct Account {
    bytes: usize,
    by_weight: BTreeSet<(usize, Keeper)>,
}

impl Backlog {
    /// From now on `keeper`, of the address `account`, keeps so many bytes.
    pub(super) fn set(&mut self, keeper: Keeper, account: AddressKey, bytes: usize) {
        if self.kept.get(&keeper) == Some(&(account, bytes)) {
            return;
        }
        if let Some((before, bytes)) = self.kept.remove(&keeper) {
            self.change(before, |it| {
                it.bytes -= bytes;
                it.by_weight.remove(&(bytes, keeper));
            });
            self.total -= bytes;
        }
        if bytes > 0 {
            self.kept.insert(keeper, (account, bytes));
            self.change(account, |it| {
                it.bytes += bytes;
                it.by_weight.insert((bytes, keeper));
            });
            self.total += bytes;
        }
    }

    pub(super) fn remove(&mut self, keeper: Keeper) {
        if let Some(&(account, _)) = self.kept.get(&keeper) {
            self.set(keeper, account, 0);
        }
    }

    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn of(&self, account: AddressKey) -> usize {
        self.accounts.get(&account).map_or(0, |it| it.bytes)
    }

    /// Who has to go first.
    pub(super) fn heaviest(&self) -> Option<Keeper> {
        let &(_, account) = self.by_weight.last()?;
        self.accounts.get(&account)?.by_weight.last().map(|&(_, keeper)| keeper)
    }

    fn change(&mut self, key: AddressKey, change: impl FnOnce(&mut Account)) {
        let account = self.accounts.entry(key).or_default();
        self.by_weight.remove(&(account.bytes, key));
        change(account);
        match account.bytes {
            0 => drop(self.accounts.remove(&key)),
            bytes => drop(self.by_weight.insert((bytes, key))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn account(last: u8) -> AddressKey {
        IpAddr::from([192, 0, 2, last]).into()
    }

    fn socket(id: u64) -> Keeper {
        Keeper::Socket(SocketId(id))
    }

    #[test]
    fn the_heaviest_of_the_heaviest_address_goes_first() {
        let mut backlog = Backlog::default();
        backlog.set(socket(1), account(1), 50);
        for id in 2..=4 {
            backlog.set(socket(id), account(2), 20 + usize::try_from(id).unwrap());
        }
        assert_eq!((backlog.total(), backlog.of(account(2))), (119, 69));
        // One of 24 bytes, though another address has one of 50.
        assert_eq!(backlog.heaviest(), Some(socket(4)));
        backlog.set(socket(4), account(2), 1);
        assert_eq!(backlog.heaviest(), Some(socket(1)));
        backlog.set(socket(1), account(2), 50);
        assert_eq!(backlog.of(account(1)), 0, "it has moved");
        assert_eq!((backlog.total(), backlog.of(account(2))), (96, 96));
    }

    #[test]
    fn who_keeps_nothing_is_forgotten() {
        let mut backlog = Backlog::default();
        for id in 0..9 {
            backlog.set(socket(id), account(1), 9);
            backlog.set(socket(id), account(2), 7);
        }
        backlog.remove(socket(99));
        for id in 0..9 {
            backlog.remove(socket(id));
        }
        assert_eq!((backlog.total(), backlog.heaviest()), (0, None));
        assert!(backlog.kept.is_empty() && backlog.accounts.is_empty());
        assert!(backlog.by_weight.is_empty());
    }
}
