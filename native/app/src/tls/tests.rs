use proptest::collection::vec;
use proptest::prelude::*;

use super::testing::{
    RFC_8448_CLIENT, RFC_8448_SERVER, alpn, bytes, client_hello as message_of, counted, extension, list, message,
    record, server_name,
};
use super::*;
use crate::AppError;

const HANDSHAKE: u8 = 22;
const MALFORMED: AppError = AppError::Malformed;

fn read(hello: &[u8]) -> ClientHello {
    match client_hello(&record(HANDSHAKE, hello)) {
        Parse::Done(hello) => hello,
        other => panic!("{other:?}"),
    }
}

fn with(extensions: &[u8]) -> ClientHello {
    read(&message_of(&[0x1301], extensions))
}

#[test]
fn the_hellos_of_the_specification_are_read() {
    let hello = read(&bytes(RFC_8448_CLIENT));
    assert_eq!(hello.sni.as_deref(), Some("server"));
    assert_eq!((hello.alpn, hello.version, hello.ech), (None, TlsVersion::TLS_1_3, false));
    assert_eq!(hello.ja4.as_str(), "t13d030900_55b375c5d22e_59cd3dafc54d");

    let stream = record(HANDSHAKE, &bytes(RFC_8448_SERVER));
    let expected = ServerHello { version: TlsVersion::TLS_1_3, alpn: None, cipher: 0x1301 };
    assert_eq!(server_hello(&stream), Parse::Done(expected));
}

#[test]
fn before_tls_1_3_the_server_tells_the_protocol_and_the_version_in_the_open() {
    let with_extensions = |extensions: &[u8]| {
        let body = [&[3, 3][..], &[9; 32], &[2, 1, 2], &[0xc0, 0x2f, 0], extensions].concat();
        server_hello(&record(HANDSHAKE, &message(2, &body)))
    };
    let expected = ServerHello { version: TlsVersion::TLS_1_2, alpn: Some("h2".into()), cipher: 0xc02f };
    assert_eq!(with_extensions(&counted(&alpn(&[b"h2"]))), Parse::Done(expected.clone()));
    assert_eq!(with_extensions(&[]), Parse::Done(ServerHello { alpn: None, ..expected }));
}

#[test]
fn a_hello_that_is_cut_asks_for_more_and_only_the_whole_one_is_done() {
    for (hello, read) in [
        (RFC_8448_CLIENT, (|stream| matches!(client_hello(stream), Parse::Done(_))) as fn(&[u8]) -> bool),
        (RFC_8448_SERVER, |stream| matches!(server_hello(stream), Parse::Done(_))),
    ] {
        let stream = record(HANDSHAKE, &bytes(hello));
        for cut in 0..stream.len() {
            assert!(!read(&stream[..cut]), "{cut}");
        }
        assert!(read(&stream));
    }
    let stream = record(HANDSHAKE, &bytes(RFC_8448_CLIENT));
    assert!((0..stream.len()).all(|cut| client_hello(&stream[..cut]) == Parse::More));
}

#[test]
fn a_message_whose_fields_are_cut_is_malformed() {
    let hello = bytes(RFC_8448_CLIENT);
    // Without extensions at all a hello is whole.
    let before_extensions = 4 + 2 + 32 + 1 + 2 + 6 + 2;
    for length in 4..hello.len() {
        let cut = client_hello(&record(HANDSHAKE, &message(1, &hello[4..length])));
        assert_eq!(matches!(cut, Parse::Done(_)), length == before_extensions, "{length}");
        assert!(length == before_extensions || cut == Parse::Reject(MALFORMED));
    }
    let longer = [&hello[4..], &[0]].concat();
    assert_eq!(client_hello(&record(HANDSHAKE, &message(1, &longer))), Parse::Reject(MALFORMED));
}

#[test]
fn a_message_may_be_spread_over_records_at_every_place() {
    let hello = bytes(RFC_8448_CLIENT);
    let expected = client_hello(&record(HANDSHAKE, &hello));
    for cut in 1..hello.len() {
        let records = [record(HANDSHAKE, &hello[..cut]), record(HANDSHAKE, &hello[cut..])].concat();
        assert_eq!(client_hello(&records), expected, "{cut}");
        assert_eq!(client_hello(&records[..records.len() - 1]), Parse::More);
    }
    let bytewise: Vec<u8> = hello.chunks(1).flat_map(|byte| record(HANDSHAKE, byte)).collect();
    assert_eq!(client_hello(&bytewise), expected);
}

#[test]
fn what_follows_the_hello_does_not_matter() {
    let hello = bytes(RFC_8448_CLIENT);
    let expected = client_hello(&record(HANDSHAKE, &hello));
    let change_cipher_spec = record(20, &[1]);
    assert_eq!(client_hello(&[record(HANDSHAKE, &hello), change_cipher_spec].concat()), expected);
    let second = record(HANDSHAKE, &[&hello[..], &message(11, &[0; 900])].concat());
    assert_eq!(client_hello(&second[..5 + hello.len()]), expected);
    assert_eq!(client_hello(&second), expected);
}

#[test]
fn what_can_not_be_tls_is_rejected_at_its_first_byte() {
    assert_eq!(client_hello(b"G"), Parse::Reject(MALFORMED));
    assert_eq!(client_hello(&[22, 2]), Parse::Reject(MALFORMED));
    assert_eq!(client_hello(&[22, 3, 5]), Parse::Reject(MALFORMED));
    assert_eq!(client_hello(&[22, 3, 1, 0x40, 1]), Parse::Reject(MALFORMED));
    assert_eq!(client_hello(&[22, 3, 1, 0, 0]), Parse::Reject(MALFORMED));
    assert_eq!(client_hello(&[23, 3, 3, 0, 9]), Parse::Reject(MALFORMED));
    assert_eq!(client_hello(&record(HANDSHAKE, &bytes(RFC_8448_SERVER))[..6]), Parse::Reject(MALFORMED));
    assert_eq!(server_hello(&record(HANDSHAKE, &bytes(RFC_8448_CLIENT))[..6]), Parse::Reject(MALFORMED));
    assert_eq!(client_hello(&[]), Parse::More);
}

#[test]
fn a_record_between_of_another_type_is_malformed() {
    let hello = bytes(RFC_8448_CLIENT);
    let records = [record(HANDSHAKE, &hello[..50]), record(20, &[1]), record(HANDSHAKE, &hello[50..])].concat();
    assert_eq!(client_hello(&records), Parse::Reject(MALFORMED));
}

#[test]
fn a_server_that_answers_with_an_alert_has_no_hello() {
    assert_eq!(server_hello(&[21, 3, 3, 0, 2, 2, 40]), Parse::Reject(AppError::Unsupported));
}

#[test]
fn hellos_beyond_the_bounds_are_too_long() {
    assert_eq!(client_hello(&[22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfd]), Parse::Reject(AppError::TooLong));
    assert_eq!(client_hello(&[22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc]), Parse::More);
    assert_eq!(client_hello(&[22, 3, 1, 0, 9, 1, 1, 0, 0]), Parse::Reject(AppError::TooLong));

    let longest = message_of(&[0x1301], &extension(21, &[0; (16 << 10) - 4 - 43 - 4]));
    assert_eq!(longest.len(), 16 << 10);
    assert_eq!(read(&longest).version, TlsVersion::TLS_1_2);
    let bytewise: Vec<u8> = longest.chunks(1).flat_map(|byte| record(HANDSHAKE, byte)).collect();
    assert_eq!(client_hello(&bytewise[..MAX_STREAM_BYTES - 1]), Parse::More);
    assert_eq!(client_hello(&bytewise[..MAX_STREAM_BYTES]), Parse::Reject(AppError::TooLong));
}

#[test]
fn names_come_as_they_were_sent() {
    assert_eq!(with(&server_name(b"WWW.Example.com")).sni.as_deref(), Some("WWW.Example.com"));
    assert_eq!(with(&server_name(b"a\xff\nb")).sni.as_deref(), Some("a\u{fffd}\nb"));
    assert_eq!(with(&server_name(&[b'x'; 300])).sni.as_deref(), Some(&*"x".repeat(255)));
    // A name of a type that nobody knows, then a host's; a second extension does not override the first.
    let names = counted(&[&[7, 0, 1, b'?', 0][..], &counted(b"host")].concat());
    assert_eq!(with(&[extension(0, &names), server_name(b"other")].concat()).sni.as_deref(), Some("host"));
    assert_eq!(with(&alpn(&[b"http/1.1", b"h2"])).alpn.as_deref(), Some("http/1.1"));
}

#[test]
fn an_extension_that_can_not_be_read_says_nothing() {
    for body in [&[][..], &[0], &[0, 9, 0, 0], &[0, 3, 0, 0, 9], &[0, 0], &[0, 3, 0, 0, 0]] {
        let hello = with(&extension(0, body));
        assert_eq!(hello.sni, None, "{body:?}");
        assert_eq!(&hello.ja4.as_str()[..10], "t12d010100");
        assert_eq!(with(&extension(16, body)).alpn, None, "{body:?}");
    }
    let hello = with(&[extension(43, &[9, 3, 4]), extension(13, &[0, 9, 4, 3])].concat());
    assert_eq!(hello.version, TlsVersion::TLS_1_2);
}

#[test]
fn the_highest_version_counts_and_those_without_meaning_do_not() {
    let versions = |numbers: &[u16]| {
        let numbers = list(numbers);
        with(&extension(43, &[&[numbers.len() as u8], &numbers[..]].concat())).version
    };
    assert_eq!(versions(&[0xfafa, 0x0303, 0x0304, 0x0302]), TlsVersion::TLS_1_3);
    assert_eq!(versions(&[0x0302]), TlsVersion::TLS_1_1);
    assert_eq!(versions(&[0x0a0a]), TlsVersion::TLS_1_2);
    assert_eq!(versions(&[0xfa0a]), TlsVersion(0xfa0a));
}

#[test]
fn encrypted_client_hello_is_told() {
    assert!(with(&extension(0xfe0d, &[0, 0, 1, 0, 1, 7])).ech);
    assert!(!with(&server_name(b"host")).ech);
}

#[test]
fn old_clients_send_no_extensions() {
    let body = [&[3, 0][..], &[7; 32], &[0], &counted(&list(&[0x0005, 0x000a])), &[1, 0]].concat();
    let hello = read(&message(1, &body));
    assert_eq!(hello.version, TlsVersion::SSL_3);
    assert_eq!(&hello.ja4.as_str()[..11], "ts3i020000_");
    assert!(hello.ja4.as_str().ends_with("_000000000000"));
}

#[test]
fn lengths_that_contradict_are_malformed() {
    let hello = |version: u16, session_id: &[u8], ciphers: &[u8], compressions: &[u8]| {
        let session_id = [&[session_id.len() as u8], session_id].concat();
        let compressions = [&[compressions.len() as u8], compressions].concat();
        let body = [&version.to_be_bytes()[..], &[7; 32], &session_id, &counted(ciphers), &compressions].concat();
        client_hello(&record(HANDSHAKE, &message(1, &body)))
    };
    assert!(matches!(hello(0x0303, &[0; 32], &[0x13, 1], &[0]), Parse::Done(_)));
    assert_eq!(hello(0x0203, &[0; 32], &[0x13, 1], &[0]), Parse::Reject(MALFORMED));
    assert_eq!(hello(0x0303, &[0; 33], &[0x13, 1], &[0]), Parse::Reject(MALFORMED));
    assert_eq!(hello(0x0303, &[], &[0x13, 1, 0x13], &[0]), Parse::Reject(MALFORMED));
    assert_eq!(hello(0x0303, &[], &[0x13, 1], &[]), Parse::Reject(MALFORMED));
    let overlong = message_of(&[0x1301], &[0, 0, 0, 9, 1]);
    assert_eq!(client_hello(&record(HANDSHAKE, &overlong)), Parse::Reject(MALFORMED));
}

#[test]
fn versions_are_spelled_as_in_eve() {
    for (number, name) in [
        (0x0300, "SSLv3"),
        (0x0301, "TLSv1"),
        (0x0302, "TLS 1.1"),
        (0x0303, "TLS 1.2"),
        (0x0304, "TLS 1.3"),
        (0x7f1c, "TLS 1.3 draft-28"),
        (0x7f1d, "0x7f1d"),
        (0x0002, "0x0002"),
    ] {
        assert_eq!(TlsVersion(number).name(), name);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(
        start in prop_oneof![Just(&[][..]), Just(&[22, 3, 1, 0, 80, 1, 0, 0, 76, 3, 3][..])],
        rest in vec(any::<u8>(), 0..200),
    ) {
        let stream = [start, &rest].concat();
        let _ = client_hello(&stream);
        let _ = server_hello(&stream);
    }

    #[test]
    fn a_changed_hello_never_panics_and_more_bytes_never_change_what_was_said(
        place in 0..201_usize, byte in any::<u8>(), cut in 0..202_usize,
    ) {
        let mut stream = record(HANDSHAKE, &bytes(RFC_8448_CLIENT));
        stream[place] = byte;
        let early = client_hello(&stream[..cut.min(stream.len())]);
        prop_assert!(early == Parse::More || early == client_hello(&stream));
    }
}
