//! A connection that is looked for anew: the network of one side has changed, or nothing comes back any more.
//!
//! The agent finds most ways by itself, as its checks show new addresses to the other side. If both sides have
//! moved, neither knows where the other is, and only the server can tell: so the agent restarts (RFC 8445 §9),
//! and each side says over the server what it has said in the beginning. Data goes on along the old pair until
//! there is a new one. Whoever hears a restart that it did not begin follows it.

use std::time::Duration;

use talkie_traversal::ice::{Agent, GatheringState};
use tokio::time::Instant;

use super::super::attributes::introduction;
use super::super::meet::IceError;
use super::super::view::News;
use super::{End, Session};

/// Between two restarts: what one finds takes a few round trips, over the server as well.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a connection may be gone: consent (RFC 7675 §5.1) would have expired, and the session on the server
/// be lost.
const LONGEST_GAP: Duration = Duration::from_secs(60);

/// What one has to know to follow a restart.
#[derive(Debug)]
pub(super) struct Generation {
    /// What the other side is to be told first.
    pub(super) introduction: Vec<String>,
    /// Whether its candidates are those of a restart, of which gathering tells anew.
    was_gathered: bool,
}

impl Generation {
    /// Does something to the agent that may restart it, and tells what it speaks for then.
    pub(super) fn after<T>(agent: &mut Agent, act: impl FnOnce(&mut Agent) -> T) -> (T, Self) {
        let was_gathered = agent.gathering_state() == GatheringState::Complete;
        let done = act(agent);
        let introduction = introduction(agent.local_parameters());
        (done, Self { introduction, was_gathered })
    }
}

impl Session<'_> {
    /// The connection is to be looked for anew, if there is a way over the server.
    pub(super) fn wish_renewal(&mut self) {
        if let Some(link) = self.link.as_ref().filter(|_| self.met_at.is_some()) {
            link.doubt();
            self.wants_renewal = true;
        }
    }

    /// Restarts if it is wished and time.
    pub(super) async fn renew(&mut self) -> Result<(), IceError> {
        let is_time = self.renewed_at.is_none_or(|at| at.elapsed() >= PAUSE);
        if !self.wants_renewal || !is_time || self.link.is_none() {
            return Ok(());
        }
        self.wants_renewal = false;
        self.renewed_at = Some(Instant::now());
        let generation =
            self.agent.handle.call(|agent, now| Generation::after(agent, |it| it.restart(now)).1);
        let generation = generation.await.map_err(|_| IceError::Ended)?;
        self.view.show(News::Renewed { is_ours: true });
        self.follow(generation);
        Ok(())
    }

    /// Tells the other side who this is now, if that has changed.
    pub(super) fn follow(&mut self, generation: Generation) -> bool {
        if self.introduced == generation.introduction {
            return false;
        }
        // Where gathering was complete, it begins once more; else what is told of it is the new one's already.
        self.is_gathered = generation.was_gathered;
        self.introduced.clone_from(&generation.introduction);
        self.untold = generation.introduction;
        true
    }

    /// Whether a candidate is one of the credentials that the other side has been told.
    pub(super) fn is_current(&self, fragment: Option<&str>) -> bool {
        let line = fragment.map(|fragment| format!("a=ice-ufrag:{fragment}"));
        line.is_none_or(|line| self.introduced.contains(&line))
    }

    /// Whether the connection has been gone for too long.
    pub(super) fn judge_gap(&self) -> Option<End> {
        self.gone_since.filter(|since| since.elapsed() >= LONGEST_GAP).map(|_| End::Broken)
    }
}
