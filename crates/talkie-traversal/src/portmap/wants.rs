//! What is wanted of the driver, numbered.

use std::collections::VecDeque;

use talkie_sansio::{Want, WantId};

/// Wants that wait for the driver.
#[derive(Debug, Default)]
pub(super) struct Wants {
    queue: VecDeque<Want>,
    named: u64,
}

impl Wants {
    /// A new name and the want that has it.
    pub(super) fn ask(&mut self, want: impl FnOnce(WantId) -> Want) -> WantId {
        self.named += 1;
        let id = WantId(self.named);
        self.queue.push_back(want(id));
        id
    }

    /// One that is not answered.
    pub(super) fn tell(&mut self, want: Want) {
        self.queue.push_back(want);
    }

    pub(super) fn poll(&mut self) -> Option<Want> {
        self.queue.pop_front()
    }
}
