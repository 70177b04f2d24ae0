//! What the public HTTP listeners answer: the web app, rooms' pages, and the door to signaling.
//!
//! Every answer carries the same security fields. The policy allows the app's own files and its own
//! WebSocket and nothing else: no inline script, no frame around it, no other host, and in a page no
//! script from a string. No handler reads a request's body.

mod assets;
mod comments;
pub(crate) mod host;
pub(crate) mod known;
mod pack;
mod page;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
    RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tokio::sync::watch;
use tower::ServiceExt as _;

use assets::Assets;
use host::{Authority, Host};
use known::KnownHosts;
use page::{PAGE, ROOM_PAGE};

use crate::compare::Compare;
use crate::ice::Ice;
use crate::invitation::Invitations;
use crate::server::Phase;
use crate::signaling::{Client, RoomName, Signaling};

/// A body that no handler would read anyway.
const MAX_BODY: u64 = 16 * 1024;

/// The public routes.
#[derive(Clone)]
pub(crate) struct Site {
    router: Router,
    hosts: Arc<KnownHosts>,
}

/// The way that a request came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// Whose it is; behind a trusted proxy, whom that names.
    pub(crate) client: IpAddr,
    /// Where it was received.
    pub(crate) local: SocketAddr,
    /// Over TLS.
    pub(crate) secure: bool,
}

/// Who asks (behind a trusted proxy, whom that names), and by which name of the server.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) address: IpAddr,
    pub(crate) authority: Authority,
    pub(crate) secure: bool,
}

struct App {
    assets: Assets,
    signaling: Signaling,
    ice: Arc<Ice>,
    invitations: Invitations,
    compare: Compare,
}

impl Site {
    /// The web app and its signaling.
    pub(crate) fn new(
        signaling: Signaling,
        ice: Arc<Ice>,
        invitations: Invitations,
        phase: watch::Receiver<Phase>,
        hosts: KnownHosts,
    ) -> Self {
        let app = Arc::new(App {
            assets: Assets::new(),
            signaling,
            ice,
            invitations,
            compare: Compare::new(phase),
        });
        let router = Router::new()
            .route("/", get(page))
            .route("/check", get(page))
            .route("/sdp", get(page))
            .route("/compare", get(page))
            .route("/r/{room}", get(room))
            .route("/check/", get(without_slash))
            .route("/sdp/", get(without_slash))
            .route("/compare/", get(without_slash))
            .route("/r/{room}/", get(room_without_slash))
            .route("/signal", get(signal))
            .route("/compare/socket/{pair}", get(compare))
            .fallback_service(get(file).with_state(Arc::clone(&app)))
            .with_state(app);
        Self::of(router, hosts)
    }

    /// Other routes behind the same checks and with the same fields.
    pub(crate) fn of(router: Router, hosts: KnownHosts) -> Self {
        Self { router, hosts: Arc::new(hosts) }
    }

    /// Answers one request; never fails.
    pub(crate) async fn respond(
        &self,
        mut request: Request<Body>,
        &Way { client, local, secure }: &Way,
    ) -> Response {
        let Some(authority) = Authority::of(&request) else {
            return finish(
                (StatusCode::BAD_REQUEST, "no usable Host field\n").into_response(),
                None,
            );
        };
        if !self.hosts.serves(&authority, local, secure) {
            return finish(misdirected(&authority.host), Some((&authority, secure)));
        }
        if request.body().size_hint().lower() > MAX_BODY {
            let response = (StatusCode::PAYLOAD_TOO_LARGE, "too large\n").into_response();
            return finish(response, Some((&authority, secure)));
        }
        let visit = Visit { address: client, authority: authority.clone(), secure };
        request.extensions_mut().insert(visit);
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        finish(response, Some((&authority, secure)))
    }
}

/// The app finds in the address what it is to show.
async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.assets.respond(PAGE, &headers).unwrap_or_else(not_found)
}

async fn room(
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
    headers: HeaderMap,
) -> Response {
    if RoomName::parse(&room).is_err() {
        return not_found();
    }
    let page = |path| app.assets.respond(path, &headers);
    page(ROOM_PAGE).or_else(|| page(PAGE)).unwrap_or_else(not_found)
}

/// People add a slash, and so do some programs that pass links on. Only for paths that begin with one
/// of ours: another one's `//host/` would lead to that host.
async fn without_slash(uri: Uri) -> Response {
    let path = uri.path().trim_end_matches('/');
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    // The fragment, a room's key, is kept by the browser (RFC 9110 §10.2.2).
    Redirect::permanent(&format!("{path}{query}")).into_response()
}

async fn room_without_slash(Path(room): Path<String>, uri: Uri) -> Response {
    match RoomName::parse(&room) {
        Ok(_) => without_slash(uri).await,
        Err(_) => not_found(),
    }
}

async fn file(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    app.assets.respond(path, &headers).unwrap_or_else(not_found)
}

async fn signal(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    app.ice.prepare(&visit.authority, visit.address).await;
    let field =
        |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into());
    let client = Client {
        address: visit.address,
        host: field(HOST),
        origin: field(ORIGIN),
        secure: visit.secure,
        invitation: app.invitations.by(&visit.authority, visit.secure),
    };
    app.signaling.upgrade(upgrade, client)
}

async fn compare(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    Path(pair): Path<String>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let field = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if !app.signaling.is_own_page(field(ORIGIN), field(HOST), visit.secure) {
        return (StatusCode::FORBIDDEN, "this page may not connect here\n").into_response();
    }
    match upgrade {
        Ok(upgrade) => app.compare.upgrade(upgrade, visit.address.into(), &pair),
        Err(rejection) => rejection.into_response(),
    }
}

/// For a client that a proxy brings beyond what one may have; `wait`: how long that lasts, if it is
/// known.
pub(crate) fn too_many_connections(wait: Option<Duration>) -> Response {
    let words = "too many connections from your address\n";
    let mut response = (StatusCode::TOO_MANY_REQUESTS, words).into_response();
    if let Some(wait) = wait {
        // RFC 6585 §4, RFC 9110 §10.2.3: whole seconds, and not too early.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    finish(response, None)
}

/// RFC 9110 §15.5.20. The operator sees it first, and needs to know what to do.
fn misdirected(host: &Host) -> Response {
    tracing::debug!(%host, "refused: not a name of this server");
    let words = format!(
        "This server is not known as {host}. If it should be: talkie serve --allow-host {host}\n"
    );
    (StatusCode::MISDIRECTED_REQUEST, words).into_response()
}

fn not_found() -> Response {
    let fields = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (StatusCode::NOT_FOUND, fields, include_str!("not-found.html")).into_response()
}

/// Adds the fields that every answer carries.
fn finish(mut response: Response, visit: Option<(&Authority, bool)>) -> Response {
    const FIELDS: [(HeaderName, &str); 5] = [
        // A room's address is for those who were invited.
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(self), microphone=(self), display-capture=(self), geolocation=(), \
             payment=(), usb=()",
        ),
    ];
    let headers = response.headers_mut();
    for (name, value) in FIELDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_page = media_type.is_none_or(|text| text.starts_with(b"text/html"));
    headers.insert(CONTENT_SECURITY_POLICY, policy(visit, is_page));
    response
}

fn policy(visit: Option<(&Authority, bool)>, is_page: bool) -> HeaderValue {
    // Safari before 15.4 doesn't count a WebSocket of the same host as 'self'.
    let socket = visit.map_or_else(String::new, |(authority, secure)| {
        format!(" {}://{authority}", if secure { "wss" } else { "ws" })
    });
    // In a page the only script by address is the service worker. The worker loads its parts by
    // `importScripts`, which takes strings; `script-src` bounds them.
    let types = match is_page {
        true => "; require-trusted-types-for 'script'; trusted-types talkie-worker",
        false => "",
    };
    let text = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
         media-src 'self' blob:; connect-src 'self'{socket}; font-src 'self'; \
         manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'{types}"
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
