//! A TURN client whose server, application and clock are the input: it never panics, never asks to
//! be woken in the past, and holds no more than its bounds.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_sansio::{Datagram, Machine as _, Path, Sink, Transmit, Transport, conformance, drain};
use talkie_traversal::stun::attributes::{
    ErrorCode, Lifetime, Nonce, PasswordAlgorithms, Realm, XorMappedAddress, XorPeerAddress,
    XorRelayedAddress,
};
use talkie_traversal::stun::auth::{Key, PasswordAlgorithm};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::stun::{AttributeType, Class, Message, Method, TransactionId, Writer};
use talkie_traversal::turn::client::{Client, Config, Event};

use super::input::Input;

/// What came out, of which the last request is kept to be answered.
#[derive(Default)]
struct Out {
    requests: Vec<Vec<u8>>,
    datagrams: usize,
    events: usize,
    has_ended: bool,
}

impl Sink<Client> for Out {
    fn transmit(&mut self, _transmit: Transmit, payload: &mut [u8]) {
        self.datagrams += 1;
        if Message::parse(payload).is_ok_and(|message| message.class() == Class::Request) {
            self.requests.push(payload.to_vec());
        }
    }

    fn event(&mut self, _now: Instant, _client: &mut Client, event: Event) {
        assert!(!self.has_ended, "{event:?} after the end");
        self.events += 1;
        self.has_ended = matches!(event, Event::Ended(_));
    }
}

fn peer(byte: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, byte % 8], 5000))
}

fn hear(client: &mut Client, now: Instant, path: Path, bytes: &[u8]) {
    client.handle_datagram(now, Datagram { path, payload: &mut bytes.to_vec() });
}

/// A response to the request, as the input wants it.
pub(crate) fn respond(input: &mut Input<'_>, request: &Message<'_>) -> Vec<u8> {
    let shape = input.byte();
    let class = if shape & 1 == 0 { Class::Success } else { Class::Error };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, class, request.method(), request.transaction_id());
    if shape & 2 != 0 {
        let code = 300 + u16::from(input.byte()) * 2;
        writer.attribute(&ErrorCode { code, reason: "" });
    }
    if shape & 4 != 0 {
        writer.attribute(&Realm::new("realm").expect("short"));
        let nonce = if shape & 8 != 0 { "obMatJos2AAADxyz" } else { "nonce" };
        writer.attribute(&Nonce::new(nonce).expect("short"));
    }
    if shape & 16 != 0 {
        writer.attribute(&PasswordAlgorithms::SHA256_MD5);
    }
    if shape & 32 != 0 {
        let seconds = u64::from(input.byte()) * 37;
        writer
            .attribute(&XorRelayedAddress(peer(0)))
            .attribute(&XorMappedAddress(peer(1)))
            .attribute(&Lifetime(Duration::from_secs(seconds)));
    }
    if shape & 64 != 0 {
        let kind = AttributeType(u16::from_be_bytes([input.byte(), input.byte()]));
        let value = input.block();
        writer.raw(kind, |out| out.extend_from_slice(value));
    }
    let key = |algorithm| Key::long_term(algorithm, "user", "realm", "password");
    if request.contains(AttributeType::MESSAGE_INTEGRITY_SHA256) {
        writer.integrity_sha256(&key(PasswordAlgorithm::Sha256));
    } else if request.contains(AttributeType::MESSAGE_INTEGRITY) {
        writer.integrity(&key(PasswordAlgorithm::Md5));
    }
    bytes
}

pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let shape = input.byte();
    let transport = if shape & 1 == 0 { Transport::Udp } else { Transport::Tcp };
    let credential = (shape & 2 == 0)
        .then(|| LongTerm::new("user", "password").expect("a plain name and password"));
    let path = Path {
        transport,
        local: SocketAddr::from(([198, 51, 100, 1], 1000)),
        remote: SocketAddr::from(([198, 51, 100, 2], 3478)),
    };
    let config = Config { queue: 16, permissions: 4, channels: 4, ..Config::default() };
    let genesis = conformance::genesis();
    let mut now = genesis.now;
    let mut client = Client::new(&genesis, path, credential, config);
    let mut out = Out::default();
    let mut buf = Vec::new();
    let mut undrained = 0;
    while !input.0.is_empty() {
        let choice = input.byte();
        match choice % 10 {
            0 => hear(&mut client, now, path, input.block()),
            1 => now += Duration::from_millis(u64::from(input.byte()).pow(2)),
            2 | 3 => {
                if let Some(request) = out.requests.pop() {
                    let request = Message::parse(&request).expect("it parsed before");
                    hear(&mut client, now, path, &respond(&mut input, &request));
                }
            }
            4 => {
                let _ = client.permit(now, peer(input.byte()).ip());
            }
            5 => {
                let _ = client.bind(now, peer(input.byte()));
            }
            6 => {
                let _ = client.send(now, peer(input.byte()), input.block());
            }
            7 => {
                let number = [0x40, input.byte() % 8];
                let body = input.block();
                let length = [0, body.len() as u8];
                hear(&mut client, now, path, &[&number[..], &length, body].concat());
            }
            8 => {
                let mut bytes = Vec::new();
                let id = TransactionId([1; 12]);
                let from = XorPeerAddress(peer(input.byte()));
                let kind = AttributeType(u16::from_be_bytes([0, input.byte()]));
                let value = input.block();
                Writer::new(&mut bytes, Class::Indication, Method::DATA, id)
                    .attribute(&from)
                    .raw(kind, |out| out.extend_from_slice(value));
                hear(&mut client, now, path, &bytes);
            }
            _ if choice > 250 => client.close(now),
            _ => undrained += 1,
        }
        if choice & 1 == 0 || undrained > 3 {
            undrained = 0;
            let (datagrams, events) = (out.datagrams, out.events);
            let deadline = drain(&mut client, now, &mut buf, &mut out);
            assert!(deadline.is_none_or(|at| at > now), "it wants to be woken in the past");
            assert!(out.datagrams - datagrams < 200 && out.events - events < 100);
            assert!(!out.has_ended || deadline.is_none(), "it lives after its end");
        }
    }
}
