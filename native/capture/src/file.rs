//! Capture files and standard input, read in large pieces; frames point into the piece that was read.

use std::io::{self, Read};

use crate::error::CaptureError;
use crate::foreign;
use crate::frame::OwnedBlock;
use crate::input::Input;
use crate::pcap_file::{FILE_HEADER_BYTES, PcapFile};
use crate::pcapng::PcapNg;
use crate::scan::Stop;

/// Bytes that are asked for at once.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// Reads one pcap or pcapng file, or standard input, also compressed with gzip, zstd or lz4.
///
/// A damaged or cut file gives every frame before the damage and then ends with a [`warning`](Self::warning).
pub struct FileReader {
    input: Input,
    name: String,
    format: Format,
    chunk_bytes: usize,
    /// Bytes that were read but belong to a record that is not whole yet.
    carried: Vec<u8>,
    /// Bytes that the next record needs, as far as is known.
    needed: usize,
    /// Where in the file, as it is when decompressed, `carried` begins.
    offset: u64,
    ended: bool,
    warning: Option<String>,
}

enum Format {
    Pcap(PcapFile),
    PcapNg(PcapNg),
}

impl FileReader {
    /// Opens a capture file (`-` is standard input) and reads its header. Frames will name `interface`.
    ///
    /// # Errors
    /// [`CaptureError::Unreadable`], and [`CaptureError::NotACapture`] for an empty file or another format.
    pub fn open(path: &str, interface: u16) -> Result<Self, CaptureError> {
        Self::open_in_chunks(path, interface, CHUNK_BYTES)
    }

    /// As [`open`](Self::open), with another size of the pieces that are read at once.
    pub(crate) fn open_in_chunks(path: &str, interface: u16, chunk_bytes: usize) -> Result<Self, CaptureError> {
        Self::with_input(Input::open(path), path, interface, chunk_bytes)
    }

    /// Reads a capture file out of any source; `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_source(source: impl Read + Send + 'static, name: &str, interface: u16) -> Result<Self, CaptureError> {
        Self::with_input(Input::new(source), name, interface, CHUNK_BYTES)
    }

    fn with_input(
        input: io::Result<Input>,
        name: &str,
        interface: u16,
        chunk_bytes: usize,
    ) -> Result<Self, CaptureError> {
        let (input, mut carried) = input.and_then(read_start).map_err(|cause| refusal(name, cause))?;
        let (format, header_bytes) = Format::recognise(&carried, interface)
            .map_err(|reason| CaptureError::NotACapture { file: name.to_owned(), reason })?;
        carried.drain(..header_bytes);
        Ok(Self {
            input,
            name: name.to_owned(),
            format,
            chunk_bytes,
            carried,
            needed: 0,
            offset: header_bytes as u64,
            ended: false,
            warning: None,
        })
    }

    /// Reads the next frames into a block that was used before, so that its memory serves again; `None` at the end.
    ///
    /// # Errors
    /// As [`open`](Self::open) if nothing could be read; a failure after that is a [`warning`](Self::warning).
    pub fn next_block(&mut self, mut block: OwnedBlock) -> Result<Option<OwnedBlock>, CaptureError> {
        block.frames.clear();
        while !self.ended && block.frames.is_empty() {
            match self.fill(&mut block.data) {
                Ok(filled) if filled > self.carried.len() => self.find_frames(&mut block, filled),
                Ok(_) => self.end_of_file(),
                Err(cause) if self.offset <= FILE_HEADER_BYTES as u64 => return Err(refusal(&self.name, cause)),
                Err(cause) => self.give_up(&format!("cannot be read on: {cause}")),
            }
        }
        Ok((!block.frames.is_empty()).then_some(block))
    }

    /// Bytes taken from the file so far, as it lies there: of a compressed one the compressed bytes.
    pub fn taken_bytes(&self) -> u64 {
        self.input.taken_bytes()
    }

    /// What was wrong with the file, if anything; final once [`next_block`](Self::next_block) gave `None`.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    pub(crate) fn take_warning(&mut self) -> Option<String> {
        self.warning.take()
    }

    /// Lays what was carried over, and behind it as much as is needed or more, into `data`; its length after that.
    fn fill(&mut self, data: &mut Vec<u8>) -> io::Result<usize> {
        // The vector keeps its length from use to use: only new memory is ever filled with zeros.
        data.resize(self.chunk_bytes.max(self.needed).max(self.carried.len() + 1), 0);
        let carried = self.carried.len();
        data[..carried].copy_from_slice(&self.carried);
        let least = self.needed.saturating_sub(carried).max(1);
        Ok(carried + self.input.read(&mut data[carried..], least)?)
    }

    fn find_frames(&mut self, block: &mut OwnedBlock, filled: usize) {
        let data = &block.data[..filled];
        let scan = match &mut self.format {
            Format::Pcap(format) => format.scan(data, &mut block.frames),
            Format::PcapNg(format) => format.scan(data, &mut block.frames),
        };
        self.offset += scan.consumed as u64;
        self.carried.clear();
        self.carried.extend_from_slice(&data[scan.consumed..]);
        match scan.stop {
            Stop::Need(bytes) => self.needed = bytes,
            Stop::Damaged(reason) => self.give_up(&format!("is damaged: {reason}")),
        }
    }

    fn end_of_file(&mut self) {
        let at_boundary = match &self.format {
            Format::Pcap(_) => true,
            Format::PcapNg(format) => format.at_block_boundary(),
        };
        if at_boundary && self.carried.is_empty() {
            self.ended = true;
        } else {
            self.give_up("is cut short in the middle of a record");
        }
    }

    fn give_up(&mut self, what: &str) {
        self.ended = true;
        let unpacked = self.input.compression().map_or("", |_| " when unpacked");
        self.warning =
            Some(format!("{} {what}, at byte {}{unpacked}; what stands before was read", self.name, self.offset));
    }
}

impl Format {
    /// The format of a file by its first bytes, and how many of them are done with.
    fn recognise(start: &[u8], interface: u16) -> Result<(Self, usize), String> {
        if start.is_empty() {
            return Err("the file is empty".into());
        }
        if PcapFile::recognises(start) {
            return Ok((Self::Pcap(PcapFile::parse(start, interface)?), FILE_HEADER_BYTES));
        }
        if PcapNg::recognises(start) {
            return Ok((Self::PcapNg(PcapNg::new(interface)), 0));
        }
        Err(foreign::describe(start))
    }
}

/// The first bytes of a file, as many as a pcap header has; fewer only if there are no more.
fn read_start(mut input: Input) -> io::Result<(Input, Vec<u8>)> {
    let mut start = vec![0; FILE_HEADER_BYTES];
    let mut filled = 0;
    while filled < start.len() {
        match input.read(&mut start[filled..], 1)? {
            0 => break,
            bytes => filled += bytes,
        }
    }
    start.truncate(filled);
    Ok((input, start))
}

/// Why nothing of a file could be read: the system's reason, or the decompressor's.
fn refusal(file: &str, cause: io::Error) -> CaptureError {
    let file = file.to_owned();
    match cause.kind() {
        io::ErrorKind::InvalidData => CaptureError::NotACapture { file, reason: cause.to_string() },
        _ => CaptureError::Unreadable { file, cause },
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "compressed_tests.rs"]
mod compressed_tests;
