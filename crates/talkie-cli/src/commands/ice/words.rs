//! What is shown, in words that are the same wherever they stand.

use std::time::Duration;

use talkie_doctor::report::Millis;
use talkie_traversal::ice::{Candidate, CandidateAddress, Pair, Protocol};

use crate::terminal;

/// `21.3 ms`.
pub(super) fn millis(span: Duration) -> String {
    Millis(span).to_string()
}

/// How long something took that people may have had a part in: `21.3 ms`, `294 s`.
pub(super) fn duration(span: Duration) -> String {
    if span.as_secs() < 10 { millis(span) } else { format!("{} s", span.as_secs()) }
}

/// The time of day, since no system tells the time zone without more: `12:34:56.789Z`.
pub(super) fn clock(unix: Duration) -> String {
    let seconds = unix.as_secs() % 86_400;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}Z", unix.subsec_millis())
}

/// Somebody else's bytes, as a terminal may show them.
pub(super) fn readable(bytes: &[u8]) -> String {
    terminal::readable(&String::from_utf8_lossy(bytes))
}

/// A datagram as a line: its own line end, if it brings one, is not another line.
pub(super) fn line(payload: &[u8]) -> &[u8] {
    let line = payload.strip_suffix(b"\n").unwrap_or(payload);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Address and port, the former in brackets if it needs them.
pub(super) fn place(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// `srflx 198.51.100.7:5000`.
pub(super) fn candidate(candidate: &Candidate) -> String {
    let address = match &candidate.address {
        CandidateAddress::Ip(ip) => ip.to_string(),
        CandidateAddress::Name(name) => name.clone(),
    };
    let place = place(&address, candidate.port);
    let how = match (candidate.protocol, candidate.relay_protocol) {
        (Protocol::Tcp(kind), _) => format!(", tcp {}", kind.word()),
        (_, Some(transport)) => format!(", over {transport}"),
        (Protocol::Udp, None) => String::new(),
    };
    format!("{} {place}{how}", candidate.kind)
}

/// Whether a relay is on the way.
pub(super) fn directness(pair: &Pair) -> &'static str {
    if pair.is_direct() { "directly" } else { "by a relay" }
}

/// Where data goes.
pub(super) fn way(pair: &Pair) -> String {
    let round_trip = pair.round_trip.map(|span| format!(", {}", millis(span))).unwrap_or_default();
    format!("{} → {}{round_trip}", candidate(&pair.local), candidate(&pair.remote))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_given_what_it_would_obey() {
        assert_eq!(
            readable(b"\x1b[2Jh\xff\ti \xe2\x80\xaex"),
            "\u{fffd}[2Jh\u{fffd}\u{fffd}i \u{fffd}x"
        );
        assert_eq!(readable("grüße 中文".as_bytes()), "grüße 中文");
    }

    #[test]
    fn what_people_take_is_told_in_seconds() {
        assert!(duration(Duration::from_millis(9900)).ends_with(" ms"));
        assert_eq!(duration(Duration::from_millis(293_854)), "293 s");
    }

    #[test]
    fn a_datagram_is_one_line_with_or_without_its_end() {
        for payload in ["hi", "hi\n", "hi\r\n"] {
            assert_eq!(line(payload.as_bytes()), b"hi");
        }
        assert_eq!((line(b"\n"), line(b"a\n\n")), (&b""[..], &b"a\n"[..]));
    }

    #[test]
    fn the_time_of_day_is_that_of_greenwich() {
        assert_eq!(clock(Duration::from_millis(86_400_000 * 3 + 45_296_007)), "12:34:56.007Z");
    }

    #[test]
    fn a_candidate_says_how_it_is_reached() {
        let read = |line: &str| candidate(&line.parse::<Candidate>().unwrap());
        let host = "candidate:1 1 udp 2130706431 2001:db8::1 5000 typ host";
        assert_eq!(read(host), "host [2001:db8::1]:5000");
        let tcp = "candidate:1 1 tcp 1690304511 a.local 9 typ host tcptype active";
        assert_eq!(read(tcp), "host a.local:9, tcp active");
    }
}
