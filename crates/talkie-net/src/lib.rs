//! Sockets for talkie's protocol machines: the only crate that owns any.
//!
//! It knows no protocol. A [`Machine`](talkie_sansio::Machine) gets its datagrams, its timers and
//! its [`genesis()`] from here, in one of three ways:
//!
//! - [`driver`] runs a machine as a tokio task on a few UDP sockets or one stream: clients.
//! - [`host`] runs a machine that asks for its own sockets, streams and names as a tokio task: agents.
//! - [`plane`] runs a machine with a direct forward path on a thread of its own: relays.
//!
//! [`tun`] makes network cards whose other end is this program, for boxes that stand between hosts.
//!
//! Streams carry datagrams by the machine's own framing, which is handed in as a [`Framer`].

pub mod driver;
mod drops;
mod frame;
mod genesis;
pub mod host;
mod interfaces;
mod leg;
pub mod plane;
mod queue;
mod sys;
#[cfg(target_os = "linux")]
pub mod tun;
mod udp;
mod watch;

pub use drops::kernel_drops;
pub use frame::{BadFrame, Framer};
pub use genesis::{genesis, unix_time};
pub use interfaces::{gateway, interfaces, lan_address, source_address};
pub use sys::raise_descriptor_limit;
pub use talkie_sansio::{Interface, Scope};
pub use udp::{BindError, Fragmentation, Granted, Refusal, UdpOptions, UdpSocket};
