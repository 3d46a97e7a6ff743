//! Dialogs for tests.

use super::{Heard, MailSession};

/// Whether the client speaks, and what is said.
pub(crate) type Turn = (bool, String);

pub(crate) const MESSAGE: &str = "From: \"IT\" <it@t3sec.cc>\r\nTo: anna@victim.example\r\nSubject: hello\r\n\
                                  Message-ID: <1@t3sec.cc>\r\n\r\nsee http://211341.vhost328.cloudvhost.cn\r\n";

/// What is heard of a dialog whose turns come in pieces of at most `longest` bytes.
pub(crate) fn dialog(mut session: impl MailSession, turns: &[Turn], longest: usize) -> Vec<Heard> {
    let mut heard = Vec::new();
    for (client, said) in turns {
        for piece in said.as_bytes().chunks(longest) {
            session.take(*client, piece, &mut |told| heard.push(told));
        }
    }
    session.finish(&mut |told| heard.push(told));
    heard
}

/// What is heard where the mirror shows one direction only.
pub(crate) fn one_sided(session: impl MailSession, turns: &[Turn], client: bool) -> Vec<Heard> {
    let own: Vec<Turn> = turns.iter().filter(|(from_client, _)| *from_client == client).cloned().collect();
    dialog(session, &own, usize::MAX)
}
