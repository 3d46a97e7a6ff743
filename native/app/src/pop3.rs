//! POP3 (RFC 1939, RFC 2449, RFC 5034): who logs in, and the mails that are read.

use std::collections::VecDeque;

use crate::mail::body::{Body, Dotted};
use crate::mail::lines::Lines;
use crate::mail::sasl::Sasl;
use crate::mail::{Heard, MailRead, MailSession, Step};
use crate::{Login, MAX_USER_BYTES, Text, text};

/// Commands whose replies may be awaited at once; of a client that asks more the oldest are given up.
const MAX_AWAITED: usize = 1000;

/// A command whose reply is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Pass,
    Apop,
    Auth,
    /// A mail, or the beginning of one.
    Retr,
    Top,
    /// Its answer has more lines, up to a dot.
    List,
    StartTls,
    Other,
}

/// What the server's next bytes are.
#[derive(Debug, Default)]
enum Reading {
    #[default]
    Reply,
    /// The rest of an answer, a mail's where there is a command.
    Lines(Dotted, Option<Command>),
}

/// Whether the dot that ends an answer may have been missed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Torn {
    #[default]
    No,
    /// Bytes of the answer are missing.
    Gap,
    /// And the client has asked for something since, with nothing else to wait for.
    Asked,
}

/// A conversation of POP3.
#[derive(Debug, Default)]
pub struct Pop3Session {
    client: Lines,
    server: Lines,
    reading: Reading,
    torn: Torn,
    awaited: VecDeque<Command>,
    mail: Body,
    sasl: Option<Sasl>,
    responding: bool,
    user: Text,
    keep_raw: bool,
}

impl MailSession for Pop3Session {
    fn take(&mut self, from_client: bool, data: &[u8], heard: &mut dyn FnMut(Heard)) -> Step {
        let mut rest = data;
        if from_client {
            while let Some(line) = self.client.take(&mut rest) {
                if self.responding { self.respond(&line) } else { self.command(&line) }
            }
            return Step::Continue;
        }
        while !rest.is_empty() {
            self.end_torn(rest, heard);
            match &mut self.reading {
                Reading::Lines(dotted, command) => {
                    let (mail, command) = (&mut self.mail, *command);
                    if dotted.take(&mut rest, &mut |piece| mail.push(if command.is_some() { piece } else { &[] })) {
                        (self.reading, self.torn) = (Reading::Reply, Torn::No);
                        self.end_mail(command, true, heard);
                    }
                }
                Reading::Reply => match self.server.take(&mut rest) {
                    Some(line) if self.answer(&line, heard) => return Step::Tls(rest.len()),
                    Some(_) => {}
                    None => break,
                },
            }
        }
        Step::Continue
    }

    fn miss(&mut self, from_client: bool, missing: u64) {
        if from_client {
            self.client.tear();
            return;
        }
        match &mut self.reading {
            Reading::Lines(dotted, command) => {
                dotted.tear();
                self.torn = Torn::Gap;
                if command.is_some() {
                    self.mail.miss(missing);
                }
            }
            Reading::Reply => {
                self.server.tear();
                // Which replies are missing is not known.
                self.awaited.clear();
            }
        }
    }

    fn finish(&mut self, heard: &mut dyn FnMut(Heard)) {
        if let Reading::Lines(_, command) = std::mem::take(&mut self.reading) {
            self.end_mail(command, false, heard);
        }
        while let Some(command) = self.awaited.pop_front() {
            self.end_login(command, None, heard);
        }
    }

    fn held_bytes(&self) -> usize {
        self.client.held_bytes() + self.server.held_bytes() + self.mail.held_bytes() + self.awaited.len()
    }
}

impl Pop3Session {
    /// A conversation that begins; `keep_raw` says whether mails carry their bytes.
    pub fn new(keep_raw: bool) -> Self {
        Self { mail: Body::new(keep_raw), keep_raw, ..Self::default() }
    }

    /// An answer whose end may have been missed has ended where the next one begins, which only follows a question.
    fn end_torn(&mut self, rest: &[u8], heard: &mut dyn FnMut(Heard)) {
        if self.torn != Torn::Asked || !(rest.starts_with(b"+OK") || rest.starts_with(b"-ERR")) {
            return;
        }
        self.torn = Torn::No;
        if let Reading::Lines(_, command) = std::mem::take(&mut self.reading) {
            self.end_mail(command, false, heard);
        }
    }

    fn command(&mut self, line: &[u8]) {
        if self.torn == Torn::Gap && self.awaited.is_empty() {
            self.torn = Torn::Asked;
        }
        let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        let verb = words.next().unwrap_or_default().to_ascii_uppercase();
        let argument = words.next();
        let command = match verb.as_slice() {
            b"USER" => {
                self.user = text(argument.unwrap_or_default(), MAX_USER_BYTES);
                Command::Other
            }
            b"PASS" => Command::Pass,
            b"APOP" => {
                self.user = text(argument.unwrap_or_default(), MAX_USER_BYTES);
                Command::Apop
            }
            b"AUTH" if argument.is_some() => {
                let mut sasl = Sasl::new("pop3", argument.unwrap_or_default());
                if let Some(initial) = words.next() {
                    sasl.respond(initial);
                }
                self.responding = !sasl.is_complete();
                self.sasl = Some(sasl);
                Command::Auth
            }
            b"RETR" => Command::Retr,
            b"TOP" => Command::Top,
            b"LIST" | b"UIDL" if argument.is_none() => Command::List,
            b"CAPA" | b"AUTH" => Command::List,
            b"STLS" => Command::StartTls,
            _ => Command::Other,
        };
        self.wait_for(command);
    }

    fn wait_for(&mut self, command: Command) {
        if self.awaited.len() >= MAX_AWAITED {
            self.awaited.pop_front();
        }
        self.awaited.push_back(command);
    }

    fn respond(&mut self, line: &[u8]) {
        let Some(sasl) = &mut self.sasl else { return self.responding = false };
        if line != b"*" {
            sasl.respond(line);
        }
        self.responding = line != b"*" && !sasl.is_complete();
    }

    /// Takes the first line of an answer; whether TLS follows it.
    fn answer(&mut self, line: &[u8], heard: &mut dyn FnMut(Heard)) -> bool {
        // What begins with a plus alone asks for more of SASL (RFC 5034, 4); the greeting answers nothing.
        let accepted = line.starts_with(b"+OK");
        if !accepted && !line.starts_with(b"-ERR") {
            return false;
        }
        let Some(command) = self.awaited.pop_front() else { return false };
        match command {
            Command::Retr | Command::Top if accepted => self.reading = Reading::Lines(Dotted::default(), Some(command)),
            Command::List if accepted => self.reading = Reading::Lines(Dotted::default(), None),
            Command::StartTls => return accepted,
            _ => self.end_login(command, Some(accepted), heard),
        }
        false
    }

    fn end_login(&mut self, command: Command, success: Option<bool>, heard: &mut dyn FnMut(Heard)) {
        let login = match command {
            Command::Pass => self.login("USER", true, success),
            Command::Apop => self.login("APOP", false, success),
            Command::Auth => {
                self.responding = false;
                let Some(sasl) = self.sasl.take() else { return };
                self.user = sasl.user().clone();
                sasl.finish(success)
            }
            _ => return,
        };
        heard(Heard::Login(login));
    }

    fn login(&self, mechanism: &str, clear: bool, success: Option<bool>) -> Login {
        Login { protocol: "pop3", mechanism: mechanism.into(), user: self.user.clone(), success, clear }
    }

    fn end_mail(&mut self, command: Option<Command>, whole: bool, heard: &mut dyn FnMut(Heard)) {
        let Some(command) = command else { return };
        let mut message = std::mem::replace(&mut self.mail, Body::new(self.keep_raw)).finish(whole);
        // TOP leaves most of the body out (RFC 1939, 7).
        message.truncated |= command == Command::Top;
        let command = if command == Command::Top { "TOP" } else { "RETR" };
        heard(Heard::Read(MailRead { user: self.user.clone(), command: command.into(), message: Some(message) }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::testing::{MESSAGE, Turn, dialog, one_sided};

    fn turns(message: &str) -> Vec<Turn> {
        let text = format!("+OK 120 octets\r\n{message}.\r\n");
        let spoken = [
            (false, "+OK ready <1896.697170952@pop.example>\r\n"),
            (true, "CAPA\r\n"),
            (false, "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n"),
            (true, "USER anna\r\n"),
            (false, "+OK\r\n"),
            (true, "PASS wrong-secret\r\n"),
            (false, "-ERR no\r\n"),
            (true, "USER anna\r\nPASS secret\r\n"),
            (false, "+OK\r\n+OK logged in\r\n"),
            (true, "LIST\r\nLIST 1\r\nRETR 1\r\nRETR 9\r\nTOP 1 0\r\n"),
            (false, "+OK 1 message\r\n1 120\r\n.\r\n+OK 1 120\r\n"),
            (false, &text),
            (false, "-ERR none\r\n"),
            (false, &text),
            (true, "QUIT\r\n"),
            (false, "+OK\r\n"),
        ];
        spoken.map(|(client, said)| (client, said.to_owned())).to_vec()
    }

    #[test]
    fn logins_and_mails_are_told() {
        let heard = dialog(Pop3Session::default(), &turns(MESSAGE), usize::MAX);
        let [Heard::Login(wrong), Heard::Login(right), Heard::Read(mail), Heard::Read(top)] = &heard[..] else {
            panic!("{heard:?}")
        };
        assert_eq!((&*wrong.user, wrong.success, wrong.clear), ("anna", Some(false), true));
        assert_eq!((&*right.user, right.success), ("anna", Some(true)));
        assert_eq!((&*mail.user, &*mail.command), ("anna", "RETR"));
        let message = mail.message.as_ref().unwrap();
        assert_eq!((&*message.subject, message.truncated, message.size_bytes), ("hello", false, MESSAGE.len() as u64));
        assert!(top.message.as_ref().unwrap().truncated);
        assert!(!format!("{heard:?}").contains("secret"));
    }

    #[test]
    fn it_is_told_alike_wherever_pieces_end() {
        let whole = format!("{:?}", dialog(Pop3Session::default(), &turns(MESSAGE), usize::MAX));
        for longest in 1..40 {
            assert_eq!(format!("{:?}", dialog(Pop3Session::default(), &turns(MESSAGE), longest)), whole, "{longest}");
        }
    }

    #[test]
    fn without_the_server_the_outcome_is_not_known() {
        let heard = one_sided(Pop3Session::default(), &turns(MESSAGE), true);
        let successes: Vec<_> =
            heard.iter().map(|heard| matches!(heard, Heard::Login(login) if login.success.is_none())).collect();
        assert_eq!(successes, [true, true]);
    }

    #[test]
    fn a_mail_with_a_hole_is_truncated_and_the_next_is_whole() {
        let mut session = Pop3Session::default();
        let mut heard = Vec::new();
        let mut sink = |told| heard.push(told);
        session.take(true, b"RETR 1\r\nRETR 2\r\n", &mut sink);
        session.take(false, b"+OK\r\nSubject: one\r\n\r\nabc", &mut sink);
        session.miss(false, 1000);
        session.take(false, b"xyz\r\n.\r\n+OK\r\nSubject: two\r\n\r\nabc\r\n.\r\n", &mut sink);
        let [Heard::Read(one), Heard::Read(two)] = &heard[..] else { panic!("{heard:?}") };
        let (one, two) = (one.message.as_ref().unwrap(), two.message.as_ref().unwrap());
        assert_eq!((&*one.subject, one.truncated), ("one", true));
        assert_eq!((&*two.subject, two.truncated), ("two", false));
    }

    /// What is heard of a mail whose end is in a gap, and of what comes behind it.
    fn without_end(asked: &[u8], answered: &[u8]) -> Vec<Heard> {
        let mut session = Pop3Session::default();
        let mut heard = Vec::new();
        let mut sink = |told| heard.push(told);
        session.take(true, b"RETR 1\r\n", &mut sink);
        session.take(false, b"+OK\r\nSubject: one\r\n\r\nabc", &mut sink);
        session.miss(false, 1000);
        session.take(true, asked, &mut sink);
        session.take(false, answered, &mut sink);
        session.finish(&mut sink);
        heard
    }

    #[test]
    fn a_mail_ends_where_the_next_answer_begins_if_its_dot_is_in_a_gap() {
        let heard = without_end(b"RETR 2\r\n", b"+OK\r\nSubject: two\r\n\r\nabc\r\n.\r\n");
        let [Heard::Read(one), Heard::Read(two)] = &heard[..] else { panic!("{heard:?}") };
        let (one, two) = (one.message.as_ref().unwrap(), two.message.as_ref().unwrap());
        assert_eq!((&*one.subject, one.truncated, &*one.excerpt), ("one", true, "abc"));
        assert_eq!((&*two.subject, two.truncated), ("two", false));
    }

    #[test]
    fn what_looks_like_an_answer_and_was_not_asked_for_belongs_to_the_mail() {
        let heard = without_end(b"", b"+OK\r\nx\r\n.\r\n");
        let [Heard::Read(one)] = &heard[..] else { panic!("{heard:?}") };
        assert_eq!(&*one.message.as_ref().unwrap().excerpt, "abc+OK x");
    }

    #[test]
    fn tls_follows_the_servers_consent() {
        let mut session = Pop3Session::default();
        session.take(true, b"STLS\r\n", &mut |_| {});
        assert_eq!(session.take(false, b"+OK begin\r\n\x16\x03\x03", &mut |_| {}), Step::Tls(3));
    }
}
