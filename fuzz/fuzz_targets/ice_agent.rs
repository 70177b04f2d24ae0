#![no_main]

#[path = "../bodies/input.rs"]
mod input;
#[path = "../bodies/ice_agent.rs"]
mod ice_agent;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ice_agent::run(data));
