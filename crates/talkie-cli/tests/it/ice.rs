//! `talkie ice`: on one host, its errors and its exit codes. Behind NATs it is tried in `tests/e2e`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};

use crate::program::{Running, run, talkie};

/// Starts it with pipes.
fn start(words: &[&str]) -> Child {
    let mut command = talkie(&["ice"]);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

#[test]
fn help_has_examples_and_exit_codes() {
    let said = run(&mut talkie(&["ice", "--help"]));
    assert_eq!(said.code, Some(0));
    for part in ["--copy-paste", "--relay-only", "--echo", "--json", "Examples:", "Exit codes:"] {
        assert!(said.stdout.contains(part), "{part} is not in\n{}", said.stdout);
    }
}

#[test]
fn wrong_command_lines_end_with_2_and_say_why() {
    for (args, part) in [
        (&["https://talk.example.org"][..], "servers are named by --server"),
        (&["G5MD4-E9WCA-NQJZN-JERJJ"], "there is a typo in the code"),
        (&["--turn", "turn.example.org"], "--user"),
        (&["--stun", "turn:turn.example.org"], "name it with --turn"),
        (&["--copy-paste", "--relay-only"], "needs a relay"),
        (&["--port-range", "1"], "is not a range FIRST-LAST"),
    ] {
        let said = run(talkie(&["ice"]).args(args));
        assert_eq!(said.code, Some(2), "{args:?}: {}", said.stderr);
        assert!(said.stderr.contains(part), "{args:?}: {}", said.stderr);
        assert_eq!(said.stdout, "");
    }
}

#[test]
fn two_on_one_host_meet_and_what_each_says_the_other_has() {
    let server = Running::start(&["--no-self-test"]);
    let url = server.value("local URL").to_owned();
    let mut first = start(&["--server", &url]);
    let mut told =
        BufReader::new(first.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let command = told.find(|line| line.contains("talkie ice ")).expect("a command");
    let words: Vec<&str> = command.split_whitespace().skip(2).collect();
    let mut second = start(&words);
    for (side, words) in [(&mut first, "from the first\n"), (&mut second, "from the second\n")] {
        let mut input = side.stdin.take().expect("piped");
        input.write_all(words.as_bytes()).expect("it reads");
    }
    let told: Vec<String> = told.collect();
    let [first, second] = [first, second].map(|side| side.wait_with_output().expect("it ends"));
    let other = String::from_utf8_lossy(&second.stderr);
    for (output, expected) in [(&first, "from the second\n"), (&second, "from the first\n")] {
        assert_eq!(output.status.code(), Some(0), "{told:#?}\n{other}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{told:#?}\n{other}");
    }
    assert!(told.iter().any(|line| line.starts_with("connected directly")), "{told:#?}");
}

#[test]
fn who_is_read_no_more_takes_leave() {
    let server = Running::start(&["--no-self-test"]);
    let url = server.value("local URL").to_owned();
    for more in [&[][..], &["--json"]] {
        let mut first = start(&["--server", &url]);
        let mut told =
            BufReader::new(first.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let command = told.find(|line| line.contains("talkie ice ")).expect("a command");
        let words: Vec<&str> =
            command.split_whitespace().skip(2).chain(more.iter().copied()).collect();
        let mut second = start(&words);
        // As `head` does when it has enough.
        drop(second.stdout.take());
        let mut input = first.stdin.take().expect("piped");
        input.write_all(b"one\ntwo\n").expect("it reads");
        let ends = [&mut second, &mut first].map(|side| side.wait().expect("it ends").code());
        // An event is too much before there is a connection, or just after.
        let is_right =
            |code: &Option<i32>| *code == Some(0) || (!more.is_empty() && *code == Some(1));
        assert!(ends.iter().all(is_right), "{more:?}: {ends:?}");
    }
}

#[test]
fn a_code_that_nobody_waits_with_is_told_as_such() {
    let server = Running::start(&["--no-self-test"]);
    let url = server.value("local URL").to_owned();
    let said = run(&mut talkie(&["ice", "G5MD4-E9WCA-NQJZN-JERJK", "--server", &url]));
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("nobody is there with this code"), "{}", said.stderr);
    assert!(said.stderr.contains("`talkie ice`"), "{}", said.stderr);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", closed.local_addr().expect("bound"));
    drop(closed);
    let said = run(&mut talkie(&["ice", "--server", &url]));
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    let words = format!("`talkie doctor --server {url}` looks into it");
    assert!(said.stderr.contains(&words), "{}", said.stderr);
}

#[test]
fn without_a_block_there_is_no_attempt() {
    let said = run(&mut talkie(&["ice", "--copy-paste"]));
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("standard input has ended"), "{}", said.stderr);
}
