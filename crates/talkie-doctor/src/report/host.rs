use std::net::IpAddr;

use serde::Serialize;

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
    pub scope: Scope,
}

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// This host.
    Loopback,
    /// This link.
    LinkLocal,
    /// This network: RFC 1918, RFC 4193.
    Private,
    /// The network of a carrier: RFC 6598.
    Shared,
    /// The Internet, as far as the address tells.
    Global,
}

impl Scope {
    /// How far `address` reaches.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match talkie_net::Scope::of(address) {
            talkie_net::Scope::Loopback => Self::Loopback,
            talkie_net::Scope::LinkLocal => Self::LinkLocal,
            talkie_net::Scope::Private => Self::Private,
            talkie_net::Scope::Shared => Self::Shared,
            talkie_net::Scope::Global => Self::Global,
        }
    }
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
