//! coturn's programs that find out what a NAT does (RFC 5780), against our server: on loopback there
//! is no NAT, which they must say, and every answer must have come from the socket that was asked.

use std::net::UdpSocket;
use std::process::Command;

use talkie_e2e::{Ports, Program};

struct Server {
    program: Program,
    ports: Ports,
}

/// Two addresses of loopback with two ports each.
fn server() -> Server {
    let ports = Ports::pick().unwrap();
    let mut flags = ports.flags();
    flags.push("--alternate-ip=127.0.0.2".to_owned());
    let mut program = Program::serve(&flags).unwrap();
    program.wait_for(ports.admin, "/readyz").unwrap();
    Server { program, ports }
}

impl Server {
    /// What a program of coturn's says; `timeout` ends it if it waits for an answer in vain.
    fn asked_by(&self, program: &str, flags: &[&str]) -> String {
        let mut command = Command::new("timeout");
        command.args(["20", program]).args(flags);
        command.args(["-p", &self.ports.turn.to_string(), "127.0.0.1"]);
        let output = command.output().expect("timeout is on PATH");
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let printed = self.program.printed();
        assert!(output.status.success(), "{program} (package coturn) {flags:?}: {said}\n{printed}");
        said
    }

    /// RESPONSE-ORIGIN of each answer, as they print it.
    fn origins(&self, said: &str) -> Vec<String> {
        let mut origins = Vec::new();
        // The first answer's is printed twice.
        for block in said.split("RFC 5780 response").skip(1) {
            let origin = block.lines().find_map(|line| line.split("Response origin: : ").nth(1));
            origins.push(origin.unwrap_or_else(|| panic!("no origin in {said}")).to_owned());
        }
        origins
    }
}

#[test]
fn coturns_discovery_finds_no_nat_on_loopback() {
    let server = server();
    let Ports { turn, stun, .. } = server.ports;
    // The padding makes answers that come in fragments.
    for padding in [&[][..], &["-P"]] {
        let said = server.asked_by("turnutils_natdiscovery", &[&["-m"], padding].concat());
        assert!(said.contains("NAT with Endpoint Independent Mapping!"), "{said}");
        assert!(said.contains("No ALG: Mapped == XOR-Mapped"), "{said}");
        let asked = [format!("127.0.0.1:{turn}"), format!("127.0.0.2:{turn}")];
        assert_eq!(server.origins(&said), asked, "{said}");

        let said = server.asked_by("turnutils_natdiscovery", &[&["-f"], padding].concat());
        assert!(said.contains("NAT with Endpoint Independent Filtering!"), "{said}");
        // Asked at the first, it answers the second time from the one that differs in both.
        let changed = [format!("127.0.0.1:{turn}"), format!("127.0.0.2:{stun}")];
        assert_eq!(server.origins(&said), changed, "{said}");
    }
    let said = server.asked_by("turnutils_natdiscovery", &["-H"]);
    assert!(said.contains("successful hairpinning"), "{said}");
}

#[test]
fn coturns_test_of_lifetimes_is_answered_at_the_other_port() {
    let server = server();
    // RESPONSE-PORT from another socket, a second later.
    let said = server.asked_by("turnutils_natdiscovery", &["-t", "-T", "1"]);
    assert_eq!(server.origins(&said).len(), 2, "{said}");
    assert!(!said.contains("timeout"), "{said}");
}

#[test]
fn coturns_stun_client_gets_all_its_answers() {
    let server = server();
    let Ports { turn, stun, .. } = server.ports;
    let said = server.asked_by("turnutils_stunclient", &[]);
    // A bare one, one with both changed and RESPONSE-PORT, one with both changed and PADDING.
    let changed = format!("127.0.0.2:{stun}");
    let origins = [format!("127.0.0.1:{turn}"), changed.clone(), changed.clone()];
    assert_eq!(server.origins(&said), origins, "{said}");
    assert!(said.contains(&format!("Other addr: : {changed}")), "{said}");
}

#[test]
fn with_one_address_coturns_client_asks_no_further() {
    let ports = Ports::pick().unwrap();
    let mut program = Program::serve(&ports.flags()).unwrap();
    program.wait_for(ports.admin, "/readyz").unwrap();
    let server = Server { program, ports };
    // Without OTHER-ADDRESS it takes the server for a plain one, which beats a wrong verdict.
    let said = server.asked_by("turnutils_stunclient", &[]);
    assert!(said.contains("UDP reflexive addr: 127.0.0.1:"), "{said}");
    assert!(!said.contains("Other addr"), "{said}");
}

#[test]
fn a_second_port_that_is_taken_is_told_and_only_fatal_if_it_was_asked_for() {
    let ports = Ports::pick().unwrap();
    let mut flags = ports.flags();
    let holder = UdpSocket::bind(("127.0.0.1", ports.stun)).unwrap();
    let mut refused = Program::serve(&flags).unwrap();
    assert!(!refused.wait_for_end().unwrap().success());
    let said = refused.printed();
    assert!(said.contains(&format!("cannot listen on 127.0.0.1:{} (UDP)", ports.stun)), "{said}");
    assert!(said.contains("the port is taken by") && said.contains("--alternate-port"), "{said}");
    drop(holder);

    // By default it is the next one, and nobody asked for it.
    let next = UdpSocket::bind(("127.0.0.1", ports.turn + 1));
    flags.retain(|flag| !flag.starts_with("--alternate-port"));
    let mut program = Program::serve(&flags).unwrap();
    program.wait_for(ports.admin, "/readyz").unwrap();
    program.wait_for_print("ready").unwrap();
    let said = program.printed();
    let warning = format!("warning: cannot listen on 127.0.0.1:{} (UDP)", ports.turn + 1);
    assert!(said.contains(&warning) && said.contains("--alternate-port"), "{said}");
    drop(next);
}

#[test]
fn an_address_of_another_host_is_refused_in_a_sentence() {
    let ports = Ports::pick().unwrap();
    let mut flags = ports.flags();
    flags[2] = format!("--turn=0.0.0.0:{}", ports.turn);
    flags.push("--alternate-ip=203.0.113.77".to_owned());
    let mut program = Program::serve(&flags).unwrap();
    assert!(!program.wait_for_end().unwrap().success());
    let said = program.printed();
    assert!(said.contains("no interface of this host has 203.0.113.77"), "{said}");
}
