//! PCP, RFC 6887.

use std::net::{Ipv4Addr, SocketAddr};

use talkie_traversal::portmap::{Reason, pcp};

use super::SCHEDULE;
use crate::probe::wire::{self, Question};
use crate::report::{Answer, Gateway, Millis};

pub(super) async fn ask(gateway: SocketAddr, source: Ipv4Addr) -> Option<Gateway> {
    // RFC 6887 §8.1: the request names the address that it is sent from.
    let socket = wire::socket(Some(source.into()), gateway).await.ok()?;
    let (found, rtt) = wire::ask(&socket, &mut Announce { source }, SCHEDULE).await.ok()?;
    Some(Gateway { rtt: Millis(rtt), ..found })
}

struct Announce {
    source: Ipv4Addr,
}

impl Question for Announce {
    type Answer = Gateway;

    fn write(&mut self, _attempt: usize) -> Vec<u8> {
        pcp::announce_request(self.source)
    }

    fn read(&self, datagram: &[u8]) -> Option<(Option<usize>, Gateway)> {
        // A NAT-PMP gateway answers with version 0.
        let response = pcp::parse(datagram)?;
        let answer = match response.code {
            // UNSUPP_OPCODE: it speaks the protocol, and only maps.
            0 | 4 => Answer::Ready,
            code => match pcp::reason(code) {
                Reason::Unsupported => return None,
                Reason::Refused(_) => Answer::Refused,
                _ => Answer::Failed,
            },
        };
        Some((None, Gateway { answer, external: None, rtt: Millis::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 5);

    #[test]
    fn the_request_is_an_announcement_and_nothing_else() {
        let mut request = vec![2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
        request.extend([192, 168, 1, 5]);
        assert_eq!(Announce { source: SOURCE }.write(0), request);
    }

    #[test]
    fn answers_are_read_as_the_rfc_lays_them_out() {
        let answer = |result: u8, length: usize| {
            let mut datagram = vec![0; length];
            datagram[..4].copy_from_slice(&[2, 0x80, 0, result]);
            Announce { source: SOURCE }.read(&datagram).map(|(_, gateway)| gateway.answer)
        };
        assert_eq!(answer(0, 24), Some(Answer::Ready));
        assert_eq!(answer(2, 24), Some(Answer::Refused));
        assert_eq!(answer(12, 24), Some(Answer::Refused));
        assert_eq!(answer(4, 24), Some(Answer::Ready));
        assert_eq!(answer(8, 24), Some(Answer::Failed));
        assert_eq!(answer(1, 24), None);
        assert_eq!(answer(0, 20), None);
        let pmp = [0, 128, 0, 1, 0, 0, 0, 0];
        assert!(Announce { source: SOURCE }.read(&pmp).is_none());
    }
}
