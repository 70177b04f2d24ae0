#![no_main]

#[path = "../bodies/discover.rs"]
mod discover;
#[path = "../bodies/input.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| discover::run(data));
