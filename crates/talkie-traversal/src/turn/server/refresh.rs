//! Refresh requests (RFC 8656 §8.2): a new lifetime, or the end.

use std::time::{Duration, Instant};

use super::auth::Caller;
use super::event::ReleaseReason;
use super::reply::Asker;
use super::table::{Family, Id};
use super::{Outcome, TurnServer};
use crate::stun::Message;
use crate::stun::attributes::{ErrorCode, Lifetime, RequestedAddressFamily};

impl TurnServer {
    /// The allocation of a request that is not an Allocate (RFC 8656 §5).
    pub(super) fn allocation_of(
        &self,
        asker: Asker,
        caller: &Caller,
    ) -> Result<Id, ErrorCode<'static>> {
        let id = self.table.find(&asker.path).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        let allocation = self.table.get(id).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        if !allocation.is_live() {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        }
        if *allocation.username != *caller.username {
            return Err(ErrorCode::WRONG_CREDENTIALS);
        }
        Ok(id)
    }

    pub(super) fn refresh(
        &mut self,
        now: Instant,
        asker: Asker,
        caller: &Caller,
        request: &Message<'_>,
    ) -> Outcome {
        let id = self.allocation_of(asker, caller)?;
        let bad = |_| ErrorCode::BAD_REQUEST;
        let asked = request.get::<Lifetime>().map_err(bad)?;
        let family = request.get::<RequestedAddressFamily>().map_err(bad)?;
        let families = self.families_to_refresh(id, family)?;
        let seconds = match asked {
            Some(Lifetime(Duration::ZERO)) => 0,
            asked => self.granted(asked),
        };
        for family in Family::BOTH {
            if !families[family as usize] {
                continue;
            }
            if seconds == 0 {
                self.release_half(id, family, ReleaseReason::Deleted, |_| true);
            } else if let Some(allocation) = self.table.get_mut(id)
                && let Some(half) = &mut allocation.halves[family as usize]
            {
                half.expires = now + Duration::from_secs(u64::from(seconds));
            }
        }
        // The armed deadline stays good unless this one comes before it.
        if let Some(allocation) = self.table.get(id)
            && allocation.deadline().is_some_and(|deadline| deadline < allocation.armed)
        {
            self.arm(id);
        }
        asker.success(&mut self.outbox, Some(&caller.signer), |writer| {
            writer.attribute(&Lifetime(Duration::from_secs(u64::from(seconds))));
        });
        Ok(())
    }

    /// Which relayed addresses a Refresh is for: the named one, or all.
    fn families_to_refresh(
        &self,
        id: Id,
        named: Option<RequestedAddressFamily>,
    ) -> Result<[bool; 2], ErrorCode<'static>> {
        let allocation = self.table.get(id).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        let has = allocation.halves.map(|half| half.is_some());
        let Some(RequestedAddressFamily(named)) = named else { return Ok(has) };
        // RFC 8656 §8.2: a family that the allocation does not have is 443.
        let family = Family::from_wire(named)
            .filter(|family| has[*family as usize])
            .ok_or(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH)?;
        let mut families = [false; 2];
        families[family as usize] = true;
        Ok(families)
    }
}
