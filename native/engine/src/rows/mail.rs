//! Mails and logins, as rows for Arrow.

use app::mail::{Attachment, Link, MailRead, Message, Recipient, SmtpMail};
use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::ends::{EndsRow, beside_each_other};
use crate::names::{AppEvent, AppRecord};

/// A mail transaction, a mail read, or what else a connection for mail said; without a message its columns are empty.
#[derive(Debug, Default, Serialize, Deserialize)]
struct MailRow {
    protocol: String,
    command: String,
    helo: String,
    user: String,
    mail_from: Option<String>,
    mail_code: u16,
    rcpt_to: Vec<RecipientRow>,
    data_code: u16,
    data_reply: String,
    delivered: u32,
    status: String,
    tls: bool,
    has_message: bool,
    from_address: String,
    from_name: String,
    sender: String,
    reply_to: String,
    to: Vec<String>,
    cc: Vec<String>,
    subject: String,
    date: String,
    message_id: String,
    x_mailer: String,
    received: Vec<String>,
    list_id: String,
    urls: Vec<LinkRow>,
    attachments: Vec<AttachmentRow>,
    body_md5: String,
    excerpt: String,
    size_bytes: u64,
    truncated: bool,
    charset: String,
    defects: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RecipientRow {
    address: String,
    code: u16,
    reply: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct LinkRow {
    url: String,
    shown: String,
    source: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct AttachmentRow {
    name: String,
    content_type: String,
    size_bytes: u64,
    sha256: String,
}

/// An attempt to log in.
#[derive(Debug, Serialize, Deserialize)]
struct LoginRow {
    protocol: String,
    mechanism: String,
    user: String,
    success: Option<bool>,
    clear: bool,
}

/// The messages of mails as they were sent, one a mail; empty where there is none or it was not kept.
pub fn raw_messages(mails: &[AppRecord]) -> impl Iterator<Item = &[u8]> {
    mails.iter().map(|mail| mail.event.message().map_or(&[][..], |message| &message.raw))
}

/// Mails as Arrow; `interfaces` are names by index.
///
/// # Errors
/// The rows do not fit Arrow's types; a defect of the row type.
pub fn mails_to_arrow(mails: &[AppRecord], interfaces: &[String]) -> Result<RecordBatch, serde_arrow::Error> {
    let rows = mails.iter().filter_map(|mail| Some((EndsRow::new(mail, interfaces), MailRow::new(mail)?)));
    beside_each_other(rows.unzip())
}

/// Attempts to log in as Arrow; `interfaces` are names by index.
///
/// # Errors
/// The rows do not fit Arrow's types; a defect of the row type.
pub fn logins_to_arrow(logins: &[AppRecord], interfaces: &[String]) -> Result<RecordBatch, serde_arrow::Error> {
    let rows = logins.iter().filter_map(|login| Some((EndsRow::new(login, interfaces), LoginRow::new(login)?)));
    beside_each_other(rows.unzip())
}

impl MailRow {
    fn new(record: &AppRecord) -> Option<Self> {
        let mut row =
            Self { protocol: record.event.kind().to_owned(), status: "unknown".to_owned(), ..Self::default() };
        match &record.event {
            AppEvent::Smtp(mail) => row.take_smtp(mail),
            AppEvent::Pop3(read) | AppEvent::Imap(read) => row.take_read(read),
            _ => return None,
        }
        Some(row)
    }

    fn take_smtp(&mut self, mail: &SmtpMail) {
        self.helo = mail.helo.to_string();
        self.user = mail.user.to_string();
        self.mail_from = mail.mail_from.as_deref().map(str::to_owned);
        self.mail_code = mail.mail_code;
        self.rcpt_to = mail.rcpt_to.iter().map(RecipientRow::new).collect();
        self.data_code = mail.data_code;
        self.data_reply = mail.data_reply.to_string();
        self.delivered = mail.delivered;
        mail.status.name().clone_into(&mut self.status);
        self.tls = mail.tls;
        self.take_message(mail.message.as_ref());
    }

    fn take_read(&mut self, read: &MailRead) {
        self.user = read.user.to_string();
        self.command = read.command.to_string();
        self.take_message(read.message.as_ref());
    }

    fn take_message(&mut self, message: Option<&Message>) {
        let Some(message) = message else { return };
        self.has_message = true;
        self.from_address = message.from.to_string();
        self.from_name = message.from_name.to_string();
        self.sender = message.sender.to_string();
        self.reply_to = message.reply_to.to_string();
        self.to = texts(&message.to);
        self.cc = texts(&message.cc);
        self.subject = message.subject.to_string();
        self.date = message.date.to_string();
        self.message_id = message.message_id.to_string();
        self.x_mailer = message.x_mailer.to_string();
        self.received = texts(&message.received);
        self.list_id = message.list_id.to_string();
        self.take_body(message);
    }

    fn take_body(&mut self, message: &Message) {
        self.urls = message.urls.iter().map(LinkRow::new).collect();
        self.attachments = message.attachments.iter().map(AttachmentRow::new).collect();
        self.body_md5 = message.body_md5.to_string();
        self.excerpt = message.excerpt.to_string();
        self.size_bytes = message.size_bytes;
        self.truncated = message.truncated;
        self.charset = message.charset.to_string();
        self.defects = message.defects.iter().map(ToString::to_string).collect();
    }
}

fn texts(texts: &[app::Text]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

impl RecipientRow {
    fn new(recipient: &Recipient) -> Self {
        Self { address: recipient.address.to_string(), code: recipient.code, reply: recipient.reply.to_string() }
    }
}

impl LinkRow {
    fn new(link: &Link) -> Self {
        Self { url: link.url.to_string(), shown: link.shown.to_string(), source: link.source.name().to_owned() }
    }
}

impl AttachmentRow {
    fn new(attachment: &Attachment) -> Self {
        Self {
            name: attachment.name.to_string(),
            content_type: attachment.content_type.to_string(),
            size_bytes: attachment.size_bytes,
            sha256: attachment.sha256.to_string(),
        }
    }
}

impl LoginRow {
    fn new(record: &AppRecord) -> Option<Self> {
        let AppEvent::Login(login) = &record.event else { return None };
        Some(Self {
            protocol: login.protocol.to_owned(),
            mechanism: login.mechanism.to_string(),
            user: login.user.to_string(),
            success: login.success,
            clear: login.clear,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use app::Login;
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

    use super::*;
    use crate::testing::{PC, START};

    fn record(event: AppEvent) -> AppRecord {
        AppRecord::sample(START, wire::Address::v4(PC.0), event)
    }

    #[test]
    fn a_mail_is_a_row_with_its_recipients_and_links() {
        let link = Link { url: "http://x.example/".into(), shown: "bank".into(), source: app::mail::LinkSource::Html };
        let recipient = Recipient { address: "b@example.com".into(), code: 550, reply: "no".into() };
        let message = Message { subject: "\u{4f60}\u{597d}".into(), urls: vec![link], ..Message::default() };
        let mail = SmtpMail { rcpt_to: vec![recipient], message: Some(message), ..SmtpMail::default() };
        let read = MailRead { command: "RETR".into(), ..MailRead::default() };
        let mails = [record(AppEvent::Smtp(Arc::new(mail))), record(AppEvent::Pop3(Arc::new(read)))];
        let rows = mails_to_arrow(&mails, &["eth1".to_owned()]).expect("there");
        let column = |name: &str| rows.column_by_name(name).expect("there");
        assert_eq!(column("subject").as_string::<i32>().value(0), "\u{4f60}\u{597d}");
        assert_eq!(column("protocol").as_string::<i32>().value(1), "pop3");
        assert_eq!(column("mail_from").null_count(), 2);
        let recipients = column("rcpt_to").as_list::<i32>();
        assert_eq!((recipients.value(0).len(), recipients.value(1).len()), (1, 0));
        let links = column("urls").as_list::<i32>().value(0);
        let shown = links.as_struct().column_by_name("shown").expect("there").as_string::<i32>().value(0).to_owned();
        assert_eq!(shown, "bank");
        assert_eq!(column("in_iface").as_string::<i32>().value(0), "eth1");
        assert!(column("src_internal").as_boolean().value(0));
    }

    #[test]
    fn a_login_is_a_row() {
        let login = Login { protocol: "pop3", user: "anna".into(), success: Some(false), ..Login::default() };
        let rows = logins_to_arrow(&[record(AppEvent::Login(Box::new(login)))], &[]).expect("there");
        assert_eq!(rows.column_by_name("user").expect("there").as_string::<i32>().value(0), "anna");
        assert!(!rows.column_by_name("success").expect("there").as_boolean().value(0));
    }
}
