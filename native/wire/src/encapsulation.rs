//! The outer layers that a frame was carried in.

use arrayvec::ArrayVec;
use thiserror::Error;

use crate::address::Address;

/// How many encapsulations are followed; a frame with more is [`crate::DecodeErrorKind::TooDeep`].
pub const MAX_ENCAPSULATIONS: usize = 12;

/// All encapsulations of a frame, outermost first.
pub type EncapStack = ArrayVec<Encapsulation, MAX_ENCAPSULATIONS>;

/// One outer layer, with the metadata that its header carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encapsulation {
    /// An 802.1Q or 802.1ad tag (IEEE 802.1Q, 9.6): `id` is the 12-bit VLAN identifier.
    Vlan {
        /// VLAN identifier, 0 to 4095 (0 is a priority tag).
        id: u16,
    },
    /// An IP header that carries the next layer; endpoints of the tunnel.
    Ip {
        /// Who sent the tunnel packet.
        source: Address,
        /// To whom.
        destination: Address,
    },
    /// GRE (RFC 2784, RFC 2890) that carries anything but ERSPAN.
    Gre {
        /// The key, if the K bit is set.
        key: Option<u32>,
        /// The sequence number, if the S bit is set.
        sequence: Option<u32>,
    },
    /// ERSPAN type I: GRE protocol 0x88BE without a sequence number; it has no header of its own.
    ErspanI,
    /// ERSPAN type II (draft-foschiano-erspan-03, 4.2).
    ErspanII {
        /// GRE sequence number.
        sequence: u32,
        /// Session id, 10 bits.
        session: u16,
        /// VLAN of the mirrored frame, 12 bits; 0 if untagged.
        vlan: u16,
        /// Whether the mirrored frame was cut by the switch.
        truncated: bool,
        /// Port index, 20 bits.
        index: u32,
    },
    /// ERSPAN type III (draft-foschiano-erspan-03, 4.3).
    ErspanIII {
        /// GRE sequence number, if present.
        sequence: Option<u32>,
        /// Session id, 10 bits.
        session: u16,
        /// VLAN of the mirrored frame, 12 bits; 0 if untagged.
        vlan: u16,
        /// Whether the mirrored frame was cut by the switch.
        truncated: bool,
        /// Whether the frame was mirrored on its way out of the port (the D bit).
        egress: bool,
        /// The switch's 32-bit time stamp; its unit is the header's granularity.
        timestamp: u32,
        /// Unit of the time stamp: 0 for 100 µs, 1 for 100 ns, 2 for IEEE 1588, 3 for the user's own.
        granularity: u8,
        /// Which engine of the switch mirrored it, 6 bits.
        hardware: u8,
        /// Index of the port, where a platform subheader tells it.
        index: Option<u32>,
    },
    /// VXLAN (RFC 7348).
    Vxlan {
        /// VXLAN network identifier, 24 bits.
        vni: u32,
    },
    /// VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe-12).
    VxlanGpe {
        /// VXLAN network identifier, 24 bits.
        vni: u32,
    },
    /// Geneve (RFC 8926).
    Geneve {
        /// Virtual network identifier, 24 bits.
        vni: u32,
    },
    /// One entry of an MPLS label stack (RFC 3032).
    Mpls {
        /// The label, 20 bits.
        label: u32,
    },
    /// PPPoE session stage (RFC 2516).
    Pppoe {
        /// Session id.
        session: u16,
    },
    /// GTP-U T-PDU (3GPP TS 29.281).
    Gtpu {
        /// Tunnel endpoint identifier.
        teid: u32,
    },
    /// TaZmen Sniffer Protocol, what MikroTik mirrors in.
    Tzsp,
    /// HPE encapsulated remote mirroring.
    Erm {
        /// VLAN of the mirrored frame, 12 bits; 0 if untagged.
        vlan: u16,
    },
    /// CAPWAP data channel (RFC 5415, 4.3).
    Capwap {
        /// Radio id, 5 bits.
        radio: u8,
    },
    /// L2TP version 2 data message (RFC 2661, 3.1).
    L2tp {
        /// Tunnel id.
        tunnel: u16,
        /// Session id.
        session: u16,
    },
    /// L2TP version 3 data message over IP (RFC 3931, 4.1.1).
    L2tpV3 {
        /// Session id.
        session: u32,
    },
    /// MACsec (IEEE 802.1AE) that is not encrypted.
    Macsec,
    /// Network service header (RFC 8300).
    Nsh {
        /// Service path identifier, 24 bits.
        path: u32,
        /// Service index.
        index: u8,
    },
    /// Cisco metadata.
    CiscoMetadata {
        /// Security group tag.
        group: u16,
    },
    /// Teredo (RFC 4380).
    Teredo,
    /// Ethernet in IP (RFC 3378).
    Etherip,
    /// GRE version 1, which carries PPTP's calls (RFC 2637).
    Pptp {
        /// Call id.
        call: u16,
    },
    /// Backbone service instance tag, in front of a customer's frame (IEEE 802.1Q, 9.7).
    BackboneTag {
        /// Service instance, 24 bits.
        service: u32,
    },
    /// E-TAG or VN-Tag of a port extender (IEEE 802.1BR).
    ExtenderTag,
    /// Cisco FabricPath, in front of a frame.
    Fabricpath,
}

/// The kind of an encapsulation; the label `encapsulation` of the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Error)]
#[allow(missing_docs)] // each is the encapsulation's own name
pub enum EncapsulationKind {
    #[error("vlan")]
    Vlan,
    #[error("ip")]
    Ip,
    #[error("gre")]
    Gre,
    #[error("erspan_i")]
    ErspanI,
    #[error("erspan_ii")]
    ErspanII,
    #[error("erspan_iii")]
    ErspanIII,
    #[error("vxlan")]
    Vxlan,
    #[error("vxlan_gpe")]
    VxlanGpe,
    #[error("geneve")]
    Geneve,
    #[error("mpls")]
    Mpls,
    #[error("pppoe")]
    Pppoe,
    #[error("gtpu")]
    Gtpu,
    #[error("tzsp")]
    Tzsp,
    #[error("erm")]
    Erm,
    #[error("capwap")]
    Capwap,
    #[error("l2tp")]
    L2tp,
    #[error("l2tpv3")]
    L2tpV3,
    #[error("macsec")]
    Macsec,
    #[error("nsh")]
    Nsh,
    #[error("cisco_metadata")]
    CiscoMetadata,
    #[error("teredo")]
    Teredo,
    #[error("etherip")]
    Etherip,
    #[error("pptp")]
    Pptp,
    #[error("backbone_tag")]
    BackboneTag,
    #[error("extender_tag")]
    ExtenderTag,
    #[error("fabricpath")]
    Fabricpath,
}

impl EncapsulationKind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 26] = [
        Self::Vlan,
        Self::Ip,
        Self::Gre,
        Self::ErspanI,
        Self::ErspanII,
        Self::ErspanIII,
        Self::Vxlan,
        Self::VxlanGpe,
        Self::Geneve,
        Self::Mpls,
        Self::Pppoe,
        Self::Gtpu,
        Self::Tzsp,
        Self::Erm,
        Self::Capwap,
        Self::L2tp,
        Self::L2tpV3,
        Self::Macsec,
        Self::Nsh,
        Self::CiscoMetadata,
        Self::Teredo,
        Self::Etherip,
        Self::Pptp,
        Self::BackboneTag,
        Self::ExtenderTag,
        Self::Fabricpath,
    ];
}

impl Encapsulation {
    /// Which kind this is.
    #[inline]
    pub fn kind(&self) -> EncapsulationKind {
        match self {
            Self::Vlan { .. } => EncapsulationKind::Vlan,
            Self::Ip { .. } => EncapsulationKind::Ip,
            Self::Gre { .. } => EncapsulationKind::Gre,
            Self::ErspanI => EncapsulationKind::ErspanI,
            Self::ErspanII { .. } => EncapsulationKind::ErspanII,
            Self::ErspanIII { .. } => EncapsulationKind::ErspanIII,
            Self::Vxlan { .. } => EncapsulationKind::Vxlan,
            Self::VxlanGpe { .. } => EncapsulationKind::VxlanGpe,
            Self::Geneve { .. } => EncapsulationKind::Geneve,
            Self::Mpls { .. } => EncapsulationKind::Mpls,
            Self::Pppoe { .. } => EncapsulationKind::Pppoe,
            Self::Gtpu { .. } => EncapsulationKind::Gtpu,
            Self::Tzsp => EncapsulationKind::Tzsp,
            Self::Erm { .. } => EncapsulationKind::Erm,
            Self::Capwap { .. } => EncapsulationKind::Capwap,
            Self::L2tp { .. } => EncapsulationKind::L2tp,
            Self::L2tpV3 { .. } => EncapsulationKind::L2tpV3,
            Self::Macsec => EncapsulationKind::Macsec,
            Self::Nsh { .. } => EncapsulationKind::Nsh,
            Self::CiscoMetadata { .. } => EncapsulationKind::CiscoMetadata,
            Self::Teredo => EncapsulationKind::Teredo,
            Self::Etherip => EncapsulationKind::Etherip,
            Self::Pptp { .. } => EncapsulationKind::Pptp,
            Self::BackboneTag { .. } => EncapsulationKind::BackboneTag,
            Self::ExtenderTag => EncapsulationKind::ExtenderTag,
            Self::Fabricpath => EncapsulationKind::Fabricpath,
        }
    }
}

impl Encapsulation {
    /// The layer without what differs from frame to frame: sequence number and time stamp.
    pub fn lasting(self) -> Self {
        match self {
            Self::Gre { key, .. } => Self::Gre { key, sequence: None },
            Self::ErspanII { session, vlan, truncated, index, .. } => {
                Self::ErspanII { sequence: 0, session, vlan, truncated, index }
            }
            Self::ErspanIII { session, vlan, truncated, egress, granularity, hardware, index, .. } => {
                let (sequence, timestamp) = (None, 0);
                Self::ErspanIII { sequence, session, vlan, truncated, egress, timestamp, granularity, hardware, index }
            }
            other => other,
        }
    }
}

/// The identifiers of all VLANs that a frame was in, outermost first.
///
/// Every tag counts, at any depth. The VLAN in an ERSPAN or ERM header says it of the mirrored frame: it counts only where
/// that frame has no tag of its own, which would say it again.
pub fn vlan_ids(stack: &EncapStack) -> ArrayVec<u16, MAX_ENCAPSULATIONS> {
    let mut ids = ArrayVec::new();
    for (index, encapsulation) in stack.iter().enumerate() {
        match *encapsulation {
            Encapsulation::Vlan { id } => ids.push(id),
            Encapsulation::ErspanII { vlan, .. }
            | Encapsulation::ErspanIII { vlan, .. }
            | Encapsulation::Erm { vlan } => {
                let tagged = matches!(stack.get(index + 1), Some(Encapsulation::Vlan { .. }));
                if vlan != 0 && !tagged {
                    ids.push(vlan);
                }
            }
            _ => {}
        }
    }
    ids
}

/// What is told of the tunnels that a packet came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// Who sent the outermost tunnel packet.
    pub source: Address,
    /// To whom.
    pub destination: Address,
    /// The innermost tunnel.
    pub protocol: EncapsulationKind,
    /// How many tunnels are nested in each other.
    pub depth: u8,
}

impl Tunnel {
    /// The tunnels of a stack; `None` if no IP packet carried the innermost one.
    pub fn of(stack: &[Encapsulation]) -> Option<Self> {
        let mut tunnel: Option<Self> = None;
        for encapsulation in stack {
            match *encapsulation {
                Encapsulation::Vlan { .. }
                | Encapsulation::Mpls { .. }
                | Encapsulation::Pppoe { .. }
                | Encapsulation::BackboneTag { .. }
                | Encapsulation::ExtenderTag
                | Encapsulation::Fabricpath
                | Encapsulation::Macsec
                | Encapsulation::Nsh { .. }
                | Encapsulation::CiscoMetadata { .. } => {}
                Encapsulation::Ip { source, destination } => {
                    let protocol = EncapsulationKind::Ip;
                    let outermost = *tunnel.get_or_insert(Self { source, destination, protocol, depth: 0 });
                    tunnel = Some(Self { protocol, depth: outermost.depth + 1, ..outermost });
                }
                _ => tunnel = tunnel.map(|outermost| Self { protocol: encapsulation.kind(), ..outermost }),
            }
        }
        tunnel
    }
}

#[cfg(test)]
#[path = "encapsulation_tests.rs"]
mod tests;
