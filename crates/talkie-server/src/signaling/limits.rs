//! Who may have how much: counts of what each address holds.

use std::collections::BTreeMap;

use crate::address_key::AddressKey;

/// What one address holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) sockets: usize,
    pub(super) sessions: usize,
}

/// The holdings of all addresses that hold anything.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    holdings: BTreeMap<AddressKey, Holding>,
}

impl Accounts {
    pub(super) fn of(&self, key: AddressKey) -> Holding {
        self.holdings.get(&key).copied().unwrap_or_default()
    }

    pub(super) fn change(&mut self, key: AddressKey, change: impl FnOnce(&mut Holding)) {
        let holding = self.holdings.entry(key).or_default();
        change(holding);
        if *holding == Holding::default() {
            self.holdings.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn an_account_without_holdings_is_forgotten() {
        let mut accounts = Accounts::default();
        let key = AddressKey::from(IpAddr::from([192, 0, 2, 1]));
        accounts.change(key, |holding| holding.sockets += 1);
        assert_eq!(accounts.of(key).sockets, 1);
        accounts.change(key, |holding| holding.sockets -= 1);
        assert!(accounts.holdings.is_empty());
    }
}
