//! TCP candidates (RFC 6544): ports that connections leave from or come to, and the connections.
//!
//! Each connection is one peer of one base. Whoever can reach a listening port can connect, so that of
//! those connections on which nothing was ever answered the oldest of the busiest host make way for new
//! ones, and none of them lives long.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{Path, Transport, Want, WantError, WantId};

use super::config::Tcp;
use super::framing::{frame_length, framed, unframed};
use super::{Gatherer, LocalId, Received, SendError};
use crate::ice::{Protocol, TcpType};

/// What connections belong to.
#[derive(Debug)]
pub(super) struct TcpBase {
    kind: TcpType,
    pub(super) ip: IpAddr,
    listener: Option<WantId>,
    /// The listener's address, once it is open.
    local: Option<SocketAddr>,
}

/// All connections with peers.
#[derive(Debug, Default)]
pub(super) struct Streams {
    list: Vec<Stream>,
    /// By its path, which base and peer.
    by_path: BTreeMap<Path, (LocalId, SocketAddr)>,
}

#[derive(Debug)]
struct Stream {
    base: LocalId,
    remote: SocketAddr,
    state: State,
    since: Instant,
    /// When we sent the last packet.
    used_at: Option<Instant>,
}

#[derive(Debug)]
enum State {
    Opening { want: WantId, held: VecDeque<Vec<u8>> },
    Open(Path),
}

/// How many packets wait for a connection.
const MOST_HELD: usize = 16;
/// How long a connection may be there without a word from us: as long as a transaction on a stream
/// (RFC 8489 §6.2.2).
const UNUSED: Duration = Duration::from_millis(39_500);
/// RFC 6544 §4.5: an active candidate has no port; the discard port stands for it.
const DISCARD: u16 = 9;

impl TcpBase {
    pub(super) fn is_opening(&self) -> bool {
        self.listener.is_some() && self.local.is_none()
    }
}

impl Streams {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let unused = self.list.iter().filter(|stream| stream.used_at.is_none());
        unused.map(|stream| stream.since + UNUSED).min()
    }

    /// The connection to give up for a new one: of those that were never used the oldest of the host that
    /// has the most of them; if there is none, one that nothing was sent on for long. Consent (RFC 7675)
    /// is asked for far more often on every pair that is of use.
    fn outworn(&self, now: Instant) -> Option<(LocalId, SocketAddr)> {
        let unused = || self.list.iter().filter(|stream| stream.used_at.is_none());
        let crowd = |ip: IpAddr| unused().filter(|stream| stream.remote.ip() == ip).count();
        let oldest =
            unused().min_by_key(|stream| (Reverse(crowd(stream.remote.ip())), stream.since));
        let idle = || {
            let is_idle = |stream: &&Stream| stream.used_at.is_some_and(|at| at + UNUSED <= now);
            self.list.iter().filter(is_idle).min_by_key(|stream| stream.used_at)
        };
        oldest.or_else(idle).map(|stream| (stream.base, stream.remote))
    }

    fn get(&mut self, base: LocalId, remote: SocketAddr) -> Option<&mut Stream> {
        self.list.iter_mut().find(|stream| (stream.base, stream.remote) == (base, remote))
    }

    fn remove_if(&mut self, is_gone: impl Fn(&Stream) -> bool) -> Vec<Stream> {
        let gone: Vec<_> = self.list.extract_if(.., |stream| is_gone(stream)).collect();
        for stream in &gone {
            if let State::Open(path) = stream.state {
                self.by_path.remove(&path);
            }
        }
        gone
    }
}

impl Gatherer {
    pub(super) fn use_tcp(&mut self, ip: IpAddr) {
        let kinds: &[TcpType] = match self.config.tcp {
            Tcp::Off => &[],
            Tcp::Active => &[TcpType::Active],
            Tcp::Passive => &[TcpType::Active, TcpType::Passive],
            Tcp::SimultaneousOpen => {
                &[TcpType::Active, TcpType::Passive, TcpType::SimultaneousOpen]
            }
        };
        for kind in kinds {
            let id = self.new_id();
            let listener = (*kind != TcpType::Active).then(|| self.new_want());
            self.tcp.insert(id, TcpBase { kind: *kind, ip, listener, local: None });
            match listener {
                Some(want) => {
                    let ports = self.config.ports.clone();
                    let framer = frame_length;
                    self.wants.push_back(Want::Listen { id: want, local: ip, ports, framer });
                }
                None => {
                    self.tell_host(id, Protocol::Tcp(TcpType::Active), SocketAddr::new(ip, DISCARD))
                }
            }
        }
    }

    fn listener(&self, want: WantId) -> Option<LocalId> {
        let mut bases = self.tcp.iter();
        bases.find_map(|(id, base)| (base.listener == Some(want)).then_some(*id))
    }

    pub(super) fn listening(&mut self, want: WantId, local: SocketAddr) {
        if self.is_closed() {
            return;
        }
        let Some(id) = self.listener(want) else { return };
        let Some(base) = self.tcp.get_mut(&id).filter(|base| base.local.is_none()) else { return };
        base.local = Some(local);
        let protocol = Protocol::Tcp(base.kind);
        self.tell_host(id, protocol, local);
    }

    /// Whether it was a listener.
    pub(super) fn listener_failed(&mut self, want: WantId, error: &WantError) -> bool {
        let Some(id) = self.listener(want) else { return false };
        let Some(base) = self.tcp.remove(&id) else { return false };
        self.drop_streams(|stream| stream.base == id);
        self.tell_gone(id);
        let text = format!("the TCP port cannot be had: {error}");
        let address = Some(base.local.unwrap_or_else(|| SocketAddr::new(base.ip, 0)));
        let code = super::Problem::UNREACHABLE;
        self.tell_problem(super::Problem { url: None, address, code, text });
        true
    }

    pub(super) fn lose_tcp_on(&mut self, ip: IpAddr) {
        for (id, base) in self.tcp.extract_if(.., |_, base| base.ip == ip).collect::<Vec<_>>() {
            self.drop_streams(|stream| stream.base == id);
            if let Some(id) = base.listener {
                self.wants.push_back(Want::Close { id });
            }
            self.tell_gone(id);
        }
    }

    pub(super) fn connected(&mut self, now: Instant, want: WantId, path: Path) {
        if self.leg_connected(now, want, path) || self.stream_connected(want, path) {
            return;
        }
        // Not wanted any more.
        self.wants.push_back(Want::HangUp { path });
    }

    fn stream_connected(&mut self, want: WantId, path: Path) -> bool {
        let is_it = |stream: &&mut Stream| matches!(&stream.state, State::Opening { want: id, .. } if *id == want);
        let Some(stream) = self.streams.list.iter_mut().find(is_it) else { return false };
        let (base, remote) = (stream.base, stream.remote);
        let opening = std::mem::replace(&mut stream.state, State::Open(path));
        self.streams.by_path.insert(path, (base, remote));
        if let State::Opening { held, .. } = opening {
            for frame in held {
                // What does not fit is lost like any other packet.
                let _ = self.put(path, frame);
            }
        }
        true
    }

    pub(super) fn accepted(&mut self, now: Instant, listener: WantId, path: Path) {
        let base = self.listener(listener).filter(|_| !self.is_closed());
        let Some(base) = base else { return self.wants.push_back(Want::HangUp { path }) };
        // The peer again, from the same port: the one before had ended, and this one has its name.
        self.streams.remove_if(|stream| matches!(stream.state, State::Open(of) if of == path));
        // Both have opened at the same time, or the peer again: the newer one is known to work.
        let is_same = |stream: &Stream| (stream.base, stream.remote) == (base, path.remote);
        let held = match self.streams.get(base, path.remote).map(|stream| &mut stream.state) {
            Some(State::Opening { held, .. }) => std::mem::take(held),
            _ => VecDeque::new(),
        };
        self.drop_streams(is_same);
        if !self.has_room(now) {
            return self.wants.push_back(Want::HangUp { path });
        }
        let used_at = (!held.is_empty()).then_some(now);
        let state = State::Open(path);
        self.streams.by_path.insert(path, (base, path.remote));
        self.streams.list.push(Stream { base, remote: path.remote, state, since: now, used_at });
        for frame in held {
            let _ = self.put(path, frame);
        }
    }

    /// Whether this want is for a connection with a peer, and not with a relay.
    pub(in crate::ice) fn opens_to_peer(&self, id: WantId) -> bool {
        let is_it =
            |stream: &Stream| matches!(&stream.state, State::Opening { want, .. } if *want == id);
        self.streams.list.iter().any(is_it)
    }

    /// Whether one more connection may be there, if need be instead of another.
    fn has_room(&mut self, now: Instant) -> bool {
        if self.streams.list.len() < self.config.streams {
            return true;
        }
        let Some(outworn) = self.streams.outworn(now) else { return false };
        self.drop_streams(|stream| (stream.base, stream.remote) == outworn);
        true
    }

    pub(super) fn send_framed(
        &mut self,
        now: Instant,
        local: LocalId,
        remote: SocketAddr,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let frame = framed(payload).ok_or(SendError::TooLong)?;
        let Some(stream) = self.streams.get(local, remote) else {
            return self.connect(now, local, remote, frame);
        };
        stream.used_at = Some(now);
        match &mut stream.state {
            State::Open(path) => {
                let path = *path;
                self.put(path, frame)
            }
            State::Opening { held, .. } if held.len() < MOST_HELD => {
                held.push_back(frame);
                Ok(())
            }
            State::Opening { .. } => Err(SendError::Full),
        }
    }

    fn connect(
        &mut self,
        now: Instant,
        local: LocalId,
        remote: SocketAddr,
        frame: Vec<u8>,
    ) -> Result<(), SendError> {
        let base = self.tcp.get(&local).ok_or(SendError::NoBase)?;
        let from = match base.kind {
            TcpType::Active => Some(SocketAddr::new(base.ip, 0)),
            TcpType::Passive => None,
            // RFC 6544 §7.1: from the very port that the peer opens to.
            TcpType::SimultaneousOpen => base.local,
        };
        let from = from.filter(|from| from.is_ipv4() == remote.is_ipv4() && remote.port() != 0);
        let from = from.ok_or(SendError::Unreachable)?;
        if !self.has_room(now) {
            return Err(SendError::Full);
        }
        let want = self.new_want();
        self.wants.push_back(Want::Connect {
            id: want,
            transport: Transport::Tcp,
            local: Some(from),
            remote,
            server_name: None,
            framer: frame_length,
        });
        let state = State::Opening { want, held: VecDeque::from([frame]) };
        self.streams.list.push(Stream {
            base: local,
            remote,
            state,
            since: now,
            used_at: Some(now),
        });
        Ok(())
    }

    pub(super) fn receive_framed<'p>(&self, path: Path, payload: &'p mut [u8]) -> Received<'p> {
        let Some((local, remote)) = self.streams.by_path.get(&path).copied() else {
            return Received::Dropped;
        };
        match unframed(payload) {
            Some(payload) => Received::From { local, remote, payload },
            None => Received::Dropped,
        }
    }

    pub(super) fn stream_closed(&mut self, now: Instant, path: Path) {
        if let Some(leg) = self.leg_of(path) {
            self.leg_closed(now, leg);
            return;
        }
        self.end_streams(|stream| matches!(stream.state, State::Open(of) if of == path));
        self.outbox.retain(|(of, _)| *of != path);
    }

    /// Streams that are there no longer, which is for their pairs to know.
    fn end_streams(&mut self, is_ended: impl Fn(&Stream) -> bool) {
        for Stream { base: id, remote, used_at, .. } in self.streams.remove_if(is_ended) {
            // Where nothing was answered there is no pair.
            if used_at.is_some() {
                self.events.push_back(super::Event::Ended { id, remote });
            }
        }
    }

    pub(super) fn want_failed(&mut self, now: Instant, want: WantId, error: &WantError) {
        if self.name_failed(want, error) || self.listener_failed(want, error) {
            return;
        }
        if let Some(leg) = self.leg_connecting(want) {
            return self.leg_failed(now, leg, error);
        }
        let socket = self.sockets.iter().find(|(_, socket)| socket.want == want);
        if let Some((id, _)) = socket {
            return self.socket_failed(*id, error);
        }
        self.end_streams(
            |stream| matches!(&stream.state, State::Opening { want: id, .. } if *id == want),
        );
    }

    pub(super) fn time_out_streams(&mut self, now: Instant) {
        self.drop_streams(|stream| stream.used_at.is_none() && stream.since + UNUSED <= now);
    }

    /// Ends connections.
    fn drop_streams(&mut self, is_dropped: impl Fn(&Stream) -> bool) {
        for stream in self.streams.remove_if(is_dropped) {
            match stream.state {
                State::Open(path) => {
                    self.outbox.retain(|(of, _)| *of != path);
                    self.wants.push_back(Want::HangUp { path });
                }
                State::Opening { want, .. } => self.wants.push_back(Want::Close { id: want }),
            }
        }
    }

    pub(super) fn close_tcp(&mut self) {
        self.drop_streams(|_| true);
        let ips: Vec<_> = self.tcp.values().map(|base| base.ip).collect();
        for ip in ips {
            self.lose_tcp_on(ip);
        }
    }
}
