//! Two who share a code, on the real server.

use std::time::Duration;

use talkie_signaling::pair::{Code, MeetError, Rendezvous};

use crate::hosts::Host;

/// Longer than it ever takes.
const PATIENCE: Duration = Duration::from_secs(20);

async fn place(host: &Host) -> Rendezvous {
    Rendezvous::at(&host.http()).await.unwrap()
}

#[tokio::test]
async fn two_with_a_code_meet_and_talk_until_one_leaves() {
    let host = Host::start().await;
    let code = Code::generate().unwrap();
    let (mut at_ann, mut at_bob) = (place(&host).await, place(&host).await);
    assert!(at_ann.unvouched().is_none() && !at_ann.ice_servers().is_empty());
    assert_eq!(at_ann.invited(), host.http());
    let opened = at_ann.open("test", &code).await.unwrap();
    let (ann, bob) = tokio::join!(opened.wait(PATIENCE), at_bob.enter("test", &code));
    let (mut ann, mut bob) = (ann.unwrap(), bob.unwrap());
    for word in ["one", "two"] {
        ann.send(&word).await.unwrap();
        assert_eq!(bob.receive::<String>().await.unwrap(), word);
        bob.send(&word.len()).await.unwrap();
        assert_eq!(ann.receive::<usize>().await.unwrap(), 3);
    }
    let third = place(&host).await.enter("test", &code).await.map(drop);
    assert!(matches!(third, Err(MeetError::Busy)), "{third:?}");
    drop(bob);
    at_bob.close().await;
    let gone = ann.receive::<String>().await;
    assert!(matches!(gone, Err(MeetError::Gone { lost: false })), "{gone:?}");
    at_ann.close().await;
}

#[tokio::test]
async fn a_code_leads_nowhere_but_where_it_was_made_for() {
    let host = Host::start().await;
    let code = Code::generate().unwrap();
    let (mut at_ann, mut at_bob) = (place(&host).await, place(&host).await);
    let opened = at_ann.open("test", &code).await.unwrap();
    for (purpose, code) in [("other", &code), ("test", &Code::generate().unwrap())] {
        let nobody = at_bob.enter(purpose, code).await.map(drop);
        assert!(matches!(nobody, Err(MeetError::Nobody(_))), "{nobody:?}");
    }
    let end = opened.wait(Duration::from_millis(200)).await.map(drop);
    assert!(matches!(end, Err(MeetError::NobodyCame(_))), "{end:?}");
}

#[tokio::test]
async fn two_greet_each_other_before_they_talk() {
    let host = Host::start().await;
    for (protocol, first, words) in
        [(7, "1.0", None), (8, "9.9\u{1b}[2J", Some("has talkie 9.9[2J,")), (9, "", None)]
    {
        let code = Code::generate().unwrap();
        let (mut at_ann, mut at_bob) = (place(&host).await, place(&host).await);
        let opened = at_ann.open("test", &code).await.unwrap();
        let (ann, bob) = tokio::join!(opened.wait(PATIENCE), at_bob.enter("test", &code));
        let (mut ann, mut bob) = (ann.unwrap(), bob.unwrap());
        if protocol == 9 {
            ann.send(&serde_json::json!({"type": "anything"})).await.unwrap();
            let end = bob.greet(9, "2.0").await;
            assert!(matches!(end, Err(MeetError::Incomprehensible(_))), "{end:?}");
            continue;
        }
        let (heard, said) = tokio::join!(ann.greet(protocol, first), bob.greet(7, "2.0"));
        match words {
            None => assert_eq!((heard.unwrap(), said.unwrap()), ("2.0".into(), "1.0".into())),
            Some(words) => {
                let error = said.unwrap_err().to_string();
                assert!(error.contains(words), "{error}");
                assert!(matches!(heard, Err(MeetError::Version { .. })), "{heard:?}");
            }
        }
    }
}
