//! Whose connection it is behind a reverse proxy: the proxy's own address would make one client of
//! them all.
//!
//! A proxy appends to `X-Forwarded-For` the address it was reached from. So the field is read from
//! the right: each hop that is a proxy we trust vouches for the one before it, and the first that
//! is none is the client. What stands further left is the client's own word and counts for nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose word is taken; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies(Arc<[IpNet]>);

impl Proxies {
    pub(crate) fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// Whether `ip` is a proxy we trust.
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|network| network.contains(&ip))
    }

    /// The address of the client whose request came from `remote`. If every hop is a proxy, it is
    /// the first one; behind a hop that tells nothing legible, that hop.
    pub(crate) fn client(&self, remote: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = remote.to_canonical();
        // Several fields are one list (RFC 9110 §5.3).
        let mut fields = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut hops = fields.by_ref().flat_map(|field| field.as_bytes().rsplit(|it| *it == b','));
        while self.contains(client) {
            let Some(hop) = hops.next().and_then(hop) else { break };
            client = hop;
        }
        client
    }
}

/// Some proxies write the port, too.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim_matches([' ', '\t']);
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let ip: Option<IpAddr> = text.parse().ok().or_else(with_port);
    ip.or_else(|| bracketed().map(IpAddr::V6)).map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(remote: &str, fields: &[&'static str]) -> String {
        let networks = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap());
        let value = |field: &&'static str| (FORWARDED_FOR, HeaderValue::from_static(field));
        let mut headers = HeaderMap::new();
        for (name, value) in fields.iter().map(value) {
            headers.append(name, value);
        }
        Proxies::new(&networks).client(remote.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_right_most_address_that_is_no_proxy_is_the_client() {
        for (fields, expected) in [
            (&["203.0.113.7"][..], "203.0.113.7"),
            (&["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
            (&["198.51.100.1, 203.0.113.7 ,10.1.1.1,\t127.0.0.2"], "203.0.113.7"),
            (&["198.51.100.1", "203.0.113.7, 10.1.1.1"], "203.0.113.7"),
            (&["203.0.113.7", "10.1.1.1"], "203.0.113.7"),
            (&["203.0.113.7:4711"], "203.0.113.7"),
            (&["2001:db8::7"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["::ffff:203.0.113.7"], "203.0.113.7"),
            (&["203.0.113.7, ::ffff:10.0.0.1"], "203.0.113.7"),
        ] {
            assert_eq!(client("127.0.0.1", fields), expected, "{fields:?}");
            assert_eq!(client("::ffff:127.0.0.1", fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn who_is_no_proxy_is_not_believed() {
        assert_eq!(client("192.0.2.1", &["203.0.113.7"]), "192.0.2.1");
        let headers = HeaderMap::from_iter([(FORWARDED_FOR, HeaderValue::from_static("10.9.9.9"))]);
        let remote = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(Proxies::default().client(remote, &headers), remote);
    }

    #[test]
    fn what_is_illegible_is_the_last_known_hop_s() {
        for (fields, expected) in [
            (&[][..], "127.0.0.1"),
            (&[""], "127.0.0.1"),
            (&["203.0.113.7, unknown"], "127.0.0.1"),
            (&["203.0.113.7, unknown, 10.1.1.1"], "10.1.1.1"),
            (&["203.0.113.7,"], "127.0.0.1"),
            (&["203.0.113.7, [127.0.0.1]"], "127.0.0.1"),
            (&["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
        ] {
            assert_eq!(client("127.0.0.1", fields), expected, "{fields:?}");
        }
    }
}
