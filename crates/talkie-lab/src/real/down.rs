//! The end of a lab, whatever state it is in.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::addresses::Host;
use super::carrier::control_process;
use super::command::{CommandError, ip};
use super::namespace::{Name, identity, inhabitants, remove_empty_folder};
use super::topology::SIDES;
use super::up::UpError;

/// How long programs of the lab have to end by themselves.
const GRACE: Duration = Duration::from_secs(2);

/// What was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Namespaces that are gone now.
    pub namespaces: usize,
    /// Programs that ran in them beside the boxes.
    pub programs: usize,
}

/// Ends a lab: every program in its namespaces, the namespaces with their devices, and the files. Of a
/// lab that is not there nothing is removed, which is no error.
///
/// # Errors
/// If this user may not, or `ip` fails.
pub fn down(name: &Name) -> Result<Removed, UpError> {
    if !name.exists() {
        return Ok(Removed::default());
    }
    if !rustix::process::geteuid().is_root() {
        return Err(UpError::NotRoot);
    }
    let present: Vec<Host> =
        Host::all().filter(|host| name.namespace_file(*host).exists()).collect();
    let own = ["/proc/1/ns/net", "/proc/self/ns/net"].map(|file| identity(Path::new(file)));
    let identities: Vec<_> = present
        .iter()
        .filter_map(|host| identity(&name.namespace_file(*host)))
        // Whoever gave the name of a part to the network of the whole host shall not lose the host.
        .filter(|namespace| !own.contains(&Some(*namespace)))
        .collect();
    let boxes = SIDES.iter().filter_map(|(_, nat)| control_process(&name.socket(*nat)));
    let boxes: BTreeSet<u32> = boxes.collect();
    let ended = end_programs(&identities);
    let lines: String =
        present.iter().map(|host| format!("netns delete {}\n", name.namespace(*host))).collect();
    if !present.is_empty() {
        match ip(&lines) {
            Ok(()) => {}
            // Somebody else may have done it meanwhile.
            Err(CommandError::Failed { .. })
                if !Host::all().any(|host| name.namespace_file(host).exists()) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match fs::remove_dir_all(name.folder()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(UpError::Files { folder: name.folder(), error });
        }
        _ => remove_empty_folder(),
    }
    Ok(Removed { namespaces: present.len(), programs: ended.difference(&boxes).count() })
}

/// Asks the programs in the namespaces to end, and ends those that don't. Which there were.
fn end_programs(namespaces: &[(u64, u64)]) -> BTreeSet<u32> {
    let start = Instant::now();
    let mut asked = BTreeSet::new();
    loop {
        let running = inhabitants(namespaces);
        if running.is_empty() {
            return asked;
        }
        let patient = start.elapsed() < GRACE;
        for pid in running {
            let first = asked.insert(pid);
            let signal = if patient { Signal::TERM } else { Signal::KILL };
            if (first || !patient)
                && let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw)
            {
                // It may have ended by itself.
                let _ = kill_process(pid, signal);
            }
        }
        if start.elapsed() > GRACE * 3 {
            // What even this does not end waits for the kernel, and its namespace with it.
            return asked;
        }
        thread::sleep(Duration::from_millis(10));
    }
}
