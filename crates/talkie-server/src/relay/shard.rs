//! The TURN machine as the packet thread wants it.

use std::time::{Duration, Instant};

use talkie_net::Refusal;
use talkie_net::plane::{Direct, Forward, Io, Packet};
use talkie_sansio::{Datagram, Machine, Path, Transmit};
use talkie_traversal::turn::server::{self, Event, OpenError, TurnServer};

pub(super) struct Shard {
    server: TurnServer,
}

impl Shard {
    pub(super) fn new(server: TurnServer) -> Self {
        Self { server }
    }

    pub(super) fn server(&self) -> &TurnServer {
        &self.server
    }

    pub(super) fn handle_clock(&mut self, now: Instant, unix: Duration) {
        self.server.handle_clock(now, unix);
    }
}

impl Machine for Shard {
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        self.server.handle_datagram(now, datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.server.handle_timeout(now);
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.server.poll_transmit(buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.server.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }
}

impl Direct for Shard {
    fn forward(&mut self, now: Instant, path: Path, packet: &mut Packet<'_>) -> Forward {
        let range = packet.start..packet.end;
        let mut inner = server::Packet { buffer: packet.buffer, range };
        match self.server.forward(now, path, &mut inner) {
            server::Forward::Send { path, range } => Forward::Send { path, range },
            server::Forward::Slow => Forward::Slow,
            server::Forward::Drop => Forward::Drop,
        }
    }

    fn answer(&mut self, now: Instant, event: Event, io: &mut Io) {
        match event {
            Event::OpenRelay { relay, local } => {
                let outcome = io.open(local).map_err(|error| match error.refusal {
                    Refusal::InUse => OpenError::PortTaken,
                    _ => {
                        tracing::warn!(%error, "no relay socket");
                        OpenError::Failed
                    }
                });
                self.server.handle_relay_opened(now, relay, outcome);
            }
            Event::CloseRelay { local, .. } => io.close(local),
            Event::Disconnect { path } => io.disconnect(&path),
            Event::Allocated { path, user, .. } => {
                io.set_established(&path, true);
                tracing::debug!(%path.transport, %path.remote, %user, "allocated");
            }
            Event::Released { path, user, reason, to_peers, to_client } => {
                io.set_established(&path, false);
                tracing::debug!(
                    %path.transport, %path.remote, %user, ?reason,
                    to_peers = to_peers.bytes, to_client = to_client.bytes, "released"
                );
            }
            _ => {}
        }
    }

    fn handle_disconnect(&mut self, now: Instant, path: Path) {
        self.server.handle_disconnect(now, path);
    }
}
