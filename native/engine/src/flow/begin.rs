//! A flow's first packet, and the guess who originated it.

use app::AppProtocol;
use arrayvec::ArrayVec;
use capture::Frame;
use wire::{Ether, FiveTuple, FlowKey, IpPacket, Mac, TcpFlags, Transport, protocol};

use super::delta::Published;
use super::links::{Links, NIL};
use super::seldom::Seldom;
use super::{Counts, Flow, FlowFlags};
use crate::names::Naming;

/// Ports below this are for services (RFC 6335, 6: system ports).
const SYSTEM_PORTS: u16 = 1024;

impl Flow {
    /// A flow with the ends of this packet, which is not yet counted. Its sender is taken for the originator unless the
    /// packet is an answer by its kind (SYN with ACK) or by its ports (from a system port to one that is none).
    ///
    /// `key` is its key and whether its sender stands second there: a fragment does not tell them itself.
    pub(crate) fn begin(
        (key, swapped): (FlowKey, bool),
        frame: &Frame<'_>,
        packet: &IpPacket<'_>,
        ether: Option<Ether>,
    ) -> Self {
        let answer = is_answer(&key.tuple(swapped), packet);
        let flags =
            FlowFlags::default().with(FlowFlags::SWAPPED, swapped != answer).with(FlowFlags::ORIG_FIRST, !answer);
        Self {
            key,
            generation: 0,
            last_tick: 0,
            last_ns: frame.timestamp_ns,
            totals: [Counts::default(); 2],
            flags,
            tcp_flags: [0; 2],
            interface: frame.interface,
            gaps_open: false,
            naming: Naming::Open,
            initial_sequence: 0,
            highest: [0; 2],
            wheel_slot: NIL,
            source: 0,
            tunnel: 0,
            conversation: None,
            published: Published::default(),
            start_ns: frame.timestamp_ns,
            rate_bytes: [0; 2],
            rate_tick: 0,
            active_tick: 0,
            links: Links::default(),
            macs: macs(ether, answer),
            vlans: ArrayVec::new(),
            app: AppProtocol::Unknown,
            name: None,
            seldom: packet.quoted().map(Seldom::quoting),
            first_frame: 0,
            file_frame: frame.number,
        }
    }
}

fn is_answer(tuple: &FiveTuple, packet: &IpPacket<'_>) -> bool {
    let from_service = tuple.orig.port < SYSTEM_PORTS && tuple.resp.port >= SYSTEM_PORTS;
    match packet.transport {
        Transport::Tcp { flags, .. } if flags.contains(TcpFlags::SYN) => flags.contains(TcpFlags::ACK),
        _ => from_service && matches!(tuple.protocol, protocol::TCP | protocol::UDP | protocol::UDP_LITE),
    }
}

/// Hardware addresses of originator and responder; a group address is nobody's.
fn macs(ether: Option<Ether>, answer: bool) -> [Mac; 2] {
    let own = |mac: Mac| if mac.is_group() { Mac::default() } else { mac };
    let mut macs = ether.map_or([Mac::default(); 2], |ether| [own(ether.source), own(ether.destination)]);
    if answer {
        macs.reverse();
    }
    macs
}
