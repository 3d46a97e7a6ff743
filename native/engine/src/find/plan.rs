//! What of a ring has to be read: which segments, and which parts of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::num::NonZeroU64;
use std::ops::Range;
use std::path::{Path, PathBuf};

use capture::{LinkType, own_link_type};
use rustix::fs::{Advice, fadvise};
use serde::Serialize;

use super::matcher::Wanted;
use super::{FindError, PacketQuery};
use crate::pcap_ring::{
    CLOSED_SUFFIX, DAMAGED_SUFFIX, FILE_HEADER_BYTES, INDEX_SUFFIX, IndexBlock, OPEN_SUFFIX, ReadIndex, SegmentName,
    SegmentSpan, read_index, read_span,
};

/// Parts of a segment that are so near each other are read as one.
const GAP_BYTES: u64 = 64 << 10;
/// What of a segment the disk is asked for ahead: memory of the system's, for what may never be read.
const MOST_AHEAD_BYTES: u64 = 64 << 20;

/// How much there is, and how much of it has to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PlanNumbers {
    /// Segments in the ring.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Segments that have to be opened.
    pub read_segments: u64,
    /// Bytes that have to be read.
    pub read_bytes: u64,
    /// Segments without an index, or with one that is damaged.
    pub unindexed_segments: u64,
    /// Bytes of the indexes that were read.
    pub index_bytes: u64,
}

/// A segment and what of it has to be read.
#[derive(Debug)]
pub(super) struct SegmentPart {
    /// Path without the suffix.
    pub(super) stem: PathBuf,
    /// Where records begin and end, in order.
    pub(super) ranges: Vec<Range<u64>>,
    /// The last range goes on to where the file is whole when it is read.
    pub(super) open_end: bool,
}

impl SegmentPart {
    /// Lets the disk fetch it before its turn.
    pub(super) fn ask_ahead(&self) {
        // Whether it is there is told when its turn comes.
        let Ok(file) = open(&self.stem) else { return };
        let mut left = MOST_AHEAD_BYTES;
        for range in &self.ranges {
            let Some(bytes) = NonZeroU64::new(left.min(range.end - range.start)) else { continue };
            // A file system that takes no advice reads as late as ever.
            let _ = fadvise(&file, range.start, Some(bytes), Advice::WillNeed);
            left -= bytes.get();
        }
    }
}

/// Segments that follow one another: of one interface, worker and link type.
#[derive(Debug)]
pub(super) struct StreamPlan {
    pub(super) interface: String,
    pub(super) link_type: LinkType,
    pub(super) parts: Vec<SegmentPart>,
}

/// All that has to be read.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) streams: Vec<StreamPlan>,
    pub(super) numbers: PlanNumbers,
    pub(super) notes: Vec<String>,
}

struct Listed {
    name: SegmentName,
    suffix: &'static str,
    bytes: u64,
}

impl Plan {
    pub(super) fn make(query: &PacketQuery) -> Result<Self, FindError> {
        let wanted = Wanted::of(query)?;
        let mut plan = Self::default();
        let mut streams: BTreeMap<(String, usize, LinkType), Vec<SegmentPart>> = BTreeMap::new();
        for listed in list(&query.directory)? {
            plan.numbers.segments += 1;
            plan.numbers.bytes += listed.bytes;
            let stem = query.directory.join(listed.name.to_string());
            if plan.is_outside(&listed, &stem, query) {
                continue;
            }
            if let Some((link_type, part)) = plan.part(&listed, stem, query, &wanted) {
                let key = (listed.name.interface, listed.name.worker, link_type);
                streams.entry(key).or_default().push(part);
            }
        }
        let stream = |((interface, _, link_type), parts)| StreamPlan { interface, link_type, parts };
        plan.streams = streams.into_iter().map(stream).collect();
        Ok(plan)
    }

    /// Whether no frame of a closed segment is of the times that are asked for. The clock may have been set back inside it,
    /// so that names, which tell of first frames, say nothing for sure.
    fn is_outside(&mut self, listed: &Listed, stem: &Path, query: &PacketQuery) -> bool {
        let until_ns = query.until_ns.unwrap_or(u64::MAX);
        if listed.suffix != CLOSED_SUFFIX || (query.since_ns == 0 && until_ns == u64::MAX) {
            return false;
        }
        match read_span(&with_suffix(stem, INDEX_SUFFIX), listed.bytes) {
            Some(span) if span.newest_ns < query.since_ns || span.oldest_ns > until_ns => {
                self.numbers.index_bytes += SegmentSpan::RECORD_BYTES;
                true
            }
            Some(_) => false,
            None => listed.name.start_ns > until_ns.saturating_add(BACKWARDS_NS),
        }
    }

    fn part(
        &mut self,
        listed: &Listed,
        stem: PathBuf,
        query: &PacketQuery,
        wanted: &Wanted,
    ) -> Option<(LinkType, SegmentPart)> {
        let file_name = format!("{}{}", listed.name, listed.suffix);
        if listed.suffix == DAMAGED_SUFFIX {
            self.notes.push(format!("{file_name}: damaged, left out"));
            return None;
        }
        let index = self.index(listed, &stem);
        let ranges = ranges(&index.blocks, listed.bytes, |block| {
            let in_time = block.newest_ns >= query.since_ns && block.oldest_ns <= query.until_ns.unwrap_or(u64::MAX);
            in_time && wanted.may_be_in(block)
        });
        let open_end = listed.suffix == OPEN_SUFFIX;
        if ranges.is_empty() && !open_end {
            return None;
        }
        match link_type(&stem) {
            Ok(Some(link_type)) => {
                self.numbers.read_segments += 1;
                self.numbers.read_bytes += ranges.iter().map(|range| range.end - range.start).sum::<u64>();
                Some((link_type, SegmentPart { stem, ranges, open_end }))
            }
            Ok(None) => {
                if listed.bytes >= FILE_HEADER_BYTES {
                    self.notes.push(format!("{file_name}: not a segment of this ring, left out"));
                }
                None
            }
            Err(cause) => {
                self.notes.push(format!("{file_name}: cannot be read: {cause}"));
                None
            }
        }
    }

    fn index(&mut self, listed: &Listed, stem: &Path) -> ReadIndex {
        let path = with_suffix(stem, INDEX_SUFFIX);
        let index = read_index(&path, listed.bytes).unwrap_or_default();
        self.numbers.index_bytes += index.bytes;
        // The index of a segment that is being written ends before it, and may end in a piece of a record.
        let damaged = index.damaged && listed.suffix != OPEN_SUFFIX;
        if damaged {
            self.notes.push(format!("{}{INDEX_SUFFIX}: damaged, the rest of the segment is read whole", listed.name));
        }
        self.numbers.unindexed_segments += u64::from(damaged || index.blocks.is_empty());
        index
    }
}

/// How far time is trusted to run back between frames of an interface where no index tells.
const BACKWARDS_NS: u64 = 60 * 1_000_000_000;

/// The ring's segments in order of creation.
fn list(directory: &Path) -> Result<Vec<Listed>, FindError> {
    let refused = |cause| FindError::Io { what: format!("cannot read {}", directory.display()), cause };
    let mut listed = Vec::new();
    for entry in fs::read_dir(directory).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let file_name = entry.file_name();
        let Some(file_name) = file_name.to_str() else { continue };
        // One that is rotated away just now is gone.
        if let (Some((name, suffix)), Ok(metadata)) = (named(file_name), entry.metadata()) {
            listed.push(Listed { name, suffix, bytes: metadata.len() });
        }
    }
    listed.sort_by_key(|segment| segment.name.sequence);
    Ok(listed)
}

/// Reads the name of a segment's file.
fn named(file_name: &str) -> Option<(SegmentName, &'static str)> {
    let by_suffix = |suffix| Some((SegmentName::parse(file_name.strip_suffix(suffix)?)?, suffix));
    [CLOSED_SUFFIX, OPEN_SUFFIX, DAMAGED_SUFFIX].into_iter().find_map(by_suffix)
}

/// Interface, worker, and time of the first frame in nanoseconds since 1970-01-01 UTC, as the name of a segment's file
/// tells them; `None` for a file that is no segment, or a damaged one.
pub fn segment_of(file_name: &str) -> Option<(String, usize, u64)> {
    let (name, suffix) = named(file_name)?;
    (suffix != DAMAGED_SUFFIX).then_some((name.interface, name.worker, name.start_ns))
}

fn link_type(stem: &Path) -> std::io::Result<Option<LinkType>> {
    let mut header = [0; FILE_HEADER_BYTES as usize];
    let mut file = open(stem)?;
    let mut filled = 0;
    while filled < header.len() {
        match file.read(&mut header[filled..])? {
            0 => return Ok(None),
            bytes => filled += bytes,
        }
    }
    Ok(own_link_type(&header))
}

/// Opens a segment under the name that it has by now.
pub(super) fn open(stem: &Path) -> std::io::Result<File> {
    File::open(with_suffix(stem, CLOSED_SUFFIX))
        .or_else(|_| File::open(with_suffix(stem, OPEN_SUFFIX)))
        // Closed between the two.
        .or_else(|_| File::open(with_suffix(stem, CLOSED_SUFFIX)))
}

fn with_suffix(stem: &Path, suffix: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// What of a segment of `bytes` has to be read: the blocks that may hold something, and all that no block covers.
fn ranges(blocks: &[IndexBlock], bytes: u64, may_hold: impl Fn(&IndexBlock) -> bool) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    let mut add = |range: Range<u64>| match ranges.last_mut() {
        Some(last) if range.start <= last.end + GAP_BYTES => last.end = range.end,
        _ => ranges.push(range),
    };
    let mut covered = FILE_HEADER_BYTES;
    for block in blocks.iter().filter(|block| block.start >= FILE_HEADER_BYTES && block.end() <= bytes) {
        if block.start > covered {
            add(covered..block.start);
        }
        if may_hold(block) {
            add(block.start..block.end());
        }
        covered = block.end();
    }
    if covered < bytes {
        add(covered..bytes);
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(start: u64, bytes: u32, newest_ns: u64) -> IndexBlock {
        IndexBlock { start, bytes, oldest_ns: 0, newest_ns, filter: Default::default() }
    }

    fn pairs(ranges: &[Range<u64>]) -> Vec<(u64, u64)> {
        ranges.iter().map(|range| (range.start, range.end)).collect()
    }

    #[test]
    fn what_no_block_covers_is_read() {
        let far = 1 << 20;
        let blocks = [block(24, 100, 0), block(far, 100, 1), block(2 * far, 100, 0)];
        let wanted = |block: &IndexBlock| block.newest_ns == 1;
        let pairs = |blocks, bytes| pairs(&ranges(blocks, bytes, wanted));
        assert_eq!(pairs(&blocks, 2 * far + 100), [(124, 2 * far)]);
        assert_eq!(pairs(&blocks[..1], 124), []);
        assert_eq!(pairs(&blocks[..1], 130), [(124, 130)]);
        assert_eq!(pairs(&[], 5000), [(24, 5000)]);
        assert_eq!(pairs(&[], 24), []);
    }

    #[test]
    fn a_block_beyond_the_end_of_the_file_is_not_believed() {
        let ranges = ranges(&[block(24, 100, 0), block(124, 100, 0)], 150, |_| false);
        assert_eq!(pairs(&ranges), [(124, 150)]);
    }
}
