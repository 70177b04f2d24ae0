//! What a peer says of itself in INIT and INIT ACK, and what we say of ourselves.

use crate::sctp::Config;
use crate::sctp::serial::Tsn;
use crate::sctp::wire::{Init, kind, packet, padded, parameter};

/// Bytes of unrecognized parameters that are reported at most.
const REPORTED: usize = 256;

/// Extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities {
    pub(super) partial: bool,
    pub(super) interleaving: bool,
    pub(super) zero_checksum: bool,
    pub(super) reconfiguration: bool,
    pub(super) ecn: bool,
}

impl Capabilities {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            partial: true,
            interleaving: config.interleaving,
            zero_checksum: config.zero_checksum,
            reconfiguration: true,
            ecn: config.ecn,
        }
    }

    pub(super) fn to_bits(self) -> u8 {
        u8::from(self.partial)
            | u8::from(self.interleaving) << 1
            | u8::from(self.zero_checksum) << 2
            | u8::from(self.reconfiguration) << 3
            | u8::from(self.ecn) << 4
    }

    pub(super) fn from_bits(bits: u8) -> Self {
        Self {
            partial: bits & 1 != 0,
            interleaving: bits & 2 != 0,
            zero_checksum: bits & 4 != 0,
            reconfiguration: bits & 8 != 0,
            ecn: bits & 16 != 0,
        }
    }

    /// Appends them as parameters.
    fn write(self, buf: &mut Vec<u8>) {
        let mut kinds = Vec::new();
        if self.partial {
            kinds.push(kind::FORWARD_TSN);
            parameter::write(buf, parameter::FORWARD_TSN, &[]);
        }
        if self.interleaving {
            kinds.extend([kind::I_DATA, kind::I_FORWARD_TSN]);
        }
        if self.reconfiguration {
            kinds.push(kind::RE_CONFIG);
        }
        parameter::write(buf, parameter::EXTENSIONS, &kinds);
        if self.ecn {
            parameter::write(buf, parameter::ECN, &[]);
        }
        if self.zero_checksum {
            parameter::write(buf, parameter::ZERO_CHECKSUM, &parameter::BY_DTLS.to_be_bytes());
        }
    }
}

/// What a peer begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) tag: u32,
    pub(super) tsn: Tsn,
    pub(super) window: u32,
    pub(super) outbound: u16,
    pub(super) inbound: u16,
    pub(super) capabilities: Capabilities,
}

/// Parameters of an INIT or INIT ACK.
pub(super) struct Told<'a> {
    pub(super) peer: Peer,
    pub(super) cookie: Option<&'a [u8]>,
    /// A host name, whole: whoever begins with one is refused.
    pub(super) host_name: Option<&'a [u8]>,
    /// Unrecognized ones that are to be reported, each with its padding.
    pub(super) unrecognized: Vec<u8>,
}

impl<'a> Told<'a> {
    pub(super) fn read(init: &Init<'a>) -> Self {
        let mut capabilities = Capabilities::default();
        let (mut cookie, mut host_name) = (None, None);
        let mut unrecognized = Vec::new();
        let mut interleaving = (false, false);
        for parameter in init.parameters.clone() {
            match parameter.kind {
                parameter::STATE_COOKIE => cookie = Some(parameter.value),
                parameter::FORWARD_TSN => capabilities.partial = true,
                parameter::ZERO_CHECKSUM => {
                    capabilities.zero_checksum = parameter::is_by_dtls(parameter.value);
                }
                parameter::EXTENSIONS => {
                    let has = |kind: u8| parameter.value.contains(&kind);
                    interleaving = (has(kind::I_DATA), has(kind::I_FORWARD_TSN));
                    capabilities.partial |= has(kind::FORWARD_TSN);
                    capabilities.reconfiguration = has(kind::RE_CONFIG);
                }
                parameter::ECN => capabilities.ecn = true,
                parameter::UNRECOGNIZED => {}
                // Addresses and the like: one path is all there is (RFC 8261 §6.1).
                5 | 6 | 9 | 12 => {}
                parameter::HOST_NAME => host_name = Some(parameter.whole),
                _ => {
                    let length = padded(parameter.whole.len());
                    if parameter.is_reported() && unrecognized.len() + length <= REPORTED {
                        unrecognized.extend_from_slice(parameter.whole);
                        unrecognized.resize(unrecognized.len().next_multiple_of(4), 0);
                    }
                    if parameter.stops() {
                        break;
                    }
                }
            }
        }
        // RFC 8260 §2.2.1: I-FORWARD-TSN has to be there too where messages can be given up.
        capabilities.interleaving = interleaving.0 && (interleaving.1 || !capabilities.partial);
        let peer = Peer {
            tag: init.tag,
            tsn: init.tsn,
            window: init.window,
            outbound: init.outbound,
            inbound: init.inbound,
            capabilities,
        };
        Self { peer, cookie, host_name, unrecognized }
    }
}

/// Our own INIT or INIT ACK chunk.
pub(super) fn write_init(
    kind: u8,
    tag: u32,
    tsn: Tsn,
    config: &Config,
    further: &[(u16, &[u8])],
) -> Vec<u8> {
    let mut chunk = Vec::new();
    let init = Init {
        tag,
        window: u32::try_from(config.receive_initial).unwrap_or(u32::MAX),
        outbound: config.streams,
        inbound: config.streams,
        tsn,
        parameters: parameter::Parameters::new(&[]),
    };
    packet::write_chunk(&mut chunk, kind, 0, |buf| {
        init.write(buf);
        Capabilities::of(config).write(buf);
        for (kind, value) in further {
            parameter::write(buf, *kind, value);
        }
    });
    chunk
}
