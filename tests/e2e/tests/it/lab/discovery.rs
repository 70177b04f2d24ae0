//! What `talkie doctor` finds out behind a box is what the box was told to be.

use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use talkie_lab::real::{self, Host};
use talkie_sim::nat::{Filtering, Mapping, Preset};

use super::behaviour::expected;
use super::{Lab, SERVER, SERVER_SECOND, all};

/// `talkie serve` on the lab's server, with both of its addresses.
fn serve(lab: &Lab, data: &str) -> Child {
    let talkie = talkie_e2e::binary().unwrap();
    let talkie = talkie.to_str().unwrap();
    let words =
        ["server", "--", talkie, "serve", "--data-dir", data, "--alternate-ip", SERVER_SECOND];
    let mut serve = lab.talkie("exec", &words);
    let child = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while real::inside(&lab.name, Host::Server, || TcpStream::connect((SERVER, 3478)))
        .unwrap()
        .is_err()
    {
        assert!(start.elapsed() < Duration::from_secs(30), "the server does not listen");
        thread::sleep(Duration::from_millis(50));
    }
    child
}

/// The verdict on IPv4.
fn examined(lab: &Lab, host: Host) -> Value {
    let talkie = talkie_e2e::binary().unwrap();
    let server = format!("stun:{SERVER}");
    let words = [talkie.to_str().unwrap(), "doctor", "--json", "--server", &server];
    let output = lab.exec(host.name(), &words);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", all(&output)));
    report["nats"][0].clone()
}

#[test]
fn the_doctor_recognises_the_boxes_of_both_kinds() {
    use Preset::{
        AddressDependent, AddressRestricted, Cgnat, Firewall, FullCone, LinuxFirewalled,
        LinuxRandomFully, PortRestricted, Symmetric,
    };
    let data = tempfile::tempdir().unwrap();
    for (kind, left, right) in [
        ("tun", FullCone, Symmetric),
        ("tun", AddressRestricted, AddressDependent),
        ("tun", PortRestricted, Cgnat),
        ("tun", Firewall, LinuxRandomFully),
        ("kernel", LinuxFirewalled, LinuxRandomFully),
        ("kernel", Firewall, Symmetric),
    ] {
        let lab = Lab::up(&["--kind", kind, "--left", left.name(), "--right", right.name()]);
        let mut server = serve(&lab, data.path().to_str().unwrap());
        for (host, preset) in [(Host::Left, left), (Host::Right, right)] {
            let nat = examined(&lab, host);
            let (mapping, filtering) = expected(preset).unwrap();
            assert_eq!(nat["mapping"], mapping_word(mapping), "{kind}, {preset}: {nat:#}");
            assert_eq!(nat["filtering"], filtering_word(filtering), "{kind}, {preset}: {nat:#}");
            assert_eq!(nat["translates"], preset != Firewall, "{kind}, {preset}: {nat:#}");
        }
        drop(lab);
        server.wait().unwrap();
    }
}

fn mapping_word(mapping: Mapping) -> &'static str {
    match mapping {
        Mapping::EndpointIndependent => "endpointIndependent",
        Mapping::AddressDependent => "addressDependent",
        Mapping::AddressAndPortDependent => "addressAndPortDependent",
    }
}

fn filtering_word(filtering: Filtering) -> &'static str {
    match filtering {
        Filtering::EndpointIndependent => "endpointIndependent",
        Filtering::AddressDependent => "addressDependent",
        Filtering::AddressAndPortDependent => "addressAndPortDependent",
    }
}
