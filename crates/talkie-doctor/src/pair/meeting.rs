//! One meeting on a server, from the first word to the last.

use std::net::IpAddr;
use std::time::Duration;

use talkie_signaling::sealed::{Met, SealedRoom, Stranger};
use talkie_signaling::{
    Client, ConnectError, Entry, Event, Fingerprint, IceServer, Joined, KeyFit, Options, Peer,
    ServerUrl, Trust, Welcome,
};
use talkie_traversal::punch::Description;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::attempt::{Attempt, Tried};
use super::link::Link;
use super::talk::{self, Message, PROTOCOL, Side};
use super::{Code, Happening, PairError, Pairing, Role, SCHEMA, judge};
use crate::advice::Sight;
use crate::examine::{Config as Examination, examine};
use crate::report::Report;
use crate::{Stop, StopHandle, Target};

/// How long a greeting may take.
const GREETING: Duration = Duration::from_secs(20);
/// How long the other side may take to look at its network and to gather: longer than both ever take.
const READY: Duration = Duration::from_secs(60);
/// How long the attempt of the other side may take: longer than any attempt.
const TRIED: Duration = Duration::from_secs(90);

/// Everything that is to be given back at the end.
pub(super) struct Meeting {
    server: ServerUrl,
    reached: IpAddr,
    invited: Option<ServerUrl>,
    ice: Vec<IceServer>,
    client: Client,
    examination: Option<Examining>,
    attempt: Option<Attempt>,
}

impl Meeting {
    /// Opens a session on the server. With it comes the certificate, if nobody vouches for that.
    pub(super) async fn begin(
        server: &ServerUrl,
    ) -> Result<(Self, Option<Fingerprint>), PairError> {
        let (client, welcome, unvouched) = connect(server).await?;
        let meeting = Self {
            server: server.clone(),
            reached: client.server().ip(),
            invited: welcome.origin.as_deref().and_then(|origin| origin.parse().ok()),
            ice: welcome.ice.ice_servers,
            client,
            examination: Some(begin_examination(server)),
            attempt: None,
        };
        Ok((meeting, unvouched))
    }

    /// Meets the other side, and tries.
    pub(super) async fn hold(
        &mut self,
        role: Role,
        patience: Duration,
        tell: &(impl Fn(Happening) + Sync),
    ) -> Result<Pairing, PairError> {
        let code = match &role {
            Role::First => Code::generate().map_err(|error| PairError::local(&error))?,
            Role::Second(code) => code.clone(),
        };
        let sealed = SealedRoom::new(&code.key(), &code.room(), "");
        let mut room = sealed.map_err(|error| PairError::local(&error))?;
        let (peer, met) = match role {
            Role::First => {
                let joined = self.enter(&room).await?;
                let server = self.invited.clone().unwrap_or_else(|| self.server.clone());
                tell(Happening::Waiting { code, server });
                self.wait(&joined, &mut room, patience).await?
            }
            Role::Second(_) => self.visit(&code, &mut room).await?,
        };
        let mut link = Link::new(&mut self.client, peer.id, met.channel);
        let version = env!("CARGO_PKG_VERSION");
        link.send(&Message::Hello { protocol: PROTOCOL, version: version.to_owned() }).await?;
        let theirs = match link.receive(GREETING).await? {
            Message::Hello { protocol: PROTOCOL, version } => talk::version(&version),
            Message::Hello { version, .. } => {
                let theirs = talk::version(&version);
                return Err(PairError::Version { ours: env!("CARGO_PKG_VERSION"), theirs });
            }
            other => return Err(out_of_turn(&other)),
        };
        tell(Happening::Met { version: theirs });

        let (report, early) = await_report(&mut self.examination, &mut link).await?;
        let ours = side(&report);
        tell(Happening::Examined(Box::new(ours.clone())));
        // Kept before it has gathered: who stops this meanwhile gives its relay back all the same.
        let begun = Attempt::begin(&report, &ours, self.reached, &self.ice).await?;
        let attempt = self.attempt.insert(begun);
        tell(Happening::Gathering);
        let description = attempt.gather().await?.to_string();
        link.send(&Message::Ready { side: ours.clone().bounded(), description }).await?;
        tell(Happening::Ready);
        let ready = match early {
            Some(ready) => ready,
            None => link.receive(READY).await?,
        };
        let Message::Ready { side: theirs, description } = ready else {
            return Err(out_of_turn(&ready));
        };
        let theirs = theirs.bounded();
        let description: Description =
            description.parse().map_err(|error| PairError::Incomprehensible(format!("{error}")))?;
        tell(Happening::Heard(Box::new(theirs.clone())));
        tell(Happening::Trying);
        let (tried, theirs_tried) = try_both(attempt, description, &mut link, tell).await?;
        let verdict = judge(&ours, &theirs, &tried, theirs_tried.as_ref());
        Ok(Pairing { schema: SCHEMA, verdict, tried, theirs_tried, ours, theirs })
    }

    async fn enter(&self, room: &SealedRoom) -> Result<Joined, PairError> {
        match self.client.join(room.join()).await? {
            Entry::Joined(joined) => Ok(joined),
            // Nobody of ours locks it.
            Entry::Knocking => Err(PairError::Busy),
        }
    }

    /// Waits for the second.
    async fn wait(
        &mut self,
        joined: &Joined,
        room: &mut SealedRoom,
        patience: Duration,
    ) -> Result<(Peer, Met), PairError> {
        let deadline = Instant::now() + patience;
        loop {
            let Ok(event) = timeout_at(deadline, self.client.event()).await else {
                return Err(PairError::NobodyCame(patience));
            };
            match event {
                Some(Event::PeerJoined(peer)) => {
                    // Who does not have the code is let in by the server alone: not our guest.
                    if let Ok(met) = room.meet(&joined.own, &peer) {
                        return Ok((peer, met));
                    }
                }
                Some(Event::Restarted(_)) => {
                    return Err(PairError::lost(&"the server has lost the session"));
                }
                Some(Event::Ended(end)) => return Err(PairError::lost(&end)),
                Some(_) => {}
                None => return Err(PairError::lost(&"the session has ended")),
            }
        }
    }

    /// Enters where the first should be.
    async fn visit(&self, code: &Code, room: &mut SealedRoom) -> Result<(Peer, Met), PairError> {
        let glimpse = self.client.peek(&code.room(), Some(&room.check())).await?;
        match (glimpse.key, glimpse.people) {
            (KeyFit::New, _) => return Err(PairError::Nobody(self.server.clone())),
            (KeyFit::Mismatch, _) => return Err(PairError::Mismatch),
            (KeyFit::Match, Some(2..)) => return Err(PairError::Busy),
            (KeyFit::Match, _) => {}
        }
        let joined = self.enter(room).await?;
        let [peer] = &joined.peers[..] else {
            let busy = joined.peers.len() > 1;
            return Err(if busy {
                PairError::Busy
            } else {
                PairError::Nobody(self.server.clone())
            });
        };
        match room.meet(&joined.own, peer) {
            Ok(met) => Ok((peer.clone(), met)),
            Err(Stranger::NoKey) => Err(PairError::Mismatch),
            Err(_) => Err(PairError::Tampered),
        }
    }

    /// Gives everything back.
    pub(super) async fn end(self) {
        let examination = async {
            if let Some(Examining { report, handle }) = self.examination {
                handle.stop();
                // It gives back what it holds; that has a bound of its own.
                let _ = report.await;
            }
        };
        let attempt = async {
            if let Some(attempt) = self.attempt {
                attempt.close().await;
            }
        };
        tokio::join!(examination, attempt, self.client.close());
    }
}

/// The two don't rely on the server for anything, so that a certificate which nobody vouches for is
/// told to the user and taken.
async fn connect(server: &ServerUrl) -> Result<(Client, Welcome, Option<Fingerprint>), PairError> {
    let options = Options::default();
    let trust = match Client::connect(server, options.clone()).await {
        Ok((client, welcome)) => return Ok((client, welcome, None)),
        Err(ConnectError::Untrusted { met, .. }) => Trust::Pinned(met),
        // This system knows no authorities.
        Err(ConnectError::Trust(_)) => Trust::Anybody,
        Err(error) => return Err(error.into()),
    };
    let (client, welcome) = Client::connect(server, options.with_trust(trust)).await?;
    let unvouched = client.certificate();
    Ok((client, welcome, unvouched))
}

/// This side's look at its network, which begins at once: the other side may take minutes to come.
struct Examining {
    report: JoinHandle<Option<Report>>,
    handle: StopHandle,
}

fn begin_examination(server: &ServerUrl) -> Examining {
    let server = server.to_string();
    let (handle, stop) = Stop::new();
    let report = tokio::spawn(async move {
        let target: Target = server.parse().ok()?;
        examine(&Examination::new(vec![target]), &stop, |_| {}).await
    });
    Examining { report, handle }
}

/// This side's report. Meanwhile the other side may be ready, or go.
async fn await_report(
    examination: &mut Option<Examining>,
    link: &mut Link<'_>,
) -> Result<(Report, Option<Message>), PairError> {
    let mut early = None;
    let Some(running) = examination else { return Err(PairError::Stopped) };
    loop {
        tokio::select! {
            report = &mut running.report => {
                *examination = None;
                let report = report.map_err(|error| PairError::local(&error))?;
                return report.map(|report| (report, early)).ok_or(PairError::Stopped);
            }
            message = link.receive(READY), if early.is_none() => early = Some(message?),
        }
    }
}

/// Tries, and hears what the other side makes of it. The path is kept alive until both have said so:
/// the other side may still be measuring.
async fn try_both(
    attempt: &mut Attempt,
    description: Description,
    link: &mut Link<'_>,
    tell: &(impl Fn(Happening) + Sync),
) -> Result<(Tried, Option<Tried>), PairError> {
    let mut theirs = None;
    let tried = {
        let run = attempt.run(description, |found| tell(Happening::Found(*found)));
        tokio::pin!(run);
        loop {
            tokio::select! {
                tried = &mut run => break tried?,
                message = link.receive(TRIED), if theirs.is_none() => match message? {
                    Message::Tried { tried } => theirs = Some(tried),
                    other => return Err(out_of_turn(&other)),
                },
            }
        }
    };
    let sent = link.send(&Message::Tried { tried: tried.clone() }).await;
    if theirs.is_none() && sent.is_ok() {
        // What this side knows it knows without them.
        if let Ok(Message::Tried { tried }) = link.receive(TRIED).await {
            theirs = Some(tried);
        }
    }
    Ok((tried, theirs))
}

fn out_of_turn(message: &Message) -> PairError {
    let kind = match message {
        Message::Hello { .. } => "hello",
        Message::Ready { .. } => "ready",
        Message::Tried { .. } => "tried",
        Message::Later => "later",
    };
    PairError::Incomprehensible(format!("`{kind}` out of turn"))
}

/// What the other side is to know of a report.
fn side(report: &Report) -> Side {
    let sight = Sight::of(report);
    let udp = match (sight.udp_blocked, report.nats.is_empty()) {
        (true, _) => Some(false),
        (false, false) => Some(true),
        (false, true) => None,
    };
    Side {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        udp,
        relay: sight.relay,
        nats: report.nats.clone(),
    }
}
