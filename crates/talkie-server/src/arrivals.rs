//! How fast connections may come from one address.
//!
//! A token bucket for each address, and only until it is full again: an address is forgotten as soon
//! as it owes nothing, one interval for each connection. So what is kept follows from how fast
//! connections come, not from how many addresses there are. It has a bound all the same, beyond
//! which the one that owes least is forgiven: nobody is locked out by it, and nobody is let in who
//! owes more than all others.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::address_key::AddressKey;
use crate::timers::Timers;
use crate::token_bucket::{Rate, TokenBucket};

/// Addresses remembered at once: some 2 MB.
const MOST: usize = 16_384;

#[derive(Debug)]
pub(crate) struct Arrivals {
    rate: Rate,
    /// When each address' bucket is full again.
    owing: Timers<AddressKey>,
}

impl Arrivals {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, owing: Timers::new() }
    }

    /// Counts one more connection from `address`, or tells how long it must wait. A refused one
    /// costs nothing further: whoever shares the address gets the next token as likely as not.
    pub(crate) fn count(&mut self, now: Instant, address: IpAddr) -> Result<(), Duration> {
        // Who is on this host has other means; and a proxy here that is not trusted yet brings all
        // clients, each with all their requests.
        if address.to_canonical().is_loopback() {
            return Ok(());
        }
        while self.owing.pop_due(now).is_some() {}
        let key = AddressKey::from(address);
        let full_at = self.owing.of(key);
        let mut bucket = TokenBucket::full(full_at.unwrap_or(now));
        if !bucket.take(now, self.rate) {
            return Err(bucket.wait(now, self.rate));
        }
        if full_at.is_none() && self.owing.len() >= MOST {
            self.owing.pop_first();
        }
        self.owing.set(key, Some(bucket.full_at()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals() -> (Arrivals, Instant) {
        (Arrivals::new(Rate::new(50, 100)), Instant::now())
    }

    fn ip(number: u32) -> IpAddr {
        IpAddr::from((0xc000_0000 | number).to_be_bytes())
    }

    #[test]
    fn an_address_has_its_burst_and_its_rate_and_takes_nobody_else_s() {
        let (mut arrivals, now) = arrivals();
        let came = (0..1_000).filter(|_| arrivals.count(now, ip(1)).is_ok()).count();
        assert_eq!(came, 100);
        assert_eq!(arrivals.count(now, ip(1)), Err(Duration::from_millis(20)));
        assert_eq!(arrivals.count(now, ip(2)), Ok(()));
        let later = now + Duration::from_secs(1);
        let came = (0..1_000).filter(|_| arrivals.count(later, ip(1)).is_ok()).count();
        assert_eq!(came, 50);
    }

    #[test]
    fn the_addresses_of_an_ipv6_customer_are_one() {
        let (mut arrivals, now) = arrivals();
        let came = (0..1_000_u16).filter(|number| {
            let address = format!("2001:db8:1:2:{number:x}::{number:x}").parse().unwrap();
            arrivals.count(now, address).is_ok()
        });
        assert_eq!(came.count(), 100);
        assert_eq!(arrivals.count(now, "2001:db8:1:3::1".parse().unwrap()), Ok(()));
    }

    #[test]
    fn this_host_may_come_as_fast_as_it_likes() {
        let (mut arrivals, now) = arrivals();
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let address: IpAddr = address.parse().unwrap();
            assert!((0..1_000).all(|_| arrivals.count(now, address).is_ok()), "{address}");
        }
    }

    #[test]
    fn who_owes_nothing_is_forgotten() {
        let (mut arrivals, now) = arrivals();
        for number in 0..500 {
            assert_eq!(
                arrivals.count(now + Duration::from_millis(number), ip(number as u32)),
                Ok(())
            );
        }
        assert_eq!(arrivals.owing.len(), 20, "those of the last 20 ms");
    }

    #[test]
    fn many_addresses_take_bounded_memory_and_free_nobody_who_owes_much() {
        let (mut arrivals, now) = arrivals();
        while arrivals.count(now, ip(0)).is_ok() {}
        for number in 1..100_000 {
            assert_eq!(arrivals.count(now, ip(number)), Ok(()));
        }
        assert_eq!(arrivals.owing.len(), MOST);
        assert!(arrivals.count(now, ip(0)).is_err());
    }
}
