#![no_main]

#[path = "../bodies/input.rs"]
mod input;
#[path = "../bodies/punch.rs"]
mod punch;

libfuzzer_sys::fuzz_target!(|data: &[u8]| punch::run(data));
