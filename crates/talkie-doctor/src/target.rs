//! What `--server` takes: the address of a `talkie serve`, or a STUN or TURN URI (RFC 7064, RFC 7065).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use rustls::pki_types::ServerName;

/// A server to examine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A `talkie serve`, which tells its STUN and TURN servers itself.
    Web(Origin),
    /// A STUN or TURN server.
    Ice(IceUrl),
}

/// Scheme, host and port of a web server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether it is HTTPS.
    pub secure: bool,
    /// Its name or address.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

/// A STUN or TURN URI.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IceUrl {
    /// `stun`, `turn` or `turns`.
    pub scheme: Scheme,
    /// What carries it.
    pub transport: Transport,
    /// Its name or address.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

/// The scheme of a STUN or TURN URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// STUN.
    Stun,
    /// TURN.
    Turn,
    /// TURN over TLS.
    Turns,
}

/// What carries STUN or TURN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// A name or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address.
    Ip(IpAddr),
    /// A name.
    Name(String),
}

/// Why a text is no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// There is no scheme.
    #[error("`{0}` does not say what it is: write https://{0}, or stun:{0} or turn:{0}")]
    NoScheme(String),
    /// The scheme is unknown.
    #[error(
        "`{0}:` is no kind of server that can be examined: use http, https, stun, turn or turns"
    )]
    Scheme(String),
    /// The host is missing or makes no sense.
    #[error("`{0}` has no host that makes sense; an IPv6 address stands in brackets")]
    Host(String),
    /// The port is no port.
    #[error("`{0}` is no port: it is a number from 1 to 65535")]
    Port(String),
    /// The transport is unknown or not possible.
    #[error("`{0}` cannot be: ?transport= is udp or tcp, and turns: goes over tcp")]
    Transport(String),
    /// A user name in the URL.
    #[error("a user name is not part of a server's address: use --user and --password")]
    UserInUrl,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        for (prefix, secure, default) in [("https://", true, 443), ("http://", false, 80)] {
            if lower.starts_with(prefix) {
                // A link to a room will do: path and fragment say nothing about the server.
                let rest = &text[prefix.len()..];
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                let (host, port) = authority(&rest[..end])?;
                return Ok(Self::Web(Origin { secure, host, port: port.unwrap_or(default) }));
            }
        }
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(TargetError::NoScheme(text.to_owned()));
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "stun" => Scheme::Stun,
            "turn" => Scheme::Turn,
            "turns" => Scheme::Turns,
            // `host:port` has a colon, too.
            _ if rest.bytes().all(|byte| byte.is_ascii_digit()) || text.starts_with('[') => {
                return Err(TargetError::NoScheme(text.to_owned()));
            }
            other => return Err(TargetError::Scheme(other.to_owned())),
        };
        let (address, query) = match rest.split_once('?') {
            Some((address, query)) => (address, Some(query)),
            None => (rest, None),
        };
        let (host, port) = authority(address)?;
        let transport = transport(scheme, query)?;
        // RFC 7064 §3.2, RFC 7065 §3.2: the ports of RFC 8489 §18.6.
        let port = port.unwrap_or(if scheme == Scheme::Turns { 5349 } else { 3478 });
        Ok(Self::Ice(IceUrl { scheme, transport, host, port }))
    }
}

fn transport(scheme: Scheme, query: Option<&str>) -> Result<Transport, TargetError> {
    let asked = match query {
        None => None,
        Some(query) => match query.to_ascii_lowercase().as_str() {
            "transport=udp" => Some(Transport::Udp),
            "transport=tcp" => Some(Transport::Tcp),
            _ => return Err(TargetError::Transport(format!("?{query}"))),
        },
    };
    match (scheme, asked) {
        (Scheme::Turns, None | Some(Transport::Tcp)) => Ok(Transport::Tls),
        (Scheme::Turns, Some(_)) => Err(TargetError::Transport("turns over udp".to_owned())),
        (_, asked) => Ok(asked.unwrap_or(Transport::Udp)),
    }
}

/// `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`.
fn authority(text: &str) -> Result<(Host, Option<u16>), TargetError> {
    if text.contains('@') {
        return Err(TargetError::UserInUrl);
    }
    let wrong = || TargetError::Host(text.to_owned());
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']').ok_or_else(wrong)?;
            let address: Ipv6Addr = address.parse().map_err(|_| wrong())?;
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':').ok_or_else(wrong)?),
            };
            (Host::Ip(address.into()), port)
        }
        None => {
            let (host, port) = match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            };
            (name_or_address(host).ok_or_else(wrong)?, port)
        }
    };
    let port = match port {
        None => None,
        Some(port) => match port.parse() {
            Ok(number) if number != 0 => Some(number),
            _ => return Err(TargetError::Port(port.to_owned())),
        },
    };
    Ok((host, port))
}

fn name_or_address(host: &str) -> Option<Host> {
    if let Ok(address) = host.parse() {
        return Some(Host::Ip(address));
    }
    // What TLS takes as a name is one: letters, digits and hyphens, in labels of the right length.
    // A last label of digits is a mistyped address.
    let last = host.trim_end_matches('.').rsplit('.').next()?;
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    ServerName::try_from(host).ok()?;
    Some(Host::Name(host.to_ascii_lowercase()))
}

impl Host {
    /// The name that a certificate has to have.
    pub(crate) fn server_name(&self) -> Option<ServerName<'static>> {
        match self {
            Self::Ip(address) => Some(ServerName::IpAddress((*address).into())),
            Self::Name(name) => ServerName::try_from(name.trim_end_matches('.').to_owned()).ok(),
        }
    }

    /// Whether it is this host by definition.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Ip(address) => address.is_loopback(),
            Self::Name(name) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Origin {
    /// The host, and the port where it is not the scheme's own: what `Host` carries.
    #[must_use]
    pub fn authority(&self) -> String {
        let default = if self.secure { 443 } else { 80 };
        if self.port == default {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl Scheme {
    /// As it stands in a URI.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stun => "stun",
            Self::Turn => "turn",
            Self::Turns => "turns",
        }
    }
}

impl Transport {
    /// In lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

impl fmt::Display for IceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.scheme.as_str(), self.host, self.port)?;
        if self.transport == Transport::Tcp {
            f.write_str("?transport=tcp")?;
        }
        Ok(())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Web(origin) => origin.fmt(f),
            Self::Ice(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_understood_and_written_in_one_way() {
        for (text, canonical) in [
            ("https://talk.example.org", "https://talk.example.org"),
            ("HTTPS://Talk.example.org:443/r/calm-otter#key", "https://talk.example.org"),
            ("http://localhost:8080/", "http://localhost:8080"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
            ("stun:stun.example.org", "stun:stun.example.org:3478"),
            ("turn:192.0.2.1:80?transport=tcp", "turn:192.0.2.1:80?transport=tcp"),
            ("turn:192.0.2.1?transport=udp", "turn:192.0.2.1:3478"),
            ("turns:[::1]", "turns:[::1]:5349"),
            ("turns:turn.example.org:443?transport=tcp", "turns:turn.example.org:443"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused_with_a_reason() {
        let no_scheme = |text: &str| TargetError::NoScheme(text.to_owned());
        let host = |text: &str| TargetError::Host(text.to_owned());
        for (text, error) in [
            ("talk.example.org", no_scheme("talk.example.org")),
            ("talk.example.org:8443", no_scheme("talk.example.org:8443")),
            ("[::1]:8443", no_scheme("[::1]:8443")),
            ("ftp://example.org", TargetError::Scheme("ftp".to_owned())),
            ("https://", host("")),
            ("https://2001:db8::1/", host("2001:db8::1")),
            ("https://300.0.0.1", host("300.0.0.1")),
            ("https://a b", host("a b")),
            ("stun:", host("")),
            ("stun:example.org:0", TargetError::Port("0".to_owned())),
            ("stun:example.org:70000", TargetError::Port("70000".to_owned())),
            ("turn:a.example?transport=sctp", TargetError::Transport("?transport=sctp".to_owned())),
            ("turns:a.example?transport=udp", TargetError::Transport("turns over udp".to_owned())),
            ("https://me:secret@example.org", TargetError::UserInUrl),
        ] {
            assert_eq!(text.parse::<Target>(), Err(error), "{text}");
        }
    }

    #[test]
    fn this_host_is_known_by_its_names() {
        for (text, local) in [
            ("http://localhost:8080", true),
            ("http://app.localhost", true),
            ("http://127.8.8.8", true),
            ("http://[::1]", true),
            ("http://localhost.example.org", false),
        ] {
            let Ok(Target::Web(origin)) = text.parse() else { panic!("{text}") };
            assert_eq!(origin.host.is_local(), local, "{text}");
        }
    }
}
