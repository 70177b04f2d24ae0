//! NAT behaviour discovery (RFC 5780), the server's side: which socket answers, what the answer says,
//! and that nobody can aim it at somebody else.

use std::net::{IpAddr, SocketAddr};

use talkie_sansio::{Path, Transport};
use talkie_traversal::stun::attributes::{
    AttributeType, ChangeRequest, ErrorCode, MappedAddress, Nonce, OtherAddress, Padding,
    ResponseOrigin, ResponsePort, UnknownAttributes, XorMappedAddress,
};
use talkie_traversal::stun::{Class, MAGIC_COOKIE, Message, Method, Writer};
use talkie_traversal::turn::server::{Config, Discovery, OwnAddress};

use super::turn_world::{World, addr, config, secs, udp};

const PORTS: [u16; 2] = [3478, 3479];
const CLIENT: &str = "198.51.100.7:40000";
/// IPv4's and UDP's headers.
const HEADERS: usize = 28;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn with(discovery: Discovery) -> World {
    World::new(Config { discovery: vec![discovery], ..config() })
}

/// Two addresses with two ports each.
fn full() -> World {
    with(Discovery::full([ip("192.0.2.1"), ip("192.0.2.2")], PORTS))
}

/// One address with two ports.
fn ports_only() -> World {
    with(Discovery::ports_only(ip("192.0.2.1"), PORTS))
}

fn request(world: &mut World, fill: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    fill(&mut Writer::new(&mut bytes, Class::Request, Method::BINDING, world.id()));
    bytes
}

fn change(ip: bool, port: bool) -> ChangeRequest {
    ChangeRequest { ip, port }
}

/// Sends a request from the client to `server` and takes the answer, which must be a success.
fn ask(world: &mut World, server: &str, fill: impl FnOnce(&mut Writer<'_>)) -> (Path, Vec<u8>) {
    let bytes = request(world, fill);
    let (path, answer) = world.exchange(udp(server, CLIENT), &bytes).expect("an answer");
    let message = Message::parse(&answer).unwrap();
    assert_eq!(message.class(), Class::Success, "{:?}", code(&answer));
    assert_eq!(message.transaction_id(), Message::parse(&bytes).unwrap().transaction_id());
    (path, answer)
}

/// The error code of an answer that must be an error.
fn code(answer: &[u8]) -> u16 {
    let message = Message::parse(answer).unwrap();
    message.get::<ErrorCode<'_>>().unwrap().map_or(0, |code| code.code)
}

fn refused(world: &mut World, server: &str, fill: impl FnOnce(&mut Writer<'_>)) -> (u16, Vec<u8>) {
    let bytes = request(world, fill);
    let (path, answer) = world.exchange(udp(server, CLIENT), &bytes).expect("an answer");
    assert_eq!(path, udp(server, CLIENT), "a refusal comes from where it was asked");
    (code(&answer), answer)
}

fn origin(answer: &[u8]) -> Option<SocketAddr> {
    Message::parse(answer).unwrap().get::<ResponseOrigin>().unwrap().map(|it| it.0)
}

fn other(answer: &[u8]) -> Option<SocketAddr> {
    Message::parse(answer).unwrap().get::<OtherAddress>().unwrap().map(|it| it.0)
}

#[test]
fn each_change_request_is_answered_from_its_socket() {
    // RFC 5780 §6.1, table 1, for a request to each of the four sockets.
    let [one, two] = ["192.0.2.1", "192.0.2.2"];
    let mut world = full();
    for (here, there) in [(one, two), (two, one)] {
        for (port, alternate) in [(3478, 3479), (3479, 3478)] {
            let asked = format!("{here}:{port}");
            let differs_in_both = addr(&format!("{there}:{alternate}"));
            for (wish, from) in [
                (None, asked.clone()),
                (Some(change(false, false)), asked.clone()),
                (Some(change(false, true)), format!("{here}:{alternate}")),
                (Some(change(true, false)), format!("{there}:{port}")),
                (Some(change(true, true)), format!("{there}:{alternate}")),
            ] {
                let (path, answer) = ask(&mut world, &asked, |writer| {
                    writer.optional(wish.as_ref());
                });
                assert_eq!(path, udp(&from, CLIENT), "{asked} {wish:?}");
                assert_eq!(origin(&answer), Some(addr(&from)), "{asked} {wish:?}");
                assert_eq!(other(&answer), Some(differs_in_both), "{asked} {wish:?}");
                let message = Message::parse(&answer).unwrap();
                let mapped = message.get::<MappedAddress>().unwrap().unwrap().0;
                let xored = message.get::<XorMappedAddress>().unwrap().unwrap().0;
                assert_eq!((mapped, xored), (addr(CLIENT), addr(CLIENT)));
            }
        }
    }
}

#[test]
fn with_one_address_the_port_alone_can_be_changed_and_no_other_address_is_named() {
    let mut world = ports_only();
    for (here, there) in
        [("192.0.2.1:3478", "192.0.2.1:3479"), ("192.0.2.1:3479", "192.0.2.1:3478")]
    {
        let (path, answer) = ask(&mut world, here, |_| {});
        assert_eq!((path.local, origin(&answer)), (addr(here), Some(addr(here))));
        // RFC 5780 §7.4.
        assert_eq!(other(&answer), None);
        let (path, answer) = ask(&mut world, here, |writer| {
            writer.attribute(&change(false, true));
        });
        assert_eq!((path.local, origin(&answer)), (addr(there), Some(addr(there))));
        assert_eq!(other(&answer), None);
        for wish in [change(true, false), change(true, true)] {
            let (code, answer) = refused(&mut world, here, |writer| {
                writer.attribute(&wish);
            });
            assert_eq!(code, 420);
            let message = Message::parse(&answer).unwrap();
            let unknown = message.get::<UnknownAttributes<'_>>().unwrap().unwrap();
            assert!(unknown.types().eq([AttributeType::CHANGE_REQUEST]));
        }
    }
}

#[test]
fn on_all_addresses_the_one_reached_is_the_origin() {
    let two = [ip("192.0.2.1"), ip("192.0.2.2")];
    let mut world = with(Discovery { listener: ip("0.0.0.0"), ..Discovery::full(two, PORTS) });
    let (path, answer) = ask(&mut world, "192.0.2.9:3478", |writer| {
        writer.attribute(&change(false, true));
    });
    assert_eq!((path.local, origin(&answer)), (addr("192.0.2.9:3479"), Some(path.local)));
    assert_eq!(other(&answer), Some(addr("192.0.2.2:3479")));
    // Where the driver cannot tell which one it was, nothing is said of it.
    let (_, answer) = ask(&mut world, "0.0.0.0:3478", |_| {});
    assert_eq!((origin(&answer), other(&answer)), (None, None));
    // Other listeners of the same server take no part.
    let (_, answer) = ask(&mut world, "192.0.2.1:5349", |_| {});
    assert_eq!(answer.len(), 32);
}

#[test]
fn behind_a_one_to_one_nat_clients_are_told_the_outer_addresses() {
    let own = |local: &str, told: &str| OwnAddress { local: ip(local), told: ip(told) };
    let mut world = with(Discovery {
        addresses: vec![own("10.0.0.1", "192.0.2.1"), own("10.0.0.2", "192.0.2.2")],
        ..Discovery::ports_only(ip("0.0.0.0"), PORTS)
    });
    let (path, answer) = ask(&mut world, "10.0.0.1:3478", |writer| {
        writer.attribute(&change(true, false));
    });
    assert_eq!(path.local, addr("10.0.0.2:3478"));
    assert_eq!(origin(&answer), Some(addr("192.0.2.2:3478")));
    assert_eq!(other(&answer), Some(addr("192.0.2.2:3479")));
}

#[test]
fn both_families_have_sockets_of_their_own() {
    let v6 = Discovery::full([ip("2001:db8::1"), ip("2001:db8::2")], PORTS);
    let v4 = Discovery::ports_only(ip("192.0.2.1"), PORTS);
    let mut world = World::new(Config { discovery: vec![v4, v6], ..config() });
    let wish = request(&mut world, |writer| {
        writer.attribute(&change(true, true));
    });
    let path = udp("[2001:db8::1]:3478", "[2001:db8:7::1]:5000");
    let (from, answer) = world.exchange(path, &wish).unwrap();
    assert_eq!(from, udp("[2001:db8::2]:3479", "[2001:db8:7::1]:5000"));
    assert_eq!(other(&answer), Some(addr("[2001:db8::2]:3479")));
    assert_eq!(
        refused(&mut world, "192.0.2.1:3478", |writer| {
            writer.attribute(&change(true, true));
        })
        .0,
        420
    );
}

#[test]
fn who_offers_no_discovery_knows_none_of_its_attributes() {
    let mut world = World::new(config());
    let all: [fn(&mut Writer<'_>); 3] = [
        |writer| {
            writer.attribute(&change(false, false));
        },
        |writer| {
            writer.attribute(&ResponsePort(40_001));
        },
        |writer| {
            writer.attribute(&Padding(&[0; 8]));
        },
    ];
    for fill in all {
        assert_eq!(refused(&mut world, "192.0.2.1:3478", fill).0, 420);
    }
    assert_eq!(ask(&mut world, "192.0.2.1:3478", |_| {}).1.len(), 32);
}

#[test]
fn a_connection_names_the_other_address_and_cannot_be_answered_elsewhere() {
    let discovery =
        Discovery { tcp: true, ..Discovery::full([ip("192.0.2.1"), ip("192.0.2.2")], PORTS) };
    let mut world = with(discovery);
    let path = Path { transport: Transport::Tcp, ..udp("192.0.2.1:3478", CLIENT) };
    let bare = request(&mut world, |_| {});
    let (_, answer) = world.exchange(path, &bare).unwrap();
    assert_eq!(other(&answer), Some(addr("192.0.2.2:3479")));
    assert_eq!(origin(&answer), Some(addr("192.0.2.1:3478")));
    for wish in [change(false, true), change(true, true)] {
        let bytes = request(&mut world, |writer| {
            writer.attribute(&wish);
        });
        let (from, answer) = world.exchange(path, &bytes).unwrap();
        assert_eq!((from, code(&answer)), (path, 420));
    }
    // Without listeners there, and over TLS, nothing is said.
    let tls = Path { transport: Transport::Tls, ..path };
    assert_eq!(world.exchange(tls, &bare).unwrap().1.len(), 32);
    assert_eq!(full().exchange(path, &bare).unwrap().1.len(), 32);
}

#[test]
fn padding_comes_back_and_never_makes_an_answer_longer_than_its_request() {
    let mut world = full();
    for length in [0, 1, 3, 4, 40, 41, 500, 1499, 1500, 1501, 9000, 60_000] {
        let mut asked = 0;
        let (_, answer) = ask(&mut world, "192.0.2.1:3478", |writer| {
            writer.attribute(&Padding(&vec![0xA5; length]));
            asked = writer.finish();
        });
        let message = Message::parse(&answer).unwrap();
        let padding = message.get::<Padding<'_>>().unwrap().expect("RFC 5780 §6.1").0;
        assert!(padding.iter().all(|byte| *byte == 0), "nobody else's bytes are sent on");
        // 68 bytes of addresses, and the attribute's own head, are there without any padding.
        assert!(answer.len() <= asked.max(72), "{length}: {} to {asked}", answer.len());
        assert!(padding.len() <= 1500 && padding.len() <= length, "{length}: {}", padding.len());
        if length == 1500 {
            assert!(answer.len() + HEADERS > 1500, "such an answer comes in fragments");
        }
        world.elapse(secs(1));
    }
}

#[test]
fn another_port_is_answered_only_for_who_has_shown_its_address() {
    let mut world = full();
    let wish = ResponsePort(41_000);
    let ask_for = |world: &mut World, path: Path, nonce: Option<&str>| {
        let bytes = request(world, |writer| {
            writer.optional(nonce.map(|text| Nonce::new(text).unwrap()).as_ref());
            writer.attribute(&wish);
        });
        world.exchange(path, &bytes).unwrap()
    };
    let path = udp("192.0.2.1:3478", CLIENT);
    let (to, answer) = ask_for(&mut world, path, None);
    assert_eq!((to, code(&answer)), (path, 438), "it goes where the request came from");
    let message = Message::parse(&answer).unwrap();
    let nonce = message.get::<Nonce<'_>>().unwrap().unwrap().as_str().to_owned();

    let (to, answer) = ask_for(&mut world, path, Some(&nonce));
    assert_eq!(to, udp("192.0.2.1:3478", "198.51.100.7:41000"));
    let message = Message::parse(&answer).unwrap();
    let mapped = message.get::<XorMappedAddress>().unwrap().unwrap().0;
    assert_eq!(mapped, addr(CLIENT), "of the socket that asked");

    // Not with a nonce of one's own making, of somebody else, or of another day.
    let neighbour = udp("192.0.2.1:3478", "198.51.100.7:40001");
    let stranger = udp("192.0.2.1:3478", "203.0.113.9:40000");
    for (path, nonce) in [(path, "AAAAAAAAAAAA"), (neighbour, &*nonce), (stranger, &*nonce)] {
        let (to, answer) = ask_for(&mut world, path, Some(nonce));
        assert_eq!((to, code(&answer)), (path, 438));
    }
    world.elapse(secs(3600));
    assert_eq!(code(&ask_for(&mut world, path, Some(&nonce)).1), 438);
}

#[test]
fn who_is_on_this_host_has_nothing_to_show() {
    for (local, remote, to) in [
        ("127.0.0.1:3478", "127.0.0.1:5000", "127.0.0.1:5001"),
        ("[::1]:3478", "[::1]:5000", "[::1]:5001"),
    ] {
        let mut world = with(Discovery::ports_only(addr(local).ip(), PORTS));
        let bytes = request(&mut world, |writer| {
            writer.attribute(&ResponsePort(5001)).attribute(&change(false, true));
        });
        let (path, answer) = world.exchange(udp(local, remote), &bytes).unwrap();
        assert_eq!((path.local.port(), path.remote), (3479, addr(to)));
        assert_eq!(Message::parse(&answer).unwrap().class(), Class::Success);
    }
}

#[test]
fn another_port_is_never_a_service_s_and_never_gets_padding() {
    let mut world = full();
    let (_, challenge) = refused(&mut world, "192.0.2.1:3478", |writer| {
        writer.attribute(&ResponsePort(41_000));
    });
    let challenge = Message::parse(&challenge).unwrap();
    let nonce = challenge.get::<Nonce<'_>>().unwrap().unwrap();
    for port in [0, 53, 1023] {
        let (code, _) = refused(&mut world, "192.0.2.1:3478", |writer| {
            writer.attribute(&nonce).attribute(&ResponsePort(port));
        });
        assert_eq!(code, 400, "{port}");
    }
    // RFC 5780 §6.1 and §7.5.
    let (code, _) = refused(&mut world, "192.0.2.1:3478", |writer| {
        writer.attribute(&nonce).attribute(&ResponsePort(41_000)).attribute(&Padding(&[0; 100]));
    });
    assert_eq!(code, 400);
    // With another socket, though.
    let (path, _) = ask(&mut world, "192.0.2.1:3478", |writer| {
        writer.attribute(&nonce).attribute(&ResponsePort(1024)).attribute(&change(true, true));
    });
    assert_eq!(path, udp("192.0.2.2:3479", "198.51.100.7:1024"));
}

#[test]
fn what_is_malformed_is_refused_and_the_old_reflecting_attribute_is_unknown() {
    let mut world = full();
    for (kind, length) in [
        (AttributeType::CHANGE_REQUEST, 0),
        (AttributeType::CHANGE_REQUEST, 8),
        (AttributeType::RESPONSE_PORT, 0),
        (AttributeType::RESPONSE_PORT, 6),
    ] {
        let (code, _) = refused(&mut world, "192.0.2.1:3478", |writer| {
            writer.raw(kind, |out| out.resize(out.len() + length, 0));
        });
        assert_eq!(code, 400, "{kind:?} of {length}");
    }
    // RESPONSE-ADDRESS of RFC 3489 had a server send to anybody.
    let (code, _) = refused(&mut world, "192.0.2.1:3478", |writer| {
        writer.raw(AttributeType(0x0002), |out| out.extend([0, 1, 0, 53, 203, 0, 113, 9]));
    });
    assert_eq!(code, 420);
}

/// RFC 5389 §12.2: how libnice asks.
#[test]
fn a_request_from_before_the_cookie_is_told_its_address_and_nothing_else() {
    let mut world = full();
    let path = udp("192.0.2.1:3478", CLIENT);
    let mut classic = request(&mut world, |_| {});
    classic[4..8].copy_from_slice(b"old!");
    let (back, mut answer) = world.exchange(path, &classic).expect("an answer");
    assert_eq!(back, path);
    assert_eq!((&answer[..2], &answer[4..20]), (&[1, 1][..], &classic[4..20]));
    assert_eq!(answer.len(), 32, "no longer than the bare answer to a request of today");
    answer[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    let message = Message::parse(&answer).unwrap();
    assert_eq!(message.get::<MappedAddress>().unwrap().map(|it| it.0), Some(addr(CLIENT)));
    // An answer from elsewhere is what reflects (RFC 3489 §11.2.4).
    let mut elsewhere = request(&mut world, |writer| {
        writer.attribute(&change(true, true));
    });
    elsewhere[4..8].fill(0);
    let (back, mut answer) = world.exchange(path, &elsewhere).expect("an answer");
    answer[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    assert_eq!((back, code(&answer)), (path, 420));
    assert!(answer.len() <= elsewhere.len() + 12, "{}", answer.len());
    // Over a stream, or with lengths that do not add up, it is none.
    let stream = Path { transport: Transport::Tcp, ..path };
    assert_eq!(world.exchange(stream, &classic), None);
    for length in [1, 4, 255] {
        let mut broken = classic.clone();
        broken[3] = length;
        assert_eq!(world.exchange(path, &broken), None);
        broken.extend_from_slice(&[0, 1, 0, length]);
        assert_eq!(world.exchange(path, &broken), None);
    }
}

#[test]
fn a_flood_in_a_victim_s_name_gets_bare_answers_and_from_no_strange_socket() {
    let mut world = full();
    let victim = "203.0.113.5:4444";
    let bare = request(&mut world, |_| {});
    let elsewhere = request(&mut world, |writer| {
        writer.attribute(&change(true, true));
    });
    let padded = request(&mut world, |writer| {
        writer.attribute(&Padding(&[0; 1400]));
    });
    let (mut received, mut sent) = (0, 0);
    for round in 0..10_000 {
        let bytes = [&bare, &elsewhere, &padded][round % 3];
        received += bytes.len() + HEADERS;
        if let Some((_, answer)) = world.exchange(udp("192.0.2.1:3478", victim), bytes) {
            sent += answer.len() + HEADERS;
            if round > 200 {
                assert_eq!((bytes, answer.len()), (&bare, 32), "the budget is spent by then");
            }
        }
    }
    assert!(sent < received, "{sent} bytes for {received}");
    assert!(world.server.stats().drops.over_budget > 6_000);
    // Nobody else pays for it, and the victim's own turn comes again.
    let (_, answer) = ask(&mut world, "192.0.2.1:3478", |_| {});
    assert_eq!(answer.len(), 68);
    world.elapse(secs(1));
    let (path, _) = world.exchange(udp("192.0.2.1:3478", victim), &elsewhere).unwrap();
    assert_eq!(path.local, addr("192.0.2.2:3479"));
}

#[test]
fn a_single_answer_is_bounded_in_proportion_to_its_request() {
    let mut world = full();
    let (_, answer) = ask(&mut world, "192.0.2.1:3478", |_| {});
    assert_eq!(answer.len(), 68);
    // With the headers that a victim's line carries as well: 96 for 48.
    assert!(answer.len() + HEADERS <= 2 * (20 + HEADERS));
    let (_, challenge) = refused(&mut world, "192.0.2.1:3478", |writer| {
        writer.attribute(&ResponsePort(41_000));
    });
    assert!(challenge.len() <= 2 * 28, "{}", challenge.len());
}
