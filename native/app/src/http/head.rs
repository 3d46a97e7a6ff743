//! A message's head: a line, and fields (RFC 9112 sections 2 to 6).

use super::message::{LONGEST_NAME, lower, number};

/// Where the head that `data` begins with ends, its empty line included; the bytes before `from` hold no such end. A
/// line may end in LF alone (RFC 9112 section 2.2).
pub(super) fn end(data: &[u8], from: usize) -> Option<usize> {
    // The empty line may have begun before.
    let from = from.saturating_sub(2);
    memchr::memchr_iter(b'\n', data.get(from..)?).map(|at| from + at + 1).find_map(|next| match &data[next..] {
        [b'\n', ..] => Some(next + 1),
        [b'\r', b'\n', ..] => Some(next + 2),
        _ => None,
    })
}

/// The first line, and the rest.
pub(super) fn first_line(head: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', head).unwrap_or(head.len());
    (head[..end].trim_ascii_end(), head.get(end + 1..).unwrap_or_default())
}

/// Gives name and value of each field; a line without a colon is none, and a continued one stays as its first line.
pub(super) fn fields<'a>(lines: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8])) {
    for line in lines.split(|byte| *byte == b'\n') {
        if let Some(colon) = memchr::memchr(b':', line) {
            if !matches!(line[0], b' ' | b'\t') {
                each(line[..colon].trim_ascii_end(), line[colon + 1..].trim_ascii());
            }
        }
    }
}

/// Where a message's body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// After so many bytes.
    Length(u64),
    /// After the last chunk.
    Chunks,
    /// With the connection.
    Close,
}

/// What the fields say of the body, and of the connection behind it.
#[derive(Debug, Default)]
pub(super) struct Framing {
    /// Whether chunks are the outermost coding, if there is any.
    chunked: Option<bool>,
    /// The length, 0 in its place if it cannot be read.
    length: Option<Option<u64>>,
    /// Whether another protocol was offered.
    pub(super) upgrade: bool,
}

impl Framing {
    pub(super) fn field(&mut self, name: &[u8], value: &[u8]) {
        match lower(name, &mut [0; LONGEST_NAME]) {
            b"transfer-encoding" => {
                let last = value.rsplit(|byte| *byte == b',').next().unwrap_or_default().trim_ascii();
                self.chunked = Some(last.eq_ignore_ascii_case(b"chunked"));
            }
            b"content-length" => self.length = self.length.or_else(|| Some(number(value))),
            b"upgrade" => self.upgrade = true,
            _ => (),
        }
    }

    /// RFC 9112 section 6.3, with `otherwise` where no field says anything. A length that cannot be read is no length:
    /// nothing behind the head is taken for a message.
    pub(super) fn extent(&self, otherwise: Extent) -> Extent {
        match (self.chunked, self.length) {
            (Some(true), _) => Extent::Chunks,
            (Some(false), _) | (None, Some(None)) => Extent::Close,
            (None, Some(Some(length))) => Extent::Length(length),
            (None, None) => otherwise,
        }
    }
}

/// Whether `byte` may stand in a method or a field's name (RFC 9110 section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_wherever_the_search_starts() {
        for head in [&b"GET / HTTP/1.1\r\nA: b\r\n\r\nbody\r\n\r\n"[..], b"GET / HTTP/1.1\nA: b\n\nbody\n\n"] {
            let whole = end(head, 0).unwrap();
            assert_eq!(&head[whole..whole + 4], b"body");
            for known in 0..whole {
                assert_eq!(end(&head[..known], 0), None);
                assert_eq!(end(head, known), Some(whole), "{known}");
            }
        }
    }

    #[test]
    fn fields_are_trimmed_and_odd_lines_left_out() {
        let mut seen = Vec::new();
        fields(b"A:b\r\nC :\t d e \r\nodd\r\n f: folded\r\n: empty\r\n\r\n", |name, value| seen.push((name, value)));
        assert_eq!(seen, [(&b"A"[..], &b"b"[..]), (b"C", b"d e"), (b"", b"empty")]);
    }

    #[test]
    fn the_extent_follows_the_fields() {
        let extent = |fields: &[(&str, &str)]| {
            let mut framing = Framing::default();
            fields.iter().for_each(|(name, value)| framing.field(name.as_bytes(), value.as_bytes()));
            framing.extent(Extent::Length(0))
        };
        assert_eq!(extent(&[]), Extent::Length(0));
        assert_eq!(extent(&[("Content-Length", "5"), ("Content-Length", "6")]), Extent::Length(5));
        assert_eq!(extent(&[("content-length", "5"), ("Transfer-Encoding", "gzip, CHUNKED")]), Extent::Chunks);
        assert_eq!(extent(&[("Transfer-Encoding", "chunked, gzip"), ("content-length", "5")]), Extent::Close);
        assert_eq!(extent(&[("content-length", "18446744073709551616")]), Extent::Close);
    }
}
