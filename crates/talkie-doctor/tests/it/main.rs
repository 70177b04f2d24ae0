//! The doctor against a real server in this process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pair;
