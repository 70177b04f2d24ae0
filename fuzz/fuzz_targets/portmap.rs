#![no_main]

#[path = "../bodies/input.rs"]
mod input;
#[path = "../bodies/portmap.rs"]
mod portmap;

libfuzzer_sys::fuzz_target!(|data: &[u8]| portmap::run(data));
