//! Servers on loopback: the real one, and one that says whatever the test tells it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use talkie_server::{Config, Purpose, Server};
use talkie_signaling::{Client, Event, Options, ServerUrl, Welcome};
use tempfile::TempDir;
use tokio::time::timeout;

/// Nothing here takes this long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A `talkie serve` in this process.
pub(crate) struct Host {
    pub(crate) server: Server,
    _dir: TempDir,
}

impl Host {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut config = Config::default();
        config.http = vec![loopback];
        config.https = vec![loopback];
        config.turn = vec![loopback];
        config.turns = Vec::new();
        config.admin = None;
        config.data_dir = dir.path().to_owned();
        config.self_test = false;
        change(&mut config);
        Self { server: Server::start(config).await.unwrap(), _dir: dir }
    }

    pub(crate) fn at(&self, purpose: Purpose) -> SocketAddr {
        self.server.report().addresses(purpose).find(SocketAddr::is_ipv4).unwrap()
    }

    pub(crate) fn http(&self) -> ServerUrl {
        format!("http://{}", self.at(Purpose::Http)).parse().unwrap()
    }

    pub(crate) fn https(&self) -> ServerUrl {
        format!("https://{}", self.at(Purpose::Https)).parse().unwrap()
    }

    pub(crate) async fn client(&self) -> (Client, Welcome) {
        Client::connect(&self.http(), Options::default()).await.unwrap()
    }
}

/// The next event.
pub(crate) async fn event(client: &mut Client) -> Event {
    timeout(PATIENCE, client.event()).await.expect("an event in time").expect("no end")
}
