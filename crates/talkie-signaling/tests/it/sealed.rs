//! Sealed payloads over the real server.

use talkie_signaling::sealed::{OpenError, RoomKey, SealedRoom};
use talkie_signaling::{Event, RequestError};

use crate::hosts::{Host, event};
use crate::meeting::enter;

#[tokio::test]
async fn two_with_the_key_talk_and_the_third_without_stays_out() {
    let host = Host::start().await;
    let ((mut ann, _), (mut bob, _), (eve, _)) =
        (host.client().await, host.client().await, host.client().await);
    let key = RoomKey::generate().unwrap();
    let mut at_ann = SealedRoom::new(&key, "calm-otter", "Ann").unwrap();
    let mut at_bob = SealedRoom::new(&key, "calm-otter", "Bob").unwrap();
    let in_ann = enter(&ann, at_ann.join()).await;
    let in_bob = enter(&bob, at_bob.join()).await;
    let Event::PeerJoined(peer) = event(&mut ann).await else { panic!("bob came") };
    assert_eq!(peer.name, "", "the server has no names");
    let mut to_bob = at_ann.meet(&in_ann.own, &peer).unwrap();
    let mut to_ann = at_bob.meet(&in_bob.own, &in_bob.peers[0]).unwrap();
    assert_eq!((to_bob.name.as_str(), to_ann.name.as_str()), ("Bob", "Ann"));

    for _ in 0..2 {
        let sealed = to_bob.channel.seal(&"the report").unwrap();
        ann.signal(&in_bob.own, &sealed).await.unwrap();
        let Event::Signal { payload, .. } = event(&mut bob).await else { panic!("a signal") };
        assert!(!payload.get().contains("report"));
        assert_eq!(to_ann.channel.open::<String>(&payload).unwrap(), "the report");
    }
    ann.signal(&in_bob.own, &"plain").await.unwrap();
    let Event::Signal { payload, .. } = event(&mut bob).await else { panic!("a signal") };
    assert_eq!(to_ann.channel.open::<String>(&payload), Err(OpenError::Tampered));
    bob.signal(&in_ann.own, &to_ann.channel.refusal()).await.unwrap();
    let Event::Signal { payload, .. } = event(&mut ann).await else { panic!("a signal") };
    assert_eq!(to_bob.channel.open::<String>(&payload), Err(OpenError::Refused));

    let other = SealedRoom::new(&RoomKey::generate().unwrap(), "calm-otter", "Eve").unwrap();
    let refused = eve.join(other.join()).await;
    assert!(matches!(refused, Err(RequestError::Refused(no)) if no.code == "wrong-key"));
}
