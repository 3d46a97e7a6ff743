//! The name of a file that comes along, as mail clients read it: parameters in pieces and with a charset (RFC 2231),
//! and what senders do instead: encoded words (RFC 2047) in quotes, cut anywhere, and bytes without any charset.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use memchr::memmem;

use super::header::{MAX_LABEL_BYTES, blank, guessed};

/// The part of a field that is read, in bytes.
const MAX_PARAMETERS_BYTES: usize = 8 << 10;
/// Pieces of one parameter.
const MAX_SECTIONS: usize = 100;

/// Takes base64 as it comes: without its padding, or with bits behind its end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The file's name out of the values of Content-Disposition and Content-Type as they were sent; the first that has one.
pub(super) fn file_name(disposition: Option<&[u8]>, content_type: Option<&[u8]>) -> Option<String> {
    let fields = [(disposition, "filename"), (content_type, "name")];
    let names = fields.into_iter().filter_map(|(field, wanted)| parameter(field?, wanted));
    names.map(|name| name.trim().to_owned()).find(|name| !name.is_empty())
}

/// One parameter of a field. With a charset it says more than without (RFC 6266, 4.3).
fn parameter(field: &[u8], wanted: &str) -> Option<String> {
    let field: Vec<u8> =
        field.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).take(MAX_PARAMETERS_BYTES).collect();
    let mut plain = None;
    let mut sections: Vec<(usize, bool, Vec<u8>)> = Vec::new();
    for (name, value) in parameters(&field) {
        let Some(kind) = name.strip_prefix(wanted) else { continue };
        let (number, coded) = kind.strip_suffix('*').map_or((kind, false), |number| (number, true));
        match number.strip_prefix('*').and_then(|number| number.parse().ok()) {
            Some(number) if sections.len() < MAX_SECTIONS => sections.push((number, coded, value)),
            None if kind.is_empty() => plain = plain.or(Some(value)),
            None if kind == "*" => return Some(with_charset(&[(0, true, value)])),
            _ => {}
        }
    }
    sections.sort_by_key(|section| section.0);
    let whole = sections.iter().zip(0..).take_while(|(section, number)| section.0 == *number).count();
    if whole > 0 { Some(with_charset(&sections[..whole])) } else { plain.map(|value| without_words(&value)) }
}

/// Names in small letters, and values without their quotes; what stands before the first semicolon is none.
fn parameters(field: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut piece = Vec::new();
    let mut bytes = field.iter().copied();
    let mut quoted = false;
    let mut end = |piece: &mut Vec<u8>| {
        let piece = std::mem::take(piece);
        if let Some(equals) = memchr::memchr(b'=', &piece) {
            let name = String::from_utf8_lossy(piece[..equals].trim_ascii()).to_ascii_lowercase();
            found.push((name, piece[equals + 1..].trim_ascii().to_vec()));
        }
    };
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' if quoted => piece.extend(bytes.next()),
            b';' if !quoted => end(&mut piece),
            byte => piece.push(byte),
        }
    }
    end(&mut piece);
    found
}

/// Pieces put together: the first one that is coded names the charset, as `charset'language'` (RFC 2231, 4.1).
fn with_charset(sections: &[(usize, bool, Vec<u8>)]) -> String {
    let mut charset = None;
    let mut bytes = Vec::new();
    for (number, coded, value) in sections {
        let mut parts = value.splitn(3, |&byte| byte == b'\'');
        match (number, coded, parts.next(), parts.next(), parts.next()) {
            (0, true, Some(label), Some(_), Some(text)) => {
                charset = Some(label);
                unescape(text, &mut bytes);
            }
            (_, true, ..) => unescape(value, &mut bytes),
            (_, false, ..) => bytes.extend_from_slice(value),
        }
    }
    charset.map_or_else(|| without_words(&bytes), |charset| decoded(charset, &bytes))
}

/// Takes bytes out of percent signs.
fn unescape(text: &[u8], bytes: &mut Vec<u8>) {
    let digit = |at: usize| text.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let mut at = 0;
    while at < text.len() {
        match (text[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
}

fn decoded(charset: &[u8], bytes: &[u8]) -> String {
    let text = charset_decoder(charset).map(|decode| decode(bytes)).filter(|text| !text.contains('\u{fffd}'));
    text.unwrap_or_else(|| guessed(bytes).into_owned())
}

/// A word that stands for text in a charset.
struct Word<'a> {
    charset: &'a [u8],
    decoded: Vec<u8>,
    length: usize,
}

/// The word at the beginning of these bytes; one that nothing closes goes to their end.
fn word(bytes: &[u8]) -> Option<Word<'_>> {
    let rest = bytes.strip_prefix(b"=?")?;
    let label = &rest[..memchr::memchr(b'?', &rest[..rest.len().min(MAX_LABEL_BYTES)])?];
    let [encoding, b'?', content @ ..] = &rest[label.len() + 1..] else { return None };
    let close = memmem::find(content, b"?=");
    let head = bytes.len() - content.len();
    let length = close.map_or(bytes.len(), |close| head + close + 2);
    let content = &content[..close.unwrap_or(content.len())];
    let decoded = match encoding {
        b'B' | b'b' => {
            let digits: Vec<u8> =
                content.iter().copied().filter(|&byte| STANDARD.as_str().as_bytes().contains(&byte)).collect();
            // One digit alone behind the last four says nothing.
            LENIENT.decode(&digits[..digits.len() - usize::from(digits.len() % 4 == 1)]).ok()?
        }
        b'Q' | b'q' => quoted_printable_decode(&content.iter().map(blank).collect::<Vec<_>>())?,
        _ => return None,
    };
    // RFC 2231, 5: a language may follow.
    let charset = label.split(|&byte| byte == b'*').next().unwrap_or(label);
    Some(Word { charset, decoded, length })
}

/// Text with its words decoded. A character may be cut between two words, and blanks between them are none of the text.
fn without_words(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(mut first) = word(rest) else {
            let end = memmem::find(&rest[1..], b"=?").map_or(rest.len(), |end| end + 1);
            text += &guessed(&rest[..end]);
            rest = &rest[end..];
            continue;
        };
        rest = &rest[first.length..];
        while let Some(next) = word(rest.trim_ascii_start()) {
            rest = &rest.trim_ascii_start()[next.length..];
            if next.charset.eq_ignore_ascii_case(first.charset) {
                first.decoded.extend(next.decoded);
            } else {
                text += &decoded(first.charset, &first.decoded);
                first = next;
            }
        }
        text += &decoded(first.charset, &first.decoded);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(disposition: &[u8]) -> String {
        file_name(Some(disposition), None).unwrap_or_default()
    }

    #[test]
    fn names_are_read_as_mail_clients_read_them() {
        for (field, name) in [
            (&b"attachment; filename=\"a b;c.txt\"; size=3"[..], "a b;c.txt"),
            (b"attachment; filename=my file.pdf", "my file.pdf"),
            (b"attachment; filename=\"say \\\"hi\\\".txt\"", "say \"hi\".txt"),
            (b"attachment; filename=\"=?UTF-8?B?5paH5Lu2LnBkZg==?=\"", "\u{6587}\u{4ef6}.pdf"),
            (b"attachment; filename==?UTF-8?B?5paH5Lu2LnBkZg?=", "\u{6587}\u{4ef6}.pdf"),
            (b"attachment; filename=\"=?UTF-8?B?5paH5Lu2LnBkZg==\"", "\u{6587}\u{4ef6}.pdf"),
            (b"attachment; filename=\"=?gb2312?B?zg==?=\r\n =?GB2312?Q?=C4?=.doc\"", "\u{6587}.doc"),
            (b"attachment; filename=\"=?utf-8*zh?Q?=E6=96=87_1?=\"", "\u{6587} 1"),
            (b"attachment; filename*=GBK''%CE%C4.doc", "\u{6587}.doc"),
            (b"attachment; filename=\"__.doc\"; filename*=UTF-8''%E6%96%87.doc", "\u{6587}.doc"),
            (b"attachment; filename*0*=UTF-8''%E6%96; filename*1*=%87; filename*2=\".exe\"", "\u{6587}.exe"),
            (b"attachment; filename*1=\"b.pdf\"; filename*0=\"a\"", "ab.pdf"),
            (b"attachment; filename*0=\"=?utf-8?B?5paH5\"; filename*1=\"Lu2LnBkZg==?=\"", "\u{6587}\u{4ef6}.pdf"),
            (b"attachment; filename=\"\xce\xc4.doc\"", "\u{6587}.doc"),
            (b"attachment; filename=\"=?x?Z?a?=.txt\"", "=?x?Z?a?=.txt"),
            (b"attachment; filename=\"unclosed.txt", "unclosed.txt"),
        ] {
            assert_eq!(named(field), name, "{}", String::from_utf8_lossy(field));
        }
    }

    #[test]
    fn the_disposition_says_more_than_the_type() {
        let kind = &b"application/pdf; name=\"type.pdf\""[..];
        assert_eq!(file_name(Some(b"attachment; filename=a.pdf"), Some(kind)).as_deref(), Some("a.pdf"));
        assert_eq!(file_name(Some(b"attachment; filename=\" \""), Some(kind)).as_deref(), Some("type.pdf"));
        assert_eq!(file_name(Some(b"attachment"), None), None);
    }

    proptest! {
        #[test]
        fn any_field_is_read(text in "[;=*?\"'%\\\\BQ0-2fa-f ]{0,80}", raw in proptest::collection::vec(any::<u8>(), 0..80)) {
            for field in [text.as_bytes(), &raw] {
                let field = [&b"attachment; filename="[..], field].concat();
                prop_assert!(named(&field).len() <= 4 * field.len());
            }
        }
    }
}
