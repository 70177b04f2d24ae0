//! Packets in a TCP stream between peers: each after its length in two bytes (RFC 4571 §2,
//! RFC 6544 §3).

use talkie_sansio::BadFrame;

/// The bytes before each packet.
pub(super) const PREFIX: usize = 2;

/// How many bytes the stream's first packet takes, prefix included.
pub(super) fn frame_length(stream: &[u8]) -> Result<Option<usize>, BadFrame> {
    Ok(stream.first_chunk().map(|length| PREFIX + usize::from(u16::from_be_bytes(*length))))
}

/// The packet with its length before it; `None` if it is longer than a length can say.
pub(super) fn framed(payload: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(payload.len()).ok()?;
    let mut out = Vec::with_capacity(PREFIX + payload.len());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(payload);
    Some(out)
}

/// The packet in a frame.
pub(super) fn unframed(frame: &mut [u8]) -> Option<&mut [u8]> {
    let length = usize::from(u16::from_be_bytes(*frame.first_chunk()?));
    frame.get_mut(PREFIX..).filter(|payload| payload.len() == length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_framed_is_cut_and_found_again() {
        for payload in [&b""[..], b"a", &[7; 65_535]] {
            let mut frame = framed(payload).unwrap();
            assert_eq!(frame_length(&frame), Ok(Some(frame.len())));
            assert_eq!(unframed(&mut frame).as_deref(), Some(payload));
        }
        assert_eq!(framed(&[0; 65_536]), None);
    }

    #[test]
    fn half_a_frame_is_none() {
        assert_eq!(frame_length(&[0]), Ok(None));
        assert_eq!(unframed(&mut [0]), None);
        assert_eq!(unframed(&mut [0, 2, 1]), None);
    }
}
