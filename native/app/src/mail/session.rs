//! What the protocols of mail have in common: two directions, and what is heard in them.

use super::{MailRead, SmtpMail};
use crate::Login;

/// What is heard in a conversation about mail.
#[derive(Debug)]
pub enum Heard {
    /// A transaction of SMTP is over.
    Smtp(SmtpMail),
    /// A mail was read or stored.
    Read(MailRead),
    /// Somebody has logged in, or tried.
    Login(Login),
}

/// How a conversation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// As before.
    Continue,
    /// In TLS (RFC 3207, RFC 2595); so many of the last bytes belong to it.
    Tls(usize),
}

/// A conversation about mail.
pub trait MailSession: std::fmt::Debug {
    /// Takes the next bytes of a direction.
    fn take(&mut self, from_client: bool, data: &[u8], heard: &mut dyn FnMut(Heard)) -> Step;

    /// So many bytes of a direction were not seen.
    fn miss(&mut self, from_client: bool, missing: u64);

    /// Nothing more will come: what is not complete is told as it is.
    fn finish(&mut self, heard: &mut dyn FnMut(Heard));

    /// Bytes that are kept.
    fn held_bytes(&self) -> usize;
}
