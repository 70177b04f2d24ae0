//! `virtio_net_hdr`: ten bytes before each packet, in the byte order of this machine.

/// The header's length.
pub const HEADER_LEN: usize = 10;

const NEEDS_CHECKSUM: u8 = 1;
const GSO_UDP: u8 = 5;

/// What the kernel says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header([u8; HEADER_LEN]);

impl Header {
    /// That of a packet which is complete.
    pub const PLAIN: Self = Self([0; HEADER_LEN]);

    /// That of a run of UDP datagrams, whose IP and UDP headers have so many bytes and whose payloads
    /// so many, the last one fewer at the most. The checksum is to be completed.
    #[must_use]
    pub fn run_of_datagrams(headers: u16, segment: u16) -> Self {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = NEEDS_CHECKSUM;
        bytes[1] = GSO_UDP;
        // Its length, the segments', where the UDP header is, and where in that the checksum is.
        for (at, value) in [(2, headers), (4, segment), (6, headers - 8), (8, 6)] {
            bytes[at..at + 2].copy_from_slice(&value.to_ne_bytes());
        }
        Self(bytes)
    }

    /// The header that begins with such bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; HEADER_LEN]) -> Self {
        Self(bytes)
    }

    /// Splits what was read.
    #[must_use]
    pub fn split(read: &mut [u8]) -> Option<(Self, &mut [u8])> {
        let (header, packet) = read.split_first_chunk_mut::<HEADER_LEN>()?;
        Some((Self(*header), packet))
    }

    /// How many packets on the wire it stands for.
    #[must_use]
    pub fn segments(self, packet: &[u8]) -> usize {
        match usize::from(self.short(4)) {
            0 => 1,
            segment => {
                packet.len().saturating_sub(usize::from(self.short(2))).div_ceil(segment).max(1)
            }
        }
    }

    /// Whether somebody still has to complete the checksum: until then the sum of the pseudo-header
    /// stands in its place.
    #[must_use]
    pub fn needs_checksum(self) -> bool {
        self.0[0] & NEEDS_CHECKSUM != 0
    }

    /// Whether it is that of a packet which is no run and whose checksum, of UDP as it seems, is still to
    /// be completed.
    #[must_use]
    pub fn is_unfinished_datagram(self) -> bool {
        self.needs_checksum() && self.0[1] == 0 && self.short(8) == 6
    }

    /// The bytes to write before the packet.
    #[must_use]
    pub fn bytes(self) -> [u8; HEADER_LEN] {
        self.0
    }

    fn short(self, at: usize) -> u16 {
        u16::from_ne_bytes([self.0[at], self.0[at + 1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_datagrams_is_counted_one_by_one() {
        // Headers of 28 bytes, three payloads of 100 and a last one of 50.
        let mut read = vec![NEEDS_CHECKSUM, GSO_UDP];
        read.extend([28_u16, 100, 20, 6].map(u16::to_ne_bytes).concat());
        read.resize(HEADER_LEN + 28 + 350, 0);
        let written = read[..HEADER_LEN].to_vec();
        let (header, packet) = Header::split(&mut read).unwrap();
        assert_eq!(header.segments(packet), 4);
        assert!(header.needs_checksum());
        assert_eq!(header.bytes(), *written);
    }

    #[test]
    fn what_is_shorter_than_a_header_has_none() {
        assert!(Header::split(&mut [0; 9]).is_none());
        let mut plain = Header::PLAIN.bytes();
        let (header, packet) = Header::split(&mut plain).unwrap();
        assert_eq!(header.segments(packet), 1);
    }
}
