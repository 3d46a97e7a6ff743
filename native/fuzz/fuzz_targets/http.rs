//! The first byte chooses the reader. Then come steps: a byte of length below 0xf0 and so many bytes, or 0xf0 and above
//! and a gap of so many.
#![no_main]

use app::http::{Event, Http2, Requests, Responses};
use libfuzzer_sys::fuzz_target;

/// Lengths from here on are gaps.
const GAP: u8 = 0xf0;

/// What the readers have in common.
trait Reader {
    fn feed(&mut self, data: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> bool;
    fn gap(&mut self, bytes: u64);
    fn end(&mut self, sink: &mut dyn FnMut(Event<'_>));
}

macro_rules! reader {
    ($name:ty) => {
        impl Reader for $name {
            fn feed(&mut self, data: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> bool {
                self.feed(data, sink)
            }
            fn gap(&mut self, bytes: u64) {
                self.gap(bytes);
            }
            fn end(&mut self, sink: &mut dyn FnMut(Event<'_>)) {
                self.end(sink);
            }
        }
    };
}

reader!(Requests);
reader!(Responses);

fuzz_target!(|data: &[u8]| {
    let Some((choice, steps)) = data.split_first() else { return };
    match choice % 5 {
        0 => check(&mut Requests::default(), steps),
        1 => check(&mut Responses::default(), steps),
        2 => {
            let mut responses = Responses::default();
            ["HEAD", "GET", "CONNECT"].iter().for_each(|method| responses.expect(method));
            check(&mut responses, steps);
        }
        3 => check_slices(Http2::client, steps),
        _ => check_slices(Http2::server, steps),
    }
});

/// Each head has one end, and the body is between them.
fn check(reader: &mut dyn Reader, mut steps: &[u8]) {
    let mut open = false;
    let mut sink = |event: Event<'_>| match event {
        Event::Request(_) | Event::Response(_) => assert!(!std::mem::replace(&mut open, true)),
        Event::Body(body) => assert!(open && !body.is_empty()),
        Event::BodyEnd => assert!(std::mem::replace(&mut open, false)),
        Event::Field(..) => assert!(!open),
    };
    while let Some((&length, rest)) = steps.split_first() {
        if length >= GAP {
            reader.gap((length - GAP).into());
            steps = rest;
        } else {
            let (slice, behind) = rest.split_at(rest.len().min(length.into()));
            reader.feed(slice, &mut sink);
            steps = behind;
        }
    }
    reader.end(&mut sink);
    assert!(!open);
}

/// However the stream is cut, the same is told.
fn check_slices(reader: fn() -> Http2, stream: &[u8]) {
    let told = |slices: &mut dyn Iterator<Item = &[u8]>| {
        let (mut reader, mut heads, mut body) = (reader(), Vec::new(), Vec::new());
        for slice in slices {
            let goes_on = reader.feed(slice, &mut |stream, event| match event {
                Event::Request(request) => heads.push((stream, request.uri)),
                Event::Response(response) => heads.push((stream, response.status.to_string().into())),
                Event::Body(data) => body.extend_from_slice(data),
                Event::BodyEnd => heads.push((stream, "end".into())),
                Event::Field(name, _) => heads.push((stream, app::text(name, 100))),
            });
            if !goes_on {
                break;
            }
        }
        (heads, body)
    };
    assert_eq!(told(&mut std::iter::once(stream)), told(&mut stream.chunks(3)));
}
