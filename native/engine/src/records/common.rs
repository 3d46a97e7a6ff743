//! The columns that every record begins with.

use app::AppProtocol;
use arrayvec::ArrayVec;
use wire::{FiveTuple, Mac, Tunnel};

use super::columns::Columns;
use crate::flow::{FlowRecord, MAX_FLOW_VLANS, ORIG, RESP};
use crate::names::AppRecord;
use crate::output::{is_icmp, ports, protocol_name};
use crate::tunnels::Layers;

/// What flow records and others have in common; `src` is the originator.
struct Face<'a> {
    time_ns: u64,
    flow_id: u64,
    tuple: &'a FiveTuple,
    app: AppProtocol,
    macs: [Mac; 2],
    vlans: &'a ArrayVec<u16, MAX_FLOW_VLANS>,
    layers: Option<&'a Layers>,
    interface: u16,
    file_frame: u64,
}

/// What a record of either kind, which name these fields alike, has in common with the other.
macro_rules! face {
    ($record:expr) => {
        Face {
            time_ns: $record.time_ns,
            flow_id: $record.flow_id,
            tuple: &$record.tuple,
            app: $record.app,
            macs: $record.macs,
            vlans: &$record.vlans,
            layers: $record.layers.as_ref(),
            interface: $record.interface,
            file_frame: $record.file_frame,
        }
    };
}

/// The columns that flow records share with the others.
pub(super) fn of_flows(records: &[&FlowRecord], interfaces: &[String]) -> Columns {
    let faces: Vec<_> = records.iter().map(|record| face!(record)).collect();
    columns(&faces, interfaces)
}

/// The columns that records of what was heard share with those of flows.
pub(super) fn of_apps(records: &[&AppRecord], interfaces: &[String]) -> Columns {
    let faces: Vec<_> = records.iter().map(|record| face!(record)).collect();
    columns(&faces, interfaces)
}

impl Face<'_> {
    fn mac(&self, side: usize) -> Option<String> {
        let mac = self.macs[side];
        (!mac.is_zero()).then(|| mac.to_string())
    }
}

fn columns(faces: &[Face<'_>], interfaces: &[String]) -> Columns {
    let rows = || faces.iter();
    let tunnels: Vec<_> = rows().map(|face| Tunnel::of(face.layers.map_or(&[], |layers| layers))).collect();
    let tunnel = |text: fn(&Tunnel) -> String| tunnels.iter().map(move |tunnel| tunnel.as_ref().map(text));
    let mut columns = Columns::default();
    columns
        .u64("time_ns", rows().map(|face| face.time_ns))
        .u64("flow_id", rows().map(|face| face.flow_id))
        .text("community_id", rows().map(|face| Some(wire::community_id(face.tuple))))
        .text("src_ip", rows().map(|face| Some(face.tuple.orig.address.to_string())))
        .maybe_u16("src_port", rows().map(|face| ports(face.tuple)[ORIG]))
        .text("dest_ip", rows().map(|face| Some(face.tuple.resp.address.to_string())))
        .maybe_u16("dest_port", rows().map(|face| ports(face.tuple)[RESP]))
        .text("proto", rows().map(|face| Some(protocol_name(face.tuple.protocol))))
        .maybe_u16("icmp_type", rows().map(|face| is_icmp(face.tuple).then_some(face.tuple.orig.port)))
        .maybe_u16("icmp_code", rows().map(|face| is_icmp(face.tuple).then(|| face.tuple.icmp_code())))
        .text("app_proto", rows().map(|face| (face.app != AppProtocol::Unknown).then(|| face.app.name())))
        .text("src_mac", rows().map(|face| face.mac(ORIG)))
        .text("dest_mac", rows().map(|face| face.mac(RESP)))
        .u16_lists("vlan", rows().map(|face| face.vlans.as_slice()))
        .text("tunnel_src", tunnel(|tunnel| tunnel.source.to_string()))
        .text("tunnel_dest", tunnel(|tunnel| tunnel.destination.to_string()))
        .text("tunnel_proto", tunnel(|tunnel| tunnel.protocol.to_string()))
        .u8("tunnel_depth", tunnels.iter().map(|tunnel| tunnel.as_ref().map_or(0, |tunnel| tunnel.depth)))
        .text("in_iface", rows().map(|face| interfaces.get(usize::from(face.interface))))
        .maybe_u64("frame", rows().map(|face| (face.file_frame != 0).then_some(face.file_frame)));
    columns
}
