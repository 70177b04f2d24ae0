//! UPnP Internet Gateway Device: its description, and the one action that only asks
//! (WANIPConnection:1 §2.4.18, `GetExternalIPAddress`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName};
use talkie_traversal::portmap::igd::{Action, Description, external_address};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ssdp;
use crate::probe::clean;
use crate::probe::http::{self, Ask};
use crate::report::{Igd, Millis};

/// Descriptions of gateways have some 5 KiB.
const LONGEST: usize = 64 << 10;
/// For each of the two requests; a gateway is one hop away, but often slow.
const PATIENCE: Duration = Duration::from_millis(1000);

pub(super) async fn ask(gateway: Ipv4Addr, source: Ipv4Addr) -> Option<Igd> {
    let found = ssdp::search(gateway, source).await?;
    let text = fetch(found.address, Ask::get(found.address.to_string(), found.path)).await?;
    let description = Description::parse(&text)?;
    let (control, path) = description.control(found.address, gateway)?;
    let external = external(control, path, &description.service).await;
    Some(Igd {
        name: description.name.as_deref().map(clean),
        control,
        external,
        rtt: Millis(found.rtt),
    })
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

/// Asks the gateway for its outside address.
async fn external(control: SocketAddr, path: String, service: &str) -> Option<IpAddr> {
    let action = Action::ExternalAddress;
    let ask = Ask {
        method: Method::POST,
        authority: control.to_string(),
        path,
        fields: vec![
            (CONTENT_TYPE, "text/xml; charset=\"utf-8\"".to_owned()),
            (HeaderName::from_static("soapaction"), action.field(service)),
        ],
        body: action.body(service),
    };
    let text = fetch(control, ask).await?;
    external_address(&text)?.map(IpAddr::V4)
}
