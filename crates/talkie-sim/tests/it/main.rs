//! Scenarios on the simulated network, one module for each thing that networks do to packets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod caller;
mod corpus;
mod courier;
mod echo;
mod guest;
mod hosted;
mod links;
mod multicast;
mod nat64;
mod nats;
mod properties;
mod roaming;
mod scale;
mod streams;
mod traces;
