//! The crate `dcsctp`, the Rust edition of what Chromium uses.

use std::time::Instant;

use bytes::Bytes;
use dcsctp::api::{
    DcSctpSocket, Message, Options, PpId, SendOptions, SocketEvent, SocketState, SocketTime,
    StreamId, ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS,
};
use talkie_sansio::conformance::genesis;

use super::case::{Load, Setting};
use super::line::End;

pub(super) struct Socket {
    born: Instant,
    now: Instant,
    socket: Box<dyn DcSctpSocket>,
}

pub(super) fn pair(setting: &Setting) -> (Instant, [Socket; 2]) {
    let mut options = Options {
        max_receiver_window_buffer_size: setting.window,
        max_send_buffer_size: 2 * setting.waiting,
        per_stream_send_queue_limit: 2 * setting.waiting,
        enable_message_interleaving: setting.interleaving,
        ..Options::default()
    };
    if let Some(packet) = setting.packet {
        options.mtu = packet;
    }
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
    let new = || Socket { born, now: born, socket: dcsctp::new_socket("bench", options) };
    (born, [new(), new()])
}

impl Socket {
    fn advance(&mut self, now: Instant) {
        // Once for all that happens at a time.
        if now != self.now {
            self.now = now;
            self.socket.advance_time(SocketTime::zero() + (now - self.born));
        }
    }
}

impl End for Socket {
    type Packet = Vec<u8>;
    type Payload = Vec<u8>;

    fn packet(bytes: &[u8], _spare: Option<Vec<u8>>) -> Vec<u8> {
        bytes.to_vec()
    }

    fn payload(bytes: &Bytes) -> Vec<u8> {
        bytes.to_vec()
    }

    fn connect(&mut self, _now: Instant) {
        self.socket.connect();
    }

    fn is_connected(&self) -> bool {
        self.socket.state() == SocketState::Connected
    }

    fn send(&mut self, now: Instant, messages: Vec<(u16, Vec<u8>)>, load: &Load) {
        self.advance(now);
        let options = SendOptions {
            unordered: load.unordered,
            max_retransmissions: load.unreliable.then_some(0),
            ..SendOptions::default()
        };
        let messages = messages.into_iter();
        let messages =
            messages.map(|(stream, bytes)| Message::new(StreamId(stream), PpId(53), bytes));
        self.socket.send_many(messages.collect(), &options).expect("there is room for them");
    }

    fn receive(&mut self) -> u64 {
        let mut messages = 0;
        while self.socket.get_next_message().is_some() {
            messages += 1;
        }
        messages
    }

    fn next_packet(&mut self, _now: Instant, _spare: &mut Vec<Vec<u8>>) -> Option<Vec<u8>> {
        while let Some(event) = self.socket.poll_event() {
            if let SocketEvent::SendPacket(bytes) = event {
                return Some(bytes);
            }
        }
        None
    }

    fn handle_packet(&mut self, now: Instant, packet: &mut Vec<u8>) {
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
