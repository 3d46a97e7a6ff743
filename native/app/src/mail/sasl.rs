//! Who logs in by SASL (RFC 4422): the user's name only. What else the exchange says is let go of at once.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ntlm::logon;
use crate::{Login, MAX_USER_BYTES, Text, text};

/// The longest name of a mechanism (RFC 4422, 3.1).
const MAX_MECHANISM_BYTES: usize = 20;

/// An exchange that the client has begun.
#[derive(Debug)]
pub(crate) struct Sasl {
    login: Login,
    responses: u8,
}

impl Sasl {
    /// An exchange by `mechanism`.
    pub(crate) fn new(protocol: &'static str, mechanism: &[u8]) -> Self {
        let mechanism = text(&mechanism.to_ascii_uppercase(), MAX_MECHANISM_BYTES);
        Self { login: Login { protocol, mechanism, ..Login::default() }, responses: 0 }
    }

    /// Takes what the client answers, in base64; `=` is an empty answer.
    pub(crate) fn respond(&mut self, response: &[u8]) {
        self.responses = self.responses.saturating_add(1);
        let decoded = STANDARD.decode(response.trim_ascii()).unwrap_or_default();
        if self.login.user.is_empty() {
            let user = user(&self.login.mechanism, &decoded);
            self.login.user = text(&user, MAX_USER_BYTES);
        }
        self.login.clear |= match &*self.login.mechanism {
            "PLAIN" => decoded.iter().filter(|&&byte| byte == 0).count() >= 2,
            "LOGIN" => self.responses >= 2 && response != b"*",
            _ => false,
        };
    }

    /// Whether the client is known to have said all.
    pub(crate) fn is_complete(&self) -> bool {
        match &*self.login.mechanism {
            "LOGIN" => self.responses >= 2,
            "PLAIN" | "XOAUTH2" | "OAUTHBEARER" | "CRAM-MD5" => self.responses >= 1,
            _ => false,
        }
    }

    pub(crate) fn user(&self) -> &Text {
        &self.login.user
    }

    /// The attempt, and what came of it.
    pub(crate) fn finish(self, success: Option<bool>) -> Login {
        Login { success, ..self.login }
    }
}

/// The user's name in an answer.
fn user<'a>(mechanism: &str, answer: &'a [u8]) -> Cow<'a, [u8]> {
    Cow::Borrowed(match mechanism {
        "PLAIN" => plain(answer),
        "LOGIN" => answer,
        // The name, a space, and a digest (RFC 2195, 2).
        "CRAM-MD5" => &answer[..memchr::memrchr(b' ', answer).unwrap_or(0)],
        "XOAUTH2" => between(answer, b"user=", 1),
        // gs2-header with a= (RFC 7628, 3.1).
        "OAUTHBEARER" => between(answer, b",a=", b','),
        // digest-response (RFC 2831, 2.1.2).
        "DIGEST-MD5" => between(answer, b"username=\"", b'"'),
        "NTLM" | "GSS-SPNEGO" => return ntlm_user(answer).map_or(Cow::Borrowed(&[]), |user| Cow::Owned(user.into())),
        // client-first-message-bare (RFC 5802, 7).
        name if name.starts_with("SCRAM-") => between(answer, b",n=", b','),
        _ => &[],
    })
}

/// \[authzid\] NUL authcid NUL passwd (RFC 4616, 2); some clients say the first alone.
fn plain(answer: &[u8]) -> &[u8] {
    let mut parts = answer.split(|&byte| byte == 0);
    let (other, own) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if own.is_empty() { other } else { own }
}

/// What stands behind a mark, up to an end.
fn between<'a>(answer: &'a [u8], mark: &[u8], end: u8) -> &'a [u8] {
    let Some(at) = memchr::memmem::find(answer, mark) else { return &[] };
    let rest = &answer[at + mark.len()..];
    &rest[..memchr::memchr(end, rest).unwrap_or(rest.len())]
}

/// The user of an AUTHENTICATE_MESSAGE, behind the domain if there is one.
fn ntlm_user(message: &[u8]) -> Option<String> {
    let logon = logon(message)?;
    let (domain, user) = (logon.domain, logon.user);
    Some(if domain.is_empty() || user.is_empty() { user.into() } else { format!("{domain}\\{user}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_kept_and_nothing_else() {
        for (mechanism, answers) in [
            ("plain", vec!["AGFubmEAc2VjcmV0"]),
            ("LOGIN", vec!["YW5uYQ==", "c2VjcmV0"]),
            ("CRAM-MD5", vec!["YW5uYSBiOTEzYTYwMmM3ZWRhN2E0OTViNGU2ZTczMzRkMzg5MA=="]),
            ("XOAUTH2", vec!["dXNlcj1hbm5hAWF1dGg9QmVhcmVyIHNlY3JldAEB"]),
            ("OAUTHBEARER", vec!["bixhPWFubmEsAWF1dGg9QmVhcmVyIHNlY3JldAEB"]),
        ] {
            let mut sasl = Sasl::new("smtp", mechanism.as_bytes());
            for answer in answers {
                assert!(!sasl.is_complete());
                sasl.respond(answer.as_bytes());
            }
            assert!(sasl.is_complete());
            let login = sasl.finish(Some(true));
            assert_eq!(&*login.user, "anna", "{mechanism}");
            assert_eq!(login.clear, matches!(mechanism, "plain" | "LOGIN"));
            assert!(!format!("{login:?}").contains("secret"));
        }
    }
    #[test]
    fn exchanges_of_more_turns_tell_their_user() {
        for (mechanism, answer) in [
            ("SCRAM-SHA-256", &b"n,,n=anna,r=secret"[..]),
            ("DIGEST-MD5", b"charset=utf-8,username=\"anna\",realm=\"x\""),
        ] {
            let mut sasl = Sasl::new("imap", mechanism.as_bytes());
            sasl.respond(STANDARD.encode(answer).as_bytes());
            let login = sasl.finish(None);
            assert_eq!((&*login.user, login.clear), ("anna", false), "{mechanism}");
        }
    }

    #[test]
    fn ntlm_tells_domain_and_user() {
        let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
        message.resize(64, 0);
        message[28..36].copy_from_slice(&[4, 0, 4, 0, 64, 0, 0, 0]);
        message[36..44].copy_from_slice(&[8, 0, 8, 0, 68, 0, 0, 0]);
        message[60] = 1;
        message.extend("HQanna".encode_utf16().flat_map(u16::to_le_bytes));
        let mut sasl = Sasl::new("smtp", b"ntlm");
        sasl.respond(STANDARD.encode(b"NTLMSSP\0\x01\0\0\0").as_bytes());
        sasl.respond(STANDARD.encode(&message).as_bytes());
        assert_eq!(&*sasl.finish(None).user, "HQ\\anna");
    }

    #[test]
    fn a_password_that_was_never_sent_did_not_pass() {
        for (mechanism, answers) in [("PLAIN", &[][..]), ("LOGIN", &["YW5uYQ=="]), ("LOGIN", &["YW5uYQ==", "*"])] {
            let mut sasl = Sasl::new("smtp", mechanism.as_bytes());
            for answer in answers {
                sasl.respond(answer.as_bytes());
            }
            assert!(!sasl.finish(Some(false)).clear, "{mechanism}");
        }
    }
}
