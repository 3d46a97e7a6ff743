//! What stands between a frame's header and an IP packet, besides VLAN tags.

use crate::decode::{Carried, Decoder};
use crate::error::{DecodeError, Layer};
use crate::{cisco_metadata, ethertype, macsec, mpls, nsh, ppp, pppoe, switch_tag};

impl Decoder<'_, '_> {
    /// Takes the layer with this EtherType, and gives what it carries; `None` if it is none that is followed, and then the
    /// cursor stays.
    #[cold]
    pub(crate) fn shim(&mut self, ethertype: u16) -> Result<Option<Carried>, DecodeError> {
        let mut inside = self.cursor;
        let (layered, name) = match ethertype {
            ethertype::MPLS | ethertype::MPLS_MULTICAST => return self.labels().map(Some),
            // A framing of PPPoE, L2TP and GRE, not a layer of its own.
            ethertype::PPP => return ppp::read(&mut self.cursor).map(Some),
            ethertype::PPPOE_SESSION => (pppoe::read(&mut inside)?, Layer::Pppoe),
            ethertype::NSH => (nsh::read(&mut inside)?, Layer::Nsh),
            ethertype::CISCO_METADATA => (cisco_metadata::read(&mut inside)?, Layer::CiscoMetadata),
            ethertype::MACSEC => (macsec::read(&mut inside)?, Layer::Macsec),
            ethertype::BACKBONE_TAG => (switch_tag::read_backbone(&mut inside)?, Layer::SwitchTag),
            ethertype::E_TAG => (switch_tag::read_e_tag(&mut inside)?, Layer::SwitchTag),
            ethertype::VN_TAG => (switch_tag::read_vn_tag(&mut inside)?, Layer::SwitchTag),
            ethertype::FABRICPATH => (switch_tag::read_fabricpath(&mut inside)?, Layer::SwitchTag),
            _ => return Ok(None),
        };
        let Some((encapsulation, carried)) = layered else { return Ok(None) };
        let at = self.cursor;
        self.push(encapsulation, name, &at)?;
        self.cursor = inside;
        Ok(Some(carried))
    }

    /// Takes every label of a stack.
    fn labels(&mut self) -> Result<Carried, DecodeError> {
        loop {
            let at = self.cursor;
            let (label, bottom) = mpls::read(&mut self.cursor)?;
            self.push(label, Layer::Mpls, &at)?;
            if bottom {
                return Ok(mpls::payload(&mut self.cursor));
            }
        }
    }
}
