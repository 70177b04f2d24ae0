//! What is wanted of the driver, numbered.

use std::collections::VecDeque;

use talkie_sansio::{Want, WantId};

/// Wants that wait for the driver.
#[derive(Debug)]
pub(super) struct Wants {
    queue: VecDeque<Want>,
    named: u64,
}

impl Wants {
    pub(super) fn after(first: u64) -> Self {
        Self { queue: VecDeque::new(), named: first }
    }

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
