//! A message's header as others wrote it, made fit for reading: what mailers break, and receivers read all the same.

use std::borrow::Cow;
use std::fmt::Write;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use memchr::memmem;

/// The longest charset and encoding of an encoded word (RFC 2047, 2: a whole word has 75 bytes).
pub(super) const MAX_LABEL_BYTES: usize = 75;

/// Where the header ends: behind its empty line.
pub(super) fn header_end(bytes: &[u8]) -> usize {
    let ends = |&at: &usize| matches!(bytes[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]);
    memchr::memchr_iter(b'\n', bytes).find(ends).map_or(bytes.len(), |at| at + 1)
}

/// The header in UTF-8, with encoded words of one charset that follow each other joined: a character may be cut between
/// them.
pub(super) fn readable_header(header: &[u8]) -> Cow<'_, [u8]> {
    let header = match std::str::from_utf8(header) {
        Ok(_) => Cow::Borrowed(header),
        Err(_) => {
            let lines: Vec<_> = header.split_inclusive(|&byte| byte == b'\n').map(|line| guessed(line)).collect();
            Cow::Owned(lines.concat().into_bytes())
        }
    };
    if memmem::find(&header, b"?=").is_some() { Cow::Owned(joined(&header)) } else { header }
}

/// Text of which no charset is known, or a false one: UTF-8 if it is that. Otherwise, letters that stand in pairs are
/// those of GB 18030, and single ones those of the West.
pub(super) fn guessed(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let (mut even, mut odd) = (0_usize, 0_usize);
    for run in bytes.split(u8::is_ascii).filter(|run| !run.is_empty()) {
        *if run.len() % 2 == 0 { &mut even } else { &mut odd } += 1;
    }
    let decoded = |charset: &[u8]| charset_decoder(charset).map(|decode| decode(bytes));
    let chinese = (even >= 2 * odd).then(|| decoded(b"gb18030")).flatten().filter(|text| !text.contains('\u{fffd}'));
    let text = chinese.or_else(|| decoded(b"windows-1252"));
    text.map_or_else(|| String::from_utf8_lossy(bytes), Cow::Owned)
}

/// An encoded word (RFC 2047, 2).
struct Word<'a> {
    charset: &'a [u8],
    decoded: Vec<u8>,
    length: usize,
}

/// The word at the beginning of these bytes.
fn encoded_word(bytes: &[u8]) -> Option<Word<'_>> {
    let rest = bytes.strip_prefix(b"=?")?;
    let charset = &rest[..memchr::memchr(b'?', &rest[..rest.len().min(MAX_LABEL_BYTES)])?];
    let [encoding, b'?', content @ ..] = &rest[charset.len() + 1..] else { return None };
    let line = &content[..memchr::memchr(b'\n', content).unwrap_or(content.len())];
    let content = &line[..memmem::find(line, b"?=")?];
    let decoded = match encoding {
        b'B' | b'b' => base64_decode(content)?,
        b'Q' | b'q' => quoted_printable_decode(&content.iter().map(blank).collect::<Vec<_>>())?,
        _ => return None,
    };
    Some(Word { charset, decoded, length: 2 + charset.len() + 3 + content.len() + 2 })
}

/// An underscore is a blank (RFC 2047, 4.2).
pub(super) fn blank(byte: &u8) -> u8 {
    if *byte == b'_' { b' ' } else { *byte }
}

fn joined(header: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(header.len());
    let mut at = 0;
    while let Some(found) = memmem::find(&header[at..], b"=?") {
        out.extend_from_slice(&header[at..at + found]);
        at += found;
        let Some(mut word) = encoded_word(&header[at..]) else {
            out.extend_from_slice(b"=?");
            at += 2;
            continue;
        };
        let mut end = at + word.length;
        let mut words = 1;
        while let Some((next, length)) = following(&header[end..], word.charset) {
            word.decoded.extend_from_slice(&next.decoded);
            end += length;
            words += 1;
        }
        if words == 1 {
            out.extend_from_slice(&header[at..end]);
        } else {
            out.extend_from_slice(written(&word).as_bytes());
        }
        at = end;
    }
    out.extend_from_slice(&header[at..]);
    out
}

/// The next word and how far it reaches, if nothing but blanks stand between (RFC 2047, 6.2) and it has this charset.
fn following<'a>(bytes: &'a [u8], charset: &[u8]) -> Option<(Word<'a>, usize)> {
    let word = bytes.trim_ascii_start();
    let blanks = bytes.len() - word.len();
    let next = encoded_word(word).filter(|next| next.charset.eq_ignore_ascii_case(charset))?;
    let length = blanks + next.length;
    Some((next, length))
}

fn written(word: &Word<'_>) -> String {
    let mut text = format!("=?{}?Q?", String::from_utf8_lossy(word.charset));
    for byte in &word.decoded {
        let _ = write!(text, "={byte:02X}"); // writing to a string cannot fail
    }
    text + "?="
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_header_ends_at_its_empty_line() {
        assert_eq!(header_end(b"a: b\r\n\r\nc"), 6);
        assert_eq!(header_end(b"a: b\n\nc"), 5);
        assert_eq!(header_end(b"a: b\r\n"), 6);
    }

    #[test]
    fn words_are_joined_and_the_rest_stays() {
        let header = b"A: x =?gb2312?B?xOM=?= y =?gb2312?B?xOM=?=\r\n =?GB2312?q?=BA=C3_?= z =?no\r\nB: =?utf-8?X?a?=";
        let expected = "A: x =?gb2312?B?xOM=?= y =?gb2312?Q?=C4=E3=BA=C3=20?= z =?no\r\nB: =?utf-8?X?a?=";
        assert_eq!(String::from_utf8_lossy(&readable_header(header)), expected);
    }

    #[test]
    fn text_without_a_charset_is_guessed() {
        assert_eq!(guessed("\u{4f60}".as_bytes()), "\u{4f60}");
        assert_eq!(guessed(b"\xc4\xe3\xba\xc3 x"), "\u{4f60}\u{597d} x");
        assert_eq!(guessed(b"\xe9t\xe9"), "\u{e9}t\u{e9}");
    }

    proptest! {
        #[test]
        fn any_header_is_made_readable(header in "[=?BbQqgku8A-F0-9 \r\n_:]{0,200}", raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            for bytes in [header.as_bytes(), &raw[..]] {
                prop_assert!(std::str::from_utf8(&readable_header(bytes)).is_ok());
                prop_assert!(header_end(bytes) <= bytes.len());
            }
        }
    }
}
