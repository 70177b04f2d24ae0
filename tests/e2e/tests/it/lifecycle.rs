//! Starting, failing to start, draining and stopping.

use std::net::{Ipv4Addr, TcpListener};

use talkie_e2e::{Ports, Program, Signal};

use crate::room::Member;

#[test]
fn page_is_served_where_the_program_says() {
    let ports = Ports::pick().unwrap();
    let mut program = Program::serve(&ports.flags()).unwrap();
    let page = program.wait_for(ports.http, "/").unwrap();
    assert!(page.contains("<title>talkie"), "{page}");
    program.wait_for_print(&format!("http://localhost:{}/", ports.http)).unwrap();
}

#[test]
fn taken_port_is_named_with_the_flag_that_changes_it() {
    let ports = Ports::pick().unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.http)).unwrap();
    let mut program = Program::serve(&ports.flags()).unwrap();
    let status = program.wait_for_end().unwrap();
    let printed = program.printed();
    assert!(!status.success());
    assert!(printed.contains(&ports.http.to_string()) && printed.contains("--http"), "{printed}");
    drop(taken);
}

#[test]
fn empty_server_stops_at_once_when_told() {
    let ports = Ports::pick().unwrap();
    let mut program = Program::serve(&ports.flags()).unwrap();
    program.wait_for(ports.admin, "/readyz").unwrap();
    program.signal(Signal::Term).unwrap();
    assert!(program.wait_for_end().unwrap().success(), "{}", program.printed());
}

#[test]
fn draining_server_waits_for_its_rooms() {
    let ports = Ports::pick().unwrap();
    let mut program = Program::serve(&ports.flags()).unwrap();
    program.wait_for(ports.admin, "/readyz").unwrap();
    let mut member = Member::enter(ports.http, "kitchen");
    program.signal(Signal::Term).unwrap();

    let draining = member.wait_for("draining");
    assert!(draining["within"].as_u64().is_some_and(|within| within <= 30), "{draining}");
    assert!(program.runs().unwrap(), "{}", program.printed());
    member.say_bye();
    assert!(program.wait_for_end().unwrap().success(), "{}", program.printed());
}

#[test]
fn second_signal_stops_at_once() {
    let ports = Ports::pick().unwrap();
    let mut program = Program::serve(&ports.flags()).unwrap();
    program.wait_for(ports.admin, "/readyz").unwrap();
    let mut member = Member::enter(ports.http, "kitchen");
    program.signal(Signal::Int).unwrap();
    member.wait_for("draining");
    program.signal(Signal::Int).unwrap();
    assert_eq!(member.wait_for_close(), 1001);
    let status = program.wait_for_end().unwrap();
    assert_eq!(status.code(), Some(130), "{}", program.printed());
}
