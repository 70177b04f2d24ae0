use super::*;
use crate::signaling::Invitation;

const OWN: &str = "10.0.0.5";

fn ice() -> Ice {
    Ice {
        ports: IcePorts { udp: Some(3478), tcp: Some(3479), tls: Some(8443) },
        discovery: Vec::new(),
        secret: Secret::new(*b"secret"),
        lifetime: Duration::from_secs(600),
        relay: true,
        advertise: Advertise::ByHost { wildcard: true },
        names: Names::new(),
        own: vec![OWN.parse().unwrap()],
    }
}

fn client(host: &str) -> Client {
    Client {
        address: IpAddr::from([127, 0, 0, 1]),
        host: Some(host.to_owned()),
        origin: None,
        secure: true,
        invitation: Invitation::default(),
    }
}

fn username(ice: &Ice, host: &str) -> String {
    ice.issue(&client(host), "s1").servers[1].username.clone().unwrap()
}

#[test]
fn the_urls_carry_the_host_the_browser_used() {
    let grant = ice().issue(&client("Talk.Example:8443"), "s1");
    assert_eq!(grant.ttl, Duration::from_secs(600));
    assert_eq!(grant.servers[0].urls, ["stun:talk.example:3478"]);
    assert_eq!(
        grant.servers[1].urls,
        [
            "turn:talk.example:3478?transport=udp",
            "turn:talk.example:3479?transport=tcp",
            "turns:talk.example:8443?transport=tcp",
        ]
    );
    let grant = ice().issue(&client("[2001:db8::1]:8443"), "s1");
    assert_eq!(grant.servers[0].urls, ["stun:[2001:db8::1]:3478"]);
}

#[test]
fn a_host_that_is_none_never_gets_into_a_url() {
    for host in ["a;b", "a b", "x?transport=udp", "", "a/b"] {
        assert_eq!(ice().issue(&client(host), "s1").servers[0].urls, [format!("stun:{OWN}:3478")]);
    }
}

#[test]
fn credentials_are_the_secrets_and_end() {
    let ice = ice();
    let server = ice.issue(&client("10.0.0.5"), "s1").servers[1].clone();
    let username = server.username.unwrap();
    let (expiry, name) = username.split_once(':').unwrap();
    assert_eq!(name, "s1");
    let expiry = Duration::from_secs(expiry.parse().unwrap());
    let left = expiry - UNIX_EPOCH.elapsed().unwrap();
    assert!(left <= Duration::from_secs(600) && left > Duration::from_secs(590), "{left:?}");
    assert_eq!(server.credential.unwrap(), ice.secret.issue(expiry, "s1", None).password);
}

#[test]
fn a_public_address_that_is_none_of_ours_is_advertised() {
    let ice = ice();
    for (host, advertised) in [
        ("203.0.113.7:8443", Some("203.0.113.7")),
        ("192.168.1.9", Some("192.168.1.9")),
        ("10.0.0.5:8443", None),
        // Who came by loopback is given an address that others reach.
        ("127.0.0.1:8080", Some(OWN)),
        ("[::1]:8080", Some(OWN)),
        ("0.0.0.0", None),
        ("224.0.0.1", None),
        ("169.254.169.254", None),
        ("not-yet-known.example", None),
    ] {
        let username = username(&ice, host);
        assert_eq!(username.split_once('@').map(|(_, ip)| ip), advertised, "{host}");
    }
}

#[tokio::test]
async fn a_name_counts_as_what_it_resolves_to() {
    let ice = ice();
    let localhost = Authority::parse("localhost:8080").unwrap();
    ice.prepare(&localhost, IpAddr::from([192, 0, 2, 1])).await;
    assert!(username(&ice, "localhost:8080").ends_with("@10.0.0.5"));
}

#[test]
fn what_a_name_means_inside_is_not_told_outside() {
    let ice = ice();
    let names = [("inner.example", "192.168.7.7"), ("outer.example", "203.0.113.7")];
    for (name, ip) in names {
        let by = IpAddr::from([198, 51, 100, 1]);
        ice.names.insert(name.to_owned(), by.into(), vec![ip.parse().unwrap()]);
    }
    let told = |name: &str, address: &str| {
        let client = Client { address: address.parse().unwrap(), ..client(name) };
        let username = ice.issue(&client, "s1").servers[1].username.clone().unwrap();
        username.split_once('@').map(|(_, ip)| ip.to_owned())
    };
    assert_eq!(told("inner.example", "8.8.8.8"), None);
    assert_eq!(told("inner.example", "192.168.7.20").as_deref(), Some("192.168.7.7"));
    for client in ["8.8.8.8", "192.168.7.20"] {
        assert_eq!(told("outer.example", client).as_deref(), Some("203.0.113.7"));
    }
}

#[test]
fn a_configured_address_is_left_to_the_relay() {
    let ice = Ice { advertise: Advertise::Fixed, ..ice() };
    assert!(!username(&ice, "203.0.113.7").contains('@'));
}

#[test]
fn without_a_relay_there_is_stun_alone_and_no_secret() {
    let ice = Ice { relay: false, ..ice() };
    let grant = ice.issue(&client("talk.example"), "s1");
    assert_eq!((grant.servers.len(), grant.ttl), (1, Duration::ZERO));
    assert_eq!(grant.servers[0].username, None);
}

fn with_discovery(listener: &str, addresses: Option<[&str; 2]>) -> Ice {
    let addresses = addresses.map(|pair| pair.map(|text| text.parse().unwrap()));
    let listener = listener.parse().unwrap();
    Ice { discovery: vec![DiscoveryReport { listener, ports: [3478, 3479], addresses }], ..ice() }
}

#[test]
fn the_second_port_is_told_apart_from_what_calls_use() {
    let grant = with_discovery("0.0.0.0", None).issue(&client("talk.example"), "s1");
    assert_eq!(grant.discovery, ["stun:talk.example:3478", "stun:talk.example:3479"]);
    let urls = grant.servers.iter().flat_map(|server| &server.urls);
    assert!(urls.filter(|url| url.starts_with("stun:")).eq(["stun:talk.example:3478"]));
    // Without a second port there is nothing to compare.
    assert!(ice().issue(&client("talk.example"), "s1").discovery.is_empty());
    let six = with_discovery("::", None).issue(&client("[2001:db8::1]:8443"), "s1");
    assert_eq!(six.discovery, ["stun:[2001:db8::1]:3478", "stun:[2001:db8::1]:3479"]);
}

#[test]
fn a_host_with_ipv6_alone_tells_its_second_port_by_name_too() {
    let six = with_discovery("::", None);
    let told = six.issue(&client("talk.example"), "s1").discovery;
    assert_eq!(told, ["stun:talk.example:3478", "stun:talk.example:3479"]);
    assert!(six.issue(&client("192.0.2.1:8443"), "s1").discovery.is_empty());
}

#[test]
fn the_second_address_is_told_to_those_who_can_reach_it() {
    let public = with_discovery("0.0.0.0", Some(["203.0.114.1", "203.0.114.2"]));
    let discovery = |ice: &Ice, host: &str, address: [u8; 4]| {
        let client = Client { address: address.into(), ..client(host) };
        ice.issue(&client, "s1").discovery
    };
    let all = discovery(&public, "talk.example", [8, 8, 8, 8]);
    assert_eq!(all[2..], ["stun:203.0.114.2:3478"]);
    let all = discovery(&public, "203.0.114.2", [8, 8, 8, 8]);
    assert_eq!(
        all[..],
        ["stun:203.0.114.2:3478", "stun:203.0.114.2:3479", "stun:203.0.114.1:3478",]
    );
    let inner = with_discovery("0.0.0.0", Some(["10.0.0.5", "10.0.0.6"]));
    assert_eq!(discovery(&inner, "10.0.0.5", [10, 0, 0, 9]).len(), 3);
    assert_eq!(discovery(&inner, "talk.example", [8, 8, 8, 8]).len(), 2);
    let here = with_discovery("127.0.0.1", Some(["127.0.0.1", "127.0.0.2"]));
    assert_eq!(discovery(&here, "127.0.0.1:8080", [127, 0, 0, 1])[2], "stun:127.0.0.2:3478");
}
