//! ICE agents on real sockets: what they want is what they need.

use std::time::Duration;

use talkie_net::driver::Running;
use talkie_net::{genesis, host};
use talkie_traversal::ice::gather::Tcp;
use talkie_traversal::ice::{Agent, Candidate, Config, Event, Pair, Protocol, Role};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A check may have to be repeated on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// An agent, and the way to the other one beside the connection.
pub(crate) struct Side {
    running: Running<Agent>,
    signals: mpsc::UnboundedSender<Candidate>,
    theirs: mpsc::UnboundedReceiver<Candidate>,
    /// Candidates that are not of this kind are lost on the way.
    only: fn(&Protocol) -> bool,
}

/// Two agents that know each other's credentials and hear of each other's candidates.
pub(crate) async fn agents(card: &str, tcp: Tcp, only: fn(&Protocol) -> bool) -> [Side; 2] {
    let (to_a, from_b) = mpsc::unbounded_channel();
    let (to_b, from_a) = mpsc::unbounded_channel();
    let mut sides = Vec::new();
    for (role, signals, theirs) in
        [(Role::Controlling, to_b, from_b), (Role::Controlled, to_a, from_a)]
    {
        let mut config = Config::default();
        config.role = role;
        config.gather.filter.loopback = true;
        config.gather.filter.only = vec![card.to_owned()];
        config.gather.tcp = tcp;
        let agent = Agent::new(&genesis().unwrap(), config);
        let running = host::spawn(agent, host::Options::default()).unwrap();
        sides.push(Side { running, signals, theirs, only });
    }
    let parameters = |agent: &mut Agent, _| agent.local_parameters().clone();
    let known = [
        sides[0].running.handle.call(parameters).await.unwrap(),
        sides[1].running.handle.call(parameters).await.unwrap(),
    ];
    let [of_a, of_b] = known;
    for (side, theirs) in sides.iter().zip([of_b, of_a]) {
        let begin = |agent: &mut Agent, now| {
            agent.set_remote_parameters(now, theirs);
            agent.gather(now);
        };
        side.running.handle.call(begin).await.unwrap();
    }
    sides.try_into().ok().unwrap()
}

impl Side {
    /// The next event that is not meant for the other side; what is meant for it is carried meanwhile.
    async fn next(&mut self) -> Event {
        loop {
            tokio::select! {
                event = self.running.events.recv() => match event.unwrap() {
                    Event::Candidate(candidate) => {
                        if (self.only)(&candidate.protocol) {
                            // The other side may be done.
                            let _ = self.signals.send(candidate);
                        }
                    }
                    Event::Story(_) => {}
                    event => return event,
                },
                Some(candidate) = self.theirs.recv() => {
                    let add = |agent: &mut Agent, now| agent.add_remote_candidate(now, candidate);
                    self.running.handle.call(add).await.unwrap().unwrap();
                }
            }
        }
    }

    /// Waits until both sides have agreed on a pair that is as it should be.
    pub(crate) async fn agrees(&mut self, on: impl Fn(&Pair) -> bool) -> Pair {
        let agreed = async {
            loop {
                if let Event::Selected(pair) = self.next().await
                    && pair.is_nominated
                    && on(&pair)
                {
                    return *pair;
                }
            }
        };
        timeout(SOON, agreed).await.unwrap()
    }

    async fn hears(&mut self) -> Vec<u8> {
        let heard = async {
            loop {
                if let Event::Data(data) = self.next().await {
                    return data;
                }
            }
        };
        timeout(SOON, heard).await.unwrap()
    }

    async fn says(&self, data: &[u8]) {
        let data = data.to_vec();
        let send = move |agent: &mut Agent, now| agent.send(now, &data);
        self.running.handle.call(send).await.unwrap().unwrap();
    }
}

pub(crate) async fn talk(a: &mut Side, b: &mut Side) {
    a.says(b"are you there?").await;
    assert_eq!(b.hears().await, b"are you there?");
    b.says(b"I am").await;
    assert_eq!(a.hears().await, b"I am");
}

async fn connect_and_talk(tcp: Tcp, only: fn(&Protocol) -> bool) -> [Pair; 2] {
    let [mut a, mut b] = agents("lo", tcp, only).await;
    let (of_a, of_b) = tokio::join!(a.agrees(|_| true), b.agrees(|_| true));
    talk(&mut a, &mut b).await;
    [of_a, of_b]
}

#[tokio::test]
async fn two_agents_meet_over_udp() {
    let [of_a, of_b] = connect_and_talk(Tcp::Off, |_| true).await;
    assert_eq!(of_a.local.protocol, Protocol::Udp);
    assert_eq!((of_a.base, of_b.base), (of_b.remote_address, of_a.remote_address));
}

#[tokio::test]
async fn two_agents_meet_over_tcp_where_udp_is_lost() {
    for tcp in [Tcp::Passive, Tcp::SimultaneousOpen] {
        let over_tcp = |protocol: &Protocol| *protocol != Protocol::Udp;
        let [of_a, _] = connect_and_talk(tcp, over_tcp).await;
        assert_ne!(of_a.local.protocol, Protocol::Udp);
    }
}
