//! The kinds of NAT by name, for whoever lets a person choose one.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::behavior::Config;

/// A kind of NAT that has a name. [`Preset::config`] makes it a [`Config`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Preset {
    /// RFC 3489's full cone.
    FullCone,
    /// RFC 3489's (address-)restricted cone.
    AddressRestricted,
    /// RFC 3489's port restricted cone.
    PortRestricted,
    /// RFC 3489's symmetric NAT.
    Symmetric,
    /// Linux with nothing but `masquerade`.
    LinuxMasquerade,
    /// Linux with `masquerade` and a firewall before it.
    LinuxFirewalled,
    /// Linux with `masquerade random,fully-random`.
    LinuxRandomFully,
    /// A home router by the book.
    HomeRouter,
    /// A home router with a short memory.
    HomeForgetful,
    /// A home router that is symmetric and counts its ports up.
    HomeSequential,
    /// A router with a mapping for each remote address.
    AddressDependent,
    /// A provider's NAT by the book.
    Cgnat,
    /// A mobile operator's NAT that is symmetric over a pool of addresses.
    CgnatSymmetric,
    /// No translation, only filtering.
    Firewall,
    /// A network that lets no UDP through.
    UdpBlocked,
}

/// A name that no preset has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPreset(pub String);

impl Preset {
    const ALL: [Self; 15] = [
        Self::FullCone,
        Self::AddressRestricted,
        Self::PortRestricted,
        Self::Symmetric,
        Self::LinuxMasquerade,
        Self::LinuxFirewalled,
        Self::LinuxRandomFully,
        Self::HomeRouter,
        Self::HomeForgetful,
        Self::HomeSequential,
        Self::AddressDependent,
        Self::Cgnat,
        Self::CgnatSymmetric,
        Self::Firewall,
        Self::UdpBlocked,
    ];

    /// All of them, the four classic ones first.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        Self::ALL.into_iter()
    }

    /// Its name, in lower case with hyphens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FullCone => "full-cone",
            Self::AddressRestricted => "address-restricted",
            Self::PortRestricted => "port-restricted",
            Self::Symmetric => "symmetric",
            Self::LinuxMasquerade => "linux-masquerade",
            Self::LinuxFirewalled => "linux-firewalled",
            Self::LinuxRandomFully => "linux-random-fully",
            Self::HomeRouter => "home-router",
            Self::HomeForgetful => "home-forgetful",
            Self::HomeSequential => "home-sequential",
            Self::AddressDependent => "address-dependent",
            Self::Cgnat => "cgnat",
            Self::CgnatSymmetric => "cgnat-symmetric",
            Self::Firewall => "firewall",
            Self::UdpBlocked => "udp-blocked",
        }
    }

    /// What it does, whom that lets in, and where it is met, in three sentences.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::FullCone => {
                "An inside port has one outside port, whomever it talks to. \
                 Anybody who learns of that port can send in as long as the mapping lasts. \
                 It is the easiest NAT to reach, found in some home routers and in games consoles' \
                 \"open\" mode."
            }
            Self::AddressRestricted => {
                "An inside port has one outside port, whomever it talks to. \
                 Only hosts that were sent to can send in, from any of their ports. \
                 Two such NATs meet as soon as both have sent one packet."
            }
            Self::PortRestricted => {
                "An inside port has one outside port, whomever it talks to. \
                 Only the very address and port that was sent to can send in. \
                 Most homes are like this, and hole punching was made for it."
            }
            Self::Symmetric => {
                "Each remote address and port sees another outside port, chosen at random. \
                 What a STUN server sees is of no use to anybody else, and only the remote that was \
                 sent to can answer. \
                 Offices and some mobile networks have it; with another one, or with a \
                 port-restricted one, a relay is needed."
            }
            Self::LinuxMasquerade => {
                "Linux with nothing but a masquerade rule keeps the port's number for every remote, so \
                 it looks like a port-restricted cone. \
                 But a packet that comes uninvited is tracked as a flow of the box itself, and who \
                 sends to that remote afterwards is given another port. \
                 So hole punching works for the side that sends first and often fails for the \
                 other; servers, containers and phones that share their network are like this."
            }
            Self::LinuxFirewalled => {
                "Linux with a masquerade rule and a firewall that drops what comes uninvited, as \
                 OpenWrt and most routers built on Linux have it. \
                 A dropped packet is not tracked, so the port keeps its number for every remote until \
                 two hosts want the same port for the same remote. \
                 For hole punching it is a port-restricted cone."
            }
            Self::LinuxRandomFully => {
                "Linux with masquerade and --random-fully picks a random port for each flow. \
                 That makes it symmetric: what a STUN server sees is of no use to others. \
                 Kubernetes nodes and some container hosts are set up like this."
            }
            Self::HomeRouter => {
                "A router by the book of RFC 4787 and RFC 7857: one outside port for each inside port, \
                 whose number is kept where it can be. \
                 Only who was sent to can send in, packets from either side keep the mapping alive, \
                 and neighbours reach each other by their outside addresses (hairpinning). \
                 Good home routers are like this."
            }
            Self::HomeForgetful => {
                "A port-restricted router that forgets a mapping after 30 seconds in which nothing was \
                 sent from inside. \
                 What comes in does not keep it open, so who only listens is soon cut off. \
                 Old and cheap home routers do this; keepalives every 15 to 25 seconds get along with \
                 it."
            }
            Self::HomeSequential => {
                "Each remote address and port sees another outside port, always the next one. \
                 It is symmetric, but who has seen two ports can guess the third. \
                 Some home routers and firewalls number their flows like this."
            }
            Self::AddressDependent => {
                "Each remote address sees another outside port, which is the same for all ports of \
                 that address. \
                 Only hosts that were sent to can send in, from any of their ports. \
                 It is rare, and classic tests with one server address take it for a cone."
            }
            Self::Cgnat => {
                "A provider's NAT by the book of RFC 6888: a pool of outside addresses, of which each \
                 customer keeps one, and random ports that are the same for all remotes. \
                 Only who was sent to can send in, and customers of one provider reach each other by \
                 hairpinning. \
                 It often stands behind a home router, so that there are two NATs in a row."
            }
            Self::CgnatSymmetric => {
                "A provider's NAT that gives each remote another outside port and even another of its \
                 outside addresses. \
                 Nothing that one remote sees can be told to another. \
                 Some mobile networks are like this; calls over them are relayed unless the other side \
                 is open."
            }
            Self::Firewall => {
                "Addresses and ports stay what they are: nothing is translated. \
                 Only the address and port that was sent to can send in. \
                 IPv6 at home is usually like this, and hole punching works through it unless the other \
                 side is symmetric."
            }
            Self::UdpBlocked => {
                "No UDP gets through in either direction; TCP goes through a port-restricted NAT. \
                 Hole punching has nothing to send, so calls go over a relay by TCP or TLS. \
                 Strict company and hotel networks are like this."
            }
        }
    }

    /// How such a NAT behaves that has these addresses outside. A firewall needs none and keeps none.
    #[must_use]
    pub fn config(self, outside: impl IntoIterator<Item = IpAddr>) -> Config {
        match self {
            Self::FullCone => Config::full_cone(outside),
            Self::AddressRestricted => Config::address_restricted_cone(outside),
            Self::PortRestricted => Config::port_restricted_cone(outside),
            Self::Symmetric => Config::symmetric(outside),
            Self::LinuxMasquerade => Config::linux_masquerade(outside),
            Self::LinuxFirewalled => Config::linux_firewalled(outside),
            Self::LinuxRandomFully => Config::linux_random_fully(outside),
            Self::HomeRouter => Config::home_router(outside),
            Self::HomeForgetful => Config::home_forgetful(outside),
            Self::HomeSequential => Config::home_sequential(outside),
            Self::AddressDependent => Config::address_dependent(outside),
            Self::Cgnat => Config::carrier_grade(outside),
            Self::CgnatSymmetric => Config::carrier_grade_symmetric(outside),
            Self::Firewall => Config::firewall(),
            Self::UdpBlocked => Config::udp_blocked(outside),
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(text: &str) -> Result<Self, UnknownPreset> {
        Self::all()
            .find(|preset| preset.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownPreset(text.to_owned()))
    }
}

impl fmt::Display for UnknownPreset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no NAT type {:?}; there are ", self.0)?;
        let mut separator = "";
        for preset in Preset::all() {
            write!(f, "{separator}{preset}")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl std::error::Error for UnknownPreset {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case_and_parse_back() {
        for preset in Preset::all() {
            let name = preset.to_string();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
            assert_eq!(name.parse(), Ok(preset));
        }
        let error = "conical".parse::<Preset>().unwrap_err().to_string();
        assert!(error.contains("\"conical\"") && error.contains("full-cone, address-"), "{error}");
    }

    #[test]
    fn each_is_told_in_three_sentences() {
        for preset in Preset::all() {
            let text = preset.description();
            assert_eq!(text.matches(". ").count() + 1, 3, "{preset}: {text}");
            assert!(text.ends_with('.') && !text.contains("  "), "{preset}: {text}");
        }
    }

    #[test]
    fn no_two_are_the_same() {
        let outside: [IpAddr; 1] = ["192.0.2.1".parse().unwrap()];
        let configs: Vec<_> = Preset::all().map(|preset| preset.config(outside)).collect();
        for (n, config) in configs.iter().enumerate() {
            assert!(!configs[..n].contains(config), "{config:?}");
        }
    }
}
