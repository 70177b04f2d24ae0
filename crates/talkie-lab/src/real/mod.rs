//! The NATs as boxes between network namespaces (Linux, root): real programs behind a type of choice.
//!
//! A lab is six namespaces, connected by virtual cables:
//!
//! ```text
//! left ── left-nat ──┐                ┌── right-nat ── right
//!                    ├── internet ────┤
//!                    └──── server     ┘
//! ```
//!
//! In each `-nat` namespace stands a NAT of one of two kinds ([`Kind`]): talkie's own, the one that the
//! simulator uses, between two TUN devices in a process of its own ([`carrier`]); or the kernel's. All of
//! it is found again by the names of the namespaces, and whatever runs in them belongs to the lab; so
//! [`down()`] needs no memory of how things went, and cleans up after a crash as well.
//!
//! Nothing is connected to the host's own network: no address of a lab can clash with the host's.
#![cfg(target_os = "linux")]

mod addresses;
pub mod carrier;
mod command;
mod down;
mod enter;
mod kernel;
mod line;
mod namespace;
mod plan;
mod status;
mod topology;
mod up;

pub use addresses::{Addresses, Host, V6};
pub use command::CommandError;
pub use down::{Removed, down};
pub use enter::{EnterError, enter, inside};
pub use namespace::{Name, NameError, names};
pub use plan::{Kind, Line, Plan, PlanError, Type};
pub use status::{BoxStatus, Status, status};
pub use up::{UpError, up};
