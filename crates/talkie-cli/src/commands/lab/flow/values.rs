//! Rates, times and sizes as people write them: a number and a unit.

use std::time::Duration;

/// Slower is no line, faster would take hours to play.
const RATES: std::ops::RangeInclusive<u64> = 10_000..=10_000_000_000;
const ROUND_TRIPS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(4);
const SPANS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(3600);
const BURSTS: std::ops::RangeInclusive<f64> = 1.0..=1000.0;
/// One packet has to fit.
const BUFFERS: std::ops::RangeInclusive<f64> = 1500.0..=4e9;

/// A number and what is written behind it, in small letters.
fn split(text: &str) -> Option<(f64, String)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    Some((number, text[end..].trim().to_ascii_lowercase()))
}

/// Bits per second.
pub(super) fn rate(text: &str) -> Result<u64, String> {
    let read = || {
        let (number, unit) = split(text)?;
        let unit = unit.strip_suffix("/s").or_else(|| unit.strip_suffix("ps")).unwrap_or(&unit);
        let size = match unit {
            "bit" => 1.0,
            "kbit" => 1e3,
            "mbit" => 1e6,
            "gbit" => 1e9,
            _ => return None,
        };
        Some((number * size) as u64).filter(|rate| RATES.contains(rate))
    };
    read().ok_or_else(|| {
        format!("--rate takes bits per second from 10kbit to 10gbit, such as 200mbit; not `{text}`")
    })
}

fn time(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let size = match unit.as_str() {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * size).ok()
}

/// There and back.
pub(super) fn round_trip(text: &str) -> Result<Duration, String> {
    time(text)
        .filter(|time| ROUND_TRIPS.contains(time))
        .ok_or_else(|| format!("--rtt takes a time from 1ms to 4s, such as 40ms; not `{text}`"))
}

/// How long is played.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    time(text)
        .filter(|time| SPANS.contains(time))
        .ok_or_else(|| format!("--time takes a time from 1s to 60min, such as 20s; not `{text}`"))
}

/// Packets in a row.
pub(super) fn burst(text: &str) -> Result<f64, String> {
    let packets = text.trim().parse().ok().filter(|packets| BURSTS.contains(packets));
    packets.ok_or_else(|| {
        format!("--burst takes a number of packets from 1 to 1000, such as 10; not `{text}`")
    })
}

/// Between the beginnings of two flows.
pub(super) fn stagger(text: &str) -> Result<Duration, String> {
    time(text)
        .filter(|time| time <= SPANS.end())
        .ok_or_else(|| format!("--stagger takes a time such as 3s; not `{text}`"))
}

/// Bytes: as such, as the time that they take on the line, or as a multiple of what fills the path.
pub(super) fn buffer(text: &str, rate: u64, round_trip: Duration) -> Result<usize, String> {
    let read = || {
        let (number, unit) = split(text)?;
        let per_second = rate as f64 / 8.0;
        let bytes = match unit.as_str() {
            // What fills a slow line's path may be less than a packet.
            "x" if number > 0.0 => {
                (number * per_second * round_trip.as_secs_f64()).max(*BUFFERS.start())
            }
            "b" => number,
            "k" | "kb" => number * 1e3,
            "kib" => number * 1024.0,
            "m" | "mb" => number * 1e6,
            "mib" => number * 1024.0 * 1024.0,
            _ => time(text)?.as_secs_f64() * per_second,
        };
        Some(bytes).filter(|bytes| BUFFERS.contains(bytes)).map(|bytes| bytes as usize)
    };
    read().ok_or_else(|| {
        format!(
            "--buffer takes a size (64kb, 1mb), a time on the line (100ms) or what fills the path (1x), \
             1500 bytes at least; not `{text}`"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_units_and_bounds() {
        for (text, expected) in [
            ("200mbit", 200_000_000),
            ("1.5Mbit/s", 1_500_000),
            ("64 kbit", 64_000),
            ("2gbit", 2_000_000_000),
            ("100mbps", 0),
        ] {
            assert_eq!(rate(text).ok(), Some(expected).filter(|rate| *rate > 0), "{text}");
        }
        for text in ["", "200", "fast", "-1mbit", "1kbit", "11gbit", "NaNmbit", "1e3mbit", "200mb"]
        {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_have_units_and_bounds() {
        assert_eq!(round_trip("40ms"), Ok(Duration::from_millis(40)));
        assert_eq!(round_trip("0.6 s"), Ok(Duration::from_millis(600)));
        assert_eq!(span("2min"), Ok(Duration::from_secs(120)));
        assert_eq!(stagger("0s"), Ok(Duration::ZERO));
        assert_eq!(stagger("19.999s"), Ok(Duration::from_millis(19_999)));
        for text in ["", "40", "0ms", "5s", "-1ms", "many"] {
            assert!(round_trip(text).is_err(), "{text}");
        }
        assert!(span("0.5s").is_err() && span("2h").is_err() && stagger("later").is_err());
    }

    #[test]
    fn bursts_have_a_packet_or_more() {
        assert_eq!((burst("1"), burst(" 2.5 "), burst("1000")), (Ok(1.0), Ok(2.5), Ok(1000.0)));
        for text in ["", "0", "0.5", "1001", "NaN", "inf", "many"] {
            assert!(burst(text).is_err(), "{text}");
        }
    }

    #[test]
    fn buffers_are_sizes_times_or_multiples_of_the_path() {
        let buffer = |text| buffer(text, 200_000_000, Duration::from_millis(40));
        for (text, expected) in [
            ("64kb", 64_000),
            ("64KiB", 65_536),
            ("1mb", 1_000_000),
            ("1x", 1_000_000),
            ("0.5x", 500_000),
            ("100ms", 2_500_000),
            ("3000b", 3000),
        ] {
            assert_eq!(buffer(text), Ok(expected), "{text}");
        }
        for text in ["", "big", "100b", "0x", "9gb", "100"] {
            assert!(buffer(text).is_err(), "{text}");
        }
        // 500 bytes fill the path, and a packet has to fit.
        assert_eq!(super::buffer("1x", 100_000, Duration::from_millis(40)), Ok(1500));
    }
}
