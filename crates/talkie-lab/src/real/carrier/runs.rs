//! Joins datagrams of one flow that follow each other into a run.
//!
//! A program that sends each datagram by itself, as browsers do, makes the kernel hand them over one by
//! one. To write them one by one costs more than all else: each write takes the packet through the
//! kernel's whole way to its receiver. So neighbours of the same flow and length are written as one, which
//! the kernel takes apart again at the end of that way. Nothing waits for it: only what was read in one
//! go is joined.
//!
//! It is done to datagrams alone whose checksum is still to be completed. Those come straight from a
//! program on this machine, and the checksums of the parts are made from the run's.

use talkie_net::tun::{HEADER_LEN, Header};
use talkie_sim::packet::checksum::{fold, sum};

const UDP: usize = 8;
/// What the kernel takes (`UDP_MAX_SEGMENTS` was 64 before Linux 6.9).
const MOST_SEGMENTS: usize = 64;
const LONGEST: usize = 65_535;

/// A run that grows.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// The first datagram with its header before it, then the payloads of the others.
    bytes: Vec<u8>,
    /// The lengths of the IP and UDP headers.
    headers: usize,
    segment: usize,
    count: usize,
    /// A shorter datagram can only be the last.
    is_closed: bool,
}

impl Run {
    /// Takes a datagram, its header before it, if it can go on this run or begin it.
    pub(super) fn push(&mut self, read: &[u8]) -> bool {
        let Some(headers) = headers_of(read) else { return false };
        let payload = read.len() - HEADER_LEN - headers;
        if self.count == 0 {
            self.bytes.clear();
            self.bytes.extend_from_slice(read);
            (self.headers, self.segment, self.count, self.is_closed) = (headers, payload, 1, false);
            return true;
        }
        let fits = self.count < MOST_SEGMENTS
            && payload <= self.segment
            && self.bytes.len() - HEADER_LEN + payload <= LONGEST;
        if self.is_closed || !fits || !is_same_flow(&self.bytes, read) {
            return false;
        }
        self.bytes.extend_from_slice(&read[HEADER_LEN + headers..]);
        self.count += 1;
        self.is_closed = payload < self.segment;
        true
    }

    /// What is to be written, if there is anything; then it is empty.
    pub(super) fn take(&mut self) -> Option<&[u8]> {
        let count = std::mem::take(&mut self.count);
        if count > 1 {
            self.finish();
        }
        (count > 0).then_some(&self.bytes)
    }

    /// Makes the first datagram's headers those of the run.
    fn finish(&mut self) {
        let (headers, segment) = (self.headers as u16, self.segment as u16);
        let length = self.bytes.len() - HEADER_LEN;
        let (header, packet) = self.bytes.split_at_mut(HEADER_LEN);
        header.copy_from_slice(&Header::run_of_datagrams(headers, segment).bytes());
        let ip = self.headers - UDP;
        let addresses = if is_ipv4(packet) {
            packet[2..4].copy_from_slice(&(length as u16).to_be_bytes());
            packet[10..12].fill(0);
            let checksum = !fold(sum(&packet[..ip]));
            packet[10..12].copy_from_slice(&checksum.to_be_bytes());
            12..20
        } else {
            packet[4..6].copy_from_slice(&((length - ip) as u16).to_be_bytes());
            8..40
        };
        let datagram = (length - ip) as u16;
        packet[ip + 4..ip + 6].copy_from_slice(&datagram.to_be_bytes());
        // RFC 768: addresses, protocol and length.
        let pseudo = fold(sum(&packet[addresses]) + 17 + u64::from(datagram));
        packet[ip + 6..ip + 8].copy_from_slice(&pseudo.to_be_bytes());
    }
}

fn is_ipv4(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first >> 4 == 4)
}

/// How long the headers are of a datagram that may be joined with others.
fn headers_of(read: &[u8]) -> Option<usize> {
    let (header, packet) = read.split_first_chunk::<HEADER_LEN>()?;
    if !Header::from_bytes(*header).is_unfinished_datagram() {
        return None;
    }
    let short = |at: usize| usize::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
    let headers = match packet.first()? {
        // No options, and no fragment.
        0x45 if packet.len() > 28 && packet[9] == 17 && short(6) & 0x3fff == 0 => {
            (short(2) == packet.len()).then_some(28)?
        }
        first if first >> 4 == 6 && packet.len() > 48 && packet[6] == 17 => {
            (short(4) + 40 == packet.len()).then_some(48)?
        }
        _ => return None,
    };
    (short(headers - 4) == packet.len() - headers + UDP).then_some(headers)
}

/// Whether two datagrams differ in nothing but their lengths, identifications and what they carry.
fn is_same_flow(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (&one[HEADER_LEN..], &other[HEADER_LEN..]);
    let same = |range: std::ops::Range<usize>| one.get(range.clone()) == other.get(range);
    if is_ipv4(one) { same(0..2) && same(6..10) && same(12..24) } else { same(0..4) && same(6..44) }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use talkie_sim::packet::build;

    use super::*;

    /// A datagram as a program has just sent it.
    fn datagram(source: &str, payload: &[u8]) -> Vec<u8> {
        let source: SocketAddr = source.parse().unwrap();
        let to = if source.is_ipv4() { "198.51.100.1:3478" } else { "[2001:db8:5::1]:3478" };
        let mut packet = Vec::new();
        build::udp(&mut packet, source, to.parse().unwrap(), payload);
        let headers = packet.len() - payload.len();
        let mut read = vec![1, 0, 0, 0, 0, 0];
        read.extend(((headers - UDP) as u16).to_ne_bytes());
        read.extend(6_u16.to_ne_bytes());
        read.extend(packet);
        read
    }

    /// What the kernel makes of a run (`udp_gso_segment`): the parts, with complete checksums.
    fn taken_apart(run: &[u8]) -> Vec<Vec<u8>> {
        let (header, packet) = run.split_at(HEADER_LEN);
        assert_eq!(header[..2], [1, 5]);
        let headers = usize::from(u16::from_ne_bytes([header[2], header[3]]));
        let segment = usize::from(u16::from_ne_bytes([header[4], header[5]]));
        let ip = headers - UDP;
        let short = |at: usize| u64::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
        assert_eq!(short(ip + 4) as usize, packet.len() - ip);
        if ip == 20 {
            assert_eq!((short(2) as usize, fold(sum(&packet[..20]))), (packet.len(), 0xffff));
        }
        let parts = packet[headers..].chunks(segment).map(|payload| {
            // From the run's sum of the pseudo-header to that of the part.
            let difference = u64::from(!(short(ip + 4) as u16)) + (payload.len() + UDP) as u64;
            let pseudo = short(ip + 6) + difference;
            let mut udp = packet[ip..headers].to_vec();
            udp[4..6].copy_from_slice(&((payload.len() + UDP) as u16).to_be_bytes());
            udp[6..8].fill(0);
            udp.extend(payload);
            let checksum = !fold(pseudo + sum(&udp));
            udp[6..8].copy_from_slice(&checksum.to_be_bytes());
            udp
        });
        parts.collect()
    }

    #[test]
    fn a_run_is_taken_apart_into_what_was_joined() {
        for source in ["10.1.0.2:4000", "[2001:db8:1:1::2]:4000"] {
            let payloads = [vec![1; 200], vec![2; 200], vec![3; 77]];
            let mut run = Run::default();
            for payload in &payloads {
                assert!(run.push(&datagram(source, payload)));
            }
            assert!(!run.push(&datagram(source, &[4; 77])), "a shorter one was the last");
            let parts = taken_apart(run.take().unwrap());
            let headers = if source.starts_with('[') { 48 } else { 28 };
            let whole = payloads
                .map(|payload| datagram(source, &payload)[HEADER_LEN + headers - UDP..].to_vec());
            assert_eq!(parts, whole);
            assert!(run.take().is_none());
        }
    }

    #[test]
    fn one_alone_stays_as_it_is() {
        let mut run = Run::default();
        let alone = datagram("10.1.0.2:4000", b"alone");
        assert!(run.push(&alone));
        assert_eq!(run.take(), Some(&*alone));
    }

    #[test]
    fn what_differs_is_not_joined() {
        let first = datagram("10.1.0.2:4000", &[1; 100]);
        let refused = |other: &[u8]| {
            let mut run = Run::default();
            assert!(run.push(&first));
            !run.push(other)
        };
        assert!(!refused(&first));
        assert!(refused(&datagram("10.1.0.2:4001", &[1; 100])), "another flow");
        assert!(refused(&datagram("10.1.0.2:4000", &[1; 101])), "a longer one");
        assert!(refused(&datagram("[2001:db8::1]:4000", &[1; 100])), "another family");
        let with = |at: usize, byte: u8| {
            let mut other = first.clone();
            other[at] = byte;
            other
        };
        assert!(refused(&with(HEADER_LEN + 1, 4)), "another class of traffic");
        assert!(refused(&with(HEADER_LEN + 8, 5)), "fewer hops left");
    }

    #[test]
    fn only_unfinished_whole_datagrams_begin_a_run() {
        let good = datagram("10.1.0.2:4000", &[1; 100]);
        for (at, byte) in [
            (0, 0),                 // its checksum is complete
            (1, 5),                 // it is a run
            (HEADER_LEN, 0x46),     // it has options
            (HEADER_LEN + 6, 0x20), // it is a fragment
            (HEADER_LEN + 9, 6),    // it is TCP
            (HEADER_LEN + 3, 9),    // it is longer than it says
            (HEADER_LEN + 25, 9),   // so is its datagram
        ] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert!(!Run::default().push(&bad), "{at}");
        }
        for len in 0..HEADER_LEN + 29 {
            assert!(!Run::default().push(&good[..len]), "{len}");
        }
    }

    #[test]
    fn a_run_ends_where_the_kernel_wants_it_to() {
        let mut run = Run::default();
        let small = datagram("10.1.0.2:4000", &[1; 10]);
        assert_eq!((0..100).filter(|_| run.push(&small)).count(), MOST_SEGMENTS);
        run.take();
        let large = datagram("10.1.0.2:4000", &[1; 1400]);
        let count = (0..100).filter(|_| run.push(&large)).count();
        assert_eq!(count, (LONGEST - 28) / 1400);
    }
}
