//! The sections of the block.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use talkie_server::{AdvertisedSource, Purpose};

use super::Page;
use super::paint::{Line, Style, beside};

/// The column at which values start behind their labels.
const VALUE: usize = 14;
/// More URLs than this are not listed: hosts with many interfaces have dozens.
const URLS: usize = 3;

/// The listeners as rows: label, the purposes in it, and a remark.
const ROWS: [(&str, &[Purpose], &str); 6] = [
    ("web", &[Purpose::Http], ""),
    ("web, TLS", &[Purpose::Https], "and TURN over TLS"),
    ("STUN, TURN", &[Purpose::TurnUdp, Purpose::TurnTcp], ""),
    ("STUN, second", &[Purpose::StunUdp, Purpose::StunTcp], ""),
    ("TURN, TLS", &[Purpose::Turns], ""),
    ("admin", &[Purpose::Admin], ""),
];

impl Page<'_> {
    pub(super) fn urls(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(url) = &self.report.local_url {
            lines.push(self.row("This machine", Style::Link, url));
        }
        let urls = &self.report.lan_urls;
        for (index, url) in urls.iter().take(URLS).enumerate() {
            lines.push(self.row(["Your network", ""][index.min(1)], Style::Link, url));
        }
        if urls.len() > URLS {
            lines.push(self.row("", Style::Faint, &format!("and {} more", urls.len() - URLS)));
        }
        if lines.is_empty() {
            lines
                .push(self.painter.line(Style::Caution, "No web app: --http and --https are off."));
        }
        lines
    }

    pub(super) fn listening(&self, width: usize) -> Vec<Line> {
        let mut lines = vec![self.painter.line(Style::Strong, "Listening")];
        for (label, purposes, remark) in ROWS {
            // Purposes of one row that are bound to the same addresses share a line.
            let mut bound: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
            for purpose in purposes {
                let addresses = short(&self.report.addresses(*purpose).collect::<Vec<_>>());
                match bound.iter_mut().find(|(known, _)| *known == addresses) {
                    Some((_, transports)) => transports.push(purpose.transport()),
                    None if addresses.is_empty() => {}
                    None => bound.push((addresses, vec![purpose.transport()])),
                }
            }
            for (index, (addresses, transports)) in bound.iter().enumerate() {
                let label = if index == 0 { label } else { "" };
                let remark = match purposes {
                    [_] => remark.to_owned(),
                    _ => transports.join(" + "),
                };
                lines.extend(self.listener(label, addresses, &remark, width));
            }
        }
        lines.extend(self.alternate_addresses(width));
        lines.extend(self.relay(width));
        lines
    }

    /// Addresses and a remark, which goes to the next line when there is no room behind them.
    fn listener(&self, label: &str, addresses: &[String], remark: &str, width: usize) -> Vec<Line> {
        let room = width.saturating_sub(VALUE).max(20);
        let mut values = self.painter.wrap(Style::Plain, &addresses.join(", "), room);
        let last = values.pop().unwrap_or_default();
        let remarks = self.painter.wrap(Style::Faint, remark, room);
        match remarks.as_slice() {
            [remark] if last.columns() + 2 + remark.columns() <= room => {
                let column = last.columns() + 2;
                values.push(last.join_at(column, remark));
            }
            _ => {
                values.push(last);
                values.extend(remarks);
            }
        }
        beside(vec![self.painter.line(Style::Plain, label)], &values, VALUE)
    }

    /// The pairs of addresses that NATs can be told by.
    fn alternate_addresses(&self, width: usize) -> Vec<Line> {
        let pairs = self.report.discovery.iter().filter_map(|it| it.addresses);
        let pairs: Vec<_> = pairs.map(|[one, other]| format!("{one} and {other}")).collect();
        if pairs.is_empty() {
            return Vec::new();
        }
        self.listener("NAT tests", &pairs, "two addresses (RFC 5780)", width)
    }

    fn relay(&self, width: usize) -> Vec<Line> {
        let Some(relay) = &self.report.relay else {
            return Vec::new();
        };
        let ports = format!("{}-{}", relay.ports.start(), relay.ports.end());
        let addresses: Vec<_> = relay.advertised.iter().map(IpAddr::to_string).collect();
        let remark = match (addresses.is_empty(), relay.source) {
            (true, _) => "UDP".to_owned(),
            (false, AdvertisedSource::Configured) => format!("UDP as {}", addresses.join(", ")),
            (false, _) => format!("UDP on {}", addresses.join(", ")),
        };
        self.listener("relayed", &[ports], &remark, width)
    }

    pub(super) fn self_test(&self, width: usize) -> Vec<Line> {
        let legs = &self.report.self_test;
        if legs.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![self.painter.line(Style::Strong, "Self-test")];
        let longest = legs.iter().map(|leg| leg.name.chars().count()).max().unwrap_or_default();
        for leg in legs {
            match &leg.outcome {
                Ok(rtt) => {
                    let name = self.painter.line(Style::Good, "✓ ");
                    let name = self.painter.add(name, Style::Plain, leg.name);
                    let rtt = self.painter.line(Style::Faint, &milliseconds(*rtt));
                    lines.push(name.join_at(longest + 4, &rtt));
                }
                Err(why) => {
                    let name = self.painter.line(Style::Bad, "✗ ");
                    let name = self.painter.add(name, Style::Strong, leg.name);
                    let at = format!("  {}", leg.address);
                    lines.push(self.painter.add(name, Style::Faint, &at));
                    let why = self.painter.wrap(Style::Plain, why, width.saturating_sub(2).max(20));
                    lines.extend(beside(Vec::new(), &why, 2));
                }
            }
        }
        lines
    }

    pub(super) fn certificate(&self) -> Vec<Line> {
        let Some(certificate) = &self.report.certificate else {
            return Vec::new();
        };
        let left = certificate.not_after.duration_since(self.look.now).unwrap_or_default();
        let days = left.as_secs() / 86_400;
        let (style, validity) = match days {
            0 => (Style::Bad, "expired, or it does within a day".to_owned()),
            1..=14 => (Style::Caution, format!("expires in {days} days")),
            _ => (Style::Plain, format!("valid for {days} days")),
        };
        let kind = match certificate.self_signed {
            true => "self-signed",
            false => "your own",
        };
        let mut lines = vec![self.row("Certificate", style, &format!("{kind}, {validity}"))];
        // In one piece it is 95 columns wide.
        let room = self.width().saturating_sub(VALUE);
        let bytes = if room >= 3 * 16 { 16 } else { 8 };
        let (mut label, mut rest) = ("SHA-256", certificate.sha256.as_str());
        while !rest.is_empty() {
            let (line, after) = rest.split_at_checked(3 * bytes).unwrap_or((rest, ""));
            lines.push(self.row(std::mem::take(&mut label), Style::Faint, line));
            rest = after;
        }
        if certificate.self_signed {
            let words = "A browser on another device warns once, because nobody it trusts vouches \
                         for this certificate: compare the fingerprint, then go on. localhost \
                         never leaves this machine, so it needs no certificate and shows no \
                         warning.";
            lines.extend(self.paragraph("", words));
        }
        lines
    }

    pub(super) fn warnings(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for warning in &self.report.warnings {
            let mark = self.painter.line(Style::Caution, "! ");
            let words = self.painter.wrap(Style::Plain, warning, self.width() - 2);
            lines.extend(beside(vec![mark], &words, 2));
        }
        lines
    }

    pub(super) fn internet(&self) -> Vec<Line> {
        let ports = self.open_ports();
        let words = if ports.is_empty() {
            "Every listener is on loopback: only this machine can call. --https 0.0.0.0:8443 and \
             --turn 0.0.0.0:3478 let others in."
                .to_owned()
        } else {
            let certificate = match &self.report.certificate {
                Some(certificate) if certificate.self_signed => {
                    " Then give the host a name and a certificate for it: --tls-cert FILE \
                     --tls-key FILE."
                }
                _ => "",
            };
            format!("Open {ports} towards this host.{certificate}")
        };
        self.paragraph("Internet", &words)
    }

    /// The ports that a firewall must let in; empty if nothing listens beyond loopback.
    fn open_ports(&self) -> String {
        let listeners = self.report.listeners.iter().filter(|listening| {
            let outside = !listening.address.ip().is_loopback();
            // Over TCP the second port tells nobody's browser anything.
            let unneeded = [Purpose::Http, Purpose::Admin, Purpose::StunTcp];
            outside && !unneeded.contains(&listening.purpose)
        });
        let mut protocols = [("TCP", Vec::new()), ("UDP", Vec::new())];
        for listening in listeners {
            let port = listening.address.port().to_string();
            let (_, ports) = &mut protocols[usize::from(listening.purpose.transport() == "UDP")];
            if !ports.contains(&port) {
                ports.push(port);
            }
        }
        let [(_, tcp), (_, udp)] = &mut protocols;
        if let Some(relay) =
            self.report.relay.as_ref().filter(|_| !tcp.is_empty() || !udp.is_empty())
        {
            udp.push(format!("{}-{}", relay.ports.start(), relay.ports.end()));
        }
        let named = protocols.iter().filter(|(_, ports)| !ports.is_empty());
        let named: Vec<_> =
            named.map(|(name, ports)| format!("{name} {}", ports.join(", "))).collect();
        named.join(" and ")
    }

    pub(super) fn stop(&self) -> Vec<Line> {
        let words = match self.look.drain_timeout {
            Duration::ZERO => "Ctrl-C.".to_owned(),
            timeout => format!(
                "Ctrl-C; open rooms then have {} to end. A second Ctrl-C stops at once.",
                seconds(timeout)
            ),
        };
        self.paragraph("Stop", &words)
    }

    fn row(&self, label: &str, style: Style, value: &str) -> Line {
        let label = self.painter.line(Style::Plain, label);
        label.join_at(VALUE, &self.painter.line(style, value))
    }

    fn paragraph(&self, label: &str, words: &str) -> Vec<Line> {
        let label = self.painter.line(Style::Plain, label);
        let words = self.painter.wrap(Style::Plain, words, self.width().saturating_sub(VALUE));
        beside(vec![label], &words, VALUE)
    }
}

/// The addresses with a pair of IPv4 and IPv6 that means the same drawn together.
fn short(addresses: &[SocketAddr]) -> Vec<String> {
    let has =
        |ip: &str, port| addresses.iter().any(|at| at.port() == port && at.ip().to_string() == ip);
    let mut texts = Vec::new();
    for address in addresses {
        let port = address.port();
        let text = match address.ip().to_string().as_str() {
            "0.0.0.0" | "::" if has("0.0.0.0", port) && has("::", port) => format!("*:{port}"),
            "127.0.0.1" | "::1" if has("127.0.0.1", port) && has("::1", port) => {
                format!("localhost:{port}")
            }
            _ => address.to_string(),
        };
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// A round-trip time.
pub(super) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// A time for people.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds => format!("{seconds} s"),
    }
}
