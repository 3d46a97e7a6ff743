//! Frames of chosen flows out of capture files, in two passes: the first one learns what each flow speaks, the second one
//! writes the frames of those that are wanted, from the first on. Memory holds the wanted flows and no frame.

mod output;

use std::sync::Mutex;

use ahash::RandomState;
use app::AppProtocol;
use capture::{Block, Frame, OwnedBlock};
use hashbrown::HashMap;
use wire::{EncapStack, FlowKey, Network, Packet, TunnelPorts};

use crate::counters::lock;
use crate::flow::{Flow, Fragments};
use crate::offline::FileSource;
pub use output::{ExtractError, FrameFiles, Rotation, Written};

/// Wanted flows that are remembered at most, 80 bytes each.
const MAX_FLOWS: usize = 4_000_000;

/// A flow as a stretch of the frames that were read, counted from 1.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    key: FlowKey,
    /// Its first frame.
    first: u64,
    /// The frame with which it was over: no frame from there on is its.
    until: u64,
    /// Whether it speaks what is wanted; else it goes on where another one was given up for its silence.
    wanted: bool,
}

/// Which flows are wanted, as the first pass finds them.
#[derive(Debug)]
pub struct Selection {
    protocols: Vec<AppProtocol>,
    found: Mutex<Vec<Stretch>>,
}

impl Selection {
    /// The flows of these protocols, by their names.
    ///
    /// # Errors
    /// A name is no protocol's.
    pub fn new(names: &[String]) -> Result<Self, String> {
        let protocol = |name: &String| {
            let known = AppProtocol::ALL.iter().find(|protocol| protocol.name() == name);
            known.copied().ok_or_else(|| {
                let names: Vec<&str> = AppProtocol::ALL.iter().map(|protocol| protocol.name()).collect();
                format!("'{name}' is no protocol that is told by content: {}", names.join(", "))
            })
        };
        Ok(Self { protocols: names.iter().map(protocol).collect::<Result<_, _>>()?, found: Mutex::default() })
    }

    /// Takes a flow that has ended before frame number `until`. A TCP flow that began in the middle may be the rest of a
    /// wanted one.
    pub(crate) fn take(&self, flow: &Flow, until: u64) {
        let mut spoken = [Some(flow.app), flow.app_before()].into_iter().flatten();
        let wanted = spoken.any(|app| self.protocols.contains(&app));
        let is_rest = flow.key.protocol() == wire::protocol::TCP && flow.initial_sequence == 0;
        if wanted || is_rest {
            let mut found = lock(&self.found);
            if found.len() < MAX_FLOWS {
                found.push(Stretch { key: flow.key, first: flow.first_frame, until, wanted });
            }
        }
    }

    /// The stretches of wanted frames by flow key, each list in order; and whether there was no room for all.
    fn stretches(&self) -> (Stretches, bool) {
        let mut found = std::mem::take(&mut *lock(&self.found));
        let is_full = found.len() >= MAX_FLOWS;
        found.sort_unstable_by_key(|stretch| stretch.first);
        let mut stretches = Stretches::default();
        for Stretch { key, first, until, wanted } in found {
            if wanted || stretches.contains_key(&key) {
                stretches.entry(key).or_default().push((first, until));
            }
        }
        (stretches, is_full)
    }
}

type Stretches = HashMap<FlowKey, Vec<(u64, u64)>, RandomState>;

/// The second pass.
struct Chooser {
    stretches: Stretches,
    ports: TunnelPorts,
    fragments: Fragments,
    stack: EncapStack,
    number: u64,
}

impl Chooser {
    fn takes(&mut self, frame: &Frame<'_>) -> bool {
        self.number += 1;
        let decoded = wire::decode(frame.data, frame.origlen, frame.link_type.0, &self.ports, &mut self.stack);
        let Ok(Packet { network: Network::Ip(packet), .. }) = &decoded else { return false };
        let tuple = match packet.fragment {
            true => self.fragments.tuple(packet, frame.timestamp_ns),
            false => packet.five_tuple(),
        };
        let Some(stretches) = self.stretches.get(&FlowKey::new(&tuple).0) else { return false };
        let after = stretches.partition_point(|(first, _)| *first <= self.number);
        after.checked_sub(1).is_some_and(|place| self.number < stretches[place].1)
    }
}

/// Reads the files again and writes the frames of the wanted flows, without a selection all of them.
///
/// # Errors
/// The files cannot be read again or the frames not be written.
pub(crate) fn extract(
    mut files: FileSource,
    selection: Option<&Selection>,
    ports: TunnelPorts,
    mut output: FrameFiles,
) -> Result<Written, ExtractError> {
    let (stretches, left_out) = selection.map(Selection::stretches).unwrap_or_default();
    let mut chooser =
        Chooser { stretches, ports, fragments: Fragments::default(), stack: EncapStack::default(), number: 0 };
    let mut used = OwnedBlock::default();
    while let Some(block) = files.next_block(used)? {
        for frame in block.frames() {
            if selection.is_none() || chooser.takes(&frame) {
                output.write(&frame)?;
            }
        }
        used = block;
    }
    Ok(Written { left_out, ..output.finish()? })
}
