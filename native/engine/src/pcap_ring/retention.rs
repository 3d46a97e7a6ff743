//! Which closed segments may stay: bounds by bytes, by number, by age and by free space, all at once.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::index::INDEX_SUFFIX;
use super::name::SegmentName;

/// Packet time that is so far ahead of the clock has jumped.
const JUMP: Duration = Duration::from_secs(60);
/// Nothing expires for so long after a jump: the time may be wrong, and somebody may put it right.
const JUMP_GRACE: Duration = Duration::from_secs(600);

/// The bounds. The largest number means no bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of all segments together.
    pub(super) bytes: u64,
    /// Segments in all.
    pub(super) segments: u64,
    /// How much older than the newest record the newest record of a segment may be.
    pub(super) age_ns: u64,
    /// What must stay free on the file system; 0 for no bound.
    pub(super) free_bytes: u64,
}

/// What the segments that are being written amount to; they count, but are never deleted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OpenTotals {
    pub(super) bytes: u64,
    pub(super) segments: u64,
}

/// A closed segment.
#[derive(Debug, Clone)]
pub(super) struct ClosedSegment {
    /// Its name.
    pub(super) name: SegmentName,
    /// Suffix of the file.
    pub(super) suffix: &'static str,
    /// Length of the file and its index.
    pub(super) bytes: u64,
    /// Latest time of a frame in it, or an upper bound.
    pub(super) newest_ns: u64,
}

impl ClosedSegment {
    fn file_name(&self) -> String {
        format!("{}{}", self.name, self.suffix)
    }
}

/// The closed segments of a ring and the bounds that they live under.
#[derive(Debug)]
pub(super) struct Retention {
    directory: PathBuf,
    limits: Limits,
    /// In order of creation, which holds even when the clock did not: the first goes first.
    closed: BTreeMap<(u64, String), ClosedSegment>,
    closed_bytes: u64,
    free_bytes: u64,
    clock: AgeClock,
}

impl Retention {
    /// Takes over the segments that are there. `live`: packet time should keep step with the clock.
    pub(super) fn new(directory: &Path, limits: Limits, live: bool, adopted: Vec<ClosedSegment>) -> Self {
        let newest_ns = adopted.iter().map(|segment| segment.name.start_ns).max().unwrap_or(0);
        let mut retention = Self {
            directory: directory.to_owned(),
            limits,
            closed: BTreeMap::new(),
            closed_bytes: 0,
            free_bytes: u64::MAX,
            clock: AgeClock { live, newest_ns, seen: None, held_until: None },
        };
        retention.replace(adopted);
        retention.refresh_free();
        retention
    }

    /// Forgets all segments and takes these.
    pub(super) fn replace(&mut self, segments: Vec<ClosedSegment>) {
        self.closed.clear();
        self.closed_bytes = 0;
        for segment in segments {
            self.add(segment);
        }
    }

    /// Takes a segment that was closed.
    pub(super) fn add(&mut self, segment: ClosedSegment) {
        self.closed_bytes += segment.bytes;
        self.closed.insert((segment.name.sequence, segment.file_name()), segment);
    }

    /// Bytes of all closed segments.
    pub(super) fn closed_bytes(&self) -> u64 {
        self.closed_bytes
    }

    /// Number of closed segments.
    pub(super) fn closed_segments(&self) -> u64 {
        self.closed.len() as u64
    }

    /// The closed segment that was created first.
    pub(super) fn oldest(&self) -> Option<&SegmentName> {
        self.closed.values().next().map(|segment| &segment.name)
    }

    /// The highest sequence number of a closed segment, 0 if there is none.
    pub(super) fn newest_sequence(&self) -> u64 {
        self.closed.keys().next_back().map_or(0, |&(sequence, _)| sequence)
    }

    /// Free bytes of the file system, as far as is known.
    pub(super) fn free_bytes(&self) -> u64 {
        self.free_bytes
    }

    /// Notes what was stored: a chunk's bytes and its earliest time. The earliest, because one frame with a wrong time
    /// must not make everything else look old.
    pub(super) fn stored(&mut self, bytes: u64, oldest_ns: u64, now: Instant) {
        self.free_bytes = self.free_bytes.saturating_sub(bytes);
        self.clock.advance(oldest_ns, now);
    }

    /// Deletes until `bytes` more fit.
    ///
    /// # Errors
    /// In words, if they don't fit and nothing is left to delete.
    pub(super) fn make_room(&mut self, open: OpenTotals, bytes: u64) -> Result<(), String> {
        while self.closed_bytes + open.bytes + bytes > self.limits.bytes {
            self.delete_oldest().map_err(|why| format!("the ring holds its {} bytes, {why}", self.limits.bytes))?;
        }
        if self.lacks_space(bytes) {
            self.refresh_free();
        }
        // A deleted file's space is credited, not looked up: it comes back late on some file systems and while somebody
        // reads the file, and looking again until it is there would delete everything.
        while self.lacks_space(bytes) {
            let (free, floor) = (self.free_bytes, self.limits.free_bytes);
            self.delete_oldest().map_err(|why| format!("{free} bytes free, {floor} must stay free, {why}"))?;
        }
        Ok(())
    }

    /// Deletes until one more segment may be opened, as far as there are closed ones.
    pub(super) fn make_room_for_segment(&mut self, open: OpenTotals) {
        while self.closed_segments() + open.segments >= self.limits.segments && self.delete_oldest().is_ok() {}
    }

    /// Holds all bounds, also when nothing is stored; for once a second.
    ///
    /// # Errors
    /// In words, if free space is below its floor and nothing is left to delete.
    pub(super) fn enforce(&mut self, open: OpenTotals, now: Instant) -> Result<(), String> {
        self.refresh_free();
        self.expire(now);
        while self.closed_segments() + open.segments > self.limits.segments && self.delete_oldest().is_ok() {}
        self.make_room(open, 0)
    }

    /// Deletes the closed segment that was created first.
    ///
    /// # Errors
    /// In words, if there is none or the file system refuses.
    pub(super) fn delete_oldest(&mut self) -> Result<(), String> {
        let key = self.closed.keys().next().cloned().ok_or("nothing left to delete")?;
        self.delete(&key)
    }

    fn delete(&mut self, key: &(u64, String)) -> Result<(), String> {
        match fs::remove_file(self.directory.join(&key.1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("cannot delete {}: {error}", key.1));
            }
            _ => {}
        }
        if let Some(segment) = self.closed.remove(key) {
            // Behind the segment, so that a reader who finds none reads the segment whole or finds neither. One that
            // stays is removed at the next start.
            let _ = fs::remove_file(self.directory.join(format!("{}{INDEX_SUFFIX}", segment.name)));
            self.closed_bytes -= segment.bytes;
            self.free_bytes = self.free_bytes.saturating_add(segment.bytes);
        }
        Ok(())
    }

    fn expire(&mut self, now: Instant) {
        let Some(oldest_allowed_ns) = self.clock.oldest_allowed_ns(self.limits.age_ns, now) else { return };
        let expired = self.closed.iter().filter(|(_, segment)| segment.newest_ns < oldest_allowed_ns);
        for key in expired.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            // One that cannot be deleted is tried again in a second.
            let _ = self.delete(&key);
        }
    }

    fn lacks_space(&self, bytes: u64) -> bool {
        self.limits.free_bytes > 0 && self.free_bytes < self.limits.free_bytes.saturating_add(bytes)
    }

    fn refresh_free(&mut self) {
        // Where it cannot be asked, the directory is gone, which the writer sees by itself.
        if let Ok(space) = rustix::fs::statvfs(&self.directory) {
            self.free_bytes = space.f_bavail.saturating_mul(space.f_frsize);
        }
    }
}

/// The packet time that ages count from: that of the newest record in order of arrival.
#[derive(Debug)]
struct AgeClock {
    live: bool,
    newest_ns: u64,
    seen: Option<Instant>,
    held_until: Option<Instant>,
}

impl AgeClock {
    fn advance(&mut self, time_ns: u64, now: Instant) {
        let elapsed = self.seen.map_or(Duration::ZERO, |seen| now.saturating_duration_since(seen));
        let step = Duration::from_nanos(time_ns.saturating_sub(self.newest_ns));
        if self.live && step > elapsed + JUMP {
            self.held_until = Some(now + JUMP_GRACE);
        }
        self.newest_ns = time_ns;
        self.seen = Some(now);
    }

    fn oldest_allowed_ns(&self, age_ns: u64, now: Instant) -> Option<u64> {
        let held = self.held_until.is_some_and(|until| now < until);
        if held { None } else { self.newest_ns.checked_sub(age_ns) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_NS: u64 = 3600 * 1_000_000_000;

    #[test]
    fn a_jump_of_a_live_clock_expires_nothing_for_a_while() {
        let start = Instant::now();
        let mut clock = AgeClock { live: true, newest_ns: 0, seen: None, held_until: None };
        clock.advance(100 * HOUR_NS, start);
        clock.advance(200 * HOUR_NS, start + Duration::from_secs(5));
        assert_eq!(clock.oldest_allowed_ns(HOUR_NS, start + JUMP_GRACE), None);
        assert_eq!(clock.oldest_allowed_ns(HOUR_NS, start + JUMP_GRACE + JUMP), Some(199 * HOUR_NS));
    }

    #[test]
    fn a_quiet_night_is_no_jump() {
        let start = Instant::now();
        let mut clock = AgeClock { live: true, newest_ns: 100 * HOUR_NS, seen: Some(start), held_until: None };
        let morning = start + Duration::from_secs(8 * 3600);
        clock.advance(108 * HOUR_NS, morning);
        assert_eq!(clock.oldest_allowed_ns(HOUR_NS, morning), Some(107 * HOUR_NS));
    }

    #[test]
    fn a_clock_that_was_put_right_stops_expiring() {
        let now = Instant::now();
        let mut clock = AgeClock { live: false, newest_ns: 0, seen: None, held_until: None };
        clock.advance(900 * HOUR_NS, now);
        clock.advance(100 * HOUR_NS, now);
        assert_eq!(clock.oldest_allowed_ns(HOUR_NS, now), Some(99 * HOUR_NS));
    }
}
