//! The capture files that frames are written to, one or one after the other.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use capture::{CaptureError, Frame, LinkType, MAX_SNAPLEN, file_header, record_header};
use thiserror::Error;

use crate::pcap_ring::FileTime;

/// Why frames were not written.
#[derive(Debug, Error)]
pub enum ExtractError {
    /// The files cannot be read again.
    #[error(transparent)]
    Read(#[from] CaptureError),
    /// A file cannot be written.
    #[error("{path}: {error}")]
    Write {
        /// The file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The format has one link type a file (draft-ietf-opsawg-pcap, 4).
    #[error("{0}: frames of link types {1} and {2} cannot be in one pcap file; write them one after the other")]
    LinkTypes(String, u16, u16),
}

/// When the next file begins, and how many are kept; 0 is never, and all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rotation {
    /// Nanoseconds of packet time of a file.
    pub duration_ns: u64,
    /// Size of a file in bytes.
    pub bytes: u64,
    /// Files that are kept; the oldest is removed.
    pub files: usize,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Frames.
    pub frames: u64,
    /// Files, those included that were removed.
    pub files: u64,
    /// Whether there was no room to remember all wanted flows.
    pub left_out: bool,
}

/// Capture files in pcap with nanoseconds. With a rotation their names have a number and the time of the first frame.
#[derive(Debug)]
pub struct FrameFiles {
    path: PathBuf,
    rotation: Rotation,
    current: Option<Current>,
    kept: VecDeque<PathBuf>,
    written: Written,
}

#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: BufWriter<File>,
    link_type: LinkType,
    first_ns: u64,
    bytes: u64,
}

impl FrameFiles {
    /// Files that are written when frames come; an existing one is replaced.
    pub fn new(path: PathBuf, rotation: Rotation) -> Self {
        Self { path, rotation, current: None, kept: VecDeque::new(), written: Written::default() }
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// The file cannot be written, or the frame is of another link type than those before it.
    pub fn write(&mut self, frame: &Frame<'_>) -> Result<(), ExtractError> {
        if self.current.as_ref().is_some_and(|current| self.rotation.is_over(current, frame)) {
            self.close()?;
        }
        let current = match &mut self.current {
            Some(current) => current,
            None => self.current.insert(Current::open(self.next_path(frame.timestamp_ns), frame)?),
        };
        if current.bytes == FILE_HEADER_BYTES {
            self.written.files += 1;
            self.kept.push_back(current.path.clone());
        }
        current.write(frame)?;
        self.written.frames += 1;
        Ok(())
    }

    /// Closes the last file; without any frame it is an empty capture.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> Result<Written, ExtractError> {
        if self.written.frames == 0 {
            let header = file_header(LinkType::ETHERNET, MAX_SNAPLEN);
            std::fs::write(&self.path, header).map_err(|error| cannot_write(&self.path, error))?;
            self.written.files = 1;
        }
        self.close()?;
        Ok(self.written)
    }

    fn close(&mut self) -> Result<(), ExtractError> {
        if let Some(mut current) = self.current.take() {
            current.file.flush().map_err(|error| cannot_write(&current.path, error))?;
        }
        while self.rotation.files > 0 && self.kept.len() > self.rotation.files {
            if let Some(oldest) = self.kept.pop_front() {
                std::fs::remove_file(&oldest).map_err(|error| cannot_write(&oldest, error))?;
            }
        }
        Ok(())
    }

    fn next_path(&self, time_ns: u64) -> PathBuf {
        if self.rotation.duration_ns == 0 && self.rotation.bytes == 0 {
            return self.path.clone();
        }
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let suffix = self.path.extension().map(|suffix| format!(".{}", suffix.to_string_lossy())).unwrap_or_default();
        let number = self.written.files + 1;
        self.path.with_file_name(format!("{stem}_{number:05}_{}{suffix}", FileTime(time_ns)))
    }
}

const FILE_HEADER_BYTES: u64 = 24;

impl Rotation {
    fn is_over(self, current: &Current, frame: &Frame<'_>) -> bool {
        let lasted_ns = frame.timestamp_ns.saturating_sub(current.first_ns);
        (self.duration_ns > 0 && lasted_ns >= self.duration_ns) || (self.bytes > 0 && current.bytes >= self.bytes)
    }
}

impl Current {
    fn open(path: PathBuf, frame: &Frame<'_>) -> Result<Self, ExtractError> {
        let file = File::create(&path).map_err(|error| cannot_write(&path, error))?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        let header = file_header(frame.link_type, MAX_SNAPLEN);
        file.write_all(&header).map_err(|error| cannot_write(&path, error))?;
        Ok(Self { path, file, link_type: frame.link_type, first_ns: frame.timestamp_ns, bytes: FILE_HEADER_BYTES })
    }

    fn write(&mut self, frame: &Frame<'_>) -> Result<(), ExtractError> {
        if frame.link_type != self.link_type {
            let path = self.path.display().to_string();
            return Err(ExtractError::LinkTypes(path, self.link_type.0, frame.link_type.0));
        }
        let header = record_header(frame);
        let result = self.file.write_all(&header).and_then(|()| self.file.write_all(frame.data));
        self.bytes += (header.len() + frame.data.len()) as u64;
        result.map_err(|error| cannot_write(&self.path, error))
    }
}

fn cannot_write(path: &Path, error: io::Error) -> ExtractError {
    ExtractError::Write { path: path.display().to_string(), error }
}

#[cfg(test)]
mod tests {
    use capture::{Block, OwnedBlock};

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn write(rotation: Rotation, link_types: [LinkType; 2]) -> (Result<Written, ExtractError>, Vec<(String, u64)>) {
        let directory = tempfile::tempdir().expect("a directory");
        let mut files = FrameFiles::new(directory.path().join("out.pcap"), rotation);
        let mut result = Ok(());
        for number in 0..6 {
            let frames = [(1_700_000_000 * SECOND + number * SECOND, &[7_u8; 84][..])];
            let block = OwnedBlock::from_frames(frames, link_types[(number / 3) as usize], 0);
            for frame in block.frames() {
                result = result.and_then(|()| files.write(&frame));
            }
        }
        let written = result.and_then(|()| files.finish());
        let entry = |entry: io::Result<std::fs::DirEntry>| {
            let entry = entry.expect("an entry");
            (entry.file_name().to_string_lossy().into_owned(), entry.metadata().expect("metadata").len())
        };
        let mut there: Vec<_> = std::fs::read_dir(directory.path()).expect("a directory").map(entry).collect();
        there.sort();
        (written, there)
    }

    #[test]
    fn frames_go_to_one_file_or_to_numbered_ones_of_which_the_last_are_kept() {
        let one_type = [LinkType::ETHERNET; 2];
        let written = |files| Written { frames: 6, files, left_out: false };
        let (told, there) = write(Rotation::default(), one_type);
        assert_eq!(told.expect("written"), written(1));
        assert_eq!(there, [("out.pcap".to_owned(), 24 + 600)]);
        let (told, there) = write(Rotation { duration_ns: 2 * SECOND, ..Rotation::default() }, one_type);
        assert_eq!(told.expect("written"), written(3));
        let names: Vec<_> = there.iter().map(|(name, _)| name.as_str()).collect();
        let expected = ["00001_20231114T221320", "00002_20231114T221322", "00003_20231114T221324"];
        assert!(names.iter().zip(expected).all(|(name, part)| name.starts_with(&format!("out_{part}"))), "{names:?}");
        let (told, there) = write(Rotation { bytes: 200, files: 2, ..Rotation::default() }, one_type);
        assert_eq!(told.expect("written"), written(3));
        assert_eq!(there.iter().map(|(_, bytes)| *bytes).collect::<Vec<_>>(), [224, 224]);
    }

    #[test]
    fn two_link_types_do_not_fit_into_one_file() {
        let (told, _) = write(Rotation::default(), [LinkType::ETHERNET, LinkType::RAW]);
        assert!(matches!(told, Err(ExtractError::LinkTypes(_, 1, 101))), "{told:?}");
    }

    #[test]
    fn without_frames_there_is_an_empty_capture() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("none.pcap");
        let written = FrameFiles::new(path.clone(), Rotation::default()).finish().expect("written");
        assert_eq!((written.frames, std::fs::read(path).expect("a file").len()), (0, 24));
    }
}
