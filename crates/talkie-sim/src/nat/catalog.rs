//! The kinds of NAT by name, for whoever lets a person choose one.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::behavior::Config;
use super::descriptions;

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
    /// A provider's NAT, as RFC 6888 wants it but for its filtering.
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
            Self::FullCone => descriptions::FULL_CONE,
            Self::AddressRestricted => descriptions::ADDRESS_RESTRICTED,
            Self::PortRestricted => descriptions::PORT_RESTRICTED,
            Self::Symmetric => descriptions::SYMMETRIC,
            Self::LinuxMasquerade => descriptions::LINUX_MASQUERADE,
            Self::LinuxFirewalled => descriptions::LINUX_FIREWALLED,
            Self::LinuxRandomFully => descriptions::LINUX_RANDOM_FULLY,
            Self::HomeRouter => descriptions::HOME_ROUTER,
            Self::HomeForgetful => descriptions::HOME_FORGETFUL,
            Self::HomeSequential => descriptions::HOME_SEQUENTIAL,
            Self::AddressDependent => descriptions::ADDRESS_DEPENDENT,
            Self::Cgnat => descriptions::CGNAT,
            Self::CgnatSymmetric => descriptions::CGNAT_SYMMETRIC,
            Self::Firewall => descriptions::FIREWALL,
            Self::UdpBlocked => descriptions::UDP_BLOCKED,
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
