//! Generates relayed traffic against one server, never more in flight than a window, so that nothing
//! is lost and the server's CPU time is all spent on packets that arrive.

use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::SockRef;

use crate::process::Server;
use crate::turn::Allocation;

const CHANNEL: u16 = 0x4000;
const PATIENCE: Duration = Duration::from_millis(300);
/// Windows that may end with a loss before a run is given up: each one waits.
const LOSSES: usize = 20;

/// One way to load a relay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) payload: usize,
    pub(crate) allocations: usize,
    /// Packets in flight at most.
    pub(crate) window: usize,
    /// Whether the peer sends each packet back.
    pub(crate) echo: bool,
    /// Whether both ends use segmentation offload; else each packet is one call, as browsers send.
    pub(crate) offload: bool,
}

/// What one run of a load cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Relayed packets that arrived; an echo counts twice.
    pub(crate) packets: u64,
    pub(crate) lost: u64,
    pub(crate) cpu: Duration,
}

/// The clients and the peer of one load, set up on one server.
pub(crate) struct Ends<'s> {
    server: &'s Server,
    load: Load,
    clients: Vec<Allocation>,
    peer: UdpSocket,
    frame: Vec<u8>,
    next: usize,
}

impl<'s> Ends<'s> {
    pub(crate) fn new(server: &'s Server, load: Load) -> Result<Self> {
        let peer = UdpSocket::bind(("127.0.0.1", 0))?;
        // May be granted less; the window is small.
        let _ = SockRef::from(&peer).set_recv_buffer_size(4 << 20);
        peer.set_read_timeout(Some(PATIENCE))?;
        let clients = (0..load.allocations)
            .map(|_| {
                let client = Allocation::new(server.address)?;
                client.bind_channel(CHANNEL, peer.local_addr()?)?;
                client.socket.set_read_timeout(Some(PATIENCE))?;
                // May be granted less, as above.
                let _ = SockRef::from(&client.socket).set_recv_buffer_size(4 << 20);
                Ok(client)
            })
            .collect::<Result<Vec<_>>>()?;
        let mut frame = CHANNEL.to_be_bytes().to_vec();
        frame.extend(u16::try_from(load.payload)?.to_be_bytes());
        frame.resize(4 + load.payload, 0xab);
        Ok(Self { server, load, clients, peer, frame, next: 0 })
    }

    /// Sends `packets` after a warm-up of a tenth.
    pub(crate) fn run(&mut self, packets: usize) -> Result<Cost> {
        self.transfer(packets / 10)?;
        let before = self.server.cpu()?;
        let arrived = self.transfer(packets)?;
        let cpu = self.server.cpu()? - before;
        let due = packets.div_ceil(self.load.window) * self.load.window;
        let due = due as u64 * if self.load.echo { 2 } else { 1 };
        Ok(Cost { packets: arrived, lost: due.saturating_sub(arrived), cpu })
    }

    fn transfer(&mut self, packets: usize) -> Result<u64> {
        let windows = packets.div_ceil(self.load.window);
        let whole = self.load.window as u64 * if self.load.echo { 2 } else { 1 };
        let (mut arrived, mut losses) = (0, 0);
        for _ in 0..windows {
            let window = if self.load.offload { self.offloaded()? } else { self.plain()? };
            arrived += window;
            losses += usize::from(window < whole);
            ensure!(losses < LOSSES, "{} loses too much at {}", self.server.name, self.load.name);
        }
        ensure!(arrived > 0, "nothing arrived through {}", self.server.name);
        Ok(arrived)
    }

    fn plain(&mut self) -> Result<u64> {
        let first = self.next;
        for _ in 0..self.load.window {
            self.clients[self.next % self.clients.len()].socket.send(&self.frame)?;
            self.next += 1;
        }
        let mut arrived = 0;
        let mut buffer = [0; 2048];
        for _ in 0..self.load.window {
            let Ok((length, from)) = self.peer.recv_from(&mut buffer) else { break };
            arrived += 1;
            if self.load.echo {
                self.peer.send_to(&buffer[..length], from)?;
            }
        }
        if self.load.echo {
            for index in first..first + arrived as usize {
                let client = &self.clients[index % self.clients.len()];
                let Ok(length) = client.socket.recv(&mut buffer) else { break };
                ensure!(length >= self.frame.len(), "a packet came back cut");
                arrived += 1;
            }
        }
        Ok(arrived)
    }

    /// One super-packet per window, and as many per receipt as the kernel joins.
    fn offloaded(&mut self) -> Result<u64> {
        ensure!(!self.load.echo, "the offload load goes one way");
        let client = &self.clients[self.next % self.clients.len()];
        self.next += 1;
        let run = self.frame.repeat(self.load.window);
        let sender = blocking(&client.socket)?;
        let transmit = Transmit {
            destination: self.server.address,
            ecn: None,
            contents: &run,
            segment_size: Some(self.frame.len()),
            src_ip: None,
        };
        sender.try_send((&client.socket).into(), &transmit).context("no segmentation offload")?;
        let receiver = blocking(&self.peer)?;
        self.peer.set_read_timeout(Some(PATIENCE))?;
        let mut buffer = vec![0; 1 << 16];
        let mut arrived = 0;
        while arrived < self.load.window {
            let mut meta = [RecvMeta::default()];
            let mut slices = [IoSliceMut::new(&mut buffer)];
            if receiver.recv((&self.peer).into(), &mut slices, &mut meta).is_err() {
                break;
            }
            arrived += meta[0].len.div_ceil(meta[0].stride.max(1));
        }
        Ok(arrived as u64)
    }
}

/// Prepares a socket for offload; quinn-udp makes it non-blocking, which a window does not want.
fn blocking(socket: &UdpSocket) -> Result<UdpSocketState> {
    let state = UdpSocketState::new(socket.into())?;
    socket.set_nonblocking(false)?;
    Ok(state)
}

/// Makes `count` allocations and keeps them.
pub(crate) fn allocate(server: SocketAddr, count: usize) -> Result<Vec<Allocation>> {
    (0..count).map(|_| Allocation::new(server)).collect()
}
