//! Values as the application behind a server sees them, however a client has written them.
//!
//! What is undone is what attackers hide behind: percent signs in several rounds, `%uXXXX`, HTML entities, `\x` and `\u`,
//! overlong UTF-8, full-width letters, null bytes, comments in SQL, quotes and `$IFS` in commands, base64. Nothing here
//! grows: every form is at most as long as the value.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// So often a value is decoded that was encoded more than once.
const MAX_ROUNDS: usize = 4;
/// Fewer letters of base64 are a word.
const MIN_BASE64_BYTES: usize = 16;
/// The longest name of an entity, and of its number.
const MAX_ENTITY_BYTES: usize = 10;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// Gives each form of a value, in small letters and with single spaces: decoded; without the comments of SQL; as a shell
/// reads it; and what its base64 says. The parts of `prefix` stand before each form, also in small letters; a form is made in
/// `text`, whatever that holds. A plus is a space where `plus_is_space`.
pub fn forms(text: &mut Vec<u8>, prefix: [&[u8]; 2], value: &[u8], plus_is_space: bool, each: &mut dyn FnMut(&[u8])) {
    let plain = decoded(value, plus_is_space);
    text.clear();
    prefix.iter().for_each(|part| fold(part, text));
    let start = text.len();
    fold(&plain, text);
    each(text);
    for other in [without_comments(&text[start..]), as_shell_reads(&text[start..])].into_iter().flatten() {
        text.truncate(start);
        text.extend(&other);
        each(text);
    }
    if let Some(inner) = base64_text(&plain) {
        text.truncate(start);
        fold(&decoded(&inner, false), text);
        each(text);
    }
}

/// The value with its escapes undone, as often as there are any, 4 times at most.
pub fn decoded(value: &[u8], plus_is_space: bool) -> Cow<'_, [u8]> {
    let has_space = plus_is_space && memchr::memchr(b'+', value).is_some();
    if !has_space && !has_escape(value) {
        return Cow::Borrowed(value);
    }
    let mut text = unescaped(value, plus_is_space);
    for _ in 1..MAX_ROUNDS {
        if !has_escape(&text) {
            break;
        }
        let next = unescaped(&text, false);
        if next.len() == text.len() {
            break;
        }
        text = next;
    }
    Cow::Owned(text)
}

fn has_escape(text: &[u8]) -> bool {
    memchr::memchr3(b'%', b'&', b'\\', text).is_some()
}

/// One round. What is no escape stays as it is.
fn unescaped(value: &[u8], plus_is_space: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, behind)) = rest.split_first() {
        let escape = match byte {
            b'%' => percent(behind),
            b'&' => entity(behind),
            b'\\' => backslash(behind),
            b'+' if plus_is_space => Some((u32::from(b' '), 0)),
            _ => None,
        };
        let (code, taken) = escape.unwrap_or((byte.into(), 0));
        push(&mut text, code, escape.is_some() && taken > 2);
        rest = &behind[taken..];
    }
    text
}

/// Numbers of two digits are bytes, of more, characters.
fn push(text: &mut Vec<u8>, code: u32, is_character: bool) {
    match u8::try_from(code) {
        Ok(byte) if !is_character || byte.is_ascii() => text.push(byte),
        _ => {
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// Behind a percent sign: `41` (RFC 3986 section 2.1) or `u0041`; the code, and how many bytes it took.
fn percent(behind: &[u8]) -> Option<(u32, usize)> {
    match behind {
        [b'u' | b'U', digits @ ..] => Some((hex(digits.get(..4)?)?, 5)),
        _ => Some((hex(behind.get(..2)?)?, 2)),
    }
}

/// Behind a backslash: `x41` or `u0041`, as in scripts.
fn backslash(behind: &[u8]) -> Option<(u32, usize)> {
    match behind {
        [b'u', digits @ ..] => Some((hex(digits.get(..4)?)?, 5)),
        [b'x', digits @ ..] => Some((hex(digits.get(..2)?)?, 3)),
        _ => None,
    }
}

/// Behind an ampersand: a number or one of the names that matter in markup (HTML 13.5); the semicolon may be missing
/// behind a number.
fn entity(behind: &[u8]) -> Option<(u32, usize)> {
    if let Some(number) = behind.strip_prefix(b"#") {
        let (digits, radix, before) = match number {
            [b'x' | b'X', digits @ ..] => (digits, 16, 2),
            _ => (number, 10, 1),
        };
        let length = digits.iter().take(MAX_ENTITY_BYTES).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let text = std::str::from_utf8(&digits[..length]).ok()?;
        let code = u32::from_str_radix(text, radix).ok()?;
        return Some((code, before + length + usize::from(digits.get(length) == Some(&b';'))));
    }
    let end = behind.iter().take(MAX_ENTITY_BYTES).position(|byte| *byte == b';')?;
    let character = match behind[..end].to_ascii_lowercase().as_slice() {
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        b"amp" => '&',
        b"colon" => ':',
        b"lpar" => '(',
        b"rpar" => ')',
        b"sol" => '/',
        b"tab" => '\t',
        b"newline" => '\n',
        _ => return None,
    };
    Some((character.into(), end + 1))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

/// In small letters, with single spaces, without null bytes, overlong and full-width forms as ASCII.
pub fn folded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    fold(text, &mut out);
    out
}

/// Appends a text that is folded by itself: what stands before it does not matter.
fn fold(text: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.reserve(text.len());
    let mut rest = text;
    loop {
        let plain = rest.iter().take_while(|byte| byte.is_ascii_graphic()).count();
        out.extend(rest[..plain].iter().map(u8::to_ascii_lowercase));
        rest = &rest[plain..];
        let Some(&first) = rest.first() else { return };
        let (byte, taken) = match rest {
            // RFC 3629 section 10: what a careless decoder makes of sequences that are longer than they need to be.
            [0xc0 | 0xc1, low @ 0x80..=0xbf, ..] => ((first & 1) << 6 | low & 0x3f, 2),
            [0xe0, high @ (0x80 | 0x81), low @ 0x80..=0xbf, ..] => ((high & 1) << 6 | low & 0x3f, 3),
            // U+FF01 to U+FF5E are wide forms of ! to ~.
            [0xef, 0xbc, low @ 0x81..=0xbf, ..] => (low - 0x81 + b'!', 3),
            [0xef, 0xbd, low @ 0x80..=0x9e, ..] => (low - 0x80 + b'`', 3),
            [0xc2, 0xa0, ..] => (b' ', 2),
            _ => (first, 1),
        };
        rest = &rest[taken..];
        match byte {
            0 => (),
            b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c if out[start..].last() == Some(&b' ') => (),
            b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => out.push(b' '),
            _ => out.push(byte.to_ascii_lowercase()),
        }
    }
}

/// Comments of SQL as spaces; what stands in MySQL's `/*!50000 … */` is no comment.
fn without_comments(text: &[u8]) -> Option<Vec<u8>> {
    let first = memchr::memmem::find(text, b"/*")?;
    let mut out = text[..first].to_vec();
    let mut rest = &text[first..];
    while let Some(start) = memchr::memmem::find(rest, b"/*") {
        append(&mut out, &rest[..start]);
        let inside = &rest[start + 2..];
        let end = memchr::memmem::find(inside, b"*/").unwrap_or(inside.len());
        space(&mut out);
        if let Some(code) = inside[..end].strip_prefix(b"!") {
            let version = code.iter().take_while(|byte| byte.is_ascii_digit()).count();
            append(&mut out, code[version..].trim_ascii());
            space(&mut out);
        }
        rest = inside.get(end + 2..).unwrap_or_default();
    }
    append(&mut out, rest);
    Some(out)
}

/// Appends, without doubling a space.
fn append(out: &mut Vec<u8>, text: &[u8]) {
    let doubled = out.last() == Some(&b' ') && text.first() == Some(&b' ');
    out.extend_from_slice(&text[usize::from(doubled)..]);
}

fn space(out: &mut Vec<u8>) {
    if out.last() != Some(&b' ') {
        out.push(b' ');
    }
}

/// Without what a shell removes (`c''at`, `c\at`, `c^at`), with spaces for `$IFS`; none if nothing of it is there.
fn as_shell_reads(text: &[u8]) -> Option<Vec<u8>> {
    if memchr::memchr3(b'$', b'\\', b'^', text).is_none() && memchr::memchr2(b'\'', b'"', text).is_none() {
        return None;
    }
    let has = |needle: &[u8]| memchr::memmem::find(text, needle).is_some();
    if !(has(b"$ifs") || has(b"${ifs}") || has(b"''") || has(b"\"\"") || has(b"\\") || has(b"^")) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        let skipped = [&b"${ifs}"[..], b"$ifs$9", b"$ifs"].into_iter().find(|variable| rest.starts_with(variable));
        if let Some(variable) = skipped {
            space(&mut out);
            rest = &rest[variable.len()..];
            continue;
        }
        let quotes = rest.starts_with(b"''") || rest.starts_with(b"\"\"");
        if !quotes && byte != b'\\' && byte != b'^' {
            out.push(byte);
        }
        rest = if quotes { &behind[1..] } else { behind };
    }
    Some(out)
}

/// What base64 says (RFC 4648 section 4), with its padding or without.
pub fn base64(letters: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(letters).ok()
}

/// What a value that is base64 throughout says, if that is text.
pub fn base64_text(value: &[u8]) -> Option<Vec<u8>> {
    let value = value.trim_ascii();
    if value.len() < MIN_BASE64_BYTES {
        return None;
    }
    let letter = |byte: u8| match byte {
        // A plus that was taken for a space, and the alphabet for URLs (RFC 4648 section 5).
        b' ' | b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' | b'=' => Some(byte),
        _ => byte.is_ascii_alphanumeric().then_some(byte),
    };
    // Most values are none: they cost no room.
    if !value.iter().all(|byte| letter(*byte).is_some()) {
        return None;
    }
    let letters: Vec<u8> = value.iter().filter_map(|byte| letter(*byte)).collect();
    let said = base64(&letters)?;
    let odd = said.iter().filter(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()).count();
    (odd * 20 <= said.len() && std::str::from_utf8(&said).is_ok()).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(value: &str, plus: bool) -> Vec<String> {
        let mut forms_seen = Vec::new();
        let mut see = |form: &[u8]| forms_seen.push(String::from_utf8_lossy(form).into_owned());
        forms(&mut b"what was there".to_vec(), [b""; 2], value.as_bytes(), plus, &mut see);
        forms_seen
    }

    #[test]
    fn what_was_hidden_is_read() {
        for (value, said) in [
            ("%3Cscript%3E", "<script>"),
            ("%253Cscript%253E", "<script>"),
            ("%u003cscript%u003e", "<script>"),
            ("&lt;script&#62;&#x3c;/b&#x3e", "<script></b>"),
            ("\\x3cscript\\u003e", "<script>"),
            ("..%c0%af..%c1%9cetc", "../..\\etc"),
            ("..%e0%80%af", "../"),
            ("%ef%bc%9cscript%ef%bc%9e", "<script>"),
            ("sel%00ect", "select"),
            ("UNION%0A%09SELECT", "union select"),
            ("100%", "100%"),
            ("%zz&nosuch;\\q", "%zz&nosuch;\\q"),
            ("%", "%"),
            ("&#;", "&#;"),
        ] {
            assert_eq!(all(value, false)[0], said, "{value}");
        }
    }

    #[test]
    fn a_plus_is_a_space_once_and_only_where_it_is_one() {
        assert_eq!(all("a+b%2bc", true)[0], "a b+c");
        assert_eq!(all("a+b", false)[0], "a+b");
    }

    #[test]
    fn comments_of_sql_are_spaces() {
        assert!(all("1/**/union/*x*/select", false).contains(&"1 union select".into()));
        assert!(all("1 /*!50000union*/ select /*", false).contains(&"1 union select ".into()));
    }

    #[test]
    fn a_shell_drops_quotes() {
        assert!(all("c''at${IFS}/etc/pa\\sswd", false).contains(&"cat /etc/passwd".into()));
    }

    #[test]
    fn base64_is_read_if_it_is_text() {
        assert!(
            all("QGluaV9zZXQoImRpc3BsYXlfZXJyb3JzIiwiMCIpOw%3D%3D", true)
                .contains(&"@ini_set(\"display_errors\",\"0\");".into())
        );
        assert_eq!(base64_text(b"AAECAwQFBgcICQoLDA0ODw=="), None);
        assert_eq!(base64_text(b"short"), None);
        assert_eq!(base64_text(b"no base64, just a sentence"), None);
    }

    #[test]
    fn no_form_is_longer_than_the_value() {
        for value in ["%u4e2d%u6587", "&#x4e2d;", "\\u4e2d\\x41", "/**//*!1x*/", "a/*b", "$ifs$ifs"] {
            for form in all(value, true) {
                assert!(form.len() <= value.len(), "{value}");
            }
        }
    }
}
