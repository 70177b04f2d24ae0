//! Side-by-side measurements: talkie's servers against their peers, alternating in one run, so that
//! only ratios are read. `docs/bench.md` says how to run them and what was seen.

mod gateway;
mod ice;
mod naive;
mod nat_box;
mod process;
mod relay;
mod sctp;
mod serve;
mod sim;
mod traffic;
mod turn;
mod ws;

const USAGE: &str = "usage: talkie-bench relay [--rounds N] [--packets N] [--only TEXT]
       talkie-bench nat-box [--rounds N] [--packets N]
       talkie-bench sim [--rounds N]
       talkie-bench ws
       talkie-bench gateway
       talkie-bench ice [--rounds N] [--delay MILLISECONDS] [--only TEXT] [--svg FILE]
       talkie-bench ice-idle [--agents N]
       talkie-bench ice-crowd [--agents N]
       talkie-bench ice-checks [--rounds N]
       talkie-bench sctp [--rounds N] [--only TEXT] [--svg FILE]
       talkie-bench sctp-instructions
       talkie-bench serve-relay ADDRESS, serve-signaling ADDRESS, serve-agents PORT,
                    box LAB NAT, loop LAB, inside LAB HOST COMMAND…, sctp-idle STACK,
                    sctp-carry KEY=VALUE…                                 (used by the others)";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["relay", options @ ..] => relay::run(options),
        ["nat-box", options @ ..] => nat_box::run(options),
        ["box", lab, nat] => nat_box::be_the_box(lab, nat),
        ["loop", lab] => naive::be_the_loop(lab),
        ["sim", options @ ..] => sim::run(options),
        ["ws"] => ws::run(),
        ["gateway"] => gateway::run(),
        ["ice", options @ ..] => ice::run(options),
        ["ice-idle", options @ ..] => ice::crowd::run(options),
        ["ice-crowd", options @ ..] => ice::many::run(options),
        ["ice-checks", options @ ..] => ice::checks::run(options),
        ["sctp", options @ ..] => sctp::run(options),
        ["sctp-instructions"] => sctp::count(),
        ["sctp-idle", stack] => sctp::hold(stack),
        ["sctp-carry", figures @ ..] => sctp::carry_for_counting(figures),
        ["inside", lab, host, command @ ..] => ice::be_inside(lab, host, command),
        ["serve-agents", port] => ice::many::serve(port.parse()?),
        ["serve-signaling", address] => serve::signaling(address.parse()?),
        ["serve-relay", address] => serve::relay(address.parse()?),
        _ => anyhow::bail!("{USAGE}"),
    }
}
