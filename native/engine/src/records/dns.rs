//! DNS messages as columns.

use app::dns::{Data, Message, kind_name, rcode_name};

use super::columns::Columns;

/// Adds what a message says; the lists `answer_*` belong together, place by place.
pub(super) fn add(columns: &mut Columns, messages: &[&Message]) {
    let rows = || messages.iter();
    let kind = |message: &&Message| message.questions.first().map(|question| kind_name(question.kind));
    columns
        .u64("id", rows().map(|message| u64::from(message.id)))
        .flags("response", rows().map(|message| message.response))
        .u8("opcode", rows().map(|message| message.opcode))
        .text("rcode", rows().map(|message| Some(rcode_name(message.rcode))))
        .text("query", rows().map(|message| message.questions.first().map(|question| &question.name)))
        .text("query_type", rows().map(kind))
        .text_lists("answer_name", rows().map(|message| message.answers.iter().map(|answer| Some(&*answer.name))))
        .text_lists(
            "answer_type",
            rows().map(|message| message.answers.iter().map(|answer| Some(kind_name(answer.kind)))),
        )
        .u32_lists("answer_ttl_seconds", rows().map(|message| message.answers.iter().map(|answer| answer.ttl_seconds)))
        .text_lists("answer_data", rows().map(|message| message.answers.iter().map(|answer| shown(&answer.data))));
}

/// What a record says, as text; none of a type that is not read.
fn shown(data: &Data) -> Option<String> {
    Some(match data {
        Data::Address(address) => address.to_string(),
        Data::Name(name) | Data::Text(name) => name.to_string(),
        Data::Mx(preference, exchange) => format!("{preference} {exchange}"),
        Data::Soa(soa) => format!("{} {} {}", soa.mname, soa.rname, soa.serial),
        Data::Srv(service) => {
            format!("{} {} {} {}", service.priority, service.weight, service.port, service.target)
        }
        Data::Other => return None,
    })
}
