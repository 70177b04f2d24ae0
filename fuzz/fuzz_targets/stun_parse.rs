#![no_main]

#[path = "../bodies/stun_parse.rs"]
mod stun_parse;

libfuzzer_sys::fuzz_target!(|data: &[u8]| stun_parse::run(data));
