//! What the operator's listener answers: is it alive, is it ready, what does it do.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;

use crate::connections::Connections;
use crate::metrics::relay::write as metrics_of_relay;
use crate::metrics::{Exposition, Kind, Metrics};
use crate::relay::Relay;
use crate::server::Phase;
use crate::signaling::Signaling;

/// What the answers are made of.
pub(crate) struct Admin {
    pub(crate) phase: watch::Receiver<Phase>,
    /// Set once the self test is over, if all went well.
    pub(crate) sound: Arc<AtomicBool>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) signaling: Signaling,
    pub(crate) relay: Option<Relay>,
}

impl Admin {
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(async || "alive\n"))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .fallback(async || (StatusCode::NOT_FOUND, "/healthz, /readyz or /metrics\n"))
            .with_state(Arc::new(self))
    }
}

async fn ready(State(admin): State<Arc<Admin>>) -> Response {
    let why_not = match *admin.phase.borrow() {
        Phase::Starting => Some("starting\n"),
        Phase::Running => None,
        Phase::Draining | Phase::Stopped => Some("draining\n"),
    };
    if let Some(words) = why_not {
        return (StatusCode::SERVICE_UNAVAILABLE, words).into_response();
    }
    if !admin.sound.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the self test failed\n").into_response();
    }
    "ready\n".into_response()
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let mut text = Exposition::default();
    admin.metrics.write(&mut text);
    connections(&mut text, &admin.connections);
    signaling(&mut text, &admin.signaling);
    if let Some(relay) = &admin.relay {
        metrics_of_relay(&mut text, &relay.stats().await);
    }
    process(&mut text);
    let draining = u8::from(*admin.phase.borrow() >= Phase::Draining);
    text.single("talkie_draining", Kind::Gauge, "Whether the server drains.", draining);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.into_text()).into_response()
}

fn connections(text: &mut Exposition, connections: &Connections) {
    let counts = connections.counts();
    text.family("talkie_connections", Kind::Gauge, "Connections of the public TCP listeners.");
    let established = counts.open.saturating_sub(counts.half_open);
    text.sample("talkie_connections", &[("state", "established")], established);
    text.sample("talkie_connections", &[("state", "half_open")], counts.half_open);
    let name = "talkie_connections_closed_total";
    text.family(name, Kind::Counter, "Connections that had to go because of a bound.");
    text.sample(name, &[("cause", "refused")], counts.refused);
    text.sample(name, &[("cause", "too_fast")], counts.too_fast);
    text.sample(name, &[("cause", "gave_way")], counts.evicted);
}

fn signaling(text: &mut Exposition, signaling: &Signaling) {
    let stats = signaling.stats();
    for (name, help, value) in [
        ("talkie_websockets", "Open WebSockets.", stats.sockets),
        ("talkie_sessions", "Sessions, with or without a socket.", stats.sessions),
        ("talkie_rooms", "Rooms with somebody in them.", stats.rooms),
        ("talkie_peers", "Sessions that are in a room.", stats.peers),
        (
            "talkie_signaling_waiting_bytes",
            "Bytes that wait for clients to acknowledge them.",
            stats.waiting_bytes,
        ),
    ] {
        text.single(name, Kind::Gauge, help, value);
    }
    let name = "talkie_signaling_messages_total";
    text.family(name, Kind::Counter, "Signaling frames.");
    text.sample(name, &[("direction", "in")], stats.messages_in);
    text.sample(name, &[("direction", "out")], stats.messages_out);
    for (name, help, value) in [
        ("talkie_sessions_opened_total", "Sessions opened.", stats.opened),
        ("talkie_sessions_resumed_total", "Sessions taken up by a new socket.", stats.resumes),
        (
            "talkie_signaling_foreign_origins_total",
            "Upgrades refused because of a foreign Origin.",
            stats.foreign_origins,
        ),
    ] {
        text.single(name, Kind::Counter, help, value);
    }
    let name = "talkie_signaling_errors_total";
    text.family(name, Kind::Counter, "Errors sent to clients, by code.");
    for (code, count) in stats.errors() {
        text.sample(name, &[("code", code.as_str())], count);
    }
}

/// The process as Linux sees it; elsewhere these families are missing.
fn process(text: &mut Exposition) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok());
    if let Some(kibibytes) = kibibytes {
        let name = "process_resident_memory_bytes";
        text.single(name, Kind::Gauge, "Resident memory.", kibibytes * 1024);
    }
    if let Ok(entries) = fs::read_dir("/proc/self/fd") {
        let count = entries.count();
        text.single("process_open_fds", Kind::Gauge, "Open file descriptors.", count);
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if let Some(limit) = limit {
        let name = "process_max_fds";
        text.single(name, Kind::Gauge, "The limit of open file descriptors.", limit);
    }
}
