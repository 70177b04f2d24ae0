//! Allocate requests (RFC 8656 §7.2): the checks, and the way from a request over the opening of
//! relay sockets to its answer.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::auth::Caller;
use super::event::{Event, OpenError, RelayId, Traffic};
use super::ports::Parity;
use super::reply::Asker;
use super::table::{
    Allocation, Answer, Family, Half, Id, Opening, Owner, Relay, RelayKey, Reservation, source,
};
use super::{Outcome, Timer, TurnServer};
use crate::stun::attributes::{
    AdditionalAddressFamily, AddressErrorCode, AddressFamily, ErrorCode, EvenPort, Lifetime,
    RequestedAddressFamily, RequestedTransport, ReservationToken, XorRelayedAddress,
};
use crate::stun::{Message, Method};
use rand_core::Rng as _;

/// How long the driver has to answer OpenRelay: well inside the 39.5 s that a client waits for its
/// answer (RFC 8489 §6.2.1).
const OPENING: Duration = Duration::from_secs(10);
/// How many ports are tried for one request, should others own the first ones.
const TRIES: u8 = 8;

/// What a request asks for, once it makes sense.
struct Want {
    families: [bool; 2],
    even: Option<bool>,
    token: Option<ReservationToken>,
    seconds: u32,
}

/// What is given of it.
struct Offer {
    advertised: [Option<IpAddr>; 2],
    refused: Option<(Family, u16)>,
}

impl TurnServer {
    pub(super) fn allocate(
        &mut self,
        now: Instant,
        asker: Asker,
        caller: &Caller,
        request: &Message<'_>,
    ) -> Outcome {
        if let Some(id) = self.table.find(&asker.path) {
            return self.allocate_again(asker, caller, id);
        }
        let want = self.want(request)?;
        if let Some(token) = want.token {
            return self.allocate_reserved(now, asker, caller, token, want.seconds);
        }
        let (user, named) = self.accounts.identity(&caller.username);
        let offer = self.offer(&want, asker.path.local.ip().to_canonical(), named)?;
        let reserve = usize::from(want.even == Some(true));
        let source = source(&asker.path);
        self.check_quota(user, source, 1 + reserve)?;
        let user = self.table.charge(user, source);
        let opening = Opening {
            signer: caller.signer.clone(),
            seconds: want.seconds,
            even: want.even,
            companion: None,
            refused: offer.refused,
            tries: TRIES,
            expires: now + OPENING,
        };
        let mut allocation = self.blank(asker, caller, user, now);
        allocation.opening = Some(Box::new(opening));
        let id = self.table.insert(allocation);
        self.arm(id);
        let opened = Family::BOTH.map(|family| match offer.advertised[family as usize] {
            Some(ip) => self.open_half(id, family, ip),
            None => true,
        });
        for family in Family::BOTH {
            if !opened[family as usize] {
                self.half_failed(now, id, family);
            }
        }
        Ok(())
    }

    /// A second Allocate on a 5-tuple: the same one once more (RFC 8656 §5), or a mismatch.
    fn allocate_again(&mut self, asker: Asker, caller: &Caller, id: Id) -> Outcome {
        let allocation = self.table.get(id).expect("it was found by its path");
        if allocation.transaction != asker.transaction || *allocation.username != *caller.username {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        }
        // While the relays are being opened the answer is on its way.
        if let Some(answer) = allocation.answer {
            answer.send(asker, &mut self.outbox, &caller.signer);
        }
        Ok(())
    }

    /// RFC 8656 §7.2, steps 3 to 9, as far as the request alone decides.
    fn want(&self, request: &Message<'_>) -> Result<Want, ErrorCode<'static>> {
        let bad = |_| ErrorCode::BAD_REQUEST;
        let transport =
            request.get::<RequestedTransport>().map_err(bad)?.ok_or(ErrorCode::BAD_REQUEST)?;
        if transport != RequestedTransport::UDP {
            return Err(ErrorCode::UNSUPPORTED_TRANSPORT);
        }
        let even = request.get::<EvenPort>().map_err(bad)?.map(|even| even.reserve_next);
        let token = request.get::<ReservationToken>().map_err(bad)?;
        let family = request.get::<RequestedAddressFamily>().map_err(bad)?;
        let additional = request.get::<AdditionalAddressFamily>().map_err(bad)?;
        let clash = (token.is_some()
            && (even.is_some() || family.is_some() || additional.is_some()))
            || (family.is_some() && additional.is_some())
            || (even == Some(true) && additional.is_some());
        if clash {
            return Err(ErrorCode::BAD_REQUEST);
        }
        let mut families = [false; 2];
        match (family, additional) {
            (Some(RequestedAddressFamily(family)), _) => {
                let family =
                    Family::from_wire(family).ok_or(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED)?;
                families[family as usize] = true;
            }
            // §18.11: the value is IPv6; IPv4 is what one gets anyway.
            (None, Some(AdditionalAddressFamily(AddressFamily::IPV6))) => families = [true; 2],
            (None, Some(_)) => return Err(ErrorCode::BAD_REQUEST),
            (None, None) => families[Family::V4 as usize] = true,
        }
        let lifetime = request.get::<Lifetime>().map_err(bad)?;
        Ok(Want { families, even, token, seconds: self.granted(lifetime) })
    }

    /// RFC 8656 §7.2: no less than the default, no more than the maximum.
    pub(super) fn granted(&self, asked: Option<Lifetime>) -> u32 {
        let asked = asked.map_or(Duration::ZERO, |Lifetime(asked)| asked);
        let granted = asked.min(self.config.max_lifetime).max(self.config.default_lifetime);
        u32::try_from(granted.as_secs()).unwrap_or(u32::MAX)
    }

    /// Which of the wanted families can be given, and the addresses to tell. One of two may be
    /// missing (§7.2, step 9).
    fn offer(
        &self,
        want: &Want,
        local: IpAddr,
        named: Option<IpAddr>,
    ) -> Result<Offer, ErrorCode<'static>> {
        let mut offer = Offer { advertised: [None; 2], refused: None };
        let mut error = ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED;
        for family in Family::BOTH.into_iter().filter(|family| want.families[*family as usize]) {
            let code = if self.relay_address(family).is_none() {
                ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED
            } else if let Some(ip) = self.advertised(family, local, named) {
                offer.advertised[family as usize] = Some(ip);
                continue;
            } else {
                ErrorCode::INSUFFICIENT_CAPACITY
            };
            offer.refused = Some((family, code.code));
            error = code;
        }
        if offer.advertised == [None; 2] { Err(error) } else { Ok(offer) }
    }

    fn relay_address(&self, family: Family) -> Option<super::RelayAddress> {
        match family {
            Family::V4 => self.config.relay_v4,
            Family::V6 => self.config.relay_v6,
        }
    }

    /// What to tell a client of its relay's address, best first: what its credential says, where it
    /// reached us, what the operator set.
    fn advertised(&self, family: Family, local: IpAddr, named: Option<IpAddr>) -> Option<IpAddr> {
        let fits =
            |ip: &IpAddr| Family::of(*ip) == family && !ip.is_unspecified() && !ip.is_multicast();
        let local = Some(local).filter(|_| self.config.advertise_local);
        let set = self.relay_address(family).map(|relay| relay.advertise);
        [named, local, set].into_iter().flatten().find(fits)
    }

    fn check_quota(&self, user: &str, source: IpAddr, more: usize) -> Outcome {
        self.check_shares((user, more), (source, more))?;
        if self.table.load() + more > self.config.limits.allocations {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        Ok(())
    }

    /// Whether a user and a source may have so many more.
    fn check_shares(&self, user: (&str, usize), source: (IpAddr, usize)) -> Outcome {
        let limits = &self.config.limits;
        if self.table.held_by(user.0) + user.1 > limits.allocations_per_user
            || self.table.held_from(source.0) + source.1 > limits.allocations_per_address
        {
            return Err(ErrorCode::ALLOCATION_QUOTA_REACHED);
        }
        Ok(())
    }

    fn blank(
        &self,
        asker: Asker,
        caller: &Caller,
        user: std::sync::Arc<str>,
        now: Instant,
    ) -> Allocation {
        Allocation {
            path: asker.path,
            username: caller.username.as_str().into(),
            user,
            transaction: asker.transaction,
            halves: [None; 2],
            answer: None,
            opening: None,
            armed: now,
            permissions: self.table.map(),
            channels: self.table.map(),
            numbers: self.table.map(),
            to_peers: Traffic::default(),
            to_client: Traffic::default(),
        }
    }

    /// Asks for the relay sockets of one family. `false`: no port is free.
    fn open_half(&mut self, id: Id, family: Family, advertise: IpAddr) -> bool {
        let Some(allocation) = self.table.get(id) else { return true };
        let Some(opening) = &allocation.opening else { return true };
        let expires = opening.expires;
        let parity = match opening.even {
            None => Parity::Any,
            Some(false) => Parity::Even,
            Some(true) => Parity::EvenWithNext,
        };
        let Some(port) = self.pick_port(family, parity) else { return false };
        let bound = self.open_relay(family, port, Owner::Allocation(id));
        let companion = (parity == Parity::EvenWithNext).then(|| {
            self.open_relay(family, port + 1, Owner::Companion(id));
            RelayKey(family, port + 1)
        });
        let allocation = self.table.get_mut(id).expect("it was there above");
        let advertised = SocketAddr::new(advertise, port);
        let relay = RelayKey(family, port);
        allocation.halves[family as usize] = Some(Half { relay, bound, advertised, expires });
        if let Some(opening) = &mut allocation.opening {
            opening.companion = companion;
        }
        true
    }

    fn open_relay(&mut self, family: Family, port: u16, owner: Owner) -> SocketAddr {
        let address = self.relay_address(family).expect("only configured families are opened");
        let local = SocketAddr::new(address.bind, port);
        let key = RelayKey(family, port);
        self.relay_serial += 1;
        let relay = RelayId { serial: self.relay_serial, key };
        self.table.relays.insert(key, Relay { id: relay, bound: local, opened: false, owner });
        self.events.push_back(Event::OpenRelay { relay, local });
        local
    }

    /// The driver's answer to [`Event::OpenRelay`]. One for a relay that was closed meanwhile is
    /// ignored.
    pub fn handle_relay_opened(
        &mut self,
        now: Instant,
        relay: RelayId,
        result: Result<(), OpenError>,
    ) {
        self.flows.forget();
        let Some(found) = self.table.relays.get_mut(&relay.key) else { return };
        if found.id != relay || found.opened {
            return;
        }
        let (Owner::Allocation(id) | Owner::Companion(id)) = found.owner else { return };
        match result {
            Ok(()) => {
                found.opened = true;
                self.complete(now, id);
            }
            Err(error) => {
                self.table.relays.remove(&relay.key);
                self.opening_failed(now, id, relay.key.0, error);
            }
        }
    }

    /// A socket of `family` could not be had: another port, or none.
    fn opening_failed(&mut self, now: Instant, id: Id, family: Family, error: OpenError) {
        let Some(allocation) = self.table.get_mut(id) else { return };
        let Some(half) = allocation.halves[family as usize].take() else { return };
        let Some(opening) = &mut allocation.opening else { return };
        // Of a pair the other port is of no use alone.
        let companion = opening.companion.take();
        opening.tries = opening.tries.saturating_sub(1);
        let again = error == OpenError::PortTaken && opening.tries > 0;
        for key in [Some(half.relay), companion].into_iter().flatten() {
            self.close_relay(key);
        }
        if !again || !self.open_half(id, family, half.advertised.ip()) {
            self.half_failed(now, id, family);
        }
    }

    /// `family` is not to be had; the other one may be, or may be on its way.
    fn half_failed(&mut self, now: Instant, id: Id, family: Family) {
        let Some(allocation) = self.table.get_mut(id) else { return };
        let Some(opening) = &mut allocation.opening else { return };
        opening.refused = Some((family, ErrorCode::INSUFFICIENT_CAPACITY.code));
        if allocation.halves.iter().any(Option::is_some) {
            self.complete(now, id);
        } else {
            self.give_up(id);
        }
    }

    /// Answers an Allocate that cannot be served with 508 and forgets it.
    pub(super) fn give_up(&mut self, id: Id) {
        let Some(mut allocation) = self.table.remove(id) else { return };
        self.table.discharge(&allocation.user, allocation.source());
        let Some(opening) = allocation.opening.take() else { return };
        let halves = allocation.halves.iter().flatten().map(|half| half.relay);
        for key in halves.chain(opening.companion) {
            self.close_relay(key);
        }
        self.count_error(ErrorCode::INSUFFICIENT_CAPACITY);
        asker(&allocation).error(
            &mut self.outbox,
            Some(&opening.signer),
            ErrorCode::INSUFFICIENT_CAPACITY,
            &[],
        );
    }

    /// Answers the Allocate if all its relays are open.
    fn complete(&mut self, now: Instant, id: Id) {
        let Some(allocation) = self.table.get(id) else { return };
        let Some(opening) = &allocation.opening else { return };
        let is_open = |key: RelayKey| self.table.relays.get(&key).is_some_and(|relay| relay.opened);
        let mut keys =
            allocation.halves.iter().flatten().map(|half| half.relay).chain(opening.companion);
        if !keys.all(is_open) {
            return;
        }
        let allocation = self.table.get_mut(id).expect("it was there above");
        let opening = allocation.opening.take().expect("it was there above");
        let lifetime = Duration::from_secs(u64::from(opening.seconds));
        let mut relayed = [None; 2];
        for family in Family::BOTH {
            if let Some(half) = &mut allocation.halves[family as usize] {
                half.expires = now + lifetime;
                relayed[family as usize] = Some(half.advertised);
            }
        }
        let token = opening.companion.map(|companion| self.reserve(now, id, companion));
        let answer = Answer { relayed, seconds: opening.seconds, token, refused: opening.refused };
        let allocation = self.table.get_mut(id).expect("it was there above");
        allocation.answer = Some(answer);
        answer.send(asker(allocation), &mut self.outbox, &opening.signer);
        self.arm(id);
        self.announce(id, lifetime);
    }

    /// Keeps `companion` for whoever brings the token (RFC 8656 §7.2).
    fn reserve(&mut self, now: Instant, id: Id, companion: RelayKey) -> ReservationToken {
        let mut token = [0; 8];
        self.rng.fill_bytes(&mut token);
        let token = ReservationToken(token);
        let allocation = self.table.get(id).expect("only a live allocation reserves");
        let half = allocation.half(companion.0).expect("a reserved port is next to a relay");
        let (advertise, user) = (half.advertised.ip(), allocation.user.clone());
        let source = allocation.source();
        let expires = now + self.config.reservation_lifetime;
        // It counts like an allocation, or one user could reserve the whole range.
        let user = self.table.charge(&user, source);
        let reservation = Reservation { relay: companion, user, source, advertise, expires };
        self.table.reservations.insert(token, reservation);
        if let Some(relay) = self.table.relays.get_mut(&companion) {
            relay.owner = Owner::Reservation(token);
        }
        self.deadlines.arm(expires, Timer::Reservation(token));
        token
    }

    /// An Allocate that brings a token; the socket is open already.
    fn allocate_reserved(
        &mut self,
        now: Instant,
        asker: Asker,
        caller: &Caller,
        token: ReservationToken,
        seconds: u32,
    ) -> Outcome {
        let reservation = self
            .table
            .reservations
            .get(&token)
            .filter(|reservation| now < reservation.expires)
            .ok_or(ErrorCode::INSUFFICIENT_CAPACITY)?;
        let (user, _) = self.accounts.identity(&caller.username);
        // The reservation's own place becomes the allocation's.
        let source = source(&asker.path);
        let user_more = usize::from(*reservation.user != *user);
        let source_more = usize::from(reservation.source != source);
        self.check_shares((user, user_more), (source, source_more))?;
        let reservation =
            self.table.reservations.remove(&token).ok_or(ErrorCode::INSUFFICIENT_CAPACITY)?;
        self.table.discharge(&reservation.user, reservation.source);
        let user = self.table.charge(user, source);
        let RelayKey(family, port) = reservation.relay;
        let lifetime = Duration::from_secs(u64::from(seconds));
        let advertised = SocketAddr::new(reservation.advertise, port);
        let bound = self.table.relays.get(&reservation.relay).map(|relay| relay.bound);
        let mut allocation = self.blank(asker, caller, user, now);
        allocation.halves[family as usize] = Some(Half {
            relay: reservation.relay,
            bound: bound.expect("a reservation holds its relay"),
            advertised,
            expires: now + lifetime,
        });
        let mut relayed = [None; 2];
        relayed[family as usize] = Some(advertised);
        let answer = Answer { relayed, seconds, token: None, refused: None };
        allocation.answer = Some(answer);
        let id = self.table.insert(allocation);
        if let Some(relay) = self.table.relays.get_mut(&reservation.relay) {
            relay.owner = Owner::Allocation(id);
        }
        answer.send(asker, &mut self.outbox, &caller.signer);
        self.arm(id);
        self.announce(id, lifetime);
        Ok(())
    }
}

impl Answer {
    /// RFC 8656 §7.2.
    fn send(&self, asker: Asker, outbox: &mut super::Outbox, signer: &super::reply::Signer) {
        asker.success(outbox, Some(signer), |writer| {
            for relayed in self.relayed.into_iter().flatten() {
                writer.attribute(&XorRelayedAddress(relayed));
            }
            writer.attribute(&Lifetime(Duration::from_secs(u64::from(self.seconds))));
            writer.optional(self.token.as_ref());
            if let Some((family, code)) = self.refused {
                writer.attribute(&AddressErrorCode { family: family.to_wire(), code, reason: "" });
            }
            writer.attribute(&asker.mapped());
        });
    }
}

/// Whom the answer of `allocation`'s Allocate goes to.
fn asker(allocation: &Allocation) -> Asker {
    Asker { path: allocation.path, method: Method::ALLOCATE, transaction: allocation.transaction }
}
