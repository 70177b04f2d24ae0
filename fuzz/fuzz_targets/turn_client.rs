#![no_main]

#[path = "../bodies/input.rs"]
mod input;
#[path = "../bodies/turn_client.rs"]
mod turn_client;

libfuzzer_sys::fuzz_target!(|data: &[u8]| turn_client::run(data));
