//! A question over UDP, asked again until it is answered or it is time to give up.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::{sleep_until, timeout};

/// When a question is sent, counted from the first time, and when it is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    pub(crate) at: &'static [Duration],
    pub(crate) patience: Duration,
}

/// RFC 8489 §6.2.1: 500 ms, doubled each time.
pub(crate) const STUN: Schedule = Schedule {
    at: &[Duration::ZERO, Duration::from_millis(500), Duration::from_millis(1500)],
    patience: super::PATIENCE,
};

/// A question and how its answer is known.
pub(crate) trait Question {
    type Answer;

    /// The datagram of the `attempt`-th time.
    fn write(&mut self, attempt: usize) -> Vec<u8>;

    /// The answer if `datagram` is one, and to which attempt; `None` for anything else.
    fn read(&self, datagram: &[u8]) -> Option<(Option<usize>, Self::Answer)>;
}

/// A socket for questions to `remote`, which hears nobody else.
pub(crate) async fn socket(source: Option<IpAddr>, remote: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = match remote {
        SocketAddr::V4(_) => [0; 4].into(),
        SocketAddr::V6(_) => [0; 16].into(),
    };
    let socket = UdpSocket::bind((source.unwrap_or(any), 0)).await?;
    socket.connect(remote).await?;
    Ok(socket)
}

/// Asks; the answer and its round trip. Without an attempt in the answer the round trip is counted
/// from the last time the question was sent.
///
/// # Errors
/// An error of the system, which an ICMP error for an earlier datagram is, too; a time-out if
/// nothing came.
pub(crate) async fn ask<Q: Question>(
    socket: &UdpSocket,
    question: &mut Q,
    schedule: Schedule,
) -> io::Result<(Q::Answer, Duration)> {
    let asked = timeout(schedule.patience, attempts(socket, question, schedule));
    asked.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn attempts<Q: Question>(
    socket: &UdpSocket,
    question: &mut Q,
    schedule: Schedule,
) -> io::Result<(Q::Answer, Duration)> {
    let began = Instant::now();
    let mut sent: Vec<Instant> = Vec::new();
    // A datagram that is longer than this is no answer to any of the questions.
    let mut buffer = [0; 2048];
    loop {
        let next = schedule.at.get(sent.len()).map(|after| began + *after);
        let due = async {
            match next {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            received = socket.recv(&mut buffer), if !sent.is_empty() => {
                let length = received?;
                if let Some((attempt, answer)) = question.read(&buffer[..length]) {
                    let since = attempt.and_then(|it| sent.get(it)).or_else(|| sent.last());
                    return Ok((answer, since.map_or_else(Duration::default, Instant::elapsed)));
                }
            }
            () = due => {
                let datagram = question.write(sent.len());
                sent.push(Instant::now());
                socket.send(&datagram).await?;
            }
        }
    }
}
