//! Restarts (RFC 8445 §9), also as a PeerConnection has them: prepared by `createOffer`, begun by
//! `setLocalDescription`, and taken back by a rollback (RFC 9429 §4.1.10.2, §5.2.3.1, §5.7).
//!
//! A restart is *open* until the other side's new credentials are here. Until then the generation before it is
//! kept with all that it knows, whether or not a pair of it works, since it may have to be the present one again;
//! what the other side still says for it is kept as well. It begins no checks meanwhile, but answers those of the
//! other side and goes on to carry data.

use std::time::Instant;

use rand_core::Rng as _;

use super::generation::Generation;
use super::{Agent, Previous, fresh_parameters, same_session};
use crate::ice::candidate::CandidateAddress;
use crate::ice::event::GatheringState;
use crate::ice::parameters::Parameters;

impl Agent {
    /// Begins anew with other credentials (RFC 8445 §9), which are to be told to the other side, and gathers
    /// for them. Data goes on along the old pair until there is a new one.
    pub fn restart(&mut self, now: Instant) -> Parameters {
        let parameters = self.prepare_restart();
        self.restart_with(now, parameters);
        self.local_parameters().clone()
    }

    /// Credentials for a restart, to be offered to the other side. Nothing else changes, and nothing has to come
    /// of it; [`restart_with()`](Self::restart_with) begins it.
    pub fn prepare_restart(&mut self) -> Parameters {
        fresh_parameters(&mut self.rng, self.config.pace.interval)
    }

    /// Begins anew with credentials that were [prepared](Self::prepare_restart), and gathers for them; with those
    /// of now nothing happens.
    pub fn restart_with(&mut self, now: Instant, parameters: Parameters) {
        if self.is_closed() || same_session(self.local_parameters(), &parameters) {
            return;
        }
        self.begin_restart(now, parameters);
        self.gather_again(now);
        self.advance(now);
    }

    /// Takes a restart back that the other side has not followed yet, as if it had never been; of several the
    /// first of them, too. [`local_parameters()`](Self::local_parameters) are those of before again. Candidates
    /// that were found meanwhile are told as of these. Says whether there was such a restart.
    pub fn undo_restart(&mut self, now: Instant) -> bool {
        if self.is_closed() || self.current.session.remote().is_some() {
            return false;
        }
        let Some(mut previous) = self.previous.take() else { return false };
        let before = if let Some(agreed) = previous.agreed.take() {
            self.previous = Some(previous);
            *agreed
        } else {
            previous.generation
        };
        let undone = std::mem::replace(&mut self.current, before);
        self.current.resume(&undone);
        self.has_left = self.previous.is_some();
        self.restarts += 1;
        if self.current.session.remote().is_some() && !self.current.is_failed {
            // RFC 8863: the other side has had no chance meanwhile.
            let patience = now + self.config.timers.patience;
            self.current.patience_until = self.current.patience_until.max(Some(patience));
        }
        self.ask_for_names_again(now);
        self.lead_all_through_nat64(now);
        self.add_waiting(now);
        if self.gathering != GatheringState::New {
            self.gather_again(now);
        }
        self.advance(now);
        true
    }

    /// Whether there is a restart that the other side has not followed.
    pub(super) fn is_restart_open(&self) -> bool {
        self.previous.is_some() && self.current.session.remote().is_none()
    }

    /// Puts another generation in the place of the present one.
    pub(super) fn begin_restart(&mut self, now: Instant, parameters: Parameters) {
        // RFC 8445 §9: the roles stay; a new tie-breaker settles a conflict as well as the old one.
        let role = (self.current.role, self.rng.next_u64());
        let interval = self.config.pace.interval;
        let mut next = Generation::new(now, parameters, role, interval);
        next.keep_pace_of(&self.current);
        let mut old = std::mem::replace(&mut self.current, next);
        old.retire();
        // What an open restart has begun is nothing to go back to, and what carries data is not given up for what
        // does not.
        let is_agreed = old.session.remote().is_some();
        match self.previous.as_deref_mut() {
            Some(_) if !is_agreed => {}
            Some(previous) if previous.carries() && old.selected.is_none() => {
                // It is to be let go when this restart has succeeded, whatever the one between had come to.
                previous.until = None;
                previous.agreed = Some(Box::new(old));
            }
            _ => self.previous = Some(Previous::new(old)),
        }
        self.forget_names(now);
        self.has_left = true;
        self.restarts += 1;
    }

    /// Tells what there is under the present credentials, and looks for more.
    pub(super) fn gather_again(&mut self, now: Instant) {
        self.set_gathering(GatheringState::Gathering);
        let fragment = self.current.session.local().username_fragment.clone();
        self.gatherer.gather(now, &fragment);
        // Of several restarts in a row, all but the last have come to nothing.
        let used: Vec<_> = self.generations().flat_map(|it| &it.locals).map(|it| it.id).collect();
        self.gatherer.release_unused(now, |id| used.contains(&id));
    }

    /// The other side follows: there is no way back.
    pub(super) fn settle_restart(&mut self) {
        if self.is_restart_open() {
            self.previous.take_if(|previous| !previous.carries());
            if let Some(previous) = &mut self.previous {
                previous.agreed = None;
            }
        }
    }

    /// Looks after what was before.
    pub(super) fn watch_previous(&mut self, now: Instant) {
        let is_current = self.current.selected.is_some();
        let (_, previous, mut context) = self.parts(now);
        let Some(previous) = previous else { return };
        if let Some(agreed) = &mut previous.agreed {
            agreed.watch(&mut context, false);
        }
        previous.generation.watch(&mut context, !is_current);
        // What it would choose is told to nobody while data does not take it.
        if is_current {
            previous.generation.told_nominated = None;
            return;
        }
        previous.generation.select(&mut context);
        if !previous.carries()
            && let Some(agreed) = previous.agreed.take()
        {
            previous.generation = *agreed;
            previous.generation.select(&mut context);
        }
    }

    /// Asks once more for the names of candidates that have no address yet.
    fn ask_for_names_again(&mut self, now: Instant) {
        let unresolved = self.current.remotes.iter().filter(|remote| remote.address.is_none());
        let names: Vec<_> = unresolved
            .filter_map(|remote| match &remote.candidate.address {
                CandidateAddress::Name(name) => Some((name.clone(), remote.number)),
                CandidateAddress::Ip(_) => None,
            })
            .collect();
        for (name, number) in names {
            // It had found room before.
            let _ = self.ask_for_name(now, name, number);
        }
    }
}
