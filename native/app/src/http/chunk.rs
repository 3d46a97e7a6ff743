//! A body in chunks, each behind its size (RFC 9112 section 7.1). Nothing is kept but where in it the reader stands.

/// Where in a chunked body the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunks {
    /// In the size, of which so much is known; `None` before its first digit.
    Size(Option<u64>),
    /// In the rest of the line of a size.
    Extension(u64),
    /// In the data, of which so many bytes are left.
    Data(u64),
    /// In the line's end behind the data.
    DataEnd,
    /// In the lines behind the last chunk.
    Trailer(EmptyLine),
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// On.
    More,
    /// The body is over.
    End,
    /// Against the grammar: nobody knows where the body ends.
    Bad,
}

impl Chunks {
    /// At the first byte.
    pub(super) fn new() -> Self {
        Self::Size(None)
    }

    /// Takes from `data` what belongs to one step, giving `body` what is data.
    pub(super) fn step(&mut self, data: &mut &[u8], body: &mut dyn FnMut(&[u8])) -> Step {
        if let Self::Data(left) = *self {
            let (now, rest) = data.split_at(usize::try_from(left).unwrap_or(usize::MAX).min(data.len()));
            body(now);
            *data = rest;
            *self = if left == now.len() as u64 { Self::DataEnd } else { Self::Data(left - now.len() as u64) };
            return Step::More;
        }
        let Some((&byte, rest)) = data.split_first() else { return Step::More };
        *data = rest;
        let next = match *self {
            Self::Size(size) => size_byte(size, byte),
            Self::Extension(size) => Some(if byte == b'\n' { behind_size(size) } else { *self }),
            Self::DataEnd => match byte {
                b'\n' => Some(Self::Size(None)),
                b'\r' => Some(Self::DataEnd),
                _ => None,
            },
            Self::Trailer(mut line) => {
                if line.ends_with(byte) {
                    return Step::End;
                }
                Some(Self::Trailer(line))
            }
            Self::Data(_) => None,
        };
        let Some(next) = next else { return Step::Bad };
        *self = next;
        Step::More
    }

    /// Passes over bytes that are missing; false if they are not all of one chunk's data.
    pub(super) fn pass(&mut self, bytes: u64) -> bool {
        let Self::Data(left) = *self else { return false };
        *self = if left == bytes { Self::DataEnd } else { Self::Data(left.saturating_sub(bytes)) };
        bytes <= left
    }
}

fn size_byte(size: Option<u64>, byte: u8) -> Option<Chunks> {
    match (size, char::from(byte).to_digit(16)) {
        (_, Some(digit)) => size.unwrap_or(0).checked_mul(16).map(|size| Chunks::Size(Some(size + u64::from(digit)))),
        (Some(size), None) if byte == b'\n' => Some(behind_size(size)),
        (Some(size), None) if matches!(byte, b'\r' | b';' | b' ' | b'\t') => Some(Chunks::Extension(size)),
        _ => None,
    }
}

fn behind_size(size: u64) -> Chunks {
    if size == 0 { Chunks::Trailer(EmptyLine::default()) } else { Chunks::Data(size) }
}

/// Waits for an empty line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct EmptyLine {
    /// Whether the line has anything yet.
    begun: bool,
}

impl EmptyLine {
    /// In the middle of a line.
    pub(super) fn inside() -> Self {
        Self { begun: true }
    }

    /// Whether `byte` ends an empty line.
    pub(super) fn ends_with(&mut self, byte: u8) -> bool {
        let empty = byte == b'\n' && !self.begun;
        self.begun = byte != b'\n' && (self.begun || byte != b'\r');
        empty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body, how it ended, and what is behind it.
    fn run(mut data: &[u8]) -> (Vec<u8>, Step, &[u8]) {
        let (mut chunks, mut body) = (Chunks::new(), Vec::new());
        while !data.is_empty() {
            let step = chunks.step(&mut data, &mut |bytes| body.extend_from_slice(bytes));
            if step != Step::More {
                return (body, step, data);
            }
        }
        (body, Step::More, data)
    }

    #[test]
    fn chunks_are_joined() {
        let stream = b"4\r\nWiki\r\n6;a=\"b\"\r\npedia \r\nD \nin \r\n\r\nchunks\r\n0\r\nA: b\r\n\r\nnext";
        assert_eq!(run(stream), (b"Wikipedia in \r\n\r\nchunks".to_vec(), Step::End, &b"next"[..]));
    }

    #[test]
    fn the_trailer_ends_at_an_empty_line() {
        assert_eq!(run(b"0\n\nx"), (vec![], Step::End, &b"x"[..]));
        assert_eq!(run(b"0\r\n\r\r\nx").1, Step::End);
        assert_eq!(run(b"0\r\nA: b\r\n").1, Step::More);
    }

    #[test]
    fn sizes_that_are_none_are_refused() {
        for stream in [&b"10000000000000000\r\n"[..], b"\r\n", b"-1\r\n", b"0x5\r\n", b"g\r\n", b"1\r\nabc"] {
            assert_eq!(run(stream).1, Step::Bad, "{stream:?}");
        }
        assert_eq!(run(b"ffffffffffffffff\r\nab"), (b"ab".to_vec(), Step::More, &b""[..]));
    }

    #[test]
    fn missing_bytes_are_passed_within_a_chunk() {
        let mut chunks = Chunks::Data(10);
        assert!(chunks.pass(4) && chunks == Chunks::Data(6));
        assert!(chunks.pass(6) && chunks == Chunks::DataEnd);
        assert!(!chunks.pass(1) && !Chunks::Data(3).pass(4));
    }
}
