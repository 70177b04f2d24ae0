use std::net::SocketAddr;
use std::time::Duration;

use talkie_sansio::{Path, Transport};
use talkie_sim::nat::{Config, Flags, Kind};
use talkie_sim::net::{Change, Content, End, Host, Link, Loss, Network, StreamEvent};
use talkie_sim::trace::{Cause, What};

use crate::echo::{Echo, SECOND, SERVER, Street, at, ip};

fn tcp(local: &str, remote: SocketAddr) -> Path {
    Path { transport: Transport::Tcp, local: at(local), remote }
}

fn street(left: Config, right: Config) -> Street {
    let mut street = Street::new(left, right);
    street.network.listen(street.server, Transport::Tcp, 3478);
    street.network.record(100_000);
    street
}

fn cones() -> Street {
    street(
        Config::port_restricted_cone([ip("192.0.2.1")]),
        Config::port_restricted_cone([ip("192.0.2.2")]),
    )
}

fn stream_events(network: &mut Network, host: Host<Echo>) -> Vec<StreamEvent> {
    std::iter::from_fn(|| network.poll_stream(host)).collect()
}

#[test]
fn a_server_answers_over_tcp_through_a_nat() {
    for left in
        [Config::port_restricted_cone([ip("192.0.2.1")]), Config::symmetric([ip("192.0.2.1")])]
    {
        let mut street = street(left, Config::full_cone([ip("192.0.2.2")]));
        let path = tcp("10.0.0.2:5000", at(SERVER));
        let begin = street.network.now();
        street.network.call(street.ada, |machine, _| machine.send_by(path, b"hello"));
        street.network.run_for(SECOND);
        let seen = street.network.poll_event(street.server).unwrap();
        assert_eq!(seen.path.transport, Transport::Tcp);
        assert_eq!(seen.path.remote.ip(), ip("192.0.2.1"));
        let answer = street.network.poll_event(street.ada).unwrap();
        assert_eq!((answer.path, &answer.payload[..]), (path, &b"hello"[..]));
        // A round trip of 40 ms for the handshake, another for question and answer.
        assert_eq!(answer.at - begin, Duration::from_millis(80));
        assert_eq!(stream_events(&mut street.network, street.ada), [StreamEvent::Opened(path)]);
        assert_eq!(street.network.rows(street.nats[0])[0].protocol, Kind::Tcp);

        street.network.disconnect(street.ada, path);
        street.network.run_for(SECOND);
        let end = StreamEvent::Closed(path, End::Finished);
        assert_eq!(stream_events(&mut street.network, street.ada), [end]);
        assert_eq!(stream_events(&mut street.network, street.server).len(), 2);
        assert_eq!(street.network.in_flight(), 0);
    }
}

#[test]
fn nothing_is_lost_or_swapped_on_a_bad_link() {
    let mut street = cones();
    let bad = Link {
        loss: Loss::Random(0.1),
        jitter: Duration::from_millis(5),
        duplication: 0.05,
        ..Link::default()
    };
    street.network.change(Change::Relink(street.ada_link, bad.into()));
    let path = tcp("10.0.0.2:5000", at(SERVER));
    let sent: Vec<Vec<u8>> = (0..200_u32).map(|n| vec![n as u8; 1 + (n * 31) as usize]).collect();
    for message in &sent {
        street.network.call(street.ada, |machine, _| machine.send_by(path, message));
    }
    street.network.run_for(600 * SECOND);
    let (ada, server) = (street.ada, street.server);
    let mut got = |host: Host<Echo>| -> Vec<Vec<u8>> {
        std::iter::from_fn(|| street.network.poll_event(host)).map(|seen| seen.payload).collect()
    };
    assert_eq!(got(server), sent);
    assert_eq!(got(ada), sent);
    assert!(street.network.counters().dropped_for(Cause::Loss) > 50);
}

#[test]
fn who_does_not_listen_refuses() {
    let mut street = cones();
    let path = tcp("10.0.0.2:5000", at("198.51.100.1:9"));
    street.network.connect(street.ada, path);
    street.network.run_for(SECOND);
    let refused = StreamEvent::Closed(path, End::Refused);
    assert_eq!(stream_events(&mut street.network, street.ada), [refused]);
}

#[test]
fn a_connection_over_a_cut_link_times_out() {
    let mut street = cones();
    let path = tcp("10.0.0.2:5000", at(SERVER));
    street.network.connect(street.ada, path);
    street.network.run_for(SECOND);
    street.network.change(Change::Cut(street.ada_link));
    street.network.call(street.ada, |machine, _| machine.send_by(path, b"hello"));
    street.network.run_for(100 * SECOND);
    assert_eq!(stream_events(&mut street.network, street.ada), [StreamEvent::Opened(path)]);
    street.network.run_for(900 * SECOND);
    assert_eq!(
        stream_events(&mut street.network, street.ada),
        [StreamEvent::Closed(path, End::TimedOut)]
    );
}

/// RFC 5382 REQ-2: each opens towards the other's outside address at the same time; the two SYNs cross
/// between the NATs, each of which has seen its own host's by then.
#[test]
fn both_open_at_once_through_two_nats() {
    let mut street = cones();
    let (ada, grace) = (street.ada, street.grace);
    for (host, name) in [(ada, "ada"), (grace, "grace")] {
        let path = tcp("10.0.0.2:5000", at(SERVER));
        street.network.call(host, |machine, _| machine.send_by(path, name.as_bytes()));
    }
    street.network.run_for(SECOND);
    let server = street.server;
    let seen: Vec<_> = std::iter::from_fn(|| street.network.poll_event(server)).collect();
    let outside = |name: &[u8]| seen.iter().find(|seen| seen.payload == name).unwrap().path.remote;
    let (to_ada, to_grace) = (outside(b"ada"), outside(b"grace"));

    street.network.clear_trace();
    street.network.connect(ada, tcp("10.0.0.2:5000", to_grace));
    street.network.connect(grace, tcp("10.0.0.2:5000", to_ada));
    street.network.call(ada, |machine, _| {
        machine.send_by(tcp("10.0.0.2:5000", to_grace), b"hello grace");
    });
    street.network.run_for(10 * SECOND);
    assert_eq!(street.network.poll_event(ada).map(|seen| seen.payload), Some(b"ada".to_vec()));
    assert_eq!(street.network.poll_event(grace).map(|seen| seen.payload), Some(b"grace".to_vec()));
    assert_eq!(street.network.poll_event(grace).unwrap().payload, b"hello grace");
    let resets = street.network.trace().entries().filter(|entry| {
        matches!(entry.what, What::Sent)
            && matches!(entry.content, Content::Tcp(segment)
                if segment.flags.contains(Flags::RST))
    });
    assert_eq!(resets.count(), 0);
}
