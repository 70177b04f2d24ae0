//! Sockets that are lost on the way to the real server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use talkie_server::Purpose;
use talkie_signaling::{Client, End, Entry, Event, Options, RequestError, SignalError};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::hosts::{Host, event};
use crate::meeting::{enter, room};

/// A line to the server that can be cut.
struct Line {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<JoinHandle<()>>>>,
    accepting: JoinHandle<()>,
}

impl Line {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let made = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            while let Ok((mut inside, _)) = listener.accept().await {
                let connection = tokio::spawn(async move {
                    if let Ok(mut outside) = TcpStream::connect(server).await {
                        let _ = copy_bidirectional(&mut inside, &mut outside).await;
                    }
                });
                made.lock().unwrap().push(connection);
            }
        });
        Self { address, connections, accepting }
    }

    fn cut(&self) {
        self.connections.lock().unwrap().drain(..).for_each(|connection| connection.abort());
    }

    async fn client(&self) -> Client {
        let url = format!("http://{}", self.address).parse().unwrap();
        Client::connect(&url, Options::default()).await.unwrap().0
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.cut();
        self.accepting.abort();
    }
}

#[tokio::test]
async fn nothing_is_lost_or_repeated_over_cut_lines() {
    const COUNT: u64 = 120;
    let host = Host::start().await;
    let line = Line::to(host.at(Purpose::Http)).await;
    let (ann, mut bob) = (line.client().await, line.client().await);
    enter(&ann, room("cut")).await;
    let in_bob = enter(&bob, room("cut")).await;
    let to = in_bob.own.clone();
    let sending = tokio::spawn(async move {
        for count in 0..COUNT {
            ann.signal(&to, &count).await.unwrap();
            if count % 40 == 20 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        ann
    });
    let (mut got, mut resumed) = (Vec::new(), 0);
    while got.len() < usize::try_from(COUNT).unwrap() {
        match event(&mut bob).await {
            Event::Signal { payload, .. } => {
                got.push(payload.get().parse::<u64>().unwrap());
                if got.len() == 10 || got.len() == 70 {
                    line.cut();
                }
            }
            Event::Resumed => resumed += 1,
            Event::Disconnected | Event::IceServers(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(got, (0..COUNT).collect::<Vec<_>>());
    assert!(resumed >= 1, "{resumed}");
    sending.await.unwrap().close().await;
}

#[tokio::test]
async fn a_session_that_the_server_has_forgotten_is_opened_anew() {
    let host = Host::with(|config| {
        config.signaling.resume_within = Duration::from_millis(100);
    })
    .await;
    let line = Line::to(host.at(Purpose::Http)).await;
    let mut client = line.client().await;
    enter(&client, room("forgotten")).await;
    // The line is dead for longer than the server remembers.
    line.cut();
    assert!(matches!(event(&mut client).await, Event::Disconnected));
    let answer = client.join(room("forgotten")).await;
    let next = event(&mut client).await;
    match (&next, &answer) {
        // The request waited for the new session.
        (Event::Restarted(_), Ok(Entry::Joined(_))) => {}
        // The first attempt came in time.
        (Event::Resumed, Err(RequestError::Refused(no))) => assert_eq!(no.code, "already-in-room"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_is_gone_ends_the_session_with_the_reason() {
    let host = Host::with(|config| {
        config.signaling.resume_within = Duration::from_millis(300);
    })
    .await;
    let (mut client, _) = host.client().await;
    let joined = enter(&client, room("gone")).await;
    host.server.stop();
    host.server.stopped().await;
    assert!(matches!(event(&mut client).await, Event::Disconnected));
    let Event::Ended(End::Lost(why)) = event(&mut client).await else { panic!("an end") };
    assert!(why.contains("cannot connect"), "{why}");
    assert!(client.event().await.is_none());
    assert_eq!(client.signal(&joined.own, &1).await, Err(SignalError::Ended));
    assert_eq!(client.leave().await, Err(RequestError::Lost));
}
