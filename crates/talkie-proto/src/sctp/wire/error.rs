//! Error causes of ABORT and ERROR (RFC 9260 §3.3.10): shaped as parameters.

use super::Parameters;

/// A stream that does not exist.
pub const INVALID_STREAM: u16 = 1;
/// A parameter that must be there is not.
pub const MISSING_PARAMETER: u16 = 2;
/// A cookie came too late.
pub const STALE_COOKIE: u16 = 3;
/// There is no room for it.
pub const OUT_OF_RESOURCE: u16 = 4;
/// A host name, which nobody resolves.
pub const UNRESOLVABLE_ADDRESS: u16 = 5;
/// A chunk that isn't known.
pub const UNRECOGNIZED_CHUNK: u16 = 6;
/// A tag of 0, no streams.
pub const INVALID_PARAMETER: u16 = 7;
/// Parameters of an INIT ACK that aren't known.
pub const UNRECOGNIZED_PARAMETERS: u16 = 8;
/// DATA without payload.
pub const NO_USER_DATA: u16 = 9;
/// A cookie while shutting down.
pub const SHUTTING_DOWN: u16 = 10;
/// The application's wish.
pub const USER_ABORT: u16 = 12;
/// What no peer may do.
pub const PROTOCOL_VIOLATION: u16 = 13;

/// The first cause of an ABORT's or ERROR's value.
#[must_use]
pub fn first(value: &[u8]) -> Option<u16> {
    Parameters::new(value).next().map(|cause| cause.kind)
}
