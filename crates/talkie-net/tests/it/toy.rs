//! A toy relay and its framing, to see the event loops at work without any protocol.
//!
//! `>PP…` forwards the rest to port PP of 127.0.0.1 from the relay socket; what comes back there goes
//! to whoever sent last, with `<` before it. `O` opens the relay socket and answers with `O` or `X`;
//! `C` closes it. `B` ends the sender's stream. `E` calls the sender's stream established. All else
//! is echoed the slow way.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use talkie_net::BadFrame;
use talkie_net::plane::{Direct, Forward, Io, Packet};
use talkie_sansio::{Datagram, Machine, Path, Transmit, Transport};

pub(crate) struct Toy {
    pub(crate) relay: SocketAddr,
    client: Option<Path>,
    out: VecDeque<(Path, Vec<u8>)>,
    events: VecDeque<Event>,
    pub(crate) disconnects: Vec<Path>,
}

pub(crate) enum Event {
    Open(Path),
    Close,
    Bye(Path),
    Established(Path),
}

impl Toy {
    pub(crate) fn new(relay: SocketAddr) -> Self {
        Self {
            relay,
            client: None,
            out: VecDeque::new(),
            events: VecDeque::new(),
            disconnects: Vec::new(),
        }
    }
}

impl Toy {
    /// Makes `path` the client that the relay socket sends to.
    pub(crate) fn adopt(&mut self, path: Path) {
        self.client = Some(path);
    }
}

impl Machine for Toy {
    type Event = Event;

    fn handle_datagram(&mut self, _now: Instant, datagram: Datagram<'_>) {
        let path = datagram.path;
        let skip = if path.transport == Transport::Udp { 0 } else { 2 };
        match &datagram.payload[skip..] {
            [b'O'] => self.events.push_back(Event::Open(path)),
            [b'C'] => self.events.push_back(Event::Close),
            [b'B'] => self.events.push_back(Event::Bye(path)),
            [b'E'] => self.events.push_back(Event::Established(path)),
            _ => self.out.push_back((path, datagram.payload.to_vec())),
        }
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, payload) = self.out.pop_front()?;
        buf.extend_from_slice(&payload);
        Some(Transmit { path, len: payload.len() })
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

impl Direct for Toy {
    fn forward(&mut self, _now: Instant, path: Path, packet: &mut Packet<'_>) -> Forward {
        if path.local == self.relay {
            let Some(client) = self.client else { return Forward::Drop };
            let start = packet.start - 1;
            packet.buffer[start] = b'<';
            return Forward::Send { path: client, range: start..packet.end };
        }
        match packet.buffer[packet.start..packet.end] {
            [b'>', high, low, ..] => {
                self.client = Some(path);
                let remote = (Ipv4Addr::LOCALHOST, u16::from_be_bytes([high, low])).into();
                let path = Path { transport: Transport::Udp, local: self.relay, remote };
                Forward::Send { path, range: packet.start + 3..packet.end }
            }
            _ => Forward::Slow,
        }
    }

    fn answer(&mut self, _now: Instant, event: Event, io: &mut Io) {
        match event {
            Event::Open(path) => {
                let reply = if io.open(self.relay).is_ok() { b"O" } else { b"X" };
                self.out.push_back((path, reply.to_vec()));
            }
            Event::Close => io.close(self.relay),
            Event::Bye(path) => io.disconnect(&path),
            Event::Established(path) => io.set_established(&path, true),
        }
    }

    fn handle_disconnect(&mut self, _now: Instant, path: Path) {
        self.disconnects.push(path);
    }
}

/// Two bytes of length, then that many bytes. Lengths above 60,000 are refused.
pub(crate) fn framer(bytes: &[u8]) -> Result<Option<usize>, BadFrame> {
    match bytes {
        [high, low, ..] => match usize::from(u16::from_be_bytes([*high, *low])) {
            0..=60_000 => Ok(Some(2 + usize::from(u16::from_be_bytes([*high, *low])))),
            _ => Err(BadFrame),
        },
        _ => Ok(None),
    }
}

pub(crate) fn framed(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    [&length.to_be_bytes(), payload].concat()
}
