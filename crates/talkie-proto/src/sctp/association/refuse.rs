//! What a peer is told that is refused: error causes (RFC 9260 §3.3.10), in an ABORT or an ERROR.
//!
//! An ABORT that answers an INIT or INIT ACK carries the tag that came with it and changes nothing here, so
//! that whoever sends a flood of them gets one packet for one and nothing is remembered.

use std::time::Duration;

use super::cookie::Cookie;
use super::input::REFLECTED;
use super::{Association, End};
use crate::sctp::wire::packet::HEADER;
use crate::sctp::wire::{BadInit, Chunk, error, kind, packet, padded, parameter};

/// The longest cause that copies what it is about.
const LONGEST: usize = 1024;

impl Association {
    /// RFC 9260 §3.3.2: no association begins with such an INIT, nor does one that there is change.
    pub(super) fn refuse_init(&mut self, flaw: BadInit) {
        self.counters.unexpected += 1;
        match flaw {
            BadInit::Short | BadInit::NoTag => {}
            BadInit::TinyWindow { tag } | BadInit::NoStreams { tag } => {
                self.answer(tag, abort(error::INVALID_PARAMETER, &[]));
            }
        }
    }

    /// RFC 9260 §3.3.3: the peer has answered our INIT with what no association can begin with.
    pub(super) fn refuse_init_ack(&mut self, flaw: BadInit) {
        self.counters.unexpected += 1;
        match flaw {
            BadInit::Short => {}
            BadInit::NoTag => {
                // Its own tag is not known: the one that it has used goes back.
                let chunk = cause(kind::ABORT, REFLECTED, error::INVALID_PARAMETER, &[]);
                self.answer(self.tag, chunk);
                self.end(End::Violation);
            }
            // Nothing is to change by this one.
            BadInit::TinyWindow { tag } => self.answer(tag, abort(error::INVALID_PARAMETER, &[])),
            BadInit::NoStreams { tag } => {
                self.answer(tag, abort(error::INVALID_PARAMETER, &[]));
                self.end(End::Violation);
            }
        }
    }

    /// RFC 9260 §3.3.2 note 3, §3.3.3 note 3: host names are not used any more.
    pub(super) fn refuse_host_name(&mut self, tag: u32, host_name: &[u8]) {
        self.counters.unexpected += 1;
        let told = if self.fits(host_name) { host_name } else { &[] };
        self.answer(tag, abort(error::UNRESOLVABLE_ADDRESS, told));
    }

    /// RFC 9260 §5.1: an INIT ACK without a cookie, or with one that no packet takes back.
    pub(super) fn refuse_cookie(&mut self, tag: u32, cookie: Option<&[u8]>) {
        let chunk = match cookie {
            Some(_) => abort(error::OUT_OF_RESOURCE, &[]),
            None => {
                let [high, low] = parameter::STATE_COOKIE.to_be_bytes();
                abort(error::MISSING_PARAMETER, &[0, 0, 0, 1, high, low])
            }
        };
        self.answer(tag, chunk);
        self.end(End::Violation);
    }

    /// RFC 9260 §5.1.5: a cookie that is too old by so much.
    pub(super) fn refuse_stale_cookie(&mut self, cookie: &Cookie, age: Duration) {
        let over = age.saturating_sub(self.config.cookie_life).as_nanos().div_ceil(1000);
        let over = u32::try_from(over).unwrap_or(u32::MAX);
        let chunk = cause(kind::ERROR, 0, error::STALE_COOKIE, &over.to_be_bytes());
        self.answer(cookie.peer.tag, chunk);
    }

    /// RFC 9260 §5.2.4 A: in SHUTDOWN-ACK-SENT nothing begins anew.
    pub(super) fn refuse_restart(&mut self, tag: u32) {
        self.send_shutdown_ack();
        self.answer(tag, cause(kind::ERROR, 0, error::SHUTTING_DOWN, &[]));
    }

    /// There was an association, and there will be no other.
    pub(super) fn refuse_another(&mut self, tag: u32) {
        self.answer(tag, abort(error::OUT_OF_RESOURCE, &[]));
    }

    /// RFC 9260 §3.2.2: parameters of the INIT ACK that are to be reported go with the cookie, if they fit.
    pub(super) fn report_parameters(&mut self, unrecognized: &[u8]) {
        let report = cause(kind::ERROR, 0, error::UNRECOGNIZED_PARAMETERS, unrecognized);
        let cookie = 4 + padded(self.cookie.len());
        if !unrecognized.is_empty() && HEADER + cookie + report.len() <= self.config.packet {
            self.control(report);
        }
    }

    /// RFC 9260 §3.2: a chunk that is not known.
    pub(super) fn report_chunk(&mut self, chunk: &Chunk<'_>) {
        if self.fits(chunk.whole) {
            self.control(cause(kind::ERROR, 0, error::UNRECOGNIZED_CHUNK, chunk.whole));
        }
    }

    /// RFC 9260 §6.5: data of a stream that does not exist.
    pub(super) fn report_stream(&mut self, stream: u16) {
        let [high, low] = stream.to_be_bytes();
        self.control(cause(kind::ERROR, 0, error::INVALID_STREAM, &[high, low, 0, 0]));
    }

    /// Whether a copy goes into a packet, with the headers of a chunk and a cause.
    pub(super) fn fits(&self, copied: &[u8]) -> bool {
        copied.len() <= LONGEST.min(self.config.packet - HEADER - 8)
    }
}

/// An ABORT with one cause, for whoever has told its tag.
pub(super) fn abort(code: u16, information: &[u8]) -> Vec<u8> {
    cause(kind::ABORT, 0, code, information)
}

/// A chunk with one cause.
fn cause(kind: u8, flags: u8, code: u16, information: &[u8]) -> Vec<u8> {
    let mut chunk = Vec::new();
    packet::write_chunk(&mut chunk, kind, flags, |buf| parameter::write(buf, code, information));
    chunk
}
