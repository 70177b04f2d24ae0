//! A client's long-term credential on one server: what the server's challenges said, and how
//! requests are protected since (RFC 8489 §9.2.3, §9.2.5).

use std::fmt;

use super::attributes::{Nonce, PasswordAlgorithms, Realm, UserHash, Username};
use super::auth::{Key, OpaqueStringError, PasswordAlgorithm, SecurityFeatures, opaque_string};
use super::message::Message;
use super::transaction::{Protection, announces_algorithms};
use super::writer::Writer;

/// Why a challenge is not answered with another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChallengeError {
    /// Realm or nonce is missing, or one of them or the list of password algorithms is malformed or
    /// too long.
    #[error("the server's challenge is malformed")]
    Malformed,
    /// The server refused this very username and password.
    #[error("the server does not know the username or the password is wrong")]
    Refused,
    /// The server, or somebody between, took the password algorithms away that the nonce or an
    /// earlier challenge announced.
    #[error("the password algorithms that the server announced are not there")]
    BidDown,
    /// None of the server's password algorithms is known here.
    #[error("no common password algorithm")]
    NoAlgorithm,
}

/// The longest PASSWORD-ALGORITHMS taken: 32 algorithms without parameters, where two are defined.
/// Each request repeats the list, so that without a bound one response could make all requests to
/// come too long to be sent.
const ALGORITHMS_MAX: usize = 128;

/// Username and password on one server.
#[derive(Clone)]
pub struct LongTerm {
    username: String,
    password: String,
    challenge: Option<Challenge>,
}

/// What a server's last challenge said.
#[derive(Clone)]
struct Challenge {
    realm: String,
    nonce: String,
    /// PASSWORD-ALGORITHMS as received.
    algorithms: Option<Vec<u8>>,
    algorithm: PasswordAlgorithm,
    user_hash: Option<UserHash>,
    key: Key,
}

impl fmt::Debug for LongTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongTerm").finish_non_exhaustive()
    }
}

impl LongTerm {
    /// User name and password.
    pub(crate) fn login(&self) -> (&str, &str) {
        (&self.username, &self.password)
    }

    /// Takes a username of at most 508 bytes and a password.
    ///
    /// # Errors
    /// If either is not a string that credentials allow.
    pub fn new(username: &str, password: &str) -> Result<Self, CredentialError> {
        let username = opaque_string(username).map_err(CredentialError::Username)?.into_owned();
        let password = opaque_string(password).map_err(CredentialError::Password)?.into_owned();
        if Username::new(&username).is_err() {
            return Err(CredentialError::TooLong);
        }
        Ok(Self { username, password, challenge: None })
    }

    /// Whether the server has named its realm, so that requests are protected.
    #[must_use]
    pub fn is_challenged(&self) -> bool {
        self.challenge.is_some()
    }

    /// Takes a response 401 or 438. If it is `Ok` the request is to be made anew and sent again.
    ///
    /// # Errors
    /// If another request makes no sense or is not safe.
    pub fn handle_challenge(
        &mut self,
        code: u16,
        message: &Message<'_>,
    ) -> Result<(), ChallengeError> {
        let nonce = message.get::<Nonce<'_>>().ok().flatten().ok_or(ChallengeError::Malformed)?;
        let realm = match message.get::<Realm<'_>>().map_err(|_| ChallengeError::Malformed)? {
            Some(realm) => realm.as_str(),
            // A stale nonce may come alone from servers older than RFC 8489.
            None => match &self.challenge {
                Some(challenge) if code == 438 => &challenge.realm,
                _ => return Err(ChallengeError::Malformed),
            },
        };
        let offered =
            message.get::<PasswordAlgorithms<'_>>().map_err(|_| ChallengeError::Malformed)?;
        if offered.is_some_and(|offered| offered.as_bytes().len() > ALGORITHMS_MAX) {
            return Err(ChallengeError::Malformed);
        }
        // RFC 8489 §9.2.5: what the nonce announces has to be there, and a server that once listed
        // algorithms is talked to with SHA-256 ever after.
        let listed = self.challenge.as_ref().is_some_and(|known| known.algorithms.is_some());
        if offered.is_none() && (listed || announces_algorithms(message)) {
            return Err(ChallengeError::BidDown);
        }
        // RFC 8489 §9.2.5: no second try with the same username, realm and password.
        let tried = self.challenge.as_ref().is_some_and(|challenge| challenge.realm == realm);
        if code == 401 && tried {
            return Err(ChallengeError::Refused);
        }
        let algorithm = match offered {
            None => PasswordAlgorithm::Md5,
            // RFC 8656 §6: SHA-256 if it is there. RFC 8489 §9.2.5 would take the first known one,
            // whatever the server put first; no other usage has long-term credentials here.
            Some(offered) => offered.known().max().ok_or(ChallengeError::NoAlgorithm)?,
        };
        let anonymous = SecurityFeatures::of_nonce(nonce.as_str().as_bytes())
            .is_some_and(|features| features.username_anonymity);
        let realm = realm.to_owned();
        self.challenge = Some(Challenge {
            key: Key::long_term(algorithm, &self.username, &realm, &self.password),
            user_hash: anonymous.then(|| UserHash::of(&self.username, &realm)),
            nonce: nonce.as_str().to_owned(),
            algorithms: offered.map(|offered| offered.as_bytes().to_vec()),
            algorithm,
            realm,
        });
        Ok(())
    }

    /// Appends the credential and the integrity to a request; nothing before the first challenge
    /// (RFC 8489 §9.2.3.1). Call it last.
    pub fn protect(&self, writer: &mut Writer<'_>) -> Protection {
        let Some(challenge) = &self.challenge else {
            return Protection::None;
        };
        match &challenge.user_hash {
            Some(hash) => writer.attribute(hash),
            None => writer.attribute(&Username::accepted(&self.username)),
        };
        writer
            .attribute(&Realm::accepted(&challenge.realm))
            .attribute(&Nonce::accepted(&challenge.nonce));
        match &challenge.algorithms {
            // RFC 8489 §9.2.5: the list unchanged, the choice, and SHA-256 only from now on.
            Some(algorithms) => writer
                .attribute(&PasswordAlgorithms::accepted(algorithms))
                .attribute(&challenge.algorithm)
                .integrity_sha256(&challenge.key),
            None => writer.integrity(&challenge.key),
        };
        Protection::LongTerm(challenge.key.clone())
    }
}

/// Why a username or password cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// RFC 8489 §14.3: fewer than 509 bytes.
    #[error("the username is longer than 508 bytes")]
    TooLong,
    /// The username is not allowed.
    #[error("the username cannot be used: {0}")]
    Username(OpaqueStringError),
    /// The password is not allowed.
    #[error("the password cannot be used: {0}")]
    Password(OpaqueStringError),
}
