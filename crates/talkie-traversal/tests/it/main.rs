//! talkie-traversal from outside: vectors, properties, scenarios on a virtual clock.

mod stun_vectors;
mod turn_relaying;
mod turn_world;
