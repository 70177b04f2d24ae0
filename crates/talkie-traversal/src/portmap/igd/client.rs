//! The conversation with a gateway.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::{Answer, Path};

use super::soap::{self, Action};
use super::{Description, external_address};
use crate::portmap::event::Reason;
use crate::portmap::exchange::{Exchange, Progress};
use crate::portmap::http::{self, Response};
use crate::portmap::lease::{Lease, Tries, Try};
use crate::portmap::ssdp;
use crate::portmap::wants::Wants;

/// The search is as lossy as UDP: sent again once, and with `MX: 1` a device answers within a second.
const PAUSES: &[Duration] = &[Duration::from_millis(300), Duration::from_millis(1200)];
/// The most places of a description that are tried.
const MOST_PLACES: usize = 4;
/// The most ports that are tried when they are taken.
const MOST_PORTS: u32 = 4;
/// The lowest port that is tried at random.
const LOWEST_PORT: u16 = 1024;

/// Somewhere on the gateway.
type Place = (SocketAddr, String);

#[derive(Debug)]
enum Stage {
    /// Not begun, or nobody wants anything.
    Off,
    Searching,
    /// One of its descriptions is on the way.
    Describing(Place),
    /// It is asked for its outside address.
    Inquiring,
    /// That is known; nobody has asked for a mapping so far.
    Ready,
    /// A mapping is asked for, or to be prolonged.
    Adding,
    Holding,
    Removing,
    Refused(Reason),
}

/// One gateway, about one port.
#[derive(Debug)]
pub(in crate::portmap) struct Client {
    rng: ChaCha20Rng,
    gateway: Ipv4Addr,
    internal: SocketAddrV4,
    lifetime: Duration,
    stage: Stage,
    tries: Tries,
    /// Where there may be descriptions.
    places: Vec<Place>,
    /// The service and where it is controlled.
    service: Option<(String, Place)>,
    exchange: Option<Exchange>,
    address: Option<Ipv4Addr>,
    /// The port to ask for, and how many were taken.
    port: u16,
    taken: u32,
    /// Whether a mapping may be asked for.
    is_wanted: bool,
    lease: Option<Lease>,
    /// The port outside that may be mapped.
    touched: Option<u16>,
}

impl Client {
    pub(in crate::portmap) fn new(
        now: Instant,
        seed: [u8; 32],
        gateway: Ipv4Addr,
        internal: SocketAddrV4,
        lifetime: Duration,
    ) -> Self {
        let mut tries = Tries::begin(now, PAUSES);
        tries.stop();
        Self {
            rng: ChaCha20Rng::from_seed(seed),
            gateway,
            internal,
            lifetime,
            stage: Stage::Off,
            tries,
            places: Vec::new(),
            service: None,
            exchange: None,
            address: None,
            port: internal.port(),
            taken: 0,
            is_wanted: false,
            lease: None,
            touched: None,
        }
    }

    /// Begins to search.
    pub(in crate::portmap) fn begin(&mut self, now: Instant, wants: &mut Wants) {
        self.is_wanted = false;
        self.taken = 0;
        self.search(now, wants);
    }

    /// Whether it waits for [`map()`](Self::map).
    pub(in crate::portmap) fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Ready)
    }

    /// Asks for the mapping.
    pub(in crate::portmap) fn map(&mut self, now: Instant, wants: &mut Wants) {
        if self.is_ready() {
            self.is_wanted = true;
            self.add(now, wants);
        }
    }

    /// Another protocol has given a mapping. What was given here all the same lapses, or is removed at
    /// the end.
    pub(in crate::portmap) fn stand_down(&mut self, wants: &mut Wants) {
        self.stop(wants);
        self.lease = None;
        self.stage = Stage::Off;
    }

    /// Forgets all; there is no way to the gateway any more.
    pub(in crate::portmap) fn abandon(&mut self, wants: &mut Wants) {
        self.stand_down(wants);
        self.touched = None;
    }

    /// Takes away what may be mapped.
    pub(in crate::portmap) fn remove(&mut self, now: Instant, wants: &mut Wants) {
        self.stand_down(wants);
        if let Some(external) = self.touched.take() {
            self.stage = Stage::Removing;
            self.act(now, wants, Action::Delete { external });
        }
    }

    pub(in crate::portmap) fn is_removed(&self) -> bool {
        !matches!(self.stage, Stage::Removing)
    }

    pub(in crate::portmap) fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// Renews the mapping at `at` at the latest.
    pub(in crate::portmap) fn hurry(&mut self, at: Instant) {
        if let Some(lease) = &mut self.lease
            && matches!(self.stage, Stage::Holding)
        {
            lease.hurry(at);
        }
    }

    pub(in crate::portmap) fn refusal(&self) -> Option<&Reason> {
        match &self.stage {
            Stage::Refused(reason) => Some(reason),
            _ => None,
        }
    }

    pub(in crate::portmap) fn refuse(&mut self, reason: Reason, wants: &mut Wants) {
        self.stand_down(wants);
        self.stage = Stage::Refused(reason);
    }

    pub(in crate::portmap) fn due(&self) -> Option<Instant> {
        let held = self.lease.filter(|_| matches!(self.stage, Stage::Holding));
        let lease = held.map(|lease| lease.due());
        let expiry = self.lease.map(|lease| lease.expires_at);
        let exchange = self.exchange.as_ref().map(Exchange::deadline);
        [lease, expiry, exchange, self.tries.due()].into_iter().flatten().min()
    }

    /// Whether searches are to be sent now.
    pub(in crate::portmap) fn handle_timeout(&mut self, now: Instant, wants: &mut Wants) -> bool {
        if self.lease.is_some_and(|lease| lease.expires_at <= now) {
            self.stand_down(wants);
        }
        let renewal = self.lease.and_then(|lease| lease.renew_at).filter(|at| *at <= now);
        if renewal.is_some() && matches!(self.stage, Stage::Holding) {
            match self.service {
                Some(_) => self.inquire(now, wants),
                None => self.search(now, wants),
            }
        }
        if self.exchange.as_ref().is_some_and(|exchange| exchange.deadline() <= now) {
            self.conclude(now, wants, Err(Reason::Silent));
        }
        match self.tries.poll(now) {
            Some(Try::Send) => true,
            Some(Try::GiveUp) => {
                self.fail(now, wants, Reason::Silent);
                false
            }
            None => false,
        }
    }

    /// Takes a datagram of the gateway; whether it answers a search.
    pub(in crate::portmap) fn handle_search_answer(
        &mut self,
        now: Instant,
        wants: &mut Wants,
        datagram: &[u8],
    ) -> bool {
        if !matches!(self.stage, Stage::Searching | Stage::Describing(_)) {
            return false;
        }
        let Some(place) = ssdp::location(datagram, self.gateway) else { return false };
        let is_known = self.places.contains(&place)
            || matches!(&self.stage, Stage::Describing(current) if *current == place);
        if !is_known && self.places.len() < MOST_PLACES {
            self.places.push(place);
        }
        if matches!(self.stage, Stage::Searching) {
            self.tries.stop();
            self.describe(now, wants);
        }
        true
    }

    /// Takes what the driver says of a stream; what is to be sent on it.
    pub(in crate::portmap) fn handle_answer(
        &mut self,
        now: Instant,
        wants: &mut Wants,
        answer: &Answer,
    ) -> Option<(Path, Vec<u8>)> {
        let progress = self.exchange.as_mut()?.handle_answer(answer);
        self.advance(now, wants, progress)
    }

    /// Takes bytes of a stream; whether they were expected.
    pub(in crate::portmap) fn handle_bytes(
        &mut self,
        now: Instant,
        wants: &mut Wants,
        path: &Path,
        bytes: &[u8],
    ) -> bool {
        let Some(exchange) = &mut self.exchange else { return false };
        let progress = exchange.handle_bytes(path, bytes);
        let is_ours = !matches!(progress, Progress::NotOurs);
        self.advance(now, wants, progress);
        is_ours
    }

    fn advance(
        &mut self,
        now: Instant,
        wants: &mut Wants,
        progress: Progress,
    ) -> Option<(Path, Vec<u8>)> {
        match progress {
            Progress::NotOurs | Progress::More => None,
            Progress::Send(path, bytes) => Some((path, bytes)),
            Progress::Over(outcome) => {
                self.conclude(now, wants, outcome);
                None
            }
        }
    }

    fn stop(&mut self, wants: &mut Wants) {
        self.tries.stop();
        if let Some(exchange) = self.exchange.take() {
            exchange.finish(wants);
        }
    }

    fn search(&mut self, now: Instant, wants: &mut Wants) {
        self.stop(wants);
        self.places.clear();
        self.service = None;
        self.stage = Stage::Searching;
        self.tries = Tries::begin(now, PAUSES);
    }

    fn describe(&mut self, now: Instant, wants: &mut Wants) {
        if self.places.is_empty() {
            self.fail(now, wants, Reason::Nonsense);
            return;
        }
        let (address, path) = self.places.remove(0);
        let request = http::request(address, &path, None);
        self.stage = Stage::Describing((address, path));
        self.exchange = Some(self.open(now, wants, address, request));
    }

    fn inquire(&mut self, now: Instant, wants: &mut Wants) {
        self.stage = Stage::Inquiring;
        self.act(now, wants, Action::ExternalAddress);
    }

    fn add(&mut self, now: Instant, wants: &mut Wants) {
        self.stage = Stage::Adding;
        self.touched = Some(self.port);
        self.act(now, wants, self.addition());
    }

    fn addition(&self) -> Action {
        Action::Add { internal: self.internal, external: self.port, lease: self.lifetime }
    }

    fn act(&mut self, now: Instant, wants: &mut Wants, action: Action) {
        let Some((service, (address, path))) = &self.service else {
            self.fail(now, wants, Reason::Nonsense);
            return;
        };
        let post = (&*action.field(service), &*action.body(service));
        let request = http::request(*address, path, Some(post));
        self.exchange = Some(self.open(now, wants, *address, request));
    }

    fn open(
        &self,
        now: Instant,
        wants: &mut Wants,
        remote: SocketAddr,
        request: Vec<u8>,
    ) -> Exchange {
        Exchange::begin(now, wants, IpAddr::V4(*self.internal.ip()), remote, request)
    }

    /// An exchange is over.
    fn conclude(&mut self, now: Instant, wants: &mut Wants, outcome: Result<Response, Reason>) {
        if let Some(exchange) = self.exchange.take() {
            exchange.finish(wants);
        }
        let outcome = outcome.map(|response| {
            let text = String::from_utf8_lossy(&response.body).into_owned();
            ((200..300).contains(&response.code), text)
        });
        match &self.stage {
            Stage::Describing(place) => {
                let described = place.0;
                self.handle_description(now, wants, described, outcome);
            }
            Stage::Inquiring => self.handle_address(now, wants, outcome),
            Stage::Adding => self.handle_added(now, wants, outcome),
            Stage::Removing => self.stage = Stage::Off,
            Stage::Off | Stage::Searching | Stage::Ready | Stage::Holding | Stage::Refused(_) => {}
        }
    }

    fn handle_description(
        &mut self,
        now: Instant,
        wants: &mut Wants,
        described: SocketAddr,
        outcome: Result<(bool, String), Reason>,
    ) {
        let text = outcome.ok().filter(|(is_good, _)| *is_good).map(|(_, text)| text);
        let found = text.and_then(|text| {
            let description = Description::parse(&text)?;
            let control = description.control(described, self.gateway)?;
            Some((description.service, control))
        });
        match found {
            Some(service) => {
                self.service = Some(service);
                self.inquire(now, wants);
            }
            None => self.describe(now, wants),
        }
    }

    fn handle_address(
        &mut self,
        now: Instant,
        wants: &mut Wants,
        outcome: Result<(bool, String), Reason>,
    ) {
        let address = match outcome {
            Ok((true, text)) => match external_address(&text) {
                Some(Some(address)) => Ok(address),
                Some(None) => Err(Reason::NoAddress),
                None => Err(Reason::Nonsense),
            },
            Ok((false, text)) => Err(refusal(&text)),
            Err(reason) => Err(reason),
        };
        match address {
            Ok(address) => {
                self.address = Some(address);
                self.stage = Stage::Ready;
                if self.is_wanted {
                    self.add(now, wants);
                }
            }
            // Its port may be another one since it has started anew.
            Err(Reason::Socket(_) | Reason::Silent) if self.lease.is_some() => {
                self.search(now, wants);
            }
            Err(reason) => self.fail(now, wants, reason),
        }
    }

    fn handle_added(
        &mut self,
        now: Instant,
        wants: &mut Wants,
        outcome: Result<(bool, String), Reason>,
    ) {
        let added = self.addition();
        let reason = match outcome {
            Ok((true, text)) if soap::is_response(&text, added) => {
                let external = self.address.map(|address| SocketAddrV4::new(address, self.port));
                let lease = external.and_then(|it| Lease::new(now, it, self.lifetime));
                self.stage = Stage::Holding;
                self.lease = lease;
                return;
            }
            Ok((true, _)) => Reason::Nonsense,
            Ok((false, text)) => match soap::error_code(&text) {
                Some(code) if soap::is_conflict(code) && self.taken < MOST_PORTS => {
                    self.taken += 1;
                    self.touched = None;
                    let ports = u32::from(u16::MAX - LOWEST_PORT) + 1;
                    let offset = self.rng.next_u32() % ports;
                    self.port = LOWEST_PORT + u16::try_from(offset).unwrap_or_default();
                    self.add(now, wants);
                    return;
                }
                _ => {
                    // It was not added, unless it is there from before.
                    self.touched = self.lease.map(|lease| lease.external.port());
                    refusal(&text)
                }
            },
            Err(reason) => reason,
        };
        self.fail(now, wants, reason);
    }

    /// It came to nothing: the end, or until the next attempt to renew.
    fn fail(&mut self, now: Instant, wants: &mut Wants, reason: Reason) {
        self.stop(wants);
        match &mut self.lease {
            Some(lease) => {
                lease.postpone(now);
                self.stage = Stage::Holding;
            }
            None if matches!(self.stage, Stage::Removing) => self.stage = Stage::Off,
            None => self.stage = Stage::Refused(reason),
        }
    }
}

fn refusal(text: &str) -> Reason {
    soap::error_code(text).map_or(Reason::Nonsense, soap::reason)
}
