//! From a frame to its innermost packet.

use crate::cursor::Cursor;
use crate::encapsulation::{EncapStack, Encapsulation};
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::packet::{Ether, IpHeader, IpPacket, Network, Packet};
use crate::tunnel_ports::TunnelPorts;
use crate::{ethernet, ethertype, ipv4, ipv6, link, transport, vlan};

/// What stands at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carried {
    /// An Ethernet frame.
    Ethernet,
    /// A payload of this EtherType.
    Payload(u16),
    /// A frame of another kind than Ethernet, its header taken, with a payload of this EtherType.
    Frame(u16),
}

impl Carried {
    /// What stands behind a header that names it by EtherType.
    pub(crate) fn of(ethertype: u16) -> Self {
        if ethertype == ethertype::ETHERNET { Self::Ethernet } else { Self::Payload(ethertype) }
    }
}

/// A layer that was entered, and what it carries; nothing if it is not what its port or number promises.
pub(crate) type Layered = Option<(Encapsulation, Carried)>;

/// An IP packet that was entered as a tunnel, to come back to if what it carries is no frame and no IP packet.
struct Carrier<'a> {
    ip: IpHeader,
    cursor: Cursor<'a>,
    depth: usize,
}

/// The state of decoding one frame.
pub(crate) struct Decoder<'a, 'c> {
    pub(crate) cursor: Cursor<'a>,
    pub(crate) ports: &'c TunnelPorts,
    ethernet: Option<ethernet::Header<'a>>,
    /// The tunnel around what stands at the cursor, unless a frame stands between.
    carrier: Option<Carrier<'a>>,
    encapsulations: &'c mut EncapStack,
}

/// Decodes a frame down to the innermost packet, through every tag and tunnel that is followed.
///
/// `frame` are the captured bytes, `origlen` is the frame's length on the wire in bytes, `link_type` its LINKTYPE
/// number. `encapsulations` is cleared and then takes what was passed on the way, outermost first; after an error it
/// holds what was passed before it.
///
/// # Errors
///
/// A link, tag, tunnel or IP header that can't be read: cut, contradictory, of a kind that is not decoded, or behind
/// more layers than are followed. A transport header that can't be read is none, see the crate's documentation.
pub fn decode<'a>(
    frame: &'a [u8],
    origlen: u32,
    link_type: u16,
    ports: &TunnelPorts,
    encapsulations: &mut EncapStack,
) -> Result<Packet<'a>, DecodeError> {
    encapsulations.clear();
    let mut decoder =
        Decoder { cursor: Cursor::new(frame, origlen), ports, ethernet: None, carrier: None, encapsulations };
    let mut carried = link::read(&mut decoder.cursor, link_type)?;
    // Each turn but the last puts an encapsulation onto the bounded stack.
    loop {
        let ip = match decoder.ethertype(carried)? {
            ethertype::IPV4 => ipv4::read(&mut decoder.cursor)?,
            ethertype::IPV6 => ipv6::read(&mut decoder.cursor)?,
            ethertype => return Ok(decoder.without_ip(ethertype)),
        };
        let (cursor, depth) = (decoder.cursor, decoder.encapsulations.len());
        match decoder.tunnel(&ip)? {
            Some(inner) => {
                carried = inner;
                decoder.carrier = Some(Carrier { ip, cursor, depth });
            }
            None => return Ok(decoder.innermost(&ip)),
        }
    }
}

impl<'a> Decoder<'a, '_> {
    /// Takes every frame header, tag and label up to an IP packet or what is not followed; gives the EtherType of that.
    #[inline]
    fn ethertype(&mut self, mut carried: Carried) -> Result<u16, DecodeError> {
        // Each turn but the first takes a layer onto the bounded stack.
        loop {
            let ethertype = match carried {
                Carried::Ethernet => {
                    let (header, ethertype) = ethernet::read(&mut self.cursor)?;
                    self.ethernet = Some(header);
                    self.carrier = None;
                    ethertype
                }
                Carried::Frame(ethertype) => {
                    self.carrier = None;
                    ethertype
                }
                Carried::Payload(ethertype) => ethertype,
            };
            match ethertype {
                ethertype::IPV4 | ethertype::IPV6 => return Ok(ethertype),
                ethertype::VLAN | ethertype::SERVICE_VLAN | ethertype::OLD_QINQ | ethertype::OLD_QINQ_2 => {
                    let at_tag = self.cursor;
                    let (tag, inner) = vlan::read(&mut self.cursor)?;
                    self.push(tag, Layer::Vlan, &at_tag)?;
                    carried = Carried::Payload(inner);
                }
                _ => match self.shim(ethertype)? {
                    Some(inner) => carried = inner,
                    None => return Ok(ethertype),
                },
            }
        }
    }

    /// No IP packet stands in the innermost frame; where a tunnel carries no frame either, the tunnel is the packet.
    #[cold]
    fn without_ip(mut self, ethertype: u16) -> Packet<'a> {
        let Some(carrier) = self.carrier.take() else {
            return Packet { ether: self.ether(), network: Network::NonIp { ethertype } };
        };
        self.encapsulations.truncate(carrier.depth);
        self.cursor = carrier.cursor;
        self.innermost(&carrier.ip)
    }

    /// The innermost Ethernet header so far.
    #[inline]
    fn ether(&self) -> Option<Ether> {
        self.ethernet.map(|header| header.ether())
    }

    /// Puts a layer whose header starts at `at` onto the stack.
    #[inline]
    pub(crate) fn push(&mut self, layer: Encapsulation, name: Layer, at: &Cursor<'_>) -> Result<(), DecodeError> {
        self.encapsulations.try_push(layer).map_err(|_| at.error(name, DecodeErrorKind::TooDeep))
    }

    /// Takes the transport header: nothing is carried inside this packet that is followed.
    #[inline]
    fn innermost(mut self, ip: &IpHeader) -> Packet<'a> {
        let transport = transport::read(&mut self.cursor, ip);
        let packet = IpPacket {
            source: ip.source,
            destination: ip.destination,
            protocol: ip.protocol,
            ttl: ip.ttl,
            identification: ip.identification,
            length_bytes: ip.length_bytes,
            later_fragment: ip.later_fragment,
            fragment: ip.fragment,
            transport,
            payload: self.cursor.rest(),
            payload_length_bytes: self.cursor.wire_left(),
        };
        Packet { ether: self.ether(), network: Network::Ip(packet) }
    }
}
