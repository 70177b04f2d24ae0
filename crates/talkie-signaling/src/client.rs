//! The application's end of a session. The other end is a task.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::to_raw_value;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

use crate::error::{ConnectError, RequestError, SignalError};
use crate::event::Event;
use crate::message::{Glimpse, Join, Joined, PeerId, Request, Welcome};
use crate::session::Answer;
use crate::socket::Connector;
use crate::task::{self, Ask};
use crate::tls::{Fingerprint, Tls, Trust};
use crate::url::ServerUrl;

/// Requests on their way to the task; beyond it who asks waits.
const REQUESTS: usize = 16;
/// Events on their way to the application; the session keeps more behind it, and counts their bytes.
const EVENTS: usize = 1;
/// What a `signal` costs beside its payload: its other fields.
const ENVELOPE: usize = 256;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// How to connect.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Whom to take for the server.
    pub trust: Trust,
    /// How long opening a session and answering a request may take: 10 s, in which TCP has sent its
    /// first segment four times.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { trust: Trust::System, timeout: Duration::from_secs(10) }
    }
}

impl Options {
    /// The same with another trust.
    #[must_use]
    pub fn with_trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// The same with another patience.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

/// What became of a wish to enter a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// This client is in.
    Joined(Joined),
    /// The room is locked. [`Event::Joined`] or [`Event::Refused`] follows when somebody decides.
    Knocking,
}

/// A session on a server. Dropping it says goodbye.
#[derive(Debug)]
pub struct Client {
    asks: mpsc::Sender<Ask>,
    events: mpsc::Receiver<Event>,
    /// Notified when the network has changed.
    doubt: Arc<Notify>,
    /// Dropped to end the task.
    stop: Option<oneshot::Sender<()>>,
    message_bytes: usize,
    patience: Duration,
    server: SocketAddr,
    certificate: Option<Fingerprint>,
}

impl Client {
    /// Opens a session.
    ///
    /// # Errors
    /// If there is no way to the server, it is not to be trusted, or it refuses.
    pub async fn connect(
        url: &ServerUrl,
        options: Options,
    ) -> Result<(Self, Welcome), ConnectError> {
        let tls = match url.is_secure() {
            // RFC 7301 and what a WebSocket over HTTP/1.1 needs (RFC 6455 §4.1).
            true => Some(Tls::new(&options.trust, &["http/1.1"])?),
            false => None,
        };
        let connector = Connector { url: url.clone(), tls, timeout: options.timeout };
        let opened = task::open(connector).await?;
        let welcome = opened.welcome.clone();
        let (asks, asked) = mpsc::channel(REQUESTS);
        let (happened, events) = mpsc::channel(EVENTS);
        let (stop, stopped) = oneshot::channel();
        let doubt = Arc::new(Notify::new());
        let client = Self {
            asks,
            events,
            doubt: Arc::clone(&doubt),
            stop: Some(stop),
            message_bytes: welcome.limits.message_bytes,
            patience: options.timeout,
            server: opened.server,
            certificate: opened.certificate(),
        };
        tokio::spawn(opened.run(asked, happened, (stopped, doubt)));
        Ok((client, welcome))
    }

    /// The address by which the server was reached.
    #[must_use]
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// The certificate that the server showed; none without TLS.
    #[must_use]
    pub fn certificate(&self) -> Option<Fingerprint> {
        self.certificate
    }

    /// What happens next; nothing after [`Event::Ended`]. May be dropped at any time without loss.
    pub async fn event(&mut self) -> Option<Event> {
        let event = self.events.recv().await?;
        if let Event::Restarted(welcome) = &event {
            self.message_bytes = welcome.limits.message_bytes;
        }
        Some(event)
    }

    /// Enters a room, or knocks at it.
    ///
    /// # Errors
    /// If the server refuses, or does not answer.
    pub async fn join(&self, join: Join) -> Result<Entry, RequestError> {
        match self.ask(Request::Join(join)).await? {
            Answer::Joined(joined) => Ok(Entry::Joined(joined)),
            Answer::Knocking => Ok(Entry::Knocking),
            Answer::Peeked(_) | Answer::Left => Err(RequestError::Lost),
        }
    }

    /// Looks at a room from outside, with the check of the key that it should have.
    ///
    /// # Errors
    /// If the server refuses, or does not answer.
    pub async fn peek(&self, room: &str, check: Option<&str>) -> Result<Glimpse, RequestError> {
        let (room, check) = (room.to_owned(), check.map(str::to_owned));
        match self.ask(Request::Peek { room, check }).await? {
            Answer::Peeked(glimpse) => Ok(glimpse),
            _ => Err(RequestError::Lost),
        }
    }

    /// Leaves the room, or stops knocking.
    ///
    /// # Errors
    /// If the server refuses, or does not answer.
    pub async fn leave(&self) -> Result<(), RequestError> {
        self.ask(Request::Leave).await.map(drop)
    }

    /// Says something to a peer of the room. It is delivered once and in order, also over a lost
    /// socket, unless the session restarts. Waits while the server takes no more.
    ///
    /// # Errors
    /// If it is too long, or the session has ended.
    pub async fn signal(&self, to: &PeerId, payload: &impl Serialize) -> Result<(), SignalError> {
        let payload =
            to_raw_value(payload).map_err(|error| SignalError::Json(error.to_string()))?;
        let bytes = payload.get().len() + ENVELOPE;
        if bytes > self.message_bytes {
            return Err(SignalError::TooBig { bytes, limit: self.message_bytes });
        }
        let request = Request::Signal { to: to.clone(), payload };
        self.tell(request).await.map_err(|()| SignalError::Ended)
    }

    /// Whether [`signal()`](Self::signal) would not wait.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.asks.capacity() > 0
    }

    /// The network has changed: the server is asked at once whether the socket still works, which would be found
    /// out only after two heartbeats.
    pub fn doubt(&self) {
        self.doubt.notify_one();
    }

    /// Locks or unlocks the room; [`Event::RoomLocked`] follows.
    ///
    /// # Errors
    /// If the session has ended.
    pub async fn lock(&self, locked: bool) -> Result<(), RequestError> {
        self.tell(Request::Lock { locked }).await.map_err(|()| RequestError::Lost)
    }

    /// Lets in who knocks, or not; [`Event::KnockEnded`] follows.
    ///
    /// # Errors
    /// If the session has ended.
    pub async fn answer_knock(&self, id: &PeerId, admit: bool) -> Result<(), RequestError> {
        let request = Request::AnswerKnock { id: id.clone(), admit };
        self.tell(request).await.map_err(|()| RequestError::Lost)
    }

    /// Says goodbye, after all that was said before, and waits until that is done.
    pub async fn close(mut self) {
        drop(self.stop.take());
        // The task holds the other end until it is done.
        let all = async { while self.events.recv().await.is_some() {} };
        let _ = timeout(GOODBYE, all).await;
    }

    async fn tell(&self, request: Request) -> Result<(), ()> {
        self.asks.send(Ask { request, reply: None }).await.map_err(drop)
    }

    async fn ask(&self, request: Request) -> Result<Answer, RequestError> {
        let (reply, answer) = oneshot::channel();
        let asked = async {
            let ask = Ask { request, reply: Some(reply) };
            self.asks.send(ask).await.map_err(|_| RequestError::Lost)?;
            answer.await.map_err(|_| RequestError::Lost)?.map_err(RequestError::Refused)
        };
        timeout(self.patience, asked).await.unwrap_or(Err(RequestError::Timeout))
    }
}
