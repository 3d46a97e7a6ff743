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
