//! What a gateway answers where it is itself the host that was meant.

use super::*;

fn tcp(source: &str, destination: &str, segment: Segment, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    build::tcp(&mut bytes, at(source), at(destination), segment, payload);
    bytes
}

fn ping(source: &str, destination: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let echo = Echo { is_request: true, identifier: 77, sequence: 5 };
    build::echo(&mut bytes, ip(source), ip(destination), echo, b"payload");
    bytes
}

#[test]
fn linux_without_a_firewall_says_that_nobody_listens() {
    let (mut gateway, now) = gateway(Preset::LinuxMasquerade);
    let uninvited = udp(REMOTE, "192.0.2.1:5000", b"hello");
    assert_eq!(inbound(&mut gateway, now, uninvited), "no mapping");
    let unreachable = "icmp 3/3 192.0.2.1 > 198.51.100.7 \
                       [udp 198.51.100.7:1000 > 192.0.2.1:5000]";
    assert_eq!(said(&mut gateway), Some((Side::Outside, unreachable.to_owned())));

    // RFC 9293 §3.10.7.1.
    let syn = Segment { flags: Flags::SYN, sequence: 41, ..Segment::default() };
    let data =
        Segment { flags: Flags::ACK, sequence: 50, acknowledgement: 99, ..Segment::default() };
    for (segment, payload, flags, numbers) in [
        (syn, &b""[..], Flags::RST | Flags::ACK, (0, 42)),
        (syn, b"early", Flags::RST | Flags::ACK, (0, 47)),
        (data, b"late", Flags::RST, (99, 0)),
    ] {
        let uninvited = tcp(REMOTE, "192.0.2.1:22", segment, payload);
        assert_eq!(inbound(&mut gateway, now, uninvited), "no mapping");
        let mut reset = Vec::new();
        assert_eq!(gateway.poll_transmit(&mut reset), Some(Side::Outside));
        assert_eq!(words(&reset), "tcp 192.0.2.1:22 > 198.51.100.7:1000");
        let packet = Packet::parse(&reset[..]).unwrap();
        let Transport::Tcp { flags: sent, .. } = packet.transport() else { panic!() };
        let word = |at| u32::from_be_bytes(*packet.payload()[at..].first_chunk().unwrap());
        assert_eq!((sent, (word(4), word(8))), (flags, numbers));
    }
    let reset = Segment { flags: Flags::RST, ..Segment::default() };
    let _ = inbound(&mut gateway, now, tcp(REMOTE, "192.0.2.1:22", reset, b""));
    assert_eq!(said(&mut gateway), None, "a reset is answered by nothing");
    assert_eq!(
        inbound(&mut gateway, now, ping("198.51.100.7", OUTSIDE)),
        Reason::Answered.to_string()
    );
    let answered = (Side::Outside, "echo 77 192.0.2.1 > 198.51.100.7".to_owned());
    assert_eq!(said(&mut gateway), Some(answered));
}

#[test]
fn who_drops_what_comes_uninvited_says_nothing() {
    for preset in Preset::all()
        .filter(|preset| !matches!(preset, Preset::LinuxMasquerade | Preset::LinuxRandomFully))
    {
        let (mut gateway, now) = gateway(preset);
        let syn = Segment { flags: Flags::SYN, ..Segment::default() };
        for packet in [
            udp(REMOTE, "192.0.2.1:5000", b"hello"),
            tcp(REMOTE, "192.0.2.1:22", syn, b""),
            ping("198.51.100.7", OUTSIDE),
        ] {
            let _ = inbound(&mut gateway, now, packet);
            assert_eq!(said(&mut gateway), None, "{preset}");
        }
    }
}

#[test]
fn those_inside_may_ping_the_address_that_the_world_sees() {
    for preset in Preset::all().filter(|preset| *preset != Preset::Firewall) {
        let (mut gateway, now) = gateway(preset);
        let outcome = outbound(&mut gateway, now, ping("10.0.0.2", OUTSIDE));
        assert_eq!(outcome, Reason::Answered.to_string(), "{preset}");
        let mut answer = Vec::new();
        assert_eq!(gateway.poll_transmit(&mut answer), Some(Side::Inside));
        assert_eq!(words(&answer), "echo 77 192.0.2.1 > 10.0.0.2");
        let packet = Packet::parse(&answer[..]).unwrap();
        // An echo reply, code 0, with number and payload of the request.
        assert_eq!(packet.payload()[..2], [0, 0]);
        assert_eq!(packet.payload()[6..], *b"\0\x05payload");
        assert!(gateway.nat().rows().is_empty(), "it takes no mapping");
        // Others are pinged through the box as ever.
        let outcome = outbound(&mut gateway, now, ping("10.0.0.2", "198.51.100.7"));
        assert!(outcome.ends_with("192.0.2.1 > 198.51.100.7"), "{outcome}");
    }
}

#[test]
fn it_says_so_much_in_a_second_and_no_more() {
    let (mut gateway, now) = gateway(Preset::LinuxMasquerade);
    let mut answers = 0;
    for port in 1..=1000_u16 {
        let destination = format!("192.0.2.1:{port}");
        let syn = Segment { flags: Flags::SYN, ..Segment::default() };
        let _ = inbound(&mut gateway, now, tcp(REMOTE, &destination, syn, b""));
        answers += usize::from(said(&mut gateway).is_some());
    }
    assert_eq!(answers, 100);
}
