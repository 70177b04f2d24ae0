//! How far a TCP connection has come, as far as a box on the way can tell (RFC 5382 §5, RFC 7857 §2).
//!
//! Only two things matter to a NAT: whether the connection is established, so that its silence means
//! nothing for hours, and otherwise that it will be gone in minutes. Flags tell: both sides have sent
//! SYN and ACK in whatever order, which covers the simultaneous open (RFC 5382 REQ-2); then both have
//! sent FIN, or one has sent RST. A reset may be forged, so what follows it shows that the connection
//! lives (RFC 7857 §2.2; the states are those of RFC 6146 §3.5.2).

use super::protocol::Flags;

/// Who sent a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Inside,
    Outside,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Not both sides have agreed to it yet.
    Opening,
    /// Both have.
    Established,
    /// Both have finished, or one has torn it down.
    Closing,
}

/// What each side has sent so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connection {
    inside: Flags,
    outside: Flags,
    is_reset: bool,
}

const AGREED: Flags = Flags(Flags::SYN.0 | Flags::ACK.0);

impl Connection {
    /// A connection whose first segment that is seen has these flags. One that begins in the middle
    /// is older than the NAT's memory, and taken for agreed as soon as both sides go on.
    pub(super) fn begin(flags: Flags) -> Self {
        let known = if flags.contains(Flags::SYN) { Flags::default() } else { Flags::SYN };
        Self { inside: known, outside: known, is_reset: false }
    }

    pub(super) fn handle_segment(&mut self, sender: Sender, flags: Flags) {
        let begins_anew = flags.contains(Flags::SYN) && !flags.contains(Flags::ACK);
        if begins_anew && self.phase() == Phase::Closing {
            // RFC 9293 §3.6.1: ports may be used again before the NAT has forgotten them.
            *self = Self::default();
        }
        self.is_reset = flags.contains(Flags::RST);
        if !self.is_reset {
            let sent = match sender {
                Sender::Inside => &mut self.inside,
                Sender::Outside => &mut self.outside,
            };
            *sent = *sent | flags;
        }
    }

    pub(super) fn phase(self) -> Phase {
        let both = |flags| self.inside.contains(flags) && self.outside.contains(flags);
        if self.is_reset || both(Flags::FIN) {
            Phase::Closing
        } else if both(AGREED) {
            Phase::Established
        } else {
            Phase::Opening
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Phase::{Closing, Established, Opening};
    use super::Sender::{Inside, Outside};
    use super::*;

    const SYN: Flags = Flags::SYN;
    const ACK: Flags = Flags::ACK;
    const FIN: Flags = Flags(Flags::FIN.0 | Flags::ACK.0);
    const RST: Flags = Flags::RST;

    #[test]
    fn every_valid_sequence_is_understood() {
        // RFC 5382 REQ-2, RFC 9293 §3.5, §3.6.
        let both = SYN | ACK;
        let open = [(Inside, SYN, Opening), (Outside, both, Opening), (Inside, ACK, Established)];
        let simultaneous = [
            (Inside, SYN, Opening),
            (Outside, SYN, Opening),
            (Inside, both, Opening),
            (Outside, both, Established),
        ];
        let from_outside =
            [(Outside, SYN, Opening), (Inside, both, Opening), (Outside, ACK, Established)];
        let close = [
            (Inside, FIN, Established),
            // The other half may stay open for long.
            (Outside, ACK, Established),
            (Outside, FIN, Closing),
            (Inside, ACK, Closing),
        ];
        let at_once = [(Inside, FIN, Established), (Outside, FIN, Closing)];
        let reset = [(Outside, RST, Closing)];
        let forged_reset = [(Outside, RST, Closing), (Outside, ACK, Established)];
        let again = [(Inside, SYN, Opening), (Outside, both, Opening), (Inside, ACK, Established)];
        for opening in [&open[..], &simultaneous, &from_outside] {
            for closing in [&close[..], &at_once, &reset, &forged_reset] {
                let is_open = closing.last().is_some_and(|(.., phase)| *phase == Established);
                let again = if is_open { &[][..] } else { &again };
                let mut connection = Connection::begin(SYN);
                for (n, &(sender, flags, expected)) in
                    opening.iter().chain(closing).chain(again).enumerate()
                {
                    connection.handle_segment(sender, flags);
                    assert_eq!(connection.phase(), expected, "segment {n}: {sender:?} {flags:?}");
                }
            }
        }
    }

    #[test]
    fn what_began_before_is_established_when_both_go_on() {
        let mut connection = Connection::begin(ACK);
        connection.handle_segment(Inside, ACK);
        assert_eq!(connection.phase(), Opening);
        connection.handle_segment(Outside, ACK);
        assert_eq!(connection.phase(), Established);
    }

    #[test]
    fn one_side_alone_establishes_nothing() {
        let mut connection = Connection::begin(SYN);
        for flags in [SYN, SYN | ACK, ACK, FIN] {
            connection.handle_segment(Inside, flags);
            assert_eq!(connection.phase(), Opening);
        }
    }
}
