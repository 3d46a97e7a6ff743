//! SMTP and submission (RFC 5321, RFC 6409), and LMTP (RFC 2033): who sends what to whom, and what the server says.
//!
//! Commands and replies are matched by their order, pipelined or not (RFC 2920). Where only the client is seen, the
//! transactions are told without replies.

mod command;
mod reply;
#[cfg(test)]
mod tests;
mod transaction;

use std::collections::VecDeque;

use command::{Command, Verb, path, verb};
use reply::{Replies, Reply};
use transaction::Transactions;

use crate::mail::lines::Lines;
use crate::mail::sasl::Sasl;
use crate::mail::{Heard, MAX_REPLY_BYTES, MailSession, SmtpMail, Step};
use crate::{MAX_USER_BYTES, Text, text};

/// Commands whose replies may be awaited at once; of a client that asks more the oldest are given up.
const MAX_AWAITED: usize = 2000;
/// The longest name of a greeting (RFC 5321, 4.5.3.1.2).
const MAX_HELO_BYTES: usize = 255;

/// A conversation of SMTP.
#[derive(Debug, Default)]
pub struct SmtpSession {
    client: Lines,
    replies: Replies,
    mode: Mode,
    awaited: VecDeque<Command>,
    transactions: Transactions,
    sasl: Option<Sasl>,
    helo: Text,
    user: Text,
    lmtp: bool,
    server_seen: bool,
    /// Whether the end of the text may have been missed.
    torn: bool,
    /// Whether anything was told of the connection.
    told: bool,
}

/// What the client's next bytes are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Mode {
    #[default]
    Command,
    /// The text of DATA, if the server agrees.
    DataAsked,
    Data,
    /// What is left of a chunk, and whether it is the last.
    Chunk(u64, bool),
    Sasl,
}

impl MailSession for SmtpSession {
    fn take(&mut self, from_client: bool, data: &[u8], heard: &mut dyn FnMut(Heard)) -> Step {
        let mut rest = data;
        if from_client {
            self.take_client(&mut rest, heard);
            return Step::Continue;
        }
        self.server_seen = true;
        while let Some(reply) = self.replies.take(&mut rest) {
            if self.answer(&reply, heard) {
                self.tell_silent(true, heard);
                return Step::Tls(rest.len());
            }
        }
        Step::Continue
    }

    fn miss(&mut self, from_client: bool, missing: u64) {
        if !from_client {
            self.replies.tear();
            // Which replies are missing is not known.
            self.awaited.clear();
            return;
        }
        match &mut self.mode {
            Mode::Data | Mode::DataAsked => {
                self.mode = Mode::Data;
                self.torn = true;
                self.transactions.miss(missing);
            }
            Mode::Chunk(left, _) if *left >= missing => {
                *left -= missing;
                self.transactions.miss(missing);
            }
            _ => {
                self.mode = Mode::Command;
                self.client.tear();
            }
        }
    }

    fn finish(&mut self, heard: &mut dyn FnMut(Heard)) {
        if let Some(sasl) = self.sasl.take() {
            heard(Heard::Login(sasl.finish(None)));
        }
        self.told |= self.transactions.finish(heard);
        self.tell_silent(false, heard);
    }

    fn held_bytes(&self) -> usize {
        self.client.held_bytes() + self.replies.held_bytes() + self.transactions.held_bytes() + self.awaited.len() * 32
    }
}

impl SmtpSession {
    /// A conversation that begins; `keep_raw` says whether messages carry their bytes.
    pub fn new(keep_raw: bool) -> Self {
        Self { transactions: Transactions::new(keep_raw), ..Self::default() }
    }

    fn take_client(&mut self, rest: &mut &[u8], heard: &mut dyn FnMut(Heard)) {
        while !rest.is_empty() {
            match self.mode {
                Mode::DataAsked => self.mode = Mode::Data,
                Mode::Data => {
                    if self.transactions.take_text(rest) {
                        self.end_message(heard);
                    }
                }
                Mode::Chunk(left, last) => self.take_chunk(rest, left, last, heard),
                Mode::Command | Mode::Sasl => match self.client.take(rest) {
                    Some(line) if self.mode == Mode::Sasl => self.respond(&line),
                    Some(line) => self.command(&line, heard),
                    None => return,
                },
            }
        }
    }

    fn take_chunk(&mut self, rest: &mut &[u8], left: u64, last: bool, heard: &mut dyn FnMut(Heard)) {
        let taken = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
        self.transactions.take_chunk(&rest[..taken]);
        *rest = &rest[taken..];
        self.mode = Mode::Chunk(left - taken as u64, last);
        if left == taken as u64 {
            self.end_chunk(last, heard);
        }
    }

    fn end_chunk(&mut self, last: bool, heard: &mut dyn FnMut(Heard)) {
        if last {
            self.end_message(heard);
        } else {
            self.mode = Mode::Command;
            self.wait_for(Command::Other);
        }
    }

    /// All of a message was sent.
    fn end_message(&mut self, heard: &mut dyn FnMut(Heard)) {
        self.mode = Mode::Command;
        self.torn = false;
        let Some((serial, recipients)) = self.transactions.end_message() else { return };
        // LMTP answers for each recipient (RFC 2033, 4.2).
        for _ in 1..if self.lmtp { recipients } else { 1 } {
            self.wait_for(Command::Part(serial));
        }
        self.wait_for(Command::End(serial));
        if !self.server_seen {
            self.told |= self.transactions.finish(heard);
        }
    }

    fn wait_for(&mut self, command: Command) {
        if self.awaited.len() >= MAX_AWAITED {
            self.awaited.pop_front();
        }
        self.awaited.push_back(command);
    }

    fn command(&mut self, line: &[u8], heard: &mut dyn FnMut(Heard)) {
        let (verb, argument) = verb(line);
        let awaited = match verb {
            Verb::Helo | Verb::Lhlo => {
                self.helo = text(argument, MAX_HELO_BYTES);
                self.lmtp = verb == Verb::Lhlo;
                self.abort(heard);
                Command::Other
            }
            Verb::Mail => {
                self.abort(heard);
                let mail = SmtpMail { mail_from: Some(path(argument)), ..self.head() };
                Command::Mail(self.transactions.begin(mail))
            }
            Verb::Rcpt => self.transactions.recipient(path(argument)).unwrap_or(Command::Other),
            Verb::Data => {
                self.mode = Mode::DataAsked;
                Command::Data(self.ensure_transaction())
            }
            Verb::Bdat(length, last) => {
                self.ensure_transaction();
                self.mode = Mode::Chunk(length, last);
                if length == 0 {
                    self.end_chunk(last, heard);
                }
                return;
            }
            Verb::Auth => self.begin_sasl(argument),
            Verb::StartTls => Command::StartTls,
            Verb::Reset => {
                self.abort(heard);
                Command::Other
            }
            Verb::Other => Command::Other,
        };
        self.wait_for(awaited);
    }

    /// A message without MAIL before it: the beginning of the connection was not seen.
    fn ensure_transaction(&mut self) -> u32 {
        match self.transactions.building_serial() {
            Some(serial) => serial,
            None => self.transactions.begin(self.head()),
        }
    }

    /// What is known of a transaction before it begins.
    fn head(&self) -> SmtpMail {
        SmtpMail { helo: self.helo.clone(), user: self.user.clone(), ..SmtpMail::default() }
    }

    fn abort(&mut self, heard: &mut dyn FnMut(Heard)) {
        if let Some(serial) = self.transactions.abort() {
            // Its last replies may be on their way.
            self.wait_for_rest(serial, heard);
        }
    }

    fn wait_for_rest(&mut self, serial: u32, heard: &mut dyn FnMut(Heard)) {
        let pending = self.awaited.iter().rposition(|command| command.belongs_to(serial));
        match pending {
            Some(at) => self.awaited.insert(at + 1, Command::Aborted(serial)),
            None => self.told |= self.transactions.close(serial, heard),
        }
        self.pass_aborted(heard);
    }

    fn begin_sasl(&mut self, argument: &[u8]) -> Command {
        let mut words = argument.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        let mut sasl = Sasl::new("smtp", words.next().unwrap_or_default());
        if let Some(initial) = words.next() {
            sasl.respond(initial);
        }
        self.mode = if sasl.is_complete() { Mode::Command } else { Mode::Sasl };
        self.sasl = Some(sasl);
        Command::Auth
    }

    fn respond(&mut self, line: &[u8]) {
        self.wait_for(Command::Auth);
        let Some(sasl) = &mut self.sasl else { return self.mode = Mode::Command };
        if line == b"*" {
            self.mode = Mode::Command;
            return;
        }
        sasl.respond(line);
        if sasl.is_complete() {
            self.mode = Mode::Command;
        }
    }

    /// Takes a reply; whether TLS follows it.
    fn answer(&mut self, reply: &Reply, heard: &mut dyn FnMut(Heard)) -> bool {
        // A server says nothing before the text has ended: its end was in the hole.
        if self.torn && self.mode == Mode::Data && self.awaited.is_empty() {
            self.end_message(heard);
        }
        // The greeting answers no command (RFC 5321, 3.1).
        let greets = reply.code == 220 && self.awaited.front() != Some(&Command::StartTls);
        let Some(command) = (if greets { None } else { self.awaited.pop_front() }) else { return false };
        match command {
            Command::Mail(serial) => self.transactions.with(serial, |mail| mail.mail_code = reply.code),
            Command::Rcpt(serial, index) => self.transactions.with(serial, |mail| {
                if let Some(recipient) = mail.rcpt_to.get_mut(index) {
                    recipient.code = reply.code;
                    recipient.reply = text(&reply.text, MAX_REPLY_BYTES);
                }
            }),
            Command::Data(serial) => self.answer_data(serial, reply),
            Command::Part(serial) => self.transactions.answer_part(serial, reply.code),
            Command::End(serial) => {
                self.transactions.answer(serial, reply.code, &reply.text);
                self.told |= self.transactions.close(serial, heard);
            }
            Command::Auth if reply.code != 334 => self.end_sasl(reply.code, heard),
            Command::StartTls => return reply.code == 220,
            Command::Auth | Command::Aborted(_) | Command::Other => {}
        }
        self.pass_aborted(heard);
        false
    }

    fn answer_data(&mut self, serial: u32, reply: &Reply) {
        if reply.code >= 400 {
            self.transactions.with(serial, |mail| {
                mail.data_code = reply.code;
                mail.data_reply = text(&reply.text, MAX_REPLY_BYTES);
            });
        }
        if self.mode == Mode::DataAsked {
            self.mode = if reply.code == 354 { Mode::Data } else { Mode::Command };
        }
    }

    fn pass_aborted(&mut self, heard: &mut dyn FnMut(Heard)) {
        while let Some(&Command::Aborted(serial)) = self.awaited.front() {
            self.awaited.pop_front();
            self.told |= self.transactions.close(serial, heard);
        }
    }

    fn end_sasl(&mut self, code: u16, heard: &mut dyn FnMut(Heard)) {
        if self.mode == Mode::Sasl {
            self.mode = Mode::Command;
        }
        let Some(sasl) = self.sasl.take() else { return };
        // 4xx says nothing about the password (RFC 4954, 6).
        let success = match code {
            200..=299 => Some(true),
            500..=599 => Some(false),
            _ => None,
        };
        if success == Some(true) {
            self.user = text(sasl.user().as_bytes(), MAX_USER_BYTES);
        }
        self.told = true;
        heard(Heard::Login(sasl.finish(success)));
    }

    /// Tells of a connection in which a client greeted and sent no mail that is seen.
    fn tell_silent(&mut self, tls: bool, heard: &mut dyn FnMut(Heard)) {
        if !self.told && !self.helo.is_empty() {
            self.told = true;
            heard(Heard::Smtp(SmtpMail { tls, ..self.head() }));
        }
    }
}
