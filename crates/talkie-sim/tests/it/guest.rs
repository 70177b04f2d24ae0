//! A machine that wants what a test tells it to want, and tells all that it is told.

use std::collections::VecDeque;
use std::time::Instant;

use talkie_sansio::{
    Answer, BadFrame, Datagram, Hosted, Interface, Machine, Path, Transmit, Want, WantId,
};

#[derive(Default)]
pub(crate) struct Guest {
    wants: VecDeque<Want>,
    out: VecDeque<(Path, Vec<u8>)>,
    told: VecDeque<Told>,
}

/// What a guest was told, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Interfaces(Vec<Interface>),
    Answer(Instant, Answer),
    Datagram(Path, Vec<u8>),
}

impl Guest {
    pub(crate) fn want(&mut self, want: Want) {
        self.wants.push_back(want);
    }

    pub(crate) fn send(&mut self, path: Path, payload: &[u8]) {
        self.out.push_back((path, payload.to_vec()));
    }
}

impl Machine for Guest {
    type Event = Told;

    fn handle_datagram(&mut self, _now: Instant, datagram: Datagram<'_>) {
        self.told.push_back(Told::Datagram(datagram.path, datagram.payload.to_vec()));
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, payload) = self.out.pop_front()?;
        buf.extend_from_slice(&payload);
        Some(Transmit { path, len: payload.len() })
    }

    fn poll_event(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

impl Hosted for Guest {
    fn poll_want(&mut self) -> Option<Want> {
        self.wants.pop_front()
    }

    fn handle_answer(&mut self, now: Instant, answer: Answer) {
        self.told.push_back(Told::Answer(now, answer));
    }

    fn handle_interfaces(&mut self, _now: Instant, interfaces: &[Interface]) {
        self.told.push_back(Told::Interfaces(interfaces.to_vec()));
    }
}

/// RFC 4571: a length of two octets, then as many.
pub(crate) fn by_length(bytes: &[u8]) -> Result<Option<usize>, BadFrame> {
    let Some([first, second]) = bytes.first_chunk() else { return Ok(None) };
    let length = u16::from_be_bytes([*first, *second]);
    if length == u16::MAX { Err(BadFrame) } else { Ok(Some(2 + usize::from(length))) }
}

pub(crate) fn id(number: u64) -> WantId {
    WantId(number)
}
