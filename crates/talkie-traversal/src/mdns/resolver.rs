//! Names of others: asked for on every link until somebody answers, or nobody has for too long.
//!
//! Asked at once, a second later, and then after twice as long each time (RFC 6762 §5.2, which would have
//! the first wait a moment, so that not all hosts of a link that comes up ask together; the peers of one
//! call are no such crowd). Never with the
//! request for an answer to this host alone: other programs share the port, and that answer would go to
//! one of them (RFC 6762 §15.1).

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::links::Links;
use super::message::{Data, Message, Name, Question, Record, kind};
use super::responder::Said;
use super::{Event, Why};

/// Between the first question and the second (RFC 6762 §5.2).
const FIRST: Duration = Duration::from_secs(1);
/// A candidate's name has one address; more are somebody's mistake or worse.
const MOST_ADDRESSES: usize = 2;

#[derive(Debug)]
struct Query {
    name: Name,
    text: String,
    /// When to ask the next time; `None` while there is no link to ask on.
    next: Option<Instant>,
    wait: Duration,
    until: Instant,
    was_asked: bool,
}

#[derive(Debug)]
pub(super) struct Resolver {
    queries: Vec<Query>,
}

impl Resolver {
    pub(super) fn new() -> Self {
        Self { queries: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.queries.len()
    }

    /// Whether the name is being asked for.
    pub(super) fn has(&self, name: &Name) -> bool {
        self.queries.iter().any(|query| query.name == *name)
    }

    pub(super) fn add(&mut self, now: Instant, name: Name, text: &str, until: Instant) {
        let text = text.to_owned();
        let next = Some(now);
        self.queries.push(Query { name, text, next, wait: FIRST, until, was_asked: false });
    }

    pub(super) fn remove(&mut self, name: &Name) {
        self.queries.retain(|query| query.name != *name);
    }

    pub(super) fn clear(&mut self) {
        self.queries.clear();
    }

    /// A link is there: what is asked for may be behind it. The pace of those that are asked for already
    /// stays, so that links that come and go make no flood.
    pub(super) fn meet(&mut self, now: Instant) {
        for query in self.queries.iter_mut().filter(|query| query.next.is_none()) {
            query.next = Some(now);
        }
    }

    /// Somebody answers, perhaps one of our questions.
    pub(super) fn handle_response(&mut self, message: &Message) -> Vec<Event> {
        let mut events = Vec::new();
        self.queries.retain(|query| {
            let mut addresses: Vec<IpAddr> = Vec::new();
            let records = message.answers.iter().chain(&message.additional);
            let about = records.filter(|record| record.name == query.name && record.ttl > 0);
            for address in about.filter_map(address_of) {
                if addresses.len() < MOST_ADDRESSES && !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            let is_open = addresses.is_empty();
            if !is_open {
                events.push(Event::Resolved { name: query.text.clone(), addresses });
            }
            is_open
        });
        events
    }

    /// When something is to be asked or given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let due = |query: &Query| query.next.map_or(query.until, |next| next.min(query.until));
        self.queries.iter().map(due).min()
    }

    /// What is to be asked by now, and what is given up.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        links: &Links,
    ) -> (Vec<Said>, Vec<Event>) {
        let (mut said, mut events) = (Vec::new(), Vec::new());
        self.queries.retain_mut(|query| {
            if query.until <= now {
                let why = if query.was_asked { Why::NoAnswer } else { Why::NoMulticast };
                events.push(Event::Unresolved { name: query.text.clone(), why });
                return false;
            }
            if query.next.is_some_and(|next| next <= now) {
                let before = said.len();
                said.extend(links.open_ones().flat_map(|(link, local)| {
                    questions(&query.name).map(|message| Said {
                        local,
                        remote: link.group(),
                        message,
                    })
                }));
                if said.len() == before {
                    query.next = None;
                } else {
                    query.was_asked = true;
                    query.next = Some(now + query.wait);
                    query.wait *= 2;
                }
            }
            true
        });
        (said, events)
    }
}

/// Both families, each in a message of its own: Chromium takes none with two questions.
fn questions(name: &Name) -> [Message; 2] {
    [kind::A, kind::AAAA].map(|kind| {
        let questions = vec![Question { name: name.clone(), kind, unicast: false }];
        Message { questions, ..Message::default() }
    })
}

/// The address of a record, if a peer can be there.
fn address_of(record: &Record) -> Option<IpAddr> {
    let Data::Address(address) = record.data else { return None };
    let is_broadcast = address == IpAddr::from([255; 4]);
    let is_nowhere = address.is_unspecified() || address.is_multicast() || is_broadcast;
    (!is_nowhere).then_some(address)
}
