//! ICE agents on real sockets: what they want is what they need.

use std::time::Duration;

use talkie_net::driver::Running;
use talkie_net::{genesis, host};
use talkie_traversal::ice::gather::Tcp;
use talkie_traversal::ice::{
    Agent, Config, ConnectionState, Event, GatheringState, Pair, Protocol, Role,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A check may have to be repeated on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// An agent, and the way to the other one beside the connection.
struct Side {
    running: Running<Agent>,
    signals: mpsc::UnboundedSender<Event>,
    theirs: mpsc::UnboundedReceiver<Event>,
    /// Candidates that are not of this kind are lost on the way.
    only: fn(&Protocol) -> bool,
}

/// Two agents that know each other's credentials and hear of each other's candidates.
async fn agents(tcp: Tcp, only: fn(&Protocol) -> bool) -> [Side; 2] {
    let (to_a, from_b) = mpsc::unbounded_channel();
    let (to_b, from_a) = mpsc::unbounded_channel();
    let mut sides = Vec::new();
    for (role, signals, theirs) in
        [(Role::Controlling, to_b, from_b), (Role::Controlled, to_a, from_a)]
    {
        let mut config = Config::default();
        config.role = role;
        config.gather.filter.loopback = true;
        config.gather.filter.only = vec!["lo".to_owned()];
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
    /// The next event that the other side is not meant for; what it is meant for is carried meanwhile.
    async fn next(&mut self) -> Event {
        loop {
            tokio::select! {
                event = self.running.events.recv() => match event.unwrap() {
                    Event::Candidate(candidate) if !(self.only)(&candidate.protocol) => {}
                    event @ (Event::Candidate(_) | Event::GatheringState(_)) => {
                        // The other side may be done.
                        let _ = self.signals.send(event);
                    }
                    Event::Story(_) => {}
                    event => return event,
                },
                Some(event) = self.theirs.recv() => {
                    let tell = |agent: &mut Agent, now| match event {
                        Event::Candidate(candidate) => {
                            agent.add_remote_candidate(now, candidate).unwrap();
                        }
                        Event::GatheringState(GatheringState::Complete) => {
                            agent.end_of_remote_candidates(now);
                        }
                        _ => {}
                    };
                    self.running.handle.call(tell).await.unwrap();
                }
            }
        }
    }

    async fn completes(&mut self) -> Pair {
        let completed = async {
            while self.next().await != Event::ConnectionState(ConnectionState::Completed) {}
        };
        timeout(SOON, completed).await.unwrap();
        self.running.handle.call(|agent, _| agent.selected()).await.unwrap().unwrap()
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

async fn connect_and_talk(tcp: Tcp, only: fn(&Protocol) -> bool) -> [Pair; 2] {
    let [mut a, mut b] = agents(tcp, only).await;
    let (of_a, of_b) = tokio::join!(a.completes(), b.completes());
    a.says(b"are you there?").await;
    assert_eq!(b.hears().await, b"are you there?");
    b.says(b"I am").await;
    assert_eq!(a.hears().await, b"I am");
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
