#![no_main]

#[path = "../bodies/ice_agent.rs"]
mod ice_agent;
#[path = "../bodies/input.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ice_agent::run(data));
