use proptest::collection::vec;
use proptest::prelude::*;

use super::testing::{HELLO, Sender, crypto, padded, part, varint};
use super::*;
use crate::tls::testing::{alpn, bytes, client_hello as message_of, extension, message};
use crate::tls::{ClientHello, TlsVersion};
use crate::{AppError, Parse};

type Answer = Parse<(QuicVersion, ClientHello)>;

fn hello() -> Vec<u8> {
    bytes(HELLO)
}

/// What is said after each datagram in turn.
fn answers(datagrams: &[Vec<u8>]) -> Vec<Answer> {
    let mut initials = Initials::default();
    datagrams.iter().map(|datagram| initials.client(datagram)).collect()
}

fn assert_is_example(answer: &Answer, version: QuicVersion) {
    let Parse::Done((told, hello)) = answer else { panic!("{answer:?}") };
    assert_eq!(*told, version);
    assert_eq!((hello.sni.as_deref(), hello.alpn.as_deref()), (Some("example.com"), Some("alpn")));
    assert_eq!((hello.version, hello.ja4.as_str()), (TlsVersion::TLS_1_3, "q13d0211an_62ed6f6ca7ad_4d634acda6c0"));
}

/// The datagram of 1200 bytes that each specification prints.
fn example(sender: &Sender) -> Vec<u8> {
    sender.seal(&[0, 0, 0, 2], &padded(&[&[6, 0][..], &varint(241), &hello()].concat(), 1162))
}

#[test]
fn the_packets_of_the_specifications_are_opened() {
    // First and last bytes as printed in RFC 9001 and RFC 9369, appendices A.2: the tag at the end covers the others.
    for (sender, version, first, last) in [
        (
            Sender::v1(),
            QuicVersion::V1,
            "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11",
            "e221af44860018ab0856972e194cd934",
        ),
        (
            Sender::v2(),
            QuicVersion::V2,
            "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
            "a18b2faa745b6fe189cf772a9f84cbfc",
        ),
    ] {
        let datagram = example(&sender);
        assert_eq!((&datagram[..32], &datagram[1184..]), (&bytes(first)[..], &bytes(last)[..]));
        assert_eq!(is_initial(&datagram), Some(version));
        assert_is_example(&Initials::default().client(&datagram), version);
    }
}

#[test]
fn drafts_are_opened_with_their_salt() {
    let sender = Sender::draft_29();
    assert_is_example(&Initials::default().client(&example(&sender)), QuicVersion(0xff00_001d));
    let draft_32 = Sender { version: 0xff00_0020, ..sender };
    assert_is_example(&Initials::default().client(&example(&draft_32)), QuicVersion(0xff00_0020));
    let draft_34 = Sender { version: 0xff00_0022, ..Sender::v1() };
    assert_is_example(&Initials::default().client(&example(&draft_34)), QuicVersion(0xff00_0022));
    assert_eq!(is_initial(&example(&Sender { version: 0xff00_001c, ..draft_34 })), None);
}

#[test]
fn a_datagram_that_is_cut_or_changed_gives_nothing() {
    let datagram = example(&Sender::v1());
    for cut in 0..datagram.len() {
        let answer = Initials::default().client(&datagram[..cut]);
        assert_eq!(answer, if cut == 0 { Parse::Reject(AppError::Malformed) } else { Parse::More }, "{cut}");
    }
    for place in 1..datagram.len() {
        let mut changed = datagram.clone();
        changed[place] ^= 1;
        assert_eq!(Initials::default().client(&changed), Parse::More, "{place}");
    }
}

#[test]
fn numbers_of_every_length_are_read() {
    for number in [&[3][..], &[1, 3], &[1, 2, 3], &[1, 2, 3, 4]] {
        let datagram = Sender::v1().seal(number, &crypto(0, &hello()));
        assert_is_example(&Initials::default().client(&datagram), QuicVersion::V1);
    }
}

#[test]
fn a_hello_is_put_in_order_within_a_packet_and_over_datagrams() {
    let (sender, hello) = (Sender::v1(), hello());
    let shuffled = [part(&hello, 100..170), vec![1], part(&hello, 30..100), vec![0; 5], part(&hello, 0..30)].concat();
    let first = sender.seal(&[0], &padded(&shuffled, 1000));
    let second = sender.seal(&[1], &part(&hello, 160..241));
    let [early, late] = &answers(&[first.clone(), second.clone()])[..] else { panic!("two") };
    assert_eq!(*early, Parse::More);
    assert_is_example(late, QuicVersion::V1);
    let all = answers(&[second.clone(), second, first.clone(), first]);
    assert_eq!(all[..2], [Parse::More, Parse::More]);
    assert_is_example(&all[2], QuicVersion::V1);
}

#[test]
fn a_hello_may_be_spread_over_the_packets_of_one_datagram() {
    let (sender, hello) = (Sender::v1(), hello());
    let zero_rtt = [&[0xd0, 0, 0, 0, 1, 0, 0][..], &varint(60), &[7; 60]].concat();
    let datagram =
        [zero_rtt, sender.seal(&[0], &part(&hello, 0..99)), sender.seal(&[1], &part(&hello, 99..241))].concat();
    assert_eq!(is_initial(&datagram), None);
    assert_is_example(&Initials::default().client(&datagram), QuicVersion::V1);
    assert_is_example(&Initials::default().client(&[datagram, vec![0; 99]].concat()), QuicVersion::V1);
}

#[test]
fn keys_stay_when_the_client_takes_the_connection_id_of_the_server() {
    let (sender, hello) = (Sender::v1(), hello());
    let later = Sender { destination: vec![9; 20], ..sender.clone() };
    let all = answers(&[sender.seal(&[0], &part(&hello, 0..9)), later.seal(&[1], &part(&hello, 9..241))]);
    assert_is_example(&all[1], QuicVersion::V1);
}

#[test]
fn after_a_retry_the_hello_starts_anew_with_other_keys() {
    let (sender, retried) = (Sender::v1(), Sender::after_retry());
    let (other, hello) = (message_of(&[0x1301], &[]), hello());
    let all = answers(&[
        sender.seal(&[0], &part(&other, 0..30)),
        retried.seal(&[1], &part(&hello, 0..99)),
        retried.seal(&[2], &part(&hello, 99..241)),
    ]);
    assert_eq!(all[..2], [Parse::More, Parse::More]);
    assert_is_example(&all[2], QuicVersion::V1);
}

#[test]
fn what_the_server_sends_gives_nothing() {
    // RFC 9001, appendix A.3: protected with the server's keys.
    let server = bytes(
        "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5\
         a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4\
         cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee",
    );
    assert_eq!(is_initial(&server), Some(QuicVersion::V1));
    let all = answers(&[server, example(&Sender::v1())]);
    assert_eq!(all[0], Parse::More);
    assert_is_example(&all[1], QuicVersion::V1);
}

#[test]
fn frames_that_belong_into_an_initial_are_passed_over() {
    let acknowledgement = [&[2, 9, 0, 2, 1, 0, 1, 1, 1][..], &[3, 9, 0, 0, 1, 5, 6, 7]].concat();
    let close = [&[0x1c, 0x0a, 6, 3][..], b"why"].concat();
    let frames = [acknowledgement, close, crypto(0, &hello())].concat();
    assert_is_example(&Initials::default().client(&Sender::v1().seal(&[0], &frames)), QuicVersion::V1);
}

#[test]
fn frames_that_do_not_are_malformed() {
    for frames in [
        &[0x08, 0, 1][..],
        &[0x1d, 0, 0],
        &[0x06, 0, 9, 1, 0],
        &[0x06, 0xc0],
        &[0x02, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0],
        &[0x02, 0, 0, 0xbf, 0xff, 0xff, 0xff, 0],
        &[0x1c, 0, 0, 9],
        &[0x06, 0, 5, 2, 0, 0, 0, 0],
    ] {
        let datagram = Sender::v1().seal(&[0, 0, 0, 0], frames);
        assert_eq!(Initials::default().client(&datagram), Parse::Reject(AppError::Malformed), "{frames:?}");
    }
    let no_hello = Sender::v1().seal(&[0], &crypto(0, &message(1, &[0; 40])));
    assert_eq!(Initials::default().client(&no_hello), Parse::Reject(AppError::Malformed));
}

#[test]
fn the_handshake_is_bounded_in_bytes_and_in_gaps() {
    let reject = |frames: &[u8]| Initials::default().client(&Sender::v1().seal(&[0, 0, 0, 0], frames));
    let last = (16 << 10) - 1;
    assert_eq!(reject(&crypto(last - 9, &[1; 10])), Parse::More);
    // Two bytes are not enough for the next offset.
    let beyond = [&[6, 0x80, 0, 0x40, 0][..], &varint(1), &[1]].concat();
    assert_eq!(reject(&beyond), Parse::Reject(AppError::TooLong));
    let furthest = [&[6][..], &[0xff; 8], &varint(1), &[1]].concat();
    assert_eq!(reject(&furthest), Parse::Reject(AppError::TooLong));
    assert_eq!(reject(&crypto(0, &[1, 0, 0x3f, 0xfd])), Parse::Reject(AppError::TooLong));

    let pieces = |number: usize| (1..=number).flat_map(|place| crypto(2 * place, &[9])).collect::<Vec<u8>>();
    assert_eq!(reject(&pieces(64)), Parse::More);
    assert_eq!(reject(&pieces(65)), Parse::Reject(AppError::TooLong));
}

#[test]
fn long_hellos_are_read() {
    let long = message_of(&[0x1301], &[extension(51, &[7; 9000]), alpn(&[b"h3"])].concat());
    let sender = Sender::v1();
    let parts = long.chunks(1100).enumerate();
    let datagrams: Vec<Vec<u8>> =
        parts.map(|(place, part)| sender.seal(&[place as u8], &crypto(1100 * place, part))).collect();
    let all = answers(&datagrams);
    assert!(matches!(&all[8], Parse::Done((QuicVersion::V1, hello)) if hello.alpn.as_deref() == Some("h3")));
}

#[test]
fn a_packet_above_the_bound_is_passed_over() {
    let sender = Sender::v1();
    let sealed = |length: usize| sender.seal(&[0], &padded(&crypto(0, &hello()), length));
    let overhead = sealed(1000).len() - 1000;
    assert_is_example(&Initials::default().client(&sealed(MAX_PACKET_BYTES - overhead)), QuicVersion::V1);
    assert_eq!(Initials::default().client(&sealed(MAX_PACKET_BYTES - overhead + 1)), Parse::More);
}

#[test]
fn a_flow_without_a_hello_is_given_up() {
    let part = Sender::v1().seal(&[0], &part(&hello(), 0..100));
    let mut initials = Initials::default();
    for _ in 0..16 {
        assert_eq!(initials.client(&part), Parse::More);
        assert!(initials.held_bytes() > 0);
    }
    for datagram in [&part[..], &example(&Sender::v1())] {
        assert_eq!(initials.client(datagram), Parse::Reject(AppError::TooLong));
        assert_eq!(initials.held_bytes(), 0);
    }
    // A datagram of many packets costs as much as many datagrams.
    let mut initials = Initials::default();
    assert_eq!(initials.client(&part.repeat(32)), Parse::Reject(AppError::TooLong));
}

#[test]
fn what_is_no_quic_is_rejected_and_other_versions_are_waited_out() {
    assert_eq!(Initials::default().client(b"GET / HTTP/1.1"), Parse::Reject(AppError::Malformed));
    assert_eq!(Initials::default().client(&[]), Parse::Reject(AppError::Malformed));
    assert_eq!(Initials::default().client(&[0x40; 30]), Parse::Reject(AppError::Malformed));
    let unknown = Sender { version: 0x1a2a_3a4a, ..Sender::v1() };
    let all = answers(&[example(&unknown), vec![0x40; 30], example(&Sender::v1())]);
    assert_eq!(all[..2], [Parse::More, Parse::More]);
    assert_is_example(&all[2], QuicVersion::V1);
}

#[test]
fn only_a_plausible_header_is_an_initial() {
    let datagram = example(&Sender::v1());
    assert_eq!(is_initial(&datagram[..18]), Some(QuicVersion::V1));
    assert!((0..18).all(|cut| is_initial(&datagram[..cut]).is_none()));
    for (place, byte) in [(0, 0x40), (0, 0x80), (0, 0xd0), (0, 0xe0), (0, 0xf0), (4, 0), (5, 21), (14, 21)] {
        let mut changed = datagram.clone();
        changed[place] = byte;
        assert_eq!(is_initial(&changed), None, "{place}: {byte}");
    }
    let mut second = example(&Sender::v2());
    assert_eq!(is_initial(&second), Some(QuicVersion::V2));
    second[0] = 0xc0;
    assert_eq!(is_initial(&second), None);
}

#[test]
fn versions_have_names() {
    for (number, name) in [(1, "1"), (0x6b33_43cf, "2"), (0xff00_001d, "draft-29"), (0x5130_3530, "0x51303530")] {
        assert_eq!(QuicVersion(number).name(), name);
    }
}

/// Cuts of a message, and the order in which the pieces are sent.
fn pieces() -> impl Strategy<Value = Vec<(usize, usize)>> {
    vec((0..241_usize, 1..60_usize), 0..40).prop_map(|pieces| {
        let more = pieces.into_iter().map(|(start, length)| (start, (start + length).min(241)));
        more.chain((0..241).step_by(40).map(|start| (start, (start + 40).min(241)))).collect()
    })
}

proptest! {
    #[test]
    fn pieces_in_any_order_and_more_than_once_give_the_hello(order in pieces().prop_shuffle()) {
        let hello = hello();
        let frames: Vec<u8> = order.iter().flat_map(|(start, end)| part(&hello, *start..*end)).collect();
        assert_is_example(&Initials::default().client(&Sender::v1().seal(&[0], &frames)), QuicVersion::V1);
    }

    #[test]
    fn any_datagrams_are_read_without_panic(
        starts in vec(0..4_usize, 1..4), rests in vec(vec(any::<u8>(), 0..90), 4),
    ) {
        let heads = [&[][..], &[0xc3, 0, 0, 0, 1, 8], &[0xc0, 0, 0, 0, 1, 0, 0, 0], &[0xd1, 0x6b, 0x33, 0x43, 0xcf]];
        let mut initials = Initials::default();
        for (start, rest) in starts.iter().zip(&rests) {
            let datagram = [heads[*start], rest].concat();
            let _ = is_initial(&datagram);
            let answer = initials.client(&datagram);
            prop_assert!(!matches!(answer, Parse::Done(_)));
        }
    }

    #[test]
    fn any_frames_are_read_without_panic(frames in vec(any::<u8>(), 4..200)) {
        let _ = Initials::default().client(&Sender::v1().seal(&[0], &frames));
    }
}
