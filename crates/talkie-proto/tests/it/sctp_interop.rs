//! Associations with another implementation, the crate sctp-proto: both roles, with and without loss.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sctp_proto::{DatagramEvent, Payload, PayloadProtocolIdentifier};
use talkie_proto::sctp::{Association, Config, End, Event, SendOptions};
use talkie_sansio::{Datagram, Machine as _, Path, Transport};

use crate::sctp_world::association;

const LENGTHS: [usize; 5] = [1, 1000, 20_000, 60_000, 3];
const DELAY: Duration = Duration::from_millis(20);

struct Meeting {
    now: Instant,
    ours: Association,
    endpoint: sctp_proto::Endpoint,
    theirs: Option<(sctp_proto::AssociationHandle, sctp_proto::Association)>,
    wire: VecDeque<(Instant, bool, Vec<u8>)>,
    events: Vec<Event>,
    we_got: Vec<usize>,
    they_got: Vec<usize>,
    they_connected: bool,
    /// In a thousand.
    loss: u64,
    random: u64,
}

fn address() -> SocketAddr {
    ([192, 0, 2, 1], 5000).into()
}

impl Meeting {
    fn new(now: Instant, we_begin: bool, loss: u64) -> Self {
        let server = Some(Arc::new(sctp_proto::ServerConfig::default()));
        let mut meeting = Self {
            now,
            ours: association(3, &Config::default()),
            endpoint: sctp_proto::Endpoint::new(Arc::default(), server),
            theirs: None,
            wire: VecDeque::new(),
            events: vec![],
            we_got: vec![],
            they_got: vec![],
            they_connected: false,
            loss,
            random: 12_345 + loss,
        };
        if we_begin {
            meeting.ours.connect(now).expect("it has not begun");
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
        self.events.extend(std::iter::from_fn(|| self.ours.poll_event()));
        while let Some(message) = self.ours.take_message() {
            assert!(message.payload.iter().all(|byte| *byte == 7));
            self.we_got.push(message.payload.len());
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            queue(&mut self.wire, at, transmit.payload);
        }
        let Some((handle, theirs)) = &mut self.theirs else { return };
        while let Some(event) = theirs.poll() {
            self.they_connected |= matches!(event, sctp_proto::Event::Connected);
        }
        while theirs.accept_stream().is_some() {}
        for id in theirs.stream_ids() {
            let Ok(mut stream) = theirs.stream(id) else { continue };
            while let Ok(Some(chunks)) = stream.read() {
                let mut message = vec![0; chunks.len()];
                chunks.read(&mut message).expect("it fits");
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

    /// Runs until `done`, a minute at most.
    fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
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

    fn send_all(&mut self) {
        for length in LENGTHS {
            for stream in 0..3 {
                let options = SendOptions { unordered: stream == 2, ..SendOptions::default() };
                let payload = Bytes::from(vec![7; length]);
                self.ours.send(self.now, stream, 53, payload, options).expect("it has room");
            }
        }
        let theirs = &mut self.theirs.as_mut().expect("they are connected").1;
        let mut stream =
            theirs.open_stream(9, PayloadProtocolIdentifier::Binary).expect("a new stream");
        for length in LENGTHS {
            stream.write(&vec![7; length]).expect("it has room");
        }
    }
}

fn queue(wire: &mut VecDeque<(Instant, bool, Vec<u8>)>, at: Instant, payload: Payload) {
    if let Payload::RawEncode(packets) = payload {
        wire.extend(packets.into_iter().map(|packet| (at, false, packet.to_vec())));
    }
}

#[test]
fn messages_go_both_ways_and_the_end_is_agreed() {
    let now = crate::sctp_world::World::new(crate::sctp_world::Link::default()).now;
    for loss in [0, 20, 100] {
        for we_begin in [true, false] {
            let mut meeting = Meeting::new(now, we_begin, loss);
            meeting.run_until(|meeting| {
                meeting.they_connected && meeting.events.contains(&Event::Connected)
            });
            meeting.send_all();
            meeting.run_until(|meeting| meeting.we_got.len() == 5 && meeting.they_got.len() == 15);
            assert_eq!(meeting.we_got, LENGTHS);
            let now = meeting.now;
            meeting.ours.shutdown(now);
            meeting.run_until(|meeting| meeting.events.contains(&Event::Ended(End::Shutdown)));
        }
    }
}
