//! The hub on tokio: a handle to clone, the WebSocket upgrade, and the task that keeps the time.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use axum::extract::WebSocketUpgrade;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use talkie_sansio::Genesis;
use tokio::sync::Notify;

use super::hub::{Event, Hub, Output};
use super::ids::SocketId;
use super::socket::Connection;
use super::{Backend, IceServers, Rooms, SignalingConfig, Stats, origin};

/// The read buffer of an idle socket. Most frames fit; a larger one is given a buffer of its own
/// while it lasts.
const READ_BUFFER: usize = 1_024;

/// Who connects, as the HTTP layer saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address; behind a trusted proxy, the one that the proxy tells.
    pub address: IpAddr,
    /// The `Host` header: the name under which the browser reached this server.
    pub host: Option<String>,
    /// The `Origin` header: the page that connects. Clients that are no browsers send none.
    pub origin: Option<String>,
    /// Whether it came over TLS.
    pub secure: bool,
    /// How it is to invite others.
    pub invitation: Invitation,
}

/// By which address a page invites others, when its own won't do, and what they will meet there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// The origin (`https://192.0.2.5:8443`) for links; none: the page's own, or none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Whether browsers will warn of the certificate there, because the server made it itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub self_signed: bool,
}

/// The signaling server. Clones are handles to the same one.
#[derive(Clone)]
pub struct Signaling {
    shared: Arc<Shared>,
}

impl fmt::Debug for Signaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signaling").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Signaling {
    /// A server with its rooms in this process.
    ///
    /// # Panics
    /// If the operating system gives no random bytes.
    #[must_use]
    pub fn new(config: SignalingConfig, ice: Arc<dyn IceServers>) -> Self {
        let rooms = Rooms::new(&config);
        Self::with_backend(config, ice, Box::new(rooms))
    }

    /// A server with its rooms in `backend`.
    ///
    /// # Panics
    /// If the operating system gives no random bytes.
    #[must_use]
    pub fn with_backend(
        config: SignalingConfig,
        ice: Arc<dyn IceServers>,
        backend: Box<dyn Backend>,
    ) -> Self {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the operating system has random bytes");
        let unix = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        let genesis = Genesis { now: now(), unix, seed };
        let hub = Hub::new(config.clone(), &genesis, backend);
        let state = State { hub, sockets: HashMap::new(), clock: Clock::default() };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                config,
                ice,
                deadline_moved: Arc::new(Notify::new()),
                emptied: Notify::new(),
            }),
        }
    }

    /// Whether a page of `origin` that came from `host` may open WebSockets here: the rule for
    /// signaling, for whatever else the server offers to its own pages.
    #[must_use]
    pub fn is_own_page(&self, origin: Option<&str>, host: Option<&str>, secure: bool) -> bool {
        origin::is_allowed(origin, host, secure, &self.shared.config.origins)
    }

    /// Answers a request for `/signal`: switches to WebSocket, or refuses a page of a foreign
    /// origin with 403. Call it on a tokio runtime.
    pub fn upgrade(&self, ws: WebSocketUpgrade, client: Client) -> Response {
        let shared = Arc::clone(&self.shared);
        let Client { origin, host, secure, .. } = &client;
        if !self.is_own_page(origin.as_deref(), host.as_deref(), *secure) {
            tracing::debug!(origin = ?client.origin, host = ?client.host, "foreign origin refused");
            shared.act(|hub, _| hub.handle_foreign_origin());
            return (StatusCode::FORBIDDEN, "this page may not connect here\n").into_response();
        }
        shared.start_clock();
        let limit = shared.config.message_bytes;
        ws.read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(shared.config.write_buffer())
            .max_frame_size(limit)
            .max_message_size(limit)
            .on_upgrade(async move |socket| {
                let config = shared.config.clone();
                Connection::new(shared, client, socket, &config).run().await;
            })
    }

    /// Opens no new rooms from now on and tells everybody that the server stops `within`.
    pub fn drain(&self, within: Duration) {
        self.shared.act(|hub, now| hub.handle_drain(now, within));
    }

    /// Closes every WebSocket, and those still to come, with the status of a server that goes down.
    pub fn stop(&self) {
        self.shared.act(|hub, _| hub.handle_stop());
    }

    /// Whether nobody is in a room.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.state().hub.is_empty()
    }

    /// Returns when nobody is in a room.
    pub async fn wait_empty(&self) {
        loop {
            let emptied = self.shared.emptied.notified();
            tokio::pin!(emptied);
            // Registered before the look, so that no change falls between the two.
            emptied.as_mut().enable();
            if self.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// Hands on what the backend has to tell. For the driver of a backend whose news come from
    /// elsewhere.
    pub fn deliver(&self) {
        self.shared.act(|hub, now| hub.handle_backend(now));
    }

    /// Figures for an operator.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.state().hub.stats()
    }
}

pub(super) struct Shared {
    state: Mutex<State>,
    config: SignalingConfig,
    ice: Arc<dyn IceServers>,
    deadline_moved: Arc<Notify>,
    emptied: Notify,
}

struct State {
    hub: Hub,
    sockets: HashMap<SocketId, Arc<Notify>>,
    clock: Clock,
}

/// The task that calls the hub when its deadline comes.
#[derive(Default)]
struct Clock {
    runs: bool,
    /// What it sleeps until.
    wakes_at: Option<Instant>,
}

/// The runtime's clock, which tests can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic under the lock is a bug in one request; the others go on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn connect(&self, client: Client) -> (SocketId, Arc<Notify>) {
        let woken = Arc::new(Notify::new());
        let mut state = self.state();
        let id = state.hub.handle_connect(now(), client);
        state.sockets.insert(id, Arc::clone(&woken));
        drop(state);
        self.act(|_, _| ());
        (id, woken)
    }

    pub(super) fn disconnect(&self, id: SocketId) {
        self.state().sockets.remove(&id);
        self.act(|hub, now| hub.handle_disconnect(now, id));
    }

    pub(super) fn transmit(&self, id: SocketId) -> Option<Output> {
        self.state().hub.poll_transmit(id)
    }

    /// Calls the hub and does what it then asks for.
    pub(super) fn act<T>(&self, call: impl FnOnce(&mut Hub, Instant) -> T) -> T {
        let now = now();
        let mut state = self.state();
        let result = call(&mut state.hub, now);
        while let Some(event) = state.hub.poll_event() {
            match event {
                Event::Wake(id) => {
                    if let Some(woken) = state.sockets.get(&id) {
                        woken.notify_one();
                    }
                }
                Event::Grant { session, client } => {
                    drop(state);
                    let grant = self.ice.issue(&client, &session.to_string());
                    state = self.state();
                    state.hub.handle_grant(now, session, &grant);
                }
            }
        }
        let deadline = state.hub.poll_timeout();
        let earlier = match (deadline, state.clock.wakes_at) {
            (Some(deadline), Some(wakes_at)) => deadline < wakes_at,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let empty = state.hub.is_empty();
        drop(state);
        if earlier {
            self.deadline_moved.notify_one();
        }
        if empty {
            self.emptied.notify_waiters();
        }
        result
    }

    /// The first socket starts it, because only then is there surely a runtime.
    fn start_clock(self: &Arc<Self>) {
        if !std::mem::replace(&mut self.state().clock.runs, true) {
            let moved = Arc::clone(&self.deadline_moved);
            tokio::spawn(keep_time(Arc::downgrade(self), moved));
        }
    }

    /// Fires what is due and tells what to sleep until.
    fn tick(&self) -> Option<Instant> {
        self.act(|hub, now| hub.handle_timeout(now));
        let mut state = self.state();
        state.clock.wakes_at = state.hub.poll_timeout();
        state.clock.wakes_at
    }
}

/// Ends with the last handle.
async fn keep_time(shared: Weak<Shared>, moved: Arc<Notify>) {
    loop {
        let Some(deadline) = shared.upgrade().map(|shared| shared.tick()) else { return };
        let sleep = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            () = moved.notified() => {}
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Lets the clock find out.
        self.deadline_moved.notify_one();
    }
}
