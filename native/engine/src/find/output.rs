//! The capture file that packets are written to.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;

use capture::{Frame, LinkType, file_header, pcapng_header, pcapng_packet, record_header};
use serde::Deserialize;

use super::FindError;

const BUFFER_BYTES: usize = 1 << 18;

/// Format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// pcap with nanoseconds: one link type, no names.
    Pcap,
    /// pcapng: names of interfaces, a comment.
    PcapNg,
}

/// A file that is made when the first packet comes, or standard output.
pub(super) struct Output {
    path: String,
    format: Format,
    comment: String,
    interfaces: Vec<(String, LinkType)>,
    /// By stream the place of its interface.
    places: Vec<usize>,
    sink: Option<BufWriter<Box<dyn Write + Send>>>,
}

impl Output {
    pub(super) fn new(
        path: &str,
        format: Format,
        comment: &str,
        interfaces: Vec<(String, LinkType)>,
        places: Vec<usize>,
    ) -> Self {
        Self { path: path.to_owned(), format, comment: comment.to_owned(), interfaces, places, sink: None }
    }

    /// Writes a packet of a stream.
    pub(super) fn write(&mut self, frame: &Frame<'_>, stream: usize) -> Result<(), FindError> {
        self.begin()?;
        let Some(sink) = &mut self.sink else { return Ok(()) };
        let written = match self.format {
            Format::Pcap => sink.write_all(&record_header(frame)).and_then(|()| sink.write_all(frame.data)),
            Format::PcapNg => pcapng_packet(sink, frame, self.places[stream] as u32),
        };
        written.map_err(|cause| self.refused(cause))
    }

    /// Writes what is in memory. On standard output a capture without packets is a capture, too.
    pub(super) fn close(mut self) -> Result<(), FindError> {
        if self.path == "-" {
            self.begin()?;
        }
        let flushed = self.sink.take().map_or(Ok(()), |mut sink| sink.flush());
        flushed.map_err(|cause| self.refused(cause))
    }

    fn begin(&mut self) -> Result<(), FindError> {
        if self.sink.is_none() {
            let sink = self.open().map_err(|cause| self.refused(cause))?;
            self.sink = Some(sink);
        }
        Ok(())
    }

    fn open(&self) -> io::Result<BufWriter<Box<dyn Write + Send>>> {
        let target: Box<dyn Write + Send> = if self.path == "-" {
            Box::new(io::stdout())
        } else {
            // Packets are private.
            Box::new(OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(&self.path)?)
        };
        let mut sink = BufWriter::with_capacity(BUFFER_BYTES, target);
        match self.format {
            Format::Pcap => {
                let link_type = self.interfaces.first().map_or(LinkType::ETHERNET, |(_, link_type)| *link_type);
                sink.write_all(&file_header(link_type, capture::MAX_SNAPLEN))?;
            }
            Format::PcapNg => pcapng_header(&mut sink, &self.comment, &self.interfaces)?,
        }
        Ok(sink)
    }

    fn refused(&self, cause: io::Error) -> FindError {
        FindError::Io { what: format!("cannot write {}", self.path), cause }
    }
}
