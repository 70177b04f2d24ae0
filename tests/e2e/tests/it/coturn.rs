//! coturn's own test client against our relay: two relayed sockets send to each other.

use std::process::Command;

use talkie_e2e::{Ports, Program};

/// Messages that each of the clients sends.
const MESSAGES: usize = 20;
const CLIENTS: usize = 2;

fn relayed_by(transport: &[&str], port: impl Fn(&Ports) -> u16) {
    let ports = Ports::pick().unwrap();
    let mut flags = ports.flags();
    flags.push("--turn-user=alice:wonder".to_owned());
    let mut program = Program::serve(&flags).unwrap();
    program.wait_for(ports.admin, "/readyz").unwrap();

    let mut client = Command::new("turnutils_uclient");
    client.args(transport).args(["-u", "alice", "-w", "wonder", "-p", &port(&ports).to_string()]);
    // -y: the clients send to each other's relay address. -c: no RTCP beside it.
    client.args(["-y", "-c", "-m", &CLIENTS.to_string(), "-n", &MESSAGES.to_string()]);
    // -s: Send indications. Its channel numbers reach to 0x7FFF, as in RFC 5766; RFC 8656 §12 ends
    // them at 0x4FFF, and a server has to refuse the others.
    client.args(["-s", "-l", "172", "-z", "20", "127.0.0.1"]);
    let output = client.output().expect("turnutils_uclient is on PATH (package coturn)");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);

    // Over TLS this client takes a record for a message, and what shares one with another is lost to
    // it: that nothing is missing shows that the relay writes each frame as a record of its own.
    let total = MESSAGES * CLIENTS;
    let counts = said.split("tot_recv_msgs=").skip(1);
    let received = counts.filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok()
    });
    let received = received.max().unwrap_or(0);
    assert_eq!(received, total, "{}\n{said}", program.printed());
}

#[test]
fn udp_clients_reach_each_other() {
    relayed_by(&[], |ports| ports.turn);
}

#[test]
fn tcp_clients_reach_each_other() {
    relayed_by(&["-t"], |ports| ports.turn);
}

#[test]
fn tls_clients_reach_each_other() {
    relayed_by(&["-t", "-S"], |ports| ports.turns);
}

#[test]
fn tls_clients_reach_each_other_through_the_port_of_the_web_app() {
    relayed_by(&["-t", "-S"], |ports| ports.https);
}
