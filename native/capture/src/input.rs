//! The bytes of a capture file, decompressed if they are compressed.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::compression::Compression;

/// Bytes that tell the compression.
const MAGIC_BYTES: usize = 4;
/// A decoder that meets damage keeps to itself what it had decoded in the same call: small pieces lose little.
const PIECE_BYTES: usize = 4096;

/// A file, or standard input.
pub(crate) struct Input {
    source: Box<dyn Read + Send>,
    compression: Option<Compression>,
    /// Bytes taken from the file itself.
    taken: Arc<AtomicU64>,
    /// What stopped a read that gave something nevertheless.
    failure: Option<io::Error>,
}

impl Input {
    /// Opens a path; `-` is standard input.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(path: &str) -> io::Result<Self> {
        let opened =
            if path == "-" { io::stdin().as_fd().try_clone_to_owned().map(File::from) } else { File::open(path) };
        Self::new(opened?)
    }

    /// Reads a source whose first bytes tell whether it is compressed.
    ///
    /// # Errors
    /// What reading them says.
    pub(crate) fn new(source: impl Read + Send + 'static) -> io::Result<Self> {
        let taken = Arc::new(AtomicU64::new(0));
        let mut source = Counted { source, taken: Arc::clone(&taken) };
        let mut start = Vec::with_capacity(MAGIC_BYTES);
        (&mut source).take(MAGIC_BYTES as u64).read_to_end(&mut start)?;
        let compression = Compression::recognise(&start);
        let whole = Cursor::new(start).chain(source);
        let source = match compression {
            Some(compression) => compression.decoder(whole)?,
            None => Box::new(whole),
        };
        Ok(Self { source, compression, taken, failure: None })
    }

    /// How the file is compressed.
    pub(crate) fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// Bytes taken from the file itself so far.
    pub(crate) fn taken_bytes(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Reads until at least `least` bytes are there, as far as the file has them; how many are, 0 at its end.
    ///
    /// # Errors
    /// What reading or decompressing says, once everything that stood before the failure was given.
    pub(crate) fn read(&mut self, buffer: &mut [u8], least: usize) -> io::Result<usize> {
        // Decompressed pieces are gathered: a block is worth its costs when it is full.
        let (least, piece) = match self.compression {
            Some(_) => (buffer.len(), PIECE_BYTES),
            None => (least, buffer.len()),
        };
        let mut filled = 0;
        while self.failure.is_none() && filled < least {
            let end = buffer.len().min(filled + piece);
            match self.source.read(&mut buffer[filled..end]) {
                Ok(0) => break,
                Ok(bytes) => filled += bytes,
                Err(failure) if failure.kind() == io::ErrorKind::Interrupted => {}
                Err(failure) => self.failure = Some(self.explain(failure)),
            }
        }
        match self.failure.take_if(|_| filled == 0) {
            Some(failure) => Err(failure),
            None => Ok(filled),
        }
    }

    fn explain(&self, failure: io::Error) -> io::Error {
        match self.compression {
            Some(compression) => compression.explain(failure),
            None => failure,
        }
    }
}

/// Counts what is taken from a source.
struct Counted<R> {
    source: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.source.read(buffer)?;
        self.taken.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}
