//! The crate `sctp-proto`, which str0m uses.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event,
    Payload, PayloadProtocolIdentifier, ReliabilityType, ServerConfig, StreamEvent,
    TransportConfig,
};
use talkie_sansio::conformance::genesis;

use super::case::{Load, Setting};
use super::line::End;

const LONGEST_MESSAGE: u32 = 1 << 20;

pub(super) struct Proto {
    endpoint: Endpoint,
    transport: Arc<TransportConfig>,
    association: Option<(AssociationHandle, Association)>,
    packets: VecDeque<Bytes>,
    readable: VecDeque<u16>,
    is_connected: bool,
    /// Streams from 0 on that are open.
    open: u16,
    scratch: Vec<u8>,
}

fn address() -> SocketAddr {
    ([192, 0, 2, 1], 5000).into()
}

pub(super) fn pair(setting: &Setting) -> (Instant, [Proto; 2]) {
    let transport = TransportConfig::default()
        .with_max_receive_buffer_size(u32::try_from(setting.window).unwrap_or(u32::MAX))
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
            readable: VecDeque::new(),
            is_connected: false,
            open: 0,
            scratch: Vec::new(),
        }
    }

    /// Everything that comes out.
    fn collect(&mut self, now: Instant) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            keep(&mut self.packets, transmit.payload);
        }
        let Some((handle, association)) = &mut self.association else { return };
        while let Some(transmit) = association.poll_transmit(now) {
            keep(&mut self.packets, transmit.payload);
        }
        while let Some(event) = association.poll() {
            match event {
                Event::Connected => self.is_connected = true,
                Event::Stream(StreamEvent::Readable { id, .. }) => self.readable.push_back(id),
                _ => {}
            }
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
    type Packet = Bytes;
    type Payload = Bytes;

    fn packet(bytes: &[u8], _spare: Option<Bytes>) -> Bytes {
        Bytes::copy_from_slice(bytes)
    }

    fn payload(bytes: &Bytes) -> Bytes {
        bytes.clone()
    }

    fn connect(&mut self, _now: Instant) {
        let mut config = ClientConfig::default();
        config.transport = Arc::clone(&self.transport);
        self.association = Some(self.endpoint.connect(config, address()).expect("it can begin"));
    }

    fn is_connected(&self) -> bool {
        self.is_connected
    }

    fn send(&mut self, _now: Instant, messages: Vec<(u16, Bytes)>, load: &Load) {
        let (_, association) = self.association.as_mut().expect("it is connected");
        for (id, message) in messages {
            if self.open <= id {
                self.open = id + 1;
                let mut stream = association
                    .open_stream(id, PayloadProtocolIdentifier::Binary)
                    .expect("it is not open");
                let kind = match load.unreliable {
                    true => ReliabilityType::Rexmit,
                    false => ReliabilityType::Reliable,
                };
                stream.set_reliability_params(load.unordered, kind, 0).expect("it is open");
            }
            let mut stream = association.stream(id).expect("it is open");
            stream.write_chunk(&message).expect("there is room for it");
        }
    }

    fn receive(&mut self) -> u64 {
        let Some((_, association)) = &mut self.association else { return 0 };
        let mut messages = 0;
        for id in self.readable.drain(..) {
            while association.accept_stream().is_some() {}
            let Ok(mut stream) = association.stream(id) else { continue };
            while let Ok(Some(chunks)) = stream.read() {
                // Whoever wants the message has to put it together.
                self.scratch.resize(chunks.len(), 0);
                messages += u64::from(chunks.read(&mut self.scratch).is_ok());
            }
        }
        messages
    }

    fn next_packet(&mut self, now: Instant, _spare: &mut Vec<Bytes>) -> Option<Bytes> {
        if self.packets.is_empty() {
            self.collect(now);
        }
        self.packets.pop_front()
    }

    fn handle_packet(&mut self, now: Instant, packet: &mut Bytes) {
        match self.endpoint.handle(now, address(), None, None, packet.clone()) {
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
