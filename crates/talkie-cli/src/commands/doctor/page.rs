//! The answer for people: the whole in one sentence, what was found, with whom direct connections
//! work, and what to change. The sentence stands first, for who reads from the top, and again last,
//! where one looks when the rest has scrolled away.

use talkie_doctor::advice::{Finding, Outcome, Severity, Verdict};
use talkie_doctor::report::{
    Allocation, Answer, Behaviour, Echo, Interface, InterfaceKind, Leg, MtuSource, Nat, Scope,
    Server,
};
use talkie_doctor::{Diagnosis, Report};

use crate::block::paint::{Line, Painter, Style};

/// The width where nothing tells another.
pub(super) const COLUMNS: usize = 80;
/// Longer lines than this are hard to read.
const WIDEST: usize = 100;
/// The columns left of what belongs to a heading.
const INDENT: usize = 2;
/// Where values start behind their names.
const VALUES: usize = 16;

/// How it is to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) colour: bool,
    pub(super) columns: usize,
}

/// The answer, line ends included.
pub(super) fn text(report: &Report, diagnosis: &Diagnosis, look: Look) -> String {
    let width = look.columns.clamp(40, WIDEST);
    let page = Page { painter: Painter { colour: look.colour }, width, report, diagnosis };
    let mut out = String::new();
    for line in page.lines() {
        out.push_str(line.as_str().trim_end());
        out.push('\n');
    }
    out
}

struct Page<'a> {
    painter: Painter,
    width: usize,
    report: &'a Report,
    diagnosis: &'a Diagnosis,
}

impl Page<'_> {
    fn lines(&self) -> Vec<Line> {
        let mut lines = self.headline();
        let sections = [
            ("This machine", self.machine()),
            ("Servers", self.servers()),
            ("NAT", self.nats()),
            ("Connections with others behind …", self.peers()),
            ("What was found, the most effective first", self.findings()),
        ];
        for (title, section) in sections {
            if !section.is_empty() {
                lines.push(Line::default());
                lines.push(self.painter.line(Style::Strong, title));
                lines.extend(section);
            }
        }
        lines.push(Line::default());
        lines.extend(self.headline());
        let took = format!("Took {:.1} s.", self.report.duration.0.as_secs_f64());
        lines.push(Line::default().join_at(INDENT, &self.painter.line(Style::Faint, &took)));
        lines
    }

    fn headline(&self) -> Vec<Line> {
        let style = match self.diagnosis.verdict {
            Verdict::Direct | Verdict::Unclear => Style::Good,
            Verdict::Relay | Verdict::Impaired => Style::Caution,
            Verdict::Offline => Style::Bad,
        };
        let sign = match style {
            Style::Good => "✓",
            Style::Caution => "!",
            _ => "✗",
        };
        self.hanging(sign, style, style, &self.diagnosis.headline)
    }

    /// Text behind a sign, its later lines below the first's text.
    fn hanging(&self, sign: &str, of_sign: Style, of_text: Style, text: &str) -> Vec<Line> {
        let at = sign.chars().count() + 1;
        let wrapped = self.painter.wrap(of_text, text, self.width - at);
        self.beside(self.painter.line(of_sign, sign), wrapped, at)
    }

    fn beside(&self, first: Line, text: Vec<Line>, at: usize) -> Vec<Line> {
        let mut left = Some(first);
        text.into_iter().map(|line| left.take().unwrap_or_default().join_at(at, &line)).collect()
    }

    /// A name and its value.
    fn pair(&self, name: &str, value: &str) -> Vec<Line> {
        let name = Line::default().join_at(INDENT, &self.painter.line(Style::Faint, name));
        let at = VALUES.max(name.columns() + 2);
        self.beside(name, self.painter.wrap(Style::Plain, value, self.width - at), at)
    }

    fn machine(&self) -> Vec<Line> {
        let host = &self.report.host;
        let mut lines = Vec::new();
        for interface in &host.interfaces {
            lines.extend(self.pair(&interface.name, &interface_words(interface)));
        }
        for route in &host.routes {
            let by = route.interface.as_deref().unwrap_or("an unknown interface");
            let via = route.gateway.map(|it| format!(" through {it}")).unwrap_or_default();
            let reach = host.reach.iter().find(|reach| reach.family == route.family);
            let reached = match reach.and_then(|reach| reach.reached) {
                Some(true) => ": works",
                Some(false) => ": no server answers",
                None => ": no server to try it with",
            };
            let value = format!("by {by}{via}{reached}");
            lines.extend(self.pair(&route.family.to_string(), &value));
        }
        if host.routes.is_empty() {
            lines.extend(self.pair("routes", "none leads out"));
        }
        lines.extend(self.router());
        if let Some(mtu) = self.report.mtu {
            let words = match mtu.source {
                MtuSource::Path => format!("{} bytes reach the server, no more", mtu.bytes),
                MtuSource::PathAtLeast => format!("{} bytes reach the server", mtu.bytes),
                MtuSource::Interface => format!("{} bytes by the interface", mtu.bytes),
            };
            lines.extend(self.pair("packet size", &words));
        }
        if let Some(clock) = &self.report.clock {
            let words = if clock.ahead_seconds.abs() < 1.0 {
                "agrees with the server's".to_owned()
            } else {
                format!("{:+.0} s from the server's", clock.ahead_seconds)
            };
            lines.extend(self.pair("clock", &words));
        }
        lines
    }

    fn router(&self) -> Vec<Line> {
        let ports = &self.report.port_mapping;
        if ports.gateway.is_none() {
            return Vec::new();
        }
        let name = ports.upnp.as_ref().and_then(|igd| igd.name.as_deref());
        let mut parts = Vec::new();
        if ports.upnp.is_some() {
            parts.push(name.map_or_else(|| "UPnP".to_owned(), |name| format!("UPnP ({name})")));
        }
        for (protocol, gateway) in [("NAT-PMP", &ports.nat_pmp), ("PCP", &ports.pcp)] {
            match gateway.as_ref().map(|it| it.answer) {
                Some(Answer::Ready) => parts.push(protocol.to_owned()),
                Some(Answer::Refused) => parts.push(format!("{protocol} (refuses)")),
                Some(Answer::Failed) => parts.push(format!("{protocol} (in trouble)")),
                None => {}
            }
        }
        let words = if parts.is_empty() {
            "answers neither UPnP nor NAT-PMP nor PCP".to_owned()
        } else {
            let outside = ports.external().map(|it| format!("; outside {it}")).unwrap_or_default();
            format!("speaks {}{outside}", parts.join(", "))
        };
        self.pair("router", &words)
    }

    fn servers(&self) -> Vec<Line> {
        self.report.servers.iter().flat_map(|server| self.server(server)).collect()
    }

    fn server(&self, server: &Server) -> Vec<Line> {
        let mut lines = Vec::new();
        let web = server.web.as_ref();
        let failure = server.failure.as_ref().or_else(|| web?.failure.as_ref());
        if server.web.is_some() || server.legs.is_empty() {
            let words = match (failure, web.and_then(|web| web.signaling)) {
                (Some(failure), _) => failure.to_string(),
                (None, Some(took)) => format!("pages and signaling, {took}"),
                (None, None) => "pages".to_owned(),
            };
            lines.extend(self.way(failure.is_none(), &server.url, &words));
        }
        for leg in &server.legs {
            let at = leg.address.map_or_else(|| leg.host.clone(), |it| it.to_string());
            let name = format!("{:<5} {}  {at}", leg.scheme, leg.transport);
            lines.extend(self.way(leg.works(), &name, &leg_words(leg)));
        }
        lines
    }

    fn way(&self, works: bool, name: &str, words: &str) -> Vec<Line> {
        let (sign, style) = if works { ("✓", Style::Good) } else { ("✗", Style::Bad) };
        let start = Line::default()
            .join_at(INDENT, &self.painter.line(style, sign))
            .join_at(INDENT + 2, &self.painter.line(Style::Plain, name));
        // Addresses of both IP versions keep one column for what comes behind, where they fit.
        let at = (start.columns() + 2).max(44.min(self.width / 2 + 4));
        if at + 20 > self.width {
            let mut lines = vec![start];
            let text = self.painter.wrap(Style::Faint, words, self.width - 6);
            lines.extend(text.iter().map(|line| Line::default().join_at(6, line)));
            return lines;
        }
        self.beside(start, self.painter.wrap(Style::Faint, words, self.width - at), at)
    }

    fn nats(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(words) = &self.diagnosis.nat {
            let wrapped = self.painter.wrap(Style::Plain, words, self.width - INDENT);
            lines.extend(wrapped.iter().map(|line| Line::default().join_at(INDENT, line)));
        }
        for nat in &self.report.nats {
            for (name, value) in nat_facts(nat) {
                lines.extend(self.pair(name, &value));
            }
        }
        lines
    }

    fn peers(&self) -> Vec<Line> {
        let each = |peer: &talkie_doctor::advice::Peer| {
            let (style, words) = match peer.outcome {
                Outcome::Direct => (Style::Good, "direct"),
                Outcome::LikelyDirect => (Style::Good, "most likely direct"),
                Outcome::Relay => (Style::Caution, "through a relay"),
                Outcome::LikelyRelay => (Style::Caution, "most likely through a relay"),
                Outcome::None => (Style::Bad, "none: no relay works"),
            };
            let name = match peer.kind.words() {
                "no NAT" => "no NAT".to_owned(),
                kind => format!("a {kind} NAT").replace("a address", "an address"),
            };
            Line::default()
                .join_at(INDENT, &self.painter.line(Style::Plain, &name))
                .join_at(INDENT + 28, &self.painter.line(style, words))
        };
        self.diagnosis.peers.iter().map(each).collect()
    }

    fn findings(&self) -> Vec<Line> {
        self.diagnosis.findings.iter().flat_map(|finding| self.finding(finding)).collect()
    }

    fn finding(&self, finding: &Finding) -> Vec<Line> {
        let (sign, style) = match finding.severity {
            Severity::Bad => ("✗", Style::Bad),
            Severity::Caution => ("!", Style::Caution),
            Severity::Hint => ("·", Style::Faint),
            Severity::Good => ("✓", Style::Good),
        };
        let sign = format!("{:INDENT$}{sign}", "");
        let mut lines = self.hanging(&sign, style, Style::Strong, &finding.title);
        let below = INDENT + 2;
        let mut add = |style, text: &str, at: usize, mark: &str| {
            let wrapped =
                self.painter.wrap(style, &breakable(text, self.width - at), self.width - at);
            let first = Line::default().join_at(below, &self.painter.line(Style::Link, mark));
            lines.extend(self.beside(first, wrapped, at));
        };
        add(Style::Plain, &finding.detail, below, "");
        if let Some(action) = &finding.action {
            add(Style::Plain, action, below + 2, "→");
        }
        lines
    }
}

/// The text with spaces in words that are longer than a line: between the pairs of fingerprints, and
/// anywhere in others.
fn breakable(text: &str, columns: usize) -> String {
    let broken = text.split(' ').map(|word| {
        let letters: Vec<_> = word.chars().collect();
        let mut rest = letters.as_slice();
        let mut pieces = Vec::new();
        while rest.len() > columns {
            let colon = rest[..columns].iter().rposition(|letter| *letter == ':');
            let at = colon.map_or(columns, |at| at + 1);
            let (piece, later) = rest.split_at(if 2 * at > columns { at } else { columns });
            pieces.push(piece.iter().collect::<String>());
            rest = later;
        }
        pieces.push(rest.iter().collect());
        pieces.join(" ")
    });
    broken.collect::<Vec<_>>().join(" ")
}

fn interface_words(interface: &Interface) -> String {
    let addresses: Vec<_> = interface
        .addresses
        .iter()
        // Each interface has one; it leads nowhere else.
        .filter(|it| it.scope != Scope::LinkLocal || interface.addresses.len() == 1)
        .map(|it| it.address.to_string())
        .collect();
    let kind = match interface.kind {
        InterfaceKind::Network => "",
        InterfaceKind::Tunnel => ", a tunnel",
        InterfaceKind::Virtual => ", inside this machine",
    };
    let mtu = interface.mtu.map(|mtu| format!(", MTU {mtu}")).unwrap_or_default();
    format!("{}{kind}{mtu}", addresses.join(", "))
}

fn leg_words(leg: &Leg) -> String {
    if let Some(failure) = &leg.failure {
        return failure.to_string();
    }
    let rtt = leg.rtt.map(|rtt| rtt.to_string()).unwrap_or_default();
    match &leg.echo {
        Echo::Returned { rtt: echo, .. } => format!("{rtt}, echo through it {echo}"),
        Echo::NotAllowed { .. } => format!("{rtt}, gives a relayed address"),
        _ if leg.scheme != "stun" => format!("{rtt}, wants credentials"),
        _ => rtt,
    }
}

fn nat_facts(nat: &Nat) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let why = |field: &str| nat.unknown.get(field).map(|why| format!("unknown: {why}"));
    let mut add = |name: &'static str, field: &str, known: Option<String>| {
        facts.extend(known.or_else(|| why(field)).map(|value| (name, value)));
    };
    if let Some(mapped) = nat.mapped {
        let words = if nat.translates == Some(false) {
            format!("{mapped}, not translated")
        } else {
            format!("{mapped}, here {}", nat.local)
        };
        add(if nat.local.is_ipv4() { "IPv4 seen as" } else { "IPv6 seen as" }, "", Some(words));
    }
    if nat.translates != Some(false) {
        add("mapping", "mapping", nat.mapping.map(|it| behaviour(it).to_owned()));
        let ports = nat.allocation.map(|it| match it {
            Allocation::Preserved => "outside the same number as inside",
            Allocation::Sequential => "one after the other",
            Allocation::Random => "without an order",
        });
        add("ports", "allocation", ports.map(str::to_owned));
        let hairpin = nat.hairpin.map(|it| if it { "works" } else { "does not work" });
        add("hairpinning", "hairpin", hairpin.map(str::to_owned));
    }
    add("filtering", "filtering", nat.filtering.map(|it| behaviour(it).to_owned()));
    let fragments = nat.fragments.map(|it| if it { "pass" } else { "are lost" });
    add("fragments", "fragments", fragments.map(str::to_owned));
    if let Some(lifetime) = nat.lifetime {
        let least = lifetime.at_least.0.as_secs();
        let words = match lifetime.less_than {
            Some(most) => format!("between {least} and {} s without traffic", most.0.as_secs()),
            None => format!("more than {least} s without traffic"),
        };
        add("lifetime", "", Some(words));
    }
    facts
}

fn behaviour(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::EndpointIndependent => "endpoint-independent",
        Behaviour::AddressDependent => "address-dependent",
        Behaviour::AddressAndPortDependent => "address-and-port-dependent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_break_between_the_pairs_of_a_fingerprint() {
        let text = format!("It is {}end.", "AB:".repeat(20));
        let broken = breakable(&text, 40);
        assert_eq!(broken.replace(' ', ""), text.replace(' ', ""));
        let longest = broken.split(' ').map(str::len).max();
        assert_eq!(longest, Some(39), "{broken}");
        assert!(broken.split(' ').skip(2).all(|piece| piece.starts_with("AB:")), "{broken}");
        assert_eq!(breakable("xxxxxx y", 4), "xxxx xx y");
    }
}
