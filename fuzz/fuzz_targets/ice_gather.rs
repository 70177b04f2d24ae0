#![no_main]

#[path = "../bodies/ice_gather.rs"]
mod ice_gather;
#[path = "../bodies/input.rs"]
mod input;
#[path = "../bodies/turn_client.rs"]
#[expect(dead_code, reason = "its server answers here as well")]
mod turn_client;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ice_gather::run(data));
