//! A client opposite something that is not, or not quite, a TURN server.

use std::time::Duration;

use talkie_sansio::conformance::{self, Input};
use talkie_sansio::{Datagram, Machine as _, Transport};
use talkie_traversal::stun::attributes::{
    AlternateServer, ErrorCode, Lifetime, Nonce, PasswordAlgorithms, Realm, UserHash, Username,
    XorMappedAddress, XorPeerAddress, XorRelayedAddress,
};
use talkie_traversal::stun::auth::{Key, PasswordAlgorithm};
use talkie_traversal::stun::credential::ChallengeError;
use talkie_traversal::stun::{
    Attribute as _, AttributeType, Class, Message, Method, TransactionId, Writer,
};
use talkie_traversal::turn::client::{Client, Config, End, Event, Failure};

use crate::client_world::{Pair, ann, path};
use crate::turn_world::{addr, config};

/// A client whose server is the test's own hand.
struct Scripted {
    client: Client,
    now: std::time::Instant,
    transport: Transport,
}

impl Scripted {
    fn new(transport: Transport) -> Self {
        let genesis = conformance::genesis();
        let client = Client::new(&genesis, path(transport), ann(), Config::default());
        Self { client, now: genesis.now, transport }
    }

    /// The next request.
    fn request(&mut self) -> Vec<u8> {
        let mut buf = Vec::new();
        let sent = self.client.poll_transmit(&mut buf);
        assert_eq!(sent.map(|sent| sent.len), Some(buf.len()), "nothing was sent");
        buf
    }

    fn is_silent(&mut self) -> bool {
        self.client.poll_transmit(&mut Vec::new()).is_none()
    }

    /// Answers the request with what `write` makes.
    fn answer(&mut self, request: &[u8], class: Class, write: impl FnOnce(&mut Writer<'_>)) {
        let request = Message::parse(request).unwrap();
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, class, request.method(), request.transaction_id());
        write(&mut writer);
        let datagram = Datagram { path: path(self.transport), payload: &mut bytes };
        self.client.handle_datagram(self.now, datagram);
    }

    fn challenge(&mut self, code: ErrorCode<'_>, nonce: &str) {
        let request = self.request();
        self.answer(&request, Class::Error, |writer| {
            writer
                .attribute(&code)
                .attribute(&Realm::new("test").unwrap())
                .attribute(&Nonce::new(nonce).unwrap());
        });
    }

    /// One that has an allocation.
    fn allocated(lifetime: Duration) -> Self {
        let mut server = Self::new(Transport::Udp);
        server.challenge(ErrorCode::UNAUTHENTICATED, "nonce");
        let request = server.request();
        server.answer(&request, Class::Success, |writer| {
            writer
                .attribute(&XorRelayedAddress(addr("192.0.2.1:50000")))
                .attribute(&XorMappedAddress(addr("198.51.100.7:1000")))
                .attribute(&Lifetime(lifetime))
                .integrity(&key());
        });
        assert!(matches!(server.client.poll_event(), Some(Event::Allocated { .. })));
        server
    }

    fn refresh(&mut self) -> Vec<u8> {
        let request = self.request();
        assert_eq!(Message::parse(&request).unwrap().method(), Method::REFRESH);
        request
    }

    fn ended(&mut self) -> Option<End> {
        match self.client.poll_event() {
            Some(Event::Ended(end)) => Some(end),
            Some(event) => panic!("{event:?}"),
            None => None,
        }
    }
}

fn key() -> Key {
    Key::long_term(PasswordAlgorithm::Md5, "ann", "test", "pass")
}

#[test]
fn an_endless_row_of_stale_nonces_ends() {
    let mut server = Scripted::new(Transport::Udp);
    server.challenge(ErrorCode::UNAUTHENTICATED, "first");
    for round in 0..3 {
        assert_eq!(server.ended(), None);
        server.challenge(ErrorCode::STALE_NONCE, &format!("nonce {round}"));
    }
    assert_eq!(server.ended(), Some(End::Failed(Failure::NonceLoop)));
    assert!(server.is_silent());
}

#[test]
fn realms_that_change_forever_end_too() {
    let mut server = Scripted::new(Transport::Udp);
    for round in 0..4 {
        let request = server.request();
        server.answer(&request, Class::Error, |writer| {
            writer
                .attribute(&ErrorCode::UNAUTHENTICATED)
                .attribute(&Realm::new(&format!("realm {round}")).unwrap())
                .attribute(&Nonce::new("nonce").unwrap());
        });
    }
    assert_eq!(server.ended(), Some(End::Failed(Failure::NonceLoop)));
}

#[test]
fn a_stripped_list_of_password_algorithms_is_seen() {
    // RFC 8489 §9.2.5: the nonce says "password algorithms", the list is not there.
    for nonce in ["obMatJos2AAABrest", "obMatJos2gAAArest"] {
        let mut server = Scripted::new(Transport::Udp);
        server.challenge(ErrorCode::UNAUTHENTICATED, nonce);
        let bid_down = Failure::Challenge(ChallengeError::BidDown);
        assert_eq!(server.ended(), Some(End::Failed(bid_down)), "{nonce}");
        assert!(server.is_silent());
    }
}

#[test]
fn a_server_that_listed_algorithms_cannot_take_them_back() {
    let mut server = Scripted::new(Transport::Udp);
    challenge_with_list(&mut server, PasswordAlgorithms::SHA256_MD5.as_bytes());
    let request = server.request();
    let message = Message::parse(&request).unwrap();
    assert_eq!(message.get::<PasswordAlgorithm>(), Ok(Some(PasswordAlgorithm::Sha256)));
    assert_eq!(message.get::<PasswordAlgorithms<'_>>(), Ok(Some(PasswordAlgorithms::SHA256_MD5)));
    server.answer(&request, Class::Error, |writer| {
        writer
            .attribute(&ErrorCode::STALE_NONCE)
            .attribute(&Realm::new("test").unwrap())
            .attribute(&Nonce::new("plain").unwrap());
    });
    let bid_down = Failure::Challenge(ChallengeError::BidDown);
    assert_eq!(server.ended(), Some(End::Failed(bid_down)));
}

#[test]
fn only_unknown_algorithms_end_it() {
    let mut server = Scripted::new(Transport::Udp);
    challenge_with_list(&mut server, &[0, 9, 0, 1, 7, 0, 0, 0]);
    let none = Failure::Challenge(ChallengeError::NoAlgorithm);
    assert_eq!(server.ended(), Some(End::Failed(none)));
}

/// The answer to a first request: a challenge with a list of password algorithms as it is.
fn challenge_with_list(server: &mut Scripted, list: &[u8]) {
    let request = server.request();
    server.answer(&request, Class::Error, |writer| {
        writer
            .attribute(&ErrorCode::UNAUTHENTICATED)
            .attribute(&Realm::new("test").unwrap())
            .attribute(&Nonce::new("obMatJos2AAABrest").unwrap())
            .raw(AttributeType::PASSWORD_ALGORITHMS, |out| out.extend_from_slice(list));
    });
}

#[test]
fn sha256_is_chosen_wherever_it_stands_in_the_list() {
    // RFC 8656 §6. Algorithm 9 is unknown and has a parameter of one byte.
    let lists: [(&[u8], _); 3] = [
        (&[0, 1, 0, 0, 0, 2, 0, 0], PasswordAlgorithm::Sha256),
        (&[0, 9, 0, 1, 7, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0], PasswordAlgorithm::Sha256),
        (&[0, 9, 0, 1, 7, 0, 0, 0, 0, 1, 0, 0], PasswordAlgorithm::Md5),
    ];
    for (list, chosen) in lists {
        let mut server = Scripted::new(Transport::Udp);
        challenge_with_list(&mut server, list);
        let request = server.request();
        let message = Message::parse(&request).unwrap();
        assert_eq!(message.get::<PasswordAlgorithm>(), Ok(Some(chosen)), "{list:?}");
        let echoed = message.get::<PasswordAlgorithms<'_>>().unwrap().unwrap();
        assert_eq!(echoed.as_bytes(), list);
        let key = Key::long_term(chosen, "ann", "test", "pass");
        assert_eq!(message.check_integrity_sha256(&key), Some(true), "{list:?}");
        assert_eq!(message.check_integrity(&key), None);
    }
}

#[test]
fn a_list_of_algorithms_without_end_is_not_repeated() {
    for (algorithms, is_taken) in [(32, true), (33, false), (16_000, false)] {
        let mut server = Scripted::new(Transport::Udp);
        challenge_with_list(&mut server, &[0, 2, 0, 0].repeat(algorithms));
        if is_taken {
            assert_eq!(server.ended(), None);
            assert!(server.request().len() < 400);
        } else {
            let malformed = Failure::Challenge(ChallengeError::Malformed);
            assert_eq!(server.ended(), Some(End::Failed(malformed)), "{algorithms}");
            assert!(server.is_silent());
        }
    }
}

#[test]
fn the_answer_to_a_challenge_hides_the_name_if_the_server_can_do_without() {
    // RFC 8489 §9.2.5; appendix B.1 has such a nonce, the last is one in the other bit order.
    for (nonce, is_hidden) in [
        ("plain", false),
        ("obMatJos2AAAArest", false),
        ("obMatJos2AAACrest", true),
        ("obMatJos2QAAA", true),
    ] {
        let mut server = Scripted::new(Transport::Udp);
        server.challenge(ErrorCode::UNAUTHENTICATED, nonce);
        let request = server.request();
        let message = Message::parse(&request).unwrap();
        let hash = is_hidden.then(|| UserHash::of("ann", "test"));
        assert_eq!(message.get::<UserHash>(), Ok(hash), "{nonce}");
        assert_eq!(message.contains(Username::TYPE), !is_hidden, "{nonce}");
        assert_eq!(message.get::<Realm<'_>>().unwrap().unwrap().as_str(), "test");
        assert_eq!(message.get::<Nonce<'_>>().unwrap().unwrap().as_str(), nonce);
        assert_eq!(message.check_integrity(&key()), Some(true), "{nonce}");
    }
}

#[test]
fn a_redirection_counts_only_if_it_is_protected() {
    for is_protected in [false, true] {
        let mut server = Scripted::new(Transport::Udp);
        let alternate = AlternateServer(addr("192.0.2.99:3478"));
        if !is_protected {
            let request = server.request();
            server.answer(&request, Class::Error, |writer| {
                writer.attribute(&ErrorCode::TRY_ALTERNATE).attribute(&alternate);
            });
            assert_eq!(server.ended(), Some(End::Failed(Failure::TryAlternate(None))));
            continue;
        }
        server.challenge(ErrorCode::UNAUTHENTICATED, "nonce");
        let request = server.request();
        // Without integrity it is not even heard.
        server.answer(&request, Class::Error, |writer| {
            writer.attribute(&ErrorCode::TRY_ALTERNATE).attribute(&alternate);
        });
        assert_eq!(server.ended(), None);
        server.answer(&request, Class::Error, |writer| {
            writer.attribute(&ErrorCode::TRY_ALTERNATE).attribute(&alternate).integrity(&key());
        });
        let failure = Failure::TryAlternate(Some(alternate.0));
        assert_eq!(server.ended(), Some(End::Failed(failure)));
    }
}

#[test]
fn a_redirection_to_the_other_family_or_to_ourselves_leads_nowhere() {
    for to in ["[2001:db8::1]:3478", "127.0.0.1:22", "0.0.0.0:3478", "224.0.0.1:9", "192.0.2.9:0"] {
        let mut server = Scripted::new(Transport::Udp);
        server.challenge(ErrorCode::UNAUTHENTICATED, "nonce");
        let request = server.request();
        server.answer(&request, Class::Error, |writer| {
            writer
                .attribute(&ErrorCode::TRY_ALTERNATE)
                .attribute(&AlternateServer(addr(to)))
                .integrity(&key());
        });
        assert_eq!(server.ended(), Some(End::Failed(Failure::TryAlternate(None))), "{to}");
    }
}

#[test]
fn a_stale_nonce_may_come_without_the_realm_and_a_first_challenge_may_not() {
    let nonce = |server: &mut Scripted, code: ErrorCode<'static>| {
        let request = server.request();
        server.answer(&request, Class::Error, |writer| {
            writer.attribute(&code).attribute(&Nonce::new("second").unwrap());
        });
    };
    let mut server = Scripted::new(Transport::Udp);
    server.challenge(ErrorCode::UNAUTHENTICATED, "first");
    nonce(&mut server, ErrorCode::STALE_NONCE);
    let request = server.request();
    let message = Message::parse(&request).unwrap();
    assert_eq!(message.get::<Realm<'_>>().unwrap().unwrap().as_str(), "test");
    assert_eq!(message.get::<Nonce<'_>>().unwrap().unwrap().as_str(), "second");

    let malformed = || Some(End::Failed(Failure::Challenge(ChallengeError::Malformed)));
    for code in [ErrorCode::UNAUTHENTICATED, ErrorCode::STALE_NONCE] {
        let mut server = Scripted::new(Transport::Udp);
        nonce(&mut server, code);
        assert_eq!(server.ended(), malformed());
    }
    let mut server = Scripted::new(Transport::Udp);
    server.challenge(ErrorCode::UNAUTHENTICATED, "first");
    nonce(&mut server, ErrorCode::UNAUTHENTICATED);
    assert_eq!(server.ended(), malformed());
}

#[test]
fn an_allocation_of_the_wrong_family_is_given_back() {
    let mut server = Scripted::new(Transport::Udp);
    server.challenge(ErrorCode::UNAUTHENTICATED, "nonce");
    let request = server.request();
    server.answer(&request, Class::Success, |writer| {
        writer
            .attribute(&XorRelayedAddress(addr("[2001:db8::1]:50000")))
            .attribute(&XorMappedAddress(addr("198.51.100.7:1000")))
            .attribute(&Lifetime(Duration::from_secs(600)))
            .integrity(&key());
    });
    let release = server.request();
    let message = Message::parse(&release).unwrap();
    assert_eq!(message.method(), Method::REFRESH);
    assert_eq!(message.get::<Lifetime>().unwrap(), Some(Lifetime(Duration::ZERO)));
    server.answer(&release, Class::Success, |writer| {
        writer.attribute(&Lifetime(Duration::ZERO)).integrity(&key());
    });
    assert_eq!(server.ended(), Some(End::Failed(Failure::Incomprehensible)));
}

#[test]
fn an_allocation_that_does_not_say_how_we_are_seen_is_given_back() {
    let mut server = Scripted::new(Transport::Udp);
    server.challenge(ErrorCode::UNAUTHENTICATED, "nonce");
    let request = server.request();
    server.answer(&request, Class::Success, |writer| {
        writer
            .attribute(&XorRelayedAddress(addr("192.0.2.1:50000")))
            .attribute(&Lifetime(Duration::from_secs(600)))
            .integrity(&key());
    });
    assert_eq!(server.ended(), None);
    let release = server.request();
    let message = Message::parse(&release).unwrap();
    assert_eq!(message.get::<Lifetime>().unwrap(), Some(Lifetime(Duration::ZERO)));
    server.answer(&release, Class::Success, |writer| {
        writer.attribute(&Lifetime(Duration::ZERO)).integrity(&key());
    });
    assert_eq!(server.ended(), Some(End::Failed(Failure::Incomprehensible)));
}

#[test]
fn a_lifetime_of_nothing_makes_no_busy_loop() {
    let mut server = Scripted::new(Transport::Udp);
    server.challenge(ErrorCode::UNAUTHENTICATED, "nonce");
    let request = server.request();
    server.answer(&request, Class::Success, |writer| {
        writer
            .attribute(&XorRelayedAddress(addr("192.0.2.1:50000")))
            .attribute(&XorMappedAddress(addr("198.51.100.7:1000")))
            .attribute(&Lifetime(Duration::ZERO))
            .integrity(&key());
    });
    let wait = server.client.poll_timeout().unwrap() - server.now;
    assert!(wait >= Duration::from_secs(10), "{wait:?}");
}

#[test]
fn a_refresh_that_names_no_lifetime_is_one_all_the_same() {
    let mut server = Scripted::allocated(Duration::from_secs(800));
    for _ in 0..3 {
        server.client.verify(server.now);
        let refresh = server.refresh();
        server.answer(&refresh, Class::Success, |writer| {
            writer.integrity(&key());
        });
        assert_eq!(server.ended(), None);
        // As long as before, with keepalives between.
        for _ in 0..15 {
            server.now = server.client.poll_timeout().unwrap();
            server.client.handle_timeout(server.now);
            let keepalive = server.request();
            assert_eq!(Message::parse(&keepalive).unwrap().class(), Class::Indication);
        }
        server.now = server.client.poll_timeout().unwrap();
    }
}

#[test]
fn a_refresh_that_a_server_has_an_error_at_is_made_again_a_few_times() {
    let mut server = Scripted::allocated(Duration::from_secs(800));
    for is_over in [false, true] {
        server.client.verify(server.now);
        for _ in 0..4 {
            let refresh = server.refresh();
            server.answer(&refresh, Class::Error, |writer| {
                writer.attribute(&ErrorCode::SERVER_ERROR).integrity(&key());
            });
            assert_eq!(server.ended(), None);
            assert!(server.is_silent());
            let next = server.client.poll_timeout().unwrap();
            assert!(next - server.now >= Duration::from_secs(10));
            server.now = next;
            server.client.handle_timeout(server.now);
        }
        let refresh = server.refresh();
        let class = if is_over { Class::Error } else { Class::Success };
        server.answer(&refresh, class, |writer| {
            writer.optional(is_over.then_some(ErrorCode::SERVER_ERROR).as_ref()).integrity(&key());
        });
        let end = is_over.then_some(End::Failed(Failure::ServerError));
        assert_eq!(server.ended(), end);
    }
}

#[test]
fn keepalives_without_a_pause_make_no_busy_loop() {
    let genesis = conformance::genesis();
    let config = Config { keepalive: Some(Duration::ZERO), ..Config::default() };
    let client = Client::new(&genesis, path(Transport::Udp), ann(), config);
    let mut server = Scripted { client, now: genesis.now, transport: Transport::Udp };
    server.challenge(ErrorCode::UNAUTHENTICATED, "nonce");
    let request = server.request();
    server.answer(&request, Class::Success, |writer| {
        writer
            .attribute(&XorRelayedAddress(addr("192.0.2.1:50000")))
            .attribute(&XorMappedAddress(addr("198.51.100.7:1000")))
            .attribute(&Lifetime(Duration::from_secs(600)))
            .integrity(&key());
    });
    for _ in 0..3 {
        let wait = server.client.poll_timeout().unwrap() - server.now;
        assert_eq!(wait, Duration::from_secs(1));
        server.now += wait;
        server.client.handle_timeout(server.now);
        assert_eq!(server.request().len(), 20);
    }
}

#[test]
fn forged_answers_do_not_stop_the_true_one_on_udp() {
    let mut pair = Pair::new(config(), Config::default());
    // The last byte of the integrity value of every answer that has one is turned.
    pair.tamper = |bytes| {
        if Message::parse(bytes).is_ok_and(|m| m.contains(AttributeType::MESSAGE_INTEGRITY)) {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
        }
    };
    pair.settle();
    assert_eq!(pair.take_events(), []);
    pair.tamper = |_| {};
    pair.elapse(Duration::from_secs(1));
    assert!(matches!(pair.take_events()[..], [Event::Allocated { .. }]));
}

#[test]
fn forged_answers_alone_are_no_timeout() {
    let mut server = Scripted::new(Transport::Udp);
    server.challenge(ErrorCode::UNAUTHENTICATED, "nonce");
    let request = server.request();
    server.answer(&request, Class::Success, |writer| {
        writer.integrity(&Key::short_term("another"));
    });
    while server.ended().is_none() {
        server.now = server.client.poll_timeout().unwrap();
        server.client.handle_timeout(server.now);
        if let Some(Event::Ended(end)) = server.client.poll_event() {
            assert_eq!(end, End::Failed(Failure::IntegrityViolated));
            return;
        }
    }
    panic!("it ended otherwise");
}

#[test]
fn a_forged_answer_on_a_stream_ends_it_at_once() {
    let mut server = Scripted::new(Transport::Tls);
    server.challenge(ErrorCode::UNAUTHENTICATED, "nonce");
    let request = server.request();
    server.answer(&request, Class::Success, |writer| {
        writer.integrity(&Key::short_term("another"));
    });
    assert_eq!(server.ended(), Some(End::Failed(Failure::IntegrityViolated)));
}

#[test]
fn data_from_a_peer_without_permission_is_dropped() {
    let (mut pair, _) = Pair::allocated(config());
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Indication, Method::DATA, TransactionId([1; 12]))
        .attribute(&XorPeerAddress(addr("8.8.8.8:1")))
        .raw(AttributeType::DATA, |out| out.push(1));
    pair.hear(path(Transport::Udp), &bytes);
    pair.settle();
    assert_eq!(pair.take_events(), []);
    pair.client.permit(pair.now(), addr("8.8.8.8:1").ip()).unwrap();
    pair.settle();
    pair.take_events();
    pair.hear(path(Transport::Udp), &bytes);
    pair.settle();
    assert_eq!(pair.take_events().len(), 1);
}

/// A conversation to its end, as the client hears it.
fn script() -> Vec<Input> {
    let mut script = Vec::new();
    let mut pair = Pair::new(config(), Config::default());
    pair.client.bind(pair.now(), addr("8.8.8.8:5000")).unwrap();
    pair.settle();
    for garbage in [&b""[..], b"\x00", b"\x40\x00", b"\x40\x00\x00\x01x", b"\xff\xff", &[0; 20]] {
        script.push(Input::Datagram(path(Transport::Udp), garbage.to_vec()));
    }
    for kind in AttributeType::KNOWN {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, Class::Indication, Method::DATA, TransactionId([1; 12]))
            .attribute(&XorPeerAddress(addr("8.8.8.8:1")))
            .raw(*kind, |out| out.extend([0xFF; 5]));
        script.push(Input::Datagram(path(Transport::Udp), bytes));
    }
    script.push(Input::Elapse(Duration::from_secs(5)));
    script.push(Input::Elapse(Duration::from_secs(60)));
    script
}

#[test]
fn the_contract_of_machines_is_kept() {
    let make = |genesis| Client::new(&genesis, path(Transport::Udp), ann(), Config::default());
    conformance::check(make, || (), &script(), 300);
}

/// Opposite a server that answers the first request, with a real conversation behind it.
#[test]
fn the_contract_is_kept_with_an_allocation() {
    // The client's ids depend on its seed alone, so that one run's answers fit the next.
    let genesis = conformance::genesis();
    let make = |genesis| Client::new(&genesis, path(Transport::Udp), ann(), Config::default());
    let mut probe = make(genesis);
    let mut inputs = Vec::new();
    let mut answer = |client: &mut Client, write: &dyn Fn(&mut Writer<'_>), class| {
        let mut request = Vec::new();
        let _ = client.poll_transmit(&mut request).unwrap();
        let request = Message::parse(&request).unwrap();
        let mut bytes = Vec::new();
        write(&mut Writer::new(&mut bytes, class, request.method(), request.transaction_id()));
        inputs.push(Input::Datagram(path(Transport::Udp), bytes.clone()));
        let datagram = Datagram { path: path(Transport::Udp), payload: &mut bytes };
        client.handle_datagram(conformance::genesis().now, datagram);
    };
    let challenge = |writer: &mut Writer<'_>| {
        writer
            .attribute(&ErrorCode::UNAUTHENTICATED)
            .attribute(&Realm::new("test").unwrap())
            .attribute(&Nonce::new("nonce").unwrap());
    };
    answer(&mut probe, &challenge, Class::Error);
    let success = |writer: &mut Writer<'_>| {
        writer
            .attribute(&XorRelayedAddress(addr("192.0.2.1:50000")))
            .attribute(&XorMappedAddress(addr("198.51.100.7:1000")))
            .attribute(&Lifetime(Duration::from_secs(600)))
            .integrity(&key());
    };
    answer(&mut probe, &success, Class::Success);
    assert!(matches!(probe.poll_event(), Some(Event::Allocated { .. })));
    inputs.push(Input::Elapse(Duration::from_secs(400)));
    inputs.extend(script());
    let record = conformance::run(make, (), &inputs);
    assert!(record.events[0].starts_with("Allocated"), "{:?}", record.events);
    assert!(record.events[1].starts_with("Ended"), "{:?}", record.events);
    conformance::check(make, || (), &inputs, 300);
}
