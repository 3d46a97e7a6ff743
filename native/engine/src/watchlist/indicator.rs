//! One indicator: text to value, or the reason why not, and back.
//!
//! `a.b.c.d`, `a.b.c.d/n`, IPv6 (RFC 4291, 2.2 and 2.3), and each with a port: `a.b.c.d:port`, `[v6]:port`
//! (RFC 3986, 3.2.2).

use std::fmt;
use std::net::Ipv6Addr;
use std::num::NonZeroU16;

use super::IndicatorKind;
use super::network::Network;
use super::reason::{Reason, Refusal};

/// No indicator is longer: `[`, 45 bytes of IPv6, `/128]:65535`.
pub(super) const MAX_INDICATOR_BYTES: usize = 64;

/// The widest IPv4 network that is believed: a slip in a prefix must not list half of the Internet.
pub(super) const MIN_V4_PREFIX: u8 = 8;

/// The widest IPv6 network that is believed.
pub(super) const MIN_V6_PREFIX: u8 = 16;

/// Networks that overlap these would hit on traffic that has no peer, or never hit (RFC 6890, RFC 1112).
const V4_WITHOUT_PEER: [(&str, Network); 4] = [
    ("unspecified", Network::v4([0, 0, 0, 0], 8)),
    ("loopback", Network::v4([127, 0, 0, 0], 8)),
    ("multicast", Network::v4([224, 0, 0, 0], 4)),
    ("broadcast", Network::v4([255, 255, 255, 255], 32)),
];

/// The same for IPv6 (RFC 4291, 2.5.2, 2.5.3 and 2.7).
const V6_WITHOUT_PEER: [(&str, Network); 3] = [
    ("unspecified", Network::v6(Ipv6Addr::UNSPECIFIED.octets(), 128)),
    ("loopback", Network::v6(Ipv6Addr::LOCALHOST.octets(), 128)),
    ("multicast", Network::v6(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0).octets(), 8)),
];

/// An address or a network, with the port of that end if only one is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Indicator {
    /// What the end's address is or lies in.
    pub(super) network: Network,
    /// The port; `None` is any.
    pub(super) port: Option<NonZeroU16>,
}

impl Indicator {
    /// Reads one indicator, without white space around it.
    ///
    /// # Errors
    /// The first thing that is wrong, and its byte.
    #[inline]
    pub(super) fn parse(text: &[u8]) -> Result<Self, Refusal> {
        match Self::parse_common(text) {
            Some(indicator) => Ok(indicator),
            None => parse_shape(text).and_then(Self::checked).map_err(|refusal| plainest(text, refusal)),
        }
    }

    /// An IPv4 address with nothing to object to; none for anything else.
    #[inline]
    pub(super) fn parse_common(text: &[u8]) -> Option<Self> {
        let (octets, _) = common_v4(text).filter(|(_, length)| *length == text.len())?;
        Some(Self { network: Network::v4(octets, 32), port: None })
    }

    /// An IPv4 address with nothing to object to that `text` starts with and that a line end follows at once; also the
    /// length of both.
    #[inline]
    pub(super) fn parse_common_line(text: &[u8]) -> Option<(Self, usize)> {
        let (octets, length) = common_v4(text)?;
        let indicator = Self { network: Network::v4(octets, 32), port: None };
        (text.get(length) == Some(&b'\n')).then_some((indicator, length + 1))
    }

    /// The kind that it counts as.
    #[inline]
    pub(super) fn kind(&self) -> IndicatorKind {
        match self.port {
            _ if !self.network.is_host() => IndicatorKind::Cidr,
            Some(_) => IndicatorKind::IpPort,
            None => IndicatorKind::Ip,
        }
    }

    fn checked(self) -> Result<Self, Refusal> {
        let network = self.network;
        let (narrowest, without_peer) = match network.is_v4() {
            true => (MIN_V4_PREFIX, &V4_WITHOUT_PEER[..]),
            false => (MIN_V6_PREFIX, &V6_WITHOUT_PEER[..]),
        };
        if network.prefix() < narrowest {
            return Err(Reason::TooWide.at(0));
        }
        if network.truncated() != network {
            return Err(Reason::HostBits(network.truncated()).at(0));
        }
        if let Some(v4) = mapped_v4(network) {
            return Err(Reason::MappedV4(v4).at(0));
        }
        match without_peer.iter().find(|(_, special)| special.overlaps(network)) {
            Some((name, _)) => Err(Reason::WithoutPeer(name).at(0)),
            None => Ok(self),
        }
    }
}

/// What `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2) means: no packet carries that form.
fn mapped_v4(network: Network) -> Option<Network> {
    let octets = Ipv6Addr::from_bits(network.value).to_ipv4_mapped()?.octets();
    let prefix = network.bits.checked_sub(96).filter(|prefix| *prefix > 0)?;
    Some(Network::v4(octets, prefix))
}

/// The octets of an `a.b.c.d` with nothing to object to that `text` starts with, and its length: what lists have
/// millions of, without a detour. The caller sees whether more follows.
#[inline]
fn common_v4(text: &[u8]) -> Option<([u8; 4], usize)> {
    let mut octets = [0; 4];
    let mut at = 0;
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 && *text.get(at)? != b'.' {
            return None;
        }
        at += usize::from(index > 0);
        let start = at;
        let mut value = digit(text, at)?;
        at += 1;
        while let Some(digit) = digit(text, at) {
            if value == 0 || at - start == 3 {
                return None;
            }
            value = value * 10 + digit;
            at += 1;
        }
        *octet = u8::try_from(value).ok()?;
    }
    matches!(octets[0], 1..=126 | 128..=223).then_some((octets, at))
}

fn parse_shape(text: &[u8]) -> Result<Indicator, Refusal> {
    if text.is_empty() {
        return Err(Reason::Empty.at(0));
    }
    if text.len() > MAX_INDICATOR_BYTES {
        return Err(Reason::IndicatorTooLong.at(MAX_INDICATOR_BYTES));
    }
    match text.iter().find(|byte| matches!(byte, b'.' | b':' | b'[')) {
        Some(b'.') => parse_v4(text),
        Some(b':') => parse_v6(text, 0),
        Some(_) if text[0] == b'[' => parse_bracketed(text),
        _ => Err(Reason::NotAnIndicator.at(0)),
    }
}

/// A control character or broken text explains more than what the grammar missed because of it.
pub(super) fn plainest(text: &[u8], refusal: Refusal) -> Refusal {
    if matches!(refusal.reason, Reason::IndicatorTooLong | Reason::NameTooLong | Reason::UrlTooLong) {
        return refusal;
    }
    if let Some(offset) = text.iter().position(u8::is_ascii_control) {
        return Reason::ControlCharacter.at(offset);
    }
    match std::str::from_utf8(text) {
        Err(error) => Reason::NotUtf8.at(error.valid_up_to()),
        Ok(_) => refusal,
    }
}

fn parse_v4(text: &[u8]) -> Result<Indicator, Refusal> {
    let (octets, at) = parse_octets(text)?;
    let (prefix, at) = parse_prefix(text, at, 32)?;
    let (port, at) = if text.get(at) == Some(&b':') { parse_port(text, at + 1)? } else { (None, at) };
    if at != text.len() {
        return Err(Reason::NotAnIndicator.at(at));
    }
    Ok(Indicator { network: Network::v4(octets, prefix), port })
}

#[inline]
fn digit(text: &[u8], at: usize) -> Option<u32> {
    text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10).map(u32::from)
}

fn parse_octets(text: &[u8]) -> Result<([u8; 4], usize), Refusal> {
    let mut octets = [0; 4];
    let mut at = 0;
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            if text.get(at) != Some(&b'.') {
                return Err(Reason::NotAnIndicator.at(at));
            }
            at += 1;
        }
        let (value, next) = parse_number(text, at, u32::from(u8::MAX), Reason::OctetTooLarge)?;
        *octet = value as u8;
        at = next;
    }
    Ok((octets, at))
}

/// An IPv6 address or network; `text` stands `offset` bytes into the indicator.
fn parse_v6(text: &[u8], offset: usize) -> Result<Indicator, Refusal> {
    let end = text.iter().position(|&byte| byte == b'/').unwrap_or(text.len());
    let address = std::str::from_utf8(&text[..end]).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
    let address = address.ok_or(Reason::NotIpv6.at(offset))?;
    let shifted = |refusal: Refusal| refusal.reason.at(offset + refusal.offset);
    let (prefix, at) = parse_prefix(text, end, 128).map_err(shifted)?;
    if at != text.len() {
        return Err(Reason::NotAnIndicator.at(offset + at));
    }
    Ok(Indicator { network: Network::v6(address.octets(), prefix), port: None })
}

fn parse_bracketed(text: &[u8]) -> Result<Indicator, Refusal> {
    let close = text.iter().position(|&byte| byte == b']').ok_or(Reason::NotAnIndicator.at(text.len()))?;
    let indicator = parse_v6(&text[1..close], 1)?;
    if text.get(close + 1) != Some(&b':') {
        return Err(Reason::PortMissing.at(close + 1));
    }
    let (port, at) = parse_port(text, close + 2)?;
    if at != text.len() {
        return Err(Reason::NotAnIndicator.at(at));
    }
    Ok(Indicator { port, ..indicator })
}

/// `/n` if it stands at `at`, else the whole address.
fn parse_prefix(text: &[u8], at: usize, whole: u8) -> Result<(u8, usize), Refusal> {
    if text.get(at) != Some(&b'/') {
        return Ok((whole, at));
    }
    let (prefix, next) = parse_number(text, at + 1, u32::from(whole), Reason::PrefixTooLong)?;
    if prefix == 0 {
        return Err(Reason::TooWide.at(at + 1));
    }
    Ok((prefix as u8, next))
}

fn parse_port(text: &[u8], at: usize) -> Result<(Option<NonZeroU16>, usize), Refusal> {
    let (port, next) = parse_number(text, at, u32::from(u16::MAX), Reason::PortTooLarge)?;
    let port = NonZeroU16::new(port as u16).ok_or(Reason::PortZero.at(at))?;
    Ok((Some(port), next))
}

/// The decimal number at `at` and where it ends.
#[inline]
fn parse_number(text: &[u8], at: usize, maximum: u32, too_large: Reason) -> Result<(u32, usize), Refusal> {
    let mut value = 0_u32;
    let mut next = at;
    while let Some(digit) = digit(text, next) {
        value = value.saturating_mul(10).saturating_add(digit);
        next += 1;
    }
    if next == at {
        return Err(Reason::NotAnIndicator.at(at));
    }
    if next - at > 1 && text[at] == b'0' {
        return Err(Reason::LeadingZero.at(at));
    }
    if value > maximum {
        return Err(too_large.at(at));
    }
    Ok((value, next))
}

/// A port column's text.
///
/// # Errors
/// [`Reason::PortZero`], [`Reason::PortTooLarge`], [`Reason::LeadingZero`] or [`Reason::NotAPort`].
pub(super) fn parse_port_text(text: &[u8]) -> Result<Option<NonZeroU16>, Refusal> {
    match parse_port(text, 0) {
        Ok((port, end)) if end == text.len() => Ok(port),
        Err(refusal) if refusal.reason != Reason::NotAnIndicator => Err(refusal),
        _ => Err(Reason::NotAPort.at(0)),
    }
}

impl fmt::Display for Indicator {
    /// The one form that [`Indicator::parse`] reads back to the same value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = self.network;
        match self.port {
            None => network.fmt(f),
            Some(port) if network.is_v4() => write!(f, "{network}:{port}"),
            Some(port) => write!(f, "[{network}]:{port}"),
        }
    }
}

#[cfg(test)]
#[path = "indicator_tests.rs"]
mod tests;
