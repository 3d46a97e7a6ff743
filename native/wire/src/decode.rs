//! From a frame to its innermost packet.

use crate::cursor::Cursor;
use crate::encapsulation::{EncapStack, Encapsulation};
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::packet::{Ether, IpHeader, Network, Packet};
use crate::tunnel_ports::TunnelPorts;
use crate::{ethernet, ethertype, ipv4, ipv6, link, plain, transport, vlan};

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

/// No depth of the stack.
const NOWHERE: usize = usize::MAX;

/// The state of decoding one frame.
pub(crate) struct Decoder<'a, 'c> {
    pub(crate) cursor: Cursor<'a>,
    pub(crate) ports: &'c TunnelPorts,
    ethernet: Option<ethernet::Header<'a>>,
    /// Depth of the stack at which the tunnel packet stands that carries what is at the cursor, if no frame is between.
    carrier: usize,
    /// Depth of the stack at which a packet is not entered.
    pub(crate) closed: usize,
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
    decode_to(frame, (origlen, link_type), ports, encapsulations, NOWHERE)
}

#[inline]
fn decode_to<'a>(
    frame: &'a [u8],
    (origlen, link_type): (u32, u16),
    ports: &TunnelPorts,
    encapsulations: &mut EncapStack,
    closed: usize,
) -> Result<Packet<'a>, DecodeError> {
    encapsulations.clear();
    let cursor = Cursor::new(frame, origlen);
    let mut decoder = Decoder { cursor, ports, ethernet: None, carrier: NOWHERE, closed, encapsulations };
    let mut carried = link::read(&mut decoder.cursor, link_type)?;
    // Each turn but the last puts an encapsulation onto the bounded stack.
    loop {
        let ip = match decoder.ethertype(carried)? {
            ethertype::IPV4 => ipv4::read(&mut decoder.cursor)?,
            ethertype::IPV6 => ipv6::read(&mut decoder.cursor)?,
            ethertype if decoder.carrier == NOWHERE => {
                let network = Network::NonIp { ethertype, payload: decoder.cursor.rest() };
                return Ok(Packet { ether: decoder.ether(), network });
            }
            _ => {
                let carrier = decoder.carrier;
                return stop_at(frame, (origlen, link_type), ports, encapsulations, carrier);
            }
        };
        match decoder.tunnel(&ip)? {
            Some(Carried::Ethernet) => match plain::packet_at(decoder.cursor, ports) {
                Some(packet) => return Ok(packet),
                None => carried = Carried::Ethernet,
            },
            Some(inner) => carried = inner,
            None => return Ok(decoder.innermost(&ip)),
        }
    }
}

/// Decodes anew, and leaves the tunnel closed whose packet stands at this depth: to remember the way back would cost every
/// frame in a tunnel, and few are led astray.
#[cold]
#[inline(never)]
fn stop_at<'a>(
    frame: &'a [u8],
    link: (u32, u16),
    ports: &TunnelPorts,
    encapsulations: &mut EncapStack,
    depth: usize,
) -> Result<Packet<'a>, DecodeError> {
    decode_to(frame, link, ports, encapsulations, depth)
}

impl<'a> Decoder<'a, '_> {
    /// Takes every frame header, tag and label up to an IP packet or what is not followed; gives the EtherType of that.
    #[inline]
    fn ethertype(&mut self, carried: Carried) -> Result<u16, DecodeError> {
        match self.frame(carried)? {
            ip @ (ethertype::IPV4 | ethertype::IPV6) => Ok(ip),
            other => self.tags(other),
        }
    }

    /// Takes an Ethernet header, if there is one; gives the EtherType of what follows.
    #[inline]
    fn frame(&mut self, carried: Carried) -> Result<u16, DecodeError> {
        match carried {
            Carried::Ethernet => {
                let (header, ethertype) = ethernet::read(&mut self.cursor)?;
                self.ethernet = Some(header);
                self.carrier = NOWHERE;
                Ok(ethertype)
            }
            Carried::Frame(ethertype) => {
                self.carrier = NOWHERE;
                Ok(ethertype)
            }
            Carried::Payload(ethertype) => Ok(ethertype),
        }
    }

    /// Takes tags, labels and the frames inside them, of which the first has this EtherType.
    fn tags(&mut self, mut ethertype: u16) -> Result<u16, DecodeError> {
        // Each turn takes a layer onto the bounded stack.
        loop {
            let carried = match ethertype {
                ethertype::IPV4 | ethertype::IPV6 => return Ok(ethertype),
                ethertype::VLAN | ethertype::SERVICE_VLAN | ethertype::OLD_QINQ | ethertype::OLD_QINQ_2 => {
                    let at_tag = self.cursor;
                    let (tag, inner) = vlan::read(&mut self.cursor)?;
                    self.push(tag, Layer::Vlan, &at_tag)?;
                    Carried::Payload(inner)
                }
                _ => match self.shim(ethertype)? {
                    Some(inner) => inner,
                    None => return Ok(ethertype),
                },
            };
            ethertype = self.frame(carried)?;
        }
    }

    /// Puts the endpoints of a tunnel packet onto the stack, whose payload starts at the cursor.
    #[inline]
    pub(crate) fn push_carrier(&mut self, ip: &IpHeader, name: Layer) -> Result<(), DecodeError> {
        let at = self.cursor;
        self.carrier = self.encapsulations.len();
        self.push(Encapsulation::Ip { source: ip.source, destination: ip.destination }, name, &at)
    }

    /// How many layers were passed.
    #[inline]
    pub(crate) fn depth(&self) -> usize {
        self.encapsulations.len()
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
        Packet { ether: self.ether(), network: Network::Ip(ip.packet(transport, &self.cursor)) }
    }
}
