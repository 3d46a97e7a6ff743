//! A message while it passes.

use super::{MAX_MESSAGE_BYTES, Message, decode};

/// Collects a message up to what is kept of one.
#[derive(Debug, Default)]
pub(crate) struct Body {
    bytes: Vec<u8>,
    size_bytes: u64,
    torn: bool,
    keep_raw: bool,
}

impl Body {
    /// An empty one; `keep_raw` says whether its message carries the bytes themselves.
    pub(crate) fn new(keep_raw: bool) -> Self {
        Self { keep_raw, ..Self::default() }
    }

    pub(crate) fn push(&mut self, data: &[u8]) {
        self.size_bytes += data.len() as u64;
        let room = MAX_MESSAGE_BYTES.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&data[..data.len().min(room)]);
    }

    /// So many bytes were not seen.
    pub(crate) fn miss(&mut self, missing: u64) {
        self.size_bytes += missing;
        self.torn = true;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.size_bytes == 0
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// The message, as far as it was seen; `whole` says whether its end was.
    pub(crate) fn finish(self, whole: bool) -> Message {
        let mut message = decode(&self.bytes);
        message.truncated = self.torn || !whole || self.size_bytes > self.bytes.len() as u64;
        message.size_bytes = self.size_bytes;
        if self.keep_raw {
            message.raw = self.bytes;
        }
        message
    }
}

/// How far the end of a text that a line with a dot closes is seen (RFC 5321, 4.5.2; RFC 1939, 3).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    Dot,
    DotReturn,
    InLine,
}

/// A text that ends with a line of one dot, and whose lines that begin with one have one more.
///
/// The dot stands between two CR LF. Beside a bare LF it ends nothing, or whoever sends one could hide from here what the
/// receiver takes for the rest of the text; only where lines never end otherwise, a bare LF counts.
#[derive(Debug)]
pub(crate) struct Dotted {
    dot: Place,
    /// The last byte was CR.
    returned: bool,
    /// The last line ended with CR LF.
    whole_end: bool,
    /// Some line did.
    any_whole_end: bool,
}

impl Default for Dotted {
    fn default() -> Self {
        Self { dot: Place::LineStart, returned: false, whole_end: true, any_whole_end: false }
    }
}

impl Dotted {
    /// Takes from `data` what belongs to the text and gives it to `take`; whether the text is over.
    pub(crate) fn take(&mut self, data: &mut &[u8], take: &mut dyn FnMut(&[u8])) -> bool {
        while let Some(&byte) = data.first() {
            match (self.dot, byte) {
                (Place::LineStart, b'.') => self.step(Place::Dot, data),
                (Place::Dot, b'\r') => self.step(Place::DotReturn, data),
                (Place::Dot | Place::DotReturn, b'\n') => {
                    *data = &data[1..];
                    let whole = self.dot == Place::DotReturn;
                    if !self.any_whole_end || (whole && self.whole_end) {
                        return true;
                    }
                    take(if whole { b"\r\n" } else { b"\n" });
                    self.end_line(whole);
                }
                (Place::DotReturn, _) => {
                    take(b"\r");
                    self.dot = Place::InLine;
                }
                (Place::LineStart | Place::Dot, _) => self.dot = Place::InLine,
                (Place::InLine, _) => self.rest_of_line(data, take),
            }
        }
        false
    }

    fn rest_of_line(&mut self, data: &mut &[u8], take: &mut dyn FnMut(&[u8])) {
        let end = memchr::memchr(b'\n', data).map(|end| end + 1);
        let (line, rest) = data.split_at(end.unwrap_or(data.len()));
        let whole = if line.len() > 1 { line[line.len() - 2] == b'\r' } else { self.returned };
        self.returned = line.last() == Some(&b'\r');
        take(line);
        *data = rest;
        if end.is_some() {
            self.end_line(whole);
        }
    }

    fn end_line(&mut self, whole: bool) {
        self.dot = Place::LineStart;
        self.returned = false;
        self.whole_end = whole;
        self.any_whole_end |= whole;
    }

    fn step(&mut self, dot: Place, data: &mut &[u8]) {
        self.dot = dot;
        *data = &data[1..];
    }

    /// Bytes are missing.
    pub(crate) fn tear(&mut self) {
        self.dot = Place::InLine;
        self.returned = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dots_that_were_doubled_are_single_again_wherever_a_piece_ends() {
        let sent = b"a\r\n..b\r\n.c\r\n.\rd\r\n\r\n.\r\nQUIT";
        for split in 0..sent.len() {
            let (mut dotted, mut text, mut over) = (Dotted::default(), Vec::new(), false);
            let mut rest = Vec::new();
            for mut piece in [&sent[..split], &sent[split..]] {
                over = over || dotted.take(&mut piece, &mut |bytes| text.extend_from_slice(bytes));
                rest.extend_from_slice(if over { piece } else { &[] });
            }
            assert!(over, "{split}");
            assert_eq!(text, b"a\r\n.b\r\nc\r\n\rd\r\n\r\n", "{split}");
            assert_eq!(rest, b"QUIT", "{split}");
        }
    }

    /// The text, and what is left behind its end, if it ended.
    fn taken(pieces: &[&[u8]]) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mut dotted, mut text, mut rest) = (Dotted::default(), Vec::new(), None);
        for mut piece in pieces.iter().copied() {
            if rest.is_none() && dotted.take(&mut piece, &mut |bytes| text.extend_from_slice(bytes)) {
                rest = Some(Vec::new());
            }
            if let Some(rest) = &mut rest {
                rest.extend_from_slice(piece);
            }
        }
        (text, rest)
    }

    #[test]
    fn a_dot_beside_a_bare_line_feed_hides_nothing() {
        let (text, rest) = taken(&[b"a\r\nb\n.\r\nMAIL FROM:<x>\r\n.\nc\r\n.\r\nQUIT"]);
        assert_eq!(text, b"a\r\nb\n\r\nMAIL FROM:<x>\r\n\nc\r\n");
        assert_eq!(rest.as_deref(), Some(&b"QUIT"[..]));
    }

    #[test]
    fn who_sends_bare_line_feeds_only_ends_with_them() {
        assert_eq!(taken(&[b"a\n.\nQUIT"]), (b"a\n".to_vec(), Some(b"QUIT".to_vec())));
        assert_eq!(taken(&[b".\r\nQUIT"]), (Vec::new(), Some(b"QUIT".to_vec())));
    }

    proptest! {
        #[test]
        fn pieces_of_any_length_give_the_same(text in "[.\r\na]{0,40}", cut in 0_usize..40) {
            let text = text.as_bytes();
            let cut = cut.min(text.len());
            let whole = taken(&[text]);
            prop_assert_eq!(&taken(&[&text[..cut], &text[cut..]]), &whole);
            prop_assert_eq!(&taken(&text.chunks(1).collect::<Vec<_>>()), &whole);
        }
    }

    #[test]
    fn a_message_longer_than_what_is_kept_is_counted_whole() {
        let mut body = Body::default();
        body.push(b"Subject: x\r\n\r\n");
        for _ in 0..11 {
            body.push(&[b'a'; 1 << 20]);
        }
        let message = body.finish(true);
        assert_eq!((message.size_bytes, message.truncated), ((11 << 20) + 14, true));
        assert_eq!(&*message.subject, "x");
    }
}
