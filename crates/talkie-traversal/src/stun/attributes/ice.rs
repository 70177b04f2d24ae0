//! ICE's attributes (RFC 8445 §16.1).

use super::{Attribute, AttributeError, AttributeType, fixed, flag, number};
use crate::stun::header::TransactionId;

number! {
    /// The priority a peer-reflexive candidate learned from this check would have.
    Priority(u32) = PRIORITY
}
number! {
    /// The sender takes the controlled role; the tie-breaker.
    IceControlled(u64) = ICE_CONTROLLED
}
number! {
    /// The sender takes the controlling role; the tie-breaker.
    IceControlling(u64) = ICE_CONTROLLING
}
flag! {
    /// The pair that this check succeeds for is to be used.
    UseCandidate = USE_CANDIDATE
}
number! {
    /// The later of two nominations has the greater number (draft-thatcher-ice-renomination; the number
    /// that browsers use).
    Nomination(u32) = NOMINATION
}
