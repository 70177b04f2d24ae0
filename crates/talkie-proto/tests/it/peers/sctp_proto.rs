//! The crate sctp-proto, a descendant of Pion.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, Error, Event, Payload,
    PayloadProtocolIdentifier, ReliabilityType, ServerConfig, StreamEvent, TransportConfig,
};
use talkie_proto::sctp::{Reliability, SendOptions};

use super::{Peer, Said, Told};

struct Theirs {
    endpoint: Endpoint,
    config: Arc<TransportConfig>,
    /// Both INIT chunks, theirs first, where they have been exchanged elsewhere.
    snap: Option<[Bytes; 2]>,
    association: Option<(AssociationHandle, Association)>,
    packets: VecDeque<Vec<u8>>,
    told: VecDeque<Told>,
}

fn address() -> SocketAddr {
    ([192, 0, 2, 1], 5000).into()
}

/// With room for long messages, and otherwise as it comes.
pub(super) fn config() -> TransportConfig {
    TransportConfig::default()
        .with_max_send_message_size(2 << 20)
        .with_max_receive_message_size(2 << 20)
        .with_max_receive_buffer_size(4 << 20)
}

pub(super) fn peer(config: TransportConfig) -> Box<dyn Peer> {
    Box::new(Theirs::new(config))
}

/// One that knows our INIT chunk from elsewhere, and its own.
pub(super) fn snap(ours: Vec<u8>) -> (Box<dyn Peer>, Bytes) {
    let config = config();
    let own = sctp_proto::generate_snap_token(&config).expect("a token");
    let theirs = Theirs { snap: Some([own.clone(), ours.into()]), ..Theirs::new(config) };
    (Box::new(theirs), own)
}

impl Theirs {
    fn new(config: TransportConfig) -> Self {
        let config = Arc::new(config);
        let mut server = ServerConfig::new();
        server.transport = config.clone();
        Self {
            endpoint: Endpoint::new(Arc::default(), Some(Arc::new(server))),
            config,
            snap: None,
            association: None,
            packets: VecDeque::new(),
            told: VecDeque::new(),
        }
    }

    fn queue(&mut self, payload: Payload) {
        if let Payload::RawEncode(packets) = payload {
            self.packets.extend(packets.into_iter().map(|packet| packet.to_vec()));
        }
    }

    fn sort(&mut self) {
        let Some((_, association)) = &mut self.association else { return };
        // It would have the endpoint forget the association before the end has been agreed.
        while association.poll_endpoint_event().is_some() {}
        // Messages before what is told of their streams' ends.
        while association.accept_stream().is_some() {}
        let mut ids = association.stream_ids();
        ids.sort_unstable();
        for id in ids {
            let Ok(mut stream) = association.stream(id) else { continue };
            while let Ok(Some(chunks)) = stream.read() {
                let mut message = vec![0; chunks.len()];
                chunks.read(&mut message).expect("it fits");
                let said = Said { stream: id, ppid: chunks.ppi as u32, payload: message.into() };
                self.told.push_back(Told::Said(said));
            }
        }
        while let Some(event) = association.poll() {
            self.told.extend(match event {
                Event::Connected => Some(Told::Connected),
                Event::AssociationLost { .. } => Some(Told::Closed),
                Event::Stream(StreamEvent::ResetComplete { id }) => Some(Told::ResetDone(id)),
                Event::Stream(StreamEvent::Finished { id }) => Some(Told::Reset(id)),
                _ => None,
            });
        }
    }
}

impl Peer for Theirs {
    fn connect(&mut self, _: Instant) {
        let mut client = ClientConfig::new();
        client.transport = self.config.clone();
        let client = match &self.snap {
            Some([own, ours]) => client.with_snap(own.clone(), ours.clone()),
            None => client,
        };
        self.association = Some(self.endpoint.connect(client, address()).expect("it begins"));
    }

    fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        match self.endpoint.handle(now, address(), None, None, Bytes::copy_from_slice(packet)) {
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
        self.sort();
    }

    fn poll_packet(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.sort();
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.queue(transmit.payload);
        }
        while let Some(transmit) =
            self.association.as_mut().and_then(|(_, association)| association.poll_transmit(now))
        {
            self.queue(transmit.payload);
        }
        self.packets.pop_front()
    }

    fn poll_told(&mut self, _: Instant) -> Option<Told> {
        self.sort();
        self.told.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.association.as_ref()?.1.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some((_, association)) = &mut self.association {
            association.handle_timeout(now);
        }
    }

    fn send(&mut self, _: Instant, said: &Said, options: SendOptions) -> bool {
        let Some((_, association)) = &mut self.association else { return false };
        let id = said.stream;
        let ppid = PayloadProtocolIdentifier::from(said.ppid);
        match association.open_stream(id, ppid) {
            Ok(_) | Err(Error::ErrStreamAlreadyExist) => {}
            Err(_) => return false,
        }
        let Ok(mut stream) = association.stream(id) else { return false };
        let (kind, value) = match options.reliability {
            Reliability::Reliable => (ReliabilityType::Reliable, 0),
            Reliability::Lifetime(span) => (ReliabilityType::Timed, span.as_millis() as u32),
            Reliability::Retransmits(times) => (ReliabilityType::Rexmit, times.into()),
        };
        stream.set_reliability_params(options.unordered, kind, value).is_ok()
            && stream.write_with_ppi(&said.payload, ppid).is_ok()
    }

    fn reset(&mut self, _: Instant, stream: u16) -> bool {
        let Some((_, association)) = &mut self.association else { return false };
        association.stream(stream).is_ok_and(|mut stream| stream.close().is_ok())
    }

    fn shutdown(&mut self, _: Instant) {
        if let Some((_, association)) = &mut self.association {
            association.shutdown().expect("it is established");
        }
    }

    /// Without a word: it knows no other way.
    fn abort(&mut self, _: Instant) {
        if let Some((_, association)) = &mut self.association {
            association.close().expect("it may be closed");
        }
    }
}
