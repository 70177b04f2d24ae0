//! A gateway that speaks PCP, NAT-PMP and UPnP, and a clock: what [`Portmap`] lives in.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use talkie_sansio::{
    Answer, Datagram, Hosted as _, Interface, Machine as _, Path, Sink, Transmit, Transport, Want,
    WantError, conformance, drain,
};
use talkie_traversal::portmap::{Config, Event, Portmap};

pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 5);
pub(crate) const INTERNAL: SocketAddrV4 = SocketAddrV4::new(HOST, 5000);
pub(crate) const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);
const WEB: SocketAddr = SocketAddr::new(IpAddr::V4(GATEWAY), 5555);
pub(crate) const SERVICE: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";

/// How the gateway takes a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Not a word.
    Silent,
    /// As the standard has it.
    Well,
    /// As somebody who only knows the other one of PCP and NAT-PMP.
    OtherOnly,
    /// This error, always.
    Error(u16),
}

/// A mapping in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) internal: SocketAddrV4,
    pub(crate) expires: Instant,
}

pub(crate) struct Gateway {
    pub(crate) pcp: Speaks,
    pub(crate) nat_pmp: Speaks,
    pub(crate) igd: Speaks,
    pub(crate) external: Ipv4Addr,
    /// When its clock began.
    pub(crate) started: Instant,
    pub(crate) table: BTreeMap<u16, Entry>,
    /// What it was asked, a line each.
    pub(crate) log: Vec<String>,
    /// What it answers on the web instead of the truth.
    pub(crate) page: Option<Vec<u8>>,
    /// Where it says that its description is.
    pub(crate) location: String,
    nonce: Option<[u8; 12]>,
}

impl Gateway {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            pcp: Speaks::Silent,
            nat_pmp: Speaks::Silent,
            igd: Speaks::Silent,
            external: OUTSIDE,
            started: now,
            table: BTreeMap::new(),
            log: Vec::new(),
            page: None,
            location: format!("http://{WEB}/root.xml"),
            nonce: None,
        }
    }

    /// Loses all, as at a reboot.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.table.clear();
        self.nonce = None;
        self.started = now;
    }

    pub(crate) fn epoch(&self, now: Instant) -> [u8; 4] {
        u32::try_from((now - self.started).as_secs()).unwrap().to_be_bytes()
    }

    fn expire(&mut self, now: Instant) {
        self.table.retain(|_, entry| entry.expires > now);
    }

    /// The port outside for one inside: as wished if that is free, else the next.
    fn map(&mut self, now: Instant, internal: u16, wish: u16, lifetime: u32) -> u16 {
        self.expire(now);
        let internal = SocketAddrV4::new(HOST, internal);
        let held = self.table.iter().find(|(_, entry)| entry.internal == internal);
        let held = held.map(|(port, _)| *port);
        if lifetime == 0 {
            self.table.retain(|_, entry| entry.internal != internal);
            return 0;
        }
        let mut port = held.unwrap_or(wish);
        while self.table.get(&port).is_some_and(|entry| entry.internal != internal) {
            port += 1;
        }
        let expires = now + Duration::from_secs(lifetime.into());
        self.table.insert(port, Entry { internal, expires });
        port
    }

    /// What it says to a datagram on its port 5351.
    pub(crate) fn knock(&mut self, now: Instant, request: &[u8]) -> Option<Vec<u8>> {
        let version = request[0];
        self.log.push(format!("{} {}", ["nat-pmp", "", "pcp"][usize::from(version)], request[1]));
        match (version, self.pcp, self.nat_pmp) {
            (2, Speaks::OtherOnly, _) => {
                let mut answer = vec![0, 128 + request[1], 0, 1];
                answer.extend(self.epoch(now));
                Some(answer)
            }
            (0, _, Speaks::OtherOnly) => {
                let mut answer = vec![0; 24];
                answer[..4].copy_from_slice(&[2, 0x80 | request[1], 0, 1]);
                Some(answer)
            }
            (2, Speaks::Well | Speaks::Error(_), _) => Some(self.answer_pcp(now, request)),
            (0, _, Speaks::Well | Speaks::Error(_)) => Some(self.answer_nat_pmp(now, request)),
            _ => None,
        }
    }

    fn answer_pcp(&mut self, now: Instant, request: &[u8]) -> Vec<u8> {
        assert_eq!(request.len(), 60, "only mappings are asked for");
        assert_eq!(request[8..24], HOST.to_ipv6_mapped().octets());
        let word = |at: usize| u16::from_be_bytes([request[at], request[at + 1]]);
        let lifetime = u32::from_be_bytes(*request[4..].first_chunk().unwrap());
        let nonce: [u8; 12] = *request[24..].first_chunk().unwrap();
        let mut answer = request.to_vec();
        answer[1] |= 0x80;
        answer[8..24].fill(0);
        answer[8..12].copy_from_slice(&self.epoch(now));
        if let Speaks::Error(code) = self.pcp {
            answer[3] = u8::try_from(code).unwrap();
            return answer;
        }
        // RFC 6887 §15.1: who does not know the nonce takes nothing away.
        assert_eq!(*self.nonce.get_or_insert(nonce), nonce);
        let port = self.map(now, word(40), word(42), lifetime);
        if lifetime == 0 {
            self.nonce = None;
        }
        answer[42..44].copy_from_slice(&port.to_be_bytes());
        answer[44..60].copy_from_slice(&self.external.to_ipv6_mapped().octets());
        answer
    }

    fn answer_nat_pmp(&mut self, now: Instant, request: &[u8]) -> Vec<u8> {
        let mut answer = vec![0, 128 + request[1], 0, 0];
        answer.extend(self.epoch(now));
        if let Speaks::Error(code) = self.nat_pmp {
            answer[2..4].copy_from_slice(&code.to_be_bytes());
        }
        if request[1] == 0 {
            answer.extend(self.external.octets());
        } else if self.nat_pmp == Speaks::Well {
            let word = |at: usize| u16::from_be_bytes([request[at], request[at + 1]]);
            let lifetime = u32::from_be_bytes(*request[8..].first_chunk().unwrap());
            let port = self.map(now, word(4), word(6), lifetime);
            answer.extend(&request[4..6]);
            answer.extend(port.to_be_bytes());
            answer.extend(lifetime.to_be_bytes());
        }
        answer
    }

    /// What it says to a search.
    fn found(&self, request: &[u8]) -> Option<Vec<u8>> {
        if self.igd == Speaks::Silent {
            return None;
        }
        let text = String::from_utf8(request.to_vec()).unwrap();
        assert!(text.starts_with("M-SEARCH * HTTP/1.1\r\n"), "{text}");
        let kind = text.lines().find(|line| line.starts_with("ST: ")).unwrap();
        let location = &self.location;
        Some(format!("HTTP/1.1 200 OK\r\n{kind}\r\nLOCATION: {location}\r\n\r\n").into_bytes())
    }

    /// Its web server.
    fn serve(&mut self, now: Instant, request: &[u8]) -> Vec<u8> {
        let text = String::from_utf8(request.to_vec()).unwrap();
        let action = text.lines().find_map(|line| line.strip_prefix("SOAPAction: "));
        let action = action.map(|it| it.trim_matches('"').rsplit('#').next().unwrap().to_owned());
        self.log.push(format!("igd {}", action.as_deref().unwrap_or("description")));
        if let Some(page) = &self.page {
            return page.clone();
        }
        let number = |name: &str| -> u32 {
            let (_, rest) = text.split_once(&format!("<{name}>")).unwrap();
            rest.split('<').next().unwrap().parse().unwrap()
        };
        let respond = |inner: &str| {
            let action = action.as_deref().unwrap();
            envelope(&format!(
                "<u:{action}Response xmlns:u=\"{SERVICE}\">{inner}</u:{action}Response>"
            ))
        };
        self.expire(now);
        let (code, body) = match (action.as_deref(), self.igd) {
            (None, _) => (200, description("/control")),
            (Some("GetExternalIPAddress"), _) => {
                let external = self.external;
                (200, respond(&format!("<NewExternalIPAddress>{external}</NewExternalIPAddress>")))
            }
            (Some("AddPortMapping"), Speaks::Error(code)) => (500, fault(code)),
            (Some("AddPortMapping"), _) => {
                let port = u16::try_from(number("NewExternalPort")).unwrap();
                let inside = u16::try_from(number("NewInternalPort")).unwrap();
                let internal = SocketAddrV4::new(HOST, inside);
                let lease = Duration::from_secs(number("NewLeaseDuration").into());
                if self.table.get(&port).is_some_and(|entry| entry.internal != internal) {
                    (500, fault(718))
                } else {
                    self.table.insert(port, Entry { internal, expires: now + lease });
                    (200, respond(""))
                }
            }
            (Some("DeletePortMapping"), _) => {
                let gone = self.table.remove(&u16::try_from(number("NewExternalPort")).unwrap());
                if gone.is_some() { (200, respond("")) } else { (500, fault(714)) }
            }
            (Some(other), _) => panic!("nobody asks for {other}"),
        };
        page(code, &body)
    }
}

pub(crate) fn page(code: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {code} X\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub(crate) fn description(control: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device><serviceList>\
         <service><serviceType>{SERVICE}</serviceType><controlURL>{control}</controlURL></service>\
         </serviceList></device></root>"
    )
}

fn envelope(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <s:Body>{inner}</s:Body></s:Envelope>"
    )
}

fn fault(code: u16) -> String {
    envelope(&format!("<s:Fault><detail><e><errorCode>{code}</errorCode></e></detail></s:Fault>"))
}

/// The machine, its gateway and the time.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) portmap: Portmap,
    pub(crate) gateway: Gateway,
    pub(crate) events: Vec<Event>,
    /// Where streams were asked for.
    pub(crate) connected: Vec<SocketAddr>,
    /// What was sent by UDP.
    pub(crate) sent: usize,
    pub(crate) socket: Option<SocketAddr>,
    pub(crate) group: Option<SocketAddr>,
    /// Sockets and streams that are open.
    pub(crate) open: Vec<String>,
    /// Whether the gateway can be reached.
    pub(crate) is_cut: bool,
    next_port: u16,
}

#[derive(Default)]
struct Out {
    datagrams: Vec<(Path, Vec<u8>)>,
    events: Vec<Event>,
}

impl Sink<Portmap> for Out {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.datagrams.push((transmit.path, payload.to_vec()));
    }

    fn event(&mut self, _now: Instant, _portmap: &mut Portmap, event: Event) {
        self.events.push(event);
    }
}

impl World {
    pub(crate) fn new(set: impl FnOnce(&mut Gateway)) -> Self {
        Self::with(Config::new(GATEWAY, INTERNAL), set)
    }

    pub(crate) fn with(config: Config, set: impl FnOnce(&mut Gateway)) -> Self {
        let genesis = conformance::genesis();
        let mut gateway = Gateway::new(genesis.now);
        set(&mut gateway);
        Self {
            // The gateway has been there for an hour.
            now: genesis.now + Duration::from_secs(3600),
            portmap: Portmap::new(
                &talkie_sansio::Genesis { now: genesis.now + Duration::from_secs(3600), ..genesis },
                config,
            ),
            gateway,
            events: Vec::new(),
            connected: Vec::new(),
            sent: 0,
            socket: None,
            group: None,
            open: Vec::new(),
            is_cut: false,
            next_port: 40_000,
        }
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, span: Duration) {
        let until = self.now + span;
        loop {
            let deadline = self.settle();
            match deadline.filter(|at| *at <= until) {
                Some(at) => {
                    self.now = at;
                    self.portmap.handle_timeout(at);
                }
                None => break,
            }
        }
        self.now = until;
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    /// Delivers what there is until there is nothing more.
    pub(crate) fn settle(&mut self) -> Option<Instant> {
        loop {
            while let Some(want) = self.portmap.poll_want() {
                self.grant(want);
            }
            let mut out = Out::default();
            let deadline = drain(&mut self.portmap, self.now, &mut Vec::new(), &mut out);
            self.events.append(&mut out.events);
            if out.datagrams.is_empty() {
                if let Some(want) = self.portmap.poll_want() {
                    self.grant(want);
                    continue;
                }
                return deadline;
            }
            for (path, payload) in out.datagrams {
                self.carry(path, &payload);
            }
        }
    }

    fn grant(&mut self, want: Want) {
        let answer = match want {
            Want::Bind { id, local, .. } => {
                let local = SocketAddr::new(local, self.port());
                self.socket = Some(local);
                self.open.push(format!("{id:?}"));
                Answer::Bound { id, local }
            }
            Want::Join { id, interface, group } => {
                let local = SocketAddr::new(interface, group.port());
                self.group = Some(local);
                self.open.push(format!("{id:?}"));
                Answer::Bound { id, local }
            }
            Want::Connect { id, remote, local, .. } => {
                self.connected.push(remote);
                assert_eq!(local.map(|it| it.ip()), Some(IpAddr::V4(HOST)));
                if remote != WEB || self.is_cut {
                    Answer::Failed { id, error: WantError::TimedOut }
                } else {
                    let local = SocketAddr::from((HOST, self.port()));
                    let path = Path { transport: Transport::Tcp, local, remote };
                    self.open.push(format!("{path:?}"));
                    Answer::Connected { id, path }
                }
            }
            Want::Close { id } => return self.open.retain(|it| *it != format!("{id:?}")),
            Want::HangUp { path } => return self.open.retain(|it| *it != format!("{path:?}")),
            other => panic!("{other:?}"),
        };
        self.portmap.handle_answer(self.now, answer);
    }

    fn port(&mut self) -> u16 {
        self.next_port += 1;
        self.next_port
    }

    fn carry(&mut self, path: Path, payload: &[u8]) {
        if path.transport == Transport::Tcp {
            let page = self.gateway.serve(self.now, payload);
            // As a stream brings it: in pieces.
            for piece in page.chunks(700) {
                self.deliver(path, piece);
            }
            let key = format!("{path:?}");
            if self.open.contains(&key) {
                self.open.retain(|it| *it != key);
                self.portmap.handle_answer(self.now, Answer::Closed { path });
            }
            return;
        }
        self.sent += 1;
        if self.is_cut {
            return;
        }
        let answer = match path.remote.port() {
            5351 => self.gateway.knock(self.now, payload),
            1900 => self.gateway.found(payload),
            other => panic!("nobody is at port {other}"),
        };
        let remote = SocketAddr::from((GATEWAY, path.remote.port()));
        if let Some(answer) = answer {
            self.deliver(Path { remote, ..path }, &answer);
        }
    }

    pub(crate) fn deliver(&mut self, path: Path, payload: &[u8]) {
        let payload = &mut payload.to_vec();
        self.portmap.handle_datagram(self.now, Datagram { path, payload });
    }

    /// A datagram to one of the machine's sockets.
    pub(crate) fn hear(&mut self, from: impl Into<SocketAddr>, payload: &[u8]) {
        let local = self.socket.unwrap();
        let path = Path { transport: Transport::Udp, local, remote: from.into() };
        self.deliver(path, payload);
    }

    /// What the gateway tells everybody.
    pub(crate) fn announce(&mut self, from: impl Into<SocketAddr>, payload: &[u8]) {
        let local = self.group.unwrap();
        let path = Path { transport: Transport::Udp, local, remote: from.into() };
        self.deliver(path, payload);
    }

    pub(crate) fn interfaces(&mut self, addresses: &[Ipv4Addr]) {
        let interface = |address: &Ipv4Addr| Interface::new("eth0", IpAddr::V4(*address));
        let interfaces: Vec<_> = addresses.iter().map(interface).collect();
        self.portmap.handle_interfaces(self.now, &interfaces);
    }

    /// The events since this was asked last.
    pub(crate) fn told(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What the gateway was asked since this was asked last.
    pub(crate) fn asked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.gateway.log)
    }
}
