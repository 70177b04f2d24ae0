//! The kernel's own NAT: rules for nftables.
//!
//! The kernel tracks each flow by itself, also one that comes uninvited from outside and ends at the
//! box. Who then sends to that remote from inside with the same port is given another one, since the
//! flow is taken, and hole punching fails. A rule that drops what is new from outside prevents it: what
//! is dropped before its way ends is not tracked. That rule is all the difference between
//! `linux-masquerade` and `linux-firewalled`.

use std::fmt::Write as _;

use talkie_sim::nat::Preset;

use super::plan::Type;

/// Which pieces of rules make up a type.
struct Rules {
    /// Translates, with these options to `masquerade`.
    masquerade: Option<&'static str>,
    /// Drops what comes uninvited.
    drops: bool,
    udp: bool,
}

impl Type {
    pub(super) fn has_kernel(self) -> bool {
        self.rules().is_some()
    }

    fn rules(self) -> Option<Rules> {
        let masquerade = |options, drops| Rules { masquerade: Some(options), drops, udp: true };
        Some(match self {
            Self::None => Rules { masquerade: None, drops: false, udp: true },
            Self::Nat(Preset::LinuxMasquerade) => masquerade("", false),
            Self::Nat(Preset::LinuxFirewalled | Preset::PortRestricted) => masquerade("", true),
            Self::Nat(Preset::LinuxRandomFully) => masquerade(" random,fully-random", false),
            Self::Nat(Preset::Symmetric) => masquerade(" random,fully-random", true),
            Self::Nat(Preset::Firewall) => Rules { masquerade: None, drops: true, udp: true },
            Self::Nat(Preset::UdpBlocked) => Rules { udp: false, ..masquerade("", true) },
            Self::Nat(_) => return None,
        })
    }
}

/// What `nft -f` is given; `lan` and `wan` are the two cards of the box. Chains have a line for each
/// rule, since older versions of `nft` take nothing else.
pub(super) fn rules(kind: Type) -> Option<String> {
    let Rules { masquerade, drops, udp } = kind.rules()?;
    let mut rules = String::from("table inet lab {\nchain forward {\n");
    rules.push_str("type filter hook forward priority 0; policy accept;\n");
    if !udp {
        rules.push_str("meta l4proto udp drop\n");
    }
    if drops {
        rules.push_str("iifname \"wan\" ct state new,invalid drop\n");
        rules.push_str("}\nchain input {\n");
        rules.push_str("type filter hook input priority 0; policy accept;\n");
        rules.push_str("iifname \"wan\" meta l4proto { tcp, udp } ct state new,invalid drop\n");
    }
    rules.push_str("}\n}\n");
    if let Some(options) = masquerade {
        rules.push_str("table ip lab-nat {\nchain postrouting {\n");
        rules.push_str("type nat hook postrouting priority 100; policy accept;\n");
        let _ = writeln!(rules, "oifname \"wan\" masquerade{options}");
        rules.push_str("}\n}\n");
    }
    Some(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rule_against_uninvited_packets_tells_two_linuxes_apart() {
        let masquerade = rules(Type::Nat(Preset::LinuxMasquerade)).unwrap();
        let firewalled = rules(Type::Nat(Preset::LinuxFirewalled)).unwrap();
        assert!(masquerade.contains("masquerade\n") && !masquerade.contains("drop"));
        let more = firewalled.lines().filter(|line| !masquerade.contains(line));
        assert!(more.clone().count() > 0);
        assert!(more.filter(|line| line.contains("iifname")).all(|line| line.contains("drop")));
    }

    #[test]
    fn the_kernel_knows_no_full_cone() {
        assert_eq!(rules(Type::Nat(Preset::FullCone)), None);
    }
}
