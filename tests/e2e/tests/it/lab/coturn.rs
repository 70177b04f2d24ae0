//! coturn's `turnutils_natdiscovery` behind real NATs, with `talkie serve` for its server: the verdict is
//! the type that the box was given, and that of this kernel's masquerade.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::thread;

use super::{Lab, SERVER, SERVER_SECOND, all};

/// What coturn's words are for mapping and filtering.
type Verdict = (&'static str, &'static str);

const INDEPENDENT: &str = "Endpoint Independent";
const BY_ADDRESS: &str = "Address Dependent";
const BY_PORT: &str = "Address and Port Dependent";

struct Server {
    child: Child,
    _data: tempfile::TempDir,
}

impl Server {
    /// With no flag about it: two public addresses are two addresses.
    fn start(lab: &Lab) -> Self {
        let data = tempfile::tempdir().unwrap();
        let binary = talkie_e2e::binary().unwrap();
        let words = ["server", "--", binary.to_str().unwrap(), "serve", "--data-dir"];
        let words = [&words[..], &[data.path().to_str().unwrap()]].concat();
        let mut command = lab.talkie("exec", &words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said: Vec<_> = lines.map_while(Result::ok).take_while(|line| line != "ready").collect();
        let pair = format!("discovery: 3478,3479 {SERVER},{SERVER_SECOND}");
        assert!(said.contains(&pair), "{said:#?}");
        Self { child, _data: data }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn finds(lab: &Lab, host: &str, (mapping, filtering): Verdict) {
    for (flag, verdict) in
        [("-m", format!("{mapping} Mapping!")), ("-f", format!("{filtering} Filtering!"))]
    {
        // Silence is an answer here: it waits for some seconds.
        let said = all(&lab.exec(host, &["timeout", "30", "turnutils_natdiscovery", flag, SERVER]));
        assert!(said.contains(&format!("NAT with {verdict}")), "{host} {flag}: {said}");
    }
}

fn agree(flags: &[&str], left: Verdict, right: Verdict) {
    let lab = Lab::up(flags);
    let _server = Server::start(&lab);
    thread::scope(|scope| {
        scope.spawn(|| finds(&lab, "left", left));
        scope.spawn(|| finds(&lab, "right", right));
    });
}

#[test]
fn coturns_discovery_names_the_cones_that_let_strangers_in() {
    let flags = ["--left", "full-cone", "--right", "address-restricted"];
    agree(&flags, (INDEPENDENT, INDEPENDENT), (INDEPENDENT, BY_ADDRESS));
}

#[test]
fn coturns_discovery_names_the_strict_types() {
    let flags = ["--left", "port-restricted", "--right", "symmetric"];
    agree(&flags, (INDEPENDENT, BY_PORT), (BY_PORT, BY_PORT));
}

#[test]
fn coturns_discovery_names_what_this_kernel_does() {
    let flags = ["--kind", "kernel", "--left", "linux-masquerade", "--right", "symmetric"];
    agree(&flags, (INDEPENDENT, BY_PORT), (BY_PORT, BY_PORT));
}
