//! The Huffman code of header strings (RFC 7541 section 5.2 and Appendix B).

use crate::AppError;

/// Symbols: the bytes, and the end of the string.
const SYMBOLS: usize = 257;
const END_OF_STRING: u16 = 256;
const MAX_BITS: usize = 30;

/// How many bits each symbol takes. The code is canonical: codes of one length follow each other in the order of their
/// symbols, and behind those of the shorter lengths; so the lengths are the whole of Appendix B.
const BITS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12,
    10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6,
    5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22,
    22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20,
    22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28,
    27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28,
    27, 27, 27, 27, 27, 26, 30,
];

/// The codes of one length.
#[derive(Clone, Copy)]
struct Length {
    first_code: u32,
    codes: u32,
    /// Where their symbols begin in `SORTED`.
    first_symbol: usize,
}

const LENGTHS: [Length; MAX_BITS + 1] = lengths();
/// The symbols in the order of their codes.
const SORTED: [u16; SYMBOLS] = sorted();

const fn lengths() -> [Length; MAX_BITS + 1] {
    let mut lengths = [Length { first_code: 0, codes: 0, first_symbol: 0 }; MAX_BITS + 1];
    let mut symbol = 0;
    while symbol < SYMBOLS {
        lengths[BITS[symbol] as usize].codes += 1;
        symbol += 1;
    }
    let mut bits = 1;
    while bits <= MAX_BITS {
        let shorter = lengths[bits - 1];
        lengths[bits].first_code = (shorter.first_code + shorter.codes) << 1;
        lengths[bits].first_symbol = shorter.first_symbol + shorter.codes as usize;
        bits += 1;
    }
    lengths
}

const fn sorted() -> [u16; SYMBOLS] {
    let (mut sorted, mut at, mut bits) = ([0; SYMBOLS], 0, 1);
    while bits <= MAX_BITS {
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if BITS[symbol] as usize == bits {
                sorted[at] = symbol as u16;
                at += 1;
            }
            symbol += 1;
        }
        bits += 1;
    }
    sorted
}

/// The string that `coded` stands for; at most 8/5 of its length.
pub(super) fn decode(coded: &[u8]) -> Result<Vec<u8>, AppError> {
    let mut string = Vec::with_capacity(coded.len() * 8 / 5);
    let (mut code, mut bits) = (0u32, 0);
    for bit in coded.iter().flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1)) {
        code = code << 1 | u32::from(bit);
        bits += 1;
        // Thirty ones are the end of the string: a longer code there is not.
        let Length { first_code, codes, first_symbol } = LENGTHS[bits];
        let Some(index) = code.checked_sub(first_code).filter(|index| *index < codes) else { continue };
        match SORTED[first_symbol + index as usize] {
            END_OF_STRING => return Err(AppError::Malformed),
            symbol => string.push(symbol as u8),
        }
        (code, bits) = (0, 0);
    }
    // RFC 7541 section 5.2: the padding is at most seven bits, all ones.
    if bits > 7 || code != (1 << bits) - 1 { Err(AppError::Malformed) } else { Ok(string) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_strings_of_appendix_c_are_read() {
        for (coded, string) in [
            (&b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"[..], "www.example.com"),
            (b"\xa8\xeb\x10\x64\x9c\xbf", "no-cache"),
            (b"\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f", "custom-key"),
            (
                b"\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff",
                "Mon, 21 Oct 2013 20:13:21 GMT",
            ),
            (b"", ""),
        ] {
            assert_eq!(decode(coded), Ok(string.as_bytes().to_vec()));
        }
    }

    #[test]
    fn each_symbol_has_a_code_of_its_own() {
        let mut symbols = SORTED;
        symbols.sort_unstable();
        assert!(symbols.iter().enumerate().all(|(place, symbol)| place == usize::from(*symbol)));
        let last = LENGTHS[MAX_BITS];
        assert_eq!(last.first_code + last.codes, 1 << MAX_BITS);
    }

    #[test]
    fn other_padding_and_the_end_of_the_string_are_refused() {
        for coded in [&b"\xff"[..], b"\x1e", b"\x00", b"\xff\xff\xff\xff", b"\xff\xff\xff\xfc"] {
            assert_eq!(decode(coded), Err(AppError::Malformed), "{coded:?}");
        }
        assert_eq!(decode(b"\x1f"), Ok(b"a".to_vec()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(coded in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(string) = decode(&coded) {
                prop_assert!(string.len() <= coded.len() * 8 / 5);
            }
        }
    }
}
