//! One connection: what is typed goes to the agent, what the agent says is shown, and what the two sides
//! have to tell each other goes over the server or by hand.
//!
//! ICE itself knows no end. A datagram of the character EOT and the number of those before it says that a side has
//! no more to send; it is repeated until the other side has said it too, so that what goes through pipes ends by
//! itself, and each side knows what was lost. With two EOT it says that a side goes, whatever the other has left to
//! say. [`mod@renewal`] is what a change of network needs.

mod renewal;

use std::future::pending;
use std::time::Duration;

use talkie_net::driver::Running;
use talkie_net::host;
use talkie_signaling::pair::{Link, MeetError};
use talkie_traversal::ice::gather::Policy;
use talkie_traversal::ice::{
    Agent, CandidateType, Config, ConnectionState, Event, GatheringState, Pair, SendError,
};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep};

use self::renewal::Generation;
use super::attributes::{Block, Heard, Roles, Taken, hear, introduction, named};
use super::board::{Board, Told};
use super::farewell::Farewell;
use super::lines::{LONGEST, Typed, Typing};
use super::meet::{IceError, Message};
use super::tally::Tally;
use super::view::{News, View};
use super::{BROKEN, UNCONNECTED};
use crate::signals::{Signal, Signals};

/// Between two looks at the pairs.
const TICK: Duration = Duration::from_millis(250);
/// Until a full queue has room again.
const FULL: Duration = Duration::from_millis(5);
/// Lines that are read at once, and how long the next have to wait, so that a file does not overrun the other
/// side: some 2,000 a second, as timers go. A receiver that stands still for a fifth of a second loses nothing.
const BURST: u32 = 4;
const PAUSE: Duration = Duration::from_millis(1);
/// How long a queue may stay full.
const STUCK: Duration = Duration::from_secs(2);
/// What is said where this side has no address for the other one.
const NO_RELAY: &str = "no relay has given an address, and --relay-only forbids all others: the other side cannot \
                        reach this one; check --turn, --user and the password";
const NO_INTERFACE: &str = "no network interface of this machine has an address: the other side cannot reach it; \
                            connect to a network, and it will be used";
/// What is said of a line that was pasted and is none of a block.
const NO_LINE: &str =
    "this is no line of a block: they begin with `a=`, and the last is `a=end-of-candidates`";
/// How long what was sent last is given to arrive, and a relay to be given back.
const FAREWELL: Duration = Duration::from_millis(300);

/// What a session begins with.
pub(super) struct Start<'a> {
    pub(super) config: Config,
    pub(super) options: host::Options,
    /// The way over the server, if there is one.
    pub(super) link: Option<Link<'a>>,
    pub(super) roles: Roles,
    /// Whether to send everything back.
    pub(super) echo: bool,
    pub(super) typing: Typing,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// There was a connection, and one of the sides ended it.
    Done,
    /// It was ended from here before there was a connection.
    Early,
    /// No pair works.
    Unconnected,
    /// The connection broke.
    Broken,
    /// By a signal.
    Signal(Signal),
}

impl End {
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Early => crate::commands::FAILURE,
            Self::Unconnected => UNCONNECTED,
            Self::Broken => BROKEN,
            Self::Signal(signal) => signal.exit_code(),
        }
    }

    /// What is to be said of it beside what was shown.
    pub(super) fn words(self) -> Option<&'static str> {
        match self {
            Self::Done | Self::Signal(_) => None,
            Self::Early => Some("ended before there was a connection"),
            Self::Unconnected => Some(
                "no connection: no pair of addresses works; `talkie doctor --pair` looks into why",
            ),
            Self::Broken => Some("the connection broke: the other side does not answer any more"),
        }
    }
}

/// See the module's documentation.
pub(super) struct Session<'a> {
    agent: Running<Agent>,
    view: &'a mut dyn View,
    link: Option<Link<'a>>,
    roles: Roles,
    echo: bool,
    typing: Typing,
    /// The other side's block as far as it has come, where it is to be pasted.
    paste: Option<Block>,
    /// Lines that the other side has not been told.
    untold: Vec<String>,
    /// The credentials that it has been told, or will be with these.
    introduced: Vec<String>,
    wants_renewal: bool,
    renewed_at: Option<Instant>,
    /// Lines since the last pause.
    burst: u32,
    /// Since when there is no connection any more.
    gone_since: Option<Instant>,
    /// Whether it was said what a block looks like.
    told_of_blocks: bool,
    told: Told,
    board: Board,
    tally: Tally,
    state: ConnectionState,
    pair: Option<Pair>,
    /// Since when the other side is known.
    met_at: Option<Instant>,
    is_gathered: bool,
    has_candidate: bool,
    /// What is said if there is none.
    no_candidate: &'static str,
    has_relay: bool,
    was_connected: bool,
    input_ended: bool,
    theirs_ended: bool,
    is_leaving: bool,
}

/// What happens next.
enum Step {
    Agent(Option<Event>),
    Link(Result<Message, MeetError>),
    Typed(Option<Typed>),
    Tick,
    Signal(Signal),
}

impl<'a> Session<'a> {
    /// Starts to gather.
    pub(super) async fn begin(start: Start<'a>, view: &'a mut dyn View) -> Result<Self, IceError> {
        let no_candidate = match start.config.gather.policy {
            Policy::Relay => NO_RELAY,
            Policy::All => NO_INTERFACE,
        };
        let agent = Agent::new(&talkie_net::genesis()?, start.config);
        let agent = host::spawn(agent, start.options)?;
        let parameters = agent.handle.call(|agent, now| {
            agent.gather(now);
            agent.local_parameters().clone()
        });
        let introduced = introduction(&parameters.await.map_err(|_| IceError::Ended)?);
        Ok(Self {
            agent,
            view,
            paste: start.link.is_none().then(Block::default),
            link: start.link,
            roles: start.roles,
            echo: start.echo,
            typing: start.typing,
            untold: introduced.clone(),
            introduced,
            wants_renewal: false,
            renewed_at: None,
            burst: 0,
            gone_since: None,
            told_of_blocks: false,
            told: Told::default(),
            board: Board::default(),
            tally: Tally::default(),
            state: ConnectionState::New,
            pair: None,
            met_at: None,
            is_gathered: false,
            has_candidate: false,
            no_candidate,
            has_relay: false,
            was_connected: false,
            input_ended: false,
            theirs_ended: false,
            is_leaving: false,
        })
    }

    /// Goes on until one side ends it.
    pub(super) async fn run(mut self, signals: &mut Signals) -> Result<End, IceError> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let ended = loop {
            self.tell().await;
            let step = self.step(signals, &mut ticks).await;
            match self.take(step).await {
                Ok(None) => {}
                Ok(Some(end)) => break Ok(end),
                Err(error) => break Err(error),
            }
        };
        if let (Ok(End::Unconnected), Some(link)) = (&ended, &mut self.link) {
            // Who is not told sees it a moment later.
            let _ = link.send(&Message::Unconnected).await;
        }
        self.finish().await;
        ended
    }

    async fn step(&mut self, signals: &mut Signals, ticks: &mut Interval) -> Step {
        let is_heard = self.takes_input();
        if !self.input_ended
            && let Some(typed) = self.typing.entered(is_heard)
        {
            return Step::Typed(Some(typed));
        }
        let takes_input = self.takes_input() || self.view.takes_keys() && !self.input_ended;
        tokio::select! {
            event = self.agent.events.recv() => Step::Agent(event),
            message = receive(&mut self.link) => Step::Link(message),
            typed = self.typing.next(), if takes_input => Step::Typed(typed),
            _ = ticks.tick() => Step::Tick,
            signal = signals.next() => Step::Signal(signal),
        }
    }

    async fn take(&mut self, step: Step) -> Result<Option<End>, IceError> {
        match step {
            Step::Agent(Some(event)) => return Ok(self.take_event(event).await),
            Step::Agent(None) => return Err(IceError::Ended),
            Step::Link(Ok(Message::Attributes { lines })) => self.hear(lines).await?,
            Step::Link(Ok(Message::Unconnected)) if !self.was_connected => {
                return Ok(Some(End::Unconnected));
            }
            Step::Link(Ok(_)) => {}
            Step::Link(Err(error)) => return self.take_loss(error),
            Step::Typed(Some(Typed::Keys(keys))) => self.typing.take(&keys, self.view),
            Step::Typed(Some(Typed::Line(line))) if self.paste.is_some() => {
                self.paste(&line).await?
            }
            // A datagram of nothing is none to most.
            Step::Typed(Some(Typed::Line(line))) if line.is_empty() => {
                self.send(b"\n".to_vec(), true).await;
            }
            Step::Typed(Some(Typed::Line(line))) => {
                self.send(line, true).await;
                self.burst = (self.burst + 1) % BURST;
                if self.burst == 0 {
                    sleep(PAUSE).await;
                }
            }
            Step::Typed(Some(Typed::TooLong(bytes))) => {
                let why = format!("a line of {bytes} bytes; a datagram takes {LONGEST}");
                self.view.show(News::Unsent { why: &why });
            }
            Step::Typed(Some(Typed::End) | None) => return self.end_input(),
            Step::Tick if self.view.is_unread() => return Ok(Some(self.left_early())),
            Step::Tick => {
                self.look().await?;
                self.renew().await?;
                if let Some(end) = self.judge_gap() {
                    return Ok(Some(end));
                }
                if self.has_no_more() && self.can_send() {
                    self.say_no_more().await;
                    return Ok(self.theirs_ended.then_some(End::Done));
                }
            }
            Step::Signal(signal) => return Ok(Some(End::Signal(signal))),
        }
        Ok(None)
    }

    fn end_input(&mut self) -> Result<Option<End>, IceError> {
        self.input_ended = true;
        match &self.paste {
            Some(block) if block.is_empty() => return Err(IceError::NoBlock),
            Some(_) => return Err(IceError::HalfBlock),
            None => {}
        }
        Ok(self.view.is_console().then_some(self.left_early()))
    }

    /// What it is to end it from here.
    fn left_early(&self) -> End {
        if self.was_connected { End::Done } else { End::Early }
    }

    async fn take_event(&mut self, event: Event) -> Option<End> {
        match event {
            Event::Candidate(candidate) => {
                self.has_candidate = true;
                self.has_relay |= candidate.kind == CandidateType::Relayed;
                if !self.is_current(candidate.username_fragment.as_deref()) {
                    return None;
                }
                self.view.show(News::Candidate { is_ours: true, candidate: &candidate });
                // Who was told that there are no more takes none, unless all begins anew.
                if self.is_gathered {
                    self.wish_renewal();
                } else {
                    self.untold.push(format!("a={candidate}"));
                }
            }
            Event::CandidateError(problem) => self.view.show(News::Problem(&problem)),
            Event::Unguessed { base, why } => self.view.show(News::Unguessed { base, why }),
            Event::Unresolved { name, why } => {
                self.view.show(News::Useless(&format!("{name}: {why}")));
            }
            Event::GatheringState(state) => {
                self.view.show(News::Gathering(state));
                self.is_gathered &= state == GatheringState::Complete;
                if state == GatheringState::Complete && !self.is_gathered {
                    if !self.has_candidate {
                        self.view.show(News::Stranded { why: self.no_candidate });
                    }
                    self.is_gathered = true;
                    self.untold.push("a=end-of-candidates".to_owned());
                }
            }
            Event::ConnectionState(state) => {
                self.state = state;
                self.view.show(News::State(state));
                return self.judge(state);
            }
            Event::Selected(pair) => {
                let after = self.met_at.map_or(Duration::ZERO, |at| at.elapsed());
                let is_new = self.pair.as_ref().is_none_or(|known| known.id != pair.id);
                self.view.show(News::Selected { pair: &pair, after, is_new });
                self.pair = Some(*pair);
            }
            Event::Data(payload) => return self.take_data(payload).await,
            Event::Story(story) => {
                self.told.hear(&story);
                self.view.show(News::Story(&story));
            }
            _ => {}
        }
        None
    }

    /// What a state means for the session.
    fn judge(&mut self, state: ConnectionState) -> Option<End> {
        match state {
            ConnectionState::Connected | ConnectionState::Completed => {
                self.was_connected = true;
                self.gone_since = None;
                None
            }
            // It said that it would say no more, and there is nobody to tell that it has gone.
            ConnectionState::Disconnected if self.theirs_ended && self.link.is_none() => {
                self.view.show(News::Left);
                Some(End::Done)
            }
            ConnectionState::Disconnected => {
                self.gone_since.get_or_insert_with(Instant::now);
                self.wish_renewal();
                None
            }
            ConnectionState::Failed if self.theirs_ended => Some(End::Done),
            ConnectionState::Failed if self.was_connected => Some(End::Broken),
            ConnectionState::Failed => Some(End::Unconnected),
            _ => None,
        }
    }

    async fn take_data(&mut self, payload: Vec<u8>) -> Option<End> {
        if let Some(farewell) = Farewell::read(&payload) {
            self.tally.told(farewell.sent);
            let news = if farewell.is_goodbye { News::Left } else { News::Finished };
            if !self.is_leaving && (farewell.is_goodbye || !self.theirs_ended) {
                self.view.show(news);
            }
            self.theirs_ended = true;
            return farewell.is_goodbye.then_some(End::Done);
        }
        let there_and_back = self.tally.received(Instant::now().into_std(), &payload);
        let selected = self.board.rows.first().filter(|row| row.is_selected);
        let path = selected.and_then(|row| row.round_trip);
        self.view.show(News::Received { payload: &payload, there_and_back, path });
        // What comes back is not sent back again: two that both answer would never end.
        if self.echo && there_and_back.is_none() {
            self.send(payload, false).await;
        }
        None
    }

    /// There is nothing more to come over the server.
    fn take_loss(&mut self, error: MeetError) -> Result<Option<End>, IceError> {
        self.link = None;
        match error {
            MeetError::Gone { lost: true } if self.gone_since.is_some() => Ok(Some(End::Broken)),
            MeetError::Gone { lost: false } if self.was_connected => {
                self.view.show(News::Left);
                Ok(Some(End::Done))
            }
            error if self.met_at.is_some() && !matches!(error, MeetError::Gone { lost: false }) => {
                self.view.show(News::Unsignaled { why: &error.to_string() });
                Ok(None)
            }
            error => Err(error.into()),
        }
    }

    /// Tells the other side what it has not been told.
    async fn tell(&mut self) {
        if self.untold.is_empty() {
            return;
        }
        match &mut self.link {
            // It is said when the server takes something again.
            Some(link) if !link.has_room() => {}
            Some(link) => {
                let lines = named(std::mem::take(&mut self.untold), &self.introduced);
                // Why there is no way any more, its receiving end tells.
                let _ = link.send(&Message::Attributes { lines }).await;
            }
            None if self.paste.is_some() && self.is_gathered => {
                let lines = std::mem::take(&mut self.untold);
                self.view.show(News::Block(&lines));
                self.view.show(News::Paste);
            }
            None => {}
        }
    }

    /// Hands the other side's lines to the agent.
    async fn hear(&mut self, lines: Vec<String>) -> Result<(), IceError> {
        let roles = self.roles;
        let heard = self.agent.handle.call(move |agent, now| {
            Generation::after(agent, |agent| hear(agent, now, &lines, roles))
        });
        let (heard, generation) = heard.await.map_err(|_| IceError::Ended)?;
        if self.follow(generation) {
            self.wants_renewal = false;
            self.renewed_at = Some(Instant::now());
            self.view.show(News::Renewed { is_ours: false });
        }
        for heard in heard {
            match heard {
                Heard::Parameters => {
                    self.met_at.get_or_insert_with(Instant::now);
                }
                Heard::Candidate(candidate) => {
                    self.view.show(News::Candidate { is_ours: false, candidate: &candidate });
                }
                Heard::Useless(why) => self.view.show(News::Useless(&why)),
                Heard::End => {}
            }
        }
        Ok(())
    }

    /// Takes a line of the other side's block.
    async fn paste(&mut self, line: &[u8]) -> Result<(), IceError> {
        let Some(block) = &mut self.paste else { return Ok(()) };
        let lines = match block.take(line) {
            Taken::All(lines) => lines,
            Taken::Part => return Ok(()),
            Taken::Nothing if self.told_of_blocks => return Ok(()),
            Taken::Nothing => {
                // A letter may have many such lines.
                self.told_of_blocks = true;
                self.view.show(News::Useless(NO_LINE));
                return Ok(());
            }
        };
        if lines.first() == self.introduced.first() {
            self.view.show(News::Useless("this is this side's own block"));
        } else {
            self.hear(lines).await?;
        }
        if self.met_at.is_some() {
            self.paste = None;
        } else {
            self.view.show(News::Paste);
        }
        Ok(())
    }

    /// Sends a datagram. If `returns`, the other side may send it back.
    async fn send(&mut self, payload: Vec<u8>, returns: bool) {
        let deadline = Instant::now() + STUCK;
        let sent = loop {
            match self.send_once(payload.clone()).await {
                Err(SendError::Full) if Instant::now() < deadline => sleep(FULL).await,
                sent => break sent,
            }
        };
        match sent {
            Ok(()) => {
                self.view.show(News::Sent { payload: &payload });
                self.tally.sent(Instant::now().into_std(), payload, returns);
            }
            Err(error) => self.view.show(News::Unsent { why: &error.to_string() }),
        }
    }

    async fn send_once(&self, payload: Vec<u8>) -> Result<(), SendError> {
        let sent = self.agent.handle.call(move |agent, now| agent.send(now, &payload)).await;
        sent.unwrap_or(Err(SendError::NotConnected))
    }

    async fn say_no_more(&self) {
        // It is said again, and if nothing arrives the other side notices.
        let _ =
            self.send_once(Farewell { is_goodbye: false, sent: self.tally.count() }.write()).await;
    }

    /// Looks at the pairs.
    async fn look(&mut self) -> Result<(), IceError> {
        let stats = self.agent.handle.call(|agent, _| agent.stats()).await;
        self.board = self.told.board(&stats.map_err(|_| IceError::Ended)?);
        self.view.board(&self.board);
        Ok(())
    }

    fn can_send(&self) -> bool {
        use ConnectionState::{Completed, Connected, Disconnected};
        self.pair.is_some() && matches!(self.state, Connected | Completed | Disconnected)
    }

    /// What is typed before there is somebody to hear it, waits.
    fn takes_input(&self) -> bool {
        let is_wanted = if self.paste.is_some() { self.is_gathered } else { self.can_send() };
        is_wanted && !self.input_ended
    }

    /// Whether nothing will be sent from here; who answers, answers as long as something comes.
    fn has_no_more(&self) -> bool {
        self.input_ended && (!self.echo || self.theirs_ended)
    }

    /// Says goodbye, and what came of it.
    async fn finish(mut self) {
        self.is_leaving = true;
        self.typing.leave(self.view);
        // Also where the state that goes with the pair has not been heard yet.
        if self.pair.is_some() {
            // Twice, as it is not repeated when it is lost; who hears neither notices after a while.
            for pause in [FAREWELL / 3, Duration::ZERO] {
                let farewell = Farewell { is_goodbye: true, sent: self.tally.count() };
                let _ = self.send_once(farewell.write()).await;
                sleep(pause).await;
            }
        }
        // What is there already shall be seen.
        while let Ok(event) = self.agent.events.try_recv() {
            if let Event::Data(payload) = event {
                let _ = self.take_data(payload).await;
            }
        }
        // An agent that has ended has no statistics; what was seen last stands.
        let _ = self.look().await;
        if self.was_connected || !self.board.rows.is_empty() {
            let summary = self.tally.summary(self.pair.take(), std::mem::take(&mut self.board));
            self.view.show(News::Over(&summary));
        }
        let closed = self.agent.handle.call(Agent::close).await;
        if closed.is_ok() && self.has_relay {
            sleep(FAREWELL).await;
        }
    }
}

/// The next message of the other side; never, if there is no way over a server.
async fn receive(link: &mut Option<Link<'_>>) -> Result<Message, MeetError> {
    match link {
        Some(link) => link.receive().await,
        None => pending().await,
    }
}
