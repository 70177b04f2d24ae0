//! How ports are chosen, judged by the mappings that were seen (RFC 4787 §4.2).

use super::report::{Allocation, Pooling, Seen};

/// Two mappings of a NAT that counts are at most so far apart: others behind it make mappings, too.
const FARTHEST: i32 = 32;

/// The pattern, if there are mappings enough to see one.
pub(super) fn allocation(seen: &[Seen]) -> Option<Allocation> {
    let kept = seen.iter().filter(|seen| seen.mapped.port() == seen.local.port()).count();
    // A clash with somebody else's port makes an exception.
    if kept > 0 && kept * 2 >= seen.len() {
        return Some(Allocation::Preserving);
    }
    let mut ports: Vec<_> = seen.iter().map(|seen| i32::from(seen.mapped.port())).collect();
    ports.dedup();
    let rises = ports.windows(2).filter(|pair| pair[0] < pair[1]).count();
    let falls = ports.len().saturating_sub(1) - rises;
    // What was sent first need not have arrived first: the order is taken as a whole only.
    ports.sort_unstable();
    ports.dedup();
    if ports.len() < 3 {
        return None;
    }
    let distances = || ports.windows(2).map(|pair| pair[1] - pair[0]);
    if distances().any(|distance| distance > FARTHEST) {
        return Some(Allocation::Random);
    }
    let step = distances().min()?;
    Some(Allocation::Sequential(if falls > rises { -step } else { step }))
}

/// Whether all have one address.
pub(super) fn pooling(seen: &[Seen]) -> Option<Pooling> {
    let first = seen.first()?.mapped.ip();
    let alike = seen.iter().all(|seen| seen.mapped.ip() == first);
    match alike {
        true if seen.len() < 2 => None,
        true => Some(Pooling::Paired),
        false => Some(Pooling::Arbitrary),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn seen(ports: &[(u16, u16)]) -> Vec<Seen> {
        let at = |ip: [u8; 4], port| SocketAddr::from((ip, port));
        let remote = at([192, 0, 2, 1], 3478);
        let make = |(inside, outside): &(u16, u16)| Seen {
            local: at([10, 0, 0, 1], *inside),
            remote,
            mapped: at([198, 51, 100, 1], *outside),
        };
        ports.iter().map(make).collect()
    }

    #[test]
    fn patterns_are_told_apart() {
        let check = |ports: &[(u16, u16)], expected| {
            assert_eq!(allocation(&seen(ports)), expected, "{ports:?}");
        };
        check(&[(5000, 5000), (5001, 5001)], Some(Allocation::Preserving));
        check(&[(5000, 5000), (5001, 5001), (5002, 1024)], Some(Allocation::Preserving));
        check(&[(1, 2000), (2, 2001), (3, 2002)], Some(Allocation::Sequential(1)));
        check(&[(1, 2000), (2, 2002), (3, 2008)], Some(Allocation::Sequential(2)));
        check(&[(1, 2004), (2, 2002), (3, 2000)], Some(Allocation::Sequential(-2)));
        check(&[(1, 2000), (2, 2002), (3, 2001), (4, 2003)], Some(Allocation::Sequential(1)));
        check(&[(1, 2000), (2, 9000), (3, 41000)], Some(Allocation::Random));
        check(&[(1, 2000), (2, 2001)], None);
    }
}
