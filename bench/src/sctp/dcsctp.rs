//! The crate `dcsctp`, the Rust edition of what Chromium uses.

use std::time::Instant;

use bytes::Bytes;
use dcsctp::api::{
    DcSctpSocket, Message, Options, PpId, SendOptions, SocketEvent, SocketState, SocketTime,
    StreamId, ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS,
};
use talkie_sansio::conformance::genesis;

use super::line::{End, Setting};

pub(super) struct Socket {
    born: Instant,
    socket: Box<dyn DcSctpSocket>,
}

pub(super) fn pair(setting: &Setting) -> (Instant, [Socket; 2]) {
    let mut options = Options {
        max_receiver_window_buffer_size: setting.window as usize,
        enable_message_interleaving: true,
        ..Options::default()
    };
    if setting.zero_checksum {
        options.zero_checksum_alternate_error_detection_method =
            ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS;
    }
    of(&options)
}

/// As it comes.
pub(super) fn default_pair() -> (Instant, [Socket; 2]) {
    of(&Options::default())
}

fn of(options: &Options) -> (Instant, [Socket; 2]) {
    let born = genesis().now;
    let new = || Socket { born, socket: dcsctp::new_socket("bench", options) };
    (born, [new(), new()])
}

impl Socket {
    fn advance(&mut self, now: Instant) {
        self.socket.advance_time(SocketTime::zero() + (now - self.born));
    }
}

impl End for Socket {
    fn connect(&mut self, now: Instant) {
        self.advance(now);
        self.socket.connect();
    }

    fn is_connected(&self) -> bool {
        self.socket.state() == SocketState::Connected
    }

    fn send(&mut self, now: Instant, message: &Bytes) -> bool {
        self.advance(now);
        let message = Message::new(StreamId(1), PpId(53), message.to_vec());
        self.socket.send(message, &SendOptions::default()).is_ok()
    }

    fn receive(&mut self) -> u64 {
        let messages = std::iter::from_fn(|| self.socket.get_next_message());
        messages.map(|message| message.payload.len() as u64).sum()
    }

    fn next_packet(&mut self, _now: Instant, packet: &mut Vec<u8>) -> bool {
        while let Some(event) = self.socket.poll_event() {
            if let SocketEvent::SendPacket(bytes) = event {
                *packet = bytes;
                return true;
            }
        }
        false
    }

    fn handle_packet(&mut self, now: Instant, packet: &mut [u8]) {
        self.advance(now);
        self.socket.handle_input(packet);
    }

    fn next_timeout(&self) -> Option<Instant> {
        let at = self.socket.poll_timeout();
        (at != SocketTime::infinite_future()).then(|| self.born + (at - SocketTime::zero()))
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }
}
