use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use super::{Family, Millis};

/// A server that was named, and all that was tried with it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// As it was named, without credentials.
    pub url: String,
    /// Its pages and signaling, if it is a `talkie serve`.
    pub web: Option<Web>,
    /// Where credentials for its relay came from.
    pub credentials: Credentials,
    /// Each address of each of its STUN and TURN URLs.
    pub legs: Vec<Leg>,
    /// Why nothing could be tried at all: the name does not exist, …
    pub failure: Option<Failure>,
}

/// Where credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Credentials {
    /// There are none: the relay can only be knocked at.
    None,
    /// They were given.
    Given,
    /// The server gave fresh ones.
    Issued,
}

/// Pages and signaling of a `talkie serve`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Web {
    /// The address that answered.
    pub address: Option<SocketAddr>,
    /// How long the TCP connection took.
    #[serde(rename = "rttMs")]
    pub rtt: Option<Millis>,
    /// The status of its start page.
    pub status: Option<u16>,
    /// Its certificate, over HTTPS.
    pub certificate: Option<Certificate>,
    /// Whether signaling welcomed us, and how long that took.
    #[serde(rename = "signalingMs")]
    pub signaling: Option<Millis>,
    /// What went wrong first.
    pub failure: Option<Failure>,
}

/// A certificate that a server showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// Whether this system trusts it for the server's name.
    pub trust: Trust,
    /// Its SHA-256 fingerprint.
    pub sha256: String,
}

/// Whether a certificate proves who the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Trust {
    /// It does.
    Trusted,
    /// No authority that this system knows has signed it.
    UnknownIssuer,
    /// It is for another name.
    OtherName,
    /// It has expired, by this host's clock.
    Expired,
    /// It is not valid yet, by this host's clock.
    NotYet,
    /// It is refused for another reason.
    Refused,
}

/// One address of one STUN or TURN URL.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leg {
    /// `stun`, `turn` or `turns`.
    pub scheme: &'static str,
    /// `udp`, `tcp` or `tls`.
    pub transport: &'static str,
    /// The name or address that the URL has.
    pub host: String,
    /// The address that was tried.
    pub address: Option<SocketAddr>,
    /// How long an answer took: of STUN over UDP, or of the TCP connection.
    #[serde(rename = "rttMs")]
    pub rtt: Option<Millis>,
    /// Our own address as it sees it.
    pub mapped: Option<SocketAddr>,
    /// Its other address, if it answers RFC 5780.
    pub other: Option<SocketAddr>,
    /// Its certificate, over TLS.
    pub certificate: Option<Certificate>,
    /// A packet sent through the relay and back to us.
    pub echo: Echo,
    /// Why it cannot be used.
    pub failure: Option<Failure>,
}

impl Leg {
    /// Whether it did all that it is for.
    #[must_use]
    pub fn works(&self) -> bool {
        self.failure.is_none()
    }

    /// Whether it is a relay that has relayed.
    #[must_use]
    pub fn relays(&self) -> bool {
        matches!(self.echo, Echo::Returned { .. } | Echo::NotAllowed { .. })
    }

    /// The IP version of its address.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        self.address.map(|address| Family::of(address.ip()))
    }
}

/// What became of a packet that was sent through the relay to ourselves.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum Echo {
    /// It is no relay, or there are no credentials for it.
    NotTried,
    /// It came back.
    Returned {
        /// The relayed address.
        relayed: SocketAddr,
        /// How long it took: twice to the server and back.
        #[serde(rename = "rttMs")]
        rtt: Millis,
    },
    /// The relay gave an address, and doesn't send to its own addresses. Calls do not need that.
    NotAllowed {
        /// The relayed address.
        relayed: SocketAddr,
    },
    /// It did not come back.
    Lost {
        /// The relayed address.
        relayed: SocketAddr,
    },
    /// The relay gave no address.
    Refused,
}

/// What went wrong, for programs and in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Its kind.
    pub kind: FailureKind,
    /// In words.
    pub message: String,
}

impl Failure {
    /// A failure in words, bounded and cleaned.
    pub(crate) fn new(kind: FailureKind, message: impl fmt::Display) -> Self {
        Self { kind, message: crate::probe::clean(&message.to_string()) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureKind {
    /// The name does not exist or could not be looked up.
    Name,
    /// This host has no way there.
    NoRoute,
    /// The port is closed.
    Refused,
    /// Nothing came back.
    Silent,
    /// TLS could not be agreed on.
    Tls,
    /// The credentials are wrong or missing.
    Credentials,
    /// The server refuses for another reason.
    Rejected,
    /// What answers is not what was named.
    Unexpected,
    /// Packets that were to come back through the relay did not.
    NotRelayed,
    /// This host could not even ask.
    Local,
}

/// This host's clock beside a server's.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Clock {
    /// The server that told its time.
    pub server: String,
    /// Seconds by which this host is ahead; a server tells whole seconds.
    pub ahead_seconds: f64,
}
