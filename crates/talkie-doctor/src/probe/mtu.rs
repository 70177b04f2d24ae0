//! How large a packet reaches the server: Binding requests of several sizes that must not be
//! fragmented, all at once; the largest that is answered is the answer.
//!
//! The requests are made long by an attribute that every server ignores (RFC 8489 §14: it lies in
//! the comprehension-optional range), so that the answers stay small: what is found is the way
//! there. RFC 5780's PADDING would make the server's answers long instead.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_net::driver::{self, Wires};
use talkie_net::{UdpOptions, UdpSocket};
use talkie_sansio::{Datagram, Genesis, Machine, Path, Transmit, Transport};
use talkie_traversal::stun::Class;
use talkie_traversal::stun::{
    AttributeType, HEADER_LENGTH, Message, Method, TransactionId, Writer,
};

use crate::report::{MtuSource, PathMtu};

/// Bytes of IP packets: 1500 Ethernet, 1492 PPPoE, 1480 IP in IP, 1472 and 1460 other tunnels, 1440
/// and 1420 WireGuard, 1400 and 1380 mobile networks and IPsec, 1280 the least of IPv6, 576 what
/// IPv4 hosts take at least. Rising, so that the driver does not make one run of them.
const SIZES: [u16; 12] = [576, 1000, 1280, 1380, 1400, 1420, 1440, 1460, 1472, 1480, 1492, 1500];
/// When all that is not answered yet is sent, from the first time.
const ROUNDS: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(300), Duration::from_millis(650)];
/// When silence means that a size does not pass.
const END: Duration = Duration::from_millis(1200);
/// Comprehension-optional, and assigned to nothing (RFC 8489 §18.3: 0xC000–0xFFFF are designated
/// on request).
const FILLER: AttributeType = AttributeType(0xfffd);

/// Measures the path to a STUN server; `None` if it answers none of the sizes.
pub(crate) async fn measure(server: SocketAddr) -> Option<PathMtu> {
    let source = talkie_net::source_address(server.ip())?;
    let options = UdpOptions { receive_buffer: 64 << 10, ..UdpOptions::default() };
    let socket = UdpSocket::bind(SocketAddr::new(source, 0), &options).ok()?;
    let path = Path { transport: Transport::Udp, local: socket.local(), remote: server };
    let machine = Sizes::new(&talkie_net::genesis().ok()?, path);
    let wires = Wires { sockets: vec![socket], stream: None };
    let mut running = driver::spawn(machine, wires).ok()?;
    running.events.recv().await?
}

/// The requests on their way. Its one event is the answer.
#[derive(Debug)]
struct Sizes {
    path: Path,
    began: Instant,
    trials: Vec<Trial>,
    rounds: usize,
    queue: VecDeque<usize>,
    event: Option<Option<PathMtu>>,
    ended: bool,
}

#[derive(Debug)]
struct Trial {
    size: u16,
    id: TransactionId,
    answered: bool,
}

impl Sizes {
    fn new(genesis: &Genesis, path: Path) -> Self {
        let mut rng = ChaCha20Rng::from_seed(genesis.seed);
        let trials = SIZES.map(|size| {
            let mut id = TransactionId([0; 12]);
            rng.fill_bytes(&mut id.0);
            Trial { size, id, answered: false }
        });
        let mut sizes = Self {
            path,
            began: genesis.now,
            trials: trials.into(),
            rounds: 0,
            queue: VecDeque::new(),
            event: None,
            ended: false,
        };
        sizes.begin_round();
        sizes
    }

    fn begin_round(&mut self) {
        self.rounds += 1;
        let open = self.trials.iter().enumerate().filter(|(_, trial)| !trial.answered);
        self.queue = open.map(|(index, _)| index).collect();
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.queue.clear();
        let largest = self.trials.iter().rev().find(|trial| trial.answered);
        self.event = Some(largest.map(|trial| PathMtu {
            bytes: trial.size,
            source: if Some(&trial.size) == SIZES.last() {
                MtuSource::PathAtLeast
            } else {
                MtuSource::Path
            },
        }));
    }

    /// IP's and UDP's headers.
    fn overhead(&self) -> u16 {
        if self.path.remote.is_ipv4() { 20 + 8 } else { 40 + 8 }
    }
}

impl Machine for Sizes {
    type Event = Option<PathMtu>;

    fn handle_datagram(&mut self, _now: Instant, datagram: Datagram<'_>) {
        let Ok(message) = Message::parse(datagram.payload) else { return };
        if datagram.path.remote != self.path.remote || !message.class().is_response() {
            return;
        }
        // An error is an answer, too: the request has arrived.
        let id = message.transaction_id();
        let Some(trial) = self.trials.iter_mut().find(|trial| trial.id == id) else { return };
        trial.answered = true;
        if self.trials.last().is_some_and(|largest| largest.answered) {
            self.end();
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        if now >= self.began + END {
            self.end();
        } else if ROUNDS.get(self.rounds).is_some_and(|after| now >= self.began + *after) {
            self.begin_round();
        }
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let trial = &self.trials[self.queue.pop_front()?];
        let start = buf.len();
        let mut writer = Writer::new(buf, Class::Request, Method::BINDING, trial.id);
        // Sizes and headers are multiples of four, as attributes have to be.
        let filler = usize::from(trial.size - self.overhead()) - HEADER_LENGTH - 4;
        writer.raw(FILLER, |out| out.resize(out.len() + filler, 0));
        Some(Transmit { path: self.path, len: buf.len() - start })
    }

    fn poll_event(&mut self) -> Option<Option<PathMtu>> {
        self.event.take()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if self.ended {
            return None;
        }
        Some(self.began + *ROUNDS.get(self.rounds).unwrap_or(&END))
    }
}

#[cfg(test)]
mod tests {
    use talkie_sansio::{Sink, drain};

    use super::*;

    /// A path that lets packets of at most `mtu` bytes through, and a server at its end.
    struct World {
        mtu: usize,
        lost: usize,
        answers: Vec<Vec<u8>>,
        found: Option<Option<PathMtu>>,
    }

    impl Sink<Sizes> for World {
        fn transmit(&mut self, _transmit: Transmit, payload: &mut [u8]) {
            if payload.len() + 28 > self.mtu {
                return;
            }
            if self.lost > 0 {
                self.lost -= 1;
                return;
            }
            let request = Message::parse(payload).unwrap();
            let mut answer = Vec::new();
            let id = request.transaction_id();
            Writer::new(&mut answer, Class::Success, Method::BINDING, id);
            self.answers.push(answer);
        }

        fn event(&mut self, _now: Instant, _machine: &mut Sizes, event: Option<PathMtu>) {
            self.found = Some(event);
        }
    }

    fn run(mtu: usize, lost: usize) -> (Option<PathMtu>, Duration) {
        let began = Instant::now();
        let mut now = began;
        let genesis = Genesis { now, unix: Duration::ZERO, seed: [7; 32] };
        let path = Path {
            transport: Transport::Udp,
            local: "192.0.2.1:1000".parse().unwrap(),
            remote: "198.51.100.1:3478".parse().unwrap(),
        };
        let mut sizes = Sizes::new(&genesis, path);
        let mut world = World { mtu, lost, answers: Vec::new(), found: None };
        let mut scratch = Vec::new();
        loop {
            let deadline = drain(&mut sizes, now, &mut scratch, &mut world);
            if let Some(found) = world.found {
                return (found, now - began);
            }
            if let Some(mut answer) = world.answers.pop() {
                sizes.handle_datagram(now, Datagram { path, payload: &mut answer });
                continue;
            }
            now = deadline.unwrap();
            sizes.handle_timeout(now);
        }
    }

    #[test]
    fn the_largest_size_that_passes_is_found() {
        let path = |bytes| Some(PathMtu { bytes, source: MtuSource::Path });
        assert_eq!(run(1420, 0).0, path(1420));
        assert_eq!(run(1450, 0).0, path(1440));
        assert_eq!(run(1420, 5).0, path(1420), "lost packets are sent again");
        assert_eq!(run(0, 0), (None, END));
    }

    #[test]
    fn a_path_that_takes_all_is_known_at_once() {
        let largest = PathMtu { bytes: 1500, source: MtuSource::PathAtLeast };
        assert_eq!(run(9000, 0), (Some(largest), Duration::ZERO));
    }
}
