//! The messages that open a channel (RFC 8832 §5): DATA_CHANNEL_OPEN and DATA_CHANNEL_ACK.

use std::time::Duration;

use super::channel::{Options, Priority};
use crate::sctp::Reliability;

const ACK: u8 = 2;
const OPEN: u8 = 3;

/// Bytes of an OPEN before its label.
const HEAD: usize = 12;

/// Bytes of the longest OPEN.
pub(super) const LONGEST: usize = HEAD + 2 * 0xffff;

/// Flag of a channel's type: messages may overtake each other.
const UNORDERED: u8 = 0x80;

/// A message of the establishment protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dcep {
    /// Opens a channel on the stream it comes on.
    Open(Options),
    /// It is open on the other side too.
    Ack,
}

impl Dcep {
    /// Reads a message; `None` if it is none, or its strings are no UTF-8.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match *bytes.first()? {
            ACK => Some(Self::Ack),
            OPEN => parse_open(bytes).map(Self::Open),
            _ => None,
        }
    }

    /// Whether it is an OPEN, be it broken.
    pub(super) fn is_open(bytes: &[u8]) -> bool {
        bytes.first() == Some(&OPEN)
    }

    /// The message's bytes. Strings longer than the format can say are cut by whoever made the options.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self::Open(options) = self else { return vec![ACK] };
        let (kind, parameter) = match options.reliability {
            Reliability::Reliable => (0, 0),
            Reliability::Retransmits(times) => (1, u32::from(times)),
            Reliability::Lifetime(span) => (2, u32::try_from(span.as_millis()).unwrap_or(u32::MAX)),
        };
        let length = |text: &str| u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
        let mut bytes = Vec::with_capacity(HEAD + options.label.len() + options.protocol.len());
        bytes.push(OPEN);
        bytes.push(if options.ordered { kind } else { kind | UNORDERED });
        bytes.extend_from_slice(&options.priority.0.to_be_bytes());
        bytes.extend_from_slice(&parameter.to_be_bytes());
        bytes.extend_from_slice(&length(&options.label));
        bytes.extend_from_slice(&length(&options.protocol));
        bytes.extend_from_slice(options.label.as_bytes());
        bytes.extend_from_slice(options.protocol.as_bytes());
        bytes
    }
}

/// RFC 8832 §5.1.
fn parse_open(bytes: &[u8]) -> Option<Options> {
    let half = |at: usize| Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    let parameter = u32::from_be_bytes(*bytes.get(4..)?.first_chunk()?);
    let kind = *bytes.get(1)?;
    let reliability = match kind & !UNORDERED {
        0 => Reliability::Reliable,
        // More than fits is more often than anybody tries.
        1 => Reliability::Retransmits(u16::try_from(parameter).unwrap_or(u16::MAX)),
        2 => Reliability::Lifetime(Duration::from_millis(parameter.into())),
        _ => return None,
    };
    let (label, protocol) = (usize::from(half(8)?), usize::from(half(10)?));
    let text = |from: usize, length: usize| {
        String::from_utf8(bytes.get(from..from + length)?.to_vec()).ok()
    };
    Some(Options {
        label: text(HEAD, label)?,
        protocol: text(HEAD + label, protocol)?,
        ordered: kind & UNORDERED == 0,
        reliability,
        priority: Priority(half(2)?),
        negotiated: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_is_read_as_it_was_written() {
        for reliability in [
            Reliability::Reliable,
            Reliability::Retransmits(7),
            Reliability::Lifetime(Duration::from_millis(1500)),
        ] {
            for ordered in [false, true] {
                let open = Dcep::Open(Options {
                    label: "größe".into(),
                    protocol: "chat".into(),
                    ordered,
                    reliability,
                    priority: Priority::HIGH,
                    negotiated: None,
                });
                let bytes = open.to_bytes();
                assert_eq!(Dcep::parse(&bytes), Some(open));
                for cut in 0..bytes.len() {
                    assert_eq!(Dcep::parse(&bytes[..cut]), None, "{cut} bytes of it");
                }
            }
        }
        assert_eq!(Dcep::parse(&Dcep::Ack.to_bytes()), Some(Dcep::Ack));
    }

    #[test]
    fn the_bytes_are_those_that_browsers_send() {
        // "dc" with protocol "p", unordered, at most three retransmissions, priority 256.
        let bytes = [3, 0x81, 1, 0, 0, 0, 0, 3, 0, 2, 0, 1, b'd', b'c', b'p'];
        let Some(Dcep::Open(options)) = Dcep::parse(&bytes) else { panic!("it is an OPEN") };
        assert_eq!((&options.label[..], &options.protocol[..]), ("dc", "p"));
        assert_eq!((options.ordered, options.priority), (false, Priority::NORMAL));
        assert_eq!(options.reliability, Reliability::Retransmits(3));
        assert_eq!(Dcep::Open(options).to_bytes(), bytes);
    }

    #[test]
    fn what_is_no_open_is_none() {
        let good = [3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, b'x'];
        assert!(Dcep::parse(&good).is_some());
        for (at, byte) in [(0, 9), (1, 3), (9, 2), (11, 1), (12, 0xff)] {
            let mut bad = good;
            bad[at] = byte;
            assert_eq!(Dcep::parse(&bad), None, "byte {at}");
        }
    }
}
