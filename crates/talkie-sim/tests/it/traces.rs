use std::io::Write as _;
use std::process::{Command, Stdio};

use talkie_sim::nat::Config;
use talkie_sim::net::Link;
use talkie_sim::trace::What;

use crate::echo::{SERVER, Street, at, ip};

fn street() -> Street {
    Street::new(Config::port_restricted_cone([ip("192.0.2.1")]), Config::firewall())
}

#[test]
fn each_box_says_what_it_did() {
    let mut street = street();
    street.outside(street.ada);
    let trace = street.network.trace();
    let story: Vec<String> = trace
        .entries()
        .map(|entry| {
            let name = trace.box_name(entry.node);
            format!("{} ms {name} {}: {}", entry.at.as_millis(), entry.side, entry.what)
        })
        .collect();
    assert_eq!(
        story,
        [
            "0 ms ada if0: sent",
            "5 ms left inside: translated (out) to 192.0.2.1:5000 > 198.51.100.1:3478",
            "15 ms internet any: forwarded",
            "20 ms server if0: delivered",
            "20 ms server if0: sent",
            "25 ms internet any: forwarded",
            "35 ms left outside: translated (in) to 198.51.100.1:3478 > 10.0.0.2:5000",
            "40 ms ada if0: delivered",
        ]
    );
}

#[test]
fn nothing_is_kept_unless_it_is_asked_for() {
    let mut street = street();
    street.network.record(0);
    street.outside(street.ada);
    assert_eq!(street.network.trace().entries().len(), 0);
    street.network.record(3);
    street.outside(street.ada);
    assert_eq!(street.network.trace().entries().len(), 3);
    assert!(matches!(street.network.trace().entries().next_back().unwrap().what, What::Delivered));
    street.network.clear_trace();
    assert_eq!(street.network.trace().entries().len(), 0);
}

/// Wireshark's own reader on the file, with its checks of checksums (1 is good).
#[test]
fn wireshark_reads_the_capture() {
    let mut street = street();
    let six = street.network.add_nat("six", street.internet, Link::default(), Config::firewall());
    let ida = street.network.add_host("ida", crate::echo::Echo::default());
    street.network.attach(ida, six, Link::default(), [ip("2001:db8::2")]);
    street.outside(street.ada);
    street.send(ida, "[2001:db8::2]:5000", at("[2001:db8::9]:9"));
    street.send(street.grace, "10.0.0.2:5000", at(SERVER));

    let filters = ["ip.check_checksum:TRUE", "udp.check_checksum:TRUE"];
    let fields = [
        "frame.interface_name",
        "ip.src",
        "ipv6.src",
        "ip.checksum.status",
        "udp.checksum.status",
        "frame.comment",
    ];
    let mut command = Command::new("tshark");
    command.args(["-r", "-", "-T", "fields", "-E", "separator=|"]);
    command.args(filters.iter().flat_map(|filter| ["-o", filter]));
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("tshark is needed: `cargo xtask setup` installs it");
    child.stdin.take().unwrap().write_all(&street.network.trace().pcapng()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for line in [
        "ada|10.0.0.2||1|1|packet 0, ada: sent",
        "left/inside|10.0.0.2||1|1|packet 0, left: translated (out) to 192.0.2.1:5000 > 198.51.100.1:3478",
        "left/outside|192.0.2.1||1|1|packet 0, left: translated (out) from 10.0.0.2:5000 > 198.51.100.1:3478",
        "server|192.0.2.1||1|1|packet 0, server: delivered",
        "six/inside||2001:db8::2||1|packet 2, six: forwarded",
        "internet||2001:db8::2||1|packet 2, internet: dropped: no route",
        "internet|10.0.0.2||1|1|packet 3, internet: dropped: private address on the internet",
    ] {
        assert!(lines.contains(&line), "{line}\n{text}");
    }
}
