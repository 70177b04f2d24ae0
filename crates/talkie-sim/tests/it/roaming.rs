use std::time::Duration;

use talkie_sim::nat::Config;
use talkie_sim::net::{Change, Link};
use talkie_sim::trace::{Cause, What};

use crate::echo::{SECOND, SERVER, Street, at, ip};

fn street() -> Street {
    let nat = |outside| Config::port_restricted_cone([ip(outside)]);
    Street::new(nat("192.0.2.1"), nat("192.0.2.2"))
}

#[test]
fn a_cut_link_loses_what_is_on_it_until_it_is_mended() {
    let mut street = street();
    let (ada, begin) = (street.ada, street.network.now());
    street.network.call(ada, |machine, now| {
        machine.beat(now, Duration::from_millis(100), "10.0.0.2:5000", at(SERVER));
    });
    // In the middle of a packet's way from Ada to her NAT.
    let cut = begin + Duration::from_millis(1002);
    street.network.schedule(cut, Change::Cut(street.ada_link));
    street.network.schedule(begin + 3 * SECOND, Change::Mend(street.ada_link));
    street.network.run_until(begin + 5 * SECOND);

    let seen: Vec<_> = std::iter::from_fn(|| street.network.poll_event(street.server)).collect();
    let gap = seen.windows(2).map(|pair| pair[1].at - pair[0].at).max().unwrap();
    assert_eq!(gap, Duration::from_millis(2100), "from the beat at 0.9 s to the one at 3.0 s");
    // 20 of Ada's, and the server's answer to the last beat before the cut, which was on its way.
    assert!(street.network.counters().dropped_for(Cause::LinkDown) >= 20);
    let on_the_line = street.network.trace().entries().find(|entry| {
        entry.what == What::Dropped(Cause::LinkDown)
            && street.network.trace().box_name(entry.node) == "left"
    });
    assert_eq!(on_the_line.unwrap().at, Duration::from_millis(1005));
}

#[test]
fn a_partition_leaves_both_halves_working() {
    let mut street = street();
    let uplink = street.network.uplink(street.nats[0]).unwrap();
    street.outside(street.ada);
    street.network.change(Change::Cut(uplink));
    street.send(street.ada, "10.0.0.2:5000", at(SERVER));
    assert_eq!(street.network.poll_event(street.server), None);
    street.outside(street.grace);
    street.network.change(Change::Mend(uplink));
    street.outside(street.ada);
}

#[test]
fn a_phone_that_leaves_the_wi_fi_has_another_address() {
    let mut street = street();
    let before = street.outside(street.ada);
    let cellular = Config::carrier_grade([ip("203.0.113.7")]);
    let cellular = street.network.add_nat("cellular", street.internet, Link::default(), cellular);
    let leaves = Change::Move {
        attachment: street.ada_link,
        to: cellular.into(),
        link: Link::with_delay(Duration::from_millis(40)).into(),
        addresses: vec![ip("100.64.9.9")],
    };
    let at_ten = street.network.now() + 10 * SECOND;
    street.network.schedule(at_ten, leaves);
    street.network.run_until(at_ten);
    assert!(!street.network.has_address(street.ada, ip("10.0.0.2")));

    // Who does not notice speaks from an address that is gone; who leaves the choice to the host works.
    street.send(street.ada, "10.0.0.2:5000", at(SERVER));
    assert_eq!(street.network.counters().dropped_for(Cause::NoSuchAddress), 1);
    street.send(street.ada, "0.0.0.0:5000", at(SERVER));
    let seen = street.network.poll_event(street.server).unwrap();
    assert_eq!(seen.path.remote.ip(), ip("203.0.113.7"));
    let answer = street.network.poll_event(street.ada).unwrap();
    assert_eq!(answer.path.local, at("100.64.9.9:5000"));

    // What is sent to the old mapping reaches the old home, where she is not.
    street.network.call(street.server, |machine, _| machine.send(SERVER, before, b"late"));
    street.network.run_for(SECOND);
    assert_eq!(street.network.poll_event(street.ada), None);
    assert_eq!(street.network.counters().dropped_for(Cause::NoRoute), 1);
}

#[test]
fn a_renumbered_host_is_found_by_its_new_address_only() {
    let mut street = street();
    street.outside(street.ada);
    street.network.change(Change::Readdress(street.ada_link, vec![ip("10.0.0.77")]));
    street.send(street.ada, "10.0.0.77:5000", at(SERVER));
    assert_eq!(street.network.poll_event(street.ada).unwrap().path.local, at("10.0.0.77:5000"));
    assert_eq!(street.network.rows(street.nats[0]).len(), 2);
}

#[test]
fn a_rebooted_nat_knows_nobody() {
    let mut street = street();
    let before = street.outside(street.ada);
    street.network.change(Change::Reboot(street.nats[0]));
    assert!(street.network.rows(street.nats[0]).is_empty());
    street.network.call(street.server, |machine, _| machine.send(SERVER, before, b"late"));
    street.network.run_for(SECOND);
    assert_eq!(street.network.poll_event(street.ada), None);
}
