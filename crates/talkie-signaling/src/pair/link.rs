//! The other side, over the server: sealed messages, and why there are no more.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::MeetError;
use crate::client::Client;
use crate::error::End;
use crate::event::Event;
use crate::message::{LeaveReason, PeerId};
use crate::sealed::{Channel, OpenError};

/// A sealed way to the other side.
#[derive(Debug)]
pub struct Link<'a> {
    pub(super) client: &'a mut Client,
    pub(super) channel: Channel,
    pub(super) peer: PeerId,
}

impl Link<'_> {
    /// Says something to the other side.
    ///
    /// # Errors
    /// If there is no session any more, or the server does not take it.
    pub async fn send(&mut self, message: &impl Serialize) -> Result<(), MeetError> {
        let sealed = self.channel.seal(message).map_err(|error| MeetError::lost(&error))?;
        let sent = self.client.signal(&self.peer, &sealed).await;
        sent.map_err(|error| MeetError::lost(&error))
    }

    /// Whether [`send()`](Self::send) would not wait.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.client.has_room()
    }

    /// The network has changed: whether there still is a way to the server is found out at once.
    pub fn doubt(&self) {
        self.client.doubt();
    }

    /// The next message. May be dropped without loss while it waits.
    ///
    /// # Errors
    /// If there will be none, or it makes no sense.
    pub async fn receive<T: DeserializeOwned>(&mut self) -> Result<T, MeetError> {
        loop {
            let Some(event) = self.client.event().await else {
                return Err(MeetError::lost(&"the session has ended"));
            };
            match event {
                Event::Signal { from, payload } if from == self.peer => {
                    return self.open(&payload).await;
                }
                Event::PeerLeft { peer, reason } if peer == self.peer => {
                    return Err(MeetError::Gone { lost: reason == LeaveReason::Lost });
                }
                Event::Restarted(_) => {
                    return Err(MeetError::lost(&"the server has lost the session"));
                }
                Event::Ended(End::Refused(refusal)) => return Err(MeetError::Refused(refusal)),
                Event::Ended(end) => return Err(MeetError::lost(&end)),
                // A third who has the code is not part of it.
                _ => {}
            }
        }
    }

    async fn open<T: DeserializeOwned>(&mut self, payload: &RawValue) -> Result<T, MeetError> {
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
            OpenError::Unexpected(why) => MeetError::Incomprehensible(why),
            _ => MeetError::Tampered,
        })
    }
}
