//! NAT-PMP on the wire (RFC 6886): requests of 2 or 12 bytes, answers of 8 to 16.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{Reason, seconds};

/// RFC 6886 §3.3: the opcode of a mapping for UDP.
const MAP_UDP: u8 = 1;
/// RFC 6886 §3.5: what is added to a request's opcode.
const RESPONSE: u8 = 128;

/// What a gateway says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// Seconds since its table of mappings was empty (RFC 6886 §3.6); missing from answers that are too
    /// short for it.
    pub epoch: Option<u32>,
    /// To what it is an answer, and which.
    pub body: Body,
}

/// To which request, and with what result. An error is its code (RFC 6886 §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// The outside address, if it has one; also sent unasked, when that changes (RFC 6886 §3.2.1).
    Address(Result<Option<Ipv4Addr>, u16>),
    /// A mapping for UDP.
    Mapping(Result<Mapping, u16>),
    /// It does not know this version of requests.
    UnsupportedVersion,
}

/// A mapping that was given, or taken away if its lifetime is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The port inside.
    pub internal: u16,
    /// The port outside.
    pub external: u16,
    /// For how long.
    pub lifetime: Duration,
}

/// Asks for the outside address (RFC 6886 §3.2).
#[must_use]
pub fn address_request() -> Vec<u8> {
    vec![0, 0]
}

/// Asks for a mapping for UDP (RFC 6886 §3.3). To take it away both `suggested` and `lifetime` are zero
/// (RFC 6886 §3.4).
#[must_use]
pub fn mapping_request(internal: u16, suggested: u16, lifetime: Duration) -> Vec<u8> {
    let mut request = vec![0, MAP_UDP, 0, 0];
    request.extend(internal.to_be_bytes());
    request.extend(suggested.to_be_bytes());
    request.extend(seconds(lifetime).to_be_bytes());
    request
}

/// Reads an answer; `None` for anything else.
#[must_use]
pub fn parse(datagram: &[u8]) -> Option<Response> {
    let [0, opcode, high, low, rest @ ..] = datagram else { return None };
    let opcode = opcode.checked_sub(RESPONSE)?;
    let code = u16::from_be_bytes([*high, *low]);
    let (epoch, rest) = match rest {
        [a, b, c, d, rest @ ..] => (Some(u32::from_be_bytes([*a, *b, *c, *d])), rest),
        _ => (None, rest),
    };
    let body = match (opcode, code) {
        // RFC 6886 §3.5: whatever was asked, in a version that it does not know.
        (_, 1) => Body::UnsupportedVersion,
        (0, 0) => {
            let [a, b, c, d, ..] = rest else { return None };
            let address = Ipv4Addr::new(*a, *b, *c, *d);
            // 0.0.0.0: it has none itself yet.
            Body::Address(Ok((!address.is_unspecified()).then_some(address)))
        }
        // RFC 6886 §3.2: an error may leave the rest out.
        (0, code) => Body::Address(Err(code)),
        (MAP_UDP, 0) => {
            let [a, b, c, d, lifetime @ ..] = rest else { return None };
            let lifetime = lifetime.first_chunk().copied().map(u32::from_be_bytes)?;
            Body::Mapping(Ok(Mapping {
                internal: u16::from_be_bytes([*a, *b]),
                external: u16::from_be_bytes([*c, *d]),
                lifetime: Duration::from_secs(lifetime.into()),
            }))
        }
        (MAP_UDP, code) => Body::Mapping(Err(code)),
        _ => return None,
    };
    Some(Response { epoch, body })
}

/// What an error means (RFC 6886 §3.5).
#[must_use]
pub fn reason(code: u16) -> Reason {
    match code {
        // Unsupported version or opcode: it speaks only PCP, or something else.
        1 | 5 => Reason::Unsupported,
        // Not authorized: switched off, or not for this host.
        2 => Reason::Refused(code),
        // Network failure, out of resources.
        _ => Reason::Failed(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(datagram: &[u8]) -> Option<Body> {
        parse(datagram).map(|response| response.body)
    }

    #[test]
    fn requests_are_laid_out_as_the_rfc_has_them() {
        assert_eq!(address_request(), [0, 0]);
        let request = mapping_request(0x1234, 0x5678, Duration::from_secs(600));
        assert_eq!(request, [0, 1, 0, 0, 0x12, 0x34, 0x56, 0x78, 0, 0, 2, 88]);
    }

    #[test]
    fn answers_are_read_as_the_rfc_lays_them_out() {
        let good = parse(&[0, 128, 0, 0, 0, 0, 1, 0, 203, 0, 113, 7]).unwrap();
        assert_eq!(good.epoch, Some(256));
        assert_eq!(good.body, Body::Address(Ok(Some([203, 0, 113, 7].into()))));
        assert_eq!(body(&[0, 128, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]), Some(Body::Address(Ok(None))));
        assert_eq!(body(&[0, 128, 0, 2, 0, 0, 1, 0]), Some(Body::Address(Err(2))));
        assert_eq!(body(&[0, 129, 0, 3]), Some(Body::Mapping(Err(3))));
        assert_eq!(body(&[0, 129, 0, 1]), Some(Body::UnsupportedVersion));
        let mapping = Mapping { internal: 1, external: 2, lifetime: Duration::from_secs(3) };
        let given = [0, 129, 0, 0, 0, 0, 1, 0, 0, 1, 0, 2, 0, 0, 0, 3];
        assert_eq!(body(&given), Some(Body::Mapping(Ok(mapping))));
    }

    #[test]
    fn what_is_no_answer_is_not_read() {
        for no_answer in [
            &[][..],
            &[0, 128, 0, 0, 0, 0, 1, 0, 203, 0],
            &[0, 0],
            &[0, 1, 0, 0, 0, 1, 0, 2, 0, 0, 0, 3],
            &[2, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0, 129, 0, 0, 0, 0, 1, 0, 0, 1, 0, 2, 0, 0, 0],
            &[0, 130, 0, 0, 0, 0, 1, 0, 0, 1, 0, 2, 0, 0, 0, 3],
        ] {
            assert_eq!(parse(no_answer), None, "{no_answer:?}");
        }
    }

    #[test]
    fn errors_are_told_apart() {
        assert_eq!(reason(2), Reason::Refused(2));
        assert_eq!(reason(3), Reason::Failed(3));
        assert_eq!(reason(5), Reason::Unsupported);
    }
}
