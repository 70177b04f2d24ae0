//! A trace as JSON, written entry by entry.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;

use serde::Serialize as Derive;
use serde::ser::{Serialize, SerializeSeq as _, Serializer};

use super::{BoxKind, Entry, Named, Trace, What};
use crate::nat::Flags;
use crate::net::Content;

#[derive(Derive)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    began: f64,
    forgotten: u64,
    boxes: Vec<Box_<'a>>,
    entries: Entries<'a>,
}

#[derive(Derive)]
struct Box_<'a> {
    name: &'a str,
    kind: &'static str,
}

/// Written one by one, so that a long trace is not in memory twice.
struct Entries<'a>(&'a Trace);

#[derive(Derive)]
struct Line<'a> {
    at: u64,
    packet: u64,
    #[serde(rename = "box")]
    node: usize,
    side: String,
    protocol: &'static str,
    #[serde(flatten)]
    tcp: Option<Tcp>,
    source: SocketAddr,
    destination: SocketAddr,
    length: usize,
    payload: Hex<'a>,
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    way: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<After>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    text: String,
}

#[derive(Derive)]
struct Tcp {
    flags: String,
    sequence: u32,
    acknowledgement: u32,
}

#[derive(Derive)]
struct After {
    source: SocketAddr,
    destination: SocketAddr,
}

struct Hex<'a>(&'a [u8]);

impl Trace {
    /// The trace as JSON:
    ///
    /// ```json
    /// {
    ///   "format": "talkie-trace", "version": 1,
    ///   "began": 1800000000.0,            // Unix time in seconds
    ///   "forgotten": 0,                   // older entries than there was room for
    ///   "boxes": [{ "name": "ada", "kind": "host" }, { "name": "home", "kind": "nat" }],
    ///   "entries": [{
    ///     "at": 5000000,                  // nanoseconds since it began
    ///     "packet": 0,                    // its number, the same at all boxes
    ///     "box": 1,                       // an index of "boxes"
    ///     "side": "inside",               // or "outside", "any" (routers), "if0", "if1"… (hosts)
    ///     "protocol": "udp",              // or "tcp", which brings "flags", "sequence", "acknowledgement"
    ///     "source": "10.0.0.2:5000", "destination": "198.51.100.1:3478",
    ///     "length": 5, "payload": "68656c6c6f",
    ///     "what": "translated",           // or sent, forwarded, duplicated, dropped, delivered
    ///     "way": "out",                   // if translated: or "in", "hairpin"
    ///     "after": { "source": "192.0.2.1:5000", "destination": "198.51.100.1:3478" },
    ///     "copy": 7,                      // if duplicated: the copy's number
    ///     "cause": "nat-filtered",        // if dropped: see `Cause::code`
    ///     "text": "translated (out) to …" // the verdict in words
    ///   }]
    /// }
    /// ```
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("JSON is text")
    }

    /// Writes the trace as [`json`](Self::json) has it.
    ///
    /// # Errors
    /// If `out` does not take it.
    pub fn write_json(&self, out: impl io::Write) -> io::Result<()> {
        let document = Document {
            format: "talkie-trace",
            version: 1,
            began: self.unix.as_secs_f64(),
            forgotten: self.forgotten,
            boxes: self.boxes.iter().map(Box_::new).collect(),
            entries: Entries(self),
        };
        serde_json::to_writer(out, &document).map_err(io::Error::from)
    }
}

impl<'a> Box_<'a> {
    fn new(named: &'a Named) -> Self {
        let kind = match named.kind {
            BoxKind::Host => "host",
            BoxKind::Router => "router",
            BoxKind::Nat => "nat",
        };
        Self { name: &named.name, kind }
    }
}

impl<'a> Line<'a> {
    fn new(entry: &'a Entry) -> Self {
        let (protocol, tcp) = match entry.content {
            Content::Udp => ("udp", None),
            Content::Tcp(segment) => (
                "tcp",
                Some(Tcp {
                    flags: flags(segment.flags),
                    sequence: segment.sequence,
                    acknowledgement: segment.acknowledgement,
                }),
            ),
        };
        let mut line = Self {
            at: u64::try_from(entry.at.as_nanos()).unwrap_or(u64::MAX),
            packet: entry.packet,
            node: entry.node.index(),
            side: entry.side.to_string(),
            protocol,
            tcp,
            source: entry.source,
            destination: entry.destination,
            length: entry.payload.len(),
            payload: Hex(&entry.payload),
            what: "",
            way: None,
            after: None,
            copy: None,
            cause: None,
            text: entry.what.to_string(),
        };
        line.what = match entry.what {
            What::Sent => "sent",
            What::Forwarded => "forwarded",
            What::Delivered => "delivered",
            What::Translated { way, source, destination } => {
                line.way = Some(way.to_string());
                line.after = Some(After { source, destination });
                "translated"
            }
            What::Duplicated { copy } => {
                line.copy = Some(copy);
                "duplicated"
            }
            What::Dropped(cause) => {
                line.cause = Some(cause.code());
                "dropped"
            }
        };
        line
    }
}

/// The flags as people write them: `SYN,ACK`.
fn flags(flags: Flags) -> String {
    let names = [
        (Flags::SYN, "SYN"),
        (Flags::FIN, "FIN"),
        (Flags::RST, "RST"),
        (Flags::PSH, "PSH"),
        (Flags::ACK, "ACK"),
    ];
    let set = names.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name);
    set.collect::<Vec<_>>().join(",")
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.entries.len()))?;
        for entry in &self.0.entries {
            list.serialize_element(&Line::new(entry))?;
        }
        list.end()
    }
}

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(self.0.len() * 2);
        for byte in self.0 {
            // A string takes everything.
            let _ = write!(text, "{byte:02x}");
        }
        serializer.serialize_str(&text)
    }
}
