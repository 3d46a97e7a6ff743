//! Why decoding stopped: what was wrong, in which layer, at which byte of the frame.

use thiserror::Error;

/// A frame that could not be decoded to an innermost packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("{layer} at byte {offset}: {kind}")]
pub struct DecodeError {
    /// The header that could not be read.
    pub layer: Layer,
    /// What was wrong with it.
    pub kind: DecodeErrorKind,
    /// Where that header starts, in bytes from the start of the frame.
    pub offset: u32,
}

/// What was wrong with a header; the label `error` of the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Error)]
pub enum DecodeErrorKind {
    /// The captured bytes end inside the header.
    #[error("truncated")]
    Truncated,
    /// A field contradicts the format.
    #[error("malformed")]
    Malformed,
    /// A version or variant that is not decoded.
    #[error("unsupported")]
    Unsupported,
    /// More layers than are followed.
    #[error("too_deep")]
    TooDeep,
}

impl DecodeErrorKind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 4] = [Self::Truncated, Self::Malformed, Self::Unsupported, Self::TooDeep];
}

/// The header in which decoding stopped; the label `layer` of the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Error)]
#[allow(missing_docs)] // each is the header's own name
pub enum Layer {
    #[error("ethernet")]
    Ethernet,
    #[error("vlan")]
    Vlan,
    #[error("ipv4")]
    Ipv4,
    #[error("ipv6")]
    Ipv6,
    #[error("gre")]
    Gre,
    #[error("erspan")]
    Erspan,
    #[error("vxlan")]
    Vxlan,
    #[error("link")]
    Link,
    #[error("geneve")]
    Geneve,
    #[error("mpls")]
    Mpls,
    #[error("pppoe")]
    Pppoe,
    #[error("ppp")]
    Ppp,
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
    #[error("switch_tag")]
    SwitchTag,
}

impl Layer {
    /// Every layer, in the order of its number.
    pub const ALL: [Self; 23] = [
        Self::Ethernet,
        Self::Vlan,
        Self::Ipv4,
        Self::Ipv6,
        Self::Gre,
        Self::Erspan,
        Self::Vxlan,
        Self::Link,
        Self::Geneve,
        Self::Mpls,
        Self::Pppoe,
        Self::Ppp,
        Self::Gtpu,
        Self::Tzsp,
        Self::Erm,
        Self::Capwap,
        Self::L2tp,
        Self::Macsec,
        Self::Nsh,
        Self::CiscoMetadata,
        Self::Teredo,
        Self::Etherip,
        Self::SwitchTag,
    ];
}
