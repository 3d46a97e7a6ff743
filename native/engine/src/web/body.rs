//! The body of a request, as far as it is looked at.

use app::http::form;
use app::http::multipart::{Multipart, PartEvent, PartHead};

use super::rules::Place;

/// Bytes of a body without parts that are looked at.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Bytes of each part, and of all parts together.
const MAX_PART_BYTES: usize = 16 * 1024;
const MAX_PARTS_BYTES: usize = 64 * 1024;

/// Collects a body until it is over.
#[derive(Debug)]
pub(super) enum RequestBody {
    /// A form, JSON, or anything else.
    Plain { kind: Kind, bytes: Vec<u8> },
    /// Files and fields.
    Parts(Box<Parts>),
}

/// What a body without parts is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Form,
    Json,
    Other,
}

#[derive(Debug)]
pub(super) struct Parts {
    reader: Multipart,
    parts: Vec<(PartHead, Vec<u8>)>,
    bytes: usize,
}

/// Takes a value: where it stands, its name, and itself as it came.
pub(super) type Each<'e> = &'e mut dyn FnMut(Place, &[u8], &[u8]);

impl RequestBody {
    pub(super) fn new(content_type: Option<&str>) -> Self {
        let content_type = content_type.unwrap_or_default();
        if let Some(reader) = Multipart::of(content_type) {
            return Self::Parts(Box::new(Parts { reader, parts: Vec::new(), bytes: 0 }));
        }
        let lower = content_type.to_ascii_lowercase();
        let kind = match lower.split(';').next().unwrap_or_default().trim() {
            "application/x-www-form-urlencoded" | "" => Kind::Form,
            kind if kind.ends_with("json") => Kind::Json,
            _ => Kind::Other,
        };
        Self::Plain { kind, bytes: Vec::new() }
    }

    pub(super) fn feed(&mut self, data: &[u8]) {
        match self {
            Self::Plain { bytes, .. } => {
                let room = MAX_BODY_BYTES - bytes.len();
                bytes.extend_from_slice(&data[..data.len().min(room)]);
            }
            Self::Parts(parts) => parts.feed(data),
        }
    }

    pub(super) fn held_bytes(&self) -> usize {
        match self {
            Self::Plain { bytes, .. } => bytes.len(),
            Self::Parts(parts) => parts.bytes + parts.reader.held_bytes(),
        }
    }

    /// Whether a plus in its values is a space.
    pub(super) fn has_plus_for_space(&self) -> bool {
        matches!(self, Self::Plain { kind: Kind::Form, .. })
    }

    /// Gives each value.
    pub(super) fn values(&self, each: Each<'_>) {
        match self {
            Self::Plain { kind: Kind::Json, bytes } => {
                form::json_strings(bytes, &mut |name, value| each(Place::Body, name, value));
            }
            // Whoever sends a form may call it something else, or nothing.
            Self::Plain { kind, bytes } if *kind == Kind::Form && !looks_like_json(bytes) => {
                form::pairs(bytes).for_each(|(name, value)| each(Place::Body, name, value));
            }
            Self::Plain { bytes, .. } => each(Place::Body, b"", bytes),
            Self::Parts(parts) => parts.parts.iter().for_each(|(head, content)| match &head.file_name {
                Some(file) => {
                    each(Place::UploadName, head.name.as_bytes(), file.as_bytes());
                    each(Place::UploadContent, file.as_bytes(), content);
                }
                None => each(Place::Body, head.name.as_bytes(), content),
            }),
        }
    }
}

fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[' | b'<'))
}

impl Parts {
    fn feed(&mut self, data: &[u8]) {
        let Self { reader, parts, bytes } = self;
        reader.feed(data, &mut |event| match event {
            PartEvent::Begin(head) => parts.push((head, Vec::new())),
            PartEvent::Data(data) => {
                if let Some((_, content)) = parts.last_mut() {
                    let room = (MAX_PART_BYTES - content.len()).min(MAX_PARTS_BYTES - *bytes);
                    let taken = &data[..data.len().min(room)];
                    content.extend_from_slice(taken);
                    *bytes += taken.len();
                }
            }
            PartEvent::End => (),
        });
    }
}
