//! ICMP errors on their way through a NAT (RFC 5508 §4). They quote the packet that they are about as
//! it was on the side that they come from, so the quoted packet is changed back together with the
//! error's own addresses. Whoever sent that packet recognises it then.
//!
//! No error changes a mapping: RFC 4787 REQ-12, RFC 5382 REQ-10, RFC 5508 REQ-6.

use std::net::SocketAddr;
use std::time::Instant;

use super::config::{Reason, Side};
use crate::nat::{Kind, Nat};
use crate::packet::{End, Packet, Transport, checksum};

/// Where the quoted packet begins in the error's payload.
const QUOTED: usize = 8;

pub(super) fn translate(
    nat: &Nat,
    now: Instant,
    from: Side,
    packet: &mut Packet<&mut [u8]>,
) -> Result<Side, Reason> {
    // RFC 5508 REQ-3: what is damaged is dropped without a word.
    if packet.fragment().is_some() || checksum::fold(packet.payload_sum()) != 0xffff {
        return Err(Reason::Malformed);
    }
    let (outer_source, outer_destination) = (packet.source(), packet.destination());
    let payload = packet.payload_mut();
    let quoted = &mut payload[QUOTED..];
    let mut quoted = Packet::parse_beginning(quoted).map_err(|_| Reason::Malformed)?;
    // RFC 5508 REQ-3 (a). (c): the transport's checksum is not looked at.
    if !quoted.verify_header() {
        return Err(Reason::Malformed);
    }
    let (kind, source, destination) = flow(from, &quoted)?;
    // An error goes to whoever sent what it is about.
    if source.ip() != outer_destination {
        return Err(Reason::UnrelatedError);
    }
    let unrelated = Reason::UnrelatedError;
    let (new_source, new_destination, to) = match from {
        // RFC 5508 REQ-4: about a packet that went out.
        Side::Outside => {
            let inside = nat.inside_of(now, kind, source, destination).ok_or(unrelated)?;
            quoted.set_end(End::Source, inside);
            (outer_source, inside.ip(), Side::Inside)
        }
        // RFC 5508 REQ-5: about a packet that came in.
        Side::Inside => {
            let outside = nat.outside_of(now, kind, destination, source).ok_or(unrelated)?;
            quoted.set_end(End::Destination, outside);
            // Whoever inside it is, the world sees the NAT, unless it sees everybody.
            let is_untranslated = outside == destination;
            let seen = if is_untranslated { outer_source } else { outside.ip() };
            if nat.config().outside.contains(&source.ip()) {
                // RFC 5508 REQ-7: it had come from a neighbour.
                let neighbour = nat.inside_of(now, kind, source, outside).ok_or(unrelated)?;
                quoted.set_end(End::Source, neighbour);
                (seen, neighbour.ip(), Side::Inside)
            } else {
                (seen, outer_destination, Side::Outside)
            }
        }
    };
    packet.set_address(End::Source, new_source);
    packet.set_address(End::Destination, new_destination);
    packet.finish_checksum();
    Ok(to)
}

/// What the quoted packet is a part of.
fn flow(from: Side, quoted: &Packet<&mut [u8]>) -> Result<(Kind, SocketAddr, SocketAddr), Reason> {
    let (kind, source, destination) = match quoted.transport() {
        Transport::Udp { source, destination } => (Kind::Udp, source, destination),
        Transport::Tcp { source, destination, .. } => (Kind::Tcp, source, destination),
        Transport::Query { identifier, .. } => match from {
            Side::Outside => (Kind::Icmp, identifier, 0),
            Side::Inside => (Kind::Icmp, 0, identifier),
        },
        // Errors are not sent about errors, and later fragments say too little.
        Transport::Error { .. } | Transport::Other => return Err(Reason::UnrelatedError),
    };
    let source = SocketAddr::new(quoted.source(), source);
    Ok((kind, source, SocketAddr::new(quoted.destination(), destination)))
}
