//! One request over HTTP and its answer, on a stream of its own.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{Answer, BadFrame, Path, Transport, Want, WantId};

use super::event::Reason;
use super::http::{Reader, Response};
use super::wants::Wants;

/// From the first thought to the last byte; a gateway is one hop away, but often slow.
const PATIENCE: Duration = Duration::from_secs(3);

/// A request under way.
#[derive(Debug)]
pub(super) struct Exchange {
    stream: Stream,
    request: Vec<u8>,
    reader: Reader,
    deadline: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Stream {
    Opening(WantId),
    Open(Path),
    Closed,
}

impl Exchange {
    /// Opens a stream from `local` to `remote` for `request`.
    pub(super) fn begin(
        now: Instant,
        wants: &mut Wants,
        local: IpAddr,
        remote: SocketAddr,
        request: Vec<u8>,
    ) -> Self {
        let id = wants.ask(|id| Want::Connect {
            id,
            transport: Transport::Tcp,
            local: Some(SocketAddr::new(local, 0)),
            remote,
            server_name: None,
            framer: whatever_comes,
        });
        let deadline = now + PATIENCE;
        Self { stream: Stream::Opening(id), request, reader: Reader::default(), deadline }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Takes what the driver says of the stream. The path and bytes to send, or how it ended.
    pub(super) fn handle_answer(&mut self, answer: &Answer) -> Progress {
        match (self.stream, answer) {
            (Stream::Opening(ours), Answer::Connected { id, path }) if *id == ours => {
                self.stream = Stream::Open(*path);
                Progress::Send(*path, std::mem::take(&mut self.request))
            }
            (Stream::Opening(ours), Answer::Failed { id, error }) if *id == ours => {
                self.stream = Stream::Closed;
                Progress::Over(Err(Reason::Socket(error.clone())))
            }
            (Stream::Open(ours), Answer::Closed { path }) if *path == ours => {
                self.stream = Stream::Closed;
                Progress::Over(self.reader.end().ok_or(Reason::Nonsense))
            }
            _ => Progress::NotOurs,
        }
    }

    /// Takes bytes of the stream.
    pub(super) fn handle_bytes(&mut self, path: &Path, bytes: &[u8]) -> Progress {
        if !matches!(self.stream, Stream::Open(ours) if ours == *path) {
            return Progress::NotOurs;
        }
        match self.reader.take(bytes) {
            Ok(None) => Progress::More,
            Ok(Some(response)) => Progress::Over(Ok(response)),
            Err(_) => Progress::Over(Err(Reason::Nonsense)),
        }
    }

    /// Lets go of the stream.
    pub(super) fn finish(self, wants: &mut Wants) {
        match self.stream {
            Stream::Opening(id) => wants.tell(Want::Close { id }),
            Stream::Open(path) => wants.tell(Want::HangUp { path }),
            Stream::Closed => {}
        }
    }
}

/// How far an exchange is.
pub(super) enum Progress {
    /// It was not meant.
    NotOurs,
    /// It goes on.
    More,
    /// These bytes are to be sent.
    Send(Path, Vec<u8>),
    /// It is over.
    Over(Result<Response, Reason>),
}

/// HTTP is cut by its reader: every piece is a frame.
fn whatever_comes(bytes: &[u8]) -> Result<Option<usize>, BadFrame> {
    Ok((!bytes.is_empty()).then_some(bytes.len()))
}
