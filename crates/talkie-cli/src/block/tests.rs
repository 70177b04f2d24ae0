use std::net::SocketAddr;

use talkie_server::{
    AdvertisedSource, CertificateReport, Leg, Listening, Purpose, RelayReport, Report,
};

use super::*;

const FINGERPRINT: &str = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:\
                           00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

fn report() -> Report {
    let at = |purpose, address: &str| Listening { purpose, address: address.parse().unwrap() };
    let leg = |name, port, outcome| Leg {
        name,
        address: SocketAddr::from(([127, 0, 0, 1], port)),
        outcome,
    };
    let mut report = Report::default();
    report.listeners = vec![
        at(Purpose::Http, "127.0.0.1:8080"),
        at(Purpose::Http, "[::1]:8080"),
        at(Purpose::Https, "0.0.0.0:8443"),
        at(Purpose::Https, "[::]:8443"),
        at(Purpose::TurnUdp, "0.0.0.0:3478"),
        at(Purpose::TurnTcp, "0.0.0.0:3478"),
        at(Purpose::StunUdp, "0.0.0.0:3479"),
        at(Purpose::StunTcp, "0.0.0.0:3479"),
        at(Purpose::Turns, "0.0.0.0:5349"),
        at(Purpose::Admin, "127.0.0.1:9464"),
    ];
    report.local_url = Some("http://localhost:8080/".to_owned());
    report.lan_urls = vec!["https://192.168.1.20:8443/".to_owned()];
    report.certificate = Some(CertificateReport {
        sha256: FINGERPRINT.to_owned(),
        self_signed: true,
        not_after: SystemTime::UNIX_EPOCH + Duration::from_secs(100 * 86_400),
    });
    report.relay = Some(RelayReport {
        ports: 49152..=65535,
        advertised: vec!["192.168.1.20".parse().unwrap()],
        source: AdvertisedSource::Interface,
    });
    report.self_test = vec![
        leg("STUN", 3478, Ok(Duration::from_micros(340))),
        leg("TURN over UDP", 3478, Ok(Duration::from_micros(1_250))),
        leg("TURN over TLS", 5349, Err("no answer within 2 s:\nis a firewall in between?".into())),
    ];
    report
}

fn look(columns: usize) -> Look {
    Look {
        colour: false,
        columns,
        qr: false,
        drain_timeout: Duration::from_secs(30),
        now: SystemTime::UNIX_EPOCH,
    }
}

#[test]
fn block_without_colour_reads_well_on_80_columns() {
    let expected = format!(
        "
  talkie {}

  This machine  http://localhost:8080/
  Your network  https://192.168.1.20:8443/

  Listening
  web           localhost:8080
  web, TLS      *:8443  and TURN over TLS
  STUN, TURN    0.0.0.0:3478  UDP + TCP
  STUN, second  0.0.0.0:3479  UDP + TCP
  TURN, TLS     0.0.0.0:5349
  admin         127.0.0.1:9464
  relayed       49152-65535  UDP on 192.168.1.20

  Self-test
  ✓ STUN           0.3 ms
  ✓ TURN over UDP  1.2 ms
  ✗ TURN over TLS  127.0.0.1:5349
    no answer within 2 s: is a firewall in between?

  Certificate   self-signed, valid for 100 days
  SHA-256       00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:
                00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF
                A browser on another device warns once, because nobody it trusts
                vouches for this certificate: compare the fingerprint, then go
                on. localhost never leaves this machine, so it needs no
                certificate and shows no warning.

  Internet      Open TCP 8443, 3478, 5349 and UDP 3478, 3479, 49152-65535
                towards this host. Then give the host a name and a certificate
                for it: --tls-cert FILE --tls-key FILE.

  Stop          Ctrl-C; open rooms then have 30 s to end. A second Ctrl-C stops
                at once.

",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(human(&report(), &look(80)), expected);
}

#[test]
fn udp_and_tcp_on_different_ports_are_both_shown() {
    let mut report = report();
    report.listeners[5].address = "0.0.0.0:3481".parse().unwrap();
    let text = human(&report, &look(80));
    let rows = "  STUN, TURN    0.0.0.0:3478  UDP\n                0.0.0.0:3481  TCP\n";
    assert!(text.contains(rows), "{text}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in [60, 80, 90, 120, 200] {
        for qr in [false, true] {
            let text = human(&report(), &Look { qr, ..look(columns) });
            for line in text.lines() {
                assert!(line.chars().count() <= columns, "{columns} columns: {line}");
            }
        }
    }
}

#[test]
fn qr_code_stands_beside_the_text_where_there_is_room() {
    let has_code = |line: &&str| line.contains('▄') || line.contains('▀') || line.contains('█');
    let wide = human(&report(), &Look { qr: true, ..look(100) });
    assert!(wide.lines().filter(has_code).any(|line| line.contains("*:8443")), "{wide}");
    let narrow = human(&report(), &Look { qr: true, ..look(60) });
    assert!(narrow.lines().filter(has_code).count() >= 14, "{narrow}");
    assert!(!narrow.lines().filter(has_code).any(|line| line.contains(":8443")), "{narrow}");
    let slim = human(&report(), &Look { qr: true, ..look(24) });
    assert_eq!(slim.lines().filter(has_code).count(), 0, "{slim}");
}

#[test]
fn colour_changes_nothing_but_colour() {
    let plain = human(&report(), &look(80));
    let coloured = human(&report(), &Look { colour: true, ..look(80) });
    assert!(coloured.contains("\x1b[32m✓ \x1b[0m"), "{coloured}");
    assert!(coloured.contains("\x1b[1;31m✗ \x1b[0m"), "{coloured}");
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn a_host_that_only_listens_on_loopback_is_told_so() {
    let mut report = report();
    report.listeners.retain(|listening| listening.address.ip().is_loopback());
    report.lan_urls.clear();
    report.certificate = None;
    let text = human(&report, &Look { qr: true, ..look(80) });
    assert!(text.contains("Every listener is on loopback"), "{text}");
    assert!(!text.contains("Certificate") && !text.contains('█'), "{text}");
}

#[test]
fn a_certificate_of_ones_own_is_not_explained_and_its_end_is_announced() {
    let mut report = report();
    let certificate = report.certificate.as_mut().unwrap();
    certificate.self_signed = false;
    certificate.not_after = SystemTime::UNIX_EPOCH + Duration::from_secs(10 * 86_400);
    let text = human(&report, &look(80));
    assert!(text.contains("your own, expires in 10 days"), "{text}");
    assert!(!text.contains("warns once") && !text.contains("--tls-cert"), "{text}");
}

#[test]
fn warnings_and_many_urls_are_shown_in_short() {
    let mut report = report();
    report.warnings = vec!["the clock is wrong".to_owned()];
    report.lan_urls = (1..=6).map(|n| format!("https://10.0.0.{n}:8443/")).collect();
    let text = human(&report, &look(80));
    assert!(text.contains("\n  ! the clock is wrong\n"), "{text}");
    assert!(text.contains("https://10.0.0.3:8443/\n                and 3 more\n"), "{text}");
    assert!(!text.contains("10.0.0.4"), "{text}");
}

#[test]
fn plain_lines_state_one_fact_each() {
    let mut report = report();
    report.warnings = vec!["two\nlines".to_owned()];
    let text = plain::text(&report);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "local URL: http://localhost:8080/");
    assert_eq!(lines[1], "LAN URL: https://192.168.1.20:8443/");
    for line in [
        "listening: turn/udp 0.0.0.0:3478",
        "relay: 49152-65535 interface 192.168.1.20",
        "self-test: STUN 127.0.0.1:3478 ok 0.3 ms",
        "self-test: TURN over TLS 127.0.0.1:5349 failed: no answer within 2 s: is a firewall in between?",
        "warning: two lines",
    ] {
        assert!(lines.contains(&line), "{line}\n{text}");
    }
    let certificate = format!("certificate: self-signed SHA-256 {FINGERPRINT}");
    assert!(lines.contains(&certificate.as_str()), "{text}");
    assert_eq!(lines.last(), Some(&"ready"));
}
