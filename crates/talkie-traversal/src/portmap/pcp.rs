//! PCP on the wire (RFC 6887), version 2: `MAP` for UDP, and `ANNOUNCE`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use subtle::ConstantTimeEq as _;

use super::{Reason, seconds};

/// RFC 6887 §7.2: version, opcode, reserved, result, lifetime, epoch, reserved.
const HEADER: usize = 24;
/// RFC 6887 §11.1: nonce, protocol, reserved, internal port, external port and address.
const MAP: usize = 36;
/// RFC 6887 §7: no message is longer.
const LONGEST: usize = 1100;
const VERSION: u8 = 2;
/// The bit of the opcode that marks a response.
const RESPONSE: u8 = 0x80;
const OPCODE_ANNOUNCE: u8 = 0;
const OPCODE_MAP: u8 = 1;
/// The protocol number of UDP.
const UDP: u8 = 17;

/// Ties answers and later requests to the one who asked first (RFC 6887 §11.1).
#[derive(Clone, Copy)]
pub struct Nonce(pub [u8; 12]);

impl PartialEq for Nonce {
    fn eq(&self, other: &Self) -> bool {
        // Who knows it can take the mapping away.
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Nonce {}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce")
    }
}

/// What a gateway says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// The result (RFC 6887 §7.4); 0 is success.
    pub code: u8,
    /// For how long a success or an error holds.
    pub lifetime: Duration,
    /// Seconds since its table of mappings was empty (RFC 6887 §8.5).
    pub epoch: u32,
    /// To which request.
    pub body: Body,
}

/// To which request an answer belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// `ANNOUNCE`; also sent unasked, when the gateway has started anew (RFC 6887 §14.1.3).
    Announce,
    /// `MAP` for UDP.
    Map(Mapping),
    /// An error that left out to what.
    Bare,
}

/// A mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The request's.
    pub nonce: Nonce,
    /// The port inside.
    pub internal: u16,
    /// Outside.
    pub external: SocketAddr,
}

/// Asks whether there is anybody (RFC 6887 §14.1.1). Nothing is mapped.
#[must_use]
pub fn announce_request(client: Ipv4Addr) -> Vec<u8> {
    header(OPCODE_ANNOUNCE, Duration::ZERO, client)
}

/// Asks for a mapping for UDP from `internal`, which is what the request is sent from (RFC 6887 §8.1,
/// §11.2). With a lifetime of zero it is taken away (RFC 6887 §15.1).
#[must_use]
pub fn map_request(
    nonce: Nonce,
    internal: SocketAddrV4,
    suggested: SocketAddrV4,
    lifetime: Duration,
) -> Vec<u8> {
    let mut request = header(OPCODE_MAP, lifetime, *internal.ip());
    request.extend(nonce.0);
    request.extend([UDP, 0, 0, 0]);
    request.extend(internal.port().to_be_bytes());
    request.extend(suggested.port().to_be_bytes());
    request.extend(suggested.ip().to_ipv6_mapped().octets());
    request
}

fn header(opcode: u8, lifetime: Duration, client: Ipv4Addr) -> Vec<u8> {
    // RFC 6887 §7.1: version, request, reserved, lifetime, our address.
    let mut request = vec![VERSION, opcode, 0, 0];
    request.extend(seconds(lifetime).to_be_bytes());
    request.extend(client.to_ipv6_mapped().octets());
    request
}

/// Reads an answer; `None` for anything else.
#[must_use]
pub fn parse(datagram: &[u8]) -> Option<Response> {
    // RFC 6887 §8.3: shorter than a header is nothing, and so is what is no multiple of four; a NAT-PMP
    // gateway answers with version 0.
    let [VERSION, opcode, _, code, ..] = datagram else { return None };
    let opcode = opcode.checked_sub(RESPONSE)?;
    if datagram.len() < HEADER || datagram.len() > LONGEST || !datagram.len().is_multiple_of(4) {
        return None;
    }
    let word = |at: usize| datagram[at..].first_chunk().copied().map(u32::from_be_bytes);
    let body = match opcode {
        OPCODE_ANNOUNCE => Body::Announce,
        OPCODE_MAP => match mapping(&datagram[HEADER..]) {
            Some(mapping) => Body::Map(mapping),
            None if *code != 0 && datagram.len() < HEADER + MAP => Body::Bare,
            None => return None,
        },
        _ => return None,
    };
    let lifetime = Duration::from_secs(word(4)?.into());
    Some(Response { code: *code, lifetime, epoch: word(8)?, body })
}

fn mapping(rest: &[u8]) -> Option<Mapping> {
    let (nonce, rest) = rest.split_first_chunk()?;
    let [UDP, _, _, _, a, b, c, d, address @ ..] = rest else { return None };
    let address = Ipv6Addr::from(*address.first_chunk::<16>()?);
    let address = address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4);
    Some(Mapping {
        nonce: Nonce(*nonce),
        internal: u16::from_be_bytes([*a, *b]),
        external: SocketAddr::new(address, u16::from_be_bytes([*c, *d])),
    })
}

/// What an error means (RFC 6887 §7.4).
#[must_use]
pub fn reason(code: u8) -> Reason {
    match code {
        // UNSUPP_VERSION, UNSUPP_OPCODE, UNSUPP_PROTOCOL.
        1 | 4 | 9 => Reason::Unsupported,
        // NOT_AUTHORIZED; ADDRESS_MISMATCH says that a NAT stands between.
        2 | 12 => Reason::Refused(code.into()),
        _ => Reason::Failed(code.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 5);

    fn response(request: &[u8], code: u8) -> Vec<u8> {
        let mut response = request.to_vec();
        response[1] |= RESPONSE;
        response[3] = code;
        response[8..12].copy_from_slice(&7_u32.to_be_bytes());
        response
    }

    #[test]
    fn an_announcement_is_a_header_and_nothing_else() {
        let mut request = vec![2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
        request.extend([192, 168, 1, 5]);
        assert_eq!(announce_request(CLIENT), request);
    }

    #[test]
    fn a_mapping_comes_back_as_it_was_asked_for() {
        let nonce = Nonce([9; 12]);
        let internal = SocketAddrV4::new(CLIENT, 5000);
        let outside = SocketAddrV4::new([203, 0, 113, 7].into(), 6000);
        let request = map_request(nonce, internal, outside, Duration::from_secs(600));
        assert_eq!(request.len(), 60);
        assert_eq!(parse(&request), None, "a request is no answer");
        let read = parse(&response(&request, 0)).unwrap();
        assert_eq!(read.lifetime, Duration::from_secs(600));
        assert_eq!(read.epoch, 7);
        let mapping = Mapping { nonce, internal: 5000, external: outside.into() };
        assert_eq!(read.body, Body::Map(mapping));
        let other = Mapping { nonce: Nonce([8; 12]), ..mapping };
        assert_ne!(read.body, Body::Map(other));
    }

    #[test]
    fn answers_are_read_as_the_rfc_lays_them_out() {
        let answer = |code: u8, length: usize| {
            let mut datagram = vec![0; length];
            datagram[..4].copy_from_slice(&[2, 0x80, 0, code]);
            parse(&datagram).map(|response| (response.code, response.body))
        };
        assert_eq!(answer(0, 24), Some((0, Body::Announce)));
        assert_eq!(answer(2, 24), Some((2, Body::Announce)));
        for no_answer in [0, 20, 26, 1104] {
            assert_eq!(answer(0, no_answer.max(4)), None, "{no_answer}");
        }
        assert_eq!(parse(&[0, 128, 0, 1, 0, 0, 0, 0]), None, "NAT-PMP");
        let request = map_request(
            Nonce([1; 12]),
            SocketAddrV4::new(CLIENT, 1),
            SocketAddrV4::new(CLIENT, 1),
            Duration::ZERO,
        );
        assert_eq!(parse(&response(&request, 0)[..56]), None, "cut off");
        let cut = response(&request, 8);
        assert_eq!(parse(&cut[..24]).unwrap().body, Body::Bare);
        let mut tcp = response(&request, 0);
        tcp[36] = 6;
        assert_eq!(parse(&tcp), None, "a mapping for TCP");
    }

    #[test]
    fn errors_are_told_apart() {
        assert_eq!(reason(1), Reason::Unsupported);
        assert_eq!(reason(2), Reason::Refused(2));
        assert_eq!(reason(12), Reason::Refused(12));
        assert_eq!(reason(8), Reason::Failed(8));
    }
}
