//! What a worker hears in flows.

use std::sync::Arc;

use app::{AppError, AppProtocol};

use super::*;
use crate::detect::{Hit, HitEvent};
use crate::flow::FlowRecord;
use crate::names::testing::{client_hello, dns_query, dns_response, server_hello};
use crate::names::{AppEvent, AppRecord, NameSource};
use crate::testing::*;

const NAMESERVER: End = End([10, 0, 0, 53], 53);

/// A connection from [`PC`] to [`SERVER`]: what each end sends, in turn, as segments of the given size, behind SYNs.
pub(super) struct Connection {
    pub(super) frames: Vec<(u64, Vec<u8>)>,
    sent: [u32; 2],
}

impl Connection {
    pub(super) fn new() -> Self {
        let frames = vec![(0, tcp(PC, SERVER, SYN, 100, b"")), (1, tcp(SERVER, PC, SYN_ACK, 900, b""))];
        Self { frames, sent: [101, 901] }
    }

    /// One that was there before.
    fn from_the_middle() -> Self {
        Self { frames: Vec::new(), ..Self::new() }
    }

    pub(super) fn says(mut self, side: usize, data: &[u8]) -> Self {
        let (from, to) = if side == 0 { (PC, SERVER) } else { (SERVER, PC) };
        let at = self.frames.len() as u64;
        self.frames.push((at, tcp(from, to, ACK, self.sent[side], data)));
        self.sent[side] = self.sent[side].wrapping_add(data.len() as u32);
        self
    }

    pub(super) fn heard(&self) -> Heard {
        let mut bench = Bench::new(Mode::Read, 10);
        bench.feed(&self.frames);
        Heard::new(bench)
    }
}

/// All that a worker told.
pub(super) struct Heard {
    pub(super) records: Vec<FlowRecord>,
    pub(super) apps: Vec<AppRecord>,
    flows: Vec<(AppProtocol, u64)>,
    errors: Vec<(AppProtocol, AppError)>,
}

impl Heard {
    fn new(bench: Bench) -> Self {
        let published = Arc::clone(&bench.published);
        let (seconds, _) = bench.finish();
        let (mut records, mut apps) = (Vec::new(), Vec::new());
        for second in seconds {
            records.extend(second.records);
            apps.extend(second.apps);
        }
        let names = published.read().names;
        assert_eq!(names.held_bytes, 0, "whatever was kept is let go of");
        let all = || AppProtocol::ALL.iter().copied();
        let flows = all().map(|app| (app, names.flows[app as usize])).filter(|(_, flows)| *flows > 0).collect();
        let met = |app: AppProtocol| {
            AppError::ALL.into_iter().filter(move |error| names.errors[app as usize][*error as usize] > 0)
        };
        let errors = all().flat_map(|app| met(app).map(move |error| (app, error)).collect::<Vec<_>>()).collect();
        Self { records, apps, flows, errors }
    }

    fn name(&self) -> Option<&str> {
        self.records[0].name.as_ref().map(|(name, source)| {
            assert!(matches!(source, NameSource::Client(_)));
            &**name
        })
    }

    /// Name asked for, and version chosen, of the only TLS event.
    fn tls(&self) -> (Option<&str>, Option<u16>) {
        let [AppRecord { event: AppEvent::Tls(hellos), .. }] = &self.apps[..] else { panic!("{:?}", self.apps) };
        let client = hellos.client.as_ref();
        (client.and_then(|client| client.sni.as_deref()), hellos.server.as_ref().map(|server| server.version.0))
    }

    /// Target and status of each HTTP event.
    pub(super) fn http(&self) -> Vec<(Option<&str>, Option<u16>, u64)> {
        self.apps
            .iter()
            .map(|app| match &app.event {
                AppEvent::Http(exchange) => {
                    let request = exchange.request.as_ref().map(|request| &*request.uri);
                    (request, exchange.response.as_ref().map(|response| response.status), exchange.length)
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

#[test]
fn a_tls_connection_has_the_name_that_its_client_asks_for() {
    let heard =
        Connection::new().says(0, &client_hello("www.example.com")).says(1, &server_hello()).says(0, b"...").heard();
    assert_eq!(heard.tls(), (Some("www.example.com"), Some(0x0304)));
    assert_eq!((heard.name(), heard.records[0].app), (Some("www.example.com"), AppProtocol::Tls));
    assert_eq!(heard.apps[0].time_ns, START + 3, "when the server has greeted");
    assert_eq!(heard.apps[0].flow_id, heard.records[0].flow_id);
    assert_eq!((heard.flows, heard.errors), (vec![(AppProtocol::Tls, 1)], vec![]));
}

#[test]
fn a_hello_in_any_two_segments_in_either_order_is_read() {
    let hello = client_hello("split.example");
    for cut in 1..hello.len() {
        let mut connection = Connection::new().says(0, &hello[..cut]).says(0, &hello[cut..]).says(1, &server_hello());
        assert_eq!(connection.heard().tls().0, Some("split.example"), "cut at {cut}");
        connection.frames.swap(2, 3);
        assert_eq!(connection.heard().tls().0, Some("split.example"), "turned at {cut}");
    }
}

#[test]
fn a_hello_byte_by_byte_is_read() {
    let hello = client_hello("byte.example");
    let whole = Connection::new().says(0, &hello[..6]);
    let connection = hello[6..].iter().fold(whole, |connection, byte| connection.says(0, &[*byte]));
    assert_eq!(connection.says(1, &server_hello()).heard().tls(), (Some("byte.example"), Some(0x0304)));
}

#[test]
fn a_connection_that_was_there_before_is_heard_from_its_first_segment() {
    let connection = Connection::from_the_middle().says(0, &client_hello("late.example")).says(1, &server_hello());
    assert_eq!(connection.heard().tls(), (Some("late.example"), Some(0x0304)));
}

#[test]
fn a_keep_alive_is_no_beginning() {
    let mut connection = Connection::from_the_middle().says(0, &client_hello("kept.example")).says(1, &server_hello());
    connection.frames.insert(0, (0, tcp(PC, SERVER, ACK, 100, b"\0")));
    assert_eq!(connection.heard().tls().0, Some("kept.example"));
}

#[test]
fn one_side_alone_is_told_when_the_flow_ends() {
    let client = Connection::new().says(0, &client_hello("one.example")).heard();
    assert_eq!((client.tls(), client.name()), ((Some("one.example"), None), Some("one.example")));
    let server = Connection::from_the_middle().says(1, &server_hello()).heard();
    assert_eq!((server.tls(), server.name()), ((None, Some(0x0304)), None));
}

#[test]
fn a_server_that_is_never_shown_is_not_waited_for() {
    let mut connection = Connection::new().says(0, &client_hello("one.example"));
    for _ in 0..30 {
        connection = connection.says(0, &[23; 1400]);
    }
    let mut bench = Bench::new(Mode::Read, 10);
    bench.feed(&connection.frames);
    bench.feed(&[(2 * SECOND, udp(PC, SERVER, b"time passes"))]);
    let apps: usize = bench.seconds.try_iter().map(|second| second.apps.len()).sum();
    assert_eq!(apps, 1, "the flow goes on, and its name is told");
}

#[test]
fn every_request_of_a_connection_is_told_with_its_response() {
    let connection = Connection::new()
        .says(
            0,
            b"GET /a HTTP/1.1\r\nHost: www.example.com:8080\r\n\r\nHEAD /b HTTP/1.1\r\nHost: other.example\r\n\r\n",
        )
        .says(1, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
        .says(1, b"loHTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n")
        .says(0, b"GET /c HTTP/1.1\r\n\r\n");
    let heard = connection.heard();
    assert_eq!(heard.http(), [(Some("/a"), Some(200), 5), (Some("/b"), Some(404), 0), (Some("/c"), None, 0)]);
    assert_eq!((heard.name(), heard.records[0].app), (Some("www.example.com"), AppProtocol::Http));
}

#[test]
fn responses_whose_requests_were_not_shown_are_told() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let heard = Connection::from_the_middle().says(1, answer).says(1, answer).heard();
    assert_eq!(heard.http(), [(None, Some(200), 2); 2]);
}

#[test]
fn a_look_up_is_told_as_question_and_answer() {
    let mut bench = Bench::new(Mode::Read, 10);
    let response = dns_response(7, "www.example.com", "cdn.example.net", SERVER.0);
    let client = End(PC.0, 40_000);
    bench.feed(&[
        (0, udp(client, NAMESERVER, &dns_query(7, "www.example.com"))),
        (SECOND, udp(NAMESERVER, client, &response)),
        (SECOND + 1, udp(NAMESERVER, client, &response[..20])),
    ]);
    let heard = Heard::new(bench);
    let messages: Vec<_> = heard
        .apps
        .iter()
        .map(|app| match &app.event {
            AppEvent::Dns(message) => (message.response, message.answers.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(messages, [(false, 0), (true, 2)]);
    assert_eq!((heard.records[0].app, heard.name()), (AppProtocol::Dns, None));
    assert_eq!(heard.errors.len(), 1, "the cut one");
}

#[test]
fn a_copy_is_not_heard_twice() {
    let mut bench = Bench::new(Mode::Read, 10);
    let query = udp(End(PC.0, 40_000), NAMESERVER, &dns_query(7, "www.example.com"));
    bench.feed(&[(0, query.clone()), (1000, query)]);
    let heard = Heard::new(bench);
    assert_eq!((heard.apps.len(), heard.records[0].counts[0].packets), (1, 2));
}

#[test]
fn what_nobody_knows_is_soon_left_alone() {
    let mut connection = Connection::new();
    for _ in 0..10 {
        connection = connection.says(0, b"\x01\x02nothing").says(1, b"\x03\x04that is known");
    }
    let mut bench = Bench::new(Mode::Read, 10);
    bench.feed(&connection.frames);
    assert_eq!(bench.published.read().names.flows[AppProtocol::Unknown as usize], 1);
    assert_eq!(bench.published.read().names.held_bytes, 0);
    let heard = Heard::new(bench);
    assert_eq!((heard.flows, heard.apps.len()), (vec![(AppProtocol::Unknown, 1)], 0));
}

#[test]
fn a_syn_that_corrects_who_originated_turns_the_conversation_as_well() {
    let high = End(SERVER.0, 40_000);
    let hello = client_hello("turned.example");
    let mut bench = Bench::new(Mode::Read, 10);
    // The server's side of a tap is ahead.
    bench.feed(&[
        (0, tcp(high, PC, ACK, 901, &server_hello())),
        (1, tcp(PC, high, SYN, 100, b"")),
        (2, tcp(PC, high, ACK, 101, &hello)),
    ]);
    let heard = Heard::new(bench);
    assert_eq!(heard.tls(), (Some("turned.example"), Some(0x0304)));
    assert_eq!(heard.apps[0].tuple.orig.port, PC.1);
}

#[test]
fn a_flood_of_hellos_that_never_end_is_bounded_and_counted() {
    let mut bench = Bench::new(Mode::Live, 10_000);
    let start = [&[22, 3, 1, 0x3f, 0xf0, 1, 0, 0x3f, 0xe0, 3, 3][..], &[0; 1389]].concat();
    for port in 0..6000_u16 {
        let client = End(PC.0, 20_000 + port);
        let first = u32::from(port) << 16 | 1;
        let segment = |number: u32| (u64::from(port) * 1000, tcp(client, SERVER, ACK, first + number * 1400, &start));
        bench.feed(&(0..11).map(segment).collect::<Vec<_>>());
        assert!(bench.published.read().names.held_bytes <= 64 << 20);
    }
    let names = bench.published.read().names;
    assert!(names.held_bytes > 60 << 20, "{}", names.held_bytes);
    assert!(names.given_up > 1000, "{}", names.given_up);
    bench.finish();
}

/// What each report says was met, and in which protocol.
fn met(bench: Bench) -> Vec<(HitEvent, String, AppProtocol)> {
    let hits = bench.finish().0.into_iter().flat_map(|second| second.hits);
    let observed = |hit: Hit| hit.observed.map(|observed| (hit.event, observed.text.to_string(), observed.seen_in));
    let mut met: Vec<_> = hits.filter_map(observed).filter(|(event, ..)| *event == HitEvent::Open).collect();
    met.sort_by(|a, b| a.1.cmp(&b.1));
    met
}

fn opened(text: &str, app: AppProtocol) -> (HitEvent, String, AppProtocol) {
    (HitEvent::Open, text.to_owned(), app)
}

#[test]
fn a_listed_name_is_met_in_questions_aliases_hellos_and_host_fields() {
    let client = End(PC.0, 40_000);
    let response = dns_response(7, "www.example.com", "cdn.evil.example", SERVER.0);
    let http = b"GET /x HTTP/1.1\r\nHost: www.evil.example:8080\r\n\r\n";
    for (frames, expected) in [
        (
            vec![(0, udp(client, NAMESERVER, &dns_query(7, "a.evil.example")))],
            opened("a.evil.example", AppProtocol::Dns),
        ),
        (vec![(0, udp(NAMESERVER, client, &response))], opened("cdn.evil.example", AppProtocol::Dns)),
        (Connection::new().says(0, &client_hello("b.evil.example")).frames, opened("b.evil.example", AppProtocol::Tls)),
        (Connection::new().says(0, http).frames, opened("www.evil.example", AppProtocol::Http)),
    ] {
        let mut bench = Bench::new(Mode::Read, 10);
        bench.watch("*.evil.example\n");
        bench.feed(&frames);
        assert_eq!(met(bench), [expected]);
    }
}

#[test]
fn a_listed_url_and_fingerprint_are_met() {
    let hello = client_hello("www.example.com");
    let ja4 = match app::tls::client_hello(&hello) {
        app::Parse::Done(hello) => hello.ja4.as_str().to_owned(),
        other => panic!("{other:?}"),
    };
    let mut bench = Bench::new(Mode::Read, 10);
    bench.watch(&format!("http://www.example.com:443/x?y\n{ja4}\n"));
    bench.feed(&Connection::new().says(0, b"GET /x?y HTTP/1.1\r\nHost: www.example.com\r\n\r\n").frames);
    let other = |frame: &Vec<u8>| [&frame[..29], &[99], &frame[30..]].concat();
    let frames: Vec<_> = Connection::new().says(0, &hello).frames.iter().map(|(at, f)| (*at, other(f))).collect();
    bench.feed(&frames);
    let met: Vec<_> = met(bench).into_iter().map(|(_, text, app)| (text, app)).collect();
    let url = "http://www.example.com:443/x?y".to_owned();
    assert_eq!(met, [(url, AppProtocol::Http), (ja4, AppProtocol::Tls)]);
}

#[test]
fn lists_that_come_later_find_the_names_of_open_connections() {
    let connection = Connection::new().says(0, &client_hello("b.evil.example")).says(1, &server_hello());
    let mut bench = Bench::new(Mode::Read, 10);
    bench.feed(&connection.frames);
    bench.watch("b.evil.example\n");
    bench.feed(&connection.says(0, b"more").frames[4..]);
    assert_eq!(met(bench), [opened("b.evil.example", AppProtocol::Tls)]);
}
