//! Who is up, and what the boxes have in their tables.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use super::addresses::Host;
use super::carrier::{Counters, Report, TableRow, control_ask, read_plan};
use super::enter::{EnterError, inside};
use super::namespace::{Name, identity, inhabitants};
use super::plan::{Kind, Plan};
use super::topology::SIDES;

/// A lab that is up, or what is left of one.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its name.
    pub name: Name,
    /// What it was meant to be; `None` if that is lost.
    pub plan: Option<Plan>,
    /// Hosts whose namespace is missing: not empty after a crash.
    pub missing: Vec<Host>,
    /// How many programs run in it beside the boxes; `None` if this user is not shown all of them.
    pub programs: Option<usize>,
    /// Its NATs.
    pub boxes: Vec<BoxStatus>,
}

/// One NAT.
#[derive(Clone, Debug)]
pub struct BoxStatus {
    /// Which one.
    pub nat: Host,
    /// Its table; or why it is not known.
    pub report: Result<Report, String>,
}

/// Looks at a lab. `None` if there is none of this name.
#[must_use]
pub fn status(name: &Name) -> Option<Status> {
    if !name.exists() {
        return None;
    }
    let identities: Vec<_> =
        Host::all().map(|host| (host, identity(&name.namespace_file(host)))).collect();
    let missing = identities.iter().filter(|(_, identity)| identity.is_none());
    let missing = missing.map(|(host, _)| *host).collect();
    let present: Vec<_> = identities.iter().filter_map(|(_, identity)| *identity).collect();
    let plan = read_plan(name).ok();
    let boxes: Vec<_> = plan.as_ref().map_or_else(Vec::new, |plan| {
        let boxes =
            SIDES.iter().map(|(_, nat)| BoxStatus { nat: *nat, report: ask(name, plan, *nat) });
        boxes.collect()
    });
    let processes: Vec<u32> =
        boxes.iter().filter_map(|one| one.report.as_ref().ok()?.process).collect();
    // In whose network a program is, only root is told of all.
    let programs = rustix::process::geteuid().is_root().then(|| {
        let all = inhabitants(&present).into_iter();
        all.filter(|program| !processes.contains(program)).count()
    });
    Some(Status { name: name.clone(), plan, missing, programs, boxes })
}

fn ask(name: &Name, plan: &Plan, nat: Host) -> Result<Report, String> {
    match plan.kind {
        Kind::Tun => control_ask(&name.socket(nat)).map_err(|error| unanswered(name, &error)),
        Kind::Kernel => {
            let table = Path::new("/proc/thread-self/net/nf_conntrack");
            let read = inside(name, nat, || fs::read_to_string(table));
            let text = read.map_err(not_entered)?.map_err(|error| {
                format!("the kernel shows no table ({}: {error})", table.display())
            })?;
            let rows = text.lines().filter_map(tracked).collect();
            Ok(Report { process: None, rows, counters: Counters::default(), drops: Vec::new() })
        }
    }
}

const NOT_SHOWN: &str = "only root is shown its table: `sudo talkie lab status`";

fn unanswered(name: &Name, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => NOT_SHOWN.to_owned(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => format!(
            "the box does not answer, its process has ended: `talkie lab down --name {name}` removes \
             what is left"
        ),
        _ => format!("the box does not answer: {error}"),
    }
}

fn not_entered(error: EnterError) -> String {
    match error {
        EnterError::NotPermitted => NOT_SHOWN.to_owned(),
        error => error.to_string(),
    }
}

/// A line of the kernel's table: the flow as it was seen first, then the reply that is waited for.
fn tracked(line: &str) -> Option<TableRow> {
    let protocol = line.split_whitespace().nth(2)?;
    let all = |key: &str| {
        let key = format!("{key}=");
        let values = line
            .split_whitespace()
            .filter_map(move |word| word.strip_prefix(&key).map(str::to_owned));
        values.collect::<Vec<_>>()
    };
    let end = |address: &str, port: &str, nth: usize| -> Option<String> {
        let address = all(address).get(nth)?.parse().ok()?;
        // An echo has no ports.
        let port = all(port).get(nth).map_or(Some(0), |port| port.parse().ok())?;
        Some(SocketAddr::new(address, port).to_string())
    };
    let remote = end("dst", "dport", 0)?;
    Some(TableRow {
        protocol: protocol.to_owned(),
        inside: end("src", "sport", 0)?,
        outside: end("dst", "dport", 1)?,
        to: remote.clone(),
        from: remote,
        idle: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_there_is_no_table_is_said_with_what_to_do() {
        let name = "lab".parse().unwrap();
        let said = |kind: io::ErrorKind| unanswered(&name, &kind.into());
        assert!(said(io::ErrorKind::PermissionDenied).contains("sudo"));
        assert_eq!(not_entered(EnterError::NotPermitted), said(io::ErrorKind::PermissionDenied));
        for gone in [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused] {
            assert!(said(gone).contains("has ended: `talkie lab down --name lab`"));
        }
        assert!(said(io::ErrorKind::TimedOut).contains("timed out"));
    }

    #[test]
    fn a_tracked_flow_is_a_row() {
        let row = tracked(
            "ipv4     2 udp      17 27 src=10.1.0.2 dst=198.51.100.1 sport=4000 dport=3478 \
             [UNREPLIED] src=198.51.100.1 dst=203.0.113.10 sport=3478 dport=4001 mark=0 zone=0 use=2",
        );
        let row = row.unwrap();
        assert_eq!(
            (row.inside.as_str(), row.outside.as_str()),
            ("10.1.0.2:4000", "203.0.113.10:4001")
        );
        assert_eq!((row.protocol.as_str(), row.to.as_str()), ("udp", "198.51.100.1:3478"));
    }
}
