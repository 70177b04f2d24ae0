//! Networks without a network: what stands between two peers, as values and rules.
//!
//! [`nat`] is a NAT in the words of RFC 4787. It knows addresses and ports and nothing of packets, so
//! that the same core can translate what a simulation sends and what a real interface receives.
//! [`gateway`] puts it around IP packets, and [`packet`] is IP packets as bytes: views, changes in place,
//! and new ones.
//! [`net`] is a network in virtual time, of hosts that run machines, links that lose and delay, routers
//! and those NATs; [`trace`] is what happened in it, packet by packet.
//! [`flow`] is one bottleneck and the transfers that share it, millions of packets long.
//!
//! Like all of talkie's machines nothing here reads a clock, a socket or a random source.

pub mod flow;
pub mod gateway;
pub mod nat;
pub mod net;
pub mod packet;
pub mod trace;
