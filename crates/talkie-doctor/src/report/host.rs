use std::net::IpAddr;

use serde::{Serialize, Serializer};
use talkie_sansio::Scope;

use super::Family;

/// This host, as far as it bears on connections.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Host {
    /// Interfaces that are up and have an address; loopback is left out.
    pub interfaces: Vec<Interface>,
    /// Where packets to the Internet leave, for each IP version that has such a way.
    pub routes: Vec<Route>,
    /// What each IP version reaches.
    pub reach: Vec<Reach>,
    /// HTTP proxies of the environment, passwords removed.
    pub proxies: Vec<Proxy>,
}

impl Host {
    /// The way of packets of this IP version.
    #[must_use]
    pub fn route(&self, family: Family) -> Option<&Route> {
        self.routes.iter().find(|route| route.family == family)
    }

    /// The interface of this name.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Interface {
    /// Its name, such as `eth0`.
    pub name: String,
    /// What it is.
    pub kind: InterfaceKind,
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// The largest packet that it takes, in bytes.
    pub mtu: Option<u32>,
}

/// What an interface is, by its type and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InterfaceKind {
    /// A network card, or what looks like one.
    Network,
    /// A tunnel: most likely a VPN.
    Tunnel,
    /// Inside this host: the bridge of containers or virtual machines.
    Virtual,
}

/// An address and how far it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// How far it reaches.
    #[serde(serialize_with = "word")]
    pub scope: Scope,
}

/// Where packets to the Internet leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// The IP version.
    pub family: Family,
    /// The address they leave from.
    pub source: IpAddr,
    /// The interface they leave by.
    pub interface: Option<String>,
    /// The router they are given to; a tunnel has none.
    pub gateway: Option<IpAddr>,
}

/// What one IP version reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    /// The IP version.
    pub family: Family,
    /// Whether there is a way out.
    pub routed: bool,
    /// Whether a server answered; `None` if none has an address of this version.
    pub reached: Option<bool>,
}

/// An HTTP proxy that the environment names. WebRTC does not go through it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proxy {
    /// The environment variable.
    pub variable: String,
    /// Its value without user and password.
    pub value: String,
}

fn word<S: Serializer>(scope: &Scope, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match scope {
        Scope::Loopback => "loopback",
        Scope::LinkLocal => "linkLocal",
        Scope::Private => "private",
        Scope::Shared => "shared",
        Scope::Global => "global",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_an_address_reaches_is_a_word() {
        for (address, expected) in [
            ("127.0.0.1", "loopback"),
            ("fe80::1", "linkLocal"),
            ("192.168.1.2", "private"),
            ("100.64.0.1", "shared"),
            ("2001:db8::1", "global"),
        ] {
            let address: IpAddr = address.parse().unwrap();
            let told = Address { address, scope: Scope::of(address) };
            assert_eq!(serde_json::to_value(told).unwrap()["scope"], expected);
        }
    }
}
