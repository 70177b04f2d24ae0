//! A machine that wants what it is told to and reports everything it learns.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_net::driver::Running;
use talkie_net::host::{self, Options};
use talkie_sansio::{
    Answer, Datagram, Hosted, Interface, Machine, Path, Transmit, Want, WantError, WantId,
};
use tokio::time::timeout;

pub(crate) const SOON: Duration = Duration::from_secs(5);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Datagram(Path, Vec<u8>),
    Answer(Answer),
    Interfaces(Vec<Interface>),
    Tick,
}

#[derive(Default)]
pub(crate) struct Guest {
    pub(crate) wants: VecDeque<Want>,
    pub(crate) out: VecDeque<(Path, Vec<u8>)>,
    pub(crate) heard: VecDeque<Heard>,
    /// When to say the next [`Heard::Tick`], and how often.
    pub(crate) tick: Option<(Instant, Duration)>,
    pub(crate) ticks: usize,
}

/// The machine's own bound.
const HEARD: usize = 512;

impl Machine for Guest {
    type Event = Heard;

    fn handle_datagram(&mut self, _now: Instant, datagram: Datagram<'_>) {
        if self.heard.len() < HEARD {
            self.heard.push_back(Heard::Datagram(datagram.path, datagram.payload.to_vec()));
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some((at, every)) = self.tick.as_mut().filter(|(at, _)| *at <= now) {
            *at = now + *every;
            self.ticks += 1;
            if self.heard.len() < HEARD {
                self.heard.push_back(Heard::Tick);
            }
        }
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, payload) = self.out.pop_front()?;
        buf.extend_from_slice(&payload);
        Some(Transmit { path, len: payload.len() })
    }

    fn poll_event(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.tick.map(|(at, _)| at)
    }
}

impl Hosted for Guest {
    fn poll_want(&mut self) -> Option<Want> {
        self.wants.pop_front()
    }

    fn handle_answer(&mut self, _now: Instant, answer: Answer) {
        self.heard.push_back(Heard::Answer(answer));
    }

    fn handle_interfaces(&mut self, _now: Instant, interfaces: &[Interface]) {
        self.heard.push_back(Heard::Interfaces(interfaces.to_vec()));
    }
}

/// A running [`Guest`] that has been told of its interfaces.
pub(crate) struct Lodger {
    pub(crate) running: Running<Guest>,
    pub(crate) interfaces: Vec<Interface>,
    wants: u64,
}

impl Lodger {
    pub(crate) async fn new(options: Options) -> Self {
        let running = host::spawn(Guest::default(), options).unwrap();
        let mut lodger = Self { running, interfaces: Vec::new(), wants: 0 };
        match lodger.hears().await {
            Heard::Interfaces(interfaces) => lodger.interfaces = interfaces,
            other => panic!("{other:?}"),
        }
        lodger
    }

    pub(crate) async fn hears(&mut self) -> Heard {
        timeout(SOON, self.running.events.recv()).await.unwrap().unwrap()
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        match self.hears().await {
            Heard::Answer(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// Asserts that nothing is heard for a while.
    pub(crate) async fn hears_nothing(&mut self) {
        let heard = timeout(Duration::from_millis(100), self.running.events.recv()).await;
        assert!(heard.is_err(), "{heard:?}");
    }

    pub(crate) async fn wants(&mut self, want: impl FnOnce(WantId) -> Want) -> WantId {
        self.wants += 1;
        let id = WantId(self.wants);
        self.tell(want(id)).await;
        id
    }

    pub(crate) async fn tell(&self, want: Want) {
        self.running.handle.call(|guest, _| guest.wants.push_back(want)).await.unwrap();
    }

    /// Wants something, and gets it.
    pub(crate) async fn gets(&mut self, want: impl FnOnce(WantId) -> Want) -> Answer {
        let id = self.wants(want).await;
        let answer = self.answer().await;
        match &answer {
            Answer::Bound { id: of, .. }
            | Answer::Connected { id: of, .. }
            | Answer::Resolved { id: of, .. }
            | Answer::Failed { id: of, .. } => assert_eq!(*of, id),
            _ => {}
        }
        answer
    }

    pub(crate) async fn is_bound(
        &mut self,
        want: impl FnOnce(WantId) -> Want,
    ) -> (WantId, SocketAddr) {
        match self.gets(want).await {
            Answer::Bound { id, local } => (id, local),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn fails(&mut self, want: impl FnOnce(WantId) -> Want) -> WantError {
        match self.gets(want).await {
            Answer::Failed { error, .. } => error,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn says(&self, path: Path, payload: &[u8]) {
        let payload = payload.to_vec();
        let out = move |guest: &mut Guest, _| guest.out.push_back((path, payload));
        self.running.handle.call(out).await.unwrap();
    }
}
