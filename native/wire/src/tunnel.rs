//! Which IP packets carry another frame or packet, and the way into it.

use crate::cursor::Cursor;
use crate::decode::{Carried, Decoder, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::erspan::FrameType;
use crate::packet::{IpHeader, Transport};
use crate::tunnel_ports::UdpTunnel;
use crate::{
    capwap, erm, erspan, ethertype, geneve, gre, gtpu, l2tp, l2tpv3, link, mpls, protocol, teredo, tzsp, udp, vxlan,
};

/// "The version number … 3 … Reserved … MUST be zero" (RFC 3378, 3).
const ETHERIP_HEADER: [u8; 2] = [0x30, 0];

impl<'a> Decoder<'a, '_> {
    /// Enters the tunnel that the packet at the cursor is, and gives what it carries; `None` if it is none, or one that
    /// is not followed, and then the cursor stays.
    #[inline]
    pub(crate) fn tunnel(&mut self, ip: &IpHeader) -> Result<Option<Carried>, DecodeError> {
        match ip.protocol {
            protocol::TCP => Ok(None),
            _ if ip.later_fragment || self.depth() == self.closed => Ok(None),
            protocol::UDP => self.udp(ip),
            protocol::GRE => self.gre(ip),
            protocol::IPV4 => self.in_ip(ip, ethertype::IPV4, Layer::Ipv4),
            protocol::IPV6 => self.in_ip(ip, ethertype::IPV6, Layer::Ipv6),
            protocol::MPLS => self.in_ip(ip, ethertype::MPLS, Layer::Mpls),
            protocol::ETHERIP => self.etherip(ip),
            protocol::L2TP => self.l2tp(ip),
            _ => Ok(None),
        }
    }

    /// IP carries this without a header of a tunnel between.
    #[cold]
    fn in_ip(&mut self, outer: &IpHeader, ethertype: u16, inner: Layer) -> Result<Option<Carried>, DecodeError> {
        self.push_carrier(outer, inner)?;
        Ok(Some(Carried::Payload(ethertype)))
    }

    #[cold]
    fn etherip(&mut self, outer: &IpHeader) -> Result<Option<Carried>, DecodeError> {
        let mut inside = self.cursor;
        if *inside.take::<2>(Layer::Etherip)? != ETHERIP_HEADER {
            return Ok(None);
        }
        self.enter(outer, Encapsulation::Etherip, Layer::Etherip, inside)?;
        Ok(Some(Carried::Ethernet))
    }

    #[cold]
    fn l2tp(&mut self, outer: &IpHeader) -> Result<Option<Carried>, DecodeError> {
        let mut inside = self.cursor;
        let Some((tunnel, carried)) = l2tpv3::read(&mut inside, outer.fragment)? else { return Ok(None) };
        self.enter(outer, tunnel, Layer::L2tp, inside)?;
        Ok(Some(carried))
    }

    #[inline(never)]
    fn gre(&mut self, outer: &IpHeader) -> Result<Option<Carried>, DecodeError> {
        let mut inside = self.cursor;
        let Some(header) = gre::read(&mut inside)? else { return Ok(None) };
        let (tunnel, carried) = match header.protocol {
            ethertype::ERSPAN => (erspan::read_i_or_ii(&mut inside, header.sequence)?, Carried::Ethernet),
            ethertype::ERSPAN_III => match erspan::read_iii(&mut inside, header.sequence)? {
                (tunnel, FrameType::Ethernet) => (tunnel, Carried::Ethernet),
                (tunnel, FrameType::Ip) => (tunnel, Carried::Payload(link::ip_version(&inside, Layer::Erspan)?)),
                (_, FrameType::Unknown) => return Ok(None),
            },
            protocol => {
                let tunnel = match header.call {
                    Some(call) => Encapsulation::Pptp { call },
                    None => Encapsulation::Gre { key: header.key, sequence: header.sequence },
                };
                (tunnel, if protocol == ethertype::WCCP { wccp(&mut inside) } else { Carried::of(protocol) })
            }
        };
        self.enter(outer, tunnel, Layer::Gre, inside)?;
        Ok(Some(carried))
    }

    #[inline]
    fn udp(&mut self, outer: &IpHeader) -> Result<Option<Carried>, DecodeError> {
        let mut inside = self.cursor;
        let Transport::Udp { source_port, destination_port } = udp::read(&mut inside) else { return Ok(None) };
        match self.ports.tunnel(source_port, destination_port) {
            None => Ok(None),
            Some(UdpTunnel::Vxlan) => self.vxlan(outer, inside),
            Some(tunnel) => self.udp_tunnel(outer, tunnel, inside),
        }
    }

    /// The tunnel that mirrors come in most, apart from the others: the cursor then stays in registers.
    #[inline]
    fn vxlan(&mut self, outer: &IpHeader, mut inside: Cursor<'a>) -> Result<Option<Carried>, DecodeError> {
        let Some((tunnel, carried)) = vxlan::read(&mut inside)? else { return Ok(None) };
        self.enter(outer, tunnel, Layer::Vxlan, inside)?;
        Ok(Some(carried))
    }

    #[inline(never)]
    fn udp_tunnel(
        &mut self,
        outer: &IpHeader,
        tunnel: UdpTunnel,
        mut inside: Cursor<'a>,
    ) -> Result<Option<Carried>, DecodeError> {
        let (layered, name): (Layered, _) = match tunnel {
            UdpTunnel::Vxlan => (vxlan::read(&mut inside)?, Layer::Vxlan),
            UdpTunnel::VxlanGpe => (vxlan::read_gpe(&mut inside)?, Layer::Vxlan),
            UdpTunnel::Geneve => (geneve::read(&mut inside)?, Layer::Geneve),
            UdpTunnel::Gtpu => (gtpu::read(&mut inside)?, Layer::Gtpu),
            UdpTunnel::Tzsp => (tzsp::read(&mut inside)?, Layer::Tzsp),
            UdpTunnel::Erm => (erm::read(&mut inside)?, Layer::Erm),
            UdpTunnel::Capwap => (capwap::read(&mut inside)?, Layer::Capwap),
            UdpTunnel::L2tp => (l2tp::read(&mut inside)?, Layer::L2tp),
            UdpTunnel::Teredo => (teredo::read(&mut inside)?, Layer::Teredo),
            UdpTunnel::Mpls if !mpls::fits(inside) => return Ok(None),
            UdpTunnel::Mpls => {
                self.in_ip(outer, ethertype::MPLS, Layer::Mpls)?;
                self.cursor = inside;
                return Ok(Some(Carried::Payload(ethertype::MPLS)));
            }
        };
        let Some((encapsulation, carried)) = layered else { return Ok(None) };
        self.enter(outer, encapsulation, name, inside)?;
        Ok(Some(carried))
    }

    /// Puts the outer packet and the tunnel onto the stack, and moves the cursor inside.
    #[inline]
    fn enter(
        &mut self,
        outer: &IpHeader,
        tunnel: Encapsulation,
        name: Layer,
        inside: Cursor<'a>,
    ) -> Result<(), DecodeError> {
        let at = self.cursor;
        self.push_carrier(outer, name)?;
        self.push(tunnel, name, &at)?;
        self.cursor = inside;
        Ok(())
    }
}

/// WCCP redirects IPv4 packets, from version 2 on behind a header of four bytes, of which the first is no version 4.
fn wccp(cursor: &mut Cursor<'_>) -> Carried {
    if cursor.rest().first().is_some_and(|first| first >> 4 != 4) {
        cursor.advance(4);
    }
    Carried::Payload(ethertype::IPV4)
}
