//! One of our machines and another implementation, the crate sctp-proto, on a link in virtual time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sctp_proto::{DatagramEvent, Payload, PayloadProtocolIdentifier, StreamEvent};
use talkie_proto::datachannel::DataChannels;
use talkie_proto::sctp::Association;
use talkie_sansio::{Datagram, Machine, Path, Transport};

const DELAY: Duration = Duration::from_millis(20);

/// Ours: an association, or the data channels over one.
pub(crate) trait Ours: Machine {
    fn begin(&mut self, now: Instant);
    fn fetch(&mut self) -> Option<Bytes>;
}

impl Ours for Association {
    fn begin(&mut self, now: Instant) {
        self.connect(now).expect("it has not begun");
    }

    fn fetch(&mut self) -> Option<Bytes> {
        Some(self.take_message()?.payload)
    }
}

impl Ours for DataChannels {
    fn begin(&mut self, now: Instant) {
        self.connect(now).expect("it has not begun");
    }

    fn fetch(&mut self) -> Option<Bytes> {
        Some(self.take_message()?.payload)
    }
}

pub(crate) struct Meeting<O: Ours> {
    pub(crate) now: Instant,
    pub(crate) ours: O,
    endpoint: sctp_proto::Endpoint,
    pub(crate) theirs: Option<(sctp_proto::AssociationHandle, sctp_proto::Association)>,
    wire: VecDeque<(Instant, bool, Vec<u8>)>,
    pub(crate) events: Vec<O::Event>,
    pub(crate) we_got: Vec<usize>,
    pub(crate) they_got: Vec<usize>,
    pub(crate) they_connected: bool,
    /// Streams that the other side may use again.
    pub(crate) they_completed: Vec<u16>,
    /// In a thousand.
    loss: u64,
    random: u64,
}

fn address() -> SocketAddr {
    ([192, 0, 2, 1], 5000).into()
}

impl<O: Ours> Meeting<O> {
    pub(crate) fn new(now: Instant, ours: O, we_begin: bool, loss: u64) -> Self {
        let server = Some(Arc::new(sctp_proto::ServerConfig::default()));
        let mut meeting = Self {
            now,
            ours,
            endpoint: sctp_proto::Endpoint::new(Arc::default(), server),
            theirs: None,
            wire: VecDeque::new(),
            events: vec![],
            we_got: vec![],
            they_got: vec![],
            they_connected: false,
            they_completed: vec![],
            loss,
            random: 12_345 + loss,
        };
        if we_begin {
            meeting.ours.begin(now);
        } else {
            let begun = meeting.endpoint.connect(sctp_proto::ClientConfig::default(), address());
            meeting.theirs = Some(begun.expect("it begins"));
        }
        meeting
    }

    fn drain(&mut self) {
        let at = self.now + DELAY;
        let mut buf = Vec::new();
        while self.ours.poll_transmit(&mut buf).is_some() {
            self.wire.push_back((at, true, std::mem::take(&mut buf)));
        }
        loop {
            let known = (self.events.len(), self.we_got.len());
            self.events.extend(std::iter::from_fn(|| self.ours.poll_event()));
            while let Some(message) = self.ours.fetch() {
                assert!(message.iter().all(|byte| *byte == 7));
                self.we_got.push(message.len());
            }
            if known == (self.events.len(), self.we_got.len()) {
                break;
            }
        }
        while self.ours.poll_transmit(&mut buf).is_some() {
            self.wire.push_back((at, true, std::mem::take(&mut buf)));
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            queue(&mut self.wire, at, transmit.payload);
        }
        let Some((handle, theirs)) = &mut self.theirs else { return };
        while let Some(event) = theirs.poll() {
            match event {
                sctp_proto::Event::Connected => self.they_connected = true,
                sctp_proto::Event::Stream(StreamEvent::ResetComplete { id }) => {
                    self.they_completed.push(id);
                }
                _ => {}
            }
        }
        while theirs.accept_stream().is_some() {}
        for id in theirs.stream_ids() {
            let Ok(mut stream) = theirs.stream(id) else { continue };
            while let Ok(Some(chunks)) = stream.read() {
                let mut message = vec![0; chunks.len()];
                chunks.read(&mut message).expect("it fits");
                if chunks.ppi == PayloadProtocolIdentifier::Dcep {
                    if message[0] == 3 {
                        stream.write_with_ppi(&[2], chunks.ppi).expect("it has room");
                    }
                    continue;
                }
                assert!(message.iter().all(|byte| *byte == 7));
                self.they_got.push(message.len());
            }
        }
        while let Some(transmit) = theirs.poll_transmit(self.now) {
            queue(&mut self.wire, at, transmit.payload);
        }
        while let Some(event) = theirs.poll_endpoint_event() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                theirs.handle_event(event);
            }
        }
    }

    fn deliver(&mut self, to_them: bool, mut packet: Vec<u8>) {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        if self.random % 1000 < self.loss {
            return;
        }
        let (transport, local) = (Transport::Udp, address());
        if !to_them {
            let path = Path { transport, local, remote: local };
            self.ours.handle_datagram(self.now, Datagram { path, payload: &mut packet });
            return;
        }
        match self.endpoint.handle(self.now, local, None, None, packet.into()) {
            Some((handle, DatagramEvent::NewAssociation(new))) => self.theirs = Some((handle, new)),
            Some((_, DatagramEvent::AssociationEvent(event))) => {
                self.theirs.as_mut().expect("it is theirs").1.handle_event(event);
            }
            None => {}
        }
    }

    /// The other side opens a stream, as soon as it has got over what was there before, and writes to it.
    pub(crate) fn write_theirs(
        &mut self,
        id: u16,
        messages: &[(PayloadProtocolIdentifier, &[u8])],
    ) {
        let until = self.now + Duration::from_secs(60);
        loop {
            let theirs = &mut self.theirs.as_mut().expect("they are connected").1;
            match theirs.open_stream(id, PayloadProtocolIdentifier::Binary) {
                Ok(mut stream) => {
                    for (ppi, message) in messages {
                        stream.write_with_ppi(message, *ppi).expect("it has room");
                    }
                    return;
                }
                Err(error) => assert_eq!(error, sctp_proto::Error::ErrStreamResetPending),
            }
            assert!(self.now < until, "still pending");
            let now = self.now;
            self.run_until(|meeting| meeting.now > now);
        }
    }

    pub(crate) fn close_theirs(&mut self, id: u16) {
        let theirs = &mut self.theirs.as_mut().expect("they are connected").1;
        theirs.stream(id).expect("a stream").close().expect("it may be closed");
    }

    /// Runs until `done`, a minute at most.
    pub(crate) fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        let until = self.now + Duration::from_secs(60);
        self.drain();
        while !done(self) {
            let theirs = self.theirs.as_ref().and_then(|(_, theirs)| theirs.poll_timeout());
            let packet = self.wire.front().map(|(at, ..)| *at);
            let next = [self.ours.poll_timeout(), theirs, packet].into_iter().flatten().min();
            self.now = next.expect("something is to happen").max(self.now);
            assert!(self.now < until, "not within a minute");
            while self.wire.front().is_some_and(|(at, ..)| *at <= self.now) {
                let Some((_, ours, packet)) = self.wire.pop_front() else { break };
                self.deliver(ours, packet);
                self.drain();
            }
            if self.ours.poll_timeout().is_some_and(|at| at <= self.now) {
                self.ours.handle_timeout(self.now);
            }
            if let Some((_, theirs)) = &mut self.theirs
                && theirs.poll_timeout().is_some_and(|at| at <= self.now)
            {
                theirs.handle_timeout(self.now);
            }
            self.drain();
        }
    }
}

fn queue(wire: &mut VecDeque<(Instant, bool, Vec<u8>)>, at: Instant, payload: Payload) {
    if let Payload::RawEncode(packets) = payload {
        wire.extend(packets.into_iter().map(|packet| (at, false, packet.to_vec())));
    }
}
