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
/// ERSPAN type I and II (draft-foschiano-erspan-03, 4.2).
pub(crate) const ERSPAN: u16 = 0x88be;
/// ERSPAN type III (draft-foschiano-erspan-03, 4.3).
pub(crate) const ERSPAN_III: u16 = 0x22eb;

/// The smallest EtherType; below lie lengths of 802.3 frames (IEEE 802.3, 3.2.6).
pub(crate) const MIN: u16 = 0x0600;
