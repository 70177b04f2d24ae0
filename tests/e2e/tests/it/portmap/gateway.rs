//! The network: namespaces, the kernel's NAT, and miniupnpd on it.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::until;

/// As a router has it: out is free, in is what a mapping lets in.
const RULES: &str = r#"
table inet filter {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        iifname "lan" accept
        jump miniupnpd
    }
    chain miniupnpd {
    }
    chain prerouting {
        type nat hook prerouting priority -100; policy accept;
        jump prerouting_miniupnpd
    }
    chain postrouting {
        type nat hook postrouting priority 100; policy accept;
        jump postrouting_miniupnpd
        oifname "wan" masquerade
    }
    chain prerouting_miniupnpd {
    }
    chain postrouting_miniupnpd {
    }
}
"#;

/// Three namespaces that are gone with it.
pub(super) struct Network {
    prefix: String,
    files: TempDir,
    daemon: Option<Child>,
}

impl Network {
    /// `wan` is the gateway's address outside.
    pub(super) fn up(wan: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("pm{}-{number}", std::process::id());
        let mut network = Self { prefix, files: tempfile::tempdir().unwrap(), daemon: None };
        network.connect(wan);
        let leases = network.file("leases");
        let settings = format!(
            "ext_ifname=wan\nlistening_ip=lan\nport=0\nenable_natpmp=yes\nenable_upnp=yes\n\
             upnp_table_name=filter\nupnp_nat_table_name=filter\nupnp_forward_chain=miniupnpd\n\
             upnp_nat_chain=prerouting_miniupnpd\nupnp_nat_postrouting_chain=postrouting_miniupnpd\n\
             lease_file={leases}\nsystem_uptime=no\nuuid=09532af2-4694-494e-bd17-578b0cde9d7b\n\
             allow 1024-65535 192.168.77.0/24 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n"
        );
        std::fs::write(network.file("settings"), settings).unwrap();
        std::fs::write(network.file("rules"), RULES).unwrap();
        run(network.in_gateway("nft").args(["-f", &network.file("rules")]));
        network.start();
        network
    }

    fn connect(&self, wan: &str) {
        let [inside, gateway, outside] = ["inside", "gateway", "outside"].map(|it| self.name(it));
        for namespace in [&inside, &gateway, &outside] {
            ip(&["netns", "add", namespace]);
            ip(&["-n", namespace, "link", "set", "lo", "up"]);
        }
        let wan = format!("{wan}/24");
        let cables = [
            ("lan", "192.168.77.1/24", &inside, "192.168.77.2/24"),
            ("wan", &wan, &outside, "5.5.5.2/24"),
        ];
        for (device, ours, other, theirs) in cables {
            let cable = ["type", "veth", "peer", "name", "eth0", "netns", other];
            ip(&[&["-n", &gateway, "link", "add", device][..], &cable].concat());
            ip(&["-n", &gateway, "addr", "add", ours, "dev", device]);
            ip(&["-n", other, "addr", "add", theirs, "dev", "eth0"]);
            ip(&["-n", &gateway, "link", "set", device, "up"]);
            ip(&["-n", other, "link", "set", "eth0", "up"]);
        }
        ip(&["-n", &inside, "route", "add", "default", "via", "192.168.77.1"]);
        run(self.in_gateway("sysctl").args(["-qw", "net.ipv4.ip_forward=1"]));
    }

    fn start(&mut self) {
        let [settings, pid] = ["settings", "pid"].map(|it| self.file(it));
        let log = std::fs::File::create(self.file("log")).unwrap();
        // -d: it stays where it is.
        let mut command = self.in_gateway("miniupnpd");
        command.args(["-d", "-f", &settings, "-P", &pid]);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.daemon = Some(command.spawn().expect("miniupnpd is installed"));
        until("miniupnpd listens", || {
            let log = std::fs::read_to_string(self.file("log")).unwrap();
            log.contains("Listening for NAT-PMP/PCP traffic on port 5351")
        });
    }

    /// The daemon is killed, its rules are lost, and it starts anew.
    pub(super) fn restart(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        for chain in ["miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd"] {
            run(self.in_gateway("nft").args(["flush", "chain", "inet", "filter", chain]));
        }
        let _ = std::fs::remove_file(self.file("leases"));
        self.start();
    }

    /// What the kernel of the gateway does.
    pub(super) fn rules(&self) -> String {
        let output = self.in_gateway("nft").args(["list", "ruleset"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn send_from_outside(&self, to: &str, text: &str) {
        let command = format!("echo -n {text} > /dev/udp/{to}");
        run(self.at("outside", "bash").args(["-c", &command]));
    }

    /// What `talkie doctor` finds out inside.
    pub(super) fn doctor(&self) -> serde_json::Value {
        let talkie = talkie_e2e::binary().unwrap();
        let mut doctor = self.at("inside", talkie.to_str().unwrap());
        // A server that is not there: the gateway is what matters.
        doctor.args(["doctor", "--json", "--server", "http://5.5.5.2"]);
        let output = doctor.stdin(Stdio::null()).output().unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// A command at one of the hosts.
    pub(super) fn at(&self, host: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(host), program]);
        command
    }

    fn in_gateway(&self, program: &str) -> Command {
        self.at("gateway", program)
    }

    fn name(&self, host: &str) -> String {
        format!("{}-{host}", self.prefix)
    }

    fn file(&self, name: &str) -> String {
        self.files.path().join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        for host in ["inside", "gateway", "outside"] {
            let _ = Command::new("ip").args(["netns", "del", &self.name(host)]).status();
        }
    }
}

fn ip(words: &[&str]) {
    run(Command::new("ip").args(words));
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
