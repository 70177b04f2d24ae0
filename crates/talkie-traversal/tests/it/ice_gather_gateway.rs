//! Ports of the gateway as candidates: given, lost, and always taken back.

use std::time::Duration;

use talkie_sansio::Want;
use talkie_traversal::ice::CandidateType::ServerReflexive;
use talkie_traversal::ice::gather::{Config, Event, Policy, PortMapping};

use crate::ice_gather_world::{Site, config, interfaces, stun};
use crate::portmap_world::{GATEWAY, Gateway, HOST, OUTSIDE, Speaks};
use crate::turn_world::secs;

fn asking() -> Config {
    Config { portmap: PortMapping::Routed, ..config(Vec::new()) }
}

/// A site behind a gateway.
fn behind(config: Config, set: impl FnOnce(&mut Gateway)) -> Site {
    let mut site = Site::new(config);
    let mut gateway = Gateway::new(site.world.now);
    set(&mut gateway);
    site.gateway = Some(gateway);
    site.gather(&[&HOST.to_string()]);
    site
}

fn table(site: &Site) -> usize {
    site.gateway.as_ref().unwrap().table.len()
}

fn withdrawn(site: &Site) -> usize {
    site.events.iter().filter(|event| matches!(event, Event::Withdrawn { .. })).count()
}

#[test]
fn a_port_of_the_gateway_is_a_candidate_of_the_socket_that_it_leads_to() {
    for set in
        [|it: &mut Gateway| it.pcp = Speaks::Well, |it: &mut Gateway| it.nat_pmp = Speaks::Well]
    {
        let mut site = behind(asking(), set);
        site.elapse(secs(2));
        assert!(site.is_complete());
        assert_eq!(site.problems(), []);
        let candidates = site.candidates();
        let [(host, own), (base, mapped)] = &candidates[..] else { panic!("{candidates:?}") };
        assert_eq!(host, base);
        assert_eq!(mapped.kind, ServerReflexive);
        assert_eq!(mapped.related, own.socket_address());
        assert_eq!(mapped.socket_address().unwrap().ip(), OUTSIDE);
        assert_eq!(mapped.url, None, "no server has told it");
        assert!(mapped.priority < own.priority);
        assert_eq!(table(&site), 1);
    }
}

#[test]
fn nobody_is_asked_where_that_is_not_wanted_or_would_tell_too_much() {
    for config in [
        config(Vec::new()),
        Config { policy: Policy::Relay, ..asking() },
        Config { external: vec![(HOST.into(), OUTSIDE.into())], ..asking() },
    ] {
        let mut site = behind(config, |it| it.pcp = Speaks::Well);
        site.elapse(secs(2));
        assert!(site.is_complete());
        assert!(!site.wants.iter().any(|want| matches!(want, Want::Gateway { .. })));
        assert_eq!(table(&site), 0);
    }
}

#[test]
fn the_mapping_is_taken_back_when_all_is_closed() {
    let mut site = behind(asking(), |it| it.pcp = Speaks::Well);
    let now = site.world.now;
    assert_eq!(table(&site), 1);
    site.gatherer.close(now);
    site.settle();
    assert_eq!(table(&site), 0);
    site.elapse(secs(1));
    assert!(site.open().is_empty(), "{:?}", site.open());
    assert_eq!(site.gatherer.poll_timeout(), None);
}

#[test]
fn a_gateway_that_went_silent_holds_nobody_up_for_long() {
    let mut site = behind(asking(), |it| it.pcp = Speaks::Well);
    site.gateway.as_mut().unwrap().pcp = Speaks::Silent;
    let now = site.world.now;
    site.gatherer.close(now);
    site.settle();
    assert!(!site.open().is_empty(), "it tries");
    site.elapse(secs(2));
    assert!(site.open().is_empty(), "{:?}", site.open());
    assert_eq!(site.gatherer.poll_timeout(), None);
}

#[test]
fn the_mapping_goes_with_its_address() {
    let mut site = behind(asking(), |it| it.nat_pmp = Speaks::Well);
    site.elapse(secs(1));
    let socket = site.candidates()[0].0;
    let now = site.world.now;
    site.gatherer.handle_interfaces(now, &[]);
    site.settle();
    assert_eq!(site.gone(), [socket]);
    assert!(site.open().is_empty(), "{:?}", site.open());
    // And comes back with it.
    site.gather(&[&HOST.to_string()]);
    site.elapse(secs(2));
    assert_eq!(site.of_kind(ServerReflexive).len(), 2);
}

#[test]
fn a_mapping_that_lapsed_is_withdrawn_and_its_socket_stays() {
    let mut site = behind(asking(), |it| it.pcp = Speaks::Well);
    assert_eq!((site.of_kind(ServerReflexive).len(), withdrawn(&site)), (1, 0));
    site.gateway.as_mut().unwrap().pcp = Speaks::Silent;
    site.elapse(secs(700));
    assert_eq!(withdrawn(&site), 1);
    assert_eq!(site.gone(), []);
    assert!(site.send(site.candidates()[0].0, "203.0.113.9:9", b"still there").is_ok());
}

#[test]
fn where_no_gateway_gives_one_gathering_waits_a_moment_and_says_why() {
    let mut site = behind(asking(), |_| ());
    assert!(!site.is_complete());
    site.elapse(Duration::from_millis(1500));
    assert!(site.is_complete());
    assert_eq!(site.problems(), [], "it is still being asked");
    site.elapse(secs(5));
    let problems = site.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].text.contains(&GATEWAY.to_string()), "{}", problems[0]);
    // Without any, at once.
    let mut site = Site::gathered(asking());
    site.elapse(Duration::from_millis(10));
    assert!(site.is_complete());
    assert_eq!(site.problems().len(), 1);
}

#[test]
fn what_a_server_has_seen_already_is_no_second_candidate() {
    let servers = vec![stun("stun:192.0.2.50")];
    let mut site = Site::new(Config { portmap: PortMapping::At(GATEWAY), ..config(servers) });
    let mut gateway = Gateway::new(site.world.now);
    gateway.pcp = Speaks::Well;
    site.gateway = Some(gateway);
    // The NAT keeps ports, and so does the gateway.
    site.nat.insert(HOST.into(), OUTSIDE.into());
    site.gather(&[&HOST.to_string()]);
    site.elapse(secs(2));
    assert!(site.is_complete());
    assert_eq!(site.of_kind(ServerReflexive).len(), 1);
}

#[test]
fn a_server_that_is_left_takes_nothing_that_the_gateway_tells_as_well() {
    let servers = vec![stun("stun:192.0.2.50")];
    let mut site = Site::new(Config { portmap: PortMapping::At(GATEWAY), ..config(servers) });
    site.gateway = Some(Gateway::new(site.world.now));
    site.nat.insert(HOST.into(), OUTSIDE.into());
    site.gather(&[&HOST.to_string()]);
    // The server was first.
    site.gateway.as_mut().unwrap().pcp = Speaks::Well;
    site.elapse(secs(10));
    let reflexive = site.of_kind(ServerReflexive);
    assert_eq!((reflexive.len(), table(&site)), (1, 1));
    site.gatherer.set_servers(Vec::new(), Policy::All).unwrap();
    site.events.clear();
    site.gatherer.gather(site.world.now, "next");
    site.elapse(secs(2));
    assert_eq!(site.of_kind(ServerReflexive), reflexive);
}

#[test]
fn the_mapping_is_taken_back_also_where_only_relays_are_told_by_then() {
    let mut site = behind(asking(), |it| it.pcp = Speaks::Well);
    site.gatherer.set_servers(Vec::new(), Policy::Relay).unwrap();
    site.gatherer.gather(site.world.now, "next");
    site.elapse(secs(2));
    assert_eq!(table(&site), 1, "what was agreed on before may need it");
    site.gatherer.close(site.world.now);
    site.settle();
    assert_eq!(table(&site), 0);
    assert!(site.open().is_empty(), "{:?}", site.open());
}

#[test]
fn a_gateway_that_is_known_too_late_is_asked_for_nothing() {
    let mut site = Site::new(asking());
    let mut gateway = Gateway::new(site.world.now);
    gateway.pcp = Speaks::Well;
    site.gateway = Some(gateway);
    site.gatherer.handle_interfaces(site.world.now, &interfaces(&[&HOST.to_string()]));
    site.gatherer.gather(site.world.now, "frag");
    let mut waiting = Vec::new();
    while let Some(want) = site.gatherer.poll_want() {
        match want {
            Want::Gateway { .. } => waiting.push(want),
            _ => site.answer(want),
        }
    }
    assert_eq!(waiting.len(), 1);
    site.gatherer.set_servers(Vec::new(), Policy::Relay).unwrap();
    site.gatherer.gather(site.world.now, "next");
    site.settle();
    waiting.into_iter().for_each(|want| site.answer(want));
    site.elapse(secs(2));
    assert_eq!(table(&site), 0);
    // It is asked when that is wanted again.
    site.gatherer.set_servers(Vec::new(), Policy::All).unwrap();
    site.gatherer.gather(site.world.now, "again");
    site.elapse(secs(2));
    assert_eq!(table(&site), 1);
    assert_eq!(site.of_kind(ServerReflexive).len(), 1);
}
