//! Socket options that no safe crate sets: the one place with `unsafe`.

#[cfg(target_os = "linux")]
pub use linux::raise_descriptor_limit;
#[cfg(target_os = "linux")]
pub(crate) use linux::tune;
#[cfg(not(target_os = "linux"))]
pub use other::raise_descriptor_limit;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::tune;

/// What [`tune`] shall set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    pub(crate) ipv4: bool,
    /// Whether received packets shall tell which of our addresses they were sent to.
    pub(crate) packet_info: bool,
    pub(crate) may_fragment: bool,
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "setsockopt")]
mod linux {
    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd};

    use super::Tuning;

    fn set(fd: BorrowedFd<'_>, level: i32, name: i32, value: libc::c_int) -> io::Result<()> {
        let size = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: the descriptor is open while it is borrowed, and the pointer is to a `c_int` of
        // `size` bytes that the kernel only reads.
        let outcome = unsafe {
            libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), size)
        };
        if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Switches off what quinn-udp asks of each packet and a relay does not need, since each
    /// control message costs on every packet; sets the fragmentation policy.
    pub(crate) fn tune(fd: BorrowedFd<'_>, tuning: Tuning) -> io::Result<()> {
        set(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 0)?;
        let info = libc::c_int::from(tuning.packet_info);
        if tuning.ipv4 {
            set(fd, libc::IPPROTO_IP, libc::IP_RECVTOS, 0)?;
            set(fd, libc::IPPROTO_IP, libc::IP_PKTINFO, info)?;
        } else {
            set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, 0)?;
            set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, info)?;
        }
        if tuning.may_fragment {
            let (level, name, off) = if tuning.ipv4 {
                (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DONT)
            } else {
                set(fd, libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG, 0)?;
                (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DONT)
            };
            set(fd, level, name, off)?;
        }
        Ok(())
    }

    /// Lets this process open as many descriptors as its hard limit allows, and tells how many: each
    /// relay is a socket, and 1,024 is what a shell grants.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn raise_descriptor_limit() -> io::Result<u64> {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the pointer is to a whole `rlimit` that the kernel fills in.
        if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
            return Err(io::Error::last_os_error());
        }
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max;
            // SAFETY: the pointer is to a whole `rlimit` that the kernel only reads.
            if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(limit.rlim_cur)
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    /// Nothing to tune: quinn-udp's settings stay.
    pub(crate) fn tune<F>(_fd: F, _tuning: super::Tuning) -> std::io::Result<()> {
        Ok(())
    }

    /// Not known how on this system: what is granted stays, told as 0.
    ///
    /// # Errors
    /// Never.
    pub fn raise_descriptor_limit() -> std::io::Result<u64> {
        Ok(0)
    }
}
