//! UPnP Internet Gateway Device: a search, a description, and then actions of the service in it that maps
//! ports, each a request over HTTP on a stream of its own.
//!
//! The gateway is asked for its outside address before every mapping, which changes nothing, and for the
//! mapping only once that is wanted. A port that is somebody else's is not taken from him: another one is
//! tried instead.

mod client;
mod description;
mod soap;

pub(super) use client::Client;
pub use description::Description;
pub use soap::{Action, error_code, external_address, is_response};

/// The most nodes of a document: a few hundred are usual.
const NODES: u32 = 8192;

/// Bounded in bytes by who fetched it and in nodes here; a document type, and with it entities of
/// one's own, is refused.
fn parse(text: &str) -> Option<roxmltree::Document<'_>> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES,
        ..roxmltree::ParsingOptions::default()
    };
    roxmltree::Document::parse_with_options(text, options).ok()
}
