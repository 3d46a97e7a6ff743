//! Which IP packets carry another frame or packet, and the way into it.

use crate::cursor::Cursor;
use crate::decode::{Carried, Decoder};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::erspan::FrameType;
use crate::packet::{IpHeader, Transport};
use crate::{erspan, ethertype, gre, link, protocol, udp, vxlan};

impl<'a> Decoder<'a, '_> {
    /// Enters the tunnel that the packet at the cursor is, and gives what it carries; `None` if it is none, or one that
    /// is not followed, and then the cursor stays.
    #[inline]
    pub(crate) fn tunnel(&mut self, ip: &IpHeader) -> Result<Option<Carried>, DecodeError> {
        if ip.later_fragment {
            return Ok(None);
        }
        match ip.protocol {
            protocol::UDP => self.vxlan(ip),
            protocol::GRE => self.gre(ip),
            protocol::IPV4 => self.ip_in_ip(ip, ethertype::IPV4, Layer::Ipv4),
            protocol::IPV6 => self.ip_in_ip(ip, ethertype::IPV6, Layer::Ipv6),
            _ => Ok(None),
        }
    }

    fn ip_in_ip(&mut self, outer: &IpHeader, ethertype: u16, inner: Layer) -> Result<Option<Carried>, DecodeError> {
        let at = self.cursor;
        self.push(endpoints(outer), inner, &at)?;
        Ok(Some(Carried::Payload(ethertype)))
    }

    fn gre(&mut self, outer: &IpHeader) -> Result<Option<Carried>, DecodeError> {
        let mut inside = self.cursor;
        let Some(header) = gre::read(&mut inside, is_followed)? else { return Ok(None) };
        let (tunnel, carried) = match header.protocol {
            ethertype::ERSPAN => (erspan::read_i_or_ii(&mut inside, header.sequence)?, Carried::Ethernet),
            ethertype::ERSPAN_III => match erspan::read_iii(&mut inside, header.sequence)? {
                (tunnel, FrameType::Ethernet) => (tunnel, Carried::Ethernet),
                (tunnel, FrameType::Ip) => (tunnel, Carried::Payload(link::ip_version(&inside, Layer::Erspan)?)),
                (_, FrameType::Unknown) => return Ok(None),
            },
            protocol => {
                let tunnel = Encapsulation::Gre { key: header.key, sequence: header.sequence };
                let ethernet = protocol == ethertype::ETHERNET;
                (tunnel, if ethernet { Carried::Ethernet } else { Carried::Payload(protocol) })
            }
        };
        self.enter(outer, tunnel, Layer::Gre, inside)?;
        Ok(Some(carried))
    }

    #[inline]
    fn vxlan(&mut self, outer: &IpHeader) -> Result<Option<Carried>, DecodeError> {
        let mut inside = self.cursor;
        match udp::read(&mut inside) {
            Transport::Udp { source_port, destination_port } if self.ports.is_vxlan(source_port, destination_port) => {}
            _ => return Ok(None),
        }
        let Some(tunnel) = vxlan::read(&mut inside)? else { return Ok(None) };
        self.enter(outer, tunnel, Layer::Vxlan, inside)?;
        Ok(Some(Carried::Ethernet))
    }

    /// Puts the outer packet and the tunnel onto the stack, and moves the cursor inside.
    fn enter(
        &mut self,
        outer: &IpHeader,
        tunnel: Encapsulation,
        name: Layer,
        inside: Cursor<'a>,
    ) -> Result<(), DecodeError> {
        let at = self.cursor;
        self.push(endpoints(outer), name, &at)?;
        self.push(tunnel, name, &at)?;
        self.cursor = inside;
        Ok(())
    }
}

fn endpoints(outer: &IpHeader) -> Encapsulation {
    Encapsulation::Ip { source: outer.source, destination: outer.destination }
}

/// The GRE payloads that are followed.
fn is_followed(protocol: u16) -> bool {
    matches!(
        protocol,
        ethertype::IPV4 | ethertype::IPV6 | ethertype::ETHERNET | ethertype::ERSPAN | ethertype::ERSPAN_III
    )
}
