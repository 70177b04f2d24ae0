//! A Binding request (RFC 8489 §2): does the server answer, how fast, and as whom does it see us?

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use talkie_traversal::stun::attributes::{MappedAddress, OtherAddress, XorMappedAddress};
use talkie_traversal::stun::{Class, HEADER_LENGTH, Message, Method, TransactionId, Writer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::wire::{self, Question};
use super::{PATIENCE, silent, unreachable, within};
use crate::report::{Failure, FailureKind, Millis};

/// The longest answer over a stream.
const LONGEST: usize = 2048;

/// What a server answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) mapped: Option<SocketAddr>,
    pub(crate) other: Option<SocketAddr>,
    pub(crate) rtt: Millis,
}

/// Asks over UDP.
pub(crate) async fn over_udp(server: SocketAddr) -> Result<Bound, Failure> {
    let local =
        |error: io::Error| Failure::new(FailureKind::Local, format_args!("no socket: {error}"));
    let mut question = Binding::new().map_err(local)?;
    let asked = async {
        let socket = wire::socket(None, server).await?;
        wire::ask(&socket, &mut question, wire::STUN).await
    };
    let (answer, rtt) = asked.await.map_err(|error| unreachable(server, "UDP", &error))?;
    answer.bound(server, Millis(rtt))
}

/// Asks over TCP or TLS (RFC 8489 §6.2.2).
pub(crate) async fn over_stream<S>(server: SocketAddr, mut stream: S) -> Result<Bound, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let broken = |error: io::Error| unreachable(server, "TCP", &error);
    let mut question = Binding::new().map_err(broken)?;
    let began = Instant::now();
    within(PATIENCE, || silent(server, "TCP"), async {
        stream.write_all(&question.write(0)).await.map_err(broken)?;
        let mut message = vec![0; HEADER_LENGTH];
        stream.read_exact(&mut message).await.map_err(broken)?;
        let length = usize::from(u16::from_be_bytes([message[2], message[3]]));
        if length > LONGEST {
            return Err(nonsense(server));
        }
        message.resize(HEADER_LENGTH + length, 0);
        stream.read_exact(&mut message[HEADER_LENGTH..]).await.map_err(broken)?;
        match question.read(&message) {
            Some((_, answer)) => answer.bound(server, Millis(began.elapsed())),
            None => Err(nonsense(server)),
        }
    })
    .await
}

fn nonsense(server: SocketAddr) -> Failure {
    Failure::new(
        FailureKind::Unexpected,
        format_args!("what answers at {server} is no STUN server"),
    )
}

/// The request; each attempt is a transaction of its own, so that the round trip is exact.
pub(crate) struct Binding {
    ids: [TransactionId; 3],
}

/// What the server said.
pub(crate) enum Said {
    Mapped { mapped: SocketAddr, other: Option<SocketAddr> },
    Refused,
}

impl Binding {
    pub(crate) fn new() -> io::Result<Self> {
        let mut ids = [TransactionId([0; 12]); 3];
        for id in &mut ids {
            getrandom::fill(&mut id.0).map_err(io::Error::other)?;
        }
        Ok(Self { ids })
    }
}

impl Question for Binding {
    type Answer = Said;

    fn write(&mut self, attempt: usize) -> Vec<u8> {
        let mut request = Vec::new();
        let id = self.ids[attempt % self.ids.len()];
        // Without attributes the header is the whole message.
        Writer::new(&mut request, Class::Request, Method::BINDING, id);
        request
    }

    fn read(&self, datagram: &[u8]) -> Option<(Option<usize>, Said)> {
        let message = Message::parse(datagram).ok()?;
        let attempt = self.ids.iter().position(|id| *id == message.transaction_id())?;
        if message.method() != Method::BINDING {
            return None;
        }
        let said = match message.class() {
            Class::Success => {
                let xor = message.get::<XorMappedAddress>().ok()?.map(|it| it.0);
                // Servers of RFC 3489 know no other.
                let plain = || Some(message.get::<MappedAddress>().ok()??.0);
                let mapped = xor.or_else(plain)?;
                let other = message.get::<OtherAddress>().ok().flatten().map(|it| it.0);
                Said::Mapped { mapped, other }
            }
            Class::Error => Said::Refused,
            _ => return None,
        };
        Some((Some(attempt), said))
    }
}

impl Said {
    fn bound(self, server: SocketAddr, rtt: Millis) -> Result<Bound, Failure> {
        match self {
            Self::Mapped { mapped, other } => Ok(Bound { mapped: Some(mapped), other, rtt }),
            // It is there; what it wants concerns STUN as a service (RFC 8489 §9.2).
            Self::Refused => Err(Failure::new(
                FailureKind::Rejected,
                format_args!("{server} refuses to answer STUN requests"),
            )),
        }
    }
}
