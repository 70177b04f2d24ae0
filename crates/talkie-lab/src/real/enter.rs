//! Going into a namespace of a lab.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::thread;

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::addresses::Host;
use super::namespace::{Name, identity};

/// Why a namespace cannot be entered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnterError {
    /// There is no such lab.
    #[error(
        "no lab named {0} is up: `talkie lab up --name {0}` starts one, `talkie lab status` shows all"
    )]
    NotUp(Name),
    /// Not allowed to this user.
    #[error("entering a lab is not permitted: it takes root (`sudo talkie lab exec …`)")]
    NotPermitted,
    /// The system refused for another reason.
    #[error("cannot enter {host} of lab {name}: {error}")]
    System {
        /// The lab.
        name: Name,
        /// The host.
        host: Host,
        /// What the system says.
        error: io::Error,
    },
}

/// Moves this thread, and whatever program it becomes or starts, to a host of the lab: its network, and
/// files of its own for `/etc/hosts`, `/etc/resolv.conf` and `/sys`.
///
/// # Errors
/// If there is no such lab, or this user may not.
pub fn enter(name: &Name, host: Host) -> Result<(), EnterError> {
    enter_network(name, host)?;
    own_files(name).map_err(|error| refused(name, host, error))
}

/// Moves this thread to the network of a host of the lab.
pub(super) fn enter_network(name: &Name, host: Host) -> Result<(), EnterError> {
    let file = name.namespace_file(host);
    // A file that is no namespace is what a crash has left.
    if identity(&file).is_none() {
        return Err(EnterError::NotUp(name.clone()));
    }
    let enter = || {
        let namespace = File::open(file)?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        Ok(())
    };
    enter().map_err(|error| refused(name, host, error))
}

/// Does something in the network of a host, and stays where one is. A socket that is opened there stays
/// there.
///
/// # Errors
/// If there is no such lab, or this user may not.
pub fn inside<T: Send>(
    name: &Name,
    host: Host,
    work: impl FnOnce() -> T + Send,
) -> Result<T, EnterError> {
    // Namespaces are a matter of threads.
    thread::scope(|scope| {
        let thread = scope.spawn(|| enter_network(name, host).map(|()| work()));
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn refused(name: &Name, host: Host, error: io::Error) -> EnterError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => EnterError::NotPermitted,
        _ => EnterError::System { name: name.clone(), host, error },
    }
}

/// The names of the lab's hosts are known, and no name server is: those of the host cannot be reached
/// from here, and waiting for them would be all that happens.
fn own_files(name: &Name) -> io::Result<()> {
    talkie_net::tun::own_mounts()?;
    let apart = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", apart)?;
    for file in ["hosts", "resolv.conf"] {
        let ours = name.file(file);
        let theirs = Path::new("/etc").join(file);
        if ours.exists() && theirs.exists() {
            rustix::mount::mount_bind(&ours, &theirs)?;
        }
    }
    // /sys/class/net shows the network that it was mounted in. Where the system does not allow it, as
    // in some containers, what shows is the host's.
    if fs::exists("/sys/class/net")? && rustix::mount::unmount("/sys", UnmountFlags::DETACH).is_ok()
    {
        let _ = rustix::mount::mount("sysfs", "/sys", "sysfs", MountFlags::empty(), None);
    }
    Ok(())
}
