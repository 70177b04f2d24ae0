//! A signaling server on loopback and clients for it.

#![allow(clippy::unwrap_used, reason = "it is all test")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::any;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use talkie_server::signaling::{
    Client, Code, IceGrant, IceServer, IceServers, Invitation, Signaling, SignalingConfig,
};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Grants that can be told apart.
pub(crate) struct Grants {
    ttl: Duration,
    count: AtomicUsize,
}

impl IceServers for Grants {
    fn issue(&self, client: &Client, session: &str) -> IceGrant {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let host = client.host.as_deref().unwrap_or("nowhere");
        IceGrant {
            servers: vec![IceServer {
                urls: vec![format!("turn:{host}")],
                username: Some(format!("{session} {count}")),
                credential: Some("secret".to_owned()),
            }],
            ttl: self.ttl,
            discovery: Vec::new(),
        }
    }
}

pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    pub(crate) signaling: Signaling,
    task: JoinHandle<()>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn upgrade(
    State(signaling): State<Signaling>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    ws: WebSocketUpgrade,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned);
    let (host, origin) = (text("host"), text("origin"));
    signaling.upgrade(
        ws,
        Client {
            address: from.ip(),
            host,
            origin,
            secure: false,
            invitation: Invitation::default(),
        },
    )
}

impl Host {
    pub(crate) async fn start(config: SignalingConfig) -> Self {
        Self::with_ttl(config, Duration::from_secs(3_600)).await
    }

    pub(crate) async fn with_ttl(config: SignalingConfig, ttl: Duration) -> Self {
        let grants = Grants { ttl, count: AtomicUsize::new(0) };
        let signaling = Signaling::new(config, Arc::new(grants));
        let app = Router::new().route("/signal", any(upgrade)).with_state(signaling.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let service = app.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service).await.unwrap();
        });
        Self { address, signaling, task }
    }

    pub(crate) async fn socket(&self) -> Socket {
        self.socket_from(Ipv4Addr::LOCALHOST.into()).await
    }

    pub(crate) async fn socket_from(&self, source: IpAddr) -> Socket {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((source, 0).into()).unwrap();
        self.open(socket, None).await.unwrap()
    }

    pub(crate) async fn open(
        &self,
        socket: TcpSocket,
        origin: Option<&str>,
    ) -> Result<Socket, Error> {
        let stream = socket.connect(self.address).await.unwrap();
        let mut request = format!("ws://{}/signal", self.address).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        Ok(Socket { stream: client_async(request, stream).await?.0 })
    }

    pub(crate) async fn peer(&self) -> Peer {
        Peer::open(self.socket().await).await
    }

    /// A peer in a room.
    pub(crate) async fn member(&self, room: &str) -> Peer {
        let mut peer = self.peer().await;
        peer.join(room).await;
        peer
    }

    /// How often an error was sent.
    pub(crate) fn errors(&self, code: Code) -> u64 {
        self.signaling.stats().errors().find(|&(other, _)| other == code).unwrap().1
    }
}

/// A WebSocket without the protocol on top.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
}

/// How a socket ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) status: u16,
    pub(crate) reason: String,
}

impl Socket {
    pub(crate) async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn send_message(&mut self, message: Message) -> Result<(), Error> {
        timeout(PATIENCE, self.stream.send(message)).await.expect("the server reads")
    }

    /// The next message of any kind.
    pub(crate) async fn next_message(&mut self) -> Option<Result<Message, Error>> {
        timeout(PATIENCE, self.stream.next()).await.expect("the server answers")
    }

    pub(crate) async fn next(&mut self) -> Result<Value, Closed> {
        loop {
            match self.next_message().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    let frame = frame.expect("the server says why");
                    let reason = frame.reason.to_string();
                    return Err(Closed { status: frame.code.into(), reason });
                }
                Some(Ok(Message::Pong(_))) => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    pub(crate) async fn hello(&mut self) -> Result<Value, Closed> {
        self.send_text(r#"{"type":"hello","version":1}"#).await;
        self.next().await
    }

    /// Expects an error that closes the socket.
    pub(crate) async fn fatal(&mut self, code: &str) {
        let error = loop {
            let message = self.next().await.unwrap_or_else(|closed| panic!("{code}: {closed:?}"));
            if message["fatal"] == true {
                break message;
            }
        };
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].is_string() && error.get("seq").is_none(), "{error}");
        let closed = self.next().await.unwrap_err();
        assert_eq!(closed.reason, code);
        assert!([1002, 1008, 1009, 1013].contains(&closed.status), "{closed:?}");
    }

    /// The connection breaks without a word.
    pub(crate) fn cut(self) {
        drop(self);
    }
}

/// A client that keeps the protocol.
pub(crate) struct Peer {
    pub(crate) socket: Option<Socket>,
    pub(crate) welcome: Value,
    pub(crate) id: String,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

impl Peer {
    pub(crate) async fn open(mut socket: Socket) -> Self {
        let welcome = socket.hello().await.unwrap();
        assert_eq!(welcome["type"], "welcome");
        Self { socket: Some(socket), welcome, id: String::new(), sent: 0, received: 0 }
    }

    pub(crate) fn socket(&mut self) -> &mut Socket {
        self.socket.as_mut().expect("connected")
    }

    pub(crate) fn cut(&mut self) {
        self.socket.take().expect("connected").cut();
    }

    /// Takes the session up over a new socket; answers the welcome.
    pub(crate) async fn resume(&mut self, host: &Host) -> Value {
        let mut socket = host.socket().await;
        socket.send_text(&self.resuming_hello()).await;
        let welcome = socket.next().await.unwrap();
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        self.socket = Some(socket);
        welcome
    }

    pub(crate) fn resuming_hello(&self) -> String {
        let (session, token) = (&self.welcome["session"], &self.welcome["token"]);
        let resume = json!({"session": session, "token": token, "ack": self.received});
        json!({"type": "hello", "version": 1, "resume": resume}).to_string()
    }

    pub(crate) async fn send(&mut self, mut message: Value) {
        self.sent += 1;
        message["seq"] = self.sent.into();
        self.socket().send_text(&message.to_string()).await;
    }

    /// The next message that is not only an acknowledgement.
    pub(crate) async fn next(&mut self) -> Result<Value, Closed> {
        loop {
            let message = self.socket().next().await?;
            if message["type"] == "ack" {
                assert!(message["ack"].as_u64().unwrap() <= self.sent);
                continue;
            }
            if let Some(seq) = message["seq"].as_u64() {
                assert_eq!(seq, self.received + 1, "{message}");
                self.received = seq;
            }
            return Ok(message);
        }
    }

    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        let message = self.next().await.unwrap();
        assert_eq!(message["type"], kind, "{message}");
        message
    }

    /// Sends a request that is refused.
    pub(crate) async fn refused(&mut self, request: Value, code: &str) {
        self.send(request).await;
        let error = self.expect("error").await;
        assert_eq!((&error["code"], &error["fatal"]), (&json!(code), &json!(false)), "{error}");
        assert_eq!(error["about"], self.sent, "{error}");
    }

    pub(crate) async fn join(&mut self, room: &str) -> Value {
        self.join_with(json!({"type": "join", "room": room})).await
    }

    pub(crate) async fn join_with(&mut self, request: Value) -> Value {
        self.send(request).await;
        let joined = self.expect("joined").await;
        self.id = joined["self"].as_str().unwrap().to_owned();
        joined
    }

    pub(crate) async fn acknowledge(&mut self) {
        let ack = json!({"type": "ack", "ack": self.received});
        self.socket().send_text(&ack.to_string()).await;
    }
}
