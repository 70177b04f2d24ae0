//! Which agent a datagram is for: three tables, and of each agent what it has in them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use talkie_sansio::Path;

use super::{AgentId, Counters};
use crate::ice::Parameters;
use crate::stun::attributes::Username;
use crate::stun::{AttributeType, Class, MAGIC_COOKIE, Message, Method, TransactionId};

/// How long a transaction may take, as long as one to a server with the RFC's timers: what is older waits
/// for no response.
const TRANSACTION: Duration = Duration::from_secs(40);
/// The most transactions of one agent: a check for each of a hundred pairs, and servers.
const MOST_TRANSACTIONS: usize = 256;
/// For so long after its last proof an address stays an agent's, whoever else proves to be there: three
/// consent checks (RFC 7675 §5.1). After that the NAT has given it to somebody else.
const HELD: Duration = Duration::from_secs(15);

/// A fragment that an agent has made up; no others are for anybody here. In the table itself, not beside it.
type Fragment = [u8; Parameters::FRAGMENT];

/// Both ends of a path of a shared socket.
type Key = (SocketAddr, SocketAddr);

/// The tables.
#[derive(Debug)]
pub(super) struct Demux {
    fragments: FxHashMap<Fragment, AgentId>,
    transactions: FxHashMap<TransactionId, AgentId>,
    addresses: FxHashMap<Key, Claim>,
    most_addresses: usize,
}

/// Whose an address is.
#[derive(Clone, Copy, Debug)]
struct Claim {
    agent: AgentId,
    /// When a check or an answer came from there last.
    heard_at: Instant,
    /// When an answer did: whoever only sends checks may have written anybody's address on them.
    answered_at: Option<Instant>,
}

/// How somebody has shown to be at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// By a check, which shows that he knows the password.
    Check,
    /// By an answer to one of ours, which shows that what is sent there reaches him.
    Answer(TransactionId),
}

impl Claim {
    /// Whether the address may be another agent's by such a proof.
    fn yields_to(&self, now: Instant, proof: Proof) -> bool {
        let is_recent = |at: Instant| now < at + HELD;
        let is_answered = self.answered_at.is_some_and(is_recent);
        !is_answered && (matches!(proof, Proof::Answer(_)) || !is_recent(self.heard_at))
    }
}

/// What one agent has in the tables.
#[derive(Debug, Default)]
pub(super) struct Belongings {
    fragments: Vec<Fragment>,
    /// The oldest first.
    transactions: VecDeque<(TransactionId, Instant)>,
    /// Who was silent longest first.
    addresses: Vec<Key>,
}

impl Belongings {
    /// The address is another agent's now.
    pub(super) fn lose(&mut self, path: &Path) {
        self.addresses.retain(|key| *key != (path.local, path.remote));
    }
}

/// The address belongs to another agent, which uses it.
#[derive(Debug)]
pub(super) struct Contested;

impl Demux {
    pub(super) fn new(most_addresses: usize) -> Self {
        Self {
            fragments: FxHashMap::default(),
            transactions: FxHashMap::default(),
            addresses: FxHashMap::default(),
            most_addresses,
        }
    }

    pub(super) fn entries(&self) -> [usize; 3] {
        [self.fragments.len(), self.transactions.len(), self.addresses.len()]
    }

    pub(super) fn has_fragment(&self, fragment: &str) -> bool {
        fragment_of(fragment).is_some_and(|fragment| self.fragments.contains_key(&fragment))
    }

    /// Whom a datagram on a shared socket is for.
    pub(super) fn route(
        &self,
        path: Path,
        payload: &[u8],
        counters: &mut Counters,
    ) -> Option<AgentId> {
        let by_address = |counters: &mut Counters| {
            let found = self.addresses.get(&(path.local, path.remote)).map(|claim| claim.agent);
            counters.unknown_address += u64::from(found.is_none());
            found
        };
        if !is_stun(payload) {
            return by_address(counters);
        }
        let Ok(message) = Message::parse(payload) else {
            counters.malformed += 1;
            return None;
        };
        match message.class() {
            Class::Request if message.method() == Method::BINDING => {
                let own = addressee_of(&message).and_then(fragment_of);
                let found = own.and_then(|own| self.fragments.get(&own)).copied();
                counters.unknown_fragment += u64::from(found.is_none());
                found
            }
            Class::Success | Class::Error => {
                let found = self.transactions.get(&message.transaction_id()).copied();
                counters.unknown_transaction += u64::from(found.is_none());
                found
            }
            Class::Request | Class::Indication => by_address(counters),
        }
    }

    /// The fragments that an agent answers to now.
    pub(super) fn note_fragments<'f>(
        &mut self,
        id: AgentId,
        fragments: impl Iterator<Item = &'f str>,
        own: &mut Belongings,
    ) {
        let fragments: Vec<Fragment> = fragments.filter_map(fragment_of).collect();
        for gone in own.fragments.iter().filter(|old| !fragments.contains(old)) {
            self.drop_fragment(id, gone);
        }
        for fragment in &fragments {
            // Who has it keeps it; that two have the same happens once in 2⁴⁸ restarts.
            self.fragments.entry(*fragment).or_insert(id);
        }
        own.fragments = fragments;
    }

    fn drop_fragment(&mut self, id: AgentId, fragment: &Fragment) {
        if self.fragments.get(fragment) == Some(&id) {
            self.fragments.remove(fragment);
        }
    }

    /// An agent sends: what it asks will be answered.
    pub(super) fn note_sent(
        &mut self,
        now: Instant,
        id: AgentId,
        payload: &[u8],
        own: &mut Belongings,
    ) {
        let Some(transaction) = transaction_of(payload).filter(|_| is_request(payload)) else {
            return;
        };
        // A retransmission is known.
        if self.transactions.insert(transaction, id).is_none() {
            own.transactions.push_back((transaction, now));
        }
        while let Some((oldest, at)) = own.transactions.front().copied() {
            if now < at + TRANSACTION && own.transactions.len() <= MOST_TRANSACTIONS {
                break;
            }
            own.transactions.pop_front();
            self.transactions.remove(&oldest);
        }
    }

    /// The other side has answered: nothing more will come of this transaction. What is not answered is forgotten
    /// with time.
    pub(super) fn note_answered(&mut self, transaction: TransactionId, own: &mut Belongings) {
        // Mostly the newest.
        let known = own.transactions.iter().rposition(|(id, _)| *id == transaction);
        if let Some(at) = known {
            own.transactions.remove(at);
            self.transactions.remove(&transaction);
        }
    }

    /// An agent's other side has proven to be at an address. Returns whose it was until now, if another's.
    pub(super) fn learn(
        &mut self,
        now: Instant,
        id: AgentId,
        (path, proof): (Path, Proof),
        own: &mut Belongings,
    ) -> Result<Option<AgentId>, Contested> {
        let key = (path.local, path.remote);
        let known = self.addresses.get(&key).copied();
        let other = known.filter(|claim| claim.agent != id);
        if other.is_some_and(|claim| !claim.yields_to(now, proof)) {
            return Err(Contested);
        }
        let loser = other.map(|claim| claim.agent);
        let before = known.filter(|claim| claim.agent == id).and_then(|claim| claim.answered_at);
        let answered_at = if matches!(proof, Proof::Answer(_)) { Some(now) } else { before };
        self.addresses.insert(key, Claim { agent: id, heard_at: now, answered_at });
        own.addresses.retain(|known| *known != key);
        own.addresses.push(key);
        if own.addresses.len() > self.most_addresses {
            let oldest = own.addresses.remove(0);
            self.addresses.remove(&oldest);
        }
        Ok(loser)
    }

    /// An agent is gone.
    pub(super) fn forget(&mut self, id: AgentId, own: &Belongings) {
        for fragment in &own.fragments {
            self.drop_fragment(id, fragment);
        }
        for (transaction, _) in &own.transactions {
            self.transactions.remove(transaction);
        }
        for key in &own.addresses {
            self.addresses.remove(key);
        }
    }
}

/// RFC 7983 §7, with the cookie.
fn is_stun(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| *first < 4)
        && payload.get(4..8) == Some(&MAGIC_COOKIE.to_be_bytes())
}

/// The class's two bits are zero in a request (RFC 8489 §5).
fn is_request(payload: &[u8]) -> bool {
    is_stun(payload) && payload[0] & 1 == 0 && payload[1] & 0x10 == 0
}

/// Whether an agent's packet is a check. Only those go where the other side said, and among an agent's requests
/// only those begin with a USERNAME: what is asked of servers goes where the configuration said.
pub(super) fn is_check(payload: &[u8]) -> bool {
    let first = payload.get(20..22).map(|kind| u16::from_be_bytes([kind[0], kind[1]]));
    is_request(payload) && first == Some(AttributeType::USERNAME.0)
}

/// What a datagram shows if an agent takes it. An indication shows nothing: it has no password.
pub(super) fn proof_of(payload: &[u8]) -> Option<Proof> {
    let [first, second, ..] = payload else { return None };
    // The class's two bits (RFC 8489 §5).
    match (first & 1, second & 0x10) {
        _ if !is_stun(payload) => None,
        (0, 0) => Some(Proof::Check),
        (0, _) => None,
        _ => Some(Proof::Answer(transaction_of(payload)?)),
    }
}

fn transaction_of(payload: &[u8]) -> Option<TransactionId> {
    payload.get(8..20)?.try_into().ok().map(TransactionId)
}

/// RFC 8445 §7.2.2: what stands before the colon is the receiver's.
fn addressee_of<'a>(message: &Message<'a>) -> Option<&'a str> {
    let username = message.get::<Username<'a>>().ok()??;
    username.as_str().split_once(':').map(|(own, _)| own)
}

fn fragment_of(text: &str) -> Option<Fragment> {
    text.as_bytes().try_into().ok()
}
