//! A netcat over ICE on tokio: all that an agent can have, streams to its relays and peers included.
//! Start it on two hosts, one of them with `controlled`, and paste what each prints into the other.
//!
//! `cargo run -p talkie-net --example ice_tokio -- stun:HOST turns:HOST,USER,PASSWORD tcp trust=CERTIFICATE.pem`
//!
//! `ipv6` uses no other addresses, `hide` tells names in their place, and the line `/restart` begins anew: what is
//! printed then goes to the other side as well.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use talkie_net::host::{Options, Trust, spawn};
use talkie_sansio::Machine as _;
use talkie_traversal::ice::gather::{Families, Policy, Server, Tcp};
use talkie_traversal::ice::{
    Agent, Attribute, CandidateType, Config, Event, GatheringState, Parameters, Role,
};
use talkie_traversal::stun::credential::LongTerm;
use tokio::sync::mpsc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let (config, options) = told(std::env::args().skip(1))?;
    let mut running = spawn(Agent::new(&talkie_net::genesis()?, config), options)?;
    let parameters = running.handle.call(|agent, now| {
        agent.gather(now);
        agent.local_parameters().clone()
    });
    let mut ours = parameters.await?;
    ours.attributes().for_each(|attribute| println!("a={attribute}"));
    let (typed, mut lines) = mpsc::channel(64);
    std::thread::spawn(move || {
        let all = std::io::stdin().lines().map_while(Result::ok);
        all.filter(|line| !line.starts_with('#')).try_for_each(|line| typed.blocking_send(line))
    });
    let mut theirs = String::new();
    loop {
        tokio::select! {
            Some(event) = running.events.recv() => tell(event),
            line = lines.recv() => {
                let Some(line) = line else { break };
                if line.starts_with("a=ice-ufrag:") {
                    theirs.clear();
                }
                theirs += &format!("{line}\n");
                let all = theirs.clone();
                let heard = running.handle.call(move |agent, now| {
                    let heard = hear(agent, &all, &line, now);
                    (heard, agent.local_parameters().clone())
                });
                let (heard, now) = heard.await?;
                heard.unwrap_or_else(|error| println!("# {error}"));
                // Begun anew, by either side.
                if now.username_fragment != ours.username_fragment {
                    now.attributes().for_each(|attribute| println!("a={attribute}"));
                    ours = now;
                }
            }
        }
    }
    // What relays hold for us is given back before the end.
    running.handle.call(Agent::close).await?;
    while running.handle.call(|agent, _| agent.poll_timeout()).await?.is_some() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// What the words of the command line ask for.
fn told(words: impl Iterator<Item = String>) -> Outcome<(Config, Options)> {
    let (mut config, mut options) = (Config::default(), Options::default());
    for word in words {
        let (first, login) = word.split_once(',').unwrap_or((&word, ""));
        let login = login.split_once(',').map(|(user, word)| LongTerm::new(user, word));
        match first {
            "controlled" => config.role = Role::Controlled,
            "relay-only" => config.gather.policy = Policy::Relay,
            "tcp" => config.gather.tcp = Tcp::Passive,
            "ipv6" => config.gather.filter.families = Families::Ipv6,
            "hide" => config.hide_addresses = true,
            _ => match first.strip_prefix("trust=") {
                Some(file) => options.trust = trust(file)?,
                None => config
                    .gather
                    .servers
                    .push(Server { uri: first.parse()?, credential: login.transpose()? }),
            },
        }
    }
    Ok((config, options))
}

/// Whoever a certificate of this file vouches for.
fn trust(file: &str) -> Outcome<Trust> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Trust::Config(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

/// Takes a line: an attribute of the other side, or something to say to it. `all` are the lines so far.
fn hear(agent: &mut Agent, all: &str, line: &str, now: Instant) -> Outcome<()> {
    if line == "/restart" {
        agent.restart(now);
        return Ok(());
    }
    if !line.starts_with("a=") {
        return Ok(agent.send(now, line.as_bytes())?);
    }
    let attribute: Attribute = line.parse()?;
    let mut fragment = String::new();
    if let Attribute::Candidate(_) | Attribute::EndOfCandidates = attribute {
        let theirs = Parameters::from_lines(all.lines())?;
        fragment.clone_from(&theirs.username_fragment);
        agent.set_remote_parameters(now, theirs);
    }
    match attribute {
        Attribute::Candidate(candidate) => agent.add_remote_candidate(now, candidate)?,
        Attribute::EndOfCandidates => agent.end_of_remote_candidates_of(now, &fragment),
        _ => {}
    }
    Ok(())
}

fn tell(event: Event) {
    match event {
        Event::Candidate(candidate) => {
            if let (CandidateType::Relayed, Some(how)) = (candidate.kind, candidate.relay_protocol)
            {
                println!("# a relay over {how}");
            }
            println!("a={candidate}");
        }
        Event::GatheringState(GatheringState::Complete) => println!("a=end-of-candidates"),
        Event::Selected(pair) => println!("# selected {} | {}", pair.local, pair.remote),
        Event::Data(data) => println!("{}", String::from_utf8_lossy(&data)),
        Event::Story(story) => println!("# {story}"),
        other => println!("# {other:?}"),
    }
}
