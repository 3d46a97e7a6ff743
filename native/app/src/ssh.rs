//! The line with which each side of an SSH connection says its version (RFC 4253 section 4.2).

use crate::{AppError, Parse, Text, text};

/// The longest line, its end included (RFC 4253 section 4.2).
const MAX_LINE_BYTES: usize = 255;
/// What a server may say before its version.
const MAX_PREAMBLE_BYTES: usize = 4096;

/// `SSH-protoversion-softwareversion SP comments`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// The protocol's version, as `2.0` or `1.99`.
    pub proto: Text,
    /// The program and its version, as `OpenSSH_9.2p1`.
    pub software: Text,
    /// What follows the first space, as `Debian-2+deb12u3`.
    pub comment: Option<Text>,
}

/// The banner at the beginning of what one side sent. Lines before it are skipped: a server may send some. At most 255
/// bytes a line and 4 KiB of lines before it are looked at; then [`AppError::TooLong`].
pub fn banner(stream: &[u8]) -> Parse<Banner> {
    let mut start = 0;
    loop {
        let rest = &stream[start..];
        let line = match rest.iter().take(MAX_LINE_BYTES).position(|&byte| byte == b'\n') {
            Some(end) => &rest[..end],
            None if rest.len() >= MAX_LINE_BYTES => return Parse::Reject(AppError::TooLong),
            None if rest.contains(&0) => return Parse::Reject(AppError::Malformed),
            None => return Parse::More,
        };
        if let Some(version) = line.strip_prefix(b"SSH-") {
            return version_line(version.strip_suffix(b"\r").unwrap_or(version));
        }
        // RFC 4253 section 4.2: the lines before it are text, and a null character must not be sent.
        if line.contains(&0) {
            return Parse::Reject(AppError::Malformed);
        }
        start += line.len() + 1;
        if start > MAX_PREAMBLE_BYTES {
            return Parse::Reject(AppError::TooLong);
        }
    }
}

/// What stands between `SSH-` and the line's end.
fn version_line(line: &[u8]) -> Parse<Banner> {
    let Some(dash) = line.iter().position(|&byte| byte == b'-') else { return Parse::Reject(AppError::Malformed) };
    let (proto, rest) = (&line[..dash], &line[dash + 1..]);
    if proto.is_empty() || !proto.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return Parse::Reject(AppError::Malformed);
    }
    let (software, comment) = match rest.iter().position(|&byte| byte == b' ') {
        Some(space) => (&rest[..space], Some(&rest[space + 1..])),
        None => (rest, None),
    };
    Parse::Done(Banner {
        proto: text(proto, MAX_LINE_BYTES),
        software: text(software, MAX_LINE_BYTES),
        comment: comment.filter(|comment| !comment.is_empty()).map(|comment| text(comment, MAX_LINE_BYTES)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn done(stream: &[u8]) -> Banner {
        match banner(stream) {
            Parse::Done(banner) => banner,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn version_software_and_comment_are_told_apart() {
        let banner = done(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n\0\0\x05");
        assert_eq!((&*banner.proto, &*banner.software), ("2.0", "OpenSSH_9.2p1"));
        assert_eq!(banner.comment.as_deref(), Some("Debian-2+deb12u3"));
        let banner = done(b"SSH-1.99-Cisco-1.25\n");
        assert_eq!((&*banner.proto, &*banner.software, banner.comment), ("1.99", "Cisco-1.25", None));
    }

    #[test]
    fn lines_before_the_version_are_skipped() {
        assert_eq!(&*done(b"Keep out.\r\n\r\nSSH-2.0-x\r\n").software, "x");
    }

    #[test]
    fn each_beginning_wants_more() {
        let whole = b"Welcome\r\nSSH-2.0-OpenSSH_9.2p1 a b\r\n";
        for length in 0..whole.len() {
            assert_eq!(banner(&whole[..length]), Parse::More, "{length}");
        }
        assert_eq!(done(whole).comment.as_deref(), Some("a b"));
    }

    #[test]
    fn endless_lines_are_refused() {
        assert_eq!(banner(&[b'a'; 255]), Parse::Reject(AppError::TooLong));
        assert_eq!(banner(&b"\n".repeat(4097)), Parse::Reject(AppError::TooLong));
        assert_eq!(banner(&b"\n".repeat(4096)), Parse::More);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for stream in [&b"\x16\x03\x01\0\n"[..], b"SSH-2.0\n", b"SSH--x\n", b"SSH-two-x\n", b"\0"] {
            assert_eq!(banner(stream), Parse::Reject(AppError::Malformed), "{stream:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(stream in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Parse::Done(banner) = banner(&stream) {
                prop_assert!(!banner.proto.is_empty());
            }
        }
    }
}
