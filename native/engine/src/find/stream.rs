//! The segments of one interface, worker and link type, one after another.

use std::collections::VecDeque;
use std::io;

use capture::{Frame, LinkType};

use super::matcher::Matcher;
use super::plan::{SegmentPart, StreamPlan};
use super::reader::SegmentReader;

/// Where a stream has come to.
pub(super) enum Advance {
    /// A frame that is looked for, of this time.
    Match(u64),
    /// Nothing more will come.
    End,
    /// There was no match among as many frames as could be looked at.
    Paused,
}

/// A stream and its foremost match.
pub(super) struct Stream {
    pub(super) interface: String,
    pub(super) link_type: LinkType,
    parts: VecDeque<SegmentPart>,
    reader: Option<SegmentReader>,
    buffer: Vec<u8>,
    at_match: bool,
    done_bytes: u64,
}

impl Stream {
    pub(super) fn new(plan: StreamPlan) -> Self {
        plan.parts.first().into_iter().for_each(SegmentPart::ask_ahead);
        Self {
            interface: plan.interface,
            link_type: plan.link_type,
            parts: plan.parts.into(),
            reader: None,
            buffer: Vec::new(),
            at_match: false,
            done_bytes: 0,
        }
    }

    /// Bytes read.
    pub(super) fn read_bytes(&self) -> u64 {
        self.done_bytes + self.reader.as_ref().map_or(0, |reader| reader.read_bytes)
    }

    /// Whether the foremost frame is one that is looked for.
    pub(super) fn is_at_match(&self) -> bool {
        self.at_match
    }

    /// Lets go of the foremost match.
    pub(super) fn leave_match(&mut self) {
        self.at_match = false;
    }

    /// The foremost match.
    pub(super) fn frame(&self) -> Frame<'_> {
        let nothing = Frame {
            timestamp_ns: 0,
            data: &[],
            origlen: 0,
            link_type: self.link_type,
            interface: 0,
            number: 0,
            worker: None,
        };
        self.reader.as_ref().filter(|reader| reader.is_at_record()).map_or(nothing, SegmentReader::frame)
    }

    /// Goes to the next match, over at most `budget` frames.
    pub(super) fn next_match(&mut self, matcher: &mut Matcher, budget: &mut u64, notes: &mut Vec<String>) -> Advance {
        while self.reader.is_some() || self.open_next(notes) {
            let Some(reader) = &mut self.reader else { return Advance::End };
            if *budget == 0 {
                return Advance::Paused;
            }
            *budget -= 1;
            match reader.advance() {
                Ok(true) => {
                    let frame = reader.frame();
                    let time_ns = frame.timestamp_ns;
                    if matcher.matches(&frame) {
                        self.at_match = true;
                        return Advance::Match(time_ns);
                    }
                }
                Ok(false) => self.close(),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    notes.push(format!("{}: a segment is damaged, a part of it is left out", self.interface));
                }
                Err(error) => {
                    notes.push(format!("{}: a segment cannot be read on: {error}", self.interface));
                    self.close();
                }
            }
        }
        Advance::End
    }

    fn close(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.done_bytes += reader.read_bytes;
            self.buffer = reader.into_buffer();
        }
    }

    /// Opens the next segment that is still there.
    fn open_next(&mut self, notes: &mut Vec<String>) -> bool {
        while let Some(part) = self.parts.pop_front() {
            let stem = part.stem.clone();
            self.parts.front().into_iter().for_each(SegmentPart::ask_ahead);
            match SegmentReader::open(part, self.link_type, std::mem::take(&mut self.buffer)) {
                Ok(reader) => {
                    self.reader = Some(reader);
                    return true;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let name = stem.file_name().unwrap_or_default().to_string_lossy();
                    notes.push(format!("{name}: was rotated away meanwhile"));
                }
                Err(error) => notes.push(format!("{}: cannot be opened: {error}", stem.display())),
            }
        }
        false
    }
}
