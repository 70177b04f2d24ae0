//! A box behaves as its type is defined by RFC 4787: seen from outside, by sockets.

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use talkie_lab::real::Host;
use talkie_sim::nat::{Filtering, Mapping, Preset};
use talkie_sim::packet::build;

use super::{Lab, SERVER, SERVER_SECOND};

/// The server's four sockets: two addresses with two ports each.
struct Server {
    /// At the first address and port.
    main: UdpSocket,
    other_port: UdpSocket,
    other_address: UdpSocket,
}

impl Server {
    fn of(lab: &Lab) -> Self {
        let socket = |address, port| lab.udp(Host::Server, &format!("{address}:{port}"));
        Self {
            main: socket(SERVER, 3478),
            other_port: socket(SERVER, 3479),
            other_address: socket(SERVER_SECOND, 3478),
        }
    }
}

/// How `client` looks to `server`; `None` if it can't be seen.
fn seen(client: &UdpSocket, server: &UdpSocket) -> Option<SocketAddr> {
    client.send_to(b"who am I?", server.local_addr().unwrap()).unwrap();
    server.recv_from(&mut [0; 32]).ok().map(|(_, from)| from)
}

/// RFC 5780 §4.3 without STUN.
fn mapping(lab: &Lab, host: Host, server: &Server) -> Option<Mapping> {
    let client = lab.udp(host, "0.0.0.0:0");
    let main = seen(&client, &server.main)?;
    let other_port = seen(&client, &server.other_port)?;
    let other_address = seen(&client, &server.other_address)?;
    Some(match (main == other_address, main == other_port) {
        (true, _) => Mapping::EndpointIndependent,
        (false, true) => Mapping::AddressDependent,
        (false, false) => Mapping::AddressAndPortDependent,
    })
}

/// RFC 5780 §4.4 without STUN.
fn filtering(lab: &Lab, host: Host, server: &Server) -> Option<Filtering> {
    let client = lab.udp(host, "0.0.0.0:0");
    client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mapped = seen(&client, &server.main)?;
    let lets_in = |from: &UdpSocket| {
        from.send_to(b"hello", mapped).unwrap();
        client.recv(&mut [0; 32]).is_ok()
    };
    let (address, port) = (lets_in(&server.other_address), lets_in(&server.other_port));
    assert!(lets_in(&server.main), "an answer comes back");
    Some(match (address, port) {
        (true, _) => Filtering::EndpointIndependent,
        (false, true) => Filtering::AddressDependent,
        (false, false) => Filtering::AddressAndPortDependent,
    })
}

fn seen_of(lab: &Lab, host: Host) -> Option<(Mapping, Filtering)> {
    let server = Server::of(lab);
    mapping(lab, host, &server).zip(filtering(lab, host, &server))
}

/// What a type must look like while no two hosts want the same port.
pub(super) fn expected(preset: Preset) -> Option<(Mapping, Filtering)> {
    let config = preset.config(["203.0.113.10".parse().unwrap()]);
    let keeps_ports = matches!(preset, Preset::LinuxMasquerade | Preset::LinuxFirewalled);
    let mapping = if keeps_ports { Mapping::EndpointIndependent } else { config.mapping };
    (preset != Preset::UdpBlocked).then_some((mapping, config.filtering))
}

#[test]
fn every_type_maps_and_filters_as_it_is_defined() {
    let presets: Vec<Preset> = Preset::all().collect();
    for pair in presets.chunks(2) {
        let (left, right) = (pair[0], *pair.last().unwrap());
        let lab = Lab::up(&["--left", left.name(), "--right", right.name()]);
        assert_eq!(seen_of(&lab, Host::Left), expected(left), "{left}");
        assert_eq!(seen_of(&lab, Host::Right), expected(right), "{right}");
    }
}

#[test]
fn the_kernel_does_what_the_box_of_the_same_name_does() {
    use Preset::{
        Firewall, LinuxFirewalled, LinuxMasquerade, LinuxRandomFully, PortRestricted, Symmetric,
        UdpBlocked,
    };
    for (left, right) in [
        (PortRestricted, Symmetric),
        (LinuxFirewalled, LinuxRandomFully),
        (Firewall, UdpBlocked),
        (LinuxMasquerade, LinuxMasquerade),
    ] {
        let lab = Lab::up(&["--kind", "kernel", "--left", left.name(), "--right", right.name()]);
        // What is not let in is tracked there and would spoil the ports of the next question, so that
        // each question has a port of its own.
        assert_eq!(seen_of(&lab, Host::Left), expected(left), "{left}");
        assert_eq!(seen_of(&lab, Host::Right), expected(right), "{right}");
    }
}

#[test]
fn a_packet_that_came_uninvited_changes_the_port_of_linux_without_a_firewall() {
    for kind in ["tun", "kernel"] {
        let types = ["--left", "linux-masquerade", "--right", "linux-firewalled", "--kind", kind];
        let lab = Lab::up(&types);
        let server = lab.udp(Host::Server, &format!("{SERVER}:3478"));
        let other = lab.udp(Host::Server, &format!("{SERVER}:3479"));
        for (host, outside, keeps) in
            [(Host::Left, "203.0.113.10", false), (Host::Right, "192.0.2.10", true)]
        {
            let outside: SocketAddr = format!("{outside}:6000").parse().unwrap();
            server.send_to(b"uninvited", outside).unwrap();
            std::thread::sleep(Duration::from_millis(100));
            let client = lab.udp(host, "0.0.0.0:6000");
            let mapped = seen(&client, &server).unwrap();
            assert_eq!(mapped == outside, keeps, "{kind}, {host}: {mapped}");
            // What it was given then, it keeps for others.
            assert_eq!(seen(&client, &other), Some(mapped), "{kind}, {host}");
        }
    }
}

#[test]
fn linux_without_a_firewall_resets_what_comes_uninvited_and_answers_pings() {
    use std::io::ErrorKind::{ConnectionRefused, TimedOut};
    for kind in ["tun", "kernel"] {
        let types = ["--left", "linux-masquerade", "--right", "linux-firewalled", "--kind", kind];
        let lab = Lab::up(&types);
        for (outside, expected) in
            [("203.0.113.10:22", ConnectionRefused), ("192.0.2.10:22", TimedOut)]
        {
            let outside: SocketAddr = outside.parse().unwrap();
            let connect = || TcpStream::connect_timeout(&outside, Duration::from_millis(800));
            let refused = talkie_lab::real::inside(&lab.name, Host::Server, connect).unwrap();
            assert_eq!(refused.unwrap_err().kind(), expected, "{kind}, {outside}");
        }
        for (host, outside) in [(Host::Left, "203.0.113.10"), (Host::Right, "192.0.2.10")] {
            let pinged = talkie_lab::real::inside(&lab.name, host, || ping(outside)).unwrap();
            assert!(pinged, "{kind}, {host}");
        }
    }
}

/// Whether an address answers an echo request.
fn ping(address: &str) -> bool {
    use socket2::{Domain, Protocol, Socket, Type};
    let echo = build::Echo { is_request: true, identifier: 4711, sequence: 1 };
    let (mut packet, any) = (Vec::new(), "10.0.0.1".parse().unwrap());
    build::echo(&mut packet, any, address.parse().unwrap(), echo, b"ping");
    let mut socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let destination = SocketAddr::new(address.parse().unwrap(), 0);
    // The kernel writes the header itself.
    socket.send_to(&packet[20..], &destination.into()).unwrap();
    let mut answer = [0; 128];
    while let Ok(length) = socket.read(&mut answer) {
        // Type 0 behind the header, and who asked.
        if length >= 28 && answer[20] == 0 && answer[24..26] == 4711_u16.to_be_bytes() {
            return true;
        }
    }
    false
}

#[test]
fn hosts_behind_a_box_are_reached_by_nobody_they_did_not_call() {
    let lab = Lab::up(&["--left", "port-restricted", "--right", "full-cone"]);
    let server = lab.udp(Host::Server, &format!("{SERVER}:3478"));
    let (left, right) = (lab.udp(Host::Left, "0.0.0.0:6000"), lab.udp(Host::Right, "0.0.0.0:6000"));
    let [seen_left, seen_right] = [&left, &right].map(|client| seen(client, &server).unwrap());
    // Whoever is behind a full cone hears the other at once, who hears nothing until it has spoken.
    right.send_to(b"can you hear me?", seen_left).unwrap();
    assert!(left.recv(&mut [0; 32]).is_err());
    left.send_to(b"who is there?", seen_right).unwrap();
    assert_eq!(right.recv_from(&mut [0; 32]).unwrap().1, seen_left);
    right.send_to(b"me", seen_left).unwrap();
    assert_eq!(left.recv_from(&mut [0; 32]).unwrap().1, seen_right);
}
