//! UPnP Internet Gateway Device: its description, and the one action that only asks
//! (WANIPConnection:1 §2.4.18, `GetExternalIPAddress`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ssdp::{self, on_gateway};
use crate::probe::clean;
use crate::probe::http::{self, Ask};
use crate::report::{Igd, Millis};

/// Descriptions of gateways have some 5 KiB.
const LONGEST: usize = 64 << 10;
/// The most nodes of one: a few hundred are usual.
const NODES: u32 = 8192;
/// For each of the two requests; a gateway is one hop away, but often slow.
const PATIENCE: Duration = Duration::from_millis(1000);
/// The services that map ports.
const SERVICES: [&str; 2] = [
    "urn:schemas-upnp-org:service:WANIPConnection:",
    "urn:schemas-upnp-org:service:WANPPPConnection:",
];

pub(super) async fn ask(gateway: Ipv4Addr, source: Ipv4Addr) -> Option<Igd> {
    let found = ssdp::search(gateway, source).await?;
    let text = fetch(found.address, Ask::get(found.address.to_string(), found.path)).await?;
    let description = describe(&text)?;
    let (control, path) = description.control_of(found.address, gateway)?;
    let external = external(control, path, &description.service).await;
    Some(Igd { name: description.name, control, external, rtt: Millis(found.rtt) })
}

/// One request; the body of a good answer.
async fn fetch(address: SocketAddr, ask: Ask) -> Option<String> {
    let asked = async {
        let stream = TcpStream::connect(address).await.ok()?;
        http::exchange(stream, ask, LONGEST).await.ok()
    };
    let answer = timeout(PATIENCE, asked).await.ok()??;
    answer.status().is_success().then(|| String::from_utf8_lossy(answer.body()).into_owned())
}

/// What matters of a description.
#[derive(Debug, PartialEq, Eq)]
struct Description {
    name: Option<String>,
    /// The whole type of the service, with its version.
    service: String,
    control: String,
}

/// The service that maps ports; the one for IP before the one for PPP.
fn describe(text: &str) -> Option<Description> {
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
        .map(clean);
    SERVICES.iter().find_map(|wanted| {
        services().find_map(|node| {
            let service = child(node, "serviceType").filter(|it| it.starts_with(wanted))?;
            let version = &service[wanted.len()..];
            let sane = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
            let control = child(node, "controlURL")?;
            sane.then(|| Description { name: name.clone(), service, control })
        })
    })
}

/// Bounded in bytes by who fetched it and in nodes here; a document type, and with it entities of
/// one's own, is refused.
fn parse(text: &str) -> Option<roxmltree::Document<'_>> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES,
        ..roxmltree::ParsingOptions::default()
    };
    roxmltree::Document::parse_with_options(text, options).ok()
}

impl Description {
    /// Where the service is controlled: on the gateway, or nowhere.
    fn control_of(&self, described: SocketAddr, gateway: Ipv4Addr) -> Option<(SocketAddr, String)> {
        if self.control.contains("://") {
            return on_gateway(&self.control, gateway);
        }
        let slash = if self.control.starts_with('/') { "" } else { "/" };
        Some((described, format!("{slash}{}", self.control)))
    }
}

/// Asks the gateway for its outside address.
async fn external(control: SocketAddr, path: String, service: &str) -> Option<IpAddr> {
    let body = format!(
        "<?xml version=\"1.0\"?><s:Envelope \
         xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>\
         <u:GetExternalIPAddress xmlns:u=\"{service}\"/></s:Body></s:Envelope>"
    );
    let ask = Ask {
        method: Method::POST,
        authority: control.to_string(),
        path,
        fields: vec![
            (CONTENT_TYPE, "text/xml; charset=\"utf-8\"".to_owned()),
            (HeaderName::from_static("soapaction"), format!("\"{service}#GetExternalIPAddress\"")),
        ],
        body,
    };
    let text = fetch(control, ask).await?;
    let document = parse(&text)?;
    let mut nodes = document.descendants();
    let node = nodes.find(|node| node.tag_name().name() == "NewExternalIPAddress")?;
    let address: Ipv4Addr = node.text()?.trim().parse().ok()?;
    // 0.0.0.0: it has none.
    (!address.is_unspecified()).then_some(IpAddr::V4(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

    fn root(services: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device>\
             <friendlyName>Box\x1b 7</friendlyName><deviceList><device><serviceList>{services}\
             </serviceList></device></deviceList></device></root>"
        )
        .replace('\x1b', "")
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
        let found = describe(&root(&format!("{ppp}{ip}"))).unwrap();
        assert_eq!(found.control, "/ip");
        assert_eq!(found.service, "urn:schemas-upnp-org:service:WANIPConnection:2");
        assert_eq!(found.name.as_deref(), Some("Box 7"));
        assert_eq!(describe(&root(&ppp)).unwrap().control, "/ppp");
    }

    #[test]
    fn a_description_that_is_no_gateway_or_a_trap_is_refused() {
        let ip = service("urn:schemas-upnp-org:service:WANIPConnection:1", "/ip");
        assert_eq!(describe(&root("")), None);
        let injected = "urn:schemas-upnp-org:service:WANIPConnection:1\"/>&lt;evil>";
        assert_eq!(describe(&root(&service(injected, "/ip"))), None);
        let bomb = format!("<!DOCTYPE r [<!ENTITY a \"aaaa\">]>{}", root(&ip).split_off(21));
        assert_eq!(describe(&bomb), None);
        assert_eq!(describe(&root(&"<service/>".repeat(10_000))), None);
    }

    #[test]
    fn the_service_is_controlled_on_the_gateway_only() {
        let described = "192.168.1.1:5000".parse().unwrap();
        let control = |url: &str| {
            let control = url.to_owned();
            Description { name: None, service: String::new(), control }
                .control_of(described, GATEWAY)
                .map(|(address, path)| format!("{address}{path}"))
        };
        assert_eq!(control("/ctl"), Some("192.168.1.1:5000/ctl".to_owned()));
        assert_eq!(control("ctl"), Some("192.168.1.1:5000/ctl".to_owned()));
        assert_eq!(control("http://192.168.1.1:80/c"), Some("192.168.1.1:80/c".to_owned()));
        assert_eq!(control("http://10.0.0.1/c"), None);
        assert_eq!(control("gopher://192.168.1.1/c"), None);
    }
}
