//! The server as a whole: started from a configuration, drained, stopped.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use talkie_sansio::Transport;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::accept::Door;
use crate::admin::Admin;
use crate::bind::{ListenError, listen_all};
use crate::certificate::{CertificateError, Certificates};
use crate::config::{Config, ConnectionLimits};
use crate::connections::Connections;
use crate::http::Site;
use crate::http::known::KnownHosts;
use crate::ice::{Ice, IcePorts};
use crate::invitation::Invitations;
use crate::metrics::Metrics;
use crate::names::Names;
use crate::proxies::Proxies;
use crate::relay::{Relay, RelayError};
use crate::report::{Listening, Purpose, Report};
use crate::signaling::Signaling;
use crate::{interfaces, relaying, selftest};

/// How long connections may take to end when the server stops: theirs is a second.
const LAST_CONNECTIONS: Duration = Duration::from_millis(1500);

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    report: Report,
    phase: watch::Sender<Phase>,
    connections: Arc<Connections>,
    /// Set when the last task has ended what it had to.
    ended: watch::Receiver<bool>,
}

/// How far the server's life is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// It serves, but has not told its owner yet.
    Starting,
    Running,
    Draining,
    Stopped,
}

/// Resolves when the server has stopped or was dropped.
pub(crate) async fn stopped(phase: &mut watch::Receiver<Phase>) {
    // An error is the end of the server itself.
    let _ = phase.wait_for(|phase| *phase == Phase::Stopped).await;
}

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A listener can't be bound.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// There is no certificate to serve TLS with.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The relay can't start.
    #[error("the relay can't start: {0}")]
    Relay(#[source] RelayError),
    /// The configuration contradicts itself.
    #[error("{0}")]
    Config(String),
}

impl Server {
    /// Binds everything and begins to serve.
    ///
    /// # Errors
    /// If a listener can't be bound or there is no usable certificate. Nothing is left running.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let mut report = Report::default();
        raise_descriptor_limit(&mut report.warnings);
        let own = interfaces::addresses();
        let listeners = Listeners::bind(&config, &mut report.warnings)?;
        let certificates = listeners.certificates(&config, &own)?;
        let secret = relaying::secret(&config, &mut report.warnings)?;
        let relay = match config.turn.is_empty() && certificates.is_none() {
            true => None,
            false => Some(relaying::start(&config, &secret, &own, &mut report.warnings).await?),
        };
        listeners.list(&mut report.listeners);
        report.listeners.extend(relay.iter().flat_map(of_relay));
        report.discovery = relay.as_ref().map(relaying::discovery).unwrap_or_default();
        if let Some(certificates) = &certificates {
            report.certificate = Some(certificates.report());
            report.warnings.extend(certificates.warning());
        }
        if config.relay && relay.is_some() {
            report.relay = Some(relaying::report(&config, &own));
        }
        urls(&mut report, &own);
        let (secret_of_test, sound) = (secret.clone(), Arc::new(AtomicBool::new(true)));

        let ice = Arc::new(Ice {
            ports: ice_ports(&report),
            discovery: report.discovery.clone(),
            secret,
            lifetime: config.credential_lifetime,
            relay: config.relay && relay.is_some(),
            advertise: relaying::advertise(&config),
            names: Names::new(),
            own,
        });
        let (phase, watched) = watch::channel(Phase::Starting);
        let parts = Parts {
            signaling: Signaling::new(config.signaling.clone(), Arc::clone(&ice) as _),
            connections: Connections::new(
                config.connections.clone(),
                Proxies::new(&config.trusted_proxies),
            ),
            metrics: Arc::new(Metrics::default()),
            phase: watched,
            ice,
            relay,
            invitations: Invitations::new(&report),
            certificates: certificates.clone(),
            sound: Arc::clone(&sound),
            hosts: known_hosts(&config),
        };
        let connections = Arc::clone(&parts.connections);
        let ended = parts.run(listeners, config.drain_timeout, phase.clone());
        let mut server = Self { report, phase, connections, ended };
        if config.self_test {
            let report = &mut server.report;
            report.self_test = selftest::run(report, &secret_of_test, certificates.as_ref()).await;
            sound.store(report.is_sound(), Ordering::Relaxed);
        }
        // The last step: whoever sees the server ready may rely on its owner to drain it.
        advance(&server.phase, Phase::Running);
        Ok(server)
    }

    /// What listens where, and all else that an operator wants to see.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Lets no new room begin, tells the open ones, and stops when the last room is empty or after
    /// `drain_timeout`.
    pub fn drain(&self) {
        advance(&self.phase, Phase::Draining);
    }

    /// Stops at once.
    pub fn stop(&self) {
        advance(&self.phase, Phase::Stopped);
    }

    /// Resolves when the server has stopped and its connections have ended.
    pub async fn stopped(&self) {
        stopped(&mut self.phase.subscribe()).await;
        let all_ended = async {
            // An error is the end of that task, too.
            let _ = self.ended.clone().wait_for(|ended| *ended).await;
            while self.connections.counts().open > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        // A client that doesn't take its last bytes is not waited for.
        let _ = timeout(LAST_CONNECTIONS, all_ended).await;
    }
}

fn advance(phase: &watch::Sender<Phase>, to: Phase) {
    phase.send_if_modified(|phase| {
        let further = *phase < to;
        *phase = to.max(*phase);
        further
    });
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the tasks share.
struct Parts {
    signaling: Signaling,
    connections: Arc<Connections>,
    metrics: Arc<Metrics>,
    phase: watch::Receiver<Phase>,
    ice: Arc<Ice>,
    relay: Option<Relay>,
    invitations: Invitations,
    certificates: Option<Arc<Certificates>>,
    sound: Arc<AtomicBool>,
    hosts: KnownHosts,
}

impl Parts {
    /// Spawns every task; what is returned turns true when the last work is done.
    fn run(
        self,
        listeners: Listeners,
        drain_timeout: Duration,
        phase: watch::Sender<Phase>,
    ) -> watch::Receiver<bool> {
        let site = Site::new(
            self.signaling.clone(),
            Arc::clone(&self.ice),
            self.invitations.clone(),
            self.phase.clone(),
            self.hosts.clone(),
        );
        let admin = Site::of(self.admin().router(), self.hosts.among_others());
        let tls = |alpn: &[&str]| self.certificates.as_ref().map(|it| it.server_config(alpn));
        let https = tls(&["h2", "http/1.1", "stun.turn", "stun.nat-discovery"]);
        let turns = tls(&["stun.turn", "stun.nat-discovery"]);
        let admin = Door {
            // The public's bounds must not lock the operator out.
            connections: Connections::new(ConnectionLimits::default(), Proxies::default()),
            metrics: Arc::new(Metrics::default()),
            ..self.door(None, Some(admin))
        };
        let doors = [
            (listeners.http, self.door(None, Some(site.clone()))),
            (listeners.https, self.door(https, Some(site))),
            (listeners.turns, self.door(turns, None)),
            (listeners.admin, admin),
        ];
        for (listeners, door) in doors {
            for listener in listeners {
                tokio::spawn(door.clone().run(listener));
            }
        }
        if let Some(certificates) = self.certificates.clone() {
            let mut phase = self.phase.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = certificates.watch() => {}
                    () = stopped(&mut phase) => {}
                }
            });
        }
        let (ended, watched) = watch::channel(false);
        tokio::spawn(async move {
            self.end(drain_timeout, &phase).await;
            ended.send_replace(true);
        });
        watched
    }

    fn door(&self, tls: Option<Arc<rustls::ServerConfig>>, site: Option<Site>) -> Door {
        Door {
            relay: self.relay.clone().filter(|_| tls.is_some()),
            tls,
            site,
            connections: Arc::clone(&self.connections),
            metrics: Arc::clone(&self.metrics),
            phase: self.phase.clone(),
        }
    }

    fn admin(&self) -> Admin {
        Admin {
            phase: self.phase.clone(),
            sound: Arc::clone(&self.sound),
            connections: Arc::clone(&self.connections),
            metrics: Arc::clone(&self.metrics),
            signaling: self.signaling.clone(),
            relay: self.relay.clone(),
        }
    }

    /// Waits for the drain and for the end, and sees to both.
    async fn end(self, drain_timeout: Duration, phase: &watch::Sender<Phase>) {
        let mut watched = self.phase.clone();
        // An error is the end of the server itself.
        let _ = watched.wait_for(|phase| *phase >= Phase::Draining).await;
        if *watched.borrow() == Phase::Draining {
            tracing::info!(within = drain_timeout.as_secs(), "draining");
            self.signaling.drain(drain_timeout);
            tokio::select! {
                () = self.signaling.wait_empty() => {}
                () = sleep(drain_timeout) => {}
                () = stopped(&mut watched) => {}
            }
            advance(phase, Phase::Stopped);
        }
        self.signaling.stop();
        if let Some(relay) = self.relay {
            relay.stop().await;
        }
    }
}

fn known_hosts(config: &Config) -> KnownHosts {
    let system = rustix::system::uname();
    let system = system.nodename().to_string_lossy();
    KnownHosts::new(&config.allowed_hosts, &config.signaling.origins, &system)
}

/// Each connection and each relayed address takes a descriptor, and the usual soft limit of 1,024
/// is there for programs that use `select`.
fn raise_descriptor_limit(warnings: &mut Vec<String>) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const ENOUGH: u64 = 8192;
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum && setrlimit(Resource::Nofile, raised).is_err() {
        tracing::debug!("the limit of open files stays as it is");
    }
    if let Some(files) = getrlimit(Resource::Nofile).current.filter(|files| *files < ENOUGH) {
        warnings.push(format!(
            "at most {files} files may be open, which bounds connections and relayed calls: raise \
             the limit (ulimit -n, LimitNOFILE=)"
        ));
    }
}

fn of_relay(relay: &Relay) -> Vec<Listening> {
    let listening = relay.listeners().iter().map(|listener| Listening {
        purpose: match (listener.transport, listener.alternate) {
            (Transport::Udp, false) => Purpose::TurnUdp,
            (Transport::Udp, true) => Purpose::StunUdp,
            (_, false) => Purpose::TurnTcp,
            (_, true) => Purpose::StunTcp,
        },
        address: listener.address,
    });
    listening.collect()
}

/// TLS on the HTTPS port before the one of its own: where the page came through, that does too.
fn ice_ports(report: &Report) -> IcePorts {
    let port = |purpose| report.addresses(purpose).next().map(|address| address.port());
    IcePorts {
        udp: port(Purpose::TurnUdp),
        tcp: port(Purpose::TurnTcp),
        tls: port(Purpose::Https).or_else(|| port(Purpose::Turns)),
    }
}

/// The bound TCP listeners.
struct Listeners {
    http: Vec<TcpListener>,
    https: Vec<TcpListener>,
    turns: Vec<TcpListener>,
    admin: Vec<TcpListener>,
}

impl Listeners {
    fn bind(config: &Config, warnings: &mut Vec<String>) -> Result<Self, ListenError> {
        Ok(Self {
            http: listen_all(Purpose::Http, &config.http, warnings)?,
            https: listen_all(Purpose::Https, &config.https, warnings)?,
            turns: listen_all(Purpose::Turns, &config.turns, warnings)?,
            admin: listen_all(Purpose::Admin, config.admin.as_slice(), warnings)?,
        })
    }

    /// The certificate, if anything needs one.
    fn certificates(
        &self,
        config: &Config,
        own: &[IpAddr],
    ) -> Result<Option<Arc<Certificates>>, CertificateError> {
        let needed = !self.https.is_empty() || !self.turns.is_empty();
        needed.then(|| Certificates::load(config, own)).transpose()
    }

    fn list(&self, into: &mut Vec<Listening>) {
        let all = [
            (Purpose::Http, &self.http),
            (Purpose::Https, &self.https),
            (Purpose::Turns, &self.turns),
            (Purpose::Admin, &self.admin),
        ];
        into.extend(all.into_iter().flat_map(|(purpose, listeners)| {
            listeners.iter().filter_map(move |listener| {
                Some(Listening { purpose, address: listener.local_addr().ok()? })
            })
        }));
    }
}

/// Finds how browsers on this host and on the local network get here.
fn urls(report: &mut Report, own: &[IpAddr]) {
    let here = |purpose, scheme, report: &Report| {
        let address = report
            .addresses(purpose)
            .find(|address| address.ip().is_loopback() || address.ip().is_unspecified())?;
        Some(url(scheme, "localhost", address.port()))
    };
    report.local_url = here(Purpose::Http, "http", report)
        .or_else(|| here(Purpose::Https, "https", report))
        .or_else(|| {
            let address = report.addresses(Purpose::Https).next()?;
            Some(url("https", &bracketed(address.ip()), address.port()))
        });
    let reached = |address: &SocketAddr, own: &IpAddr| {
        let ip = address.ip();
        ip == *own || (ip.is_unspecified() && ip.is_ipv6() == own.is_ipv6())
    };
    let https: Vec<_> = report.addresses(Purpose::Https).collect();
    report.lan_urls = own
        .iter()
        .filter_map(|own| {
            let address = https.iter().find(|address| reached(address, own))?;
            Some(url("https", &bracketed(*own), address.port()))
        })
        .collect();
    let plain = report.addresses(Purpose::Http).find(|address| !address.ip().is_loopback());
    if let Some(address) = plain {
        report.warnings.push(format!(
            "{address} serves without TLS: browsers on other hosts give it no camera and no \
             microphone"
        ));
    }
}

fn url(scheme: &str, host: &str, port: u16) -> String {
    match (scheme, port) {
        ("http", 80) | ("https", 443) => format!("{scheme}://{host}/"),
        _ => format!("{scheme}://{host}:{port}/"),
    }
}

fn bracketed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V6(v6) => format!("[{v6}]"),
        IpAddr::V4(v4) => v4.to_string(),
    }
}
