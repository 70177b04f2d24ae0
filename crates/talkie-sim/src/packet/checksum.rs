//! The Internet checksum (RFC 1071), whole and by difference (RFC 1624).

use std::net::IpAddr;

/// The one's complement sum of big-endian 16-bit words, not yet folded. Several add up, as long as all
/// but the last have an even length.
#[must_use]
pub fn sum(bytes: &[u8]) -> u64 {
    // RFC 1071 §2(B), (C): carries may wait, and wider words give the same sum.
    let (words, rest) = bytes.as_chunks::<4>();
    let mut total: u64 = words.iter().map(|word| u64::from(u32::from_be_bytes(*word))).sum();
    for (at, byte) in rest.iter().enumerate() {
        total += u64::from(*byte) << if at % 2 == 0 { 8 } else { 0 };
    }
    total
}

/// A sum brought down to 16 bits.
#[must_use]
pub const fn fold(sum: u64) -> u16 {
    let mut sum = (sum >> 32) + (sum & 0xffff_ffff);
    sum = (sum >> 32) + (sum & 0xffff_ffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum as u16
}

/// What the pseudo header of UDP, TCP and ICMPv6 adds to their sum (RFC 9293 §3.1, RFC 8200 §8.1).
#[must_use]
pub fn pseudo_header(source: IpAddr, destination: IpAddr, protocol: u8, length: usize) -> u64 {
    address(source) + address(destination) + u64::from(protocol) + length as u64
}

/// The sum of an address's words.
fn address(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => sum(&address.octets()),
    }
}

/// What changes in a checksum when words under it change.
#[derive(Clone, Copy, Debug, Default)]
pub struct Difference(u64);

impl Difference {
    /// A word that was `old` becomes `new`.
    pub const fn word(&mut self, old: u16, new: u16) {
        self.0 += !old as u64 + new as u64;
    }

    /// An address that was `old` becomes `new`.
    pub fn address(&mut self, old: IpAddr, new: IpAddr) {
        match (old, new) {
            (IpAddr::V4(old), IpAddr::V4(new)) => {
                self.0 += u64::from(!old.to_bits()) + u64::from(new.to_bits());
            }
            _ => self.0 += u64::from(!fold(address(old))) + address(new),
        }
    }

    /// The checksum that a field must now have which had `checksum`.
    #[must_use]
    pub const fn apply(self, checksum: u16) -> u16 {
        // RFC 1624 §3, equation 3: HC' = ~(~HC + ~m + m').
        !fold(!checksum as u64 + self.0)
    }

    /// The same for a field that holds a sum and no complement of it, as packets have that a network
    /// card is to finish.
    #[must_use]
    pub const fn apply_to_sum(self, sum: u16) -> u16 {
        fold(sum as u64 + self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(fold(sum(&bytes)), 0xddf2);
        assert_eq!(fold(sum(&bytes[..7])), fold(0x0001 + 0xf203 + 0xf4f5 + 0xf600));
    }

    #[test]
    fn the_example_of_rfc_1624() {
        // §4: where equation 4 gives FFFF, equation 3 gives 0.
        let mut difference = Difference::default();
        difference.word(0x5555, 0x3285);
        assert_eq!(difference.apply(0xdd2f), 0x0000);
    }

    proptest! {
        #[test]
        fn by_difference_is_as_good_as_whole(
            mut bytes in prop::collection::vec(any::<u8>(), 16..80),
            at in 0..8_usize,
            new in any::<u16>(),
        ) {
            // Not all zeros, of which alone the complement is FFFF.
            bytes[15] |= 1;
            let before = !fold(sum(&bytes));
            let word = [bytes[2 * at], bytes[2 * at + 1]];
            let mut difference = Difference::default();
            difference.word(u16::from_be_bytes(word), new);
            bytes[2 * at..2 * at + 2].copy_from_slice(&new.to_be_bytes());
            let expected = !fold(sum(&bytes));
            prop_assert_eq!(difference.apply(before), expected);
            prop_assert_eq!(difference.apply_to_sum(!before), !expected);
        }
    }
}
