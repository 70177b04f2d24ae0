//! STUN: Session Traversal Utilities for NAT (RFC 8489).
//!
//! [`Message`] is a view of a received message that copies nothing; [`Writer`] appends a message to
//! the caller's buffer. Attributes are small types that implement [`Attribute`]; [`attributes`] has
//! those of STUN, TURN (RFC 8656), TURN over TCP (RFC 6062), ICE (RFC 8445) and NAT behaviour
//! discovery (RFC 5780). [`auth`] holds keys and hashes, [`credential`] a client's long-term
//! credential, [`transaction`] a client's side of a request.

pub mod attributes;
pub mod auth;
pub mod credential;
mod header;
mod message;
mod rto;
pub mod transaction;
mod writer;

pub use attributes::{Attribute, AttributeError, AttributeType};
pub use header::{Class, MAGIC_COOKIE, Method, TransactionId};
pub use message::{Attributes, Message, ParseError, RawAttributes};
pub use rto::Rto;
pub use writer::Writer;

/// The length of a message without attributes.
pub const HEADER_LENGTH: usize = 20;
