//! Texts into typed values. Each error says what is wrong with the text and shows a good one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;
use talkie_server::OwnAddress;
use talkie_server::relay::AlternatePort;
use tracing_subscriber::EnvFilter;

/// Why a text is not a value: what is wrong, and a text that would do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; a good value: {example}")]
pub(crate) struct Invalid {
    problem: String,
    example: String,
}

impl Invalid {
    pub(crate) fn new(problem: impl fmt::Display, example: impl fmt::Display) -> Self {
        Self { problem: problem.to_string(), example: example.to_string() }
    }
}

/// The word that switches a listener off and empties a list.
pub(crate) const NONE: &str = "none";

/// An address to listen on: `IP:PORT`, `localhost:PORT`, or a port alone, for which the IP
/// address is `any`.
pub(crate) fn listen(text: &str, any: IpAddr) -> Result<SocketAddr, Invalid> {
    let wrong = |problem: String| {
        Invalid::new(
            problem,
            format_args!("{}, 8080, [::]:8080 or none", SocketAddr::new(any, 8080)),
        )
    };
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return Ok(SocketAddr::new(any, port(text).map_err(wrong)?));
    }
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Err(wrong(format!("`{text}` has no port (meant {}?)", SocketAddr::new(ip, 8080))));
    }
    let Some((host, digits)) = text.rsplit_once(':') else {
        return Err(wrong(format!("`{text}` is not an address to listen on")));
    };
    let port = port(digits).map_err(wrong)?;
    match host {
        "localhost" => Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)),
        "" | "*" => Ok(SocketAddr::new(any, port)),
        _ if host.parse::<Ipv6Addr>().is_ok() => {
            Err(wrong(format!("an IPv6 address stands in brackets: [{host}]:{port}")))
        }
        _ => Err(wrong(format!("`{host}` is not an IP address of this host"))),
    }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("`{text}` is not a port (0 to 65535)"))
}

/// A range of ports, `FIRST-LAST`.
pub(crate) fn ports(text: &str) -> Result<RangeInclusive<u16>, Invalid> {
    let wrong = |problem: String| Invalid::new(problem, "49152-65535");
    let Some((first, last)) = text.split_once('-') else {
        return Err(wrong(format!("`{text}` is not a range FIRST-LAST")));
    };
    let first = port(first.trim()).map_err(wrong)?;
    let last = port(last.trim()).map_err(wrong)?;
    match first {
        0 => Err(wrong("a range of ports cannot start at 0".into())),
        _ if first > last => Err(wrong(format!("`{text}` ends before it starts"))),
        _ => Ok(first..=last),
    }
}

/// The origin of a web page, as browsers write it: `https://host` or with a port.
pub(crate) fn origin(text: &str) -> Result<String, Invalid> {
    let wrong =
        |problem: String| Invalid::new(problem, "https://app.example.org or http://[::1]:3000");
    let origin = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    let Some((scheme @ ("http" | "https"), authority)) = origin.split_once("://") else {
        return Err(wrong(format!("`{text}` does not begin with https:// or http://")));
    };
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if authority.is_empty() || !authority.bytes().all(is_part) {
        return Err(wrong(format!("`{text}` is not an origin: scheme, host and port alone")));
    }
    // Browsers leave it out.
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    Ok(origin.strip_suffix(default_port).unwrap_or(&origin).to_owned())
}

/// A name of this server; with a dot before it, for those below it too.
pub(crate) fn host_pattern(text: &str) -> Result<String, Invalid> {
    let wrong = |problem: String| Invalid::new(problem, "talk.example.org or .example.org");
    match talkie_server::is_host_pattern(text) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(wrong(format!("`{text}` is not a host's name alone"))),
    }
}

/// A network, `ADDRESS/BITS`; an address alone is a network of one.
pub(crate) fn network(text: &str) -> Result<IpNet, Invalid> {
    let wrong = |problem: String| Invalid::new(problem, "10.0.0.0/8, fd00::/8 or 192.168.1.7");
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(ip.into());
    }
    let net: IpNet = text.parse().map_err(|_| wrong(format!("`{text}` is not a network")))?;
    if net.addr() != net.network() {
        let whole = net.trunc();
        return Err(wrong(format!("`{text}` has bits set beyond its prefix (meant {whole}?)")));
    }
    Ok(net)
}

/// An address under which others reach this host.
pub(crate) fn external_ip(text: &str) -> Result<IpAddr, Invalid> {
    let wrong = |problem: String| Invalid::new(problem, "203.0.113.7, 2001:db8::7 or auto");
    let ip: IpAddr = match text.parse() {
        Ok(ip) => ip,
        Err(_) => return Err(wrong(format!("`{text}` is not an IP address"))),
    };
    match ip.is_unspecified() || ip.is_multicast() {
        true => Err(wrong(format!("nobody can reach this host at {ip}"))),
        false => Ok(ip),
    }
}

/// The second port of STUN.
pub(crate) fn alternate_port(text: &str) -> Result<AlternatePort, Invalid> {
    match text {
        "auto" => Ok(AlternatePort::Next),
        NONE => Ok(AlternatePort::None),
        _ => port(text)
            .map(AlternatePort::Fixed)
            .map_err(|problem| Invalid::new(problem, "3479, auto or none")),
    }
}

/// As [`alternate_port`] reads it.
pub(crate) fn alternate_port_text(port: AlternatePort) -> String {
    match port {
        AlternatePort::Next => "auto".to_owned(),
        AlternatePort::None => NONE.to_owned(),
        AlternatePort::Fixed(port) => port.to_string(),
    }
}

/// A second address of this host, by which others reach it too; or `PUBLIC/LOCAL`.
pub(crate) fn alternate_ip(text: &str) -> Result<OwnAddress, Invalid> {
    let wrong = |problem: String| Invalid::new(problem, "203.0.113.8 or 203.0.113.8/10.0.0.8");
    let ip = |text: &str| match text.parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() || ip.is_multicast() => {
            Err(wrong(format!("nobody can reach this host at {ip}")))
        }
        Ok(ip) => Ok(ip),
        Err(_) => Err(wrong(format!("`{text}` is not an IP address"))),
    };
    let (told, local) = text.split_once('/').unwrap_or((text, text));
    let (told, local) = (ip(told)?, ip(local)?);
    if told.is_ipv6() != local.is_ipv6() {
        return Err(wrong(format!("{told} and {local} are not of one IP version")));
    }
    Ok(OwnAddress { local, told })
}

/// As [`alternate_ip`] reads it.
pub(crate) fn alternate_ip_text(own: &OwnAddress) -> String {
    if own.told == own.local { own.told.to_string() } else { format!("{}/{}", own.told, own.local) }
}

/// A client compares two addresses, not more.
pub(crate) fn one_of_each_family(all: Vec<OwnAddress>) -> Result<Vec<OwnAddress>, Invalid> {
    match all[..] {
        [] | [_] => Ok(all),
        [one, other] if one.local.is_ipv6() != other.local.is_ipv6() => Ok(all),
        _ => Err(Invalid::new("there is one alternate address for each IP version", "203.0.113.8")),
    }
}

/// A time: a number of seconds, or a number with `ms`, `s`, `m` or `h` behind it.
pub(crate) fn duration(text: &str) -> Result<Duration, Invalid> {
    let wrong = |problem: String| Invalid::new(problem, "30, 30s, 500ms, 2m or 1h");
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 =
        digits.parse().map_err(|_| wrong(format!("`{text}` is not a time that makes sense")))?;
    let millis_each = match text[digits.len()..].trim() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        unit => return Err(wrong(format!("`{unit}` is not a unit of time"))),
    };
    let millis = number.checked_mul(millis_each).filter(|ms| *ms <= DAY_MS);
    millis.map(Duration::from_millis).ok_or_else(|| wrong(format!("`{text}` is above a day")))
}

const DAY_MS: u64 = 24 * 3_600_000;

/// A time as [`duration`] reads it.
pub(crate) fn duration_text(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{}s", duration.as_secs()),
        _ => format!("{}ms", duration.as_millis()),
    }
}

/// A user of the relay, `NAME:PASSWORD`. RFC 8489 §9.2 limits the name to 508 bytes; a colon
/// ends it, since time-limited names (`EXPIRY:NAME`) are made from the secret, not listed.
pub(crate) fn user(text: &str) -> Result<(String, String), Invalid> {
    // The text holds a password: it is not repeated in the error.
    let wrong = |problem: &str| Invalid::new(problem, "alice:correct-horse");
    match text.split_once(':') {
        None => Err(wrong("a user is NAME:PASSWORD, and there is no colon")),
        Some(("", _)) => Err(wrong("the name before the colon is empty")),
        Some((_, "")) => Err(wrong("the password behind the colon is empty")),
        Some((name, _)) if name.len() > 508 => Err(wrong("the name is longer than 508 bytes")),
        Some((name, password)) => Ok((name.to_owned(), password.to_owned())),
    }
}

/// A secret that signs credentials.
pub(crate) fn secret(text: &str) -> Result<String, Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("the secret is empty", "the output of `openssl rand -hex 32`"));
    }
    Ok(text.to_owned())
}

/// The realm of the relay's credentials: 1 to 127 characters (RFC 8489 §14.9), none of them a
/// quote or a backslash, which would need escaping on the wire.
pub(crate) fn realm(text: &str) -> Result<String, Invalid> {
    let wrong = |problem: &str| Invalid::new(problem, "turn.example.org");
    match text.chars().count() {
        0 => Err(wrong("the realm is empty")),
        128.. => Err(wrong("the realm is longer than 127 characters")),
        _ if text.contains(['"', '\\']) || text.chars().any(char::is_control) => {
            Err(wrong("the realm has a quote, a backslash or a control character"))
        }
        _ => Ok(text.to_owned()),
    }
}

/// A switch that was given a word.
pub(crate) fn switch(text: &str) -> Result<bool, Invalid> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(Invalid::new(format_args!("`{text}` is neither true nor false"), "true or false")),
    }
}

/// A filter of log events. The text is kept, because a filter cannot be copied.
pub(crate) fn log_filter(text: &str) -> Result<String, Invalid> {
    match EnvFilter::builder().parse(text) {
        Ok(_) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => {
            let problem = format!("`{text}` is not a filter of log events");
            Err(Invalid::new(problem, "debug, or info,talkie_server=debug"))
        }
    }
}

/// One word of a few.
pub(crate) fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, Invalid> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    Err(Invalid::new(format_args!("`{text}` is not a known word"), known.join(", ")))
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
