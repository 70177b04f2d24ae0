#![no_main]

#[path = "../bodies/channel_data.rs"]
mod channel_data;

libfuzzer_sys::fuzz_target!(|data: &[u8]| channel_data::run(data));
