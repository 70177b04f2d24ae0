//! Where a server is: what a person types or pastes, brought to host, port and whether TLS is used.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Longest name of DNS (RFC 1035 §2.3.4), and enough for an address in brackets with a zone.
const MAX_HOST: usize = 255;

/// A server's origin: scheme, host and port.
///
/// `https://talk.example`, `http://127.0.0.1:8080`, `wss://[2001:db8::1]:8443`, or a host alone,
/// which means https. A path and what follows it are left out, so that a room's link names its
/// server.
///
/// ```
/// let url: talkie_signaling::ServerUrl = "talk.example:8443".parse()?;
/// assert_eq!(url.to_string(), "https://talk.example:8443");
/// # Ok::<(), talkie_signaling::ParseUrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerUrl {
    secure: bool,
    host: String,
    port: u16,
}

/// Why a text names no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseUrlError {
    /// The scheme is none of http, https, ws and wss.
    #[error("a server's URL begins with https:// or http://, not with {0}://")]
    Scheme(String),
    /// There is a user before the host.
    #[error("a server's URL holds no user name")]
    User,
    /// No host, or one with characters that none has.
    #[error("there is no valid host name or address in the URL")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("the URL's port is not a number from 1 to 65535")]
    Port,
}

impl ServerUrl {
    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// A name, or an address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own if none was given.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the signaling of this server is.
    pub(crate) fn signal(&self) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        format!("{scheme}://{}/signal", self.authority())
    }

    fn authority(&self) -> String {
        let host = match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
            _ => self.host.clone(),
        };
        if self.port == default_port(self.secure) { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

impl FromStr for ServerUrl {
    type Err = ParseUrlError;

    fn from_str(text: &str) -> Result<Self, ParseUrlError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" | "wss" => true,
            "http" | "ws" => false,
            other => return Err(ParseUrlError::Scheme(other.chars().take(20).collect())),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(ParseUrlError::User);
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            None | Some("") => default_port(secure),
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().ok().filter(|&port| port != 0).ok_or(ParseUrlError::Port)?
            }
            Some(_) => return Err(ParseUrlError::Port),
        };
        Ok(Self { secure, host, port })
    }
}

fn split_port(authority: &str) -> Result<(String, Option<&str>), ParseUrlError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(ParseUrlError::Host)?;
        let port = match after.strip_prefix(':') {
            Some(port) => Some(port),
            None if after.is_empty() => None,
            None => return Err(ParseUrlError::Host),
        };
        let ip: std::net::Ipv6Addr = host.parse().map_err(|_| ParseUrlError::Host)?;
        return Ok((ip.to_string(), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.is_empty() || host.len() > MAX_HOST || !host.bytes().all(is_name) {
        return Err(ParseUrlError::Host);
    }
    Ok((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_names_a_server() {
        for (text, url, signal) in [
            ("https://talk.example", "https://talk.example", "wss://talk.example/signal"),
            ("talk.example", "https://talk.example", "wss://talk.example/signal"),
            (" HTTP://127.0.0.1:8080/ ", "http://127.0.0.1:8080", "ws://127.0.0.1:8080/signal"),
            ("ws://Host:80", "http://host", "ws://host/signal"),
            (
                "wss://[2001:DB8::1]:8443",
                "https://[2001:db8::1]:8443",
                "wss://[2001:db8::1]:8443/signal",
            ),
            ("[::1]", "https://[::1]", "wss://[::1]/signal"),
            (
                "https://a.example:9/r/calm-otter#key",
                "https://a.example:9",
                "wss://a.example:9/signal",
            ),
            ("https://a.example:?x", "https://a.example", "wss://a.example/signal"),
        ] {
            let parsed: ServerUrl = text.parse().unwrap();
            assert_eq!((parsed.to_string().as_str(), parsed.signal().as_str()), (url, signal));
            assert_eq!(parsed.to_string().parse(), Ok(parsed));
        }
    }

    #[test]
    fn what_names_none_is_refused_with_the_reason() {
        for (text, error) in [
            ("ftp://host", ParseUrlError::Scheme("ftp".to_owned())),
            ("https://user@host", ParseUrlError::User),
            ("", ParseUrlError::Host),
            ("https://", ParseUrlError::Host),
            ("https:///path", ParseUrlError::Host),
            ("https://a b", ParseUrlError::Host),
            ("https://a\r\nX: y", ParseUrlError::Host),
            ("https://[::1", ParseUrlError::Host),
            ("https://[::1]x", ParseUrlError::Host),
            ("https://[127.0.0.1]", ParseUrlError::Host),
            ("https://a:0", ParseUrlError::Port),
            ("https://a:+80", ParseUrlError::Port),
            ("https://a:65536", ParseUrlError::Port),
            ("2001:db8::1", ParseUrlError::Port),
        ] {
            assert_eq!(text.parse::<ServerUrl>(), Err(error), "{text}");
        }
        assert_eq!("a".repeat(256).parse::<ServerUrl>(), Err(ParseUrlError::Host));
    }
}
