//! A responder and resolver whose link, application and clock are the input: it never panics, never asks
//! to be woken in the past, and answers with a bounded number of short messages.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{
    Answer, Datagram, Hosted as _, Interface, Machine as _, Path, Sink, Transmit, Transport, Want,
    WantError, conformance, drain,
};
use talkie_traversal::mdns::message::{Message, Name, Question};
use talkie_traversal::mdns::{Config, Event, Mdns};

use super::input::Input;

#[derive(Default)]
struct Out {
    sent: usize,
    names: Vec<String>,
}

impl Sink<Mdns> for Out {
    fn transmit(&mut self, _transmit: Transmit, payload: &mut [u8]) {
        self.sent += 1;
        assert!(payload.len() <= 512);
        assert!(Message::parse(payload).is_some());
    }

    fn event(&mut self, _now: Instant, _mdns: &mut Mdns, event: Event) {
        if let Event::Resolved { addresses, .. } = event {
            assert!(!addresses.is_empty());
        }
    }
}

fn own(byte: u8) -> IpAddr {
    if byte & 8 == 0 {
        IpAddr::from([192, 168, 1, byte % 8])
    } else {
        IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(byte % 8)])
    }
}

/// A well-formed question for a name of ours, which blind bytes hardly hit.
fn question(input: &mut Input<'_>, names: &[String]) -> Option<Vec<u8>> {
    let name = names.get(usize::from(input.byte()) % names.len().max(1))?;
    let shape = input.byte();
    let kind = [1, 28, 255, 47][usize::from(shape % 4)];
    let question = Question { name: Name::from_text(name)?, kind, unicast: shape & 4 != 0 };
    let questions = vec![question; usize::from(shape / 8) + 1];
    Some(Message { questions, ..Message::default() }.to_bytes())
}

pub(crate) fn run(data: &[u8]) {
    if let Some(message) = Message::parse(data) {
        assert!(Message::parse(&message.to_bytes()).is_some() || !message.answers.is_empty());
    }
    let mut input = Input(data);
    let genesis = conformance::genesis();
    let mut now = genesis.now;
    let mut mdns = Mdns::new(&genesis, Config::default());
    let mut out = Out::default();
    let mut buf = Vec::new();
    while !input.0.is_empty() {
        let choice = input.byte();
        let sent = out.sent;
        match choice % 8 {
            0 | 1 => {
                let remote = SocketAddr::new(own(input.byte()), 5353 + u16::from(choice / 128));
                let bytes = if choice & 64 != 0 {
                    question(&mut input, &out.names).unwrap_or_default()
                } else {
                    input.block().to_vec()
                };
                let local = SocketAddr::new(own(choice / 8), 5353);
                let path = Path { transport: Transport::Udp, local, remote };
                mdns.handle_datagram(now, Datagram { path, payload: &mut bytes.clone() });
            }
            2 => out.names.extend(mdns.register(now, own(input.byte()))),
            3 => {
                let _ = mdns.resolve(now, &String::from_utf8_lossy(input.block()));
            }
            4 => {
                let all = input
                    .block()
                    .iter()
                    .map(|byte| Interface::new(format!("eth{}", byte / 64), own(*byte)));
                mdns.handle_interfaces(now, &all.collect::<Vec<_>>());
            }
            5 => mdns.unregister(now, own(input.byte())),
            6 => now += Duration::from_millis(u64::from(input.byte()) * 16),
            _ if choice == 255 => mdns.close(now),
            _ => {}
        }
        while let Some(want) = mdns.poll_want() {
            if let Want::Join { id, interface, .. } = want {
                let answer = if choice & 32 == 0 {
                    Answer::Bound { id, local: SocketAddr::new(interface, 5353) }
                } else {
                    Answer::Failed { id, error: WantError::Unsupported }
                };
                mdns.handle_answer(now, answer);
            }
        }
        let deadline = drain(&mut mdns, now, &mut buf, &mut out);
        assert!(deadline.is_none_or(|at| at > now));
        // Names and questions, each on a few links.
        assert!(out.sent - sent <= 1024);
    }
}
