//! One end of a call, for the tests and for the bench.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_sansio::{Datagram, Machine, Path, Transmit, Transport};

/// Sends a packet every 20 ms, as a call does, and counts what it gets.
pub(crate) struct Caller {
    path: Path,
    next: Option<Instant>,
    left: u32,
    owes: bool,
    pub(crate) seen: u64,
}

impl Caller {
    pub(crate) fn new(now: Instant, local: SocketAddr, remote: SocketAddr, packets: u32) -> Self {
        let path = Path { transport: Transport::Udp, local, remote };
        Self { path, next: Some(now), left: packets, owes: false, seen: 0 }
    }
}

impl Machine for Caller {
    type Event = ();

    fn handle_datagram(&mut self, _now: Instant, _datagram: Datagram<'_>) {
        self.seen += 1;
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.next.is_some_and(|next| next <= now) {
            self.owes = true;
            self.left -= 1;
            self.next = (self.left > 0).then(|| now + Duration::from_millis(20));
        }
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        if !std::mem::take(&mut self.owes) {
            return None;
        }
        buf.extend_from_slice(&[0; 172]);
        Some(Transmit { path: self.path, len: 172 })
    }

    fn poll_event(&mut self) -> Option<()> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }
}
