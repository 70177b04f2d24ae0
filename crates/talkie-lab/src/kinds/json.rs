//! The types of NAT for programs.

use serde::Serialize;
use talkie_sim::nat::{Config, Filtering, Hairpinning, Mapping, Pooling, Preset};

use super::{classic_name, example, port_words};

/// The names of the fields are part of the interface.
#[derive(Serialize)]
struct Type {
    name: &'static str,
    /// Three sentences.
    description: &'static str,
    /// What RFC 3489 §5 would call it.
    rfc3489: &'static str,
    /// Whether addresses are changed at all.
    translates: bool,
    /// Whether UDP passes.
    udp: bool,
    /// RFC 4787 §4.1; `null` where nothing is translated.
    mapping: Option<&'static str>,
    /// RFC 4787 §5.
    filtering: &'static str,
    /// RFC 4787 §4.2.1, in words.
    ports: String,
    /// RFC 4787 §6: whether two hosts behind it reach each other by their outside addresses.
    hairpinning: bool,
    /// RFC 4787 §4.1; `null` where there is one address.
    pooling: Option<&'static str>,
    lifetime_s: u64,
    /// Of mappings that packets go through both ways, where it is another.
    lifetime_answered_s: Option<u64>,
    /// RFC 4787 §4.3: whether packets from outside keep a mapping up.
    inbound_refresh: bool,
}

/// Types of NAT as a JSON array.
///
/// # Panics
/// Never: the values have no map with keys that are no text.
#[must_use]
pub fn json(presets: impl IntoIterator<Item = Preset>) -> String {
    let types: Vec<Type> = presets.into_iter().map(of).collect();
    serde_json::to_string_pretty(&types).expect("plain values") + "\n"
}

fn of(preset: Preset) -> Type {
    let config = example(preset);
    Type {
        name: preset.name(),
        description: preset.description(),
        rfc3489: classic_name(&config),
        translates: !config.outside.is_empty(),
        udp: config.udp,
        mapping: mapping(&config),
        filtering: match config.filtering {
            Filtering::EndpointIndependent => "endpoint-independent",
            Filtering::AddressDependent => "address-dependent",
            Filtering::AddressAndPortDependent => "address-and-port-dependent",
        },
        ports: port_words(&config),
        hairpinning: config.hairpinning != Hairpinning::Unsupported,
        pooling: (config.outside.len() > 1).then_some(match config.pooling {
            Pooling::Paired => "paired",
            Pooling::Arbitrary => "arbitrary",
        }),
        lifetime_s: config.lifetime.as_secs(),
        lifetime_answered_s: config.lifetime_answered.map(|lifetime| lifetime.as_secs()),
        inbound_refresh: config.inbound_refresh,
    }
}

fn mapping(config: &Config) -> Option<&'static str> {
    (!config.outside.is_empty()).then_some(match config.mapping {
        Mapping::EndpointIndependent => "endpoint-independent",
        Mapping::AddressDependent => "address-dependent",
        Mapping::AddressAndPortDependent => "address-and-port-dependent",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_what_people_are() {
        let types: serde_json::Value = serde_json::from_str(&json(Preset::all())).unwrap();
        let types = types.as_array().unwrap();
        assert_eq!(types.len(), Preset::all().count());
        for (told, preset) in types.iter().zip(Preset::all()) {
            assert_eq!(told["name"], preset.name());
            assert!(told["description"].as_str().unwrap().matches(". ").count() >= 2, "{told}");
        }
        let of = |name: &str| types.iter().find(|told| told["name"] == name).unwrap();
        assert_eq!(of("symmetric")["mapping"], "address-and-port-dependent");
        assert_eq!(of("full-cone")["filtering"], "endpoint-independent");
        assert_eq!(of("cgnat")["pooling"], "paired");
        assert_eq!(of("linux-firewalled")["lifetime_answered_s"], 120);
        let firewall = of("firewall");
        assert!(firewall["mapping"].is_null() && firewall["translates"] == false, "{firewall}");
        assert_eq!(of("udp-blocked")["udp"], false);
    }
}
