//! A DNS message as EVE writes it, version 3.

use std::borrow::Cow;
use std::collections::BTreeMap;

use app::dns::{Answer, Data, Message, Question, Soa, Srv, kind_name, rcode_name};
use serde::Serialize;

/// Control bits of the header's second 16 bits (RFC 1035, 4.1.1).
mod bit {
    pub(super) const AA: u16 = 1 << 10;
    pub(super) const TC: u16 = 1 << 9;
    pub(super) const RD: u16 = 1 << 8;
    pub(super) const RA: u16 = 1 << 7;
}

#[derive(Serialize)]
pub(super) struct DnsObject<'a> {
    version: u8,
    r#type: &'static str,
    id: u16,
    flags: String,
    #[serde(skip_serializing_if = "is_false")]
    qr: bool,
    #[serde(skip_serializing_if = "is_false")]
    aa: bool,
    #[serde(skip_serializing_if = "is_false")]
    tc: bool,
    #[serde(skip_serializing_if = "is_false")]
    rd: bool,
    #[serde(skip_serializing_if = "is_false")]
    ra: bool,
    opcode: u8,
    rcode: &'static str,
    queries: Vec<QueryObject<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    answers: Vec<AnswerObject<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    grouped: BTreeMap<Cow<'static, str>, Vec<RecordData<'a>>>,
}

#[derive(Serialize)]
struct QueryObject<'a> {
    rrname: &'a str,
    rrtype: Cow<'static, str>,
}

#[derive(Serialize)]
struct AnswerObject<'a> {
    rrname: &'a str,
    rrtype: Cow<'static, str>,
    ttl: u32,
    #[serde(flatten)]
    data: AnswerData<'a>,
}

/// What a record says: text as `rdata`, what has parts under its own name.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum AnswerData<'a> {
    Rdata(RecordData<'a>),
    Soa(RecordData<'a>),
    Srv(RecordData<'a>),
    #[serde(untagged)]
    Nothing {},
}

#[derive(Serialize)]
#[serde(untagged)]
enum RecordData<'a> {
    Text(Cow<'a, str>),
    Soa(SoaObject<'a>),
    Srv(SrvObject<'a>),
}

#[derive(Serialize)]
struct SoaObject<'a> {
    mname: &'a str,
    rname: &'a str,
    serial: u32,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
}

#[derive(Serialize)]
struct SrvObject<'a> {
    priority: u16,
    weight: u16,
    port: u16,
    name: &'a str,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference
fn is_false(value: &bool) -> bool {
    !value
}

impl<'a> DnsObject<'a> {
    pub(super) fn new(message: &'a Message) -> Self {
        let is_set = |bit: u16| message.flags & bit != 0;
        let mut grouped = BTreeMap::<_, Vec<_>>::new();
        for answer in &message.answers {
            if let Some(data) = RecordData::new(answer) {
                grouped.entry(kind_name(answer.kind)).or_default().push(data);
            }
        }
        Self {
            version: 3,
            r#type: if message.response { "response" } else { "request" },
            id: message.id,
            flags: format!("{:x}", message.flags),
            qr: message.response,
            aa: is_set(bit::AA),
            tc: is_set(bit::TC),
            rd: is_set(bit::RD),
            ra: is_set(bit::RA),
            opcode: message.opcode,
            rcode: rcode_name(message.rcode),
            queries: message.questions.iter().map(QueryObject::new).collect(),
            answers: message.answers.iter().map(AnswerObject::new).collect(),
            grouped,
        }
    }
}

impl<'a> QueryObject<'a> {
    fn new(question: &'a Question) -> Self {
        Self { rrname: &question.name, rrtype: kind_name(question.kind) }
    }
}

impl<'a> AnswerObject<'a> {
    fn new(answer: &'a Answer) -> Self {
        let data = match RecordData::new(answer) {
            Some(data @ RecordData::Text(_)) => AnswerData::Rdata(data),
            Some(data @ RecordData::Soa(_)) => AnswerData::Soa(data),
            Some(data @ RecordData::Srv(_)) => AnswerData::Srv(data),
            None => AnswerData::Nothing {},
        };
        Self { rrname: &answer.name, rrtype: kind_name(answer.kind), ttl: answer.ttl_seconds, data }
    }
}

impl<'a> RecordData<'a> {
    fn new(answer: &'a Answer) -> Option<Self> {
        Some(match &answer.data {
            Data::Address(address) => Self::Text(address.to_string().into()),
            Data::Name(name) | Data::Mx(_, name) | Data::Text(name) => Self::Text(Cow::Borrowed(name)),
            Data::Soa(soa) => Self::Soa(SoaObject::new(soa)),
            Data::Srv(service) => Self::Srv(SrvObject::new(service)),
            Data::Other => return None,
        })
    }
}

impl<'a> SoaObject<'a> {
    fn new(soa: &'a Soa) -> Self {
        Self {
            mname: &soa.mname,
            rname: &soa.rname,
            serial: soa.serial,
            refresh: soa.refresh_seconds,
            retry: soa.retry_seconds,
            expire: soa.expire_seconds,
            minimum: soa.minimum_seconds,
        }
    }
}

impl<'a> SrvObject<'a> {
    fn new(service: &'a Srv) -> Self {
        Self { priority: service.priority, weight: service.weight, port: service.port, name: &service.target }
    }
}
