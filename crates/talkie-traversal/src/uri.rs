//! URIs of STUN and TURN servers (RFC 7064, RFC 7065): `stun:host`, `stuns:host:port`,
//! `turn:host:port?transport=tcp`, `turns:host`.
//!
//! A port that is not named is the scheme's own, 3478 or 5349, and a transport that is not named is UDP
//! for `stun` and `turn`, TLS over TCP for `stuns` and `turns`: as browsers do it, where the RFCs would
//! ask the DNS for SRV and NAPTR records first (RFC 8489 §8, RFC 5928).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use talkie_sansio::Transport;

/// What a server is asked for, and whether over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// STUN.
    Stun,
    /// STUN over TLS.
    Stuns,
    /// TURN.
    Turn,
    /// TURN over TLS.
    Turns,
}

impl Scheme {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stun => "stun",
            Self::Stuns => "stuns",
            Self::Turn => "turn",
            Self::Turns => "turns",
        }
    }

    /// Whether it is spoken over TLS.
    #[must_use]
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Stuns | Self::Turns)
    }

    /// Whether it names a relay.
    #[must_use]
    pub fn is_turn(self) -> bool {
        matches!(self, Self::Turn | Self::Turns)
    }

    /// RFC 7064 §3.2, RFC 7065 §3.2 (RFC 8489 §18.6, RFC 8656 §3.1).
    fn port(self) -> u16 {
        if self.is_secure() { 5349 } else { 3478 }
    }
}

/// Who a server is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// An address.
    Ip(IpAddr),
    /// A name to be resolved, in lower case.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(v6)) => write!(f, "[{v6}]"),
            Self::Ip(IpAddr::V4(v4)) => v4.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A STUN or TURN server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri {
    scheme: Scheme,
    host: Host,
    port: u16,
    transport: Transport,
}

/// A text that names no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flaw}, in `{uri}`")]
pub struct UriError {
    /// What is wrong with it.
    pub flaw: UriFlaw,
    /// The text, cut if it is long, without what stands before an `@`.
    pub uri: String,
}

/// What may be wrong with the URI of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriFlaw {
    /// Longer than any host's name allows.
    #[error("the URI is too long")]
    TooLong,
    /// No colon, or another word before it.
    #[error("the URI does not start with stun:, stuns:, turn: or turns:")]
    Scheme,
    /// As in `turn://host`.
    #[error("no slashes may follow the scheme")]
    Slashes,
    /// As in `turn:name@host`.
    #[error("the user name and password do not belong in the URI")]
    UserInfo,
    /// Neither a name nor an address.
    #[error("the host is neither a name nor an IP address")]
    Host,
    /// An IPv6 address without brackets.
    #[error("an IPv6 address has to stand in brackets")]
    Brackets,
    /// Not 1 to 65535.
    #[error("the port is no number from 1 to 65535")]
    Port,
    /// `stun:` and `stuns:` have no query, `turn:` and `turns:` only `?transport=`.
    #[error("a query may only be ?transport=udp or ?transport=tcp, of turn: and turns:")]
    Query,
    /// `turns:` over UDP is DTLS.
    #[error("TURN over DTLS is not spoken here")]
    Dtls,
}

impl Uri {
    /// The longest: a scheme, a name of 253 characters, a port, and the query.
    const MOST_BYTES: usize = 6 + 253 + 6 + 14;

    /// What the server is asked for.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Who it is.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port named, or the scheme's own.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How the server is spoken to.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    fn parse(text: &str) -> Result<Self, UriFlaw> {
        if text.len() > Self::MOST_BYTES {
            return Err(UriFlaw::TooLong);
        }
        let (word, rest) = text.split_once(':').ok_or(UriFlaw::Scheme)?;
        let all = [Scheme::Stun, Scheme::Stuns, Scheme::Turn, Scheme::Turns];
        // RFC 3986 §3.1: schemes are case-insensitive.
        let scheme = all.into_iter().find(|scheme| scheme.word().eq_ignore_ascii_case(word));
        let scheme = scheme.ok_or(UriFlaw::Scheme)?;
        if rest.starts_with('/') {
            return Err(UriFlaw::Slashes);
        }
        if rest.contains('@') {
            return Err(UriFlaw::UserInfo);
        }
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (rest, None),
        };
        let (host, port) = authority_of(authority)?;
        Ok(Self {
            scheme,
            host,
            port: port.unwrap_or_else(|| scheme.port()),
            transport: transport_of(scheme, query)?,
        })
    }
}

/// Host, and port if there is one (RFC 7064 §3.1; RFC 3986 §3.2.2, §3.2.3).
fn authority_of(text: &str) -> Result<(Host, Option<u16>), UriFlaw> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (literal, port) = rest.split_once(']').ok_or(UriFlaw::Host)?;
        let ip: Ipv6Addr = literal.parse().map_err(|_| UriFlaw::Host)?;
        (Host::Ip(IpAddr::V6(ip)), port)
    } else {
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(UriFlaw::Brackets);
        }
        let end = text.find(':').unwrap_or(text.len());
        let (host, port) = text.split_at(end);
        (host_of(host)?, port)
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return Err(UriFlaw::Host),
        // RFC 3986 §3.2.3: a colon without a port means the default.
        Some("") => None,
        Some(digits) => {
            let is_plain = digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
            let port = digits.parse().ok().filter(|port| is_plain && *port != 0);
            Some(port.ok_or(UriFlaw::Port)?)
        }
    };
    Ok((host, port))
}

fn host_of(text: &str) -> Result<Host, UriFlaw> {
    if let Ok(ip) = text.parse() {
        return Ok(Host::Ip(IpAddr::V4(ip)));
    }
    if !is_host_name(text) {
        return Err(UriFlaw::Host);
    }
    Ok(Host::Name(text.to_ascii_lowercase()))
}

/// RFC 1123 §2.1, RFC 1035 §2.3.4; an underscore occurs although it may not. What ends in a number is
/// an address that is wrong.
pub(crate) fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    name.len() <= 253 && !is_number && name.split('.').all(is_label)
}

/// RFC 7065 §3.1; `stun:` has no query (RFC 7064 §3.1).
fn transport_of(scheme: Scheme, query: Option<&str>) -> Result<Transport, UriFlaw> {
    let Some(query) = query else {
        return Ok(if scheme.is_secure() { Transport::Tls } else { Transport::Udp });
    };
    let value = query.strip_prefix("transport=").filter(|_| scheme.is_turn());
    match value.map(str::to_ascii_lowercase).as_deref() {
        Some("udp") if scheme.is_secure() => Err(UriFlaw::Dtls),
        Some("udp") => Ok(Transport::Udp),
        Some("tcp") if scheme.is_secure() => Ok(Transport::Tls),
        Some("tcp") => Ok(Transport::Tcp),
        _ => Err(UriFlaw::Query),
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text).map_err(|flaw| UriError { flaw, uri: shown(text) })
    }
}

/// What of a bad URI may be shown: credentials are secrets.
fn shown(text: &str) -> String {
    const SHOWN: usize = 100;
    let (before, rest) = match text.rsplit_once('@') {
        Some((_, host)) => ("…@", host),
        None => ("", text),
    };
    let mut shown = before.to_owned();
    shown.extend(rest.chars().take(SHOWN).flat_map(char::escape_default));
    if rest.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for Uri {
    /// Whole, with the port and a relay's transport, whether they were named or not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.scheme.word(), self.host, self.port)?;
        if self.scheme.is_turn() {
            let word = if self.transport == Transport::Udp { "udp" } else { "tcp" };
            write!(f, "?transport={word}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(text: &str) -> (Scheme, String, u16, Transport) {
        let uri: Uri = text.parse().unwrap();
        assert_eq!(uri.to_string().parse(), Ok(uri.clone()));
        (uri.scheme(), uri.host().to_string(), uri.port(), uri.transport())
    }

    /// RFC 7064 appendix B, RFC 7065 appendix B.
    #[test]
    fn the_rfcs_examples_mean_what_they_say() {
        let name = || "example.org".to_owned();
        let (udp, tcp, tls) = (Transport::Udp, Transport::Tcp, Transport::Tls);
        assert_eq!(read("stun:example.org"), (Scheme::Stun, name(), 3478, udp));
        assert_eq!(read("stuns:example.org"), (Scheme::Stuns, name(), 5349, tls));
        assert_eq!(read("stun:example.org:8000"), (Scheme::Stun, name(), 8000, udp));
        assert_eq!(read("turn:example.org"), (Scheme::Turn, name(), 3478, udp));
        assert_eq!(read("turns:example.org"), (Scheme::Turns, name(), 5349, tls));
        assert_eq!(read("turn:example.org:8000"), (Scheme::Turn, name(), 8000, udp));
        assert_eq!(read("turn:example.org?transport=udp"), (Scheme::Turn, name(), 3478, udp));
        assert_eq!(read("turn:example.org?transport=tcp"), (Scheme::Turn, name(), 3478, tcp));
        assert_eq!(read("turns:example.org?transport=tcp"), (Scheme::Turns, name(), 5349, tls));
    }

    #[test]
    fn addresses_are_hosts() {
        assert_eq!(read("stun:192.0.2.1:19302").1, "192.0.2.1");
        assert_eq!(read("TURN:[2001:DB8::1]:443?transport=TCP").1, "[2001:db8::1]");
        assert_eq!(read("turn:[::1]").2, 3478);
        assert_eq!(read("stun:Example.ORG.").1, "example.org.");
        assert_eq!(read("stun:host_1:").2, 3478);
    }

    #[test]
    fn an_error_says_what_is_wrong() {
        for (text, flaw) in [
            ("", UriFlaw::Scheme),
            ("example.org", UriFlaw::Scheme),
            ("https:example.org", UriFlaw::Scheme),
            ("turn://example.org", UriFlaw::Slashes),
            ("turn:user:secret@example.org", UriFlaw::UserInfo),
            ("turn:", UriFlaw::Host),
            ("turn::3478", UriFlaw::Host),
            ("turn:exa mple.org", UriFlaw::Host),
            ("turn:ex%61mple.org", UriFlaw::Host),
            ("turn:b\u{fc}cher.example", UriFlaw::Host),
            ("turn:192.0.2", UriFlaw::Host),
            ("turn:192.0.2.256", UriFlaw::Host),
            ("turn:[192.0.2.1]", UriFlaw::Host),
            ("turn:[2001:db8::1", UriFlaw::Host),
            ("turn:[fe80::1%25eth0]", UriFlaw::Host),
            ("turn:[::1]3478", UriFlaw::Host),
            ("turn:2001:db8::1", UriFlaw::Brackets),
            ("turn:example.org:0", UriFlaw::Port),
            ("turn:example.org:65536", UriFlaw::Port),
            ("turn:example.org:+1", UriFlaw::Port),
            ("turn:example.org:3478/path", UriFlaw::Port),
            ("stun:example.org?transport=udp", UriFlaw::Query),
            ("turn:example.org?transport=sctp", UriFlaw::Query),
            ("turn:example.org?ttl=1", UriFlaw::Query),
            ("turn:example.org?", UriFlaw::Query),
            ("turns:example.org?transport=udp", UriFlaw::Dtls),
        ] {
            let error = text.parse::<Uri>().unwrap_err();
            assert_eq!(error.flaw, flaw, "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let long = format!("turn:{}.org", "a.".repeat(200));
        assert_eq!(long.parse::<Uri>().unwrap_err().flaw, UriFlaw::TooLong);
        let error = "turn:example.org:99999".parse::<Uri>().unwrap_err();
        let expected = "the port is no number from 1 to 65535, in `turn:example.org:99999`";
        assert_eq!(error.to_string(), expected);
    }
}
