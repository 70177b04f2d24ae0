#![no_main]

#[path = "../bodies/input.rs"]
mod input;
#[path = "../bodies/turn_server.rs"]
mod turn_server;

libfuzzer_sys::fuzz_target!(|data: &[u8]| turn_server::run(data));
