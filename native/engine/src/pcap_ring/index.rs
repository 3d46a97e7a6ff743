//! The index beside a segment, `<name>.idx`: what each block of about 128 KiB of it has to do with.
//!
//! A file of records that are appended as the segment fills, each with a checksum: whatever a crash leaves is a prefix
//! of whole records. What of the segment no record covers has to be read; so has all of it where there is no index.
//!
//! | bytes | field |
//! |---|---|
//! | 8 | [`MAGIC`], once |
//! | 4 | length of what follows the checksum |
//! | 8 | checksum of what follows |
//! | 8, 4 | where the block begins in the segment, and its length |
//! | 8, 8 | earliest and latest time of a frame in it, ns since 1970 |
//! | rest | the filter: 2,048 bytes, or the positions of its set bits in two bytes each where these are few |
//!
//! When a segment is closed and every byte of it has a record, the index ends in one about all of it: length and checksum
//! as above, then three numbers of 8 bytes, the segment's length, and the earliest and latest time of a frame in it. What
//! lies outside a question's times is known by these few bytes.
//!
//! All numbers are little-endian.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::keys::{FILTER_WORDS, KeyFilter};
use super::segment::FILE_HEADER_BYTES;

/// Suffix of an index.
pub(crate) const INDEX_SUFFIX: &str = ".idx";
/// Bytes of a segment that one record tells of, unless a single frame is larger.
pub(crate) const BLOCK_BYTES: usize = 128 << 10;
const MAGIC: [u8; 8] = *b"spanidx1";
const HEAD_BYTES: usize = 12;
const FIXED_BYTES: usize = 28;
const FILTER_BYTES: usize = FILTER_WORDS * 8;
const SPAN_BYTES: usize = 24;
const MAX_BODY_BYTES: usize = FIXED_BYTES + FILTER_BYTES;
/// Set bits that are written by their positions. More would be shorter than the filter, too, but cost the writer more
/// than copying it.
const MOST_POSITIONS: usize = FILTER_BYTES / 8;

/// A part of a segment, from a frame's beginning to a frame's end, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexBlock {
    /// First byte in the segment.
    pub(crate) start: u64,
    /// Length in bytes.
    pub(crate) bytes: u32,
    /// Earliest time of a frame.
    pub(crate) oldest_ns: u64,
    /// Latest time of a frame.
    pub(crate) newest_ns: u64,
    /// What its frames can be found by.
    pub(crate) filter: KeyFilter,
}

impl IndexBlock {
    /// First byte behind it.
    pub(crate) fn end(&self) -> u64 {
        self.start + u64::from(self.bytes)
    }

    fn append_to(&self, out: &mut Vec<u8>) {
        let record = begin_record(out);
        out.extend(self.start.to_le_bytes());
        out.extend(self.bytes.to_le_bytes());
        out.extend(self.oldest_ns.to_le_bytes());
        out.extend(self.newest_ns.to_le_bytes());
        let set: u32 = self.filter.0.iter().map(|word| word.count_ones()).sum();
        if set as usize <= MOST_POSITIONS {
            set_positions(&self.filter).for_each(|position| out.extend(position.to_le_bytes()));
        } else {
            self.filter.0.iter().for_each(|word| out.extend(word.to_le_bytes()));
        }
        end_record(out, record);
    }

    /// Reads what stands behind a record's checksum.
    fn parse(body: &[u8]) -> Option<Self> {
        let (fixed, filter) = body.split_at_checked(FIXED_BYTES)?;
        let number = |at: usize| Some(u64::from_le_bytes(fixed[at..at + 8].try_into().ok()?));
        let bytes = u32::from_le_bytes(fixed[8..12].try_into().ok()?);
        let start = number(0)?;
        start.checked_add(u64::from(bytes))?;
        Some(Self { start, bytes, oldest_ns: number(12)?, newest_ns: number(20)?, filter: parse_filter(filter)? })
    }
}

/// The times of all frames of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentSpan {
    /// Length of the segment.
    bytes: u64,
    /// Earliest time of a frame.
    pub(crate) oldest_ns: u64,
    /// Latest time of a frame.
    pub(crate) newest_ns: u64,
}

impl SegmentSpan {
    /// Bytes that it takes at the end of an index.
    pub(crate) const RECORD_BYTES: u64 = (HEAD_BYTES + SPAN_BYTES) as u64;

    fn append_to(self, out: &mut Vec<u8>) {
        let record = begin_record(out);
        [self.bytes, self.oldest_ns, self.newest_ns].iter().for_each(|number| out.extend(number.to_le_bytes()));
        end_record(out, record);
    }

    fn parse(record: &[u8]) -> Option<Self> {
        let whole = Some(record).filter(|record| record.len() as u64 == Self::RECORD_BYTES)?;
        let body = body_of(whole).filter(|body| body.len() == SPAN_BYTES)?;
        let number = |at: usize| Some(u64::from_le_bytes(body[at..at + 8].try_into().ok()?));
        Some(Self { bytes: number(0)?, oldest_ns: number(8)?, newest_ns: number(16)? })
    }
}

/// Begins a record; gives its place for [`end_record`].
fn begin_record(out: &mut Vec<u8>) -> usize {
    out.extend([0; HEAD_BYTES]);
    out.len() - HEAD_BYTES
}

fn end_record(out: &mut [u8], record: usize) {
    let (head, body) = out[record..].split_at_mut(HEAD_BYTES);
    head[..4].copy_from_slice(&(body.len() as u32).to_le_bytes());
    head[4..].copy_from_slice(&checksum(body).to_le_bytes());
}

/// What stands behind the checksum of the record that `bytes` begin with, if it is sound.
fn body_of(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    let length = u32::from_le_bytes(head[..4].try_into().ok()?) as usize;
    let sum = u64::from_le_bytes(head[4..].try_into().ok()?);
    let body = rest.get(..length).filter(|_| length <= MAX_BODY_BYTES)?;
    (checksum(body) == sum).then_some(body)
}

fn set_positions(filter: &KeyFilter) -> impl Iterator<Item = u16> {
    let in_word = |(index, &word): (usize, &u64)| {
        let rests = std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)));
        rests.take_while(|rest| *rest != 0).map(move |rest| index as u16 * 64 + rest.trailing_zeros() as u16)
    };
    filter.0.iter().enumerate().flat_map(in_word)
}

fn parse_filter(bytes: &[u8]) -> Option<KeyFilter> {
    let mut filter = KeyFilter::default();
    if bytes.len() == FILTER_BYTES {
        for (word, bytes) in filter.0.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().ok()?);
        }
        return Some(filter);
    }
    for pair in bytes.chunks_exact(2) {
        let position = usize::from(u16::from_le_bytes([pair[0], pair[1]]));
        *filter.0.get_mut(position >> 6)? |= 1 << (position & 63);
    }
    (bytes.len() % 2 == 0).then_some(filter)
}

/// FNV-1a over words of 64 bits, the last one filled up with zeros: against what a crash leaves, not against an attacker.
fn checksum(bytes: &[u8]) -> u64 {
    let word = |chunk: &[u8]| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    };
    let step = |sum: u64, chunk| (sum ^ word(chunk)).wrapping_mul(0x0100_0000_01b3);
    bytes.chunks(8).fold(0xcbf2_9ce4_8422_2325, step)
}

/// What an index says, and whether it says all that was written into it.
#[derive(Debug, Default)]
pub(crate) struct ReadIndex {
    /// The blocks, in order, none over another.
    pub(crate) blocks: Vec<IndexBlock>,
    /// Something behind the blocks is no record.
    pub(crate) damaged: bool,
    /// Length of the file.
    pub(crate) bytes: u64,
}

/// Reads an index as far as it is sound. `segment_bytes` bounds what it may speak of, and so the memory that it takes.
///
/// # Errors
/// What the system says, [`io::ErrorKind::NotFound`] where there is none.
pub(crate) fn read_index(path: &Path, segment_bytes: u64) -> io::Result<ReadIndex> {
    // No block is empty, and one that is smaller than half a block stands before a larger frame or at an end.
    let most = segment_bytes.saturating_mul(4).saturating_add(1 << 16);
    let mut content = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut content)?;
    let mut read = ReadIndex { bytes: content.len() as u64, ..ReadIndex::default() };
    let Some(mut rest) = content.strip_prefix(&MAGIC) else {
        read.damaged = true;
        return Ok(read);
    };
    while !rest.is_empty() && SegmentSpan::parse(rest).is_none() {
        let end = read.blocks.last().map_or(0, IndexBlock::end);
        match next_block(rest).filter(|(block, _)| block.start >= end && block.bytes > 0) {
            Some((block, behind)) => {
                rest = behind;
                read.blocks.push(block);
            }
            None => {
                read.damaged = true;
                break;
            }
        }
    }
    Ok(read)
}

fn next_block(bytes: &[u8]) -> Option<(IndexBlock, &[u8])> {
    let body = body_of(bytes)?;
    Some((IndexBlock::parse(body)?, &bytes[HEAD_BYTES + body.len()..]))
}

/// Reads the times of a closed segment from the end of its index; `None` where that does not tell of all `segment_bytes`.
pub(crate) fn read_span(path: &Path, segment_bytes: u64) -> Option<SegmentSpan> {
    let file = File::open(path).ok()?;
    let start = file.metadata().ok()?.len().checked_sub(SegmentSpan::RECORD_BYTES)?;
    let mut record = [0; SegmentSpan::RECORD_BYTES as usize];
    file.read_exact_at(&mut record, start).ok()?;
    SegmentSpan::parse(&record).filter(|span| span.bytes == segment_bytes)
}

/// The index of a segment that is being written. Small blocks that follow one another become one, and the records of
/// those that are whole are gathered for one write.
#[derive(Debug)]
pub(super) struct IndexWriter {
    path: PathBuf,
    file: Option<File>,
    open: Option<Box<IndexBlock>>,
    /// All that was added, as long as no part of the segment was left out.
    span: Option<SegmentSpan>,
    /// Records that are not in the file yet.
    gathered: Vec<u8>,
    /// Bytes in the file.
    pub(super) bytes: u64,
    /// Why nothing more is written.
    pub(super) error: Option<io::Error>,
}

impl IndexWriter {
    pub(super) fn new(path: PathBuf) -> Self {
        let span = Some(SegmentSpan { bytes: FILE_HEADER_BYTES, oldest_ns: u64::MAX, newest_ns: 0 });
        Self { path, file: None, open: None, span, gathered: Vec::new(), bytes: 0, error: None }
    }

    /// Takes a block that stands in the segment.
    pub(super) fn add(&mut self, block: IndexBlock) {
        self.span = self.span.filter(|span| span.bytes == block.start).map(|span| SegmentSpan {
            bytes: block.end(),
            oldest_ns: span.oldest_ns.min(block.oldest_ns),
            newest_ns: span.newest_ns.max(block.newest_ns),
        });
        match &mut self.open {
            Some(open) if open.end() == block.start && (open.bytes + block.bytes) as usize <= BLOCK_BYTES => {
                open.bytes += block.bytes;
                open.oldest_ns = open.oldest_ns.min(block.oldest_ns);
                open.newest_ns = open.newest_ns.max(block.newest_ns);
                open.filter.merge(&block.filter);
            }
            _ => {
                if let Some(whole) = self.open.replace(Box::new(block)) {
                    self.gather(&whole);
                }
            }
        }
    }

    fn gather(&mut self, whole: &IndexBlock) {
        if self.error.is_some() {
            return;
        }
        if self.bytes == 0 && self.gathered.is_empty() {
            self.gathered.extend(MAGIC);
        }
        whole.append_to(&mut self.gathered);
    }

    /// Writes the records of all blocks but the last, which is open for more. After an error nothing more is written:
    /// what the file holds is sound, and the rest of the segment will be read whole.
    pub(super) fn write_gathered(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        match self.write() {
            Ok(()) => self.bytes += self.gathered.len() as u64,
            Err(error) => self.error = Some(error),
        }
        self.gathered.clear();
    }

    /// Writes all that is left, of a segment that is `segment_bytes` long.
    pub(super) fn end(&mut self, segment_bytes: u64) {
        if let Some(last) = self.open.take() {
            self.gather(&last);
            if let Some(span) = self.span.filter(|span| span.bytes == segment_bytes && self.error.is_none()) {
                span.append_to(&mut self.gathered);
            }
        }
        self.write_gathered();
    }

    fn write(&mut self) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => {
                // As private as the packets. One that is there belongs to a segment that is gone.
                let mut options = OpenOptions::new();
                self.file.insert(options.write(true).create(true).truncate(true).mode(0o640).open(&self.path)?)
            }
        };
        file.write_all_at(&self.gathered, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pcap_ring::keys::Key;

    fn block(start: u64, bytes: u32, ports: std::ops::Range<u16>) -> IndexBlock {
        let mut filter = KeyFilter::default();
        ports.for_each(|port| filter.insert(Key::port(port)));
        IndexBlock { start, bytes, oldest_ns: start, newest_ns: start + 5, filter }
    }

    /// An index of these blocks, whose last one ends the segment.
    fn written(blocks: &[IndexBlock]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.idx");
        let mut writer = IndexWriter::new(path.clone());
        blocks.iter().for_each(|block| writer.add(block.clone()));
        writer.end(blocks.last().map_or(0, IndexBlock::end));
        assert_eq!(writer.bytes, std::fs::metadata(&path).expect("an index").len());
        (directory, path)
    }

    #[test]
    fn blocks_come_back_few_keys_and_many() {
        let blocks = [block(24, 100_000, 0..5), block(100_024, 131_072, 0..4000), block(300_000, 7, 0..0)];
        let (_directory, path) = written(&blocks);
        let read = read_index(&path, 1 << 20).expect("an index");
        assert_eq!(read.blocks, blocks);
        assert!(!read.damaged);
        assert!(read.bytes < 2500, "{}", read.bytes);
    }

    #[test]
    fn small_neighbours_become_one_block() {
        let (_directory, path) = written(&[block(24, 100, 1..2), block(124, 50, 2..3), block(200, 50, 3..4)]);
        let read = read_index(&path, 1 << 20).expect("an index");
        let places: Vec<_> = read.blocks.iter().map(|block| (block.start, block.bytes)).collect();
        assert_eq!(places, [(24, 150), (200, 50)]);
        assert_eq!((read.blocks[0].oldest_ns, read.blocks[0].newest_ns), (24, 129));
        assert!(read.blocks[0].filter.may_hold(Key::port(1)) && read.blocks[0].filter.may_hold(Key::port(2)));
    }

    #[test]
    fn every_cut_leaves_the_whole_records_before_it() {
        let (_directory, path) = written(&[block(24, BLOCK_BYTES as u32, 0..3), block(200_000, 9, 0..3)]);
        let whole = std::fs::read(&path).expect("an index");
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("written");
            let read = read_index(&path, 1 << 20).expect("an index");
            assert!(read.blocks.len() <= 1 && (read.damaged || read.blocks.len() == 1 || cut == 8), "cut at {cut}");
        }
    }

    #[test]
    fn the_records_of_whole_blocks_are_written_together() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.idx");
        let blocks = [block(24, 9, 0..3), block(100, 9, 3..4), block(200, 9, 4..5)];
        let mut writer = IndexWriter::new(path.clone());
        blocks.iter().for_each(|block| writer.add(block.clone()));
        assert!(!path.exists());
        writer.write_gathered();
        assert_eq!(read_index(&path, 1 << 20).expect("an index").blocks, blocks[..2]);
        writer.end(209);
        assert_eq!(read_index(&path, 1 << 20).expect("an index").blocks, blocks);
    }

    #[test]
    fn the_end_tells_the_times_of_a_segment_that_has_a_record_for_every_byte() {
        let far = 24 + BLOCK_BYTES as u64;
        let blocks = [block(24, BLOCK_BYTES as u32, 0..3), IndexBlock { oldest_ns: 3, ..block(far, 9, 3..4) }];
        let (_directory, path) = written(&blocks);
        let span = read_span(&path, far + 9).expect("a span");
        assert_eq!((span.oldest_ns, span.newest_ns), (3, far + 5));
        let read = read_index(&path, 1 << 20).expect("an index");
        assert!(!read.damaged && read.blocks == blocks);
        assert_eq!(read_span(&path, far + 10), None, "the segment is longer");
        let (_directory, path) = written(&[block(24, 9, 0..3), block(50, 9, 3..4)]);
        assert_eq!(read_span(&path, 59), None, "a part is left out");
        let (_directory, path) = written(&[block(40, 9, 0..3)]);
        assert_eq!(read_span(&path, 49), None, "the first part is left out");
    }

    #[test]
    fn a_failed_write_ends_the_index() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("gone/x.idx");
        let mut writer = IndexWriter::new(path.clone());
        [block(24, 9, 0..3), block(100, 9, 3..4)].into_iter().for_each(|block| writer.add(block));
        writer.write_gathered();
        assert_eq!(writer.error.as_ref().map(io::Error::kind), Some(io::ErrorKind::NotFound));
        std::fs::create_dir(directory.path().join("gone")).expect("created");
        writer.add(block(200, 9, 4..5));
        writer.end(209);
        assert!(!path.exists() && writer.bytes == 0 && writer.gathered.is_empty());
    }

    proptest! {
        #[test]
        fn a_span_is_whole_or_none(cut in 0usize..80, at in 0usize..36, flipped in 1u8..) {
            let (_directory, path) = written(&[block(24, 1000, 0..9)]);
            let whole = std::fs::read(&path).expect("an index");
            let mut bytes = whole.clone();
            let start = bytes.len() - 36;
            bytes[start + at] ^= flipped;
            std::fs::write(&path, &bytes).expect("written");
            prop_assert!(read_span(&path, 1024).is_none());
            std::fs::write(&path, &whole[..cut.min(whole.len() - 1)]).expect("written");
            prop_assert!(read_span(&path, 1024).is_none());
        }

        #[test]
        fn damage_is_noticed(at in 8usize..80, flipped in 1u8..) {
            let (_directory, path) = written(&[block(24, 1000, 0..9)]);
            let mut bytes = std::fs::read(&path).expect("an index");
            let at = at % bytes.len();
            bytes[at] ^= flipped;
            std::fs::write(&path, &bytes).expect("written");
            let read = read_index(&path, 1 << 20).expect("an index");
            prop_assert!(read.damaged && read.blocks.is_empty());
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("x.idx");
            std::fs::write(&path, [&MAGIC[..], &bytes].concat()).expect("written");
            prop_assert!(read_index(&path, 100).is_ok());
        }
    }
}
