//! IMAP (RFC 9051, RFC 3501): who logs in, the mails that are read, and those that are stored.

use std::collections::VecDeque;

use crate::mail::body::Body;
use crate::mail::lines::Lines;
use crate::mail::sasl::Sasl;
use crate::mail::{Heard, MailRead, MailSession, Step};
use crate::{Login, MAX_USER_BYTES, Text, text};

/// Commands whose answers may be awaited at once; of a client that asks more the oldest are given up.
const MAX_AWAITED: usize = 256;
/// The longest tag that is remembered.
const MAX_TAG_BYTES: usize = 64;
/// Bytes of a command that are put together over its literals.
const MAX_COMMAND_BYTES: usize = 16 << 10;

/// A conversation of IMAP.
#[derive(Debug, Default)]
pub struct ImapSession {
    client: Half,
    server: Half,
    awaited: VecDeque<(Box<[u8]>, Awaited)>,
    sasl: Option<(Sasl, bool)>,
    user: Text,
}

/// What a tagged answer decides.
#[derive(Debug)]
enum Awaited {
    Login(Text),
    Sasl,
    StartTls,
    /// A mail that the client stores.
    Append(Box<Body>),
}

/// One direction: lines, with literals between their parts (RFC 9051, 4.3).
#[derive(Debug, Default)]
struct Half {
    lines: Lines,
    /// The parts so far, literals that are no mail included.
    line: Vec<u8>,
    /// Bytes that are left of a literal, and the mail that it is.
    literal: Option<(u64, Option<Body>)>,
    keep_raw: bool,
}

/// What a direction has said.
enum Said {
    Line(Vec<u8>),
    /// A mail, in a line that began like this.
    Mail(Body, Vec<u8>),
}

impl Half {
    fn new(keep_raw: bool) -> Self {
        Self { keep_raw, ..Self::default() }
    }

    /// Takes from `data` what belongs to the next line or mail. `is_mail` says whether what stands before a literal
    /// announces one.
    fn take(&mut self, data: &mut &[u8], is_mail: fn(&[u8]) -> bool) -> Option<Said> {
        while !data.is_empty() {
            if let Some((left, mail)) = &mut self.literal {
                let taken = usize::try_from(*left).map_or(data.len(), |left| left.min(data.len()));
                match mail {
                    Some(body) => body.push(&data[..taken]),
                    None => keep(&mut self.line, &data[..taken]),
                }
                *data = &data[taken..];
                *left -= taken as u64;
                if *left == 0
                    && let Some((_, Some(body))) = self.literal.take()
                {
                    return Some(Said::Mail(body, self.line.clone()));
                }
                continue;
            }
            let part = self.lines.take(data)?;
            let literal = literal(&part);
            keep(&mut self.line, literal.map_or(&part[..], |(text, _)| text));
            let Some((_, length)) = literal else { return Some(Said::Line(std::mem::take(&mut self.line))) };
            let mail = is_mail(&self.line).then(|| Body::new(self.keep_raw));
            match (length, mail) {
                (0, Some(body)) => return Some(Said::Mail(body, self.line.clone())),
                (0, None) => {}
                (length, mail) => self.literal = Some((length, mail)),
            }
        }
        None
    }

    fn miss(&mut self, missing: u64) {
        match &mut self.literal {
            Some((left, mail)) if *left >= missing => {
                *left -= missing;
                if let Some(body) = mail {
                    body.miss(missing);
                }
            }
            _ => {
                *self = Self::new(self.keep_raw);
                self.lines.tear();
            }
        }
    }

    fn held_bytes(&self) -> usize {
        let mail = self.literal.as_ref().and_then(|(_, mail)| mail.as_ref()).map_or(0, Body::held_bytes);
        self.lines.held_bytes() + self.line.capacity() + mail
    }
}

fn keep(line: &mut Vec<u8>, part: &[u8]) {
    let room = MAX_COMMAND_BYTES.saturating_sub(line.len());
    line.extend_from_slice(&part[..part.len().min(room)]);
}

/// What stands before `{length}` or `{length+}` at a line's end (RFC 7888), and the length.
fn literal(line: &[u8]) -> Option<(&[u8], u64)> {
    let inner = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', inner)?;
    let digits = inner[open + 1..].strip_suffix(b"+").unwrap_or(&inner[open + 1..]);
    let length = std::str::from_utf8(digits).ok()?.parse().ok()?;
    // LITERAL8 has a tilde in front (RFC 3516).
    Some((inner[..open].strip_suffix(b"~").unwrap_or(&inner[..open]), length))
}

impl MailSession for ImapSession {
    fn take(&mut self, from_client: bool, data: &[u8], heard: &mut dyn FnMut(Heard)) -> Step {
        let mut rest = data;
        if from_client {
            while let Some(said) = self.client.take(&mut rest, stores) {
                match said {
                    Said::Line(line) => self.command(&line),
                    Said::Mail(body, line) => self.wait_for(tag(&line), Awaited::Append(Box::new(body))),
                }
            }
            return Step::Continue;
        }
        while let Some(said) = self.server.take(&mut rest, reads) {
            match said {
                Said::Mail(body, line) => self.tell_read("FETCH", body, !is_part(&line), heard),
                Said::Line(line) if self.answer(&line, heard) => return Step::Tls(rest.len()),
                Said::Line(_) => {}
            }
        }
        Step::Continue
    }

    fn miss(&mut self, from_client: bool, missing: u64) {
        if from_client { self.client.miss(missing) } else { self.server.miss(missing) }
    }

    fn finish(&mut self, heard: &mut dyn FnMut(Heard)) {
        while let Some((_, awaited)) = self.awaited.pop_front() {
            self.settle(awaited, None, heard);
        }
        for (half, command) in [(&mut self.client, "APPEND"), (&mut self.server, "FETCH")] {
            if let Some((_, Some(body))) = half.literal.take() {
                let message = Some(body.finish(false));
                heard(Heard::Read(MailRead { user: self.user.clone(), command: command.into(), message }));
            }
        }
    }

    fn held_bytes(&self) -> usize {
        let appended = self.awaited.iter().map(|(tag, awaited)| match awaited {
            Awaited::Append(body) => body.held_bytes() + tag.len(),
            _ => tag.len(),
        });
        self.client.held_bytes() + self.server.held_bytes() + appended.sum::<usize>()
    }
}

impl ImapSession {
    /// A conversation that begins; `keep_raw` says whether mails carry their bytes.
    pub fn new(keep_raw: bool) -> Self {
        Self { client: Half::new(keep_raw), server: Half::new(keep_raw), ..Self::default() }
    }

    fn command(&mut self, line: &[u8]) {
        if let Some((sasl, true)) = &mut self.sasl {
            if line != b"*" {
                sasl.respond(line);
            }
            let more = line != b"*" && !sasl.is_complete();
            self.sasl.iter_mut().for_each(|(_, responding)| *responding = more);
            return;
        }
        let mut words = line.splitn(3, |&byte| byte == b' ');
        let (tag, verb) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let argument = words.next().unwrap_or_default();
        match verb.to_ascii_uppercase().as_slice() {
            b"LOGIN" => self.wait_for(tag, Awaited::Login(text(&astring(argument), MAX_USER_BYTES))),
            b"AUTHENTICATE" => {
                let mut words = argument.split(|&byte| byte == b' ');
                let mut sasl = Sasl::new("imap", words.next().unwrap_or_default());
                if let Some(initial) = words.next() {
                    sasl.respond(initial);
                }
                let more = !sasl.is_complete();
                self.sasl = Some((sasl, more));
                self.wait_for(tag, Awaited::Sasl);
            }
            b"STARTTLS" => self.wait_for(tag, Awaited::StartTls),
            _ => {}
        }
    }

    fn wait_for(&mut self, tag: &[u8], awaited: Awaited) {
        if self.awaited.len() >= MAX_AWAITED {
            self.awaited.pop_front();
        }
        self.awaited.push_back((tag[..tag.len().min(MAX_TAG_BYTES)].into(), awaited));
    }

    /// Takes a line of the server; whether TLS follows it.
    fn answer(&mut self, line: &[u8], heard: &mut dyn FnMut(Heard)) -> bool {
        let mut words = line.splitn(3, |&byte| byte == b' ');
        let tag = words.next().unwrap_or_default();
        let tag = &tag[..tag.len().min(MAX_TAG_BYTES)];
        let Some(at) = self.awaited.iter().position(|(awaited, _)| &**awaited == tag) else { return false };
        let accepted = words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"OK"));
        let Some((_, awaited)) = self.awaited.remove(at) else { return false };
        let starts_tls = accepted && matches!(awaited, Awaited::StartTls);
        self.settle(awaited, Some(accepted), heard);
        starts_tls
    }

    fn settle(&mut self, awaited: Awaited, success: Option<bool>, heard: &mut dyn FnMut(Heard)) {
        let login = match awaited {
            Awaited::Login(user) => Login { protocol: "imap", mechanism: "LOGIN".into(), user, success, clear: true },
            Awaited::Sasl => match self.sasl.take() {
                Some((sasl, _)) => sasl.finish(success),
                None => return,
            },
            Awaited::Append(body) => return self.tell_read("APPEND", *body, true, heard),
            Awaited::StartTls => return,
        };
        if success == Some(true) {
            self.user = login.user.clone();
        }
        heard(Heard::Login(login));
    }

    fn tell_read(&mut self, command: &str, body: Body, whole: bool, heard: &mut dyn FnMut(Heard)) {
        let message = Some(body.finish(whole));
        heard(Heard::Read(MailRead { user: self.user.clone(), command: command.into(), message }));
    }
}

fn tag(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == b' ').next().unwrap_or_default()
}

/// The first argument, quoted or not (RFC 9051, 9: astring).
fn astring(argument: &[u8]) -> Vec<u8> {
    let Some(quoted) = argument.strip_prefix(b"\"") else {
        return argument.split(|&byte| byte == b' ').next().unwrap_or_default().to_vec();
    };
    let mut string = Vec::new();
    let mut bytes = quoted.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => string.extend(bytes.next()),
            byte => string.push(byte),
        }
    }
    string
}

/// Whether a client's literal behind this is a mail.
fn stores(line: &[u8]) -> bool {
    line.splitn(3, |&byte| byte == b' ').nth(1).is_some_and(|verb| verb.eq_ignore_ascii_case(b"APPEND"))
}

/// Whether a server's literal behind this is a mail, or its whole header, but no other part (RFC 9051, 7.5.2).
fn reads(line: &[u8]) -> bool {
    let line = line.to_ascii_uppercase();
    let item = line.trim_ascii_end();
    let item = item.rsplit(|&byte| matches!(byte, b' ' | b'(')).next().unwrap_or_default();
    let mail = item == b"RFC822" || item.starts_with(b"BODY[]") || item.starts_with(b"BINARY[]");
    line.starts_with(b"* ") && (mail || is_header(item))
}

fn is_header(item: &[u8]) -> bool {
    item == b"RFC822.HEADER" || item == b"BODY[HEADER]"
}

/// Whether only a part of the mail was asked for: its header, or as in `BODY[]<0>`.
fn is_part(line: &[u8]) -> bool {
    let item = line.trim_ascii_end().rsplit(|&byte| matches!(byte, b' ' | b'(')).next().unwrap_or_default();
    item.ends_with(b">") || is_header(&item.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::testing::{MESSAGE, Turn, dialog};

    fn turns() -> Vec<Turn> {
        let fetched =
            format!("* 1 FETCH (UID 5 BODY[] {{{}}}\r\n{MESSAGE} FLAGS (\\Seen))\r\na3 OK\r\n", MESSAGE.len());
        let part = format!("* 2 FETCH (BODY[TEXT] {{4}}\r\nabcd BODY[]<0> {{{}}}\r\n{MESSAGE})\r\n", MESSAGE.len());
        let append = format!("a4 APPEND Sent (\\Seen) {{{}+}}\r\n{MESSAGE}\r\n", MESSAGE.len());
        let spoken = [
            (false, "* OK ready\r\n"),
            (true, "a1 LOGIN {4}\r\n"),
            (false, "+ go on\r\n"),
            (true, "anna \"secret\"\r\n"),
            (false, "a1 NO wrong\r\n"),
            (true, "a2 login \"an\\\"na\" secret\r\n"),
            (false, "a2 OK [CAPABILITY IMAP4rev2] done\r\n"),
            (true, "a3 FETCH 1:2 (UID BODY.PEEK[])\r\n"),
            (false, &part),
            (false, &fetched),
            (true, &append),
            (false, "a4 OK\r\n"),
            (true, "a5 AUTHENTICATE PLAIN\r\n"),
            (false, "+\r\n"),
            (true, "AGFubmEAc2VjcmV0\r\n"),
            (false, "a5 BAD already\r\n"),
        ];
        spoken.map(|(client, said)| (client, said.to_owned())).to_vec()
    }

    #[test]
    fn logins_and_mails_are_told() {
        let heard = dialog(ImapSession::default(), &turns(), usize::MAX);
        let [
            Heard::Login(wrong),
            Heard::Login(right),
            Heard::Read(part),
            Heard::Read(mail),
            Heard::Read(stored),
            Heard::Login(plain),
        ] = &heard[..]
        else {
            panic!("{heard:?}")
        };
        assert_eq!((&*wrong.user, wrong.success, wrong.clear), ("anna", Some(false), true));
        assert_eq!((&*right.user, right.success), ("an\"na", Some(true)));
        assert!(part.message.as_ref().unwrap().truncated);
        assert_eq!((&*mail.command, &*mail.user), ("FETCH", "an\"na"));
        let message = mail.message.as_ref().unwrap();
        assert_eq!((&*message.subject, message.truncated, message.size_bytes), ("hello", false, MESSAGE.len() as u64));
        assert_eq!((&*stored.command, &*stored.message.as_ref().unwrap().subject), ("APPEND", "hello"));
        assert_eq!((&*plain.user, &*plain.mechanism, plain.success), ("anna", "PLAIN", Some(false)));
        assert!(!format!("{heard:?}").contains("secret"));
    }

    #[test]
    fn it_is_told_alike_wherever_pieces_end() {
        let whole = format!("{:?}", dialog(ImapSession::default(), &turns(), usize::MAX));
        for longest in 1..40 {
            assert_eq!(format!("{:?}", dialog(ImapSession::default(), &turns(), longest)), whole, "{longest}");
        }
    }

    #[test]
    fn a_hole_in_a_literal_is_counted_and_its_end_is_found() {
        let mut session = ImapSession::default();
        let mut heard = Vec::new();
        let mut sink = |told| heard.push(told);
        session.take(true, b"a LOGIN anna secret\r\n", &mut sink);
        session.take(false, b"* 1 FETCH (RFC822 {30}\r\nSubject: x\r\n\r\nab", &mut sink);
        session.miss(false, 14);
        session.take(false, b")\r\na OK\r\n", &mut sink);
        let [Heard::Read(read), Heard::Login(login)] = &heard[..] else { panic!("{heard:?}") };
        assert_eq!(login.success, Some(true));
        let message = read.message.as_ref().unwrap();
        assert_eq!((&*message.subject, message.truncated), ("x", true));
    }

    #[test]
    fn tls_follows_the_servers_consent() {
        let mut session = ImapSession::default();
        session.take(true, b"a STARTTLS\r\n", &mut |_| {});
        assert_eq!(session.take(false, b"* 1 EXISTS\r\na OK begin\r\n\x16", &mut |_| {}), Step::Tls(1));
    }
}
