//! IP packets as bytes: views of them, changes in place, and new ones.
//!
//! [`Packet`] looks through the headers once and keeps where things are: IPv4 with options, IPv6 with
//! extension headers up to a bound, fragments of both, and in them UDP, TCP, ICMP and ICMPv6. What is
//! changed in place changes the checksums by difference (RFC 1624), so that one that was wrong stays
//! wrong. [`build`] writes packets, among them the ICMP errors that routers send. [`checksum`] is for
//! whoever has parts only.
//!
//! No bytes make anything here panic.

pub mod build;
pub mod checksum;
mod layout;
#[cfg(test)]
mod tests;
mod transport;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub use layout::{Fragment, Malformed};
pub use transport::Transport;

use checksum::Difference;
use layout::Layout;

/// Protocol numbers and IPv6 extension headers (IANA).
pub mod protocol {
    /// ICMP for IPv4.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const DESTINATION_OPTIONS: u8 = 60;
}

/// An IP packet in `B`, which is `&[u8]`, `&mut [u8]` or an owner of bytes.
#[derive(Clone, Copy, Debug)]
pub struct Packet<B> {
    bytes: B,
    layout: Layout,
    has_partial_checksum: bool,
}

/// Which end of a packet's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Destination,
}

impl<B: AsRef<[u8]>> Packet<B> {
    /// Looks at a whole packet. What is behind its end is ignored.
    ///
    /// # Errors
    /// If it is none. Checksums are not looked at; see [`verify_header`](Self::verify_header).
    pub fn parse(bytes: B) -> Result<Self, Malformed> {
        let layout = Layout::parse(bytes.as_ref(), false)?;
        Ok(Self { bytes, layout, has_partial_checksum: false })
    }

    /// Looks at the beginning of a packet, as ICMP errors carry it. All of its IP headers must be
    /// there.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse_beginning(bytes: B) -> Result<Self, Malformed> {
        let layout = Layout::parse(bytes.as_ref(), true)?;
        Ok(Self { bytes, layout, has_partial_checksum: false })
    }

    /// Says that a network card, or who stands for it, has yet to finish the checksum of UDP or TCP,
    /// which now covers the pseudo header only (`VIRTIO_NET_HDR_F_NEEDS_CSUM`).
    #[must_use]
    pub fn with_partial_checksum(mut self) -> Self {
        self.has_partial_checksum = true;
        self
    }

    /// Whether it is IPv4.
    #[must_use]
    pub const fn is_ipv4(&self) -> bool {
        self.layout.is_ipv4
    }

    /// The address at one end.
    #[must_use]
    pub fn address(&self, end: End) -> IpAddr {
        let (at, bytes) = (self.address_offset(end), self.bytes.as_ref());
        if self.layout.is_ipv4 {
            let octets: [u8; 4] = bytes[at..at + 4].try_into().expect("four");
            Ipv4Addr::from(octets).into()
        } else {
            let octets: [u8; 16] = bytes[at..at + 16].try_into().expect("sixteen");
            Ipv6Addr::from(octets).into()
        }
    }

    /// Where it comes from.
    #[must_use]
    pub fn source(&self) -> IpAddr {
        self.address(End::Source)
    }

    /// Where it goes.
    #[must_use]
    pub fn destination(&self) -> IpAddr {
        self.address(End::Destination)
    }

    /// The number of the protocol that its payload is of, behind all extension headers.
    #[must_use]
    pub const fn protocol(&self) -> u8 {
        self.layout.protocol
    }

    /// How many routers it may still pass: time to live or hop limit.
    #[must_use]
    pub fn hops(&self) -> u8 {
        self.bytes.as_ref()[if self.layout.is_ipv4 { 8 } else { 7 }]
    }

    /// Which fragment it is, if it is one.
    #[must_use]
    pub const fn fragment(&self) -> Option<Fragment> {
        self.layout.fragment
    }

    /// Whether routers may not cut it into fragments; always so for IPv6.
    #[must_use]
    pub fn is_whole_or_nothing(&self) -> bool {
        !self.layout.is_ipv4 || self.bytes.as_ref()[6] & 0x40 != 0
    }

    /// Whether the checksum of the IPv4 header is right. IPv6 has none.
    #[must_use]
    pub fn verify_header(&self) -> bool {
        let header = &self.bytes.as_ref()[..usize::from(self.layout.payload)];
        !self.layout.is_ipv4 || checksum::fold(checksum::sum(header)) == 0xffff
    }

    /// What it carries, from the transport's header on.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.bytes.as_ref()[usize::from(self.layout.payload)..self.layout.end as usize]
    }

    /// Where in the bytes the payload begins.
    #[must_use]
    pub fn payload_offset(&self) -> usize {
        self.layout.payload.into()
    }

    /// The packet's bytes without what is behind its end.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes.as_ref()[..self.layout.end as usize]
    }

    /// The transport's header as far as it is there; [`Transport::Other`] in all fragments but the
    /// first.
    #[must_use]
    pub fn transport(&self) -> Transport {
        if self.layout.fragment.is_some_and(|fragment| fragment.offset != 0) {
            return Transport::Other;
        }
        Transport::parse(self.layout.is_ipv4, self.layout.protocol, self.payload())
    }

    /// The sum over the payload and its pseudo header where the protocol has one; folded it is
    /// `0xffff` where the checksum is right.
    #[must_use]
    pub fn payload_sum(&self) -> u64 {
        let payload = self.payload();
        let pseudo = match self.layout.protocol {
            protocol::ICMP => 0,
            number => {
                checksum::pseudo_header(self.source(), self.destination(), number, payload.len())
            }
        };
        pseudo + checksum::sum(payload)
    }

    const fn address_offset(&self, end: End) -> usize {
        match (self.layout.is_ipv4, end) {
            (true, End::Source) => 12,
            (true, End::Destination) => 16,
            (false, End::Source) => 8,
            (false, End::Destination) => 24,
        }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Packet<B> {
    /// Changes one end's address, and its port in the transport's header where that is there; `port`
    /// is the identifier of an ICMP query. Checksums follow. A family that is not the packet's changes
    /// nothing.
    pub fn set_end(&mut self, end: End, to: SocketAddr) {
        if to.is_ipv4() != self.layout.is_ipv4 {
            return;
        }
        let old = self.address(end);
        let transport = self.transport();
        let mut addresses = Difference::default();
        if old != to.ip() {
            addresses.address(old, to.ip());
            self.write_address(end, to.ip(), addresses);
        }
        let partial = self.has_partial_checksum;
        let at = usize::from(self.layout.payload);
        let payload = &mut self.bytes.as_mut()[at..self.layout.end as usize];
        transport.rewrite(payload, self.layout.is_ipv4, end, to.port(), addresses, partial);
    }

    /// Changes one end's address and nothing behind the IP header, as in fragments that have no
    /// transport header.
    pub fn set_address(&mut self, end: End, to: IpAddr) {
        let old = self.address(end);
        if to.is_ipv4() == self.layout.is_ipv4 && to != old {
            let mut difference = Difference::default();
            difference.address(old, to);
            self.write_address(end, to, difference);
        }
    }

    /// Takes one hop away, and says whether it may go on.
    #[must_use]
    pub fn take_hop(&mut self) -> bool {
        let hops = self.hops();
        if hops <= 1 {
            return false;
        }
        let bytes = self.bytes.as_mut();
        if self.layout.is_ipv4 {
            let old = u16::from_be_bytes([bytes[8], bytes[9]]);
            bytes[8] = hops - 1;
            let mut difference = Difference::default();
            difference.word(old, u16::from_be_bytes([bytes[8], bytes[9]]));
            adjust(bytes, 10, difference);
        } else {
            bytes[7] = hops - 1;
        }
        true
    }

    /// Gives a fragment another identification, of which IPv4 takes the lower half.
    pub fn set_identification(&mut self, to: u32) {
        let Some(fragment) = &mut self.layout.fragment else { return };
        let bytes = self.bytes.as_mut();
        if self.layout.is_ipv4 {
            let to = to as u16;
            let mut difference = Difference::default();
            difference.word(fragment.identification as u16, to);
            fragment.identification = to.into();
            bytes[4..6].copy_from_slice(&to.to_be_bytes());
            adjust(bytes, 10, difference);
        } else {
            fragment.identification = to;
            let at = usize::from(self.layout.fragment_header) + 4;
            bytes[at..at + 4].copy_from_slice(&to.to_be_bytes());
        }
    }

    /// Computes the checksum of the transport anew where the whole packet is there.
    pub fn finish_checksum(&mut self) {
        let Some(at) = self.transport().checksum_offset() else { return };
        let at = usize::from(self.layout.payload) + at;
        if at + 2 > self.layout.end as usize {
            return;
        }
        self.bytes.as_mut()[at..at + 2].fill(0);
        let sum = !checksum::fold(self.payload_sum());
        // RFC 768: zero would say that there is none.
        let sum = if sum == 0 && self.layout.protocol == protocol::UDP { 0xffff } else { sum };
        self.bytes.as_mut()[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        self.has_partial_checksum = false;
    }

    /// What it carries, to be changed by whoever sees to the checksum.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        let range = usize::from(self.layout.payload)..self.layout.end as usize;
        &mut self.bytes.as_mut()[range]
    }

    fn write_address(&mut self, end: End, to: IpAddr, difference: Difference) {
        let at = self.address_offset(end);
        let bytes = self.bytes.as_mut();
        match to {
            IpAddr::V4(to) => {
                bytes[at..at + 4].copy_from_slice(&to.octets());
                adjust(bytes, 10, difference);
            }
            IpAddr::V6(to) => bytes[at..at + 16].copy_from_slice(&to.octets()),
        }
    }
}

/// Changes the checksum at `at` by a difference.
fn adjust(bytes: &mut [u8], at: usize, difference: Difference) {
    let old = u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    bytes[at..at + 2].copy_from_slice(&difference.apply(old).to_be_bytes());
}
