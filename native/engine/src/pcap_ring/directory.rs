//! The ring's directory: held by one process, made whole after a crash, adopted as it is.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use capture::whole_frames_length;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::RingError;
use super::index::INDEX_SUFFIX;
use super::name::SegmentName;
use super::retention::ClosedSegment;
use super::segment::{CLOSED_SUFFIX, DAMAGED_SUFFIX, FILE_HEADER_BYTES, OPEN_SUFFIX};

const LOCK_NAME: &str = ".lock";
/// A kernel writes back what is older than half a minute: files closed earlier survive a power failure.
const WRITE_BACK: Duration = Duration::from_secs(60);

/// The directory, held by this process until this is dropped.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Holds the process id while the ring is in use, and is empty after an orderly end.
    lock: File,
    left_in_disorder: bool,
}

/// The segments that were found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// All that are closed now.
    pub(super) segments: Vec<ClosedSegment>,
    /// What had to be repaired, a sentence each.
    pub(super) notes: Vec<String>,
}

impl Directory {
    /// Creates the directory if there is none, and takes its lock.
    ///
    /// # Errors
    /// [`RingError::Held`] if another ring has it, [`RingError::Io`] otherwise.
    pub(super) fn open(path: &Path) -> Result<Self, RingError> {
        let io_error = |operation| move |cause| RingError::Io { operation, path: path.to_owned(), cause };
        DirBuilder::new().recursive(true).mode(0o750).create(path).map_err(io_error("create directory"))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o640);
        let mut lock = options.open(path.join(LOCK_NAME)).map_err(io_error("open lock file in"))?;
        let locked = flock(&lock, FlockOperation::NonBlockingLockExclusive);
        let mut holder = String::new();
        lock.read_to_string(&mut holder).map_err(io_error("read lock file in"))?;
        match locked {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let pid = holder.trim().parse().ok();
                return Err(RingError::Held { path: path.to_owned(), pid });
            }
            Err(errno) => return Err(io_error("lock")(errno.into())),
        }
        let directory = Self { path: path.to_owned(), lock, left_in_disorder: !holder.is_empty() };
        directory.write_holder(&format!("{}\n", std::process::id())).map_err(io_error("write lock file in"))?;
        Ok(directory)
    }

    fn write_holder(&self, holder: &str) -> io::Result<()> {
        use io::Seek;
        self.lock.set_len(0)?;
        (&self.lock).rewind()?;
        (&self.lock).write_all(holder.as_bytes())
    }

    /// Whether the path still leads to the directory that is held.
    pub(super) fn is_in_place(&self) -> bool {
        let Ok(ours) = self.lock.metadata() else { return false };
        let there = fs::metadata(self.path.join(LOCK_NAME));
        there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()))
    }

    /// Notes that everything was closed in order, so that the next start need not look at closed segments.
    pub(super) fn leave_in_order(&self) {
        // If that fails the next start looks needlessly.
        let _ = self.write_holder("");
    }

    /// Makes whole what a crash left and lists the ring's segments; files of other names are not touched.
    /// `segment_time_ns` bounds how much newer than its name a closed segment can be.
    ///
    /// # Errors
    /// [`RingError::Io`] if the directory cannot be read.
    pub(super) fn adopt(&self, segment_time_ns: u64) -> Result<Found, RingError> {
        let io_error = |cause| RingError::Io { operation: "read directory", path: self.path.clone(), cause };
        let mut files = Vec::new();
        let mut indexes = HashMap::new();
        for entry in fs::read_dir(&self.path).map_err(io_error)? {
            let entry = entry.map_err(io_error)?;
            files.extend(RingFile::of(&entry));
            indexes.extend(index_of(&entry));
        }
        for file in &mut files {
            file.index_bytes = indexes.remove(&file.name.to_string()).unwrap_or(0);
        }
        for orphan in indexes.keys() {
            let _ = fs::remove_file(self.path.join(format!("{orphan}{INDEX_SUFFIX}")));
        }
        let newest = files.iter().map(|file| file.modified).max().unwrap_or(SystemTime::UNIX_EPOCH);
        let mut found = Found::default();
        for file in files {
            let may_be_cut =
                self.left_in_disorder && file.suffix == CLOSED_SUFFIX && file.modified + WRITE_BACK >= newest;
            if file.suffix == OPEN_SUFFIX || may_be_cut {
                self.repair(file, &mut found);
            } else {
                let newest_ns = file.name.start_ns.saturating_add(segment_time_ns);
                found.segments.push(file.closed(newest_ns));
            }
        }
        if !found.notes.is_empty() {
            // The renames last once the directory is on disk; they are repeated otherwise.
            let _ = File::open(&self.path).and_then(|directory| directory.sync_all());
        }
        Ok(found)
    }

    /// Cuts a file to its whole frames and makes it a closed segment.
    fn repair(&self, mut file: RingFile, found: &mut Found) {
        let path = self.path.join(format!("{}{}", file.name, file.suffix));
        let repaired = make_whole(&path, file.bytes).and_then(|whole| {
            let suffix = match whole {
                Whole::Nothing => return fs::remove_file(&path).map(|()| None),
                Whole::Unreadable => DAMAGED_SUFFIX,
                Whole::Frames { .. } => CLOSED_SUFFIX,
            };
            fs::rename(&path, self.path.join(format!("{}{suffix}", file.name)))?;
            Ok(Some((suffix, whole)))
        });
        let was_whole = matches!(repaired, Ok(Some((_, Whole::Frames { bytes, .. }))) if bytes == file.bytes);
        if file.suffix == OPEN_SUFFIX || !was_whole {
            found.notes.push(note(&path, file.bytes, &repaired));
        }
        if let Ok(Some((suffix, whole))) = repaired {
            file.suffix = suffix;
            let newest_ns = match whole {
                Whole::Frames { bytes, newest_ns } => {
                    file.bytes = bytes;
                    newest_ns
                }
                _ => file.name.start_ns,
            };
            found.segments.push(file.closed(newest_ns));
        }
    }
}

/// How much of a file is whole.
#[derive(Debug, Clone, Copy)]
enum Whole {
    Nothing,
    Unreadable,
    Frames { bytes: u64, newest_ns: u64 },
}

/// Cuts a file to its whole frames and puts it on disk.
fn make_whole(path: &Path, bytes: u64) -> io::Result<Whole> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let whole = whole_frames_length(&file)?;
    let Some(newest_ns) = whole.last_timestamp_ns else {
        let is_empty = bytes <= FILE_HEADER_BYTES || whole.bytes == FILE_HEADER_BYTES;
        return Ok(if is_empty { Whole::Nothing } else { Whole::Unreadable });
    };
    file.set_len(whole.bytes)?;
    file.sync_all()?;
    Ok(Whole::Frames { bytes: whole.bytes, newest_ns })
}

fn note(path: &Path, bytes: u64, repaired: &io::Result<Option<(&'static str, Whole)>>) -> String {
    let path = path.display();
    match repaired {
        Ok(None) => format!("{path}: removed, no frame in it"),
        Ok(Some((_, Whole::Frames { bytes: whole, .. }))) => {
            format!("{path}: {whole} of {bytes} bytes are whole, kept")
        }
        Ok(Some(_)) => format!("{path}: not readable, renamed to *{DAMAGED_SUFFIX}"),
        Err(error) => format!("{path}: cannot be repaired: {error}"),
    }
}

/// A file of the ring, as listed.
#[derive(Debug)]
struct RingFile {
    name: SegmentName,
    suffix: &'static str,
    bytes: u64,
    index_bytes: u64,
    modified: SystemTime,
}

/// Segment and length of an index.
fn index_of(entry: &fs::DirEntry) -> Option<(String, u64)> {
    let file_name = entry.file_name();
    let stem = file_name.to_str()?.strip_suffix(INDEX_SUFFIX)?;
    SegmentName::parse(stem)?;
    Some((stem.to_owned(), entry.metadata().ok().filter(fs::Metadata::is_file)?.len()))
}

impl RingFile {
    fn of(entry: &fs::DirEntry) -> Option<Self> {
        let file_name = entry.file_name();
        let file_name = file_name.to_str()?;
        let by_suffix = |suffix| Some((SegmentName::parse(file_name.strip_suffix(suffix)?)?, suffix));
        let (name, suffix) = [CLOSED_SUFFIX, OPEN_SUFFIX, DAMAGED_SUFFIX].into_iter().find_map(by_suffix)?;
        // Of the entry itself: a symbolic link is somebody else's.
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        Some(Self { name, suffix, bytes: metadata.len(), index_bytes: 0, modified: metadata.modified().ok()? })
    }

    fn closed(self, newest_ns: u64) -> ClosedSegment {
        ClosedSegment { name: self.name, suffix: self.suffix, bytes: self.bytes + self.index_bytes, newest_ns }
    }
}
