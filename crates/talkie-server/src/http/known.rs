//! By which names the server may be opened: against DNS rebinding.
//!
//! A page of `evil.example` may let that name point to 127.0.0.1 once it is loaded. Then what is
//! served on loopback is of its own origin to the browser, which sends the name as `Host` and finds
//! nothing foreign. So whoever comes to a plain listener by loopback must call it by a name that
//! nobody can register. Elsewhere names are free, so that a server works by whatever name leads to it:
//! over TLS the browser has compared the certificate, and what others reach is no secret of this
//! host.
//!
//! A reverse proxy on this host comes by loopback, too, with its site's name. A browser that
//! connects directly puts the listener's own port into `Host`, and a page cannot change that; a
//! proxy passes on its own port or none. So only the listener's port is suspect.
//!
//! An operator may name all hosts there are (`--allow-host`), and then no other is served.

use std::net::SocketAddr;

use super::host::{Authority, Host};

/// Domains for private use: RFC 6761 §6.2 and §6.3, RFC 6762 §3, RFC 8375, and the one that ICANN
/// has reserved (on a desktop, containers reach their host's loopback by a name below it).
const PRIVATE: [&str; 5] = ["test", "localhost", "local", "home.arpa", "internal"];

/// The names of this server.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownHosts {
    named: Vec<Pattern>,
    /// Whether all others are unknown, by whatever way they come.
    only_these: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Host(Host),
    /// A domain and all below it.
    Domain(String),
}

impl KnownHosts {
    /// `allowed` as in [`Config::allowed_hosts`](crate::Config::allowed_hosts), `origins` as in
    /// [`SignalingConfig::origins`](crate::signaling::SignalingConfig::origins), and the name that
    /// the system has.
    pub(crate) fn new(allowed: &[String], origins: &[String], system: &str) -> Self {
        let of_origin = |origin: &String| Authority::parse(origin.split_once("://")?.1);
        let hosts = origins.iter().filter_map(of_origin).map(|it| it.host);
        let hosts = hosts.chain(Host::parse_bare(system));
        let patterns = allowed.iter().filter_map(|text| Pattern::parse(text));
        Self {
            named: patterns.chain(hosts.map(Pattern::Host)).collect(),
            only_these: !allowed.is_empty(),
        }
    }

    /// The same names, without forbidding others to those who do not come by loopback.
    pub(crate) fn among_others(&self) -> Self {
        Self { only_these: false, ..self.clone() }
    }

    /// Whether a request for `authority` that came to `local` may be answered.
    pub(crate) fn serves(&self, authority: &Authority, local: SocketAddr, secure: bool) -> bool {
        // Nobody can point an address elsewhere.
        let is_own = matches!(authority.host, Host::Ip(_)) || authority.host.is_loopback();
        let may_be_rebound = is_public(&authority.host)
            && !secure
            && local.ip().to_canonical().is_loopback()
            && authority.port.unwrap_or(80) == local.port();
        is_own || !(self.only_these || may_be_rebound) || self.knows(&authority.host)
    }

    fn knows(&self, host: &Host) -> bool {
        self.named.iter().any(|pattern| match (pattern, host) {
            (Pattern::Host(known), host) => known == host,
            (Pattern::Domain(domain), Host::Name(name)) => is_below(name, domain),
            (Pattern::Domain(_), Host::Ip(_)) => false,
        })
    }
}

/// Whether somebody may have registered it. A name of one label is of this network alone.
fn is_public(host: &Host) -> bool {
    match host {
        Host::Ip(_) => false,
        Host::Name(name) => {
            name.contains('.') && !PRIVATE.iter().any(|domain| is_below(name, domain))
        }
    }
}

/// Whether `name` is `domain` or below it.
fn is_below(name: &str, domain: &str) -> bool {
    let rest = name.strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl Pattern {
    /// `talk.example`, or `.example` for all below it, too.
    fn parse(text: &str) -> Option<Self> {
        let Some(domain) = text.strip_prefix('.') else {
            return Host::parse_bare(text).map(Self::Host);
        };
        match Host::parse_bare(domain)? {
            Host::Name(name) => Some(Self::Domain(name)),
            Host::Ip(_) => None,
        }
    }
}

/// Whether `text` can stand in [`Config::allowed_hosts`](crate::Config::allowed_hosts): a name
/// without a port, or a domain with a dot before it for all names below it.
#[must_use]
pub fn is_host_pattern(text: &str) -> bool {
    Pattern::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(allowed: &[&str]) -> KnownHosts {
        let allowed: Vec<_> = allowed.iter().map(|&host| host.to_owned()).collect();
        KnownHosts::new(&allowed, &["https://app.example:444".to_owned()], "Workshop.Example")
    }

    fn serves(hosts: &KnownHosts, host: &str, local: &str, secure: bool) -> bool {
        hosts.serves(&Authority::parse(host).unwrap(), local.parse().unwrap(), secure)
    }

    #[test]
    fn by_loopback_a_foreign_name_with_our_port_is_refused() {
        let hosts = known(&[]);
        let foreign = [
            "evil.example:8080",
            "localhost.evil.example:8080",
            "local.evil:8080",
            "a.eviltest:8080",
            "app.example.evil.example:8080",
        ];
        let ours = [
            "localhost:8080",
            "LOCALHOST.:8080",
            "talkie.localhost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "workshop:8080",
            "workshop.local:8080",
            "workshop.example:8080",
            "talkie.test:8080",
            "host.docker.internal:8080",
            "box.home.arpa:8080",
            "app.example:8080",
            // What a proxy on this host passes on.
            "talk.example",
            "talk.example:443",
            "talk.example:8443",
        ];
        for local in ["127.0.0.1:8080", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
            assert_eq!(
                foreign.map(|host| serves(&hosts, host, local, false)),
                [false; 5],
                "{local}"
            );
            assert_eq!(ours.map(|host| serves(&hosts, host, local, false)), [true; 15], "{local}");
        }
        assert!(!serves(&hosts, "evil.example", "127.0.0.1:80", false), "the port of no port");
    }

    #[test]
    fn elsewhere_any_name_that_leads_here_will_do() {
        let hosts = known(&[]);
        assert!(serves(&hosts, "talk.example:8080", "192.168.1.20:8080", false));
        assert!(serves(&hosts, "talk.example:8443", "203.0.113.7:8443", true));
        // The browser has compared the certificate.
        assert!(serves(&hosts, "talk.example:8443", "127.0.0.1:8443", true));
    }

    #[test]
    fn an_operator_may_name_all_there_are() {
        let hosts = known(&["talk.example", ".corp.example"]);
        for host in [
            "talk.example",
            "Talk.Example.:8443",
            "corp.example",
            "a.b.corp.example",
            "192.0.2.1",
            "localhost:8080",
            "app.example",
            "workshop.example",
        ] {
            assert!(serves(&hosts, host, "203.0.113.7:8443", true), "{host}");
            assert!(serves(&hosts, host, "127.0.0.1:8080", false), "{host}");
        }
        for host in
            ["other.example", "evilcorp.example", "talk.example.evil.example", "x.talk.example"]
        {
            assert!(!serves(&hosts, host, "203.0.113.7:8443", true), "{host}");
            let lenient = hosts.among_others();
            assert!(serves(&lenient, host, "203.0.113.7:9464", false), "{host}");
            let suspect = format!("{host}:9464");
            assert!(!serves(&lenient, &suspect, "127.0.0.1:9464", false), "{host}");
        }
    }

    #[test]
    fn a_pattern_is_a_name() {
        for good in ["talk.example", ".example", "localhost", "192.0.2.1", "my_host"] {
            assert!(is_host_pattern(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "*",
            "*.example",
            "https://a.example",
            "a.example:80",
            ".192.0.2.1",
            "a/b",
            "..a",
        ] {
            assert!(!is_host_pattern(bad), "{bad}");
        }
    }
}
