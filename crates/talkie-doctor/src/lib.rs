//! Why a network does or does not let two peers meet, found out and said in plain words.
//!
//! [`examine()`] asks the network (the servers that the caller named, the gateway, the own interfaces,
//! and nobody else), all at once and each within a bound of time, and returns a [`Report`], which is
//! data. [`diagnose`] says what a report means: it is a pure function, so that every situation is a
//! row in a table of tests.
//!
//! ```no_run
//! # async fn doctor() -> Result<(), Box<dyn std::error::Error>> {
//! use talkie_doctor::{Config, Stop, diagnose, examine};
//!
//! let config = Config::new(vec!["https://talk.example.org".parse()?]);
//! if let Some(report) = examine(&config, &Stop::never(), |_progress| {}).await {
//!     println!("{}", diagnose(&report).headline);
//! }
//! # Ok(())
//! # }
//! ```

pub mod advice;
mod examine;
pub mod pair;
mod probe;
mod progress;
pub mod report;
mod target;

pub use advice::{Diagnosis, Document, diagnose};
pub use examine::{Config, PlainPage, PlainPageError, answers, examine, has_network};
pub use progress::{Mark, Progress, Step, Stop, StopHandle};
pub use report::Report;
pub use talkie_signaling::ServerUrl;
pub use target::{Host, IceUrl, Origin, Scheme, Target, TargetError, Transport};
