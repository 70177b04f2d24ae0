//! Responses, signed the way the request was (RFC 8489 §9.2.4).

use std::net::SocketAddr;

use talkie_sansio::Path;

use super::nonce::Nonce;
use super::outbox::Outbox;
use crate::stun::attributes::{
    self, AttributeType, ErrorCode, PasswordAlgorithms, XorMappedAddress,
};
use crate::stun::auth::Key;
use crate::stun::{Class, Message, Method, TransactionId, Writer};

/// What a response is signed with.
#[derive(Clone)]
pub(super) struct Signer {
    pub(super) key: Key,
    pub(super) sha256: bool,
}

impl Signer {
    fn sign(&self, writer: &mut Writer<'_>) {
        if self.sha256 {
            writer.integrity_sha256(&self.key);
        } else {
            writer.integrity(&self.key);
        }
    }
}

/// Where a response goes and which request it answers.
#[derive(Clone, Copy)]
pub(super) struct Asker {
    pub(super) path: Path,
    pub(super) method: Method,
    pub(super) transaction: TransactionId,
}

impl Asker {
    pub(super) fn of(path: Path, request: &Message<'_>) -> Self {
        Self { path, method: request.method(), transaction: request.transaction_id() }
    }

    /// The client's address as XOR-MAPPED-ADDRESS tells it: IPv4 is IPv4, on a dual-stack socket
    /// too.
    pub(super) fn mapped(self) -> XorMappedAddress {
        let remote = self.path.remote;
        XorMappedAddress(SocketAddr::new(remote.ip().to_canonical(), remote.port()))
    }

    pub(super) fn success(
        self,
        outbox: &mut Outbox,
        signer: Option<&Signer>,
        fill: impl FnOnce(&mut Writer<'_>),
    ) {
        self.respond(outbox, Class::Success, signer, fill);
    }

    /// An error without a reason phrase: every byte of it can be aimed at somebody else.
    pub(super) fn error(
        self,
        outbox: &mut Outbox,
        signer: Option<&Signer>,
        code: ErrorCode<'_>,
        unknown: &[AttributeType],
    ) {
        self.respond(outbox, Class::Error, signer, |writer| {
            writer.attribute(&code.bare());
            if !unknown.is_empty() {
                writer.unknown_attributes(unknown.iter().copied());
            }
        });
    }

    /// 401 or 438: how to authenticate. Never signed (RFC 8489 §9.2.4).
    pub(super) fn challenge(
        self,
        outbox: &mut Outbox,
        code: ErrorCode<'_>,
        realm: &str,
        nonce: &Nonce,
        offer: bool,
    ) {
        self.respond(outbox, Class::Error, None, |writer| {
            writer.attribute(&code.bare());
            let realm = attributes::Realm::new(realm).expect("the configuration was checked");
            let nonce = attributes::Nonce::new(nonce.as_str()).expect("nonces are short");
            writer.attribute(&realm).attribute(&nonce);
            if offer {
                writer.attribute(&PasswordAlgorithms::SHA256_MD5);
            }
        });
    }

    fn respond(
        self,
        outbox: &mut Outbox,
        class: Class,
        signer: Option<&Signer>,
        fill: impl FnOnce(&mut Writer<'_>),
    ) {
        outbox.push(self.path, |buf| {
            let mut writer = Writer::new(buf, class, self.method, self.transaction);
            fill(&mut writer);
            if let Some(signer) = signer {
                signer.sign(&mut writer);
            }
        });
    }
}
