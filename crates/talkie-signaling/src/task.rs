//! The task of a session: moves frames between its machine and a socket, and finds another socket
//! when one is lost.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::error::{ConnectError, End, Refusal};
use crate::event::Event;
use crate::message::{Request, Welcome};
use crate::session::{Answer, Broken, Session};
use crate::socket::{Connector, Socket};
use crate::tls::{Fingerprint, Tls};

/// A socket that takes nothing for so long is lost.
const WRITE_STALL: Duration = Duration::from_secs(10);
/// What a goodbye and the close behind it may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// The pause before the second attempt at another socket, doubled for each that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// What the application asks for.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) request: Request,
    /// Who waits for the answer.
    pub(crate) reply: Option<oneshot::Sender<Result<Answer, Refusal>>>,
}

/// A session that is open, and its socket.
pub(crate) struct Opened {
    pub(crate) welcome: Welcome,
    pub(crate) server: SocketAddr,
    connector: Connector,
    session: Session,
    socket: Socket,
}

/// Opens a socket and a session on it.
pub(crate) async fn open(connector: Connector) -> Result<Opened, ConnectError> {
    let (mut socket, server) = connector.open().await?;
    let mut session = Session::new();
    let greeted = timeout(connector.timeout, greet(&mut session, &mut socket)).await;
    let welcome = match greeted {
        Ok(Ok(())) => session.welcome().cloned().ok_or_else(|| connector.too_late())?,
        Ok(Err(Broken::Socket(why))) => return Err(ConnectError::Socket(why)),
        Ok(Err(Broken::Session(End::Refused(refusal)))) => {
            return Err(ConnectError::Refused(refusal));
        }
        Ok(Err(Broken::Session(end))) => return Err(ConnectError::Protocol(end.to_string())),
        Err(_) => return Err(connector.too_late()),
    };
    Ok(Opened { welcome, server, connector, session, socket })
}

/// Says hello and waits for the welcome.
async fn greet(session: &mut Session, socket: &mut Socket) -> Result<(), Broken> {
    session.handle_connected();
    flush(session, socket).await?;
    while session.welcome().is_none() {
        let message = socket.next().await;
        take(session, message)?;
    }
    Ok(())
}

/// Sends what the session has to send.
async fn flush(session: &mut Session, socket: &mut Socket) -> Result<(), Broken> {
    while let Some(text) = session.poll_frame(Instant::now()) {
        match timeout(WRITE_STALL, socket.send(Message::text(text))).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Broken::Socket(error.to_string())),
            Err(_) => return Err(Broken::Socket("the server takes nothing more".to_owned())),
        }
    }
    Ok(())
}

type Received = Option<Result<Message, tokio_tungstenite::tungstenite::Error>>;

fn take(session: &mut Session, message: Received) -> Result<(), Broken> {
    use tokio_tungstenite::tungstenite::Error;
    match message {
        Some(Ok(Message::Text(text))) => session.handle_text(Instant::now(), &text),
        Some(Ok(Message::Binary(_))) => {
            Err(Broken::Session(End::Protocol("a binary frame".to_owned())))
        }
        Some(Ok(Message::Close(frame))) => {
            let why = frame.map(|frame| format!("closed by the server ({})", frame.code));
            Err(Broken::Socket(why.unwrap_or_else(|| "closed by the server".to_owned())))
        }
        // Pings are answered by the library.
        Some(Ok(_)) => Ok(()),
        Some(Err(error @ (Error::Capacity(_) | Error::Utf8(_) | Error::Protocol(_)))) => {
            // A socket that breaks in the middle of a frame ends as a protocol error, too.
            match error {
                Error::Protocol(_) => Err(Broken::Socket(error.to_string())),
                _ => Err(Broken::Session(End::Protocol(error.to_string()))),
            }
        }
        Some(Err(error)) => Err(Broken::Socket(error.to_string())),
        None => Err(Broken::Socket("closed by the server".to_owned())),
    }
}

/// Why the task stops moving frames.
enum Pause {
    Broken(Broken),
    /// The application is done with it.
    Stopped,
}

/// What the task has beside session and socket.
struct Ends {
    asks: mpsc::Receiver<Ask>,
    events: mpsc::Sender<Event>,
    stop: oneshot::Receiver<()>,
    doubt: Arc<Notify>,
    replies: BTreeMap<u64, oneshot::Sender<Result<Answer, Refusal>>>,
}

impl Opened {
    /// What the server showed on this socket.
    pub(crate) fn certificate(&self) -> Option<Fingerprint> {
        self.connector.tls.as_ref().and_then(Tls::met)
    }

    /// Runs until the session ends or the application drops its end.
    pub(crate) async fn run(
        self,
        asks: mpsc::Receiver<Ask>,
        events: mpsc::Sender<Event>,
        (stop, doubt): (oneshot::Receiver<()>, Arc<Notify>),
    ) {
        let Self { connector, mut session, mut socket, .. } = self;
        let mut ends = Ends { asks, events, stop, doubt, replies: BTreeMap::new() };
        let end = loop {
            match ends.serve(&mut session, &mut socket).await {
                Pause::Stopped => {
                    goodbye(&mut session, &mut socket, &mut ends.asks).await;
                    return;
                }
                Pause::Broken(Broken::Session(end)) => {
                    let _ = timeout(GOODBYE, socket.close(None)).await;
                    break end;
                }
                Pause::Broken(Broken::Socket(why)) => {
                    tracing::debug!(%why, "signaling socket lost");
                    session.handle_disconnected();
                    match ends.reopen(&connector, &mut session, why).await {
                        Ok(again) => socket = again,
                        Err(Pause::Broken(Broken::Session(end))) => break end,
                        Err(_) => return,
                    }
                }
            }
        };
        ends.replies.clear();
        while let Some(event) = session.poll_event() {
            ends.deliver(event).await;
        }
        ends.deliver(Event::Ended(end)).await;
    }
}

impl Ends {
    /// Moves frames, requests and events until the socket, the session or the application ends.
    async fn serve(&mut self, session: &mut Session, socket: &mut Socket) -> Pause {
        loop {
            if let Err(broken) = flush(session, socket).await {
                return Pause::Broken(broken);
            }
            self.answer(session);
            let now = Instant::now();
            let wake = session.poll_timeout(now).unwrap_or(now + Duration::from_secs(1));
            let step = tokio::select! {
                _ = &mut self.stop => return Pause::Stopped,
                Ok(permit) = self.events.reserve(), if session.has_event() => {
                    if let Some(event) = session.poll_event() {
                        permit.send(event);
                    }
                    Ok(())
                }
                message = socket.next(), if session.has_room() => take(session, message),
                Some(ask) = self.asks.recv(), if session.takes_requests() => {
                    if let (Some(seq), Some(reply)) =
                        (session.handle_request(&ask.request), ask.reply)
                    {
                        self.replies.insert(seq, reply);
                    }
                    Ok(())
                }
                () = self.doubt.notified() => {
                    session.handle_doubt(Instant::now());
                    Ok(())
                }
                () = sleep_until(wake.into()) => session.handle_timeout(Instant::now()),
            };
            if let Err(broken) = step {
                self.answer(session);
                return Pause::Broken(broken);
            }
        }
    }

    fn answer(&mut self, session: &mut Session) {
        while let Some((seq, answer)) = session.poll_answer() {
            if let Some(reply) = self.replies.remove(&seq) {
                // Who asked may have lost patience.
                let _ = reply.send(answer);
            }
        }
    }

    async fn deliver(&mut self, event: Event) {
        tokio::select! {
            _ = &mut self.stop => {}
            _ = self.events.send(event) => {}
        }
    }

    /// Another socket on which the session goes on, or a new session instead of it.
    async fn reopen(
        &mut self,
        connector: &Connector,
        session: &mut Session,
        why: String,
    ) -> Result<Socket, Pause> {
        let deadline = Instant::now() + session.resume_within();
        let mut pause = FIRST_PAUSE;
        let mut why = why;
        loop {
            // Not the same for all: a server that comes back is not to be met by everybody at once.
            self.rest(session, pause.mul_f64(random_part())).await?;
            let attempted = tokio::select! {
                _ = &mut self.stop => return Err(Pause::Stopped),
                attempted = attempt(connector, session) => attempted,
            };
            match attempted {
                Ok(socket) => {
                    if session.has_restarted() {
                        // What they wait for was asked of the session that is no more.
                        self.replies.clear();
                    }
                    return Ok(socket);
                }
                Err(Broken::Session(end)) => return Err(Pause::Broken(Broken::Session(end))),
                Err(Broken::Socket(reason)) => why = format!("{reason} (before that: {why})"),
            }
            why.truncate(why.floor_char_boundary(300));
            session.handle_disconnected();
            if Instant::now() > deadline {
                return Err(Pause::Broken(Broken::Session(End::Lost(why))));
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits, and hands on what has happened meanwhile.
    async fn rest(&mut self, session: &mut Session, pause: Duration) -> Result<(), Pause> {
        let end = Instant::now() + pause;
        loop {
            tokio::select! {
                _ = &mut self.stop => return Err(Pause::Stopped),
                () = sleep_until(end.into()) => return Ok(()),
                Ok(permit) = self.events.reserve(), if session.has_event() => {
                    if let Some(event) = session.poll_event() {
                        permit.send(event);
                    }
                }
            }
        }
    }
}

async fn attempt(connector: &Connector, session: &mut Session) -> Result<Socket, Broken> {
    let mut socket = match connector.open().await {
        Ok((socket, _)) => socket,
        Err(error @ (ConnectError::Untrusted { .. } | ConnectError::Trust(_))) => {
            // Somebody else answers there: that does not get better by asking again.
            return Err(Broken::Session(End::Lost(error.to_string())));
        }
        Err(error) => return Err(Broken::Socket(error.to_string())),
    };
    match timeout(connector.timeout, greet(session, &mut socket)).await {
        Ok(greeted) => greeted.map(|()| socket),
        Err(_) => Err(Broken::Socket(connector.too_late().to_string())),
    }
}

/// From a half to one.
fn random_part() -> f64 {
    let mut byte = [0];
    // Without randomness everybody waits equally long, which is no failure.
    let _ = rand::fill(&mut byte);
    0.5 + f64::from(byte[0]) / 512.0
}

/// What was asked before it goes out first, then `bye`, and the server closes.
async fn goodbye(session: &mut Session, socket: &mut Socket, asks: &mut mpsc::Receiver<Ask>) {
    asks.close();
    while session.takes_requests()
        && let Ok(ask) = asks.try_recv()
    {
        session.handle_request(&ask.request);
    }
    session.handle_request(&Request::Bye);
    let said = async {
        flush(session, socket).await.ok()?;
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                break;
            }
        }
        socket.close(None).await.ok()
    };
    let _ = timeout(GOODBYE, said).await;
}
