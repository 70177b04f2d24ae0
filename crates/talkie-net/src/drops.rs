//! Datagrams that the kernel dropped before we could receive them.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How many datagrams the kernel dropped at the UDP sockets bound to `addresses`, mostly because
/// their buffers were full. `None` where the operating system does not tell.
#[must_use]
pub fn kernel_drops(addresses: &[SocketAddr]) -> Option<u64> {
    let tables = ["/proc/net/udp", "/proc/net/udp6"].map(fs::read_to_string);
    if tables.iter().all(Result::is_err) {
        return None;
    }
    Some(tables.iter().flatten().map(|table| sum(table, addresses)).sum())
}

/// The second column is the local address, the last one the number of drops.
fn sum(table: &str, addresses: &[SocketAddr]) -> u64 {
    let rows = table.lines().skip(1).filter_map(|line| {
        let address = parse(line.split_whitespace().nth(1)?)?;
        addresses.contains(&address).then(|| line.split_whitespace().last()?.parse::<u64>().ok())?
    });
    rows.sum()
}

/// `0100007F:0D96`: the address as words in the machine's byte order, the port as a number.
fn parse(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut words = [0_u32; 4];
    for (index, word) in words.iter_mut().enumerate().take(ip.len() / 8) {
        *word = u32::from_str_radix(ip.get(index * 8..index * 8 + 8)?, 16).ok()?;
    }
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(words[0].to_ne_bytes()).into(),
        32 => {
            let mut octets = [0; 16];
            for (bytes, word) in octets.chunks_mut(4).zip(words) {
                bytes.copy_from_slice(&word.to_ne_bytes());
            }
            Ipv6Addr::from(octets).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn a_full_buffer_shows() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = UdpSocket::bind(host) else { continue };
            let address = socket.local_addr().unwrap();
            assert_eq!(kernel_drops(&[address]), Some(0));
            socket2::SockRef::from(&socket).set_recv_buffer_size(4096).unwrap();
            for _ in 0..50 {
                socket.send_to(&[0; 1000], address).unwrap();
            }
            assert!(kernel_drops(&[address]).unwrap() > 10, "{host}");
        }
    }
}
