//! A side of hole punching whose other side, NAT and clock are the input, and the reader of
//! descriptions: no panic, bounded, never woken in the past, silent after its end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_sansio::{Datagram, Machine as _, Path, Sink, Transmit, Transport, conformance, drain};
use talkie_traversal::punch::{Config, Description, Event, Punch, Relay};
use talkie_traversal::stun::attributes::{
    IceControlled, Priority, UseCandidate, Username, XorMappedAddress,
};
use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};

use super::input::Input;

const PASSWORD: &str = "0123456789abcdefghijkl";

#[derive(Default)]
struct Out {
    requests: Vec<(Path, Vec<u8>)>,
    ours: Option<String>,
    has_ended: bool,
    datagrams: usize,
}

impl Sink<Punch> for Out {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.datagrams += 1;
        self.requests.push((transmit.path, payload.to_vec()));
    }

    fn event(&mut self, _now: Instant, _punch: &mut Punch, event: Event) {
        match event {
            Event::Gathered(description) => {
                let text = description.to_string();
                assert_eq!(text.parse(), Ok(description), "what it says can be read");
                self.ours = Some(text);
            }
            Event::Failed(_) => self.has_ended = true,
            event => assert!(!self.has_ended, "{event:?} after the end"),
        }
    }
}

fn peer(byte: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + byte % 4], 6000 + u16::from(byte / 4)))
}

fn check(input: &mut Input<'_>, ours: &str) -> Vec<u8> {
    let mut words = ours.split(' ').skip(1);
    let (ufrag, password) = (words.next().expect("a name"), words.next().expect("a password"));
    let shape = input.byte();
    let mut bytes = Vec::new();
    let id = TransactionId([input.byte(); 12]);
    let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, id);
    writer.attribute(&Username::new(&format!("{ufrag}:++++")).expect("short"));
    writer.attribute(&Priority(u32::from(shape) << 22)).attribute(&IceControlled(1));
    writer.optional((shape & 1 != 0).then_some(UseCandidate).as_ref());
    writer.integrity(&Key::short_term(if shape & 2 == 0 { password } else { PASSWORD }));
    if shape & 4 == 0 {
        writer.fingerprint();
    }
    bytes
}

pub(crate) fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(description) = text.parse::<Description>()
    {
        assert_eq!(description.to_string().parse(), Ok(description));
    }
    let mut input = Input(data);
    let local = SocketAddr::from(([10, 0, 0, 1], 5000));
    let server = SocketAddr::from(([192, 0, 2, 200], 3478));
    let shape = input.byte();
    let path = Path { transport: Transport::Udp, local, remote: server };
    let credential = LongTerm::new("user", "password").expect("a plain name and password");
    let config = Config {
        stun: (shape & 1 != 0).then_some(server).into_iter().collect(),
        relays: (shape & 2 != 0).then_some(Relay { path, credential }).into_iter().collect(),
        ..Config::new(vec![local])
    };
    let genesis = conformance::genesis();
    let mut now = genesis.now;
    let mut punch = Punch::new(&genesis, config).expect("the setup works");
    let mut out = Out::default();
    let mut buf = Vec::new();
    let mut deadline = drain(&mut punch, now, &mut buf, &mut out);
    while !input.0.is_empty() {
        let choice = input.byte();
        let mut hear = |remote, bytes: &mut Vec<u8>| {
            let path = Path { transport: Transport::Udp, local, remote };
            punch.handle_datagram(now, Datagram { path, payload: bytes });
        };
        match choice % 6 {
            0 => hear(peer(input.byte()), &mut input.block().to_vec()),
            1 => hear(server, &mut input.block().to_vec()),
            2 => {
                if let Some(ours) = &out.ours {
                    let mut bytes = check(&mut input, ours);
                    hear(peer(input.byte()), &mut bytes);
                }
            }
            3 => {
                if let Some((path, request)) = out.requests.pop()
                    && let Ok(request) = Message::parse(&request)
                {
                    let mut bytes = Vec::new();
                    let id = request.transaction_id();
                    Writer::new(&mut bytes, Class::Success, request.method(), id)
                        .attribute(&XorMappedAddress(peer(input.byte())))
                        .integrity(&Key::short_term(PASSWORD))
                        .fingerprint();
                    hear(path.remote, &mut bytes);
                }
            }
            4 => {
                let candidates = [peer(input.byte()), peer(input.byte())];
                let [first, second] = candidates;
                let text = format!("1 ++++ {PASSWORD} host={first} relay={second}");
                let _ = punch.handle_remote(now, &text.parse().expect("it is well-formed"));
            }
            _ if choice > 250 => {
                punch.close(now);
                out.has_ended = true;
            }
            _ => {
                let most = now + Duration::from_millis(u64::from(choice) * 8);
                now = deadline.map_or(now, |at| at.min(most)).max(now);
                punch.handle_timeout(now);
            }
        }
        let before = out.datagrams;
        deadline = drain(&mut punch, now, &mut buf, &mut out);
        assert!(deadline.is_none_or(|at| at > now), "it wants to be woken in the past");
        assert!(out.datagrams - before < 100);
    }
}
