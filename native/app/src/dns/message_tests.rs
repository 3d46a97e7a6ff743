use super::*;
use proptest::prelude::*;

/// A response to the question for www.example.com: a CNAME and an address, each by pointers.
const RESPONSE: &[u8] = b"\x1a\x2b\x81\x80\0\x01\0\x02\0\x03\0\x04\
    \x03www\x07example\x03com\0\0\x01\0\x01\
    \xc0\x0c\0\x05\0\x01\0\0\x0e\x10\0\x06\x03cdn\xc0\x10\
    \xc0\x2d\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";
/// Behind the question.
const QUESTION_END: usize = 33;

/// A response with one record of `kind` for the root.
fn record(kind: u16, class: u16, data: &[u8]) -> Data {
    let mut payload = b"\0\x01\x84\0\0\0\0\x01\0\0\0\0\0".to_vec();
    payload.extend(kind.to_be_bytes());
    payload.extend(class.to_be_bytes());
    payload.extend([0, 0, 0, 9]);
    payload.extend((data.len() as u16).to_be_bytes());
    payload.extend(data);
    let read = message(&payload).unwrap();
    assert!(read.complete && read.answers.len() == 1 && read.answers[0].ttl_seconds == 9);
    read.answers[0].data.clone()
}

#[test]
fn a_response_is_read() {
    let read = message(RESPONSE).unwrap();
    assert_eq!((read.id, read.response, read.opcode, read.rcode, read.flags), (0x1a2b, true, 0, 0, 0x8180));
    assert_eq!((read.authority_count, read.additional_count, read.complete), (3, 4, true));
    assert_eq!(read.questions, [Question { name: "www.example.com".into(), kind: 1 }]);
    let cname = Data::Name("cdn.example.com".into());
    let address = Data::Address([192, 0, 2, 7].into());
    assert_eq!(
        read.answers,
        [
            Answer { name: "www.example.com".into(), kind: 5, ttl_seconds: 3600, data: cname },
            Answer { name: "cdn.example.com".into(), kind: 1, ttl_seconds: 60, data: address },
        ]
    );
}

#[test]
fn a_cut_message_gives_what_was_there() {
    let whole = message(RESPONSE).unwrap();
    for length in 0..RESPONSE.len() {
        let cut = message(&RESPONSE[..length]);
        if length < QUESTION_END {
            assert_eq!(cut, Err(AppError::Malformed), "{length}");
            continue;
        }
        let cut = cut.unwrap();
        assert!(!cut.complete && cut.questions == whole.questions);
        assert_eq!(cut.answers, whole.answers[..usize::from(length >= QUESTION_END + 18)], "{length}");
    }
}

#[test]
fn each_kind_of_data_is_read() {
    assert_eq!(record(28, 1, &[0xfd; 16]), Data::Address(IpAddr::from([0xfd; 16])));
    assert_eq!(record(12, 1, b"\x01a\0"), Data::Name("a".into()));
    assert_eq!(record(15, 1, b"\0\x0a\x02mx\0"), Data::Mx(10, "mx".into()));
    assert_eq!(record(16, 1, b"\x03v=s\x02pf\x09cut"), Data::Text("v=spfcut".into()));
    let srv = Srv { priority: 1, weight: 2, port: 443, target: "t".into() };
    assert_eq!(record(33, 1, b"\0\x01\0\x02\x01\xbb\x01t\0"), Data::Srv(Box::new(srv)));
    let soa = Soa {
        mname: "m".into(),
        rname: "r".into(),
        serial: 1,
        refresh_seconds: 2,
        retry_seconds: 3,
        expire_seconds: 4,
        minimum_seconds: 5,
    };
    let bytes = b"\x01m\0\x01r\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05";
    assert_eq!(record(6, 1, bytes), Data::Soa(Box::new(soa)));
    assert_eq!(record(1, 0x8001, &[1, 2, 3, 4]), Data::Address([1, 2, 3, 4].into()));
}

#[test]
fn data_against_their_form_are_other() {
    assert_eq!(record(1, 1, &[1, 2, 3]), Data::Other);
    assert_eq!(record(1, 1, &[]), Data::Other);
    assert_eq!(record(1, 3, &[1, 2, 3, 4]), Data::Other);
    assert_eq!(record(5, 1, b"\x01a\0x"), Data::Other);
    assert_eq!(record(5, 1, b"\x05a"), Data::Other);
    assert_eq!(record(6, 1, b"\0\0\0"), Data::Other);
    assert_eq!(record(65, 1, b"\0\x01\0"), Data::Other);
    assert_eq!(record(16, 1, &[255; 3000]), Data::Text("\u{fffd}".repeat(1024).into()));
}

#[test]
fn counts_are_bounded() {
    let header = |questions: u8, answers: u8| [0, 1, 0x80, 0, questions, 0, answers, 0, 0, 0, 0, 0];
    let questions = [&header(1, 0)[..], &[0, 0, 1, 0, 1].repeat(256)].concat();
    let read = message(&questions).unwrap();
    assert_eq!((read.questions.len(), read.complete), (8, false));
    let answers = [&header(0, 1)[..], &[0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0].repeat(256)].concat();
    let read = message(&answers).unwrap();
    assert_eq!((read.answers.len(), read.complete), (64, false));
}

#[test]
fn a_header_alone_is_a_message_only_without_entries() {
    assert!(message(&[0, 1, 0x80, 5, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap().complete);
    assert_eq!(message(&[0, 1, 0x80, 5, 0, 1, 0, 0, 0, 0, 0, 0]), Err(AppError::Malformed));
    assert_eq!(message(&[0, 1, 0x80, 0x45, 0, 0, 0, 0, 0, 0, 0, 0]), Err(AppError::Malformed));
}

#[test]
fn messages_are_plausible_and_other_bytes_are_not() {
    assert!(plausible(RESPONSE) && plausible(&RESPONSE[..QUESTION_END]));
    assert!(!plausible(&RESPONSE[..QUESTION_END - 1]));
    assert!(!plausible(&[0; 64]) && !plausible(&[0xff; 64]) && !plausible(b"GET / HTTP/1.1\r\nHost: a\r\n"));
}

proptest! {
    #[test]
    fn any_bytes_are_judged(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(read) = message(&payload) {
            prop_assert!(read.questions.len() <= 8 && read.answers.len() <= 64);
        }
    }

    #[test]
    fn damage_is_survived(place in 0..RESPONSE.len(), byte: u8, length in 0..=RESPONSE.len()) {
        let mut payload = RESPONSE.to_vec();
        payload[place] = byte;
        let _ = message(&payload[..length]);
        let _ = plausible(&payload[..length]);
    }
}
