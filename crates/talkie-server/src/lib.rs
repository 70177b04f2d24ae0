//! The server behind `talkie serve`: signaling, relay and web app in one process.
//!
//! ```no_run
//! # async fn serve() -> Result<(), talkie_server::StartError> {
//! let server = talkie_server::Server::start(talkie_server::Config::default()).await?;
//! println!("{:?}", server.report().local_url);
//! server.stopped().await;
//! # Ok(())
//! # }
//! ```

mod accept;
mod address_key;
mod admin;
mod arrivals;
mod bind;
mod certificate;
mod compare;
mod config;
mod connections;
mod conversation;
mod discovering;
mod holder;
mod http;
mod ice;
mod interfaces;
mod invitation;
mod metrics;
mod names;
mod pace;
mod proxies;
pub mod relay;
mod relaying;
mod replay;
mod report;
mod selftest;
mod server;
pub mod signaling;
mod timers;
mod token_bucket;

pub use bind::ListenError;
pub use certificate::CertificateError;
pub use config::{Config, ConnectionLimits, TlsFiles};
pub use holder::Holder;
pub use http::known::is_host_pattern;
pub use report::{
    AdvertisedSource, CertificateReport, DiscoveryReport, Leg, Listening, Purpose, RelayReport,
    Report,
};
pub use server::{Server, StartError};
pub use talkie_traversal::turn::server::OwnAddress;
