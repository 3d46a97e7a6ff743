//! What hosts say of themselves inside of conversations.

use super::naming_tests::Connection;
use crate::config::Mode;
use crate::names::testing::{kerberos_answer, ntlm_logon};
use crate::punt::PuntProtocol::{self, Agent, Kerberos, Ntlm};
use crate::testing::*;

fn claims(frames: &[(u64, Vec<u8>)]) -> Vec<(PuntProtocol, String)> {
    let mut bench = Bench::new(Mode::Read, 1000);
    bench.feed(frames);
    let seconds = bench.finish().0;
    let claims = seconds.into_iter().flat_map(|second| second.claims.into_frames());
    claims.map(|claim| (claim.protocol, String::from_utf8(claim.message.into()).expect("text"))).collect()
}

/// A message of SMB2 with this command ([MS-SMB2] section 2.2.1.2).
fn smb2(command: u8, body: &[u8]) -> Vec<u8> {
    let mut message = [&b"\xfeSMB\x40\0\0\0\0\0\0\0"[..], &[command, 0], &[0; 50], body].concat();
    message.splice(0..0, (message.len() as u32).to_be_bytes());
    message
}

/// The same from a key distribution centre, behind its length.
fn counted(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes()[..], message].concat()
}

#[test]
fn a_program_is_told_once_however_often_it_asks() {
    let ask = b"GET / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: curl/8.1\r\n\r\n";
    let connection = Connection::new().says(0, ask).says(0, ask);
    assert_eq!(claims(&connection.frames), [(Agent, "curl/8.1".to_owned())]);
}

#[test]
fn what_a_proxy_passes_on_is_nobody_s_here() {
    let ask = b"GET / HTTP/1.1\r\nUser-Agent: curl/8.1\r\nX-Forwarded-For: 10.1.2.3\r\n\r\n";
    assert_eq!(claims(&Connection::new().says(0, ask).frames), []);
}

#[test]
fn others_than_hosts_are_not_told_of() {
    let ask = b"GET / HTTP/1.1\r\nUser-Agent: curl/8.1\r\n\r\n";
    let foreign = End([198, 51, 100, 7], 50_000);
    let frames = [(0, tcp(foreign, SERVER, SYN, 100, b"")), (1, tcp(foreign, SERVER, ACK, 101, ask))];
    assert_eq!(claims(&frames), []);
}

#[test]
fn a_logon_over_smb_is_found_however_it_is_cut() {
    let stream = [smb2(0, &[0; 36]), smb2(1, b"\x60negotiate"), smb2(1, &ntlm_logon("jane", "PC-0417"))].concat();
    for cut in 1..stream.len() {
        let connection = Connection::new().says(0, &stream[..cut]).says(0, &stream[cut..]);
        assert_eq!(claims(&connection.frames), [(Ntlm, "jane\0\0PC-0417".to_owned())], "{cut}");
    }
}

/// A BindRequest by SASL (RFC 4511 section 4.2), its lengths in a form that takes two bytes.
fn sasl_bind(credentials: &[u8]) -> Vec<u8> {
    let long = |tag: u8, content: &[u8]| [&[tag, 0x82][..], &(content.len() as u16).to_be_bytes(), content].concat();
    let sasl = [&b"\x04\x0aGSS-SPNEGO"[..], &long(4, credentials)].concat();
    let operation = [&b"\x02\x01\x03\x04\0"[..], &long(0xa3, &sasl)].concat();
    long(0x30, &[&b"\x02\x01\x07"[..], &long(0x60, &operation)].concat())
}

/// A fragment of DCE/RPC of this type (C706 section 12.6.3.1), little-endian or not.
fn fragment(kind: u8, body: &[u8], is_little: bool) -> Vec<u8> {
    let length = 16 + body.len() as u16;
    let length = if is_little { length.to_le_bytes() } else { length.to_be_bytes() };
    let order = u8::from(is_little) << 4;
    [&[5, 0, kind, 3, order, 0, 0, 0], &length[..], &[0, 0, 1, 0, 0, 0], body].concat()
}

#[test]
fn a_logon_over_ldap_and_dce_rpc_is_found_however_it_is_cut() {
    let logon = ntlm_logon("jane", "PC-0417");
    let search = b"0%\x02\x01\x02c \x04\0\n\x01\0\n\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\x87\x0bobjectClass0\0";
    for stream in [
        [&search[..], &sasl_bind(b"\x60negotiate"), &sasl_bind(&logon)].concat(),
        [fragment(11, &[0; 56], true), fragment(16, &logon, true)].concat(),
        [fragment(11, &[0; 56], false), fragment(14, &logon, false)].concat(),
    ] {
        for cut in 1..stream.len() {
            let connection = Connection::new().says(0, &stream[..cut]).says(0, &stream[cut..]);
            assert_eq!(claims(&connection.frames), [(Ntlm, "jane\0\0PC-0417".to_owned())], "{cut}");
        }
    }
}

#[test]
fn what_a_search_or_a_call_carries_is_no_logon() {
    let logon = ntlm_logon("jane", "PC-0417");
    let mut search = sasl_bind(&logon);
    let operation = search.iter().position(|byte| *byte == 0x60).expect("a bind");
    search[operation] = 0x63;
    for stream in
        [[sasl_bind(b""), search].concat(), [fragment(11, &[0; 56], true), fragment(0, &logon, true)].concat()]
    {
        assert_eq!(claims(&Connection::new().says(0, &stream).frames), []);
    }
}

#[test]
fn what_is_sealed_behind_a_bind_ends_the_listening() {
    let sealed = [&b"\0\0\0\x40"[..], &[0x60; 64], &sasl_bind(&ntlm_logon("jane", "PC-0417"))].concat();
    let connection = Connection::new().says(0, &sasl_bind(b"\x60negotiate")).says(0, &sealed);
    assert_eq!(claims(&connection.frames), []);
}

#[test]
fn a_logon_in_another_command_is_none() {
    let stream = [smb2(0, &[0; 36]), smb2(9, &ntlm_logon("jane", "PC-0417"))].concat();
    assert_eq!(claims(&Connection::new().says(0, &stream).frames), []);
}

#[test]
fn a_client_is_not_listened_to_for_ever() {
    let negotiate = smb2(0, &[0; 36]);
    let late = (0..16).fold(Connection::new(), |connection, _| connection.says(0, &negotiate));
    assert_eq!(claims(&late.says(0, &smb2(1, &ntlm_logon("jane", "PC-0417"))).frames), []);
}

#[test]
fn a_ticket_s_client_is_told_over_tcp() {
    let answer = counted(&kerberos_answer("PC-0417$", "CORP.EXAMPLE"));
    for cut in [3, 20, answer.len()] {
        let connection = Connection::new().says(1, &answer[..cut]).says(1, &answer[cut..]);
        assert_eq!(claims(&connection.frames), [(Kerberos, "PC-0417$\0CORP.EXAMPLE".to_owned())], "{cut}");
    }
}

#[test]
fn a_ticket_s_client_is_told_over_udp() {
    let centre = End([10, 0, 0, 1], 88);
    let answer = udp(centre, PC, &kerberos_answer("jane", "CORP.EXAMPLE"));
    let mut request = kerberos_answer("claimed", "CORP.EXAMPLE");
    request[0] = 0x6a;
    let frames = [(0, udp(PC, centre, &request)), (1, answer)];
    assert_eq!(claims(&frames), [(Kerberos, "jane\0CORP.EXAMPLE".to_owned())]);
}

#[test]
fn a_flood_of_words_is_cut_and_counted() {
    let mut bench = Bench::new(Mode::Read, 1000);
    let connection = (0..150).fold(Connection::new(), |connection, n| {
        connection.says(0, format!("GET / HTTP/1.1\r\nUser-Agent: program {n}\r\n\r\n").as_bytes())
    });
    bench.feed(&connection.frames);
    let counts = bench.published.read().punted;
    assert_eq!((counts.handed, counts.dropped), (100, 50));
}
