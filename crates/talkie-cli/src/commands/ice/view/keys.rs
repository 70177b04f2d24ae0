//! A terminal that hands over each key, and shows none by itself.

/// While there is one, keys come as they are typed. Dropping it gives the terminal back as it was.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Keys {
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl Keys {
    /// `None` where standard input is no such terminal; it then edits its lines itself.
    pub(super) fn take() -> Option<Self> {
        use rustix::termios::{
            LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr,
        };

        let input = std::io::stdin();
        let before = tcgetattr(&input).ok()?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Who is stopped or dumps its memory could not give the terminal back. Ctrl-C is a signal as ever.
        for key in [SpecialCodeIndex::VSUSP, SpecialCodeIndex::VQUIT] {
            modes.special_codes[key] = DISABLED;
        }
        tcsetattr(&input, OptionalActions::Now, &modes).ok()?;
        Some(Self { before })
    }
}

/// POSIX's `_POSIX_VDISABLE`.
#[cfg(target_os = "linux")]
const DISABLED: u8 = 0;
#[cfg(all(unix, not(target_os = "linux")))]
const DISABLED: u8 = 0xff;

#[cfg(unix)]
impl Drop for Keys {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};

        // A terminal that is gone needs nothing.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Elsewhere terminals edit their lines themselves.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct Keys;

#[cfg(not(unix))]
impl Keys {
    pub(super) fn take() -> Option<Self> {
        None
    }
}
