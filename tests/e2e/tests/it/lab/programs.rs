//! Programs behind NATs do what programs do.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::thread;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use talkie_lab::real::{self, Host};

use super::{Lab, SERVER, all};

/// More than fits into any buffer on the way, and no multiple of a segment.
const LETTER: usize = 3_000_001;

#[test]
fn udp_tcp_and_ping_pass_a_box_of_either_kind() {
    for flags in [
        &["--left", "port-restricted"][..],
        &["--left", "symmetric", "--delay", "1ms"],
        &["--left", "none"],
        &["--left", "firewall"],
        &["--left", "cgnat-symmetric"],
        &["--left", "linux-firewalled", "--kind", "kernel"],
        &["--left", "symmetric", "--kind", "kernel"],
    ] {
        let lab = Lab::up(flags);
        let server = lab.udp(Host::Server, &format!("{SERVER}:7000"));
        let client = lab.udp(Host::Left, "0.0.0.0:0");
        client.send_to(b"there", server.local_addr().unwrap()).unwrap();
        let mut buffer = [0; 16];
        let (len, from) =
            server.recv_from(&mut buffer).unwrap_or_else(|e| panic!("{flags:?}: {e}"));
        assert_eq!(&buffer[..len], b"there");
        server.send_to(b"back", from).unwrap();
        assert_eq!(client.recv(&mut buffer).unwrap(), 4, "{flags:?}");
        assert_eq!(letter_by_tcp(&lab), checksum(&letter()), "{flags:?}");
        assert!(answers_ping(&lab, SERVER), "{flags:?}");
    }
}

#[test]
fn ipv6_passes_and_keeps_its_address() {
    for kind in ["tun", "kernel"] {
        let lab = Lab::up(&["--ipv6", "--left", "symmetric", "--kind", kind]);
        let server = lab.udp(Host::Server, "[2001:db8:5::1]:7000");
        let client = lab.udp(Host::Left, "[::]:7001");
        client.send_to(b"there", server.local_addr().unwrap()).unwrap();
        let mut buffer = [0; 16];
        let (_, from) = server.recv_from(&mut buffer).unwrap_or_else(|e| panic!("{kind}: {e}"));
        assert_eq!(from.to_string(), "[2001:db8:1:1::2]:7001");
        // Uninvited, nothing comes in.
        let stranger = lab.udp(Host::Server, "[2001:db8:5::1]:7002");
        stranger.send_to(b"stranger", from).unwrap();
        server.send_to(b"back", from).unwrap();
        let (len, _) = client.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], b"back");
    }
}

#[test]
fn exec_is_the_command_that_it_runs() {
    let lab = Lab::up(&[]);
    assert_eq!(lab.exec("left", &["sh", "-c", "exit 7"]).status.code(), Some(7));
    assert_eq!(lab.exec("left", &["no-such-command"]).status.code(), Some(127));
    assert_eq!(lab.exec("left", &["/etc/hosts"]).status.code(), Some(126));
    let hosts = lab.exec("left", &["cat", "/etc/hosts", "/etc/resolv.conf"]);
    assert!(all(&hosts).contains("198.51.100.1 server"), "{}", all(&hosts));
    assert!(!all(&hosts).contains("nameserver "), "{}", all(&hosts));
    let cards = lab.exec("right-nat", &["ls", "/sys/class/net"]);
    assert!(all(&cards).contains("lan") && all(&cards).contains("inside"), "{}", all(&cards));

    let mut sleeping = lab.talkie("exec", &["left", "--", "sleep", "60"]).spawn().unwrap();
    thread::sleep(Duration::from_millis(300));
    let killed = Command::new("kill").arg(sleeping.id().to_string()).status().unwrap();
    assert!(killed.success());
    assert_eq!(sleeping.wait().unwrap().signal(), Some(15));
}

#[test]
fn status_shows_the_table_of_either_kind() {
    for kind in ["tun", "kernel"] {
        let lab = Lab::up(&["--left", "port-restricted", "--kind", kind]);
        let client = lab.udp(Host::Left, "0.0.0.0:7003");
        client.send_to(b"there", (SERVER, 7004)).unwrap();
        let server = lab.udp(Host::Server, &format!("{SERVER}:7005"));
        client.send_to(b"there", server.local_addr().unwrap()).unwrap();
        server.recv(&mut [0; 16]).unwrap();
        let status = all(&lab.talkie("status", &[]).output().unwrap());
        for word in [
            "left-nat: port-restricted",
            "10.1.0.2:7003",
            "203.0.113.10:7003",
            "198.51.100.1:7005",
            "programs: 0",
        ] {
            assert!(status.contains(word), "{kind}: no {word} in\n{status}");
        }
        let down = all(&lab.talkie("down", &[]).output().unwrap());
        assert!(down.contains("6 namespaces and 0 programs ended"), "{kind}: {down}");
    }
}

/// Sends the letter from the left host to the server; the checksum of what arrives.
fn letter_by_tcp(lab: &Lab) -> u64 {
    let bind = || TcpListener::bind((SERVER, 7001));
    let listener = real::inside(&lab.name, Host::Server, bind).unwrap().unwrap();
    let reader = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut read = Vec::new();
        stream.read_to_end(&mut read).unwrap();
        checksum(&read)
    });
    let connect = || TcpStream::connect((SERVER, 7001));
    let mut stream = real::inside(&lab.name, Host::Left, connect).unwrap().unwrap();
    stream.write_all(&letter()).unwrap();
    drop(stream);
    reader.join().unwrap()
}

fn letter() -> Vec<u8> {
    (0..LETTER).map(|at| (at * 31 % 251) as u8).collect()
}

/// Changes with every byte and with their order.
fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(bytes.len() as u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
}

/// One echo request from the left host.
fn answers_ping(lab: &Lab, address: &str) -> bool {
    let open = || Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4));
    let mut socket = real::inside(&lab.name, Host::Left, open).unwrap().unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let address: std::net::IpAddr = address.parse().unwrap();
    socket.connect(&std::net::SocketAddr::new(address, 0).into()).unwrap();
    // Type 8, identifier 1, sequence number 1; the checksum is the complement of their sum.
    socket.write_all(&[8, 0, 0xf7, 0xfd, 0, 1, 0, 1]).unwrap();
    let mut reply = [0; 64];
    let Ok(len) = socket.read(&mut reply) else { return false };
    // Behind an IPv4 header of 20 bytes.
    len >= 28 && reply[20] == 0 && reply[24..28] == [0, 1, 0, 1]
}
