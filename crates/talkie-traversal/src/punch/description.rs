//! What one side tells the other: where it may be reached, and what proves that it is it.
//!
//! As text it is one line, `1 UFRAG PASSWORD host=10.0.0.2:5000 srflx=192.0.2.7:5000`, which whoever
//! carries it can put anywhere. It comes from somebody else, so reading it checks everything: a
//! description that exists is one that can be used.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// What an address is to the one who has it (RFC 8445 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Kind {
    /// A socket's own.
    Host,
    /// As a STUN server sees it.
    ServerReflexive,
    /// As the other side sees it, where that is something else again.
    PeerReflexive,
    /// On a relay.
    Relayed,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// An address to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub address: SocketAddr,
}

/// All that one side tells the other.
#[derive(Clone, PartialEq, Eq)]
pub struct Description {
    ufrag: String,
    password: String,
    candidates: Vec<Candidate>,
}

/// Why a text is no description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// Longer than any that is made.
    #[error("the description is too long")]
    TooLong,
    /// It does not start with the version known here.
    #[error("the description is of another version")]
    Version,
    /// Name or password are missing, too short, too long or have other characters than they may.
    #[error("the description has no credentials that can be used")]
    Credentials,
    /// A candidate cannot be read, or is where nobody can be.
    #[error("the description has an address that cannot be used")]
    Candidate,
    /// More candidates than are tried.
    #[error("the description has too many addresses")]
    TooMany,
}

impl Description {
    /// The most candidates: four interfaces of two families with a reflexive address each.
    pub const MOST_CANDIDATES: usize = 16;
    /// The longest text: so many candidates of the longest form, and the longest credentials.
    pub const MOST_BYTES: usize = 2048;

    pub(super) fn new(ufrag: String, password: String, mut candidates: Vec<Candidate>) -> Self {
        candidates.truncate(Self::MOST_CANDIDATES);
        Self { ufrag, password, candidates }
    }

    /// The name of the session.
    #[must_use]
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// Where to try.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }

    /// What is at this address, as far as is told.
    pub(super) fn kind_of(&self, address: SocketAddr) -> Option<Kind> {
        let known = self.candidates.iter().find(|candidate| candidate.address == address);
        known.map(|candidate| candidate.kind)
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The password is a secret.
        f.debug_struct("Description")
            .field("ufrag", &self.ufrag)
            .field("candidates", &self.candidates)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1 {} {}", self.ufrag, self.password)?;
        self.candidates.iter().try_for_each(|it| write!(f, " {}={}", it.kind.word(), it.address))
    }
}

impl FromStr for Description {
    type Err = DescriptionError;

    fn from_str(text: &str) -> Result<Self, DescriptionError> {
        if text.len() > Self::MOST_BYTES {
            return Err(DescriptionError::TooLong);
        }
        let mut words = text.split_ascii_whitespace();
        if words.next() != Some("1") {
            return Err(DescriptionError::Version);
        }
        // RFC 8839 §5.4: lengths and characters of ufrag and password.
        let mut credential = |lengths: std::ops::RangeInclusive<usize>| {
            let is_fit = |word: &&str| lengths.contains(&word.len()) && word.bytes().all(is_ice);
            words.next().filter(is_fit).map(str::to_owned).ok_or(DescriptionError::Credentials)
        };
        let (ufrag, password) = (credential(4..=32)?, credential(22..=128)?);
        let mut candidates = Vec::new();
        for word in words {
            if candidates.len() == Self::MOST_CANDIDATES {
                return Err(DescriptionError::TooMany);
            }
            candidates.push(candidate(word).ok_or(DescriptionError::Candidate)?);
        }
        Ok(Self { ufrag, password, candidates })
    }
}

fn candidate(word: &str) -> Option<Candidate> {
    let (kind, address) = word.split_once('=')?;
    let kinds = [Kind::Host, Kind::ServerReflexive, Kind::Relayed];
    let kind = kinds.into_iter().find(|known| known.word() == kind)?;
    let address: SocketAddr = address.parse().ok()?;
    can_be_sent_to(address).then_some(Candidate { kind, address })
}

/// Whether a single host may be there.
pub(super) fn can_be_sent_to(address: SocketAddr) -> bool {
    let is_group = match address.ip() {
        IpAddr::V4(ip) => ip.is_multicast() || ip.is_broadcast() || ip.octets()[0] == 0,
        // A mapped one is IPv4 in disguise.
        IpAddr::V6(ip) => ip.is_multicast() || ip.is_unspecified() || ip.to_ipv4_mapped().is_some(),
    };
    address.port() != 0 && !is_group
}

/// RFC 8839 §5.4: ice-char.
fn is_ice(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

#[cfg(feature = "serde")]
impl serde::Serialize for Description {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Description {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "1 abcd 0123456789abcdefghijkl host=10.0.0.2:5000 srflx=[2001:db8::1]:9";

    #[test]
    fn reading_undoes_writing() {
        let description: Description = GOOD.parse().unwrap();
        assert_eq!(description.to_string(), GOOD);
        assert_eq!(description.candidates().len(), 2);
        assert!(!format!("{description:?}").contains("0123456789"), "the password is a secret");
    }

    #[test]
    fn what_cannot_be_used_is_no_description() {
        use DescriptionError as E;
        let many = format!("1 abcd 0123456789abcdefghijkl{}", " host=10.0.0.2:5000".repeat(17));
        let long = format!("{GOOD}{}", " ".repeat(Description::MOST_BYTES));
        let with = |candidate: &str| format!("1 abcd 0123456789abcdefghijkl {candidate}");
        let table = [
            ("".to_owned(), E::Version),
            ("2 abcd 0123456789abcdefghijkl".to_owned(), E::Version),
            ("1 abc 0123456789abcdefghijkl".to_owned(), E::Credentials),
            ("1 abcd short".to_owned(), E::Credentials),
            ("1 ab:cd 0123456789abcdefghijkl".to_owned(), E::Credentials),
            (with("host"), E::Candidate),
            (with("prflx=10.0.0.2:5000"), E::Candidate),
            (with("host=10.0.0.2:0"), E::Candidate),
            (with("host=0.0.0.0:5000"), E::Candidate),
            (with("host=224.0.0.1:5000"), E::Candidate),
            (with("host=255.255.255.255:5000"), E::Candidate),
            (with("host=[ff02::1]:5000"), E::Candidate),
            (with("host=[::ffff:224.0.0.1]:5000"), E::Candidate),
            (many, E::TooMany),
            (long, E::TooLong),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<Description>(), Err(error), "{text}");
        }
    }
}
