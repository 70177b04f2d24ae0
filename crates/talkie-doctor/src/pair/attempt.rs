//! The attempt itself: hole punching between the two sides, with the server's relay as the way out.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use talkie_net::driver::{self, Running, Stream, Wires};
use talkie_net::{BadFrame, UdpOptions, UdpSocket};
use talkie_sansio::Path;
use talkie_signaling::IceServer;
use talkie_traversal::punch::{self, Config, Description, Event, Kind, Punch, Relay};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::turn::channel_data::stream::frame_length;
use tokio::time::{sleep, timeout};

use super::PairError;
use super::talk::Side;
use crate::probe::{connect, resolve, tls};
use crate::report::{InterfaceKind, Leg, Millis, Report, Scope};
use crate::target::{IceUrl, Scheme, Target, Transport};

/// Sockets that are opened: interfaces of both IP versions.
const SOCKETS: usize = 6;
/// URLs of a server that are looked at.
const URLS: usize = 8;
/// Beyond the longest gathering, to servers that are far.
const GATHER: Duration = Duration::from_secs(20);
/// Beyond the longest attempt and its measurement, with somebody who is far.
const WHOLE: Duration = Duration::from_secs(75);
/// How long to wait until the relay is given back.
const FAREWELL: Duration = Duration::from_millis(300);

/// What one side saw of the attempt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// The path that was found.
    pub path: Option<Found>,
    /// The shortest round trip of the best direct path.
    #[serde(rename = "directMs")]
    pub direct: Option<Millis>,
    /// The shortest round trip of the best path over a relay.
    #[serde(rename = "relayedMs")]
    pub relayed: Option<Millis>,
    /// Why there is no path.
    pub failure: Option<Failure>,
    /// Whether this side had an address on a relay.
    pub had_relay: bool,
}

/// A path that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Whether no relay is on the way.
    pub direct: bool,
    /// What this side's end is.
    pub local: CandidateType,
    /// What the other's end is.
    pub remote: CandidateType,
    /// This side's socket, or its address on the relay.
    pub local_address: SocketAddr,
    /// The other's address, as this side reaches it.
    pub remote_address: SocketAddr,
    /// How long it took from knowing of the other side.
    #[serde(rename = "afterMs")]
    pub after: Millis,
}

/// What an address is to its owner, in the words of RFC 8839.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CandidateType {
    /// Its own.
    Host,
    /// As a STUN server sees it.
    Srflx,
    /// As the other side sees it.
    Prflx,
    /// On a relay.
    Relay,
}

/// Why there is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Failure {
    /// Nothing of the other side arrived.
    Silence,
    /// Something arrived, nothing of ours did.
    OneWay,
    /// It did not come to an end in time, or was lost again.
    Lost,
}

impl CandidateType {
    /// As it stands in candidates.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Srflx => "srflx",
            Self::Prflx => "prflx",
            Self::Relay => "relay",
        }
    }
}

impl From<Kind> for CandidateType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Host => Self::Host,
            Kind::ServerReflexive => Self::Srflx,
            Kind::PeerReflexive => Self::Prflx,
            Kind::Relayed => Self::Relay,
        }
    }
}

/// An attempt that has begun.
pub(super) struct Attempt {
    running: Running<Punch>,
    pub(super) had_relay: bool,
}

impl Attempt {
    /// Opens sockets, and begins to gather where this side may be reached. From here on a relay may be
    /// held: whoever has this must [`Self::close()`] it.
    pub(super) async fn begin(
        report: &Report,
        side: &Side,
        server: IpAddr,
        ice: &[IceServer],
    ) -> Result<Self, PairError> {
        let helpers = Helpers::find(ice, report, side.udp == Some(false)).await;
        let wires = wires(report, server);
        let mut config = Config::new(wires.iter().map(UdpSocket::local).collect());
        config.stun = helpers.stun;
        let round_trips = report.legs().filter_map(|leg| leg.rtt);
        config.round_trip = round_trips.max().unwrap_or_default().0;
        let mut relays = Vec::new();
        for (address, credential) in helpers.udp {
            let socket = wires.iter().map(UdpSocket::local);
            // The first socket of a family has the address by which the server is reached.
            if let Some(local) = socket.clone().find(|it| it.is_ipv4() == address.is_ipv4()) {
                let transport = talkie_sansio::Transport::Udp;
                relays.push(Relay { path: Path { transport, local, remote: address }, credential });
            }
        }
        let mut stream = None;
        if let Some((opened, path, credential)) = helpers.stream {
            relays.push(Relay { path, credential });
            stream = Some((opened, path, framer as _));
        }
        relays.truncate(MOST_RELAYS);
        config.relays = relays;
        let genesis = talkie_net::genesis().map_err(|error| PairError::local(&error))?;
        let machine = Punch::new(&genesis, config).map_err(|error| PairError::local(&error))?;
        let wires = Wires { sockets: wires, stream };
        let running = driver::spawn(machine, wires).map_err(|error| PairError::local(&error))?;
        Ok(Self { running, had_relay: false })
    }

    /// Where this side may be reached.
    pub(super) async fn gather(&mut self) -> Result<Description, PairError> {
        match timeout(GATHER, self.gathered()).await {
            Ok(Some(description)) => Ok(description),
            _ => Err(PairError::local(&"no address could be gathered")),
        }
    }

    async fn gathered(&mut self) -> Option<Description> {
        loop {
            if let Event::Gathered(description) = self.running.events.recv().await? {
                self.had_relay = description.candidates().iter().any(|it| it.kind == Kind::Relayed);
                return Some(description);
            }
        }
    }

    /// Tries to reach the other side. `tell` hears of the path as soon as there is one.
    pub(super) async fn run(
        &mut self,
        remote: Description,
        tell: impl Fn(&Found),
    ) -> Result<Tried, PairError> {
        let begun = self.running.handle.call(move |it, now| it.handle_remote(now, &remote)).await;
        match begun {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(PairError::local(&error)),
            Err(error) => return Err(PairError::local(&error)),
        }
        let mut tried = Tried { had_relay: self.had_relay, ..Tried::default() };
        let ended = timeout(WHOLE, async {
            while let Some(event) = self.running.events.recv().await {
                match event {
                    Event::Connected(connection) => {
                        let found = found(&connection);
                        tell(&found);
                        tried.path = Some(found);
                    }
                    Event::Measured(round_trips) => {
                        tried.direct = round_trips.direct.map(Millis);
                        tried.relayed = round_trips.relayed.map(Millis);
                        return;
                    }
                    Event::Failed(failure) => {
                        tried.path = None;
                        tried.failure = Some(match failure {
                            punch::Failure::Silence => Failure::Silence,
                            punch::Failure::OneWay => Failure::OneWay,
                            _ => Failure::Lost,
                        });
                        return;
                    }
                    _ => {}
                }
            }
        });
        if ended.await.is_err() || (tried.path.is_none() && tried.failure.is_none()) {
            tried.failure = Some(Failure::Lost);
        }
        Ok(tried)
    }

    /// Gives the relay back. Over UDP the server would keep the allocation for ten minutes.
    pub(super) async fn close(self) {
        if self.running.handle.call(Punch::close).await.is_ok() {
            sleep(FAREWELL).await;
        }
    }
}

fn found(connection: &punch::Connection) -> Found {
    Found {
        direct: connection.is_direct,
        local: connection.local_kind.into(),
        remote: connection.remote_kind.into(),
        local_address: connection.local,
        remote_address: connection.remote,
        after: Millis(connection.after),
    }
}

/// The most relays that one side tries.
const MOST_RELAYS: usize = 4;

fn framer(stream: &[u8]) -> Result<Option<usize>, BadFrame> {
    frame_length(stream).map_err(|_| BadFrame)
}

/// A socket on each address of this host that others may reach, that by which the server is reached
/// first.
fn wires(report: &Report, server: IpAddr) -> Vec<UdpSocket> {
    let routed = talkie_net::source_address(server);
    let others = report.host.routes.iter().map(|route| route.source);
    let interfaces = report.host.interfaces.iter();
    let interfaces = interfaces.filter(|interface| interface.kind != InterfaceKind::Virtual);
    let addresses = interfaces.flat_map(|interface| &interface.addresses);
    let addresses = addresses.filter(|it| it.scope > Scope::LinkLocal).map(|it| it.address);
    let mut sockets: Vec<UdpSocket> = Vec::new();
    // A test needs no megabytes.
    let options = UdpOptions { receive_buffer: 256 << 10, ..UdpOptions::default() };
    for address in routed.into_iter().chain(others).chain(addresses) {
        let is_new = sockets.iter().all(|socket| socket.local().ip() != address);
        if is_new && sockets.len() < SOCKETS {
            // An address that has gone meanwhile is one less to try.
            sockets.extend(UdpSocket::bind(SocketAddr::new(address, 0), &options).ok());
        }
    }
    sockets
}

/// The servers that help.
struct Helpers {
    stun: Vec<SocketAddr>,
    udp: Vec<(SocketAddr, LongTerm)>,
    stream: Option<(Box<dyn Stream>, Path, LongTerm)>,
}

impl Helpers {
    /// Of the server's URLs those over UDP, one of each IP version, which the examination has heard if
    /// it heard any; where UDP is blocked the first stream that opens.
    async fn find(ice: &[IceServer], report: &Report, no_udp: bool) -> Self {
        let (mut stun, mut udp, mut opened) = (Vec::new(), Vec::new(), None);
        for (url, credential) in usable(ice) {
            let Ok(addresses) = resolve(&url.host, url.port).await else { continue };
            match (url.scheme, url.transport, credential) {
                (scheme, Transport::Udp, credential) => {
                    stun.extend(&addresses);
                    if let (Scheme::Turn, Some(credential)) = (scheme, credential) {
                        udp.extend(addresses.into_iter().map(|it| (it, credential.clone())));
                    }
                }
                (Scheme::Turn | Scheme::Turns, _, Some(credential))
                    if no_udp && opened.is_none() =>
                {
                    opened = stream(&url, &addresses)
                        .await
                        .map(|(stream, path)| (stream, path, credential));
                }
                _ => {}
            }
        }
        let over_udp = |works: fn(&Leg) -> bool| -> Vec<SocketAddr> {
            let legs = report.legs().filter(|leg| leg.transport == "udp" && works(leg));
            legs.filter_map(|leg| leg.address).collect()
        };
        let (heard, relayed) = (over_udp(|leg| leg.mapped.is_some()), over_udp(Leg::relays));
        Self {
            stun: one_of_each(stun, |it| *it, &heard),
            udp: one_of_each(udp, |(it, _)| *it, &relayed),
            stream: opened,
        }
    }
}

/// One of each IP version: the first of those that are known to work, else the first.
fn one_of_each<T>(all: Vec<T>, address: impl Fn(&T) -> SocketAddr, work: &[SocketAddr]) -> Vec<T> {
    let (good, others): (Vec<T>, Vec<T>) =
        all.into_iter().partition(|it| work.contains(&address(it)));
    let mut chosen: Vec<T> = Vec::new();
    for it in good.into_iter().chain(others) {
        let is_new = |known: &T| address(known).is_ipv4() != address(&it).is_ipv4();
        if chosen.iter().all(is_new) {
            chosen.push(it);
        }
    }
    chosen
}

fn usable(ice: &[IceServer]) -> Vec<(IceUrl, Option<LongTerm>)> {
    let mut found = Vec::new();
    for server in ice {
        let credential = match (&server.username, &server.credential) {
            (Some(user), Some(password)) => LongTerm::new(user, password).ok(),
            _ => None,
        };
        for url in &server.urls {
            if let Ok(Target::Ice(url)) = url.parse() {
                found.push((url, credential.clone()));
            }
        }
    }
    found.truncate(URLS);
    found
}

async fn stream(url: &IceUrl, addresses: &[SocketAddr]) -> Option<(Box<dyn Stream>, Path)> {
    for address in addresses {
        let Ok((stream, _)) = connect(*address).await else { continue };
        let local = stream.local_addr().ok()?;
        let path = |transport| Path { transport, local, remote: *address };
        if url.transport == Transport::Tcp {
            return Some((Box::new(stream), path(talkie_sansio::Transport::Tcp)));
        }
        if let Ok((stream, _)) = tls::handshake(stream, &url.host).await {
            return Some((Box::new(stream), path(talkie_sansio::Transport::Tls)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_was_heard_is_asked_before_one_that_was_named_first() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let (dead, alive, v6) =
            (at("192.0.2.1:3478"), at("192.0.2.2:3478"), at("[2001:db8::1]:3478"));
        let chosen = |work: &[SocketAddr]| one_of_each(vec![dead, v6, alive], |it| *it, work);
        assert_eq!(chosen(&[alive]), [alive, v6]);
        assert_eq!(chosen(&[]), [dead, v6]);
        assert_eq!(chosen(&[alive, dead, v6]), [dead, v6]);
    }
}
