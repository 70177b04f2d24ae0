//! Guessed ports against the simulator's NATs, with neighbours that take ports of their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::conformance::genesis;
use talkie_sim::nat::{Config, Nat, Ports, Protocol, Verdict};
use talkie_traversal::ice::predict::{Observed, Pattern, Question};

const SEEDS: u8 = 200;
const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5000);

/// A symmetric NAT with neighbours behind it.
struct Street {
    nat: Nat,
    rng: ChaCha8Rng,
    now: Instant,
    /// When the next neighbour opens a connection, and how many do in a second.
    next: Instant,
    rate: f64,
    opened: u16,
}

impl Street {
    fn new(ports: Ports, rate: f64, seed: u8) -> Self {
        let outside = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
        let config = Config { ports, ..Config::symmetric([outside]) };
        let now = genesis().now;
        let rng = ChaCha8Rng::from_seed([seed.wrapping_add(100); 32]);
        let nat = Nat::new(config, [seed; 32]);
        let mut street = Self { nat, rng, now, next: now, rate, opened: 0 };
        street.plan();
        // It has been there for a while.
        street.pass(Duration::from_secs(2));
        street
    }

    fn plan(&mut self) {
        let uniform = (f64::from(self.rng.next_u32()) + 1.0) / (f64::from(u32::MAX) + 1.0);
        let wait = if self.rate > 0.0 { -uniform.ln() / self.rate } else { 1e6 };
        self.next += Duration::from_secs_f64(wait);
    }

    fn send(&mut self, inside: SocketAddr, remote: SocketAddr) -> SocketAddr {
        match self.nat.handle_outbound(self.now, Protocol::Udp, inside, remote) {
            Verdict::Outside { source } => source,
            other => panic!("{other:?}"),
        }
    }

    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        while self.next <= until {
            self.now = self.next;
            self.opened = self.opened.wrapping_add(1);
            let inside = SocketAddr::from(([10, 0, 0, 2], 1024 + self.opened));
            self.send(inside, SocketAddr::from(([192, 0, 2, 77], 443)));
            self.plan();
        }
        self.now = until;
    }

    /// Asks four server addresses, one Ta after the other.
    fn observe(&mut self) -> Vec<Observed> {
        let servers = [
            ([192, 0, 2, 1], 3478),
            ([192, 0, 2, 1], 3479),
            ([192, 0, 2, 2], 3478),
            ([192, 0, 2, 2], 3479),
        ];
        let mut observed = Vec::new();
        for (place, server) in (0..).zip(servers) {
            let mapped = self.send(LOCAL, SocketAddr::from(server));
            observed.push(Observed { at: self.now, local: LOCAL, place, mapped });
            self.pass(Duration::from_millis(50));
        }
        observed
    }
}

struct Score {
    /// How often the port was among the guesses, of all seeds.
    hits: f64,
    /// How often it should have been, by its own account.
    claimed: f64,
    guesses: usize,
}

fn score(ports: Ports, rate: f64, question: Question) -> Score {
    let mut score = Score { hits: 0.0, claimed: 0.0, guesses: 0 };
    for seed in 0..SEEDS {
        let mut street = Street::new(ports, rate, seed);
        let observed = street.observe();
        let guesses = Pattern::of(LOCAL, &observed).guesses(question);
        assert!(guesses.len() <= question.most);
        // The last answer was waited for, too.
        street.pass(question.after.saturating_sub(Duration::from_millis(50)));
        for other in 0..question.before {
            street.send(LOCAL, SocketAddr::from(([203, 0, 113, 200], 1000 + other)));
        }
        let peer = SocketAddr::from(([203, 0, 113, 7], 6000));
        let actual = street.send(LOCAL, peer);
        let is_hit = guesses.iter().any(|guess| guess.address == actual);
        score.hits += f64::from(u8::from(is_hit)) / f64::from(SEEDS);
        let claimed: f64 = guesses.iter().map(|guess| guess.confidence).sum();
        score.claimed += claimed / f64::from(SEEDS);
        score.guesses += guesses.len();
    }
    score
}

#[test]
fn a_quiet_nat_that_counts_is_always_guessed() {
    for ports in [Ports::Sequential { step: 1 }, Ports::Sequential { step: 2 }, Ports::Preserving] {
        for before in [0, 3] {
            let score = score(ports, 0.0, Question { before, ..Question::default() });
            assert!(score.hits > 0.999, "{ports:?}: {}", score.hits);
        }
    }
}

#[test]
fn among_neighbours_most_guesses_are_still_right() {
    // Neighbours' new connections in a second, and the least share of hits within half a second.
    for (rate, least) in [(1.0, 0.95), (5.0, 0.9), (20.0, 0.6)] {
        for step in [1, 2] {
            let score = score(Ports::Sequential { step }, rate, Question::default());
            assert!(score.hits >= least, "step {step}, {rate}/s: {}", score.hits);
        }
    }
}

#[test]
fn confidence_is_about_what_comes_true() {
    for rate in [0.0, 1.0, 5.0, 20.0] {
        for after in [100, 500, 2000] {
            let question = Question { after: Duration::from_millis(after), ..Question::default() };
            let score = score(Ports::Sequential { step: 1 }, rate, question);
            // The rule of succession grants a pattern of three steps four fifths at most; and one rate
            // alone is not what the prior expects of all rates.
            let fits = score.claimed <= score.hits + 0.15 && score.claimed >= score.hits - 0.45;
            assert!(fits, "{rate}/s, {after} ms: {} claimed, {} hit", score.claimed, score.hits);
        }
    }
}

#[test]
fn nothing_is_guessed_about_a_nat_that_throws_dice() {
    for rate in [0.0, 20.0] {
        let score = score(Ports::Random, rate, Question::default());
        assert_eq!(score.guesses, 0, "{rate}/s");
    }
    // Linux preserves the first and throws dice for the rest.
    let score = score(Ports::PreservingOrRandom, 0.0, Question::default());
    assert_eq!(score.guesses, 0);
}
