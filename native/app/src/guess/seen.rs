//! How much one side's bytes say for one protocol, and the small comparisons that signatures are made of.

/// How much they say. The bytes are never empty, and they are the side's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    /// It is another protocol.
    No,
    /// Too few bytes to tell.
    Maybe,
    /// They fit, and so would others: the other side's bytes or the port have to say the same.
    Probably,
    /// No other protocol has these bytes.
    Surely,
}

use Seen::{Maybe, No, Probably, Surely};

impl Seen {
    /// `Surely` only under a further condition.
    pub(super) fn and(self, condition: impl FnOnce() -> bool) -> Self {
        if self == Surely && !condition() { No } else { self }
    }

    /// `Probably` in place of `Surely`.
    pub(super) fn weak(self) -> Self {
        self.min(Probably)
    }

    pub(super) fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self == Surely { self } else { self.max(other()) }
    }
}

/// Any byte of a pattern.
pub(super) const ANY: u16 = 256;

/// Whether the bytes begin with these.
pub(super) fn pattern(data: &[u8], pattern: &[u16]) -> Seen {
    let fits = data.iter().zip(pattern).all(|(byte, wanted)| *wanted == ANY || u16::from(*byte) == *wanted);
    judge(fits, data.len(), pattern.len())
}

/// Whether the bytes begin with this.
pub(super) fn prefix(data: &[u8], wanted: &[u8]) -> Seen {
    judge(data.iter().zip(wanted).all(|(byte, wanted)| byte == wanted), data.len(), wanted.len())
}

/// The best for any of these beginnings.
pub(super) fn prefixes(data: &[u8], wanted: &[&[u8]]) -> Seen {
    wanted.iter().map(|wanted| prefix(data, wanted)).max().unwrap_or(No)
}

fn judge(fits: bool, length: usize, wanted: usize) -> Seen {
    match fits {
        false => No,
        true if length < wanted => Maybe,
        true => Surely,
    }
}

/// `Surely` or `No` by a condition.
pub(super) fn whether(condition: bool) -> Seen {
    if condition { Surely } else { No }
}

/// `at` and the byte behind it, in the network's order; 0 beyond the end.
pub(super) fn word(data: &[u8], at: usize) -> usize {
    number(data, at, 2)
}

/// The `bytes` from `at`, in the network's order; 0 beyond the end.
pub(super) fn number(data: &[u8], at: usize, bytes: usize) -> usize {
    let bytes = data.get(at..at + bytes).unwrap_or_default();
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// The first line without its end, if it is whole.
pub(super) fn line(data: &[u8]) -> Option<&[u8]> {
    let end = data.iter().position(|byte| *byte == b'\n')?;
    Some(data[..end].strip_suffix(b"\r").unwrap_or(&data[..end]))
}

/// The first word: up to a space or the line's end, or as far as it came.
pub(super) fn first_word(data: &[u8]) -> &[u8] {
    let end = data.iter().position(|byte| matches!(byte, b' ' | b'\r' | b'\n')).unwrap_or(data.len());
    &data[..end]
}

/// Whether the first word is, or may become, one of these, whatever its case.
pub(super) fn word_of(data: &[u8], words: &[&[u8]]) -> Seen {
    let word = first_word(data);
    if word.len() < data.len() {
        return whether(words.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)));
    }
    let may = words.iter().any(|wanted| wanted.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
    if may { Maybe } else { No }
}

/// Whether `wanted`, in small letters, is somewhere in the bytes, whatever its case.
pub(super) fn contains(data: &[u8], wanted: &[u8]) -> bool {
    data.windows(wanted.len()).any(|window| window.eq_ignore_ascii_case(wanted))
}

/// Whether the bytes are text.
pub(super) fn is_text(data: &[u8]) -> bool {
    data.iter().all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~' | 0x80..))
}

/// An element of ASN.1's basic encoding rules (X.690): its tag, and where its content begins; the length that it says.
pub(super) fn element(data: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let (tag, first) = (*data.get(at)?, *data.get(at + 1)?);
    match first {
        0..=0x7f => Some((tag, at + 2, usize::from(first))),
        0x81..=0x84 => {
            let bytes = usize::from(first & 0x7f);
            data.get(at + 2..at + 2 + bytes)?;
            Some((tag, at + 2 + bytes, number(data, at + 2, bytes)))
        }
        _ => None,
    }
}
