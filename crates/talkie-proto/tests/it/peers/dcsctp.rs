//! The crate dcsctp, which is what Chromium uses, in Rust.
//!
//! What version 0.1.16 cannot do, and the scenarios therefore do not ask of it: a message whose lifetime ends
//! when a part of it has left is dropped without a FORWARD TSN, so that its stream stands still (with DATA we
//! can tell and go on, with I-DATA we cannot); a receiver whose buffer is nine tenths full drops the very
//! chunk that would empty it; and a message that was under way when the peer began anew is sent again with
//! the old numbers of its fragments.

use std::collections::VecDeque;
use std::time::Instant;

use dcsctp::api::{
    DcSctpSocket, Message, Options, PpId, SendOptions as TheirOptions, SocketEvent, SocketTime,
    StreamId, ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS,
};
use talkie_proto::sctp::{Reliability, SendOptions};

use super::{Peer, Said, Told, birth};

struct Socket {
    socket: Box<dyn DcSctpSocket>,
    packets: VecDeque<Vec<u8>>,
    told: VecDeque<Told>,
}

/// With room for long messages, and otherwise as it comes.
pub(super) fn options() -> Options {
    Options {
        max_message_size: 2 << 20,
        max_send_buffer_size: 16 << 20,
        per_stream_send_queue_limit: 16 << 20,
        ..Options::default()
    }
}

/// With everything that it can do.
pub(super) fn interleaving() -> Options {
    Options { enable_message_interleaving: true, ..options() }
}

pub(super) fn zero_checksum() -> Options {
    Options {
        zero_checksum_alternate_error_detection_method:
            ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS,
        ..interleaving()
    }
}

pub(super) fn peer(options: &Options) -> Box<dyn Peer> {
    let socket = dcsctp::new_socket("theirs", options);
    Box::new(Socket { socket, packets: VecDeque::new(), told: VecDeque::new() })
}

impl Socket {
    fn advance(&mut self, now: Instant) {
        self.socket.advance_time(SocketTime::zero() + (now - birth()));
    }

    fn sort(&mut self) {
        while let Some(message) = self.socket.get_next_message() {
            let (stream, ppid) = (message.stream_id.0, message.ppid.0);
            self.told.push_back(Told::Said(Said { stream, ppid, payload: message.payload.into() }));
        }
        while let Some(event) = self.socket.poll_event() {
            match event {
                SocketEvent::SendPacket(packet) => self.packets.push_back(packet),
                SocketEvent::OnConnected() => self.told.push_back(Told::Connected),
                SocketEvent::OnConnectionRestarted() => self.told.push_back(Told::Restarted),
                SocketEvent::OnClosed() => self.told.push_back(Told::Closed),
                SocketEvent::OnAborted(..) => self.told.push_back(Told::Aborted),
                SocketEvent::OnIncomingStreamReset(streams) => {
                    self.told.extend(streams.into_iter().map(|stream| Told::Reset(stream.0)));
                }
                SocketEvent::OnStreamsResetPerformed(streams) => {
                    self.told.extend(streams.into_iter().map(|stream| Told::ResetDone(stream.0)));
                }
                SocketEvent::OnError(kind, text) => {
                    self.told.push_back(Told::Complained(format!("{kind:?}: {text}")));
                }
                _ => {}
            }
        }
    }
}

impl Peer for Socket {
    fn connect(&mut self, now: Instant) {
        self.advance(now);
        self.socket.connect();
    }

    fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        self.advance(now);
        self.socket.handle_input(packet);
    }

    fn poll_packet(&mut self, _: Instant) -> Option<Vec<u8>> {
        self.sort();
        self.packets.pop_front()
    }

    fn poll_told(&mut self, _: Instant) -> Option<Told> {
        self.sort();
        self.told.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let at = self.socket.poll_timeout();
        (at != SocketTime::infinite_future()).then(|| birth() + (at - SocketTime::zero()))
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    fn send(&mut self, now: Instant, said: &Said, options: SendOptions) -> bool {
        self.advance(now);
        let message = Message::new(StreamId(said.stream), PpId(said.ppid), said.payload.to_vec());
        let (lifetime, max_retransmissions) = match options.reliability {
            Reliability::Reliable => (None, None),
            Reliability::Lifetime(span) => (Some(span), None),
            Reliability::Retransmits(times) => (None, Some(times)),
        };
        let unordered = options.unordered;
        let options =
            TheirOptions { unordered, lifetime, max_retransmissions, ..TheirOptions::default() };
        self.socket.send(message, &options).is_ok()
    }

    fn reset(&mut self, now: Instant, stream: u16) -> bool {
        self.advance(now);
        self.socket.reset_streams(&[StreamId(stream)]).is_ok()
    }

    fn shutdown(&mut self, now: Instant) {
        self.advance(now);
        self.socket.shutdown();
    }

    fn abort(&mut self, now: Instant) {
        self.advance(now);
        self.socket.close();
    }
}
