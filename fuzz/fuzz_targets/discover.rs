#![no_main]

#[path = "../bodies/input.rs"]
mod input;
#[path = "../bodies/discover.rs"]
mod discover;

libfuzzer_sys::fuzz_target!(|data: &[u8]| discover::run(data));
