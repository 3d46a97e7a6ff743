//! What hosts say of themselves inside of conversations: the programs that they ask the web with, and who logs on at them.
//! It goes over to Python as the messages of control protocols do, each of a host's words once an hour.

use ahash::RandomState;
use hashbrown::HashSet;
use wire::Address;

use crate::punt::{PuntProtocol, PuntedFrame};

/// The longest word that is handed over.
pub(crate) const MAX_CLAIM_BYTES: usize = 512;
/// Words that one worker hands over for a second of packet time.
pub(crate) const MAX_CLAIMS: usize = 100;
/// Within so much packet time the same word of a host is said once.
const STRETCH_NS: u64 = 3600 * 1_000_000_000;
/// Words that are remembered of a stretch; further ones are not handed over.
const MAX_REMEMBERED: usize = 1 << 16;

/// What becomes of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is new.
    New,
    /// The host has said it within the hour.
    Repeated,
    /// More is said than can be remembered.
    Full,
}

/// Lets each word of a host through once an hour of packet time. Workers have one each, which spares the merge thread
/// repetitions; the merge thread's own makes what comes out the same for any number of workers.
#[derive(Debug)]
pub(crate) struct ClaimGate {
    hasher: RandomState,
    said: HashSet<u64, RandomState>,
    stretch: u64,
}

impl Default for ClaimGate {
    fn default() -> Self {
        let hasher = RandomState::new();
        Self { hasher: hasher.clone(), said: HashSet::with_hasher(hasher), stretch: 0 }
    }
}

impl ClaimGate {
    /// Takes what a host says at a time.
    pub(crate) fn admits(&mut self, time_ns: u64, host: Address, protocol: PuntProtocol, word: &[u8]) -> Admission {
        let stretch = time_ns / STRETCH_NS;
        if stretch > self.stretch {
            self.stretch = stretch;
            self.said.clear();
        }
        let hash = self.hasher.hash_one((stretch, host, protocol, word));
        if self.said.contains(&hash) {
            return Admission::Repeated;
        }
        if self.said.len() >= MAX_REMEMBERED {
            return Admission::Full;
        }
        self.said.insert(hash);
        Admission::New
    }

    /// Whether a message goes on: one of a control protocol always does.
    pub(crate) fn passes(&mut self, frame: &PuntedFrame) -> bool {
        match frame.addresses {
            Some([host, _]) if frame.protocol.is_claim() => {
                self.admits(frame.time_ns, host, frame.protocol, &frame.message) == Admission::New
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{PC, SERVER, START};

    #[test]
    fn a_word_of_a_host_is_new_once_an_hour() {
        let mut gate = ClaimGate::default();
        let mut said = |time_ns, host, word: &[u8]| gate.admits(time_ns, Address::v4(host), PuntProtocol::Agent, word);
        let start = START / STRETCH_NS * STRETCH_NS;
        assert_eq!(said(start, PC.0, b"curl"), Admission::New);
        assert_eq!(said(start + STRETCH_NS - 1, PC.0, b"curl"), Admission::Repeated);
        assert_eq!(said(start + 1, SERVER.0, b"curl"), Admission::New);
        assert_eq!(said(start + 1, PC.0, b"wget"), Admission::New);
        assert_eq!(said(start + STRETCH_NS, PC.0, b"curl"), Admission::New);
        assert_eq!(said(start + STRETCH_NS - 1, PC.0, b"curl"), Admission::New, "a late one does not open the past");
        assert_eq!(said(start + STRETCH_NS, PC.0, b"curl"), Admission::Repeated);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut gate = ClaimGate::default();
        let admitted = (0..MAX_REMEMBERED as u32 + 10)
            .filter(|n| gate.admits(START, Address::v4(PC.0), PuntProtocol::Agent, &n.to_be_bytes()) == Admission::New)
            .count();
        assert_eq!(admitted, MAX_REMEMBERED);
    }
}
