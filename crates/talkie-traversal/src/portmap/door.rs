//! PCP or NAT-PMP with a gateway: both are questions on UDP that are sent until they are answered.
//!
//! NAT-PMP asks for the outside address first, which changes nothing, and for the mapping only once it is
//! told to; PCP has no such question and begins with the mapping.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use super::epoch::Epoch;
use super::event::Reason;
use super::lease::{Lease, Tries, Try, is_host};
use super::{nat_pmp, pcp};

/// NAT-PMP and PCP share it (RFC 6886 §3, RFC 6887 §19.1).
pub(super) const PORT: u16 = 5351;

/// RFC 6886 §3.1: 250 ms, doubled each time. A gateway is one hop away and nobody waits for a minute, so
/// that four are enough; RFC 6887 §8.1.1 would begin with three seconds.
const PAUSES: &[Duration] = &[
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1000),
    Duration::from_millis(2000),
];
/// Leaving is not worth as much patience.
const FAREWELLS: &[Duration] =
    &[Duration::from_millis(250), Duration::from_millis(500), Duration::from_millis(500)];

/// Which of the two.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dialect {
    Pcp(pcp::Nonce),
    /// With the outside address, as soon as it is known.
    NatPmp(Option<Ipv4Addr>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Not begun, or nobody wants anything.
    Off,
    /// NAT-PMP: the outside address is asked for.
    Probing,
    /// NAT-PMP: it is known.
    Ready,
    /// A mapping is asked for, or to be prolonged.
    Asking,
    /// There is one.
    Holding,
    Removing,
    Refused(Reason),
}

/// One of the two protocols with one gateway, about one port.
#[derive(Debug)]
pub(super) struct Door {
    dialect: Dialect,
    internal: SocketAddrV4,
    lifetime: Duration,
    stage: Stage,
    tries: Tries,
    lease: Option<Lease>,
    /// Whether there may be a mapping at the gateway.
    is_touched: bool,
    /// For how long an error is to be believed.
    pause: Duration,
    /// The clock that was announced. Those of answers are not looked at: a request for a mapping brings it
    /// back, if the gateway has lost it.
    epoch: Epoch,
}

impl Door {
    pub(super) fn new(
        now: Instant,
        dialect: Dialect,
        internal: SocketAddrV4,
        lifetime: Duration,
    ) -> Self {
        let mut tries = Tries::begin(now, PAUSES);
        tries.stop();
        Self {
            dialect,
            internal,
            lifetime,
            stage: Stage::Off,
            tries,
            lease: None,
            is_touched: false,
            pause: Duration::ZERO,
            epoch: Epoch::default(),
        }
    }

    /// Begins to ask.
    pub(super) fn begin(&mut self, now: Instant) {
        self.pause = Duration::ZERO;
        match &mut self.dialect {
            Dialect::Pcp(_) => self.ask(now),
            Dialect::NatPmp(address) => {
                *address = None;
                self.stage = Stage::Probing;
                self.tries = Tries::begin(now, PAUSES);
            }
        }
    }

    /// Whether it waits for [`map()`](Self::map).
    pub(super) fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// Asks for the mapping.
    pub(super) fn map(&mut self, now: Instant) {
        if self.is_ready() {
            self.ask(now);
        }
    }

    /// Another protocol has given a mapping: no more questions. What was given here all the same lapses,
    /// or is removed at the end; to remove it now might remove the other one, which can be the same.
    pub(super) fn stand_down(&mut self) {
        self.stage = Stage::Off;
        self.tries.stop();
        self.lease = None;
    }

    /// Forgets all; there is no way to the gateway any more.
    pub(super) fn abandon(&mut self) {
        self.stand_down();
        self.is_touched = false;
    }

    /// Takes away what may be mapped.
    pub(super) fn remove(&mut self, now: Instant) {
        self.lease = None;
        self.tries.stop();
        self.stage = Stage::Off;
        if self.is_touched {
            self.stage = Stage::Removing;
            self.tries = Tries::begin(now, FAREWELLS);
        }
    }

    pub(super) fn is_removed(&self) -> bool {
        self.stage != Stage::Removing
    }

    pub(super) fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// Renews the mapping at `at` at the latest.
    pub(super) fn hurry(&mut self, at: Instant) {
        if let Some(lease) = &mut self.lease
            && self.stage == Stage::Holding
        {
            lease.hurry(at);
        }
    }

    /// Why there will be no mapping, and for how long the gateway says that this is so.
    pub(super) fn refusal(&self) -> Option<(&Reason, Duration)> {
        match &self.stage {
            Stage::Refused(reason) => Some((reason, self.pause)),
            _ => None,
        }
    }

    pub(super) fn refuse(&mut self, reason: Reason) {
        self.tries.stop();
        self.lease = None;
        self.stage = Stage::Refused(reason);
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let lease = self.lease.filter(|_| self.stage == Stage::Holding).map(|lease| lease.due());
        let expiry = self.lease.map(|lease| lease.expires_at);
        [lease, expiry, self.tries.due()].into_iter().flatten().min()
    }

    /// What is to be sent now.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Vec<Vec<u8>> {
        if self.lease.is_some_and(|lease| lease.expires_at <= now) {
            self.lease = None;
            self.stage = Stage::Off;
            self.tries.stop();
        }
        let renewal = self.lease.and_then(|lease| lease.renew_at).filter(|at| *at <= now);
        if renewal.is_some() && self.stage == Stage::Holding {
            self.ask(now);
        }
        match self.tries.poll(now) {
            Some(Try::Send) => self.questions(),
            Some(Try::GiveUp) => {
                self.give_up(now, Reason::Silent);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Takes an answer; whether it is one. `is_anew` if it tells that the gateway has started anew.
    pub(super) fn handle_answer(&mut self, now: Instant, datagram: &[u8]) -> bool {
        match self.dialect {
            Dialect::Pcp(nonce) => self.handle_pcp(now, nonce, datagram),
            Dialect::NatPmp(_) => self.handle_nat_pmp(now, datagram),
        }
    }

    /// Takes what the gateway told everybody (RFC 6886 §3.2.1, RFC 6887 §14.1.3); whether its mappings may
    /// be gone or changed. It says so several times, and once is enough.
    pub(super) fn handle_announcement(&mut self, now: Instant, datagram: &[u8]) -> bool {
        let is_new = !self.epoch.is_known();
        match &mut self.dialect {
            Dialect::Pcp(_) => pcp::parse(datagram).is_some_and(|response| {
                let is_told = response.code == 0 && response.body == pcp::Body::Announce;
                is_told && (self.epoch.observe_pcp(now, response.epoch) || is_new)
            }),
            Dialect::NatPmp(known) => nat_pmp::parse(datagram).is_some_and(|response| {
                let nat_pmp::Body::Address(Ok(Some(address))) = response.body else { return false };
                if !is_host(address) {
                    return false;
                }
                let is_other = known.replace(address) != Some(address);
                let epoch = response.epoch;
                epoch.is_some_and(|it| self.epoch.observe_nat_pmp(now, it)) || is_new || is_other
            }),
        }
    }

    fn ask(&mut self, now: Instant) {
        self.is_touched = true;
        self.stage = Stage::Asking;
        self.tries = Tries::begin(now, PAUSES);
    }

    fn questions(&self) -> Vec<Vec<u8>> {
        let port = self.internal.port();
        let is_removal = self.stage == Stage::Removing;
        let lifetime = if is_removal { Duration::ZERO } else { self.lifetime };
        match self.dialect {
            Dialect::Pcp(nonce) => {
                // RFC 6887 §11.2: what it was, so that a gateway that has forgotten gives the same again.
                let none = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
                let wish = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
                let wish = self.lease.map_or(wish, |lease| lease.external);
                let suggested = if is_removal { none } else { wish };
                vec![pcp::map_request(nonce, self.internal, suggested, lifetime)]
            }
            Dialect::NatPmp(_) => {
                let wish = self.lease.map_or(port, |lease| lease.external.port());
                let suggested = if is_removal { 0 } else { wish };
                let mapping = nat_pmp::mapping_request(port, suggested, lifetime);
                match self.stage {
                    Stage::Removing => vec![mapping],
                    Stage::Probing => vec![nat_pmp::address_request()],
                    // When a mapping is renewed, the address is asked for, too.
                    _ if self.lease.is_some() => vec![nat_pmp::address_request(), mapping],
                    _ => vec![mapping],
                }
            }
        }
    }

    fn give_up(&mut self, now: Instant, reason: Reason) {
        self.tries.stop();
        match (&mut self.lease, &self.stage) {
            (Some(lease), Stage::Asking) => {
                lease.postpone(now);
                self.stage = Stage::Holding;
            }
            (_, Stage::Removing) => {
                self.is_touched = false;
                self.stage = Stage::Off;
            }
            _ => {
                // An error, or four questions in vain: there is nothing to take away.
                self.is_touched = false;
                self.stage = Stage::Refused(reason);
            }
        }
    }

    fn hold(&mut self, now: Instant, external: SocketAddrV4, lifetime: Duration) {
        if self.stage == Stage::Removing {
            // RFC 6887 §15.1: a success with a lifetime of zero; RFC 6886 §3.4 likewise.
            if lifetime.is_zero() {
                self.give_up(now, Reason::Silent);
            }
            return;
        }
        if self.stage != Stage::Asking {
            return;
        }
        match Lease::new(now, external, lifetime) {
            Some(lease) => {
                self.tries.stop();
                self.lease = Some(lease);
                self.stage = Stage::Holding;
            }
            None => self.give_up(now, Reason::Nonsense),
        }
    }

    fn handle_pcp(&mut self, now: Instant, nonce: pcp::Nonce, datagram: &[u8]) -> bool {
        let is_open = matches!(self.stage, Stage::Asking | Stage::Removing);
        // RFC 6887 §9, RFC 6886 §3.5: what a gateway says that speaks NAT-PMP only.
        let older = nat_pmp::parse(datagram).map(|response| response.body);
        if older == Some(nat_pmp::Body::UnsupportedVersion) {
            if is_open {
                self.is_touched = false;
                self.give_up(now, Reason::Unsupported);
            }
            return is_open;
        }
        let Some(response) = pcp::parse(datagram) else { return false };
        // RFC 6887 §11.4: only an answer to what we asked.
        let mapping = match response.body {
            pcp::Body::Map(it) if it.nonce == nonce && it.internal == self.internal.port() => it,
            _ => return false,
        };
        if !is_open {
            return true;
        }
        if response.code != 0 {
            self.pause = response.lifetime;
            self.give_up(now, pcp::reason(response.code));
            return true;
        }
        match mapping.external {
            SocketAddr::V4(external) => self.hold(now, external, response.lifetime),
            SocketAddr::V6(_) => self.give_up(now, Reason::Nonsense),
        }
        true
    }

    fn handle_nat_pmp(&mut self, now: Instant, datagram: &[u8]) -> bool {
        let is_open = matches!(self.stage, Stage::Probing | Stage::Asking | Stage::Removing);
        // RFC 6887 §9: what a gateway says that speaks PCP only: the header of an error.
        if let Some(response) = pcp::parse(datagram) {
            let is_unsupported = is_open && response.code == 1;
            if is_unsupported {
                self.is_touched = false;
                self.give_up(now, Reason::Unsupported);
            }
            return is_unsupported;
        }
        let Some(response) = nat_pmp::parse(datagram) else { return false };
        let is_open = is_open || matches!(response.body, nat_pmp::Body::Address(Ok(_)));
        if !is_open || response.body == nat_pmp::Body::UnsupportedVersion {
            return false;
        }
        match response.body {
            nat_pmp::Body::Address(outcome) => self.learn_address(now, outcome),
            nat_pmp::Body::Mapping(Err(code)) => self.give_up(now, nat_pmp::reason(code)),
            nat_pmp::Body::Mapping(Ok(mapping)) => {
                let Dialect::NatPmp(Some(address)) = self.dialect else { return false };
                if mapping.internal != self.internal.port() || self.stage == Stage::Probing {
                    return false;
                }
                self.hold(now, SocketAddrV4::new(address, mapping.external), mapping.lifetime);
            }
            nat_pmp::Body::UnsupportedVersion => return false,
        }
        true
    }

    fn learn_address(&mut self, now: Instant, outcome: Result<Option<Ipv4Addr>, u16>) {
        match (outcome, &self.stage) {
            (Ok(Some(address)), Stage::Probing) if !is_host(address) => {
                self.give_up(now, Reason::Nonsense);
            }
            (Ok(Some(address)), stage) if is_host(address) => {
                self.dialect = Dialect::NatPmp(Some(address));
                // While a mapping is renewed, either answer may come first.
                if let Some(lease) = &mut self.lease {
                    lease.external.set_ip(address);
                }
                if *stage == Stage::Probing {
                    self.tries.stop();
                    self.stage = Stage::Ready;
                }
            }
            (Ok(None), Stage::Probing) => self.give_up(now, Reason::NoAddress),
            (Err(code), Stage::Probing) => self.give_up(now, nat_pmp::reason(code)),
            // What the mapping says counts.
            _ => {}
        }
    }
}
