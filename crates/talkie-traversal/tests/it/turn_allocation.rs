//! The life of an allocation (RFC 8656 §5 to §8).

#![allow(clippy::unwrap_used, reason = "a test is allowed to end here")]

use std::net::SocketAddr;

use talkie_sansio::{Machine as _, Path, Transport};
use talkie_traversal::stun::attributes::{
    AdditionalAddressFamily, AddressErrorCode, AddressFamily, AttributeType, EvenPort, Lifetime,
    RequestedAddressFamily, RequestedTransport, ReservationToken, UnknownAttributes,
    XorMappedAddress,
};
use talkie_traversal::stun::{Method, Writer};
use talkie_traversal::turn::server::{Config, Event, OpenError, RelayAddress, ReleaseReason};

use crate::turn_world::{Client, Response, World, addr, channel_data, config, secs, udp};

const V6: &str = "2001:4860:4860::8844";

/// Relays on both families, advertised at public addresses.
fn both() -> Config {
    let relay = |bind: &str, advertise: &str| {
        Some(RelayAddress { bind: bind.parse().unwrap(), advertise: advertise.parse().unwrap() })
    };
    Config { relay_v4: relay("0.0.0.0", "9.9.9.9"), relay_v6: relay("::", V6), ..config() }
}

fn family(writer: &mut Writer<'_>, family: AddressFamily) {
    writer.attribute(&RequestedAddressFamily(family));
}

fn token(response: &Response) -> ReservationToken {
    response.message().get::<ReservationToken>().unwrap().expect("no RESERVATION-TOKEN")
}

fn released(world: &World) -> Vec<ReleaseReason> {
    world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Released { reason, .. } => Some(*reason),
            _ => None,
        })
        .collect()
}

#[test]
fn an_allocation_tells_its_address_its_lifetime_and_the_client() {
    let mut world = World::new(both());
    let mut ann = Client::ann("198.51.100.1:1000");
    let response = ann.allocate_with(&mut world, |_| {});
    assert!(response.is_success());
    assert_eq!(response.lifetime(), Some(600));
    let mapped = response.message().get::<XorMappedAddress>().unwrap();
    assert_eq!(mapped, Some(XorMappedAddress(ann.path.remote)));
    let relayed = response.relayed();
    assert_eq!(relayed.len(), 1);
    // The client reached us at an address of our own: that is what it is told.
    assert_eq!(relayed[0].ip(), ann.path.local.ip());
    assert!((49_152..=65_535).contains(&relayed[0].port()));
    assert_eq!(world.open_relays(), [addr(&format!("0.0.0.0:{}", relayed[0].port()))]);
    let told = world.events.iter().any(|event| {
        matches!(event, Event::Allocated { path, user, relayed: [Some(v4), None], lifetime }
            if *path == ann.path && &**user == "ann" && *v4 == relayed[0]
                && *lifetime == secs(600))
    });
    assert!(told, "{:?}", world.events);
}

#[test]
fn the_operators_address_is_told_where_the_local_one_is_unknown_or_unwanted() {
    let mut world = World::new(both());
    let mut ann = Client::new(udp("0.0.0.0:3478", "198.51.100.1:1000"), "ann", "pass");
    assert_eq!(ann.allocate(&mut world).ip(), addr("9.9.9.9:0").ip());

    let mut world = World::new(Config { advertise_local: false, ..both() });
    let mut ann = Client::ann("198.51.100.1:1000");
    assert_eq!(ann.allocate(&mut world).ip(), addr("9.9.9.9:0").ip());

    // Nothing is known to tell: no address is better than a wrong one.
    let mut world = World::new(config());
    let mut ann = Client::new(udp("0.0.0.0:3478", "198.51.100.1:1000"), "ann", "pass");
    assert_eq!(ann.allocate_with(&mut world, |_| {}).code(), 508);
    assert_eq!(world.server.allocations(), 0);
}

#[test]
fn a_credential_may_name_the_address() {
    let mut world = World::new(both());
    let path = udp(crate::turn_world::SERVER, "198.51.100.1:1000");
    let mut named = Client::limited(path, "call", Some("1.2.3.4"));
    assert_eq!(named.allocate(&mut world).ip(), addr("1.2.3.4:0").ip());
    // Not for a family that it is not of.
    let path = udp(crate::turn_world::SERVER, "198.51.100.1:1001");
    let mut named = Client::limited(path, "call", Some("1.2.3.4"));
    let response = named.allocate_with(&mut world, |writer| family(writer, AddressFamily::IPV6));
    assert_eq!(response.relayed()[0].ip().to_string(), V6);
}

#[test]
fn a_retransmitted_allocate_gets_the_same_response_and_no_second_allocation() {
    let mut world = World::new(both());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate_with(&mut world, |_| {});
    let mut again = Client::ann("198.51.100.1:1001");
    again.nonce.clone_from(&ann.nonce);
    let id = world.id();
    let request = |client: &Client| {
        client.signed(id, Method::ALLOCATE, |writer| {
            writer.attribute(&RequestedTransport::UDP);
        })
    };
    let challenge = again.send(&mut world, &request(&again));
    again.learn(&challenge);
    let first = again.send(&mut world, &request(&again));
    world.elapse(secs(20));
    let second = again.send(&mut world, &request(&again));
    assert!(first.is_success());
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(world.server.allocations(), 2);
    assert_eq!(world.open_relays().len(), 2);

    // Nobody else is told what was answered, not even under the same transaction id.
    let bob = Client { nonce: again.nonce.clone(), ..Client::new(again.path, "bob", "word") };
    assert_eq!(bob.send(&mut world, &request(&bob)).code(), 437);
    // Another transaction on the same 5-tuple is a mismatch (RFC 8656 §7.2, step 2).
    assert_eq!(again.allocate_with(&mut world, |_| {}).code(), 437);
}

#[test]
fn a_retransmission_while_the_relay_is_being_opened_is_answered_once() {
    let mut world = World::new(both());
    world.silent = true;
    let mut ann = Client::ann("198.51.100.1:1000");
    let id = world.id();
    let fill = |writer: &mut Writer<'_>| {
        writer.attribute(&RequestedTransport::UDP);
    };
    let challenge = ann.send(&mut world, &ann.signed(id, Method::ALLOCATE, fill));
    ann.learn(&challenge);
    let request = ann.signed(id, Method::ALLOCATE, fill);
    assert_eq!(world.exchange(ann.path, &request), None);
    assert_eq!(world.exchange(ann.path, &request), None);
    // Nor is anything else possible before it is there.
    assert_eq!(ann.refresh(&mut world, 600).code(), 437);
    let relays: Vec<_> = opens(&world);
    assert_eq!(relays.len(), 1);
    world.opened(relays[0].0, Ok(()));
    assert_eq!(world.sent.len(), 1);
    let response = Response { bytes: world.sent.pop_front().unwrap().1 };
    assert_eq!(response.relayed()[0].port(), relays[0].1.port());
    // Answers that nobody waits for change nothing.
    world.opened(relays[0].0, Ok(()));
    world.opened(relays[0].0, Err(OpenError::PortTaken));
    assert!(world.sent.is_empty());
    assert_eq!(world.server.allocations(), 1);
}

fn opens(world: &World) -> Vec<(talkie_traversal::turn::server::RelayId, SocketAddr)> {
    world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::OpenRelay { relay, local } => Some((*relay, *local)),
            _ => None,
        })
        .collect()
}

#[test]
fn an_opening_that_is_never_answered_is_given_up() {
    let mut world = World::new(both());
    world.silent = true;
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.nonce = nonce(&mut world, &ann);
    let id = world.id();
    let request = ann.signed(id, Method::ALLOCATE, |writer| {
        writer.attribute(&RequestedTransport::UDP);
    });
    assert_eq!(world.exchange(ann.path, &request), None);
    assert_eq!(world.server.allocations(), 1);
    world.elapse(secs(11));
    let response = Response { bytes: world.sent.pop_front().unwrap().1 };
    assert_eq!(response.code(), 508);
    assert_eq!(world.server.allocations(), 0);
    assert!(world.open_relays().is_empty());
    assert_eq!(world.server.stats().users_now, 0);
    assert_eq!(world.deadline, None);
    // The answer comes after all.
    let (relay, _) = opens(&world)[0];
    world.opened(relay, Ok(()));
    assert_eq!(world.server.stats().relays_now, 0);
}

/// The nonce of a challenge to `client`.
fn nonce(world: &mut World, client: &Client) -> String {
    let mut probe = client.clone();
    let id = world.id();
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, talkie_traversal::stun::Class::Request, Method::ALLOCATE, id);
    let challenge = probe.send(world, &bytes);
    probe.learn(&challenge);
    probe.nonce
}

#[test]
fn a_taken_port_is_followed_by_another_and_in_the_end_by_508() {
    let mut world = World::new(both());
    world.openings.extend([Err(OpenError::PortTaken); 3]);
    let mut ann = Client::ann("198.51.100.1:1000");
    let relayed = ann.allocate(&mut world);
    let ports: Vec<_> = opens(&world).iter().map(|(_, local)| local.port()).collect();
    assert_eq!(ports.len(), 4);
    assert_eq!(ports[3], relayed.port());

    let mut world = World::new(both());
    world.openings.extend([Err(OpenError::PortTaken); 100]);
    let mut ann = Client::ann("198.51.100.1:1000");
    assert_eq!(ann.allocate_with(&mut world, |_| {}).code(), 508);
    assert_eq!(opens(&world).len(), 8, "the tries are bounded");
    assert_eq!((world.server.allocations(), world.server.stats().relays_now), (0, 0));

    let mut world = World::new(both());
    world.openings.push_back(Err(OpenError::Failed));
    let mut ann = Client::ann("198.51.100.1:1000");
    assert_eq!(ann.allocate_with(&mut world, |_| {}).code(), 508);
    assert_eq!(opens(&world).len(), 1, "another port would not help");
}

#[test]
fn the_error_ladder_of_allocate() {
    let mut world = World::new(Config { relay_v6: None, ..both() });
    let mut ann = Client::ann("198.51.100.1:1000");
    let mut code = |fill: &dyn Fn(&mut Writer<'_>)| {
        let response = ann.request(&mut world, Method::ALLOCATE, fill);
        assert_eq!(world.server.allocations(), 0);
        response.code()
    };
    let udp = |writer: &mut Writer<'_>| {
        writer.attribute(&RequestedTransport::UDP);
    };
    // Step 3.
    assert_eq!(code(&|_| {}), 400);
    let short = |writer: &mut Writer<'_>| {
        writer.raw(AttributeType::REQUESTED_TRANSPORT, |out| out.push(17));
    };
    assert_eq!(code(&short), 400);
    let tcp = |writer: &mut Writer<'_>| {
        writer.attribute(&RequestedTransport::TCP);
    };
    assert_eq!(code(&tcp), 442);
    // Step 5.
    let token = ReservationToken([1; 8]);
    let mut with_token = |more: &dyn Fn(&mut Writer<'_>)| {
        code(&|writer| {
            udp(writer);
            writer.attribute(&token);
            more(writer);
        })
    };
    assert_eq!(with_token(&|_| {}), 508);
    let even = |writer: &mut Writer<'_>| {
        writer.attribute(&EvenPort { reserve_next: false });
    };
    assert_eq!(with_token(&even), 400);
    assert_eq!(with_token(&|writer| family(writer, AddressFamily::IPV4)), 400);
    assert_eq!(with_token(&dual), 400);
    // Step 6.
    assert_eq!(
        code(&|w| {
            udp(w);
            family(w, AddressFamily::IPV4);
            w.attribute(&AdditionalAddressFamily(AddressFamily::IPV6));
        }),
        400
    );
    // Step 7.
    for wire in [AddressFamily::IPV6, AddressFamily(0), AddressFamily(3)] {
        let unsupported = |w: &mut Writer<'_>| {
            udp(w);
            family(w, wire);
        };
        assert_eq!(code(&unsupported), 440, "{wire:?}");
    }
    // Step 8.
    assert_eq!(
        code(&|w| {
            udp(w);
            w.attribute(&EvenPort { reserve_next: true });
            w.attribute(&AdditionalAddressFamily(AddressFamily::IPV6));
        }),
        400
    );
    // Step 9.
    assert_eq!(
        code(&|w| {
            udp(w);
            w.attribute(&AdditionalAddressFamily(AddressFamily::IPV4));
        }),
        400
    );
}

#[test]
fn what_is_not_understood_is_named() {
    let mut world = World::new(both());
    let mut ann = Client::ann("198.51.100.1:1000");
    // DONT-FRAGMENT cannot be honoured, so it counts as unknown (RFC 8656 §7.2, step 4).
    let response = ann.allocate_with(&mut world, |writer| {
        writer.raw(AttributeType::DONT_FRAGMENT, |_| {});
        writer.raw(AttributeType(0x7f00), |_| {});
        // Those from 0x8000 on are optional.
        writer.raw(AttributeType(0xbf00), |_| {});
    });
    assert_eq!(response.code(), 420);
    let unknown = response.message().get::<UnknownAttributes<'_>>().unwrap().unwrap();
    let unknown: Vec<_> = unknown.types().collect();
    assert_eq!(unknown, [AttributeType::DONT_FRAGMENT, AttributeType(0x7f00)]);
}

#[test]
fn without_ipv4_an_unnamed_family_is_refused() {
    let mut world = World::new(Config { relay_v4: None, ..both() });
    let mut ann = Client::ann("198.51.100.1:1000");
    assert_eq!(ann.allocate_with(&mut world, |_| {}).code(), 440);
    let response = ann.allocate_with(&mut world, |writer| family(writer, AddressFamily::IPV6));
    assert_eq!(response.relayed()[0].ip().to_string(), V6);
}

fn dual(writer: &mut Writer<'_>) {
    writer.attribute(&AdditionalAddressFamily(AddressFamily::IPV6));
}

#[test]
fn both_families_come_with_one_request() {
    let mut world = World::new(both());
    let mut ann = Client::ann("198.51.100.1:1000");
    let response = ann.allocate_with(&mut world, dual);
    let relayed = response.relayed();
    assert_eq!(relayed.len(), 2);
    assert!(relayed[0].is_ipv4() && relayed[1].is_ipv6());
    assert_eq!(response.message().get::<AddressErrorCode<'_>>().unwrap(), None);
    for (number, peer) in [(0x4000, "8.8.8.8:1"), (0x4001, "[2001:4860:4860::8888]:1")] {
        assert_eq!(ann.bind(&mut world, number, addr(peer)), 0);
        let (path, _) = world.exchange(ann.path, &channel_data(number, b"x")).unwrap();
        assert_eq!(path.remote, addr(peer));
        assert_eq!(path.local.is_ipv4(), path.remote.is_ipv4());
    }
}

#[test]
fn one_family_of_two_is_better_than_none() {
    let refused = |response: &Response| {
        let error = response.message().get::<AddressErrorCode<'_>>().unwrap().unwrap();
        (error.family, error.code)
    };
    let mut world = World::new(Config { relay_v6: None, ..both() });
    let mut ann = Client::ann("198.51.100.1:1000");
    let response = ann.allocate_with(&mut world, dual);
    assert_eq!(response.relayed().len(), 1);
    assert_eq!(refused(&response), (AddressFamily::IPV6, 440));

    // There are IPv6 relays, but no address to tell of them.
    let mut world = World::new(config());
    let mut ann = Client::ann("198.51.100.1:1000");
    let response = ann.allocate_with(&mut world, dual);
    assert_eq!(response.relayed().len(), 1);
    assert_eq!(refused(&response), (AddressFamily::IPV6, 508));

    for (openings, family) in [
        ([Err(OpenError::Failed), Ok(())], AddressFamily::IPV4),
        ([Ok(()), Err(OpenError::Failed)], AddressFamily::IPV6),
    ] {
        let mut world = World::new(both());
        world.openings.extend(openings);
        let mut ann = Client::ann("198.51.100.1:1000");
        let response = ann.allocate_with(&mut world, dual);
        assert_eq!(response.relayed().len(), 1);
        assert_eq!(refused(&response), (family, 508));
    }

    let mut world = World::new(both());
    world.openings.extend([Err(OpenError::Failed); 2]);
    let mut ann = Client::ann("198.51.100.1:1000");
    assert_eq!(ann.allocate_with(&mut world, dual).code(), 508);
}

#[test]
fn the_families_of_an_allocation_are_refreshed_and_deleted_apart() {
    let mut world = World::new(both());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate_with(&mut world, dual);
    let mut refresh = |world: &mut World, named, lifetime| {
        let response = ann.request(world, Method::REFRESH, |writer| {
            writer.attribute(&Lifetime(secs(lifetime)));
            family(writer, named);
        });
        (response.code(), response.lifetime())
    };
    assert_eq!(refresh(&mut world, AddressFamily::IPV4, 3600), (0, Some(3600)));
    world.elapse(secs(601));
    assert_eq!(world.open_relays().len(), 1, "IPv6 was not refreshed");
    assert_eq!(refresh(&mut world, AddressFamily::IPV6, 600), (443, None));
    assert!(released(&world).is_empty());
    assert_eq!(refresh(&mut world, AddressFamily::IPV4, 0), (0, Some(0)));
    assert_eq!(released(&world), [ReleaseReason::Deleted]);
    assert_eq!(world.server.allocations(), 0);
    let counts = world.server.stats().allocations;
    assert!(counts.values().all(|kind| kind.now == 0 && kind.total == 1), "{counts:?}");
}

#[test]
fn even_ports_are_even() {
    let mut world = World::new(both());
    for port in 1000..1050 {
        let mut ann = Client::ann(&format!("198.51.100.1:{port}"));
        let response = ann.allocate_with(&mut world, |writer| {
            writer.attribute(&EvenPort { reserve_next: false });
        });
        assert!(response.relayed()[0].port().is_multiple_of(2));
        assert_eq!(response.message().get::<ReservationToken>().unwrap(), None);
    }
}

fn reserve(writer: &mut Writer<'_>) {
    writer.attribute(&EvenPort { reserve_next: true });
}

#[test]
fn a_reserved_port_goes_to_who_brings_its_token() {
    let mut world = World::new(both());
    let mut ann = Client::ann("198.51.100.1:1000");
    let response = ann.allocate_with(&mut world, reserve);
    let even = response.relayed()[0].port();
    assert!(even.is_multiple_of(2));
    let token = token(&response);
    assert_eq!(world.open_relays().len(), 2);
    // Nobody else gets it meanwhile, and nothing is relayed there.
    let waiting = udp(&format!("0.0.0.0:{}", even + 1), "8.8.8.8:1");
    assert_eq!(world.exchange(waiting, b"x"), None);

    world.elapse(secs(29));
    let path = Path { transport: Transport::Tcp, ..Client::bob("198.51.100.2:7").path };
    let mut bob = Client { path, ..Client::bob("198.51.100.2:7") };
    let response = bob.allocate_with(&mut world, |writer| {
        writer.attribute(&token);
    });
    assert_eq!(response.relayed()[0].port(), even + 1);
    assert_eq!(world.open_relays().len(), 2);
    // A token is good once.
    let mut more = Client::bob("198.51.100.2:8");
    let response = more.allocate_with(&mut world, |writer| {
        writer.attribute(&token);
    });
    assert_eq!(response.code(), 508);
}

#[test]
fn a_reservation_ends_after_thirty_seconds() {
    let mut world = World::new(both());
    let mut ann = Client::ann("198.51.100.1:1000");
    let token = token(&ann.allocate_with(&mut world, reserve));
    let mut bob = Client::bob("198.51.100.2:7");
    assert_eq!(bob.refresh(&mut world, 600).code(), 437, "learns its nonce");
    let mut code = |world: &mut World| {
        let bring = |writer: &mut Writer<'_>| {
            writer.attribute(&token);
        };
        bob.allocate_with(world, bring).code()
    };
    // A driver whose timer is late does not prolong it.
    world.now += secs(30);
    assert_eq!(code(&mut world), 508);
    world.elapse(secs(1));
    assert_eq!(world.open_relays().len(), 1);
    assert_eq!(code(&mut world), 508);
    ann.refresh(&mut world, 0);
    assert_eq!(world.server.stats().users_now, 0);
}

#[test]
fn a_pair_is_opened_together_or_not_at_all() {
    let mut world = World::new(both());
    world.openings.extend([Ok(()), Err(OpenError::PortTaken)]);
    let mut ann = Client::ann("198.51.100.1:1000");
    let response = ann.allocate_with(&mut world, reserve);
    assert!(response.is_success());
    let asked = opens(&world);
    assert_eq!(asked.len(), 4);
    // The first port of the broken pair was given back.
    assert!(!world.open_relays().contains(&asked[0].1));
    assert!(world.open_relays().contains(&asked[2].1));
}

#[test]
fn lifetimes_are_kept_between_default_and_maximum() {
    for (asked, granted) in [(None, 600), (Some(1), 600), (Some(1200), 1200), (Some(9999), 3600)] {
        let mut world = World::new(both());
        let mut ann = Client::ann("198.51.100.1:1000");
        let response = ann.allocate_with(&mut world, |writer| {
            writer.optional(asked.map(|asked| Lifetime(secs(asked))).as_ref());
        });
        assert_eq!(response.lifetime(), Some(granted));
        world.elapse(secs(granted) - std::time::Duration::from_millis(1));
        assert_eq!(world.server.allocations(), 1);
        world.elapse(std::time::Duration::from_millis(1));
        assert_eq!(world.server.allocations(), 0);
        assert_eq!(released(&world), [ReleaseReason::Expired]);
        assert!(world.open_relays().is_empty());
        assert_eq!(world.server.poll_timeout(), None);
    }
}

#[test]
fn a_refresh_moves_the_end_both_ways() {
    let mut world = World::new(both());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    world.elapse(secs(500));
    assert_eq!(ann.refresh(&mut world, 3600).lifetime(), Some(3600));
    world.elapse(secs(3000));
    assert_eq!(world.server.allocations(), 1);
    assert_eq!(ann.refresh(&mut world, 1).lifetime(), Some(600));
    world.elapse(secs(599));
    assert_eq!(world.server.allocations(), 1);
    world.elapse(secs(1));
    assert_eq!(world.server.allocations(), 0);
    // RFC 8656 §5.
    assert_eq!(ann.refresh(&mut world, 600).code(), 437);
}

#[test]
fn a_deletion_that_is_retransmitted_is_a_mismatch_and_the_tuple_is_free_again() {
    let mut world = World::new(both());
    let mut ann = Client::ann("198.51.100.1:1000");
    ann.allocate(&mut world);
    assert_eq!(ann.refresh(&mut world, 0).lifetime(), Some(0));
    assert_eq!(ann.refresh(&mut world, 0).code(), 437);
    assert_eq!(released(&world), [ReleaseReason::Deleted]);
    ann.allocate(&mut world);
    assert_eq!(world.server.allocations(), 1);
}

#[test]
fn a_tuple_is_its_transport_too_and_a_closed_connection_ends_its_allocation() {
    let mut world = World::new(both());
    let udp = Client::ann("198.51.100.1:1000");
    let mut clients: Vec<_> = [Transport::Udp, Transport::Tcp, Transport::Tls]
        .map(|transport| Client { path: Path { transport, ..udp.path }, ..udp.clone() })
        .into();
    for client in &mut clients {
        client.allocate(&mut world);
    }
    assert_eq!(world.server.allocations(), 3);
    let tcp = clients[1].path;
    world.server.handle_disconnect(world.now, tcp);
    world.server.handle_disconnect(world.now, tcp);
    world.drain();
    assert_eq!(world.server.allocations(), 2);
    assert_eq!(released(&world), [ReleaseReason::Disconnected]);
    // The same ports may come again in a new connection, which starts from nothing.
    assert_eq!(clients[1].permit(&mut world, "8.8.8.8:1"), 437);
    clients[1].allocate(&mut world);
}
