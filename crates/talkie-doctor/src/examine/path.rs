//! What stands between this host and the servers: as soon as the first STUN server of an IP version
//! answers over UDP, the NAT and the path's MTU are looked at, while others are still tried.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

use crate::probe::nat::{self, Asked};
use crate::probe::{leg::Hearing, mtu};
use crate::progress::{Mark, Progress, Step, Stop};
use crate::report::{Family, Nat, PathMtu};

/// How long the first answer waits for others, of which one may be of more use.
const GRACE: Duration = Duration::from_millis(120);
/// The most answers that are kept; more servers than this are of no more use.
const KEPT: usize = 16;

/// Tells of STUN servers that answered over UDP.
#[derive(Clone, Debug)]
pub(crate) struct Mouths {
    v4: UnboundedSender<Hearing>,
    v6: UnboundedSender<Hearing>,
    second_port: Option<u16>,
}

/// Hears of them.
pub(super) struct Ears {
    v4: UnboundedReceiver<Hearing>,
    v6: UnboundedReceiver<Hearing>,
}

impl Ears {
    pub(super) fn new() -> (Mouths, Self) {
        let ((to_v4, v4), (to_v6, v6)) = (unbounded_channel(), unbounded_channel());
        (Mouths { v4: to_v4, v6: to_v6, second_port: None }, Self { v4, v6 })
    }
}

impl Mouths {
    /// The same for the sockets of one server, whose second port is known beforehand.
    pub(super) fn of_server(&self, second_port: Option<u16>) -> Self {
        Self { second_port, ..self.clone() }
    }

    pub(crate) fn tell(&self, hearing: Hearing) {
        let hearing = Hearing { second_port: self.second_port, ..hearing };
        let to = if hearing.server.is_ipv4() { &self.v4 } else { &self.v6 };
        // Who listened may have enough.
        let _ = to.send(hearing);
    }
}

/// Waits for servers and looks at the way to them.
pub(super) async fn walk(
    ears: Ears,
    lifetime: bool,
    stop: &Stop,
    tell: &(impl Fn(Progress) + Sync),
) -> (Vec<Nat>, Option<PathMtu>) {
    let (v4, v6) = tokio::join!(
        one_family(ears.v4, lifetime, stop, tell),
        one_family(ears.v6, false, stop, tell)
    );
    let mtu = v4.1.or(v6.1);
    (v4.0.into_iter().chain(v6.0).collect(), mtu)
}

async fn one_family(
    mut ears: UnboundedReceiver<Hearing>,
    lifetime: bool,
    stop: &Stop,
    tell: &(impl Fn(Progress) + Sync),
) -> (Option<Nat>, Option<PathMtu>) {
    let Some(first) = ears.recv().await else { return (None, None) };
    let mut heard = vec![first];
    let deadline = Instant::now() + GRACE;
    while heard.len() < KEPT
        && let Ok(Some(hearing)) = timeout_at(deadline, ears.recv()).await
    {
        heard.push(hearing);
    }
    let asked = choose(&heard, lifetime);
    let server = asked.server;
    let (of_nat, of_mtu) = (Step::Nat(Family::of(server.ip())), Step::Mtu(Family::of(server.ip())));
    tell(Progress::Began(of_nat.clone()));
    tell(Progress::Began(of_mtu.clone()));
    let found = |words: &str| tell(Progress::Found(of_nat.clone(), words.to_owned()));
    let discovered = async {
        let nat = nat::discover(asked, stop.clone(), found).await;
        let (mark, words) = match &nat {
            Some(nat) => (Mark::Good, crate::advice::nat_in_short(nat)),
            None => (Mark::Unknown, "not found out".to_owned()),
        };
        tell(Progress::Ended(of_nat.clone(), mark, words));
        nat
    };
    let measured = async {
        let mtu = mtu::measure(server).await;
        let (mark, words) = match mtu {
            Some(mtu) => (Mark::Good, format!("{} bytes", mtu.bytes)),
            None => (Mark::Unknown, "not measured".to_owned()),
        };
        tell(Progress::Ended(of_mtu.clone(), mark, words));
        mtu
    };
    tokio::join!(discovered, measured)
}

/// The server that tells most: one with another address, then one with another port, then any.
fn choose(heard: &[Hearing], lifetime: bool) -> Asked {
    let use_of = |it: &&Hearing| match it.other {
        Some(other) if other.ip() != it.server.ip() => 2,
        Some(_) => 1,
        None if it.second_port.is_some() => 1,
        None => 0,
    };
    // `max_by_key` would take the last of equals, and the first answered first.
    let best = heard.iter().rev().max_by_key(use_of).expect("there is a first one");
    let server = best.server;
    let others = || heard.iter().map(|it| it.server);
    let second: Option<SocketAddr> = others().find(|it| it.ip() != server.ip());
    let beside = others().find(|it| it.ip() == server.ip() && it.port() != server.port());
    let told = best.second_port.filter(|port| *port != server.port());
    let other_port = told.or_else(|| beside.map(|it| it.port()));
    Asked { server, second, other_port, lifetime }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hearing(server: &str, other: Option<&str>) -> Hearing {
        let other = other.map(|it| it.parse().unwrap());
        Hearing { server: server.parse().unwrap(), other, second_port: None }
    }

    #[test]
    fn the_server_with_two_addresses_is_asked_and_another_helps() {
        let heard = [
            hearing("192.0.2.1:3478", None),
            hearing("192.0.2.1:3480", None),
            hearing("198.51.100.1:3478", Some("198.51.100.2:3479")),
        ];
        let asked = choose(&heard, false);
        assert_eq!(asked.server, heard[2].server);
        assert_eq!(asked.second, Some(heard[0].server));
        assert_eq!(asked.other_port, None);
        let asked = choose(&heard[..2], false);
        assert_eq!(asked.server, heard[0].server, "the first answer");
        assert_eq!(asked.other_port, Some(3480));
        assert_eq!(asked.second, None);
    }
}
