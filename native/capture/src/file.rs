//! Capture files and standard input, read in large pieces; frames point into the piece that was read.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;

use crate::error::CaptureError;
use crate::frame::OwnedBlock;
use crate::pcap_file::{FILE_HEADER_BYTES, PcapFile};
use crate::pcapng::PcapNg;
use crate::scan::Stop;

/// Bytes that are asked for in one read(2).
const CHUNK_BYTES: usize = 1 << 20;

/// Reads one pcap or pcapng file, or standard input.
///
/// A damaged or cut file gives every frame before the damage and then ends with a [`warning`](Self::warning).
pub struct FileReader {
    source: Box<dyn Read + Send>,
    name: String,
    format: Format,
    chunk_bytes: usize,
    /// Bytes that were read but belong to a record that is not whole yet.
    carried: Vec<u8>,
    /// Bytes that the next record needs, as far as is known.
    needed: usize,
    /// Where in the file `carried` begins.
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
        let opened =
            if path == "-" { io::stdin().as_fd().try_clone_to_owned().map(File::from) } else { File::open(path) };
        let source = opened.map_err(|cause| CaptureError::Unreadable { file: path.to_owned(), cause })?;
        Self::with_source(Box::new(source), path, interface, CHUNK_BYTES)
    }

    fn with_source(
        mut source: Box<dyn Read + Send>,
        name: &str,
        interface: u16,
        chunk_bytes: usize,
    ) -> Result<Self, CaptureError> {
        let mut carried = Vec::with_capacity(FILE_HEADER_BYTES);
        (&mut source)
            .take(FILE_HEADER_BYTES as u64)
            .read_to_end(&mut carried)
            .map_err(|cause| CaptureError::Unreadable { file: name.to_owned(), cause })?;
        let (format, header_bytes) = Format::recognise(&carried, interface)
            .map_err(|reason| CaptureError::NotACapture { file: name.to_owned(), reason })?;
        carried.drain(..header_bytes);
        Ok(Self {
            source,
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
    /// [`CaptureError::Unreadable`] if nothing could be read; a failure after that is a [`warning`](Self::warning).
    pub fn next_block(&mut self, mut block: OwnedBlock) -> Result<Option<OwnedBlock>, CaptureError> {
        block.frames.clear();
        while !self.ended && block.frames.is_empty() {
            match self.fill(&mut block.data) {
                Ok(filled) if filled > self.carried.len() => self.find_frames(&mut block, filled),
                Ok(_) => self.end_of_file(),
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) if self.offset <= FILE_HEADER_BYTES as u64 => {
                    return Err(CaptureError::Unreadable { file: self.name.clone(), cause });
                }
                Err(cause) => self.give_up(&format!("cannot be read on: {cause}")),
            }
        }
        Ok((!block.frames.is_empty()).then_some(block))
    }

    /// What was wrong with the file, if anything; final once [`next_block`](Self::next_block) gave `None`.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    pub(crate) fn take_warning(&mut self) -> Option<String> {
        self.warning.take()
    }

    /// Lays what was carried over, and behind it what one read gives, into `data`; its length after that.
    fn fill(&mut self, data: &mut Vec<u8>) -> io::Result<usize> {
        // The vector keeps its length from use to use: only new memory is ever filled with zeros.
        data.resize(self.chunk_bytes.max(self.needed).max(self.carried.len() + 1), 0);
        let carried = self.carried.len();
        data[..carried].copy_from_slice(&self.carried);
        Ok(carried + self.source.read(&mut data[carried..])?)
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
        self.warning = Some(format!("{} {what}, at byte {}; what stands before was read", self.name, self.offset));
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
        let first: Vec<String> = start.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Err(format!("it begins with the bytes {}", first.join(" ")))
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
