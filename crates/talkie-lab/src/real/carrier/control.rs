//! What a box tells of itself: whoever connects to its socket is written one JSON document.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long who asks may take to read, while packets wait.
const WRITE_TIMEOUT: Duration = Duration::from_millis(50);
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// A box's table and counters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The box's process; none where the kernel is the box.
    pub process: Option<u32>,
    /// The table, oldest mapping first.
    pub rows: Vec<TableRow>,
    /// What happened since the box was started.
    pub counters: Counters,
    /// Why the NAT let packets not pass, and how many.
    pub drops: Vec<(String, u64)>,
}

/// One line of a table, as textbooks draw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    /// `udp`, `tcp` or `icmp`.
    pub protocol: String,
    /// The host's own address and port.
    pub inside: String,
    /// What the world sees in its place.
    pub outside: String,
    /// For packets to whom the mapping is used.
    pub to: String,
    /// From whom it lets packets in.
    pub from: String,
    /// Seconds since it was last used, where that is known.
    pub idle: Option<f64>,
}

/// Packets, those in runs counted one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// That came from the host.
    pub from_inside: u64,
    /// That came from the Internet.
    pub from_outside: u64,
    /// That the line lost by chance.
    pub lost: u64,
    /// That found the line's queue full.
    pub overflowed: u64,
    /// That the kernel did not take.
    pub refused: u64,
}

/// Answers all who ask.
pub(super) fn answer(control: &UnixListener, report: &Report) {
    while let Ok((mut stream, _)) = control.accept() {
        let Ok(document) = serde_json::to_vec(report) else { continue };
        // Who asks and does not listen has nothing.
        let _ = stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let _ = stream.write_all(&document);
    }
}

/// The process of a box, which it need not answer for; `None` if it has ended.
pub(in super::super) fn process(socket: &Path) -> Option<u32> {
    let stream = UnixStream::connect(socket).ok()?;
    let listener = rustix::net::sockopt::socket_peercred(&stream).ok()?;
    u32::try_from(listener.pid.as_raw_nonzero().get()).ok()
}

/// Asks a box.
pub(in super::super) fn ask(socket: &Path) -> io::Result<Report> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    let mut document = Vec::new();
    stream.read_to_end(&mut document)?;
    Ok(serde_json::from_slice(&document)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_is_known_without_a_word_of_theirs() {
        let folder = std::env::temp_dir().join(format!("talkie-box-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let socket = folder.join("box.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        assert_eq!(process(&socket), Some(std::process::id()));
        drop(listener);
        assert_eq!(process(&socket), None);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
