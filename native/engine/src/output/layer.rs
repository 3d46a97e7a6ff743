//! An encapsulation as a flow event tells it.

use serde::Serialize;
use wire::{Address, Encapsulation, EncapsulationKind};

/// One layer around a flow; of the fields those are written that the layer's header has.
#[derive(Debug, Default, Serialize)]
pub(super) struct LayerObject<'a> {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_ip: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_ip: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vlan: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vni: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    teid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tunnel: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    granularity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    radio: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<u32>,
}

/// Written as text.
#[derive(Debug)]
struct Shown<'a>(&'a Address);

impl Serialize for Shown<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

impl<'a> LayerObject<'a> {
    pub(super) fn new(layer: &'a Encapsulation) -> Self {
        let base = Self { kind: layer.kind().to_string(), ..Self::default() };
        match layer.kind() {
            EncapsulationKind::ErspanII | EncapsulationKind::ErspanIII => base.erspan(layer),
            _ => base.carrier(layer),
        }
    }

    fn erspan(self, layer: &Encapsulation) -> Self {
        match *layer {
            Encapsulation::ErspanII { session, vlan, truncated, index, .. } => Self {
                session: Some(u32::from(session)),
                vlan: Some(vlan),
                truncated: Some(truncated),
                index: Some(index),
                ..self
            },
            Encapsulation::ErspanIII { session, vlan, truncated, egress, granularity, hardware, index, .. } => Self {
                session: Some(u32::from(session)),
                vlan: Some(vlan),
                truncated: Some(truncated),
                direction: Some(if egress { "egress" } else { "ingress" }),
                granularity: granularity_name(granularity),
                hardware: Some(hardware),
                index,
                ..self
            },
            _ => self,
        }
    }

    fn carrier(self, layer: &'a Encapsulation) -> Self {
        match layer {
            Encapsulation::Ip { source, destination } => {
                Self { src_ip: Some(Shown(source)), dest_ip: Some(Shown(destination)), ..self }
            }
            Encapsulation::Vlan { id } | Encapsulation::Erm { vlan: id } => Self { vlan: Some(*id), ..self },
            Encapsulation::Gre { key, .. } => Self { key: *key, ..self },
            Encapsulation::Vxlan { vni } | Encapsulation::VxlanGpe { vni } | Encapsulation::Geneve { vni } => {
                Self { vni: Some(*vni), ..self }
            }
            Encapsulation::Mpls { label } => Self { label: Some(*label), ..self },
            Encapsulation::Gtpu { teid } => Self { teid: Some(*teid), ..self },
            Encapsulation::Pppoe { session } => Self { session: Some(u32::from(*session)), ..self },
            Encapsulation::L2tpV3 { session } => Self { session: Some(*session), ..self },
            Encapsulation::L2tp { tunnel, session } => {
                Self { tunnel: Some(*tunnel), session: Some(u32::from(*session)), ..self }
            }
            Encapsulation::Capwap { radio } => Self { radio: Some(*radio), ..self },
            Encapsulation::Nsh { path, index } => Self { path: Some(*path), index: Some(u32::from(*index)), ..self },
            Encapsulation::CiscoMetadata { group } => Self { group: Some(*group), ..self },
            Encapsulation::BackboneTag { service } => Self { service: Some(*service), ..self },
            Encapsulation::Pptp { call } => Self { call: Some(*call), ..self },
            _ => self,
        }
    }
}

/// The layers around a flow as a JSON list, outermost first, each as in its flow events.
pub(crate) fn layers_json(layers: &[Encapsulation]) -> String {
    let objects: Vec<_> = layers.iter().map(LayerObject::new).collect();
    // Every key of a layer is a string, so that it can be written.
    serde_json::to_string(&objects).unwrap_or_default()
}

/// The unit of an ERSPAN III time stamp (draft-foschiano-erspan-03, 4.3, Gra); `None` where the switch chose its own.
fn granularity_name(granularity: u8) -> Option<&'static str> {
    ["100us", "100ns", "ieee1588"].get(usize::from(granularity)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(layer: Encapsulation) -> String {
        serde_json::to_string(&LayerObject::new(&layer)).expect("json")
    }

    #[test]
    fn a_layer_tells_what_its_header_has() {
        let address = |last| Address::v4([10, 0, 0, last]);
        assert_eq!(
            json(Encapsulation::Ip { source: address(1), destination: address(2) }),
            r#"{"kind":"ip","src_ip":"10.0.0.1","dest_ip":"10.0.0.2"}"#
        );
        assert_eq!(json(Encapsulation::Gre { key: None, sequence: Some(1) }), r#"{"kind":"gre"}"#);
        assert_eq!(json(Encapsulation::ErspanI), r#"{"kind":"erspan_i"}"#);
        assert_eq!(
            json(Encapsulation::ErspanII { sequence: 9, session: 2, vlan: 3, truncated: true, index: 4 }),
            r#"{"kind":"erspan_ii","vlan":3,"session":2,"truncated":true,"index":4}"#
        );
        let layer = Encapsulation::ErspanIII {
            sequence: None,
            session: 2,
            vlan: 3,
            truncated: false,
            egress: true,
            timestamp: 7,
            granularity: 1,
            hardware: 6,
            index: None,
        };
        assert_eq!(
            json(layer),
            r#"{"kind":"erspan_iii","vlan":3,"session":2,"truncated":false,"direction":"egress","hardware":6,"granularity":"100ns"}"#
        );
        assert_eq!(json(Encapsulation::L2tpV3 { session: 1 << 20 }), r#"{"kind":"l2tpv3","session":1048576}"#);
        assert_eq!(json(Encapsulation::L2tp { tunnel: 1, session: 2 }), r#"{"kind":"l2tp","tunnel":1,"session":2}"#);
    }
}
