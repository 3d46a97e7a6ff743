//! The capture file that packets are written to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use capture::{
    Frame, InterfaceCounts, LinkType, file_header, pcapng_header, pcapng_packet, pcapng_statistics, record_header,
};
use serde::Deserialize;

use super::FindError;

const BUFFER_BYTES: usize = 1 << 18;
const UNFINISHED_SUFFIX: &str = ".tmp";

/// Format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// pcap with nanoseconds: one link type, no names.
    Pcap,
    /// pcapng: names of interfaces, a comment, statistics.
    PcapNg,
}

/// What the capture of an interface has counted; for a reader to know what the file cannot hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// Name of the interface, as in the names of segments.
    pub interface: String,
    /// Begin of the count, nanoseconds since 1970-01-01 UTC.
    pub since_ns: u64,
    /// Its end.
    pub until_ns: u64,
    /// Frames that arrived.
    pub received: u64,
    /// Frames that the kernel dropped.
    pub dropped: u64,
}

/// What the output is like. Comment and statistics have a place in pcapng only.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// `None` for pcap, or pcapng where several link types were found in the ring.
    pub format: Option<Format>,
    /// A comment on the whole.
    pub comment: String,
    /// Counts of the interfaces; those of others are left out.
    pub statistics: Vec<Statistics>,
}

/// A file that is made when the first packet comes, or standard output.
pub(super) struct Output {
    path: String,
    form: Form,
    interfaces: Vec<(String, LinkType)>,
    /// By stream the place of its interface.
    places: Vec<usize>,
    sink: Option<BufWriter<Sink>>,
}

impl Output {
    pub(super) fn new(path: &str, form: Form, interfaces: Vec<(String, LinkType)>, places: Vec<usize>) -> Self {
        Self { path: path.to_owned(), form, interfaces, places, sink: None }
    }

    /// Bytes at most that go around each packet.
    pub(super) fn most_head_bytes(&self) -> u64 {
        match self.form.format {
            Some(Format::PcapNg) => 35,
            _ => 16,
        }
    }

    /// Writes a packet of a stream.
    pub(super) fn write(&mut self, frame: &Frame<'_>, stream: usize) -> Result<(), FindError> {
        self.begin()?;
        let Some(sink) = &mut self.sink else { return Ok(()) };
        let written = match self.form.format {
            Some(Format::PcapNg) => pcapng_packet(sink, frame, self.places[stream] as u32),
            _ => sink.write_all(&record_header(frame)).and_then(|()| sink.write_all(frame.data)),
        };
        written.map_err(|cause| self.refused(cause))
    }

    /// Writes what is in memory and gives the file its name. On standard output a capture without packets is a capture,
    /// too.
    pub(super) fn close(mut self) -> Result<(), FindError> {
        if self.path == "-" {
            self.begin()?;
        }
        let closed = self.sink.take().map_or(Ok(()), |sink| self.finish(sink));
        closed.map_err(|cause| self.refused(cause))
    }

    fn begin(&mut self) -> Result<(), FindError> {
        if self.sink.is_none() {
            let sink = self.open().map_err(|cause| self.refused(cause))?;
            self.sink = Some(sink);
        }
        Ok(())
    }

    fn open(&self) -> io::Result<BufWriter<Sink>> {
        let mut sink = BufWriter::with_capacity(BUFFER_BYTES, Sink::open(&self.path)?);
        match self.form.format {
            Some(Format::PcapNg) => pcapng_header(&mut sink, &self.form.comment, &self.interfaces)?,
            _ => {
                let link_type = self.interfaces.first().map_or(LinkType::ETHERNET, |(_, link_type)| *link_type);
                sink.write_all(&file_header(link_type, capture::MAX_SNAPLEN))?;
            }
        }
        Ok(sink)
    }

    fn finish(&self, mut sink: BufWriter<Sink>) -> io::Result<()> {
        if self.form.format == Some(Format::PcapNg) {
            for counted in &self.form.statistics {
                let Some(place) = self.interfaces.iter().position(|(name, _)| *name == counted.interface) else {
                    continue;
                };
                let &Statistics { since_ns, until_ns, received, dropped, .. } = counted;
                let counts = InterfaceCounts { since_ns, until_ns, received, dropped };
                pcapng_statistics(&mut sink, place as u32, &counts)?;
            }
        }
        sink.flush()?;
        sink.get_mut().publish()
    }

    fn refused(&self, cause: io::Error) -> FindError {
        FindError::Io { what: format!("cannot write {}", self.path), cause }
    }
}

/// What bytes are written to.
enum Sink {
    Stdout(io::Stdout),
    /// A pipe or device, which cannot be replaced.
    Special(File),
    Unfinished(Unfinished),
}

impl Sink {
    fn open(path: &str) -> io::Result<Self> {
        if path == "-" {
            return Ok(Self::Stdout(io::stdout()));
        }
        match fs::metadata(path) {
            Ok(there) if !there.is_file() => Ok(Self::Special(OpenOptions::new().write(true).open(path)?)),
            // What a link points to is replaced, and not the link.
            Ok(_) => Ok(Self::Unfinished(Unfinished::create(&fs::canonicalize(path)?)?)),
            Err(_) => Ok(Self::Unfinished(Unfinished::create(Path::new(path))?)),
        }
    }

    fn publish(&mut self) -> io::Result<()> {
        match self {
            Self::Unfinished(file) => file.publish(),
            Self::Stdout(_) | Self::Special(_) => Ok(()),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::Special(file) | Self::Unfinished(Unfinished { file, .. }) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::Special(file) | Self::Unfinished(Unfinished { file, .. }) => file.flush(),
        }
    }
}

/// A file that has its name only when it is whole; it goes away if it never is.
struct Unfinished {
    file: File,
    path: PathBuf,
    temporary: PathBuf,
    published: bool,
}

impl Unfinished {
    fn create(path: &Path) -> io::Result<Self> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(UNFINISHED_SUFFIX);
        let temporary = PathBuf::from(temporary);
        // What a kill left there is of no use; made anew, nobody has chosen what the name leads to.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Packets are private.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(&temporary)?;
        Ok(Self { file, path: path.to_owned(), temporary, published: false })
    }

    fn publish(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        self.published = true;
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.published {
            // Nobody is there to be told, and what stays is overwritten by the next attempt.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
