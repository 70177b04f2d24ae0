#![no_main]

#[path = "../bodies/input.rs"]
mod input;
#[path = "../bodies/sctp_association.rs"]
mod sctp_association;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sctp_association::run(data));
