//! Who may allocate: static long-term users, and time-limited credentials that whoever knows a
//! shared secret can make without asking the server.
//!
//! A time-limited username is `expiry:name` or `expiry:name@address`, `expiry` in seconds since the
//! Unix epoch; its password is the base64 of HMAC-SHA1 over the username under the secret (the
//! "REST API" convention). The address, if there is one, is what the server advertises for this
//! client's relays. It was put there by who knows the secret and cannot be changed by the client.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rustc_hash::FxSeededState;
use sha1::Sha1;

use crate::stun::auth::user_hash;

/// Who may allocate. The default is nobody.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The secret of time-limited credentials; `None` accepts none.
    pub secret: Option<Secret>,
    /// Static users: name and password, both prepared with `OpaqueString` (RFC 8265). A static name
    /// wins over a time-limited one that reads the same.
    pub users: Vec<(String, String)>,
}

impl Credentials {
    /// Whether something is empty, by which everybody would know it.
    pub(super) fn have_gaps(&self) -> bool {
        self.secret.as_ref().is_some_and(|secret| secret.0.is_empty())
            || self.users.iter().any(|(name, password)| name.is_empty() || password.is_empty())
    }
}

/// A shared secret; not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<[u8]>);

/// A time-limited credential, for a client's `iceServers`.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// The username.
    pub username: String,
    /// The password.
    pub password: String,
}

impl Secret {
    /// Takes the secret's bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// A credential that ends at `expiry` (time since the Unix epoch). `name` is what quotas count
    /// by; with `advertise` the server tells the client this address of its relays.
    #[must_use]
    pub fn issue(&self, expiry: Duration, name: &str, advertise: Option<IpAddr>) -> Issued {
        let expiry = expiry.as_secs();
        let username = match advertise {
            Some(ip) => format!("{expiry}:{name}@{ip}"),
            None => format!("{expiry}:{name}"),
        };
        let password = self.password(&username);
        Issued { username, password }
    }

    fn password(&self, username: &str) -> String {
        let mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        STANDARD.encode(mac.chain_update(username).finalize().into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.users.iter().map(|(name, _)| name).collect();
        f.debug_struct("Credentials").field("secret", &self.secret).field("users", &names).finish()
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("username", &self.username).finish_non_exhaustive()
    }
}

/// The [`Credentials`], ready to be looked up.
pub(super) struct Accounts {
    secret: Option<Secret>,
    users: HashMap<String, String, FxSeededState>,
    by_hash: HashMap<[u8; 32], String, FxSeededState>,
}

/// Whom a username names.
#[derive(Default)]
pub(super) struct Account {
    pub(super) password: String,
    /// When it may no longer allocate; `None` for static users.
    pub(super) expiry: Option<Duration>,
}

impl Accounts {
    pub(super) fn new(credentials: &Credentials, realm: &str, hasher: &FxSeededState) -> Self {
        let mut users = HashMap::with_hasher(hasher.clone());
        let mut by_hash = HashMap::with_hasher(hasher.clone());
        for (name, password) in &credentials.users {
            by_hash.insert(user_hash(name, realm), name.clone());
            users.insert(name.clone(), password.clone());
        }
        Self { secret: credentials.secret.clone(), users, by_hash }
    }

    pub(super) fn look_up(&self, username: &str) -> Option<Account> {
        if let Some(password) = self.users.get(username) {
            return Some(Account { password: password.clone(), expiry: None });
        }
        let secret = self.secret.as_ref()?;
        let expiry = Limited::parse(username)?.expiry;
        Some(Account { password: secret.password(username), expiry: Some(expiry) })
    }

    /// The static user whose USERHASH this is. Time-limited names cannot be found by hash: there is
    /// no list of them.
    pub(super) fn by_hash(&self, hash: &[u8; 32]) -> Option<&str> {
        self.by_hash.get(hash).map(String::as_str)
    }

    /// What quotas count `username` as, and the address it carries.
    pub(super) fn identity<'u>(&self, username: &'u str) -> (&'u str, Option<IpAddr>) {
        if self.users.contains_key(username) {
            return (username, None);
        }
        match Limited::parse(username) {
            // Without a name each credential is a user of its own.
            Some(limited) if limited.name.is_empty() => (username, limited.advertise),
            Some(limited) => (limited.name, limited.advertise),
            None => (username, None),
        }
    }
}

/// A time-limited username, taken apart.
struct Limited<'u> {
    expiry: Duration,
    name: &'u str,
    advertise: Option<IpAddr>,
}

impl<'u> Limited<'u> {
    fn parse(username: &'u str) -> Option<Self> {
        let (expiry, rest) = username.split_once(':').unwrap_or((username, ""));
        if !expiry.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let expiry = Duration::from_secs(expiry.parse().ok()?);
        let with_address =
            rest.rsplit_once('@').and_then(|(name, ip)| Some((name, ip.parse().ok()?)));
        let (name, advertise) = match with_address {
            Some((name, ip)) => (name, Some(ip)),
            None => (rest, None),
        };
        Some(Self { expiry, name, advertise })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limited_name_is_taken_apart() {
        let table = [
            ("1800000000:ann", Some((1_800_000_000, "ann", None))),
            ("1800000000", Some((1_800_000_000, "", None))),
            ("17:ann@203.0.113.5", Some((17, "ann", Some("203.0.113.5")))),
            ("17:ann@2001:db8::1", Some((17, "ann", Some("2001:db8::1")))),
            ("17:ann@example.org", Some((17, "ann@example.org", None))),
            ("17:a:b@x@127.0.0.1", Some((17, "a:b@x", Some("127.0.0.1")))),
            ("ann", None),
            ("+17:ann", None),
            ("-17:ann", None),
            (":ann", None),
            ("", None),
            ("99999999999999999999:ann", None),
        ];
        for (username, expected) in table {
            let expected = expected.map(|(expiry, name, ip)| {
                (Duration::from_secs(expiry), name, ip.map(|ip| ip.parse::<IpAddr>().unwrap()))
            });
            let parsed = Limited::parse(username)
                .map(|limited| (limited.expiry, limited.name, limited.advertise));
            assert_eq!(parsed, expected, "{username}");
        }
    }

    #[test]
    fn passwords_are_hmac_sha1_in_base64() {
        // From `printf 1800000000:ann | openssl dgst -sha1 -hmac secret -binary | base64`.
        let issued = Secret::new(*b"secret").issue(Duration::from_secs(1_800_000_000), "ann", None);
        assert_eq!(issued.username, "1800000000:ann");
        assert_eq!(issued.password, "eqNfk5/QmViQqextfriyHv6S6AE=");
    }

    #[test]
    fn secrets_are_not_printed() {
        let credentials = Credentials {
            secret: Some(Secret::new(*b"hush")),
            users: vec![("ann".into(), "hush".into())],
        };
        assert!(!format!("{credentials:?}").contains("hush"));
    }
}
