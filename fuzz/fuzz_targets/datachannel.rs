#![no_main]

#[path = "../bodies/datachannel.rs"]
mod datachannel;
#[path = "../bodies/input.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| datachannel::run(data));
