use super::*;

const NAME: &str = "39023af8-02bd-4529-845e-9683ec98ec16.local";

fn name() -> Name {
    Name::from_text(NAME).unwrap()
}

#[test]
fn a_message_is_read_as_it_was_written() {
    let record = |ttl, data| Record { name: name(), flush: true, ttl, data };
    let mut message = Message {
        id: 7,
        is_response: true,
        questions: vec![Question { name: name(), kind: kind::AAAA, unicast: true }],
        answers: vec![
            record(120, Data::Address([192, 0, 2, 1].into())),
            record(0, Data::Address("2001:db8::1".parse().unwrap())),
        ],
        additional: vec![record(120, Data::Only(kind::AAAA))],
    };
    let bytes = message.to_bytes();
    // The name stands there once, in full.
    assert_eq!(bytes.windows(8).filter(|window| window == b"39023af8").count(), 1);
    message.additional[0].data = Data::Other(kind::NSEC);
    assert_eq!(Message::parse(&bytes), Some(message));
}

/// RFC 4034 §4.1.2's bitmap, by hand: bit 1 of the first byte is A, bit 4 of the fourth AAAA.
#[test]
fn a_negative_answer_has_the_bits_of_its_type() {
    for (kind, bitmap) in [(kind::A, &[0, 1, 0x40][..]), (kind::AAAA, &[0, 4, 0, 0, 0, 0x08])] {
        let record = Record { name: name(), flush: true, ttl: 120, data: Data::Only(kind) };
        let message = Message { answers: vec![record], ..Message::default() };
        let bytes = message.to_bytes();
        assert!(bytes.ends_with(bitmap));
        // The next name is the name itself, at the end of the header.
        let next = bytes.len() - bitmap.len() - 2;
        assert_eq!(bytes[next..next + 2], [0xc0, 12]);
    }
}

#[test]
fn names_are_compared_without_case_and_have_bounds() {
    assert_eq!(Name::from_text(&NAME.to_uppercase()), Some(name()));
    assert_eq!(Name::from_text("a.local.").unwrap().to_string(), "a.local");
    for bad in ["", ".", "a..local", &"x".repeat(64), &"x.".repeat(128)] {
        assert_eq!(Name::from_text(bad), None, "{bad}");
    }
    assert!(Name::from_text(&"x.".repeat(127)).is_some());
}

/// A question for `bytes`, whose name stands there as given.
fn question(name: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], name, &[0, 1, 0, 1]].concat()
}

#[test]
fn pointers_have_an_end() {
    // To itself, forward, in a circle with the label before it, and behind the message.
    for name in [&[0xc0, 12][..], &[0xc0, 14, 0], &[1, b'a', 0xc0, 12], &[0xff, 0xff]] {
        assert_eq!(Message::parse(&question(name)), None, "{name:?}");
    }
    // Other forms of labels are none.
    assert_eq!(Message::parse(&question(&[0x41, 0])), None);
    // Two questions, the second of which points to the first's name.
    let mut bytes = question(b"\x01a\x05local\0");
    bytes[5] = 2;
    bytes.extend_from_slice(&[0xc0, 12, 0, 28, 0x80, 1]);
    let message = Message::parse(&bytes).unwrap();
    let a = Name::from_text("a.local").unwrap();
    let expected = [(kind::A, false), (kind::AAAA, true)];
    let expected = expected.map(|(kind, unicast)| Question { name: a.clone(), kind, unicast });
    assert_eq!(message.questions, expected);
}

#[test]
fn what_is_cut_off_or_of_another_kind_is_none() {
    let record =
        Record { name: name(), flush: false, ttl: 5, data: Data::Address([192, 0, 2, 1].into()) };
    let whole = Message { answers: vec![record], ..Message::default() }.to_bytes();
    for end in 0..whole.len() {
        assert_eq!(Message::parse(&whole[..end]), None);
    }
    assert!(Message::parse(&whole).is_some());
    // Another opcode, an error, an address of another length, too many bytes.
    let changed = |at: usize, to: u8| {
        let mut bytes = whole.clone();
        bytes[at] = to;
        Message::parse(&bytes)
    };
    assert_eq!(changed(2, 0x28), None);
    assert_eq!(changed(3, 3), None);
    assert_eq!(changed(whole.len() - 5, 3), None);
    assert_eq!(Message::parse(&[&*whole, &[0; 9000]].concat()), None);
    // Of the class CHAOS nothing is taken.
    let class = whole.len() - 4 - 2 - 4 - 1;
    assert_eq!(changed(class, 3).unwrap().answers, []);
}

#[test]
fn of_many_questions_the_first_are_taken() {
    let mut bytes = question(b"\x01a\x05local\0");
    bytes[4..6].copy_from_slice(&1000_u16.to_be_bytes());
    for _ in 1..1000 {
        bytes.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1]);
    }
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.questions.len(), Message::MOST_ENTRIES);
}

#[test]
fn a_name_that_is_pointed_to_over_and_over_is_none() {
    // Answers of no interest whose data is a chain of pointers, and one whose name is at its end.
    let chained = |length: u16| {
        let mut bytes = vec![0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 0];
        bytes.extend_from_slice(&[0, 0, 16, 0, 1, 0, 0, 0, 0]);
        bytes.extend_from_slice(&(2 * length).to_be_bytes());
        let mut to = 12_u16;
        for number in 0..length {
            bytes.extend_from_slice(&(0xc000 | to).to_be_bytes());
            to = 23 + 2 * number;
        }
        bytes.extend_from_slice(&(0xc000 | to).to_be_bytes());
        bytes.extend_from_slice(&[0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1]);
        Message::parse(&bytes).map(|message| message.answers.len())
    };
    assert_eq!(chained(100), Some(2));
    assert_eq!(chained(4000), None);
}
