//! A message out of its bytes. The walking is mail-parser's; what is kept, and how much, is decided here.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Address, Encoding, HeaderName, HeaderValue, MessageParser, MessagePart, MimeHeaders, PartType};
use md5::{Digest, Md5};
use sha2::Sha256;

use super::file_name::file_name;
use super::header::{guessed, header_end, readable_header};
use super::links::{html_links, text_links};
use super::{
    Attachment, EXCERPT_CHARACTERS, Link, MAX_ADDRESS_BYTES, MAX_ADDRESSES, MAX_ATTACHMENTS, MAX_FIELD_BYTES,
    MAX_RECEIVED, MAX_URLS, Message,
};
use crate::{Text, text};

/// Parts that are looked at, those of messages inside included. What the walk keeps of a message is as deep as it has
/// parts, and is let go of by recursion: more would need more stack than a thread has.
const MAX_PARTS: usize = 250;
/// The part of a header that is read, in bytes; servers refuse more than that (RFC 5321 has no limit).
const MAX_HEADER_BYTES: usize = 256 << 10;
/// Messages inside messages that are looked into.
const MAX_DEPTH: u8 = 4;
/// Bytes of a readable text that links and the excerpt are looked for in.
const MAX_TEXT_BYTES: usize = 512 << 10;

/// A message of these bytes; what is no message is one without header fields.
pub(crate) fn decode(bytes: &[u8]) -> Message {
    let (head, body) = bytes.split_at(header_end(bytes));
    let kept = &head[..head.len().min(MAX_HEADER_BYTES)];
    let parts = &body[..parts_end(body)];
    let mut message = match readable_header(kept) {
        Cow::Borrowed(_) if kept.len() == head.len() => parse(&bytes[..head.len() + parts.len()]),
        header => {
            let end: &[u8] = if header.ends_with(b"\n") { b"" } else { b"\r\n" };
            parse(&[&header, end, parts].concat())
        }
    };
    let text = body.strip_prefix(b"\r\n").or(body.strip_prefix(b"\n")).unwrap_or(body);
    message.body_md5 = hex(&Md5::digest(text));
    if kept.len() < head.len() {
        message.defects.push("too-long-header");
    }
    if parts.len() < body.len() && !message.defects.contains(&"too-many-parts") {
        message.defects.push("too-many-parts");
    }
    message
}

fn parse(bytes: &[u8]) -> Message {
    let Some(parsed) = MessageParser::default().parse(bytes) else {
        return Message { defects: vec!["no-header"], ..Message::default() };
    };
    let mut message = head(&parsed);
    Walk { message: &mut message, parts: 0, seen: BTreeSet::new() }.message(&parsed, 0);
    message
}

/// Where the part begins that is one too many: each that is nested has a Content-Type, or its parent has.
fn parts_end(bytes: &[u8]) -> usize {
    let is_field = |&at: &usize| {
        at >= 7 && bytes.get(at - 7..at + 5).is_some_and(|field| field.eq_ignore_ascii_case(b"content-type"))
    };
    memchr::memchr_iter(b'-', bytes).filter(is_field).nth(MAX_PARTS).unwrap_or(bytes.len())
}

fn head(parsed: &mail_parser::Message<'_>) -> Message {
    let (from, from_name) = first(parsed.from());
    let field = |name: &str| parsed.header(name.to_owned()).map_or_else(Text::default, shown);
    let or = |first: Text, second: &str| if first.is_empty() { field(second) } else { first };
    Message {
        from,
        from_name,
        sender: first(parsed.sender()).0,
        reply_to: first(parsed.reply_to()).0,
        to: addresses(parsed.to()),
        cc: addresses(parsed.cc()),
        subject: clipped(parsed.subject().unwrap_or_default()),
        date: raw(parsed, HeaderName::Date),
        message_id: clipped(parsed.message_id().unwrap_or_default()),
        x_mailer: or(field("X-Mailer"), "User-Agent"),
        received: received(parsed),
        list_id: or(raw(parsed, HeaderName::ListId), "List-Unsubscribe"),
        ..Message::default()
    }
}

fn clipped(value: &str) -> Text {
    text(value.trim().as_bytes(), MAX_FIELD_BYTES)
}

fn shown(value: &HeaderValue<'_>) -> Text {
    match value {
        HeaderValue::Text(value) => clipped(value),
        HeaderValue::TextList(values) => clipped(&values.join(" ")),
        HeaderValue::Address(address) => first(Some(address)).0,
        _ => Text::default(),
    }
}

/// A field as it was written, in one line.
fn raw(parsed: &mail_parser::Message<'_>, name: HeaderName<'_>) -> Text {
    parsed.header_raw(name).map_or_else(Text::default, |value| clipped(&one_line(value)))
}

fn one_line(value: &str) -> String {
    let longest = value.floor_boundary(2 * MAX_FIELD_BYTES);
    longest.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn received(parsed: &mail_parser::Message<'_>) -> Vec<Text> {
    let fields = parsed.headers_raw().filter(|(name, _)| name.eq_ignore_ascii_case("Received"));
    fields.take(MAX_RECEIVED).map(|(_, value)| clipped(&one_line(value))).collect()
}

/// The first address, and the name beside it.
fn first(field: Option<&Address<'_>>) -> (Text, Text) {
    let Some(address) = field.and_then(|field| field.first()) else { return Default::default() };
    let name = address.name.as_deref().map_or_else(Text::default, clipped);
    (text(address.address.as_deref().unwrap_or_default().as_bytes(), MAX_ADDRESS_BYTES), name)
}

fn addresses(field: Option<&Address<'_>>) -> Vec<Text> {
    let all = field.into_iter().flat_map(Address::iter).filter_map(|address| address.address.as_deref());
    all.take(MAX_ADDRESSES).map(|address| text(address.as_bytes(), MAX_ADDRESS_BYTES)).collect()
}

/// Goes through the parts of a message.
struct Walk<'m> {
    message: &'m mut Message,
    parts: usize,
    seen: BTreeSet<Text>,
}

impl Walk<'_> {
    fn message(&mut self, parsed: &mail_parser::Message<'_>, depth: u8) {
        for part in &parsed.parts {
            self.parts += 1;
            if self.parts > MAX_PARTS {
                return self.defect("too-many-parts");
            }
            self.part(part, &parsed.raw_message, depth);
        }
    }

    /// `raw` is what the part's offsets count in.
    fn part(&mut self, part: &MessagePart<'_>, raw: &[u8], depth: u8) {
        if part.is_encoding_problem {
            self.defect("bad-encoding");
        }
        match &part.body {
            PartType::Multipart(_) => {}
            PartType::Message(inner) if depth >= MAX_DEPTH => {
                self.defect("nested-too-deep");
                self.attachment(part, sent(inner), raw);
            }
            PartType::Message(inner) => {
                self.attachment(part, sent(inner), raw);
                self.message(inner, depth + 1);
            }
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => self.attachment(part, bytes, raw),
            PartType::Text(readable) if !is_file(part) => self.readable(part, &legible(part, readable, raw)),
            PartType::Html(html) if !is_file(part) => self.html(part, &legible(part, html, raw)),
            PartType::Text(content) | PartType::Html(content) => self.attachment(part, content.as_bytes(), raw),
        }
    }

    fn readable(&mut self, part: &MessagePart<'_>, readable: &str) {
        let readable = readable.floor_boundary(MAX_TEXT_BYTES);
        self.charset(part);
        if self.message.excerpt.is_empty() {
            self.message.excerpt = excerpt(readable);
        }
        self.links(text_links(readable));
    }

    fn html(&mut self, part: &MessagePart<'_>, html: &str) {
        let html = html.floor_boundary(MAX_TEXT_BYTES);
        self.charset(part);
        let readable = mail_parser::decoders::html::html_to_text(html);
        if self.message.excerpt.is_empty() {
            self.message.excerpt = excerpt(&readable);
        }
        self.links(html_links(html));
        self.links(text_links(&readable));
    }

    fn charset(&mut self, part: &MessagePart<'_>) {
        if self.message.charset.is_empty() {
            let charset = part.content_type().and_then(|kind| kind.attribute("charset")).unwrap_or_default();
            self.message.charset = clipped(&charset.to_ascii_lowercase());
        }
    }

    fn links(&mut self, links: Vec<Link>) {
        for link in links {
            if !self.seen.contains(&link.url) {
                if self.message.urls.len() >= MAX_URLS {
                    return self.defect("too-many-urls");
                }
                self.seen.insert(link.url.clone());
                self.message.urls.push(link);
            }
        }
    }

    fn attachment(&mut self, part: &MessagePart<'_>, content: &[u8], raw: &[u8]) {
        if self.message.attachments.len() >= MAX_ATTACHMENTS {
            return self.defect("too-many-attachments");
        }
        let kind = part.content_type().map_or_else(String::new, |kind| {
            let subtype = kind.subtype().map_or_else(String::new, |subtype| format!("/{subtype}"));
            format!("{}{subtype}", kind.ctype()).to_ascii_lowercase()
        });
        let field = |name: HeaderName<'_>| {
            let header = part.headers.iter().rfind(|header| header.name == name)?;
            raw.get(header.offset_start as usize..header.offset_end as usize)
        };
        let name = file_name(field(HeaderName::ContentDisposition), field(HeaderName::ContentType));
        self.message.attachments.push(Attachment {
            name: clipped(&name.unwrap_or_default()),
            content_type: clipped(&kind),
            size_bytes: content.len() as u64,
            sha256: hex(&Sha256::digest(content)),
        });
    }

    fn defect(&mut self, label: &'static str) {
        if !self.message.defects.contains(&label) {
            self.message.defects.push(label);
        }
    }
}

/// A message inside another one as it was sent; one without anything in it has no bytes that the parser could give.
fn sent<'a>(message: &'a mail_parser::Message<'_>) -> &'a [u8] {
    if message.parts.is_empty() { &[] } else { message.raw_message() }
}

/// A text as its charset says, or else as what it looks like where that charset cannot be meant.
fn legible<'a>(part: &MessagePart<'_>, decoded: &'a str, raw: &[u8]) -> Cow<'a, str> {
    if !decoded.floor_boundary(MAX_TEXT_BYTES).contains('\u{fffd}') {
        return Cow::Borrowed(decoded);
    }
    let (begin, end) = (part.raw_body_offset() as usize, part.raw_end_offset() as usize);
    let sent = raw.get(begin..end).unwrap_or_default();
    let sent = &sent[..sent.len().min(MAX_TEXT_BYTES)];
    let bytes = match part.encoding {
        Encoding::None => Some(Cow::Borrowed(sent)),
        Encoding::QuotedPrintable => quoted_printable_decode(sent).map(Cow::Owned),
        Encoding::Base64 => base64_decode(sent).map(Cow::Owned),
    };
    let text = bytes.map(|bytes| guessed(&bytes).into_owned()).filter(|text| !text.contains('\u{fffd}'));
    text.map_or(Cow::Borrowed(decoded), Cow::Owned)
}

/// Whether a text is sent as a file.
fn is_file(part: &MessagePart<'_>) -> bool {
    part.content_disposition().is_some_and(mail_parser::ContentType::is_attachment) || part.attachment_name().is_some()
}

fn excerpt(readable: &str) -> Text {
    let mut excerpt = String::new();
    let mut left = EXCERPT_CHARACTERS;
    for word in readable.split_whitespace() {
        if !excerpt.is_empty() && left > 1 {
            excerpt.push(' ');
            left -= 1;
        }
        let end = word.char_indices().nth(left).map_or(word.len(), |(end, _)| end);
        excerpt.push_str(&word[..end]);
        left -= word[..end].chars().count();
        if left <= 1 {
            break;
        }
    }
    excerpt.into()
}

fn hex(digest: &[u8]) -> Text {
    let mut digits = String::with_capacity(digest.len() * 2);
    for byte in digest {
        let _ = write!(digits, "{byte:02x}"); // writing to a string cannot fail
    }
    digits.into()
}

/// Cutting text between characters.
trait FloorBoundary {
    fn floor_boundary(&self, longest_bytes: usize) -> &Self;
}

impl FloorBoundary for str {
    fn floor_boundary(&self, longest_bytes: usize) -> &Self {
        let mut end = longest_bytes.min(self.len());
        while !self.is_char_boundary(end) {
            end -= 1;
        }
        &self[..end]
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
