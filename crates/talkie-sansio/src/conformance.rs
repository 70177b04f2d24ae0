//! The contract's test kit: every machine of the workspace runs [`check`] over a script of its own
//! inputs, well-formed and hostile.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use crate::{Datagram, Genesis, Machine, Path, Sink, Transmit, drain};

/// One input of a script.
#[derive(Clone, Debug)]
pub enum Input {
    /// A datagram from the network.
    Datagram(Path, Vec<u8>),
    /// Nothing but the passing of time.
    Elapse(Duration),
}

/// All that came out of a machine, in order.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Record {
    /// The datagrams sent, with the time since birth.
    pub transmits: Vec<(Duration, Path, Vec<u8>)>,
    /// The `Debug` form of each event.
    pub events: Vec<String>,
}

/// Answers a machine's events in a script's run; the unit type answers none.
pub trait Answer<M: Machine> {
    /// Called with each event, may call the machine.
    fn answer(&mut self, now: Instant, machine: &mut M, event: M::Event);
}

impl<M: Machine> Answer<M> for () {
    fn answer(&mut self, _now: Instant, _machine: &mut M, _event: M::Event) {}
}

impl<M: Machine, F: FnMut(Instant, &mut M, M::Event)> Answer<M> for F {
    fn answer(&mut self, now: Instant, machine: &mut M, event: M::Event) {
        self(now, machine, event);
    }
}

/// Runs the whole contract over `script`; `make` builds the machine, `answer` its driver's answers.
/// `queue_bound` is the most datagrams the machine may hold for sending.
///
/// # Panics
/// If a line of the contract does not hold.
pub fn check<M, A>(
    make: impl Fn(Genesis) -> M,
    answer: impl Fn() -> A,
    script: &[Input],
    queue_bound: usize,
) where
    M: Machine + Send,
    M::Event: Debug,
    A: Answer<M>,
{
    let first = run(&make, answer(), script);
    let second = run(&make, answer(), script);
    assert_eq!(first, second, "rule 4: the same genesis and inputs gave different outputs");
    undrained(&make, answer(), script, queue_bound);
    stalled(&make, answer(), script);
}

/// Runs `script` with a drain after each input and every timer fired on time.
///
/// # Panics
/// If a deadline is not after `now` once the machine is drained (rule 3).
pub fn run<M, A>(make: impl Fn(Genesis) -> M, answer: A, script: &[Input]) -> Record
where
    M: Machine,
    M::Event: Debug,
    A: Answer<M>,
{
    let born = genesis();
    let mut machine = make(born.clone());
    let mut recorder =
        Recorder { born: born.now, now: born.now, answer, record: Record::default() };
    let mut buf = Vec::new();
    let mut deadline = recorder.drain(&mut machine, &mut buf);
    for input in script {
        match input {
            Input::Datagram(path, payload) => {
                let mut payload = payload.clone();
                machine
                    .handle_datagram(recorder.now, Datagram { path: *path, payload: &mut payload });
            }
            Input::Elapse(span) => {
                let until = recorder.now + *span;
                while let Some(due) = deadline.filter(|due| *due <= until) {
                    recorder.now = due;
                    machine.handle_timeout(due);
                    deadline = recorder.drain(&mut machine, &mut buf);
                }
                recorder.now = until;
            }
        }
        deadline = recorder.drain(&mut machine, &mut buf);
    }
    recorder.record
}

/// Rule 2: inputs without a drain between them are legal, and what they queue is bounded.
fn undrained<M, A>(make: impl Fn(Genesis) -> M, answer: A, script: &[Input], queue_bound: usize)
where
    M: Machine,
    M::Event: Debug,
    A: Answer<M>,
{
    let born = genesis();
    let mut machine = make(born.clone());
    let mut now = born.now;
    let datagrams = script.iter().filter(|input| matches!(input, Input::Datagram(..))).count();
    let rounds = queue_bound / datagrams.max(1) + 2;
    for input in (0..rounds).flat_map(|_| script) {
        match input {
            Input::Datagram(path, payload) => {
                machine
                    .handle_datagram(now, Datagram { path: *path, payload: &mut payload.clone() });
            }
            Input::Elapse(span) => now += *span,
        }
    }
    let mut buf = Vec::new();
    let mut queued = 0;
    while machine.poll_transmit(&mut buf).is_some() {
        queued += 1;
        assert!(queued <= queue_bound, "rule 2: more than {queue_bound} datagrams were queued");
    }
    Recorder { born: born.now, now, answer, record: Record::default() }
        .drain(&mut machine, &mut buf);
}

/// Rule 1: time may stall. Timers asked for early or again at one instant change nothing.
fn stalled<M, A>(make: impl Fn(Genesis) -> M, answer: A, script: &[Input])
where
    M: Machine,
    M::Event: Debug,
    A: Answer<M>,
{
    let born = genesis();
    let mut machine = make(born.clone());
    let mut recorder =
        Recorder { born: born.now, now: born.now, answer, record: Record::default() };
    let mut buf = Vec::new();
    for input in script {
        if let Input::Datagram(path, payload) = input {
            machine
                .handle_datagram(born.now, Datagram { path: *path, payload: &mut payload.clone() });
        }
        recorder.drain(&mut machine, &mut buf);
        let settled = recorder.record.transmits.len();
        for _ in 0..3 {
            machine.handle_timeout(born.now);
            recorder.drain(&mut machine, &mut buf);
        }
        assert_eq!(
            recorder.record.transmits.len(),
            settled,
            "rule 1: an early timeout made the machine send"
        );
    }
}

/// A fixed genesis; the instant is the process's own and cancels out of every [`Record`].
#[must_use]
pub fn genesis() -> Genesis {
    #[expect(
        clippy::disallowed_methods,
        reason = "the kit is the driver: some instant must be the first"
    )]
    let now = Instant::now();
    Genesis { now, unix: Duration::from_secs(1_800_000_000), seed: [7; 32] }
}

struct Recorder<A> {
    born: Instant,
    now: Instant,
    answer: A,
    record: Record,
}

impl<A> Recorder<A> {
    fn drain<M>(&mut self, machine: &mut M, buf: &mut Vec<u8>) -> Option<Instant>
    where
        M: Machine,
        M::Event: Debug,
        A: Answer<M>,
    {
        let now = self.now;
        let deadline = drain(machine, now, buf, self);
        assert!(
            deadline.is_none_or(|at| at > now),
            "rule 3: the deadline is due right after a drain"
        );
        deadline
    }
}

impl<M, A> Sink<M> for Recorder<A>
where
    M: Machine,
    M::Event: Debug,
    A: Answer<M>,
{
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.record.transmits.push((self.now - self.born, transmit.path, payload.to_vec()));
    }

    fn event(&mut self, now: Instant, machine: &mut M, event: M::Event) {
        self.record.events.push(format!("{event:?}"));
        self.answer.answer(now, machine, event);
    }
}

#[cfg(test)]
#[path = "conformance_tests.rs"]
mod tests;
