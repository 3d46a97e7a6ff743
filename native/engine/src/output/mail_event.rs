//! Events of mail: the conversation's object, and beside it the message as EVE's `email`.

use app::mail::{Attachment, Delivery, Link, MailRead, Message, Recipient, SmtpMail};
use app::{Login, Text};
use serde::Serialize;

/// What EVE says of a message that was read to its end.
const PARSED: &str = "PARSE_DONE";
/// What it says of one that was not.
const NOT_PARSED: &str = "PARSE_ERROR";

/// `smtp` and `email`; EVE writes addresses of the envelope with their angle brackets.
#[derive(Serialize)]
pub(super) struct SmtpEvent<'a> {
    smtp: SmtpObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<EmailObject<'a>>,
    spanwatch: SmtpMore<'a>,
}

#[derive(Serialize)]
struct SmtpObject<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    helo: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mail_from: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rcpt_to: Vec<String>,
}

/// What EVE has no names for.
#[derive(Serialize)]
struct SmtpMore<'a> {
    status: &'static str,
    delivered: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    user: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    mail_code: u16,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recipients: Vec<RecipientObject<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    data_code: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    data_reply: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageMore<'a>>,
}

#[derive(Serialize)]
struct RecipientObject<'a> {
    address: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    code: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    reply: &'a str,
}

/// A message as EVE tells it.
#[derive(Serialize)]
struct EmailObject<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    from: String,
    #[serde(skip_serializing_if = "<[Text]>::is_empty")]
    to: &'a [Text],
    #[serde(skip_serializing_if = "<[Text]>::is_empty")]
    cc: &'a [Text],
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    date: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    x_mailer: &'a str,
    #[serde(skip_serializing_if = "<[Text]>::is_empty")]
    received: &'a [Text],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    url: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachment: Vec<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    body_md5: &'a str,
}

/// What EVE has no names for in a message.
#[derive(Serialize)]
struct MessageMore<'a> {
    size_bytes: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    charset: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    sender: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reply_to: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    list: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<LinkObject<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<AttachmentObject<'a>>,
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    defects: &'a [&'static str],
}

/// A link whose shown text is not its target.
#[derive(Serialize)]
struct LinkObject<'a> {
    url: &'a str,
    shown: &'a str,
}

#[derive(Serialize)]
struct AttachmentObject<'a> {
    name: &'a str,
    content_type: &'a str,
    size_bytes: u64,
    sha256: &'a str,
}

/// `pop3` or `imap`, and `email`.
#[derive(Serialize)]
pub(super) struct ReadEvent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pop3: Option<ReadObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imap: Option<ReadObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<EmailObject<'a>>,
    spanwatch: ReadMore<'a>,
}

#[derive(Serialize)]
struct ReadObject<'a> {
    request: ReadRequest<'a>,
}

#[derive(Serialize)]
struct ReadRequest<'a> {
    command: &'a str,
}

#[derive(Serialize)]
struct ReadMore<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageMore<'a>>,
}

/// An attempt to log in.
#[derive(Serialize)]
pub(super) struct LoginObject<'a> {
    protocol: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    mechanism: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    success: Option<bool>,
    clear: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(code: &u16) -> bool {
    *code == 0
}

fn bracketed(address: &str) -> String {
    format!("<{address}>")
}

impl<'a> SmtpEvent<'a> {
    pub(super) fn new(mail: &'a SmtpMail) -> Self {
        Self {
            smtp: SmtpObject {
                helo: &mail.helo,
                mail_from: mail.mail_from.as_deref().map(bracketed),
                rcpt_to: mail.rcpt_to.iter().map(|recipient| bracketed(&recipient.address)).collect(),
            },
            email: mail.message.as_ref().map(EmailObject::new),
            spanwatch: SmtpMore::new(mail),
        }
    }
}

impl<'a> SmtpMore<'a> {
    fn new(mail: &'a SmtpMail) -> Self {
        Self {
            status: Delivery::name(mail.status),
            delivered: mail.delivered,
            user: &mail.user,
            mail_code: mail.mail_code,
            recipients: mail.rcpt_to.iter().map(RecipientObject::new).collect(),
            data_code: mail.data_code,
            data_reply: &mail.data_reply,
            tls: mail.tls,
            message: mail.message.as_ref().map(MessageMore::new),
        }
    }
}

impl<'a> RecipientObject<'a> {
    fn new(recipient: &'a Recipient) -> Self {
        Self { address: &recipient.address, code: recipient.code, reply: &recipient.reply }
    }
}

impl<'a> EmailObject<'a> {
    fn new(message: &'a Message) -> Self {
        let whole = !message.truncated && message.defects.is_empty();
        Self {
            status: if whole { PARSED } else { NOT_PARSED },
            from: from(message),
            to: &message.to,
            cc: &message.cc,
            subject: &message.subject,
            date: &message.date,
            message_id: &message.message_id,
            x_mailer: &message.x_mailer,
            received: &message.received,
            url: message.urls.iter().map(|link| &*link.url).collect(),
            attachment: message.attachments.iter().map(|attachment| &*attachment.name).collect(),
            body_md5: &message.body_md5,
        }
    }
}

/// EVE writes From as the field does: the name, then the address in brackets.
fn from(message: &Message) -> String {
    match (&*message.from_name, &*message.from) {
        ("", address) => address.to_owned(),
        // A name with other than words in it is quoted (RFC 5322, 3.2.4).
        (name, address) if name.contains(['"', ',', ';', '<', '>', '@', '(', ')']) => {
            format!("\"{}\" <{address}>", name.replace('\\', "\\\\").replace('"', "\\\""))
        }
        (name, address) => format!("{name} <{address}>"),
    }
}

impl<'a> MessageMore<'a> {
    fn new(message: &'a Message) -> Self {
        let hides = |link: &&'a Link| !link.shown.is_empty();
        Self {
            size_bytes: message.size_bytes,
            truncated: message.truncated,
            charset: &message.charset,
            sender: &message.sender,
            reply_to: &message.reply_to,
            list: &message.list_id,
            links: message.urls.iter().filter(hides).map(LinkObject::new).collect(),
            attachments: message.attachments.iter().map(AttachmentObject::new).collect(),
            defects: &message.defects,
        }
    }
}

impl<'a> LinkObject<'a> {
    fn new(link: &'a Link) -> Self {
        Self { url: &link.url, shown: &link.shown }
    }
}

impl<'a> AttachmentObject<'a> {
    fn new(attachment: &'a Attachment) -> Self {
        Self {
            name: &attachment.name,
            content_type: &attachment.content_type,
            size_bytes: attachment.size_bytes,
            sha256: &attachment.sha256,
        }
    }
}

impl<'a> ReadEvent<'a> {
    pub(super) fn pop3(read: &'a MailRead) -> Self {
        Self { pop3: Some(ReadObject::new(read)), ..Self::of(read) }
    }

    pub(super) fn imap(read: &'a MailRead) -> Self {
        Self { imap: Some(ReadObject::new(read)), ..Self::of(read) }
    }

    fn of(read: &'a MailRead) -> Self {
        let message = read.message.as_ref();
        Self {
            pop3: None,
            imap: None,
            email: message.map(EmailObject::new),
            spanwatch: ReadMore { user: &read.user, message: message.map(MessageMore::new) },
        }
    }
}

impl<'a> ReadObject<'a> {
    fn new(read: &'a MailRead) -> Self {
        Self { request: ReadRequest { command: &read.command } }
    }
}

impl<'a> LoginObject<'a> {
    pub(super) fn new(login: &'a Login) -> Self {
        Self {
            protocol: login.protocol,
            mechanism: &login.mechanism,
            user: &login.user,
            success: login.success,
            clear: login.clear,
        }
    }
}
