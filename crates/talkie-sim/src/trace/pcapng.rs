//! A trace as a capture file (draft-ietf-opsawg-pcapng).
//!
//! Each side of each box is a network card, named `box` or `box/side`. A packet is captured where a box
//! gets it and where it leaves again with other addresses; the comment says what the box did, and the
//! packet's number is its packet identifier, which stays the same from box to box. Headers are built from
//! what the trace knows: the packets are whole, with checksums, and have no link layer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::{BoxKind, Entry, Side, Trace, Way, What};
use crate::net::{Content, NodeId};
use crate::packet::build;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
/// Packets begin with an IP header.
const LINKTYPE_RAW: u16 = 101;

const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const NAME: u16 = 2;
const DESCRIPTION: u16 = 3;
const RESOLUTION: u16 = 9;
const FLAGS: u16 = 2;
const PACKET: u16 = 5;

/// The direction in a packet's flags.
const CAME_IN: u32 = 1;
const WENT_OUT: u32 = 2;

type Interfaces = BTreeMap<(NodeId, Side), u32>;

impl Trace {
    /// The trace as a pcapng file. What is no packet is left out: a datagram that is too long for UDP,
    /// or whose ends are of two address families.
    #[must_use]
    pub fn pcapng(&self) -> Vec<u8> {
        let mut out = Vec::new();
        block(&mut out, SECTION, |out| {
            out.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
            out.extend_from_slice(&[1, 0, 0, 0]);
            // The section's length is not given.
            out.extend_from_slice(&[0xff; 8]);
            option(out, APPLICATION, b"talkie");
            option(out, 0, &[]);
        });
        let interfaces = self.interfaces();
        for (node, side) in interfaces.keys() {
            self.interface(&mut out, *node, *side);
        }
        let mut bytes = Vec::new();
        for entry in &self.entries {
            self.captured(&mut out, &mut bytes, &interfaces, entry);
        }
        out
    }

    fn interfaces(&self) -> Interfaces {
        let mut interfaces = Interfaces::new();
        for entry in &self.entries {
            interfaces.insert((entry.node, entry.side), 0);
            if let What::Translated { way, .. } = entry.what {
                interfaces.insert((entry.node, other_side(way)), 0);
            }
        }
        for (number, interface) in (0..).zip(interfaces.values_mut()) {
            *interface = number;
        }
        interfaces
    }

    fn interface(&self, out: &mut Vec<u8>, node: NodeId, side: Side) {
        let name = match side {
            Side::Any | Side::Interface(0) => self.box_name(node).to_owned(),
            _ => format!("{}/{side}", self.box_name(node)),
        };
        let description = match self.box_kind(node) {
            Some(BoxKind::Nat) => "NAT",
            Some(BoxKind::Router) => "router",
            Some(BoxKind::Host) | None => "host",
        };
        block(out, INTERFACE, |out| {
            out.extend_from_slice(&LINKTYPE_RAW.to_le_bytes());
            // Two bytes reserved, and no limit to a packet's length.
            out.extend_from_slice(&[0; 6]);
            option(out, NAME, name.as_bytes());
            option(out, DESCRIPTION, description.as_bytes());
            // Nanoseconds: ten to the minus ninth.
            option(out, RESOLUTION, &[9]);
            option(out, 0, &[]);
        });
    }

    /// The packet as an entry has seen it, once or on both sides of a box.
    fn captured(
        &self,
        out: &mut Vec<u8>,
        bytes: &mut Vec<u8>,
        interfaces: &Interfaces,
        entry: &Entry,
    ) {
        let comment =
            format!("packet {}, {}: {}", entry.packet, self.box_name(entry.node), entry.what);
        let direction = match entry.what {
            What::Sent | What::Duplicated { .. } => WENT_OUT,
            What::Forwarded | What::Translated { .. } | What::Delivered => CAME_IN,
            // By a box before it went in or by the link behind it: the entry does not tell.
            What::Dropped(_) => 0,
        };
        let at = self.unix + entry.at;
        let interface = interfaces[&(entry.node, entry.side)];
        if packet(bytes, entry, entry.source, entry.destination) {
            captured(out, interface, at, entry.packet, direction, &comment, bytes);
        }
        if let What::Translated { way, source, destination } = entry.what {
            let interface = interfaces[&(entry.node, other_side(way))];
            let comment = format!(
                "packet {}, {}: translated ({way}) from {} > {}",
                entry.packet,
                self.box_name(entry.node),
                entry.source,
                entry.destination
            );
            if packet(bytes, entry, source, destination) {
                captured(out, interface, at, entry.packet, WENT_OUT, &comment, bytes);
            }
        }
    }
}

/// On which side a translated packet leaves.
fn other_side(way: Way) -> Side {
    match way {
        Way::Out => Side::Outside,
        Way::In | Way::Hairpin => Side::Inside,
    }
}

/// The IP packet in place of what was in `bytes`; `false` if there is no such packet.
fn packet(bytes: &mut Vec<u8>, entry: &Entry, source: SocketAddr, destination: SocketAddr) -> bool {
    bytes.clear();
    if source.is_ipv4() != destination.is_ipv4() || entry.payload.len() > 65_507 {
        return false;
    }
    match entry.content {
        Content::Udp => build::udp(bytes, source, destination, &entry.payload),
        Content::Tcp(segment) => build::tcp(bytes, source, destination, segment, &entry.payload),
    }
    true
}

fn captured(
    out: &mut Vec<u8>,
    interface: u32,
    at: Duration,
    number: u64,
    direction: u32,
    comment: &str,
    bytes: &[u8],
) {
    let at = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
    // No packet is longer than 65,535 bytes.
    let length = (bytes.len() as u32).to_le_bytes();
    block(out, ENHANCED_PACKET, |out| {
        out.extend_from_slice(&interface.to_le_bytes());
        out.extend_from_slice(&((at >> 32) as u32).to_le_bytes());
        out.extend_from_slice(&(at as u32).to_le_bytes());
        out.extend_from_slice(&length);
        out.extend_from_slice(&length);
        out.extend_from_slice(bytes);
        pad(out);
        option(out, COMMENT, comment.as_bytes());
        if direction != 0 {
            option(out, FLAGS, &direction.to_le_bytes());
        }
        option(out, PACKET, &number.to_le_bytes());
        option(out, 0, &[]);
    });
}

/// A block: type and length, what `body` writes, and the length again.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let length = u32::try_from(out.len() - begin + 4).expect("a block is a packet at most");
    out[begin + 4..begin + 8].copy_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    out.extend_from_slice(value);
    pad(out);
}

/// Blocks and options are multiples of four bytes.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}
