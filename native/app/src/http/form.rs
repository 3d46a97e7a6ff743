//! Names and values in queries, forms, cookies and JSON. Nothing is decoded but JSON's strings, nothing is copied but them.

/// Pairs that are read of one text.
pub const MAX_PAIRS: usize = 256;
/// Bytes of a JSON string that are read.
const MAX_STRING_BYTES: usize = 16 * 1024;

/// The pairs of a query or of `application/x-www-form-urlencoded`; of a part without `=` the name is empty.
pub fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    split_pairs(text, b'&')
}

/// The pairs of a `Cookie` field (RFC 6265 section 4.2.1).
pub fn cookies(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    split_pairs(text, b';')
}

fn split_pairs(text: &[u8], between: u8) -> impl Iterator<Item = (&[u8], &[u8])> {
    let parts = text.split(move |byte| *byte == between).filter(|part| !part.is_empty()).take(MAX_PAIRS);
    parts.map(|part| match memchr::memchr(b'=', part) {
        Some(at) => (part[..at].trim_ascii(), &part[at + 1..]),
        None => (&[][..], part),
    })
}

/// Path and query of a target, of which a scheme and a host are left out (RFC 9112 section 3.2).
pub fn target(uri: &[u8]) -> (&[u8], &[u8]) {
    let path = match memchr::memmem::find(uri, b"://") {
        Some(at) if uri[..at].iter().all(u8::is_ascii_alphabetic) => {
            let behind = &uri[at + 3..];
            &behind[memchr::memchr2(b'/', b'?', behind).unwrap_or(behind.len())..]
        }
        _ => uri,
    };
    match memchr::memchr(b'?', path) {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (path, &[]),
    }
}

/// The path of a target, as [`target`].
pub fn target_text(uri: &str) -> &str {
    let (path, _) = target(uri.as_bytes());
    // Both ends stand at ASCII signs, so that it is text as the target is.
    std::str::from_utf8(path).unwrap_or_default()
}

/// The last part of a path, of which a slash at the end is no part.
pub fn last_part(path: &[u8]) -> &[u8] {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// Gives each string of a JSON text with the name that it stands under. The text need not be whole or sound: what looks
/// like a string is one (RFC 8259 section 7).
pub fn json_strings(text: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) {
    let mut name = Vec::new();
    let mut rest = text;
    for _ in 0..MAX_PAIRS * 2 {
        let Some(start) = memchr::memchr(b'"', rest) else { return };
        let (said, behind) = json_string(&rest[start + 1..]);
        rest = behind;
        let next = behind.trim_ascii_start();
        if next.first() == Some(&b':') {
            name = said;
        } else {
            each(&name, &said);
        }
    }
}

/// A string's content, and what comes behind its closing quote.
fn json_string(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut said = Vec::new();
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind.first()) {
            (b'"', _) => break,
            (b'\\', Some(escape)) => {
                rest = &behind[1..];
                match escape {
                    b'n' | b't' | b'r' | b'b' | b'f' => said.push(b' '),
                    // Undone with all other escapes.
                    b'u' => said.extend_from_slice(b"\\u"),
                    other => said.push(*other),
                }
            }
            _ if said.len() < MAX_STRING_BYTES => said.push(byte),
            _ => (),
        }
    }
    (said, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_pairs() {
        let found: Vec<_> = pairs(b"a=1&&b=2=3&c").collect();
        assert_eq!(found, [(&b"a"[..], &b"1"[..]), (b"b", b"2=3"), (b"", b"c")]);
        assert_eq!(cookies(b"a=1; b=2").collect::<Vec<_>>(), [(&b"a"[..], &b"1"[..]), (b"b", b"2")]);
        assert_eq!(pairs(&b"a=1&".repeat(1000)).count(), MAX_PAIRS);
    }

    #[test]
    fn a_target_is_path_and_query() {
        assert_eq!(target(b"/a/b?c=http://d/"), (&b"/a/b"[..], &b"c=http://d/"[..]));
        assert_eq!(target(b"http://host/a?b"), (&b"/a"[..], &b"b"[..]));
        assert_eq!(target(b"http://host"), (&b""[..], &b""[..]));
    }

    #[test]
    fn strings_of_json_have_their_names() {
        let mut found = Vec::new();
        let text = br#"{"user": "a\"b", "list": ["x", {"deep": "y\n\u003c"}], "n": 1, "cut": "abc"#;
        json_strings(text, &mut |name, value| {
            found.push((String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned()));
        });
        let expected = [("user", "a\"b"), ("list", "x"), ("deep", "y \\u003c"), ("cut", "abc")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
