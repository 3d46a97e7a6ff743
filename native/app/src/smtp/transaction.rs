//! Transactions that are not told yet, in the order in which they were begun.

use std::collections::VecDeque;

use super::command::Command;
use crate::mail::body::{Body, Dotted};
use crate::mail::{Delivery, Heard, MAX_RECIPIENTS, MAX_REPLY_BYTES, Recipient, SmtpMail};
use crate::{Text, text};

/// Transactions that may wait for replies; of more the oldest is told as it is.
const MAX_WAITING: usize = 16;

/// A transaction.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    serial: u32,
    mail: SmtpMail,
    body: Body,
    /// Recipients for which LMTP has answered, and of these the accepted ones.
    parts: (u32, u32),
    /// Nothing more comes from the client.
    ended: bool,
}

#[derive(Debug, Default)]
pub(super) struct Transactions {
    open: VecDeque<Transaction>,
    next: u32,
    text: Dotted,
    keep_raw: bool,
}

impl Transactions {
    pub(super) fn new(keep_raw: bool) -> Self {
        Self { keep_raw, ..Self::default() }
    }

    /// A new transaction; its number.
    pub(super) fn begin(&mut self, mail: SmtpMail) -> u32 {
        self.next = self.next.wrapping_add(1);
        let body = Body::new(self.keep_raw);
        self.open.push_back(Transaction { serial: self.next, mail, body, ..Transaction::default() });
        self.next
    }

    fn building(&mut self) -> Option<&mut Transaction> {
        self.open.back_mut().filter(|last| !last.ended)
    }

    /// The number of the transaction that the client has begun and not sent.
    pub(super) fn building_serial(&mut self) -> Option<u32> {
        self.building().map(|transaction| transaction.serial)
    }

    /// One more recipient; what its reply belongs to.
    pub(super) fn recipient(&mut self, address: Text) -> Option<Command> {
        let transaction = self.building()?;
        let recipients = &mut transaction.mail.rcpt_to;
        let index = recipients.len();
        if index < MAX_RECIPIENTS {
            recipients.push(Recipient { address, ..Recipient::default() });
        }
        Some(Command::Rcpt(transaction.serial, index))
    }

    /// Takes the text of DATA; whether it is over.
    pub(super) fn take_text(&mut self, data: &mut &[u8]) -> bool {
        let Some(transaction) = self.open.back_mut().filter(|last| !last.ended) else { return true };
        let body = &mut transaction.body;
        self.text.take(data, &mut |piece| body.push(piece))
    }

    pub(super) fn take_chunk(&mut self, data: &[u8]) {
        if let Some(transaction) = self.building() {
            transaction.body.push(data);
        }
    }

    pub(super) fn miss(&mut self, missing: u64) {
        self.text.tear();
        if let Some(transaction) = self.building() {
            transaction.body.miss(missing);
        }
    }

    /// The message is sent: the transaction's number, and how many recipients the server may answer for.
    pub(super) fn end_message(&mut self) -> Option<(u32, usize)> {
        self.text = Dotted::default();
        let transaction = self.building()?;
        transaction.end(true);
        let accepted = transaction.mail.rcpt_to.iter().filter(|recipient| recipient.code < 400).count();
        Some((transaction.serial, accepted))
    }

    /// The client gives the transaction up that it has begun: its number.
    pub(super) fn abort(&mut self) -> Option<u32> {
        let transaction = self.building()?;
        transaction.end(false);
        Some(transaction.serial)
    }

    pub(super) fn with(&mut self, serial: u32, change: impl FnOnce(&mut SmtpMail)) {
        if let Some(transaction) = self.open.iter_mut().find(|transaction| transaction.serial == serial) {
            change(&mut transaction.mail);
        }
    }

    /// The server's answer for one of several recipients.
    pub(super) fn answer_part(&mut self, serial: u32, code: u16) {
        if let Some(transaction) = self.open.iter_mut().find(|transaction| transaction.serial == serial) {
            transaction.parts.0 += 1;
            transaction.parts.1 += u32::from((200..300).contains(&code));
        }
    }

    /// The server's answer to the message, or for the last of several recipients.
    pub(super) fn answer(&mut self, serial: u32, code: u16, said: &[u8]) {
        let Some(transaction) = self.open.iter_mut().find(|transaction| transaction.serial == serial) else { return };
        transaction.mail.data_code = code;
        transaction.mail.data_reply = text(said, MAX_REPLY_BYTES);
        transaction.settle(code);
    }

    /// Tells of a transaction and of those before it; whether there was one.
    pub(super) fn close(&mut self, serial: u32, heard: &mut dyn FnMut(Heard)) -> bool {
        let last = self.open.iter().position(|transaction| transaction.serial == serial);
        let excess = self.open.len().saturating_sub(MAX_WAITING);
        let told = last.map_or(excess, |last| last + 1);
        for transaction in self.open.drain(..told) {
            heard(Heard::Smtp(transaction.told()));
        }
        told > 0
    }

    /// Tells of all.
    pub(super) fn finish(&mut self, heard: &mut dyn FnMut(Heard)) -> bool {
        let told = !self.open.is_empty();
        if let Some(transaction) = self.building() {
            transaction.end(false);
        }
        for transaction in self.open.drain(..) {
            heard(Heard::Smtp(transaction.told()));
        }
        told
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.open.iter().map(Transaction::held_bytes).sum()
    }
}

impl Transaction {
    /// Nothing more comes from the client.
    fn end(&mut self, whole: bool) {
        self.ended = true;
        let body = std::mem::take(&mut self.body);
        if whole || !body.is_empty() {
            self.mail.message = Some(body.finish(whole));
        }
    }

    /// What became of the message.
    fn settle(&mut self, code: u16) {
        let (answered, taken) = self.parts;
        let accepted = self.mail.rcpt_to.iter().filter(|recipient| recipient.code < 400).count() as u32;
        let all = self.mail.rcpt_to.len() as u32;
        self.mail.delivered = match code {
            200..=299 if answered > 0 => taken + 1,
            200..=299 => accepted,
            _ => taken,
        };
        self.mail.status = match self.mail.delivered {
            0 if code >= 400 => Delivery::Refused,
            0 if all > 0 => Delivery::Refused,
            delivered if delivered < all => Delivery::Partly,
            _ if code >= 400 => Delivery::Partly,
            _ => Delivery::Delivered,
        };
    }

    fn told(mut self) -> SmtpMail {
        let refused = |code: u16| code >= 400;
        let all_refused =
            !self.mail.rcpt_to.is_empty() && self.mail.rcpt_to.iter().all(|recipient| refused(recipient.code));
        let unsettled = self.mail.status == Delivery::Unknown;
        if unsettled && (refused(self.mail.mail_code) || refused(self.mail.data_code) || all_refused) {
            self.mail.status = Delivery::Refused;
        }
        self.mail
    }

    fn held_bytes(&self) -> usize {
        let recipients = self.mail.rcpt_to.iter().map(|recipient| 48 + recipient.address.len() + recipient.reply.len());
        let raw = self.mail.message.as_ref().map_or(0, |message| message.raw.len());
        self.body.held_bytes() + raw + recipients.sum::<usize>()
    }
}
