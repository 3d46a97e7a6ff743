use super::super::direction::MAX_HEAD_BYTES;
use super::*;
use proptest::prelude::*;

/// What is told, bodies joined.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Told(Vec<String>);

impl Told {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Request(request) => self.0.push(format!("{} {}", request.method, request.uri)),
            Event::Response(response) => self.0.push(response.status.to_string()),
            Event::BodyEnd => self.0.push("end".to_owned()),
            Event::Field(..) => (),
            Event::Body(body) => {
                assert!(!body.is_empty());
                let body: String = body.iter().copied().map(char::from).collect();
                match self.0.last_mut().filter(|last| last.starts_with("body ")) {
                    Some(last) => last.push_str(&body),
                    None => self.0.push(format!("body {body}")),
                }
            }
        }
    }
}

fn requests(slices: &[&[u8]]) -> (Vec<String>, bool) {
    let (mut told, mut reader) = (Told::default(), Requests::default());
    let http = slices.iter().all(|slice| reader.feed(slice, &mut |event| told.take(event)));
    (told.0, http)
}

/// Responses to requests of these methods.
fn responses(methods: &[&str], slices: &[&[u8]]) -> (Vec<String>, bool) {
    let (mut told, mut reader) = (Told::default(), Responses::default());
    methods.iter().for_each(|method| reader.expect(method));
    let http = slices.iter().all(|slice| reader.feed(slice, &mut |event| told.take(event)));
    (told.0, http)
}

const PIPELINE: &[u8] = b"GET /a?b=c d HTTP/1.1\r\nHost: x\r\n\r\n\
    POST /form HTTP/1.1\r\nContent-Length: 7\r\n\r\nHTTP/1.\
    \r\nPUT /up HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA;x\r\n0123456789\r\n0\r\nT: u\r\n\r\n\
    OPTIONS * HTTP/1.0\n\n";

#[test]
fn each_request_of_a_connection_is_told_wherever_it_is_cut() {
    let whole = requests(&[PIPELINE]);
    assert_eq!(
        whole,
        (
            [
                "GET /a?b=c d",
                "end",
                "POST /form",
                "body HTTP/1.",
                "end",
                "PUT /up",
                "body abc0123456789",
                "end",
                "OPTIONS *",
                "end"
            ]
            .map(str::to_owned)
            .to_vec(),
            true
        )
    );
    for cut in 0..PIPELINE.len() {
        assert_eq!(requests(&[&PIPELINE[..cut], &PIPELINE[cut..]]), whole, "{cut}");
    }
    assert_eq!(requests(&PIPELINE.chunks(1).collect::<Vec<_>>()), whole);
}

#[test]
fn the_fields_of_a_request_are_told() {
    let head = b"GET http://h/ HTTP/1.1\r\nHost:  h \r\nUSER-AGENT: agent/1\r\nReferer: r\r\nCookie: secret=1\r\n\
        Content-Type: t\r\nAuthorization: Basic dTpw\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Length: 0\r\n\r\n";
    let mut told = None;
    Requests::default().feed(head, &mut |event| {
        if let Event::Request(request) = event {
            told = Some(request);
        }
    });
    let expected = Request {
        logon: None,
        method: "GET".into(),
        uri: "http://h/".into(),
        version: "HTTP/1.1".into(),
        host: Some("h".into()),
        user_agent: Some("agent/1".into()),
        referer: Some("r".into()),
        content_type: Some("t".into()),
        content_length: Some(0),
        cookie: true,
        authorization: Some("Basic".into()),
        xff: Some("192.0.2.1".into()),
    };
    assert_eq!(told, Some(expected));
}

const ANSWERS: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 2\r\n\r\nab\
    HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nHTTP/1.1 304\r\nContent-Length: 9\r\n\r\n\
    HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nHTTP/1.0 200 OK\r\n\r\nrest\r\n\r\n";

#[test]
fn each_response_of_a_connection_is_told_wherever_it_is_cut() {
    let methods = ["POST", "HEAD", "GET", "GET", "GET"];
    let whole = responses(&methods, &[ANSWERS]);
    let told = [
        "100",
        "end",
        "200",
        "body ab",
        "end",
        "200",
        "end",
        "304",
        "end",
        "404",
        "body x",
        "end",
        "200",
        "body rest\r\n\r\n",
    ];
    assert_eq!(whole, (told.map(str::to_owned).to_vec(), true));
    for cut in 0..ANSWERS.len() {
        assert_eq!(responses(&methods, &[&ANSWERS[..cut], &ANSWERS[cut..]]), whole, "{cut}");
    }
    assert_eq!(responses(&methods, &ANSWERS.chunks(1).collect::<Vec<_>>()), whole);
}

#[test]
fn what_stands_behind_a_switch_is_counted() {
    for (method, head) in [("CONNECT", "HTTP/1.1 200 OK\r\n\r\n"), ("GET", "HTTP/1.1 101 Switching\r\n\r\n")] {
        let stream = [head.as_bytes(), b"\x16\x03\x03"].concat();
        for cut in 1..=stream.len() {
            let mut reader = Responses::default();
            reader.expect(method);
            let all = stream.chunks(cut).position(|slice| !reader.feed(slice, &mut |_| ()));
            let fed = (all.unwrap() + 1) * cut;
            assert_eq!(reader.switched(), Some(fed.min(stream.len()) - head.len()), "{head} {cut}");
        }
    }
}

#[test]
fn what_follows_connect_and_upgrade_is_another_protocol() {
    let (told, http) = requests(&[b"CONNECT h:443 HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\0"]);
    assert_eq!((told, http), (vec!["CONNECT h:443".to_owned(), "end".to_owned()], false));
    let (told, http) = requests(&[b"CONNECT h:443 HTTP/1.1\r\n\r\n", b"CONNECT h:443 HTTP/1.1\r\nA: b\r\n\r\n"]);
    assert_eq!((told.len(), http), (4, true));
    assert!(!requests(&[b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", b"\x81\x85\0\0\0\0"]).1);
    assert!(!responses(&["CONNECT"], &[b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", b"\x16\x03\x03"]).1);
    assert!(!responses(&["GET"], &[b"HTTP/1.1 101 Switching\r\n\r\n\x81\x05"]).1);
    assert_eq!(
        responses(&["CONNECT"], &[b"HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\n\x16\x03\x03"]).0[1],
        "body \x16\x03\x03"
    );
}

#[test]
fn a_connection_that_begins_otherwise_is_not_http() {
    for bytes in [
        &b"\x16\x03\x01"[..],
        b"GET",
        b"GET / HTTP/2.0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"EHLO x\r\n\r\n",
    ] {
        let (told, http) = requests(&[bytes]);
        assert!(told.is_empty() && http == (bytes == b"GET"), "{bytes:?}");
    }
    for bytes in [&b"220 x\r\n"[..], b"HTTP/1.1 2000 x\r\n\r\n"[..].as_ref(), b"HTTP/1.1 099 x\r\n\r\n", b"HTTP/2"] {
        let told = responses(&[], &[bytes]).0;
        assert!(told.is_empty() || told[0] == "200", "{bytes:?}");
    }
    assert!(!responses(&[], &[b"HTTP/2"]).1);
}

#[test]
fn damage_after_a_request_is_waited_out() {
    let (told, http) =
        requests(&[b"GET /a HTTP/1.1\r\n\r\n\0\0GET /no HTTP/1.1\r\n\r\n", b"\x01", b"GET /b HTTP/1.1\r\n\r\n"]);
    assert_eq!((told, http), (["GET /a", "end", "GET /b", "end"].map(str::to_owned).to_vec(), true));
}

#[test]
fn a_gap_in_a_body_is_passed() {
    let (mut told, mut reader) = (Told::default(), Requests::default());
    let mut feed = |reader: &mut Requests, bytes: &[u8]| assert!(reader.feed(bytes, &mut |event| told.take(event)));
    feed(&mut reader, b"POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n01");
    reader.gap(5);
    feed(&mut reader, b"789POST /b HTTP/1.1\r\nContent-Length: 4\r\n\r\n");
    reader.gap(4);
    feed(&mut reader, b"POST /c HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n8\r\nab");
    reader.gap(6);
    feed(&mut reader, b"\r\n0\r\n\r\nGET /d HTTP/1.1\r\n\r\n");
    let expected = ["POST /a", "body 01789", "end", "POST /b", "end", "POST /c", "body ab", "end", "GET /d", "end"];
    assert_eq!(told.0, expected);
}

#[test]
fn behind_a_gap_elsewhere_a_slice_that_begins_a_message_is_waited_for() {
    for first in
        [&b"GET /a HTTP/1.1\r\nHo"[..], b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\n", b"GET /a HTTP/1.1\r\n\r\n"]
    {
        let (mut told, mut reader) = (Told::default(), Requests::default());
        assert!(reader.feed(first, &mut |event| told.take(event)));
        reader.gap(100);
        for slice in [&b"st: x\r\n\r\n"[..], b"GET /no", b"GET /b HTTP/1.1\r\n\r\n"] {
            if slice != b"GET /no" {
                assert!(reader.feed(slice, &mut |event| told.take(event)));
            }
        }
        assert_eq!(told.0[told.0.len() - 2..], ["GET /b", "end"]);
        assert_eq!(told.0.iter().filter(|event| *event == "end").count() * 2, told.0.len());
    }
}

#[test]
fn a_gap_between_responses_forgets_what_was_asked() {
    let (mut told, mut reader) = (Told::default(), Responses::default());
    reader.expect("HEAD");
    reader.gap(100);
    reader.expect("GET");
    reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", &mut |event| told.take(event));
    assert_eq!(told.0, ["200", "body x", "end"]);
}

#[test]
fn the_end_of_the_connection_ends_a_body_once() {
    for (bytes, ends) in [
        (&b"HTTP/1.1 200 OK\r\n\r\nx"[..], 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 1),
        (b"HTTP/1.1 204 No\r\n\r\n", 1),
        (b"HTTP/1.1 2", 0),
        (b"", 0),
    ] {
        let (mut told, mut reader) = (Told::default(), Responses::default());
        reader.feed(bytes, &mut |event| told.take(event));
        reader.end(&mut |event| told.take(event));
        reader.end(&mut |event| told.take(event));
        assert!(!reader.feed(b"HTTP/1.1 200 OK\r\n\r\n", &mut |event| told.take(event)));
        assert_eq!(told.0.iter().filter(|event| *event == "end").count(), ends, "{bytes:?}");
    }
}

#[test]
fn a_long_head_is_read_as_far_as_it_is_kept() {
    let head = [&b"POST /long HTTP/1.1\r\nContent-Length: 2\r\n"[..], &b"A: b\r\n".repeat(10_000)].concat();
    let stream = [&head[..], b"\r\nxyGET /next HTTP/1.1\r\n\r\n"].concat();
    let expected = ["POST /long", "body xy", "end", "GET /next", "end"].map(str::to_owned).to_vec();
    assert_eq!(requests(&[&stream]), (expected.clone(), true));
    for size in [1, 7, 1460] {
        let mut reader = Requests::default();
        let mut told = Told::default();
        for slice in stream.chunks(size) {
            assert!(reader.feed(slice, &mut |event| told.take(event)));
            assert!(reader.held_bytes() <= MAX_HEAD_BYTES);
        }
        assert_eq!(told.0, expected, "{size}");
        assert_eq!(reader.0.head.capacity(), 0);
    }
}

#[test]
fn an_endless_first_line_is_not_kept() {
    let mut reader = Requests::default();
    let mut told = Told::default();
    assert!(reader.feed(b"GET /", &mut |event| told.take(event)));
    let http = (0..100).all(|_| reader.feed(&[b'a'; 1000], &mut |event| told.take(event)));
    assert!(!http && told.0.is_empty() && reader.0.head.capacity() == 0);
}

#[test]
fn sizes_beyond_counting_end_the_body() {
    let (told, http) = requests(&[
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
        b"GET /b HTTP/1.1\r\n\r\n",
    ]);
    assert_eq!((told, http), (["POST /a", "end", "GET /b", "end"].map(str::to_owned).to_vec(), true));
    let (told, _) =
        requests(&[b"POST /a HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\nGET /b HTTP/1.1\r\n\r\n"]);
    assert_eq!(told.len(), 2);
    let (told, http) = requests(&[b"POST /a HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n", b"x"]);
    assert_eq!((told, http), (["POST /a", "body x"].map(str::to_owned).to_vec(), true));
}

#[derive(Debug, Clone)]
enum Step {
    Bytes(Vec<u8>),
    Gap(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pieces = [
        "GET / HTTP/1.1\r\n",
        "POST /x HTTP/1.1\r\n",
        "HTTP/1.1 200 OK\r\n",
        "Content-Length: 5\r\n",
        "\r\n",
        "Transfer-Encoding: chunked\r\n",
        "5\r\nabcde\r\n",
        "0\r\n\r\n",
        "HTTP/1.1 101 x\r\n\r\n",
        "Upgrade: x\r\n",
        "\0\x01",
    ];
    let piece = proptest::sample::select(pieces.to_vec()).prop_map(|piece| Step::Bytes(piece.as_bytes().to_vec()));
    let bytes = proptest::collection::vec(any::<u8>(), 0..20).prop_map(Step::Bytes);
    proptest::collection::vec(prop_oneof![6 => piece, 1 => bytes, 1 => (0..9u64).prop_map(Step::Gap)], 0..40)
}

proptest! {
    #[test]
    fn heads_and_ends_alternate_whatever_comes(steps in steps()) {
        let (mut requests, mut responses) = (Requests::default(), Responses::default());
        let mut told = [Told::default(), Told::default()];
        for step in &steps {
            match step {
                Step::Bytes(bytes) => {
                    requests.feed(bytes, &mut |event| told[0].take(event));
                    responses.feed(bytes, &mut |event| told[1].take(event));
                }
                Step::Gap(bytes) => {
                    requests.gap(*bytes);
                    responses.gap(*bytes);
                }
            }
        }
        requests.end(&mut |event| told[0].take(event));
        responses.end(&mut |event| told[1].take(event));
        for Told(events) in told {
            let marks = events.iter().filter(|event| !event.starts_with("body "));
            let marks: Vec<bool> = marks.map(|event| event == "end").collect();
            prop_assert!(marks.chunks(2).all(|pair| pair == [false, true]), "{:?}", events);
        }
    }

    #[test]
    fn bodies_are_given_whole_whatever_is_in_them_and_wherever_they_are_cut(
        bodies in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 1..60)), 0..8),
        cut in 1..90usize,
    ) {
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for (chunked, body) in &bodies {
            let field = match chunked {
                true => "Transfer-Encoding: chunked".to_owned(),
                false => format!("Content-Length: {}", body.len()),
            };
            stream.extend(format!("POST /x HTTP/1.1\r\n{field}\r\n\r\n").bytes());
            match chunked {
                false => stream.extend(body),
                true => {
                    for chunk in body.chunks(7) {
                        stream.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
                    }
                    stream.extend(b"0\r\n\r\n");
                }
            }
            let body: String = body.iter().copied().map(char::from).collect();
            expected.extend(["POST /x".to_owned(), format!("body {body}"), "end".to_owned()]);
        }
        prop_assert_eq!(requests(&stream.chunks(cut).collect::<Vec<_>>()), (expected, true));
    }
}

#[test]
fn fields_come_before_their_head() {
    let mut told = Vec::new();
    let mut requests = Requests::default();
    requests.feed(b"GET / HTTP/1.1\r\nHost: a\r\nX-Own:  b c \r\n\r\n", &mut |event| match event {
        Event::Field(name, value) => told.push([name, value].map(|text| String::from_utf8_lossy(text).into_owned())),
        Event::Request(_) => told.push(["head".to_owned(), String::new()]),
        _ => (),
    });
    assert_eq!(told, [["Host", "a"], ["X-Own", "b c"], ["head", ""]]);
}
