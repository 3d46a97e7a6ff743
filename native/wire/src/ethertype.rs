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

/// Types of frames without IP that LANs are full of (IEEE 802 Numbers, IANA): wake on LAN, reverse ARP, IPX, TRILL and its
/// routing, slow protocols, PPPoE's discovery, 802.1X, industrial networks and their redundancy, storage, LLDP, registration
/// protocols, clocks, connectivity faults, loops.
const WITHOUT_IP: [u16; 24] = [
    0x0842, 0x8035, 0x8137, 0x22f3, 0x22f4, 0x8809, 0x8863, 0x888e, 0x8892, 0x88a4, 0x88ab, 0x88b8, 0x88ba, 0x892f,
    0x88fb, 0x88a2, 0x8906, 0x8914, 0x8915, 0x88cc, 0x88f5, 0x88f7, 0x8902, 0x9000,
];

/// Whether frames of this type are met on wires: every type that is followed, and those in wide use that are not.
pub(crate) fn is_in_use(ethertype: u16) -> bool {
    let followed = matches!(
        ethertype,
        OLD_QINQ
            | OLD_QINQ_2
            | MPLS_MULTICAST
            | NSH
            | CISCO_METADATA
            | MACSEC
            | BACKBONE_TAG
            | E_TAG
            | VN_TAG
            | FABRICPATH
    );
    followed || is_common(ethertype) || WITHOUT_IP.contains(&ethertype)
}

/// The smallest EtherType; below lie lengths of 802.3 frames (IEEE 802.3, 3.2.6).
pub(crate) const MIN: u16 = 0x0600;
