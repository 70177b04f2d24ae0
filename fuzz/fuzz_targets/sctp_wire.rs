#![no_main]

#[path = "../bodies/sctp_wire.rs"]
mod sctp_wire;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sctp_wire::run(data));
