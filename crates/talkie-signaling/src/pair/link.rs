//! The other side, over the server: sealed messages, and why there are no more.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::MeetError;
use crate::client::Client;
use crate::error::End;
use crate::event::Event;
use crate::message::{LeaveReason, PeerId};
use crate::sealed::{Channel, OpenError};

/// A sealed way to the other side.
#[derive(Debug)]
pub struct Link<'a> {
    client: &'a mut Client,
    channel: Channel,
    peer: PeerId,
    /// Whether a message was changed on the way: then it is over.
    is_tampered: bool,
}

/// The first words of either side.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Greeting {
    Hello {
        protocol: u32,
        version: String,
    },
    #[serde(other)]
    Other,
}

/// How long a greeting may take.
const GREETING: Duration = Duration::from_secs(20);
/// Characters of somebody else's version.
const MOST_VERSION: usize = 40;

impl<'a> Link<'a> {
    pub(super) fn new(client: &'a mut Client, channel: Channel, peer: PeerId) -> Self {
        Self { client, channel, peer, is_tampered: false }
    }

    /// Says who this is and hears who the other side is, before anything else: both say which version of the
    /// program they are, and by which `protocol` they are going to talk. Returns the other side's version, fit to
    /// be shown.
    ///
    /// # Errors
    /// If the other side says nothing, goes, or talks by another protocol.
    pub async fn greet(&mut self, protocol: u32, version: &str) -> Result<String, MeetError> {
        self.send(&Greeting::Hello { protocol, version: version.to_owned() }).await?;
        let said = timeout(GREETING, self.receive()).await;
        match said.map_err(|_| MeetError::Silent(GREETING))?? {
            Greeting::Hello { protocol: theirs, version } if theirs == protocol => {
                Ok(shown(&version))
            }
            Greeting::Hello { version: theirs, .. } => {
                Err(MeetError::Version { ours: version.to_owned(), theirs: shown(&theirs) })
            }
            Greeting::Other => Err(MeetError::Incomprehensible("it does not greet".to_owned())),
        }
    }

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
            // Whoever dropped this while the refusal was on its way has not heard of it.
            if self.is_tampered {
                return Err(MeetError::Tampered);
            }
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
            self.is_tampered = true;
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

fn shown(version: &str) -> String {
    version.chars().filter(char::is_ascii_graphic).take(MOST_VERSION).collect()
}
