//! Numbers that wrap around (RFC 1982), and how they are told apart from what they count.
//!
//! On the wire a TSN, an SSN or a MID is the low part of a count that never ends. Inside, the whole count
//! is kept in 64 bits, so that comparisons and differences are ordinary ones: [`widen32`] and [`widen16`]
//! find the count that is meant, the one nearest to a count that is known.

use std::fmt;

/// A transmission sequence number as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Tsn(pub u32);

impl Tsn {
    /// The number that many further on.
    #[must_use]
    pub fn plus(self, count: u32) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// The count nearest to `near` whose low part this is.
    #[must_use]
    pub fn widen(self, near: u64) -> u64 {
        widen32(self.0, near)
    }

    /// The low part of a count.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the low part is what is on the wire")]
    pub fn of(count: u64) -> Self {
        Self(count as u32)
    }
}

impl fmt::Display for Tsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where counts begin whose low part is `first`: far enough from zero that what is older has a count too.
#[must_use]
pub fn beginning(first: u32) -> u64 {
    (1 << 32) + u64::from(first)
}

/// The count nearest to `near` whose low 32 bits are `low`.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "serial arithmetic"
)]
pub fn widen32(low: u32, near: u64) -> u64 {
    let distance = low.wrapping_sub(near as u32) as i32;
    near.wrapping_add_signed(i64::from(distance))
}

/// The count nearest to `near` whose low 16 bits are `low`.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "serial arithmetic"
)]
pub fn widen16(low: u16, near: u64) -> u64 {
    let distance = low.wrapping_sub(near as u16) as i16;
    near.wrapping_add_signed(i64::from(distance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_goes_on_where_its_low_part_wraps_around() {
        let near = beginning(u32::MAX - 1);
        assert_eq!(Tsn(u32::MAX).widen(near), near + 1);
        assert_eq!(Tsn(3).widen(near), near + 5);
        assert_eq!(Tsn(u32::MAX - 5).widen(near), near - 4);
        assert_eq!(Tsn::of(near + 5), Tsn(3));
        assert_eq!(widen16(2, 0x1_fffe), 0x2_0002);
        assert_eq!(widen16(0xfffd, 0x2_0002), 0x1_fffd);
    }
}
