//! The flags that say how a pair is played.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use talkie_lab::stage::Setting;

/// More is no network any more.
const LONGEST_DELAY: Duration = Duration::from_secs(2);

pub(super) fn args() -> [Arg; 4] {
    [
        seed(),
        arg("delay", "TIME", "40ms", "From host to host, one way, 1ms to 2s"),
        arg("loss", "PERCENT", "0", "How much is lost between the hosts, 0 to 90"),
        Arg::new("predict")
            .long("predict")
            .action(ArgAction::SetTrue)
            .help("Guess the next ports of NATs that give them in an order"),
    ]
}

/// A flag with a number and perhaps a unit. One below zero is a wrong value and not another flag.
pub(super) fn arg(
    name: &'static str,
    value: &'static str,
    default: &'static str,
    help: &'static str,
) -> Arg {
    let arg = Arg::new(name).long(name).value_name(value).default_value(default).help(help);
    arg.allow_hyphen_values(true)
}

pub(super) fn seed() -> Arg {
    Arg::new("seed")
        .long("seed")
        .value_name("N")
        .value_parser(value_parser!(u64))
        .default_value("1")
        .help("All chance follows from it: the same seed gives the same packets")
}

pub(super) fn of(matches: &ArgMatches) -> Result<Setting, String> {
    let text = |name| matches.get_one::<String>(name).expect("it has a default").as_str();
    Ok(Setting {
        seed: *matches.get_one::<u64>("seed").expect("it has a default"),
        delay: delay(text("delay"))?,
        loss: loss(text("loss"))?,
        predict: matches.get_flag("predict"),
    })
}

fn delay(text: &str) -> Result<Duration, String> {
    let refused = || format!("--delay takes a time from 1ms to 2s, such as 40ms; not `{text}`");
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1000.0),
        None => match text.strip_suffix('s') {
            Some(number) => (number, 1.0),
            None => (text, 1000.0),
        },
    };
    let number: f64 = number.trim().parse().map_err(|_| refused())?;
    let delay = Duration::try_from_secs_f64(number / unit).map_err(|_| refused())?;
    match delay >= Duration::from_millis(1) && delay <= LONGEST_DELAY {
        true => Ok(delay),
        false => Err(refused()),
    }
}

/// As a share of 1.
pub(super) fn loss(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>().ok();
    let percent = number.filter(|percent| (0.0..=90.0).contains(percent));
    percent
        .map(|percent| percent / 100.0)
        .ok_or_else(|| format!("--loss takes a percentage from 0 to 90, such as 5; not `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_bounds() {
        let ms = Duration::from_millis;
        for (text, expected) in
            [("40ms", ms(40)), ("0.5s", ms(500)), ("2s", ms(2000)), ("7", ms(7)), ("1ms", ms(1))]
        {
            assert_eq!(delay(text), Ok(expected), "{text}");
        }
        for text in ["", "fast", "0ms", "-4ms", "3s", "NaN", "inf", "1e99s", "40 years"] {
            assert!(delay(text).is_err(), "{text}");
        }
    }

    #[test]
    fn loss_is_a_percentage() {
        assert_eq!(loss("5"), Ok(0.05));
        assert_eq!(loss("12.5%"), Ok(0.125));
        for text in ["", "-1", "91", "NaN", "half"] {
            assert!(loss(text).is_err(), "{text}");
        }
    }
}
