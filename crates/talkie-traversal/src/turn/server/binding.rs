//! Binding requests (RFC 8489 §12, "Basic STUN server behavior"), and NAT behaviour discovery
//! (RFC 5780) on the sockets that [`Discovery`](super::Discovery) names.
//!
//! Who asks has proven nothing yet, so an answer must not be worth stealing:
//!
//! - On other sockets a bare request of 20 bytes over IPv4 gets 32 in return. Discovery adds up to
//!   three addresses, 68 bytes in all, which the source's [budget](super::budget) bounds.
//! - PADDING is given back, but never makes an answer longer than its request, nor the padding
//!   longer than the MTU.
//! - An answer goes to the address that the request came from. To another port of it (RESPONSE-PORT)
//!   it goes only for a client that has shown, by a nonce of ours, that it receives at that address,
//!   or is on this host: others would have us send to their neighbours behind a shared address.

use std::net::SocketAddr;
use std::time::Instant;

use talkie_sansio::Path;

use super::TurnServer;
use super::nonce::Verdict;
use super::reply::Asker;
use crate::stun::Message;
use crate::stun::attributes::{
    AttributeError, AttributeType, ChangeRequest, ErrorCode, MappedAddress, Nonce, OtherAddress,
    Padding, ResponseOrigin, ResponsePort,
};

/// The most padding that is given back: RFC 5780 §7.6 has it as long as the outgoing interface's
/// MTU, which is this nearly everywhere.
const MOST_PADDING: usize = 1500;
/// Services that people did not mean to be sent STUN live below; mappings of NATs do not.
const LEAST_RESPONSE_PORT: u16 = 1024;

/// What a request asks for beyond its address.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    change: ChangeRequest,
    port: Option<u16>,
    padding: Option<usize>,
}

/// An answer of behaviour discovery.
#[derive(Clone, Copy)]
struct Answer {
    path: Path,
    origin: Option<SocketAddr>,
    other: Option<SocketAddr>,
    padding: Option<usize>,
    /// Whether a bare answer would do as well.
    plain: bool,
}

enum Refusal {
    /// 420.
    Unknown(Vec<AttributeType>),
    /// 400.
    Malformed,
    /// 438: the source must show that it receives our answers.
    Unproven,
}

impl TurnServer {
    /// Credentials in it are neither needed nor looked at.
    pub(super) fn binding(&mut self, now: Instant, path: Path, request: &Message<'_>) {
        let asker = Asker::of(path, request);
        let answer = match self.answer(now, path, request) {
            Ok(answer) => answer,
            Err(Refusal::Unknown(unknown)) => {
                self.count_error(ErrorCode::UNKNOWN_ATTRIBUTE);
                let code = ErrorCode::UNKNOWN_ATTRIBUTE;
                return asker.error(&mut self.outbox, None, code, &unknown);
            }
            Err(Refusal::Malformed) => {
                self.count_error(ErrorCode::BAD_REQUEST);
                return asker.error(&mut self.outbox, None, ErrorCode::BAD_REQUEST, &[]);
            }
            Err(Refusal::Unproven) => {
                let (unix, length) = (self.unix(now), request.as_bytes().len());
                return self.challenge(unix, asker, ErrorCode::STALE_NONCE, length);
            }
        };
        let answer = match answer {
            Some(answer) if !path.transport.is_reliable() => {
                if self.budget.take(now, path.remote.ip()) {
                    Some(answer)
                } else if answer.plain {
                    None
                } else {
                    self.stats.drops.over_budget += 1;
                    return;
                }
            }
            answer => answer,
        };
        self.stats.bindings += 1;
        let mapped = asker.mapped();
        let Some(Answer { path, origin, other, padding, .. }) = answer else {
            asker.success(&mut self.outbox, None, |writer| {
                writer.attribute(&mapped);
            });
            return;
        };
        Asker { path, ..asker }.success(&mut self.outbox, None, |writer| {
            // RFC 5780 §6.1: both of them.
            writer.attribute(&mapped).attribute(&MappedAddress(mapped.0));
            writer.optional(origin.map(ResponseOrigin).as_ref());
            writer.optional(other.map(OtherAddress).as_ref());
            if let Some(padding) = padding {
                let room = request.as_bytes().len().saturating_sub(writer.finish() + 4) & !3;
                writer.attribute(&Padding(&[0; MOST_PADDING][..padding.min(room)]));
            }
        });
    }

    /// The answer to a request that came to a socket of behaviour discovery; `None` for others.
    fn answer(
        &self,
        now: Instant,
        path: Path,
        request: &Message<'_>,
    ) -> Result<Option<Answer>, Refusal> {
        let discovery = self.config.discovery.iter().find(|it| it.serves(&path));
        // A connection can be answered on itself only, and is not made of fragments.
        let datagram = discovery.is_some() && !path.transport.is_reliable();
        let mut unknown = super::unknown_attributes(request);
        unknown.retain(|kind| !(datagram && Wish::ATTRIBUTES.contains(kind)));
        if !unknown.is_empty() {
            return Err(Refusal::Unknown(unknown));
        }
        let Some(discovery) = discovery else { return Ok(None) };
        let wish = if datagram {
            Wish::read(request).map_err(|_| Refusal::Malformed)?
        } else {
            Wish::default()
        };
        let Some(local) = discovery.origin(path.local, wish.change) else {
            // RFC 5780 §6.1: no alternate address to answer from.
            return Err(Refusal::Unknown(vec![AttributeType::CHANGE_REQUEST]));
        };
        let mut remote = path.remote;
        if let Some(port) = wish.port {
            // RFC 5780 §6.1: not together, it would aim long answers at others.
            if wish.padding.is_some() || port < LEAST_RESPONSE_PORT {
                return Err(Refusal::Malformed);
            }
            if !self.has_shown_its_address(now, &path, request) {
                return Err(Refusal::Unproven);
            }
            remote.set_port(port);
        }
        Ok(Some(Answer {
            path: Path { local, remote, ..path },
            origin: discovery.told(local),
            // Whatever was asked for, it is relative to where the request came to (table 1).
            other: discovery.other(path.local),
            padding: wish.padding.map(|length| length.min(MOST_PADDING)),
            plain: path.local == local && path.remote == remote && wish.padding.is_none(),
        }))
    }

    fn has_shown_its_address(&self, now: Instant, path: &Path, request: &Message<'_>) -> bool {
        // No network brings a packet from there, so that nothing needs to be shown.
        if path.remote.ip().to_canonical().is_loopback() {
            return true;
        }
        let Ok(Some(nonce)) = request.get::<Nonce<'_>>() else { return false };
        let verdict = self.nonces.check(self.unix(now), path, nonce.as_str().as_bytes());
        matches!(verdict, Verdict::Valid { .. })
    }
}

impl Wish {
    const ATTRIBUTES: [AttributeType; 3] =
        [AttributeType::CHANGE_REQUEST, AttributeType::RESPONSE_PORT, AttributeType::PADDING];

    fn read(request: &Message<'_>) -> Result<Self, AttributeError> {
        let change = request.get::<ChangeRequest>()?.unwrap_or_default();
        let port = request.get::<ResponsePort>()?.map(|it| it.0);
        let padding = request.get::<Padding<'_>>()?.map(|it| it.0.len());
        Ok(Self { change, port, padding })
    }
}
