//! Authentication of requests with long-term credentials (RFC 8489 §9.2.4).
//!
//! The checks go from cheap to dear. Nothing is kept before the last of them has passed: whoever
//! does not know a password costs one small reply and not a byte of memory.

use std::time::Duration;

use talkie_sansio::Path;

use super::TurnServer;
use super::config::OfferSha256;
use super::credentials::Account;
use super::nonce::{self, Verdict};
use super::reply::{Asker, Signer};
use super::table::Allocation;
use crate::stun::Message;
use crate::stun::attributes::{
    AttributeType, ErrorCode, Nonce, PasswordAlgorithms, Realm, UserHash, Username,
};
use crate::stun::auth::{Key, PasswordAlgorithm};

/// Who sent a request, proven.
pub(super) struct Caller {
    pub(super) username: String,
    pub(super) signer: Signer,
}

/// Why a request is not authenticated.
enum Refusal {
    /// 400.
    Malformed,
    /// 401.
    Unauthenticated,
    /// 438.
    Stale,
}

/// The credentials in a request, well-formed.
struct Claim<'m> {
    user: User<'m>,
    nonce: Nonce<'m>,
    algorithm: Option<PasswordAlgorithm>,
    algorithms: Option<PasswordAlgorithms<'m>>,
}

enum User<'m> {
    Name(&'m str),
    Hash([u8; 32]),
}

impl TurnServer {
    /// Who sent `request`; answers it and returns `None` if that is not proven. `existing` is the
    /// allocation of the 5-tuple.
    pub(super) fn authenticate(
        &mut self,
        unix: Duration,
        path: Path,
        request: &Message<'_>,
    ) -> Option<Caller> {
        let existing = self.table.find(&path).and_then(|id| self.table.get(id));
        let refusal = match self.prove(unix, &path, request, existing) {
            Ok(caller) => return Some(caller),
            Err(refusal) => refusal,
        };
        let code = match refusal {
            Refusal::Malformed => ErrorCode::BAD_REQUEST,
            Refusal::Unauthenticated => ErrorCode::UNAUTHENTICATED,
            Refusal::Stale => ErrorCode::STALE_NONCE,
        };
        let asker = Asker::of(path, request);
        if let Refusal::Malformed = refusal {
            self.count_error(code);
            asker.error(&mut self.outbox, None, code, &[]);
        } else {
            self.challenge(unix, asker, code, request.as_bytes().len());
        }
        None
    }

    pub(super) fn challenge(
        &mut self,
        unix: Duration,
        asker: Asker,
        code: ErrorCode<'_>,
        request: usize,
    ) {
        let offer = match self.config.offer_sha256 {
            OfferSha256::Always => true,
            OfferSha256::Never => false,
            OfferSha256::WhenItFits => {
                asker.path.transport.is_reliable()
                    || full_challenge_length(&self.config.realm) <= 2 * request
            }
        };
        let nonce = self.nonces.make(unix, &asker.path, offer);
        self.count_error(code);
        asker.challenge(&mut self.outbox, code, &self.config.realm, &nonce, offer);
    }

    fn prove(
        &self,
        unix: Duration,
        path: &Path,
        request: &Message<'_>,
        existing: Option<&Allocation>,
    ) -> Result<Caller, Refusal> {
        let sha256 = request.contains(AttributeType::MESSAGE_INTEGRITY_SHA256);
        if !sha256 && !request.contains(AttributeType::MESSAGE_INTEGRITY) {
            return Err(Refusal::Unauthenticated);
        }
        let claim = Claim::read(request)?;
        // Before the password, because it is cheaper and proves that the sender can receive.
        let Verdict::Valid { features } =
            self.nonces.check(unix, path, claim.nonce.as_str().as_bytes())
        else {
            return Err(Refusal::Stale);
        };
        let algorithm = claim.algorithm(features)?;
        let username = match claim.user {
            User::Name(name) => name,
            User::Hash(hash) => self.accounts.by_hash(&hash).unwrap_or_default(),
        };
        // Who is not known takes as long as who is, so that names cannot be probed for.
        let (account, known) = match self.accounts.look_up(username) {
            Some(account) => (account, true),
            None => (Account::default(), false),
        };
        let key = Key::long_term(algorithm, username, &self.config.realm, &account.password);
        let proven = if sha256 {
            request.check_integrity_sha256(&key)
        } else {
            request.check_integrity(&key)
        };
        if proven != Some(true) || !known {
            return Err(Refusal::Unauthenticated);
        }
        // A time-limited credential ends the making of allocations, not those that it made: a call
        // may outlast the credential that it began with.
        let holds = existing.is_some_and(|allocation| *allocation.username == *username);
        if !holds && account.expiry.is_some_and(|expiry| expiry <= unix) {
            return Err(Refusal::Unauthenticated);
        }
        Ok(Caller { username: username.to_owned(), signer: Signer { key, sha256 } })
    }
}

impl<'m> Claim<'m> {
    /// RFC 8489 §9.2.4: integrity without USERNAME or USERHASH, REALM and NONCE is malformed.
    fn read(request: &Message<'m>) -> Result<Self, Refusal> {
        let malformed = |_| Refusal::Malformed;
        let name = request.get::<Username<'m>>().map_err(malformed)?;
        let hash = request.get::<UserHash>().map_err(malformed)?;
        let user = match (name, hash) {
            (Some(name), _) => User::Name(name.as_str()),
            (None, Some(hash)) => User::Hash(hash.0),
            (None, None) => return Err(Refusal::Malformed),
        };
        request.get::<Realm<'m>>().map_err(malformed)?.ok_or(Refusal::Malformed)?;
        let nonce = request.get::<Nonce<'m>>().map_err(malformed)?.ok_or(Refusal::Malformed)?;
        let algorithm = request.get::<PasswordAlgorithm>().map_err(malformed)?;
        let algorithms = request.get::<PasswordAlgorithms<'m>>().map_err(malformed)?;
        Ok(Self { user, nonce, algorithm, algorithms })
    }

    /// The algorithm to use (RFC 8489 §9.2.4). `features`: the nonce announced our algorithms, so
    /// the client must show that it saw all of them; otherwise somebody took one away.
    fn algorithm(&self, features: bool) -> Result<PasswordAlgorithm, Refusal> {
        let offered = PasswordAlgorithms::SHA256_MD5;
        match (self.algorithms, self.algorithm) {
            (None, None) => Ok(PasswordAlgorithm::Md5),
            (Some(seen), Some(chosen)) if seen == offered => Ok(chosen),
            (None, Some(chosen)) if !features => Ok(chosen),
            _ => Err(Refusal::Malformed),
        }
    }
}

/// The length of a 401 that carries PASSWORD-ALGORITHMS.
fn full_challenge_length(realm: &str) -> usize {
    let attribute = |length: usize| 4 + length.next_multiple_of(4);
    let offered = PasswordAlgorithms::SHA256_MD5.as_bytes().len();
    20 + attribute(4) + attribute(realm.len()) + attribute(nonce::MAX_LEN) + attribute(offered)
}
