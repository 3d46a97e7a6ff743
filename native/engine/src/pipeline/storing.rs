//! Which frames go to the ring where only the first bytes of each flow do (`flow_cutoff`).
//!
//! A frame of a flow's first bytes is stored once it is decoded and counted, before anybody listens to what it says. Behind
//! them the flow is heard first: a frame that shows a listed name is stored with all that follow.

use app::AppProtocol;
use wire::{DecodeError, FlowKey, IpPacket, Network, Packet, protocol};

use super::{Arrival, Worker};
use crate::flow::{Flow, FlowFlags};
use crate::punt::PuntProtocol;
use crate::store::FrameStore;
use crate::web::WatchedWeb;

impl Worker {
    /// Stores a frame that was not stored before it was decoded.
    #[inline]
    pub(super) fn store_late(&mut self, arrival: &Arrival<'_>) {
        if let FrameStore::Cut(ring, _) = &mut self.store {
            ring.store(arrival.frame);
            ring.describe(arrival.frame, arrival.decoded, &self.encapsulations[arrival.index]);
        }
    }

    /// Stores a frame that begins within the first bytes of its flow; `false` leaves it to [`Self::store_or_cut`].
    #[inline]
    pub(super) fn store_beginning(&mut self, place: u32, arrival: &Arrival<'_>, packet: &IpPacket<'_>) -> bool {
        let FrameStore::Cut(_, flow_bytes) = self.store else { return true };
        let begins_within = self.flows.get(place).bytes_before(packet) < flow_bytes;
        if begins_within {
            self.store_late(arrival);
        }
        begins_within
    }

    /// Stores a frame behind the first bytes of its flow if that is kept whole by what is known of it now.
    #[inline(never)]
    pub(super) fn store_or_cut(&mut self, place: u32, arrival: &Arrival<'_>) {
        if self.flows.get(place).is_kept_whole(&self.setup.web) || is_control(arrival.decoded) {
            self.store_late(arrival);
        } else {
            self.counters.ring_cut += 1;
            self.counters.ring_cut_bytes += u64::from(arrival.frame.origlen);
        }
    }

    /// The same for a copy that does not count in its flow.
    #[inline]
    pub(super) fn store_copy(&mut self, arrival: &Arrival<'_>, key: &FlowKey, packet: &IpPacket<'_>) {
        if !matches!(self.store, FrameStore::Cut(..)) {
            return;
        }
        match self.flows.find(key) {
            Some(place) if !self.store_beginning(place, arrival, packet) => {
                self.store_or_cut(place, arrival);
            }
            Some(_) => {}
            None => self.store_late(arrival),
        }
    }
}

/// Whether a frame is of a protocol that steers networks, or tells who a host is: all but what carries bulk.
fn is_control(decoded: &Result<Packet<'_>, DecodeError>) -> bool {
    let Ok(Packet { network, .. }) = decoded else { return true };
    let Network::Ip(packet) = network else { return true };
    let carries_bulk =
        matches!(packet.protocol, protocol::TCP | protocol::UDP | protocol::UDP_LITE | protocol::SCTP | protocol::ESP);
    !carries_bulk || PuntProtocol::of(network).is_some()
}

impl Flow {
    /// Whether every frame of it is evidence: it meets a list, or what it says is read to its end and judged.
    fn is_kept_whole(&self, web: &WatchedWeb) -> bool {
        self.flags.contains(FlowFlags::ALERTED)
            || match self.app {
                AppProtocol::Smtp | AppProtocol::Pop3 | AppProtocol::Imap | AppProtocol::Dns => true,
                AppProtocol::Http | AppProtocol::Http2 => web.watches(self.tuple().resp.address),
                _ => false,
            }
    }
}
