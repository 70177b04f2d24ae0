//! A certificate's SHA-256, written as `talkie serve` and browsers write it.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;

/// SHA-256 over a certificate's DER form.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// Why a text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a fingerprint is the SHA-256 of a certificate: 32 pairs of hexadecimal digits, with or \
     without colons"
)]
pub struct ParseFingerprintError;

impl Fingerprint {
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, ParseFingerprintError> {
        let text = text.trim();
        let text = text.strip_prefix("sha-256 ").unwrap_or(text);
        let mut digits = text.chars().filter(|letter| *letter != ':');
        let mut bytes = [0; 32];
        for byte in &mut bytes {
            let mut digit = || digits.next().and_then(|letter| letter.to_digit(16));
            let (Some(high), Some(low)) = (digit(), digit()) else {
                return Err(ParseFingerprintError);
            };
            *byte = u8::try_from(high << 4 | low).map_err(|_| ParseFingerprintError)?;
        }
        if digits.next().is_some() { Err(ParseFingerprintError) } else { Ok(Self(bytes)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written_and_as_openssl_writes_it() {
        let fingerprint = Fingerprint(std::array::from_fn(|at| u8::try_from(at * 8).unwrap()));
        let text = fingerprint.to_string();
        assert!(text.starts_with("00:08:10:18:"), "{text}");
        for text in
            [text.clone(), text.to_lowercase(), text.replace(':', ""), format!(" sha-256 {text}\n")]
        {
            assert_eq!(text.parse(), Ok(fingerprint), "{text}");
        }
    }

    #[test]
    fn another_length_or_letter_is_none() {
        let text = "00:".repeat(32);
        for text in ["", "00", &text[3..], &format!("{text}00"), &text.replacen('0', "g", 1)] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
