//! What passes a host's network card, as a packet socket shows it: which checks went, which answers came.
//!
//! Checks that travel over a relay are found inside of what the relay is sent. Over TCP a segment is taken
//! to hold whole messages, as it does where each is written by itself and none is lost.

use std::collections::HashSet;
use std::io::{self, Read as _};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use socket2::{Domain, Socket, Type};
use talkie_lab::real::{self, Host};
use talkie_traversal::stun::attributes::Data;
use talkie_traversal::stun::{AttributeType, Class, Message, Method, TransactionId};
use talkie_traversal::turn::channel_data::ChannelData;
use talkie_traversal::turn::channel_data::stream::frame_length;

use super::lab::Lab;

/// ETH_P_ALL: every packet, those that go out, too.
const ALL: u16 = 3;
const ETHERNET: usize = 14;
const IPV4: [u8; 2] = [8, 0];
const TCP: u8 = 6;
const UDP: u8 = 17;

/// A tap on a host's card.
pub(super) struct Wire {
    is_over: Arc<AtomicBool>,
    reader: JoinHandle<Record>,
}

/// What passed.
#[derive(Debug)]
pub(super) struct Record {
    host: Ipv4Addr,
    /// Packets of UDP and TCP that the host has sent.
    pub(super) sent: usize,
    checks: HashSet<TransactionId>,
    nominations: HashSet<TransactionId>,
    first_pair: Option<Instant>,
    nominated: Option<Instant>,
}

/// What a message is to ICE.
enum Said {
    Check { id: TransactionId, nominates: bool },
    Answer(TransactionId),
}

impl Wire {
    pub(super) fn tap(lab: &Lab, host: Host) -> Result<Self> {
        let socket = real::inside(&lab.name, host, || {
            Socket::new(Domain::PACKET, Type::RAW, Some(i32::from(ALL.to_be()).into()))
        })??;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (over, record) = (Arc::clone(&is_over), Record::new(lab.address(host)));
        let reader = thread::spawn(move || record.listen(&socket, &over));
        Ok(Self { is_over, reader })
    }

    pub(super) fn untap(self) -> Record {
        self.is_over.store(true, Ordering::Relaxed);
        self.reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Record {
    fn new(host: Ipv4Addr) -> Self {
        Self {
            host,
            sent: 0,
            checks: HashSet::new(),
            nominations: HashSet::new(),
            first_pair: None,
            nominated: None,
        }
    }

    /// When the first answer to a check of the host's came.
    pub(super) fn first_pair(&self) -> Option<Instant> {
        self.first_pair
    }

    /// When the first answer to a nomination of the host's came.
    pub(super) fn nominated(&self) -> Option<Instant> {
        self.nominated
    }

    fn listen(mut self, mut socket: &Socket, is_over: &AtomicBool) -> Self {
        let mut frame = [0; 1 << 16];
        while !is_over.load(Ordering::Relaxed) {
            match socket.read(&mut frame) {
                Ok(length) => self.note(Instant::now(), &frame[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
        self
    }

    fn note(&mut self, now: Instant, frame: &[u8]) {
        let Some((source, protocol, payload)) = split(frame) else { return };
        let is_ours = source == self.host;
        self.sent += usize::from(is_ours);
        // A card shows datagrams of one length that leave together as one (GSO).
        let mut rest = payload;
        while let Ok(Some(length)) = frame_length(rest)
            && let Some((message, more)) = rest.split_at_checked(length)
        {
            self.hear(now, is_ours, message);
            rest = more;
        }
        if protocol == UDP && rest.len() == payload.len() {
            self.hear(now, is_ours, payload);
        }
    }

    fn hear(&mut self, now: Instant, is_ours: bool, message: &[u8]) {
        match said(message) {
            Some(Said::Check { id, nominates }) if is_ours => {
                self.checks.insert(id);
                if nominates {
                    self.nominations.insert(id);
                }
            }
            Some(Said::Answer(id)) if !is_ours => {
                if self.checks.contains(&id) {
                    self.first_pair.get_or_insert(now);
                }
                if self.nominations.contains(&id) {
                    self.nominated.get_or_insert(now);
                }
            }
            _ => {}
        }
    }
}

/// Who has sent a packet of UDP or TCP, which of the two, and what is in it.
fn split(frame: &[u8]) -> Option<(Ipv4Addr, u8, &[u8])> {
    let (head, packet) = frame.split_at_checked(ETHERNET)?;
    if head[12..] != IPV4 {
        return None;
    }
    let header = usize::from(packet.first()? & 0xf) * 4;
    let length = usize::from(u16::from_be_bytes(packet.get(2..4)?.try_into().ok()?));
    let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    let protocol = *packet.get(9)?;
    // A short frame is padded.
    let inner = packet.get(header..length)?;
    let header = match protocol {
        UDP => 8,
        TCP => usize::from(inner.get(12)? >> 4) * 4,
        _ => return None,
    };
    Some((source.into(), protocol, inner.get(header..)?))
}

fn said(bytes: &[u8]) -> Option<Said> {
    if let Ok(relayed) = ChannelData::parse(bytes) {
        return said(relayed.data);
    }
    let message = Message::parse(bytes).ok()?;
    if [Method::SEND, Method::DATA].contains(&message.method()) {
        let Data(inner) = message.get::<Data<'_>>().ok()??;
        return said(inner);
    }
    if message.method() != Method::BINDING {
        return None;
    }
    let id = message.transaction_id();
    match message.class() {
        // A STUN server is asked without a name.
        Class::Request if message.contains(AttributeType::USERNAME) => {
            let nominates = message.contains(AttributeType::USE_CANDIDATE);
            Some(Said::Check { id, nominates })
        }
        Class::Success => Some(Said::Answer(id)),
        _ => None,
    }
}
