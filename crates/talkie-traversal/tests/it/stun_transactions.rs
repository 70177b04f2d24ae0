//! A client's side of single requests (RFC 8489 §6.2, §6.3.3, §6.3.4, §9.1.4, §9.2.5).

use std::time::{Duration, Instant};

use talkie_sansio::{Path, Transport};
use talkie_traversal::stun::attributes::{ErrorCode, Nonce, XorMappedAddress};
use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::transaction::{Algorithms, Config, Event, Protection, Transaction};
use talkie_traversal::stun::{AttributeType, Class, Message, Method, Rto, TransactionId, Writer};

use crate::client_world::path;
use crate::turn_world::addr;

const ID: TransactionId = TransactionId([9; 12]);

fn start(transport: Transport, protection: Protection) -> (Transaction, Instant) {
    let now = talkie_sansio::conformance::genesis().now;
    let mut request = Vec::new();
    Writer::new(&mut request, Class::Request, Method::BINDING, ID);
    let config = Config::default();
    let id = (ID, Method::BINDING);
    (Transaction::new(now, path(transport), id, request, protection, config), now)
}

fn message(class: Class, id: TransactionId, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Writer::new(&mut bytes, class, Method::BINDING, id));
    bytes
}

fn hear(transaction: &mut Transaction, now: Instant, path: Path, bytes: &[u8]) -> bool {
    transaction.handle_datagram(now, path, &Message::parse(bytes).unwrap())
}

/// When it sends, until it ends.
fn run(transaction: &mut Transaction, born: Instant) -> (Vec<u128>, Duration, Event) {
    let mut now = born;
    let mut times = Vec::new();
    loop {
        while transaction.poll_transmit(&mut Vec::new()).is_some() {
            times.push((now - born).as_millis());
        }
        if let Some(event) = transaction.poll_event() {
            assert_eq!(transaction.poll_timeout(), None);
            return (times, now - born, event);
        }
        now = transaction.poll_timeout().unwrap();
        transaction.handle_timeout(now);
    }
}

#[test]
fn over_udp_requests_are_repeated_at_the_rfcs_times() {
    let (mut transaction, now) = start(Transport::Udp, Protection::None);
    let (times, end, event) = run(&mut transaction, now);
    assert_eq!(times, [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    assert_eq!((end, event), (Duration::from_millis(39_500), Event::TimedOut));
}

#[test]
fn over_a_stream_a_request_is_sent_once() {
    let (mut transaction, now) = start(Transport::Tcp, Protection::None);
    let (times, end, event) = run(&mut transaction, now);
    assert_eq!(times, [0]);
    assert_eq!((end, event), (Duration::from_millis(39_500), Event::TimedOut));
}

#[test]
fn a_response_needs_id_source_method_and_class() {
    let (mut transaction, now) = start(Transport::Udp, Protection::None);
    let right = path(Transport::Udp);
    let good = message(Class::Success, ID, |_| {});
    let stranger = Path { remote: addr("203.0.113.1:3478"), ..right };
    assert!(!hear(&mut transaction, now, stranger, &good));
    assert!(!hear(&mut transaction, now, path(Transport::Tcp), &good));
    let other_id = message(Class::Success, TransactionId([8; 12]), |_| {});
    assert!(!hear(&mut transaction, now, right, &other_id));
    assert!(!hear(&mut transaction, now, right, &message(Class::Request, ID, |_| {})));
    assert!(!hear(&mut transaction, now, right, &message(Class::Indication, ID, |_| {})));
    let mut other_method = Vec::new();
    Writer::new(&mut other_method, Class::Success, Method::ALLOCATE, ID);
    assert!(!hear(&mut transaction, now, right, &other_method));
    assert_eq!(transaction.poll_event(), None);

    let later = now + Duration::from_millis(30);
    assert!(hear(&mut transaction, later, right, &good));
    let round_trip = Some(Duration::from_millis(30));
    assert_eq!(
        transaction.poll_event(),
        Some(Event::Response { message: good.clone(), round_trip })
    );
    assert!(!hear(&mut transaction, later, right, &good), "it is over");
}

#[test]
fn a_repeated_request_gives_no_round_trip() {
    let (mut transaction, now) = start(Transport::Udp, Protection::None);
    let later = now + Duration::from_millis(500);
    transaction.handle_timeout(later);
    hear(&mut transaction, later, path(Transport::Udp), &message(Class::Success, ID, |_| {}));
    assert!(matches!(transaction.poll_event(), Some(Event::Response { round_trip: None, .. })));
}

#[test]
fn what_cannot_be_understood_fails() {
    // RFC 8489 §6.3.3 and §6.3.4.
    let unknown = message(Class::Success, ID, |writer| {
        writer.raw(AttributeType(0x7777), |_| {});
    });
    let bare_error = message(Class::Error, ID, |_| {});
    for bytes in [unknown, bare_error] {
        let (mut transaction, now) = start(Transport::Udp, Protection::None);
        hear(&mut transaction, now, path(Transport::Udp), &bytes);
        assert_eq!(transaction.poll_event(), Some(Event::Incomprehensible));
    }
    // An unknown attribute that may be ignored is.
    let (mut transaction, now) = start(Transport::Udp, Protection::None);
    let optional = message(Class::Success, ID, |writer| {
        writer.raw(AttributeType(0xEEEE), |_| {});
    });
    hear(&mut transaction, now, path(Transport::Udp), &optional);
    assert!(matches!(transaction.poll_event(), Some(Event::Response { .. })));
}

#[test]
fn a_short_term_response_must_have_the_algorithm_that_was_sent() {
    let key = Key::short_term("secret");
    let sha1 = message(Class::Success, ID, |writer| {
        writer.integrity(&key);
    });
    let sha256 = message(Class::Success, ID, |writer| {
        writer.integrity_sha256(&key);
    });
    let cases = [
        (Algorithms::Sha1, &sha1, true),
        (Algorithms::Sha1, &sha256, false),
        (Algorithms::Sha256, &sha256, true),
        (Algorithms::Sha256, &sha1, false),
        (Algorithms::Both, &sha1, true),
        (Algorithms::Both, &sha256, true),
    ];
    for (algorithms, bytes, is_taken) in cases {
        let protection = Protection::ShortTerm(key.clone(), algorithms);
        let (mut transaction, now) = start(Transport::Udp, protection);
        hear(&mut transaction, now, path(Transport::Udp), bytes);
        let event = transaction.poll_event();
        assert_eq!(event.is_some(), is_taken, "{algorithms:?}");
        if !is_taken {
            assert_eq!(run(&mut transaction, now).2, Event::IntegrityViolated);
        }
    }
}

#[test]
fn the_weaker_integrity_does_not_make_up_for_the_stronger() {
    // RFC 8489 §9.1.3 has the receiver of both look at SHA-256 alone.
    let key = Key::short_term("secret");
    let other = Key::short_term("another");
    let protections =
        [Protection::ShortTerm(key.clone(), Algorithms::Both), Protection::LongTerm(key.clone())];
    for protection in protections {
        for (sha1, sha256, is_taken) in [(&key, &other, false), (&other, &key, true)] {
            let both = message(Class::Success, ID, |writer| {
                writer.integrity(sha1).integrity_sha256(sha256);
            });
            let (mut transaction, now) = start(Transport::Udp, protection.clone());
            hear(&mut transaction, now, path(Transport::Udp), &both);
            assert_eq!(transaction.poll_event().is_some(), is_taken, "{protection:?}");
        }
    }
}

#[test]
fn integrity_violated_ends_a_stream_at_once() {
    let protection = Protection::ShortTerm(Key::short_term("secret"), Algorithms::Sha1);
    let (mut transaction, now) = start(Transport::Tls, protection);
    let unprotected = message(Class::Success, ID, |_| {});
    hear(&mut transaction, now, path(Transport::Tls), &unprotected);
    assert_eq!(transaction.poll_event(), Some(Event::IntegrityViolated));
}

#[test]
fn long_term_responses_are_judged_by_their_code() {
    let key = Key::short_term("a long-term key");
    let judge = |transport, bytes: &[u8]| {
        let (mut transaction, now) = start(transport, Protection::LongTerm(key.clone()));
        hear(&mut transaction, now, path(transport), bytes);
        transaction.poll_event()
    };
    let error = |code: ErrorCode<'static>| {
        message(Class::Error, ID, |writer| {
            writer.attribute(&code);
        })
    };
    // RFC 8489 §9.2.5: a challenge needs no integrity, a bare 400 never came, all else is forged.
    for code in [ErrorCode::UNAUTHENTICATED, ErrorCode::STALE_NONCE] {
        assert!(matches!(judge(Transport::Udp, &error(code)), Some(Event::Response { .. })));
    }
    assert_eq!(judge(Transport::Tcp, &error(ErrorCode::BAD_REQUEST)), None);
    let forged = judge(Transport::Tcp, &error(ErrorCode::SERVER_ERROR));
    assert_eq!(forged, Some(Event::IntegrityViolated));
    let protected = message(Class::Error, ID, |writer| {
        writer.attribute(&ErrorCode::BAD_REQUEST).integrity(&key);
    });
    assert!(matches!(judge(Transport::Tcp, &protected), Some(Event::Response { .. })));
    let stripped = message(Class::Success, ID, |writer| {
        writer.attribute(&Nonce::new("obMatJos2AAABxyz").unwrap()).integrity(&key);
    });
    assert_eq!(judge(Transport::Tcp, &stripped), None);
    // A success response cannot pass by carrying a challenge's code.
    let dressed = message(Class::Success, ID, |writer| {
        writer
            .attribute(&ErrorCode::UNAUTHENTICATED)
            .attribute(&XorMappedAddress(addr("192.0.2.66:6")));
    });
    assert_eq!(judge(Transport::Tcp, &dressed), Some(Event::IntegrityViolated));
}

#[test]
fn the_timeout_follows_the_round_trips() {
    let now = talkie_sansio::conformance::genesis().now;
    let half = Duration::from_millis(500);
    let mut rto = Rto::new(half);
    assert_eq!(rto.current(now), half);
    rto.sample(now, Duration::from_millis(20));
    assert_eq!(rto.current(now), half, "500 ms is the least");
    let mut rto = Rto::new(half);
    rto.sample(now, Duration::from_millis(800));
    // RFC 6298 §2.2: 800 + 4 × 400.
    assert_eq!(rto.current(now), Duration::from_millis(2400));
    rto.sample(now, Duration::from_millis(800));
    // The variation shrinks by a quarter: 800 + 4 × 300.
    assert_eq!(rto.current(now), Duration::from_millis(2000));
    // RFC 8489 §6.2.1: stale after ten minutes.
    assert_eq!(rto.current(now + Duration::from_secs(600)), half);
    rto.sample(now, Duration::from_secs(3600));
    assert_eq!(rto.current(now), Duration::from_secs(3));
}
