//! Which mapping has an end: numbers by keys, of which nearly all are of IPv4.
//!
//! Those fit into two words, where a key that may be of either family takes ten, and a box with ten
//! thousand flows waits for memory more than for anything else. So each kind has a table of its own.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::keyed::Keyed;
use super::mapping::{Inner, Scope};

#[derive(Debug)]
pub(super) struct Index {
    ipv4: HashMap<(u64, u64), u32, Keyed>,
    others: HashMap<Inner, u32, Keyed>,
}

impl Index {
    pub(super) fn new(keyed: Keyed) -> Self {
        Self { ipv4: HashMap::with_hasher(keyed), others: HashMap::with_hasher(keyed) }
    }

    pub(super) fn len(&self) -> usize {
        self.ipv4.len() + self.others.len()
    }

    pub(super) fn get(&self, key: &Inner) -> Option<u32> {
        match packed(key) {
            Some(key) => self.ipv4.get(&key).copied(),
            None => self.others.get(key).copied(),
        }
    }

    pub(super) fn insert(&mut self, key: Inner, id: u32) {
        match packed(&key) {
            Some(key) => self.ipv4.insert(key, id),
            None => self.others.insert(key, id),
        };
    }

    pub(super) fn remove(&mut self, key: &Inner) {
        match packed(key) {
            Some(key) => self.ipv4.remove(&key),
            None => self.others.remove(key),
        };
    }
}

/// A key of IPv4 as two words: protocol, address and port; what kind of scope, address and port.
fn packed((kind, end, scope): &Inner) -> Option<(u64, u64)> {
    let end = endpoint(*end)?;
    let scope = match scope {
        Scope::Any => 0,
        Scope::Address(address) => 1 << 48 | endpoint(SocketAddr::new(*address, 0))?,
        Scope::Endpoint(remote) => 2 << 48 | endpoint(*remote)?,
    };
    Some(((*kind as u64) << 48 | end, scope))
}

fn endpoint(end: SocketAddr) -> Option<u64> {
    match end {
        SocketAddr::V4(end) => Some(u64::from(end.ip().to_bits()) << 16 | u64::from(end.port())),
        SocketAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::protocol::Kind;
    use super::*;

    fn any_end() -> impl Strategy<Value = SocketAddr> {
        // Few of them, and some that are the same but for the family.
        (any::<bool>(), 0..3_u8, 0..3_u16).prop_map(|(is_ipv4, host, port)| match is_ipv4 {
            true => SocketAddr::from(([0, 0, 0, host], port)),
            false => SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, host.into()], port)),
        })
    }

    fn any_key() -> impl Strategy<Value = Inner> {
        let kind = prop_oneof![Just(Kind::Udp), Just(Kind::Tcp), Just(Kind::Icmp)];
        let scope = prop_oneof![
            Just(Scope::Any),
            any_end().prop_map(|end| Scope::Address(end.ip())),
            any_end().prop_map(Scope::Endpoint),
        ];
        (kind, any_end(), scope)
    }

    proptest! {
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((any_key(), any::<bool>()), 1..300)) {
            let (mut index, mut model) = (Index::new(Keyed::new([7; 32])), BTreeMap::new());
            for (number, (key, inserts)) in (0..).zip(steps) {
                prop_assert_eq!(index.get(&key), model.get(&key).copied());
                if inserts {
                    index.insert(key, number);
                    model.insert(key, number);
                } else {
                    index.remove(&key);
                    model.remove(&key);
                }
                prop_assert_eq!(index.get(&key), model.get(&key).copied());
                prop_assert_eq!(index.len(), model.len());
            }
        }
    }
}
