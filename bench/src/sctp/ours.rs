//! talkie's association.

use std::time::{Duration, Instant};

use bytes::Bytes;
use talkie_proto::sctp::{Association, Config, SendOptions};
use talkie_sansio::conformance::genesis;
use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};

use super::line::{End, Setting};

fn path() -> Path {
    Path {
        transport: Transport::Udp,
        local: ([192, 0, 2, 1], 5000).into(),
        remote: ([192, 0, 2, 2], 5000).into(),
    }
}

pub(super) fn pair(setting: &Setting) -> (Instant, [Association; 2]) {
    let window = setting.window as usize;
    let config = Config {
        zero_checksum: setting.zero_checksum,
        receive_initial: window,
        receive_most: window,
        window_most: setting.window.into(),
        send_buffer: 2 * window,
        ..Config::default()
    };
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
    fn connect(&mut self, now: Instant) {
        Self::connect(self, now).expect("it has not begun");
    }

    fn is_connected(&self) -> bool {
        self.is_established()
    }

    fn send(&mut self, now: Instant, message: &Bytes) -> bool {
        Self::send(self, now, 0, 53, message.clone(), SendOptions::default()).is_ok()
    }

    fn receive(&mut self) -> u64 {
        while self.poll_event().is_some() {}
        std::iter::from_fn(|| self.take_message()).map(|message| message.payload.len() as u64).sum()
    }

    fn next_packet(&mut self, _now: Instant, packet: &mut Vec<u8>) -> bool {
        self.poll_transmit(packet).is_some()
    }

    fn handle_packet(&mut self, now: Instant, packet: &mut [u8]) {
        self.handle_datagram(now, Datagram { path: path(), payload: packet });
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) {
        talkie_sansio::Machine::handle_timeout(self, now);
    }

    fn in_flight(&self) -> u64 {
        self.window().map_or(0, |window| window.in_flight)
    }
}
