//! Any bytes as a list of attributes: what is written is what is parsed.

use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::{AttributeType, Class, Message, Method, TransactionId, Writer};

pub(crate) fn run(data: &[u8]) {
    let Some(([head @ .., ends], mut rest)) = data.split_first_chunk::<16>() else {
        return;
    };
    let class =
        [Class::Request, Class::Indication, Class::Success, Class::Error][usize::from(head[0] % 4)];
    let method = Method(u16::from_be_bytes([head[1] & 0x0F, head[2]]));
    let mut id = TransactionId([0; 12]);
    id.0.copy_from_slice(&head[3..15]);
    let key = Key::short_term("key");

    let mut buf = vec![0xAA; usize::from(ends >> 4)];
    let before = buf.len();
    let mut writer = Writer::new(&mut buf, class, method, id);
    let mut written = Vec::new();
    while let Some(([a, b, length], after)) = rest.split_first_chunk() {
        let kind = AttributeType(u16::from_be_bytes([*a, *b]));
        let (value, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        if matches!(
            kind,
            AttributeType::MESSAGE_INTEGRITY
                | AttributeType::MESSAGE_INTEGRITY_SHA256
                | AttributeType::FINGERPRINT
        ) {
            continue;
        }
        writer.raw(kind, |out| out.extend_from_slice(value));
        if writer.overflowed() {
            break;
        }
        written.push((kind, value));
    }
    let fits = !writer.overflowed() && writer.finish() < 65_000;
    if fits {
        if ends & 1 != 0 {
            writer.integrity(&key);
        }
        if ends & 2 != 0 {
            writer.integrity_sha256(&key);
        }
        if ends & 4 != 0 {
            writer.fingerprint();
        }
    }
    let length = writer.finish();
    assert_eq!(before + length, buf.len());
    let message = Message::parse(&buf[before..]).expect("what is written parses");
    assert_eq!((message.class(), message.method()), (class, method));
    assert_eq!(message.transaction_id(), id);
    let read: Vec<_> = message.attributes().take(written.len()).collect();
    assert_eq!(read, written);
    if fits {
        assert_eq!(message.check_integrity(&key), (ends & 1 != 0).then_some(true));
        assert_eq!(message.check_integrity_sha256(&key), (ends & 2 != 0).then_some(true));
        assert_eq!(message.check_fingerprint(), (ends & 4 != 0).then_some(true));
    }
}
