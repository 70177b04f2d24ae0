//! A discovery whose server, NAT and clock are the input: it never panics, never asks to be woken in
//! the past, sends a bounded number of packets, and reports once.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_sansio::{Datagram, Machine as _, Path, Sink, Transmit, Transport, conformance, drain};
use talkie_traversal::discover::{Config, Discovery, Event};
use talkie_traversal::stun::attributes::{
    ErrorCode, MappedAddress, Nonce, OtherAddress, XorMappedAddress,
};
use talkie_traversal::stun::{AttributeType, Class, Message, Writer};

use super::input::Input;

#[derive(Default)]
struct Out {
    requests: Vec<(Path, Vec<u8>)>,
    datagrams: usize,
    reports: usize,
}

impl Sink<Discovery> for Out {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.datagrams += 1;
        self.requests.push((transmit.path, payload.to_vec()));
    }

    fn event(&mut self, _now: Instant, _discovery: &mut Discovery, event: Event) {
        assert_eq!(self.reports, 0, "{event:?} after the report");
        if let Event::Report(report) = event {
            let _ = report.to_string();
            self.reports += 1;
        }
    }
}

fn address(byte: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, byte % 4], 3478 + u16::from(byte / 4 % 4)))
}

fn respond(input: &mut Input<'_>, request: &Message<'_>) -> Vec<u8> {
    let shape = input.byte();
    let class = match shape & 3 {
        0 => Class::Error,
        1 => Class::Request,
        _ => Class::Success,
    };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, class, request.method(), request.transaction_id());
    if class == Class::Error {
        let code = 300 + u16::from(input.byte()) * 2;
        writer.attribute(&ErrorCode { code, reason: "" });
        writer.attribute(&Nonce::new("nonce").expect("short"));
    }
    if shape & 4 != 0 {
        writer.attribute(&XorMappedAddress(address(input.byte())));
    }
    if shape & 8 != 0 {
        writer.attribute(&MappedAddress(address(input.byte())));
    }
    if shape & 16 != 0 {
        writer.attribute(&OtherAddress(address(input.byte())));
    }
    if shape & 32 != 0 {
        let kind = AttributeType(u16::from_be_bytes([input.byte(), input.byte()]));
        let value = input.block();
        writer.raw(kind, |out| out.extend_from_slice(value));
    }
    bytes
}

pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let shape = input.byte();
    let local = (0..1 + u16::from(shape % 6))
        .map(|index| SocketAddr::from(([10, 0, 0, 1], 5000 + index)))
        .collect();
    let config = Config {
        second: (shape & 64 != 0).then_some(SocketAddr::from(([192, 0, 2, 200], 3478))),
        lifetime: (shape & 128 != 0).then_some(Duration::from_secs(60)),
        ..Config::new(address(1), local)
    };
    let genesis = conformance::genesis();
    let mut now = genesis.now;
    let mut discovery = Discovery::new(&genesis, config).expect("the setup works");
    let mut out = Out::default();
    let mut buf = Vec::new();
    let mut deadline = drain(&mut discovery, now, &mut buf, &mut out);
    while !input.0.is_empty() {
        let choice = input.byte();
        match choice % 4 {
            0 => {
                let path = Path {
                    transport: Transport::Udp,
                    local: SocketAddr::from(([10, 0, 0, 1], 5000 + u16::from(choice / 4 % 8))),
                    remote: address(input.byte()),
                };
                let payload = &mut input.block().to_vec();
                discovery.handle_datagram(now, Datagram { path, payload });
            }
            1 | 2 => {
                if let Some((mut path, request)) = out.requests.pop() {
                    let request = Message::parse(&request).expect("it made it");
                    let mut bytes = respond(&mut input, &request);
                    if choice & 64 != 0 {
                        path.remote = address(input.byte());
                    }
                    if choice & 128 != 0 {
                        path.local.set_port(5000 + u16::from(input.byte() % 8));
                    }
                    discovery.handle_datagram(now, Datagram { path, payload: &mut bytes });
                }
            }
            _ => {
                let most = now + Duration::from_millis(u64::from(choice) * 16);
                now = deadline.map_or(now, |at| at.min(most)).max(now);
                discovery.handle_timeout(now);
            }
        }
        deadline = drain(&mut discovery, now, &mut buf, &mut out);
        assert!(deadline.is_none_or(|at| at > now), "it wants to be woken in the past");
        assert!(out.reports == 0 || deadline.is_none(), "it lives after its end");
    }
    // Left alone it comes to an end.
    for _ in 0..20_000 {
        let Some(at) = deadline else { break };
        now = at;
        discovery.handle_timeout(now);
        deadline = drain(&mut discovery, now, &mut buf, &mut out);
    }
    assert_eq!(out.reports, 1, "it never reports");
    assert!(out.datagrams < 3000, "{} datagrams", out.datagrams);
}
