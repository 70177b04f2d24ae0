use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn nets(list: &[&str]) -> Vec<IpNet> {
    list.iter().map(|net| net.parse().unwrap()).collect()
}

#[test]
fn every_class_has_its_addresses() {
    let table = [
        ("8.8.8.8", Class::Global),
        ("2001:4860:4860::8888", Class::Global),
        ("0.1.2.3", Class::Unspecified),
        ("::", Class::Unspecified),
        ("127.9.9.9", Class::Loopback),
        ("::1", Class::Loopback),
        ("10.0.0.1", Class::Private),
        ("172.31.255.255", Class::Private),
        ("172.32.0.0", Class::Global),
        ("192.168.0.1", Class::Private),
        ("fd00:ec2::254", Class::Private),
        ("fec0::1", Class::Private),
        ("100.64.0.1", Class::CarrierNat),
        ("100.128.0.0", Class::Global),
        ("169.254.169.254", Class::LinkLocal),
        ("fe80::1", Class::LinkLocal),
        ("168.63.129.16", Class::Metadata),
        ("192.0.2.1", Class::Documentation),
        ("2001:db8::1", Class::Documentation),
        ("3fff:fff::1", Class::Documentation),
        ("198.19.255.255", Class::Benchmarking),
        ("2001:2::1", Class::Benchmarking),
        ("224.0.0.1", Class::Multicast),
        ("ff02::1", Class::Multicast),
        ("255.255.255.255", Class::Broadcast),
        ("240.0.0.1", Class::Reserved),
        ("192.0.0.192", Class::Reserved),
        ("192.88.99.1", Class::Reserved),
        ("100::1", Class::Reserved),
        ("2001:20::1", Class::Reserved),
        ("5f00::1", Class::Reserved),
        ("64:ff9b:1::1", Class::Reserved),
    ];
    for (text, class) in table {
        assert_eq!(Class::of(ip(text)), class, "{text}");
    }
}

#[test]
fn only_global_addresses_pass_by_default() {
    let policy = PeerPolicy::default();
    for allowed in ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"] {
        assert!(policy.allows(ip(allowed)), "{allowed}");
    }
    for refused in ["10.0.0.1", "::", "fe80::1", "64:ff9b:1::8.8.8.8", "2002:7f00:1::1"] {
        assert!(!policy.allows(ip(refused)), "{refused}");
    }
}

#[test]
fn teredo_is_judged_by_both_of_its_addresses() {
    let policy = PeerPolicy::default();
    // Server 8.8.8.8, client 8.8.4.4 with its bits flipped.
    assert!(policy.allows(ip("2001:0:808:808::f7f7:fbfb")));
    // Client 127.0.0.1.
    assert!(!policy.allows(ip("2001:0:808:808::80ff:fffe")));
    // Server 10.0.0.1.
    assert!(!policy.allows(ip("2001:0:a00:1::f7f7:fbfb")));
}

#[test]
fn allowing_a_translation_prefix_does_not_allow_what_is_behind_it() {
    let policy = PeerPolicy { allow: nets(&["2002::/16", "64:ff9b::/96"]), deny: Vec::new() };
    assert!(!policy.allows(ip("2002:7f00:1::1")));
    assert!(!policy.allows(ip("64:ff9b::7f00:1")));
}

#[test]
fn deny_wins_over_allow_in_every_spelling() {
    let policy = PeerPolicy { allow: nets(&["10.0.0.0/8"]), deny: nets(&["10.1.0.0/16"]) };
    assert!(policy.allows(ip("10.2.0.1")));
    assert!(policy.allows(ip("::ffff:10.2.0.1")));
    for refused in ["10.1.0.1", "::ffff:10.1.0.1", "64:ff9b::a01:1", "2002:a01:1::1"] {
        assert!(!policy.allows(ip(refused)), "{refused}");
    }
}
