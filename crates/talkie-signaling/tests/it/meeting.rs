//! What two clients do on the real server.

use talkie_server::Purpose;
use talkie_signaling::{
    Client, ConnectError, Entry, Event, Fingerprint, Join, Joined, KeyFit, LeaveReason, Options,
    RequestError, Trust,
};

use crate::hosts::{Host, event};

pub(crate) async fn enter(client: &Client, join: Join) -> Joined {
    match client.join(join).await.unwrap() {
        Entry::Joined(joined) => joined,
        Entry::Knocking => panic!("the room is locked"),
    }
}

pub(crate) fn room(name: &str) -> Join {
    Join { room: name.to_owned(), ..Join::default() }
}

#[tokio::test]
async fn the_welcome_brings_ice_servers_with_credentials() {
    let host = Host::start().await;
    let (client, welcome) = host.client().await;
    assert_eq!(client.server(), host.at(Purpose::Http));
    let servers = &welcome.ice.ice_servers;
    let turn = servers.iter().find(|server| server.username.is_some()).unwrap();
    assert!(turn.credential.is_some());
    let port = host.at(Purpose::TurnUdp).port().to_string();
    assert!(
        turn.urls.iter().any(|url| url.starts_with("turn:") && url.contains(&port)),
        "{turn:?}"
    );
    assert!(!welcome.resumed && welcome.ice.ice_ttl.as_secs() > 3600);
    client.close().await;
}

#[tokio::test]
async fn two_meet_talk_and_part() {
    let host = Host::start().await;
    let ((mut ann, _), (mut bob, _)) = (host.client().await, host.client().await);
    let in_ann = enter(&ann, Join { name: "Ann".to_owned(), ..room("meeting") }).await;
    assert!(in_ann.peers.is_empty());
    let in_bob = enter(&bob, Join { card: Some("a.card".to_owned()), ..room("Meeting") }).await;
    assert_eq!((in_bob.room.as_str(), in_bob.peers[0].name.as_str()), ("meeting", "Ann"));
    assert_eq!(in_bob.peers[0].id, in_ann.own);
    let Event::PeerJoined(peer) = event(&mut ann).await else { panic!("bob came") };
    assert_eq!((&peer.id, peer.card.as_deref()), (&in_bob.own, Some("a.card")));

    for count in 0..300 {
        ann.signal(&in_bob.own, &count).await.unwrap();
    }
    for count in 0..300 {
        let Event::Signal { from, payload } = event(&mut bob).await else { panic!("a signal") };
        assert_eq!((&from, payload.get()), (&in_ann.own, count.to_string().as_str()));
    }
    bob.leave().await.unwrap();
    let Event::PeerLeft { peer, reason } = event(&mut ann).await else { panic!("bob went") };
    assert_eq!((peer, reason), (in_bob.own, LeaveReason::Left));
    assert!(
        matches!(bob.leave().await, Err(RequestError::Refused(no)) if no.code == "not-in-room")
    );

    enter(&bob, room("meeting")).await;
    event(&mut ann).await;
    bob.close().await;
    let Event::PeerLeft { reason, .. } = event(&mut ann).await else { panic!("bob went") };
    assert_eq!(reason, LeaveReason::Ended);
}

#[tokio::test]
async fn a_room_can_be_looked_at_from_outside() {
    let host = Host::start().await;
    let ((ann, _), (bob, _)) = (host.client().await, host.client().await);
    let check = Some("right".to_owned());
    assert_eq!(bob.peek("calm", check.as_deref()).await.unwrap().key, KeyFit::New);
    enter(&ann, Join { check: check.clone(), ..room("calm") }).await;
    let glimpse = bob.peek("calm", check.as_deref()).await.unwrap();
    assert_eq!((glimpse.key, glimpse.people), (KeyFit::Match, Some(1)));
    assert_eq!(bob.peek("calm", Some("wrong")).await.unwrap().key, KeyFit::Mismatch);
    let wrong = bob.join(Join { check: Some("wrong".to_owned()), ..room("calm") }).await;
    assert!(matches!(wrong, Err(RequestError::Refused(no)) if no.code == "wrong-key"));
    let bad = bob.join(room("no/room")).await;
    assert!(matches!(bad, Err(RequestError::Refused(no)) if no.code == "bad-room-name"));
}

#[tokio::test]
async fn who_knocks_waits_until_somebody_opens() {
    let host = Host::start().await;
    let ((mut ann, _), (mut bob, _)) = (host.client().await, host.client().await);
    enter(&ann, room("quiet")).await;
    ann.lock(true).await.unwrap();
    assert!(matches!(event(&mut ann).await, Event::RoomLocked { locked: true, .. }));
    assert_eq!(bob.join(room("quiet")).await.unwrap(), Entry::Knocking);
    let Event::Knock(peer) = event(&mut ann).await else { panic!("a knock") };
    ann.answer_knock(&peer.id, false).await.unwrap();
    assert!(matches!(event(&mut bob).await, Event::Refused(no) if no.code == "refused"));
    assert!(matches!(event(&mut ann).await, Event::KnockEnded { .. }));
    assert_eq!(bob.join(room("quiet")).await.unwrap(), Entry::Knocking);
    let Event::Knock(peer) = event(&mut ann).await else { panic!("a knock") };
    ann.answer_knock(&peer.id, true).await.unwrap();
    let Event::Joined(joined) = event(&mut bob).await else { panic!("open") };
    assert!(joined.locked && joined.peers.len() == 1);
}

#[tokio::test]
async fn a_certificate_of_its_own_is_taken_when_pinned_or_when_anybody_is_and_never_silently() {
    let host = Host::start().await;
    let printed = &host.server.report().certificate.as_ref().unwrap().sha256;
    let pinned: Fingerprint = printed.parse().unwrap();
    let with = |trust| Options::default().with_trust(trust);
    match Client::connect(&host.https(), Options::default()).await {
        Err(ConnectError::Untrusted { met, .. }) => assert_eq!(met, pinned),
        Err(ConnectError::Trust(_)) => {}
        other => panic!("{:?}", other.map(drop)),
    }
    for trust in [Trust::Pinned(pinned), Trust::Anybody] {
        let (client, welcome) = Client::connect(&host.https(), with(trust)).await.unwrap();
        assert!(!welcome.ice.ice_servers.is_empty());
        assert_eq!(client.certificate(), Some(pinned));
        client.close().await;
    }
    let another = "00:".repeat(32).parse().unwrap();
    let refused = Client::connect(&host.https(), with(Trust::Pinned(another))).await;
    assert!(matches!(refused, Err(ConnectError::Untrusted { met, .. }) if met == pinned));
}

#[tokio::test]
async fn what_is_no_server_is_told_as_what_it_is() {
    let host = Host::start().await;
    let quick = Options::default().with_timeout(std::time::Duration::from_millis(500));
    let fault = |url: String| {
        let quick = quick.clone();
        async move { Client::connect(&url.parse().unwrap(), quick).await.map(drop).unwrap_err() }
    };
    let http = host.at(Purpose::Http);
    assert!(matches!(fault(format!("https://{http}")).await, ConnectError::Tls(_)));
    let turn = host.at(Purpose::TurnTcp);
    let error = fault(format!("http://{turn}")).await;
    assert!(matches!(error, ConnectError::Socket(_) | ConnectError::Timeout { .. }), "{error}");
    assert!(matches!(fault("http://127.0.0.1:1".to_owned()).await, ConnectError::Tcp { .. }));
    assert!(matches!(
        fault("http://no.invalid".to_owned()).await,
        ConnectError::Resolve { .. } | ConnectError::Timeout { .. }
    ));
    // Nobody accepts what connects.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = fault(format!("http://{}", silent.local_addr().unwrap())).await;
    assert!(matches!(error, ConnectError::Timeout { .. }), "{error}");
}
