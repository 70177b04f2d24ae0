#![no_main]

#[path = "../bodies/gateway.rs"]
mod gateway;
#[path = "../bodies/input.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway::run(data));
