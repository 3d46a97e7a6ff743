//! What is kept of a message.

use crate::Text;

/// A message, decoded: header fields (RFC 5322, RFC 2047), the links of its text, and its attachments (RFC 2045).
/// Fields that are not there are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The first address of From.
    pub from: Text,
    /// The name shown beside it.
    pub from_name: Text,
    /// The address of Sender.
    pub sender: Text,
    /// The first address of Reply-To.
    pub reply_to: Text,
    /// Addresses of To.
    pub to: Vec<Text>,
    /// Addresses of Cc.
    pub cc: Vec<Text>,
    /// Subject.
    pub subject: Text,
    /// Date, as it was written.
    pub date: Text,
    /// Message-ID, without angle brackets.
    pub message_id: Text,
    /// X-Mailer, or else User-Agent.
    pub x_mailer: Text,
    /// Received fields as they were written, the newest first.
    pub received: Vec<Text>,
    /// List-Id, or else List-Unsubscribe: only mailing lists and newsletters have one.
    pub list_id: Text,
    /// What can be followed in the text.
    pub urls: Vec<Link>,
    /// Files that came along.
    pub attachments: Vec<Attachment>,
    /// MD5 of the body as it was sent, in hexadecimal digits.
    pub body_md5: Text,
    /// The beginning of the readable text, blanks collapsed.
    pub excerpt: Text,
    /// Length as it was sent, in bytes, as far as it was seen.
    pub size_bytes: u64,
    /// Whether bytes are missing: the message was longer than what is kept, or the mirror lost some.
    pub truncated: bool,
    /// The character set of the readable text, in small letters.
    pub charset: Text,
    /// What is wrong with it, as short labels: `no-header`, `nested-too-deep`, `too-many-parts`, `too-many-urls`, ….
    pub defects: Vec<&'static str>,
    /// The message as it was sent, as far as it was seen and is kept of one, where that was asked for; or else empty.
    pub raw: Vec<u8>,
}

/// Something in a text that can be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub url: Text,
    /// What is shown in its place, if that is not the URL itself.
    pub shown: Text,
    /// Where it stands.
    pub source: LinkSource,
}

/// The kind of text that a link stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkSource {
    /// Plain text.
    Text,
    /// HTML.
    Html,
}

impl LinkSource {
    /// The word of the records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "html",
        }
    }
}

/// A file that came along with a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, decoded; empty if it has none.
    pub name: Text,
    /// Its media type, as `application/pdf`.
    pub content_type: Text,
    /// Length, decoded.
    pub size_bytes: u64,
    /// SHA-256 of what it decodes to, in hexadecimal digits.
    pub sha256: Text,
}
