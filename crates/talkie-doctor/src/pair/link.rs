//! The other side, over the server: sealed messages, and why there are no more.

use std::time::Duration;

use serde_json::value::RawValue;
use talkie_signaling::sealed::{Channel, OpenError};
use talkie_signaling::{Client, End, Event, LeaveReason, PeerId};
use tokio::time::timeout;

use super::PairError;
use super::talk::Message;

/// A sealed way to the other side.
pub(super) struct Link<'a> {
    client: &'a mut Client,
    channel: Channel,
    peer: PeerId,
}

impl<'a> Link<'a> {
    pub(super) fn new(client: &'a mut Client, peer: PeerId, channel: Channel) -> Self {
        Self { client, channel, peer }
    }

    pub(super) async fn send(&mut self, message: &Message) -> Result<(), PairError> {
        let sealed = self.channel.seal(message).map_err(|error| PairError::lost(&error))?;
        let sent = self.client.signal(&self.peer, &sealed).await;
        sent.map_err(|error| PairError::lost(&error))
    }

    /// The next message, within `patience`. May be dropped without loss while it waits.
    pub(super) async fn receive(&mut self, patience: Duration) -> Result<Message, PairError> {
        match timeout(patience, self.next()).await {
            Ok(next) => next,
            Err(_) => Err(PairError::Silent(patience)),
        }
    }

    async fn next(&mut self) -> Result<Message, PairError> {
        loop {
            let Some(event) = self.client.event().await else {
                return Err(PairError::lost(&"the session has ended"));
            };
            match event {
                Event::Signal { from, payload } if from == self.peer => {
                    match self.open(&payload).await? {
                        Message::Later => {}
                        message => return Ok(message),
                    }
                }
                Event::PeerLeft { peer, reason } if peer == self.peer => {
                    return Err(PairError::Gone { lost: reason == LeaveReason::Lost });
                }
                Event::Restarted(_) => {
                    return Err(PairError::lost(&"the server has lost the session"));
                }
                Event::Ended(End::Refused(refusal)) => return Err(PairError::Refused(refusal)),
                Event::Ended(end) => return Err(PairError::lost(&end)),
                // A third who has the code is not part of it.
                _ => {}
            }
        }
    }

    async fn open(&mut self, payload: &RawValue) -> Result<Message, PairError> {
        let error = match self.channel.open(payload) {
            Ok(message) => return Ok(message),
            Err(error) => error,
        };
        if error == OpenError::Tampered {
            let refusal = self.channel.refusal();
            // The end is the same if it does not arrive.
            let _ = self.client.signal(&self.peer, &refusal).await;
        }
        Err(match error {
            OpenError::Unexpected(why) => PairError::Incomprehensible(why),
            _ => PairError::Tampered,
        })
    }
}
