//! A gateway's description of itself (UPnP Device Architecture 1.1, §2.3): which service maps ports, and
//! where it is controlled.

use std::net::{Ipv4Addr, SocketAddr};

use super::parse;
use crate::portmap::ssdp::{is_path, on_gateway};

/// The services that map ports.
const SERVICES: [&str; 2] = [
    "urn:schemas-upnp-org:service:WANIPConnection:",
    "urn:schemas-upnp-org:service:WANPPPConnection:",
];

/// What matters of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What the gateway calls itself, as it came from the network.
    pub name: Option<String>,
    /// The whole type of the service, with its version.
    pub service: String,
    control: String,
}

impl Description {
    /// Reads one: the service that maps ports; the one for IP before the one for PPP.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let document = parse(text)?;
        let elements = || document.descendants().filter(|node| node.is_element());
        let child = |node: roxmltree::Node<'_, '_>, name: &str| {
            let child = node.children().find(|child| child.tag_name().name() == name)?;
            Some(child.text()?.trim().to_owned())
        };
        let services = || elements().filter(|node| node.tag_name().name() == "service");
        let name = elements()
            .find(|node| node.tag_name().name() == "friendlyName")
            .and_then(|node| node.text())
            .map(str::to_owned);
        SERVICES.iter().find_map(|wanted| {
            services().find_map(|node| {
                let service = child(node, "serviceType").filter(|it| it.starts_with(wanted))?;
                let version = &service[wanted.len()..];
                let sane = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
                let control = child(node, "controlURL")?;
                sane.then(|| Self { name: name.clone(), service, control })
            })
        })
    }

    /// Where the service is controlled: on the gateway, or nowhere. `described` is where the description
    /// came from.
    #[must_use]
    pub fn control(
        &self,
        described: SocketAddr,
        gateway: Ipv4Addr,
    ) -> Option<(SocketAddr, String)> {
        if self.control.contains("://") {
            return on_gateway(&self.control, gateway);
        }
        let slash = if self.control.starts_with('/') { "" } else { "/" };
        let path = format!("{slash}{}", self.control);
        is_path(&path).then_some((described, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

    fn root(services: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device>\
             <friendlyName>Box 7</friendlyName><deviceList><device><serviceList>{services}\
             </serviceList></device></deviceList></device></root>"
        )
    }

    fn service(kind: &str, control: &str) -> String {
        format!(
            "<service><serviceType>{kind}</serviceType><controlURL>{control}</controlURL></service>"
        )
    }

    #[test]
    fn the_service_for_ip_comes_before_the_one_for_ppp() {
        let ppp = service("urn:schemas-upnp-org:service:WANPPPConnection:1", "/ppp");
        let ip = service("urn:schemas-upnp-org:service:WANIPConnection:2", "/ip");
        let found = Description::parse(&root(&format!("{ppp}{ip}"))).unwrap();
        assert_eq!(found.control, "/ip");
        assert_eq!(found.service, "urn:schemas-upnp-org:service:WANIPConnection:2");
        assert_eq!(found.name.as_deref(), Some("Box 7"));
        assert_eq!(Description::parse(&root(&ppp)).unwrap().control, "/ppp");
    }

    #[test]
    fn a_description_that_is_no_gateway_or_a_trap_is_refused() {
        let ip = service("urn:schemas-upnp-org:service:WANIPConnection:1", "/ip");
        assert_eq!(Description::parse(&root("")), None);
        let injected = "urn:schemas-upnp-org:service:WANIPConnection:1\"/>&lt;evil>";
        assert_eq!(Description::parse(&root(&service(injected, "/ip"))), None);
        let bomb = format!("<!DOCTYPE r [<!ENTITY a \"aaaa\">]>{}", root(&ip).split_off(21));
        assert_eq!(Description::parse(&bomb), None);
        assert_eq!(Description::parse(&root(&"<service/>".repeat(10_000))), None);
        // Recursive descent must not meet it.
        assert_eq!(Description::parse(&"<a>".repeat(20_000)), None);
    }

    #[test]
    fn the_service_is_controlled_on_the_gateway_only() {
        let described = "192.168.1.1:5000".parse().unwrap();
        let control = |url: &str| {
            let control = url.to_owned();
            Description { name: None, service: String::new(), control }
                .control(described, GATEWAY)
                .map(|(address, path)| format!("{address}{path}"))
        };
        assert_eq!(control("/ctl"), Some("192.168.1.1:5000/ctl".to_owned()));
        assert_eq!(control("ctl"), Some("192.168.1.1:5000/ctl".to_owned()));
        assert_eq!(control("http://192.168.1.1:80/c"), Some("192.168.1.1:80/c".to_owned()));
        assert_eq!(control("http://10.0.0.1/c"), None);
        assert_eq!(control("gopher://192.168.1.1/c"), None);
        assert_eq!(control("/c HTTP/1.1\r\nHost: elsewhere"), None);
    }
}
