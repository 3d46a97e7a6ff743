//! What only a database makes of an injected statement: texts that stand in it as codes or as a sum to be taken.
//! Where an answer holds one of them, the statement has run: whoever only gives the value back gives back the codes.

use md5::{Digest, Md5};
use memchr::memmem;

/// Shorter texts may stand in a page by themselves.
const MIN_BYTES: usize = 5;
/// Texts that are looked for, and bytes of one.
const MAX_TEXTS: usize = 8;
const MAX_BYTES: usize = 64;

/// The texts that a statement makes, in small letters as answers are looked at; `statement` is in small letters, too.
pub(super) fn computed(statement: &[u8]) -> Vec<Vec<u8>> {
    let mut texts = hexadecimal(statement);
    texts.extend(characters(statement));
    texts.extend(sums(statement));
    texts.retain(|text| text.len() >= MIN_BYTES && text.iter().all(|byte| (0x20..0x7f).contains(byte)));
    texts.iter_mut().for_each(|text| text.make_ascii_lowercase());
    // A remark that gives the result away would be given back with the rest.
    texts.retain(|text| memmem::find(statement, text).is_none());
    texts.truncate(MAX_TEXTS);
    texts
}

/// Texts behind this word.
fn behind<'a>(statement: &'a [u8], word: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    memmem::find_iter(statement, word).take(MAX_TEXTS).map(|at| &statement[at + word.len()..])
}

/// `0x716b7a71`.
fn hexadecimal(statement: &[u8]) -> Vec<Vec<u8>> {
    let text = |rest: &[u8]| {
        let digits = rest.iter().map_while(|&byte| char::from(byte).to_digit(16)).take(2 * MAX_BYTES);
        digits.collect::<Vec<_>>().chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
    };
    behind(statement, b"0x").map(text).collect()
}

/// `char(113,107,122)`, and `chr(113)||chr(107)` or with plus signs.
fn characters(statement: &[u8]) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let mut rest = statement;
    while let (Some((text, behind)), true) = (next_characters(rest), texts.len() < MAX_TEXTS) {
        texts.push(text);
        rest = behind;
    }
    texts
}

/// The next text of characters' codes, and what stands behind it.
fn next_characters(statement: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let begin = [&b"char("[..], b"chr("].into_iter().filter_map(|word| memmem::find(statement, word)).min()?;
    let mut rest = &statement[begin..];
    let mut text = Vec::new();
    while let Some(list) = rest.strip_prefix(b"char(").or_else(|| rest.strip_prefix(b"chr(")) {
        let end = memchr::memchr(b')', list).unwrap_or(list.len());
        let codes = list[..end].split(|&byte| byte == b',');
        let codes = codes.filter_map(|code| std::str::from_utf8(code.trim_ascii()).ok()?.parse::<u8>().ok());
        text.extend(codes.take(MAX_BYTES - MAX_BYTES.min(text.len())));
        rest = list.get(end + 1..).unwrap_or_default();
        let joined = rest.trim_ascii_start();
        rest = joined.strip_prefix(b"||").or_else(|| joined.strip_prefix(b"+")).unwrap_or(rest).trim_ascii_start();
    }
    Some((text, rest))
}

/// `md5(1234)` and `md5('abc')`.
fn sums(statement: &[u8]) -> Vec<Vec<u8>> {
    let sum = |rest: &[u8]| {
        let end = memchr::memchr(b')', rest).filter(|end| (1..=MAX_BYTES).contains(end))?;
        let given = rest[..end].trim_ascii();
        let quoted = |quote: u8| given.strip_prefix(&[quote])?.strip_suffix(&[quote]);
        let number = given.iter().all(u8::is_ascii_digit).then_some(given);
        let digest = Md5::digest(quoted(b'\'').or_else(|| quoted(b'"')).or(number)?);
        Some(digest.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect())
    };
    behind(statement, b"md5(").filter_map(sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(statement: &str) -> Vec<String> {
        computed(statement.as_bytes()).into_iter().map(|text| String::from_utf8(text).expect("printable")).collect()
    }

    #[test]
    fn texts_that_a_statement_makes_are_known() {
        for (statement, made) in [
            ("union select concat(0x716b7a7171,user(),0x7e)", &["qkzqq"][..]),
            ("select char(113,107, 122,113,113)", &["qkzqq"]),
            ("chr(113)||chr(107)|| chr(122)||chr(113)||chr(113)", &["qkzqq"]),
            ("char(81)+char(75)+char(90)+char(81)+char(81)", &["qkzqq"]),
            ("union select md5(1234),2", &["81dc9bdb52d04dc20036dbd8313ed055"]),
            ("union select md5('abc')", &["900150983cd24fb0d6963f7d28e17f72"]),
            ("0x716b7a7171 -- qkzqq", &[]),
            ("0x7e, char(58), md5(password), chr(", &[]),
        ] {
            assert_eq!(texts(statement), made, "{statement}");
        }
    }

    proptest! {
        #[test]
        fn any_statement_is_looked_at(statement in "(0x|char\\(|chr\\(|md5\\(|[0-9a-f,) +|']){0,60}") {
            prop_assert!(computed(statement.as_bytes()).iter().all(|text| text.len() <= MAX_BYTES));
        }
    }
}
