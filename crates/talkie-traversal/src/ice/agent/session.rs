//! Connectivity checks as bytes: Binding requests and responses protected by the short-term credentials of
//! one generation (RFC 8445 §7.1, §7.3).
//!
//! What does not prove that it comes from somebody who has our password is dropped without an answer.
//! RFC 8489 §9.1.3 would answer it with 400 or 401; to a stranger, that would be a way to make us send.

use std::net::SocketAddr;

use crate::ice::config::Role;
use crate::ice::parameters::Parameters;
use crate::stun::attributes::{
    ErrorCode, IceControlled, IceControlling, Nomination, Priority, UseCandidate, Username,
    XorMappedAddress,
};
use crate::stun::auth::Key;
use crate::stun::{AttributeType, Class, Message, Method, TransactionId, Writer};

/// The credentials of a generation.
#[derive(Debug)]
pub(super) struct Session {
    local: Parameters,
    local_key: Key,
    remote: Option<Remote>,
}

#[derive(Debug)]
struct Remote {
    parameters: Parameters,
    key: Key,
    /// USERNAME on our requests: theirs:ours (RFC 8445 §7.2.2).
    username: String,
}

/// What a check says besides whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) priority: u32,
    pub(super) role: Role,
    pub(super) tie_breaker: u64,
    pub(super) nominates: Option<Proposal>,
}

/// A nomination; with a number if both sides know renomination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proposal(pub(super) Option<u32>);

/// What a request of theirs is, once it is known to be theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) priority: u32,
    /// The role that they believe to have; a request may be without one.
    pub(super) role: Option<(Role, u64)>,
    pub(super) nominates: Option<Proposal>,
    /// Whether it names the generation that we know of them.
    pub(super) is_current: bool,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is theirs.
    Theirs(Request),
    /// It is theirs and cannot be understood: 420, or 400.
    Wrong(ErrorCode<'static>),
    /// Nobody can tell whose it is.
    Foreign,
}

/// What a response of theirs says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Success { mapped: SocketAddr },
    Error { code: u16 },
}

impl Session {
    pub(super) fn new(local: Parameters) -> Self {
        Self { local_key: Key::short_term(&local.password), local, remote: None }
    }

    pub(super) fn local(&self) -> &Parameters {
        &self.local
    }

    pub(super) fn remote(&self) -> Option<&Parameters> {
        self.remote.as_ref().map(|remote| &remote.parameters)
    }

    pub(super) fn set_remote(&mut self, parameters: Parameters) {
        let username = format!("{}:{}", parameters.username_fragment, self.local.username_fragment);
        let key = Key::short_term(&parameters.password);
        self.remote = Some(Remote { parameters, key, username });
    }

    /// Whether both sides know how to change a nomination.
    pub(super) fn can_renominate(&self) -> bool {
        let both = [Some(&self.local), self.remote()];
        both.iter().all(|side| side.is_some_and(|side| side.options.renomination()))
    }

    /// A check; `None` while the other side is not known.
    pub(super) fn request(&self, id: TransactionId, content: Content) -> Option<Vec<u8>> {
        let remote = self.remote.as_ref()?;
        let username = Username::new(&remote.username).ok()?;
        let mut out = Vec::with_capacity(160);
        let mut writer = Writer::new(&mut out, Class::Request, Method::BINDING, id);
        writer.attribute(&username).attribute(&Priority(content.priority));
        match content.role {
            Role::Controlling => writer.attribute(&IceControlling(content.tie_breaker)),
            Role::Controlled => writer.attribute(&IceControlled(content.tie_breaker)),
        };
        if let Some(Proposal(number)) = content.nominates {
            writer.attribute(&UseCandidate).optional(number.map(Nomination).as_ref());
        }
        // RFC 8445 §7.2.2: the password of the one who is asked.
        writer.integrity(&remote.key).fingerprint();
        Some(out)
    }

    /// Says whose a request is.
    pub(super) fn judge(&self, request: &Message<'_>) -> Judgement {
        let Ok(Some(username)) = request.get::<Username<'_>>() else { return Judgement::Foreign };
        // RFC 8445 §7.3: the first of the two names is ours.
        let Some((ours, theirs)) = username.as_str().split_once(':') else {
            return Judgement::Foreign;
        };
        if ours != self.local.username_fragment
            || request.check_fingerprint() == Some(false)
            || request.check_integrity(&self.local_key) != Some(true)
        {
            return Judgement::Foreign;
        }
        if request.unknown_required(AttributeType::KNOWN).next().is_some() {
            return Judgement::Wrong(ErrorCode::UNKNOWN_ATTRIBUTE);
        }
        let role = match (request.get::<IceControlling>(), request.get::<IceControlled>()) {
            (Ok(Some(IceControlling(tie))), _) => Some((Role::Controlling, tie)),
            (_, Ok(Some(IceControlled(tie)))) => Some((Role::Controlled, tie)),
            _ => None,
        };
        // RFC 8445 §7.1.1: it has to be there; without it nothing can be said about where it came from.
        let Ok(Some(Priority(priority))) = request.get::<Priority>() else {
            return Judgement::Wrong(ErrorCode::BAD_REQUEST);
        };
        let number = request.get::<Nomination>().ok().flatten().map(|Nomination(number)| number);
        let nominates = request.contains(AttributeType::USE_CANDIDATE) || number.is_some();
        let known = self.remote().map(|remote| &*remote.username_fragment);
        Judgement::Theirs(Request {
            priority,
            role,
            nominates: nominates.then_some(Proposal(number)),
            is_current: known == Some(theirs),
        })
    }

    pub(super) fn success(&self, id: TransactionId, mapped: SocketAddr) -> Vec<u8> {
        let mut out = Vec::with_capacity(100);
        Writer::new(&mut out, Class::Success, Method::BINDING, id)
            .attribute(&XorMappedAddress(mapped))
            .integrity(&self.local_key)
            .fingerprint();
        out
    }

    pub(super) fn error(&self, request: &Message<'_>, code: ErrorCode<'static>) -> Vec<u8> {
        let mut out = Vec::with_capacity(100);
        let mut writer =
            Writer::new(&mut out, Class::Error, Method::BINDING, request.transaction_id());
        writer.attribute(&code);
        if code == ErrorCode::UNKNOWN_ATTRIBUTE {
            writer.unknown_attributes(
                request.unknown_required(AttributeType::KNOWN).take(MOST_UNKNOWN),
            );
        }
        writer.integrity(&self.local_key).fingerprint();
        out
    }

    /// What a response says, if it is theirs.
    pub(super) fn reply(&self, response: &Message<'_>) -> Option<Reply> {
        let key = &self.remote.as_ref()?.key;
        let is_theirs = response.check_fingerprint() != Some(false)
            && response.check_integrity(key) == Some(true);
        if !is_theirs || response.unknown_required(AttributeType::KNOWN).next().is_some() {
            return None;
        }
        if response.class() == Class::Success {
            let mapped = response.get::<XorMappedAddress>().ok().flatten()?.0;
            return Some(Reply::Success { mapped });
        }
        let code = response.get::<ErrorCode<'_>>().ok().flatten()?.code;
        Some(Reply::Error { code })
    }
}

/// The most attributes that an error names, so that the answer does not outgrow the question.
const MOST_UNKNOWN: usize = 8;
