//! The server as a whole: started from a configuration, drained, stopped.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::accept::Door;
use crate::bind::{ListenError, listen_all};
use crate::certificate::{CertificateError, Certificates};
use crate::config::Config;
use crate::connections::Connections;
use crate::http::Site;
use crate::interfaces::{self, Local};
use crate::metrics::Metrics;
use crate::report::{Listening, Purpose, Report};

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    report: Report,
    phase: watch::Sender<Phase>,
}

/// How far the server's life is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
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
        let locals = interfaces::addresses();
        let mut report = Report::default();
        let listeners = Listeners::bind(&config, &mut report.warnings)?;
        let certificates = if listeners.https.is_empty() && listeners.turns.is_empty() {
            None
        } else {
            let addresses: Vec<_> = locals.iter().map(|local| local.ip).collect();
            Some(Certificates::load(&config, &addresses)?)
        };
        listeners.list(&mut report.listeners);
        if let Some(certificates) = &certificates {
            report.certificate = Some(certificates.report());
            report.warnings.extend(certificates.warning());
        }
        urls(&mut report, &locals);

        let (phase, watched) = watch::channel(Phase::Running);
        let connections = Connections::new(config.connections.clone());
        let metrics = Arc::new(Metrics::default());
        let door = |tls, site| Door {
            tls,
            site,
            connections: Arc::clone(&connections),
            metrics: Arc::clone(&metrics),
            phase: watched.clone(),
        };
        let site = Site::new();
        let tls = |alpn: &[&str]| certificates.as_ref().map(|it| it.server_config(alpn));
        let doors = [
            (listeners.http, door(None, Some(site.clone()))),
            (
                listeners.https,
                door(tls(&["http/1.1", "stun.turn", "stun.nat-discovery"]), Some(site)),
            ),
            (listeners.turns, door(tls(&["stun.turn", "stun.nat-discovery"]), None)),
        ];
        for (listeners, door) in doors {
            for listener in listeners {
                tokio::spawn(door.clone().run(listener));
            }
        }
        if let Some(certificates) = certificates {
            let mut watched = watched.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = certificates.watch() => {}
                    () = stopped(&mut watched) => {}
                }
            });
        }
        Ok(Self { report, phase })
    }

    /// What listens where, and all else that an operator wants to see.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Lets no new room begin, tells the open ones, and stops when the last session has ended or
    /// after `drain_timeout`.
    pub fn drain(&self) {
        self.advance(Phase::Draining);
    }

    /// Stops at once.
    pub fn stop(&self) {
        self.advance(Phase::Stopped);
    }

    /// Resolves when the server has stopped.
    pub async fn stopped(&self) {
        let mut phase = self.phase.subscribe();
        stopped(&mut phase).await;
    }

    fn advance(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let further = *phase < to;
            *phase = to.max(*phase);
            further
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
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
fn urls(report: &mut Report, locals: &[Local]) {
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
    let reached = |address: &SocketAddr, local: &Local| {
        let ip = address.ip();
        ip == local.ip || (ip.is_unspecified() && ip.is_ipv6() == local.ip.is_ipv6())
    };
    let https: Vec<_> = report.addresses(Purpose::Https).collect();
    report.lan_urls = locals
        .iter()
        .filter_map(|local| {
            let address = https.iter().find(|address| reached(address, local))?;
            Some(url("https", &bracketed(local.ip), address.port()))
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
