//! One client on a stream: frames in, frames out, and an end to those that only hold a place.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use crate::frame::{Chunk, FrameReader, Framer, ReadError};
use crate::queue::OutQueue;

/// How long a stream may stay without use, and how much may wait for it.
#[derive(Clone, Debug)]
pub struct LegLimits {
    /// From the start to the first whole frame.
    pub first_frame: Duration,
    /// The longest time that the machine does not call the leg established. Bounds what somebody
    /// who never authenticates can hold.
    pub unestablished: Duration,
    /// The longest time that one write may take.
    pub write_stall: Duration,
    /// Bytes that may wait to be written; beyond them frames are dropped.
    pub queue: usize,
}

impl Default for LegLimits {
    fn default() -> Self {
        Self {
            first_frame: Duration::from_secs(10),
            unestablished: Duration::from_secs(30),
            write_stall: Duration::from_secs(30),
            // Half a second of 4 Mbit/s.
            queue: 256 << 10,
        }
    }
}

/// Takes what arrives.
pub(crate) trait Deliver: Send {
    /// Waits until there is room for `chunk`; false if nobody wants more.
    fn deliver(&mut self, chunk: Chunk) -> impl Future<Output = bool> + Send;
}

impl Deliver for mpsc::Sender<Chunk> {
    async fn deliver(&mut self, chunk: Chunk) -> bool {
        self.send(chunk).await.is_ok()
    }
}

/// What both the leg's task and its owner know.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) queue: OutQueue,
    established: AtomicBool,
}

/// Why a leg ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LegEnd {
    #[error("closed by this side")]
    Closed,
    #[error("idle")]
    Idle,
    #[error("the peer does not read")]
    Stalled,
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] std::io::Error),
}

impl Leg {
    pub(crate) fn new(limits: &LegLimits) -> Self {
        Self { queue: OutQueue::new(limits.queue), established: AtomicBool::new(false) }
    }

    pub(crate) fn set_established(&self, established: bool) {
        self.established.store(established, Ordering::Relaxed);
    }

    /// Serves `stream` until it ends; `deliver` takes what arrives and says whether to go on.
    ///
    /// With `records` each frame is one write, and so one TLS record: some clients take a record for
    /// a message.
    pub(crate) async fn run<S>(
        &self,
        stream: S,
        framer: Framer,
        records: bool,
        limits: &LegLimits,
        deliver: impl Deliver,
    ) -> LegEnd
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut reader, mut writer) = tokio::io::split(stream);
        tokio::select! {
            end = self.read(&mut reader, framer, limits, deliver) => end,
            end = self.write(&mut writer, records.then_some(framer), limits) => end,
        }
    }

    async fn read<R: AsyncRead + Unpin>(
        &self,
        stream: &mut R,
        framer: Framer,
        limits: &LegLimits,
        mut deliver: impl Deliver,
    ) -> LegEnd {
        let mut frames = FrameReader::new(framer);
        let mut idle_since = Instant::now();
        let mut patience = limits.first_frame.min(limits.unestablished);
        loop {
            match timeout_at(idle_since + patience, frames.next(stream)).await {
                Ok(Ok(chunk)) => {
                    patience = limits.unestablished;
                    if !deliver.deliver(chunk).await {
                        return LegEnd::Closed;
                    }
                }
                Ok(Err(error)) => return error.into(),
                // The machine says when the leg stops being established, so that looking at it
                // once per interval gives between one and two intervals of patience.
                Err(_) if self.established.load(Ordering::Relaxed) => {
                    idle_since = Instant::now();
                    patience = limits.unestablished;
                }
                Err(_) => return LegEnd::Idle,
            }
        }
    }

    async fn write<W: AsyncWrite + Unpin>(
        &self,
        stream: &mut W,
        cut: Option<Framer>,
        limits: &LegLimits,
    ) -> LegEnd {
        let mut taken = Vec::new();
        while self.queue.take(&mut taken).await {
            let written = async {
                let mut rest = &taken[..];
                while !rest.is_empty() {
                    let frame = cut.and_then(|framer| framer(rest).ok().flatten());
                    let length = frame.map_or(rest.len(), |length| length.clamp(1, rest.len()));
                    stream.write_all(&rest[..length]).await?;
                    rest = &rest[length..];
                }
                stream.flush().await
            };
            match timeout(limits.write_stall, written).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error.into(),
                Err(_) => return LegEnd::Stalled,
            }
        }
        // The other side learns of the end by its own means if this does not reach it.
        let _ = timeout(Duration::from_secs(1), stream.shutdown()).await;
        LegEnd::Closed
    }
}
