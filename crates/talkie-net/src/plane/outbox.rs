//! Merges neighbours of one path into runs, so that one system call carries many datagrams.

use std::net::IpAddr;
use std::net::SocketAddr;

use crate::udp::{LARGEST_RUN, LARGEST_SEGMENT};

/// Where a run leaves from and goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) socket: usize,
    pub(crate) source: Option<IpAddr>,
    pub(crate) remote: SocketAddr,
}

/// One run of datagrams of equal size, the last maybe shorter.
#[derive(Debug)]
pub(crate) struct Outbox {
    route: Option<Route>,
    bytes: Vec<u8>,
    segment: usize,
    count: usize,
    /// A shorter datagram ends a run: the kernel cuts at fixed distances.
    ended: bool,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self {
            route: None,
            bytes: Vec::with_capacity(LARGEST_RUN),
            segment: 0,
            count: 0,
            ended: false,
        }
    }

    /// Appends `payload` if it continues the run; `most` is how many segments the socket takes.
    pub(crate) fn append(&mut self, route: Route, payload: &[u8], most: usize) -> bool {
        let fits = self.route == Some(route)
            && !self.ended
            && self.count < most
            && self.segment <= LARGEST_SEGMENT
            && payload.len() <= self.segment
            && !payload.is_empty()
            && self.bytes.len() + payload.len() <= LARGEST_RUN;
        if fits {
            self.ended = payload.len() < self.segment;
            self.count += 1;
            self.bytes.extend_from_slice(payload);
        }
        fits
    }

    /// Starts a run; the old one must have been taken.
    pub(crate) fn start(&mut self, route: Route, payload: &[u8]) {
        debug_assert!(self.route.is_none());
        self.bytes.clear();
        self.bytes.extend_from_slice(payload);
        (self.route, self.segment, self.count, self.ended) =
            (Some(route), payload.len(), 1, payload.is_empty());
    }

    /// Ends the run and shows it: where to, all bytes, bytes per datagram, number of datagrams.
    pub(crate) fn take(&mut self) -> Option<(Route, &[u8], usize, usize)> {
        let route = self.route.take()?;
        Some((route, &self.bytes, self.segment, self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(port: u16) -> Route {
        Route { socket: 0, source: None, remote: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    fn run(lengths: &[usize], most: usize) -> usize {
        let mut outbox = Outbox::new();
        outbox.start(route(1), &vec![0; lengths[0]]);
        lengths[1..].iter().take_while(|len| outbox.append(route(1), &vec![0; **len], most)).count()
            + 1
    }

    #[test]
    fn equal_neighbours_make_a_run_and_a_shorter_one_ends_it() {
        assert_eq!(run(&[100; 8], 64), 8);
        assert_eq!(run(&[100, 100, 60, 60, 100], 64), 3);
        assert_eq!(run(&[100, 101], 64), 1);
        assert_eq!(run(&[100, 0], 64), 1, "an empty segment would vanish");
        assert_eq!(run(&[0, 0], 64), 1);
    }

    #[test]
    fn runs_end_at_the_kernels_limits() {
        assert_eq!(run(&[100; 80], 64), 64);
        assert_eq!(run(&[1200; 80], 64), LARGEST_RUN / 1200);
        assert_eq!(run(&[1401; 3], 64), 1, "may not fit the path's MTU");
        assert_eq!(run(&[100; 3], 1), 1, "no GSO");
    }

    #[test]
    fn another_destination_ends_the_run() {
        let mut outbox = Outbox::new();
        outbox.start(route(1), b"a");
        assert!(!outbox.append(route(2), b"b", 64));
        let (sent, bytes, segment, count) = outbox.take().unwrap();
        assert_eq!((sent, bytes, segment, count), (route(1), &b"a"[..], 1, 1));
        assert!(outbox.take().is_none());
    }
}
