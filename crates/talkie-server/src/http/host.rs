//! The host by which a browser reached the server, from the request's `Host` field.
//!
//! It goes into a security policy and into the URLs of ICE servers, so it is parsed into a form
//! that can hold nothing else.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use axum::http::header::HOST;
use axum::http::{Request, Version};

/// A host and the port, if one was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
}

/// An address or a DNS name in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Ip(IpAddr),
    Name(String),
}

impl Authority {
    /// Parses `host`, `host:port`, `[v6]` or `[v6]:port`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inside, after) = rest.split_once(']')?;
                let ip: Ipv6Addr = inside.parse().ok()?;
                let port = match after {
                    "" => None,
                    after => Some(after.strip_prefix(':')?),
                };
                (Host::Ip(IpAddr::V6(ip)), port)
            }
            None => {
                let (name, port) = match text.split_once(':') {
                    Some((name, port)) => (name, Some(port)),
                    None => (text, None),
                };
                (Host::parse_bare(name)?, port)
            }
        };
        // RFC 3986 §3.2.3: the port may be empty.
        let port = match port {
            None | Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
        };
        Some(Self { host, port })
    }

    /// What the request's `Host` field says, if it is one well-formed field, or the target where that
    /// names a host. RFC 9113 §8.3.1: HTTP/2 has `:authority` in its place; who sends both must mean
    /// the same. RFC 9112 §3.2.2: where the target is a whole URL, as it is for proxies, the field is
    /// ignored.
    pub(crate) fn of<B>(request: &Request<B>) -> Option<Self> {
        let mut fields = request.headers().get_all(HOST).iter();
        let host = fields.next();
        if fields.next().is_some() {
            return None;
        }
        let host = host.map(|field| Self::parse(field.to_str().ok()?));
        let authority = request.uri().authority().map(|authority| Self::parse(authority.as_str()));
        match (authority, host) {
            (Some(authority), Some(host))
                if request.version() == Version::HTTP_2 && authority != host =>
            {
                None
            }
            (Some(authority), _) => authority,
            (None, host) => host?,
        }
    }
}

impl Host {
    /// Parses an IPv4 address, an IPv6 address without brackets, or a name.
    pub(crate) fn parse_bare(text: &str) -> Option<Self> {
        if let Ok(ip) = text.parse() {
            return Some(Self::Ip(ip));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        (name.len() <= 253 && name.split('.').all(is_label))
            .then(|| Self::Name(name.to_ascii_lowercase()))
    }
}

/// As it stands in a URL.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(v6)) => write!(f, "[{v6}]"),
            Self::Ip(IpAddr::V4(v4)) => write!(f, "{v4}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_and_written() {
        for (text, written) in [
            ("Example.ORG", "example.org"),
            ("example.org.:8443", "example.org:8443"),
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("[2001:DB8:0::1]", "[2001:db8::1]"),
            ("[::1]:8080", "[::1]:8080"),
            ("my_host:", "my_host"),
        ] {
            assert_eq!(Authority::parse(text).unwrap().to_string(), written);
        }
    }

    #[test]
    fn a_target_that_is_a_whole_url_names_the_host() {
        let request = |target: &str, version| {
            let request = Request::builder().uri(target).version(version);
            request.header(HOST, "other.example").body(()).unwrap()
        };
        let seen = |target, version| {
            Authority::of(&request(target, version)).map(|authority| authority.to_string())
        };
        assert_eq!(seen("/r/a", Version::HTTP_11).as_deref(), Some("other.example"));
        assert_eq!(
            seen("http://a.example:80/r/a", Version::HTTP_11).as_deref(),
            Some("a.example:80")
        );
        assert_eq!(seen("http://a.example/r/a", Version::HTTP_2), None, "they contradict");
        assert_eq!(seen("http://u@a.example/r/a", Version::HTTP_11), None);
    }

    #[test]
    fn what_could_break_out_of_a_header_or_a_url_is_no_host() {
        let long = "a".repeat(64);
        for text in [
            "", ":80", "a b", "a;b", "a,b", "a/b", "u@a", "a..b", "a:99999", "a:+1", "a:b", "[::1",
            "[::1]x", "[a]", "::1", "a?b", "'self'", "é.org", "a\"b", &long,
        ] {
            assert_eq!(Authority::parse(text), None, "{text}");
        }
    }
}
