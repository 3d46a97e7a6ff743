//! One message: header, questions, answers (RFC 1035 section 4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::HEADER_BYTES;
use super::name::{name, skip};
use crate::{AppError, Text, text};

/// Questions that are kept of a message; one is usual.
const MAX_QUESTIONS: usize = 8;
/// Answers that are kept of a message.
const MAX_ANSWERS: usize = 64;
/// Bytes that are kept of a text record.
const MAX_TEXT_BYTES: usize = 1024;

/// A query or a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The number that query and response share.
    pub id: u16,
    /// Whether it answers a query.
    pub response: bool,
    /// What is asked for: 0 a query, 4 a notification, 5 an update (RFC 6895 section 2.2).
    pub opcode: u8,
    /// How it went, see [`super::rcode_name`]; the four bits of the header.
    pub rcode: u8,
    /// The header's second 16 bits as they are: the above, and the single flags.
    pub flags: u16,
    /// The first 8 of the questions.
    pub questions: Vec<Question>,
    /// The first 64 of the answers.
    pub answers: Vec<Answer>,
    /// How many records of authority the header counts; they are not read.
    pub authority_count: u16,
    /// How many additional records the header counts; they are not read.
    pub additional_count: u16,
    /// Whether each question and answer that the header counts is here: it is not when there are too many of them, or
    /// when the message is cut or damaged behind the first question.
    pub complete: bool,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Dots between labels and none at the end, `.` for the root; odd bytes are escaped (RFC 1035 section 5.1).
    pub name: Text,
    /// The record's type, see [`super::kind_name`].
    pub kind: u16,
}

/// A record of the answer section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Written as a question's.
    pub name: Text,
    /// The record's type, see [`super::kind_name`].
    pub kind: u16,
    /// How long it holds.
    pub ttl_seconds: u32,
    /// What it says.
    pub data: Data,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME, DNAME, NS, PTR.
    Name(Text),
    /// TXT or SPF: its strings joined (RFC 7208 section 3.3), the first 1,024 bytes.
    Text(Text),
    /// MX: preference and exchange.
    Mx(u16, Text),
    /// SOA.
    Soa(Box<Soa>),
    /// SRV (RFC 2782).
    Srv(Box<Srv>),
    /// Of another type or class, or against its type's form.
    Other,
}

/// The start of a zone of authority (RFC 1035 section 3.3.13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soa {
    /// The primary server.
    pub mname: Text,
    /// The mailbox of the one responsible, as a name.
    pub rname: Text,
    /// The zone's version.
    pub serial: u32,
    /// How often secondaries look for a new version.
    pub refresh_seconds: u32,
    /// How soon they try again.
    pub retry_seconds: u32,
    /// When they give up.
    pub expire_seconds: u32,
    /// How long it holds that a name does not exist (RFC 2308).
    pub minimum_seconds: u32,
}

/// Where a service is (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srv {
    /// The lowest is tried first.
    pub priority: u16,
    /// Of those with one priority.
    pub weight: u16,
    /// The service's port.
    pub port: u16,
    /// The host.
    pub target: Text,
}

/// The message that `payload` begins with; bytes behind it are let be.
///
/// Of a message that is cut or damaged behind its first question, what was read is given, and not called complete.
///
/// # Errors
///
/// [`AppError::Malformed`] without a whole header, without anything that was read behind it although the header counts
/// questions or answers, and with the header's reserved bit set.
pub fn message(payload: &[u8]) -> Result<Message, AppError> {
    let header = payload.first_chunk::<HEADER_BYTES>().ok_or(AppError::Malformed)?;
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let flags = word(2);
    // RFC 1035 section 4.1.1: must be zero.
    if flags & 0x40 != 0 {
        return Err(AppError::Malformed);
    }
    let mut read = Message {
        id: word(0),
        response: flags & 0x8000 != 0,
        opcode: (flags >> 11 & 15) as u8,
        rcode: (flags & 15) as u8,
        flags,
        questions: Vec::new(),
        answers: Vec::new(),
        authority_count: word(8),
        additional_count: word(10),
        complete: false,
    };
    let outcome = sections(payload, &mut read, (usize::from(word(4)), usize::from(word(6))));
    match outcome {
        Err(error) if read.questions.is_empty() && read.answers.is_empty() => Err(error),
        _ => {
            read.complete = outcome == Ok(true);
            Ok(read)
        }
    }
}

/// Adds the questions and answers; whether all of them were kept.
fn sections(payload: &[u8], read: &mut Message, (questions, answers): (usize, usize)) -> Result<bool, AppError> {
    let mut at = HEADER_BYTES;
    // Most ask one question: not four at once, as a vector makes room for by itself.
    read.questions.reserve_exact(questions.min(1));
    for _ in 0..questions.min(MAX_QUESTIONS) {
        let (name, behind) = name(payload, at)?;
        let kind = word(payload, behind)?;
        word(payload, behind + 2)?;
        read.questions.push(Question { name, kind });
        at = behind + 4;
    }
    if questions > MAX_QUESTIONS {
        return Ok(false);
    }
    for _ in 0..answers.min(MAX_ANSWERS) {
        let (answer, behind) = answer(payload, at)?;
        read.answers.push(answer);
        at = behind;
    }
    Ok(answers <= MAX_ANSWERS)
}

fn answer(payload: &[u8], at: usize) -> Result<(Answer, usize), AppError> {
    let (name, at) = name(payload, at)?;
    let (kind, class, length) = (word(payload, at)?, word(payload, at + 2)?, usize::from(word(payload, at + 8)?));
    let (start, end) = (at + 10, at + 10 + length);
    // Names in the data may point anywhere further up, but the data ends where its length says.
    let upto = payload.get(..end).ok_or(AppError::Malformed)?;
    // Multicast DNS marks with the highest bit a record that replaces others (RFC 6762 section 10.2).
    let data = if class & 0x7fff == 1 { data(kind, upto, start) } else { None };
    Ok((Answer { name, kind, ttl_seconds: long(payload, at + 4)?, data: data.unwrap_or(Data::Other) }, end))
}

/// The data from `start` to the end of `upto`; `None` where they are not of the type's form, or the type is not read.
fn data(kind: u16, upto: &[u8], start: usize) -> Option<Data> {
    let bytes = &upto[start..];
    Some(match kind {
        1 => Data::Address(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
        28 => Data::Address(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()),
        2 | 5 | 12 | 39 => Data::Name(last_name(upto, start)?),
        15 => Data::Mx(word(upto, start).ok()?, last_name(upto, start + 2)?),
        16 | 99 => Data::Text(strings(bytes)),
        6 => Data::Soa(Box::new(soa(upto, start).ok()?)),
        33 => Data::Srv(Box::new(Srv {
            priority: word(upto, start).ok()?,
            weight: word(upto, start + 2).ok()?,
            port: word(upto, start + 4).ok()?,
            target: last_name(upto, start + 6)?,
        })),
        _ => return None,
    })
}

/// The name from `at` to the end.
fn last_name(upto: &[u8], at: usize) -> Option<Text> {
    let (name, behind) = name(upto, at).ok()?;
    (behind == upto.len()).then_some(name)
}

fn soa(upto: &[u8], start: usize) -> Result<Soa, AppError> {
    let (mname, at) = name(upto, start)?;
    let (rname, at) = name(upto, at)?;
    Ok(Soa {
        mname,
        rname,
        serial: long(upto, at)?,
        refresh_seconds: long(upto, at + 4)?,
        retry_seconds: long(upto, at + 8)?,
        expire_seconds: long(upto, at + 12)?,
        minimum_seconds: long(upto, at + 16)?,
    })
}

/// Strings that each stand behind a byte of length, joined.
fn strings(mut bytes: &[u8]) -> Text {
    let mut joined = Vec::new();
    while let Some((&length, rest)) = bytes.split_first() {
        let (string, behind) = rest.split_at(usize::from(length).min(rest.len()));
        joined.extend_from_slice(string);
        if joined.len() >= MAX_TEXT_BYTES {
            break;
        }
        bytes = behind;
    }
    text(&joined, MAX_TEXT_BYTES)
}

fn word(bytes: &[u8], at: usize) -> Result<u16, AppError> {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map(|word| u16::from_be_bytes(*word)).ok_or(AppError::Malformed)
}

fn long(bytes: &[u8], at: usize) -> Result<u32, AppError> {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map(|long| u32::from_be_bytes(*long)).ok_or(AppError::Malformed)
}

/// Whether `payload` may begin a message: a plausible header, and a whole first name with a type and class that exist.
pub(crate) fn plausible(payload: &[u8]) -> bool {
    if !plausible_header(payload) {
        return false;
    }
    let Ok(behind) = skip(payload, HEADER_BYTES) else { return false };
    let (Ok(kind), Ok(class)) = (word(payload, behind), word(payload, behind + 2)) else { return false };
    // Internet, chaos, hesiod, none, any, and the internet with the mark of multicast DNS.
    kind != 0 && kind <= 32769 && matches!(class & 0x7fff, 1 | 3 | 4 | 254 | 255)
}

/// Whether a header's numbers are those of a real one, with a question or an answer.
pub(crate) fn plausible_header(payload: &[u8]) -> bool {
    let Some(header) = payload.first_chunk::<HEADER_BYTES>() else { return false };
    let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let opcode = header[2] >> 3 & 15;
    // Queries, status, notifications and updates; the reserved bit is zero.
    let known = matches!(opcode, 0 | 2 | 4 | 5) && header[3] & 0x40 == 0 && header[3] & 15 <= 11;
    known && count(4) <= 8 && count(6) <= 512 && count(8) <= 128 && count(10) <= 128 && count(4) + count(6) > 0
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
