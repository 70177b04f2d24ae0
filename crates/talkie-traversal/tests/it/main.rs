//! talkie-traversal from outside: vectors, properties, scenarios on a virtual clock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod channel_data;
mod client_hostile;
mod client_scenarios;
mod client_world;
mod corpus;
mod discover;
mod discover_hostile;
mod discover_world;
mod ice_agent;
mod ice_agent_consent;
mod ice_agent_hostile;
mod ice_agent_names;
mod ice_agent_nomination;
mod ice_agent_puppet;
mod ice_agent_restart;
mod ice_agent_world;
mod ice_attributes;
mod ice_gather;
mod ice_gather_relay;
mod ice_gather_tcp;
mod ice_gather_world;
mod ice_mux;
mod ice_predict;
mod ice_priority;
mod mdns;
mod mdns_world;
mod portmap;
mod portmap_hostile;
mod portmap_world;
mod punch;
mod punch_hostile;
mod punch_world;
mod stun_messages;
mod stun_properties;
mod stun_transactions;
mod stun_vectors;
mod turn_allocation;
mod turn_authentication;
mod turn_contract;
mod turn_discovery;
mod turn_forward;
mod turn_peers;
mod turn_relaying;
mod turn_world;
