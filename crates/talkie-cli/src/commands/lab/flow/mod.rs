//! `talkie lab flow`: what congestion control makes of a path.

mod values;

use std::process::ExitCode;
use std::time::Instant;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use talkie_lab::flow::{Controller, Plan, Recording, UnknownQueue};

use super::look::{self, Look};
use super::{files, patience, setting};
use crate::commands::{FAILURE, USAGE};
use crate::terminal;

/// More lines in one plot cannot be told apart.
const MOST_FLOWS: usize = 8;

/// The share of the time in which all flows are there, as its divisor: less than that would be counted in no
/// more than a few states.
const LEAST_COUNTED: u32 = 100;

const EXAMPLES: &str = "\
Examples:
  talkie lab flow --rtt 40ms --loss 1% --rate 200mbit
      A data channel's transfer over a line that loses packets by chance.
  talkie lab flow --rtt 40ms --loss 1% --rate 200mbit --controller newreno
      The same with the controller that SCTP stacks usually have.
  talkie lab flow --rate 20mbit --buffer 2x --controller adaptive,cubic --stagger 3s --time 60s
      Two flows that share a line: is it fair?
  talkie lab flow --rate 1mbit --buffer 64kib --controller cubic --flows 3
      Three of a kind on a slow line with a large buffer.
  talkie lab flow --rate 50mbit --loss 2% --burst 10 --buffer 100ms --queue codel-ecn
      Losses ten in a row, and a queue that marks packets rather than dropping them.
  talkie lab flow --rtt 600ms --rate 20mbit --svg satellite.svg --json satellite.json
      As a picture and for programs; - is standard output.

Controllers: adaptive (talkie's own), cubic (RFC 9438), bbr (version 3), newreno (RFC 9260).
Real associations run in virtual time; a window is 64 MiB at most. Rates count messages; packets on
the line carry DTLS, UDP and IP as well.
Exit codes: 0 done, 1 a file can't be written, 2 wrong flag or value, 130 stopped by Ctrl-C.";

pub(super) fn command() -> Command {
    Command::new("flow")
        .about("Play transfers over one line: window, rate, round trip, queue")
        .after_help(EXAMPLES)
        .arg(setting::arg("rate", "RATE", "20mbit", "What the line carries, 10kbit to 10gbit"))
        .arg(setting::arg("rtt", "TIME", "40ms", "There and back without a queue, 1ms to 4s"))
        .arg(setting::arg(
            "loss",
            "PERCENT",
            "0",
            "How much is lost by chance on the way there, 0 to 90",
        ))
        .arg(setting::arg(
            "burst",
            "PACKETS",
            "1",
            "How many are lost in a row on average, 1 to 1000",
        ))
        .arg(setting::arg(
            "queue",
            "NAME",
            "drop-tail",
            "Who leaves it: drop-tail, codel or codel-ecn",
        ))
        .arg(setting::arg(
            "buffer",
            "SIZE",
            "1x",
            "The queue: 64kb, 100ms, or 1x what fills the path",
        ))
        .arg(
            Arg::new("controller")
                .long("controller")
                .value_name("NAME,...")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .default_value("adaptive")
                .help("Congestion controllers, a flow for each"),
        )
        .arg(
            Arg::new("flows")
                .long("flows")
                .value_name("N")
                .value_parser(value_parser!(u8).range(1..=MOST_FLOWS as i64))
                .help("How many flows, 1 to 8; controllers are repeated in turn"),
        )
        .arg(setting::arg(
            "stagger",
            "TIME",
            "0s",
            "How long after the one before it a flow begins",
        ))
        .arg(setting::arg("time", "TIME", "20s", "How long all of it takes, 1s to 60min"))
        .arg(setting::seed())
        .arg(files::arg("svg", "Write a picture"))
        .arg(files::json())
        .arg(look::arg())
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let asked =
        plan(matches).and_then(|plan| Ok((plan, files::printed(matches, &["svg", "json"])?)));
    let (plan, printed) = match asked {
        Ok(asked) => asked,
        Err(error) => {
            terminal::complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    if files::check(matches, &["svg", "json"]).is_err() {
        return ExitCode::from(FAILURE);
    }
    let played = patience::wait_for(move |tell| {
        plan.run(Instant::now(), |done, of| {
            tell(format!("{:.1} of {:.0} s", done.as_secs_f64(), of.as_secs_f64()));
        })
    });
    let recording = match played {
        Ok(recording) => recording,
        Err(code) => return ExitCode::from(code),
    };
    let shown = if printed.is_none() {
        let look = Look::of(matches);
        files::show(&recording.plot(look.columns).text(look.ink))
    } else {
        Ok(())
    };
    match write_files(matches, &recording).and(shown) {
        Ok(()) => ExitCode::SUCCESS,
        Err(()) => ExitCode::from(FAILURE),
    }
}

fn write_files(matches: &ArgMatches, recording: &Recording) -> Result<(), ()> {
    files::write(matches, "json", || recording.json().into_bytes())?;
    files::write(matches, "svg", || recording.svg().into_bytes())
}

fn plan(matches: &ArgMatches) -> Result<Plan, String> {
    let text = |name| matches.get_one::<String>(name).expect("it has a default").as_str();
    let (rate, rtt) = (values::rate(text("rate"))?, values::round_trip(text("rtt"))?);
    let (loss, burst) = (setting::loss(text("loss"))?, values::burst(text("burst"))?);
    if loss > Plan::most_loss(burst) {
        return Err(format!(
            "bursts of {burst} cannot lose {:.0}% of all packets, {:.0}% at most",
            loss * 100.0,
            Plan::most_loss(burst) * 100.0,
        ));
    }
    let plan = Plan {
        rate,
        rtt,
        loss,
        burst,
        queue: text("queue").parse().map_err(|error: UnknownQueue| error.to_string())?,
        buffer: values::buffer(text("buffer"), rate, rtt)?,
        controllers: controllers(matches)?,
        stagger: values::stagger(text("stagger"))?,
        span: values::span(text("time"))?,
        seed: *matches.get_one::<u64>("seed").expect("it has a default"),
    };
    match plan.counted_from() + plan.span / LEAST_COUNTED <= plan.span {
        true => Ok(plan),
        false => Err(format!(
            "the last of {} flows would begin after {} s: too little of --time {} s is left to count",
            plan.controllers.len(),
            plan.counted_from().as_secs_f64(),
            plan.span.as_secs_f64(),
        )),
    }
}

fn controllers(matches: &ArgMatches) -> Result<Vec<Controller>, String> {
    let mut kinds = Vec::new();
    for name in matches.get_many::<String>("controller").expect("it has a default") {
        if !name.trim().is_empty() {
            kinds.push(name.parse::<Controller>().map_err(|error| error.to_string())?);
        }
    }
    let flows = matches.get_one::<u8>("flows").map_or(kinds.len(), |flows| usize::from(*flows));
    match (kinds.len(), flows) {
        (0, _) => Err("--controller names none".to_owned()),
        (named, flows) if flows < named => {
            Err(format!("--flows {flows} is less than the {named} controllers that are named"))
        }
        (_, flows) if flows > MOST_FLOWS => {
            Err(format!("{flows} flows are more than one plot can show: {MOST_FLOWS} at most"))
        }
        _ => Ok(kinds.iter().copied().cycle().take(flows).collect()),
    }
}
