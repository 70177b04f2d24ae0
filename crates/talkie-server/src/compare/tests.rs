use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State, WebSocketUpgrade};
use axum::routing::any;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::*;

type Client = WebSocketStream<TcpStream>;

const PAIR: &str = "0123456789-abcdefghi_X";

fn small() -> Limits {
    Limits {
        wait: Duration::from_millis(300),
        life: Duration::from_secs(20),
        bytes: 1000,
        write: Duration::from_millis(500),
        per_address: 4,
        total: 64,
    }
}

async fn serve(limits: Limits) -> (SocketAddr, Arc<Compare>) {
    let (phase, watched) = watch::channel(Phase::Running);
    // It runs for as long as the test does.
    tokio::spawn(async move { phase.closed().await });
    serve_until(limits, watched).await
}

async fn serve_until(limits: Limits, phase: watch::Receiver<Phase>) -> (SocketAddr, Arc<Compare>) {
    let compare = Arc::new(Compare { limits, seats: Arc::default(), phase });
    let route = async |State(compare): State<Arc<Compare>>,
                       Path(pair): Path<String>,
                       upgrade: WebSocketUpgrade| {
        compare.upgrade(upgrade, IpAddr::V4(Ipv4Addr::LOCALHOST).into(), &pair)
    };
    let router = Router::new().route("/{pair}", any(route)).with_state(Arc::clone(&compare));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, compare)
}

async fn try_join(address: SocketAddr, pair: &str) -> Result<Client, Error> {
    let stream = TcpStream::connect(address).await.unwrap();
    Ok(client_async(format!("ws://{address}/{pair}"), stream).await?.0)
}

async fn join(address: SocketAddr, pair: &str) -> Client {
    try_join(address, pair).await.unwrap()
}

async fn next(client: &mut Client) -> Message {
    timeout(Duration::from_secs(10), client.next()).await.unwrap().unwrap().unwrap()
}

/// Two ends that were told of each other.
async fn both(address: SocketAddr) -> (Client, Client) {
    let (mut a, mut b) = (join(address, PAIR).await, join(address, PAIR).await);
    assert_eq!(next(&mut a).await, Message::Text("paired".into()));
    assert_eq!(next(&mut b).await, Message::Text("paired".into()));
    (a, b)
}

async fn ends_with(client: &mut Client, reason: &str) {
    loop {
        if let Message::Close(frame) = next(client).await {
            return assert_eq!(frame.unwrap().reason, reason);
        }
    }
}

async fn is_free(compare: &Compare) {
    let limits = Limits { per_address: 1, total: 1, ..small() };
    let all_free = async {
        while Seats::take(&compare.seats, IpAddr::V4(Ipv4Addr::LOCALHOST).into(), &limits).is_none()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), all_free).await.unwrap();
}

#[tokio::test]
async fn what_one_end_sends_the_other_gets() {
    let (address, compare) = serve(Limits::default()).await;
    let (mut a, mut b) = both(address).await;
    a.send(Message::Binary(vec![1; FRAME_BYTES].into())).await.unwrap();
    assert_eq!(next(&mut b).await.into_data(), vec![1; FRAME_BYTES]);
    b.send(Message::Binary(vec![2].into())).await.unwrap();
    assert_eq!(next(&mut a).await.into_data(), vec![2]);
    a.close(None).await.unwrap();
    ends_with(&mut b, "gone").await;
    drop((a, b));
    is_free(&compare).await;
}

#[tokio::test]
async fn a_third_end_waits_for_a_fourth() {
    let (address, _) = serve(Limits::default()).await;
    let (mut a, mut b) = both(address).await;
    let (mut c, mut d) = both(address).await;
    a.send(Message::Binary(vec![1].into())).await.unwrap();
    c.send(Message::Binary(vec![2].into())).await.unwrap();
    assert_eq!(next(&mut b).await.into_data(), vec![1]);
    assert_eq!(next(&mut d).await.into_data(), vec![2]);
}

#[tokio::test]
async fn who_went_before_the_other_came_is_no_end() {
    let (address, _) = serve(Limits::default()).await;
    let mut gone = join(address, PAIR).await;
    gone.close(None).await.unwrap();
    while let Some(Ok(_)) = gone.next().await {}
    let (mut a, mut b) = both(address).await;
    a.send(Message::Binary(vec![7].into())).await.unwrap();
    assert_eq!(next(&mut b).await.into_data(), vec![7]);
}

#[tokio::test]
async fn an_end_that_nobody_joins_is_let_go() {
    let (address, compare) = serve(small()).await;
    let mut alone = join(address, PAIR).await;
    ends_with(&mut alone, "nobody-came").await;
    drop(alone);
    is_free(&compare).await;
}

#[tokio::test]
async fn a_pair_has_so_many_bytes_and_no_more() {
    let (address, _) = serve(small()).await;
    let (mut a, mut b) = both(address).await;
    for _ in 0..3 {
        a.send(Message::Binary(vec![1; 400].into())).await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(next(&mut b).await.len(), 400);
    }
    ends_with(&mut b, "used-up").await;
}

#[tokio::test]
async fn a_pair_has_so_much_time_and_no_more() {
    let (address, _) = serve(Limits { life: Duration::from_millis(200), ..small() }).await;
    let (mut a, mut b) = both(address).await;
    ends_with(&mut a, "used-up").await;
    ends_with(&mut b, "used-up").await;
}

#[tokio::test]
async fn text_and_frames_without_an_end_to_take_them_are_misuse() {
    let (address, _) = serve(Limits::default()).await;
    let mut early = join(address, PAIR).await;
    early.send(Message::Binary(vec![1].into())).await.unwrap();
    ends_with(&mut early, "misuse").await;
    let (mut a, mut b) = both(address).await;
    a.send(Message::Text("hello".into())).await.unwrap();
    ends_with(&mut b, "misuse").await;
}

#[tokio::test]
async fn an_end_that_takes_nothing_ends_the_pair() {
    let limits = Limits { bytes: usize::MAX, ..small() };
    let (address, compare) = serve(limits).await;
    let (mut a, b) = both(address).await;
    // Nobody reads at the other end.
    let flood =
        async { while a.send(Message::Binary(vec![1; FRAME_BYTES].into())).await.is_ok() {} };
    timeout(Duration::from_secs(20), flood).await.unwrap();
    drop((a, b));
    is_free(&compare).await;
}

#[tokio::test]
async fn both_ends_and_one_that_waits_are_told_that_the_server_stops() {
    let (phase, watched) = watch::channel(Phase::Running);
    let (address, compare) = serve_until(Limits::default(), watched).await;
    let (mut a, mut b) = both(address).await;
    let mut alone = join(address, "another-pair-0123456789").await;
    phase.send_replace(Phase::Stopped);
    for end in [&mut a, &mut b, &mut alone] {
        loop {
            if let Message::Close(frame) = next(end).await {
                assert_eq!(u16::from(frame.unwrap().code), 1001);
                break;
            }
        }
    }
    drop((a, b, alone));
    is_free(&compare).await;
}

#[tokio::test]
async fn an_address_has_so_many_ends() {
    let (address, compare) = serve(Limits { per_address: 2, ..Limits::default() }).await;
    let (a, b) = both(address).await;
    let Err(Error::Http(refusal)) = try_join(address, PAIR).await else { panic!("a third end") };
    assert_eq!(refusal.status(), 429);
    drop((a, b));
    is_free(&compare).await;
}

#[tokio::test]
async fn a_pair_is_named_by_what_nobody_guesses() {
    let (address, _) = serve(Limits::default()).await;
    for bad in ["short", &"a".repeat(65), "0123456789-abcdefghi_.X"] {
        let Err(Error::Http(refusal)) = try_join(address, bad).await else { panic!("{bad}") };
        assert_eq!(refusal.status(), 400, "{bad}");
    }
}
