//! A `talkie serve` in this process, on loopback.

use std::net::{Ipv4Addr, SocketAddr};

use talkie_server::{Config, Purpose, Server};
use tempfile::TempDir;

/// The server, and the folder of its certificate.
pub(crate) struct Host {
    server: Server,
    _data: TempDir,
}

impl Host {
    /// The user alice may use its relay with the password `secret`.
    pub(crate) async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut config = Config::default();
        config.http = vec![loopback];
        config.https = vec![loopback];
        config.turn = vec![loopback];
        config.turns = vec![loopback];
        config.admin = None;
        config.data_dir = data.path().to_owned();
        config.self_test = false;
        config.turn_users = vec![("alice".to_owned(), "secret".to_owned())];
        Self { server: Server::start(config).await.unwrap(), _data: data }
    }

    pub(crate) fn at(&self, purpose: Purpose) -> SocketAddr {
        self.server.report().addresses(purpose).find(SocketAddr::is_ipv4).unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.at(Purpose::Https))
    }
}
