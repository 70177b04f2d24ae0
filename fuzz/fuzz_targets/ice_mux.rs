#![no_main]

#[path = "../bodies/ice_mux.rs"]
mod ice_mux;
#[path = "../bodies/input.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ice_mux::run(data));
