//! `talkie doctor`: its answer, its errors and its exit codes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{Running, run, talkie};

/// The same command in a network namespace of its own, where nothing is, not even loopback.
fn without_network(args: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    // Without privilege in a user namespace of one's own.
    let root = std::fs::metadata("/proc/self").is_ok_and(|it| {
        use std::os::unix::fs::MetadataExt as _;
        it.uid() == 0
    });
    command.args(if root { ["-n", "--"] } else { ["-rn", "--"] });
    command.arg(env!("CARGO_BIN_EXE_talkie")).args(args).stdin(Stdio::null());
    command
}

#[test]
fn help_has_examples_servers_and_exit_codes() {
    let said = run(&mut talkie(&["doctor", "--help"]));
    assert_eq!(said.code, Some(0));
    for part in ["--server <URL>", "--json", "--watch", "--lifetime", "Examples:", "Exit codes:"] {
        assert!(said.stdout.contains(part), "{part} is not in\n{}", said.stdout);
    }
    let (_, more) = said.stdout.split_once("Contacts the servers").expect("what it contacts");
    assert!(more.lines().all(|line| line.chars().count() <= 80), "{more}");
}

#[test]
fn a_server_of_this_machine_is_examined_to_the_end() {
    let server = Running::start(&["--no-self-test"]);
    let url = server.value("local URL").to_owned();
    let said = run(&mut talkie(&["doctor", "--server", &url]));
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.starts_with("✓ The server works."), "{}", said.stdout);
    assert_eq!(said.stdout.matches("echo through it").count(), 3, "{}", said.stdout);
    assert_eq!(said.stderr, "", "no spinner where no terminal is");
    assert!(!said.stdout.contains('\x1b'), "no colour where no terminal is");
    let widest = said.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{widest:?}");

    let said = run(&mut talkie(&["doctor", "--server", &url, "--json"]));
    let json: serde_json::Value = serde_json::from_str(&said.stdout).expect("one JSON object");
    assert_eq!(json["schema"], 1);
    assert_eq!(json["servers"][0]["legs"][1]["echo"]["state"], "returned");
}

#[test]
fn watching_tells_when_the_server_goes() {
    let mut server = Running::start(&["--no-self-test"]);
    let url = server.value("local URL").to_owned();
    let mut child = talkie(&["doctor", "--server", &url, "--watch", "1", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("piped")));
    let mut verdict = || {
        let line = lines.next().expect("it goes on").expect("text");
        let json: serde_json::Value = serde_json::from_str(&line).expect("an object a line");
        json["diagnosis"]["verdict"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(verdict(), "unclear");
    server.signal("KILL");
    server.end(Duration::from_secs(5));
    let deadline = Instant::now() + Duration::from_secs(25);
    while verdict() != "offline" {
        assert!(Instant::now() < deadline, "it does not notice");
    }
    // Whether it examines or sleeps at that moment makes no difference.
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &pid]).status().expect("kill").success());
    assert_eq!(child.wait().expect("our child").code(), Some(4));
}

#[test]
fn wrong_command_lines_end_with_2_and_say_why() {
    for (args, part) in [
        (&["--server", "talk.example.org"][..], "write https://talk.example.org"),
        (&["--server", "ftp://talk.example.org"], "no kind of server"),
        (&["--server", "https://me:secret@talk.example.org"], "--user and --password"),
        (&["--server", "https://localhost", "--user", "a", "--password", "b"], "gives its own"),
        (&["--server", "turn:localhost", "--user", "a"], "--password"),
        (
            &["--server", "turn:localhost", "--user", "a", "--password-file", "/nowhere"],
            "cannot read the password",
        ),
        (&["--probe-url", "https://localhost/204"], "http://host/path"),
        (&["https://talk.example.org"], "servers are named by --server"),
        (&["G5MD4-E9WCA-NQJZN-JERJJ"], "there is a typo in the code"),
        (&["g5md4", "e9wca", "NQJZN", "-", "jerjj"], "there is a typo in the code"),
        (&["G5MD4", "E9WCA"], "this one has 10"),
    ] {
        let said = run(talkie(&["doctor"]).args(args));
        assert_eq!(said.code, Some(2), "{args:?}: {}", said.stderr);
        assert!(said.stderr.contains(part), "{args:?}: {}", said.stderr);
        assert_eq!(said.stdout, "");
    }
}

#[test]
fn a_pair_whose_server_is_not_there_is_told_what_to_do() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", closed.local_addr().expect("bound"));
    drop(closed);
    let said = run(&mut talkie(&["doctor", "--pair", "--server", &url]));
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    let words = format!("`talkie doctor --server {url}` looks into it");
    assert!(said.stderr.contains(&words), "{}", said.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn without_any_network_it_says_so_at_once() {
    let began = Instant::now();
    let said = run(&mut without_network(&["doctor"]));
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    assert!(said.stderr.contains("this machine has no network"), "{}", said.stderr);
    let said = run(&mut without_network(&["doctor", "--server", "https://192.0.2.1"]));
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    assert!(said.stdout.contains("This machine has no network"), "{}", said.stdout);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn an_interrupt_ends_it_at_once() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let url = format!("turn:{}", silent.local_addr().expect("bound"));
    let mut child = talkie(&["doctor", "--server", &url])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut buffer = [0; 64];
    silent.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    silent.recv(&mut buffer).expect("it asks");
    let began = Instant::now();
    let pid = child.id().to_string();
    let status = Command::new("kill").args(["-s", "INT", &pid]).status().expect("kill exists");
    assert!(status.success());
    assert_eq!(child.wait().expect("our child").code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
