//! Counts what is spent inside of a stack, and nothing of what happens around it.
//!
//! By the clock that is the thread's CPU time, less what reading that takes; under callgrind it is the
//! instructions, which [`measured`] turns on and off: it is the one function that valgrind is told of.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Readings from which the clock's own cost is found.
const TRIALS: u32 = 2000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Off,
    Clock,
    Callgrind,
}

#[derive(Debug, Default)]
pub(super) struct Meter {
    mode: Mode,
    spent: Duration,
    /// What an empty reading takes.
    own: Duration,
}

impl Meter {
    /// From now on by the clock.
    pub(super) fn start(&mut self) {
        // The C library's allocator gives memory back to the system and fetches it again all the time, until
        // it has seen a block as large as this come and go.
        drop(std::hint::black_box(vec![1_u8; 31 << 20]));
        *self = Self { mode: Mode::Clock, ..Self::default() };
        (0..TRIALS).for_each(|_| self.count(|| ()));
        *self = Self { own: self.spent / TRIALS, spent: Duration::ZERO, ..*self };
    }

    /// From now on by callgrind, if that is what runs us.
    pub(super) fn start_for_callgrind(&mut self) {
        self.mode = Mode::Callgrind;
    }

    /// CPU time since it was started.
    pub(super) fn spent(&self) -> Duration {
        self.spent
    }

    pub(super) fn count<T>(&mut self, inside: impl FnOnce() -> T) -> T {
        match self.mode {
            Mode::Off => inside(),
            Mode::Callgrind => measured(inside),
            Mode::Clock => {
                let before = now();
                let result = measured(inside);
                self.spent += (now() - before).saturating_sub(self.own);
                result
            }
        }
    }
}

#[inline(never)]
fn measured<T>(inside: impl FnOnce() -> T) -> T {
    // Not the last thing that it does, so that it stands in the stack of calls.
    std::hint::black_box(inside())
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
