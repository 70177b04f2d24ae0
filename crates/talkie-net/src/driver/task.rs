//! The task that runs one machine.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::time::Instant;

use talkie_sansio::{Answer, Interface, Machine, Sink, Transmit, Want, drain};
use tokio::sync::mpsc;

use super::clock::Clock;
use super::gate::Gate;
use super::wires::{Ready, Wires};
use super::{Command, EVENTS, End};
use crate::host::errands::{Errands, News};
use crate::watch::{Sight, Watch};

/// Wants that are carried out before other work has its turn.
const WANTS: usize = 64;

/// A machine of either kind: one that asks for its sockets, or one that has been given them.
pub(crate) trait Guest: Send + 'static {
    type Machine: Machine + Send + 'static;
    /// Whether the end of a stream is the end of the task.
    const ENDS_WITH_ITS_STREAM: bool;

    fn machine(&mut self) -> &mut Self::Machine;
    fn poll_want(&mut self) -> Option<Want>;
    fn handle_answer(&mut self, now: Instant, answer: Answer);
    fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]);
}

type Event<G> = <<G as Guest>::Machine as Machine>::Event;

pub(crate) struct Task<G: Guest> {
    guest: G,
    pub(crate) wires: Wires,
    pub(crate) errands: Option<Errands>,
    pub(crate) watch: Option<Watch>,
    clock: Clock,
    /// What the application has not taken yet: at most [`EVENTS`].
    queue: VecDeque<Event<G>>,
    scratch: Vec<u8>,
}

enum Step<G: Guest> {
    Command(Option<Command<G::Machine>>),
    Ready(Ready),
    News(News),
    Sight(Sight),
    Due,
    Event(bool),
}

impl<G: Guest> Task<G> {
    pub(crate) fn new(guest: G) -> Self {
        Self {
            guest,
            wires: Wires::new(),
            errands: None,
            watch: None,
            clock: Clock::default(),
            queue: VecDeque::new(),
            scratch: Vec::new(),
        }
    }

    pub(crate) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command<G::Machine>>,
        events: mpsc::Sender<Event<G>>,
    ) -> End {
        let end = loop {
            let deadline = self.settle();
            self.hand_over(&events);
            match self.step(deadline, &mut commands, &events).await {
                Step::Command(Some(command)) => command(self.guest.machine(), self.clock.now()),
                Step::Ready(ready) => {
                    if let Some(end) = self.take(ready) {
                        break end;
                    }
                }
                Step::News(news) => self.hear(news),
                Step::Sight(sight) => {
                    self.clock.has_slept(sight.asleep);
                    let now = self.clock.now();
                    self.guest.handle_interfaces(now, &sight.interfaces);
                    // After a sleep of the whole host the machine shall look at its clock at once.
                    self.guest.machine().handle_timeout(now);
                }
                Step::Due => self.guest.machine().handle_timeout(self.clock.now()),
                Step::Event(true) => {}
                Step::Command(None) | Step::Event(false) => break End::Released,
            }
        };
        // What the application can still take it shall have.
        for event in self.queue {
            if events.try_send(event).is_err() {
                break;
            }
        }
        end
    }

    /// Empties the machine and does what it wants; returns when it wants to be woken.
    fn settle(&mut self) -> Option<Instant> {
        for _ in 0..WANTS {
            let now = self.clock.now();
            let room = EVENTS - self.queue.len().min(EVENTS);
            let mut gate = Gate { machine: self.guest.machine(), room };
            let mut outward = Outward { wires: &mut self.wires, queue: &mut self.queue };
            let deadline = drain(&mut gate, now, &mut self.scratch, &mut outward);
            // Before anything is closed: the indices in it stay true, and last words go out.
            self.wires.flush();
            let Some(want) = self.guest.poll_want() else { return deadline };
            let Some(errands) = &mut self.errands else { continue };
            if let Some(answer) = errands.run(want, &mut self.wires) {
                self.guest.handle_answer(self.clock.now(), answer);
            }
        }
        Some(self.clock.now())
    }

    /// Gives the application as many events as it has room for.
    fn hand_over(&mut self, events: &mpsc::Sender<Event<G>>) {
        while !self.queue.is_empty() {
            // No room, or nobody there, which the next step finds out.
            let Ok(permit) = events.try_reserve() else { return };
            if let Some(event) = self.queue.pop_front() {
                permit.send(event);
            }
        }
    }

    async fn step(
        &mut self,
        deadline: Option<Instant>,
        commands: &mut mpsc::Receiver<Command<G::Machine>>,
        events: &mpsc::Sender<Event<G>>,
    ) -> Step<G> {
        let held_back = !self.queue.is_empty();
        let (wires, queue) = (&mut self.wires, &mut self.queue);
        let room = wires.listens()
            && self.errands.as_ref().is_some_and(|errands| errands.may_accept(wires));
        let clock = self.clock;
        let sleep = async {
            match deadline.map(|at| clock.outside(at)) {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => pending().await,
            }
        };
        let news = async {
            match &mut self.errands {
                Some(errands) => errands.news().await,
                None => pending().await,
            }
        };
        let sight = async {
            match &mut self.watch {
                Some(watch) => watch.changed().await,
                None => pending().await,
            }
        };
        tokio::select! {
            command = commands.recv() => Step::Command(command),
            ready = poll_fn(|cx| wires.poll_ready(cx, room)), if !held_back => Step::Ready(ready),
            news = news, if !held_back => Step::News(news),
            sight = sight => Step::Sight(sight),
            () = sleep => Step::Due,
            permit = events.reserve(), if held_back => {
                if let Ok(permit) = permit
                    && let Some(event) = queue.pop_front()
                {
                    permit.send(event);
                    Step::Event(true)
                } else {
                    Step::Event(false)
                }
            }
            () = events.closed(), if !held_back => Step::Event(false),
        }
    }

    fn take(&mut self, ready: Ready) -> Option<End> {
        match ready {
            Ready::Socket(index) => self.wires.receive(index, self.clock, self.guest.machine()),
            Ready::Stream(arrival) => {
                let path = self.wires.take(arrival, self.clock, self.guest.machine())?;
                if G::ENDS_WITH_ITS_STREAM {
                    return Some(End::StreamClosed);
                }
                self.guest.handle_answer(self.clock.now(), Answer::Closed { path });
            }
            Ready::Accepted(index, stream, remote) => {
                if let Some((id, path)) = self.wires.accept(index, stream, remote) {
                    self.guest.handle_answer(self.clock.now(), Answer::Accepted { id, path });
                }
            }
        }
        None
    }

    fn hear(&mut self, news: News) {
        if let Some(errands) = &mut self.errands
            && let Some(answer) = errands.hear(news, &mut self.wires)
        {
            self.guest.handle_answer(self.clock.now(), answer);
        }
    }
}

/// Where a machine's output goes.
struct Outward<'a, E> {
    wires: &'a mut Wires,
    queue: &'a mut VecDeque<E>,
}

impl<M: Machine> Sink<Gate<'_, M>> for Outward<'_, M::Event> {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.wires.send(transmit, payload);
    }

    fn event(&mut self, _now: Instant, _machine: &mut Gate<'_, M>, event: M::Event) {
        self.queue.push_back(event);
    }
}
