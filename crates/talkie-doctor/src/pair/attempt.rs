//! The attempt itself: an ICE agent as calls have it, with the server's relay as the way out.
//!
//! The agent finds the path, and this only watches. What differs from a call: every pair that works is
//! kept and asked often, so that there is a round trip of the best direct path and of the best relayed one
//! whichever was chosen, and failure is told sooner than RFC 8863 has it, since both sides begin with all
//! of their candidates known.

use std::net::IpAddr;
use std::time::Duration;

use talkie_net::driver::Running;
use talkie_net::host;
use talkie_signaling::{IceServer, Tls};
use talkie_traversal::ice::gather::Server;
use talkie_traversal::ice::{
    self, Agent, Attribute, Candidate, Config, Event, GatheringState, Parameters, ParseError, Stats,
};
use tokio::time::{interval, sleep, sleep_until, timeout};

use super::PairError;
use super::tried::{Found, Tried};
use super::watch::Watch;
use crate::report::{InterfaceKind, Report};

/// Servers that are asked.
const SERVERS: usize = 8;
/// For what answers at all: three requests by RFC 8489's timers, and a fourth.
const GATHER: Duration = Duration::from_secs(3);
/// Beyond the longest gathering, to servers that are far.
const GATHERED: Duration = Duration::from_secs(20);
/// Between two measurements of a pair.
const ASK: Duration = Duration::from_millis(250);
/// Between two looks at what was measured.
const LOOK: Duration = Duration::from_millis(100);
/// No failure before.
const LEAST: Duration = Duration::from_secs(12);
/// How long to wait until the relay is given back.
const FAREWELL: Duration = Duration::from_millis(300);

/// Where the other side may be reached, and how it proves that it is there.
#[derive(Debug)]
pub(super) struct Reachable {
    parameters: Parameters,
    candidates: Vec<Candidate>,
}

impl Reachable {
    /// Reads its attributes. RFC 8839 §5.1: a candidate that can't be read is passed over.
    pub(super) fn read(lines: &[String]) -> Result<Self, ParseError> {
        let parameters = Parameters::from_lines(lines.iter().map(String::as_str))?;
        let candidates = lines.iter().filter_map(|line| match line.parse() {
            Ok(Attribute::Candidate(candidate)) => Some(candidate),
            _ => None,
        });
        Ok(Self { parameters, candidates: candidates.collect() })
    }
}

/// An attempt that has begun.
pub(super) struct Attempt {
    running: Running<Agent>,
    had_relay: bool,
}

impl Attempt {
    /// Opens sockets. Once it [gathers](Self::gather()) a relay may be held: whoever has this must
    /// [`Self::close()`] it.
    pub(super) async fn begin(
        report: &Report,
        role: ice::Role,
        server: IpAddr,
        offered: &[IceServer],
    ) -> Result<Self, PairError> {
        // The list of authorities is read from many files.
        let tls = tokio::task::spawn_blocking(|| Tls::observing(&[])).await;
        let tls = tls.map_err(|error| PairError::local(&error))?;
        // Nothing depends on the relay's honesty: it carries what is sealed, or checks.
        let trust = host::Trust::Config(tls.config);
        let options = host::Options { trust, ..host::Options::default() };
        let genesis = talkie_net::genesis().map_err(|error| PairError::local(&error))?;
        let agent = Agent::new(&genesis, config(report, role, server, offered));
        let running = host::spawn(agent, options).map_err(|error| PairError::local(&error))?;
        Ok(Self { running, had_relay: false })
    }

    /// Where this side may be reached, as attributes.
    pub(super) async fn gather(&mut self) -> Result<Vec<String>, PairError> {
        let begun = self.running.handle.call(|agent, now| {
            agent.gather(now);
            agent.local_parameters().clone()
        });
        let parameters = begun.await.map_err(|error| PairError::local(&error))?;
        let mut lines: Vec<String> =
            parameters.attributes().map(|attribute| attribute.to_string()).collect();
        match timeout(GATHERED, self.gathered(&mut lines)).await {
            Ok(Some(())) => Ok(lines),
            _ => Err(PairError::local(&"no address could be gathered")),
        }
    }

    async fn gathered(&mut self, lines: &mut Vec<String>) -> Option<()> {
        loop {
            match self.running.events.recv().await? {
                Event::Candidate(candidate) => {
                    self.had_relay |= candidate.kind == ice::CandidateType::Relayed;
                    lines.push(candidate.to_string());
                }
                Event::GatheringState(GatheringState::Complete) => return Some(()),
                _ => {}
            }
        }
    }

    /// Tries to reach the other side. `tell` hears of each path that both have agreed on.
    pub(super) async fn run(
        &mut self,
        other: Reachable,
        tell: impl Fn(&Found),
    ) -> Result<Tried, PairError> {
        let begun = self.running.handle.call(move |agent, now| {
            let fragment = other.parameters.username_fragment.clone();
            agent.set_remote_parameters(now, other.parameters);
            for candidate in other.candidates {
                // What is of no use is not tried.
                let _ = agent.add_remote_candidate(now, candidate);
            }
            agent.end_of_remote_candidates_of(now, &fragment);
        });
        begun.await.map_err(|error| PairError::local(&error))?;
        let mut watch = Watch::new(self.had_relay);
        let mut looks = interval(LOOK);
        loop {
            tokio::select! {
                event = self.running.events.recv() => {
                    let Some(event) = event else { break };
                    if let Some(found) = watch.hear(event) {
                        tell(&found);
                    }
                }
                _ = looks.tick() => watch.look(&self.stats().await?),
                () = sleep_until(watch.ends_at) => break,
            }
        }
        watch.look(&self.stats().await?);
        Ok(watch.tried())
    }

    async fn stats(&self) -> Result<Stats, PairError> {
        let stats = self.running.handle.call(|agent, _| agent.stats()).await;
        stats.map_err(|error| PairError::local(&error))
    }

    /// Gives the relay back. Over UDP the server would keep the allocation for ten minutes.
    pub(super) async fn close(self) {
        if self.running.handle.call(Agent::close).await.is_ok() {
            sleep(FAREWELL).await;
        }
    }
}

fn config(report: &Report, role: ice::Role, server: IpAddr, offered: &[IceServer]) -> Config {
    let mut config = Config::default();
    config.role = role;
    config.gather.servers =
        Server::usable(offered.iter().map(|it| (&it.urls, it.login())), SERVERS);
    config.gather.filter.except = idle_bridges(report, server);
    // Who meets on this very host may have no other address in common.
    config.gather.filter.loopback = server.is_loopback();
    let farthest = report.legs().filter_map(|leg| leg.rtt).max().unwrap_or_default().0;
    config.gather.limit = GATHER.max(farthest * 6);
    // Every pair is tried, and kept if it works.
    config.limits.spare_pairs = config.limits.pairs * 2;
    config.timers.consent_interval = ASK;
    config.timers.keepalive = ASK;
    config.timers.patience = LEAST.max(farthest * 12);
    // The last of 0, 0.5, 1.5 and 3.5 s is answered by then.
    config.pace.requests = 4;
    config.pace.last_wait = 16;
    config
}

/// The bridges of containers and virtual machines, unless packets to others leave by them.
fn idle_bridges(report: &Report, server: IpAddr) -> Vec<String> {
    let routed: Vec<IpAddr> = talkie_net::source_address(server)
        .into_iter()
        .chain(report.host.routes.iter().map(|route| route.source))
        .collect();
    let bridges = report.host.interfaces.iter().filter(|interface| {
        let is_used = interface.addresses.iter().any(|it| routed.contains(&it.address));
        interface.kind == InterfaceKind::Virtual && !is_used
    });
    bridges.map(|interface| interface.name.clone()).collect()
}
