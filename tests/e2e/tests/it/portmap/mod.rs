//! Port mappings by a real gateway: Debian's miniupnpd on the kernel's NAT, between network namespaces.
//! As root.
//!
//! ```text
//! inside 192.168.77.2 ── lan 192.168.77.1 gateway 5.5.5.1 wan ── outside 5.5.5.2
//! ```

mod gateway;
mod host;

use std::time::{Duration, Instant};

use self::gateway::Network;
use self::host::Tenant;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until something holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn mapped_and_removed(protocol: &str) {
    let network = Network::up("5.5.5.1");
    let mut tenant = Tenant::start(&network, protocol);
    assert_eq!(tenant.says(), format!("mapped 5.5.5.1:5000 {protocol}"));
    assert!(network.rules().contains("dnat ip to 192.168.77.2:5000"), "{}", network.rules());
    // What comes from outside, unasked, arrives.
    until("a packet from outside arrives", || {
        network.send_from_outside("5.5.5.1/5000", "knock");
        tenant.heard("knock")
    });
    tenant.close();
    assert_eq!(tenant.says(), "closed");
    assert!(!network.rules().contains("dnat"), "{}", network.rules());
}

#[test]
fn a_mapping_by_pcp_lets_strangers_in_until_it_is_removed() {
    mapped_and_removed("PCP");
}

#[test]
fn a_mapping_by_nat_pmp_lets_strangers_in_until_it_is_removed() {
    mapped_and_removed("NAT-PMP");
}

#[test]
fn a_mapping_by_upnp_lets_strangers_in_until_it_is_removed() {
    mapped_and_removed("UPnP");
}

#[test]
fn of_all_protocols_one_maps_and_after_a_crash_of_the_gateway_again() {
    let mut network = Network::up("5.5.5.1");
    let mut tenant = Tenant::start(&network, "all");
    assert_eq!(tenant.says(), "mapped 5.5.5.1:5000 PCP");
    assert_eq!(network.rules().matches("dnat").count(), 1, "{}", network.rules());
    network.restart();
    assert!(!network.rules().contains("dnat"), "{}", network.rules());
    // It says that it has started anew, and we wait for up to five seconds.
    until("the port is mapped again", || network.rules().contains("dnat ip to 192.168.77.2:5000"));
    tenant.close();
    assert_eq!(tenant.says(), "closed", "not a word about the same mapping");
    assert!(!network.rules().contains("dnat"), "{}", network.rules());
}

#[test]
fn a_gateway_behind_another_nat_says_by_each_protocol_that_it_cannot() {
    let network = Network::up("10.9.9.1");
    let mut tenant = Tenant::start(&network, "all");
    let said = tenant.says();
    assert!(said.starts_with("unavailable ") && !said.contains("no answer"), "{said}");
    tenant.close();
    assert_eq!(tenant.says(), "closed");
    assert!(!network.rules().contains("dnat"), "{}", network.rules());
}

#[test]
fn the_doctor_finds_all_three_and_leaves_nothing() {
    let network = Network::up("5.5.5.1");
    let report = network.doctor();
    for protocol in ["upnp", "natPmp", "pcp"] {
        assert!(
            report["portMapping"][protocol].is_object(),
            "{protocol}: {}",
            report["portMapping"]
        );
    }
    assert_eq!(report["portMapping"]["upnp"]["external"], "5.5.5.1");
    assert_eq!(report["portMapping"]["natPmp"]["external"], "5.5.5.1");
    assert!(!network.rules().contains("dnat"), "{}", network.rules());
}
