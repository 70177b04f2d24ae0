//! Messages of multicast DNS (RFC 6762 §18, RFC 1035 §4), as far as addresses need it.
//!
//! What comes in is anybody's on the link. Reading takes a bounded number of questions and records,
//! follows compression pointers only backwards, and looks into no data but addresses. Writing compresses
//! nothing but whole names that were there before.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Types of records (RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 4034 §4).
pub mod kind {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// An IPv6 address.
    pub const AAAA: u16 = 28;
    /// What types there are.
    pub const NSEC: u16 = 47;
    /// In questions: all that there are.
    pub const ANY: u16 = 255;
}

const CLASS_IN: u16 = 1;
const CLASS_ANY: u16 = 255;
/// In a question: an answer to the asker alone is welcome (RFC 6762 §5.4). In a record: it is the only
/// one of its name and type (RFC 6762 §10.2).
const TOP: u16 = 0x8000;

/// A domain name, in lower case: labels after their lengths, without the empty one at the end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Vec<u8>);

impl Name {
    /// RFC 1035 §2.3.4, without the last byte.
    const MOST_BYTES: usize = 254;
    /// As many as of one letter each fit.
    const MOST_LABELS: usize = Self::MOST_BYTES / 2;

    /// The name that is written so, dots between its labels.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut wire = Vec::new();
        for label in text.strip_suffix('.').unwrap_or(text).split('.') {
            let length =
                u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
            wire.push(length);
            wire.extend(label.bytes().map(|byte| byte.to_ascii_lowercase()));
        }
        (wire.len() <= Self::MOST_BYTES).then_some(Self(wire))
    }

    fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first()?;
            let (label, after) = after.split_at_checked(usize::from(*length))?;
            rest = after;
            Some(label)
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.labels().enumerate() {
            let before = if index == 0 { "" } else { "." };
            write!(f, "{before}{}", label.escape_ascii())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

/// What somebody wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Of whom.
    pub name: Name,
    /// Which type of record.
    pub kind: u16,
    /// An answer to the asker alone is welcome.
    pub unicast: bool,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// The name's address.
    Address(IpAddr),
    /// Of all types below 256 the name has this one only; an NSEC record (RFC 6762 §6.1).
    Only(u16),
    /// Something else, of this type; never written.
    Other(u16),
}

/// What somebody says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Of whom.
    pub name: Name,
    /// There is no other of this name and type.
    pub flush: bool,
    /// For how many seconds it holds; 0 takes it back.
    pub ttl: u32,
    /// What.
    pub data: Data,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Message {
    /// Zero in multicast; an ordinary resolver's number.
    pub id: u16,
    /// It answers.
    pub is_response: bool,
    /// What is asked. Questions of other classes than the Internet's are left out.
    pub questions: Vec<Question>,
    /// What is said: in a question what is known already, in a response the answers.
    pub answers: Vec<Record>,
    /// What is said beside.
    pub additional: Vec<Record>,
}

impl Message {
    /// The longest that is read (RFC 6762 §17).
    pub const MOST_BYTES: usize = 9000;
    /// How many questions are read, and how many records.
    pub const MOST_ENTRIES: usize = 64;

    /// Reads a message. Of more questions or records than are read, the first are taken.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > Self::MOST_BYTES {
            return None;
        }
        let mut reader = Reader { bytes, at: 0 };
        let [id, flags, questions, answers, authorities, additional] = reader.header()?;
        // RFC 6762 §18.3, §18.11: of another opcode or response code it MUST be ignored.
        if flags & 0x780f != 0 {
            return None;
        }
        let mut message = Self { id, is_response: flags & TOP != 0, ..Self::default() };
        let mut left = Self::MOST_ENTRIES;
        for _ in 0..questions {
            let question = reader.question()?;
            message.questions.extend(question);
            left = left.saturating_sub(1);
            if left == 0 {
                return Some(message);
            }
        }
        for (count, section) in [(answers, 0), (authorities, 1), (additional, 2)] {
            for _ in 0..count {
                let record = reader.record()?;
                match section {
                    0 => message.answers.extend(record),
                    1 => {}
                    _ => message.additional.extend(record),
                }
                left = left.saturating_sub(1);
                if left == 0 {
                    return Some(message);
                }
            }
        }
        Some(message)
    }

    /// Writes it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer { out: Vec::with_capacity(128), names: Vec::new() };
        // RFC 6762 §18.4: a response is authoritative.
        let flags = if self.is_response { 0x8400 } else { 0 };
        let count = |entries: usize| u16::try_from(entries).unwrap_or(u16::MAX);
        for number in [
            self.id,
            flags,
            count(self.questions.len()),
            count(self.answers.len()),
            0,
            count(self.additional.len()),
        ] {
            writer.number(number);
        }
        for question in &self.questions {
            writer.name(&question.name);
            writer.number(question.kind);
            writer.number(CLASS_IN | if question.unicast { TOP } else { 0 });
        }
        for record in self.answers.iter().chain(&self.additional) {
            writer.record(record);
        }
        writer.out
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, _) = self.bytes.get(self.at..)?.split_first_chunk::<N>()?;
        self.at += N;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    fn header(&mut self) -> Option<[u16; 6]> {
        let mut numbers = [0; 6];
        for number in &mut numbers {
            *number = self.number()?;
        }
        Some(numbers)
    }

    /// RFC 1035 §4.1.4. Each pointer has to point before the name or the part of it that it stands in,
    /// so that there is an end to them; and no name has more of them than labels may be, so that it comes
    /// soon.
    fn name(&mut self) -> Option<Name> {
        let mut wire = Vec::new();
        let (mut at, mut part) = (self.at, self.at);
        let mut pointers = 0;
        let mut end = None;
        loop {
            let length = usize::from(*self.bytes.get(at)?);
            match length {
                0 => break,
                1..=63 => {
                    let label = self.bytes.get(at..=at + length)?;
                    wire.extend(label.iter().map(u8::to_ascii_lowercase));
                    at += 1 + length;
                    if wire.len() > Name::MOST_BYTES {
                        return None;
                    }
                }
                0xc0..=0xff => {
                    let to = (length & 0x3f) << 8 | usize::from(*self.bytes.get(at + 1)?);
                    end.get_or_insert(at + 2);
                    pointers += 1;
                    if to >= part || pointers > Name::MOST_LABELS {
                        return None;
                    }
                    (at, part) = (to, to);
                }
                _ => return None,
            }
        }
        self.at = end.unwrap_or(at + 1);
        Some(Name(wire))
    }

    /// `None` inside for another class.
    fn question(&mut self) -> Option<Option<Question>> {
        let name = self.name()?;
        let (kind, class) = (self.number()?, self.number()?);
        let is_ours = matches!(class & !TOP, CLASS_IN | CLASS_ANY);
        Some(is_ours.then_some(Question { name, kind, unicast: class & TOP != 0 }))
    }

    /// `None` inside for another class.
    fn record(&mut self) -> Option<Option<Record>> {
        let name = self.name()?;
        let (kind, class) = (self.number()?, self.number()?);
        let ttl = u32::from_be_bytes(self.take()?);
        let length = usize::from(self.number()?);
        let data = self.bytes.get(self.at..self.at + length)?;
        self.at += length;
        let data = match kind {
            kind::A => Data::Address(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into()),
            kind::AAAA => Data::Address(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into()),
            other => Data::Other(other),
        };
        let record = Record { name, flush: class & TOP != 0, ttl, data };
        Some((class & !TOP == CLASS_IN).then_some(record))
    }
}

struct Writer<'a> {
    out: Vec<u8>,
    /// What names stand where.
    names: Vec<(&'a Name, u16)>,
}

impl<'a> Writer<'a> {
    fn number(&mut self, number: u16) {
        self.out.extend_from_slice(&number.to_be_bytes());
    }

    fn name(&mut self, name: &'a Name) {
        if let Some((_, at)) = self.names.iter().find(|(known, _)| *known == name) {
            let pointer = 0xc000 | *at;
            return self.number(pointer);
        }
        if let Some(at) = u16::try_from(self.out.len()).ok().filter(|at| *at < 0x4000) {
            self.names.push((name, at));
        }
        self.out.extend_from_slice(&name.0);
        self.out.push(0);
    }

    fn record(&mut self, record: &'a Record) {
        let kind = match record.data {
            Data::Address(address) => type_of(address),
            Data::Only(_) => kind::NSEC,
            Data::Other(kind) => kind,
        };
        self.name(&record.name);
        self.number(kind);
        self.number(CLASS_IN | if record.flush { TOP } else { 0 });
        self.out.extend_from_slice(&record.ttl.to_be_bytes());
        let length = self.out.len();
        self.number(0);
        match record.data {
            Data::Address(IpAddr::V4(v4)) => self.out.extend_from_slice(&v4.octets()),
            Data::Address(IpAddr::V6(v6)) => self.out.extend_from_slice(&v6.octets()),
            Data::Only(kind) => {
                // RFC 6762 §6.1: the name itself, and the first block of the bitmap.
                self.name(&record.name);
                let kind = usize::from(kind & 0xff);
                let mut bits = [0; 32];
                bits[kind / 8] = 0x80 >> (kind % 8);
                self.out.extend_from_slice(&[0, kind as u8 / 8 + 1]);
                self.out.extend_from_slice(&bits[..=kind / 8]);
            }
            Data::Other(_) => {}
        }
        let written = u16::try_from(self.out.len() - length - 2).unwrap_or(u16::MAX);
        self.out[length..length + 2].copy_from_slice(&written.to_be_bytes());
    }
}

/// Which type of record tells such an address.
#[must_use]
pub fn type_of(address: IpAddr) -> u16 {
    if address.is_ipv4() { kind::A } else { kind::AAAA }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
