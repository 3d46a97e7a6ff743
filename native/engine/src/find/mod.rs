//! Finds packets in a ring: reads only what may hold them, merges everything by time, writes one capture file.
//!
//! A [`PacketSearch`] works on the directory alone. The ring may be in use meanwhile: a segment that is rotated away is
//! left out and said, the one that is being written is read as far as it is whole when its turn comes. Memory is bounded
//! by the number of interfaces, link types and workers, whatever the ring's size.

mod matcher;
mod output;
mod plan;
mod reader;
mod stream;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::path::PathBuf;

use capture::{CaptureError, Frame};
use serde::{Deserialize, Serialize};

use crate::config::DecapsulationConfig;
use matcher::Matcher;
use output::Output;
pub use output::{Form, Format, Statistics};
use plan::Plan;
pub use plan::{PlanNumbers, segment_of};
use stream::Stream;

/// Frames that one step may look at in vain; a caller hears of the search in between.
const STEP_FRAMES: u64 = 100_000;

/// What is looked for. What is not given matches everything.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PacketQuery {
    /// The ring's directory.
    pub directory: PathBuf,
    /// An end of the innermost packet, or of a tunnel around it.
    pub host: Option<IpAddr>,
    /// The other end of it; with `host`.
    pub peer: Option<IpAddr>,
    /// A port of either end of the innermost packet.
    pub port: Option<u16>,
    /// Community ID of the innermost packet.
    pub community_id: Option<String>,
    /// A VLAN that the frame was in, at any depth.
    pub vlan: Option<u16>,
    /// BPF expression over the frame as it was captured; empty for all.
    #[serde(default)]
    pub filter: String,
    /// Earliest time, nanoseconds since 1970-01-01 UTC.
    #[serde(default)]
    pub since_ns: u64,
    /// Latest time, nanoseconds since 1970-01-01 UTC.
    pub until_ns: Option<u64>,
    /// Packets at most.
    pub limit_packets: Option<u64>,
    /// Bytes of packets at most, as they lie in a file.
    pub limit_bytes: Option<u64>,
    /// Which tunnels are known by their port only.
    pub decapsulation: DecapsulationConfig,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Found {
    /// Packets written.
    pub packets: u64,
    /// Their captured bytes.
    pub bytes: u64,
    /// Time of the first one, nanoseconds since 1970-01-01 UTC; 0 if there is none.
    pub first_ns: u64,
    /// Time of the latest one.
    pub last_ns: u64,
    /// Whether a limit ended the search.
    pub limited: bool,
    /// Bytes of segments that were read.
    pub read_bytes: u64,
    /// What could not be read, a sentence each.
    pub notes: Vec<String>,
}

/// Why a search cannot be made or has failed.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The question contradicts itself.
    #[error("{0}")]
    Query(String),
    /// The BPF expression is wrong.
    #[error(transparent)]
    Filter(#[from] CaptureError),
    /// The ring cannot be listed, or the output cannot be written.
    #[error("{what}: {cause}")]
    Io {
        /// Which file or directory.
        what: String,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// A search on its way. [`PacketSearch::step`] until it says `false`, then [`PacketSearch::finish`].
pub struct PacketSearch {
    query: PacketQuery,
    plan: PlanNumbers,
    matcher: Matcher,
    streams: Vec<Stream>,
    /// The time of each stream's foremost match, and the stream.
    foremost: BinaryHeap<Reverse<(u64, usize)>>,
    /// Streams that are still to be led to their first match.
    unstarted: usize,
    output: Option<Output>,
    found: Found,
}

impl PacketSearch {
    /// Finds out what has to be read.
    ///
    /// # Errors
    /// [`FindError::Query`], [`FindError::Filter`], and [`FindError::Io`] if the directory cannot be read.
    pub fn new(query: PacketQuery) -> Result<Self, FindError> {
        let matcher = Matcher::new(&query)?;
        let plan = Plan::make(&query)?;
        let unstarted = plan.streams.len();
        let streams = plan.streams.into_iter().map(Stream::new).collect();
        let found = Found { notes: plan.notes, ..Found::default() };
        let foremost = BinaryHeap::new();
        Ok(Self { query, plan: plan.numbers, matcher, streams, foremost, unstarted, output: None, found })
    }

    /// How much there is and how much of it will be read.
    pub fn plan(&self) -> &PlanNumbers {
        &self.plan
    }

    /// Bytes of segments that were read so far.
    pub fn read_bytes(&self) -> u64 {
        self.streams.iter().map(Stream::read_bytes).sum()
    }

    /// Says where the packets go; `-` is standard output. A file is made when the first packet is found, under a name
    /// of its own until it is whole.
    ///
    /// # Errors
    /// [`FindError::Query`] for pcap where the ring holds several link types.
    pub fn write_to(&mut self, path: &str, form: Form) -> Result<(), FindError> {
        let mut names: Vec<_> =
            self.streams.iter().map(|stream| (stream.interface.clone(), stream.link_type)).collect();
        names.dedup();
        let several = names.iter().any(|(_, link_type)| *link_type != names[0].1);
        let format = match (form.format, several) {
            (Some(Format::Pcap), true) => {
                return Err(FindError::Query("several link types were found: write a .pcapng".into()));
            }
            (None, true) => Format::PcapNg,
            (format, _) => format.unwrap_or(Format::Pcap),
        };
        let places = self.streams.iter().map(|stream| (stream.interface.clone(), stream.link_type));
        let places = places.map(|place| names.iter().position(|name| *name == place).unwrap_or(0)).collect();
        self.output = Some(Output::new(path, Form { format: Some(format), ..form }, names, places));
        Ok(())
    }

    /// Searches on for a while; `false` once everything was found.
    ///
    /// # Errors
    /// [`FindError::Io`] if the output cannot be written.
    pub fn step(&mut self) -> Result<bool, FindError> {
        let mut budget = STEP_FRAMES;
        while self.unstarted > 0 {
            let stream = self.unstarted - 1;
            if !self.advance(stream, &mut budget) {
                return Ok(true);
            }
            self.unstarted = stream;
        }
        while let Some(&Reverse((_, stream))) = self.foremost.peek() {
            if self.streams[stream].is_at_match() {
                if !self.take(stream)? {
                    self.found.limited = true;
                    return Ok(false);
                }
                self.streams[stream].leave_match();
            }
            if budget == 0 {
                return Ok(true);
            }
            // The stream's place in the heap is given up only when it is known where it goes on.
            match self.streams[stream].next_match(&mut self.matcher, &mut budget, &mut self.found.notes) {
                stream::Advance::Match(time_ns) => {
                    self.foremost.pop();
                    self.foremost.push(Reverse((time_ns, stream)));
                }
                stream::Advance::End => drop(self.foremost.pop()),
                stream::Advance::Paused => return Ok(true),
            }
        }
        Ok(false)
    }

    fn advance(&mut self, stream: usize, budget: &mut u64) -> bool {
        match self.streams[stream].next_match(&mut self.matcher, budget, &mut self.found.notes) {
            stream::Advance::Match(time_ns) => self.foremost.push(Reverse((time_ns, stream))),
            stream::Advance::End => {}
            stream::Advance::Paused => return false,
        }
        true
    }

    /// Writes the foremost match of a stream unless that would be too much; `false` if a limit ends the search.
    fn take(&mut self, stream: usize) -> Result<bool, FindError> {
        let frame: Frame<'_> = self.streams[stream].frame();
        let head_bytes = self.output.as_ref().map_or(16, Output::most_head_bytes);
        let record_bytes = (self.found.packets + 1) * head_bytes + self.found.bytes + frame.data.len() as u64;
        if self.query.limit_bytes.is_some_and(|limit| record_bytes > limit) {
            return Ok(false);
        }
        if let Some(output) = &mut self.output {
            output.write(&frame, stream)?;
        }
        let found = &mut self.found;
        if found.packets == 0 {
            found.first_ns = frame.timestamp_ns;
        }
        found.packets += 1;
        found.bytes += frame.data.len() as u64;
        found.last_ns = found.last_ns.max(frame.timestamp_ns);
        Ok(self.query.limit_packets.is_none_or(|limit| found.packets < limit))
    }

    /// Writes what is still in memory, and gives the file its name.
    ///
    /// # Errors
    /// [`FindError::Io`] if the output cannot be written.
    pub fn finish(&mut self) -> Result<Found, FindError> {
        if let Some(output) = self.output.take() {
            output.close()?;
        }
        self.found.read_bytes = self.read_bytes();
        Ok(self.found.clone())
    }
}
