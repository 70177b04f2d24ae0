//! What a lab shall be.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use talkie_sim::nat::Preset;

/// Everything about a lab but its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Who translates.
    pub kind: Kind,
    /// What stands before the left host.
    pub left: Type,
    /// What stands before the right host.
    pub right: Type,
    /// The line between each NAT and the Internet.
    pub line: Line,
    /// Whether hosts also have IPv6 addresses, which no NAT translates.
    pub ipv6: bool,
}

/// Who translates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Talkie's NAT, between two TUN devices.
    #[default]
    Tun,
    /// The kernel's, told what to do by nftables.
    Kernel,
}

/// What stands before a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Type {
    /// A router that neither translates nor filters.
    None,
    /// A NAT.
    Nat(Preset),
}

/// What a line does to packets, each way. Packets stay in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// How long a packet is under way.
    pub delay: Duration,
    /// By how much that differs from packet to packet, at the most, to either side.
    pub jitter: Duration,
    /// The part of the packets that is lost, 0 to 1.
    pub loss: f64,
    /// Bits in a second; no limit if zero.
    pub rate: u64,
}

/// A plan that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The kernel has no such NAT.
    #[error(
        "the kernel's NAT cannot be {0}; --kind kernel knows {known}. For all others leave --kind away",
        known = KERNEL_TYPES
    )]
    Kernel(Type),
    /// The kernel's NAT forwards at once.
    #[error(
        "--kind kernel has no delay, jitter, loss or rate; they are part of talkie's own box, --kind tun"
    )]
    KernelLine,
    /// A packet cannot arrive before it was sent.
    #[error("the jitter ({jitter:?}) must not be more than the delay ({delay:?})")]
    Jitter {
        /// The delay.
        delay: Duration,
        /// The jitter.
        jitter: Duration,
    },
}

const KERNEL_TYPES: &str = "port-restricted (the same as linux-firewalled), symmetric, linux-masquerade, \
                            linux-firewalled, linux-random-fully, firewall, udp-blocked and none";

impl Plan {
    /// Checks that it can be carried out.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self) -> Result<(), PlanError> {
        let Line { delay, jitter, .. } = self.line;
        if jitter > delay {
            return Err(PlanError::Jitter { delay, jitter });
        }
        if self.kind == Kind::Kernel {
            if let Some(kind) = [self.left, self.right].into_iter().find(|kind| !kind.has_kernel())
            {
                return Err(PlanError::Kernel(kind));
            }
            if !self.line.is_plain() {
                return Err(PlanError::KernelLine);
            }
        }
        Ok(())
    }
}

impl Line {
    /// Whether it does nothing to packets.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.delay.is_zero() && self.jitter.is_zero() && self.loss == 0.0 && self.rate == 0
    }
}

impl Type {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        Preset::all().map(Self::Nat).chain([Self::None])
    }

    /// Its name in the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Nat(preset) => preset.name(),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Type {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::all()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| format!("there is no NAT type {text:?}"))
    }
}

impl TryFrom<String> for Type {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Type> for String {
    fn from(kind: Type) -> Self {
        kind.name().to_owned()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tun => "tun",
            Self::Kernel => "kernel",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(kind: Kind, left: &str) -> Plan {
        let left = left.parse().unwrap();
        Plan { kind, left, right: Type::None, line: Line::default(), ipv6: false }
    }

    #[test]
    fn the_kernel_is_asked_for_nothing_it_does_not_know() {
        assert_eq!(plan(Kind::Tun, "full-cone").check(), Ok(()));
        let refused = plan(Kind::Kernel, "full-cone").check().unwrap_err();
        assert_eq!(refused, PlanError::Kernel("full-cone".parse().unwrap()));
        assert!(refused.to_string().contains("linux-masquerade"));
        let mut slow = plan(Kind::Kernel, "symmetric");
        assert_eq!(slow.check(), Ok(()));
        slow.line.loss = 0.1;
        assert_eq!(slow.check(), Err(PlanError::KernelLine));
    }

    #[test]
    fn no_packet_arrives_before_it_was_sent() {
        let mut early = plan(Kind::Tun, "none");
        early.line.jitter = Duration::from_millis(1);
        assert!(matches!(early.check(), Err(PlanError::Jitter { .. })));
    }
}
