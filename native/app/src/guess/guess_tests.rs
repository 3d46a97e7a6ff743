use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRng;

use super::samples::{connections, datagrams};
use super::*;

/// Nobody's.
const PORT: u16 = 40_000;

#[test]
fn both_sides_suffice_on_any_port() {
    for connection in connections() {
        let guess = stream(&connection.client, &connection.server, PORT);
        assert_eq!(guess, Guess::Known(connection.protocol), "{:?}", String::from_utf8_lossy(&connection.client));
    }
}

#[test]
fn one_side_suffices_where_no_other_protocol_has_its_bytes() {
    for connection in connections() {
        let expected = |suffices| if suffices { Guess::Known(connection.protocol) } else { Guess::More };
        let (client, server) = (&connection.client, &connection.server);
        let shown = String::from_utf8_lossy(client);
        assert_eq!(stream(client, &[], PORT), expected(connection.suffices.0), "{shown:?}");
        assert_eq!(stream(&[], server, PORT), expected(connection.suffices.1), "{shown:?}");
    }
}

#[test]
fn each_protocol_has_an_example() {
    let shown = |protocol: &AppProtocol| {
        connections().iter().any(|connection| connection.protocol == *protocol)
            || datagrams().iter().any(|datagram| datagram.0 == *protocol)
    };
    let missing: Vec<_> = AppProtocol::ALL[1..].iter().filter(|protocol| !shown(protocol)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_side_that_began_may_be_the_server() {
    for connection in connections() {
        let guess = stream(&connection.server, &connection.client, PORT);
        assert_eq!(guess, Guess::Known(connection.protocol), "{:?}", String::from_utf8_lossy(&connection.client));
    }
}

#[test]
fn a_beginning_is_never_another_protocol_and_never_given_up() {
    for connection in connections() {
        for (bytes, suffices) in
            [(&connection.client, connection.suffices.0), (&connection.server, connection.suffices.1)]
        {
            let mut known = false;
            for length in 0..=bytes.len() {
                let guess = stream(&bytes[..length], &[], PORT);
                known |= guess == Guess::Known(connection.protocol);
                let expected = if known { Guess::Known(connection.protocol) } else { Guess::More };
                assert_eq!(guess, expected, "{:?}", String::from_utf8_lossy(&bytes[..length]));
            }
            assert_eq!(known, suffices);
        }
    }
}

#[test]
fn datagrams_are_known_and_never_another_when_cut() {
    for (protocol, payload, ports) in datagrams() {
        assert_eq!(datagram(&payload, ports), Guess::Known(protocol), "{payload:?}");
        assert_eq!(datagram(&payload, (ports.1, ports.0)), Guess::Known(protocol), "{payload:?}");
        for length in 0..payload.len() {
            let guess = datagram(&payload[..length], ports);
            assert!(guess == Guess::Unknown || guess == Guess::Known(protocol), "{guess:?} {:?}", &payload[..length]);
        }
    }
}

#[test]
fn words_come_before_ports() {
    let greeting = b"220 example ready\r\n";
    let known = |orig: &[u8], resp: &[u8], port| stream(orig, resp, port);
    assert_eq!(known(b"EHLO a\r\n", greeting, 21), Guess::Known(Smtp));
    assert_eq!(known(b"USER a\r\n", greeting, 25), Guess::Known(Ftp));
    assert_eq!(known(b"", b"220 ftp.example ESMTP\r\n", PORT), Guess::More);
    assert_eq!(known(b"EHLO a\r\n", b"220 ftp.example ESMTP\r\n", 21), Guess::Known(Smtp));
    assert_eq!(known(b"", b"220 mx.example ESMTP\r\n", 21), Guess::Known(Smtp));
    assert_eq!(known(b"", greeting, PORT), Guess::More);
    assert_eq!(known(b"", greeting, 25), Guess::Known(Smtp));
    assert_eq!(known(b"", greeting, 21), Guess::Known(Ftp));
    assert_eq!(known(b"QUIT\r\n", greeting, 21), Guess::Known(Ftp));
    assert_eq!(known(b"QUIT\r\n", greeting, 25), Guess::Known(Smtp));
}

#[test]
fn a_port_alone_says_nothing() {
    let ports = STREAMS.iter().map(|signature| signature.ports).chain(DATAGRAMS.iter().map(|(.., ports)| *ports));
    for port in ports.flatten().copied() {
        assert_eq!(stream(b"\x01\x02\x03\x04 what is this?", b"", port), Guess::Unknown);
        assert_eq!(datagram(b"what is this?", (port, port)), Guess::Unknown);
    }
}

#[test]
fn replies_with_a_number_are_no_commands_of_imap() {
    assert_eq!(stream(b"", b"230 Login successful.\r\n", PORT), Guess::More);
    assert_eq!(stream(b"PASS x\r\n", b"230 Login successful.\r\n", PORT), Guess::Known(Ftp));
}

#[test]
fn encrypted_records_in_the_midst_of_a_connection_are_tls() {
    let record = |length: u8| [&[0x17, 3, 3, 0, length][..], &vec![0xa5; length.into()]].concat();
    assert_eq!(stream(&[record(40), record(30)].concat(), b"", PORT), Guess::Known(Tls));
    assert_eq!(stream(&record(40), b"", PORT), Guess::More);
    assert_eq!(stream(&record(40), b"", 443), Guess::Known(Tls));
    assert_eq!(stream(&record(40), &record(99), PORT), Guess::Known(Tls));
    assert_eq!(stream(&[record(40), b"GET / HTTP/1.1".to_vec()].concat(), b"", 443), Guess::Unknown);
}

#[test]
fn a_long_target_is_http_before_its_line_ends() {
    let line = [&b"GET /"[..], &[b'a'; 600]].concat();
    assert_eq!(stream(&line[..100], b"", PORT), Guess::More);
    assert_eq!(stream(&line, b"", PORT), Guess::Known(Http));
}

#[test]
fn names_of_netbios_are_no_names_of_dns() {
    let query = |name: &[u8]| [&b"\0\x01\x01\x10\0\x01\0\0\0\0\0\0\x20"[..], name, b"\0\0\x20\0\x01"].concat();
    assert_eq!(datagram(&query(b"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), (137, 53)), Guess::Unknown);
    assert_eq!(datagram(&query(b"ckaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), (137, 53)), Guess::Known(Dns));
}

/// The ports that break ties, and one that does not.
const PORTS: [u16; 10] = [PORT, 25, 53, 67, 80, 123, 161, 443, 1080, 5060];

#[test]
fn random_bytes_are_nearly_never_known() {
    let mut random = TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let (mut streams, mut datagrams) = (0, 0);
    let rounds = 20_000;
    for round in 0..rounds {
        let mut bytes = [0; 100];
        random.fill_bytes(&mut bytes);
        let port = PORTS[round % PORTS.len()];
        let length = 1 + round % 100;
        streams += usize::from(matches!(stream(&bytes[..length], &bytes[length..], port), Guess::Known(_)));
        datagrams += usize::from(matches!(datagram(&bytes[..length], (PORT, port)), Guess::Known(_)));
    }
    assert!(streams <= rounds / 10_000 && datagrams <= rounds / 10_000, "{streams} {datagrams}");
}

#[test]
fn random_bytes_are_given_up_when_they_are_many() {
    let mut random = TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    for _ in 0..1_000 {
        let mut bytes = [0; 1024];
        random.fill_bytes(&mut bytes);
        assert_ne!(stream(&bytes[..512], &bytes[512..], PORT), Guess::More);
    }
}

proptest! {
    #[test]
    fn damage_is_survived(
        choice in any::<Index>(), place in any::<Index>(), byte: u8, length in 0..600usize
    ) {
        let connections = connections();
        let connection = &connections[choice.index(connections.len())];
        for mut bytes in [connection.client.clone(), connection.server.clone()] {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let cut = &bytes[..length.min(bytes.len())];
            for port in PORTS {
                let _ = (stream(cut, b"", port), stream(b"", cut, port), datagram(cut, (port, PORT)));
            }
        }
        let datagrams = datagrams();
        let (_, mut bytes, ports) = datagrams[choice.index(datagrams.len())].clone();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let cut = &bytes[..length.min(bytes.len())];
        let _ = (datagram(cut, ports), stream(cut, cut, ports.0));
    }
}
