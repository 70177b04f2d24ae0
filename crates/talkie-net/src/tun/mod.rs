//! TUN devices: network cards whose other end is this program. Linux only.
//!
//! A packet that the kernel routes to the device is read here as raw IP, and what is written here
//! arrives at the kernel as if by wire. Each packet has a [`Header`] before it (`virtio_net_hdr`): with
//! [`Offload::All`] the kernel hands over runs of segments of one flow as one packet of up to 64 KiB, and
//! checksums that a network card would have completed are left to us. A box that only rewrites headers
//! then pays once for forty packets; see `docs/bench.md` for what that is worth.

mod header;
mod sys;

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;

pub use header::{HEADER_LEN, Header};
pub use sys::own_mounts;

/// The device that makes devices.
const CLONE_DEVICE: &str = "/dev/net/tun";
/// The most that one read returns: a run of segments is one IP packet, and its length has 16 bits.
pub const MOST_READ: usize = HEADER_LEN + 65_535;

/// What the kernel may leave to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offload {
    /// Nothing: packets are as they travel on the wire.
    None,
    /// Checksums, and segmentation of TCP and, where the kernel knows how, UDP.
    All,
}

/// Why there is no TUN device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TunError {
    /// The name is no name of a network device.
    #[error("{0:?} is no name for a network device: 1 to 15 letters, digits and hyphens")]
    Name(String),
    /// The kernel has no TUN devices, or this container has not been given them.
    #[error(
        "there is no {CLONE_DEVICE}: load the kernel's module (`modprobe tun`), or give the container \
         the device (`--device {CLONE_DEVICE}`)"
    )]
    Missing,
    /// Not allowed to this user.
    #[error("making a TUN device is not permitted: it takes root, or the capability CAP_NET_ADMIN")]
    NotPermitted,
    /// Another program has a device of this name.
    #[error("the network device {0} is there already")]
    Taken(String),
    /// The system refused for another reason.
    #[error("cannot make the TUN device {name}: {error}")]
    System {
        /// The device's name.
        name: String,
        /// What the system says.
        error: io::Error,
    },
}

/// A TUN device. It vanishes when this is dropped, also when the process is killed.
#[derive(Debug)]
pub struct Tun {
    device: File,
    segments_udp: bool,
}

impl Tun {
    /// Makes the device in the network namespace of this thread. Reads and writes don't block.
    ///
    /// # Errors
    /// If the name is taken, or the system refuses.
    pub fn create(name: &str, offload: Offload) -> Result<Self, TunError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || name.len() > 15 || !name.bytes().all(fits) {
            return Err(TunError::Name(name.to_owned()));
        }
        let refused = |error: io::Error| match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => TunError::NotPermitted,
            Some(libc::EBUSY | libc::EEXIST) => TunError::Taken(name.to_owned()),
            Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => TunError::Missing,
            _ => TunError::System { name: name.to_owned(), error },
        };
        let device = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(CLONE_DEVICE)
            .map_err(refused)?;
        sys::name_device(device.as_fd(), name).map_err(refused)?;
        let segments_udp = sys::offload(device.as_fd(), offload).map_err(refused)?;
        Ok(Self { device, segments_udp })
    }

    /// Whether the kernel hands over runs of UDP datagrams as one packet (Linux 6.2 and later).
    #[must_use]
    pub fn segments_udp(&self) -> bool {
        self.segments_udp
    }

    /// Reads one packet with its header before it, [`MOST_READ`] bytes at most.
    ///
    /// # Errors
    /// `WouldBlock` if there is none.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.device).read(buffer)
    }

    /// Writes one packet with its header before it.
    ///
    /// # Errors
    /// If the kernel has no room for it, takes it for malformed, or the device is down.
    pub fn send(&self, packet: &[u8]) -> io::Result<()> {
        (&self.device).write(packet).map(drop)
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_device_can_have_is_refused_before_the_kernel_is_asked() {
        for name in ["", "a-name-of-16-byte", "with space", "a/b", "ä"] {
            assert!(matches!(Tun::create(name, Offload::None), Err(TunError::Name(_))), "{name:?}");
        }
    }
}
