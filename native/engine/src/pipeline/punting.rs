//! Frames of control protocols go over to Python: few, so that what is done here may allocate.

use super::{Arrival, Worker};
use crate::flow::MAX_FLOW_VLANS;
use crate::punt::{PuntProtocol, PuntedFrame, Said, packet_kind};

impl Worker {
    /// Hands the message of a control protocol over, if the packet is one.
    #[inline]
    pub(super) fn punt(&mut self, arrival: &Arrival<'_>, index: usize) {
        if let Ok(packet) = &arrival.decoded {
            if let Some(found) = PuntProtocol::of(&packet.network) {
                self.hand_over(arrival, found, index);
            }
        }
    }

    #[cold]
    fn hand_over(&mut self, arrival: &Arrival<'_>, (protocol, message): (PuntProtocol, &[u8]), index: usize) {
        let Ok(packet) = &arrival.decoded else { return };
        let said = Said::new(packet, (protocol, message));
        let (waiting, counts) = (&mut self.second.punted, &mut self.counters.punted);
        if !self.punts.admits(self.clock.second(), &said, waiting, counts) {
            return;
        }
        let vlans = wire::vlan_ids(&self.encapsulations[index]);
        let frame = PuntedFrame {
            time_ns: arrival.frame.timestamp_ns,
            source: self.mirror.sources.key(self.source()),
            protocol,
            kind: packet_kind(&packet.network),
            vlans: vlans.into_iter().take(MAX_FLOW_VLANS).collect(),
            macs: said.macs,
            addresses: said.addresses,
            message: message.into(),
        };
        self.second.punted.push(frame);
    }
}
