//! One STUN or TURN URL: each of its addresses is a leg, tried as the URL says.

use std::net::SocketAddr;

use talkie_sansio::Path;
use talkie_traversal::stun::credential::LongTerm;
use tokio::task::JoinSet;

use super::{connect, resolve, stun, tls, turn};
use crate::Stop;
use crate::examine::Mouths;
use crate::report::{Echo, Failure, FailureKind, Leg};
use crate::target::{IceUrl, Scheme, Transport};

/// A STUN server answered over UDP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hearing {
    pub(crate) server: SocketAddr,
    pub(crate) other: Option<SocketAddr>,
    /// Its second port, where that is known otherwise.
    pub(crate) second_port: Option<u16>,
}

/// Tries all addresses of `url`, at once.
pub(crate) async fn legs(
    url: IceUrl,
    credential: Option<LongTerm>,
    heard: Mouths,
    stop: Stop,
) -> Vec<Leg> {
    let blank = Leg {
        scheme: url.scheme.as_str(),
        transport: url.transport.as_str(),
        host: url.host.to_string(),
        address: None,
        rtt: None,
        mapped: None,
        other: None,
        certificate: None,
        echo: Echo::NotTried,
        failure: None,
    };
    let addresses = match resolve(&url.host, url.port).await {
        Ok(addresses) => addresses,
        Err(failure) => return vec![Leg { failure: Some(failure), ..blank }],
    };
    let mut trials = JoinSet::new();
    for address in addresses {
        let leg = Leg { address: Some(address), ..blank.clone() };
        let trial = Trial { url: url.clone(), address, credential: credential.clone() };
        let (heard, stop) = (heard.clone(), stop.clone());
        trials.spawn(async move { trial.run(leg, &heard, stop).await });
    }
    let mut legs = trials.join_all().await;
    legs.sort_by_key(Leg::family);
    legs
}

struct Trial {
    url: IceUrl,
    address: SocketAddr,
    credential: Option<LongTerm>,
}

impl Trial {
    async fn run(self, mut leg: Leg, heard: &Mouths, stop: Stop) -> Leg {
        let outcome = match self.url.transport {
            Transport::Udp => self.udp(&mut leg, heard, stop).await,
            Transport::Tcp | Transport::Tls => self.stream(&mut leg, stop).await,
        };
        leg.failure = outcome.err();
        leg
    }

    async fn udp(self, leg: &mut Leg, heard: &Mouths, stop: Stop) -> Result<(), Failure> {
        let bind = async {
            let bound = stun::over_udp(self.address).await;
            if let Ok(bound) = &bound {
                heard.tell(Hearing { server: self.address, other: bound.other, second_port: None });
            }
            bound
        };
        if self.url.scheme == Scheme::Stun {
            return bind.await.map(|bound| note(leg, &bound));
        }
        // A relay answers Binding requests, too (RFC 8656 §3), and so tells the round trip.
        let relay = turn::over_udp(self.address, self.credential.clone(), stop);
        let (bound, tried) = tokio::join!(bind, relay);
        if let Ok(bound) = &bound {
            note(leg, bound);
        }
        self.conclude(leg, tried)
    }

    async fn stream(self, leg: &mut Leg, stop: Stop) -> Result<(), Failure> {
        let (stream, rtt) = connect(self.address).await?;
        leg.rtt = Some(rtt);
        let local = stream.local_addr().map_err(|error| Failure::new(FailureKind::Local, error))?;
        if self.url.transport == Transport::Tcp {
            return self.talk(leg, local, stream, stop).await;
        }
        let (stream, certificate) = tls::handshake(stream, &self.url.host).await?;
        leg.certificate = certificate;
        self.talk(leg, local, stream, stop).await
    }

    async fn talk(
        self,
        leg: &mut Leg,
        local: SocketAddr,
        stream: impl talkie_net::driver::Stream,
        stop: Stop,
    ) -> Result<(), Failure> {
        if self.url.scheme == Scheme::Stun {
            let bound = stun::over_stream(self.address, stream).await?;
            leg.mapped = bound.mapped;
            return Ok(());
        }
        let transport = match self.url.transport {
            Transport::Tls => talkie_sansio::Transport::Tls,
            _ => talkie_sansio::Transport::Tcp,
        };
        let path = Path { transport, local, remote: self.address };
        let tried = turn::over_stream(path, stream, self.credential.clone(), stop).await;
        self.conclude(leg, tried)
    }

    fn conclude(self, leg: &mut Leg, tried: turn::Tried) -> Result<(), Failure> {
        leg.mapped = leg.mapped.or(tried.mapped);
        leg.echo = tried.echo;
        match tried.failure {
            // A relay that asks for credentials works, as far as can be told without any.
            Some(failure)
                if failure.kind == FailureKind::Credentials && self.credential.is_none() =>
            {
                leg.echo = Echo::NotTried;
                Ok(())
            }
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }
}

fn note(leg: &mut Leg, bound: &stun::Bound) {
    leg.rtt = Some(bound.rtt);
    leg.mapped = bound.mapped;
    leg.other = bound.other;
}
