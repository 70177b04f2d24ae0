//! The thread's loop.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use talkie_sansio::{Datagram, Path, Transport, drain};
use tokio::sync::mpsc;

use super::io::Io;
use super::{Command, Direct, Doorbell, Forward, Packet};
use crate::frame::Chunk;
use crate::queue::Class;
use crate::udp::{BATCH, Batch, HEADROOM};

pub(super) const DOORBELL: Token = Token(usize::MAX);
/// Batches taken from one socket before the others get their turn.
const ROUNDS: usize = 8;
/// Commands carried out before the sockets get their turn.
const COMMANDS_PER_TURN: usize = 64;

pub(super) struct Shard<M> {
    machine: M,
    poll: Poll,
    io: Io,
    commands: mpsc::Receiver<Command<M>>,
    doorbell: Arc<Doorbell>,
    batch: Batch,
    scratch: Vec<u8>,
    deadline: Option<Instant>,
    /// Sockets that may hold more: events come only at the edge.
    ready: VecDeque<usize>,
    commands_ready: bool,
    stopping: bool,
}

impl<M: Direct> Shard<M> {
    pub(super) fn new(
        machine: M,
        poll: Poll,
        io: Io,
        commands: mpsc::Receiver<Command<M>>,
        doorbell: Arc<Doorbell>,
    ) -> Self {
        Self {
            machine,
            poll,
            io,
            commands,
            doorbell,
            batch: Batch::new(),
            scratch: Vec::with_capacity(2048),
            deadline: None,
            ready: VecDeque::new(),
            commands_ready: true,
            stopping: false,
        }
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        self.settle(Instant::now());
        while !self.stopping {
            match self.poll.poll(&mut events, self.patience()) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::error!(%error, "the packet thread cannot wait for its sockets");
                    break;
                }
            }
            for event in &events {
                match event.token() {
                    DOORBELL => self.commands_ready = true,
                    Token(index) => self.ready.push_back(index),
                }
            }
            self.turn();
        }
        self.io.flush();
        self.io.close_legs();
        // Dropping the receiver tells the handles.
    }

    /// How long to wait for events.
    fn patience(&self) -> Option<Duration> {
        if !self.ready.is_empty() || self.commands_ready {
            return Some(Duration::ZERO);
        }
        // Rounded up, since waking too early would only wait again.
        self.deadline
            .map(|at| at.saturating_duration_since(Instant::now()) + Duration::from_millis(1))
    }

    fn turn(&mut self) {
        for _ in 0..self.ready.len() {
            let Some(index) = self.ready.pop_front() else { break };
            if self.receive(index) {
                self.ready.push_back(index);
            }
        }
        if self.commands_ready {
            self.carry_out();
        }
        if self.deadline.is_some() {
            let now = Instant::now();
            if self.deadline.is_some_and(|at| at <= now) {
                self.settle(now);
            }
        }
        self.io.flush();
    }

    /// Empties the machine; to be called after whatever may have changed it.
    fn settle(&mut self, now: Instant) {
        self.deadline = drain(&mut self.machine, now, &mut self.scratch, &mut self.io);
    }

    /// Takes what a socket holds, up to a bound; true if it may hold more.
    fn receive(&mut self, index: usize) -> bool {
        for _ in 0..ROUNDS {
            // An event may come from a socket that was closed in this turn.
            let Some(socket) = self.io.socket(index) else { return false };
            let count = match socket.io.receive(&mut self.batch, BATCH) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // An error that an earlier send caused: it is told once and the socket goes on.
                Err(error) => {
                    tracing::debug!(%error, "not received");
                    continue;
                }
            };
            let now = Instant::now();
            for slot in 0..count {
                self.take(now, index, slot);
            }
            self.io.flush();
            if count < BATCH {
                return false;
            }
        }
        true
    }

    /// Handles one receipt: a datagram, or a run of them.
    fn take(&mut self, now: Instant, index: usize, slot: usize) {
        let Some(socket) = self.io.socket(index) else { return };
        let (buffer, meta) = self.batch.slot(slot);
        let local = socket.known_as.unwrap_or_else(|| socket.io.reached(&meta));
        let path = Path { transport: Transport::Udp, local, remote: meta.addr };
        let stride = meta.stride.max(1);
        let end = HEADROOM + meta.len;
        self.io.count_received(meta.len.div_ceil(stride).max(1) as u64, meta.len as u64);
        let mut start = HEADROOM;
        loop {
            let stop = (start + stride).min(end);
            // What follows a datagram inside a run is the next one: no room to write.
            let room = if stop < end { stop } else { buffer.len() };
            let packet = Packet { buffer: &mut buffer[..room], start, end: stop };
            if dispatch(&mut self.machine, &mut self.io, now, path, packet) {
                self.deadline = drain(&mut self.machine, now, &mut self.scratch, &mut self.io);
            }
            start = stop;
            if start >= end {
                break;
            }
        }
    }

    fn carry_out(&mut self) {
        self.doorbell.answer();
        self.commands_ready = false;
        for _ in 0..COMMANDS_PER_TURN {
            let command = match self.commands.try_recv() {
                Ok(command) => command,
                Err(mpsc::error::TryRecvError::Empty) => return,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.stopping = true;
                    return;
                }
            };
            self.obey(command);
        }
        self.commands_ready = true;
    }

    fn obey(&mut self, command: Command<M>) {
        let now = Instant::now();
        match command {
            Command::Call(call) => {
                call(&mut self.machine, now, &self.io);
                self.settle(now);
            }
            Command::Attach { path, leg } => {
                if let Some(old) = self.io.attach(path, leg) {
                    old.queue.close();
                    self.machine.handle_disconnect(now, path);
                    self.settle(now);
                }
            }
            Command::Frames { path, chunk } => self.take_frames(now, path, chunk),
            Command::Detach { path, leg } => {
                if self.io.detach(&path, &leg) {
                    self.machine.handle_disconnect(now, path);
                    self.settle(now);
                }
            }
            Command::Stop => self.stopping = true,
        }
    }

    fn take_frames(&mut self, now: Instant, path: Path, mut chunk: Chunk) {
        while let Some((buffer, start, end)) = chunk.next_frame() {
            self.io.count_received(1, (end - start) as u64);
            let packet = Packet { buffer: &mut buffer[..end], start, end };
            if dispatch(&mut self.machine, &mut self.io, now, path, packet) {
                self.settle(now);
            }
        }
    }
}

/// Forwards one packet, or hands it to the machine; true in the second case.
fn dispatch<M: Direct>(
    machine: &mut M,
    io: &mut Io,
    now: Instant,
    path: Path,
    mut packet: Packet<'_>,
) -> bool {
    match machine.forward(now, path, &mut packet) {
        Forward::Send { path, range } => {
            io.send(&path, &packet.buffer[range], Class::Data);
            false
        }
        Forward::Slow => {
            let payload = &mut packet.buffer[packet.start..packet.end];
            machine.handle_datagram(now, Datagram { path, payload });
            true
        }
        Forward::Drop => false,
    }
}
