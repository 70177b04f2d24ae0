//! What our HEARTBEATs carry (RFC 9260 §3.3.5); it comes back in the HEARTBEAT ACK as it was.

use super::parameter::{self, Parameters};
use super::u32_at;

const HEARTBEAT_INFO: u16 = 1;

/// The sender's own information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// Names the heartbeat, so that an acknowledgment can't be made up.
    pub nonce: u32,
    /// The length of the packet it was in.
    pub packet: u32,
}

impl Info {
    /// Appends the chunk's value.
    pub fn write(&self, buf: &mut Vec<u8>) {
        let mut value = [0; 8];
        value[..4].copy_from_slice(&self.nonce.to_be_bytes());
        value[4..].copy_from_slice(&self.packet.to_be_bytes());
        parameter::write(buf, HEARTBEAT_INFO, &value);
    }

    /// Reads the value of an acknowledgment.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let info = Parameters::new(value).next().filter(|first| first.kind == HEARTBEAT_INFO)?;
        Some(Self { nonce: u32_at(info.value, 0)?, packet: u32_at(info.value, 4)? })
    }
}
