//! The bytes are a message that a client sends.
#![no_main]

use app::mail::{
    EXCERPT_CHARACTERS, Heard, MAX_ADDRESSES, MAX_ATTACHMENTS, MAX_FIELD_BYTES, MAX_RECEIVED, MAX_URLS, MailSession,
    Message,
};
use app::smtp::SmtpSession;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut session = SmtpSession::default();
    let mut messages = Vec::new();
    let mut take = |heard| {
        if let Heard::Smtp(mail) = heard {
            messages.extend(mail.message);
        }
    };
    session.take(true, b"MAIL FROM:<>\r\nBDAT ", &mut take);
    session.take(true, format!("{} LAST\r\n", data.len()).as_bytes(), &mut take);
    session.take(true, data, &mut take);
    session.finish(&mut take);
    messages.iter().for_each(check);
});

fn check(message: &Message) {
    assert!(message.to.len() <= MAX_ADDRESSES && message.cc.len() <= MAX_ADDRESSES);
    assert!(message.received.len() <= MAX_RECEIVED && message.urls.len() <= MAX_URLS);
    assert!(message.attachments.len() <= MAX_ATTACHMENTS);
    // What was no UTF-8 takes three bytes instead of one.
    assert!(message.subject.len() <= 3 * MAX_FIELD_BYTES && message.from_name.len() <= 3 * MAX_FIELD_BYTES);
    assert!(message.excerpt.chars().count() <= EXCERPT_CHARACTERS);
}
