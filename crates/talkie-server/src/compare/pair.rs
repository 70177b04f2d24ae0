//! One pair: an end waits for the other, then frames go across until something ends it.

use std::pin::pin;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::seats::{End, Order, Seats};
use super::{Limits, PairId};

/// Why a pair is over, as its sockets are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// One end has gone.
    Gone,
    /// Nobody came to be the other end.
    NobodyCame,
    /// The time or the bytes of a comparison are used up.
    UsedUp,
    /// An end does not take what it is sent.
    Stalled,
    /// The server stops.
    Stopping,
    /// Not a binary frame, or one before the other end was there.
    Misuse,
}

impl Ended {
    fn frame(self) -> Message {
        let (code, reason) = match self {
            Self::Gone => (close_code::NORMAL, "gone"),
            Self::NobodyCame => (close_code::POLICY, "nobody-came"),
            Self::UsedUp => (close_code::POLICY, "used-up"),
            Self::Stalled => (close_code::POLICY, "stalled"),
            Self::Stopping => (close_code::AWAY, "going-away"),
            Self::Misuse => (close_code::UNSUPPORTED, "misuse"),
        };
        Message::Close(Some(CloseFrame { code, reason: reason.into() }))
    }
}

/// Runs the whole pair for the end that came first; the second's task ends at once.
/// `stop` resolves when the server stops.
pub(super) async fn attend(
    seats: &Seats,
    end: End,
    pair: &PairId,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let Order::First(mut first, mut other) = seats.meet(pair, end) else { return };
    let mut stop = pin!(stop);
    let met = tokio::select! {
        met = wait(&mut first.socket, &mut other) => met,
        () = sleep(limits.wait) => Err(Ended::NobodyCame),
        () = &mut stop => Err(Ended::Stopping),
    };
    drop(other);
    seats.stop_waiting(pair);
    match met {
        Ok(mut second) => {
            let ended = tokio::select! {
                ended = bridge(&mut first.socket, &mut second.socket, limits) => ended,
                () = &mut stop => Ended::Stopping,
            };
            tokio::join!(
                close(&mut first.socket, ended, limits),
                close(&mut second.socket, ended, limits)
            );
        }
        Err(ended) => close(&mut first.socket, ended, limits).await,
    }
}

async fn wait(socket: &mut WebSocket, other: &mut oneshot::Receiver<End>) -> Result<End, Ended> {
    loop {
        tokio::select! {
            second = &mut *other => return second.map_err(|_| Ended::NobodyCame),
            frame = socket.recv() => match frame {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_) | Message::Text(_))) => return Err(Ended::Misuse),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Ended::Gone),
            },
        }
    }
}

async fn bridge(a: &mut WebSocket, b: &mut WebSocket, limits: Limits) -> Ended {
    for end in [&mut *a, &mut *b] {
        if let Err(ended) = send(end, Message::Text("paired".into()), limits).await {
            return ended;
        }
    }
    let mut budget = limits.bytes;
    let over = sleep(limits.life);
    tokio::pin!(over);
    loop {
        let (frame, to) = tokio::select! {
            () = &mut over => return Ended::UsedUp,
            frame = a.recv() => (frame, &mut *b),
            frame = b.recv() => (frame, &mut *a),
        };
        let bytes = match frame {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Text(_))) => return Ended::Misuse,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Ended::Gone,
        };
        let Some(left) = budget.checked_sub(bytes.len()) else { return Ended::UsedUp };
        budget = left;
        if let Err(ended) = send(to, Message::Binary(bytes), limits).await {
            return ended;
        }
    }
}

async fn send(socket: &mut WebSocket, message: Message, limits: Limits) -> Result<(), Ended> {
    match timeout(limits.write, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Ended::Gone),
        Err(_) => Err(Ended::Stalled),
    }
}

/// Says why, and reads until the other side has closed too: dropping the connection while its bytes
/// are unread would reset it, and the reset may overtake the reason.
async fn close(socket: &mut WebSocket, ended: Ended, limits: Limits) {
    let farewell = async {
        if socket.send(ended.frame()).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    // Both ways the connection is dropped.
    let _ = timeout(limits.write, farewell).await;
}
