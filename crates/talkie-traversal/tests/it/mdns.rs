//! Names that hide addresses: what is said on the link, when, and to whom; and what is not.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use talkie_sansio::conformance::{self, Input};
use talkie_sansio::{
    Answer, Datagram, Genesis, Hosted as _, Interface, Machine as _, Path, Transport, Want,
    WantError,
};
use talkie_traversal::mdns::message::{Data, Message, Name, Question, Record, kind};
use talkie_traversal::mdns::{Config, Event, Mdns, ResolveError, TooMany, Why};

const SECOND: Duration = Duration::from_secs(1);
const GROUP: &str = "224.0.0.251:5353";
const OWN: &str = "192.168.1.5";
const PEER: &str = "192.168.1.9:5353";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn path(remote: SocketAddr) -> Path {
    Path { transport: Transport::Udp, local: SocketAddr::new(ip(OWN), 5353), remote }
}

/// One machine with a socket at one interface.
struct Bench {
    mdns: Mdns,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let genesis = conformance::genesis();
        Self { mdns: machine(genesis.clone()), now: genesis.now }
    }

    /// All that it sends by now.
    fn sent(&mut self) -> Vec<(SocketAddr, Message)> {
        let mut buf = Vec::new();
        std::iter::from_fn(|| {
            buf.clear();
            let transmit = self.mdns.poll_transmit(&mut buf)?;
            assert_eq!(transmit.path.local, path(at(PEER)).local);
            Some((transmit.path.remote, Message::parse(&buf).unwrap()))
        })
        .collect()
    }

    /// Lets time pass, with the timers on time, and returns what it sent and after how long.
    fn pass(&mut self, span: Duration) -> Vec<(Duration, SocketAddr, Message)> {
        let (start, until) = (self.now, self.now + span);
        let mut all = Vec::new();
        while let Some(due) = self.mdns.poll_timeout().filter(|due| *due <= until) {
            assert!(due > self.now || all.is_empty());
            self.now = due.max(self.now);
            self.mdns.handle_timeout(self.now);
            let sent = self.sent().into_iter();
            all.extend(sent.map(|(to, message)| (self.now - start, to, message)));
        }
        self.now = until;
        all
    }

    fn hear(&mut self, remote: &str, message: &Message) -> Vec<(SocketAddr, Message)> {
        let payload = &mut message.to_bytes();
        self.mdns.handle_datagram(self.now, Datagram { path: path(at(remote)), payload });
        self.sent()
    }

    /// A name that has been told twice, long ago.
    fn settled(&mut self) -> String {
        let name = self.mdns.register(self.now, ip(OWN)).unwrap();
        self.sent();
        self.pass(60 * SECOND);
        name
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.mdns.poll_event()).collect()
    }
}

/// Joined at one interface, with whatever wants it has had answered.
fn machine(genesis: Genesis) -> Mdns {
    let mut mdns = Mdns::new(&genesis, Config::default());
    mdns.handle_interfaces(genesis.now, &[interface("eth0", OWN), interface("lo", "127.0.0.1")]);
    assert!(mdns.poll_want().is_none(), "nothing is wanted while there is no name");
    mdns.resolve(genesis.now, "wakes-it.local").unwrap();
    let Some(Want::Join { id, interface, group }) = mdns.poll_want() else {
        panic!("it joins");
    };
    assert_eq!((interface, group), (ip(OWN), at(GROUP)));
    assert!(mdns.poll_want().is_none(), "one socket for one family at one interface");
    mdns.forget(genesis.now, "wakes-it.local");
    mdns.handle_answer(genesis.now, Answer::Bound { id, local: path(at(PEER)).local });
    mdns
}

fn interface(name: &str, address: &str) -> Interface {
    Interface::new(name, ip(address))
}

fn question(name: &str, kind: u16, unicast: bool) -> Message {
    let name = Name::from_text(name).unwrap();
    Message { questions: vec![Question { name, kind, unicast }], ..Message::default() }
}

fn record(name: &str, ttl: u32, address: &str) -> Record {
    let name = Name::from_text(name).unwrap();
    Record { name, flush: true, ttl, data: Data::Address(ip(address)) }
}

fn answer(name: &str, ttl: u32, address: &str) -> Message {
    let answers = vec![record(name, ttl, address)];
    Message { is_response: true, answers, ..Message::default() }
}

/// What every multicast of `name` says.
fn told(name: &str, ttl: u32) -> Message {
    let mut message = answer(name, ttl, OWN);
    if ttl > 0 {
        let nsec = Record { data: Data::Other(kind::NSEC), ..record(name, ttl, OWN) };
        message.additional.push(nsec);
    }
    message
}

#[test]
fn a_name_is_a_random_uuid_and_told_twice() {
    let mut bench = Bench::new();
    let name = bench.mdns.register(bench.now, ip(OWN)).unwrap();
    // RFC 9562 §5.4: version 4 of the variant 10.
    let uuid: Vec<_> = name.strip_suffix(".local").unwrap().split('-').collect();
    assert_eq!(uuid.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert!(uuid[2].starts_with('4') && uuid[3].starts_with(['8', '9', 'a', 'b']));
    assert!(uuid.concat().bytes().all(|b| b.is_ascii_hexdigit()));

    assert_eq!(bench.mdns.register(bench.now, ip(OWN)), Ok(name.clone()), "one for one address");
    assert_eq!(bench.sent(), [(at(GROUP), told(&name, 120))]);
    assert_eq!(bench.pass(3600 * SECOND), [(SECOND, at(GROUP), told(&name, 120))]);
    assert_eq!(bench.mdns.poll_timeout(), None, "and then it is idle");
}

#[test]
fn a_question_is_answered_to_all_once_a_second_at_most() {
    let mut bench = Bench::new();
    let name = bench.settled();
    for kind in [kind::A, kind::AAAA, kind::ANY] {
        let sent = bench.hear(PEER, &question(&name.to_uppercase(), kind, false));
        assert_eq!(sent, [(at(GROUP), told(&name, 120))], "the type {kind}");
        bench.pass(SECOND);
    }
    // A thousand questions within the second after an answer get one answer, at its end.
    assert_eq!(bench.hear(PEER, &question(&name, kind::A, false)).len(), 1);
    for _ in 0..1000 {
        assert_eq!(bench.hear(PEER, &question(&name, kind::A, false)), []);
    }
    let sent = bench.pass(10 * SECOND);
    assert_eq!(sent, [(SECOND, at(GROUP), told(&name, 120))]);
}

#[test]
fn who_asks_for_itself_is_answered_alone_while_others_know() {
    let mut bench = Bench::new();
    let name = bench.settled();
    // Nobody has heard it for longer than a quarter of its life: all shall.
    let sent = bench.hear(PEER, &question(&name, kind::A, true));
    assert_eq!(sent, [(at(GROUP), told(&name, 120))]);
    let sent = bench.hear(PEER, &question(&name, kind::A, true));
    assert_eq!(sent, [(at(PEER), told(&name, 120))]);
    bench.pass(31 * SECOND);
    let sent = bench.hear(PEER, &question(&name, kind::A, true));
    assert_eq!(sent, [(at(GROUP), told(&name, 120))]);
}

#[test]
fn who_knows_the_answer_gets_none() {
    let mut bench = Bench::new();
    let name = bench.settled();
    let knowing = |ttl, address| {
        let mut message = question(&name, kind::A, false);
        message.answers.push(record(&name, ttl, address));
        message
    };
    assert_eq!(bench.hear(PEER, &knowing(60, OWN)), []);
    assert_eq!(bench.hear(PEER, &knowing(60, "192.168.1.6")).len(), 1, "it knows another");
    bench.pass(SECOND);
    assert_eq!(bench.hear(PEER, &knowing(59, OWN)).len(), 1, "it knows it not for long");
}

#[test]
fn an_ordinary_resolver_gets_an_ordinary_answer() {
    let mut bench = Bench::new();
    let name = bench.settled();
    let mut query = question(&name, kind::A, false);
    query.id = 4711;
    let expected = Message {
        id: 4711,
        questions: query.questions.clone(),
        answers: vec![Record { flush: false, ..record(&name, 10, OWN) }],
        ..told(&name, 0)
    };
    let sent = bench.hear("192.168.1.9:40000", &query);
    assert_eq!(sent, [(at("192.168.1.9:40000"), expected)]);
    // Of the other family there is nothing to say.
    assert_eq!(bench.hear("192.168.1.9:40000", &question(&name, kind::AAAA, false)), []);
}

#[test]
fn other_networks_and_other_names_get_nothing() {
    let mut bench = Bench::new();
    let name = bench.settled();
    for stranger in ["8.8.8.8:5353", "10.0.0.1:5353", "8.8.8.8:40000", "0.0.0.0:5353"] {
        assert_eq!(bench.hear(stranger, &question(&name, kind::A, true)), []);
    }
    assert_eq!(bench.mdns.counters().off_link, 4);
    for other in ["x.local", "local", &format!("x.{name}")] {
        assert_eq!(bench.hear(PEER, &question(other, kind::ANY, false)), []);
    }
    assert_eq!(bench.pass(10 * SECOND), []);
}

#[test]
fn it_is_no_amplifier() {
    let mut bench = Bench::new();
    let name = bench.settled();
    bench.hear(PEER, &question(&name, kind::A, true));
    for victim in ["192.168.1.66:5353", "192.168.1.66:53"] {
        let query = question(&name, kind::A, true);
        let (mut asked, mut answered, mut answers) = (0, 0, 0);
        for _ in 0..10_000 {
            asked += query.to_bytes().len();
            for (to, message) in bench.hear(victim, &query) {
                assert_eq!(to, at(victim));
                answered += message.to_bytes().len();
                assert!(message.to_bytes().len() <= 2 * query.to_bytes().len());
                answers += 1;
            }
            bench.pass(Duration::from_millis(1));
        }
        // A burst of 20 and ten a second, for ten seconds.
        assert!((90..=121).contains(&answers), "{answers}");
        assert!(answered < asked / 40);
    }
    assert!(bench.mdns.counters().limited > 19_000);
    // One question a thousand times in one packet is one question.
    let mut many = question(&name, kind::A, false);
    many.questions = vec![many.questions[0].clone(); 1000];
    let sent = bench.hear("192.168.1.66:53", &many);
    assert!(sent.len() <= 1 && sent.iter().all(|(_, message)| message.answers.len() == 1));
}

#[test]
fn a_name_is_taken_back_at_the_end() {
    let mut bench = Bench::new();
    let name = bench.settled();
    bench.mdns.unregister(bench.now, ip(OWN));
    assert_eq!(bench.sent(), [(at(GROUP), told(&name, 0))]);
    assert_eq!(bench.hear(PEER, &question(&name, kind::A, false)), []);

    let second = bench.settled();
    assert_ne!(second, name, "a name is never used again");
    bench.mdns.close(bench.now);
    assert!(bench.mdns.poll_want().is_none(), "the socket is needed for the goodbye");
    assert_eq!(bench.sent(), [(at(GROUP), told(&second, 0))]);
    assert!(matches!(bench.mdns.poll_want(), Some(Want::Close { .. })));
    assert!(bench.mdns.poll_want().is_none());
    assert_eq!(bench.mdns.poll_timeout(), None);
}

#[test]
fn an_address_is_told_on_its_own_link_only() {
    let genesis = conformance::genesis();
    let mut mdns = Mdns::new(&genesis, Config::default());
    let both =
        [interface("eth0", OWN), interface("wlan0", "10.0.0.5"), interface("wlan0", "fe80::5")];
    mdns.handle_interfaces(genesis.now, &both);
    let name = mdns.register(genesis.now, ip("10.0.0.5")).unwrap();
    let mut joined = Vec::new();
    while let Some(want) = mdns.poll_want() {
        let Want::Join { id, interface, group } = want else { panic!("{want:?}") };
        joined.push((interface, group));
        let local = SocketAddr::new(interface, 5353);
        mdns.handle_answer(genesis.now, Answer::Bound { id, local });
    }
    let v6 = at("[ff02::fb]:5353");
    assert_eq!(joined, [(ip(OWN), at(GROUP)), (ip("10.0.0.5"), at(GROUP)), (ip("fe80::5"), v6)]);
    let mut sent = Vec::new();
    let mut buf = Vec::new();
    while let Some(transmit) = mdns.poll_transmit(&mut buf) {
        sent.push(transmit.path.local.ip());
    }
    assert_eq!(sent, [ip("10.0.0.5"), ip("fe80::5")]);
    // Asked on the other one, it says nothing.
    let payload = &mut question(&name, kind::A, false).to_bytes();
    mdns.handle_datagram(genesis.now + 5 * SECOND, Datagram { path: path(at(PEER)), payload });
    mdns.handle_timeout(genesis.now + 5 * SECOND);
    while let Some(transmit) = mdns.poll_transmit(&mut buf) {
        assert_ne!(transmit.path.local.ip(), ip(OWN));
    }
}

#[test]
fn a_name_is_asked_for_again_and_then_given_up() {
    let mut bench = Bench::new();
    bench.mdns.resolve(bench.now, "39023af8-02bd.local").unwrap();
    bench.mdns.resolve(bench.now, "39023AF8-02bd.local.").unwrap();
    let sent = bench.sent();
    // Chromium takes no message with two questions.
    let asked: Vec<_> = sent
        .iter()
        .map(|(to, query)| {
            assert_eq!((*to, query.questions.len()), (at(GROUP), 1));
            (query.questions[0].kind, query.questions[0].unicast)
        })
        .collect();
    assert_eq!(asked, [(kind::A, false), (kind::AAAA, false)], "once for one name");
    let later: Vec<_> = bench.pass(9 * SECOND).into_iter().map(|(at, ..)| at.as_secs()).collect();
    assert_eq!(later, [1, 1, 3, 3, 7, 7]);
    assert_eq!(bench.events(), []);
    assert_eq!(bench.pass(SECOND), []);
    let (name, why) = ("39023af8-02bd.local".to_owned(), Why::NoAnswer);
    assert_eq!(bench.events(), [Event::Unresolved { name, why }]);
    assert_eq!(bench.mdns.poll_timeout(), None);
}

#[test]
fn the_first_answer_counts() {
    let mut bench = Bench::new();
    bench.mdns.resolve(bench.now, "a.local").unwrap();
    bench.sent();
    for (remote, message) in [
        // From another port, another network, for another name, taken back, of nowhere.
        ("192.168.1.9:5354", answer("a.local", 120, "192.168.1.9")),
        ("8.8.8.8:5353", answer("a.local", 120, "192.168.1.9")),
        (PEER, answer("b.local", 120, "192.168.1.9")),
        (PEER, answer("a.local", 0, "192.168.1.9")),
        (PEER, answer("a.local", 120, "0.0.0.0")),
        (PEER, answer("a.local", 120, "224.0.0.1")),
        (PEER, answer("a.local", 120, "255.255.255.255")),
        // A question that brings the answer along is no answer.
        (PEER, Message { is_response: false, ..answer("a.local", 120, "192.168.1.9") }),
    ] {
        bench.hear(remote, &message);
        assert_eq!(bench.events(), [], "{remote} {message:?}");
    }
    let mut good = answer("A.local", 120, "192.168.1.9");
    good.answers.push(record("a.local", 120, "192.168.1.9"));
    bench.hear(PEER, &good);
    bench.hear(PEER, &answer("a.local", 120, "192.168.1.10"));
    let (name, addresses) = ("a.local".to_owned(), vec![ip("192.168.1.9")]);
    assert_eq!(bench.events(), [Event::Resolved { name, addresses }]);
    assert_eq!(bench.pass(20 * SECOND), [], "and nothing more is asked");
}

#[test]
fn our_own_names_need_no_question() {
    let mut bench = Bench::new();
    let name = bench.settled();
    bench.mdns.resolve(bench.now, &name).unwrap();
    assert_eq!(bench.sent(), []);
    assert_eq!(bench.events(), [Event::Resolved { name, addresses: vec![ip(OWN)] }]);
}

#[test]
fn names_of_other_forms_and_too_many_are_refused() {
    let mut bench = Bench::new();
    for bad in ["", "local", ".local", "a.b.local", "example.org", "a.local.org", "\u{e9}"] {
        assert_eq!(bench.mdns.resolve(bench.now, bad), Err(ResolveError::Name), "{bad}");
    }
    assert_eq!(
        bench.mdns.resolve(bench.now, &format!("{}.local", "x".repeat(64))),
        Err(ResolveError::Name)
    );
    for index in 0..64 {
        assert_eq!(bench.mdns.resolve(bench.now, &format!("n{index}.local")), Ok(()));
        let address = IpAddr::from([10, 0, 0, index]);
        assert!(bench.mdns.register(bench.now, address).is_ok());
    }
    assert_eq!(bench.mdns.resolve(bench.now, "n64.local"), Err(ResolveError::Full));
    assert_eq!(bench.mdns.resolve(bench.now, "n63.local"), Ok(()));
    assert_eq!(bench.mdns.register(bench.now, ip("10.0.0.64")), Err(TooMany));
    bench.mdns.forget(bench.now, "n0.local");
    assert_eq!(bench.mdns.resolve(bench.now, "n64.local"), Ok(()));
}

#[test]
fn without_multicast_the_reason_is_told() {
    let genesis = conformance::genesis();
    let mut mdns = Mdns::new(&genesis, Config { first_want: 1000, ..Config::default() });
    mdns.handle_interfaces(genesis.now, &[interface("eth0", OWN)]);
    mdns.resolve(genesis.now, "a.local").unwrap();
    let Some(Want::Join { id, .. }) = mdns.poll_want() else { panic!("it joins") };
    assert_eq!(id.0, 1000);
    let error = WantError::Unsupported;
    mdns.handle_answer(genesis.now, Answer::Failed { id, error: error.clone() });
    assert_eq!(mdns.poll_event(), Some(Event::Unavailable { interface: ip(OWN), error }));
    mdns.handle_timeout(genesis.now + 10 * SECOND);
    let (name, why) = ("a.local".to_owned(), Why::NoMulticast);
    assert_eq!(mdns.poll_event(), Some(Event::Unresolved { name, why }));
}

#[test]
fn another_network_is_joined_and_the_old_one_left() {
    let mut bench = Bench::new();
    bench.settled();
    bench.mdns.resolve(bench.now, "a.local").unwrap();
    bench.sent();
    bench.mdns.handle_interfaces(bench.now, &[interface("wlan0", "10.0.0.5")]);
    let Some(Want::Join { id, interface, .. }) = bench.mdns.poll_want() else { panic!("it joins") };
    assert_eq!(interface, ip("10.0.0.5"));
    assert!(matches!(bench.mdns.poll_want(), Some(Want::Close { .. })));
    assert!(bench.mdns.poll_want().is_none());
    assert_eq!(bench.pass(2 * SECOND), [], "there is no link to ask on");
    let local = at("10.0.0.5:5353");
    bench.mdns.handle_answer(bench.now, Answer::Bound { id, local });
    let mut buf = Vec::new();
    let mut sent = Vec::new();
    while let Some(transmit) = bench.mdns.poll_transmit(&mut buf) {
        assert_eq!(transmit.path.local, local, "it is asked for on the new one at once");
        sent.push(Message::parse(&buf[buf.len() - transmit.len..]).unwrap());
    }
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|message| !message.is_response), "an address that is gone is not told");
}

#[test]
fn the_contract_of_machines_is_kept() {
    let name = |genesis: &Genesis| {
        let mut mdns = machine(genesis.clone());
        mdns.register(genesis.now, ip(OWN)).unwrap()
    };
    let name = name(&conformance::genesis());
    let hostile = {
        let mut bytes = question(&name, kind::A, false).to_bytes();
        bytes[12] = 0xc0;
        bytes
    };
    let inputs = [
        question(&name, kind::A, false).to_bytes(),
        question(&name, kind::AAAA, true).to_bytes(),
        answer("a.local", 120, "192.168.1.9").to_bytes(),
        answer("b.local", 0, "192.168.1.9").to_bytes(),
        hostile,
        b"garbage".to_vec(),
        Vec::new(),
    ];
    let mut script = Vec::new();
    for bytes in inputs {
        for remote in [PEER, "192.168.1.9:40000", "8.8.8.8:5353"] {
            script.push(Input::Datagram(path(at(remote)), bytes.clone()));
            script.push(Input::Elapse(Duration::from_millis(300)));
        }
    }
    script.push(Input::Elapse(60 * SECOND));
    let make = |genesis: Genesis| {
        let mut mdns = machine(genesis.clone());
        mdns.register(genesis.now, ip(OWN)).unwrap();
        mdns.resolve(genesis.now, "a.local").unwrap();
        mdns.resolve(genesis.now, "b.local").unwrap();
        mdns
    };
    conformance::check(make, || (), &script, 256);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Some(message) = Message::parse(&bytes) {
            prop_assert!(message.questions.len() <= Message::MOST_ENTRIES);
        }
        let mut bench = Bench::new();
        bench.settled();
        let payload = &mut bytes.clone();
        bench.mdns.handle_datagram(bench.now, Datagram { path: path(at(PEER)), payload });
        prop_assert!(bench.sent().len() <= 1);
    }
}
