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

    /// As text in small letters with single spaces; `coding` is the `Content-Encoding`.
    pub(super) fn text(&self, coding: Option<&str>) -> Vec<u8> {
        let coded = &self.0[..];
        let plain = match coding.map(str::trim) {
            Some("gzip" | "x-gzip") => head_of(MultiGzDecoder::new(coded)),
            // RFC 9110 section 8.4.1.2: with a zlib header; some send none.
            Some("deflate") if coded.first().is_some_and(|byte| byte & 0x0f == 8) => head_of(ZlibDecoder::new(coded)),
            Some("deflate") => head_of(DeflateDecoder::new(coded)),
            _ => return folded(coded),
        };
        folded(&plain)
    }
}

/// What can be decompressed: the end of the body is usually missing.
fn head_of(reader: impl Read) -> Vec<u8> {
    let mut plain = Vec::new();
    // What came before an error is there; the error itself is what a cut body gives.
    let _ = reader.take(MAX_DECOMPRESSED_BYTES).read_to_end(&mut plain);
    plain
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
        let text = answer.text(Some("gzip"));
        assert!(text.starts_with(b"uid=0(root) gid=0xx") && text.len() as u64 <= MAX_DECOMPRESSED_BYTES);
    }
}
