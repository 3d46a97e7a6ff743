//! Several capture files as one stream in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use crate::error::CaptureError;
use crate::file::{CHUNK_BYTES, FileReader};
use crate::frame::{Frame, OwnedBlock};

/// A merged block is handed out once it holds this many bytes or frames.
const BLOCK_BYTES: usize = 1 << 20;
const BLOCK_FRAMES: usize = 1 << 14;
/// What all files together hold of what was read ahead, as long as there are not so many that even
/// [`LEAST_CHUNK_BYTES`] of each exceed it.
const READ_AHEAD_BYTES: usize = 64 << 20;
const LEAST_CHUNK_BYTES: usize = 1 << 14;

/// Merges capture files by timestamp; frames of equal time come in the order of the files.
///
/// Inside a file the order stays as it is, even where time goes backwards there: only the foremost frames of the files
/// are compared. A single file passes through without its frames being copied.
pub struct MergedReader {
    sources: Vec<Source>,
    /// The time of each source's foremost frame, and the source's position; empty before the first block.
    foremost: BinaryHeap<Reverse<(u64, usize)>>,
    started: bool,
    warnings: Vec<String>,
}

struct Source {
    reader: FileReader,
    block: OwnedBlock,
    position: usize,
}

impl MergedReader {
    /// Opens the files (`-` is standard input); a frame's `interface` is the position of its file in `paths`.
    ///
    /// A file that cannot be opened becomes a [warning](Self::warnings) as long as another one can.
    ///
    /// # Errors
    /// [`CaptureError::NoFiles`], or what is wrong with the first file if none can be opened.
    pub fn open<P: AsRef<str>>(paths: &[P]) -> Result<Self, CaptureError> {
        let mut sources = Vec::with_capacity(paths.len());
        let mut failures = Vec::new();
        let chunk_bytes = (READ_AHEAD_BYTES / paths.len().max(1)).clamp(LEAST_CHUNK_BYTES, CHUNK_BYTES);
        for (index, path) in paths.iter().enumerate() {
            let interface = u16::try_from(index).unwrap_or(u16::MAX);
            match FileReader::open_in_chunks(path.as_ref(), interface, chunk_bytes) {
                Ok(reader) => sources.push(Source { reader, block: OwnedBlock::default(), position: 0 }),
                Err(failure) => failures.push(failure),
            }
        }
        if sources.is_empty() {
            return Err(failures.into_iter().next().unwrap_or(CaptureError::NoFiles));
        }
        let warnings = failures.iter().map(ToString::to_string).collect();
        Ok(Self { sources, foremost: BinaryHeap::new(), started: false, warnings })
    }

    /// Reads the next frames into a block that was used before, so that its memory serves again; `None` at the end.
    ///
    /// # Errors
    /// [`CaptureError::Unreadable`] if the only file could not be read at all; a failure of one of several files is a
    /// [warning](Self::warnings).
    pub fn next_block(&mut self, mut block: OwnedBlock) -> Result<Option<OwnedBlock>, CaptureError> {
        if let [only] = &mut self.sources[..] {
            let next = only.reader.next_block(block)?;
            if next.is_none() {
                self.warnings.extend(only.reader.take_warning());
            }
            return Ok(next);
        }
        if !self.started {
            self.started = true;
            for index in 0..self.sources.len() {
                let time = self.sources[index].refill(&mut self.warnings);
                self.foremost.extend(time.map(|time_ns| Reverse((time_ns, index))));
            }
        }
        block.data.clear();
        block.frames.clear();
        while block.data.len() < BLOCK_BYTES && block.frames.len() < BLOCK_FRAMES && self.move_foremost(&mut block) {}
        Ok((!block.frames.is_empty()).then_some(block))
    }

    /// What was wrong with the files so far; complete once [`next_block`](Self::next_block) gave `None`.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Bytes taken from the files so far, as they lie there: of compressed ones the compressed bytes.
    pub fn taken_bytes(&self) -> u64 {
        self.sources.iter().map(|source| source.reader.taken_bytes()).sum()
    }

    /// Copies the earliest of the foremost frames; false if there is none left.
    fn move_foremost(&mut self, block: &mut OwnedBlock) -> bool {
        let Some(mut earliest) = self.foremost.peek_mut() else { return false };
        let Reverse((_, index)) = *earliest;
        let source = &mut self.sources[index];
        if let Some(frame) = source.frame() {
            block.push(&frame);
        }
        source.position += 1;
        let next_time = source.frame().map(|frame| frame.timestamp_ns).or_else(|| source.refill(&mut self.warnings));
        match next_time {
            Some(time_ns) => *earliest = Reverse((time_ns, index)),
            None => drop(PeekMut::pop(earliest)),
        }
        true
    }
}

impl Source {
    fn frame(&self) -> Option<Frame<'_>> {
        self.block.frame(self.position)
    }

    /// Reads on; the time of the foremost frame then, or `None` at the end of the file.
    fn refill(&mut self, warnings: &mut Vec<String>) -> Option<u64> {
        self.position = 0;
        match self.reader.next_block(std::mem::take(&mut self.block)) {
            Ok(Some(block)) => self.block = block,
            Ok(None) => warnings.extend(self.reader.take_warning()),
            Err(failure) => warnings.push(failure.to_string()),
        }
        self.frame().map(|frame| frame.timestamp_ns)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tempfile::NamedTempFile;

    use super::*;
    use crate::frame::{Block, LinkType};
    use crate::write::{file_header, record_header};

    /// A capture of frames that consist of their time as text.
    fn capture(times_ns: &[u64]) -> NamedTempFile {
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(&file_header(LinkType::ETHERNET, 65535)).expect("header written");
        let texts: Vec<String> = times_ns.iter().map(u64::to_string).collect();
        let frames = times_ns.iter().zip(&texts).map(|(time, text)| (*time, text.as_bytes()));
        for frame in OwnedBlock::from_frames(frames, LinkType::ETHERNET, 0).frames() {
            file.write_all(&record_header(&frame)).expect("record written");
            file.write_all(frame.data).expect("record written");
        }
        file
    }

    fn read_all(paths: &[&str]) -> (Vec<(u64, u16)>, Vec<String>) {
        let mut reader = MergedReader::open(paths).expect("a readable file");
        let mut block = OwnedBlock::default();
        let mut seen = Vec::new();
        while let Some(next) = reader.next_block(block).expect("readable blocks") {
            for frame in next.frames() {
                assert_eq!(frame.data, frame.timestamp_ns.to_string().as_bytes());
                seen.push((frame.timestamp_ns, frame.interface));
            }
            block = next;
        }
        (seen, reader.warnings().to_vec())
    }

    fn path(file: &NamedTempFile) -> &str {
        file.path().to_str().expect("a path in UTF-8")
    }

    #[test]
    fn files_are_merged_by_time_and_equal_times_by_file() {
        let files = [capture(&[10, 20, 20, 50]), capture(&[]), capture(&[5, 20, 60])];
        let (seen, warnings) = read_all(&files.each_ref().map(path));
        assert_eq!(seen, [(5, 2), (10, 0), (20, 0), (20, 0), (20, 2), (50, 0), (60, 2)]);
        assert!(warnings.is_empty());
    }

    #[test]
    fn time_that_goes_backwards_inside_a_file_keeps_its_place() {
        let files = [capture(&[10, 30, 20]), capture(&[25])];
        assert_eq!(read_all(&files.each_ref().map(path)).0, [(10, 0), (25, 1), (30, 0), (20, 0)]);
    }

    #[test]
    fn frames_are_numbered_by_file() {
        let files = [capture(&[10, 20]), capture(&[5, 15, 30])];
        let mut reader = MergedReader::open(&files.each_ref().map(path)).expect("readable files");
        let block = reader.next_block(OwnedBlock::default()).expect("readable blocks").expect("frames");
        let numbers: Vec<_> = block.frames().map(|frame| (frame.interface, frame.number)).collect();
        assert_eq!(numbers, [(1, 1), (0, 1), (1, 2), (0, 2), (1, 3)]);
    }

    #[test]
    fn blocks_go_on_where_the_last_one_was_full() {
        let even: Vec<u64> = (0..BLOCK_FRAMES as u64).map(|n| 2 * n).collect();
        let odd: Vec<u64> = even.iter().map(|n| n + 1).collect();
        let files = [capture(&even), capture(&odd)];
        let times: Vec<u64> = read_all(&files.each_ref().map(path)).0.into_iter().map(|(time, _)| time).collect();
        assert_eq!(times, (0..2 * BLOCK_FRAMES as u64).collect::<Vec<_>>());
    }

    #[test]
    fn many_files_read_less_of_each_ahead() {
        let files: Vec<_> = (0..200).map(|n| capture(&vec![n; 20_000])).collect();
        let paths: Vec<&str> = files.iter().map(path).collect();
        let mut reader = MergedReader::open(&paths).expect("readable files");
        reader.next_block(OwnedBlock::default()).expect("readable blocks");
        let held: usize = reader.sources.iter().map(|source| source.block.data.capacity()).sum();
        assert!(held <= READ_AHEAD_BYTES, "{held}");
    }

    #[test]
    fn a_bad_file_is_a_warning_beside_a_good_one_and_an_error_alone() {
        let good = capture(&[1]);
        let (seen, warnings) = read_all(&["/nonexistent/capture.pcap", path(&good)]);
        assert_eq!(seen, [(1, 1)]);
        assert!(warnings.len() == 1 && warnings[0].contains("/nonexistent/capture.pcap"), "{warnings:?}");
        let alone = MergedReader::open(&["/nonexistent/capture.pcap"]);
        assert!(matches!(alone, Err(CaptureError::Unreadable { .. })));
        assert!(matches!(MergedReader::open::<&str>(&[]), Err(CaptureError::NoFiles)));
    }

    #[test]
    fn a_cut_file_warns_alone_and_among_others() {
        let (good, cut) = (capture(&[3]), capture(&[1, 2]));
        cut.as_file().set_len(cut.as_file().metadata().expect("metadata").len() - 1).expect("file cut");
        for (paths, expected) in [(&[path(&cut)][..], &[1][..]), (&[path(&good), path(&cut)], &[1, 3])] {
            let (seen, warnings) = read_all(paths);
            assert_eq!(seen.iter().map(|(time, _)| *time).collect::<Vec<_>>(), expected);
            assert!(warnings.len() == 1 && warnings[0].contains("at byte 41"), "{warnings:?}");
        }
    }
}
