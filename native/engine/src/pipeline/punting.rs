//! Frames of control protocols go over to Python: few, so that what is done here may allocate.

use super::{Arrival, Worker};
use crate::claims::{Admission, MAX_CLAIM_BYTES, MAX_CLAIMS};
use crate::flow::{FlowFlags, MAX_FLOW_VLANS};
use crate::punt::{PuntProtocol, PuntedFrame, Said, packet_kind};

impl Worker {
    /// Hands the message of a control protocol over, if the packet is one.
    #[inline]
    pub(super) fn punt(&mut self, arrival: &Arrival<'_>) {
        if let Ok(packet) = arrival.decoded {
            if let Some(found) = PuntProtocol::of(&packet.network) {
                self.hand_over(arrival, found);
            }
        }
    }

    #[cold]
    fn hand_over(&mut self, arrival: &Arrival<'_>, (protocol, message): (PuntProtocol, &[u8])) {
        let Ok(packet) = arrival.decoded else { return };
        let said = Said::new(packet, (protocol, message));
        let (waiting, counts) = (&mut self.second.punted, &mut self.counters.punted);
        if !self.punts.admits(self.clock.second(), &said, waiting, counts) {
            return;
        }
        let vlans = wire::vlan_ids(&self.encapsulations[arrival.index]);
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

    /// Hands over what the client of a flow says of itself, if it is a host.
    pub(super) fn hand_claim(&mut self, place: u32, time_ns: u64, protocol: PuntProtocol, words: &[u8]) {
        let flow = self.flows.get(place);
        if !flow.flags.contains(FlowFlags::ORIG_INTERNAL) || words.is_empty() {
            return;
        }
        let tuple = flow.tuple();
        let words = &words[..words.len().min(MAX_CLAIM_BYTES)];
        let counts = &mut self.counters.punted;
        if self.second.claims.count() >= MAX_CLAIMS {
            counts.dropped += 1;
            return;
        }
        match self.claims.admits(time_ns, tuple.orig.address, protocol, words) {
            Admission::New => counts.handed += 1,
            Admission::Repeated => return,
            Admission::Full => {
                counts.dropped += 1;
                return;
            }
        }
        self.second.claims.push(PuntedFrame {
            time_ns,
            source: self.mirror.sources.key(flow.source),
            protocol,
            kind: 0,
            macs: flow.macs,
            addresses: Some([tuple.orig.address, tuple.resp.address]),
            vlans: flow.vlans.clone(),
            message: words.into(),
        });
    }
}
