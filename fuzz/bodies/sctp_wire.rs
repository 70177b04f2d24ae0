//! Any bytes as an SCTP packet: reading its chunks and parameters panics on none, and what is read is
//! written again as it was.

use talkie_proto::sctp::wire::forward::Forward;
use talkie_proto::sctp::wire::reconfig::Reconfig;
use talkie_proto::sctp::wire::{
    Chunk, Data, IData, Init, Packet, Parameters, Sack, data, error, heartbeat, i_data, kind,
};

pub(crate) fn run(input: &[u8]) {
    let Some(packet) = Packet::parse(input) else { return };
    let _ = packet.checksum(false);
    for chunk in packet.chunks() {
        read(&chunk);
    }
}

fn read(chunk: &Chunk<'_>) {
    let mut written = Vec::new();
    match chunk.kind {
        kind::DATA => {
            let Some(data) = Data::parse(chunk) else { return };
            data.write(&mut written);
            assert_eq!(written, chunk.value);
            assert_eq!(written.len() + 4, data::OVERHEAD + data.payload.len());
        }
        kind::I_DATA => {
            let Some(data) = IData::parse(chunk) else { return };
            data.write(&mut written);
            assert_eq!(written.len() + 4, i_data::OVERHEAD + data.payload.len());
        }
        kind::INIT | kind::INIT_ACK => {
            let Ok(init) = Init::parse(chunk) else { return };
            init.write(&mut written);
            assert_eq!(written, chunk.value[..16]);
            init.parameters.for_each(|parameter| assert!(parameter.whole.len() >= 4));
        }
        kind::SACK => {
            let Some(sack) = Sack::parse(chunk) else { return };
            let gaps: Vec<_> = sack.gaps().collect();
            let duplicates: Vec<_> = sack.duplicates().collect();
            Sack::write(&mut written, sack.cumulative, sack.window, &gaps, &duplicates);
            assert!(written.len() <= chunk.value.len());
        }
        kind::FORWARD_TSN | kind::I_FORWARD_TSN => {
            let interleaved = chunk.kind == kind::I_FORWARD_TSN;
            let Some(forward) = Forward::parse(chunk, interleaved) else { return };
            let skipped: Vec<_> = forward.skipped().collect();
            Forward::write(&mut written, forward.cumulative, interleaved, &skipped);
            assert!(written.len() <= chunk.value.len());
        }
        kind::RE_CONFIG => {
            for parameter in Parameters::new(chunk.value) {
                let Some(reconfig) = Reconfig::parse(&parameter) else { continue };
                reconfig.write(&mut written);
                let again = Parameters::new(&written)
                    .next()
                    .and_then(|one| Reconfig::parse(&one).map(|_| ()));
                assert!(again.is_some(), "{reconfig:?} is not read again");
                written.clear();
            }
        }
        kind::HEARTBEAT_ACK => drop(heartbeat::Info::parse(chunk.value)),
        _ => drop(error::first(chunk.value)),
    }
}
