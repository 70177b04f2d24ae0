//! Figures for an operator.

use super::Code;

/// What the signaling server holds and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Open WebSockets.
    pub sockets: usize,
    /// Sessions, with or without a socket.
    pub sessions: usize,
    /// Rooms with somebody in them.
    pub rooms: usize,
    /// Sessions that are in a room.
    pub peers: usize,
    /// Bytes that wait for clients to acknowledge them.
    pub waiting_bytes: usize,
    /// Frames received.
    pub messages_in: u64,
    /// Frames sent.
    pub messages_out: u64,
    /// Sessions opened.
    pub opened: u64,
    /// Sessions taken up again by a new socket.
    pub resumes: u64,
    /// Upgrades refused because of a foreign `Origin`.
    pub foreign_origins: u64,
    /// Errors sent, in the order of [`Code::ALL`].
    pub(super) errors: [u64; Code::ALL.len()],
}

impl Stats {
    /// Errors sent, by code; those that never occurred too.
    pub fn errors(&self) -> impl Iterator<Item = (Code, u64)> + '_ {
        Code::ALL.into_iter().zip(self.errors)
    }

    pub(super) fn count(&mut self, code: Code) {
        self.errors[code as usize] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_counts_under_its_own_name() {
        for code in Code::ALL {
            let mut stats = Stats::default();
            stats.count(code);
            let counted: Vec<_> = stats.errors().filter(|&(_, count)| count > 0).collect();
            assert_eq!(counted, [(code, 1)]);
        }
    }
}
