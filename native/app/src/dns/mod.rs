//! DNS messages (RFC 1035), over UDP, and over TCP behind a length.

mod message;
mod name;
mod names;
mod stream;

pub use message::{Answer, Data, Message, Question, Soa, Srv, message};
pub(crate) use message::{plausible, plausible_header};
pub use names::{kind_name, rcode_name};
pub use stream::Reader;

/// The header (RFC 1035 section 4.1.1).
const HEADER_BYTES: usize = 12;
