//! ICE with stacks that others wrote, and with itself: real programs on the hosts of a lab.
//!
//! The line protocol that all of them speak is described in `tests/e2e/interop`. `talkie ice`, which two people
//! use, has its own tests in `netcat`.

mod consent;
mod credentials;
mod direct;
mod ipv6;
mod names;
mod nats;
mod netcat;
mod peer;
mod relay;
mod restart;
mod server;
mod streams;

use peer::{Kind, Peer, Way};

use crate::lab::Lab;

/// Which of the two decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Controlling,
    Controlled,
}

/// How candidates are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    /// As they come.
    Trickle,
    /// All together.
    Whole,
}

/// What one side is.
#[derive(Clone, Debug)]
struct Side {
    kind: Kind,
    role: Role,
    telling: Telling,
    /// Servers as URIs, of a relay with `,USER,PASSWORD`.
    servers: Vec<String>,
    relay_only: bool,
    /// Whatever else this stack can do.
    more: Vec<String>,
}

impl Side {
    fn new(kind: Kind, role: Role) -> Self {
        let servers = Vec::new();
        Self { kind, role, telling: Telling::Trickle, servers, relay_only: false, more: Vec::new() }
    }

    fn whole(self) -> Self {
        Self { telling: Telling::Whole, ..self }
    }

    fn with(self, servers: &[String]) -> Self {
        Self { servers: servers.to_vec(), ..self }
    }

    fn relayed_by(self, server: &str) -> Self {
        Self { servers: vec![server.to_owned()], relay_only: true, ..self }
    }

    fn more(self, more: &[&str]) -> Self {
        Self { more: more.iter().map(|&option| option.to_owned()).collect(), ..self }
    }
}

/// Two sides that have heard a datagram of each other.
struct Connected([Peer; 2]);

impl Connected {
    fn ways(&self) -> [Way; 2] {
        [self.0[0].way(), self.0[1].way()]
    }

    /// Each hears a word of the other, that was not said before.
    fn talk(&self, word: &str) {
        for from in [0, 1] {
            self.tell(from, &format!("{word} from {from}"));
        }
    }

    /// The other side hears what this one says.
    fn tell(&self, from: usize, words: &str) {
        self.0[from].tell(words);
        self.0[1 - from].hears(words);
    }
}

/// Both sides connect and each hears a datagram of the other.
fn connect(lab: &Lab, left: &Side, right: &Side) -> Connected {
    let sides = [Peer::start(lab, "left", left), Peer::start(lab, "right", right)];
    Peer::introduce(&sides[0], &sides[1], left.telling);
    for side in &sides {
        side.hears("# selected ");
    }
    let connected = Connected(sides);
    connected.talk("hello");
    connected
}
