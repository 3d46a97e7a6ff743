//! What all events of a flow have in common.

use app::AppProtocol;
use serde::Serialize;
use wire::{Address, Encapsulation, FiveTuple, Mac, Tunnel};

use super::eve::{EveContext, is_icmp, ports, protocol_name, timestamp};
use crate::flow::{ORIG, RESP};

/// A flow as its events show it.
pub(super) struct Face<'a> {
    pub(super) time_ns: u64,
    pub(super) flow_id: u64,
    pub(super) tuple: &'a FiveTuple,
    pub(super) app: AppProtocol,
    pub(super) app_before: Option<AppProtocol>,
    pub(super) vlans: &'a [u16],
    pub(super) layers: &'a [Encapsulation],
    pub(super) interface: u16,
    pub(super) ether: Ether,
}

/// The keys that every event begins with.
#[derive(Serialize)]
pub(super) struct Common<'a> {
    timestamp: String,
    flow_id: u64,
    in_iface: &'a str,
    event_type: &'static str,
    #[serde(skip_serializing_if = "<[u16]>::is_empty")]
    vlan: &'a [u16],
    src_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_port: Option<u16>,
    dest_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_port: Option<u16>,
    proto: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_proto: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_proto_orig: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp_type: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp_code: Option<u16>,
    host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tunnel: Option<TunnelObject>,
    ether: Ether,
    community_id: String,
}

#[derive(Serialize)]
struct TunnelObject {
    src_ip: String,
    dest_ip: String,
    proto: String,
    depth: u8,
}

/// Hardware addresses; EVE lists them in flow events.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Ether {
    /// Of a flow, all that were seen.
    Flow { src_macs: Vec<String>, dest_macs: Vec<String> },
    /// Of an event.
    Event {
        #[serde(skip_serializing_if = "Option::is_none")]
        src_mac: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        dest_mac: Option<String>,
    },
}

impl Ether {
    pub(super) fn of_flow(macs: [Mac; 2]) -> Self {
        let list = |mac| text(mac).into_iter().collect();
        Self::Flow { src_macs: list(macs[ORIG]), dest_macs: list(macs[RESP]) }
    }

    pub(super) fn of_event(macs: [Mac; 2]) -> Self {
        Self::Event { src_mac: text(macs[ORIG]), dest_mac: text(macs[RESP]) }
    }
}

fn text(mac: Mac) -> Option<String> {
    (!mac.is_zero()).then(|| mac.to_string())
}

impl<'a> Common<'a> {
    pub(super) fn new(context: &'a EveContext, event_type: &'static str, face: Face<'a>) -> Self {
        let tuple = face.tuple;
        let icmp = is_icmp(tuple);
        let [src_port, dest_port] = ports(tuple);
        Self {
            timestamp: timestamp(face.time_ns),
            flow_id: face.flow_id,
            in_iface: context.interfaces.get(usize::from(face.interface)).map_or("", String::as_str),
            event_type,
            vlan: face.vlans,
            src_ip: tuple.orig.address.to_string(),
            src_port,
            dest_ip: tuple.resp.address.to_string(),
            dest_port,
            proto: protocol_name(tuple.protocol),
            app_proto: (face.app != AppProtocol::Unknown).then(|| face.app.name()),
            app_proto_orig: face.app_before.map(AppProtocol::name),
            icmp_type: icmp.then_some(tuple.orig.port),
            icmp_code: icmp.then(|| tuple.icmp_code()),
            host: &context.sensor_name,
            tunnel: Tunnel::of(face.layers).as_ref().map(TunnelObject::new),
            ether: face.ether,
            community_id: wire::community_id(tuple),
        }
    }
}

impl TunnelObject {
    fn new(tunnel: &Tunnel) -> Self {
        let text = |address: Address| address.to_string();
        Self {
            src_ip: text(tunnel.source),
            dest_ip: text(tunnel.destination),
            proto: tunnel.protocol.to_string(),
            depth: tunnel.depth,
        }
    }
}
