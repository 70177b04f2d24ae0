//! What stands between this host and a STUN server: `talkie_traversal::discover` on sockets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use talkie_net::driver::{self, Wires};
use talkie_net::{Fragmentation, UdpOptions, UdpSocket};
use talkie_traversal::discover::{self, Config, Discovery, Event, Finding, Kind, Reason};

use crate::Stop;
use crate::report::{Allocation, Behaviour, Family, Millis, Nat, NatType, PortLifetime};

/// Longer than any run without the test of the lifetime.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long a mapping is watched: RFC 4787 REQ-5 recommends five minutes.
const LIFETIME: Duration = Duration::from_secs(300);
/// A search for it that takes longer than this has failed.
const LIFETIME_PATIENCE: Duration = Duration::from_secs(45 * 60);

/// Which server to ask, and how much.
pub(crate) struct Asked {
    pub(crate) server: SocketAddr,
    /// Another server of the same family, on another address.
    pub(crate) second: Option<SocketAddr>,
    pub(crate) other_port: Option<u16>,
    pub(crate) lifetime: bool,
}

/// Runs the tests. `tell` hears of each one that has ended. `None` if nothing could be sent, or the
/// server did not answer after all.
pub(crate) async fn discover(asked: Asked, stop: Stop, tell: impl Fn(&str)) -> Option<Nat> {
    let source = talkie_net::source_address(asked.server.ip())?;
    let options = UdpOptions {
        receive_buffer: 64 << 10,
        // One of the tests is whether fragments pass.
        fragmentation: Fragmentation::Allow,
        ..UdpOptions::default()
    };
    // The one more is for the lifetime.
    let wanted = Config::SOCKETS + usize::from(asked.lifetime);
    let bind = |_| UdpSocket::bind(SocketAddr::new(source, 0), &options);
    let sockets: Vec<_> = (0..wanted).map(bind).collect::<Result<_, _>>().ok()?;
    let config = Config {
        second: asked.second,
        other_port: asked.other_port,
        lifetime: asked.lifetime.then_some(LIFETIME),
        ..Config::new(asked.server, sockets.iter().map(UdpSocket::local).collect())
    };
    let discovery = Discovery::new(&talkie_net::genesis().ok()?, config).ok()?;
    let mut running = driver::spawn(discovery, Wires { sockets, stream: None }).ok()?;
    let patience = if asked.lifetime { LIFETIME_PATIENCE } else { PATIENCE };
    let told = async {
        while let Some(event) = running.events.recv().await {
            match event {
                Event::Progress(_, words) => tell(&words),
                Event::Report(report) => return Some(report),
                _ => {}
            }
        }
        None
    };
    tokio::select! {
        report = told => report.and_then(|report| nat(&report)),
        () = tokio::time::sleep(patience) => None,
        () = stop.wait() => None,
    }
}

/// The report in this crate's words.
fn nat(report: &discover::Report) -> Option<Nat> {
    report.mapped.known()?;
    let nat_type = match report.kind() {
        Kind::Open => Some(NatType::Open),
        Kind::Firewall => Some(NatType::Firewall),
        Kind::FullCone => Some(NatType::FullCone),
        Kind::AddressRestrictedCone => Some(NatType::AddressRestricted),
        Kind::PortRestrictedCone => Some(NatType::PortRestricted),
        Kind::Symmetric => Some(NatType::Symmetric),
        _ => None,
    };
    let mapping = report.mapping.known().map(|it| match it {
        discover::Mapping::EndpointIndependent => Behaviour::EndpointIndependent,
        discover::Mapping::AddressDependent => Behaviour::AddressDependent,
        discover::Mapping::AddressAndPortDependent => Behaviour::AddressAndPortDependent,
    });
    let port_dependent = match report.mapping {
        Finding::Known(it) => Some(it == discover::Mapping::AddressAndPortDependent),
        Finding::Unknown(Reason::NotThePort) => Some(false),
        Finding::Unknown(_) => None,
    };
    let filtering = report.filtering.known().map(|it| match it {
        discover::Filtering::EndpointIndependent => Behaviour::EndpointIndependent,
        discover::Filtering::AddressDependent => Behaviour::AddressDependent,
        discover::Filtering::AddressAndPortDependent => Behaviour::AddressAndPortDependent,
    });
    let allocation = report.allocation.known().map(|it| match it {
        discover::Allocation::Preserving => Allocation::Preserved,
        discover::Allocation::Sequential(_) => Allocation::Sequential,
        discover::Allocation::Random => Allocation::Random,
    });
    Some(Nat {
        family: Family::of(report.server.ip()),
        server: report.server,
        local: report.local,
        mapped: report.mapped.known(),
        translates: report.translated.known(),
        mapping,
        port_dependent,
        filtering,
        nat_type,
        allocation,
        pooled: report.pooling.known().map(|it| it == discover::Pooling::Paired),
        hairpin: report.hairpinning.known().map(|it| it != discover::Hairpinning::Unsupported),
        fragments: report.fragments.known().map(|it| it != discover::Fragments::Lost),
        alg: report.rewritten.known(),
        lifetime: report.lifetime.known().map(|it| PortLifetime {
            at_least: Millis(it.at_least),
            less_than: it.below.map(Millis),
        }),
        unknown: reasons(report),
    })
}

/// Why something is not known, unless that is because nobody asked.
fn reasons(report: &discover::Report) -> BTreeMap<String, String> {
    fn why<T>(finding: &Finding<T>) -> Option<Reason> {
        match finding {
            Finding::Known(_) | Finding::Unknown(Reason::NotAsked) => None,
            Finding::Unknown(reason) => Some(*reason),
        }
    }
    [
        ("mapping", why(&report.mapping)),
        ("filtering", why(&report.filtering)),
        ("allocation", why(&report.allocation)),
        ("pooled", why(&report.pooling)),
        ("hairpin", why(&report.hairpinning)),
        ("fragments", why(&report.fragments)),
        ("alg", why(&report.rewritten)),
        ("lifetime", why(&report.lifetime)),
    ]
    .into_iter()
    .filter_map(|(name, reason)| Some((name.to_owned(), reason?.to_string())))
    .collect()
}
