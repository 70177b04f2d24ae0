//! Socket options and clocks that no safe crate has: the one place with `unsafe`.

#[cfg(target_os = "linux")]
pub use linux::raise_descriptor_limit;
#[cfg(target_os = "linux")]
pub(crate) use linux::{address_changes, time_asleep, tune};
#[cfg(not(target_os = "linux"))]
pub use other::raise_descriptor_limit;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{time_asleep, tune};

/// What [`tune`] shall set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    pub(crate) ipv4: bool,
    /// Whether received packets shall tell which of our addresses they were sent to.
    pub(crate) packet_info: bool,
    pub(crate) may_fragment: bool,
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "system calls")]
mod linux {
    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd};
    use std::time::Duration;

    use socket2::{Domain, Protocol, SockAddr, Socket, Type};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

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

    /// A socket that becomes readable when an interface or an address of this host changes. Must be
    /// called in a tokio runtime.
    pub(crate) fn address_changes() -> io::Result<AsyncFd<Socket>> {
        let protocol = Protocol::from(libc::NETLINK_ROUTE);
        let socket = Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, Some(protocol))?;
        socket.set_nonblocking(true)?;
        let groups = libc::RTMGRP_LINK | libc::RTMGRP_IPV4_IFADDR | libc::RTMGRP_IPV6_IFADDR;
        // SAFETY: `storage` is zeroed and large and aligned enough for any socket address, a
        // `sockaddr_nl` of plain integers among them; the length told is that of what was written.
        let ((), address) = unsafe {
            SockAddr::try_init(|storage, length| {
                let netlink = storage.cast::<libc::sockaddr_nl>();
                (*netlink).nl_family = libc::AF_NETLINK as libc::sa_family_t;
                (*netlink).nl_groups = groups as u32;
                *length = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
                Ok(())
            })
        }?;
        socket.bind(&address)?;
        // SAFETY: a `Socket` owns its descriptor, which stays open and the same until it is dropped.
        let watched = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
        Ok(watched?)
    }

    /// How long this host has slept since it was started.
    pub(crate) fn time_asleep() -> Duration {
        // What time passes between the two only makes it seem longer by microseconds.
        let awake = clock(libc::CLOCK_MONOTONIC);
        clock(libc::CLOCK_BOOTTIME).saturating_sub(awake)
    }

    fn clock(id: libc::clockid_t) -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a whole `timespec` that the kernel fills in.
        if unsafe { libc::clock_gettime(id, &raw mut time) } != 0 {
            return Duration::ZERO;
        }
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    /// Nothing to tune: quinn-udp's settings stay.
    pub(crate) fn tune<F>(_fd: F, _tuning: super::Tuning) -> std::io::Result<()> {
        Ok(())
    }

    /// Not known on this system.
    pub(crate) fn time_asleep() -> std::time::Duration {
        std::time::Duration::ZERO
    }

    /// Not known how on this system: what is granted stays, told as 0.
    ///
    /// # Errors
    /// Never.
    pub fn raise_descriptor_limit() -> std::io::Result<u64> {
        Ok(0)
    }
}
