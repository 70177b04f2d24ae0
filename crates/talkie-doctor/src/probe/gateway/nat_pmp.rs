//! NAT-PMP, RFC 6886.

use std::net::{IpAddr, SocketAddr};

use talkie_traversal::portmap::Reason;
use talkie_traversal::portmap::nat_pmp::{self, Body};

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
        nat_pmp::address_request()
    }

    fn read(&self, datagram: &[u8]) -> Option<(Option<usize>, Gateway)> {
        let Body::Address(outcome) = nat_pmp::parse(datagram)?.body else { return None };
        let answer = match outcome {
            Ok(_) => Answer::Ready,
            Err(code) => match nat_pmp::reason(code) {
                Reason::Unsupported => return None,
                Reason::Refused(_) => Answer::Refused,
                _ => Answer::Failed,
            },
        };
        let external = outcome.ok().flatten().map(IpAddr::V4);
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
