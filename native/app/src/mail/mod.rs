//! Mail: what a message says, and what became of it on its way. Everything is bounded by the constants here; what goes
//! beyond them is left out, and the message says so by [`Message::truncated`] or by a defect.

pub(crate) mod body;
mod decode;
mod event;
mod file_name;
mod header;
pub(crate) mod lines;
mod links;
mod message;
pub(crate) mod sasl;
mod session;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use decode::decode;
pub use event::{Delivery, MailRead, Recipient, SmtpMail};
pub use message::{Attachment, Link, LinkSource, Message};
pub use session::{Heard, MailSession, Step};

/// Bytes of a message that are kept until it is whole.
pub const MAX_MESSAGE_BYTES: usize = 10 << 20;
/// The longest address that is kept, in bytes (RFC 5321, 4.5.3.1: 64 and 255, and what damage makes of it).
pub const MAX_ADDRESS_BYTES: usize = 320;
/// The longest text of a header field that is kept, in bytes of UTF-8.
pub const MAX_FIELD_BYTES: usize = 1000;
/// Addresses of To, and of Cc, that are kept.
pub const MAX_ADDRESSES: usize = 100;
/// Received fields that are kept, the newest first.
pub const MAX_RECEIVED: usize = 20;
/// URLs that are kept of a message.
pub const MAX_URLS: usize = 100;
/// The longest URL that is kept, in bytes.
pub const MAX_URL_BYTES: usize = 2048;
/// The longest text shown for a link that is kept, in bytes.
pub const MAX_SHOWN_BYTES: usize = 200;
/// Attachments that are kept of a message.
pub const MAX_ATTACHMENTS: usize = 100;
/// Characters of the readable text that are kept.
pub const EXCERPT_CHARACTERS: usize = 500;
/// Recipients that are kept of a transaction.
pub const MAX_RECIPIENTS: usize = 1000;
/// The longest reply of a server that is kept, in bytes.
pub const MAX_REPLY_BYTES: usize = 200;
