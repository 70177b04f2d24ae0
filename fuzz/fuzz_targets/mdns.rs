#![no_main]

#[path = "../bodies/input.rs"]
mod input;
#[path = "../bodies/mdns.rs"]
mod mdns;

libfuzzer_sys::fuzz_target!(|data: &[u8]| mdns::run(data));
