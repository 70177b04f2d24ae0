#![no_main]

#[path = "../bodies/stun_roundtrip.rs"]
mod stun_roundtrip;

libfuzzer_sys::fuzz_target!(|data: &[u8]| stun_roundtrip::run(data));
