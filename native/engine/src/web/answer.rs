//! What an answer's body says of an attack.

use std::io::Read;

use app::http::decode::folded;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// Bytes of a body that are looked at, as they came and decompressed.
const MAX_ANSWER_BYTES: usize = 16 * 1024;
const MAX_DECOMPRESSED_BYTES: u64 = 64 * 1024;

/// The head of an answer's body.
#[derive(Debug, Default)]
pub(super) struct Answer(Vec<u8>);

impl Answer {
    pub(super) fn feed(&mut self, data: &[u8]) {
        let room = MAX_ANSWER_BYTES - self.0.len();
        self.0.extend_from_slice(&data[..data.len().min(room)]);
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.0.len()
    }

    /// As it is shown; `coding` is the `Content-Encoding`, and the whole body is `length` bytes long.
    pub(super) fn page(&self, coding: Option<&str>, length: u64) -> Page {
        let coded = &self.0[..];
        match coding.map(str::trim) {
            Some("gzip" | "x-gzip") => Page::decompressed(MultiGzDecoder::new(coded)),
            // RFC 9110 section 8.4.1.2: with a zlib header; some send none.
            Some("deflate") if coded.first().is_some_and(|byte| byte & 0x0f == 8) => {
                Page::decompressed(ZlibDecoder::new(coded))
            }
            Some("deflate") => Page::decompressed(DeflateDecoder::new(coded)),
            None | Some("" | "identity") => Page { text: folded(coded), bytes: Some(length) },
            Some(_) => Page { text: folded(coded), bytes: None },
        }
    }
}

/// An answer's body without compression.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Its head in small letters with single spaces.
    pub(super) text: Vec<u8>,
    /// Its length, if that is known.
    pub(super) bytes: Option<u64>,
}

impl Page {
    /// What can be decompressed: the end of a long body is missing.
    fn decompressed(reader: impl Read) -> Self {
        let mut plain = Vec::new();
        // What came before an error is there; the error itself is what a cut body gives.
        let read = reader.take(MAX_DECOMPRESSED_BYTES).read_to_end(&mut plain);
        let bytes = read.ok().map(|bytes| bytes as u64).filter(|&bytes| bytes < MAX_DECOMPRESSED_BYTES);
        Self { text: folded(&plain), bytes }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_compressed_answer_that_is_cut_is_read_as_far_as_it_goes() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(b"uid=0(ROOT)  gid=0").expect("memory");
        encoder.write_all(&[b'x'; 5_000_000]).expect("memory");
        let mut answer = Answer::default();
        answer.feed(&encoder.finish().expect("memory")[..4000]);
        let page = answer.page(Some("gzip"), 4000);
        assert!(page.text.starts_with(b"uid=0(root) gid=0xx") && page.text.len() as u64 <= MAX_DECOMPRESSED_BYTES);
        assert_eq!(page.bytes, None);
    }

    #[test]
    fn a_pages_length_is_that_without_compression() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&[b'x'; 500]).expect("memory");
        let mut answer = Answer::default();
        answer.feed(&encoder.finish().expect("memory"));
        let bytes = |coding| answer.page(coding, 70).bytes;
        assert_eq!((bytes(Some("gzip")), bytes(None), bytes(Some("br"))), (Some(500), Some(70), None));
    }
}
