//! The system calls that no safe crate makes.
#![expect(unsafe_code, reason = "ioctl, unshare")]

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::Offload;

/// Names the device that an open `/dev/net/tun` stands for, and so makes it.
pub(super) fn name_device(device: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    let mut request = request_for(name);
    let flags = libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR | libc::IFF_TUN_EXCL;
    request.ifr_ifru.ifru_flags = flags as libc::c_short;
    // SAFETY: the descriptor is open while it is borrowed, and TUNSETIFF reads and writes one `ifreq`,
    // which the pointer is to.
    let outcome = unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    succeeded(outcome)
}

/// Says what may be left to us; whether runs of UDP are among it.
pub(super) fn offload(device: BorrowedFd<'_>, offload: Offload) -> io::Result<bool> {
    let set = |features: libc::c_uint| {
        // SAFETY: the descriptor is open while it is borrowed; TUNSETOFFLOAD takes a number.
        let outcome = unsafe {
            libc::ioctl(device.as_raw_fd(), libc::TUNSETOFFLOAD, libc::c_ulong::from(features))
        };
        succeeded(outcome)
    };
    if offload == Offload::None {
        return set(0).map(|()| false);
    }
    let tcp = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6;
    match set(tcp | libc::TUN_F_USO4 | libc::TUN_F_USO6) {
        Ok(()) => Ok(true),
        // Before Linux 6.2 there was no such thing.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => set(tcp).map(|()| false),
        Err(error) => Err(error),
    }
}

/// Gives this thread a view of its own on what is mounted where.
///
/// # Errors
/// If the system refuses.
pub fn own_mounts() -> io::Result<()> {
    // SAFETY: CLONE_NEWNS shares no memory and no descriptors anew; it only copies the table of mounts.
    succeeded(unsafe { libc::unshare(libc::CLONE_NEWNS) })
}

fn request_for(name: &str) -> libc::ifreq {
    // SAFETY: an `ifreq` is bytes and a union of numbers and pointers, for all of which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // One byte stays zero, since the name ends there.
    let room = request.ifr_name.len() - 1;
    for (to, from) in request.ifr_name[..room].iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request
}

fn succeeded(outcome: libc::c_int) -> io::Result<()> {
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
