//! The least TURN client that can allocate and bind channels, blocking.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use talkie_traversal::stun::attributes::{
    ChannelNumber, ErrorCode, Lifetime, Nonce, Realm, RequestedTransport, Username, XorPeerAddress,
    XorRelayedAddress,
};
use talkie_traversal::stun::auth::{Key, PasswordAlgorithm};
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};

use crate::process::{PASSWORD, USER};

static NEXT: AtomicU64 = AtomicU64::new(1);

pub(crate) struct Allocation {
    pub(crate) socket: UdpSocket,
    session: Session,
}

struct Session {
    realm: String,
    nonce: String,
    key: Key,
}

impl Allocation {
    /// Allocates with the long-term credential: two round trips.
    pub(crate) fn new(server: SocketAddr) -> Result<Self> {
        let mut unfit = Vec::new();
        let (socket, challenge) = loop {
            ensure!(unfit.len() < 100, "old allocations are in the way");
            let socket = UdpSocket::bind(("127.0.0.1", 0))?;
            socket.connect(server)?;
            socket.set_read_timeout(Some(Duration::from_secs(2)))?;
            let challenge = ask(&socket, Method::ALLOCATE, None, |writer| {
                writer.attribute(&RequestedTransport::UDP);
            })?;
            // A server may remember who had this port before. Kept, so that the next one differs.
            if code(&challenge)? != Some(437) {
                break (socket, challenge);
            }
            unfit.push(socket);
        };
        let message = Message::parse(&challenge)?;
        ensure!(code(&challenge)? == Some(401), "no challenge");
        let realm = message.get::<Realm<'_>>()?.context("no realm")?.as_str().to_owned();
        let nonce = message.get::<Nonce<'_>>()?.context("no nonce")?.as_str().to_owned();
        let key = Key::long_term(PasswordAlgorithm::Md5, USER, &realm, PASSWORD);
        let session = Session { realm, nonce, key };
        let answer = ask(&socket, Method::ALLOCATE, Some(&session), |writer| {
            writer.attribute(&RequestedTransport::UDP);
            writer.attribute(&Lifetime(Duration::from_secs(600)));
        })?;
        let relayed = succeed(&answer)?.get::<XorRelayedAddress>()?;
        relayed.context("no relayed address")?;
        Ok(Self { socket, session })
    }

    pub(crate) fn bind_channel(&self, number: u16, peer: SocketAddr) -> Result<()> {
        let number = ChannelNumber::new(number).context("no channel number")?;
        let answer = ask(&self.socket, Method::CHANNEL_BIND, Some(&self.session), |writer| {
            writer.attribute(&number);
            writer.attribute(&XorPeerAddress(peer));
        })?;
        succeed(&answer).map(drop)
    }
}

impl Drop for Allocation {
    /// Gives it back, so that whoever gets this port next meets no old allocation.
    fn drop(&mut self) {
        let _ = self.socket.set_read_timeout(Some(Duration::from_millis(200)));
        // What is still under way would be taken for the answer.
        while self.socket.set_nonblocking(true).is_ok() && self.socket.recv(&mut [0; 2048]).is_ok()
        {
        }
        let _ = self.socket.set_nonblocking(false);
        let _ = ask(&self.socket, Method::REFRESH, Some(&self.session), |writer| {
            writer.attribute(&Lifetime(Duration::ZERO));
        });
    }
}

/// The error code of an answer, if it is an error.
fn code(answer: &[u8]) -> Result<Option<u16>> {
    Ok(Message::parse(answer)?.get::<ErrorCode<'_>>()?.map(|error| error.code))
}

fn succeed(answer: &[u8]) -> Result<Message<'_>> {
    let message = Message::parse(answer)?;
    let code = code(answer)?;
    ensure!(message.class() == Class::Success, "the server answered {code:?}");
    Ok(message)
}

fn ask(
    socket: &UdpSocket,
    method: Method,
    session: Option<&Session>,
    fill: impl FnOnce(&mut Writer<'_>),
) -> Result<Vec<u8>> {
    let mut id = [0; 12];
    id[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    let id = TransactionId(id);
    let mut request = Vec::new();
    let mut writer = Writer::new(&mut request, Class::Request, method, id);
    fill(&mut writer);
    if let Some(session) = session {
        writer
            .attribute(&Username::new(USER)?)
            .attribute(&Realm::new(&session.realm)?)
            .attribute(&Nonce::new(&session.nonce)?)
            .integrity(&session.key);
    }
    ensure!(!writer.overflowed(), "the request is too long");
    let mut buffer = vec![0; 2048];
    for _ in 0..3 {
        socket.send(&request)?;
        let Ok(length) = socket.recv(&mut buffer) else { continue };
        let answer = &buffer[..length];
        if Message::parse(answer).is_ok_and(|message| message.transaction_id() == id) {
            return Ok(answer.to_vec());
        }
    }
    bail!("no answer to {method:?}")
}
