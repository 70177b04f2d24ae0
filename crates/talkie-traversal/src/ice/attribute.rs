//! ICE's attributes of a session description (RFC 8839 §5, RFC 8840 §8.2), each of them one line.
//!
//! A line may come with its `a=` and its end, or without. It comes from somebody else: it is bounded,
//! and of a line that is no use the error says which part is wrong. A reader of descriptions skips a
//! candidate that cannot be read (RFC 8839 §5.1 wants unknown transports and types ignored) and refuses
//! a description whose credentials cannot.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::candidate::{Candidate, CandidateAddress};
use super::parameters::{self, Options};
use crate::uri::is_host_name;

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attribute {
    /// `candidate` (RFC 8839 §5.1).
    Candidate(Candidate),
    /// `remote-candidates`: the controlling side's choice, told to a controlled one (RFC 8839 §5.2).
    RemoteCandidates(Vec<RemoteCandidate>),
    /// `ice-lite`: its sender is reachable and sends no checks (RFC 8839 §5.3).
    Lite,
    /// `ice-mismatch`: its sender's peer was not where its default candidate is (RFC 8839 §5.3).
    Mismatch,
    /// `ice-ufrag` (RFC 8839 §5.4).
    UsernameFragment(String),
    /// `ice-pwd` (RFC 8839 §5.4).
    Password(String),
    /// `ice-pacing`: how far apart its sender wants checks to be (RFC 8839 §5.5).
    Pacing(Duration),
    /// `ice-options` (RFC 8839 §5.6).
    Options(Options),
    /// `end-of-candidates` (RFC 8840 §8.2).
    EndOfCandidates,
}

/// The default address of one component, of the side that the line is sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteCandidate {
    /// The component.
    pub component: u16,
    /// Where it is.
    pub address: CandidateAddress,
    /// Its port.
    pub port: u16,
}

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flaw}, in `{line}`")]
pub struct ParseError {
    /// What is wrong with it.
    pub flaw: Flaw,
    /// The line; cut if it is long, without a password.
    pub line: String,
}

/// What may be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// Longer than any that makes sense.
    #[error("the line is longer than {} bytes", ParseError::MOST_BYTES)]
    TooLong,
    /// Only printable ASCII may be in it.
    #[error("there is a character that may not be there")]
    Character,
    /// Another attribute than was asked for, or none of ICE's.
    #[error("this is another attribute")]
    Name,
    /// It ends too early.
    #[error("the {0} is missing")]
    Missing(&'static str),
    /// Something follows that has no place there.
    #[error("nothing may follow here")]
    Surplus,
    /// Not 1 to 32 characters.
    #[error("the foundation is longer than 32 characters")]
    Foundation,
    /// Not 1 to 256.
    #[error("the component is no number from 1 to 256")]
    Component,
    /// Neither UDP nor TCP.
    #[error("the transport is neither UDP nor TCP")]
    Transport,
    /// Not 1 to 2³¹ − 1.
    #[error("the priority is no number from 1 to 2147483647")]
    Priority,
    /// Neither an IP address nor a name.
    #[error("the address is neither an IP address nor a host's name")]
    Address,
    /// Not 1 to 65535; 0 is possible only where nobody connects to it.
    #[error("the port is none that can be reached")]
    Port,
    /// None of host, srflx, prflx, relay.
    #[error("the type is none of host, srflx, prflx, relay")]
    Type,
    /// A TCP candidate must have one of active, passive, so.
    #[error("the TCP type is none of active, passive, so")]
    TcpType,
    /// `raddr` or `rport` makes no sense.
    #[error("the related address or port is none")]
    Related,
    /// Not 4 to 256 letters, digits, `+` and `/`.
    #[error("the user name fragment is not 4 to 256 letters, digits, + and /")]
    UsernameFragment,
    /// Not 22 to 256 letters, digits, `+` and `/`.
    #[error("the password is not 22 to 256 letters, digits, + and /")]
    Password,
    /// Not of letters, digits, `+` and `/`.
    #[error("an option is not of letters, digits, + and /")]
    Option,
    /// Not a number of at most ten digits.
    #[error("the pacing is no number of milliseconds")]
    Pacing,
}

impl ParseError {
    /// The longest line that is read: the longest name, options of every kind and more.
    pub const MOST_BYTES: usize = 1024;

    pub(super) fn new(flaw: Flaw, line: &str) -> Self {
        const SHOWN: usize = 200;
        let line = strip(line);
        let line = if line.starts_with("ice-pwd") { "ice-pwd:…" } else { line };
        let mut shown: String = line.chars().take(SHOWN).flat_map(char::escape_default).collect();
        if line.chars().nth(SHOWN).is_some() {
            shown.push('…');
        }
        Self { flaw, line: if line == "ice-pwd:…" { line.to_owned() } else { shown } }
    }
}

/// The line without what carries it.
fn strip(line: &str) -> &str {
    let line = line.trim_end_matches(['\r', '\n', ' ']);
    line.strip_prefix("a=").unwrap_or(line)
}

/// The line without what carries it, if nothing is in it that may be in none.
pub(super) fn checked(line: &str) -> Result<&str, Flaw> {
    let line = strip(line);
    if line.len() > ParseError::MOST_BYTES {
        return Err(Flaw::TooLong);
    }
    // What is read here is printed again: a control character could start a line of its own.
    if line.bytes().any(|byte| !matches!(byte, b' '..=b'~')) {
        return Err(Flaw::Character);
    }
    Ok(line)
}

/// RFC 8839 §5.1: the characters of foundations, fragments, passwords and options.
pub(super) fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

/// A number in decimal digits alone, at most as many as given.
pub(super) fn number(text: &str, digits: usize) -> Option<u64> {
    let is_plain = text.len() <= digits && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

impl FromStr for CandidateAddress {
    type Err = Flaw;

    fn from_str(text: &str) -> Result<Self, Flaw> {
        if let Ok(ip) = text.parse() {
            return Ok(Self::Ip(ip));
        }
        if !is_host_name(text) {
            return Err(Flaw::Address);
        }
        Ok(Self::Name(text.to_owned()))
    }
}

impl FromStr for Attribute {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Self, ParseError> {
        Self::parse(line).map_err(|flaw| ParseError::new(flaw, line))
    }
}

impl Attribute {
    fn parse(line: &str) -> Result<Self, Flaw> {
        let line = checked(line)?;
        let (name, value) = match line.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (line, None),
        };
        let flag = |attribute| value.map_or(Ok(attribute), |_| Err(Flaw::Surplus));
        let text = || value.ok_or(Flaw::Missing("value"));
        match name {
            "candidate" => Candidate::parse(line).map(Self::Candidate),
            "remote-candidates" => remote_candidates(text()?).map(Self::RemoteCandidates),
            "ice-lite" => flag(Self::Lite),
            "ice-mismatch" => flag(Self::Mismatch),
            "ice-ufrag" => {
                parameters::username_fragment(text()?)?;
                Ok(Self::UsernameFragment(text()?.to_owned()))
            }
            "ice-pwd" => {
                parameters::password(text()?)?;
                Ok(Self::Password(text()?.to_owned()))
            }
            "ice-pacing" => {
                let millis = number(text()?, 10).ok_or(Flaw::Pacing)?;
                Ok(Self::Pacing(Duration::from_millis(millis)))
            }
            "ice-options" => text()?.parse().map(Self::Options),
            "end-of-candidates" => flag(Self::EndOfCandidates),
            _ => Err(Flaw::Name),
        }
    }

    /// Whether a line, with or without its `a=`, is one of these attributes, be it readable or not.
    #[must_use]
    pub fn is_one(line: &str) -> bool {
        let line = strip(line);
        let name = line.split_once(':').map_or(line, |(name, _)| name);
        matches!(
            name,
            "candidate"
                | "remote-candidates"
                | "ice-lite"
                | "ice-mismatch"
                | "ice-ufrag"
                | "ice-pwd"
                | "ice-pacing"
                | "ice-options"
                | "end-of-candidates"
        )
    }
}

/// RFC 8839 §5.2.
fn remote_candidates(value: &str) -> Result<Vec<RemoteCandidate>, Flaw> {
    let mut words = value.split(' ').filter(|word| !word.is_empty());
    let mut candidates = Vec::new();
    while let Some(component) = words.next() {
        let address = words.next().ok_or(Flaw::Missing("address"))?.parse()?;
        let port = words.next().ok_or(Flaw::Missing("port"))?;
        candidates.push(RemoteCandidate {
            component: component_of(component)?,
            address,
            port: port_of(port).ok_or(Flaw::Port)?,
        });
    }
    if candidates.is_empty() { Err(Flaw::Missing("component")) } else { Ok(candidates) }
}

/// RFC 8839 §5.1: 1 to 256.
pub(super) fn component_of(text: &str) -> Result<u16, Flaw> {
    let component = number(text, 3).and_then(|number| u16::try_from(number).ok());
    component.filter(|number| (1..=256).contains(number)).ok_or(Flaw::Component)
}

pub(super) fn port_of(text: &str) -> Option<u16> {
    number(text, 5).and_then(|number| u16::try_from(number).ok())
}

impl fmt::Display for Attribute {
    /// Without the `a=`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Candidate(candidate) => candidate.fmt(f),
            Self::RemoteCandidates(candidates) => {
                f.write_str("remote-candidates")?;
                for (index, candidate) in candidates.iter().enumerate() {
                    let RemoteCandidate { component, address, port } = candidate;
                    let before = if index == 0 { ':' } else { ' ' };
                    write!(f, "{before}{component} {address} {port}")?;
                }
                Ok(())
            }
            Self::Lite => f.write_str("ice-lite"),
            Self::Mismatch => f.write_str("ice-mismatch"),
            Self::UsernameFragment(fragment) => write!(f, "ice-ufrag:{fragment}"),
            Self::Password(password) => write!(f, "ice-pwd:{password}"),
            Self::Pacing(pacing) => write!(f, "ice-pacing:{}", pacing.as_millis()),
            Self::Options(options) => write!(f, "ice-options:{options}"),
            Self::EndOfCandidates => f.write_str("end-of-candidates"),
        }
    }
}
