//! The first byte chooses the protocol. Then come steps: a byte whose highest bit says that the client speaks, and whose
//! rest is a length below 0x70 and so many bytes, or 0x70 and above and a gap of so many.
#![no_main]

use app::imap::ImapSession;
use app::mail::{MailSession, Step};
use app::pop3::Pop3Session;
use app::smtp::SmtpSession;
use libfuzzer_sys::fuzz_target;

const CLIENT: u8 = 0x80;
/// Lengths from here on are gaps.
const GAP: u8 = 0x70;

fuzz_target!(|data: &[u8]| {
    let Some((choice, steps)) = data.split_first() else { return };
    let session: fn() -> Box<dyn MailSession> = match choice % 3 {
        0 => || Box::<SmtpSession>::default(),
        1 => || Box::<Pop3Session>::default(),
        _ => || Box::<ImapSession>::default(),
    };
    // However the steps are cut, the same is told.
    assert_eq!(told(session(), steps, usize::MAX), told(session(), steps, 3));
});

/// What is heard where each step comes in pieces of at most `longest` bytes.
fn told(mut session: Box<dyn MailSession>, mut steps: &[u8], longest: usize) -> Vec<String> {
    let mut heard = Vec::new();
    'steps: while let Some((&step, rest)) = steps.split_first() {
        let (from_client, length) = (step & CLIENT != 0, step & !CLIENT);
        if length >= GAP {
            session.miss(from_client, u64::from(length - GAP) + 1);
            steps = rest;
            continue;
        }
        let (said, behind) = rest.split_at(rest.len().min(length.into()));
        for piece in said.chunks(longest) {
            let next = session.take(from_client, piece, &mut |told| heard.push(format!("{told:?}")));
            if let Step::Tls(left) = next {
                assert!(left <= piece.len());
                break 'steps;
            }
        }
        steps = behind;
    }
    session.finish(&mut |told| heard.push(format!("{told:?}")));
    heard
}
