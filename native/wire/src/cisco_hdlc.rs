//! Cisco HDLC (LINKTYPE_C_HDLC): address, control, and an EtherType.

use crate::cursor::{Cursor, be16};
use crate::decode::Carried;
use crate::error::{DecodeError, Layer};

/// Takes the header; gives what it carries.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Carried, DecodeError> {
    let header = cursor.take::<4>(Layer::Link)?;
    Ok(Carried::of(be16(&header[2..])))
}
