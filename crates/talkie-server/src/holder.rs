//! Who has a port: the first question of whoever reads "address in use".
//!
//! On Linux the kernel lists sockets with their inodes in `/proc/net`, and each process's open
//! files by inode in `/proc/PID/fd`. Other users' processes stay hidden without root; then the
//! answer is `None`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A process that has a port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Its name, as the kernel knows it.
    pub name: String,
    /// Its process id.
    pub pid: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

/// The process whose socket keeps `address` from being bound; `transport` is "TCP" or "UDP".
pub(crate) fn holder(transport: &str, address: SocketAddr) -> Option<Holder> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let protocol = if transport == "UDP" { "udp" } else { "tcp" };
    let inodes: Vec<String> = [protocol.to_owned(), format!("{protocol}6")]
        .iter()
        .filter_map(|table| std::fs::read_to_string(format!("/proc/net/{table}")).ok())
        .flat_map(|table| conflicting(&table, protocol == "tcp", address))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if inodes.is_empty() {
        return None;
    }
    processes().find(|&pid| has_open(pid, &inodes)).map(|pid| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let printable = name.trim().chars().filter(|letter| !letter.is_control());
        Holder { name: printable.collect(), pid }
    })
}

/// The inodes of the sockets in a `/proc/net` table whose local address excludes `wanted`: the
/// same port, and the same address or a wildcard on either side.
fn conflicting(table: &str, only_listening: bool, wanted: SocketAddr) -> Vec<u64> {
    const LISTEN: &str = "0A";
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<_> = line.split_ascii_whitespace().collect();
            let local = endpoint(fields.get(1)?)?;
            let inode: u64 = fields.get(9)?.parse().ok()?;
            let listening = !only_listening || *fields.get(3)? == LISTEN;
            let overlap = local.ip() == wanted.ip()
                || local.ip().is_unspecified()
                || wanted.ip().is_unspecified();
            (listening && local.port() == wanted.port() && overlap && inode != 0).then_some(inode)
        })
        .collect()
}

/// Parses the kernel's `ADDRESS:PORT`: hexadecimal, each 32-bit word in the host's byte order.
fn endpoint(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = ip.get(at * 8..at * 8 + 8)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    let ip = match ip.len() {
        8 => IpAddr::from(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut octets = [0; 16];
            for (at, chunk) in octets.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at)?);
            }
            IpAddr::from(Ipv6Addr::from(octets)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn processes() -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn has_open(pid: u32, inodes: &[String]) -> bool {
    std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten().any(|entry| {
        std::fs::read_link(entry.path())
            .is_ok_and(|target| inodes.iter().any(|inode| target.as_os_str() == inode.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_kernels_endpoints_are_read() {
        assert_eq!(endpoint("0100007F:1F90"), Some("127.0.0.1:8080".parse().unwrap()));
        assert_eq!(
            endpoint("00000000000000000000000001000000:0016"),
            Some("[::1]:22".parse().unwrap())
        );
        assert_eq!(endpoint("xyz:1"), None);
        assert_eq!(endpoint("0100007F"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_holder_of_a_port_is_this_process() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = holder("TCP", listener.local_addr().unwrap()).unwrap();
        assert_eq!(tcp.pid, std::process::id());
        assert!(!tcp.name.is_empty());
        let socket = std::net::UdpSocket::bind("[::1]:0").unwrap();
        let udp = holder("UDP", socket.local_addr().unwrap()).unwrap();
        assert_eq!(udp.pid, std::process::id());
    }
}
