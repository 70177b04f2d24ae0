//! A netcat over a data channel, from one address to another:
//! `cargo run --release -p talkie-proto --example channels -- 127.0.0.1:7000 127.0.0.1:7001`, and the same with both
//! addresses swapped. Then type, or pipe a file in on one side and out on the other; it ends where the input does, but
//! not for a side that has had none. What WebRTC has below, ICE and
//! DTLS, is left out: packets go over UDP as they are, for everybody to read.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "somebody does the I/O")]
use std::error::Error;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant, UNIX_EPOCH};
use std::{env, thread};

use bytes::Bytes;
use talkie_proto::datachannel::{
    ChannelId, Config, DataChannels, Event, Kind, Options, Role, State,
};
use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};

/// Bytes of input that may wait to be sent.
const QUEUE: usize = 4 << 20;
/// How long a line that is typed waits while nothing comes from the other side.
const PATIENCE: Duration = Duration::from_millis(20);

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let (Some(local), Some(remote)) = (words.next(), words.next()) else {
        return Err(
            "two addresses are needed, ours and the other side's: 127.0.0.1:7000 127.0.0.1:7001"
                .into(),
        );
    };
    let (local, remote): (SocketAddr, SocketAddr) = (local.parse()?, remote.parse()?);
    let socket = UdpSocket::bind(local)?;
    let (mut seed, path) = ([0; 32], Path { transport: Transport::Udp, local, remote });
    getrandom::fill(&mut seed)?;
    let now = Instant::now();
    let role = if local < remote { Role::Client } else { Role::Server };
    let config = Config { role: Some(role), ..Config::default() };
    let genesis = Genesis { now, unix: UNIX_EPOCH.elapsed()?, seed };
    let mut channels = DataChannels::new(&genesis, path, config);
    channels.connect(now)?;
    if role == Role::Client {
        channels.open(now, Options { label: "netcat".to_owned(), ..Options::default() })?;
    }
    let (mut input, mut channel, mut out) = (Input::read(), None, Vec::new());
    loop {
        let now = Instant::now();
        channels.handle_timeout(now);
        if let Some(channel) = channel {
            send(&mut channels, now, channel, &mut input)?;
        }
        while channels.poll_transmit(&mut out).is_some() {
            // What the system does not take is lost, and sent again.
            let _ = socket.send_to(&out, remote);
            out.clear();
        }
        while let Some(event) = channels.poll_event() {
            match event {
                Event::Open(id) | Event::Incoming(id) => channel = Some(id),
                Event::Closed(_) => channels.shutdown(now),
                Event::Ended(end) => {
                    eprintln!("# {end:?}");
                    return Ok(());
                }
                _ => {}
            }
        }
        while let Some(message) = channels.take_message() {
            io::stdout().write_all(&message.payload)?;
        }
        io::stdout().flush()?;
        let until = channels.poll_timeout().unwrap_or(now + PATIENCE);
        receive(&socket, &mut channels, until.saturating_duration_since(now).min(PATIENCE), path)?;
    }
}

/// Whatever is typed or piped in, in pieces.
struct Input {
    pieces: Receiver<Bytes>,
    /// Whether there was any: the end of none closes no channel, as whoever only receives may have no input.
    any: bool,
}

impl Input {
    fn read() -> Self {
        Self { pieces: read_input(), any: false }
    }
}

fn read_input() -> Receiver<Bytes> {
    let (pieces, input) = mpsc::sync_channel(64);
    thread::spawn(move || {
        let mut buf = [0; 16 << 10];
        while let Ok(len @ 1..) = io::stdin().read(&mut buf) {
            if pieces.send(Bytes::copy_from_slice(&buf[..len])).is_err() {
                break;
            }
        }
    });
    input
}

fn send(
    channels: &mut DataChannels,
    now: Instant,
    channel: ChannelId,
    input: &mut Input,
) -> Result<(), Box<dyn Error>> {
    while channels.state(channel) == Some(State::Open) && channels.buffered_amount(channel) < QUEUE
    {
        match input.pieces.try_recv() {
            Ok(piece) => {
                input.any = true;
                channels.send(now, channel, Kind::Binary, piece)?;
            }
            Err(TryRecvError::Disconnected) if input.any => channels.close(now, channel),
            Err(_) => break,
        }
    }
    Ok(())
}

/// Waits for packets, and takes all that are there.
fn receive(
    socket: &UdpSocket,
    channels: &mut DataChannels,
    wait: Duration,
    path: Path,
) -> io::Result<()> {
    socket.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
    let mut buf = [0; 65_535];
    for received in 0..64 {
        socket.set_nonblocking(received > 0)?;
        match socket.recv_from(&mut buf) {
            Ok((len, remote)) if remote == path.remote => {
                let datagram = Datagram { path, payload: &mut buf[..len] };
                channels.handle_datagram(Instant::now(), datagram);
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(_) => break,
        }
    }
    socket.set_nonblocking(false)
}
