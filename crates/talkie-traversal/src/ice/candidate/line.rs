//! A candidate as one line (RFC 8839 §5.1):
//!
//! ```text
//! candidate:1 1 udp 1694498815 192.0.2.3 45664 typ srflx raddr 10.0.1.1 rport 8998 generation 0
//! ```
//!
//! Up to the type every word has its place; pairs of a name and a value follow. Of those, `raddr` with a
//! later `rport`, `tcptype` and `ufrag` are understood wherever they stand, the others are kept. Real lines are
//! taken that the grammar has not: foundations with other characters, more than one space, a last name
//! without a value.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::{Candidate, CandidateType, Protocol, TcpType};
use crate::ice::attribute::{self, Flaw, ParseError};

impl FromStr for Candidate {
    type Err = ParseError;

    /// Reads `a=candidate:…`, `candidate:…`, or what follows that.
    fn from_str(line: &str) -> Result<Self, ParseError> {
        Self::parse(line).map_err(|flaw| ParseError::new(flaw, line))
    }
}

impl Candidate {
    pub(in crate::ice) fn parse(line: &str) -> Result<Self, Flaw> {
        let line = attribute::checked(line)?;
        let line = line.strip_prefix("candidate:").unwrap_or(line);
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let mut next = |what| words.next().ok_or(Flaw::Missing(what));

        let foundation = next("foundation")?;
        if foundation.len() > 32 {
            return Err(Flaw::Foundation);
        }
        let component = attribute::component_of(next("component")?)?;
        let transport = next("transport")?;
        let is_tcp = transport.eq_ignore_ascii_case("tcp");
        if !is_tcp && !transport.eq_ignore_ascii_case("udp") {
            return Err(Flaw::Transport);
        }
        let priority = attribute::number(next("priority")?, 10).and_then(|n| u32::try_from(n).ok());
        // RFC 8445 §5.1.2: 1 to 2³¹ − 1.
        let is_priority = |number: &u32| (1..=i32::MAX as u32).contains(number);
        let priority = priority.filter(is_priority).ok_or(Flaw::Priority)?;
        let address = next("address")?.parse()?;
        let port = attribute::port_of(next("port")?).ok_or(Flaw::Port)?;
        if !next("type")?.eq_ignore_ascii_case("typ") {
            return Err(Flaw::Missing("type"));
        }
        let kind = type_of(next("type")?)?;

        let mut pairs = Pairs { is_tcp, ..Pairs::default() };
        while let Some(name) = words.next() {
            pairs.take(name, words.next().unwrap_or_default())?;
        }
        let protocol = if is_tcp {
            // RFC 6544 §4.5: MUST be there.
            Protocol::Tcp(pairs.tcp_type.ok_or(Flaw::TcpType)?)
        } else {
            Protocol::Udp
        };
        // Nobody connects to an active candidate; its port means nothing (RFC 6544 §4.5).
        if port == 0 && protocol != Protocol::Tcp(TcpType::Active) {
            return Err(Flaw::Port);
        }
        Ok(Self {
            foundation: foundation.to_owned(),
            component,
            protocol,
            priority,
            address,
            port,
            kind,
            related: pairs.related()?,
            username_fragment: pairs.username_fragment,
            relay_protocol: None,
            url: None,
            extensions: pairs.others,
        })
    }
}

fn type_of(word: &str) -> Result<CandidateType, Flaw> {
    use CandidateType::{Host, PeerReflexive, Relayed, ServerReflexive};
    let all = [Host, ServerReflexive, PeerReflexive, Relayed];
    all.into_iter().find(|kind| word.eq_ignore_ascii_case(kind.word())).ok_or(Flaw::Type)
}

fn tcp_type_of(word: &str) -> Result<TcpType, Flaw> {
    let all = [TcpType::Active, TcpType::Passive, TcpType::SimultaneousOpen];
    all.into_iter().find(|kind| word.eq_ignore_ascii_case(kind.word())).ok_or(Flaw::TcpType)
}

/// What follows the type.
#[derive(Default)]
struct Pairs {
    is_tcp: bool,
    related_address: Option<IpAddr>,
    related_port: Option<u16>,
    tcp_type: Option<TcpType>,
    username_fragment: Option<String>,
    others: Vec<(String, String)>,
}

impl Pairs {
    /// The first of equal names counts.
    fn take(&mut self, name: &str, value: &str) -> Result<(), Flaw> {
        match name {
            "raddr" if self.related_address.is_none() => match value.parse() {
                Ok(ip) => self.related_address = Some(ip),
                // A name instead of an address is of no use to anybody, but does no harm.
                Err(_) => self.keep(name, value),
            },
            "rport" if self.related_address.is_some() && self.related_port.is_none() => {
                self.related_port = Some(attribute::port_of(value).ok_or(Flaw::Related)?);
            }
            "tcptype" if self.is_tcp && self.tcp_type.is_none() => {
                self.tcp_type = Some(tcp_type_of(value)?)
            }
            "ufrag" if self.username_fragment.is_none() && !value.is_empty() => {
                self.username_fragment = Some(value.to_owned());
            }
            _ => self.keep(name, value),
        }
        Ok(())
    }

    fn keep(&mut self, name: &str, value: &str) {
        self.others.push((name.to_owned(), value.to_owned()));
    }

    /// Both or none; a reflexive candidate without them is a candidate still.
    fn related(&self) -> Result<Option<SocketAddr>, Flaw> {
        match (self.related_address, self.related_port) {
            (Some(address), Some(port)) => Ok(Some(SocketAddr::new(address, port))),
            (Some(_), None) => Err(Flaw::Related),
            (None, _) => Ok(None),
        }
    }
}

impl fmt::Display for Candidate {
    /// `candidate:…`, without the `a=`: as the W3C's `RTCIceCandidate.candidate` has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { foundation, component, priority, address, port, kind, .. } = self;
        let transport = self.protocol.word();
        write!(
            f,
            "candidate:{foundation} {component} {transport} {priority} {address} {port} typ {kind}"
        )?;
        if let Some(related) = self.related {
            write!(f, " raddr {} rport {}", related.ip(), related.port())?;
        }
        if let Protocol::Tcp(kind) = self.protocol {
            write!(f, " tcptype {}", kind.word())?;
        }
        if let Some(fragment) = &self.username_fragment {
            write!(f, " ufrag {fragment}")?;
        }
        for (name, value) in &self.extensions {
            write!(f, " {name} {value}")?;
        }
        Ok(())
    }
}
