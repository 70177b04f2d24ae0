//! Checks that a stack has to answer, as many as it can.

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use socket2::SockRef;
use talkie_lab::real::{self, Host};
use talkie_traversal::ice::{Attribute, Parameters, Protocol};
use talkie_traversal::stun::attributes::{
    IceControlling, Priority, UseCandidate, Username, XorMappedAddress,
};
use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};

use super::lab::Lab;
use super::stack::Peer;

const PATIENCE: Duration = Duration::from_millis(500);
/// So many are under way at most, so that none is lost.
const WINDOW: usize = 32;
/// How long the two are given to agree on the pair.
const SETTLING: Duration = Duration::from_secs(2);

/// A check for `to`, of whom has this fragment.
pub(super) fn check(
    to: &Parameters,
    from: &str,
    id: TransactionId,
    nominates: bool,
) -> Result<Vec<u8>> {
    let username = format!("{}:{from}", to.username_fragment);
    let mut bytes = Vec::with_capacity(160);
    let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, id);
    writer.attribute(&Username::new(&username)?);
    writer.attribute(&Priority(0x6e00_00ff)).attribute(&IceControlling(u64::MAX));
    if nominates {
        writer.attribute(&UseCandidate);
    }
    writer.integrity(&Key::short_term(&to.password)).fingerprint();
    Ok(bytes)
}

/// The answer to a check that came from `source`.
pub(super) fn answer(id: TransactionId, source: SocketAddr, key: &Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(100);
    Writer::new(&mut bytes, Class::Success, Method::BINDING, id)
        .attribute(&XorMappedAddress(source))
        .integrity(key)
        .fingerprint();
    bytes
}

/// Who asks.
pub(super) struct Flood {
    socket: UdpSocket,
    key: Key,
    fragment: String,
    theirs: Parameters,
    target: SocketAddr,
    next: u64,
}

impl Flood {
    /// Connects to a stack on the left host, from a socket beside it.
    pub(super) fn new(lab: &Lab, peer: &mut Peer) -> Result<Self> {
        let own = SocketAddr::new(lab.address(Host::Left).into(), 0);
        let socket = real::inside(&lab.name, Host::Left, || UdpSocket::bind(own))??;
        // May be granted less; the window is small.
        let _ = SockRef::from(&socket).set_recv_buffer_size(1 << 20);
        let told = peer.gathered()?;
        let theirs = Parameters::from_lines(told.iter().map(String::as_str))?;
        let addresses = told.iter().filter_map(|line| match line.parse() {
            Ok(Attribute::Candidate(candidate)) if candidate.protocol == Protocol::Udp => {
                candidate.socket_address()
            }
            _ => None,
        });
        let target = { addresses }.find(|it| it.ip() == own.ip()).context("no host candidate")?;
        let ours = Parameters::new("flood", "0123456789abcdef012345")?;
        let port = socket.local_addr()?.port();
        peer.hear(&[
            format!("a=ice-ufrag:{}", ours.username_fragment),
            format!("a=ice-pwd:{}", ours.password),
            format!("a=candidate:1 1 udp 2130706431 {} {port} typ host", own.ip()),
            "a=end-of-candidates".to_owned(),
        ])?;
        let key = Key::short_term(&ours.password);
        let fragment = ours.username_fragment;
        let mut flood = Self { socket, key, fragment, theirs, target, next: 1 };
        flood.settle()?;
        Ok(flood)
    }

    /// Nominates the pair, and answers until the other side has nothing more to ask.
    fn settle(&mut self) -> Result<()> {
        let start = Instant::now();
        let mut is_answered = false;
        while start.elapsed() < SETTLING || !is_answered {
            ensure!(start.elapsed() < SETTLING * 5, "it answers no check");
            let asked = if is_answered { HashSet::new() } else { self.ask(1, true)? };
            is_answered |= self.receive(asked)? > 0;
        }
        Ok(())
    }

    /// Sends that many checks or a few more; how many were answered.
    pub(super) fn run(&mut self, count: usize) -> Result<usize> {
        let (mut answered, mut asked) = (0, 0);
        while asked < count {
            let window = self.ask(WINDOW, false)?;
            asked += WINDOW;
            answered += self.receive(window)?;
        }
        ensure!(answered * 100 > asked * 95, "only {answered} of {asked} checks were answered");
        Ok(answered)
    }

    fn ask(&mut self, count: usize, nominates: bool) -> Result<HashSet<TransactionId>> {
        let mut asked = HashSet::new();
        for _ in 0..count {
            let mut id = [0; 12];
            id[4..].copy_from_slice(&self.next.to_be_bytes());
            self.next += 1;
            let id = TransactionId(id);
            let check = check(&self.theirs, &self.fragment, id, nominates)?;
            self.socket.send_to(&check, self.target)?;
            asked.insert(id);
        }
        Ok(asked)
    }

    /// Waits for the answers to these, and answers what is asked meanwhile; how many came.
    fn receive(&self, mut asked: HashSet<TransactionId>) -> Result<usize> {
        let (deadline, count) = (Instant::now() + PATIENCE, asked.len());
        let mut buffer = [0; 2048];
        loop {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(count - asked.len());
            }
            self.socket.set_read_timeout(Some(rest))?;
            let Ok((length, source)) = self.socket.recv_from(&mut buffer) else { continue };
            let Ok(message) = Message::parse(&buffer[..length]) else { continue };
            let id = message.transaction_id();
            match message.class() {
                Class::Request => {
                    self.socket.send_to(&answer(id, source, &self.key), source)?;
                }
                Class::Success => {
                    if asked.remove(&id) && asked.is_empty() {
                        return Ok(count);
                    }
                }
                Class::Error | Class::Indication => {}
            }
        }
    }
}
