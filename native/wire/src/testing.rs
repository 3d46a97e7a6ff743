//! What the unit tests share.

use std::fmt::Debug;

use crate::cursor::Cursor;
use crate::error::{DecodeError, DecodeErrorKind, Layer};

/// Asserts that a header cut at every length is an error at its first byte.
pub(crate) fn assert_cut<T: Debug>(
    header: &[u8],
    layer: Layer,
    read: impl Fn(&mut Cursor<'_>) -> Result<T, DecodeError>,
) {
    for length in 0..header.len() {
        let error = read(&mut Cursor::new(&header[..length], 1000)).expect_err("a cut header");
        assert_eq!((error.layer, error.kind, error.offset), (layer, DecodeErrorKind::Truncated, 0), "{length}");
    }
}

/// The bytes of a string of hexadecimal digits; blanks are for the reader.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        digits.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
