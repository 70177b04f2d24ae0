//! talkie-traversal from outside: vectors, properties, scenarios on a virtual clock.

mod stun_vectors;
mod turn_allocation;
mod turn_authentication;
mod turn_contract;
mod turn_forward;
mod turn_peers;
mod turn_relaying;
mod turn_world;
