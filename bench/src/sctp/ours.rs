//! talkie's association.

use std::time::{Duration, Instant};

use bytes::Bytes;
use talkie_proto::sctp::{Association, Config, Reliability, SendOptions};
use talkie_sansio::conformance::genesis;
use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};

use super::case::{Load, Setting};
use super::line::End;

fn path() -> Path {
    Path {
        transport: Transport::Udp,
        local: ([192, 0, 2, 1], 5000).into(),
        remote: ([192, 0, 2, 2], 5000).into(),
    }
}

pub(super) fn pair(setting: &Setting) -> (Instant, [Association; 2]) {
    let mut config = Config {
        zero_checksum: setting.zero_checksum,
        interleaving: setting.interleaving,
        receive_initial: setting.window,
        receive_most: setting.window,
        window_most: setting.window as u64,
        send_buffer: 2 * setting.waiting,
        ..Config::default()
    };
    if let Some(packet) = setting.packet {
        config.packet = packet;
    }
    of(&config)
}

/// As it comes.
pub(super) fn default_pair() -> (Instant, [Association; 2]) {
    of(&Config::default())
}

fn of(config: &Config) -> (Instant, [Association; 2]) {
    let now = genesis().now;
    let born = |seed: u8| {
        let genesis = Genesis { now, unix: Duration::ZERO, seed: [seed; 32] };
        Association::new(&genesis, path(), config.clone())
    };
    (now, [born(1), born(2)])
}

impl End for Association {
    type Packet = Vec<u8>;
    type Payload = Bytes;

    fn packet(bytes: &[u8], spare: Option<Vec<u8>>) -> Vec<u8> {
        let mut packet = spare.unwrap_or_default();
        packet.clear();
        packet.extend_from_slice(bytes);
        packet
    }

    fn payload(bytes: &Bytes) -> Bytes {
        bytes.clone()
    }

    fn connect(&mut self, now: Instant) {
        Self::connect(self, now).expect("it has not begun");
    }

    fn is_connected(&self) -> bool {
        self.is_established()
    }

    fn send(&mut self, now: Instant, messages: Vec<(u16, Bytes)>, load: &Load) {
        let reliability =
            if load.unreliable { Reliability::Retransmits(0) } else { Reliability::Reliable };
        let options = SendOptions { unordered: load.unordered, reliability };
        for (stream, message) in messages {
            Self::send(self, now, stream, 53, message, options).expect("there is room for it");
        }
    }

    fn receive(&mut self) -> u64 {
        while self.poll_event().is_some() {}
        let mut messages = 0;
        while self.take_message().is_some() {
            messages += 1;
        }
        messages
    }

    fn next_packet(&mut self, _now: Instant, spare: &mut Vec<Vec<u8>>) -> Option<Vec<u8>> {
        let mut packet = spare.pop().unwrap_or_default();
        packet.clear();
        if self.poll_transmit(&mut packet).is_none() {
            spare.push(packet);
            return None;
        }
        Some(packet)
    }

    fn handle_packet(&mut self, now: Instant, packet: &mut Vec<u8>) {
        self.handle_datagram(now, Datagram { path: path(), payload: packet });
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) {
        talkie_sansio::Machine::handle_timeout(self, now);
    }
}
