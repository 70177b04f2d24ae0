//! Hole punching opposite strangers, liars and the conformance kit.

use std::time::{Duration, Instant};

use talkie_sansio::conformance::{self, Input};
use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};
use talkie_traversal::punch::{Config, Description, Error, Event, Failure, Punch};
use talkie_traversal::stun::attributes::{
    IceControlled, Priority, UseCandidate, Username, XorMappedAddress,
};
use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};

use crate::discover_world::secs;
use crate::turn_world::addr;

const HERE: &str = "10.0.0.2:50000";
const THERE: &str = "192.0.2.7:6000";
const PASSWORD: &str = "0123456789abcdefghijkl";

/// Theirs; its name is less than any of ours, so that we choose the path.
fn theirs() -> Description {
    format!("1 ++++ {PASSWORD} host={THERE}").parse().unwrap()
}

fn genesis() -> Genesis {
    conformance::genesis()
}

/// A side whose other side is the test's own hand.
struct Scripted {
    punch: Punch,
    now: Instant,
    ours: Description,
    password: String,
}

impl Scripted {
    fn new() -> Self {
        let genesis = genesis();
        let mut punch = Punch::new(&genesis, Config::new(vec![addr(HERE)])).unwrap();
        let Some(Event::Gathered(ours)) = punch.poll_event() else { panic!("nothing gathered") };
        punch.handle_remote(genesis.now, &theirs()).unwrap();
        let password = ours.to_string().split(' ').nth(2).unwrap().to_owned();
        Self { punch, now: genesis.now, ours, password }
    }

    fn hear_from(&mut self, remote: &str, bytes: &[u8]) {
        let path = Path { transport: Transport::Udp, local: addr(HERE), remote: addr(remote) };
        let datagram = Datagram { path, payload: &mut bytes.to_vec() };
        self.punch.handle_datagram(self.now, datagram);
    }

    fn sent(&mut self) -> Vec<(Path, Vec<u8>)> {
        let mut sent = Vec::new();
        let mut buf = Vec::new();
        while let Some(transmit) = self.punch.poll_transmit(&mut buf) {
            sent.push((transmit.path, std::mem::take(&mut buf)));
        }
        sent
    }

    /// The next check, waiting for it.
    fn check(&mut self) -> Vec<u8> {
        loop {
            for (path, bytes) in self.sent() {
                if path.remote == addr(THERE) {
                    return bytes;
                }
            }
            self.now = self.punch.poll_timeout().expect("it goes on");
            self.punch.handle_timeout(self.now);
        }
    }

    /// A check of theirs, signed with our password as it should be.
    fn request(&self, id: u8) -> Vec<u8> {
        request(id, &format!("{}:++++", self.ours.ufrag()), &self.password)
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.punch.poll_event()).collect()
    }
}

fn request(id: u8, username: &str, password: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([id; 12]))
        .attribute(&Username::new(username).unwrap())
        .attribute(&Priority(110 << 24))
        .attribute(&IceControlled(7))
        .integrity(&Key::short_term(password))
        .fingerprint();
    bytes
}

fn answer(check: &[u8], password: &str) -> Vec<u8> {
    let id = Message::parse(check).unwrap().transaction_id();
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Success, Method::BINDING, id)
        .attribute(&XorMappedAddress(addr("198.51.100.1:50000")))
        .integrity(&Key::short_term(password))
        .fingerprint();
    bytes
}

#[test]
fn what_does_not_prove_who_it_is_costs_nothing() {
    let mut scripted = Scripted::new();
    let _ = scripted.sent();
    let good = scripted.request(1);
    let mut cut = good.clone();
    cut.truncate(40);
    let name = format!("{}:++++", scripted.ours.ufrag());
    let password = scripted.password.clone();
    let strangers = [
        request(2, &name, "another password"),
        request(3, "some:body", &password),
        // Another side of ours.
        request(4, &format!("{}:----", scripted.ours.ufrag()), &password),
        cut,
        b"hello".to_vec(),
        Vec::new(),
        good[..good.len() - 8].to_vec(),
    ];
    let total = strangers.len() as u64;
    let deadline = scripted.punch.poll_timeout();
    for bytes in strangers {
        scripted.hear_from("203.0.113.9:9", &bytes);
    }
    assert!(scripted.sent().is_empty(), "no word to strangers");
    assert_eq!(scripted.punch.counters().unexpected, total);
    assert_eq!(scripted.punch.poll_timeout(), deadline, "and no timer");
    // The true one is answered, with less than it has.
    scripted.hear_from(THERE, &good);
    let (path, bytes) = scripted.sent().remove(0);
    assert_eq!(path.remote, addr(THERE));
    assert!(bytes.len() < good.len(), "{} < {}", bytes.len(), good.len());
    let response = Message::parse(&bytes).unwrap();
    assert_eq!(response.check_integrity(&Key::short_term(&password)), Some(true));
}

#[test]
fn a_forged_answer_makes_no_path() {
    let mut scripted = Scripted::new();
    for _ in 0..10 {
        let check = scripted.check();
        scripted.hear_from(THERE, &answer(&check, "another password"));
        // Right, but from elsewhere.
        scripted.hear_from("203.0.113.9:9", &answer(&check, PASSWORD));
    }
    assert!(scripted.events().is_empty());
    assert_eq!(scripted.punch.counters().unexpected, 20);
    for _ in 0..4 {
        let check = scripted.check();
        scripted.hear_from(THERE, &answer(&check, PASSWORD));
        scripted.now += Duration::from_millis(150);
        scripted.punch.handle_timeout(scripted.now);
    }
    assert!(matches!(scripted.events()[..], [Event::Connected(_), ..]));
}

#[test]
fn the_choosing_side_is_not_told_what_to_choose() {
    let mut scripted = Scripted::new();
    let mut bytes = Vec::new();
    let name = format!("{}:++++", scripted.ours.ufrag());
    Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([9; 12]))
        .attribute(&Username::new(&name).unwrap())
        .attribute(&UseCandidate)
        .integrity(&Key::short_term(&scripted.password))
        .fingerprint();
    let check = scripted.check();
    scripted.hear_from(THERE, &answer(&check, PASSWORD));
    scripted.hear_from(THERE, &bytes);
    assert!(scripted.events().is_empty(), "its own nomination has not been answered");
}

#[test]
fn a_side_that_speaks_from_everywhere_is_held_in_bounds() {
    let mut scripted = Scripted::new();
    let request = scripted.request(1);
    for port in 1..=5000 {
        scripted.hear_from(&format!("203.0.113.9:{port}"), &request);
    }
    assert!(scripted.sent().len() <= 64, "answers that nobody fetches do not pile up");
    let mut remotes = std::collections::BTreeSet::new();
    let mut checks = 0;
    while let Some(deadline) = scripted.punch.poll_timeout() {
        scripted.now = deadline;
        scripted.punch.handle_timeout(deadline);
        for (path, _) in scripted.sent() {
            remotes.insert(path.remote);
            checks += 1;
        }
    }
    assert!(remotes.len() <= 17, "{} addresses were tried", remotes.len());
    assert!(checks < 600, "{checks} checks");
    assert_eq!(scripted.events(), [Event::Failed(Failure::OneWay)]);
}

#[test]
fn who_has_ended_answers_and_tries_nothing_any_more() {
    let mut scripted = Scripted::new();
    scripted.punch.close(scripted.now);
    let _ = scripted.sent();
    scripted.hear_from(THERE, &scripted.request(1));
    let sent: Vec<_> = scripted.sent().iter().map(|(_, bytes)| bytes[..2].to_vec()).collect();
    assert_eq!(sent, [[1, 1]], "one Binding success and no check");
    assert_eq!(scripted.punch.poll_timeout(), None);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let genesis = genesis();
    let new = |local: Vec<_>| Punch::new(&genesis, Config::new(local)).err();
    assert_eq!(new(Vec::new()), Some(Error::Setup));
    assert_eq!(new(vec![addr(HERE); 9]), Some(Error::Setup));
    assert_eq!(new(vec![addr("0.0.0.0:5")]), Some(Error::Unspecified));
    let mut punch = Punch::new(&genesis, Config::new(vec![addr(HERE)])).unwrap();
    let Some(Event::Gathered(ours)) = punch.poll_event() else { panic!("nothing gathered") };
    assert_eq!(punch.handle_remote(genesis.now, &ours), Err(Error::Mirrored));
    assert_eq!(punch.handle_remote(genesis.now, &theirs()), Ok(()));
    assert_eq!(punch.handle_remote(genesis.now, &theirs()), Err(Error::Late));
}

#[test]
fn the_contract_of_machines_is_kept() {
    let make = |genesis: Genesis| {
        let config = Config { stun: vec![addr("192.0.2.1:3478")], ..Config::new(vec![addr(HERE)]) };
        let mut punch = Punch::new(&genesis, config).unwrap();
        punch.handle_remote(genesis.now, &theirs()).unwrap();
        punch
    };
    // What the machine sends depends on its seed alone, so that one run's answers fit the next.
    let mut punch = make(genesis());
    let ours = punch_description(&genesis());
    let password = ours.to_string().split(' ').nth(2).unwrap().to_owned();
    let mut now = genesis().now;
    let mut script = Vec::new();
    let path = Path { transport: Transport::Udp, local: addr(HERE), remote: addr(THERE) };
    for round in 0..60_u8 {
        let mut inputs = vec![
            request(round, &format!("{}:++++", ours.ufrag()), &password),
            vec![round; usize::from(round)],
        ];
        let mut buf = Vec::new();
        while let Some(transmit) = punch.poll_transmit(&mut buf) {
            let sent = std::mem::take(&mut buf);
            let is_request = sent.starts_with(&[0, 1]);
            if transmit.path.remote == addr(THERE) && is_request && round > 10 {
                inputs.push(answer(&sent, PASSWORD));
            }
        }
        for bytes in inputs {
            script.push(Input::Datagram(path, bytes.clone()));
            punch.handle_datagram(now, Datagram { path, payload: &mut bytes.clone() });
        }
        let deadline = punch.poll_timeout().unwrap();
        script.push(Input::Elapse(deadline - now));
        now = deadline;
        punch.handle_timeout(now);
    }
    script.push(Input::Elapse(secs(100)));
    let record = conformance::run(make, (), &script);
    let connected = record.events.iter().filter(|event| event.starts_with("Connected"));
    assert_eq!(connected.count(), 1, "{:#?}", record.events);
    assert!(record.events.iter().any(|event| event.starts_with("Failed(Lost")));
    conformance::check(make, || (), &script, 80);
}

/// The description that a machine of this genesis has.
fn punch_description(genesis: &Genesis) -> Description {
    let mut punch = Punch::new(genesis, Config::new(vec![addr(HERE)])).unwrap();
    match punch.poll_event() {
        Some(Event::Gathered(description)) => description,
        other => panic!("{other:?}"),
    }
}
