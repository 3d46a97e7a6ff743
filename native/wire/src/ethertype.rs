//! EtherTypes that the decoder follows (IEEE 802 Numbers, IANA).

/// Stands for a payload that no EtherType names: LLC, unknown address families.
pub(crate) const NONE: u16 = 0;
/// IPv4.
pub(crate) const IPV4: u16 = 0x0800;
/// IPv6.
pub(crate) const IPV6: u16 = 0x86dd;
/// Customer VLAN tag (IEEE 802.1Q).
pub(crate) const VLAN: u16 = 0x8100;
/// Service VLAN tag (IEEE 802.1ad).
pub(crate) const SERVICE_VLAN: u16 = 0x88a8;
/// Outer tag of switches that stacked tags before 802.1ad.
pub(crate) const OLD_QINQ: u16 = 0x9100;
/// As [`OLD_QINQ`], of other vendors.
pub(crate) const OLD_QINQ_2: u16 = 0x9200;
/// An Ethernet frame: transparent Ethernet bridging (RFC 1701, 5).
pub(crate) const ETHERNET: u16 = 0x6558;
/// MPLS (RFC 3032, 5; RFC 5332).
pub(crate) const MPLS: u16 = 0x8847;
/// MPLS with an upstream-assigned or multicast label.
pub(crate) const MPLS_MULTICAST: u16 = 0x8848;
/// PPPoE session stage (RFC 2516).
pub(crate) const PPPOE_SESSION: u16 = 0x8864;
/// PPP, as PPTP's GRE carries it (RFC 2637, 4.1).
pub(crate) const PPP: u16 = 0x880b;
/// What WCCP redirects, in GRE (draft-mclaggan-wccp-v2rev1, 5.2).
pub(crate) const WCCP: u16 = 0x883e;
/// Network service header (RFC 8300).
pub(crate) const NSH: u16 = 0x894f;
/// Cisco metadata, the security group tag of TrustSec.
pub(crate) const CISCO_METADATA: u16 = 0x8909;
/// MACsec (IEEE 802.1AE).
pub(crate) const MACSEC: u16 = 0x88e5;
/// ERSPAN type I and II (draft-foschiano-erspan-03, 4.2).
pub(crate) const ERSPAN: u16 = 0x88be;
/// ERSPAN type III (draft-foschiano-erspan-03, 4.3).
pub(crate) const ERSPAN_III: u16 = 0x22eb;

/// Backbone service instance tag (IEEE 802.1Q, 9.7; before, 802.1ah).
pub(crate) const BACKBONE_TAG: u16 = 0x88e7;
/// E-TAG (IEEE 802.1BR).
pub(crate) const E_TAG: u16 = 0x893f;
/// VN-Tag (Cisco, the draft of E-TAG).
pub(crate) const VN_TAG: u16 = 0x8926;
/// Cisco FabricPath.
pub(crate) const FABRICPATH: u16 = 0x8903;
/// ARP, which is not followed but often met.
const ARP: u16 = 0x0806;

/// Whether this type is so common that a frame is told by it.
pub(crate) fn is_common(ethertype: u16) -> bool {
    matches!(ethertype, IPV4 | IPV6 | ARP | VLAN | SERVICE_VLAN | MPLS | PPPOE_SESSION)
}

/// The smallest EtherType; below lie lengths of 802.3 frames (IEEE 802.3, 3.2.6).
pub(crate) const MIN: u16 = 0x0600;
