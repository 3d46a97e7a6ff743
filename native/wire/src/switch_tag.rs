//! Tags that switches put in front of frames for each other.

use crate::cursor::{Cursor, be16, be32};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};

/// Takes a backbone service instance tag: flags above the instance's 24 bits, then a whole frame (IEEE 802.1Q, 9.7).
pub(crate) fn read_backbone(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let service = be32(cursor.take::<4>(Layer::SwitchTag)?) & 0x00ff_ffff;
    Ok(Some((Encapsulation::BackboneTag { service }, Carried::Ethernet)))
}

/// Takes the six bytes of an E-TAG and the EtherType behind them (IEEE 802.1BR, 7.5).
pub(crate) fn read_e_tag(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let tag = cursor.take::<8>(Layer::SwitchTag)?;
    Ok(Some((Encapsulation::ExtenderTag, Carried::of(be16(&tag[6..])))))
}

/// Takes the four bytes of a VN-Tag and the EtherType behind them.
pub(crate) fn read_vn_tag(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let tag = cursor.take::<6>(Layer::SwitchTag)?;
    Ok(Some((Encapsulation::ExtenderTag, Carried::of(be16(&tag[4..])))))
}

/// Takes FabricPath's tag, a forwarding tag above a time to live, then a whole frame.
pub(crate) fn read_fabricpath(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    cursor.take::<2>(Layer::SwitchTag)?;
    Ok(Some((Encapsulation::Fabricpath, Carried::Ethernet)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ethertype;
    use crate::testing::{assert_cut, hex};

    #[test]
    fn each_tag() {
        let extender = Ok(Some((Encapsulation::ExtenderTag, Carried::Payload(ethertype::IPV4))));
        let (e_tag, vn_tag) = (hex("0005 00000000 0800"), hex("80010002 0800"));
        assert_eq!(read_e_tag(&mut Cursor::new(&e_tag, 64)), extender);
        assert_eq!(read_vn_tag(&mut Cursor::new(&vn_tag, 64)), extender);
        let backbone = Ok(Some((Encapsulation::BackboneTag { service: 7 }, Carried::Ethernet)));
        assert_eq!(read_backbone(&mut Cursor::new(&hex("60000007"), 64)), backbone);
        let fabricpath = Ok(Some((Encapsulation::Fabricpath, Carried::Ethernet)));
        assert_eq!(read_fabricpath(&mut Cursor::new(&hex("0060"), 64)), fabricpath);
        assert_cut(&e_tag, Layer::SwitchTag, read_e_tag);
        assert_cut(&vn_tag, Layer::SwitchTag, read_vn_tag);
        assert_cut(&[0; 4], Layer::SwitchTag, read_backbone);
    }
}
