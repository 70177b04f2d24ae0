//! The last words: a datagram that is no line of anybody.

/// EOT (ASCII 4).
const MARK: u8 = 4;

/// That there is no more to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Farewell {
    /// Whether nobody listens any more, either.
    pub(super) is_goodbye: bool,
    /// Datagrams that were sent before it.
    pub(super) sent: u64,
}

impl Farewell {
    pub(super) fn write(self) -> Vec<u8> {
        let mut payload = vec![MARK; 1 + usize::from(self.is_goodbye)];
        payload.extend(self.sent.to_string().bytes());
        payload
    }

    /// `None` if it is a line.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let (is_goodbye, number) = match payload {
            [MARK, MARK, number @ ..] => (true, number),
            [MARK, number @ ..] => (false, number),
            _ => return None,
        };
        let sent = std::str::from_utf8(number).ok()?.parse().ok()?;
        Some(Self { is_goodbye, sent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_told_from_lines() {
        for is_goodbye in [false, true] {
            let farewell = Farewell { is_goodbye, sent: 70_000 };
            assert_eq!(Farewell::read(&farewell.write()), Some(farewell));
        }
        for line in [&b""[..], b"4", b"\x04", b"\x04\x04", b"\x04x", b"\x04-1", b"\x04\xff"] {
            assert_eq!(Farewell::read(line), None, "{line:?}");
        }
    }
}
