//! The definitions of RFC 4787 and the classic names of RFC 3489, as tables.

use super::*;

const MAPPINGS: [(&str, Mapping); 3] = [
    ("EI", Mapping::EndpointIndependent),
    ("AD", Mapping::AddressDependent),
    ("APD", Mapping::AddressAndPortDependent),
];
const FILTERINGS: [(&str, Filtering); 3] = [
    ("EI", Filtering::EndpointIndependent),
    ("AD", Filtering::AddressDependent),
    ("APD", Filtering::AddressAndPortDependent),
];
const ADA: &str = "10.0.0.2:5000";

/// Addresses are letters, so that tables are short.
fn remote(name: &str) -> SocketAddr {
    let (address, port) = name.split_once(':').unwrap();
    let last = address.as_bytes()[0];
    SocketAddr::from(([198, 51, 100, last], port.parse().unwrap()))
}

/// Which remotes' packets reach Ada by this outside address.
fn welcome(nat: &mut Nat, now: Instant, protocol: Protocol, outside: SocketAddr) -> String {
    let remotes = ["A:1", "A:2", "A:3", "B:1", "B:2", "C:1"];
    let reaches = |name: &&str| {
        let verdict = nat.handle_inbound(now, protocol, outside, remote(name));
        match verdict {
            Verdict::Inside { source, to } => {
                assert_eq!((source, to), (remote(name), at(ADA)));
                true
            }
            Verdict::Dropped(Reason::Filtered) => false,
            other => panic!("{other:?}"),
        }
    };
    remotes.into_iter().filter(reaches).collect::<Vec<_>>().join(" ")
}

/// Ada sends to A:1, and then to A:2 and B:1, too. C and other ports she never sends to.
fn who_can_send_in_after_what(protocol: Protocol) -> String {
    let mut lines = Vec::new();
    for (mapping_name, mapping) in MAPPINGS {
        for (filtering_name, filtering) in FILTERINGS {
            let mut nat = nat(Config { mapping, filtering, ..port_restricted() });
            let now = begin();
            let send = |nat: &mut Nat, name| match nat.handle_outbound(
                now,
                protocol,
                at(ADA),
                remote(name),
            ) {
                Verdict::Outside { source } => source,
                other => panic!("{other:?}"),
            };
            let first = send(&mut nat, "A:1");
            let then = welcome(&mut nat, now, protocol, first);
            let mut seen = vec![first];
            for name in ["A:2", "B:1"] {
                let outside = send(&mut nat, name);
                if !seen.contains(&outside) {
                    seen.push(outside);
                }
            }
            let by = seen.into_iter().map(|outside| welcome(&mut nat, now, protocol, outside));
            let by = by.collect::<Vec<_>>().join(" | ");
            lines.push(format!("{mapping_name:<3} {filtering_name:<3} : {then} : {by}"));
        }
    }
    lines.join("\n")
}

/// Mapping and filtering; who can send in after a packet to A:1; and after packets to A:2 and B:1,
/// too, by the first outside port | by the second | by the third, where there are more.
const WHO: &str = "\
EI  EI  : A:1 A:2 A:3 B:1 B:2 C:1 : A:1 A:2 A:3 B:1 B:2 C:1
EI  AD  : A:1 A:2 A:3 : A:1 A:2 A:3 B:1 B:2
EI  APD : A:1 : A:1 A:2 B:1
AD  EI  : A:1 A:2 A:3 B:1 B:2 C:1 : A:1 A:2 A:3 B:1 B:2 C:1 | A:1 A:2 A:3 B:1 B:2 C:1
AD  AD  : A:1 A:2 A:3 : A:1 A:2 A:3 | B:1 B:2
AD  APD : A:1 : A:1 A:2 | B:1
APD EI  : A:1 A:2 A:3 B:1 B:2 C:1 : A:1 A:2 A:3 B:1 B:2 C:1 | A:1 A:2 A:3 B:1 B:2 C:1 | \
A:1 A:2 A:3 B:1 B:2 C:1
APD AD  : A:1 A:2 A:3 : A:1 A:2 A:3 | A:1 A:2 A:3 | B:1 B:2
APD APD : A:1 : A:1 | A:2 | B:1";

#[test]
fn who_can_send_in_is_what_rfc_4787_says() {
    assert_eq!(who_can_send_in_after_what(Protocol::Udp), WHO);
}

#[test]
fn tcp_is_the_same() {
    assert_eq!(who_can_send_in_after_what(Protocol::Tcp(Flags::SYN)), WHO);
}

/// RFC 3489 §10.1, the flow chart: a server with two addresses and two ports on each.
fn classify(nat: &mut Nat, now: Instant) -> &'static str {
    let ask = |nat: &mut Nat, to: &str, answers: &str| {
        let Verdict::Outside { source } =
            nat.handle_outbound(now, Protocol::Udp, at(ADA), remote(to))
        else {
            return None;
        };
        let verdict = nat.handle_inbound(now, Protocol::Udp, source, remote(answers));
        matches!(verdict, Verdict::Inside { .. }).then_some(source)
    };
    let Some(seen) = ask(nat, "A:1", "A:1") else { return "UDP blocked" };
    let others_answer = ask(nat, "A:1", "B:2").is_some();
    if seen == at(ADA) {
        return if others_answer { "open" } else { "symmetric UDP firewall" };
    }
    if others_answer {
        return "full cone";
    }
    match ask(nat, "B:1", "B:1") {
        Some(again) if again != seen => "symmetric",
        _ if ask(nat, "A:1", "A:2").is_some() => "restricted cone",
        _ => "port restricted cone",
    }
}

#[test]
fn presets_are_what_their_names_say() {
    for (preset, expected) in [
        (Preset::FullCone, "full cone"),
        (Preset::AddressRestricted, "restricted cone"),
        (Preset::PortRestricted, "port restricted cone"),
        (Preset::Symmetric, "symmetric"),
        // As long as nothing clashes.
        (Preset::LinuxMasquerade, "port restricted cone"),
        (Preset::LinuxFirewalled, "port restricted cone"),
        (Preset::LinuxRandomFully, "symmetric"),
        (Preset::HomeRouter, "port restricted cone"),
        (Preset::HomeForgetful, "port restricted cone"),
        (Preset::HomeSequential, "symmetric"),
        (Preset::AddressDependent, "symmetric"),
        (Preset::Cgnat, "port restricted cone"),
        (Preset::CgnatSymmetric, "symmetric"),
        (Preset::Firewall, "symmetric UDP firewall"),
        (Preset::UdpBlocked, "UDP blocked"),
    ] {
        for seed in 0..20 {
            let config = preset.config(pool(&["192.0.2.1", "192.0.2.2"]));
            let mut nat = Nat::new(config, [seed; 32]);
            assert_eq!(classify(&mut nat, begin()), expected, "{preset}");
        }
    }
    assert_eq!(Preset::all().len(), 15, "each stands in the table");
}

/// Two peers behind the same preset have learnt of each other's port from a server, and send at the
/// same time: his packet is at her NAT before hers has left. Does hers then come out where he
/// expects it?
#[test]
fn masquerade_fails_who_is_late_and_a_firewall_before_it_is_the_remedy() {
    let his_side = at("203.0.113.9:7000");
    for (preset, expected) in [
        (Preset::LinuxMasquerade, false),
        (Preset::LinuxFirewalled, true),
        (Preset::PortRestricted, true),
    ] {
        for protocol in [Protocol::Udp, Protocol::Tcp(Flags::SYN)] {
            // A connection is not remembered.
            let expected = expected || protocol != Protocol::Udp;
            let mut nat = nat(preset.config(pool(&["192.0.2.1"])));
            let now = begin();
            let send = |nat: &mut Nat, now, remote| match nat.handle_outbound(
                now,
                protocol,
                at(ADA),
                remote,
            ) {
                Verdict::Outside { source } => source,
                other => panic!("{other:?}"),
            };
            let known = send(&mut nat, now, remote("A:1"));
            let early = nat.handle_inbound(now, protocol, known, his_side);
            assert!(matches!(early, Verdict::Dropped(_)), "{preset}: {early:?}");
            assert_eq!(send(&mut nat, now, his_side) == known, expected, "{preset}");
            let again = nat.handle_inbound(now, protocol, known, his_side);
            assert_eq!(matches!(again, Verdict::Inside { .. }), expected, "{preset}");
        }
    }
}
