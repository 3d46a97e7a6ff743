//! Compression around a capture file: gzip (RFC 1952), Zstandard (RFC 8878) and LZ4 frames (LZ4 Frame Format 1.6),
//! also several members or frames one behind another.
//!
//! What comes out is never held as a whole: a decoder keeps its window, which its format bounds (LZ4 with its blocks) or
//! the decoder does (Zstandard: 128 MiB, what `zstd --ultra` needs). A small file that grows without end costs the time
//! that its output takes to read.

use std::io::{self, BufRead, BufReader, Read};

/// Compressed bytes that are asked for in one read(2).
const INPUT_BYTES: usize = 1 << 16;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstandard,
    Lz4,
}

impl Compression {
    /// The compression of a file that begins like this; `None` if it has none that is known.
    pub(crate) fn recognise(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // The second is a frame to be skipped (RFC 8878, 3.1.2), with which parallel compressors begin.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstandard),
            // The second is the format before frames had a header, which `lz4 -l` still writes.
            [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Some(Self::Lz4),
            _ => None,
        }
    }

    /// What people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstandard => "zstd",
            Self::Lz4 => "lz4",
        }
    }

    /// The decompressed bytes of `source`.
    ///
    /// # Errors
    /// What the decoder says that cannot be made.
    pub(crate) fn decoder(self, source: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
        let source = BufReader::with_capacity(INPUT_BYTES, source);
        Ok(match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
            Self::Zstandard => Box::new(zstd::stream::read::Decoder::with_buffer(source)?),
            Self::Lz4 => Box::new(Lz4Frames(lz4_flex::frame::FrameDecoder::new(source))),
        })
    }

    /// A decoder's failure in words that name the compression, unless it is the system's failure to read.
    pub(crate) fn explain(self, failure: io::Error) -> io::Error {
        let name = self.name();
        match failure.kind() {
            _ if failure.raw_os_error().is_some() => failure,
            io::ErrorKind::Interrupted => failure,
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(io::ErrorKind::InvalidData, format!("its {name} data ends too early"))
            }
            _ => io::Error::new(io::ErrorKind::InvalidData, format!("its {name} data is damaged: {failure}")),
        }
    }
}

/// LZ4 frames one behind another: the decoder of one frame stops at its end.
struct Lz4Frames<R: Read>(lz4_flex::frame::FrameDecoder<R>);

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let bytes = self.0.read(buffer)?;
            if bytes > 0 || buffer.is_empty() || self.0.get_mut().fill_buf()?.is_empty() {
                return Ok(bytes);
            }
        }
    }
}
