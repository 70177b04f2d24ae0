//! Port mappings: a port of the gateway that leads to one of ours, asked for rather than punched.
//!
//! [`Portmap`] looks after one mapping of one UDP socket. It asks the gateway by PCP (RFC 6887), NAT-PMP
//! (RFC 6886) and UPnP-IGD at once and takes the first that grants it; where two are about as quick, in
//! this order. Questions that change nothing are asked in parallel, and the mapping itself of one protocol
//! after the other, so that there are seldom two of them to look after. It is renewed at half of its
//! life, asked for anew when the gateway has lost it, and removed at [`close()`](Portmap::close). Nothing
//! is left behind: what a crash leaves lapses after [`Config::lifetime`].
//!
//! Only the gateway's own answers count, from the ports of the protocols; a PCP answer has to carry our
//! nonce; UPnP's description and its service are fetched from the gateway's address or not at all, and
//! what comes back is bounded in bytes, nodes and time. Still: whoever can send with the gateway's address
//! on this link can name any outside address, so that a mapping is a *candidate*, to be checked like each
//! other, and no proof of anything.
//!
//! For ICE a mapping is a server-reflexive candidate whose base is the mapped socket: what arrives at
//! the gateway's port arrives there. It adds one candidate for each socket that is mapped, known after one
//! or two round trips to the gateway by PCP and NAT-PMP, and after a second at most by UPnP.
//!
//! Over IPv6 there is nothing to translate, and a firewall opens to checks: the machine knows IPv4 only.

mod config;
mod door;
mod epoch;
mod event;
mod exchange;
mod http;
pub mod igd;
mod lease;
mod machine;
pub mod nat_pmp;
pub mod pcp;
pub mod ssdp;
mod wants;

use std::time::Duration;

pub use config::Config;
pub use event::{Event, Loss, Mapping, Protocol, Reason, Reasons};
pub use machine::{Counters, Portmap};

/// As much of a time as a protocol can say.
fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
