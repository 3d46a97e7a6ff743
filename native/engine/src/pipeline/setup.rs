//! What a worker is given: whom it speaks to, and how it is to work.

use std::sync::Arc;

use capture::Frame;
use crossbeam_channel::{Receiver, Sender};
use wire::{Address, DecodeError, Network, Packet, TunnelPorts};

use crate::config::{Deduplicate, Mode};
use crate::counters::Published;
use crate::extract::Selection;
use crate::merge::{Notice, SecondDelta};
use crate::networks::Networks;
use crate::raw_mails::RawMails;
use crate::scan::Question;
use crate::web::WatchedWeb;

/// Where a worker speaks to, and who asks it.
#[derive(Debug)]
pub struct WorkerPorts {
    /// Closed seconds, to the merge thread.
    pub seconds: Sender<SecondDelta>,
    /// Meetings with watchlist entries, straight to Python (live).
    pub notices: Sender<Notice>,
    /// Questions about flows.
    pub queries: Receiver<Question>,
    /// The numbers that the outside sees.
    pub published: Arc<Published>,
}

/// What a worker is told.
#[derive(Debug)]
pub struct WorkerSetup {
    /// Live or read.
    pub mode: Mode,
    /// Index of the worker, and how many there are.
    pub index: usize,
    /// Number of all workers.
    pub workers: usize,
    /// Names of the interfaces, by index.
    pub interfaces: Arc<[String]>,
    /// What a host is.
    pub internal: Networks,
    /// Ports of tunnels.
    pub ports: TunnelPorts,
    /// Whether another worker stores all frames (`read`, where each sees every frame).
    pub stored_elsewhere: bool,
    /// What to do with copies of packets.
    pub deduplicate: Deduplicate,
    /// What requests to web servers are matched against.
    pub web: WatchedWeb,
    /// How many messages may carry their bytes, if any do (`read`).
    pub raw_mails: Option<Arc<RawMails>>,
    /// By interface, the captured bytes of a frame beyond which the sensor cuts.
    pub snaplens: Vec<u32>,
    /// Flows whose frames are wanted afterwards (`read`).
    pub selection: Option<Arc<Selection>>,
}

impl WorkerSetup {
    /// In `read` every worker sees every frame and keeps those of its address pairs, the first one also what has none;
    /// live the kernel has spread them.
    #[inline]
    pub(super) fn is_own(&self, frame: &Frame<'_>, decoded: &Result<Packet<'_>, DecodeError>) -> bool {
        if self.workers == 1 || self.mode == Mode::Live {
            return true;
        }
        let worker = match (frame.worker, decoded) {
            (Some(worker), _) => usize::from(worker),
            (None, Ok(Packet { network: Network::Ip(packet), .. })) => {
                worker_of([packet.source, packet.destination], self.workers)
            }
            _ => 0,
        };
        worker == self.index
    }

    /// Whether another worker is known to take the frame.
    #[inline]
    pub(super) fn is_others(&self, frame: &Frame<'_>) -> bool {
        frame.worker.is_some_and(|worker| usize::from(worker) != self.index)
    }
}

/// The worker that takes the packets between two addresses, in either direction.
#[inline]
pub fn worker_of([one, other]: [Address; 2], workers: usize) -> usize {
    let number = |address: Address| u128::from_be_bytes(*address.bytes());
    let pair = number(one) ^ number(other);
    let folded = (pair ^ pair >> 32 ^ pair >> 64 ^ pair >> 96) as u32;
    capture::spread(folded) as usize % workers
}
