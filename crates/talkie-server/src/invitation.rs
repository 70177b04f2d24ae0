//! By which address others are invited to a room.
//!
//! Who opened the app on the server's own host is at `localhost`, and a link to that leads everybody
//! else to their own machine. So the page is told an origin that others can reach; and whether a
//! browser will warn of the certificate there, so that nobody is taken by surprise.

use crate::http::host::{Authority, Host};
use crate::report::Report;
use crate::signaling::Invitation;

/// What there is to invite by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Invitations {
    /// The likeliest origin for browsers on the local network.
    lan: Option<String>,
    self_signed: bool,
}

impl Invitations {
    pub(crate) fn new(report: &Report) -> Self {
        Self {
            lan: report.lan_urls.first().map(|url| url.trim_end_matches('/').to_owned()),
            self_signed: report.certificate.as_ref().is_some_and(|it| it.self_signed),
        }
    }

    /// What to tell a page that reached this server as `authority`; `secure`: with this server's
    /// own certificate.
    pub(crate) fn by(&self, authority: &Authority, secure: bool) -> Invitation {
        if authority.host.is_loopback() {
            let origin = self.lan.clone();
            return Invitation { self_signed: origin.is_some() && self.self_signed, origin };
        }
        Invitation { origin: None, self_signed: secure && self.self_signed }
    }
}

impl Host {
    /// Whether it means the browser's own host. RFC 6761 §6.3: `localhost` and all below it.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.to_canonical().is_loopback(),
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_came_by_loopback_is_told_another_origin() {
        let lan = "https://192.0.2.5:8443".to_owned();
        let invitations = Invitations { lan: Some(lan.clone()), self_signed: true };
        for (host, secure, origin, self_signed) in [
            ("localhost:8080", false, Some(&lan), true),
            ("talkie.localhost", false, Some(&lan), true),
            ("127.0.0.2:8080", false, Some(&lan), true),
            ("[::1]", true, Some(&lan), true),
            ("[::ffff:127.0.0.1]", false, Some(&lan), true),
            ("192.0.2.5:8443", true, None, true),
            // Somebody else's certificate, or none.
            ("talk.example", false, None, false),
            ("localhost.example", false, None, false),
        ] {
            let told = invitations.by(&Authority::parse(host).unwrap(), secure);
            assert_eq!(told, Invitation { origin: origin.cloned(), self_signed }, "{host}");
        }
    }

    #[test]
    fn without_https_there_is_nothing_to_tell() {
        let invitations = Invitations { lan: None, self_signed: true };
        let told = invitations.by(&Authority::parse("localhost:8080").unwrap(), false);
        assert_eq!(told, Invitation::default());
    }
}
