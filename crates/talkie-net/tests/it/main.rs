//! Machines on real sockets of the loopback interface.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod agents;
mod driver;
mod guest;
mod host;
mod host_bounds;
#[cfg(target_os = "linux")]
mod host_descriptors;
#[cfg(target_os = "linux")]
mod host_network;
mod host_tls;
#[cfg(target_os = "linux")]
mod mdns;
mod plane;
mod toy;
