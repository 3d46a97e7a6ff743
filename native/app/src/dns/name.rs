//! Domain names on the wire: labels, and pointers to labels further up (RFC 1035 sections 3.1 and 4.1.4).

use std::fmt::Write;

use arrayvec::ArrayString;

use crate::{AppError, Text};

/// The longest name on the wire, lengths and root included (RFC 1035 section 2.3.4).
const MAX_NAME_BYTES: usize = 255;
/// Each byte of a name takes four at the most where it is escaped.
const MAX_WRITTEN_BYTES: usize = 4 * MAX_NAME_BYTES;
/// More jumps than any sender needs; a name has at most 127 labels.
const MAX_POINTERS: usize = 64;

/// The name at `start` and the place behind it. Dots between labels and none at the end, `.` for the root; a dot or
/// backslash in a label and bytes that are no visible ASCII are escaped (RFC 1035 section 5.1, RFC 4343 section 2.1).
///
/// A pointer must lead further up than everything that the name was read from so far: there is no loop.
pub(super) fn name(message: &[u8], start: usize) -> Result<(Text, usize), AppError> {
    let mut written = Written::new();
    let behind = walk(message, start, |label| write_label(&mut written, label))?;
    let name = if written.is_empty() { "." } else { &*written };
    Ok((name.into(), behind))
}

/// The place behind the name at `start`, under the same rules.
pub(super) fn skip(message: &[u8], start: usize) -> Result<usize, AppError> {
    walk(message, start, |_| ())
}

/// A name while it is read.
type Written = ArrayString<MAX_WRITTEN_BYTES>;

fn walk(message: &[u8], start: usize, mut each: impl FnMut(&[u8])) -> Result<usize, AppError> {
    let (mut at, mut highest, mut behind) = (start, start, None);
    let (mut wire_bytes, mut pointers) = (0, 0);
    loop {
        let length = usize::from(*message.get(at).ok_or(AppError::Malformed)?);
        match length >> 6 {
            0 if length == 0 => return Ok(behind.unwrap_or(at + 1)),
            0 => {
                let label = message.get(at + 1..at + 1 + length).ok_or(AppError::Malformed)?;
                at += 1 + length;
                wire_bytes += 1 + length;
                if wire_bytes >= MAX_NAME_BYTES {
                    return Err(AppError::TooLong);
                }
                each(label);
            }
            3 => {
                let low = usize::from(*message.get(at + 1).ok_or(AppError::Malformed)?);
                behind.get_or_insert(at + 2);
                at = (length & 0x3f) << 8 | low;
                pointers += 1;
                if at >= highest || pointers > MAX_POINTERS {
                    return Err(AppError::Malformed);
                }
                highest = at;
            }
            // RFC 6891 section 5: the extended label types went away.
            _ => return Err(AppError::Malformed),
        }
    }
}

/// Behind what was written; there is room for every name.
fn write_label(written: &mut Written, label: &[u8]) {
    if !written.is_empty() {
        written.push('.');
    }
    for part in label.chunk_by(|one, next| is_plain(*one) && is_plain(*next)) {
        match std::str::from_utf8(part) {
            Ok(plain) if is_plain(part[0]) => written.push_str(plain),
            Ok(mark @ ("." | "\\")) => {
                written.push('\\');
                written.push_str(mark);
            }
            // Each fits.
            _ => part.iter().for_each(|byte| _ = write!(written, "\\{byte:03}")),
        }
    }
}

/// Whether a byte of a label stands for itself.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && byte != b'.' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &[u8], start: usize) -> (String, usize) {
        let (name, behind) = name(message, start).unwrap();
        (name.into(), behind)
    }

    #[test]
    fn labels_are_joined_by_dots() {
        assert_eq!(read(b"\x03www\x07example\x03com\0x", 0), ("www.example.com".to_owned(), 17));
        assert_eq!(read(b"\0", 0), (".".to_owned(), 1));
    }

    #[test]
    fn odd_bytes_are_escaped() {
        assert_eq!(read(b"\x09a.b\\ \0\xfc\x7f\"\x01c\0", 0).0, r#"a\.b\\\032\000\252\127".c"#);
    }

    #[test]
    fn a_pointer_leads_further_up_and_the_place_behind_it_counts() {
        // RFC 1035 section 4.1.4: F.ISI.ARPA, FOO.F.ISI.ARPA, the root.
        let message = b"\x01F\x03ISI\x04ARPA\0\x03FOO\xc0\0\xc0\x06\0";
        assert_eq!(read(message, 12), ("FOO.F.ISI.ARPA".to_owned(), 18));
        assert_eq!(read(message, 18), ("ARPA".to_owned(), 20));
    }

    #[test]
    fn loops_and_ways_down_are_refused() {
        for message in [&b"\xc0\0"[..], b"\x01a\xc0\0", b"\xc0\x02\0", b"\0\x01a\xc0\x05\xc0\x01"] {
            let start = usize::from(message[0] == 0);
            assert_eq!(name(message, start), Err(AppError::Malformed), "{message:?}");
            assert_eq!(skip(message, start), Err(AppError::Malformed), "{message:?}");
        }
    }

    #[test]
    fn a_chain_of_pointers_ends() {
        let mut message = vec![0, 0];
        for place in 0..70u8 {
            message.extend([0xc0, place * 2]);
        }
        assert_eq!(read(&message, 2 * 64), (".".to_owned(), 130));
        assert_eq!(name(&message, 2 * 65), Err(AppError::Malformed));
    }

    #[test]
    fn a_name_has_at_most_255_bytes() {
        let longest = [[&[63][..], &[b'a'; 63]].concat().repeat(3), vec![61], vec![b'b'; 61], vec![0]].concat();
        assert_eq!(longest.len(), 255);
        assert_eq!(skip(&longest, 0), Ok(255));
        let longer = [[&[63][..], &[b'a'; 63]].concat().repeat(3), vec![62], vec![b'b'; 62], vec![0]].concat();
        assert_eq!(skip(&longer, 0), Err(AppError::TooLong));
        let odd = |labels: usize| [[&[63][..], &[0xff; 63]].concat().repeat(labels), vec![61], vec![0xff; 61]].concat();
        assert_eq!(read(&[odd(3), vec![0]].concat(), 0).0.len(), 4 * (3 * 63 + 61) + 3);
        assert_eq!(name(&[odd(4), vec![0]].concat(), 0), Err(AppError::TooLong));
    }

    #[test]
    fn other_label_types_and_cut_names_are_refused() {
        assert_eq!(skip(b"\x41a\0", 0), Err(AppError::Malformed));
        for length in 0..6 {
            assert_eq!(skip(&b"\x01a\x02bc\0"[..length], 0), Err(AppError::Malformed), "{length}");
        }
    }
}
