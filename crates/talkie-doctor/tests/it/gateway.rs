//! UPnP, NAT-PMP and PCP, asked of a gateway on loopback. It fails the test if it is ever asked for
//! a mapping.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use talkie_doctor::report::{Answer, PortMapping};
use talkie_doctor::{Config, Stop, examine};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

const DESCRIPTION: &str = r#"<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><device>
<friendlyName>Test box</friendlyName><deviceList><device><deviceList><device><serviceList><service>
<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>
<serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>
<controlURL>/control</controlURL><eventSubURL>/events</eventSubURL><SCPDURL>/scpd.xml</SCPDURL>
</service></serviceList></device></deviceList></device></deviceList></device></root>"#;

const ADDRESS: &str = r#"<?xml version="1.0"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<u:GetExternalIPAddressResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1">
<NewExternalIPAddress>203.0.113.9</NewExternalIPAddress>
</u:GetExternalIPAddressResponse></s:Body></s:Envelope>"#;

/// What the gateway was asked, a line each.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A gateway at an address of loopback of its own, so that the tests can run at once.
struct Gateway {
    address: Ipv4Addr,
    log: Log,
    /// Where its description lies by its own account; `None` for where it does.
    location: Option<String>,
    description: String,
}

impl Gateway {
    fn at(last: u8) -> Self {
        Self {
            address: Ipv4Addr::new(127, 0, 7, last),
            log: Log::default(),
            location: None,
            description: DESCRIPTION.to_owned(),
        }
    }

    async fn serve_ssdp(&self) {
        let pages = TcpListener::bind((self.address, 0)).await.unwrap();
        let at = pages.local_addr().unwrap();
        let socket = UdpSocket::bind((self.address, 1900)).await.unwrap();
        let location = self.location.clone().unwrap_or_else(|| format!("http://{at}/root.xml"));
        let log = self.log.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                log.add(format!("ssdp {}", text.lines().next().unwrap_or_default()));
                let st = text.lines().find_map(|it| it.strip_prefix("ST: ")).unwrap_or_default();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nEXT:\r\nST: {st}\r\n\
                     LOCATION: {location}\r\nUSN: uuid:1::{st}\r\n\r\n"
                );
                let _ = socket.send_to(answer.as_bytes(), from).await;
            }
        });
        let (log, description) = (self.log.clone(), self.description.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = pages.accept().await {
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                let line = text.lines().next().unwrap_or_default().to_owned();
                let action = text
                    .lines()
                    .find(|it| it.to_ascii_lowercase().starts_with("soapaction"))
                    .unwrap_or_default();
                log.add(format!("http {line} {action}"));
                let body = if line.starts_with("GET /root.xml") {
                    description.as_str()
                } else if action.contains("#GetExternalIPAddress") {
                    ADDRESS
                } else {
                    ""
                };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
    }

    /// NAT-PMP and PCP on their one port. `pcp` and `pmp` are result codes.
    async fn serve_ports(&self, pmp: u8, pcp: u8) {
        let socket = UdpSocket::bind((self.address, 5351)).await.unwrap();
        let log = self.log.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 1100];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let request = &buffer[..length];
                log.add(format!("port version {} opcode {}", request[0], request[1]));
                let answer = if request[0] == 0 {
                    vec![0, 128 + request[1], 0, pmp, 0, 0, 1, 0, 203, 0, 113, 9]
                } else {
                    let mut answer = vec![0; 24];
                    answer[..4].copy_from_slice(&[2, 0x80 | request[1], 0, pcp]);
                    answer
                };
                let _ = socket.send_to(&answer, from).await;
            }
        });
    }

    async fn examined(&self) -> PortMapping {
        let mut config = Config::new(Vec::new());
        config.gateway = Some(self.address);
        examine(&config, &Stop::never(), |_| {}).await.unwrap().port_mapping
    }

    /// Everything asked was a question.
    fn assert_nothing_was_opened(&self) {
        for line in self.log.lines() {
            let question = line == "ssdp M-SEARCH * HTTP/1.1"
                || line.starts_with("http GET ")
                || (line.starts_with("http POST /control")
                    && line.contains("WANIPConnection:1#GetExternalIPAddress"))
                || line == "port version 0 opcode 0"
                || line == "port version 2 opcode 0";
            assert!(question, "{line}");
        }
    }
}

#[tokio::test]
async fn all_three_protocols_are_found_and_only_asked() {
    let gateway = Gateway::at(1);
    gateway.serve_ssdp().await;
    gateway.serve_ports(0, 0).await;
    let found = gateway.examined().await;
    assert_eq!(found.protocols(), ["UPnP", "NAT-PMP", "PCP"]);
    assert!(found.is_offered());
    let igd = found.upnp.as_ref().unwrap();
    assert_eq!(igd.name.as_deref(), Some("Test box"));
    assert_eq!(igd.external, Some([203, 0, 113, 9].into()));
    assert_eq!(found.nat_pmp.as_ref().unwrap().external, Some([203, 0, 113, 9].into()));
    gateway.assert_nothing_was_opened();
    assert!(gateway.log.lines().len() >= 5, "{:?}", gateway.log.lines());
}

#[tokio::test]
async fn a_gateway_that_refuses_is_told_apart_from_one_that_is_silent() {
    let gateway = Gateway::at(2);
    gateway.serve_ports(2, 2).await;
    let found = gateway.examined().await;
    assert_eq!(found.upnp, None);
    assert_eq!(found.nat_pmp.as_ref().unwrap().answer, Answer::Refused);
    assert_eq!(found.pcp.as_ref().unwrap().answer, Answer::Refused);
    assert!(!found.is_offered());
    gateway.assert_nothing_was_opened();
}

#[tokio::test]
async fn a_description_on_another_host_is_never_fetched() {
    let trap = TcpListener::bind((Ipv4Addr::new(127, 0, 7, 99), 0)).await.unwrap();
    let at: SocketAddr = trap.local_addr().unwrap();
    let mut gateway = Gateway::at(3);
    gateway.location = Some(format!("http://{at}/root.xml"));
    gateway.serve_ssdp().await;
    let found = tokio::select! {
        found = gateway.examined() => found,
        _ = trap.accept() => panic!("somebody came"),
    };
    assert_eq!(found.upnp, None);
}

#[tokio::test]
async fn a_description_without_end_is_given_up() {
    let mut gateway = Gateway::at(4);
    gateway.description = format!("<root>{}", "<a>".repeat(100_000));
    gateway.serve_ssdp().await;
    assert_eq!(gateway.examined().await.upnp, None);
}
