//! The block for scripts: one fact a line, `NAME: VALUE`, the last line `ready`.
//!
//! The names and the order of the words of a line are part of the program's interface.

use std::fmt::Write as _;
use std::net::IpAddr;

use talkie_server::{AdvertisedSource, Report};

use super::sections::milliseconds;

/// All lines, line ends included.
pub(crate) fn text(report: &Report) -> String {
    let mut lines = Vec::new();
    lines.extend(report.local_url.iter().map(|url| format!("local URL: {url}")));
    lines.extend(report.lan_urls.iter().map(|url| format!("LAN URL: {url}")));
    for listening in &report.listeners {
        lines.push(format!("listening: {} {}", listening.purpose, listening.address));
    }
    for it in &report.discovery {
        let [first, second] = it.ports;
        let addresses = it
            .addresses
            .map_or_else(|| it.listener.to_string(), |[one, other]| format!("{one},{other}"));
        lines.push(format!("discovery: {first},{second} {addresses}"));
    }
    if let Some(relay) = &report.relay {
        let addresses: Vec<_> = relay.advertised.iter().map(IpAddr::to_string).collect();
        let source = match relay.source {
            AdvertisedSource::Configured => "configured",
            _ => "interface",
        };
        let (first, last) = (relay.ports.start(), relay.ports.end());
        lines.push(format!("relay: {first}-{last} {source} {}", addresses.join(",")));
    }
    for leg in &report.self_test {
        let outcome = match &leg.outcome {
            Ok(rtt) => format!("ok {}", milliseconds(*rtt)),
            Err(why) => format!("failed: {why}"),
        };
        lines.push(format!("self-test: {} {} {outcome}", leg.name, leg.address));
    }
    if let Some(certificate) = &report.certificate {
        let kind = if certificate.self_signed { "self-signed" } else { "own" };
        lines.push(format!("certificate: {kind} SHA-256 {}", certificate.sha256));
    }
    lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.push("ready".to_owned());

    let mut out = String::new();
    for line in lines {
        // A fact stays on its line, whatever an operating system's message holds.
        let line = line.replace(['\r', '\n'], " ");
        writeln!(out, "{}", line.trim_end()).expect("a String takes any text");
    }
    out
}
