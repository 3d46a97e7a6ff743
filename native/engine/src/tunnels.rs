//! What carried a frame, by number, so that a flow keeps two bytes instead of a stack of layers.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashMap;
use wire::{EncapStack, Encapsulation, Tunnel};

/// Stacks that are told apart: a mobile core has a tunnel for each user. Of a flood of others nothing is told.
const MAX_STACKS: usize = 16_384;

/// The number of flows that no layer carried, or none that is told.
pub const NO_TUNNEL: u16 = 0;

/// Every layer around a flow's first frame, outermost first, without what differs from frame to frame.
pub type Layers = Arc<[Encapsulation]>;

/// The stacks that a worker has seen.
#[derive(Debug, Default)]
pub struct Tunnels {
    known: Vec<Layers>,
    numbers: HashMap<Layers, u16, RandomState>,
    left_out: u64,
}

impl Tunnels {
    /// The number of the stack that carried a frame.
    pub fn number(&mut self, encapsulations: &EncapStack) -> u16 {
        if encapsulations.is_empty() {
            return NO_TUNNEL;
        }
        let lasting: EncapStack = encapsulations.iter().map(|layer| layer.lasting()).collect();
        if let Some(number) = self.numbers.get(lasting.as_slice()) {
            return *number;
        }
        if self.known.len() == MAX_STACKS {
            self.left_out += 1;
            return NO_TUNNEL;
        }
        let layers = Layers::from(lasting.as_slice());
        self.known.push(Arc::clone(&layers));
        let number = self.known.len() as u16;
        self.numbers.insert(layers, number);
        number
    }

    /// How often a stack found no room, so that its flow tells of no layers.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The stack with this number.
    pub fn layers(&self, number: u16) -> Option<Layers> {
        self.known.get(usize::from(number).checked_sub(1)?).map(Arc::clone)
    }

    /// The tunnel of the stack with this number.
    pub fn get(&self, number: u16) -> Option<Tunnel> {
        Tunnel::of(self.known.get(usize::from(number).checked_sub(1)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gre(key: u32, sequence: u32) -> EncapStack {
        [Encapsulation::Vlan { id: 7 }, Encapsulation::Gre { key: Some(key), sequence: Some(sequence) }]
            .into_iter()
            .collect()
    }

    #[test]
    fn a_number_for_each_stack_whatever_its_sequence() {
        let mut tunnels = Tunnels::default();
        let number = tunnels.number(&gre(1, 10));
        assert_eq!(tunnels.number(&gre(1, 11)), number);
        assert_ne!(tunnels.number(&gre(2, 10)), number);
        let expected = [Encapsulation::Vlan { id: 7 }, Encapsulation::Gre { key: Some(1), sequence: None }];
        assert_eq!(tunnels.layers(number).as_deref(), Some(expected.as_slice()));
        assert_eq!((tunnels.number(&EncapStack::new()), tunnels.layers(NO_TUNNEL)), (NO_TUNNEL, None));
    }

    #[test]
    fn a_flood_has_an_end() {
        let mut tunnels = Tunnels::default();
        let last = (0..MAX_STACKS as u32).map(|key| tunnels.number(&gre(key, 0))).last();
        assert_eq!((last, tunnels.left_out()), (Some(MAX_STACKS as u16), 0));
        assert_eq!(tunnels.number(&gre(u32::MAX, 0)), NO_TUNNEL);
        assert_eq!((tunnels.number(&gre(5, 9)), tunnels.left_out()), (6, 1));
    }
}
