//! Binding requests of clients that are older than STUN's magic cookie (RFC 3489), answered as RFC 5389 §12.2
//! has it, which RFC 8489 §11 keeps: libnice, and with it GStreamer, still asks so for its server-reflexive
//! candidates.
//!
//! Only what was common to both is done: a bare request over UDP is told its address in MAPPED-ADDRESS, with
//! the 16 bytes that are its transaction id now and were a cookie and an id later. The answer is as long as
//! that to a request of today, so that it is worth no more to somebody who lies about where he is.

use std::net::SocketAddr;

use talkie_sansio::Path;

use super::TurnServer;
use crate::stun::attributes::{AttributeType, ErrorCode, MappedAddress};
use crate::stun::{Class, MAGIC_COOKIE, Method, TransactionId, Writer};

const HEADER: usize = 20;
/// RFC 3489 §11.1.
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
/// Where the cookie would be.
const ID_START: usize = 4;
/// Credentials are neither needed nor looked at.
const IGNORED: [AttributeType; 2] = [AttributeType::USERNAME, AttributeType::MESSAGE_INTEGRITY];
/// RFC 3489 §11.2: types above this one may be left alone.
const LAST_REQUIRED: u16 = 0x7FFF;
/// More than this is no classic client: each of its attributes was there once.
const MOST_ATTRIBUTES: usize = 8;

/// A classic request, as far as it matters.
struct Request {
    /// The bytes 4 to 8 of the header.
    id_start: [u8; 4],
    id_rest: TransactionId,
    /// What it asks for beyond its address, which nobody gives any more.
    required: Vec<AttributeType>,
}

impl TurnServer {
    /// Whether `bytes` were a classic Binding request, which has then been answered.
    pub(super) fn classic(&mut self, path: Path, bytes: &[u8]) -> bool {
        // It was for UDP alone (RFC 3489 §8.1).
        if path.transport.is_reliable() {
            return false;
        }
        let Some(request) = Request::read(bytes) else { return false };
        if self.outbox.is_full() {
            self.stats.drops.queue_full += 1;
            return true;
        }
        let is_refused = !request.required.is_empty();
        if is_refused {
            self.count_error(ErrorCode::UNKNOWN_ATTRIBUTE);
        } else {
            self.stats.bindings += 1;
        }
        let remote = SocketAddr::new(path.remote.ip().to_canonical(), path.remote.port());
        self.outbox.push(path, |buf| {
            let start = buf.len();
            let class = if is_refused { Class::Error } else { Class::Success };
            let mut writer = Writer::new(buf, class, Method::BINDING, request.id_rest);
            if is_refused {
                writer.attribute(&ErrorCode::UNKNOWN_ATTRIBUTE.bare());
                writer.unknown_attributes(request.required.iter().copied());
            } else {
                writer.attribute(&MappedAddress(remote));
            }
            // RFC 5389 §12.2: what stood in the cookie's place is given back.
            buf[start + ID_START..start + ID_START + 4].copy_from_slice(&request.id_start);
        });
        true
    }
}

impl Request {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (header, mut rest) = bytes.split_at_checked(HEADER)?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let id_start: [u8; 4] = header[ID_START..8].try_into().ok()?;
        if header[..2] != BINDING_REQUEST
            || length != rest.len()
            || id_start == MAGIC_COOKIE.to_be_bytes()
        {
            return None;
        }
        let mut required = Vec::new();
        for _ in 0..MOST_ATTRIBUTES {
            let Some((head, after)) = rest.split_at_checked(4) else { break };
            let kind = AttributeType(u16::from_be_bytes([head[0], head[1]]));
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            // RFC 3489 §11.2: values are whole words, so that nothing is padded.
            let (_, next) = after.split_at_checked(length)?;
            if kind.0 <= LAST_REQUIRED && !IGNORED.contains(&kind) {
                required.push(kind);
            }
            rest = next;
        }
        let id_rest = TransactionId(header[8..].try_into().ok()?);
        rest.is_empty().then_some(Self { id_start, id_rest, required })
    }
}
