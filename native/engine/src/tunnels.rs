//! Tunnels by number, so that a flow keeps two bytes instead of two addresses.

use ahash::RandomState;
use hashbrown::HashMap;
use wire::{EncapStack, Tunnel};

/// Tunnels that are told apart; a switch has a handful, and a flood of others shares the last number.
const MAX_TUNNELS: usize = 4096;

/// The number of flows that no tunnel carried.
pub const NO_TUNNEL: u16 = 0;

/// The tunnels that a worker has seen.
#[derive(Debug, Default)]
pub struct Tunnels {
    known: Vec<Tunnel>,
    numbers: HashMap<Tunnel, u16, RandomState>,
}

impl Tunnels {
    /// The number of the tunnel that carried a frame.
    pub fn number(&mut self, encapsulations: &EncapStack) -> u16 {
        let Some(tunnel) = Tunnel::of(encapsulations) else { return NO_TUNNEL };
        if let Some(number) = self.numbers.get(&tunnel) {
            return *number;
        }
        if self.known.len() < MAX_TUNNELS {
            self.known.push(tunnel);
            self.numbers.insert(tunnel, self.known.len() as u16);
        }
        self.known.len() as u16
    }

    /// The tunnel with this number.
    pub fn get(&self, number: u16) -> Option<Tunnel> {
        self.known.get(usize::from(number).checked_sub(1)?).copied()
    }
}
