use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_net::driver::{self, End, Running, Wires};
use talkie_net::{UdpOptions, UdpSocket};
use talkie_sansio::{Datagram, Machine, Path, Transmit, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::toy::{framed, framer};

const SOON: Duration = Duration::from_secs(5);

/// Sends what it is told to, reports what it gets, and says "tick" as an event when asked to.
#[derive(Default)]
struct Mouth {
    out: VecDeque<(Path, Vec<u8>)>,
    heard: VecDeque<Vec<u8>>,
    tick: Option<Instant>,
}

impl Machine for Mouth {
    type Event = Vec<u8>;

    fn handle_datagram(&mut self, _now: Instant, datagram: Datagram<'_>) {
        self.heard.push_back(datagram.payload.to_vec());
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.tick.take_if(|tick| *tick <= now).is_some() {
            self.heard.push_back(b"tick".to_vec());
        }
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, payload) = self.out.pop_front()?;
        buf.extend_from_slice(&payload);
        Some(Transmit { path, len: payload.len() })
    }

    fn poll_event(&mut self) -> Option<Vec<u8>> {
        self.heard.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.tick
    }
}

async fn heard(running: &mut Running<Mouth>) -> Vec<u8> {
    timeout(SOON, running.events.recv()).await.unwrap().unwrap()
}

fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into(), &UdpOptions::default()).unwrap();
    let local = socket.local();
    (socket, local)
}

#[tokio::test]
async fn two_machines_talk_over_udp() {
    let ((a, at_a), (b, at_b)) = (socket(), socket());
    let wires = |socket| Wires { sockets: vec![socket], stream: None };
    let left = driver::spawn(Mouth::default(), wires(a)).unwrap();
    let mut right = driver::spawn(Mouth::default(), wires(b)).unwrap();
    // More than the channel of events holds, in runs that one call sends.
    let path = Path { transport: Transport::Udp, local: at_a, remote: at_b };
    for round in 0..10_u8 {
        left.handle
            .call(move |mouth, _| {
                for index in 0..50_u8 {
                    mouth.out.push_back((path, vec![round, index, 0, 0]));
                }
            })
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for round in 0..10 {
        for index in 0..50 {
            assert_eq!(heard(&mut right).await, [round, index, 0, 0]);
        }
    }
}

#[tokio::test]
async fn timers_fire_and_the_task_ends_with_its_handles() {
    let mut running = driver::spawn(Mouth::default(), Wires::default()).unwrap();
    let set = |mouth: &mut Mouth, now| mouth.tick = Some(now + Duration::from_millis(30));
    running.handle.call(set).await.unwrap();
    assert_eq!(heard(&mut running).await, b"tick");
    drop(running.handle);
    assert_eq!(timeout(SOON, running.end).await.unwrap().unwrap(), End::Released);
}

#[tokio::test]
async fn a_machine_talks_over_a_stream_and_learns_of_its_end() {
    let (near, mut far) = tokio::io::duplex(4096);
    let address: SocketAddr = (Ipv4Addr::LOCALHOST, 1).into();
    let path = Path { transport: Transport::Tls, local: address, remote: address };
    let stream: Option<(Box<dyn driver::Stream>, Path, talkie_net::Framer)> =
        Some((Box::new(near), path, framer));
    let mut running =
        driver::spawn(Mouth::default(), Wires { stream, ..Wires::default() }).unwrap();
    running
        .handle
        .call(move |mouth, _| mouth.out.push_back((path, framed(b"question"))))
        .await
        .unwrap();
    let mut question = [0; 10];
    timeout(SOON, far.read_exact(&mut question)).await.unwrap().unwrap();
    assert_eq!(question, *framed(b"question"));
    far.write_all(&[framed(b"an"), framed(b"swer")].concat()).await.unwrap();
    assert_eq!(heard(&mut running).await, framed(b"an"));
    assert_eq!(heard(&mut running).await, framed(b"swer"));
    drop(far);
    assert_eq!(timeout(SOON, running.end).await.unwrap().unwrap(), End::StreamClosed);
}
