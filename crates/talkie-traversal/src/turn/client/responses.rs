//! What the server's answers mean.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_sansio::Scope;

use super::requests::{Outstanding, Purpose};
use super::{Client, End, Event, Failure, Families, Phase};
use crate::stun::attributes::{
    AlternateServer, Attribute as _, ErrorCode, Lifetime, XorMappedAddress, XorRelayedAddress,
};
use crate::stun::{AttributeType, Class, Message, transaction};

/// How many challenges one request may meet: one for the credentials, one for a nonce that went
/// stale in that moment, and one to spare.
const CHALLENGES: u8 = 3;

/// The shortest time between two refreshes, whatever lifetime the server names.
const MIN_REFRESH: Duration = Duration::from_secs(10);
/// RFC 8489 §6.3.4: how often a request is made again that the server had an error at.
const MOST_ERRORS: u8 = 4;
/// The longest: RFC 8656 §3.2 has servers cap a lifetime at an hour, whose half this is.
const MAX_REFRESH: Duration = Duration::from_secs(1800);

impl Client {
    pub(super) fn conclude(
        &mut self,
        now: Instant,
        request: &Outstanding,
        event: transaction::Event,
    ) {
        let failure = match event {
            transaction::Event::Response { message, round_trip } => {
                if let Some(round_trip) = round_trip {
                    self.rto.sample(now, round_trip);
                }
                match Message::parse(&message) {
                    Ok(message) => self.answer(now, request, &message),
                    Err(_) => Some(Failure::Incomprehensible),
                }
            }
            transaction::Event::Incomprehensible => Some(Failure::Incomprehensible),
            transaction::Event::TimedOut => Some(Failure::TimedOut),
            transaction::Event::IntegrityViolated => Some(Failure::IntegrityViolated),
        };
        if let Some(failure) = failure {
            self.fail(now, &request.purpose, failure);
        }
    }

    /// Takes an authentic response; returns why the request failed, if it did for good.
    fn answer(
        &mut self,
        now: Instant,
        request: &Outstanding,
        message: &Message<'_>,
    ) -> Option<Failure> {
        if message.class() == Class::Success {
            return self.succeed(now, &request.purpose, message);
        }
        let Ok(Some(ErrorCode { code, .. })) = message.get() else {
            return Some(Failure::Incomprehensible);
        };
        match code {
            401 | 438 => self.challenge(now, request, code, message),
            300..=399 => Some(Failure::TryAlternate(self.alternate(message))),
            _ => Some(Failure::of_code(code)),
        }
    }

    fn challenge(
        &mut self,
        now: Instant,
        request: &Outstanding,
        code: u16,
        message: &Message<'_>,
    ) -> Option<Failure> {
        if matches!(self.phase, Phase::Closing(_)) && request.purpose == Purpose::Allocate {
            // It would be given back at once.
            self.finish();
            return None;
        }
        let Some(credential) = &mut self.credential else {
            return Some(Failure::CredentialNeeded);
        };
        if request.challenges >= CHALLENGES {
            return Some(Failure::NonceLoop);
        }
        if let Err(error) = credential.handle_challenge(code, message) {
            return Some(Failure::Challenge(error));
        }
        self.begin(now, request.purpose.clone(), request.challenges + 1);
        None
    }

    /// RFC 8489 §10, §14.8: a redirection counts only if the response is protected, else anybody on
    /// the way could send clients anywhere.
    fn alternate(&self, message: &Message<'_>) -> Option<SocketAddr> {
        let is_protected = message.contains(AttributeType::MESSAGE_INTEGRITY)
            || message.contains(AttributeType::MESSAGE_INTEGRITY_SHA256);
        // With a key the transaction has checked it; without one nobody could.
        let has_key = self.credential.as_ref().is_some_and(|known| known.is_challenged());
        let server = message.get::<AlternateServer>().ok().flatten()?.0;
        let same_family = server.is_ipv4() == self.path.remote.is_ipv4();
        // Nobody elsewhere sends us to ourselves.
        let is_here = |ip| Scope::of(ip) == Scope::Loopback;
        let is_sendable = server.port() != 0
            && !server.ip().is_unspecified()
            && !server.ip().is_multicast()
            && (is_here(self.path.remote.ip()) || !is_here(server.ip()));
        (is_protected && has_key && same_family && is_sendable).then_some(server)
    }

    fn succeed(
        &mut self,
        now: Instant,
        purpose: &Purpose,
        message: &Message<'_>,
    ) -> Option<Failure> {
        match purpose {
            Purpose::Allocate => return self.allocated(now, message),
            Purpose::Refresh => {
                let Ok(lifetime) = message.get::<Lifetime>() else {
                    return Some(Failure::Incomprehensible);
                };
                if let Phase::Allocated { refresh_at, pause, errors } = &mut self.phase {
                    // RFC 8656 §8.2 has it in each. What is refreshed all the same is not to be lost for it, and
                    // lives as long as before.
                    *pause = lifetime.map_or(*pause, half);
                    *refresh_at = Some(now + *pause);
                    *errors = 0;
                }
            }
            Purpose::Release => self.finish(),
            Purpose::Permit(peers) => {
                for peer in peers {
                    if self.peers.permitted(now, *peer, self.peer_refresh()) {
                        self.events.push_back(Event::Permitted(*peer));
                    }
                }
            }
            Purpose::Bind(peer) => {
                if let Some(number) = self.peers.bound(now, *peer, self.peer_refresh()) {
                    self.events.push_back(Event::Bound(*peer, number));
                }
            }
        }
        None
    }

    /// RFC 8656 §7.3.
    fn allocated(&mut self, now: Instant, message: &Message<'_>) -> Option<Failure> {
        if matches!(self.phase, Phase::Closing(_)) {
            self.release(now, End::Closed);
            return None;
        }
        let mapped = message.get::<XorMappedAddress>();
        let lifetime = message.get::<Lifetime>();
        let relayed = relayed(message, self.config.families);
        let (Ok(Some(mapped)), Ok(Some(lifetime)), Some((relayed, relayed_v6))) =
            (mapped, lifetime, relayed)
        else {
            // RFC 8656 §7.3: what cannot be used is given back.
            self.release(now, End::Failed(Failure::Incomprehensible));
            return None;
        };
        let pause = half(lifetime);
        self.phase = Phase::Allocated { refresh_at: Some(now + pause), pause, errors: 0 };
        self.events.push_back(Event::Allocated { relayed, relayed_v6, mapped: mapped.0 });
        None
    }

    fn fail(&mut self, now: Instant, purpose: &Purpose, failure: Failure) {
        match purpose {
            Purpose::Refresh if self.refreshes_again(now, &failure) => {}
            Purpose::Allocate | Purpose::Refresh => self.end(failure),
            // RFC 8656 §10.2, §12.2: there is no allocation to permit anything on. The server has
            // lost it, as one does that was restarted.
            Purpose::Permit(_) | Purpose::Bind(_) if failure == Failure::AllocationMismatch => {
                self.end(failure);
            }
            // Gone or out of reach: it is over either way.
            Purpose::Release => self.finish(),
            // Which of them it was is not said. A server that does not answer would not answer then.
            Purpose::Permit(peers) if peers.len() > 1 && failure != Failure::TimedOut => {
                for peer in peers {
                    self.requests.enqueue(Purpose::Permit(vec![*peer]));
                }
                self.pump(now);
            }
            Purpose::Permit(peers) => {
                for peer in peers {
                    self.peers.not_permitted(*peer);
                    self.events.push_back(Event::NotPermitted(*peer, failure.clone()));
                }
            }
            Purpose::Bind(peer) => {
                self.peers.not_bound(*peer);
                self.events.push_back(Event::NotBound(*peer, failure));
            }
        }
    }

    /// RFC 8489 §6.3.4: whether it asks again after an error of the server. Half of the lifetime is left, and with the
    /// allocation all that goes over it would be lost.
    fn refreshes_again(&mut self, now: Instant, failure: &Failure) -> bool {
        let is_servers = failure.code().is_some_and(|code| (500..600).contains(&code));
        match &mut self.phase {
            Phase::Allocated { refresh_at, errors, .. } if is_servers && *errors < MOST_ERRORS => {
                *errors += 1;
                *refresh_at = Some(now + MIN_REFRESH);
                true
            }
            _ => false,
        }
    }

    fn end(&mut self, failure: Failure) {
        if !matches!(self.phase, Phase::Closing(_)) {
            self.phase = Phase::Closing(End::Failed(failure));
        }
        self.finish();
    }

    fn finish(&mut self) {
        self.requests.clear();
        self.peers.clear();
        self.outbox.clear();
        if let Phase::Closing(end) = std::mem::replace(&mut self.phase, Phase::Ended) {
            self.events.push_back(Event::Ended(end));
        }
    }

    fn peer_refresh(&self) -> Duration {
        self.config.peer_refresh.max(MIN_REFRESH)
    }
}

/// When to refresh an allocation with this lifetime.
fn half(lifetime: Lifetime) -> Duration {
    (lifetime.0 / 2).clamp(MIN_REFRESH, MAX_REFRESH)
}

/// The relayed addresses, if they are of the families asked for.
fn relayed(message: &Message<'_>, families: Families) -> Option<(SocketAddr, Option<SocketAddr>)> {
    let mut v4 = None;
    let mut v6 = None;
    for (kind, value) in message.attributes() {
        if kind == AttributeType::XOR_RELAYED_ADDRESS {
            let address = XorRelayedAddress::decode(value, message.transaction_id()).ok()?.0;
            let slot = if address.is_ipv4() { &mut v4 } else { &mut v6 };
            slot.get_or_insert(address);
        }
    }
    match families {
        Families::Ipv4 => v4.map(|v4| (v4, None)),
        Families::Ipv6 => v6.map(|v6| (v6, None)),
        Families::Both => v4.map(|v4| (v4, v6)).or_else(|| v6.map(|v6| (v6, None))),
    }
}
