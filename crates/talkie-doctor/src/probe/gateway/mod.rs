//! Which protocols to open ports does the gateway speak? It is asked in ways that open none:
//!
//! | protocol | question |
//! |---|---|
//! | UPnP-IGD | a search, the description, `GetExternalIPAddress` |
//! | NAT-PMP | the request for the external address (RFC 6886 §3.2) |
//! | PCP | `ANNOUNCE` (RFC 6887 §14.1) |
//!
//! Only the gateway of the default route is asked, and only its own answers count.

mod igd;
mod nat_pmp;
mod pcp;
mod ssdp;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::wire::Schedule;
use crate::report::PortMapping;

/// NAT-PMP and PCP share it (RFC 6887 §19.1).
const PORT: u16 = 5351;
/// RFC 6886 §3.1: 250 ms, doubled each time. A gateway is one hop away, so that three are enough.
const SCHEDULE: Schedule = Schedule {
    at: &[Duration::ZERO, Duration::from_millis(250), Duration::from_millis(750)],
    patience: Duration::from_millis(1250),
};

/// Asks `gateway` from `source`, by all three protocols at once.
pub(crate) async fn ask(gateway: Ipv4Addr, source: Ipv4Addr) -> PortMapping {
    let door = SocketAddr::from((gateway, PORT));
    let (upnp, nat_pmp, pcp) =
        tokio::join!(igd::ask(gateway, source), nat_pmp::ask(door), pcp::ask(door, source));
    PortMapping { gateway: Some(IpAddr::V4(gateway)), upnp, nat_pmp, pcp }
}
