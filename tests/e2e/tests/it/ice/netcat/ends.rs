//! How it ends: the exit codes, and what is said when something is wrong.

use super::{Netcat, any, behind, meet, url};
use crate::ice::server::Server;
use crate::lab::{Lab, SERVER};

fn open() -> Lab {
    Lab::up(&["--left", "none", "--right", "none"])
}

#[test]
fn without_a_pair_that_works_both_end_with_4() {
    let lab = behind("symmetric");
    let _server = Server::talkie(&lab);
    let [mut first, mut second] = meet(&lab, &["--stun", SERVER]);
    assert_eq!((first.end(), second.end()), (Some(4), Some(4)));
    first.tells("no pair of addresses works");
    let over = first.event("over", any);
    let rows = over["pairs"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["selected"] == false), "{over}");
    assert!(rows.iter().any(|row| row["failure"] == "no answer"), "{over}");
}

#[test]
fn when_the_other_side_is_gone_without_a_word_it_ends_with_5() {
    let lab = open();
    let _server = Server::talkie(&lab);
    let [mut first, second] = meet(&lab, &[]);
    first.event("selected", any);
    second.event("selected", any);
    second.signal("KILL");
    first.event("state", |event| event["state"] == "disconnected");
    assert_eq!(first.end(), Some(5));
    first.tells("the connection broke");
}

#[test]
fn who_is_interrupted_takes_leave_and_the_other_side_ends_well() {
    let lab = open();
    let _server = Server::talkie(&lab);
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let [mut first, mut second] = meet(&lab, &[]);
        first.event("selected", any);
        second.event("selected", any);
        first.signal(name);
        assert_eq!((first.end(), second.end()), (Some(code), Some(0)));
        second.event("left", any);
    }
}

#[test]
fn who_is_interrupted_is_missed_without_a_server_too() {
    let lab = open();
    let words = ["--json", "--copy-paste"];
    let [mut first, mut second] = ["left", "right"].map(|host| Netcat::start(&lab, host, &words));
    let [ours, theirs] = [&first, &second].map(|side| side.event("block", any));
    for (side, block) in [(&mut first, &theirs), (&mut second, &ours)] {
        for line in block["lines"].as_array().unwrap() {
            side.say(line.as_str().unwrap());
        }
    }
    first.event("selected", any);
    second.event("selected", any);
    first.signal("INT");
    assert_eq!((first.end(), second.end()), (Some(130), Some(0)));
}

/// They are datagrams: some may be lost where a machine is busy, and then it is told how many.
#[test]
fn a_file_goes_through_and_what_is_lost_of_it_is_told() {
    const LINES: usize = 5000;
    let lab = open();
    let _server = Server::talkie(&lab);
    let url = url();
    let mut first = Netcat::start(&lab, "left", &["--server", &url]);
    let command = first.tells("talkie ice ");
    let words: Vec<&str> = command.split_whitespace().skip(2).collect();
    let mut second = Netcat::start(&lab, "right", &words);
    for number in 0..LINES {
        first.say(&format!("{number} {}", "x".repeat(100)));
    }
    first.end_input();
    second.end_input();
    assert_eq!((first.end(), second.end()), (Some(0), Some(0)));
    let arrived: Vec<String> = second.output.iter().collect();
    let lost = second.errors.iter().find(|line| line.contains("have not arrived"));
    let lost: usize = lost.map_or(0, |line| line.split(' ').nth(1).unwrap().parse().unwrap());
    assert_eq!(arrived.len() + lost, LINES);
    assert!(lost < LINES / 2, "{lost}");
    let numbers = arrived.iter().map(|line| line.split(' ').next().unwrap().parse().unwrap());
    assert!(numbers.collect::<Vec<usize>>().is_sorted());
}

#[test]
fn a_side_that_nobody_can_reach_is_told_why() {
    let lab = open();
    let _server = Server::talkie(&lab);
    let turn = format!("turn:{SERVER}");
    let words = ["--copy-paste", "--relay-only", "--turn", &turn, "--user=alice", "--password=no"];
    let refused = Netcat::start(&lab, "left", &words);
    refused.tells("no relay has given an address");
    let down = lab.talkie("exec", &["left", "--", "ip", "link", "set", "eth0", "down"]).status();
    assert!(down.unwrap().success());
    let cut_off = Netcat::start(&lab, "left", &["--copy-paste"]);
    cut_off.tells("no network interface of this machine has an address");
}

#[test]
fn half_a_block_and_nonsense_are_told_from_a_block() {
    let lab = open();
    let mut side = Netcat::start(&lab, "left", &["--copy-paste"]);
    side.tells("Paste the other side's block");
    side.say("Dear Bob,");
    side.tells("this is no line of a block");
    side.say("a=ice-ufrag:abcd");
    side.say("a=end-of-candidates");
    side.tells("password");
    side.say("a=ice-ufrag:abcd");
    side.end_input();
    assert_eq!(side.end(), Some(1));
    side.tells("in the middle of the other side's block");
}

#[test]
fn servers_that_give_nothing_are_named_and_the_rest_is_used() {
    let lab = open();
    let _server = Server::talkie(&lab);
    let turn = format!("turn:{SERVER}");
    let words = ["--turn", &turn, "--user", "alice", "--password", "wrong"];
    let none = ["--stun", "nowhere.invalid", "--stun", "198.51.100.77"];
    let [mut first, mut second] = meet(&lab, &[&words[..], &none].concat());
    let refused = first.event("candidateError", |event| event["code"] == 401);
    assert!(refused["url"].as_str().unwrap().starts_with(&turn), "{refused}");
    assert_ne!(refused["text"], "");
    let unknown = second.event("candidateError", |event| {
        event["url"].as_str().unwrap().contains("nowhere.invalid")
    });
    assert_ne!(unknown["text"], "");
    first.end_input();
    second.end_input();
    assert_eq!((first.end(), second.end()), (Some(0), Some(0)));
}
