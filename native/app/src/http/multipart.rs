//! The parts of `multipart/form-data`, as they come (RFC 7578, RFC 2046 section 5.1).

use super::head;
use super::message::{LONGEST_NAME, lower};
use crate::{Text, text};

/// RFC 2046 section 5.1.1: a boundary has 70 characters at most.
const MAX_BOUNDARY_BYTES: usize = 70;
/// The longest head of a part.
const MAX_HEAD_BYTES: usize = 4096;
const MAX_NAME_BYTES: usize = 256;
/// Parts that are read of one body.
const MAX_PARTS: usize = 256;

/// What happens in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartEvent<'a> {
    /// A part begins.
    Begin(PartHead),
    /// The next bytes of its content; never empty.
    Data(&'a [u8]),
    /// It is over.
    End,
}

/// What a part is; texts are cut at 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartHead {
    /// Name of the form's field.
    pub name: Text,
    /// Name of the file, if it is one.
    pub file_name: Option<Text>,
    /// `Content-Type`.
    pub content_type: Option<Text>,
}

/// Reads one body. Keeps a part's head, and what may be the beginning of a boundary.
#[derive(Debug)]
pub struct Multipart {
    /// With the line's end and the dashes before it.
    boundary: Vec<u8>,
    held: Vec<u8>,
    place: Place,
    parts: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Preamble,
    Head,
    Content,
    Over,
}

impl Multipart {
    /// A reader for a body of this `Content-Type`, if that is multipart with a boundary.
    pub fn of(content_type: &str) -> Option<Self> {
        let lower = content_type.to_ascii_lowercase();
        if !lower.starts_with("multipart/") {
            return None;
        }
        let boundary = parameter(content_type.as_bytes(), b"boundary")?;
        if boundary.is_empty() || boundary.len() > MAX_BOUNDARY_BYTES {
            return None;
        }
        let boundary = [b"\r\n--", &boundary[..]].concat();
        // The first boundary may stand at the very beginning: as if a line had ended before.
        Some(Self { boundary, held: b"\r\n".to_vec(), place: Place::Preamble, parts: 0 })
    }

    /// Bytes that are kept.
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// The next bytes of the body.
    pub fn feed(&mut self, data: &[u8], sink: &mut dyn FnMut(PartEvent<'_>)) {
        if self.place == Place::Over {
            return;
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(data);
        let mut rest = &all[..];
        while let Some(behind) = self.step(rest, sink) {
            rest = behind;
        }
        let used = all.len() - rest.len();
        all.drain(..used);
        self.held = all;
    }

    /// The body is over, whether or not its last boundary came.
    pub fn end(&mut self, sink: &mut dyn FnMut(PartEvent<'_>)) {
        if self.place == Place::Content {
            if !self.held.is_empty() {
                sink(PartEvent::Data(&self.held));
            }
            sink(PartEvent::End);
        }
        self.place = Place::Over;
        self.held = Vec::new();
    }

    /// Takes what can be understood; `None` when more must come first.
    fn step<'a>(&mut self, data: &'a [u8], sink: &mut dyn FnMut(PartEvent<'_>)) -> Option<&'a [u8]> {
        match self.place {
            Place::Over => (!data.is_empty()).then_some(&[]),
            Place::Head => self.read_head(data, sink),
            Place::Preamble | Place::Content => self.pass_content(data, sink),
        }
    }

    fn read_head<'a>(&mut self, data: &'a [u8], sink: &mut dyn FnMut(PartEvent<'_>)) -> Option<&'a [u8]> {
        let length = head::end(data, 0).filter(|length| *length <= MAX_HEAD_BYTES);
        if length.is_none() && data.len() < MAX_HEAD_BYTES {
            return None;
        }
        // Behind the boundary's line; `--` ends the body.
        if data.starts_with(b"--") || length.is_none() || self.parts == MAX_PARTS {
            self.place = Place::Over;
            return Some(&[]);
        }
        let (lines, behind) = data.split_at(length.unwrap_or_default());
        self.parts += 1;
        self.place = Place::Content;
        sink(PartEvent::Begin(part_head(lines)));
        Some(behind)
    }

    fn pass_content<'a>(&mut self, data: &'a [u8], sink: &mut dyn FnMut(PartEvent<'_>)) -> Option<&'a [u8]> {
        let found = memchr::memmem::find(data, &self.boundary);
        // What may be the beginning of a boundary waits for the rest of it.
        let content = found.unwrap_or_else(|| data.len().saturating_sub(self.boundary.len() - 1));
        if content > 0 && self.place == Place::Content {
            sink(PartEvent::Data(&data[..content]));
        }
        if let Some(at) = found {
            if self.place == Place::Content {
                sink(PartEvent::End);
            }
            self.place = Place::Head;
            return Some(&data[at + self.boundary.len()..]);
        }
        (content > 0).then(|| &data[content..])
    }
}

fn part_head(lines: &[u8]) -> PartHead {
    let mut part = PartHead::default();
    head::fields(lines, |name, value| match lower(name, &mut [0; LONGEST_NAME]) {
        b"content-disposition" => {
            part.name = text(&parameter(value, b"name").unwrap_or_default(), MAX_NAME_BYTES);
            part.file_name = file_name(value);
        }
        b"content-type" => part.content_type = Some(text(value, MAX_NAME_BYTES)),
        _ => (),
    });
    part
}

/// The file's name in a `Content-Disposition` (RFC 6266 section 4.1), of which the coded form is decoded.
pub fn file_name(disposition: &[u8]) -> Option<Text> {
    if let Some(coded) = parameter(disposition, b"filename*") {
        // RFC 8187 section 3.2: charset, language and value, between apostrophes.
        if let Some(value) = coded.splitn(3, |byte| *byte == b'\'').nth(2) {
            return Some(text(&super::decode::decoded(value, false), MAX_NAME_BYTES));
        }
    }
    parameter(disposition, b"filename").map(|name| text(&name, MAX_NAME_BYTES))
}

/// A parameter of a field's value, without its quotes (RFC 9110 section 5.6.6).
fn parameter(value: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let mut rest = &value[memchr::memchr(b';', value)?..];
    while let Some(part) = rest.strip_prefix(b";") {
        let part = part.trim_ascii_start();
        let equals = memchr::memchr2(b'=', b';', part)?;
        let (key, said) = part.split_at(equals);
        let (content, behind) = parameter_value(said.strip_prefix(b"=").unwrap_or_default());
        if key.trim_ascii().eq_ignore_ascii_case(name) && said.first() == Some(&b'=') {
            return Some(content);
        }
        rest = if said.first() == Some(&b'=') { behind } else { said };
    }
    None
}

/// A value up to the next semicolon outside of quotes, and what comes from there.
fn parameter_value(said: &[u8]) -> (Vec<u8>, &[u8]) {
    let said = said.trim_ascii_start();
    let Some(quoted) = said.strip_prefix(b"\"") else {
        let end = memchr::memchr(b';', said).unwrap_or(said.len());
        return (said[..end].trim_ascii().to_vec(), &said[end..]);
    };
    let end = memchr::memchr(b'"', quoted).unwrap_or(quoted.len());
    let behind = quoted.get(end + 1..).unwrap_or_default();
    let next = memchr::memchr(b';', behind).unwrap_or(behind.len());
    (quoted[..end].to_vec(), &behind[next..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"XyZ\"";
    const BODY: &[u8] = b"--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--XyZ\r\n\
        Content-Disposition: form-data; name=f; filename=\"x;y.php\"\r\nContent-Type: image/png\r\n\r\n\
        \r\n--Xy<?php\r\n--XyZ--\r\nepilogue";

    fn read(body: &[u8], slice: usize) -> Vec<(PartHead, Vec<u8>)> {
        let mut reader = Multipart::of(TYPE).unwrap();
        let mut parts: Vec<(PartHead, Vec<u8>)> = Vec::new();
        let mut ends = 0;
        let mut sink = |event: PartEvent<'_>| match event {
            PartEvent::Begin(head) => parts.push((head, Vec::new())),
            PartEvent::Data(data) => parts.last_mut().unwrap().1.extend_from_slice(data),
            PartEvent::End => ends += 1,
        };
        body.chunks(slice).for_each(|chunk| reader.feed(chunk, &mut sink));
        reader.end(&mut sink);
        assert_eq!(ends, parts.len());
        parts
    }

    #[test]
    fn parts_are_the_same_however_they_come() {
        let expected = [
            (PartHead { name: "a".into(), ..PartHead::default() }, b"one".to_vec()),
            (
                PartHead {
                    name: "f".into(),
                    file_name: Some("x;y.php".into()),
                    content_type: Some("image/png".into()),
                },
                b"\r\n--Xy<?php".to_vec(),
            ),
        ];
        for slice in 1..BODY.len() {
            assert_eq!(read(BODY, slice), expected, "{slice}");
        }
    }

    #[test]
    fn a_body_that_ends_early_ends_its_part() {
        let end = BODY.windows(3).position(|three| three == b"one").unwrap() + 2;
        assert_eq!(read(&BODY[..end], 7)[0].1, b"on");
    }

    #[test]
    fn endless_heads_and_parts_are_left() {
        let head = [b"--XyZ\r\nA: ".to_vec(), vec![b'a'; 100_000]].concat();
        assert!(read(&head, 1000).is_empty());
        let many = b"--XyZ\r\n\r\n\r\n\r\n".repeat(1000);
        assert!(read(&many, 100_000).len() <= MAX_PARTS);
    }

    #[test]
    fn only_multipart_with_a_boundary() {
        for other in ["text/plain; boundary=a", "multipart/form-data", "multipart/form-data; boundary="] {
            assert!(Multipart::of(other).is_none(), "{other}");
        }
    }

    #[test]
    fn names_of_files() {
        let name = |value: &str| file_name(value.as_bytes());
        assert_eq!(name("attachment; filename=\"a.exe\"").as_deref(), Some("a.exe"));
        assert_eq!(name("attachment; filename=b; filename*=UTF-8''%e6%b5%8b.exe").as_deref(), Some("\u{6d4b}.exe"));
        assert_eq!(name("inline; odd; filename = c.pdf ; x=y").as_deref(), Some("c.pdf"));
        assert_eq!(name("inline"), None);
    }
}
