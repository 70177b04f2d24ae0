//! ICE's attributes of session descriptions: the grammar, the lines that are really sent, and what is
//! told of those that are no use.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use talkie_traversal::ice::{
    Attribute, Candidate, CandidateAddress, CandidateType, Flaw, Options, Parameters, ParseError,
    Protocol, RemoteCandidate, TcpType,
};

/// Every such line of descriptions that Chromium 156 and aiortc 1.16 made.
const REAL: &str = include_str!("../data/ice-lines.txt");

fn flaw(line: &str) -> Flaw {
    line.parse::<Candidate>().expect_err("it is no candidate").flaw
}

#[test]
fn every_real_line_is_read_and_printed_again_with_the_same_words() {
    let words = |line: &str| {
        let mut words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    let mut candidates = 0;
    for line in REAL.lines() {
        let (_source, line) = line.split_once(' ').unwrap();
        let attribute: Attribute = line.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(words(&format!("a={attribute}")), words(line));
        assert_eq!(attribute.to_string().parse(), Ok(attribute.clone()));
        candidates += usize::from(matches!(attribute, Attribute::Candidate(_)));
    }
    assert_eq!(candidates, REAL.lines().filter(|line| line.contains("a=candidate:")).count());
    assert!(candidates > 100);
}

#[test]
fn a_candidates_fields_are_those_of_the_w3c() {
    let line = "a=candidate:842163049 1 udp 1677729535 192.0.2.7 46154 typ srflx raddr 10.0.0.17 \
                rport 46154 generation 0 ufrag EEtu network-id 1 network-cost 10\r\n";
    let candidate: Candidate = line.parse().unwrap();
    assert_eq!(candidate.foundation, "842163049");
    assert_eq!(candidate.component, 1);
    assert_eq!(candidate.protocol, Protocol::Udp);
    assert_eq!(candidate.priority, 1_677_729_535);
    assert_eq!(candidate.address, CandidateAddress::Ip([192, 0, 2, 7].into()));
    assert_eq!(candidate.port, 46154);
    assert_eq!(candidate.kind, CandidateType::ServerReflexive);
    assert_eq!(candidate.related, Some(SocketAddr::from(([10, 0, 0, 17], 46154))));
    assert_eq!(candidate.username_fragment.as_deref(), Some("EEtu"));
    let extensions = [("generation", "0"), ("network-id", "1"), ("network-cost", "10")];
    let extensions = extensions.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(candidate.extensions, extensions);
    assert_eq!(
        candidate.to_string(),
        "candidate:842163049 1 udp 1677729535 192.0.2.7 46154 typ srflx raddr 10.0.0.17 rport 46154 \
         ufrag EEtu generation 0 network-id 1 network-cost 10"
    );
}

#[test]
fn the_prefix_may_be_missing() {
    let bare = "1 1 UDP 2130706431 2001:db8::5 5000 typ host";
    let expected: Candidate = bare.parse().unwrap();
    for prefix in ["candidate:", "a=candidate:", "a=candidate: "] {
        assert_eq!(format!("{prefix}{bare}").parse(), Ok(expected.clone()));
    }
}

#[test]
fn forms_seen_in_the_field_are_taken() {
    for line in [
        // Firefox writes the transport large, and the port 9 of active candidates.
        "candidate:2 1 TCP 2105524479 192.168.1.5 9 typ host tcptype active",
        "candidate:0 1 UDP 2122252543 8f4d12ee-4c7f-4b3a-9a56-8b1b1d7ab9f3.local 54321 typ host",
        // Foundations that are words, of media servers and telephones.
        "candidate:udpcandidate 1 udp 1076558079 192.0.2.4 40712 typ host",
        "candidate:Hc0a80105 1 UDP 2130706431 192.168.1.5 4000 typ host",
        "candidate:host_1-a 1 udp 2130706431 192.168.1.5 4000 typ host",
        // Browsers hide the base of a reflexive candidate.
        "candidate:1 1 udp 1686052863 192.0.2.9 9999 typ srflx raddr 0.0.0.0 rport 0 generation 0",
        // Related addresses that are names, or missing.
        "candidate:1 1 udp 1686052863 192.0.2.9 9999 typ srflx raddr a.local rport 9 generation 0",
        "candidate:1 1 udp 41885439 192.0.2.9 9999 typ relay",
        // Words twice, or where they mean nothing.
        "candidate:1 1 udp 9 192.0.2.9 9 typ srflx raddr a rport 9 raddr 10.0.0.1 rport 8 rport 7",
        "candidate:1 1 udp 9 192.0.2.9 9 typ srflx rport 9 rport 8",
        "candidate:1 1 udp 9 192.0.2.9 9 typ host tcptype active tcptype passive",
        "candidate:1 1 udp 9 192.0.2.9 9 typ host ufrag a ufrag b ufrag ",
        // Old active candidates have no port.
        "candidate:1 1 tcp 1518280447 192.168.1.5 0 typ host tcptype active generation 0",
        // The second component, and pairs whose last lacks its value.
        "candidate:1 2 udp 2130706430 192.168.1.5 4001 typ host generation 0 goog",
        "candidate:1  1 udp 2130706431 192.168.1.5 4001  typ host ",
    ] {
        let candidate: Candidate = line.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(candidate.to_string().parse(), Ok(candidate), "{line}");
    }
}

#[test]
fn an_error_names_what_is_wrong_and_shows_the_line() {
    let good = "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host";
    for (from, to, expected) in [
        ("candidate:1 ", "candidate:123456789012345678901234567890123 ", Flaw::Foundation),
        ("1 1 udp", "1 0 udp", Flaw::Component),
        ("1 1 udp", "1 257 udp", Flaw::Component),
        ("1 1 udp", "1 +1 udp", Flaw::Component),
        ("udp", "ssltcp", Flaw::Transport),
        ("udp", "sctp", Flaw::Transport),
        ("2130706431", "0", Flaw::Priority),
        ("2130706431", "2147483648", Flaw::Priority),
        ("2130706431", "99999999999", Flaw::Priority),
        ("2130706431", "-1", Flaw::Priority),
        ("192.0.2.1", "192.0.2.256", Flaw::Address),
        ("192.0.2.1", "192.0.2", Flaw::Address),
        ("192.0.2.1", "[2001:db8::1]", Flaw::Address),
        ("192.0.2.1", "fe80::1%eth0", Flaw::Address),
        ("192.0.2.1", "a..local", Flaw::Address),
        ("5000", "65536", Flaw::Port),
        ("5000", "0", Flaw::Port),
        ("5000", "five", Flaw::Port),
        ("typ host", "host", Flaw::Missing("type")),
        ("typ host", "typ", Flaw::Missing("type")),
        ("typ host", "typ local", Flaw::Type),
        (" 5000 typ host", "", Flaw::Missing("port")),
        ("udp", "tcp", Flaw::TcpType),
        (
            "udp 2130706431 192.0.2.1 5000",
            "tcp 1 192.0.2.1 5000 typ host tcptype server",
            Flaw::TcpType,
        ),
        ("host", "srflx raddr 10.0.0.1", Flaw::Related),
        ("host", "srflx raddr 10.0.0.1 rport 70000", Flaw::Related),
        ("host", "host ufrag a\tb", Flaw::Character),
        ("host", "host a b\r\na=ice-lite", Flaw::Character),
        ("host", "host na\u{ef}ve 1", Flaw::Character),
    ] {
        let line = good.replacen(from, to, 1);
        assert_eq!(flaw(&line), expected, "{line}");
    }
    assert_eq!(flaw(""), Flaw::Missing("foundation"));
    assert_eq!(flaw(&format!("{good}{}", " a b".repeat(300))), Flaw::TooLong);
    let error = "a=candidate:1 1 udp 7x 192.0.2.1 5 typ host".parse::<Candidate>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the priority is no number from 1 to 2147483647, in `candidate:1 1 udp 7x 192.0.2.1 5 typ host`"
    );
}

#[test]
fn an_error_shows_no_password_and_no_endless_line() {
    let error = "a=ice-pwd:secret".parse::<Attribute>().unwrap_err();
    assert_eq!(error.flaw, Flaw::Password);
    assert!(!error.to_string().contains("secret"));
    let error = Parameters::new("abcd", "secret").unwrap_err();
    assert!(!error.to_string().contains("secret"));
    let error = format!("a=ice-pwd:{}", "x".repeat(5000)).parse::<Attribute>().unwrap_err();
    assert_eq!(error.flaw, Flaw::TooLong);
    assert!(!error.to_string().contains("xx"));
    let error = "\u{7}".repeat(5000).parse::<Candidate>().unwrap_err();
    assert!(error.to_string().len() < 2000);
    assert!(!error.to_string().contains('\u{7}'));
}

#[test]
fn each_attribute_of_rfc_8839_is_read_and_printed() {
    let options = Options::none().with("trickle").with("ice2");
    let remote = vec![
        RemoteCandidate {
            component: 1,
            address: CandidateAddress::Ip([192, 0, 2, 3].into()),
            port: 45664,
        },
        RemoteCandidate {
            component: 2,
            address: CandidateAddress::Ip("2001:db8::3".parse().unwrap()),
            port: 45665,
        },
    ];
    for (line, expected) in [
        ("ice-lite", Attribute::Lite),
        ("ice-mismatch", Attribute::Mismatch),
        ("ice-ufrag:8hhY", Attribute::UsernameFragment("8hhY".into())),
        ("ice-pwd:asd88fgpdd777uzjYhagZg", Attribute::Password("asd88fgpdd777uzjYhagZg".into())),
        ("ice-pacing:50", Attribute::Pacing(Duration::from_millis(50))),
        ("ice-options:trickle ice2", Attribute::Options(options)),
        (
            "remote-candidates:1 192.0.2.3 45664 2 2001:db8::3 45665",
            Attribute::RemoteCandidates(remote),
        ),
        ("end-of-candidates", Attribute::EndOfCandidates),
    ] {
        assert_eq!(line.parse(), Ok(expected.clone()));
        assert_eq!(format!("a={line}\r\n").parse(), Ok(expected.clone()));
        assert_eq!(expected.to_string(), line);
        assert!(Attribute::is_one(&format!("a={line}\r\n")));
    }
}

#[test]
fn an_attribute_that_cannot_be_read_says_why() {
    for (line, expected) in [
        ("ice-ufrag:abc", Flaw::UsernameFragment),
        ("ice-ufrag:ab:cd", Flaw::UsernameFragment),
        ("ice-ufrag:ab cd", Flaw::UsernameFragment),
        ("ice-ufrag", Flaw::Missing("value")),
        ("ice-pwd:asd88fgpdd777uzjYhagZ", Flaw::Password),
        ("ice-pwd:", Flaw::Password),
        ("ice-lite:yes", Flaw::Surplus),
        ("end-of-candidates:1", Flaw::Surplus),
        ("ice-options:", Flaw::Missing("option")),
        ("ice-options:a,b", Flaw::Option),
        ("ice-pacing:50ms", Flaw::Pacing),
        ("ice-pacing:12345678901", Flaw::Pacing),
        ("remote-candidates:", Flaw::Missing("component")),
        ("remote-candidates:1 192.0.2.3", Flaw::Missing("port")),
        ("remote-candidates:1 192.0.2.3 70000", Flaw::Port),
        ("rtpmap:0 PCMU/8000", Flaw::Name),
    ] {
        assert_eq!(line.parse::<Attribute>().unwrap_err().flaw, expected, "{line}");
    }
    let longest = "x".repeat(256);
    assert!(format!("ice-ufrag:{longest}").parse::<Attribute>().is_ok());
    assert!(format!("ice-ufrag:{longest}x").parse::<Attribute>().is_err());
}

#[test]
fn parameters_come_out_of_a_descriptions_lines() {
    let lines = [
        "v=0",
        "a=ice-options:trickle renomination",
        "a=ice-lite",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0",
        "a=candidate:this one is broken",
        "a=ice-ufrag:8hhY",
        "a=ice-pwd:asd88fgpdd777uzjYhagZg",
        "a=ice-ufrag:second",
    ];
    let parameters = Parameters::from_lines(lines).unwrap();
    assert_eq!(parameters.username_fragment, "8hhY");
    assert_eq!(parameters.password, "asd88fgpdd777uzjYhagZg");
    assert!(parameters.lite);
    assert!(parameters.options.trickle() && parameters.options.renomination());
    assert!(!parameters.options.ice2());
    let printed: Vec<_> = parameters.attributes().map(|one| one.to_string()).collect();
    assert_eq!(Parameters::from_lines(printed.iter().map(|line| &**line)), Ok(parameters.clone()));
    assert!(!format!("{parameters:?}").contains("asd88"));

    let missing = |lines: &[&str]| -> ParseError {
        Parameters::from_lines(lines.iter().copied()).unwrap_err()
    };
    assert_eq!(missing(&lines[..6]).flaw, Flaw::Missing("password"));
    assert_eq!(missing(&[]).flaw, Flaw::Missing("user name fragment"));
    assert_eq!(missing(&["a=ice-ufrag:x"]).flaw, Flaw::UsernameFragment);
}

#[test]
fn generated_parameters_are_random_enough_and_readable() {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let all: Vec<_> = (0..200).map(|_| Parameters::generate(&mut rng)).collect();
    for one in &all {
        // Six bits a character, RFC 8445 §5.3.
        assert!(one.username_fragment.len() * 6 >= 24 && one.password.len() * 6 >= 128);
        // RFC 8839 §5.4: no more than 32 are sent.
        assert!(one.username_fragment.len() <= 32 && one.password.len() <= 32);
        assert!(Parameters::new(&one.username_fragment, &one.password).is_ok());
    }
    let letters: std::collections::BTreeSet<_> =
        all.iter().flat_map(|one| one.password.chars()).collect();
    assert_eq!(letters.len(), 64);
    let fragments: std::collections::BTreeSet<_> =
        all.iter().map(|one| &one.username_fragment).collect();
    assert_eq!(fragments.len(), all.len());
}

fn candidates() -> impl Strategy<Value = Candidate> {
    let address = prop_oneof![
        any::<std::net::IpAddr>().prop_map(CandidateAddress::Ip),
        "[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,4}\\.local".prop_map(CandidateAddress::Name),
    ];
    let protocol = prop_oneof![
        Just(Protocol::Udp),
        Just(Protocol::Tcp(TcpType::Active)),
        Just(Protocol::Tcp(TcpType::Passive)),
        Just(Protocol::Tcp(TcpType::SimultaneousOpen)),
    ];
    let kind = prop_oneof![
        Just(CandidateType::Host),
        Just(CandidateType::ServerReflexive),
        Just(CandidateType::PeerReflexive),
        Just(CandidateType::Relayed),
    ];
    let related = proptest::option::of((any::<std::net::IpAddr>(), any::<u16>()));
    let rest = (
        proptest::option::of("[A-Za-z0-9+/]{1,16}"),
        proptest::collection::vec(("x-[a-z]{1,6}", "[!-~]{1,8}"), 0..4),
    );
    let first = ("[A-Za-z0-9+/]{1,32}", 1..=256_u16, protocol, 1..=i32::MAX as u32);
    (first, address, 1..=u16::MAX, kind, related, rest).prop_map(
        |((foundation, component, protocol, priority), address, port, kind, related, rest)| {
            Candidate {
                foundation,
                component,
                protocol,
                priority,
                address,
                port,
                kind,
                related: related.map(|(ip, port)| SocketAddr::new(ip, port)),
                username_fragment: rest.0,
                relay_protocol: None,
                url: None,
                extensions: rest.1,
            }
        },
    )
}

proptest! {
    #[test]
    fn reading_undoes_printing(candidate in candidates()) {
        let line = candidate.to_string();
        prop_assert_eq!(line.parse(), Ok(candidate.clone()));
        prop_assert_eq!(format!("a={line}").parse(), Ok(Attribute::Candidate(candidate)));
    }

    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_is_printed_so(
        text in "(a=)?(candidate:)?[ -~\\PC]{0,80}"
    ) {
        if let Ok(candidate) = text.parse::<Candidate>() {
            prop_assert_eq!(candidate.to_string().parse(), Ok(candidate));
        }
        if let Ok(attribute) = text.parse::<Attribute>() {
            prop_assert_eq!(attribute.to_string().parse(), Ok(attribute));
        }
    }

    /// One word of a good line is another: mostly refused, never mistaken.
    #[test]
    fn a_line_with_a_word_changed_stays_readable_or_is_refused(
        candidate in candidates(), index in 0..14_usize, word in "[ -~]{0,12}"
    ) {
        let line = candidate.to_string();
        let mut words: Vec<_> = line.split(' ').collect();
        let index = index % words.len();
        words[index] = &word;
        if let Ok(candidate) = words.join(" ").parse::<Candidate>() {
            prop_assert_eq!(candidate.to_string().parse(), Ok(candidate));
        }
    }
}
