//! All probes at once: what has to wait for what, and what is made of it.
//!
//! ```text
//! interfaces ─┬─ gateway: UPnP, NAT-PMP, PCP
//!             └─ each server: page ┐
//!                             signaling ── each STUN and TURN URL ─┐ first answer over UDP
//!                                                                  ├─ NAT discovery
//!                                                                  └─ path MTU
//! ```

mod path;
mod server;

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::sleep;

use self::path::Ears;
pub(crate) use self::path::Mouths;
use self::server::Examined;
use crate::probe::{connect, gateway, host, portal, resolve};
use crate::progress::{Mark, Progress, Step, Stop};
use crate::report::{
    Family, Host, Millis, MtuSource, Nat, PathMtu, PortMapping, Portal, Report, SCHEMA,
};
use crate::target::{Origin, Target};

/// How long probes have to give back what they hold, once it is told to stop.
const FAREWELL: Duration = Duration::from_millis(500);

/// What to examine.
#[derive(Clone, Debug)]
pub struct Config {
    /// The servers.
    pub targets: Vec<Target>,
    /// User and password for the STUN and TURN servers among them. A `talkie serve` gives its own.
    pub credential: Option<talkie_traversal::stun::credential::LongTerm>,
    /// The gateway, where it is not the one of the default route.
    pub gateway: Option<Ipv4Addr>,
    /// A page that answers 204, to look for a login portal.
    pub plain_page: Option<PlainPage>,
    /// Whether to measure how long a mapping lives, which takes minutes.
    pub lifetime: bool,
}

impl Config {
    /// Examines `targets` without credentials.
    #[must_use]
    pub fn new(targets: Vec<Target>) -> Self {
        Self { targets, credential: None, gateway: None, plain_page: None, lifetime: false }
    }
}

/// A page over plain HTTP that answers 204 where nothing interferes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainPage {
    origin: Origin,
    path: String,
}

/// Why a URL is no [`PlainPage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a page to find login portals by has a URL like http://host/path: over HTTPS none can answer"
)]
pub struct PlainPageError;

impl std::str::FromStr for PlainPage {
    type Err = PlainPageError;

    fn from_str(text: &str) -> Result<Self, PlainPageError> {
        let Ok(Target::Web(origin)) = text.parse() else { return Err(PlainPageError) };
        if origin.secure || !text.is_ascii() || text.contains(char::is_whitespace) {
            return Err(PlainPageError);
        }
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.find('/').map_or("/", |at| &rest[at..]);
        let path = path.split('#').next().unwrap_or("/").to_owned();
        Ok(Self { origin, path })
    }
}

/// Whether anything listens at a target over TCP; a quick look before an examination.
pub async fn answers(target: &Target) -> bool {
    let (host, port) = match target {
        Target::Web(origin) => (&origin.host, origin.port),
        Target::Ice(url) => (&url.host, url.port),
    };
    let Ok(addresses) = resolve(host, port).await else { return false };
    join_all(addresses.into_iter().map(connect)).await.iter().any(Result::is_ok)
}

/// Whether any route leads out.
#[must_use]
pub fn has_network() -> bool {
    [Family::Ipv4, Family::Ipv6].into_iter().any(|family| host::outward(family).is_some())
}

/// Examines the network. `tell` hears what happens meanwhile. `None` if it was stopped.
pub async fn examine(
    config: &Config,
    stop: &Stop,
    tell: impl Fn(Progress) + Sync,
) -> Option<Report> {
    let stopped = async {
        stop.wait().await;
        sleep(FAREWELL).await;
    };
    tokio::select! {
        report = all(config, stop, &tell) => {
            // A probe that was stopped says that nothing answered.
            let told = tokio::time::timeout(Duration::ZERO, stop.wait()).await.is_ok();
            (!told).then_some(report)
        }
        () = stopped => None,
    }
}

async fn all(config: &Config, stop: &Stop, tell: &(impl Fn(Progress) + Sync)) -> Report {
    let began = Instant::now();
    let taken_at = talkie_net::unix_time().as_secs();
    tell(Progress::Began(Step::Host));
    let mut host = host::look().await;
    tell(Progress::Ended(Step::Host, mark(!host.routes.is_empty()), host_words(&host)));

    let (heard, ears) = Ears::new();
    let servers = async {
        let each = config.targets.iter().map(|target| {
            server::examine(target, config.credential.clone(), heard.clone(), stop.clone(), tell)
        });
        let examined = join_all(each).await;
        // Whoever waits for an answer over UDP waits in vain from now on.
        drop(heard);
        examined
    };
    let page = async {
        match &config.plain_page {
            Some(page) => portal::of_page(&page.origin, &page.path).await,
            None => Portal::Unknown,
        }
    };
    let (examined, port_mapping, (nats, path_mtu), page) = tokio::join!(
        servers,
        port_mapping(config, &host, tell),
        path::walk(ears, config.lifetime, stop, tell),
        page,
    );
    let tried: Vec<_> = examined.iter().flat_map(|it| it.tried.iter().copied()).collect();
    host.reach = host::reach(&host, &tried);
    let mtu = path_mtu.or_else(|| interface_mtu(&host, &nats));
    Report {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        taken_at,
        duration: Millis(began.elapsed()),
        port_mapping,
        mtu,
        portal: portal::worst(
            examined.iter().map(|it| it.portal.clone()).chain(std::iter::once(page)),
        ),
        clock: examined.iter().find_map(|it| it.clock.clone()),
        servers: examined.into_iter().map(|Examined { server, .. }| server).collect(),
        nats,
        host,
    }
}

fn mark(good: bool) -> Mark {
    if good { Mark::Good } else { Mark::Bad }
}

fn host_words(host: &Host) -> String {
    if host.routes.is_empty() {
        return "no way to the Internet".to_owned();
    }
    let ways = host.routes.iter().map(|route| match &route.interface {
        Some(interface) => format!("{} by {interface}", route.family),
        None => route.family.to_string(),
    });
    ways.collect::<Vec<_>>().join(", ")
}

async fn port_mapping(
    config: &Config,
    host: &Host,
    tell: &(impl Fn(Progress) + Sync),
) -> PortMapping {
    let route = host.route(Family::Ipv4);
    let routed = || match route?.gateway? {
        IpAddr::V4(gateway) => Some(gateway),
        IpAddr::V6(_) => None,
    };
    let Some(gateway) = config.gateway.or_else(routed) else { return PortMapping::default() };
    let Some(IpAddr::V4(source)) = talkie_net::source_address(gateway.into()) else {
        return PortMapping::default();
    };
    tell(Progress::Began(Step::PortMapping));
    let found = gateway::ask(gateway, source).await;
    let names = found.protocols();
    let (mark, words) = if names.is_empty() {
        (Mark::Unknown, "the gateway offers none".to_owned())
    } else {
        (Mark::Good, names.join(", "))
    };
    tell(Progress::Ended(Step::PortMapping, mark, words));
    found
}

/// What the interface takes by which packets leave, where no path could be measured.
fn interface_mtu(host: &Host, nats: &[Nat]) -> Option<PathMtu> {
    let by_nat = nats.first().map(|nat| nat.local.ip());
    let source = by_nat.or_else(|| host.routes.first().map(|route| route.source))?;
    let has = |it: &&crate::report::Interface| it.addresses.iter().any(|it| it.address == source);
    let mtu = host.interfaces.iter().find(has)?.mtu?;
    Some(PathMtu { bytes: u16::try_from(mtu).unwrap_or(u16::MAX), source: MtuSource::Interface })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_for_portals_is_plain_http() {
        let page: PlainPage = "http://check.example:8080/generate_204#x".parse().unwrap();
        assert_eq!((page.origin.port, page.path.as_str()), (8080, "/generate_204"));
        assert_eq!("http://check.example".parse::<PlainPage>().unwrap().path, "/");
        for wrong in ["https://check.example/204", "stun:check.example", "http://a/ b", ""] {
            assert_eq!(wrong.parse::<PlainPage>(), Err(PlainPageError), "{wrong}");
        }
    }
}
