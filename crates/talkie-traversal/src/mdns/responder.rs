//! Our names: told when they are new, told again when somebody asks, taken back at the end.
//!
//! Each name has one address and is told only on the link that the address is of (RFC 6762 §14). On each
//! link a name is multicast once a second at most (RFC 6762 §6), whoever asks and how often; whoever asks
//! within that second shares the next answer. So a flood of questions is answered by a trickle.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use talkie_sansio::WantId;

use super::links::{Link, Links, PORT};
use super::message::{Data, Message, Name, Question, Record, kind, type_of};

/// For how many seconds a name's address holds (RFC 6762 §10).
const TTL: u32 = 120;
/// For how many at ordinary resolvers, which hear no goodbye (RFC 6762 §6.7).
const LEGACY_TTL: u32 = 10;
/// Between two multicasts of one name on one link (RFC 6762 §6).
const APART: Duration = Duration::from_secs(1);
/// After so long an answer is multicast even if one alone was asked for: a quarter of its life
/// (RFC 6762 §5.4).
const FRESH: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct Entry {
    name: Name,
    text: String,
    address: IpAddr,
    voices: Vec<Voice>,
}

/// A name on one link.
#[derive(Debug)]
struct Voice {
    link: WantId,
    said: Option<Instant>,
    due: Option<Instant>,
    /// How often it is to be said again unasked.
    again: u8,
}

impl Voice {
    /// It is to be said as soon as may be.
    fn ask(&mut self, now: Instant) {
        let soon = self.said.map_or(now, |said| now.max(said + APART));
        self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
    }
}

/// A message and where it goes.
pub(super) struct Said {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) message: Message,
}

#[derive(Debug)]
pub(super) struct Responder {
    entries: Vec<Entry>,
}

impl Responder {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The name of an address that has one.
    pub(super) fn name_of(&self, address: IpAddr) -> Option<&str> {
        self.entries.iter().find(|entry| entry.address == address).map(|entry| &*entry.text)
    }

    /// The address of a name of ours.
    pub(super) fn address_of(&self, name: &Name) -> Option<IpAddr> {
        self.entries.iter().find(|entry| entry.name == *name).map(|entry| entry.address)
    }

    /// A new name for an address that has none.
    pub(super) fn add(
        &mut self,
        now: Instant,
        address: IpAddr,
        links: &Links,
        rng: &mut ChaCha20Rng,
    ) -> String {
        let text = format!("{}.local", uuid(rng));
        let name = Name::from_text(&text).expect("a UUID is a label");
        let mut entry = Entry { name, text: text.clone(), address, voices: Vec::new() };
        for (link, _) in links.open_ones() {
            entry.meet(now, link);
        }
        self.entries.push(entry);
        text
    }

    /// A link is there.
    pub(super) fn meet(&mut self, now: Instant, link: &Link) {
        for entry in &mut self.entries {
            entry.meet(now, link);
        }
    }

    /// Forgets links that are gone, and addresses that an interface has lost.
    pub(super) fn part(&mut self, links: &Links) {
        for entry in &mut self.entries {
            let is_there = |voice: &Voice| {
                let link = links.links.iter().find(|link| link.id == voice.link);
                link.is_some_and(|link| {
                    link.local.is_some() && link.addresses.contains(&entry.address)
                })
            };
            entry.voices.retain(is_there);
        }
    }

    /// Takes the name of an address back, where it was told.
    pub(super) fn remove(&mut self, address: IpAddr, links: &Links) -> Vec<Said> {
        let gone = self.entries.extract_if(.., |entry| entry.address == address);
        gone.flat_map(|entry| entry.goodbye(links)).collect()
    }

    /// Takes all names back.
    pub(super) fn clear(&mut self, links: &Links) -> Vec<Said> {
        self.entries.drain(..).flat_map(|entry| entry.goodbye(links)).collect()
    }

    /// Somebody asks. What is multicast waits for its time; returned is the answer to the asker alone,
    /// if there is to be one.
    pub(super) fn handle_query(
        &mut self,
        now: Instant,
        link: &Link,
        remote: SocketAddr,
        query: &Message,
    ) -> Option<Message> {
        // RFC 6762 §6.7: whoever asks from another port is an ordinary resolver.
        let is_legacy = remote.port() != PORT;
        let mut alone = Message { is_response: true, ..Message::default() };
        for entry in &mut self.entries {
            let asks = |question: &&Question| question.name == entry.name;
            let mut asked = query.questions.iter().filter(asks).peekable();
            let Some(first) = asked.peek().copied() else { continue };
            let Some(voice) = entry.voices.iter_mut().find(|voice| voice.link == link.id) else {
                continue;
            };
            if is_legacy {
                let own = type_of(entry.address);
                let fits = |question: &&Question| {
                    matches!(question.kind, kind::ANY) || question.kind == own
                };
                if let Some(question) = asked.find(fits).filter(|_| alone.questions.is_empty()) {
                    alone.id = query.id;
                    alone.questions.push(Question { unicast: false, ..question.clone() });
                    let record = entry.record(LEGACY_TTL);
                    alone.answers.push(Record { flush: false, ..record });
                }
                continue;
            }
            // RFC 6762 §7.1: who knows it for half of its life needs no answer.
            let is_known = |record: &Record| {
                record.name == entry.name
                    && record.data == Data::Address(entry.address)
                    && record.ttl >= TTL / 2
            };
            if query.answers.iter().any(is_known) {
                continue;
            }
            let is_fresh = voice.said.is_some_and(|said| now < said + FRESH);
            if first.unicast && is_fresh {
                alone.answers.push(entry.record(TTL));
                alone.additional.push(entry.only());
            } else {
                voice.ask(now);
            }
        }
        (!alone.answers.is_empty()).then_some(alone)
    }

    /// When something is to be said.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.entries.iter().flat_map(|entry| &entry.voices).filter_map(|voice| voice.due).min()
    }

    /// What is to be said by now.
    pub(super) fn handle_timeout(&mut self, now: Instant, links: &Links) -> Vec<Said> {
        let mut said = Vec::new();
        for entry in &mut self.entries {
            let mut due = Vec::new();
            for voice in &mut entry.voices {
                if voice.due.is_some_and(|due| due <= now) {
                    voice.said = Some(now);
                    voice.due = (voice.again > 0).then_some(now + APART);
                    voice.again = voice.again.saturating_sub(1);
                    due.push(voice.link);
                }
            }
            let message = || Message {
                is_response: true,
                answers: vec![entry.record(TTL)],
                additional: vec![entry.only()],
                ..Message::default()
            };
            said.extend(due.into_iter().filter_map(|id| to_group(id, links, message())));
        }
        said
    }
}

impl Entry {
    fn meet(&mut self, now: Instant, link: &Link) {
        let is_known = self.voices.iter().any(|voice| voice.link == link.id);
        if !is_known && link.addresses.contains(&self.address) {
            // RFC 6762 §8.3: twice, a second apart. Not probed for before: a random UUID is nobody
            // else's (draft-ietf-mmusic-mdns-ice-candidates §3.1.1).
            self.voices.push(Voice { link: link.id, said: None, due: Some(now), again: 1 });
        }
    }

    fn record(&self, ttl: u32) -> Record {
        let data = Data::Address(self.address);
        Record { name: self.name.clone(), flush: true, ttl, data }
    }

    /// RFC 6762 §6.1: that there is no address of the other family, so that nobody waits for it.
    fn only(&self) -> Record {
        Record { data: Data::Only(type_of(self.address)), ..self.record(TTL) }
    }

    /// RFC 6762 §10.1.
    fn goodbye(&self, links: &Links) -> Vec<Said> {
        let told = self.voices.iter().filter(|voice| voice.said.is_some());
        told.filter_map(|voice| {
            let answers = vec![self.record(0)];
            let message = Message { is_response: true, answers, ..Message::default() };
            to_group(voice.link, links, message)
        })
        .collect()
    }
}

fn to_group(id: WantId, links: &Links, message: Message) -> Option<Said> {
    let (link, local) = links.open_ones().find(|(link, _)| link.id == id)?;
    Some(Said { local, remote: link.group(), message })
}

/// A random UUID (RFC 9562 §5.4).
fn uuid(rng: &mut ChaCha20Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
        }
    }
    text
}
