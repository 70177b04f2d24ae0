//! Guesses of the port that a symmetric NAT gives next.
//!
//! A NAT that maps by destination shows each STUN server another port than the peer will see, so that a
//! server-reflexive candidate is worthless to a peer that filters by port: the peer's checks go to a port
//! where nobody listens, and its own NAT drops ours, which come from a port that it has never sent to.
//! Many such NATs give ports in an order all the same. Several mappings of one socket, made one after the
//! other for different destinations, show it, and what comes next is no secret then.
//!
//! [`Pattern::of()`] looks for the order and [`Pattern::guesses()`] goes on with it:
//!
//! | pattern | seen | guesses |
//! |---|---|---|
//! | [`Stable`](Pattern::Stable) | one port for all destinations | none: the server-reflexive candidate is right |
//! | [`Offset`](Pattern::Offset) | outside ports as far from the inside ones, from socket to socket (zero: preserved) | the socket's own port at that distance |
//! | [`Sequential`](Pattern::Sequential) | up or down by a step | the next ones, the likelier first |
//! | [`Block`](Pattern::Block) | no order, but all in a small block | the rest of the block, if that is not much |
//! | [`Random`](Pattern::Random) | neither | none |
//!
//! Where ports are given in sequence, others behind the NAT take some of them, too. How many took theirs
//! while we looked tells how many will until our check goes out: with n in a time T before, the number k
//! in a time t follows a negative binomial distribution, which is what a Poisson process of unknown rate
//! predicts (r = n + 1/2 by Jeffreys' prior, p = T / (T + t)). A guess is the port behind k others, and
//! its confidence is the probability of k times that of the pattern itself, by the rule of succession
//! ((m + 1) / (m + 2) after m steps that fit).
//!
//! Our own packets to new destinations take ports as those of others do, but of them we know when they went:
//! each observation has its [place](Observed::place) among all destinations of the socket. So the steps
//! between two observations are set against our own, what is left over went to others, and a destination
//! that was sent to between two observations has a port [between](Pattern::between()) theirs.
//!
//! # How an agent uses it
//! Only where it is switched on and the local NAT was seen to map by destination. The gatherer asks three or
//! more server addresses from the socket that is checked from and hands in the answers in the order of its
//! requests. Each guess becomes one more server-reflexive candidate with the same base and related
//! address: of a foundation of its own and of a local preference below the measured ones, in the order of
//! the guesses. They are signaled like all others; the other side needs to know nothing of it. Its checks to
//! them open its filter, and when our check leaves by one of these ports it is let in and answered; to the
//! agent the pair is one that it has already.
//!
//! [`Question::after`] is the time from the last observation to that check, so about a trip of the signaling
//! and one round of pacing, and [`Question::before`] counts the own checks to other new destinations that
//! go first.
//!
//! It costs the *other* side one pair for each guess and own candidate, each with a slot of Ta (RFC 8445
//! §14) and its retransmissions: with sixteen guesses 0.8 s until all were tried once, one filter entry
//! each in its NAT, and part of the hundred pairs of RFC 8445 §6.1.2.5. What meets a wrong port is dropped
//! by our NAT, or meets a neighbour's mapping, which is why guesses are few, ordered, and off by default.
//! Two NATs of this kind facing each other would need the square of it: a relay is better.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The ports that NATs give away begin here (RFC 4787 §4.2.1); behind the highest comes this one again.
const LOWEST: i32 = 1024;
const PORTS: i32 = 0x1_0000 - LOWEST;
/// Two mappings that count are at most so far apart: others make mappings, too.
const FARTHEST: i32 = 64;
/// The largest block whose ports are worth guessing.
const LARGEST_BLOCK: i32 = 64;
/// The most observations that are looked at: what was longer ago says less.
const MOST_OBSERVED: usize = 32;
/// The most guesses, whatever is asked for.
const MOST_GUESSES: usize = 64;
/// A guess that is less likely is no guess.
const LEAST: f64 = 0.01;

/// A mapping that a server has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// When the request was sent.
    pub at: Instant,
    /// The socket.
    pub local: SocketAddr,
    /// How many other destinations the socket had sent to for the first time before.
    pub place: u16,
    /// What the server saw.
    pub mapped: SocketAddr,
}

/// How a NAT gives ports to one socket.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Pattern {
    /// Too little was seen.
    Unknown,
    /// All destinations see this address.
    Stable(SocketAddr),
    /// The outside port is so far from the inside one.
    Offset {
        /// Outside less inside; zero where ports are preserved.
        by: i32,
        /// The address outside, with the socket's port at that distance.
        next: SocketAddr,
        /// The probability that it goes on like this.
        confidence: f64,
    },
    /// One after the other.
    Sequential {
        /// The furthest that was given so far.
        last: SocketAddr,
        /// So far apart; negative where they go down.
        step: i32,
        /// How many others were given meanwhile, and how long that was.
        others: (u32, Duration),
        /// The probability that it goes on like this.
        confidence: f64,
    },
    /// Without order in a small block.
    Block {
        /// Its first address.
        first: SocketAddr,
        /// How many ports it has.
        size: u16,
        /// Which of them are given: a bit each, the first the lowest.
        given: u64,
    },
    /// Without an order that could be seen.
    Random,
}

/// What is to be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// From the last observation to the packet that makes the mapping.
    pub after: Duration,
    /// How many other destinations the socket will have sent to for the first time by then.
    pub before: u16,
    /// The most guesses.
    pub most: usize,
}

impl Default for Question {
    /// The next destination, half a second on, sixteen times at most.
    fn default() -> Self {
        // A trip over a distant signaling server, and a few slots of Ta.
        Self { after: Duration::from_millis(500), before: 0, most: 16 }
    }
}

/// An address that the next destination may see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guess {
    /// The address.
    pub address: SocketAddr,
    /// How likely it is, from 0 to 1. Those of all guesses together are 1 at most.
    pub confidence: f64,
}

/// Why no port is guessed for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoGuess {
    /// Too few of servers' addresses and ports have answered.
    #[error(
        "servers have answered from {0} addresses or ports, and an order shows in three at least"
    )]
    TooFew(usize),
    /// All answers came from one host.
    #[error(
        "only one server's address has answered: whether the NAT gives other hosts other ports is not known"
    )]
    OneAddress,
    /// The server-reflexive candidate is right.
    #[error("all servers see the same port, and so will the other side: there is nothing to guess")]
    SamePort,
    /// The NAT, or several in a row, have more than one address.
    #[error("servers see different addresses")]
    Addresses,
    /// Ports are given by dice, or nearly.
    #[error("the NAT gives ports in no order that could be seen")]
    NoOrder,
    /// There is an order or a block, but too many others take ports of it.
    #[error("too many ports may be the next")]
    TooMany,
}

impl Pattern {
    /// Why there is no guess in it, given what it was seen in.
    #[must_use]
    pub fn no_guess(&self, observed: &[Observed]) -> NoGuess {
        match self {
            Self::Unknown => NoGuess::TooFew(observed.len()),
            Self::Stable(_) => NoGuess::SamePort,
            Self::Random => {
                let mut addresses = observed.iter().map(|it| it.mapped.ip());
                let first = addresses.next();
                let differs = addresses.any(|ip| Some(ip) != first);
                if differs { NoGuess::Addresses } else { NoGuess::NoOrder }
            }
            Self::Offset { .. } | Self::Sequential { .. } | Self::Block { .. } => NoGuess::TooMany,
        }
    }

    /// What is to be seen in mappings of `local` and of other sockets of the same host, in the order in
    /// which their requests were sent.
    #[must_use]
    pub fn of(local: SocketAddr, observed: &[Observed]) -> Self {
        let recent = &observed[observed.len().saturating_sub(MOST_OBSERVED)..];
        let own: Vec<Observed> = recent.iter().filter(|it| it.local == local).copied().collect();
        let Some(last) = own.last() else { return Self::offset(local, recent) };
        // A NAT that changes the address, too, is beyond guessing.
        if own.iter().any(|it| it.mapped.ip() != last.mapped.ip()) {
            return Self::Random;
        }
        if own.len() > 1 && own.iter().all(|it| it.mapped == last.mapped) {
            return Self::Stable(last.mapped);
        }
        if own.len() < 3 {
            return Self::Unknown;
        }
        Self::sequential(&own).or_else(|| Self::block(&own)).unwrap_or(Self::Random)
    }

    /// The addresses that the NAT may give, the likelier first.
    #[must_use]
    pub fn guesses(&self, question: Question) -> Vec<Guess> {
        let most = question.most.min(MOST_GUESSES);
        let mut guesses = match *self {
            Self::Offset { next, confidence, .. } => vec![Guess { address: next, confidence }],
            Self::Sequential { last, step, others, confidence } => {
                behind(last, step, others, confidence, question)
            }
            Self::Block { first, size, given } => rest(first, size, given, question.before),
            Self::Unknown | Self::Stable(_) | Self::Random => Vec::new(),
        };
        guesses.retain(|guess| guess.confidence >= LEAST);
        // Stable: of two that are as likely the nearer one stays first.
        guesses.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        guesses.truncate(most);
        guesses
    }

    /// The addresses that a destination may have got that was sent to at this place, between two observed
    /// ones, the likelier first.
    #[must_use]
    pub fn between(
        &self,
        before: &Observed,
        behind: &Observed,
        place: u16,
        most: usize,
    ) -> Vec<Guess> {
        let Self::Sequential { step, confidence, .. } = *self else {
            return self.guesses(Question { most, ..Question::default() });
        };
        let way = (port(behind.mapped) - port(before.mapped)) * step.signum();
        let steps = way.rem_euclid(PORTS) / step.abs();
        let [own, ours] =
            [behind.place, place].map(|it| i32::from(it.saturating_sub(before.place)));
        // Others took what our own destinations don't explain; how many of them before this one nobody
        // knows, but it is likely to be their share.
        let others = (steps - own).clamp(0, FARTHEST);
        let share = others * ours / own.max(1);
        let mut turns: Vec<i32> = (0..=others).collect();
        turns.sort_by_key(|turn| (turn - share).abs());
        let each = confidence / f64::from(others + 1);
        let address = |turn: i32| at(before.mapped, port(before.mapped) + step * (ours + turn));
        let guesses =
            turns.into_iter().map(|turn| Guess { address: address(turn), confidence: each });
        guesses.take(most.min(MOST_GUESSES)).collect()
    }

    /// Without a mapping of its own: do other sockets' outside ports lie as far from their inside ones?
    fn offset(local: SocketAddr, observed: &[Observed]) -> Self {
        let mut firsts: Vec<Observed> = Vec::new();
        for it in observed.iter().filter(|it| it.local.ip() == local.ip()) {
            // Only a socket's first mapping can have the port that is meant for it.
            if !firsts.iter().any(|first| first.local == it.local) {
                firsts.push(*it);
            }
        }
        let distance = |it: &Observed| port(it.mapped) - port(it.local);
        let Some(last) = firsts.last().filter(|_| firsts.len() > 1) else { return Self::Unknown };
        let by = distance(last);
        let fitting = firsts.iter().filter(|it| distance(it) == by).count();
        // A clash with somebody else's port makes an exception.
        let next = u16::try_from(port(local) + by).ok().filter(|next| *next != 0);
        match next {
            Some(next) if fitting > 1 && fitting * 2 > firsts.len() => Self::Offset {
                by,
                next: SocketAddr::new(last.mapped.ip(), next),
                confidence: succession(fitting, firsts.len()),
            },
            _ => Self::Random,
        }
    }

    fn sequential(own: &[Observed]) -> Option<Self> {
        let (first, newest) = (own.first()?, own.last()?);
        let unrolled = unroll(own);
        let run = run_with_last(&unrolled);
        let mut places: Vec<(i32, i32)> =
            unrolled.iter().zip(own).map(|(at, it)| (*at, i32::from(it.place))).collect();
        places.retain(|(at, _)| run.contains(at));
        places.sort_unstable();
        places.dedup_by_key(|(at, _)| *at);
        // A single mapping elsewhere was somebody's clash, or the jump to another block.
        if run.len() < 3 || run.len() * 3 < own.len() * 2 {
            return None;
        }
        let kept = |at: &i32| run.contains(at);
        let in_order: Vec<i32> = unrolled.iter().copied().filter(kept).collect();
        let moves = || in_order.windows(2).map(|pair| pair[1] - pair[0]);
        let rise: i32 = moves().filter(|it| *it > 0).sum();
        let fall: i32 = -moves().filter(|it| *it < 0).sum::<i32>();
        // What was sent first need not have arrived first, but then it is not far off.
        let direction = match (fall * 3 <= rise, rise * 3 <= fall) {
            (true, _) => 1,
            (_, true) => -1,
            _ => return None,
        };
        // Of each gap in the ports, how many of our own destinations lie in it.
        let gaps: Vec<(i32, i32)> = places
            .windows(2)
            .map(|pair| (pair[1].0 - pair[0].0, (pair[1].1 - pair[0].1).abs().max(1)))
            .collect();
        let step = step(&gaps);
        let span = run.last()? - run.first()?;
        let others = span / step - gaps.iter().map(|(_, own)| own).sum::<i32>();
        let furthest = if direction > 0 { *run.last()? } else { *run.first()? };
        Some(Self::Sequential {
            last: at(newest.mapped, furthest),
            step: step * direction,
            others: (
                u32::try_from(others.max(0)).ok()?,
                newest.at.saturating_duration_since(first.at),
            ),
            confidence: succession(gaps.len(), own.len() - 1),
        })
    }

    fn block(own: &[Observed]) -> Option<Self> {
        let ports = || own.iter().map(|it| port(it.mapped));
        let (lowest, highest) = (ports().min()?, ports().max()?);
        let mut size = 4;
        while lowest / size != highest / size {
            size *= 2;
        }
        // Three of a small block may be there by chance.
        if own.len() < 4 || size > LARGEST_BLOCK {
            return None;
        }
        let first = lowest / size * size;
        let given = ports().fold(0_u64, |given, port| given | 1 << (port - first));
        let address = at(own.last()?.mapped, first);
        Some(Self::Block { first: address, size: u16::try_from(size).ok()?, given })
    }
}

/// The ports behind the last one, and how likely each is.
fn behind(
    last: SocketAddr,
    step: i32,
    (others, seen_for): (u32, Duration),
    confidence: f64,
    question: Question,
) -> Vec<Guess> {
    // Requests that left at once have seen no more of the others than this.
    let seen_for = seen_for.as_secs_f64().max(0.001);
    let r = f64::from(others) + 0.5;
    let p = seen_for / (seen_for + question.after.as_secs_f64());
    let mut probability = p.powf(r);
    let ours = 1 + i32::from(question.before);
    let mut guesses = Vec::new();
    // Beyond these no probability of a single port is worth it.
    for k in 0..4 * FARTHEST {
        let address = at(last, port(last) + step * (ours + k));
        guesses.push(Guess { address, confidence: probability * confidence });
        let k = f64::from(k);
        probability *= (r + k) / (k + 1.0) * (1.0 - p);
    }
    guesses
}

/// What a block has left, each as likely as the others.
fn rest(first: SocketAddr, size: u16, given: u64, before: u16) -> Vec<Guess> {
    let free: Vec<i32> = (0..i32::from(size)).filter(|bit| given & 1 << bit == 0).collect();
    // Those that our own other checks take are not known beforehand: nothing is less likely for it.
    if free.len() <= usize::from(before) {
        return Vec::new();
    }
    let seen = f64::from(given.count_ones());
    let confidence = seen / (seen + 1.0) / f64::from(u32::try_from(free.len()).unwrap_or(u32::MAX));
    free.iter().map(|bit| Guess { address: at(first, port(first) + bit), confidence }).collect()
}

/// How far apart ports are given, when some of those between went to others. Each gap comes with how many of
/// our own destinations it spans.
fn step(gaps: &[(i32, i32)]) -> i32 {
    // If it was only ours, all are as long.
    let single = |(gap, own): &(i32, i32)| if gap % own == 0 { gap / own } else { *gap };
    let divisor = gaps.iter().map(single).fold(0, divisor);
    let is_regular = gaps.iter().all(|(gap, own)| *gap == divisor * own);
    match divisor {
        1 | 2 => divisor,
        // Rarer steps have to show themselves undisturbed.
        _ if is_regular => divisor,
        _ => 1,
    }
}

fn divisor(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// Laplace's rule: how likely it goes on, after so many of so many times.
fn succession(fitting: usize, times: usize) -> f64 {
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    (count(fitting) + 1.0) / (count(times) + 2.0)
}

/// The ports on a line instead of a circle: each as near to the one before as it can be.
fn unroll(own: &[Observed]) -> Vec<i32> {
    let mut line: Vec<i32> = Vec::with_capacity(own.len());
    for it in own {
        let place = match line.last() {
            None => port(it.mapped),
            Some(before) => {
                let distance = (port(it.mapped) - before).rem_euclid(PORTS);
                let nearest = if distance > PORTS / 2 { distance - PORTS } else { distance };
                before + nearest
            }
        };
        line.push(place);
    }
    line
}

/// The places around the last one, sorted, as long as the next one is near.
fn run_with_last(line: &[i32]) -> Vec<i32> {
    let mut sorted = line.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let runs = sorted.chunk_by(|a, b| b - a <= FARTHEST);
    let last = line.last().copied().unwrap_or_default();
    runs.filter(|run| run.contains(&last)).flatten().copied().collect()
}

fn port(address: SocketAddr) -> i32 {
    i32::from(address.port())
}

/// The address with the port at a place of the line.
fn at(address: SocketAddr, place: i32) -> SocketAddr {
    let port = (place - LOWEST).rem_euclid(PORTS) + LOWEST;
    SocketAddr::new(address.ip(), u16::try_from(port).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(ports: &[u16]) -> (SocketAddr, Vec<Observed>) {
        let local = "10.0.0.1:5000".parse().unwrap();
        let begin = talkie_sansio::conformance::genesis().now;
        let mapped = |port| SocketAddr::from(([198, 51, 100, 1], port));
        let make = |(number, port): (usize, &u16)| Observed {
            at: begin + Duration::from_millis(20) * u32::try_from(number).unwrap(),
            local,
            place: u16::try_from(number).unwrap(),
            mapped: mapped(*port),
        };
        (local, ports.iter().enumerate().map(make).collect())
    }

    fn first_guesses(ports: &[u16], count: usize) -> Vec<u16> {
        let (local, observed) = observed(ports);
        let guesses = Pattern::of(local, &observed).guesses(Question::default());
        guesses.iter().take(count).map(|guess| guess.address.port()).collect()
    }

    #[test]
    fn what_comes_next_is_guessed_first() {
        assert_eq!(first_guesses(&[2000, 2001, 2002], 2), [2003, 2004]);
        assert_eq!(first_guesses(&[2000, 2002, 2004], 2), [2006, 2008]);
        assert_eq!(first_guesses(&[2004, 2003, 2002], 2), [2001, 2000]);
        assert_eq!(first_guesses(&[2004, 2002, 2000], 2), [1998, 1996]);
        // Overtaken on the way.
        assert_eq!(first_guesses(&[2000, 2002, 2001, 2003], 1), [2004]);
        // Past the highest port, and past the lowest.
        assert_eq!(first_guesses(&[65534, 65535, 1024], 2), [1025, 1026]);
        assert_eq!(first_guesses(&[1025, 1024, 65535], 2), [65534, 65533]);
        // One that was elsewhere.
        assert_eq!(first_guesses(&[40000, 2000, 2001, 2002], 1), [2003]);
    }

    /// Observations with places, and what is guessed of a place that was not observed.
    fn guessed_at(seen: &[(u16, u16)], place: u16) -> Vec<u16> {
        let ports: Vec<u16> = seen.iter().map(|(_, port)| *port).collect();
        let (local, mut observed) = observed(&ports);
        for (it, (place, _)) in observed.iter_mut().zip(seen) {
            it.place = *place;
        }
        let pattern = Pattern::of(local, &observed);
        let behind = observed.iter().position(|it| it.place > place);
        let guesses = match behind {
            Some(at) => pattern.between(&observed[at - 1], &observed[at], place, 4),
            None => {
                let before = place - observed.last().unwrap().place - 1;
                pattern.guesses(Question { before, most: 2, ..Question::default() })
            }
        };
        guesses.iter().map(|guess| guess.address.port()).collect()
    }

    #[test]
    fn our_own_packets_are_no_riddle() {
        // A check of ours went between the first two observations, and two between the last.
        let seen = [(0, 2000), (2, 2002), (5, 2005)];
        assert_eq!(guessed_at(&seen, 1), [2001]);
        assert_eq!(guessed_at(&seen, 3), [2003]);
        assert_eq!(guessed_at(&seen, 6), [2006, 2007]);
        assert_eq!(guessed_at(&seen, 8), [2008, 2009]);
        // As far apart as our own destinations are, times four; and downwards over the edge.
        assert_eq!(guessed_at(&[(0, 2000), (2, 2008), (3, 2012)], 1), [2004]);
        assert_eq!(guessed_at(&[(0, 1025), (1, 1024), (3, 65534)], 2), [65535]);
        // Somebody else's are before ours or behind it.
        assert_eq!(guessed_at(&[(0, 2000), (1, 2001), (3, 2004)], 2), [2002, 2003]);
    }

    #[test]
    fn nothing_is_guessed_where_nothing_is_to_be_seen() {
        let pattern = |ports: &[u16]| {
            let (local, observed) = observed(ports);
            Pattern::of(local, &observed)
        };
        for ports in [&[][..], &[2000], &[2000, 2001]] {
            assert_eq!(pattern(ports), Pattern::Unknown, "{ports:?}");
        }
        assert!(matches!(pattern(&[2000, 2000, 2000]), Pattern::Stable(_)));
        assert_eq!(pattern(&[2000, 9000, 41000, 30000]), Pattern::Random);
        assert_eq!(pattern(&[2000, 2001, 41000]), Pattern::Random);
        for ports in [&[2000, 2001][..], &[2000, 2000], &[2000, 9000, 41000, 30000]] {
            assert_eq!(first_guesses(ports, 1), [], "{ports:?}");
        }
    }

    #[test]
    fn a_socket_gets_the_port_beside_its_neighbours_or_its_own() {
        let begin = talkie_sansio::conformance::genesis().now;
        let guess = |pairs: &[(u16, u16)]| {
            let make = |(inside, outside): &(u16, u16)| Observed {
                at: begin,
                local: SocketAddr::from(([10, 0, 0, 1], *inside)),
                place: 0,
                mapped: SocketAddr::from(([198, 51, 100, 1], *outside)),
            };
            let observed: Vec<_> = pairs.iter().map(make).collect();
            let local = SocketAddr::from(([10, 0, 0, 1], 6000));
            let guesses = Pattern::of(local, &observed).guesses(Question::default());
            guesses.first().map(|guess| guess.address.port())
        };
        assert_eq!(guess(&[(5000, 5000), (5001, 5001)]), Some(6000));
        assert_eq!(guess(&[(5998, 9000), (5999, 9001)]), Some(9002));
        assert_eq!(guess(&[(5000, 5000), (5001, 1024), (5002, 5002)]), Some(6000));
        assert_eq!(guess(&[(5000, 5000)]), None);
        assert_eq!(guess(&[(5000, 7000), (5001, 8123), (5002, 5555)]), None);
        assert_eq!(guess(&[(1000, 61000), (1001, 61001)]), None, "there is no such port");
    }

    #[test]
    fn a_small_block_is_guessed_and_a_large_one_is_not() {
        let (local, observed_small) = observed(&[2051, 2048, 2054, 2049]);
        let pattern = Pattern::of(local, &observed_small);
        assert!(matches!(pattern, Pattern::Block { size: 8, .. }), "{pattern:?}");
        let guesses = pattern.guesses(Question::default());
        let mut ports: Vec<_> = guesses.iter().map(|guess| guess.address.port()).collect();
        ports.sort_unstable();
        assert_eq!(ports, [2050, 2052, 2053, 2055]);
        assert_eq!(first_guesses(&[2051, 2548, 2154, 2349], 1), []);
    }

    #[test]
    fn guesses_are_few_and_no_more_certain_than_can_be() {
        for ports in [
            &[2000, 2001, 2002][..],
            &[2000, 2010, 2030, 2055],
            &[2000, 2060, 2120],
            &[2051, 2048, 2054, 2049],
        ] {
            let (local, observed) = observed(ports);
            let pattern = Pattern::of(local, &observed);
            for (after, before, most) in [(0, 0, 16), (500, 0, 16), (5000, 3, 1000), (60_000, 0, 4)]
            {
                let after = Duration::from_millis(after);
                let guesses = pattern.guesses(Question { after, before, most });
                assert!(guesses.len() <= most.min(MOST_GUESSES));
                let total: f64 = guesses.iter().map(|guess| guess.confidence).sum();
                assert!(total <= 1.0, "{total} for {ports:?}");
                assert!(guesses.is_sorted_by(|a, b| a.confidence >= b.confidence));
                assert!(guesses.iter().all(|guess| guess.address.port() >= 1024));
            }
        }
    }

    #[test]
    fn the_longer_it_takes_the_less_is_certain() {
        let (local, observed) = observed(&[2000, 2002, 2003, 2006]);
        let pattern = Pattern::of(local, &observed);
        let total = |after| {
            let after = Duration::from_millis(after);
            let guesses = pattern.guesses(Question { after, ..Question::default() });
            guesses.iter().map(|guess| guess.confidence).sum::<f64>()
        };
        assert!(total(20) > total(200) && total(200) > total(2000));
    }
}
