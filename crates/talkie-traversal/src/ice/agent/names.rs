//! Names in candidates: those of the other side are resolved, and ours may hide behind some.
//!
//! A name that ends in `.local` is asked for on the local network (draft-ietf-mmusic-mdns-ice-candidates
//! §3.2); any other by whatever resolver the driver has. If ours are to be hidden, the address of each host
//! candidate that is told is replaced by a name that only the local network gets an answer for (§3.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use rand_core::Rng as _;
use talkie_sansio::{Answer, Genesis, Hosted as _, Machine as _, Want, WantId};

use super::Agent;
use super::remote::{AddError, is_sendable};
use crate::ice::candidate::{Candidate, CandidateAddress, CandidateType};
use crate::ice::event::Event;
use crate::ice::gather::LocalId;
use crate::mdns::{self, Mdns, ResolveError};

/// Names that are being asked for, and candidates that came before the credentials.
#[derive(Debug, Default)]
pub(super) struct Names {
    questions: Vec<Question>,
    next: u64,
    pub(super) waiting: Vec<Candidate>,
    /// Whose candidates were said to be all, of credentials that are not known.
    pub(super) ended: Option<String>,
}

/// A name, and the number of the candidate that waits for it.
#[derive(Debug)]
struct Question {
    /// `None` if it is asked for on the local network.
    want: Option<WantId>,
    name: String,
    number: u32,
}

/// The wants of the gatherer count from below, those of the local network's names from here…
const FIRST_LOCAL_WANT: u64 = 1 << 62;
/// …and those for other names from here.
const FIRST_WANT: u64 = 1 << 63;
/// RFC 6762 §3.
pub(super) const LOCAL_NAMES_PORT: u16 = 5353;
/// The most names asked for at a time.
const MOST_QUESTIONS: usize = 16;

impl Names {
    pub(super) fn are_pending(&self) -> bool {
        !self.questions.is_empty()
    }

    pub(super) fn are_full(&self) -> bool {
        self.questions.len() >= MOST_QUESTIONS
    }
}

impl Agent {
    /// The names of the local network.
    fn local_names(&mut self, now: Instant) -> &mut Mdns {
        self.mdns.get_or_insert_with(|| {
            let mut seed = [0; 32];
            self.rng.fill_bytes(&mut seed);
            let unix = self.unix + now.saturating_duration_since(self.born);
            let config = mdns::Config { first_want: FIRST_LOCAL_WANT, ..mdns::Config::default() };
            let mut names = Mdns::new(&Genesis { now, unix, seed }, config);
            names.handle_interfaces(now, self.gatherer.interfaces());
            Box::new(names)
        })
    }

    /// Asks for the name of a candidate of theirs.
    pub(super) fn ask_for_name(
        &mut self,
        now: Instant,
        name: String,
        number: u32,
    ) -> Result<(), AddError> {
        let is_local = name.trim_end_matches('.').to_ascii_lowercase().ends_with(".local");
        let want = if is_local {
            self.local_names(now).resolve(now, &name).map_err(|error| match error {
                ResolveError::Name => AddError::Address,
                ResolveError::Full => AddError::Full,
            })?;
            None
        } else {
            let id = self.new_name_want();
            self.wants.push_back(Want::Resolve { id, name: name.clone() });
            Some(id)
        };
        self.names.questions.push(Question { want, name, number });
        Ok(())
    }

    /// Names a question to the driver's resolver.
    pub(super) fn new_name_want(&mut self) -> WantId {
        self.names.next += 1;
        WantId(FIRST_WANT + self.names.next)
    }

    /// Takes an answer, unless it is the gatherer's.
    pub(super) fn handle_name(&mut self, now: Instant, answer: &Answer) -> bool {
        let id = match answer {
            Answer::Bound { id, .. } | Answer::Resolved { id, .. } | Answer::Failed { id, .. } => {
                *id
            }
            _ => return false,
        };
        if id.0 < FIRST_LOCAL_WANT {
            return false;
        }
        if id.0 < FIRST_WANT {
            if let Some(mdns) = &mut self.mdns {
                mdns.handle_answer(now, answer.clone());
                self.handle_local_names(now);
            }
            return true;
        }
        if self.handle_nat64(now, id, answer) {
            return true;
        }
        let at = self.names.questions.iter().position(|question| question.want == Some(id));
        if let Some(at) = at {
            let question = self.names.questions.swap_remove(at);
            match answer {
                Answer::Resolved { addresses, .. } => self.settle_name(now, &question, addresses),
                Answer::Failed { error, .. } => self.miss_name(&question, error.to_string()),
                _ => {}
            }
        }
        true
    }

    /// Follows what the local network has said.
    pub(super) fn handle_local_names(&mut self, now: Instant) {
        while let Some(event) = self.mdns.as_mut().and_then(|mdns| mdns.poll_event()) {
            let (name, outcome) = match event {
                mdns::Event::Resolved { name, addresses } => (name, Ok(addresses)),
                mdns::Event::Unresolved { name, why } => (name, Err(why)),
                _ => continue,
            };
            let is_it = |question: &mut Question| {
                question.want.is_none() && question.name.eq_ignore_ascii_case(&name)
            };
            for question in self.names.questions.extract_if(.., is_it).collect::<Vec<_>>() {
                match &outcome {
                    Ok(addresses) => self.settle_name(now, &question, addresses),
                    Err(why) => self.miss_name(&question, why.to_string()),
                }
            }
        }
    }

    /// RFC 8839 §5.1: one of the name's addresses is taken; the first of a family that we have, if there is
    /// one.
    fn settle_name(&mut self, now: Instant, question: &Question, addresses: &[IpAddr]) {
        let number = question.number;
        let usable = || addresses.iter().filter(|ip| is_sendable(SocketAddr::new(**ip, 9)));
        let is_ours = |ip: &&IpAddr| {
            self.current.locals.iter().any(|local| local.base.is_ipv4() == ip.is_ipv4())
        };
        let chosen = usable().find(is_ours).or_else(|| usable().next());
        let Some(ip) = chosen.copied() else {
            return self.miss_name(question, "nothing can be sent to its address".to_owned());
        };
        self.with_current(now, |generation, context| generation.resolve(context, number, ip));
    }

    fn miss_name(&mut self, question: &Question, why: String) {
        let event = Event::Unresolved { name: question.name.clone(), why };
        self.events.tell(&mut self.counters, event);
    }

    /// The questions belong to candidates that are no more. Candidates that have overtaken their credentials
    /// stay, if they say whose they are: those credentials may be the next to come.
    pub(super) fn forget_names(&mut self, now: Instant) {
        for question in std::mem::take(&mut self.names.questions) {
            match question.want {
                Some(id) => self.wants.push_back(Want::Close { id }),
                None => self.local_names(now).forget(now, &question.name),
            }
        }
        self.names.waiting.retain(|candidate| candidate.username_fragment.is_some());
    }

    /// A base is about to go, and with it the name of its address, unless another base has it.
    pub(super) fn forget_own_name(&mut self, now: Instant, base: LocalId) {
        let gone = self.current.locals.iter().find(|local| local.id == base);
        let Some(ip) = gone.map(|local| local.base.ip()) else { return };
        let mut others = self.current.locals.iter().filter(|local| local.id != base);
        if others.all(|local| local.base.ip() != ip)
            && let Some(mdns) = &mut self.mdns
        {
            mdns.unregister(now, ip);
        }
    }

    /// A candidate of ours as the other side is told of it; `None` if it cannot be hidden and has to be.
    pub(super) fn hide(
        &mut self,
        now: Instant,
        base: IpAddr,
        mut candidate: Candidate,
    ) -> Option<Candidate> {
        if !self.config.hide_addresses {
            return Some(candidate);
        }
        if candidate.kind == CandidateType::Host {
            let name = self.local_names(now).register(now, base).ok()?;
            candidate.address = CandidateAddress::Name(name);
        }
        // draft-ietf-mmusic-mdns-ice-candidates §3.1.2.1: nothing else may tell the address.
        candidate.related = candidate.related.map(|related| {
            let nobody = match related {
                SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            };
            SocketAddr::new(nobody, 9)
        });
        Some(candidate)
    }
}
