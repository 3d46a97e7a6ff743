//! What a conversation did with mail.

use super::Message;
use crate::Text;

/// A transaction of SMTP (RFC 5321, 3.3), or a connection that had none but said something of interest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SmtpMail {
    /// The name by which the client greets.
    pub helo: Text,
    /// The user that the client has logged in as.
    pub user: Text,
    /// The address of MAIL FROM, without its parameters; empty for the null sender, `None` if none was seen.
    pub mail_from: Option<Text>,
    /// The code of the reply to MAIL FROM, 0 if it was not seen.
    pub mail_code: u16,
    /// Recipients in the order of their RCPT TO.
    pub rcpt_to: Vec<Recipient>,
    /// The code of the reply to the message, 0 if it was not seen.
    pub data_code: u16,
    /// The reply's text.
    pub data_reply: Text,
    /// Number of recipients for whom the server took the message.
    pub delivered: u32,
    /// What became of it.
    pub status: Delivery,
    /// The message, if one was sent.
    pub message: Option<Message>,
    /// Whether the conversation went on in TLS; what is said there is not seen.
    pub tls: bool,
}

/// A recipient, and what the server said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipient {
    /// The address of RCPT TO, without its parameters.
    pub address: Text,
    /// The code of the reply, 0 if it was not seen.
    pub code: u16,
    /// The reply's text.
    pub reply: Text,
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Not all of the server's answers were seen, or there was no message.
    #[default]
    Unknown,
    /// The server took the message for all recipients.
    Delivered,
    /// For none.
    Refused,
    /// For some.
    Partly,
}

impl Delivery {
    /// The word of the records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Partly => "partly",
        }
    }
}

/// A mail that passed by POP3 or IMAP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailRead {
    /// The user that the client has logged in as, if that was seen.
    pub user: Text,
    /// The command that moved it, in capitals: `RETR`, `TOP`, `FETCH`, `APPEND`.
    pub command: Text,
    /// The mail.
    pub message: Option<Message>,
}
