//! Who may do what (RFC 8489 §9.2, RFC 8656 §5), and what the others cost.

#![allow(clippy::unwrap_used, reason = "a test is allowed to end here")]

use talkie_sansio::{Path, Transport};
use talkie_traversal::stun::attributes::{
    AttributeType, Nonce, PasswordAlgorithms, Realm, RequestedTransport, UserHash, Username,
    XorMappedAddress, XorPeerAddress,
};
use talkie_traversal::stun::auth::{PasswordAlgorithm, SecurityFeatures};
use talkie_traversal::stun::{Class, Method, Writer};
use talkie_traversal::turn::server::{Config, Credentials, OfferSha256, Secret};

use crate::turn_world::{
    Client, Response, SECRET, SERVER, UNIX, World, addr, config, secs, send_indication, udp,
};

/// What a client sends first: an Allocate of 28 bytes.
fn bare_allocate(world: &mut World) -> Vec<u8> {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Request, Method::ALLOCATE, world.id())
        .attribute(&RequestedTransport::UDP);
    assert_eq!(bytes.len(), 28);
    bytes
}

fn kinds(response: &Response) -> Vec<AttributeType> {
    response.message().raw_attributes().map(|(kind, _)| kind).collect()
}

fn features(response: &Response) -> Option<SecurityFeatures> {
    let nonce = response.message().get::<Nonce<'_>>().unwrap().unwrap();
    SecurityFeatures::of_nonce(nonce.as_str().as_bytes())
}

#[test]
fn replies_to_strangers_are_small() {
    let mut world = World::new(config());
    let ann = Client::ann("198.51.100.1:1000");
    let request = bare_allocate(&mut world);
    let challenge = ann.send(&mut world, &request);
    assert_eq!(challenge.code(), 401);
    assert_eq!(challenge.bytes.len(), 52, "401 to a bare Allocate");
    let expected = [AttributeType::ERROR_CODE, AttributeType::REALM, AttributeType::NONCE];
    assert_eq!(kinds(&challenge), expected);
    assert_eq!(features(&challenge), None);

    let mut binding = Vec::new();
    Writer::new(&mut binding, Class::Request, Method::BINDING, world.id());
    let response = ann.send(&mut world, &binding);
    assert_eq!(response.bytes.len(), 32, "Binding over IPv4");
    let mapped = response.message().get::<XorMappedAddress>().unwrap();
    assert_eq!(mapped, Some(XorMappedAddress(ann.path.remote)));
    let (_, bytes) =
        world.exchange(udp("[2001:db8::1]:3478", "[2001:db8::2]:1"), &binding).unwrap();
    assert_eq!(bytes.len(), 44, "Binding over IPv6");
    let (_, bytes) = world.exchange(udp("[::]:3478", "[::ffff:192.0.2.9]:1"), &binding).unwrap();
    assert_eq!(bytes.len(), 32, "Binding over IPv4 on a dual-stack socket");
}

#[test]
fn no_reply_to_a_stranger_is_more_than_twice_its_request() {
    let mut world = World::new(config());
    let ann = Client::ann("198.51.100.1:1000");
    for method in [1, 3, 4, 8, 9] {
        for size in (20..400).step_by(4) {
            let id = world.id();
            let mut bytes = Vec::new();
            let mut writer = Writer::new(&mut bytes, Class::Request, Method(method), id);
            if size >= 24 {
                writer.raw(AttributeType::SOFTWARE, |out| out.extend(vec![b'x'; size - 24]));
            }
            assert_eq!(bytes.len(), size);
            let response = ann.send(&mut world, &bytes);
            // Bare requests, which no client sends, get the smallest challenge there is.
            let bound = (2 * size).max(52);
            assert!(response.bytes.len() <= bound, "{} for {size}", response.bytes.len());
        }
        // Every attribute unknown: they are listed at half their size.
        let id = world.id();
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Class::Request, Method(method), id);
        for kind in 0x7000..0x7100 {
            writer.raw(AttributeType(kind), |_| {});
        }
        assert!(ann.send(&mut world, &bytes).bytes.len() <= bytes.len());
    }
}

#[test]
fn sha256_is_offered_where_it_amplifies_nothing() {
    let mut world = World::new(config());
    let ann = Client::ann("198.51.100.1:1000");
    let mut large = Vec::new();
    Writer::new(&mut large, Class::Request, Method::ALLOCATE, world.id())
        .attribute(&RequestedTransport::UDP)
        .raw(AttributeType::SOFTWARE, |out| out.extend_from_slice(b"a client with a name"));
    let offer = ann.send(&mut world, &large);
    assert!(features(&offer).unwrap().password_algorithms);
    let algorithms = offer.message().get::<PasswordAlgorithms<'_>>().unwrap();
    assert_eq!(algorithms, Some(PasswordAlgorithms::SHA256_MD5));
    assert_eq!(offer.bytes.len(), 80, "401 with the offer");

    let request = bare_allocate(&mut world);
    for transport in [Transport::Tcp, Transport::Tls] {
        let client = Client { path: Path { transport, ..ann.path }, ..ann.clone() };
        assert!(features(&client.send(&mut world, &request)).is_some());
    }
    for (offer, expected) in [(OfferSha256::Always, true), (OfferSha256::Never, false)] {
        let mut world = World::new(Config { offer_sha256: offer, ..config() });
        assert_eq!(features(&ann.send(&mut world, &request)).is_some(), expected);
        assert_eq!(features(&ann.send(&mut world, &large)).is_some(), expected);
    }
}

/// A client that uses SHA-256 as the server's offer over TCP tells it to.
fn modern(world: &mut World) -> Client {
    let path = Path { transport: Transport::Tcp, ..udp(SERVER, "198.51.100.1:1000") };
    let mut client = Client::new(path, "ann", "pass");
    let request = bare_allocate(world);
    let challenge = client.send(world, &request);
    client.learn(&challenge);
    client.algorithm = PasswordAlgorithm::Sha256;
    client.sha256 = true;
    client
}

#[test]
fn sha256_works_when_it_was_offered() {
    let mut world = World::new(config());
    let mut client = modern(&mut world);
    let response = client.request(&mut world, Method::ALLOCATE, |writer| {
        writer
            .attribute(&RequestedTransport::UDP)
            .attribute(&PasswordAlgorithms::SHA256_MD5)
            .attribute(&PasswordAlgorithm::Sha256);
    });
    assert!(response.is_success(), "{}", response.code());
    // MD5 is still an offer, and MESSAGE-INTEGRITY-SHA256 goes with it.
    client.algorithm = PasswordAlgorithm::Md5;
    let response = client.request(&mut world, Method::REFRESH, |writer| {
        writer.attribute(&PasswordAlgorithms::SHA256_MD5).attribute(&PasswordAlgorithm::Md5);
    });
    assert!(response.is_success(), "{}", response.code());
}

#[test]
fn sha256_works_when_it_was_not_offered() {
    let mut world = World::new(Config { offer_sha256: OfferSha256::Never, ..config() });
    let mut client = Client::ann("198.51.100.1:1000");
    client.algorithm = PasswordAlgorithm::Sha256;
    client.sha256 = true;
    let response = client.allocate_with(&mut world, |writer| {
        writer.attribute(&PasswordAlgorithm::Sha256);
    });
    assert!(response.is_success(), "{}", response.code());
}

#[test]
fn an_offer_that_was_tampered_with_is_refused() {
    let mut world = World::new(config());
    let client = modern(&mut world);
    let mut code = |fill: &dyn Fn(&mut Writer<'_>)| {
        let id = world.id();
        let request = client.signed(id, Method::ALLOCATE, |writer| {
            writer.attribute(&RequestedTransport::UDP);
            fill(writer);
        });
        client.send(&mut world, &request).code()
    };
    // SHA-256 was taken out of what the client saw.
    assert_eq!(
        code(&|writer| {
            writer
                .raw(AttributeType::PASSWORD_ALGORITHMS, |out| out.extend([0, 1, 0, 0]))
                .attribute(&PasswordAlgorithm::Md5);
        }),
        400
    );
    // One of the two attributes without the other.
    assert_eq!(
        code(&|writer| {
            writer.attribute(&PasswordAlgorithm::Sha256);
        }),
        400
    );
    assert_eq!(
        code(&|writer| {
            writer.attribute(&PasswordAlgorithms::SHA256_MD5);
        }),
        400
    );
    // An algorithm that was not offered.
    assert_eq!(
        code(&|writer| {
            writer
                .attribute(&PasswordAlgorithms::SHA256_MD5)
                .raw(AttributeType::PASSWORD_ALGORITHM, |out| out.extend([0, 9, 0, 0]));
        }),
        400
    );
    assert_eq!(world.server.allocations(), 0);
}

#[test]
fn a_user_may_come_by_hash() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    let request = bare_allocate(&mut world);
    ann.learn(&ann.send(&mut world, &request));
    for (name, expected) in [("ann", 0), ("eve", 401)] {
        let mut request = Vec::new();
        Writer::new(&mut request, Class::Request, Method::ALLOCATE, world.id())
            .attribute(&RequestedTransport::UDP)
            .attribute(&UserHash::of(name, "test"))
            .attribute(&Realm::new("test").unwrap())
            .attribute(&Nonce::new(&ann.nonce).unwrap())
            .integrity_sha256(&ann.key());
        assert_eq!(ann.send(&mut world, &request).code(), expected, "{name}");
        ann.refresh(&mut world, 0);
    }
}

#[test]
fn wrong_credentials_are_challenged_for_ever() {
    let mut world = World::new(config());
    for (user, password) in [("ann", "wrong"), ("eve", "pass"), ("ann", ""), ("", "")] {
        let mut client = Client::new(udp(SERVER, "198.51.100.1:1000"), user, password);
        let response = client.allocate_with(&mut world, |_| {});
        assert_eq!(response.code(), 401, "{user}");
        assert_eq!(response.message().check_integrity(&client.key()), None);
    }
    // The realm is part of the password's hash.
    let mut client = Client::ann("198.51.100.1:1000");
    let request = bare_allocate(&mut world);
    client.learn(&client.send(&mut world, &request));
    client.realm = "other".into();
    let id = world.id();
    let request = client.signed(id, Method::ALLOCATE, |_| {});
    assert_eq!(client.send(&mut world, &request).code(), 401);
    assert_eq!(world.server.allocations(), 0);
}

#[test]
fn integrity_without_its_companions_is_malformed() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    let request = bare_allocate(&mut world);
    ann.learn(&ann.send(&mut world, &request));
    let (user, realm) = (Username::new("ann").unwrap(), Realm::new("test").unwrap());
    let nonce = Nonce::new(&ann.nonce).unwrap();
    for missing in 0..3 {
        let mut request = Vec::new();
        Writer::new(&mut request, Class::Request, Method::ALLOCATE, world.id())
            .optional(Some(&user).filter(|_| missing != 0))
            .optional(Some(&realm).filter(|_| missing != 1))
            .optional(Some(&nonce).filter(|_| missing != 2))
            .integrity(&ann.key());
        assert_eq!(ann.send(&mut world, &request).code(), 400, "without attribute {missing}");
    }
}

#[test]
fn a_stale_nonce_is_replaced_and_the_allocation_goes_on() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    let response = ann.allocate_with(&mut world, |_| {});
    assert!(response.is_success());
    ann.refresh(&mut world, 3600);
    world.elapse(secs(700));
    let id = world.id();
    let request = ann.signed(id, Method::REFRESH, |_| {});
    let stale = ann.send(&mut world, &request);
    assert_eq!(stale.code(), 438);
    let old = std::mem::take(&mut ann.nonce);
    ann.learn(&stale);
    assert_ne!(old, ann.nonce);
    assert!(ann.refresh(&mut world, 600).is_success());
    // Somebody else's nonce is as good as none.
    let mut bob = Client::bob("198.51.100.2:1000");
    bob.nonce.clone_from(&ann.nonce);
    let id = world.id();
    let request = bob.signed(id, Method::ALLOCATE, |_| {});
    assert_eq!(bob.send(&mut world, &request).code(), 438);
}

#[test]
fn an_allocation_belongs_to_its_user() {
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    let mut bob = Client::new(ann.path, "bob", "word");
    bob.nonce.clone_from(&ann.nonce);
    assert_eq!(bob.refresh(&mut world, 0).code(), 441);
    assert_eq!(bob.permit(&mut world, "8.8.8.8:1"), 441);
    assert_eq!(bob.bind(&mut world, 0x4000, addr("8.8.8.8:1")), 441);
    assert_eq!(bob.allocate_with(&mut world, |_| {}).code(), 437);
    assert_eq!(world.server.allocations(), 1);
    // Without an allocation the same requests are mismatches.
    let mut bob = Client::bob("198.51.100.2:1");
    assert_eq!(bob.refresh(&mut world, 600).code(), 437);
    assert_eq!(bob.permit(&mut world, "8.8.8.8:1"), 437);
    assert_eq!(bob.bind(&mut world, 0x4000, addr("8.8.8.8:1")), 437);
}

#[test]
fn a_limited_credential_ends_but_its_allocation_goes_on() {
    let mut world = World::new(config());
    let issued = Secret::new(SECRET).issue(UNIX + secs(100), "call", None);
    let client = |port: u16| {
        let path = udp(SERVER, &format!("198.51.100.1:{port}"));
        Client::new(path, &issued.username, &issued.password)
    };
    let mut first = client(1000);
    first.allocate(&mut world);
    world.elapse(secs(101));
    assert!(first.refresh(&mut world, 600).is_success(), "a call outlasts its credential");
    assert_eq!(client(1001).allocate_with(&mut world, |_| {}).code(), 401);
    // Nor does it come back for the same 5-tuple.
    first.refresh(&mut world, 0);
    assert_eq!(first.allocate_with(&mut world, |_| {}).code(), 401);
}

#[test]
fn credentials_end_by_the_clock_that_was_told_last() {
    let mut world = World::new(config());
    let issued = Secret::new(SECRET).issue(UNIX + secs(100), "call", None);
    let code = |world: &mut World, port: u16| {
        let path = udp(SERVER, &format!("198.51.100.1:{port}"));
        Client::new(path, &issued.username, &issued.password).allocate_with(world, |_| {}).code()
    };
    // The host slept: its monotonic clock stood still.
    world.server.handle_clock(world.now, UNIX + secs(90));
    assert_eq!(code(&mut world, 1), 0);
    world.elapse(secs(11));
    assert_eq!(code(&mut world, 2), 401);
    // The clock had been fast.
    world.server.handle_clock(world.now, UNIX);
    assert_eq!(code(&mut world, 3), 0);
}

#[test]
fn a_limited_credential_cannot_be_changed() {
    let mut world = World::new(config());
    let expiry = (UNIX + secs(100)).as_secs();
    let issued = Secret::new(SECRET).issue(UNIX + secs(100), "call", None);
    for username in [
        format!("{}:call", expiry + 1),
        format!("{expiry}:other"),
        format!("{expiry}:call@203.0.113.5"),
        format!("{expiry}"),
    ] {
        let path = udp(SERVER, "198.51.100.1:1000");
        let mut client = Client::new(path, &username, &issued.password);
        assert_eq!(client.allocate_with(&mut world, |_| {}).code(), 401, "{username}");
    }
}

#[test]
fn without_credentials_nobody_gets_in() {
    let mut world = World::new(Config { credentials: Credentials::default(), ..config() });
    let empty = Secret::new(*b"").issue(UNIX + secs(100), "call", None);
    for (user, password) in [("ann", "pass"), (&empty.username, &empty.password)] {
        let mut client = Client::new(udp(SERVER, "198.51.100.1:1000"), user, password);
        assert_eq!(client.allocate_with(&mut world, |_| {}).code(), 401);
    }
}

#[test]
fn strangers_cost_no_memory() {
    let mut world = World::new(config());
    let before = world.server.stats();
    let allocate = bare_allocate(&mut world);
    let mut unsigned = Vec::new();
    Writer::new(&mut unsigned, Class::Request, Method::CREATE_PERMISSION, world.id())
        .attribute(&XorPeerAddress(addr("8.8.8.8:1")));
    let mut binding = Vec::new();
    Writer::new(&mut binding, Class::Request, Method::BINDING, world.id());
    let guess = Client { nonce: "AAAAAAAAAAAA".into(), ..Client::ann("0.0.0.0:0") };
    let id = world.id();
    let guess = guess.signed(id, Method::ALLOCATE, |_| {});
    let data = crate::turn_world::channel_data(0x4000, b"x");
    let send = send_indication(addr("8.8.8.8:1"), b"x");
    for source in 0..10_000_u32 {
        let remote = format!("{}:{}", std::net::Ipv4Addr::from(0x0800_0000 + source), 1 + source);
        let path = udp(SERVER, &remote);
        for bytes in [&allocate, &unsigned, &binding, &guess, &data, &send] {
            world.receive(path, bytes);
        }
        world.sent.clear();
    }
    assert!(world.events.is_empty());
    assert_eq!(world.deadline, None);
    let after = world.server.stats();
    assert_eq!(after.allocations, before.allocations);
    assert_eq!((after.relays_now, after.users_now, after.reservations_now), (0, 0, 0));
    assert_eq!(world.server.allocations(), 0);
    assert_eq!(after.errors.get(&401), Some(&20_000));
    assert_eq!(after.errors.get(&438), Some(&10_000));
    assert_eq!(after.bindings, 10_000);
    assert_eq!(after.drops.no_allocation, 20_000);
}

#[test]
fn what_is_not_for_a_server_is_dropped_without_a_word() {
    let mut world = World::new(config());
    let path = udp(SERVER, "198.51.100.1:1000");
    let message = |world: &mut World, class, method| {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, class, Method(method), world.id());
        bytes
    };
    let mut garbage = vec![vec![], vec![0; 3], vec![0; 20], vec![0x80; 200], vec![0x16; 50]];
    for class in [Class::Success, Class::Error] {
        garbage.push(message(&mut world, class, 1));
        garbage.push(message(&mut world, class, 3));
    }
    // Unknown and unsupported methods (RFC 6062's Connect).
    garbage.push(message(&mut world, Class::Request, 0x0a));
    garbage.push(message(&mut world, Class::Request, 0xfff));
    garbage.push(message(&mut world, Class::Indication, 3));
    let mut forged = Vec::new();
    Writer::new(&mut forged, Class::Request, Method::BINDING, world.id()).fingerprint();
    *forged.last_mut().unwrap() ^= 1;
    garbage.push(forged);
    let count = garbage.len() as u64;
    for bytes in garbage {
        assert_eq!(world.exchange(path, &bytes), None, "{bytes:?}");
    }
    let drops = world.server.stats().drops;
    assert_eq!(drops.malformed + drops.fingerprint, count);
    assert!(world.events.is_empty());
}

#[test]
fn garbage_on_a_stream_ends_the_connection() {
    let mut world = World::new(config());
    let path = Path { transport: Transport::Tcp, ..udp(SERVER, "198.51.100.1:1000") };
    world.receive(path, b"GET / HTTP/1.1\r\n");
    assert_eq!(world.events, [talkie_traversal::turn::server::Event::Disconnect { path }]);
}
