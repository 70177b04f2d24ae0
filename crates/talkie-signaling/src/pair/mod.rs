//! Two who share a [`Code`] meet on a server that neither has to trust.
//!
//! The first opens a room under a fresh code and waits ([`Rendezvous::open()`]), the second enters with the
//! code that it was told ([`Rendezvous::enter()`]). Room and key follow from the code, which the server never
//! gets, and from the purpose of the meeting. From then on both have a [`Link`], and what goes over it is
//! sealed.
//!
//! As nothing depends on the server's honesty, a certificate that nobody vouches for is taken; whoever wants
//! to compare it is told ([`Rendezvous::unvouched()`]).

mod code;
mod error;
mod link;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::client::{Client, Entry, Options};
use crate::error::ConnectError;
use crate::event::Event;
use crate::message::{IceServer, Joined, KeyFit, Welcome};
use crate::sealed::{SealedRoom, Stranger};
use crate::tls::{Fingerprint, Trust};
use crate::url::ServerUrl;

pub use code::{Code, ParseCodeError};
pub use error::MeetError;
pub use link::Link;

/// A session on the server where two meet. To be [closed](Self::close).
#[derive(Debug)]
pub struct Rendezvous {
    client: Client,
    server: ServerUrl,
    welcome: Welcome,
    unvouched: Option<Fingerprint>,
}

impl Rendezvous {
    /// Opens a session on the server.
    ///
    /// # Errors
    /// If there is no way to it, or it refuses.
    pub async fn at(server: &ServerUrl) -> Result<Self, MeetError> {
        let options = Options::default();
        let trust = match Client::connect(server, options.clone()).await {
            Ok((client, welcome)) => {
                return Ok(Self { client, server: server.clone(), welcome, unvouched: None });
            }
            Err(ConnectError::Untrusted { met, .. }) => Trust::Pinned(met),
            // This system knows no authorities.
            Err(ConnectError::Trust(_)) => Trust::Anybody,
            Err(error) => return Err(error.into()),
        };
        let (client, welcome) = Client::connect(server, options.with_trust(trust)).await?;
        let unvouched = client.certificate();
        Ok(Self { client, server: server.clone(), welcome, unvouched })
    }

    /// The address by which the server was reached.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.client.server()
    }

    /// The server's certificate, if nobody vouches for it.
    #[must_use]
    pub fn unvouched(&self) -> Option<Fingerprint> {
        self.unvouched
    }

    /// The STUN and TURN servers that the server offers.
    #[must_use]
    pub fn ice_servers(&self) -> &[IceServer] {
        &self.welcome.ice.ice_servers
    }

    /// `stun:` URLs of the server's sockets that differ in their port or address alone, for who wants to know what
    /// the NAT does; empty if there are no two.
    #[must_use]
    pub fn discovery(&self) -> &[String] {
        &self.welcome.discovery
    }

    /// The server as the other side is to name it, which may be elsewhere.
    #[must_use]
    pub fn invited(&self) -> ServerUrl {
        let origin = self.welcome.origin.as_deref();
        origin.and_then(|origin| origin.parse().ok()).unwrap_or_else(|| self.server.clone())
    }

    /// Opens the room that belongs to the code and the purpose, so that the other side can come.
    ///
    /// # Errors
    /// If the server refuses, or does not answer.
    pub async fn open(&mut self, purpose: &str, code: &Code) -> Result<Opened<'_>, MeetError> {
        let room = SealedRoom::new(&code.key(purpose), &code.room(purpose), "")?;
        let joined = join(&self.client, &room).await?;
        Ok(Opened { client: &mut self.client, room, joined })
    }

    /// Enters the room that the other side has opened.
    ///
    /// # Errors
    /// If nobody is there with this code, or more than one.
    pub async fn enter(&mut self, purpose: &str, code: &Code) -> Result<Link<'_>, MeetError> {
        let mut room = SealedRoom::new(&code.key(purpose), &code.room(purpose), "")?;
        let glimpse = self.client.peek(&code.room(purpose), Some(&room.check())).await?;
        match (glimpse.key, glimpse.people) {
            (KeyFit::New, _) => return Err(MeetError::Nobody(self.server.clone())),
            (KeyFit::Mismatch, _) => return Err(MeetError::Mismatch),
            (KeyFit::Match, Some(2..)) => return Err(MeetError::Busy),
            (KeyFit::Match, _) => {}
        }
        let joined = join(&self.client, &room).await?;
        let [peer] = &joined.peers[..] else {
            let is_busy = joined.peers.len() > 1;
            let nobody = || MeetError::Nobody(self.server.clone());
            return Err(if is_busy { MeetError::Busy } else { nobody() });
        };
        match room.meet(&joined.own, peer) {
            Ok(met) => {
                let peer = peer.id.clone();
                Ok(Link::new(&mut self.client, met.channel, peer))
            }
            Err(Stranger::NoKey) => Err(MeetError::Mismatch),
            Err(_) => Err(MeetError::Tampered),
        }
    }

    /// Says goodbye, and waits until that is done.
    pub async fn close(self) {
        self.client.close().await;
    }
}

/// A room in which one waits.
#[derive(Debug)]
pub struct Opened<'a> {
    client: &'a mut Client,
    room: SealedRoom,
    joined: Joined,
}

impl<'a> Opened<'a> {
    /// Waits for the other side.
    ///
    /// # Errors
    /// If it does not come in time, or the session ends before.
    pub async fn wait(self, patience: Duration) -> Result<Link<'a>, MeetError> {
        let Self { client, mut room, joined } = self;
        let deadline = Instant::now() + patience;
        loop {
            let Ok(event) = timeout_at(deadline, client.event()).await else {
                return Err(MeetError::NobodyCame(patience));
            };
            match event {
                Some(Event::PeerJoined(peer)) => {
                    // Who does not have the code is let in by the server alone: not our guest.
                    if let Ok(met) = room.meet(&joined.own, &peer) {
                        return Ok(Link::new(client, met.channel, peer.id));
                    }
                }
                Some(Event::Restarted(_)) => {
                    return Err(MeetError::lost(&"the server has lost the session"));
                }
                Some(Event::Ended(end)) => return Err(MeetError::lost(&end)),
                Some(_) => {}
                None => return Err(MeetError::lost(&"the session has ended")),
            }
        }
    }
}

async fn join(client: &Client, room: &SealedRoom) -> Result<Joined, MeetError> {
    match client.join(room.join()).await? {
        Entry::Joined(joined) => Ok(joined),
        // Nobody of ours locks it.
        Entry::Knocking => Err(MeetError::Busy),
    }
}
