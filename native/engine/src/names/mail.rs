//! Mail: SMTP, POP3 and IMAP, as long as they are spoken in clear.

use std::sync::Arc;

use app::AppProtocol;
use app::imap::ImapSession;
use app::mail::{Heard, MailSession, Step};
use app::pop3::Pop3Session;
use app::smtp::SmtpSession;

use super::dialog::{Listener, Next};
use super::event::AppEvent;
use super::{Sink, Told};
use crate::stream::Piece;

/// Listens to a connection about mail.
#[derive(Debug)]
pub(super) struct MailTalk {
    session: Box<dyn MailSession + Send>,
    protocol: AppProtocol,
    /// Directions that are over.
    ended: [bool; 2],
}

impl MailTalk {
    /// A connection of this protocol of mail; `keep_raw` says whether messages carry their bytes.
    pub(super) fn new(protocol: AppProtocol, keep_raw: bool) -> Self {
        let session: Box<dyn MailSession + Send> = match protocol {
            AppProtocol::Imap => Box::new(ImapSession::new(keep_raw)),
            AppProtocol::Pop3 => Box::new(Pop3Session::new(keep_raw)),
            _ => Box::new(SmtpSession::new(keep_raw)),
        };
        Self { session, protocol, ended: [false; 2] }
    }
}

impl Listener for MailTalk {
    fn take(&mut self, from_client: bool, piece: Piece<'_>, sink: Sink<'_>) -> Next {
        let protocol = self.protocol;
        let mut tell = |heard| sink(told(protocol, heard));
        match piece {
            Piece::Data(data) => match self.session.take(from_client, data, &mut tell) {
                Step::Continue => Next::Continue,
                Step::Tls(rest_bytes) => {
                    self.session.finish(&mut tell);
                    Next::Becomes(AppProtocol::Tls, rest_bytes)
                }
            },
            Piece::Gap(missing) => {
                self.session.miss(from_client, u64::from(missing));
                Next::Continue
            }
            Piece::End => {
                self.ended[usize::from(from_client)] = true;
                let over = self.ended == [true; 2];
                if over {
                    self.session.finish(&mut tell);
                }
                Next::until(over)
            }
        }
    }

    fn held_bytes(&self) -> usize {
        self.session.held_bytes()
    }
}

fn told(protocol: AppProtocol, heard: Heard) -> Told<'static> {
    match heard {
        Heard::Smtp(mail) => Told::Event(AppEvent::Smtp(Arc::new(mail))),
        Heard::Read(read) if protocol == AppProtocol::Imap => Told::Event(AppEvent::Imap(Arc::new(read))),
        Heard::Read(read) => Told::Event(AppEvent::Pop3(Arc::new(read))),
        Heard::Login(login) => Told::Event(AppEvent::Login(Box::new(login))),
    }
}
