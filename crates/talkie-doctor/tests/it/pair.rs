//! Two sides and all that can come between them, on one host.

use std::time::Duration;

use serde_json::{Value, json};
use talkie_doctor::Stop;
use talkie_doctor::pair::{
    CandidateType, Code, Config, Happening, MeetError, Outcome, PairError, Pairing, Role, Tried,
    pair,
};
use talkie_server::Purpose;
use talkie_signaling::sealed::{Met, SealedRoom};
use talkie_signaling::{Client, Entry, Event, Joined, Options, PeerId};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::host::Host;

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

impl Host {
    fn config(&self, scheme: &str) -> Config {
        let purpose = if scheme == "http" { Purpose::Http } else { Purpose::Https };
        let server = format!("{scheme}://{}", self.at(purpose)).parse().unwrap();
        Config { server, patience: Duration::from_secs(30) }
    }

    /// A side that runs, and what it tells.
    fn side(&self, role: Role) -> Running {
        self.side_with(self.config("http"), role, Stop::never())
    }

    fn side_with(&self, config: Config, role: Role, stop: Stop) -> Running {
        let (told, happenings) = unbounded_channel();
        let task = tokio::spawn(async move {
            let tell = |happening| {
                let _ = told.send(happening);
            };
            timeout(PATIENCE, pair(&config, role, &stop, tell)).await.expect("an end")
        });
        Running { task, happenings }
    }

    async fn client(&self) -> Client {
        let server = self.config("http").server;
        Client::connect(&server, Options::default()).await.unwrap().0
    }
}

struct Running {
    task: JoinHandle<Result<Pairing, PairError>>,
    happenings: UnboundedReceiver<Happening>,
}

impl Running {
    async fn code(&mut self) -> Code {
        loop {
            match self.happenings.recv().await.expect("a code") {
                Happening::Waiting { code, .. } => return code,
                _ => continue,
            }
        }
    }

    async fn end(self) -> Result<Pairing, PairError> {
        self.task.await.unwrap()
    }
}

#[tokio::test]
async fn two_on_one_host_meet_directly_and_measure_the_relay_too() {
    let host = Host::start().await;
    let mut first = host.side_with(host.config("https"), Role::First, Stop::never());
    let code = first.code().await;
    let second = host.side(Role::Second(code));
    let (first, second) = tokio::join!(first.end(), second.end());
    let (first, second) = (first.unwrap(), second.unwrap());
    for side in [&first, &second] {
        assert_eq!(side.verdict.outcome, Outcome::Direct, "{:?}", side.tried);
        let found = side.tried.path.unwrap();
        assert_eq!((found.local, found.remote), (CandidateType::Host, CandidateType::Host));
        assert!(side.tried.direct.is_some() && side.tried.had_relay, "{:?}", side.tried);
        assert!(side.theirs_tried.is_some());
        assert_eq!(side.ours.version, env!("CARGO_PKG_VERSION"));
    }
    assert_eq!(first.theirs.version, second.ours.version);
    let path = |tried: &Tried| tried.path.map(|it| (it.local_address, it.remote_address));
    assert_eq!(first.theirs_tried.as_ref().map(path), Some(path(&second.tried)));
    let json = serde_json::to_value(&first).unwrap();
    assert_eq!(json["verdict"]["outcome"], "direct");
    assert!(json["tried"]["directMs"].is_number(), "{json}");
}

#[tokio::test]
async fn a_code_that_nobody_waits_with_is_told_as_such() {
    let host = Host::start().await;
    let nobody = host.side(Role::Second(Code::generate().unwrap())).end().await;
    assert!(matches!(nobody, Err(PairError::Meet(MeetError::Nobody(_)))), "{nobody:?}");
    // Somebody else is in that room.
    let code = Code::generate().unwrap();
    let another = Code::generate().unwrap();
    let other = SealedRoom::new(&another.key("doctor"), &code.room("doctor"), "").unwrap();
    let client = host.client().await;
    client.join(other.join()).await.unwrap();
    let mismatch = host.side(Role::Second(code)).end().await;
    assert!(matches!(mismatch, Err(PairError::Meet(MeetError::Mismatch))), "{mismatch:?}");
}

#[tokio::test]
async fn waiting_ends_by_itself_or_when_it_is_told_to() {
    let host = Host::start().await;
    let config = Config { patience: Duration::from_millis(300), ..host.config("http") };
    let end = host.side_with(config, Role::First, Stop::never()).end().await;
    assert!(matches!(end, Err(PairError::Meet(MeetError::NobodyCame(_)))), "{end:?}");
    let (handle, stop) = Stop::new();
    let mut first = host.side_with(host.config("http"), Role::First, stop);
    let code = first.code().await;
    handle.stop();
    let end = first.end().await;
    assert!(matches!(end, Err(PairError::Stopped)), "{end:?}");
    // It said goodbye, so that the code is not good any more.
    let late = host.side(Role::Second(code)).end().await;
    assert!(matches!(late, Err(PairError::Meet(MeetError::Nobody(_)))), "{late:?}");
}

#[tokio::test]
async fn no_server_is_no_attempt() {
    let server = "http://127.0.0.1:1".parse().unwrap();
    let config = Config { server, patience: Duration::from_secs(1) };
    let end = pair(&config, Role::First, &Stop::never(), |_| {}).await;
    assert!(matches!(end, Err(PairError::Meet(MeetError::Connect(_)))), "{end:?}");
}

/// A second side that says what the test tells it.
struct Puppet {
    client: Client,
    met: Met,
    peer: PeerId,
}

impl Puppet {
    async fn enter(host: &Host, code: &Code) -> Self {
        let mut room = SealedRoom::new(&code.key("doctor"), &code.room("doctor"), "").unwrap();
        let client = host.client().await;
        let entry = client.join(room.join()).await.unwrap();
        let Entry::Joined(Joined { own, peers, .. }) = entry else { panic!("locked") };
        let met = room.meet(&own, &peers[0]).unwrap();
        Self { client, met, peer: peers[0].id.clone() }
    }

    async fn say(&mut self, message: Value) {
        let sealed = self.met.channel.seal(&message).unwrap();
        self.client.signal(&self.peer, &sealed).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        loop {
            let event = timeout(PATIENCE, self.client.event()).await.unwrap().unwrap();
            if let Event::Signal { payload, .. } = event {
                return self.met.channel.open(&payload).unwrap();
            }
        }
    }

    fn hello(protocol: u32) -> Value {
        json!({"type": "hello", "protocol": protocol, "version": "9.9\u{1b}[2J"})
    }
}

#[tokio::test]
async fn another_version_a_third_and_nonsense_are_told_apart() {
    let host = Host::start().await;
    let mut first = host.side(Role::First);
    let code = first.code().await;
    let mut puppet = Puppet::enter(&host, &code).await;
    // A third finds the place taken.
    let third = host.side(Role::Second(code)).end().await;
    assert!(matches!(third, Err(PairError::Meet(MeetError::Busy))), "{third:?}");
    assert_eq!(puppet.hear().await["protocol"], 2);
    puppet.say(Puppet::hello(3)).await;
    let end = first.end().await;
    let Err(PairError::Meet(MeetError::Version { theirs, .. })) = end else { panic!("{end:?}") };
    assert_eq!(theirs, "9.9[2J");

    for (message, expected) in [
        (json!({"type": "tried", "tried": {"hadRelay": false}}), "does not greet"),
        (json!({"type": "hello", "protocol": "one"}), "does not understand"),
        (json!([1, 2, 3]), "does not understand"),
    ] {
        let mut first = host.side(Role::First);
        let mut puppet = Puppet::enter(&host, &first.code().await).await;
        puppet.say(message).await;
        let end = first.end().await.unwrap_err();
        assert!(matches!(end, PairError::Meet(MeetError::Incomprehensible(_))), "{end}");
        assert!(end.to_string().contains(expected), "{end}");
    }
}

#[tokio::test]
async fn a_description_that_cannot_be_used_is_refused() {
    let host = Host::start().await;
    let password = "ice-pwd:0123456789abcdefghijkl";
    for attributes in [json!([]), json!(["ice-ufrag:abcd"]), json!(["ice-ufrag:a", password])] {
        let mut first = host.side(Role::First);
        let mut puppet = Puppet::enter(&host, &first.code().await).await;
        puppet.say(Puppet::hello(2)).await;
        let side = json!({"version": "9", "udp": true, "relay": null, "nats": []});
        puppet.say(json!({"type": "ready", "side": side, "attributes": attributes})).await;
        let end = first.end().await;
        assert!(matches!(end, Err(PairError::Meet(MeetError::Incomprehensible(_)))), "{end:?}");
    }
}

#[tokio::test]
async fn a_peer_that_disappears_in_the_middle_is_missed_at_once() {
    let host = Host::start().await;
    for greets in [false, true] {
        let mut first = host.side(Role::First);
        let mut puppet = Puppet::enter(&host, &first.code().await).await;
        if greets {
            puppet.say(Puppet::hello(2)).await;
            // The other side is ready, and waits for what will not come.
            while puppet.hear().await["type"] != "ready" {}
        }
        puppet.client.close().await;
        let end = first.end().await;
        assert!(matches!(end, Err(PairError::Meet(MeetError::Gone { lost: false }))), "{end:?}");
    }
}

#[tokio::test]
async fn what_was_changed_on_the_way_ends_it() {
    let host = Host::start().await;
    let mut first = host.side(Role::First);
    let puppet = Puppet::enter(&host, &first.code().await).await;
    // As a server would that has no key.
    let plain = Puppet::hello(2);
    puppet.client.signal(&puppet.peer, &plain).await.unwrap();
    let end = first.end().await;
    assert!(matches!(end, Err(PairError::Meet(MeetError::Tampered))), "{end:?}");
}
