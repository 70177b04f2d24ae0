//! One WebSocket on axum: a task that alternates between writing what the hub has for it and
//! waiting for a frame or a wake-up. While it writes it does not read, so a client that takes
//! nothing is not listened to either, and a stall ends at the write deadline.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;

use super::hub::Output;
use super::ids::SocketId;
use super::message::{Incoming, Malformed};
use super::server::Shared;
use super::{Client, SignalingConfig};

/// How a socket's writing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    /// All is written.
    Idle,
    /// It does not take what it is sent.
    Stalled,
    /// A close frame was written.
    Closed,
    /// The connection is gone.
    Broken,
}

/// How a socket's reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Open,
    /// The rest of an oversized frame is in the way: nothing more can be read.
    Blocked,
    Gone,
}

pub(super) struct Connection {
    shared: Arc<Shared>,
    id: SocketId,
    woken: Arc<Notify>,
    socket: WebSocket,
    write_within: Duration,
    linger: Duration,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.disconnect(self.id);
    }
}

impl Connection {
    pub(super) fn new(
        shared: Arc<Shared>,
        client: Client,
        socket: WebSocket,
        config: &SignalingConfig,
    ) -> Self {
        let (id, woken) = shared.connect(client);
        let (write_within, linger) = (config.write_within, config.linger);
        Self { shared, id, woken, socket, write_within, linger }
    }

    pub(super) async fn run(mut self) {
        let mut reading = Reading::Open;
        loop {
            match self.write(self.write_within).await {
                Writing::Idle if reading == Reading::Open => {}
                Writing::Idle | Writing::Broken => return,
                Writing::Closed => return self.linger(reading).await,
                Writing::Stalled => return self.give_up(reading).await,
            }
            let woken = Arc::clone(&self.woken);
            tokio::select! {
                () = woken.notified() => {}
                frame = self.socket.recv() => {
                    reading = self.read(frame);
                    if reading == Reading::Gone {
                        return;
                    }
                }
            }
        }
    }

    fn read(&self, frame: Option<Result<Message, axum::Error>>) -> Reading {
        match frame {
            Some(Ok(Message::Text(text))) => {
                // Before the lock is taken.
                let incoming = Incoming::parse(&text);
                self.shared.act(|hub, now| hub.handle_frame(now, self.id, incoming));
            }
            Some(Ok(Message::Binary(_))) => {
                let malformed = Malformed("messages are text frames".into());
                self.shared.act(|hub, now| hub.handle_frame(now, self.id, Err(malformed)));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                self.shared.act(|hub, now| hub.handle_alive(now, self.id));
            }
            Some(Err(error)) if is_oversize(&error) => {
                self.shared.act(|hub, now| hub.handle_oversize(now, self.id));
                return Reading::Blocked;
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Reading::Gone,
        }
        Reading::Open
    }

    /// Writes all that the hub has.
    async fn write(&mut self, within: Duration) -> Writing {
        loop {
            let Some(output) = self.shared.transmit(self.id) else { return Writing::Idle };
            let (message, after) = match output {
                Output::Frame(frame) => match Utf8Bytes::try_from(frame) {
                    Ok(text) => (Message::Text(text), Writing::Idle),
                    Err(_) => return Writing::Broken,
                },
                Output::Close { status, reason } => {
                    let frame = CloseFrame { code: status, reason: reason.into() };
                    (Message::Close(Some(frame)), Writing::Closed)
                }
            };
            match timeout(within, self.socket.send(message)).await {
                Ok(Ok(())) if after == Writing::Closed => return Writing::Closed,
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Writing::Broken,
                Err(_) => return Writing::Stalled,
            }
        }
    }

    /// Tells a stalled socket why it is closed, should it read after all.
    async fn give_up(mut self, reading: Reading) {
        self.shared.act(|hub, now| hub.handle_stall(now, self.id));
        if self.write(self.linger).await == Writing::Closed {
            self.linger(reading).await;
        }
    }

    /// Waits for the client's side of the close. Dropping the connection while its bytes are
    /// unread would reset it, and a reset may overtake the error that was just written.
    async fn linger(mut self, reading: Reading) {
        if reading == Reading::Blocked {
            return tokio::time::sleep(self.linger).await;
        }
        let drained = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        // Both ways the connection is dropped.
        let _ = timeout(self.linger, drained).await;
    }
}

/// Whether a frame or message was above the limit.
fn is_oversize(error: &axum::Error) -> bool {
    error
        .source()
        .and_then(|source| source.downcast_ref::<tungstenite::Error>())
        .is_some_and(|error| matches!(error, tungstenite::Error::Capacity(_)))
}
