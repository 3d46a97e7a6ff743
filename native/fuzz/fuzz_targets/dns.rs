//! The bytes are a message, and a stream of messages behind their lengths that is cut into slices of the first byte.
#![no_main]

use app::dns::{Message, Reader, kind_name, message, rcode_name};
use libfuzzer_sys::fuzz_target;

/// A name of 255 bytes of which each is escaped.
const MAX_NAME_BYTES: usize = 255 * 4;

fuzz_target!(|data: &[u8]| {
    if let Ok(message) = message(data) {
        check(&message);
    }
    let Some((&length, stream)) = data.split_first() else { return };
    let told = |slices: &mut dyn Iterator<Item = &[u8]>| {
        let (mut reader, mut messages) = (Reader::default(), Vec::new());
        slices.for_each(|slice| reader.feed(slice, &mut |message| messages.push(message)));
        messages
    };
    let (whole, cut) = (told(&mut std::iter::once(stream)), told(&mut stream.chunks(usize::from(length) + 1)));
    // Behind bytes that are no message, the slices' beginnings are looked at.
    assert!(cut.starts_with(&whole), "{whole:?} {cut:?}");
    cut.iter().for_each(check);
    let mut reader = Reader::default();
    reader.gap();
    reader.feed(stream, &mut |message| check(&message));
});

fn check(message: &Message) {
    assert!(message.questions.len() <= 8 && message.answers.len() <= 64);
    let names = message.questions.iter().map(|question| &question.name);
    for name in names.chain(message.answers.iter().map(|answer| &answer.name)) {
        assert!(!name.is_empty() && name.len() <= MAX_NAME_BYTES && name.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    message.answers.iter().for_each(|answer| assert!(!kind_name(answer.kind).is_empty()));
    assert!(!rcode_name(message.rcode).is_empty());
}
