//! The crate `sctp-proto`, which str0m uses.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event,
    Payload, PayloadProtocolIdentifier, ServerConfig, TransportConfig,
};
use talkie_sansio::conformance::genesis;

use super::line::{End, Setting};

const STREAM: u16 = 1;
/// What waits to be sent at most; the crate has no bound of its own.
const WAITING: usize = 2 << 20;
const LONGEST_MESSAGE: u32 = 1 << 20;

pub(super) struct Proto {
    endpoint: Endpoint,
    transport: Arc<TransportConfig>,
    association: Option<(AssociationHandle, Association)>,
    packets: VecDeque<Bytes>,
    is_connected: bool,
    has_stream: bool,
    scratch: Vec<u8>,
}

fn address() -> SocketAddr {
    ([192, 0, 2, 1], 5000).into()
}

pub(super) fn pair(setting: &Setting) -> (Instant, [Proto; 2]) {
    let transport = TransportConfig::default()
        .with_max_receive_buffer_size(setting.window)
        .with_max_send_message_size(LONGEST_MESSAGE)
        .with_max_receive_message_size(LONGEST_MESSAGE);
    let transport = Arc::new(transport);
    (genesis().now, [Proto::new(&transport), Proto::new(&transport)])
}

/// As it comes.
pub(super) fn default_pair() -> (Instant, [Proto; 2]) {
    let transport = Arc::default();
    (genesis().now, [Proto::new(&transport), Proto::new(&transport)])
}

impl Proto {
    fn new(transport: &Arc<TransportConfig>) -> Self {
        let mut server = ServerConfig::default();
        server.transport = Arc::clone(transport);
        Self {
            endpoint: Endpoint::new(Arc::new(EndpointConfig::default()), Some(Arc::new(server))),
            transport: Arc::clone(transport),
            association: None,
            packets: VecDeque::new(),
            is_connected: false,
            has_stream: false,
            scratch: Vec::new(),
        }
    }

    /// Everything that comes out, into the queue of packets.
    fn collect(&mut self, now: Instant) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            keep(&mut self.packets, transmit.payload);
        }
        let Some((handle, association)) = &mut self.association else { return };
        while let Some(event) = association.poll() {
            self.is_connected |= matches!(event, Event::Connected);
        }
        while let Some(transmit) = association.poll_transmit(now) {
            keep(&mut self.packets, transmit.payload);
        }
        while let Some(event) = association.poll_endpoint_event() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                association.handle_event(event);
            }
        }
    }
}

fn keep(packets: &mut VecDeque<Bytes>, payload: Payload) {
    if let Payload::RawEncode(raw) = payload {
        packets.extend(raw);
    }
}

impl End for Proto {
    fn connect(&mut self, _now: Instant) {
        let mut config = ClientConfig::default();
        config.transport = Arc::clone(&self.transport);
        self.association = Some(self.endpoint.connect(config, address()).expect("it can begin"));
    }

    fn is_connected(&self) -> bool {
        self.is_connected
    }

    fn send(&mut self, _now: Instant, message: &Bytes) -> bool {
        let Some((_, association)) = &mut self.association else { return false };
        if !self.has_stream {
            self.has_stream =
                association.open_stream(STREAM, PayloadProtocolIdentifier::Binary).is_ok();
        }
        let Ok(mut stream) = association.stream(STREAM) else { return false };
        stream.buffered_amount().is_ok_and(|waiting| waiting < WAITING)
            && stream.write_chunk(message).is_ok()
    }

    fn receive(&mut self) -> u64 {
        let Some((_, association)) = &mut self.association else { return 0 };
        while association.accept_stream().is_some() {}
        let Ok(mut stream) = association.stream(STREAM) else { return 0 };
        let mut received = 0;
        while let Ok(Some(chunks)) = stream.read() {
            // Whoever wants the message has to put it together.
            self.scratch.resize(chunks.len(), 0);
            received += chunks.read(&mut self.scratch).map_or(0, |len| len as u64);
        }
        received
    }

    fn next_packet(&mut self, now: Instant, packet: &mut Vec<u8>) -> bool {
        if self.packets.is_empty() {
            self.collect(now);
        }
        let Some(next) = self.packets.pop_front() else { return false };
        packet.extend_from_slice(&next);
        true
    }

    fn handle_packet(&mut self, now: Instant, packet: &mut [u8]) {
        let packet = Bytes::copy_from_slice(packet);
        match self.endpoint.handle(now, address(), None, None, packet) {
            Some((handle, DatagramEvent::NewAssociation(new))) => {
                self.association = Some((handle, new));
            }
            Some((_, DatagramEvent::AssociationEvent(event))) => {
                if let Some((_, association)) = &mut self.association {
                    association.handle_event(event);
                }
            }
            None => {}
        }
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.association.as_ref().and_then(|(_, association)| association.poll_timeout())
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some((_, association)) = &mut self.association {
            association.handle_timeout(now);
        }
    }
}
