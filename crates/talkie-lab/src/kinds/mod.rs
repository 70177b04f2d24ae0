//! The types of NAT, explained for people: in words, and in drawings for which a NAT of that type was
//! really asked.

mod card;
mod json;
mod sketch;

use std::net::{IpAddr, Ipv4Addr};

use talkie_sim::nat::{Config, Filtering, Hairpinning, Mapping, Pooling, Ports, Unsolicited};

pub use card::{card, detail};
pub use json::json;
pub use talkie_sim::nat::Preset;

/// A type that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no NAT type is called `{name}`; {}`talkie lab list` explains them all",
    nearest.map_or_else(String::new, |it| format!("did you mean `{it}`? ")))]
pub struct UnknownKind {
    /// What was asked for.
    pub name: String,
    /// What may have been meant.
    pub nearest: Option<Preset>,
}

/// The type of that name.
///
/// # Errors
/// If there is none.
pub fn find(name: &str) -> Result<Preset, UnknownKind> {
    if let Ok(preset) = name.parse() {
        return Ok(preset);
    }
    let folded: String =
        name.to_ascii_lowercase().chars().map(|c| if " _".contains(c) { '-' } else { c }).collect();
    let close = |preset: &Preset| {
        let whole = strsim::jaro_winkler(&folded, preset.name());
        let begins = preset.name().starts_with(&folded) && folded.len() > 2;
        if begins { whole.max(0.95) } else { whole }
    };
    let nearest = Preset::all().max_by(|a, b| close(a).total_cmp(&close(b)));
    Err(UnknownKind { name: name.to_owned(), nearest: nearest.filter(|it| close(it) > 0.75) })
}

/// What a NAT of this type is, with addresses that are kept for documentation (RFC 5737).
#[must_use]
pub fn example(preset: Preset) -> Config {
    let pool = match preset {
        Preset::Cgnat | Preset::CgnatSymmetric => 4,
        _ => 1,
    };
    preset.config((1..=pool).map(|n| IpAddr::V4(Ipv4Addr::new(192, 0, 2, n))))
}

/// The mapping behaviour, as RFC 4787 §4.1 calls it.
#[must_use]
pub fn mapping_words(config: &Config) -> &'static str {
    match config.mapping {
        _ if config.outside.is_empty() => "none (addresses are kept)",
        Mapping::EndpointIndependent if !config.udp => {
            "endpoint-independent (TCP's; UDP is blocked)"
        }
        Mapping::EndpointIndependent => "endpoint-independent",
        Mapping::AddressDependent => "address-dependent",
        Mapping::AddressAndPortDependent => "address and port-dependent",
    }
}

/// The filtering behaviour, as RFC 4787 §5 calls it.
#[must_use]
pub fn filtering_words(config: &Config) -> &'static str {
    match config.filtering {
        Filtering::EndpointIndependent => "endpoint-independent",
        Filtering::AddressDependent => "address-dependent",
        Filtering::AddressAndPortDependent => "address and port-dependent",
    }
}

/// How ports are chosen (RFC 4787 §4.2.1).
#[must_use]
pub fn port_words(config: &Config) -> String {
    match config.ports {
        _ if config.outside.is_empty() => "kept".into(),
        Ports::Preserving => "preserved where free, else the next one".into(),
        Ports::PreservingOrRandom => "preserved where the flow is free, else random".into(),
        Ports::Sequential { step } => format!("one after the other, {step} apart"),
        Ports::Random => "random".into(),
    }
}

/// What RFC 3489 §5 would call it.
#[must_use]
pub fn classic_name(config: &Config) -> &'static str {
    if !config.udp {
        return "UDP blocked";
    }
    if config.outside.is_empty() {
        return match config.filtering {
            Filtering::EndpointIndependent => "open Internet",
            _ => "symmetric UDP firewall",
        };
    }
    match (config.mapping, config.filtering) {
        (Mapping::EndpointIndependent, Filtering::EndpointIndependent) => "full cone",
        (Mapping::EndpointIndependent, Filtering::AddressDependent) => "restricted cone",
        (Mapping::EndpointIndependent, Filtering::AddressAndPortDependent) => {
            "port restricted cone"
        }
        _ if keeps_ports_for_all(config) => "symmetric, seen as a port restricted cone",
        _ => "symmetric",
    }
}

/// Whether flows are mapped each by itself and look as if they were not, since each keeps its port.
pub(crate) fn keeps_ports_for_all(config: &Config) -> bool {
    config.overloading && matches!(config.ports, Ports::Preserving | Ports::PreservingOrRandom)
}

/// The rest of it, a line for each behaviour that is worth one.
#[must_use]
pub fn other_words(config: &Config) -> Vec<(&'static str, String)> {
    let refreshed = if config.inbound_refresh { "packets both ways" } else { "packets out" };
    let stream = config.lifetime_answered.map(|it| format!(" (a stream {} s)", it.as_secs()));
    let lifetime = format!("{} s{}", config.lifetime.as_secs(), stream.unwrap_or_default());
    let mut words = vec![
        ("lifetime", format!("{lifetime}, kept up by {refreshed}")),
        (
            "hairpinning",
            match config.hairpinning {
                Hairpinning::Unsupported => "no".into(),
                Hairpinning::ExternalSource => "yes, from the outside address".into(),
                Hairpinning::InternalSource => "yes, from the inside address".into(),
            },
        ),
    ];
    if config.outside.len() > 1 {
        let pooling = match config.pooling {
            Pooling::Paired => "paired: a host keeps its address",
            Pooling::Arbitrary => "arbitrary: each mapping gets the next address",
        };
        words.push(("pooling", pooling.into()));
    }
    if config.unsolicited == Unsolicited::Tracked {
        words.push(("uninvited", "tracked: the port is taken for that remote".into()));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_slips_of_the_pen_are_guessed() {
        assert_eq!(find("symmetric"), Ok(Preset::Symmetric));
        assert_eq!(find("Full-Cone"), Ok(Preset::FullCone));
        let guess = |name| find(name).map_err(|error| error.nearest);
        assert_eq!(guess("simmetric"), Err(Some(Preset::Symmetric)));
        assert_eq!(guess("port restricted"), Err(Some(Preset::PortRestricted)));
        assert_eq!(guess("port_restricted"), Err(Some(Preset::PortRestricted)));
        assert_eq!(guess("port-restricted-cone"), Err(Some(Preset::PortRestricted)));
        assert_eq!(guess("fullcone"), Err(Some(Preset::FullCone)));
        assert_eq!(guess("qqq"), Err(None));
        assert_eq!(
            find("symetric").unwrap_err().to_string(),
            "no NAT type is called `symetric`; did you mean `symmetric`? \
             `talkie lab list` explains them all"
        );
    }

    #[test]
    fn linux_has_two_lifetimes() {
        let lifetime = |preset| other_words(&example(preset))[0].1.clone();
        let expected = "30 s (a stream 120 s), kept up by packets both ways";
        assert_eq!(lifetime(Preset::LinuxFirewalled), expected);
        assert_eq!(lifetime(Preset::HomeForgetful), "30 s, kept up by packets out");
    }

    #[test]
    fn the_classic_names_are_those_of_rfc_3489() {
        let names: Vec<_> = Preset::all()
            .map(|preset| format!("{preset}: {}", classic_name(&example(preset))))
            .collect();
        assert_eq!(
            names,
            [
                "full-cone: full cone",
                "address-restricted: restricted cone",
                "port-restricted: port restricted cone",
                "symmetric: symmetric",
                "linux-masquerade: symmetric, seen as a port restricted cone",
                "linux-firewalled: symmetric, seen as a port restricted cone",
                "linux-random-fully: symmetric",
                "home-router: port restricted cone",
                "home-forgetful: port restricted cone",
                "home-sequential: symmetric",
                "address-dependent: symmetric",
                "cgnat: port restricted cone",
                "cgnat-symmetric: symmetric",
                "firewall: symmetric UDP firewall",
                "udp-blocked: UDP blocked",
            ]
        );
    }
}
