//! The end of a certificate's validity, read from its DER form (RFC 5280 §4.1): just enough of
//! ASN.1 to walk to that field.

use std::time::{Duration, SystemTime};

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0] EXPLICIT Version`, absent in version 1.
const VERSION: u8 = 0xa0;

/// When the certificate ends; `None` if it isn't one.
pub(super) fn not_after(der: &[u8]) -> Option<SystemTime> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (tbs, _) = expect(certificate, SEQUENCE)?;
    let (tag, _, rest) = element(tbs)?;
    // Serial number, signature algorithm and issuer come before the validity.
    let mut fields = if tag == VERSION { rest } else { tbs };
    for _ in 0..3 {
        (_, _, fields) = element(fields)?;
    }
    let (validity, _) = expect(fields, SEQUENCE)?;
    let (_, _, after_start) = element(validity)?;
    let (tag, text, _) = element(after_start)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// The content of the first element and what follows it, if its tag is `tag`.
fn expect(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(der)?;
    (found == tag).then_some((content, rest))
}

/// Splits off the first element: tag, content, rest.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, der) = der.split_first()?;
    let (&first, der) = der.split_first()?;
    let (len, der) = match first {
        0..=0x7f => (usize::from(first), der),
        0x81..=0x84 => {
            let (bytes, der) = der.split_at_checked(usize::from(first & 0x7f))?;
            let len = bytes.iter().fold(0_u32, |len, byte| len << 8 | u32::from(*byte));
            (usize::try_from(len).ok()?, der)
        }
        _ => return None,
    };
    let (content, rest) = der.split_at_checked(len)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280 §4.1.2.5).
fn time(tag: u8, text: &str) -> Option<SystemTime> {
    let digits = text.strip_suffix('Z')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let short: u64 = digits[..2].parse().ok()?;
            // §4.1.2.5.1: 50 to 99 are 19YY.
            (short + if short >= 50 { 1900 } else { 2000 }, &digits[2..])
        }
        (GENERALIZED_TIME, 14) => (digits[..4].parse().ok()?, &digits[4..]),
        _ => return None,
    };
    let number = |at: usize| rest[at..at + 2].parse::<u64>().ok();
    let days = days_since_epoch(year, number(0)?, number(2)?)?;
    let seconds = ((days * 24 + number(4)?) * 60 + number(6)?) * 60 + number(8)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Days from 1 January 1970 in the Gregorian calendar. Years are counted from March, so that the
/// leap day is the last of its year.
fn days_since_epoch(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    // 719,468 days from 1 March of the year 0 to the epoch.
    (year * 365 + leap_days + day_of_year).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(tag: u8, text: &str) -> Option<u64> {
        let since = time(tag, text)?.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Some(since.as_secs())
    }

    #[test]
    fn both_forms_of_time_are_read() {
        assert_eq!(unix(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(unix(UTC_TIME, "260228235959Z"), Some(1_772_323_199));
        assert_eq!(unix(GENERALIZED_TIME, "20000229120000Z"), Some(951_825_600));
        assert_eq!(unix(GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "Z", "7001010000Z", "701301000000Z", "70010100000xZ", "７00101000000Z"] {
            assert_eq!(time(UTC_TIME, text), None, "{text}");
        }
        assert_eq!(time(GENERALIZED_TIME, "00000101000000Z"), None);
    }

    #[test]
    fn garbage_is_no_certificate() {
        let depths: Vec<_> = (0..64).map(|len| vec![SEQUENCE; len]).collect();
        for der in &depths {
            assert_eq!(not_after(der), None);
        }
        assert_eq!(not_after(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
