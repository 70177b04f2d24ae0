//! Telling protocols apart that share one port, by their first byte (RFC 7983 as updated by
//! RFC 9443), and RTCP from RTP by the second (RFC 5761 §4).

/// A protocol that WebRTC sends over one 5-tuple with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// First byte 0 to 3.
    Stun,
    /// First byte 16 to 19.
    Zrtp,
    /// First byte 20 to 63.
    Dtls,
    /// First byte 64 to 79. Only from a TURN server; from anyone else such a byte starts a QUIC
    /// packet (RFC 9443 §3).
    ChannelData,
    /// First byte 80 to 127 or 192 to 255.
    Quic,
    /// First byte 128 to 191 and no RTCP packet type in the second.
    Rtp,
    /// First byte 128 to 191, second byte 192 to 223: what would be RTP's payload types 64 to 95.
    Rtcp,
}

impl Protocol {
    /// The protocol of a datagram; `None` for an empty one and for first bytes 4 to 15, which are
    /// to be dropped.
    #[must_use]
    pub fn of(datagram: &[u8]) -> Option<Self> {
        match *datagram.first()? {
            0..=3 => Some(Self::Stun),
            4..=15 => None,
            16..=19 => Some(Self::Zrtp),
            20..=63 => Some(Self::Dtls),
            64..=79 => Some(Self::ChannelData),
            80..=127 | 192..=255 => Some(Self::Quic),
            128..=191 => match datagram.get(1) {
                Some(192..=223) => Some(Self::Rtcp),
                _ => Some(Self::Rtp),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_byte_has_the_protocol_of_rfc_9443() {
        let ranges = [
            (0..=3, Some(Protocol::Stun)),
            (4..=15, None),
            (16..=19, Some(Protocol::Zrtp)),
            (20..=63, Some(Protocol::Dtls)),
            (64..=79, Some(Protocol::ChannelData)),
            (80..=127, Some(Protocol::Quic)),
            (128..=191, Some(Protocol::Rtp)),
            (192..=255, Some(Protocol::Quic)),
        ];
        let mut bytes = 0;
        for (range, protocol) in ranges {
            for first in range {
                assert_eq!(Protocol::of(&[first, 0]), protocol, "first byte {first}");
                bytes += 1;
            }
        }
        assert_eq!(bytes, 256);
        assert_eq!(Protocol::of(&[]), None);
    }

    #[test]
    fn rtcp_is_told_by_its_packet_type() {
        // A sender report is type 200; payload type 111 with the marker set is 239.
        assert_eq!(Protocol::of(&[0x80, 200]), Some(Protocol::Rtcp));
        assert_eq!(Protocol::of(&[0x80, 239]), Some(Protocol::Rtp));
        assert_eq!(Protocol::of(&[0x80, 191]), Some(Protocol::Rtp));
        assert_eq!(Protocol::of(&[0x80, 224]), Some(Protocol::Rtp));
        assert_eq!(Protocol::of(&[0x80]), Some(Protocol::Rtp));
    }
}
