//! The kernel's own word that something has changed: netlink, of which only the fact is read.

use std::io::{self, Read as _};

use socket2::Socket;
use tokio::io::unix::AsyncFd;

use crate::sys;

/// More than any message of the kernel's here; what does not fit is not of interest.
const MESSAGE: usize = 8 << 10;
/// Messages taken at once.
const MESSAGES: usize = 256;

pub(super) struct Kernel {
    socket: AsyncFd<Socket>,
}

impl Kernel {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { socket: sys::address_changes()? })
    }

    /// Waits for a change. Cancel safe.
    pub(super) async fn changed(&self) {
        loop {
            let Ok(mut guard) = self.socket.readable().await else {
                // The runtime is shutting down.
                return std::future::pending().await;
            };
            let read = guard.try_io(|socket| socket.get_ref().read(&mut [0; MESSAGE]));
            // An error says that the kernel had more to tell than there was room for.
            if read.is_ok() {
                return;
            }
        }
    }

    /// Takes what else was said.
    pub(super) fn settle(&self) {
        let mut message = [0; MESSAGE];
        let mut socket = self.socket.get_ref();
        // An overflow is told once and then forgotten; what follows is still there.
        for _ in 0..MESSAGES {
            if socket.read(&mut message).is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock) {
                return;
            }
        }
    }
}
