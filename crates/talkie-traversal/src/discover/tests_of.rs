//! The tests: each looks at the answers so far and says what to ask, what to wait for, or what it found.

use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use super::config::is_plausible;
use super::probe::{Answer, Outcome, Probe, Purpose};
use super::report::{
    Allocation, Filtering, Finding, Fragments, Hairpinning, Lifetime, Mapping, Pooling, Reason,
    Report, Seen,
};
use super::words::Rewriting;
use super::{Discovery, Event, FILTERED, HAIRPINNING, IDLE, Test, ports};

use Finding::{Known, Unknown};

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    translated: Option<Finding<bool>>,
    mapping: Option<Finding<Mapping>>,
    filtering: Option<Finding<Filtering>>,
    allocation: Option<Finding<Allocation>>,
    pooling: Option<Finding<Pooling>>,
    hairpinning: Option<Finding<Hairpinning>>,
    fragments: Option<Finding<Fragments>>,
    rewritten: Option<Finding<bool>>,
    pub(super) lifetime: Option<Finding<Lifetime>>,
}

impl Findings {
    pub(super) fn are_complete(&self) -> bool {
        self.translated.is_some()
            && self.mapping.is_some()
            && self.filtering.is_some()
            && self.allocation.is_some()
            && self.pooling.is_some()
            && self.hairpinning.is_some()
            && self.fragments.is_some()
            && self.rewritten.is_some()
            && self.lifetime.is_some()
    }
}

/// What a test wants next.
enum Step<T> {
    Ask(&'static [Purpose]),
    Wait,
    Done(Finding<T>),
}

/// How far a question is.
enum State<'a> {
    Open,
    Answer(&'a Answer),
    Refused(u16),
    Silent,
    Unsure,
}

/// How an answer from the server's other address comes in on the first socket, whatever the NAT filters:
/// that socket has sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By the outside port that the server sees anyway.
    SamePort,
    /// By this one, which the other address sees; RESPONSE-PORT (RFC 5780 §7.5) names it.
    Port(u16),
}

/// The server's other address.
enum Other {
    /// Both its address and port are others.
    Both,
    /// Only its port.
    Port,
    None,
}

impl Discovery {
    /// Lets every test go on that is not done.
    pub(super) fn test(&mut self) {
        if let Some(finding) = self.step(self.translated(), self.found.translated) {
            let words = match self.contact(0) {
                Ok(answer) => answer.mapped.map(|mapped| mapped.to_string()),
                Err(_) => None,
            };
            self.found.translated = Some(finding);
            self.tell(Test::Contact, &words.unwrap_or_else(|| "no answer".into()));
        }
        if let Some(finding) = self.step(self.mapping(), self.found.mapping) {
            self.found.mapping = Some(finding);
            self.tell(Test::Mapping, &finding);
        }
        if let Some(finding) = self.step(self.filtering(), self.found.filtering) {
            self.found.filtering = Some(finding);
            self.tell(Test::Filtering, &finding);
        }
        if let Some(finding) = self.step(self.pooling(), self.found.pooling) {
            self.found.pooling = Some(finding);
        }
        if let Some(finding) = self.step(self.allocation(), self.found.allocation) {
            self.found.allocation = Some(finding);
            self.tell(Test::Allocation, &finding);
        }
        if let Some(finding) = self.step(self.hairpinning(), self.found.hairpinning) {
            self.found.hairpinning = Some(finding);
            self.tell(Test::Hairpinning, &finding);
        }
        if let Some(finding) = self.step(self.fragments(), self.found.fragments) {
            self.found.fragments = Some(finding);
            self.tell(Test::Fragments, &finding);
        }
        if let Some(finding) = self.step(self.rewritten(), self.found.rewritten) {
            self.found.rewritten = Some(finding);
            self.tell(Test::Rewriting, &Rewriting(finding));
        }
        self.without_search();
    }

    /// Asks what a test asks for; its finding if it has one now.
    fn step<T: Copy>(&mut self, step: Step<T>, found: Option<Finding<T>>) -> Option<Finding<T>> {
        match step {
            Step::Done(finding) if found.is_none() => Some(finding),
            Step::Ask(purposes) if found.is_none() => {
                for purpose in purposes {
                    let is_asked = self.waiting.contains(purpose) || self.probe(*purpose).is_some();
                    if !is_asked {
                        self.waiting.push_back(*purpose);
                    }
                }
                None
            }
            _ => None,
        }
    }

    pub(super) fn tell(&mut self, test: Test, words: &dyn fmt::Display) {
        self.events.push_back(Event::Progress(test, words.to_string()));
    }

    pub(super) fn probe(&self, purpose: Purpose) -> Option<&Probe> {
        self.probes.iter().find(|probe| probe.purpose == purpose)
    }

    pub(super) fn answer(&self, purpose: Purpose) -> Option<&Answer> {
        self.probe(purpose)?.answer()
    }

    fn state(&self, purpose: Purpose) -> State<'_> {
        match self.probe(purpose).and_then(|probe| probe.outcome.as_ref()) {
            None => State::Open,
            Some(Outcome::Answer(answer)) => State::Answer(answer),
            Some(Outcome::Refused(code)) => State::Refused(*code),
            Some(Outcome::Silent) => State::Silent,
            Some(Outcome::Unsure) => State::Unsure,
        }
    }

    /// The answer to a plain request; the reason if there is none, or `None` if it may come.
    fn contact(&self, local: usize) -> Result<&Answer, Option<Reason>> {
        match self.state(Purpose::Contact(local)) {
            State::Open => Err(None),
            State::Answer(answer) if answer.mapped.is_none() => Err(Some(Reason::Ignored)),
            State::Answer(answer) => Ok(answer),
            State::Refused(code) => Err(Some(Reason::Refused(code))),
            State::Silent | State::Unsure => Err(Some(Reason::NoAnswer)),
        }
    }

    /// Why the second socket is not answered, or that it is; `None` if it may be.
    pub(super) fn contact_failure(&self) -> Option<Option<Reason>> {
        match self.contact(FILTERED) {
            Ok(_) => Some(None),
            Err(None) => None,
            Err(reason) => Some(reason),
        }
    }

    pub(super) fn mapped(&self, local: usize) -> Option<SocketAddr> {
        self.answer(Purpose::Contact(local))?.mapped
    }

    fn contacts(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.config.local.len()).filter(|index| *index != IDLE)
    }

    /// The server's other address, as it names it or as it is known.
    pub(super) fn other(&self) -> Option<SocketAddr> {
        let server = self.config.server;
        let named = self.contacts().find_map(|local| self.answer(Purpose::Contact(local))?.other);
        let known = self.config.other_port.map(|port| SocketAddr::new(server.ip(), port));
        let all = [named, known].into_iter().flatten();
        all.into_iter().find(|other| is_plausible(*other, server))
    }

    fn other_kind(&self) -> Other {
        let server = self.config.server;
        match self.other() {
            Some(other) if other.ip() == server.ip() => Other::Port,
            Some(other) if other.port() == server.port() => Other::None,
            Some(_) => Other::Both,
            None => Other::None,
        }
    }

    pub(super) fn has_other_ip(&self) -> bool {
        matches!(self.other_kind(), Other::Both)
    }

    /// A NAT's outside address, if it may be one: nothing is sent elsewhere at the server's word.
    pub(super) fn hairpin_target(&self, local: usize) -> Option<SocketAddr> {
        self.mapped(local).filter(|mapped| is_plausible(*mapped, self.config.server))
    }

    /// Whether like requests got unlike answers, so that silence may be a refusal to say more.
    fn is_throttled(&self) -> bool {
        let extent = |local| self.answer(Purpose::Contact(local)).map(|answer| answer.extent);
        let mut extents = self.contacts().filter_map(extent);
        let first = extents.next();
        extents.any(|extent| Some(extent) != first)
            || self.probes.iter().any(|probe| probe.throttled_at.is_some())
    }

    fn translated(&self) -> Step<bool> {
        match self.contact(0) {
            Ok(answer) => Step::Done(Known(answer.mapped != Some(self.config.local[0]))),
            Err(None) => Step::Wait,
            Err(Some(reason)) => Step::Done(Unknown(reason)),
        }
    }

    /// RFC 5780 §4.3.
    fn mapping(&self) -> Step<Mapping> {
        use Mapping::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
        let first = match self.contact(0) {
            Ok(answer) => answer.mapped,
            Err(None) => return Step::Wait,
            Err(Some(reason)) => return Step::Done(Unknown(reason)),
        };
        let found = match self.other_kind() {
            Other::Both => {
                let asked = &[Purpose::MappingAddress, Purpose::MappingBoth];
                let (address, both) = (self.state(asked[0]), self.state(asked[1]));
                match (address, both) {
                    (State::Open, _) | (_, State::Open) => return Step::Ask(asked),
                    // Where there is no NAT nothing depends on anything.
                    _ if self.found.translated == Some(Known(false)) => Known(EndpointIndependent),
                    (State::Answer(address), State::Answer(both)) => {
                        Known(match (address.mapped == first, address.mapped == both.mapped) {
                            (true, true) => EndpointIndependent,
                            (false, true) => AddressDependent,
                            (_, false) => AddressAndPortDependent,
                        })
                    }
                    (State::Refused(code), _) | (_, State::Refused(code)) => {
                        Unknown(Reason::Refused(code))
                    }
                    _ => Unknown(Reason::OtherSilent),
                }
            }
            _ if self.found.translated == Some(Known(false)) => Known(EndpointIndependent),
            Other::Port => match self.state(Purpose::MappingPort) {
                State::Open => return Step::Ask(&[Purpose::MappingPort]),
                State::Answer(port) if port.mapped != first => Known(AddressAndPortDependent),
                State::Answer(_) => Unknown(Reason::NotThePort),
                State::Refused(code) => Unknown(Reason::Refused(code)),
                State::Silent | State::Unsure => Unknown(Reason::OtherSilent),
            },
            Other::None => Unknown(Reason::OneAddress),
        };
        match found {
            Unknown(reason) if self.config.second.is_some() => {
                self.mapping_by_second(first, reason)
            }
            found => Step::Done(found),
        }
    }

    /// Where the first server knows too little: what does an independent one see?
    fn mapping_by_second(&self, first: Option<SocketAddr>, reason: Reason) -> Step<Mapping> {
        match self.state(Purpose::MappingSecond) {
            State::Open => Step::Ask(&[Purpose::MappingSecond]),
            State::Answer(second) if second.mapped == first => {
                Step::Done(Known(Mapping::EndpointIndependent))
            }
            State::Answer(_) if reason == Reason::NotThePort => {
                Step::Done(Known(Mapping::AddressDependent))
            }
            _ => Step::Done(Unknown(reason)),
        }
    }

    /// RFC 5780 §4.4.
    fn filtering(&self) -> Step<Filtering> {
        use Filtering::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
        if self.config.local.len() <= FILTERED {
            return Step::Done(Unknown(Reason::Sockets));
        }
        match self.contact(FILTERED) {
            Ok(_) => {}
            Err(None) => return Step::Wait,
            Err(Some(reason)) => return Step::Done(Unknown(reason)),
        }
        let server = self.config.server;
        let is_both = match self.other_kind() {
            Other::Both => true,
            Other::Port => false,
            Other::None => return Step::Done(Unknown(Reason::OneAddress)),
        };
        let asked = if is_both { Purpose::FilterBoth } else { Purpose::FilterPort };
        Step::Done(match self.state(asked) {
            State::Open => return self.ask_filtering(asked),
            State::Answer(answer) if is_both && answer.source.ip() != server.ip() => {
                Known(EndpointIndependent)
            }
            State::Answer(answer) if !is_both && answer.source != server => {
                Unknown(Reason::NotThePort)
            }
            State::Answer(_) => Unknown(Reason::Ignored),
            State::Refused(code) => Unknown(Reason::Refused(code)),
            State::Unsure => Unknown(Reason::Lossy),
            State::Silent => match self.doubt(is_both) {
                Some(step) => return step,
                None if !is_both => Known(AddressAndPortDependent),
                None => match self.state(Purpose::FilterPort) {
                    State::Open => return Step::Ask(&[Purpose::FilterPort]),
                    State::Answer(answer) if answer.source == server => Unknown(Reason::Ignored),
                    State::Answer(_) => Known(AddressDependent),
                    State::Refused(code) => Unknown(Reason::Refused(code)),
                    State::Silent => Known(AddressAndPortDependent),
                    State::Unsure => Unknown(Reason::Lossy),
                },
            },
        })
    }

    /// What there is to find out, or why nothing can be, before silence counts as the NAT's.
    fn doubt(&self, is_both: bool) -> Option<Step<Filtering>> {
        // An address that is silent anyway.
        let direct = if is_both { Purpose::MappingBoth } else { Purpose::MappingPort };
        match self.state(direct) {
            State::Answer(_) => {}
            State::Open if self.contact(0).is_ok() && is_both => {
                return Some(Step::Ask(&[Purpose::MappingBoth]));
            }
            State::Open if self.contact(0).is_ok() => {
                return Some(Step::Ask(&[Purpose::MappingPort]));
            }
            State::Open if self.contact(0).is_err_and(|reason| reason.is_none()) => {
                return Some(Step::Wait);
            }
            _ => return Some(Step::Done(Unknown(Reason::OtherSilent))),
        }
        if self.is_throttled() {
            return Some(Step::Done(Unknown(Reason::Throttled)));
        }
        // Who names no other address may be a stranger to all this, whatever else is at its port.
        if self.contact(FILTERED).is_ok_and(|answer| answer.extent.is_bare()) {
            return Some(Step::Done(Unknown(Reason::Ignored)));
        }
        self.calibration(is_both)
    }

    /// The questions of the filtering test; once nothing came for a while, also the one that shows
    /// whether anything can come.
    fn ask_filtering(&self, asked: Purpose) -> Step<Filtering> {
        let is_both = asked == Purpose::FilterBoth;
        let tries = self.probe(asked).map_or(0, Probe::sent);
        Step::Ask(match is_both {
            _ if tries >= 4 && self.way_to_calibrate(is_both).is_some() => &[Purpose::Calibrate],
            true => &[Purpose::FilterBoth, Purpose::FilterPort],
            false => &[Purpose::FilterPort],
        })
    }

    /// `None` where there is no way, or the first socket has not sent there yet.
    pub(super) fn way_to_calibrate(&self, is_both: bool) -> Option<Way> {
        let direct = if is_both { Purpose::MappingBoth } else { Purpose::MappingPort };
        let (towards_other, towards_server) = (self.answer(direct)?.mapped?, self.mapped(0)?);
        if towards_other == towards_server {
            return Some(Way::SamePort);
        }
        // Another address of a pool cannot be named.
        let is_same_host = towards_other.ip() == towards_server.ip();
        is_same_host.then_some(Way::Port(towards_other.port()))
    }

    /// Erratum 7971 to RFC 5780 §4.4, in spirit: silence in test II may be the server's.
    fn calibration(&self, is_both: bool) -> Option<Step<Filtering>> {
        let Some(way) = self.way_to_calibrate(is_both) else {
            return Some(Step::Done(Unknown(Reason::Unshown)));
        };
        let server = self.config.server;
        match self.state(Purpose::Calibrate) {
            State::Open => Some(Step::Ask(&[Purpose::Calibrate])),
            State::Answer(answer) if is_both && answer.source.ip() != server.ip() => None,
            State::Answer(answer) if !is_both && answer.source != server => None,
            State::Unsure => Some(Step::Done(Unknown(Reason::Lossy))),
            // Not every server knows RESPONSE-PORT, or answers to any.
            _ if way != Way::SamePort => Some(Step::Done(Unknown(Reason::Unshown))),
            State::Answer(_) | State::Silent => Some(Step::Done(Unknown(Reason::Ignored))),
            State::Refused(code) => Some(Step::Done(Unknown(Reason::Refused(code)))),
        }
    }

    /// All mappings, once nothing will be added.
    fn seen(&self) -> Vec<Seen> {
        let seen = |probe: &Probe| {
            let mapped = probe.answer()?.mapped?;
            let is_mapping =
                probe.purpose.must_be_answered() && !matches!(probe.purpose, Purpose::Bind(_));
            let local = self.config.local[probe.local];
            is_mapping.then_some(Seen { local, remote: probe.to, mapped })
        };
        self.probes.iter().filter_map(seen).collect()
    }

    /// Why there is nothing to say about translation; `None` as long as it is not known.
    fn untranslated(&self) -> Option<Option<Reason>> {
        match self.found.translated? {
            Known(true) => Some(None),
            Known(false) => Some(Some(Reason::NotTranslated)),
            Unknown(reason) => Some(Some(reason)),
        }
    }

    fn is_all_seen(&self) -> bool {
        let is_open = |local| matches!(self.state(Purpose::Contact(local)), State::Open);
        self.found.mapping.is_some() && !self.contacts().any(is_open)
    }

    fn allocation(&self) -> Step<Allocation> {
        self.of_seen(ports::allocation)
    }

    fn pooling(&self) -> Step<Pooling> {
        self.of_seen(ports::pooling)
    }

    fn of_seen<T>(&self, judge: impl Fn(&[Seen]) -> Option<T>) -> Step<T> {
        match self.untranslated() {
            Some(Some(reason)) => Step::Done(Unknown(reason)),
            Some(None) if self.is_all_seen() => {
                Step::Done(judge(&self.seen()).map_or(Unknown(Reason::Sockets), Known))
            }
            _ => Step::Wait,
        }
    }

    /// RFC 5780 §3.4. It begins when the mapping is known, because it makes mappings of its own.
    fn hairpinning(&self) -> Step<Hairpinning> {
        match self.untranslated() {
            None => return Step::Wait,
            Some(Some(reason)) => return Step::Done(Unknown(reason)),
            Some(None) => {}
        }
        if self.config.local.len() <= HAIRPINNING {
            return Step::Done(Unknown(Reason::Sockets));
        }
        match self.contact(HAIRPINNING) {
            Err(Some(reason)) => return Step::Done(Unknown(reason)),
            Ok(_) if self.is_all_seen() => {}
            _ => return Step::Wait,
        }
        if [0, HAIRPINNING].iter().any(|local| self.hairpin_target(*local).is_none()) {
            return Step::Done(Unknown(Reason::Ignored));
        }
        Step::Done(match self.state(Purpose::Hairpin) {
            State::Open => return Step::Ask(&[Purpose::Opener, Purpose::Hairpin]),
            State::Answer(answer) if answer.source == self.config.local[HAIRPINNING] => {
                Known(Hairpinning::InternalSource)
            }
            State::Answer(_) => Known(Hairpinning::ExternalSource),
            State::Silent => match (self.found.mapping, self.found.filtering) {
                // The opener went out by the mapping that the request was sent to.
                (Some(Known(Mapping::EndpointIndependent)), _)
                | (_, Some(Known(Filtering::EndpointIndependent))) => {
                    Known(Hairpinning::Unsupported)
                }
                (_, None) => return Step::Wait,
                _ => Unknown(Reason::Filtered),
            },
            State::Refused(_) | State::Unsure => Unknown(Reason::Lossy),
        })
    }

    /// RFC 5780 §3.5.
    fn fragments(&self) -> Step<Fragments> {
        match self.contact(0) {
            Ok(_) => {}
            Err(None) => return Step::Wait,
            Err(Some(reason)) => return Step::Done(Unknown(reason)),
        }
        Step::Done(match self.state(Purpose::Fragments) {
            State::Open => return Step::Ask(&[Purpose::Fragments]),
            State::Answer(answer) if answer.padding * 10 >= self.config.fragmented * 9 => {
                Known(Fragments::Pass)
            }
            State::Answer(_) => Known(Fragments::PassOut),
            State::Refused(code) => Unknown(Reason::Refused(code)),
            State::Silent if self.is_throttled() => Unknown(Reason::Throttled),
            State::Silent => match self.other() {
                Some(_) => Known(Fragments::Lost),
                // It may be no friend of long requests.
                None => Unknown(Reason::Ignored),
            },
            State::Unsure => Unknown(Reason::Lossy),
        })
    }

    /// RFC 5780 §3.6.
    fn rewritten(&self) -> Step<bool> {
        if self.found.translated.is_none() || !self.is_all_seen() {
            return Step::Wait;
        }
        let both = |probe: &Probe| {
            let answer = probe.answer()?;
            Some((answer.mapped?, answer.plain?))
        };
        let both = self.probes.iter().filter_map(both);
        let differs = both.map(|(obfuscated, plain)| obfuscated != plain).reduce(|a, b| a || b);
        let reason = self.contact(0).err().flatten().unwrap_or(Reason::Ignored);
        Step::Done(differs.map_or(Unknown(reason), Known))
    }

    pub(super) fn report(&self, now: Instant) -> Report {
        const MISSING: &str = "all is found before it is reported";
        let evidence = self.evidence(now);
        let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Report {
            server: self.config.server,
            local: self.config.local[0],
            mapped: match self.contact(0) {
                Ok(answer) => answer.mapped.map_or(Unknown(Reason::Ignored), Known),
                Err(reason) => Unknown(reason.unwrap_or(Reason::NoAnswer)),
            },
            round_trip: self.round_trip,
            sent: count(evidence.sent),
            answered: count(evidence.answered),
            translated: self.found.translated.expect(MISSING),
            mapping: self.found.mapping.expect(MISSING),
            filtering: self.found.filtering.expect(MISSING),
            allocation: self.found.allocation.expect(MISSING),
            pooling: self.found.pooling.expect(MISSING),
            hairpinning: self.found.hairpinning.expect(MISSING),
            fragments: self.found.fragments.expect(MISSING),
            rewritten: self.found.rewritten.expect(MISSING),
            lifetime: self.found.lifetime.expect(MISSING),
            seen: self.seen(),
            took: now.saturating_duration_since(self.born),
        }
    }
}
