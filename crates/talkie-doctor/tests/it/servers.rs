//! Servers of all kinds, right and wrong, on loopback.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use talkie_doctor::advice::{Code, Verdict};
use talkie_doctor::report::{Credentials, Echo, FailureKind, MtuSource, Report, Trust};
use talkie_doctor::{Config, Progress, Step, Stop, diagnose, examine};
use talkie_server::Purpose;
use talkie_traversal::stun::credential::LongTerm;

use crate::host::Host;

pub(crate) async fn examined(url: &str) -> Report {
    with_password(url, None).await
}

async fn with_password(url: &str, password: Option<&str>) -> Report {
    let mut config = Config::new(vec![url.parse().unwrap()]);
    config.credential = password.map(|password| LongTerm::new("alice", password).unwrap());
    // Nobody answers there at once.
    config.gateway = Some(Ipv4Addr::new(127, 0, 7, 200));
    examine(&config, &Stop::never(), |_| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_talkie_serve_is_tried_by_all_its_ways_with_its_own_credentials() {
    let host = Host::start().await;
    let report = examined(&host.url()).await;
    let server = &report.servers[0];
    let web = server.web.as_ref().unwrap();
    assert_eq!((web.status, &web.failure), (Some(200), &None));
    assert_eq!(web.certificate.as_ref().unwrap().trust, Trust::UnknownIssuer);
    assert!(web.signaling.is_some());
    assert_eq!(server.credentials, Credentials::Issued);
    let ways: Vec<_> = server.legs.iter().map(|leg| (leg.scheme, leg.transport)).collect();
    assert_eq!(ways, [("stun", "udp"), ("turn", "udp"), ("turn", "tcp"), ("turns", "tls")]);
    for leg in &server.legs {
        assert_eq!(leg.failure, None, "{leg:?}");
        let echoed = matches!(leg.echo, Echo::Returned { .. });
        assert_eq!(echoed, leg.scheme != "stun", "{leg:?}");
    }
    let nat = report.nat().unwrap();
    assert_eq!(nat.translates, Some(false));
    let mtu = report.mtu.unwrap();
    assert_eq!((mtu.bytes, mtu.source), (1500, MtuSource::PathAtLeast));
    assert!(report.clock.as_ref().unwrap().ahead_seconds.abs() < 1.0);
    let diagnosis = diagnose(&report);
    assert_eq!(diagnosis.verdict, Verdict::Unclear);
    assert!(diagnosis.peers.is_empty(), "loopback says nothing of others");
}

#[tokio::test(flavor = "multi_thread")]
async fn right_credentials_relay_and_wrong_ones_are_named() {
    let host = Host::start().await;
    let url = format!("turn:{}?transport=tcp", host.at(Purpose::TurnTcp));
    let right = with_password(&url, Some("secret")).await;
    assert!(matches!(right.servers[0].legs[0].echo, Echo::Returned { .. }), "{right:?}");
    let wrong = with_password(&url, Some("guess")).await;
    let failure = wrong.servers[0].legs[0].failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::Credentials);
    assert!(failure.message.contains("does not accept this user and password"), "{failure}");
    let codes: Vec<_> = diagnose(&wrong).findings.iter().map(|it| it.code).collect();
    assert!(codes.contains(&Code::CredentialsRefused), "{codes:?}");
    let none = examined(&url).await;
    let leg = &none.servers[0].legs[0];
    assert_eq!((&leg.echo, &leg.failure), (&Echo::NotTried, &None), "it asks for credentials");
}

/// A way to `server` that loses the first packets that are to be relayed.
async fn losing(server: SocketAddr, mut losses: usize) -> SocketAddr {
    let near = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = near.local_addr().unwrap();
    tokio::spawn(async move {
        // The probe for the relay and the one for the round trip have a socket each.
        let mut ways: HashMap<SocketAddr, Arc<tokio::net::UdpSocket>> = HashMap::new();
        let near = Arc::new(near);
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = near.recv_from(&mut buffer).await {
            // RFC 8656 §17, §12: a Send indication, or ChannelData.
            let is_payload = buffer[..2] == [0x00, 0x16] || buffer[0] >> 6 == 1;
            if is_payload && losses > 0 {
                losses -= 1;
                continue;
            }
            if let Entry::Vacant(way) = ways.entry(from) {
                let far = Arc::new(tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap());
                far.connect(server).await.unwrap();
                let (back, to) = (Arc::clone(&far), Arc::clone(&near));
                tokio::spawn(async move {
                    let mut buffer = [0; 2048];
                    while let Ok(length) = back.recv(&mut buffer).await {
                        let _ = to.send_to(&buffer[..length], from).await;
                    }
                });
                way.insert(far);
            }
            let _ = ways[&from].send(&buffer[..length]).await;
        }
    });
    at
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_behind_a_lossy_way_is_not_called_broken() {
    let host = Host::start().await;
    let way = losing(host.at(Purpose::TurnUdp), 2).await;
    let report = with_password(&format!("turn:{way}"), Some("secret")).await;
    let leg = &report.servers[0].legs[0];
    assert!(matches!(leg.echo, Echo::Returned { .. }), "{leg:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stun_is_asked_over_udp_and_tcp() {
    let host = Host::start().await;
    for (purpose, more) in [(Purpose::TurnUdp, ""), (Purpose::TurnTcp, "?transport=tcp")] {
        let report = examined(&format!("stun:{}{more}", host.at(purpose))).await;
        let leg = &report.servers[0].legs[0];
        assert_eq!(leg.failure, None);
        assert!(leg.mapped.is_some_and(|mapped| mapped.ip().is_loopback()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_there_or_somebody_else_is_told_in_one_sentence() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let urls = ["https://", "http://", "turns:", "stun:"].map(|it| format!("{it}{closed}"));
    for report in join_all(urls.iter().map(|url| examined(url))).await {
        let diagnosis = diagnose(&report);
        assert_eq!(diagnosis.verdict, Verdict::Offline, "{report:?}");
        let finding = &diagnosis.findings[0];
        assert_eq!(finding.code, Code::ServerUnreachable, "{finding:?}");
        assert!(finding.detail.contains("othing listens at"), "{finding:?}");
    }
    // Something that talks, and no STUN, no TLS, no HTTP.
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = other.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = other.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &[b'x'; 4096]).await;
        }
    });
    let rows = [
        (format!("https://{at}"), FailureKind::Tls),
        (format!("http://{at}"), FailureKind::Unexpected),
        (format!("stun:{at}?transport=tcp"), FailureKind::Unexpected),
    ];
    let reports = join_all(rows.iter().map(|(url, _)| examined(url))).await;
    for ((url, kind), report) in rows.into_iter().zip(reports) {
        let server = &report.servers[0];
        let of_web = server.web.as_ref().and_then(|web| web.failure.as_ref());
        let failure = of_web.or_else(|| server.legs[0].failure.as_ref());
        assert_eq!(failure.map(|it| it.kind), Some(kind), "{url}: {failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_has_an_end() {
    // A socket that takes everything and says nothing.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let began = Instant::now();
    let report = examined(&format!("turn:{}", silent.local_addr().unwrap())).await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let failure = report.servers[0].legs[0].failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::Silent, "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_examination_that_is_stopped_ends_soon_and_says_nothing() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let config =
        Config::new(vec![format!("turn:{}", silent.local_addr().unwrap()).parse().unwrap()]);
    let (handle, stop) = Stop::new();
    let began = Instant::now();
    let tell = |progress: Progress| {
        if matches!(progress, Progress::Began(Step::Server(_))) {
            handle.stop();
        }
    };
    assert!(examine(&config, &stop, tell).await.is_none());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
