//! NAT-PMP, RFC 6886.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::SCHEDULE;
use crate::probe::wire::{self, Question};
use crate::report::{Answer, Gateway, Millis};

pub(super) async fn ask(gateway: SocketAddr) -> Option<Gateway> {
    let socket = wire::socket(None, gateway).await.ok()?;
    let (found, rtt) = wire::ask(&socket, &mut ExternalAddress, SCHEDULE).await.ok()?;
    Some(Gateway { rtt: Millis(rtt), ..found })
}

struct ExternalAddress;

impl Question for ExternalAddress {
    type Answer = Gateway;

    fn write(&mut self, _attempt: usize) -> Vec<u8> {
        // RFC 6886 §3.2: version 0, opcode 0.
        vec![0, 0]
    }

    fn read(&self, datagram: &[u8]) -> Option<(Option<usize>, Gateway)> {
        // RFC 6886 §3.2: version 0, opcode 128, result, seconds since its start, address. An error
        // may leave the address out.
        let [0, 128, high, low, rest @ ..] = datagram else { return None };
        let answer = match u16::from_be_bytes([*high, *low]) {
            0 => Answer::Ready,
            // RFC 6886 §3.5: unsupported version or opcode: it speaks only PCP or something else.
            1 | 5 => return None,
            // Not authorized: switched off, or not for this host.
            2 => Answer::Refused,
            // Network failure, out of resources.
            _ => Answer::Failed,
        };
        let external = match (answer, rest) {
            (Answer::Ready, [_, _, _, _, a, b, c, d, ..]) => Some(Ipv4Addr::new(*a, *b, *c, *d)),
            (Answer::Ready, _) => return None,
            _ => None,
        };
        // 0.0.0.0: it has no address itself yet.
        let external = external.filter(|it| !it.is_unspecified()).map(IpAddr::V4);
        Some((None, Gateway { answer, external, rtt: Millis::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_the_rfc_lays_them_out() {
        let read = |datagram: &[u8]| ExternalAddress.read(datagram).map(|(_, gateway)| gateway);
        let good = read(&[0, 128, 0, 0, 0, 0, 1, 0, 203, 0, 113, 7]).unwrap();
        assert_eq!(good.answer, Answer::Ready);
        assert_eq!(good.external, Some([203, 0, 113, 7].into()));
        assert_eq!(read(&[0, 128, 0, 2, 0, 0, 1, 0]).unwrap().answer, Answer::Refused);
        assert_eq!(read(&[0, 128, 0, 3, 0, 0, 1, 0]).unwrap().answer, Answer::Failed);
        for no_answer in [
            &[][..],
            &[0, 128, 0, 0, 0, 0, 1, 0, 203, 0],
            &[0, 0],
            &[2, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0, 128, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(read(no_answer), None, "{no_answer:?}");
        }
    }
}
