//! A port mapping whose gateway, driver and clock are the input: it never panics, never asks to be woken
//! in the past, sends a bounded number of packets, connects to the gateway only, and comes to an end when
//! it is closed.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{
    Answer, Datagram, Hosted as _, Interface, Machine as _, Path, Sink, Transmit, Transport, Want,
    WantError, WantId, conformance, drain,
};
use talkie_traversal::portmap::{Config, Event, Portmap};

use super::input::Input;

const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);
const HOST: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 5);

#[derive(Default)]
struct Out {
    requests: Vec<(Path, Vec<u8>)>,
    datagrams: usize,
    is_closed: bool,
}

impl Sink<Portmap> for Out {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        assert!(!self.is_closed, "it sends after its end");
        self.datagrams += 1;
        self.requests.push((transmit.path, payload.to_vec()));
    }

    fn event(&mut self, _now: Instant, _portmap: &mut Portmap, event: Event) {
        assert!(!self.is_closed, "{event:?} after the end");
        self.is_closed = event == Event::Closed;
    }
}

/// An answer to a request, more or less.
fn respond(input: &mut Input<'_>, path: &Path, request: &[u8]) -> Vec<u8> {
    let shape = input.byte();
    let mut answer = match (path.transport, path.remote.port()) {
        (Transport::Udp, 5351) => {
            let mut answer = request.to_vec();
            answer[1] |= 0x80;
            if request[0] == 0 {
                answer.resize(4, 0);
                answer.extend([0, 0, 1, 0]);
                match request[1] {
                    0 => answer.extend([203, 0, 113, 9]),
                    _ => answer.extend(request.get(4..12).unwrap_or_default()),
                }
            } else if let Some(address) = answer.get_mut(44..60) {
                address[10..].copy_from_slice(&[0xff, 0xff, 203, 0, 113, 9]);
            }
            answer
        }
        (Transport::Udp, _) => {
            let kind = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
            format!("HTTP/1.1 200 OK\r\nST: {kind}\r\nLOCATION: http://192.168.1.1:80/d\r\n\r\n")
                .into()
        }
        _ => {
            let text = String::from_utf8_lossy(request);
            let body = if text.starts_with("GET") {
                "<root><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1\
                 </serviceType><controlURL>/c</controlURL></service></root>"
            } else if text.contains("#GetExternalIPAddress") {
                "<r><NewExternalIPAddress>203.0.113.9</NewExternalIPAddress></r>"
            } else if shape & 32 != 0 {
                "<r><errorCode>718</errorCode></r>"
            } else {
                "<AddPortMappingResponse/>"
            };
            let code = if shape & 32 != 0 { 500 } else { 200 };
            format!("HTTP/1.1 {code} X\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                .into_bytes()
        }
    };
    for _ in 0..shape & 3 {
        let at = usize::from(input.byte());
        if let Some(byte) = answer.get_mut(at) {
            *byte = input.byte();
        }
    }
    if shape & 4 != 0 {
        answer.truncate(input.byte().into());
    }
    answer
}

/// Answers what is wanted, or not.
fn grant(input: &mut Input<'_>, now: Instant, portmap: &mut Portmap, streams: &mut Vec<Path>) {
    while let Some(want) = portmap.poll_want() {
        let shape = input.byte();
        let fail = |id| Answer::Failed { id, error: WantError::TimedOut };
        let answer = match want {
            Want::Bind { id, .. } | Want::Join { id, .. } | Want::Connect { id, .. }
                if shape % 8 == 7 =>
            {
                fail(id)
            }
            Want::Bind { id, local, .. } => Answer::Bound { id, local: (local, 40_000).into() },
            Want::Join { id, interface, group } => {
                Answer::Bound { id, local: (interface, group.port()).into() }
            }
            Want::Connect { id, remote, .. } => {
                assert_eq!(remote.ip(), GATEWAY, "it connects to somebody else");
                let local = SocketAddr::from((HOST, 41_000 + u16::from(shape)));
                let path = Path { transport: Transport::Tcp, local, remote };
                streams.push(path);
                Answer::Connected { id, path }
            }
            _ => continue,
        };
        portmap.handle_answer(now, answer);
    }
}

pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let shape = input.byte();
    let genesis = conformance::genesis();
    let internal = std::net::SocketAddrV4::new(HOST, 5000);
    let config = Config {
        pcp: shape & 1 == 0,
        nat_pmp: shape & 2 == 0,
        igd: shape & 4 == 0,
        ..Config::new(GATEWAY, internal)
    };
    let mut now = genesis.now;
    let mut portmap = Portmap::new(&genesis, config);
    let (mut out, mut buf, mut streams) = (Out::default(), Vec::new(), Vec::new());
    let mut steps = 0;
    while !input.0.is_empty() {
        steps += 1;
        grant(&mut input, now, &mut portmap, &mut streams);
        let deadline = drain(&mut portmap, now, &mut buf, &mut out);
        assert!(deadline.is_none_or(|at| at > now), "it wants to be woken in the past");
        let choice = input.byte();
        match choice % 8 {
            0..=2 => {
                if let Some((path, request)) = out.requests.pop() {
                    let mut remote = path.remote;
                    remote.set_ip(GATEWAY.into());
                    let payload = &mut respond(&mut input, &path, &request);
                    portmap
                        .handle_datagram(now, Datagram { path: Path { remote, ..path }, payload });
                }
            }
            3 => {
                let ports = [(40_000, 5351), (5350, 5351), (40_000, 1900), (40_000, 9)];
                let (local, remote) = ports[usize::from(choice / 8 % 4)];
                let path = Path {
                    transport: Transport::Udp,
                    local: (HOST, local).into(),
                    remote: (GATEWAY, remote).into(),
                };
                let payload = &mut input.block().to_vec();
                portmap.handle_datagram(now, Datagram { path, payload });
            }
            4 => {
                if let Some(path) = streams.pop() {
                    portmap.handle_answer(now, Answer::Closed { path });
                }
            }
            5 => {
                let address = if choice & 64 == 0 { HOST } else { GATEWAY };
                let interface = Interface::new("eth0", address.into());
                portmap.handle_interfaces(now, &[interface]);
            }
            6 if choice & 128 != 0 => {
                let id = WantId(u64::from(input.byte() % 8));
                portmap.handle_answer(now, Answer::Failed { id, error: WantError::NoAddress });
            }
            _ => {
                let most = now + Duration::from_millis(u64::from(choice) * 256);
                now = deadline.map_or(now, |at| at.min(most)).max(now);
                portmap.handle_timeout(now);
            }
        }
    }
    portmap.close(now);
    // Left alone it comes to an end.
    for _ in 0..100 {
        while portmap.poll_want().is_some() {}
        let Some(at) = drain(&mut portmap, now, &mut buf, &mut out) else { break };
        now = at;
        portmap.handle_timeout(now);
    }
    assert!(out.is_closed, "it never ends");
    assert!(out.datagrams <= 32 + steps * 12, "{} datagrams in {steps} steps", out.datagrams);
}
