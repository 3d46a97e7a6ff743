//! Conversations that become other ones.

use app::AppProtocol;

use super::naming_tests::{Connection, Heard};
use crate::names::NameSource;
use crate::names::testing::{client_hello, http2_frame, server_hello};

const CONNECT: &[u8] = b"CONNECT proxied.example:443 HTTP/1.1\r\nHost: proxied.example:443\r\n\r\n";
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
const H2C: &[u8] = b"GET /first HTTP/1.1\r\nHost: up.example\r\nConnection: Upgrade, HTTP2-Settings\r\n\
    Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
const SWITCHED_H2C: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn kinds(heard: &Heard) -> Vec<&'static str> {
    heard.apps.iter().map(|app| app.event.kind()).collect()
}

#[test]
fn what_a_proxy_connects_is_heard_as_what_it_is() {
    let connection = Connection::new()
        .says(0, CONNECT)
        .says(1, ESTABLISHED)
        .says(0, &client_hello("inner.example"))
        .says(1, &server_hello());
    let heard = connection.heard();
    assert_eq!(kinds(&heard), ["http", "tls"]);
    let record = &heard.records[0];
    assert_eq!((record.app, record.app_before), (AppProtocol::Tls, Some(AppProtocol::Http)));
    assert_eq!(record.name, Some(("proxied.example".into(), NameSource::Client(AppProtocol::Http))));
    assert_eq!((heard.apps[0].app, heard.apps[1].app), (AppProtocol::Http, AppProtocol::Tls));
    assert_eq!(heard.apps[1].app_before, Some(AppProtocol::Http));
}

#[test]
fn a_tunnel_s_first_bytes_behind_the_answer_are_its_own() {
    let banner = [ESTABLISHED, b"SSH-2.0-OpenSSH_9.2\r\n"].concat();
    let connection = Connection::new().says(0, CONNECT).says(1, &banner).says(0, b"SSH-2.0-PuTTY\r\n");
    assert_eq!(kinds(&connection.heard()), ["http", "ssh"]);
}

#[test]
fn a_proxy_that_refuses_is_asked_again() {
    let connection = Connection::new()
        .says(0, CONNECT)
        .says(1, b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        .says(0, CONNECT)
        .says(1, ESTABLISHED)
        .says(0, &client_hello("inner.example"));
    assert_eq!(kinds(&connection.heard()), ["http", "http", "tls"]);
}

#[test]
fn an_upgraded_request_is_the_first_stream_s() {
    let settings = http2_frame(4, 0, 0, b"");
    let answer = [SWITCHED_H2C, &settings, &http2_frame(1, 5, 1, b"\x88")].concat();
    // GET, http, /, and the authority as a literal (RFC 7541, 6).
    let second = http2_frame(1, 5, 3, b"\x82\x86\x84\x41\x0asecond.exa");
    let connection = Connection::new()
        .says(0, H2C)
        .says(1, &answer)
        .says(0, &[PREFACE, &settings, &second].concat())
        .says(1, &http2_frame(1, 5, 3, b"\x8d"));
    let heard = connection.heard();
    assert_eq!(heard.http(), [(Some("/first"), Some(200), 0), (Some("/"), Some(404), 0)]);
    assert_eq!(heard.records[0].app, AppProtocol::Http2);
}

#[test]
fn a_web_socket_ends_the_listening() {
    let connection = Connection::new()
        .says(0, b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")
        .says(1, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\r\n")
        .says(0, &client_hello("not.example"));
    let heard = connection.heard();
    assert_eq!(heard.http(), [(Some("/chat"), Some(101), 0)]);
    assert_eq!((heard.records[0].app, heard.records[0].app_before), (AppProtocol::Http, None));
}

#[test]
fn tunnels_within_tunnels_are_followed_so_far() {
    let nested = |depth: usize| {
        let outer = (0..depth).fold(Connection::new(), |talk, _| talk.says(0, CONNECT).says(1, ESTABLISHED));
        kinds(&outer.says(0, &client_hello("inner.example")).heard()).contains(&"tls")
    };
    assert!(nested(4));
    assert!(!nested(5));
}

#[test]
fn mail_becomes_tls_where_the_server_agrees() {
    let connection = Connection::new()
        .says(1, b"220 mx ESMTP\r\n")
        .says(0, b"EHLO pc.example\r\n")
        .says(1, b"250-mx\r\n250 STARTTLS\r\n")
        .says(0, b"STARTTLS\r\n")
        .says(1, b"220 go on\r\n")
        .says(0, &client_hello("mx.example"))
        .says(1, &server_hello());
    let heard = connection.heard();
    assert_eq!(kinds(&heard), ["smtp", "tls"]);
    assert_eq!((heard.records[0].app, heard.records[0].app_before), (AppProtocol::Tls, Some(AppProtocol::Smtp)));
}
