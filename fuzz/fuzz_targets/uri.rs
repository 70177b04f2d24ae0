#![no_main]

#[path = "../bodies/uri.rs"]
mod uri;

libfuzzer_sys::fuzz_target!(|data: &[u8]| uri::run(data));
