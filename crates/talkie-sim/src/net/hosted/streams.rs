//! Streams of hosted machines: who is told of what, and the framing.
//!
//! A stream's bytes are cut anew by the receiver's framer, however the sender had cut them; so two
//! machines that frame differently do not understand each other here either.

use std::net::SocketAddr;

use talkie_sansio::{Answer, Framer, Path, WantError, WantId};

use crate::net::fabric::Fabric;
use crate::net::stream::{End, StreamEvent};

/// One stream of a host.
#[derive(Debug)]
pub(super) struct Stream {
    /// The want that it answers, until it has.
    pub(super) wanted: Option<WantId>,
    framer: Framer,
    unread: Vec<u8>,
}

/// The longest frame: a length of 16 bits, and whatever header and padding go with it.
const LONGEST_FRAME: usize = 0x1_0000 + 64;

impl Stream {
    pub(super) fn wanted(id: WantId, framer: Framer) -> Self {
        Self { wanted: Some(id), framer, unread: Vec::new() }
    }

    /// The frames that are complete with these bytes, and whether the framing is still understood.
    fn read(&mut self, bytes: &[u8]) -> (Vec<Vec<u8>>, bool) {
        self.unread.extend_from_slice(bytes);
        let mut frames = Vec::new();
        loop {
            match (self.framer)(&self.unread) {
                Ok(Some(0)) | Err(_) => return (frames, false),
                Ok(Some(length)) if length > LONGEST_FRAME => return (frames, false),
                Ok(Some(length)) if length <= self.unread.len() => {
                    frames.push(self.unread.drain(..length).collect());
                }
                Ok(_) => return (frames, true),
            }
            if self.unread.is_empty() {
                return (frames, true);
            }
        }
    }
}

impl Fabric {
    /// Whether a machine may send on a stream: always, if it asks for none.
    pub(in crate::net) fn has_stream(&self, node: u32, path: Path) -> bool {
        let is_open = |stream: &Stream| stream.wanted.is_none();
        self.hosting(node).is_none_or(|hosting| hosting.streams.get(&path).is_some_and(is_open))
    }

    /// Whether a hosted machine takes streams at this port.
    pub(in crate::net) fn listens(&self, node: u32, local: SocketAddr) -> bool {
        self.hosting(node)
            .is_some_and(|hosting| hosting.listeners.values().any(|it| it.local == local))
    }

    /// Something has happened to a hosted machine's connection.
    pub(in crate::net) fn stream_answer(
        &mut self,
        node: u32,
        event: StreamEvent,
    ) -> Option<Answer> {
        let hosting = self.hosting_mut(node)?;
        match event {
            StreamEvent::Opened(path) => {
                if let Some(stream) = hosting.streams.get_mut(&path) {
                    return Some(Answer::Connected { id: stream.wanted.take()?, path });
                }
                let mut listeners = hosting.listeners.iter();
                let found = listeners.find(|(_, it)| it.local == path.local);
                let Some((id, listener)) = found else {
                    // It was closed in the meantime, or nobody wants this stream any more.
                    self.end_stream(node, path);
                    return None;
                };
                let (id, framer) = (*id, listener.framer);
                let stream = Stream { wanted: None, framer, unread: Vec::new() };
                hosting.streams.insert(path, stream);
                Some(Answer::Accepted { id, path })
            }
            StreamEvent::Closed(path, end) => match hosting.streams.remove(&path)?.wanted {
                Some(id) => Some(Answer::Failed { id, error: error(end) }),
                None => Some(Answer::Closed { path }),
            },
        }
    }

    /// Cuts what has arrived on a stream, and ends it if that makes no sense.
    pub(in crate::net) fn read_stream(
        &mut self,
        node: u32,
        path: Path,
        bytes: &[u8],
    ) -> (Vec<Vec<u8>>, Option<Answer>) {
        let stream = self.hosting_mut(node).and_then(|it| it.streams.get_mut(&path));
        let Some(stream) = stream else { return (Vec::new(), None) };
        let (frames, is_understood) = stream.read(bytes);
        if is_understood {
            return (frames, None);
        }
        self.hang_up(node, path);
        (frames, Some(Answer::Closed { path }))
    }

    pub(super) fn hang_up(&mut self, node: u32, path: Path) {
        let Some(hosting) = self.hosting_mut(node) else { return };
        if hosting.streams.remove(&path).is_some() {
            self.end_stream(node, path);
        }
    }
}

fn error(end: End) -> WantError {
    match end {
        End::Refused => WantError::Io(std::io::ErrorKind::ConnectionRefused),
        End::Reset | End::Finished => WantError::Io(std::io::ErrorKind::ConnectionReset),
        End::TimedOut => WantError::TimedOut,
    }
}
