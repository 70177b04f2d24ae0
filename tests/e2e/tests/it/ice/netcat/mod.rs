//! `talkie ice` on two hosts behind NATs, as two people use it.

mod changes;
mod ends;

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::server::Server;
use crate::lab::{Lab, SERVER};

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// `talkie ice` on a host of the lab. Dropping it kills it.
struct Netcat {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    errors: Receiver<String>,
}

impl Netcat {
    fn start(lab: &Lab, host: &str, words: &[&str]) -> Self {
        let talkie = talkie_e2e::binary().unwrap();
        let command = [&[host, "--", talkie.to_str().unwrap(), "ice"], words].concat();
        let mut program = lab.talkie("exec", &command);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let output = lines(child.stdout.take().unwrap());
        let errors = lines(child.stderr.take().unwrap());
        let input = child.stdin.take();
        Self { child, input, output, errors }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Ends its standard input.
    fn end_input(&mut self) {
        self.input = None;
    }

    /// The next event of that kind that is right.
    fn event(&self, kind: &str, is_right: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while let Ok(line) =
            self.output.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == kind && is_right(&event) {
                return event;
            }
            seen.push(line);
        }
        let errors: Vec<_> = self.errors.try_iter().collect();
        panic!("there is no `{kind}`: {seen:#?} {errors:#?}");
    }

    /// The next line of standard error that has `part` in it.
    fn tells(&self, part: &str) -> String {
        let mut seen = Vec::new();
        while let Ok(line) = self.errors.recv_timeout(PATIENCE) {
            if line.contains(part) {
                return line;
            }
            seen.push(line);
        }
        panic!("it never says `{part}`: {seen:#?}");
    }

    /// Sends a signal, such as `INT`.
    fn signal(&self, name: &str) {
        // The program itself: `talkie lab exec` becomes it.
        let id = self.child.id().to_string();
        let status = std::process::Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(status.unwrap().success());
    }

    /// Waits until it ends by itself.
    fn end(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            let said = || self.errors.try_iter().collect::<Vec<_>>();
            assert!(Instant::now() < deadline, "it goes on: {:#?}", said());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Netcat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut all = BufReader::new(stream).lines().map_while(Result::ok);
        let _ = all.try_for_each(|line| sender.send(line));
    });
    receiver
}

/// Whether a pair is from one outside address to the other.
fn is_punched(selected: &Value) -> bool {
    let pair = &selected["pair"];
    let is_outside = |end: &str| {
        let kind = pair[end]["type"].as_str().unwrap();
        kind == "srflx" || kind == "prflx"
    };
    pair["direct"] == true && is_outside("local") && is_outside("remote")
}

fn is_relayed(selected: &Value) -> bool {
    selected["pair"]["direct"] == false
}

fn any(_: &Value) -> bool {
    true
}

fn url() -> String {
    format!("https://{SERVER}:8443")
}

/// Two that meet by a code; the second answers everything. Both are given `more`.
fn meet(lab: &Lab, more: &[&str]) -> [Netcat; 2] {
    let url = url();
    let words = [&["--json", "--server", &url], more].concat();
    let first = Netcat::start(lab, "left", &words);
    let waiting = first.event("waiting", any);
    let code = waiting["code"].as_str().unwrap();
    assert_eq!(waiting["command"], format!("talkie ice {code} --server {url}"));
    let second = Netcat::start(lab, "right", &[&words[..], &["--echo", code]].concat());
    [first, second]
}

/// What one says the other hears and answers, along a path like that; then both end.
fn talk([mut first, mut second]: [Netcat; 2], is_right: impl Fn(&Value) -> bool) {
    for side in [&first, &second] {
        side.event("selected", &is_right);
    }
    first.say("grüße");
    assert_eq!(second.event("data", any)["text"], "grüße");
    let back = first.event("data", any);
    assert_eq!(back["text"], "grüße");
    assert!(back["thereAndBackMs"].as_f64().unwrap() < 5000.0, "{back}");
    // Who answers has no more to say when nothing more is asked.
    second.end_input();
    first.end_input();
    let over = first.event("over", any);
    assert_eq!(
        (&over["sent"], &over["received"], &over["echoes"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert!(is_right(&serde_json::json!({"pair": over["pair"]})), "{over}");
    let rows = over["pairs"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["selected"] == true && row["state"] == "works"), "{over}");
    assert_eq!((first.end(), second.end()), (Some(0), Some(0)));
}

/// Of the classic types.
fn behind(kind: &str) -> Lab {
    Lab::up(&["--left", kind, "--right", kind, "--delay", "5ms"])
}

#[test]
fn two_terminals_behind_port_restricted_nats_talk_directly() {
    let lab = behind("port-restricted");
    let _server = Server::talkie(&lab);
    talk(meet(&lab, &[]), is_punched);
}

#[test]
fn two_terminals_behind_symmetric_nats_talk_by_the_relay() {
    let lab = behind("symmetric");
    let _server = Server::talkie(&lab);
    talk(meet(&lab, &[]), is_relayed);
}

/// With what nftables makes of them.
fn behind_nftables(kind: &str) -> Lab {
    Lab::up(&["--kind", "kernel", "--left", kind, "--right", kind])
}

#[test]
fn two_terminals_behind_port_restricted_nftables_talk_directly() {
    let lab = behind_nftables("port-restricted");
    let _server = Server::talkie(&lab);
    talk(meet(&lab, &[]), is_punched);
}

#[test]
fn two_terminals_behind_symmetric_nftables_talk_by_the_relay() {
    let lab = behind_nftables("symmetric");
    let _server = Server::talkie(&lab);
    talk(meet(&lab, &[]), is_relayed);
}

/// The port that the NAT on one side will give next is guessed; without guesses there is no direct way.
#[test]
fn a_nat_that_counts_and_a_port_restricted_one_are_crossed_directly() {
    const COUNTING: &str = "home-sequential";
    for [left, right] in [[COUNTING, "port-restricted"], ["port-restricted", COUNTING]] {
        let lab = Lab::up(&["--left", left, "--right", right, "--delay", "5ms"]);
        let _server = Server::talkie(&lab);
        let [first, second] = meet(&lab, &[]);
        for side in [&first, &second] {
            side.event("selected", |event| is_punched(event) && event["pair"]["nominated"] == true);
        }
        let [first, second] = meet(&lab, &["--predict", "0"]);
        for side in [&first, &second] {
            let agreed = side.event("selected", |event| event["pair"]["nominated"] == true);
            assert!(is_relayed(&agreed), "{agreed}");
        }
    }
}

#[test]
fn where_udp_is_blocked_the_relay_is_reached_by_a_stream() {
    let lab = Lab::up(&["--left", "port-restricted", "--right", "udp-blocked"]);
    let _server = Server::talkie(&lab);
    let [first, second] = meet(&lab, &[]);
    let candidate = second.event("candidate", |event| {
        event["side"] == "local" && event["candidate"]["type"] == "relay"
    });
    let over = candidate["candidate"]["relayProtocol"].as_str().unwrap();
    assert!(over == "tcp" || over == "tls", "{candidate}");
    talk([first, second], is_relayed);
}

#[test]
fn a_block_of_text_each_way_does_without_a_server() {
    let lab = behind("port-restricted");
    let _server = Server::talkie(&lab);
    let stun = format!("{SERVER}:3478");
    let words = ["--json", "--copy-paste", "--stun", &stun];
    let [mut first, mut second] = [
        Netcat::start(&lab, "left", &words),
        Netcat::start(&lab, "right", &[&words[..], &["--echo"]].concat()),
    ];
    let [ours, theirs] = [&first, &second].map(|side| side.event("block", any));
    for (side, block) in [(&mut first, &theirs), (&mut second, &ours)] {
        for line in block["lines"].as_array().unwrap() {
            side.say(&format!("> {}", line.as_str().unwrap()));
        }
    }
    talk([first, second], |selected| selected["pair"]["direct"] == true);
}

#[test]
fn pipes_carry_what_is_said_and_nothing_else() {
    let lab = Lab::up(&["--left", "none", "--right", "none"]);
    let _server = Server::talkie(&lab);
    let url = url();
    let mut first = Netcat::start(&lab, "left", &["--server", &url]);
    let command = first.tells("talkie ice ");
    let words: Vec<&str> = command.split_whitespace().skip(2).collect();
    let mut second = Netcat::start(&lab, "right", &words);
    first.say("one");
    first.say("");
    first.say("three");
    second.say("from the other side");
    first.end_input();
    second.end_input();
    assert!(first.tells("connected ").contains("directly"));
    assert_eq!((first.end(), second.end()), (Some(0), Some(0)));
    assert_eq!(second.output.iter().collect::<Vec<_>>(), ["one", "", "three"]);
    assert_eq!(first.output.iter().collect::<Vec<_>>(), ["from the other side"]);
    first.tells("3 sent (");
    // The table, in the end.
    first.tells(">works");
}
