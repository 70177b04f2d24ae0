//! One meeting on a server, from the first word to the last.

use std::time::Duration;

use talkie_signaling::ServerUrl;
use talkie_signaling::pair::{Code, Link, MeetError, Rendezvous};
use talkie_traversal::ice;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::attempt::{Attempt, Reachable};
use super::talk::{Message, PROTOCOL, Side};
use super::tried::Tried;
use super::{Happening, PairError, Pairing, Role, SCHEMA, judge};
use crate::advice::Sight;
use crate::examine::{Config as Examination, examine};
use crate::report::Report;
use crate::{Stop, StopHandle, Target};

/// What codes are for.
const PURPOSE: &str = "doctor";
/// How long the other side may take to look at its network and to gather: longer than both ever take.
const READY: Duration = Duration::from_secs(60);
/// How long the attempt of the other side may take: longer than any attempt.
const TRIED: Duration = Duration::from_secs(90);

/// Everything that is to be given back at the end.
pub(super) struct Meeting {
    place: Rendezvous,
    examination: Option<Examining>,
    attempt: Option<Attempt>,
}

impl Meeting {
    /// Begins to look at this side's network.
    pub(super) fn new(place: Rendezvous, server: &ServerUrl) -> Self {
        Self { place, examination: Some(begin_examination(server)), attempt: None }
    }

    /// Meets the other side, and tries.
    pub(super) async fn hold(
        &mut self,
        role: Role,
        patience: Duration,
        tell: &(impl Fn(Happening) + Sync),
    ) -> Result<Pairing, PairError> {
        let reached = self.place.address().ip();
        let offered = self.place.ice_servers().to_vec();
        // Who comes later finds everything ready, and decides.
        let (mut link, role) = match role {
            Role::First => {
                let code = Code::generate().map_err(MeetError::from)?;
                let server = self.place.invited();
                let opened = self.place.open(PURPOSE, &code).await?;
                tell(Happening::Waiting { code, server });
                (opened.wait(patience).await?, ice::Role::Controlled)
            }
            Role::Second(code) => (self.place.enter(PURPOSE, &code).await?, ice::Role::Controlling),
        };
        let version = link.greet(PROTOCOL, env!("CARGO_PKG_VERSION")).await?;
        tell(Happening::Met { version });

        let (report, early) = await_report(&mut self.examination, &mut link).await?;
        let ours = side(&report);
        tell(Happening::Examined(Box::new(ours.clone())));
        // Kept before it has gathered: who stops this meanwhile gives its relay back all the same.
        let begun = Attempt::begin(&report, role, reached, &offered).await?;
        let attempt = self.attempt.insert(begun);
        tell(Happening::Gathering);
        let attributes = attempt.gather().await?;
        link.send(&Message::Ready { side: ours.clone().bounded(), attributes }).await?;
        tell(Happening::Ready);
        let ready = match early {
            Some(ready) => ready,
            None => receive(&mut link, READY).await?,
        };
        let Message::Ready { side: theirs, attributes } = ready else {
            return Err(out_of_turn(&ready));
        };
        let theirs = theirs.bounded();
        let other = Reachable::read(&attributes)
            .map_err(|error| MeetError::Incomprehensible(error.to_string()))?;
        tell(Happening::Heard(Box::new(theirs.clone())));
        tell(Happening::Trying);
        let (tried, theirs_tried) = try_both(attempt, other, &mut link, tell).await?;
        let verdict = judge(&ours, &theirs, &tried, theirs_tried.as_ref());
        Ok(Pairing { schema: SCHEMA, verdict, tried, theirs_tried, ours, theirs })
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
        tokio::join!(examination, attempt, self.place.close());
    }
}

/// The next message, within `patience`. May be dropped without loss while it waits.
async fn receive(link: &mut Link<'_>, patience: Duration) -> Result<Message, PairError> {
    let said = timeout(patience, next(link)).await;
    said.unwrap_or_else(|_| Err(MeetError::Silent(patience).into()))
}

async fn next(link: &mut Link<'_>) -> Result<Message, PairError> {
    loop {
        match link.receive().await? {
            Message::Later => {}
            message => return Ok(message),
        }
    }
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
            message = receive(link, READY), if early.is_none() => early = Some(message?),
        }
    }
}

/// Tries, and hears what the other side makes of it. The path is kept alive until both have said so:
/// the other side may still be measuring.
async fn try_both(
    attempt: &mut Attempt,
    other: Reachable,
    link: &mut Link<'_>,
    tell: &(impl Fn(Happening) + Sync),
) -> Result<(Tried, Option<Tried>), PairError> {
    let mut theirs = None;
    let tried = {
        let run = attempt.run(other, |found| tell(Happening::Found(*found)));
        tokio::pin!(run);
        loop {
            tokio::select! {
                tried = &mut run => break tried?,
                message = receive(link, TRIED), if theirs.is_none() => match message? {
                    Message::Tried { tried } => theirs = Some(tried),
                    other => return Err(out_of_turn(&other)),
                },
            }
        }
    };
    let sent = link.send(&Message::Tried { tried: tried.clone() }).await;
    if theirs.is_none() && sent.is_ok() {
        // What this side knows it knows without them.
        if let Ok(Message::Tried { tried }) = receive(link, TRIED).await {
            theirs = Some(tried);
        }
    }
    Ok((tried, theirs))
}

fn out_of_turn(message: &Message) -> PairError {
    let kind = match message {
        Message::Ready { .. } => "ready",
        Message::Tried { .. } => "tried",
        Message::Later => "later",
    };
    MeetError::Incomprehensible(format!("`{kind}` out of turn")).into()
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
