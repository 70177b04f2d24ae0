//! Who answers in a server's place: a login page, and one whose clock is wrong.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, UNIX_EPOCH};

use talkie_doctor::advice::{Code, Diagnosis, Verdict};
use talkie_doctor::report::{Portal, Report};
use talkie_doctor::{Config, Stop, diagnose, examine};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::servers::examined;

/// A web server that answers whatever it is asked with this status and these fields.
async fn answering(status: &str, fields: &str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    let answer = format!("HTTP/1.1 {status}\r\n{fields}Content-Length: 0\r\n\r\n");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                // A head fits into one read, and what the answer is does not depend on it.
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.read(&mut request).await;
            });
        }
    });
    at
}

fn first(report: &Report) -> (Diagnosis, Code) {
    let diagnosis = diagnose(report);
    let code = diagnosis.findings[0].code;
    (diagnosis, code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_page_in_the_place_of_the_server_is_told_as_one() {
    for (status, fields, evidence) in [
        ("302 Found", "Location: http://login.example/?to=x\r\n", "http://login.example/?to=x"),
        ("511 Network Authentication Required", "", "a login page"),
    ] {
        let url = format!("http://{}", answering(status, fields).await);
        let report = examined(&url).await;
        let Portal::Suspected { evidence: found } = &report.portal else { panic!("{report:?}") };
        assert!(found.contains(&url) && found.contains(evidence), "{found}");
        let (diagnosis, code) = first(&report);
        assert_eq!((diagnosis.verdict, code), (Verdict::Offline, Code::LoginPortal));
        assert!(diagnosis.headline.contains("wants a login"), "{}", diagnosis.headline);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sends_its_guests_to_https_is_no_login_page() {
    let fields = "Location: https://127.0.0.1/\r\n";
    let url = format!("http://{}", answering("308 Permanent Redirect", fields).await);
    let report = examined(&url).await;
    assert!(!matches!(report.portal, Portal::Suspected { .. }), "{report:?}");
    let (diagnosis, code) = first(&report);
    assert_eq!((diagnosis.verdict, code), (Verdict::Offline, Code::ServerUnreachable));
    assert_eq!(diagnosis.headline, format!("{url} answers, and cannot be used."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_should_say_nothing_tells_of_a_login() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = format!("stun:{closed}?transport=tcp");
    for (status, suspected) in [("204 No Content", false), ("200 OK", true)] {
        let at = answering(status, "").await;
        let mut config = Config::new(vec![target.parse().unwrap()]);
        config.gateway = Some(Ipv4Addr::new(127, 0, 7, 200));
        config.plain_page = Some(format!("http://{at}/generate_204").parse().unwrap());
        let report = examine(&config, &Stop::never(), |_| {}).await.unwrap();
        match &report.portal {
            Portal::Suspected { evidence } => {
                assert!(suspected, "{evidence}");
                assert!(evidence.contains("/generate_204 answers 200"), "{evidence}");
            }
            other => assert!(!suspected && *other == Portal::None, "{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_differs_is_told_with_its_direction() {
    let three_hours = Duration::from_secs(3 * 3600);
    let now = UNIX_EPOCH + talkie_net::unix_time();
    for (theirs, words) in [
        (now - three_hours, "This machine's clock is 3 hours ahead of the server's"),
        (now + three_hours, "This machine's clock is 3 hours behind the server's"),
    ] {
        let date = format!("Date: {}\r\n", httpdate::fmt_http_date(theirs));
        let report = examined(&format!("http://{}", answering("200 OK", &date).await)).await;
        let diagnosis = diagnose(&report);
        let skew = diagnosis.findings.iter().find(|it| it.code == Code::ClockSkew);
        assert_eq!(skew.map(|it| it.title.as_str()), Some(words), "{diagnosis:?}");
    }
}
