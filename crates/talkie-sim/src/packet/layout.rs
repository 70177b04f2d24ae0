//! Where things are in an IP packet.

use super::protocol;

/// What is wrong with bytes that are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Malformed {
    /// Neither IPv4 nor IPv6.
    Version,
    /// Shorter than its headers, or than it says itself.
    Truncated,
    /// An IPv4 header that is shorter than it may be.
    HeaderLength,
    /// The IPv4 header's checksum is wrong.
    Checksum,
    /// More extension headers than a sender would have a reason for.
    TooManyExtensions,
    /// A fragment that reaches beyond the longest packet.
    Length,
}

/// Which fragment of a packet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fragment {
    /// What all fragments of the packet have in common.
    pub identification: u32,
    /// Where its payload begins in the whole, in bytes.
    pub offset: u16,
    /// Whether others come behind it.
    pub more: bool,
}

/// Offsets of what matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) is_ipv4: bool,
    /// The protocol of the payload.
    pub(super) protocol: u8,
    pub(super) fragment: Option<Fragment>,
    /// Where an IPv6 fragment header is.
    pub(super) fragment_header: u16,
    /// Where the payload begins.
    pub(super) payload: u16,
    /// Where the packet ends; what is behind is padding of a link.
    pub(super) end: u32,
}

/// A packet has a hop-by-hop header, two of destination options, a routing and a fragment header at
/// most (RFC 8200 §4.1), and some room for others.
const MOST_EXTENSIONS: usize = 8;

impl Layout {
    /// Finds its way through a packet, or through the beginning of one where it `may_be_cut`, as it
    /// stands in ICMP errors.
    pub(super) fn parse(bytes: &[u8], may_be_cut: bool) -> Result<Self, Malformed> {
        match bytes.first().map(|byte| byte >> 4) {
            Some(4) => Self::parse_ipv4(bytes, may_be_cut),
            Some(6) => Self::parse_ipv6(bytes, may_be_cut),
            Some(_) => Err(Malformed::Version),
            None => Err(Malformed::Truncated),
        }
    }

    fn parse_ipv4(bytes: &[u8], may_be_cut: bool) -> Result<Self, Malformed> {
        let header: &[u8; 20] = bytes.first_chunk().ok_or(Malformed::Truncated)?;
        let header_length = usize::from(header[0] & 0x0f) * 4;
        let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header_length < header.len() || total < header_length {
            return Err(Malformed::HeaderLength);
        }
        let end = end(total, header_length, bytes.len(), may_be_cut)?;
        let word = u16::from_be_bytes([header[6], header[7]]);
        let (offset, more) = (word << 3, word & 0x2000 != 0);
        let fragment = (offset != 0 || more).then_some(Fragment {
            identification: u16::from_be_bytes([header[4], header[5]]).into(),
            offset,
            more,
        });
        // RFC 791 §3.1: no packet is longer than 65,535 bytes, and one that would be is an attack.
        if usize::from(offset) + total > 0xffff {
            return Err(Malformed::Length);
        }
        Ok(Self {
            is_ipv4: true,
            protocol: header[9],
            fragment,
            fragment_header: 0,
            payload: header_length as u16,
            end,
        })
    }

    fn parse_ipv6(bytes: &[u8], may_be_cut: bool) -> Result<Self, Malformed> {
        let header: &[u8; 40] = bytes.first_chunk().ok_or(Malformed::Truncated)?;
        let total = 40 + usize::from(u16::from_be_bytes([header[4], header[5]]));
        let end = end(total, 40, bytes.len(), may_be_cut)?;
        let mut layout = Self {
            is_ipv4: false,
            protocol: header[6],
            fragment: None,
            fragment_header: 0,
            payload: 40,
            end,
        };
        for _ in 0..MOST_EXTENSIONS {
            let at = usize::from(layout.payload);
            // RFC 8200 §4: all begin with what comes next and how long they are, but for the fragment
            // header, whose length is fixed.
            let length = match layout.protocol {
                protocol::HOP_BY_HOP | protocol::ROUTING | protocol::DESTINATION_OPTIONS => {
                    let [_, length] = layout.word(bytes, at)?;
                    (usize::from(length) + 1) * 8
                }
                protocol::FRAGMENT => 8,
                _ => return Ok(layout),
            };
            if at + length > layout.end as usize {
                return Err(Malformed::Truncated);
            }
            let next = bytes[at];
            if layout.protocol == protocol::FRAGMENT {
                layout.take_fragment(&bytes[at..at + 8], at)?;
            }
            layout.protocol = next;
            layout.payload = (at + length) as u16;
            if layout.fragment.is_some_and(|fragment| fragment.offset != 0) {
                // What follows is the middle of something.
                return Ok(layout);
            }
        }
        Err(Malformed::TooManyExtensions)
    }

    fn take_fragment(&mut self, header: &[u8], at: usize) -> Result<(), Malformed> {
        let word = u16::from_be_bytes([header[2], header[3]]);
        let (offset, more) = (word & !7, word & 1 != 0);
        if usize::from(offset) + self.end as usize - at - 8 > 0xffff {
            return Err(Malformed::Length);
        }
        // RFC 6946 §4: one that is the whole packet is no fragment.
        if offset != 0 || more {
            let identification = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
            self.fragment = Some(Fragment { identification, offset, more });
            self.fragment_header = at as u16;
        }
        Ok(())
    }

    fn word(&self, bytes: &[u8], at: usize) -> Result<[u8; 2], Malformed> {
        let word = bytes.get(at..at + 2).ok_or(Malformed::Truncated)?;
        if at + 2 > self.end as usize {
            return Err(Malformed::Truncated);
        }
        Ok([word[0], word[1]])
    }
}

fn end(total: usize, header: usize, there: usize, may_be_cut: bool) -> Result<u32, Malformed> {
    let end = if may_be_cut { total.min(there) } else { total };
    if end > there || end < header {
        return Err(Malformed::Truncated);
    }
    Ok(end as u32)
}
