use super::*;
use proptest::prelude::*;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The preface and empty settings.
fn opening() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

/// Method GET, scheme http, path /, authority www.example.com (RFC 7541 Appendix C.4.1), behind it the same by index.
const FIRST: &[u8] = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
const AGAIN: &[u8] = b"\x82\x86\x84\xbe";

fn take(told: &mut Vec<String>, stream: u32, event: Event<'_>) {
    match event {
        Event::Request(request) => told.push(format!(
            "{stream} {} {} {} {}",
            request.method,
            request.uri,
            request.version,
            request.host.unwrap_or_default()
        )),
        Event::Response(response) => told.push(format!("{stream} {} {:?}", response.status, response.content_length)),
        Event::Body(body) => {
            let start = format!("{stream} body ");
            let body: String = body.iter().copied().map(char::from).collect();
            match told.last_mut().filter(|last| last.starts_with(&start)) {
                Some(last) => last.push_str(&body),
                None => told.push(start + &body),
            }
        }
        Event::BodyEnd => told.push(format!("{stream} end")),
        Event::Field(..) => (),
    }
}

fn read(mut reader: Http2, slices: &[&[u8]]) -> (Vec<String>, bool) {
    let mut told = Vec::new();
    let goes_on = slices.iter().all(|slice| reader.feed(slice, &mut |stream, event| take(&mut told, stream, event)));
    (told, goes_on)
}

fn client(frames: &[Vec<u8>]) -> (Vec<String>, bool) {
    read(Http2::client(), &[&opening(), &frames.concat()])
}

#[test]
fn requests_of_several_streams_are_told_wherever_they_are_cut() {
    let padded = [&[2, 0, 0, 0, 0, 9][..], AGAIN, &[0, 0]].concat();
    let stream = [
        opening(),
        frame(HEADERS, END_STREAM, 1, &FIRST[..5]),
        frame(CONTINUATION, 0, 1, &FIRST[5..9]),
        frame(CONTINUATION, END_HEADERS, 1, &FIRST[9..]),
        frame(8, 0, 0, &[0, 0, 1, 0]),
        frame(HEADERS, END_HEADERS | PADDED | PRIORITY, 3, &padded),
        frame(DATA, PADDED, 3, b"\x03abc\0\0\0"),
        frame(DATA, END_STREAM, 3, b"def"),
    ]
    .concat();
    let whole = read(Http2::client(), &[&stream]);
    let told = ["1 GET / HTTP/2 www.example.com", "1 end", "3 GET / HTTP/2 www.example.com", "3 body abcdef", "3 end"];
    assert_eq!(whole, (told.map(str::to_owned).to_vec(), true));
    for cut in 0..stream.len() {
        assert_eq!(read(Http2::client(), &[&stream[..cut], &stream[cut..]]), whole, "{cut}");
    }
    assert_eq!(read(Http2::client(), &stream.chunks(1).collect::<Vec<_>>()), whole);
}

#[test]
fn responses_are_told_without_promises_and_trailers() {
    let stream = [
        frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]),
        frame(SETTINGS, 1, 0, &[]),
        frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2][..], FIRST].concat()),
        frame(HEADERS, END_HEADERS, 1, b"\x88\x5c\x01\x35"),
        frame(DATA, 0, 1, b"hello"),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x00\x01t\x01u"),
    ]
    .concat();
    let told = ["1 200 Some(5)", "1 body hello", "1 end"].map(str::to_owned).to_vec();
    assert_eq!(read(Http2::server(), &[&stream]), (told, true));
}

#[test]
fn connect_has_the_authority_for_a_target() {
    let block = b"\x02\x07CONNECT\x01\x04host";
    let (told, _) = client(&[frame(HEADERS, END_HEADERS, 1, block)]);
    assert_eq!(told, ["1 CONNECT host HTTP/2 host"]);
}

#[test]
fn what_is_no_http2_ends_the_reading() {
    assert!(!read(Http2::client(), &[b"GET / HTTP/1.1\r\n"]).1);
    assert!(!read(Http2::client(), &[PREFACE, &frame(DATA, 0, 1, b"")]).1);
    assert!(!read(Http2::server(), &[b"HTTP/1.1 200 OK\r\n"]).1);
    for frames in [
        vec![frame(CONTINUATION, END_HEADERS, 1, FIRST)],
        vec![frame(HEADERS, 0, 1, FIRST), frame(DATA, 0, 1, b"x")],
        vec![frame(HEADERS, 0, 1, FIRST), frame(CONTINUATION, END_HEADERS, 3, b"")],
        vec![frame(HEADERS, END_HEADERS | PADDED, 1, b"\x05abc")],
        vec![frame(HEADERS, END_HEADERS | PRIORITY, 1, b"abc")],
        vec![frame(HEADERS, END_HEADERS, 1, b"\xff")],
    ] {
        let (told, goes_on) = client(&frames);
        assert!(told.is_empty() && !goes_on, "{frames:?}");
    }
}

#[test]
fn endless_continuations_are_bounded() {
    let mut reader = Http2::client();
    let mut told = Vec::new();
    let mut sink = |stream, event: Event<'_>| take(&mut told, stream, event);
    assert!(reader.feed(&opening(), &mut sink) && reader.feed(&frame(HEADERS, 0, 1, &[0; 1000]), &mut sink));
    let mut frames = 0;
    while reader.feed(&frame(CONTINUATION, 0, 1, &[0; 1000]), &mut sink) {
        frames += 1;
        assert!(reader.block.len() <= MAX_BLOCK_BYTES);
    }
    assert_eq!((frames, reader.block.capacity()), (31, 0));
    assert!(told.is_empty());
}

#[test]
fn a_gap_in_data_is_passed_and_elsewhere_ends_the_reading() {
    let mut reader = Http2::client();
    let mut told = Vec::new();
    let data = frame(DATA, END_STREAM, 1, b"0123456789");
    let start = [opening(), frame(HEADERS, END_HEADERS, 1, FIRST), data[..11].to_vec()].concat();
    assert!(reader.feed(&start, &mut |stream, event| take(&mut told, stream, event)));
    reader.gap(8);
    assert!(reader.feed(&frame(HEADERS, END_HEADERS, 3, AGAIN), &mut |stream, event| take(&mut told, stream, event)));
    assert_eq!(told[1..], ["1 body 01", "1 end", "3 GET / HTTP/2 www.example.com"]);
    reader.gap(1);
    assert!(!reader.feed(&frame(HEADERS, END_HEADERS, 5, AGAIN), &mut |_, _| panic!("nothing is told")));
}

proptest! {
    #[test]
    fn any_frames_are_judged(frames in proptest::collection::vec(
        (0..11u8, any::<u8>(), 0..4u32, proptest::collection::vec(any::<u8>(), 0..40)), 0..30), cut in 1..50usize
    ) {
        let frames = frames.iter().map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload));
        let stream = [opening(), frames.collect::<Vec<_>>().concat()].concat();
        let whole = read(Http2::client(), &[&stream]);
        prop_assert_eq!(read(Http2::client(), &stream.chunks(cut).collect::<Vec<_>>()), whole);
    }
}
